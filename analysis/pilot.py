"""A judged study as the pilot of a larger one: the units of one contrast, and how far its annotators agree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from gainsift.analysis.agreement import alpha_only
from gainsift.analysis.estimate import generator
from gainsift.analysis.judged import judge
from gainsift.analysis.judgements import Judgements, gather
from gainsift.analysis.planned_study import Pilot, States
from gainsift.analysis.ratings import Ratings
from gainsift.analysis.study_design import study_design
from gainsift.analysis.units import is_decided, units_of
from gainsift.analysis.verdict_rules import DEFAULT as RULE
from gainsift.analysis.verdicts import is_missing
from gainsift.schemas.config import Contrast
from gainsift.schemas.errors import UserError, did_you_mean
from gainsift.schemas.settings import UNPATCHED
from gainsift.schemas.study import Study
from gainsift.schemas.taxonomy import Taxonomy

HUMAN = "human"
"""All buckets together: the human gain."""


@dataclass(frozen=True)
class PilotStudy:
    """`alpha`: Krippendorff's nominal alpha of the pilot's annotators, None where no item was judged twice."""

    population: Pilot
    contrast: str
    alpha: float | None
    units: int
    decided: int


def read_pilot(study: Study, contrast: str | None, bucket: str) -> PilotStudy:
    """The pilot of a contrast (by name; None: the first) and a bucket (HUMAN: of all).

    Raises UserError for an unknown name, or where no unit of the pilot moved in that bucket.
    """
    chosen = _contrast(study, contrast)
    taxonomy = study.taxonomy
    if bucket not in (HUMAN, *taxonomy.buckets):
        raise UserError(
            "--bucket", f"unknown bucket {bucket!r}", did_you_mean(bucket, [HUMAN, *taxonomy.buckets])
        )  # fmt: skip
    items = study.items()
    judgements = gather(
        study.annotations(),
        {item.content_key for item in items},
        study.id,
        taxonomy,
        study.concepts,
        str(study.annotations_file),
    )
    judged = judge(study, items, judgements, RULE)  # a verdict is one label here, whatever the report uses
    design = study_design(study, judged.frame)
    asked = next(one for one in design.contrasts if one.name == chosen.name)
    units = units_of(judged.frame, design, asked, judged.inclusion).frame
    if not len(units):
        raise UserError(str(study.folder), f"no unit of {chosen.name!r} is in the sample", "judge some, or name shares")
    patched = chosen.a.setting != UNPATCHED, chosen.b.setting != UNPATCHED
    population = pilot_of(units, taxonomy, bucket, patched)
    up, down = population.states.values(1.0, 1)
    if not population.chances @ (up + down):
        raise UserError(
            str(study.folder),
            f"no unit of {chosen.name!r} moved between {bucket!r} and correct: a pilot cannot say how often one would",
            "give --gained and --lost instead",
        )
    decided = int(is_decided(units).sum())
    return PilotStudy(population, chosen.name, _alpha(judgements, taxonomy), len(units), decided)


def pilot_of(units: pd.DataFrame, taxonomy: Taxonomy, bucket: str, patched: tuple[bool, bool]) -> Pilot:
    """From `units_of(...).frame`; `patched` says whether the rows of each condition are."""
    labels = taxonomy.ids
    number = {label: place for place, label in enumerate(labels)}
    before, after = (
        np.array([number.get(label, -1) for label in units[f"label_{side}"]], np.intp) for side in ("a", "b")
    )
    same = (units["item_id_a"] == units["item_id_b"]).fillna(False).to_numpy(bool)
    states, state = np.unique(np.column_stack([before, after, same]), axis=0, return_inverse=True)
    families = pd.factorize(units["cluster"], sort=True)[0]
    order = np.argsort(families, kind="stable")
    starts = np.flatnonzero(np.diff(families[order], prepend=-1))
    given = np.concatenate([before, after])
    counts = np.bincount(given[given >= 0], minlength=len(labels)).astype(np.float64)
    (bucket_a, correct_a), (bucket_b, correct_b) = (_sides(taxonomy, bucket, side) for side in patched)
    return Pilot(
        States(
            before=states[:, 0].astype(np.intp),
            after=states[:, 1].astype(np.intp),
            one_item=states[:, 2].astype(bool),
            shares=counts / max(counts.sum(), 1.0),
            bucket_a=bucket_a,
            bucket_b=bucket_b,
            correct_a=correct_a,
            correct_b=correct_b,
        ),
        state=state.reshape(-1)[order].astype(np.intp),
        weight=units["weight"].to_numpy(np.float64)[order],
        starts=starts,
        items=float(2 - same.mean()),
    )


def _sides(taxonomy: Taxonomy, bucket: str, patched: bool) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Which labels are in the bucket, and which are correct, on patched or unpatched rows."""
    kinds = [category.kind_on(patched) for category in taxonomy.categories]
    correct = np.array([kind == "correct" for kind in kinds])
    wrong = np.array([kind not in ("correct", "missing") for kind in kinds])
    inside = np.array([bucket in (HUMAN, category.bucket_on(patched)) for category in taxonomy.categories])
    return wrong & inside, correct


def _contrast(study: Study, name: str | None) -> Contrast:
    contrasts = {contrast.name: contrast for contrast in study.config.contrasts}
    if not contrasts:
        raise UserError(str(study.config_file), "it has no contrasts", "add one, or give --gained and --lost instead")
    if name is None:
        return next(iter(contrasts.values()))
    if name not in contrasts:
        raise UserError("--contrast", f"unknown contrast {name!r}", did_you_mean(name, contrasts))
    return contrasts[name]


def _alpha(judgements: Judgements, taxonomy: Taxonomy) -> float | None:
    labels = {
        item: {
            name: str(line.label) for name, line in votes.items() if not is_missing(str(line.label), taxonomy)
        }
        for item, votes in judgements.votes.items()
    }  # fmt: skip
    return alpha_only(Ratings.of(labels), "nominal", 2, 0.95, generator(1)).point
