"""The design of a study, as study.yaml and the judged outputs give it."""

from __future__ import annotations

import pandas as pd

from gainsift.analysis.design import Condition, Contrast, Design, Series
from gainsift.analysis.shares import series_name
from gainsift.schemas import config as asked
from gainsift.schemas.settings import UNPATCHED
from gainsift.schemas.study import Study


def study_design(study: Study, frame: pd.DataFrame) -> Design:
    """`frame`: the rows, as `judged` makes them. Conditions go by setting and layer, unpatched first, then in training
    order; without `analysis.trends` every series is tested for a trend."""
    config = study.config
    keys = frame[["setting", "prompt", "layer", "checkpoint"]].drop_duplicates()
    known = [
        asked.Series(setting=setting, prompt=prompt, layer=None if pd.isna(layer) else int(layer), checkpoints=[name])
        for setting, prompt, layer, name in keys.itertuples(index=False)
    ]
    places = {checkpoint.name: place for place, checkpoint in enumerate(config.model.checkpoints)}
    known.sort(key=lambda one: (*_order(one), places[one.checkpoints[0]]))
    judged = dict.fromkeys((one.setting, one.prompt, one.layer) for one in known)
    trends = config.analysis.trends or sorted(
        (asked.Series(setting=setting, prompt=prompt, layer=layer) for setting, prompt, layer in judged),
        key=lambda one: (one.layer is not None, one.name),
    )
    return Design(
        taxonomy=study.taxonomy,
        spec=config.analysis,
        conditions=[condition_of(study, one.at(one.checkpoints[0])) for one in known],
        contrasts=_contrasts(study),
        chains=[_series(study, one) for one in config.contrasts_along if len(config.checkpoints_of(one)) > 2],
        trends=[_series(study, one) for one in trends],
    )


def condition_of(study: Study, condition: asked.Condition) -> Condition:
    """A condition of study.yaml by its name in the rows."""
    checkpoint = study.config.checkpoint(condition.checkpoint)
    place = study.config.model.checkpoints.index(checkpoint)
    series = series_name(condition.setting, condition.asked(), condition.layer)
    return Condition(
        f"{checkpoint.name}, {series}", series, checkpoint.name, place, checkpoint.step, checkpoint.tokens,
        patched=condition.setting != UNPATCHED,
    )  # fmt: skip


def _contrasts(study: Study) -> list[Contrast]:
    """The named ones, then those along series."""
    found = [Contrast(one.name, condition_of(study, one.a), condition_of(study, one.b))
             for one in study.config.contrasts]  # fmt: skip
    for series in study.config.contrasts_along:
        found += _series(study, series).contrasts()
    return found


def _series(study: Study, series: asked.Series) -> Series:
    names = study.config.checkpoints_of(series)
    return Series(series.name, [condition_of(study, series.at(name)) for name in names])


def _order(series: asked.Series) -> tuple[object, ...]:
    layer = -1 if series.layer is None else series.layer
    return series.setting != UNPATCHED, series.setting, series.prompt or "", layer
