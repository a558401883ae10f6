"""The tables of agreement in parts: every coefficient, language pairs, conditions, and each annotator."""

from __future__ import annotations

from typing import Any

from gainsift.analysis.agreement import NAMES, Agreement
from gainsift.analysis.agreement_drift import Drift
from gainsift.analysis.agreement_in_parts import AgreementInParts
from gainsift.analysis.design import Design
from gainsift.analysis.estimate import Estimate, undefined
from gainsift.analysis.evidence import Controls
from gainsift.analysis.tables import Column, Kind, Table
from gainsift.schemas.config import AnalysisSpec

ITEMS = "Over distinct items, each counted once; `by outputs`: each as often as the outputs that it stands for."
PATHS = "Level path: categories are the nearer the more they share of kind, bucket and category, in this order."
DRIFT = "Drift: the figure at the last condition of a series less that at the first; both ends are resampled together."
OTHERS = ("fleiss", "s", "ac1")
"""Coefficients of parts that stand in csv and JSON alone. Of two annotators Fleiss' kappa is Scott's pi."""
MEAN_COHEN = "Cohen's kappa, mean of pairs"
GAPS = "Answers such as `unsure` are gaps."


def resampled(spec: AnalysisSpec) -> str:
    """The note of a table whose intervals resample items."""
    how = f"percentile bootstrap, {spec.bootstrap:,} resamples of items judged twice or more"
    return f"{100 * spec.confidence:g} % intervals: {how}."


APART = "Hidden repeats and controls enter no other table. Controls: Clopper-Pearson."
NO_CONTROLS = undefined("no control with a known answer was judged")
UNREPEATED = undefined("no item came twice with two usable labels")
_REPEATS = [
    Column("repeated", "Seen twice", "count"),
    Column("self_percent", "Same answer again, %", "percent", interval=True),
    Column("self_alpha", "α with oneself", "coefficient", interval=True),
]
_CONTROLS = [Column("controls", "Controls", "count"), Column("right", "Controls right, %", "rate", interval=True)]


def coefficient_columns(before: str = "", after: str = "") -> list[Column]:
    """Of per cent, OTHERS and Cohen's kappa, for csv and JSON."""
    kinds: list[tuple[str, Kind]] = [("percent", "percent"), *((name, "coefficient") for name in (*OTHERS, "cohen"))]
    heads = {**NAMES, "cohen": MEAN_COHEN}
    return [Column(f"{before}{key}", heads[key] + after, kind, interval=True, printed=False) for key, kind in kinds]


def part_tables(design: Design, found: AgreementInParts, recipe: str) -> list[Table]:
    spec = design.spec
    return [_coefficients(found, recipe, spec), _parts(found, recipe, spec), _annotators(design, found, recipe)]


def _coefficients(found: AgreementInParts, recipe: str, spec: AnalysisSpec) -> Table:
    return Table(
        "agreement_coefficients",
        "Every coefficient of agreement",
        [Column("level", "Level"), Column("coefficient", "Id", printed=False), Column("name", "Coefficient"),
         Column("value", "Items", "coefficient", interval=True),
         Column("weighted", "By outputs", "coefficient", interval=True)],
        [
            {"level": level, "coefficient": key, "name": NAMES[key], "value": value,
             "weighted": whole.weighted.get(key)}
            for level, whole in (("category", found.by_category), ("kind", found.by_kind))
            for key, value in whole.coefficients.items()
        ]
        + [
            {"level": level, "coefficient": "cohen", "name": MEAN_COHEN, "value": value, "weighted": None}
            for level, value in zip(("category", "kind"), found.cohen["all", "All"], strict=True)
        ]
        + [
            {"level": "path", "coefficient": key, "name": NAMES[key], "value": value, "weighted": None}
            for key, value in found.by_path.items()
        ],
        [ITEMS, PATHS, resampled(spec), GAPS, _size(found), "Per cent runs from 0 to 100, the others to 1."],
        recipe,
    )  # fmt: skip


def _size(found: AgreementInParts) -> str:
    whole = found.by_category
    return f"n = {whole.pairable:,} items judged twice or more of {whole.items:,}, {len(whole.annotators)} annotators."


