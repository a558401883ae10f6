"""The JSON of `gainsift agreement`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gainsift.analysis.agreement import Agreement
from gainsift.analysis.estimate import Estimate
from gainsift.analysis.patterns import PERCENTILE
from gainsift.analysis.tables import plain
from gainsift.cli.agreement_output import Measured


def as_data(found: Measured) -> dict[str, Any]:
    """The JSON: counts, `percent` from 0 to 100, null where a figure is undefined; then what else was asked for."""
    whole = found.whole
    data: dict[str, Any] = {
        **found.counts,
        "alpha": {"point": whole.alpha.point, "low": whole.alpha.low, "high": whole.alpha.high},
        "percent": whole.percent.point,
        "pairwise": [
            {"a": pair.a, "b": pair.b, "n": pair.n, "cohen_kappa": pair.cohen_kappa.point,
             "low": pair.cohen_kappa.low, "high": pair.cohen_kappa.high}
            for pair in whole.pairwise
        ],
        "per_label": {
            one.label: {
                "alpha": one.alpha.point,
                "low": one.alpha.low,
                "high": one.alpha.high,
                "support": one.support,
            }
            for one in whole.per_label
        },
        "intervals": PERCENTILE,
        "gaps": {"of": found.asked, **found.gaps},
        "signature": found.recipe,
    }  # fmt: skip
    if found.kinds is not None and found.paths is not None:
        data["kinds"] = _of_table(found.kinds)
        data["paths"] = _estimates(found.paths)
    if found.every:
        data["coefficients"] = _estimates(whole.coefficients)
        data["pairs"] = [
            {"a": pair.a, "b": pair.b, "n": pair.n, "coefficients": _estimates(pair.coefficients),
             "confusion": pair.confusion.tolist()}
            for pair in whole.pairwise
        ]  # fmt: skip
        data["label_order"] = whole.labels
        data["confusion"] = {a: {b: whole.confusion[a, b] for b in whole.labels} for a in whole.labels}
    if found.without is not None:
        data["without"] = _estimates(found.without)
    if whole.weighted:
        data["weighted"] = _estimates(whole.weighted)
    if found.conditions is not None:
        data["conditions"] = {name: _of_table(one) for name, one in found.conditions.items()}
    if found.drift is not None:
        change = {"alpha": found.drift.alpha, "percent": found.drift.percent}
        data["drift"] = {"first": found.drift.first, "last": found.drift.last, **_estimates(change)}
    if found.themselves is not None:
        data["self_agreement"] = {
            "together": _of_table(found.themselves.together),
            "annotators": {name: _of_table(one) for name, one in found.themselves.each.items()},
        }
    return data


def _estimates(values: Mapping[str, Estimate]) -> dict[str, Any]:
    return {name: plain(value) for name, value in values.items()}


def _of_table(one: Agreement) -> dict[str, Any]:
    return {
        "items": one.items,
        "pairable": one.pairable,
        "judgements": one.judgements,
        "coefficients": _estimates(one.coefficients),
        **({"weighted": _estimates(one.weighted)} if one.weighted else {}),
    }
