"""The table of a chain of checkpoints: a row for each step, their sum, and the whole way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from gainsift.analysis.chains import Chain
from gainsift.analysis.design import Design
from gainsift.analysis.estimate import Estimate, undefined
from gainsift.analysis.intervals import told
from gainsift.analysis.result_tables import PARTS, bucket_name
from gainsift.analysis.split import ADDENDS, UNDECIDED, Split
from gainsift.analysis.tables import Column, Table, display
from gainsift.analysis.wording import counted

Way = Literal["share", "flow"]
WAYS: dict[Way, str] = {"share": "share split", "flow": "flow split"}
_P = Column("p", "p", "p")
SUM, WHOLE = "Sum of the steps", "First to last"


def chain_table(design: Design, chains: Sequence[Chain], recipe: str) -> Table:
    """Every chain by both splits; buckets that occur nowhere beyond those of the taxonomy have no column."""
    splits = [found for chain in chains for _, found in [*chain.steps, ("", chain.whole)]]
    buckets = list(dict.fromkeys(bucket for found in splits for bucket in found.share_buckets))
    parts = ("apparent", *ADDENDS) if design.scored else ("human",)
    columns = [
        Column("chain", "Chain"),
        Column("way", "Split"),
        Column("step", "Step"),
        *(Column(part, PARTS[part], "points", interval=True) for part in parts),
        *(
            Column(f"bucket_{bucket}", bucket_name(design.taxonomy, bucket), "points", interval=True)
            for bucket in buckets
        ),
        Column("units", "Units", "count"),
        Column("decided", "Decided", "count"),
    ]
    rows = [row for chain in chains for way in WAYS for row in _rows(chain, way, buckets)]
    left = [
        f"{chain.series.name or 'all'}: {counted(chain.partial, 'unit')} not in the sample at every {design.noun}, and"
        " left out."
        for chain in chains
        if chain.partial
    ]
    notes = [
        f"Units that are there at every {design.noun}; one that lacks a usable verdict anywhere is undecided"
        " throughout."
        " The share split adds up bucket by bucket; the flow split adds up in the human gain alone, for units also move"
        " between categories that are not correct. Every figure is divided by the units of its chain.",
        told(design.spec, design.clusters),
        *left,
        *(f"{chain.series.name or 'all'}: {_cochran(chain, design.noun)}" for chain in chains),
    ]
    return Table("chain", f"From {design.noun} to {design.noun}", columns, rows, notes, recipe)


def _cochran(chain: Chain, noun: str) -> str:
    """The classic test of the whole chain in words."""
    test = chain.called_correct
    what = f"{test.method}, called correct equally often at all {len(chain.series.conditions)} {noun}s"
    if test.p is None:
        found = f"undefined ({test.reason})"
    else:
        p = display(_P, test.p)
        found = f"Q = {test.statistic:.2f}, df {test.df[0]:g}, p {p if p.startswith('<') else '= ' + p}"
    return f"{what}: {found}; {'; '.join(part for part in (test.warning, test.note) if part)}."


def _rows(chain: Chain, way: Way, buckets: Sequence[str]) -> list[dict[str, Any]]:
    place = {"chain": chain.series.name or "all", "way": WAYS[way]}
    told = [
        (f"{link.a.checkpoint} → {link.b.checkpoint}", _figures(found, way, buckets)) for link, found in chain.steps
    ]
    added = {key: _added([figures[key] for _, figures in told]) for key in told[0][1]}
    sizes = {"units": chain.whole.units, "decided": chain.whole.decided}
    whole = _figures(chain.whole, way, buckets)
    return [{**place, "step": name, **figures, **sizes} for name, figures in [*told, (SUM, added), (WHOLE, whole)]]


def _figures(found: Split, way: Way, buckets: Sequence[str]) -> dict[str, Estimate]:
    of_buckets = found.share_buckets if way == "share" else found.flow_buckets
    none = Estimate(0.0) if found.decided else undefined(UNDECIDED)
    return {
        **{part: found.parts[part] for part in ("apparent", *ADDENDS)},
        **{f"bucket_{bucket}": of_buckets.get(bucket, none) for bucket in buckets},
    }


def _added(estimates: Sequence[Estimate]) -> Estimate:
    points = [one.point for one in estimates if one.point is not None]
    return Estimate(sum(points)) if len(points) == len(estimates) else undefined(UNDECIDED)
