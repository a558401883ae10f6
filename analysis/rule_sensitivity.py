"""How far a conclusion depends on a choice, such as the rule that turns judgements into verdicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gainsift.analysis.estimate import Estimate

LEVEL = 5e-4
"""Rates below this are shown as 0.0 points, and count as no change."""


@dataclass(frozen=True)
class Sensitivity:
    """`estimates`: rule -> the figure under it. `conclusions`: rule -> one of CONCLUSIONS.

    `steady`: all rules come to the same conclusion. `spread`: largest minus smallest point; None if fewer than two
    are defined.
    """

    estimates: Mapping[str, Estimate]
    conclusions: Mapping[str, str]
    steady: bool
    spread: float | None
    sentence: str


CONCLUSIONS = {
    "gain": "and its interval lies above 0",
    "loss": "and its interval lies below 0",
    "open": "and its interval holds 0",
    "no interval": "without an interval",
    "undefined": "so nothing can be said",
}


def rule_sensitivity(figure: Callable[[str], Estimate], rules: Sequence[str], main: str, what: str) -> Sensitivity:
    """The same figure under each of `rules`, `main` being that of the report, told in one sentence.

    `figure` gives the estimate under a rule, a rate or a difference of rates; `what` names it, as in `the human gain`.
    Raises ValueError if `main` is not one of the rules.
    """
    if main not in rules:
        raise ValueError(f"{main!r} is not among the rules")
    estimates = {rule: figure(rule) for rule in dict.fromkeys((main, *rules))}
    conclusions = {rule: conclusion(estimate) for rule, estimate in estimates.items()}
    points = [estimate.point for estimate in estimates.values() if estimate.point is not None]
    return Sensitivity(
        estimates,
        conclusions,
        len(set(conclusions.values())) == 1,
        max(points) - min(points) if len(points) > 1 else None,
        _sentence(estimates, conclusions, main, what),
    )


def conclusion(estimate: Estimate) -> str:
    """A key of CONCLUSIONS. An interval that only touches 0 holds it."""
    if estimate.point is None:
        return "undefined"
    if estimate.low is None or estimate.high is None:
        return "no interval"
    return "gain" if estimate.low > 0 else "loss" if estimate.high < 0 else "open"


def _sentence(estimates: Mapping[str, Estimate], conclusions: Mapping[str, str], main: str, what: str) -> str:
    what = what[:1].upper() + what[1:]
    others = [rule for rule in estimates if conclusions[rule] != conclusions[main]]
    agree = [rule for rule in estimates if conclusions[rule] == conclusions[main]]
    if not others:
        return f"{what} {_all_alike(estimates, conclusions[main])}."
    told = [f"under {rule} {_shown(estimates[rule])}{_told(conclusions[rule])}" for rule in others]
    also = f" (and {_listed(agree[1:])})" if agree[1:] else ""
    turned = {"gain", "loss"} <= set(conclusions.values())
    points = {(estimate.point or 0) > 0 for estimate in estimates.values() if abs(estimate.point or 0) >= LEVEL}
    how = "turns with the rule" if turned else "depends on the rule" + (", its sign too" if len(points) > 1 else "")
    return f"{what} {how}: under {main}{also} {_shown(estimates[main])}{_told(conclusions[main])}; {'; '.join(told)}."


def _all_alike(estimates: Mapping[str, Estimate], found: str) -> str:
    many = f"every rule ({_listed(list(estimates))})" if len(estimates) > 1 else next(iter(estimates))
    if found == "undefined":
        return f"is undefined under {many}: {next(iter(estimates.values())).reason}"
    points = {rule: estimate.point or 0.0 for rule, estimate in estimates.items()}
    low, high = min(points, key=points.__getitem__), max(points, key=points.__getitem__)
    if _points(points[low]) == _points(points[high]):
        size = f"is {_points(points[low])} points"
    else:
        size = f"lies between {_points(points[low])} ({low}) and {_points(points[high])} points ({high})"
    told = {
        "gain": f"{size} under {many}, and every interval lies above 0",
        "loss": f"{size} under {many}, and every interval lies below 0",
        "open": f"{size} under {many}, and every interval holds 0",
        "no interval": f"{size} under {many}, without an interval",
    }
    return told[found]


def _told(found: str) -> str:
    return f" {CONCLUSIONS[found]}" if found == "no interval" else f", {CONCLUSIONS[found]}"


def _shown(estimate: Estimate) -> str:
    if estimate.point is None:
        return f"it is undefined ({estimate.reason})"
    limits = ""
    if estimate.low is not None and estimate.high is not None:
        limits = f" [{_points(estimate.low)}, {_points(estimate.high)}]"
    return f"it is {_points(estimate.point)}{limits} points"


def _points(rate: float) -> str:
    if abs(rate) < LEVEL:
        return "0.0"
    return f"{'−' if rate < 0 else '+'}{abs(100 * rate):.1f}"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
