"""What enters the numbers of judgements: agreement, each annotator, adjudication, anchoring, audit, what is left out.

A coefficient is no sum of terms: it is made again from the listed labels by the function that made it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from gainsift.analysis.agreement import Labels, agreement
from gainsift.analysis.agreement_parts import against_rest, by_kind, by_path, self_agreement
from gainsift.analysis.light import light_kappa
from gainsift.analysis.trace_known import Known
from gainsift.analysis.trace_terms import TERM, Entering, number, quotient
from gainsift.schemas.families import word_families
from gainsift.schemas.rows import Annotation

Row = Mapping[str, Any]
COEFFICIENT = "{} of the listed labels; items of one label only count where the coefficient says so"
NOWHERE: dict[str, float] = {}


def whole(known: Known, row: Row, column: str) -> Entering:
    return _of_labels(known, _labels(known, row["level"]), column)


def coefficients(known: Known, row: Row, column: str) -> Entering:
    labels, name = _labels(known, row["level"]), row["coefficient"]
    if row["level"] == "path":
        found = by_path(labels, known.design.taxonomy, 1, 0.95, np.random.default_rng(0))[name]
        return _again(known, labels, name, found.point)
    return _of_labels(known, labels, name, known.item_outputs[0], column == "weighted")


def parts(known: Known, row: Row, column: str) -> Entering:
    what, name = row["what"], row["name"]
    labels, kind = _labels(known, "kind" if column.endswith("_kind") else "category"), column.removesuffix("_kind")
    every, at = known.item_outputs
    if what == "drift":
        first, last = name.split(" to ", 1) if name.count(" to ") == 1 else _ends(at, name)
        sides = [
            _of_labels(known, {item: labels[item] for item in at[end] if item in labels}, kind) for end in (last, first)
        ]
        again = None if any(one.again is None for one in sides) else (sides[0].again or 0) - (sides[1].again or 0)
        listed = pd.concat([one.terms.assign(group=end) for one, end in zip(sides, (last, first), strict=True)])
        return Entering(sides[0].formula + ", at the last condition less that at the first", listed, again)
    if what == "language pair":
        pair_of = known.all.evidence.language_pairs
        labels = {item: votes for item, votes in labels.items() if pair_of.get(item) == name}
    elif what == "condition":
        labels = {item: labels[item] for item in at[name] if item in labels}
    weights = at[name] if what == "condition" else every
    return _of_labels(known, labels, "alpha" if kind == "weighted" else kind, weights, kind == "weighted")


def _ends(at: Iterable[str], name: str) -> tuple[str, str]:
    return next((a, b) for a in at for b in at if f"{a} to {b}" == name)


def of_label(known: Known, row: Row, column: str) -> Entering:
    labels, label = _labels(known, "category"), row["label"]
    if column == "support":
        votes = {item: {who: one for who, one in given.items() if one == label} for item, given in labels.items()}
        return _of_labels(known, {item: given for item, given in votes.items() if given}, "judgements")
    return _of_labels(known, against_rest(labels, label), column)


def pairs(known: Known, row: Row, column: str) -> Entering:
    both = {row["a"], row["b"]}
    labels = {
        item: {who: label for who, label in votes.items() if who in both}
        for item, votes in _labels(known, "category").items()
        if both <= votes.keys()
    }
    return _of_labels(known, labels, "items" if column == "n" else "cohen")


def confusion(known: Known, row: Row, column: str) -> Entering:
    wanted = (row["label"], column.removeprefix("with_"))
    labels = {
        item: {who: label for who, label in votes.items() if label in wanted}
        for item, votes in _labels(known, "category").items()
    }
    counts = {item: Counter(votes.values()) for item, votes in labels.items()}
    made = {item: _pairs_of(counts[item], *wanted) for item in labels}
    held = {item: labels[item] for item, count in made.items() if count}
    again = float(sum(made.values()))
    return Entering("pairs of judgements of one item, one with each of the two labels", _listed(known, held), again)


def _pairs_of(counts: Counter[str], a: str, b: str) -> int:
    return counts[a] * (counts[a] - 1) // 2 if a == b else counts[a] * counts[b]


def annotators(known: Known, row: Row, column: str) -> Entering:
    name = row["annotator"]
    evidence = known.all.evidence
    if column.startswith("without"):
        others = {
            item: {who: label for who, label in votes.items() if who != name}
            for item, votes in _labels(known, "category").items()
        }
        held = {item: votes for item, votes in others.items() if votes}
        return _of_labels(known, held, column.removeprefix("without").strip("_") or "alpha")
    if column in ("repeated", "self_percent", "self_alpha"):
        own = {item: {name: votes[name]} for item, votes in (evidence.repeats or {}).items() if name in votes}
        first = _labels(known, "category")
        found = self_agreement(first, own, "nominal", 1, 0.95, np.random.default_rng(0)).each.get(name)
        figures = {"repeated": 0.0, "self_percent": None, "self_alpha": None}
        if found is not None:
            figures = {"repeated": float(found.pairable), "self_percent": found.percent.point,
                       "self_alpha": found.alpha.point}  # fmt: skip
        lines = [line for line in _own(known) if line.annotator == name and line.content_key in _keys(known, own)]
        return _of_lines("labels of one person on items seen twice", lines, figures[column])
    if column in ("controls", "right"):
        expected = {one.uid: one.expected for one in known.study.assignments() if one.role == "control"}
        last = {
            line.task_uid: line
            for line in _own(known)
            if line.annotator == name
            and line.role == "control"
            and line.status == "judged"
            and expected.get(line.task_uid)
        }
        right = sum(line.label == expected[task] for task, line in last.items())
        again = float(len(last)) if column == "controls" else right / len(last) if last else None
        return _of_lines("controls with a known answer, the last line of each task", list(last.values()), again)
    used = known.all.used
    lines = [
        line
        for line in _own(known)
        if line.annotator == name and line.role not in ("control", "repeat") and not line.repeat
        and line.content_key in used and line.status in ("judged", "skipped")
    ]  # fmt: skip
    label = column.removeprefix("label_")
    hits = [line for line in lines if column == "asked" or (line.status == "skipped" if column == "skipped" else
            line.status == "judged" and line.label == label)]  # fmt: skip
    if column == "asked":
        return _of_lines("tasks answered or skipped", hits, float(len(hits)))
    again = len(hits) / len(lines) if lines else None
    return _of_lines(f"tasks {column.replace('_', ' ')} over the tasks answered or skipped ({len(lines)})", hits, again)


def adjudication(known: Known, row: Row, column: str) -> Entering:
    lines = [line for key, line in known.all.judgements.adjudicated.items() if key in known.all.used]
    chosen = [line for line in lines if row["what"] in ("adjudicated", line.disagreement or "unsaid")]
    again = float(len(chosen)) if column == "items" else len(chosen) / len(lines) if lines else None
    return _of_lines(f"adjudicated items of this sort, of {len(lines)}", chosen, again)


def anchoring(known: Known, row: Row, column: str) -> Entering:
    families = word_families(known.study.concepts.values())
    lines = [
        line
        for key, votes in known.all.judgements.votes.items()
        if key in known.all.used
        for line in votes.values()
        if line.prelabel is not None and row["prelabel"] in ("all", line.prelabel)
    ]
    sides = {side: [one for one in lines if one.prelabel_shown == (side == "shown")] for side in ("shown", "withheld")}
    counted = {
        "judgements_shown": len(sides["shown"]), "judgements_withheld": len(sides["withheld"]),
        "items": len({one.content_key for one in lines}), "annotators": len({one.annotator for one in lines}),
        "clusters": len({families[one.item.intended_concept] for one in lines}),
    }  # fmt: skip
    if column in counted:
        own = sides.get(column.removeprefix("judgements_"), lines)
        return _of_lines(column.replace("_", " "), own, float(counted[column]))
    rates = {
        side: sum(one.label == one.prelabel for one in own) / len(own) if own else None for side, own in sides.items()
    }
    if column in sides:
        return _of_lines(f"judgements that equal the automatic label, {column}", sides[column], rates[column])
    shown, withheld = rates["shown"], rates["withheld"]
    again = None if shown is None or withheld is None else shown - withheld
    return _of_lines("share that equals the automatic label, shown less withheld", lines, again)


def audit(known: Known, row: Row, column: str) -> Entering:
    judged = known.all.judged
    audited = judged.inclusion.audits.keys() & set(known.rows["item_id"].dropna())
    asked, unasked = audited & judged.inclusion.selected, audited & judged.inclusion.unasked
    labels = {item: judged.verdicts[item].label for item in sorted(asked)}
    decided = {item: label for item, label in labels.items() if label is not None}
    wrong = [item for item, label in decided.items() if known.design.taxonomy.category(label).kind != "correct"]
    items = {"asked": asked, "unasked": unasked, "decided": decided, "wrong": wrong, "share": decided}[column]
    listed = _listed(known, {item: {"verdict": str(decided.get(item, ""))} for item in sorted(items)})
    if column != "share":
        return number("items", listed.assign(value=1.0))
    value = listed["items"].map(lambda one: float(one[0] in wrong))
    return quotient("items not called correct over items decided", listed.assign(value=value, total=1.0))


def left_out(known: Known, row: Row, column: str) -> Entering:
    lines = known.all.judgements.passed_over.get(row["what"])
    if lines is not None:
        return _of_lines("lines of annotations.jsonl that are left out for this reason", list(lines), float(len(lines)))
    return Entering(
        "outputs, items or judgements that were read and set aside", pd.DataFrame(columns=TERM), None,
        "a count made while reading; `gainsift export` writes every output and judgement with what became of it",
    )  # fmt: skip


TRACERS: dict[str, Callable[[Known, Row, str], Entering]] = {
    "agreement": whole,
    "agreement_coefficients": coefficients,
    "agreement_parts": parts,
    "agreement_labels": of_label,
    "agreement_pairs": pairs,
    "agreement_confusion": confusion,
    "agreement_annotators": annotators,
    "adjudication": adjudication,
    "anchoring": anchoring,
    "audit": audit,
    "left_out": left_out,
}


# --- labels and lines ------------------------------------------------------------------------------------


def _labels(known: Known, level: str) -> dict[str, Mapping[str, str]]:
    found = known.labels
    return dict(by_kind(found, known.design.taxonomy)) if level == "kind" else found


def _of_labels(
    known: Known, labels: Labels, figure: str, weights: Mapping[str, float] = NOWHERE, weighted: bool = False
) -> Entering:
    """One figure of the agreement on these labels."""
    if figure == "cohen":
        return _again(known, labels, figure, light_kappa(labels, 1, 0.95, np.random.default_rng(0)).point)
    own = {item: weights.get(item, 0.0) for item in labels} if weighted else None
    found = agreement(labels, "nominal", 1, 0.95, np.random.default_rng(0), own)
    counts = {"items": found.items, "pairable": found.pairable, "judgements": found.judgements,
              "annotators": len(found.annotators)}  # fmt: skip
    if figure in counts:
        return _again(known, labels, figure, float(counts[figure]))
    held = found.weighted if weighted else found.coefficients
    return _again(known, labels, figure, held[figure].point, own)


def _again(
    known: Known, labels: Labels, figure: str, again: float | None, weights: Mapping[str, float] | None = None
) -> Entering:
    listed = _listed(known, labels, weights)
    return Entering(COEFFICIENT.format(figure), listed, again, "" if again is not None else "undefined")


def _listed(known: Known, labels: Labels, weights: Mapping[str, float] | None = None) -> pd.DataFrame:
    """A term for each item: its labels, annotator by annotator, and the outputs that give this answer."""
    rows = known.rows[known.rows["item_id"].isin(list(labels))].drop_duplicates("row_id")
    outputs = rows.groupby("item_id")["row_id"].agg(tuple)
    families = rows.drop_duplicates("item_id").set_index("item_id")["family"]
    return pd.DataFrame(
        {
            "group": "",
            "unit": list(labels),
            "cluster": [families.get(item, "") for item in labels],
            "rows": [outputs.get(item, ()) for item in labels],
            "items": [(item,) for item in labels],
            "labels": [tuple(f"{who}: {label}" for who, label in votes.items()) for votes in labels.values()],
            "weight": [1.0 if weights is None else weights[item] for item in labels],
            "value": [float(len(votes)) for votes in labels.values()],
            "total": 0.0,
        },
        columns=TERM,
    )


def _own(known: Known) -> list[Annotation]:
    """The lines of the people, real or simulated, that the study has."""
    source = known.all.judgements.source
    return [one for one in known.study.annotations() if one.study == known.study.id and one.source == source]


def _keys(known: Known, items: Iterable[str]) -> set[str]:
    wanted = set(items)
    return {item.content_key for item in known.all.items if item.item_id in wanted}


def _of_lines(formula: str, lines: list[Annotation], again: float | None) -> Entering:
    """A number of judgements themselves: a term for each."""
    frame = pd.DataFrame(
        {
            "group": "", "unit": [line.judgement_id for line in lines], "cluster": "", "rows": [()] * len(lines),
            "items": [(line.item_id,) for line in lines],
            "labels": [(f"{line.annotator}: {line.label}",) for line in lines],
            "weight": 1.0, "value": 1.0, "total": 0.0,
        },
        columns=TERM,
    )  # fmt: skip
    ids = frozenset(line.judgement_id for line in lines)
    return Entering(formula, frame, again, "" if again is not None else "nothing to divide by", lines=ids)
