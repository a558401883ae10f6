"""What emerges, with bands by concept clusters over checkpoints: for all outputs and for groups of language pairs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gainsift.analysis.emergence_rows import Rows, read_rows
from gainsift.analysis.emergence_sums import AREA, OTHER, Layers, Quantity, Sums, last_reaches, layers_of, sums_of
from gainsift.analysis.estimate import Array, divide, generator
from gainsift.analysis.simultaneous import Band, ClusterBands
from gainsift.schemas.config import StudyConfig
from gainsift.schemas.study import Study

Group = tuple[str, str]
"""By what (all, trained, input, output, pair) and which."""
ALL: Group = ("all", "all pairs")
BOTH_TRAINED: Group = ("trained", "both languages trained")
BY = {
    "all": "All",
    "trained": "Training",
    "input": "Input language",
    "output": "Output language",
    "pair": "Language pair",
}


@dataclass(frozen=True)
class Outputs:
    """All outputs of a study and their sums. `present`: places of checkpoints with outputs; `groups`: which pairs."""

    study: Study
    rows: Rows
    layers: Layers
    sums: Sums
    present: list[int]
    groups: dict[Group, npt.NDArray[np.bool_]]

    def quantities(self, measure: str, area: bool, effects: bool) -> list[Quantity]:
        """Those of one measure: series or differences, at the fixed layer (and unpatched) or over the area."""
        return [
            quantity
            for quantity in self.sums.quantities
            if quantity.measure == measure
            and (quantity.place[2] == AREA) == area
            and (quantity.minus is not None) == effects
        ]


@dataclass(frozen=True)
class Findings(Outputs):
    """Each Band has one point for each checkpoint of `present`.

    `sizes`: units and clusters of each point; `clusters`, `units`: of each group, over all checkpoints. `between`: a
    group's mean minus that of all other language pairs.
    """

    bands: dict[tuple[Group, Quantity], Band]
    sizes: dict[tuple[Group, Quantity], list[dict[str, int]]]
    clusters: dict[Group, int]
    units: dict[Group, int]
    between: dict[tuple[Group, Quantity], Band]

    def band(self, quantity: Quantity, group: Group = ALL) -> Band | None:
        return self.bands.get((group, quantity))


def find(study: Study, progress: Callable[[str], None] = lambda step: None) -> Findings:
    """Read the outputs once and bootstrap their cluster sums. Raises UserError where there are no outputs."""
    outputs = outputs_in_groups(study, progress)
    rows, sums, present, groups = outputs.rows, outputs.sums, outputs.present, outputs.groups
    bands: dict[tuple[Group, Quantity], Band] = {}
    sizes: dict[tuple[Group, Quantity], list[dict[str, int]]] = {}
    clusters: dict[Group, int] = {}
    units: dict[Group, int] = {}
    for group, members in groups.items():
        progress(f"bands of {group[1]}")
        held = members[rows.unit_pair]
        units[group] = int(held.sum())
        found = np.unique(rows.concept_cluster[rows.unit_concept[held]])
        clusters[group] = len(found)
        spec = study.config.analysis
        bootstrap = ClusterBands.of(len(found), spec.bootstrap, spec.confidence, generator(spec.seed, *group))
        chosen = np.ix_(np.array(present), np.flatnonzero(members), found)
        numerators, denominators = (part[chosen].sum(1) for part in (sums.numerators, sums.denominators))  # [T, C, Q]
        held_by = denominators.any((0, 1))
        wanted = [q for q, column in sums.quantities.items() if _wanted(group, q) and held_by[column]]
        columns = [sums.quantities[quantity] for quantity in wanted]
        above, below = (part[:, :, columns].transpose(1, 2, 0) for part in (numerators, denominators))  # [C, Q, T]
        found_bands = bootstrap.bands(above, below, np.array([quantity.least for quantity in wanted]))
        bands |= {(group, quantity): band for quantity, band in zip(wanted, found_bands, strict=True)}
        for number, quantity in enumerate(wanted):
            counts = below[:, number]
            sizes[group, quantity] = [
                {"units": int(total), "clusters": int(filled)}
                for total, filled in zip(counts.sum(0), (counts > 0).sum(0), strict=True)
            ]
    progress("bands between languages")
    between = _between(study.config, sums, present, groups)
    return Findings(**vars(outputs), bands=bands, sizes=sizes, clusters=clusters, units=units, between=between)


def outputs_in_groups(study: Study, progress: Callable[[str], None] = lambda step: None) -> Outputs:
    """Read the outputs once and add them up. Raises UserError where there are none."""
    rows = read_rows(study, progress)
    layers = layers_of(study.config, rows.layers, last_reaches(rows))
    progress("sums by concept cluster")
    sums = sums_of(rows, layers)
    present = [number for number in range(len(rows.checkpoints)) if sums.counts[number].any()]
    seen = np.bincount(rows.unit_pair, minlength=len(rows.pairs)) > 0
    return Outputs(study, rows, layers, sums, present, groups_of(study.config, rows.pairs, seen))


def _between(
    config: StudyConfig, sums: Sums, present: list[int], groups: dict[Group, npt.NDArray[np.bool_]]
) -> dict[tuple[Group, Quantity], Band]:
    """Each group against all other pairs, in the source concept's mass at the fixed layer and unpatched.

    Two sorts of training are one difference, which stands at the first of them.
    """
    wanted = [q for q in sums.quantities if q.measure == "p_source" and q.place[2] != AREA]
    columns = [sums.quantities[quantity] for quantity in wanted]
    found: dict[tuple[Group, Quantity], Band] = {}
    for group, members in groups.items():
        if group == ALL or group[0] == "pair" or (group[0] == "trained" and group != BOTH_TRAINED):
            continue
        inside, outside = (_of_pairs(sums, present, columns, pairs) for pairs in (members, groups[ALL] & ~members))
        numerators, denominators = pseudo_values(*inside, *outside)  # [T, C, Q]
        held = denominators.any((0, 2))
        spec = config.analysis
        rng = generator(spec.seed, "between", *group)
        bootstrap = ClusterBands.of(int(held.sum()), spec.bootstrap, spec.confidence, rng)
        above, below = (part[:, held].transpose(1, 2, 0) for part in (numerators, denominators))  # [C, Q, T]
        bands = bootstrap.bands(above, below, np.full(len(wanted), -1.0))
        found |= {(group, quantity): band for quantity, band in zip(wanted, bands, strict=True)}
    return found


def _of_pairs(sums: Sums, present: list[int], columns: list[int], pairs: npt.NDArray[np.bool_]) -> tuple[Array, Array]:
    """Cluster sums and numbers of units of some language pairs together: two [T, C, Q]."""
    chosen = np.ix_(np.array(present), np.flatnonzero(pairs), np.arange(sums.numerators.shape[2]), np.array(columns))
    return sums.numerators[chosen].sum(1), sums.denominators[chosen].sum(1)


def pseudo_values(n1: Array, d1: Array, n2: Array, d2: Array) -> tuple[Array, Array]:
    """What each cluster says of the difference of two ratios of sums, [T, C, Q] as numerators over denominators.

    Of n clusters in either, one with sums n1, d1, n2, d2 has r1 - r2 + n ((n1 - r1 d1) / D1 - (n2 - r2 d2) / D2), the
    linearised difference: their mean is the difference itself, and they move it as the clusters do. Nothing where one
    of the two is empty.
    """
    (r1, total1), (r2, total2) = (
        (divide(n.sum(1), d.sum(1))[:, None], d.sum(1)[:, None]) for n, d in ((n1, d1), (n2, d2))
    )
    held = (d1 != 0) | (d2 != 0)
    pull = divide(n1 - r1 * d1, total1) - divide(n2 - r2 * d2, total2)
    known = held & np.isfinite(r1 - r2)
    values = np.where(known, r1 - r2 + known.sum(1, keepdims=True) * pull, 0.0)
    return values, known.astype(float)


def _wanted(group: Group, quantity: Quantity) -> bool:
    """Everything for all pairs; for their groups success and mass at the fixed layer."""
    if group == ALL:
        return not quantity.measure.startswith("mass_")
    if quantity.place[2] == AREA:
        return False
    return quantity.measure in ("success", "p_source", *(OTHER if group[0] == "output" else ()))


def groups_of(
    config: StudyConfig, pairs: list[tuple[str, str]], seen: npt.NDArray[np.bool_]
) -> dict[Group, npt.NDArray[np.bool_]]:
    """Which language pairs [P] belong to each group, of those that have outputs (`seen`).

    A group that is empty, or all pairs again, is left out.
    """
    trained = set(config.trained_languages)
    groups: dict[Group, list[bool]] = {ALL: [True] * len(pairs)}
    groups[BOTH_TRAINED] = [trained >= set(pair) for pair in pairs]
    groups["trained", "a language not trained"] = [not trained >= set(pair) for pair in pairs]
    for side, name in ((0, "input"), (1, "output")):
        for code in dict.fromkeys(pair[side] for pair in pairs):
            groups[name, code] = [pair[side] == code for pair in pairs]
    for pair in pairs:
        groups["pair", f"{pair[0]} → {pair[1]}"] = [other == pair for other in pairs]
    held = {group: np.array(members) & seen for group, members in groups.items()}
    return {group: members for group, members in held.items() if group == ALL or 0 < members.sum() < seen.sum()}
