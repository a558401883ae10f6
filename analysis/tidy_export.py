"""The whole study as one tidy table, csv and Parquet, with its data dictionary: for R, a spreadsheet, or ourselves.

A row is one judgement of one output that was planned or stands in a contrast; one that nobody judged has one row
without annotator. output_export writes all outputs beside it. What people wrote freely (comments, names of senses)
stays in the study, for it may hold anything.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from gainsift.analysis.arrow_csv import ArrowCsv
from gainsift.analysis.judged import Judged, join
from gainsift.analysis.judgements import Judgements, gather
from gainsift.analysis.linked_outputs import masses_of
from gainsift.analysis.output_export import (
    HOW_ASKED,
    MASSES,
    REAL,
    TEXT,
    TRUTH,
    WHOLE,
    columns_of,
    schema_of,
    write_outputs,
)
from gainsift.analysis.outputs import excluded_concepts
from gainsift.analysis.study_design import study_design
from gainsift.analysis.tidy_table import UNTOLD
from gainsift.schemas.atomic import atomic
from gainsift.schemas.files import write_text
from gainsift.schemas.provenance import now, write_run
from gainsift.schemas.rows import Annotation
from gainsift.schemas.settings import UNPATCHED
from gainsift.schemas.study import Study

TIDY_FORMAT = "tidy/1"
COLUMNS: dict[str, tuple[pa.DataType, str]] = {
    "unit": (TEXT, "What is compared over conditions: prompt pair | input language | output language."),
    "cluster": (TEXT, "Word family of the intended concept: units that move together. Intervals resample these."),
    "other_cluster": (TEXT, "Word family of the other concept, by which units are crossed."),
    "condition": (TEXT, "Checkpoint and how it was asked. A unit occurs once at a condition."),
    "annotator": (TEXT, "Pseudonym of the person who gave `label`; empty where nobody judged this output."),
    "label": (TEXT, "Category id that this annotator gave the item; empty: skipped. A label of kind missing is no"
              " judgement."),
    "success": (TRUTH, "Whether the answer equals a reference form, by the study's rule."),
    "weight": (REAL, "1 / probability that the item is judged; empty: outside the sample, or never planned (no item)."),
    "order": (REAL, "Place of the condition in its series: tokens seen, else steps, else the checkpoint's number."),
    "series": (TEXT, "The condition without its checkpoint."),
    "patched": (TRUTH, "Whether a concept vector was patched in: some categories have another kind then."),
    "identical": (TRUTH, "A reference form equals a word that the prompts gave, so that a pure copier succeeds."),
    "item": (TEXT, "The distinct thing that was judged; outputs with one item share its judgements."),
    "draws": (TEXT, "JSON: the item's trajectories, each with the probability that it is drawn. An item is judged if"
              " any of them is, and two items together by their union."),
    "audit": (REAL, "Probability that the item, once drawn, is asked about."),
    "verdict": (TEXT, "Category id that the output counts as, by majority, settled by adjudication unless the"
                " study says otherwise, given forms considered; empty: undecided"
                " (`undecided` says why)."),
    "kind": (TEXT, "Kind of the verdict on this output: correct, behaviour, error, near, no_effect."),
    "bucket": (TEXT, "Row of the split that a change between the verdict and correct falls in."),
    "correct": (WHOLE, "1 if the kind is correct, else 0; empty while undecided."),
    "undecided": (TEXT, "Why there is no verdict: unjudged, missing (all answers `unsure` and the like), tie."),
    "adjudicated": (TRUTH, "Whether the lead settled the item."),
    "settled": (TEXT, "Category id that the lead gave the item; of kind missing: it cannot be judged. Empty: not"
                " adjudicated."),
    "prelabel": (TEXT, "Category id that the lexicon alone gives the item (`gainsift annotate prelabel`); ?: it could"
                       " not tell. Empty: not asked."),
    "source": (TEXT, "human, or simulated: no person gave this label."),
    "sense": (TEXT, "With label other_sense: the sense that this annotator chose."),
    "role": (TEXT, "What the task was to the annotator: main, or calibration."),
    "round": (WHOLE, "Round of annotation of this judgement."),
    "lead_time": (REAL, "Seconds that the annotator had the page open."),
    "row_id": (TEXT, "The output: one of translations/*.parquet."),
    **HOW_ASKED,
    "concept": (TEXT, "The intended concept."),
    "other_concept": (TEXT, "The other concept of the pair."),
    "gloss": (TEXT, "The intended concept in a few words."),
    "shown_word": (TEXT, "The intended concept's word in the input language."),
    "reference": (TEXT, "Reference forms in the output language, parted by |."),
    "answer": (TEXT, "The output up to the closing quote, as decoded."),
    "closed": (TRUTH, "Whether the closing quote was reached."),
    **MASSES,
    "sense_split": (TRUTH, "The references of the concept's languages disagree in sense."),
    "excluded": (TRUTH, "Left out of every figure by analysis.exclude_sense_split of the study."),
    "sense_not_given": (TRUTH, "No given form of this output carries the sense that people chose for the item: where it"
                        " would count as other_sense it counts as unrelated."),
}  # fmt: skip
"""The data dictionary: type and meaning of every column, in order."""


def tidy(study: Study) -> tuple[pd.DataFrame, Counter[str]]:
    """A row for each judgement of each output that was planned or stands in a contrast, and what is left out.

    Raises UserError as the analysis does.
    """
    items = study.items()
    lines = study.annotations()
    judgements = gather(
        lines, {item.content_key for item in items}, study.id, study.taxonomy, study.concepts,
        str(study.annotations_file),
    )  # fmt: skip
    own = rule_of(study)
    joined = join(study, items, judgements)
    judged = joined.judged(own)
    keys = {item.item_id: item.content_key for item in items}
    settled = {item: str(judgements.adjudicated[key].label) for item, key in keys.items()
               if key in judgements.adjudicated}  # fmt: skip
    outputs = _outputs(study, judged, settled)
    others = [rule for rule in ("adjudicated", "soft") if rule != own]
    flagged = [judged.frame, *(joined.judged(rule).frame for rule in others)]
    not_given = {row for frame in flagged for row in frame.loc[frame["sense_not_given"], "row_id"]}
    outputs["sense_not_given"] = outputs["row_id"].isin(not_given)
    votes = _votes(judgements, lines, study.id, keys)
    frame = outputs.merge(votes, on="item", how="left").assign(patched_last=lambda f: f["setting"] != UNPATCHED)
    frame = frame.sort_values(["patched_last", "setting", "prompt", "layer", "order", "row_id", "annotator"])
    return frame[list(COLUMNS)].reset_index(drop=True), judgements.left_out + judged.left_out


def rule_of(study: Study) -> str:
    """The rule behind `verdict`: the study's, or `adjudicated` where that gives distributions over labels."""
    return "majority" if study.config.analysis.verdict == "majority" else "adjudicated"


