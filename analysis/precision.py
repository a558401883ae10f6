"""Noise of precision: how often half precision says something else than float32, by the study's float32 audit.

An audited output was made twice from the same request (schemas.float32_audit), so that whatever differs is rounding,
which depends on how rows were batched. Prompt pairs were drawn alike in each language pair of a checkpoint: shares of
the audited outputs are estimates of shares of all, unweighted. Intervals resample word families of the intended
concept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from gainsift.analysis.emergence_rows import SENSE_SPLIT
from gainsift.analysis.estimate import Array, Estimate, cluster_sums
from gainsift.analysis.intervals import METHODS, resampling
from gainsift.analysis.outputs import excluded_concepts, scorer
from gainsift.analysis.reproduce import read_run
from gainsift.schemas.config import AnalysisSpec
from gainsift.schemas.errors import UserError
from gainsift.schemas.families import word_families
from gainsift.schemas.files import read_parquet
from gainsift.schemas.float32_audit import FLOAT32_FORMAT, Float32Audit, item_differs, text_differs
from gainsift.schemas.rows import Translation
from gainsift.schemas.settings import UNPATCHED
from gainsift.schemas.study import TRANSLATIONS_FORMAT, Study

KINDS = ("all", "unpatched", "patched", "control")
"""All outputs; unpatched source prompts; patched prompts; what a patch cannot change (target prompts, `tgt_tgt`)."""
FLIPS = ("text", "item", "success")
SHOWN = 12
"""Flips that are shown one by one."""


@dataclass(frozen=True)
class Noise:
    """Of some audited outputs (`checkpoint` empty: of all checkpoints), how many say something else in float32.

    `text`, `item`, `success`: the share whose text, item or automatic success differs; `change`: success in the
    study's precision minus that in float32. Shifts are of the first-token mass on the source and the target concept.
    """

    checkpoint: str
    kind: str
    dtypes: list[str]
    outputs: int
    clusters: int
    text: Estimate
    item: Estimate
    success: Estimate
    change: Estimate
    mean_shift: float
    largest_shift: float


@dataclass(frozen=True)
class Flip:
    """An answer and what float32 says instead, with the number of audited outputs; texts may be hostile.

    `word`: the concept's in the input language.
    """

    languages: str
    concept: str
    word: str
    answer: str
    closed: bool
    answer_float32: str
    closed_float32: bool
    outputs: int


@dataclass(frozen=True)
class Precision:
    """`noise`: all outputs first; empty without an audit. `unmeasured`: checkpoint -> its half precision."""

    noise: list[Noise]
    flips: list[Flip]
    different: int
    unmeasured: Mapping[str, str]
    left_out: Counter[str]


def precision(study: Study) -> Precision:
    """What the study's float32 audit says. Raises UserError if it is of other outputs than those that lie there."""
    half = half_precision(study)
    if not study.float32_file.exists():
        return Precision([], [], 0, half, Counter())
    frame, left_out = compared(study)
    audited = set(frame["checkpoint"])
    return Precision(
        noise=list(_noise(study, frame)),
        flips=_flips(study, frame),
        different=int(frame["text"].sum()),
        unmeasured={name: dtype for name, dtype in half.items() if name not in audited},
        left_out=+left_out,
    )


def compared(study: Study) -> tuple[pd.DataFrame, Counter[str]]:
    """A row for each audited output that is analysed, and what is left out. Raises UserError as `precision` does."""
    table = read_parquet(study.float32_file, Float32Audit, FLOAT32_FORMAT, _command(study))
    table, left_out = study.named(table)
    _refuse_other(study, table)
    frame = _frame(study, table)
    kept = ~frame["intended_concept"].isin(list(excluded_concepts(study)))
    left_out[SENSE_SPLIT] += int((~kept).sum())
    return frame[kept].reset_index(drop=True), left_out


def _command(study: Study) -> str:
    return f"gainsift generate {study.folder} --audit-float32 P"


def half_precision(study: Study) -> dict[str, str]:
    """The checkpoints of study.yaml whose outputs are not float32, as the run record of the outputs says."""
    run = read_run(study.translations_folder / "run.json")
    told = run.settings.get("checkpoints") if run else None
    found = {}
    for spec in study.config.model.checkpoints:
        one = told.get(spec.name) if isinstance(told, dict) else None
        dtype = one.get("dtype") if isinstance(one, dict) else None
        if dtype in ("bfloat16", "float16"):
            found[spec.name] = str(dtype)
    return found


