"""What the study found, in plain words and as plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gainsift.analysis.estimate import Estimate
from gainsift.analysis.result_tables import bucket_name, describe
from gainsift.analysis.tables import plain
from gainsift.schemas.study import Study

if TYPE_CHECKING:
    from gainsift.analysis.results import ContrastResult, Results

SUMMARY_FORMAT = "summary/1"


def contrast_sentence(study: Study, result: ContrastResult) -> str:
    """`Of +31.0 points of apparent gain, 18.2 [12.9, 23.4] are ability, …`: the flow split, in table order."""
    split = result.split
    if not split.units:
        return "No unit is present in both conditions: the split is undefined."
    gain = _points(split.parts["apparent"], signed=True)
    if not split.decided:
        return (
            f"The apparent gain is {gain} points over {split.units} units, but none of them has two usable verdicts:"
            " the split is undefined."
        )
    named = [(bucket_name(study, bucket).lower(), part) for bucket, part in split.flow_buckets.items()]
    named += [
        ("undeserved credit", split.parts["undeserved"]),
        ("right answers that the word list misses", split.parts["missed"]),
        ("units without two usable verdicts", split.parts["undecided"]),
    ]
    parts = [(name, _points(part)) for name, part in named if part.point]
    if not parts:
        return f"The apparent gain is {gain} points, and no unit changed."
    name, figure = parts[0]
    listed = [f"{figure} are {name}", *(f"{figure} {name}" for name, figure in parts[1:])]
    text = listed[0] if len(listed) == 1 else ", ".join(listed[:-1]) + " and " + listed[-1]
    return f"Of {gain} points of apparent gain, {text}."


def agreement_sentence(results: Results) -> str:
    """How far the annotators agree, or why that is undefined."""
    found = results.agreement
    alpha = found.alpha
    who = f"{len(found.annotators)} {'simulated ' if results.simulated else ''}annotator"
    who += "" if len(found.annotators) == 1 else "s"
    counts = f"{who}, {found.items} items, {found.judgements} judgements"
    if alpha.point is None:
        return f"Agreement is undefined: {alpha.reason} ({counts})."
    limits = f" [{alpha.low:.3f}, {alpha.high:.3f}]" if alpha.low is not None and alpha.high is not None else ""
    return f"Krippendorff's α is {alpha.point:.3f}{limits} ({counts})."


def summary(study: Study, results: Results) -> dict[str, Any]:
    """summary.json: the figures of the first page for programs; rates, not points."""
    return {
        "format": SUMMARY_FORMAT,
        "study": study.config.name,
        "annotators": "simulated" if results.simulated else "human",
        "agreement": {
            "alpha": plain(results.agreement.alpha),
            "alpha_kind": plain(results.agreement_kind.alpha),
            "percent": plain(results.agreement.percent),
            "items": results.agreement.items,
            "judgements": results.agreement.judgements,
            "annotators": results.agreement.annotators,
            "signature": results.signature,
        },
        "contrasts": [_contrast(study, result) for result in results.contrasts],
        "left_out": dict(sorted(results.left_out.items())),
    }


def _contrast(study: Study, result: ContrastResult) -> dict[str, Any]:
    def plainly(estimates: dict[str, Estimate]) -> dict[str, Any]:
        return {key: plain(value) for key, value in estimates.items()}

    split = result.split
    return {
        "name": result.contrast.name,
        "conditions": describe(study, result.contrast),
        "sentence": contrast_sentence(study, result),
        "units": split.units,
        "decided": split.decided,
        "clusters": split.clusters,
        "parts": plainly(split.parts),
        "flow": plainly(split.flow_buckets),
        "share": plainly(split.share_buckets),
        "without_identical": plainly(result.without_identical.parts),
        "signature": result.signature,
    }


def _points(estimate: Estimate, signed: bool = False) -> str:
    """In points, with the interval unless the sign is asked for."""
    shown = _number(estimate.point or 0.0, plus=signed)
    if signed or estimate.low is None or estimate.high is None:
        return shown
    return f"{shown} [{_number(estimate.low)}, {_number(estimate.high)}]"


def _number(rate: float, plus: bool = False) -> str:
    text = f"{abs(100 * rate):.1f}"
    if float(text) == 0:
        return text
    return ("−" if rate < 0 else "+" if plus else "") + text
