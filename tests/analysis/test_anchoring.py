"""Automatic labels that people saw or did not, worked out by hand; the audit; what adjudicators say.

Judgements of items with an automatic label, `+` equal to it and `-` another label. Families f1 to f4:

 label       shown             withheld
 correct     f1 ++  f2 +-      f1 -     f2 +    f3 +-
 plain_copy  f3 ++  f4 +       f4 -

Shown: 6 of 7 equal; withheld: 2 of 5; difference 6/7 - 2/5 = 16/35.
correct: 3/4 and 2/4, difference 1/4. plain_copy: 3/3 and 0/1, difference 1.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction as F
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

from gainsift.analysis.anchoring import Anchoring, anchoring
from gainsift.analysis.estimate import generator
from gainsift.analysis.report import write_report
from gainsift.analysis.results import Results, analyse
from gainsift.schemas.concepts import Concept
from gainsift.schemas.taxonomy import load_taxonomy

IDS = load_taxonomy().ids
SEEN = [("f1", "correct", "++"), ("f2", "correct", "+-"), ("f3", "plain_copy", "++"), ("f4", "plain_copy", "+")]
BARE = [("f1", "correct", "-"), ("f2", "correct", "+"), ("f3", "correct", "+-"), ("f4", "plain_copy", "-")]
RESAMPLES, CONFIDENCE = 300, 0.9
FIGURES = {"all": (F(6, 7), F(2, 5), 7, 5), "correct": (F(3, 4), F(1, 2), 4, 4), "plain_copy": (F(1), F(0), 3, 1)}


@pytest.fixture
def maker(make_study: Callable[..., Any], plain_concept: Callable[..., Concept]) -> Any:
    maker = make_study(analysis={"bootstrap": RESAMPLES, "confidence": CONFIDENCE, "seed": 7})
    for number in range(1, 5):
        maker.pair(f"P{number}", plain_concept(f"f{number}"), plain_concept(f"t{number}"))
    return maker


def judge_all(maker: Any, **changes: Any) -> None:
    """The judgements of the table above, each of an item of its own, by a1 and a2 in turns."""
    rows = [(*row, True) for row in SEEN] + [(*row, False) for row in BARE]
    for number, (family, label, signs, shown) in enumerate(rows):
        for place, sign in enumerate(signs):
            pair, where = ("en", "fr" if place else "de"), {"setting": "tgt", "layer": number % 2}
            item = maker.row(f"P{family[1]}", pair, f"c{1 + number // 4}", f"answer {number} {place}", **where)
            given = label if sign == "+" else "unsure" if place else "unrelated"
            role = "calibration" if place else "main"
            fields = {"prelabel": label, "prelabel_shown": shown, "role": role} | changes
            maker.vote(item, f"a{1 + place}", given, **fields)


def of(maker: Any) -> dict[str, Anchoring]:
    families = {name: name for name in maker.concepts}
    rng = generator(7, "anchoring")
    found = anchoring(maker.lines, families, IDS, RESAMPLES, CONFIDENCE, rng)
    return {one.prelabel or "all": one for one in found}


def test_shares_and_differences_by_hand(maker: Any) -> None:
    judge_all(maker)
    found = of(maker)
    assert list(found) == ["all", "correct", "plain_copy"]
    for name, (shown, withheld, seen, bare) in FIGURES.items():
        one = found[name]
        assert one.shown.point == pytest.approx(float(shown))
        assert one.withheld.point == pytest.approx(float(withheld))
        assert one.difference.point == pytest.approx(float(shown - withheld))
        assert (one.judgements_shown, one.judgements_withheld, one.items) == (seen, bare, seen + bare)
    assert [(one.annotators, one.clusters) for one in found.values()] == [(2, 4), (2, 3), (2, 2)]


def test_the_interval_equals_a_slow_bootstrap_of_families(maker: Any) -> None:
    """Each resample is made by name: four families with replacement, their judgements pooled, two shares taken."""
    judge_all(maker)
    names = ["f1", "f2", "f3", "f4"]
    signs = {True: {f: s for f, _, s in SEEN}, False: {f: s for f, _, s in BARE}}
    counts = generator(7, "anchoring").multinomial(4, np.full(4, 1 / 4), size=RESAMPLES)
    slow = []
    for row in counts:
        drawn = [name for name, times in zip(names, row, strict=True) for _ in range(times)]
        sides = ["".join(signs[shown][name] for name in drawn) for shown in (True, False)]
        slow.append(sides[0].count("+") / len(sides[0]) - sides[1].count("+") / len(sides[1]))
    found = of(maker)["all"].difference
    assert [found.low, found.high] == pytest.approx(np.quantile(slow, [0.05, 0.95]), abs=1e-12)


def test_sides_that_are_alike_everywhere_get_limits_that_are_joined(maker: Any) -> None:
    """Three families, shown always equal, withheld never: no-event bound b = 1 - 0.05^(1/3) on each side.

    By Zou and Donner the lower limit is 1 - sqrt(b^2 + b^2) and the upper one 1.
    """
    for family in ("1", "2", "3"):
        for shown, label in ((True, "correct"), (False, "unrelated")):
            item = maker.row(f"P{family}", ("en", "de"), "c1", "x", setting="tgt", layer=int(shown))
            maker.vote(item, "a1", label, prelabel="correct", prelabel_shown=shown)
    gap = of(maker)["all"].difference
    bound = binomtest(0, 3).proportion_ci(CONFIDENCE, "exact").high
    assert gap.point == 1
    assert gap.bounded
    assert [gap.low, gap.high] == pytest.approx([1 - np.sqrt(2) * bound, 1])
    assert "Zou & Donner" in gap.reason


def test_what_cannot_be_said_is_not_said(maker: Any) -> None:
    judge_all(maker, prelabel_shown=False)
    assert of(maker) == {}  # nobody saw any
    maker.lines.clear()
    judge_all(maker, prelabel=None)
    assert of(maker) == {}
    maker.lines.clear()
    judge_all(maker, prelabel_shown=True)
    gap = of(maker)["all"].difference
    assert (gap.point, gap.reason) == (None, "the automatic label was always shown")
    maker.lines.clear()
    judge_all(maker)
    maker.lines = [line for line in maker.lines if line.item.intended_concept == "f4"]
    gap = of(maker)["all"].difference
    assert (gap.point, gap.low) == (1, None)
    assert "fewer than two word families" in gap.reason


def told(maker: Any) -> tuple[Results, str]:
    """The results, and the text of the report with plain spaces."""
    study = maker.write()
    results = analyse(study)
    page = write_report(study, results).read_text("utf-8")
    return results, page.replace("\u00a0", " ")


def test_the_report_tells_it_and_repeats_and_controls_stay_out(maker: Any) -> None:
    maker.config["contrasts"] = []
    judge_all(maker)
    first = next(iter(maker.items.values()))
    for role in ("control", "repeat"):
        fields = {"role": role, "repeat": int(role == "repeat"), "prelabel": "correct", "prelabel_shown": True}
        maker.vote(first, "a1", "unrelated", **fields)
    maker.vote(first, "a3", "correct", status="invalid", prelabel="correct", prelabel_shown=True)
    results, page = told(maker)
    table = results.tables["anchoring"]
    for row, (name, (shown, withheld, seen, bare)) in zip(table.rows, FIGURES.items(), strict=True):
        assert row["prelabel"] == name
        assert row["shown"].point == pytest.approx(float(shown))
        assert row["withheld"].point == pytest.approx(float(withheld))
        assert (row["judgements_shown"], row["judgements_withheld"]) == (seen, bare)
    assert table.signature.startswith("anchoring:shown-withheld|judgements:12|items:12|raters:2|clusters:4|ci:0.9|boot")
    sentence = (
        "Where the automatic label was shown, 85.7 % of 7 judgements equal it; where it was withheld, 40.0 % of 5:"
        " a difference of +45.7 ["
    )
    assert sentence in page
    assert table.title in page
    summary = json.loads((maker.folder / "report" / "summary.json").read_text("utf-8"))
    assert summary["anchoring"]["difference"]["point"] == pytest.approx(16 / 35)
    assert summary["anchoring"]["sentence"].startswith("Where the automatic label was shown")


# --- the audit of reference answers ----------------------------------------------------------------------


def audited(maker: Any, labels: str) -> None:
    """Four reference answers at c1 of which an audit of 1/2 asks about as many as there are labels, C or U or ?.

    A fifth answer is no reference form and asked about for certain; a sixth trajectory is not drawn.
    """
    names = {"C": "correct", "U": "unrelated", "?": "unsure"}
    for number in range(4):
        asked = number < len(labels)
        answer = f"de_f{number + 1}"
        item = maker.row(f"P{number + 1}", ("en", "de"), "c1", answer, audit=F(1, 2), asked=asked)
        if asked:
            maker.vote(item, "a1", names[labels[number]])
    maker.vote(maker.row("P1", ("en", "fr"), "c1", "noise"), "a1", "non_word")
    maker.row("P2", ("en", "fr"), "c1", "fr_f2", audit=F(1, 2), probability=F(1, 2), drawn=False)


def test_the_audit_by_hand(maker: Any) -> None:
    """Asked about 3 of 4; decided 2, one of them not correct: 1/2, exact limits from the binomial distribution."""
    maker.config["contrasts"] = []
    audited(maker, "CU?")
    results, page = told(maker)
    found = results.audit
    assert found is not None
    assert (found.asked, found.unasked, found.decided, found.wrong) == (3, 1, 2, 1)
    exact = binomtest(1, 2).proportion_ci(CONFIDENCE, "exact")
    assert (found.share.point, found.share.low, found.share.high) == pytest.approx((0.5, exact.low, exact.high))
    assert results.left_out["items that the audit did not ask about (unjudged, outside the sample)"] == 1
    (row,) = results.tables["audit"].rows
    assert row["share"] == found.share
    assert results.tables["audit"].signature.startswith("audit:clopper-pearson|items:3|ci:0.9|tax:1|v:")
    text = "Of 2 audited answers that equal the reference, people reject 1 (50.0 % [2.5, 97.5]). Not asked"
    assert text in page
    assert json.loads((maker.folder / "report" / "summary.json").read_text("utf-8"))["audit"]["decided"] == 2


@pytest.mark.parametrize(("labels", "wrong"), [("CC", 0), ("UU", 2)])
def test_none_or_all_of_the_audited_have_exact_limits(maker: Any, labels: str, wrong: int) -> None:
    maker.config["contrasts"] = []
    audited(maker, labels)
    share = analyse(maker.write()).audit.share
    exact = binomtest(wrong, 2).proportion_ci(CONFIDENCE, "exact")
    assert (share.point, share.low, share.high) == pytest.approx((wrong / 2, exact.low, exact.high))


def test_rows_that_are_not_asked_about_are_no_correct_answers(maker: Any) -> None:
    """Of four reference answers two are asked about, one right: weights 2, so half is right, and not three quarters.

    The noise in the other language pair weighs 1: of all rows (2 * 1) / (2 * 2 + 1) are right.
    """
    maker.config["contrasts"] = []
    audited(maker, "CU")
    (row,) = analyse(maker.write()).tables["outcomes"].rows
    assert (row["rows"], row["decided"]) == (3, 3)
    assert row["correct"].point == pytest.approx(2 / 5)
    assert row["success"].point == pytest.approx(4 / 5)


def test_an_audit_without_a_verdict_says_so(maker: Any) -> None:
    maker.config["contrasts"] = []
    audited(maker, "??")
    results, page = told(maker)
    assert results.tables["audit"].rows[0]["share"].reason == "no audited answer has a usable verdict"
    assert "None of 2 audited answers that equal the reference has a usable verdict. Not asked about" in page


# --- adjudication ----------------------------------------------------------------------------------------


def test_what_adjudicators_say_of_the_other_reading(maker: Any) -> None:
    """Five items: two of variation (one only after a change of mind), one slip, one unsaid, one of no item here."""
    maker.config["contrasts"] = []
    said = ["variation", "error", "variation", None]
    for number, disagreement in enumerate(said):
        item = maker.row(f"P{number + 1}", ("en", "de"), "c1", "x")
        for annotator, label in (("a1", "correct"), ("a2", "unrelated")):
            maker.vote(item, annotator, label)
        if number == 0:
            maker.vote(item, "lead", "unsure", source="adjudicated", role="adjudication", disagreement="error")
        fields = {"source": "adjudicated", "role": "adjudication", "disagreement": disagreement}
        maker.vote(item, "lead", "correct", **fields)
    maker.vote(item, "lead", "correct", **{**fields, "content_key": "of no item"})
    results, page = told(maker)
    rows = {row["what"]: (row["items"], row["share"].point) for row in results.tables["adjudication"].rows}
    assert rows == {"adjudicated": (4, 1.0), "variation": (2, 0.5), "error": (1, 0.25), "unsaid": (1, 0.25)}
    assert results.agreement.percent.point == 0  # of the judgements before adjudication
    assert results.tables["outcomes"].rows[0]["correct"].point == 1
    assert "The other reading was defensible (label variation)" in page


def test_no_table_where_there_is_nothing(maker: Any) -> None:
    maker.config["contrasts"] = []
    maker.vote(maker.row("P1", ("en", "de"), "c1", "x"), "a1", "correct", prelabel="correct")
    results, page = told(maker)
    assert not {"adjudication", "anchoring", "audit"} & results.tables.keys()
    assert "automatic label" not in page
    assert "audited" not in page
