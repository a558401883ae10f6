"""What every test of a trend or a split hands back, and the warning that row-independent tests carry."""

from __future__ import annotations

from dataclasses import dataclass

INDEPENDENT_UNITS = "assumes independent units"
INDEPENDENT_CONDITIONS = "assumes independent conditions"


@dataclass(frozen=True)
class Significance:
    """A test with its p-value, two-sided. `p` None means undefined, and `reason` says why.

    `method` names the test in words, for the note of a table. `effect` is what is tested, in the units of the
    method (a rate difference, a slope); `statistic` and `df` are those of the reference distribution.
    `warning` holds an assumption that repeated items break; `note` says what else limits the p-value.
    """

    method: str
    p: float | None = None
    statistic: float | None = None
    df: tuple[float, ...] = ()
    effect: float | None = None
    reason: str = ""
    warning: str = ""
    note: str = ""

    @property
    def defined(self) -> bool:
        return self.p is not None
