"""The study as the analysis of it reads it, for whoever asks what is behind a number: nothing is resampled."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, cached_property

import pandas as pd

from gainsift.analysis.agreement_in_parts import outputs_of_items, usable_labels
from gainsift.analysis.design import Condition, Contrast, Design
from gainsift.analysis.emergence_bands import Outputs, outputs_in_groups
from gainsift.analysis.sensitivity import readings
from gainsift.analysis.study_design import study_design
from gainsift.analysis.study_evidence import StudyEvidence, study_evidence
from gainsift.analysis.units import Units, units_of
from gainsift.analysis.verdict_prediction_report import verdict_rows
from gainsift.schemas.study import Study


class Known:
    """Each part is read when it is asked for, once."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.units = cache(self._units)
        self.readings = cache(self._readings)

    @cached_property
    def all(self) -> StudyEvidence:
        return study_evidence(self.study)

    @cached_property
    def design(self) -> Design:
        return study_design(self.study, self.all.judged.frame)

    @property
    def frame(self) -> pd.DataFrame:
        """Every row, under the study's rule for verdicts."""
        return self.all.judged.frame

    @cached_property
    def rows(self) -> pd.DataFrame:
        """The rows that are analysed."""
        return self.all.evidence.rows(self.design)

    @cached_property
    def outputs(self) -> Outputs:
        """All outputs, and their groups of language pairs."""
        return outputs_in_groups(self.study)

    @cached_property
    def labels(self) -> dict[str, Mapping[str, str]]:
        """Item -> annotator -> usable label."""
        return usable_labels(self.design, self.all.evidence)

    @cached_property
    def item_outputs(self) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
        """Item -> the weighted number of its outputs, in all and at each condition."""
        return outputs_of_items(self.design, self.all.evidence)

    @cached_property
    def verdicts(self) -> pd.DataFrame:
        """Judged outputs with their probability, as `verdict_rows` gives them."""
        return verdict_rows(self.study, self.all.judged)

    def contrast(self, name: str) -> Contrast:
        return next(one for one in self.design.contrasts if one.name == name)

    def condition(self, checkpoint: str, series: str) -> Condition:
        return next(
            one for one in self.design.conditions if one.checkpoint == checkpoint and one.series == (series or "")
        )

    def _units(self, contrast: str) -> Units:
        return units_of(self.frame, self.design, self.contrast(contrast), self.all.judged.inclusion)

    def _readings(self, contrast: str) -> dict[str, pd.DataFrame]:
        """The units of each other reading of a contrast, by its key."""
        evidence, units = self.all.evidence, self.units(contrast).frame
        found = readings(
            self.design, evidence.by_rule, evidence.inclusion, self.contrast(contrast), units, evidence.accepting
        )
        return {key: frame for key, _, frame in found}
