"""What is compared with what: conditions, contrasts and series, whatever the rows were read from.

The analysis knows nothing of study folders and tables beyond this: a frame of rows (see `judged`), whose column
`condition` holds the names of conditions, and the design that they are read by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gainsift.schemas.along import along, contrast_name
from gainsift.schemas.config import AnalysisSpec
from gainsift.schemas.taxonomy import Taxonomy


@dataclass(frozen=True)
class Condition:
    """One column of a contrast: every unit occurs there once at most.

    `name` as the rows have it. `checkpoint` tells it apart within its `series`, `place` orders it there; `step` and
    `tokens` are 0 where unknown. `patched`: some categories have another kind then.
    """

    name: str
    series: str
    checkpoint: str
    place: float
    step: int = 0
    tokens: int = 0
    patched: bool = True


@dataclass(frozen=True)
class Contrast:
    """From condition `a` to `b`. `step`: one of several steps along a series, which are shown together."""

    name: str
    a: Condition
    b: Condition
    step: bool = False

    @property
    def where(self) -> str:
        """`c1, unpatched → c2, tgt, layer 1`."""
        return f"{self.a.name} → {self.b.name}"

    @property
    def patched(self) -> bool:
        """Whether either condition is."""
        return self.a.patched or self.b.patched


@dataclass(frozen=True)
class Series:
    """Conditions in order, such as one way of asking at every checkpoint."""

    name: str
    conditions: Sequence[Condition]

    def steps(self) -> list[Contrast]:
        """The contrasts of consecutive conditions."""
        return self.contrasts()[: len(self.conditions) - 1]

    def contrasts(self) -> list[Contrast]:
        """The steps, and the whole way where that is another contrast."""
        return [
            Contrast(contrast_name(self.name, a.checkpoint, b.checkpoint), a, b, step)
            for a, b, step in along(self.conditions)
        ]


@dataclass(frozen=True)
class Design:
    """`conditions`: all of them, in order. `chains`: series whose steps add up; `trends`: those tested for a trend.

    `scored`: rows have an automatic success; without it only human gains exist, over decided units. `identical`: units
    are marked that a pure copier gets right; `in_senses`: it is known which concepts have several senses. `clusters`:
    what clusters of units are, in words.
    """

    taxonomy: Taxonomy
    spec: AnalysisSpec
    conditions: Sequence[Condition]
    contrasts: Sequence[Contrast]
    chains: Sequence[Series]
    trends: Sequence[Series]
    scored: bool = True
    identical: bool = True
    in_senses: bool = True
    clusters: str = "word families"

    @property
    def cluster(self) -> str:
        """One of `clusters`."""
        return "word family" if self.clusters == "word families" else self.clusters.removesuffix("s")

    @property
    def noun(self) -> str:
        """What conditions of a series are: `checkpoint`, where these are told apart from how they were asked."""
        return "checkpoint" if any(one.checkpoint != one.name for one in self.conditions) else "condition"
