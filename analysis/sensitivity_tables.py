"""The sensitivity table, and the sentence that says how far a conclusion depends on the choices in it."""

from __future__ import annotations

from collections.abc import Sequence

from gainsift.analysis.design import Design
from gainsift.analysis.rule_sensitivity import CONCLUSIONS, conclusion, rule_sensitivity
from gainsift.analysis.sensitivity import FIGURES, MAIN, RULE, Variant
from gainsift.analysis.tables import Column, Table

NAMES = {
    "apparent": "Apparent gain",
    "human": "Human gain",
    "error": "of it from errors",
    "behaviour": "of it from behaviour",
}
TOLD = {"human": "the human gain", "behaviour": "what of it comes from behaviour"}


def sensitivity_table(design: Design, found: Sequence[Variant], recipe: str) -> Table:
    figures = [figure for figure in FIGURES if design.scored or figure != "apparent"]
    return Table(
        "sensitivity",
        "How far the figures depend on choices",
        [Column("contrast", "Contrast"), Column("variant", "Id", printed=False), Column("name", "Reading"),
         *(Column(figure, NAMES[figure], "points", interval=True) for figure in figures),
         Column("units", "Units", "count"), Column("changed", "Conclusion that changes")],
        [
            {"contrast": one.contrast, "variant": one.key, "name": one.name, **one.figures, "units": one.units,
             "changed": ", ".join(NAMES[figure].lower() for figure in one.changed)}
            for one in found
        ],
        ["Each row changes one thing. Errors and behaviour by the kinds of the row, by flow; near and no effect make"
         " up the rest. A conclusion is whether the interval lies above zero, below zero, or holds it. All figures are"
         " divided by the units of the row; intervals are those of the split.",
         *(sentence for name in dict.fromkeys(one.contrast for one in found)
           if (sentence := sensitivity_sentence(found, name))),
         *(rule_sentence(found, name, design.spec.verdict) for name in dict.fromkeys(one.contrast for one in found))],
        recipe,
    )  # fmt: skip


def sensitivity_sentence(found: Sequence[Variant], contrast: str) -> str:
    """`training: over 17 other readings the human gain lies between ...`; empty where nothing was decided."""
    own = [one for one in found if one.contrast == contrast]
    if len(own) < 2 or own[0].figures["human"].point is None:
        return ""
    main, others = own[0], own[1:]
    told = [_about(figure, main, others) for figure in TOLD]
    return f"{contrast}: over {len(others)} other readings {'; '.join(told)}."


def rule_sentence(found: Sequence[Variant], contrast: str, rule: str) -> str:
    """How far the human gain of a contrast depends on the rule for verdicts, `rule` being that of the report."""
    under = {one.key.removeprefix(RULE): one.figures["human"] for one in found
             if one.contrast == contrast and one.key.startswith(RULE)}  # fmt: skip
    under[rule] = next(one.figures["human"] for one in found if one.contrast == contrast and one.key == MAIN)
    return f"{contrast}, by rule: {rule_sensitivity(under.__getitem__, list(under), rule, 'the human gain').sentence}"


def _about(figure: str, main: Variant, others: Sequence[Variant]) -> str:
    known = [one for one in others if one.figures[figure].point is not None]
    if not known:
        return f"{TOLD[figure]} is undefined"
    points = sorted(known, key=lambda one: one.figures[figure].point or 0.0)
    low, high = points[0], points[-1]
    size = f"{TOLD[figure]} ({_points(main, figure)}) lies between {_points(low, figure)} and {_points(high, figure)}"
    turned = [one for one in others if figure in one.changed]
    if not turned:
        return f"{size}, and {_held(main, figure)} in all"
    names = ", ".join(f"“{one.name}”" for one in turned)
    return f"{size}, and {_held(main, figure)} in all but {len(turned)}: {names}"


def _held(main: Variant, figure: str) -> str:
    return "its conclusion (" + CONCLUSIONS[conclusion(main.figures[figure])].removeprefix("and ") + ") stands"


def _points(one: Variant, figure: str) -> str:
    value = 100 * (one.figures[figure].point or 0.0)
    text = f"{abs(value):.1f}"
    return text if float(text) == 0 else ("+" if value > 0 else "−") + text
