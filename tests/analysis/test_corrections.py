"""Corrections on the fifteen p-values of Benjamini & Hochberg (1995), section 4, and by hand."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from gainsift.analysis.corrections import IN_WORDS, adjusted

P_VALUES = pd.read_csv(Path(__file__).parent / "reference" / "20_benjamini_hochberg1995_pvalues.csv")["p"].tolist()


def test_benjamini_and_hochberg_reject_four_and_holm_three() -> None:
    """Published: 4 rejections by their procedure at q = .05, 3 by Bonferroni's; Holm's are computed."""
    assert sum(p <= 0.05 for p in adjusted(P_VALUES, "fdr_bh") if p is not None) == 4
    assert sum(p <= 0.05 for p in adjusted(P_VALUES, "holm") if p is not None) == 3


@pytest.mark.parametrize("correction", IN_WORDS)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_any_family_is_as_statsmodels_corrects_it(correction: str, p_values: list[float]) -> None:
    found = adjusted(p_values, correction)  # type: ignore[arg-type]
    assert found == pytest.approx(multipletests(p_values, method=correction)[1].tolist())


@pytest.mark.parametrize(("method", "rejected"), [("bonferroni", 3), ("simes-hochberg", 3), ("holm", 3), ("fdr_bh", 4)])
def test_the_library_that_corrects_rejects_as_published(method: str, rejected: int) -> None:
    """Bonferroni and Hochberg are corrections that no study can ask for."""
    assert multipletests(P_VALUES, 0.05, method)[0].sum() == rejected


def test_by_hand() -> None:
    """Holm: 3 × .01, then 2 × .03, then the last may not fall below. Benjamini-Hochberg: 3/1, 3/2, 3/3 from above."""
    assert adjusted([0.03, 0.01, 0.04], "holm") == pytest.approx([0.06, 0.03, 0.06])
    assert adjusted([0.03, 0.01, 0.04], "fdr_bh") == pytest.approx([0.04, 0.03, 0.04])


@pytest.mark.parametrize("correction", IN_WORDS)
def test_an_undefined_test_is_no_member_of_the_family(correction: str) -> None:
    found = adjusted([0.03, None, 0.01, 0.04], correction)  # type: ignore[arg-type]
    assert found.pop(1) is None
    assert found == adjusted([0.03, 0.01, 0.04], correction)  # type: ignore[arg-type]
    assert adjusted([None, None], correction) == [None, None]  # type: ignore[arg-type]
    assert adjusted([], correction) == []  # type: ignore[arg-type]
