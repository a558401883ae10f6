"""What the study found, in plain words and as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gainsift.analysis.design import Design
from gainsift.analysis.estimate import Estimate
from gainsift.analysis.precision_tables import precision_in_short
from gainsift.analysis.result_tables import bucket_name
from gainsift.analysis.tables import MARK, Column, display, plain
from gainsift.analysis.wording import counted
from gainsift.schemas.study import Study

if TYPE_CHECKING:
    from gainsift.analysis.contrast_results import ContrastResult
    from gainsift.analysis.findings import Findings
    from gainsift.analysis.results import Results
    from gainsift.analysis.split import Split

SUMMARY_FORMAT = "summary/1"
COEFFICIENT = Column("alpha", "α", "coefficient", interval=True)


def contrast_sentence(design: Design, result: ContrastResult) -> str:
    """`Of +31.0 points of apparent gain, 18.2 [12.9, 23.4] are ability, …`: the flow split, in table order.

    A loss is told as a loss: its parts are shares of it, with their signs turned, so that they add up to it. Parts
    that round to nothing are left out. Without automatic scores it is the human gain that is split.
    """
    split = result.split
    whole = "apparent" if design.scored else "human"
    if not result.units.size:
        return "No unit is present in both conditions: the split is undefined."
    gain = split.parts[whole].point or 0.0
    shown = _number(gain, plus=True)
    if not split.decided and not design.scored:
        return f"None of {counted(result.units.size, 'unit')} has two usable verdicts: the split is undefined."
    if not split.decided:
        return (
            f"The apparent gain is {shown} points over {counted(split.units, 'unit')}, but none of them has two usable"
            " verdicts: the split is undefined."
        )
    level = _number(gain) == "0.0"
    parts = _told(design, split, turned=gain < 0 and not level)
    if not parts:
        return f"The {whole} gain is {shown} points, and no part of it is more than 0.0."
    text = _listed(parts)
    if level:
        return f"The {whole} gain is {shown} points: {text}."
    return f"Of {shown} points of {whole} gain, {text}." if gain > 0 else (
        f"Of {_number(-gain)} points of {whole} loss, {text}."
    )  # fmt: skip


def _told(design: Design, split: Split, turned: bool) -> list[str]:
    """The parts that are not zero, each with its figure: `18.2 [12.9, 23.4] are ability`, `7.9 [2.0, 9.9] copying`."""
    told: list[str] = []
    named = [(bucket_name(design.taxonomy, bucket).lower(), part) for bucket, part in split.flow_buckets.items()]
    if design.scored:
        named.append(("undeserved credit", split.parts["undeserved"]))
    for name, part in named:
        if figure := _points(part, turned):
            told.append(f"{figure} {'' if told else 'are '}{name}")
    if not design.scored:
        return told
    missed = split.parts["missed"]
    if figure := _points(missed, turned):  # the part is minus the change: below zero, more are missed than before
        more = "more" if (missed.point or 0) < 0 else "fewer"
        told.append(f"{figure} come about because the word list misses {more} right answers than before")
    if figure := _points(split.parts["undecided"], turned):
        told.append(f"{figure} lie in units without two usable verdicts")
    return told


def chance_sentence(design: Design, result: ContrastResult) -> str:
    """Which buckets stand out from chance, by their corrected p; empty if no bucket could be tested."""
    tested = [one for one in result.tests if one.what == "bucket" and one.adjusted is not None]
    limit = round(1 - design.spec.confidence, 9)  # no 0.05000000000000004
    names = {one.part: bucket_name(design.taxonomy, one.part).lower() for one in tested}
    sure = [f"{names[one.part]} ({_chance(one.adjusted)})" for one in tested if (one.adjusted or 0.0) < limit]
    unsure = [names[one.part] for one in tested if (one.adjusted or 0.0) >= limit]
    if not tested:
        return ""
    if not sure:
        return f"Nothing stands out from chance: {_listed(unsure)} may each have come about by it."
    told = f"Beyond chance: {_listed(sure)}"
    return f"{told}." if not unsure else f"{told}; not so {_listed(unsure)}."


def _chance(p: float | None) -> str:
    shown = display(Column("p", "p", "p"), p)
    return (f"p {shown}" if shown.startswith("<") else f"p = {shown}").replace(" ", "\u00a0")


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def agreement_sentence(results: Findings) -> str:
    """How far the annotators agree, or why that is undefined."""
    found = results.agreement
    alpha = found.alpha
    who = counted(len(found.annotators), ("simulated " if results.simulated else "") + "annotator")
    counts = f"{who}, {counted(found.items, 'item')}, {counted(found.judgements, 'judgement')}"
    if alpha.point is None:
        return f"Agreement is undefined: {alpha.reason} ({counts})."
    return f"Krippendorff's α is {coefficient(alpha)} ({counts})."


def coefficient(alpha: Estimate) -> str:
    """`0.812 [0.750, 0.868]`, where no note stands beneath that would explain a mark."""
    return display(COEFFICIENT, alpha).removesuffix(MARK)


def anchoring_sentence(results: Results) -> str:
    """What showing automatic labels did; empty if none was shown."""
    if not results.anchoring:
        return ""
    found = results.anchoring[0]
    gap = found.difference
    text = (
        f"Where the automatic label was shown, {_percent(found.shown)} of"
        f" {counted(found.judgements_shown, 'judgement')} equal it"
    )
    if gap.point is None:
        return text + "; it was withheld on no page that they could be compared with."
    text += f"; where it was withheld, {_percent(found.withheld)} of {found.judgements_withheld}"
    text += f": a difference of {_number(gap.point, plus=True)}{_limits(gap)} points"
    if gap.low is None or gap.high is None:
        return text + ", too few to tell from chance."
    if gap.low <= 0 <= gap.high:
        return text + ", which may be chance."
    return text + (": people follow the label that they see." if gap.low > 0 else ": people avoid the label they see.")


def audit_sentence(results: Results) -> str:
    """How often an answer that equals the reference is not right; empty if there was no audit."""
    found = results.audit
    if found is None:
        return ""
    if found.share.point is None:
        told = f"None of {counted(found.asked, 'audited answer')} that equal the reference has a usable verdict"
    else:
        told = (
            f"Of {counted(found.decided, 'audited answer')} that equal the reference, people reject {found.wrong}"
            f" ({_percent(found.share)}{_limits(found.share)})"
        )
    return f"{told}. Not asked about, and so unjudged: {found.unasked}."


def _percent(share: Estimate) -> str:
    return f"{_number(share.point or 0.0)} %"


def _limits(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return ""
    return f" [{_number(estimate.low)}, {_number(estimate.high)}]"


def summary(study: Study, results: Results) -> dict[str, Any]:
    """summary.json: the figures of the first page for programs; rates, not points."""
    return {
        "format": SUMMARY_FORMAT,
        "study": study.config.name,
        **of_findings(results, _of_judgements(results)),
    }


def of_findings(results: Findings, further: Mapping[str, Any]) -> dict[str, Any]:
    """What holds of any input; `further` stands before the contrasts."""
    return {
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
        **further,
        "contrasts": [_contrast(results.design, result) for result in results.contrasts],
        "left_out": dict(sorted(results.left_out.items())),
    }


def _of_judgements(results: Results) -> dict[str, Any]:
    """Adjudication, anchoring, audit and noise of precision, where there is anything."""
    found: dict[str, Any] = {}
    if results.adjudicated:
        found["adjudication"] = dict(sorted(results.adjudicated.items()))
    if results.anchoring:
        whole = {name: plain(value) for name, value in vars(results.anchoring[0]).items() if name != "prelabel"}
        found["anchoring"] = {**whole, "sentence": anchoring_sentence(results)}
    if results.audit:
        whole = {name: plain(value) for name, value in vars(results.audit).items()}
        found["audit"] = {**whole, "sentence": audit_sentence(results)}
    return found | precision_in_short(results.precision)


def _contrast(design: Design, result: ContrastResult) -> dict[str, Any]:
    def plainly(estimates: dict[str, Estimate]) -> dict[str, Any]:
        return {key: plain(value) for key, value in estimates.items()}

    split = result.split
    return {
        "name": result.contrast.name,
        "conditions": result.contrast.where,
        "sentence": contrast_sentence(design, result),
        "beyond_chance": chance_sentence(design, result),
        "units": result.units.size,
        "decided": split.decided,
        "clusters": split.clusters,
        "parts": plainly({k: v for k, v in split.parts.items() if design.scored or k.startswith("human")}),
        "flow": plainly(split.flow_buckets),
        "share": plainly(split.share_buckets),
        **({"without_identical": plainly(result.without_identical.parts)} if result.without_identical else {}),
        "signature": result.signature,
    }


def _points(estimate: Estimate, turned: bool) -> str:
    """In points with the interval, the sign turned for a loss; nothing if it rounds to zero."""
    sign = -1 if turned else 1
    shown = _number(sign * (estimate.point or 0.0))
    if shown == "0.0" or estimate.low is None or estimate.high is None:
        return "" if shown == "0.0" else shown
    low, high = sorted((sign * estimate.low, sign * estimate.high))
    return f"{shown} [{_number(low)}, {_number(high)}]"


def _number(rate: float, plus: bool = False) -> str:
    text = f"{abs(100 * rate):.1f}"
    if float(text) == 0:
        return text
    return ("−" if rate < 0 else "+" if plus else "") + text