def _outputs(study: Study, judged: Judged, settled: dict[str, str]) -> pd.DataFrame:
    names = {"family": "cluster", "other_family": "other_cluster", "item_id": "item"}
    frame = judged.frame.rename(columns=names).astype({"condition": object})
    masses = masses_of(study, frame["row_id"])
    frame = frame.merge(masses, on="row_id", how="left", validate="one_to_one")
    conditions = {one.name: one for one in study_design(study, judged.frame).conditions}
    for name in ("series", "step", "tokens"):
        frame[name] = frame["condition"].map({key: getattr(one, name) for key, one in conditions.items()})
    frame["order"] = frame["checkpoint"].map(_order(study))
    frame["weight"] = 1 / frame["probability"].where(frame["selected"])
    frame["verdict"] = frame["label"]
    frame["excluded"] = frame["concept"].isin(list(excluded_concepts(study)))
    frame["draws"] = frame["item"].map(
        {item: json.dumps(drawn, ensure_ascii=False) for item, drawn in judged.inclusion.trajectories.items()}
    )
    frame["audit"] = frame["item"].map(
        {item: judged.inclusion.audits.get(item, 1.0) for item in judged.inclusion.trajectories}
    )
    frame["adjudicated"] = (
        frame["item"].map({item: one.adjudicated for item, one in judged.verdicts.items()}).fillna(False)
    )
    frame["settled"] = frame["item"].map(settled)
    frame["prelabel"] = frame["item"].map({item: label or UNTOLD for item, label in study.prelabels().items()})
    frame["gloss"] = frame["concept"].map({name: concept.gloss for name, concept in study.concepts.items()})
    frame["reference"] = [
        "|".join(study.concepts[concept].reference.get(out, []))
        for concept, out in zip(frame["concept"], frame["output_language"], strict=True)
    ]
    return frame.drop(columns="label")