def _refuse_other(study: Study, table: pa.Table) -> None:
    """Raises UserError unless each row of the audit is an output of the study that says the same."""
    ids, same = table["row_id"].combine_chunks(), 0
    for file in study.translation_files() if len(table) else []:
        own = read_parquet(
            file, Translation, TRANSLATIONS_FORMAT, f"gainsift generate {study.folder}", ["row_id", "answer", "closed"]
        )
        place = pc.index_in(own["row_id"], value_set=ids)
        own, audited = own.filter(pc.is_valid(place)), table.take(pc.drop_null(place))
        alike = pc.and_(pc.equal(own["answer"], audited["answer"]), pc.equal(own["closed"], audited["closed"]))
        same += pc.sum(alike).as_py() or 0
    if same != len(table):
        raise UserError(
            str(study.float32_file), f"{len(table) - same} of its outputs are not those of {study.translations_folder}",
            f"run `{_command(study)}` again, or delete it",
        )  # fmt: skip


def _frame(study: Study, table: pa.Table) -> pd.DataFrame:
    """A row for each audited output: what differs, and where it belongs."""
    frame = table.to_pandas()
    success = scorer(study)
    families = word_families(study.concepts.values())
    asked = frame["intended_concept"], frame["output_language"]
    own = list(map(success, *asked, frame["answer"], frame["closed"]))
    exact = list(map(success, *asked, frame["answer_float32"], frame["closed_float32"]))
    control = frame["setting"].eq("tgt_tgt") | (frame["setting"].eq(UNPATCHED) & frame["prompt"].eq("target"))
    shifts = [np.abs(frame[name] - frame[f"{name}_float32"]) for name in ("p_source", "p_target")]
    made: pd.DataFrame = frame.assign(
        text=text_differs(table).to_numpy(),
        item=item_differs(table).to_numpy(zero_copy_only=False),
        success=np.not_equal(own, exact),
        change=np.subtract(own, exact, dtype=float),
        kind=np.select([control, frame["setting"].eq(UNPATCHED)], ["control", "unpatched"], "patched"),
        family=frame["intended_concept"].map(families),
        mean_shift=(shifts[0] + shifts[1]) / 2,
        largest_shift=np.fmax(*shifts),
    )
    return made


def _noise(study: Study, frame: pd.DataFrame) -> Iterator[Noise]:
    """All checkpoints together (where there are several), then each, in training order; of every kind there is."""
    names = [spec.name for spec in study.config.model.checkpoints if frame["checkpoint"].eq(spec.name).any()]
    for name in ["", *names] if len(names) > 1 else names:
        of_checkpoint = frame[frame["checkpoint"] == name] if name else frame
        for kind in KINDS:
            rows = of_checkpoint if kind == "all" else of_checkpoint[of_checkpoint["kind"] == kind]
            if len(rows):
                yield _of(rows, name, kind, study.config.analysis)


def _of(rows: pd.DataFrame, checkpoint: str, kind: str, spec: AnalysisSpec) -> Noise:
    families, clusters = pd.factorize(rows["family"], sort=True)
    sums = cluster_sums(rows[[*FLIPS, "change"]].to_numpy(float), families, len(clusters))
    counts: Array = np.repeat(np.bincount(families).astype(float)[:, None], sums.shape[1], axis=1)
    bootstrap = METHODS[spec.interval](len(clusters), spec.bootstrap, spec.confidence, resampling(spec))
    text, item, success, change = bootstrap.ratios(sums, counts, np.array([0.0, 0.0, 0.0, -1.0]))
    return Noise(
        checkpoint, kind, sorted(set(rows["dtype"])), len(rows), len(clusters), text, item, success, change,
        float(rows["mean_shift"].mean()), float(rows["largest_shift"].max()),
    )  # fmt: skip


def _flips(study: Study, frame: pd.DataFrame) -> list[Flip]:
    """The flips of text that most outputs share, SHOWN at most."""
    rows, words = frame[frame["text"]], study.concepts
    names = ("input_language", "output_language", "intended_concept", "answer", "closed", "answer_float32",
             "closed_float32")  # fmt: skip
    counts = Counter(zip(*(rows[name].tolist() for name in names), strict=True))
    most = sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:SHOWN]
    return [
        Flip(f"{given} → {out}", concept, words[concept].word(given), answer, closed, exact, closed_exact, number)
        for (given, out, concept, answer, closed, exact, closed_exact), number in most
    ]