def _parts(found: AgreementInParts, recipe: str, spec: AnalysisSpec) -> Table:
    def row(what: str, name: str, both: tuple[Agreement, Agreement]) -> dict[str, Any]:
        by_category, by_kind = both
        cohen = found.cohen[what, name]
        return {
            "what": what,
            "name": name,
            "alpha": by_category.alpha,
            "weighted": by_category.weighted.get("alpha"),
            "alpha_kind": by_kind.alpha,
            "percent": by_category.percent,
            "items": by_category.items,
            "pairable": by_category.pairable,
            **{name: by_category.coefficients[name] for name in OTHERS},
            **{f"{name}_kind": by_kind.coefficients[name] for name in OTHERS},
            "cohen": cohen[0],
            "cohen_kind": cohen[1],
        }

    def drifted(both: tuple[Drift, Drift]) -> dict[str, Any]:
        by_category, by_kind = both
        return {
            **dict.fromkeys(
                ["weighted", "items", "pairable", *(f"{one}{of}" for one in (*OTHERS, "cohen") for of in ("", "_kind"))]
            ),
            "what": "drift",
            "name": f"{by_category.first} to {by_category.last}",
            "alpha": by_category.alpha,
            "alpha_kind": by_kind.alpha,
            "percent": by_category.percent,
        }

    whole = row("all", "All", (found.by_category, found.by_kind))
    return Table(
        "agreement_parts",
        "Agreement by language pair and by condition" if found.language_pairs else "Agreement by condition",
        [Column("what", "Part"), Column("name", "Which"), Column("alpha", "α", "coefficient", interval=True),
         Column("weighted", "α, by outputs", "coefficient", interval=True),
         Column("alpha_kind", "α of kinds", "coefficient", interval=True),
         Column("percent", "Agreeing pairs, %", "percent", interval=True), Column("items", "Items", "count"),
         Column("pairable", "Judged twice or more", "count"),
         *(Column(f"{name}{of}", NAMES[name] + told, "coefficient", interval=True, printed=False)
           for of, told in (("", ""), ("_kind", ", kinds")) for name in OTHERS),
         *(Column(f"cohen{of}", MEAN_COHEN + told, "coefficient", interval=True, printed=False)
           for of, told in (("", ""), ("_kind", ", kinds")))],
        [whole, *(row("language pair", name, both) for name, both in found.language_pairs.items()),
         *(row("condition", name, both) for name, both in found.conditions.items()),
         *(drifted(both) for both in found.drifts.values())],
        [ITEMS, "At a condition: the distinct items that occur there. " + DRIFT, resampled(spec), GAPS],
        recipe,
    )  # fmt: skip


def _oneself(own: Agreement | None) -> dict[str, Any]:
    return {
        "repeated": own.pairable if own else 0,
        "self_percent": own.percent if own else UNREPEATED,
        "self_alpha": own.alpha if own else UNREPEATED,
    }


def _controlled(controls: Controls | None) -> dict[str, Any]:
    return {
        "controls": controls.judged if controls else 0,
        "right": controls.right if controls else NO_CONTROLS,
    }


def _annotators(design: Design, found: AgreementInParts, recipe: str) -> Table:
    missing = design.taxonomy.missing

    def row(name: str) -> dict[str, Any]:
        answers, controls = found.answers[name], (found.controls or {}).get(name)
        own = found.themselves.each.get(name) if found.themselves else None
        return {
            "annotator": name,
            "asked": answers.asked,
            "skipped": Estimate(answers.skipped / answers.asked),
            **{f"label_{c.id}": Estimate(answers.missing[c.id] / answers.asked) for c in missing},
            "without": found.without.get(name),
            **{
                f"without_{key}": found.without_all[name][key] if name in found.without_all else None
                for key in ("percent", *OTHERS, "cohen")
            },
            **(_oneself(own) if found.themselves else {}),
            **(_controlled(controls) if found.controls is not None else {}),
        }

    return Table(
        "agreement_annotators",
        "Each annotator",
        [Column("annotator", "Annotator"), Column("asked", "Tasks answered or skipped", "count"),
         Column("skipped", "Skipped, %", "rate"),
         *(Column(f"label_{c.id}", f"{c.label}, %", "rate") for c in missing),
         Column("without", "α of the others", "coefficient", interval=True),
         *coefficient_columns("without_", " of the others"),
         *(_REPEATS if found.themselves else []), *(_CONTROLS if found.controls is not None else [])],
        [row(name) for name in found.answers],
        ["Where α of the others is higher than that of all, the annotator disagrees more than the rest do. Per cent: of"
         " the tasks answered or skipped" + (", of the items seen twice, of the controls." if found.controls is not None
         else "."), resampled(design.spec), GAPS,
         *([] if found.controls is None else [APART])],
        recipe,
    )  # fmt: skip
