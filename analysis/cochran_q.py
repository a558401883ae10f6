"""Cochran's Q: whether a 0/1 outcome is equally frequent at all conditions, for units seen at every one."""

from __future__ import annotations

import numpy as np

from gainsift.analysis.estimate import Array
from gainsift.analysis.significance import INDEPENDENT_UNITS, Significance

METHOD = "Cochran's Q"


def cochran_q(outcomes: Array) -> Significance:
    """Cochran (1950), by statsmodels; `outcomes` [U, conditions] of 0 and 1, NaN where a unit has none.

    Units with a gap are left out, and the note counts them.
    """
    from statsmodels.stats.contingency_tables import cochrans_q

    whole = outcomes[np.isfinite(outcomes).all(1)]
    left_out = len(outcomes) - len(whole)
    note = f"{left_out} units without an outcome at every condition left out" if left_out else ""
    if outcomes.shape[1] < 2 or not len(whole):
        reason = "no unit has an outcome at two or more conditions, all of them"
        return Significance(METHOD, reason=reason, warning=INDEPENDENT_UNITS, note=note)
    if (whole == whole[:, :1]).all():
        return Significance(METHOD, reason="no unit changes", warning=INDEPENDENT_UNITS, note=note)
    found = cochrans_q(whole)
    return Significance(
        METHOD, float(found.pvalue), float(found.statistic), (float(found.df),), warning=INDEPENDENT_UNITS, note=note
    )
