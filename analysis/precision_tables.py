"""The noise of precision in words and as tables: how often a flip, and which flips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gainsift.analysis.estimate import Estimate
from gainsift.analysis.intervals import caution, told
from gainsift.analysis.precision import FLIPS, Noise, Precision
from gainsift.analysis.signature import signature
from gainsift.analysis.studentised import FEWEST
from gainsift.analysis.tables import MARK, Column, Table, display, plain
from gainsift.analysis.wording import answered, counted
from gainsift.schemas.config import AnalysisSpec
from gainsift.schemas.study import Study

ALL = "All"
KIND_NAMES = {"all": "All", "unpatched": "Unpatched", "patched": "Patched", "control": "Controls"}
RATE = Column("rate", "", "rate", interval=True)
READING = (
    "A rate moves by its share of flips at most, a gain by those of both its conditions together: gains smaller than"
    " what flips can move are within the noise of precision. Flips are of text, not of judgement: another text may be"
    " as right as the first."
)


def precision_tables(study: Study, found: Precision) -> list[Table]:
    """Nothing without an audit."""
    if not found.noise:
        return []
    whole, spec = found.noise[0], study.config.analysis
    recipe = signature(
        precision="flips", outputs=whole.outputs, clusters=whole.clusters, boot=spec.bootstrap, rs=spec.seed,
        ci=spec.interval,
    )  # fmt: skip
    title = f"What {' and '.join(whole.dtypes)} changes against float32: the noise floor"
    marginal = [one for one in found.noise if one.kind == "all" or one.checkpoint == whole.checkpoint]
    name = [Column("checkpoint", "Checkpoint id", printed=False), Column("kind", "Kind", printed=False),
            Column("name", "Outputs")]  # fmt: skip
    tables = [_rates("precision", title, name, marginal, found, spec, recipe)]
    if len(marginal) < len(found.noise):
        name = [Column("checkpoint", "Checkpoint"), Column("kind", "Outputs")]
        title += ", by checkpoint"
        tables.append(_rates("precision_by_checkpoint", title, name, found.noise, found, spec, recipe))
    if found.flips:
        tables.append(_flips(found, signature(precision="examples", outputs=whole.outputs)))
    return tables


def _rates(
    stem: str, title: str, name: Sequence[Column], rows: Sequence[Noise], found: Precision, spec: AnalysisSpec,
    recipe: str,
) -> Table:  # fmt: skip
    columns = [
        *name, Column("dtype", "Precision", printed=len(found.noise[0].dtypes) > 1),
        Column("text", "Text differs, %", "rate", interval=True),
        Column("item", "Item differs, %", "rate", interval=True),
        Column("success", "Success differs, %", "rate", interval=True),
        Column("change", "Success, points", "points", interval=True),
        Column("mean_shift", "Mean shift of probability", "coefficient"),
        Column("largest_shift", "Largest shift", "coefficient"),
        Column("outputs", "n", "count"), Column("clusters", "Word families", "count"),
    ]  # fmt: skip
    notes = [
        "Outputs that were made again in float32, from the same prompts. Text: the answer differs to the sign. Item:"
        " annotators would be shown another item (spaces around it do not count, reaching the closing quote does)."
        " Success: the automatic score differs; in points, the rate of the study minus that of float32, where flips of"
        " both ways cancel.",
        "Probability: of the first tokens of the source and of the target concept's words, absolute.",
        "Controls: target prompts as they are, and `tgt_tgt`. Drawn are prompt pairs, anew for each checkpoint and"
        " language pair, with all their settings and layers.",
        READING,
        told(spec, "word families"),
        caution(rows[0].clusters, spec),
        few_families(rows),
        *_missing(found),
        *(f"Left out: {number:,} {what}." for what, number in found.left_out.items()),
    ]
    return Table(
        stem,
        title,
        columns,
        [_row(one) for one in rows],
        [note for note in notes if note],
        recipe,
    )


def few_families(rows: Sequence[Noise]) -> str:
    """A warning where some rows but the first rest on few word families; the first has its own."""
    if rows[0].clusters < FEWEST or all(one.clusters >= FEWEST for one in rows):
        return ""
    return f"Where there are fewer than {FEWEST} word families the intervals are unreliable."


def _row(one: Noise) -> Mapping[str, object]:
    return {
        "checkpoint": one.checkpoint or ALL, "kind": one.kind, "dtype": ", ".join(one.dtypes),
        "name": one.checkpoint if one.checkpoint and one.kind == "all" else KIND_NAMES[one.kind],
        **{name: getattr(one, name) for name in (*FLIPS, "change", "mean_shift", "largest_shift")},
        "outputs": one.outputs, "clusters": one.clusters,
    }  # fmt: skip


def _missing(found: Precision) -> list[str]:
    if not found.noise or not found.unmeasured:
        return []
    return [f"In half precision, and not audited: {', '.join(found.unmeasured)}."]


def _flips(found: Precision, recipe: str) -> Table:
    shown = sum(flip.outputs for flip in found.flips)
    return Table(
        "precision_flips",
        "Flips that most outputs share",
        [Column("languages", "Languages"), Column("concept", "Concept id", printed=False), Column("word", "Word"),
         Column("answer", "Answer"),
         Column("answer_float32", "In float32"), Column("outputs", "Outputs", "count")],
        [
            {"languages": one.languages, "concept": one.concept, "word": one.word,
             "answer": answered(one.answer, one.closed),
             "answer_float32": answered(one.answer_float32, one.closed_float32), "outputs": one.outputs}
            for one in found.flips
        ],
        [f"{shown:,} of the {found.different:,} outputs whose text differs. … marks an answer that did not reach the"
         " closing quote."],
        recipe,
    )  # fmt: skip


def precision_sentence(found: Precision) -> str:
    """The flip rate as the noise floor, or that it was not measured; empty for a study in float32."""
    if not found.noise:
        return _unmeasured(found.unmeasured)
    whole = found.noise[0]
    return (
        f"Noise floor of {' and '.join(whole.dtypes)}: of {counted(whole.outputs, 'output')} that were made again in"
        f" float32, {_percent(whole.text)} have another text and {_percent(whole.item)} are another item; the success"
        f" of {_percent(whole.success)} differs."
    )


def _unmeasured(half: Mapping[str, str]) -> str:
    if not half:
        return ""
    dtypes = " and ".join(sorted(set(half.values())))
    return (
        f"The outputs of {counted(len(half), 'checkpoint')} are in {dtypes}, and how much of them is noise of that was"
        " not measured: `gainsift generate STUDY --audit-float32 0.05` does."
    )


def _percent(share: Estimate) -> str:
    """`1.6 % [1.2, 2.4]`, without the mark of a bound, which is explained under the table."""
    head, _, limits = display(RATE, share).removesuffix(MARK).partition(" [")
    return f"{head} %" + (f" [{limits}" if limits else "")


def precision_in_short(found: Precision) -> dict[str, Any]:
    """For summary.json: all outputs together, and the sentence; empty where there is nothing to say."""
    sentence = precision_sentence(found)
    if not sentence:
        return {}
    whole = {key: plain(value) for key, value in _row(found.noise[0]).items()} if found.noise else {}
    return {"precision": {**whole, "sentence": sentence}}