def _order(study: Study) -> dict[str, float]:
    checkpoints = study.config.model.checkpoints
    for values in ([one.tokens for one in checkpoints], [one.step for one in checkpoints]):
        if len(set(values)) == len(values) and min(values) > 0:
            return {one.name: float(value) for one, value in zip(checkpoints, values, strict=True)}
    return {one.name: float(number) for number, one in enumerate(checkpoints, start=1)}


def _votes(judgements: Judgements, lines: Sequence[Annotation], study: str, keys: dict[str, str]) -> pd.DataFrame:
    """The judgements in use, and tasks that an annotator skipped and has not judged otherwise."""
    names = ("label", "source", "sense", "role", "round", "lead_time")
    found = {key: dict(judgements.votes.get(key, {})) for key in keys.values()}
    for line in lines:
        asked = line.status == "skipped" and line.role not in ("control", "repeat") and not line.repeat
        if asked and line.study == study and line.source == judgements.source and line.content_key in found:
            found[line.content_key].setdefault(line.annotator, line)
    rows = [
        {"item": item, "annotator": annotator, **{name: getattr(line, name) for name in names}}
        for item, key in keys.items()
        for annotator, line in sorted(found[key].items())
    ]
    return pd.DataFrame(rows, columns=["item", "annotator", *names])


# --- files -----------------------------------------------------------------------------------------------


def to_table(frame: pd.DataFrame) -> pa.Table:
    schema = schema_of(COLUMNS, TIDY_FORMAT)
    return pa.Table.from_pandas(frame, schema=schema, preserve_index=False).replace_schema_metadata(schema.metadata)


def dictionary_csv(study: Study) -> str:
    """Every column of both tables: table, column, type, meaning."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["table", "column", "type", "meaning"])
    for table, columns in (("tidy", COLUMNS), ("outputs", columns_of(study))):
        writer.writerows([table, name, str(kind), meaning] for name, (kind, meaning) in columns.items())
    return out.getvalue()


def write_export(study: Study, folder: Path, command: str) -> tuple[int, Counter[str]]:
    """Write both tables (tidy, outputs), dictionary.csv, taxonomy.yaml and tidy.run.json.

    Returns the rows of the tidy table, and what is left out of it.
    """
    started = now()
    frame, left_out = tidy(study)
    table = to_table(frame)
    files = [study.config_file, study.concepts_file, study.items_file, study.links_file, study.annotations_file]
    with atomic(folder / "tidy.csv") as file:
        plain = ArrowCsv(file, table.schema)
        plain.write(table)
        plain.close()
    with atomic(folder / "tidy.parquet") as file:
        pq.write_table(table, file, compression="zstd")
    outputs = write_outputs(study, folder)
    write_text(folder / "dictionary.csv", dictionary_csv(study))
    taxonomy = yaml.safe_dump(study.taxonomy.model_dump(mode="json"), allow_unicode=True, sort_keys=False)
    write_text(folder / "taxonomy.yaml", taxonomy)
    inputs = {file.name: file for file in files}
    optional = [study.prelabels_file] * study.prelabels_file.exists()
    inputs |= {file.relative_to(study.folder).as_posix(): file for file in [*study.translation_files(), *optional]}
    counts = {"rows": len(frame), "outputs": int(frame["row_id"].nunique()), "all outputs": outputs, **left_out}
    write_run(folder / "tidy.run.json", "tidy", command, started, inputs, counts=counts)
    return len(frame), left_out
