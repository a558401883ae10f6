"""The study worked out by hand: every cell of every table is a fraction whose working stands beside it.

Contrast: from A = checkpoint c1, unpatched, to B = checkpoint c2, `tgt` patched at layer 1. Letters:
C correct, O other_sense, H homograph_copy, P plain_copy, G hypernym, X other_concept, U unrelated,
? undecided. `w` is one over the joint probability of the unit's two items.

 unit  pair,out  s_A A  s_B B   w     what it shows
 u1    P1  de    0   P   1  C   1     shares a word family with u2 and u12 (both concepts are `bank` in English)
 u2    P2  de    0   O   1  C   1     the shown word carries the sense, so O stands
 u3    P3  de    0   H   1  C   1
 u4    P4  de    1   C   1  C   1     one item for both rows
 u5    P5  de    1   C   0  O   1
 u6    P6  de    0   U   1  C   1
 u7    P7  de    0   U   0  O   1     sense of the target prompt's word: B is patched, so O stands
 u8    P8  de    0   P   1  C   8/5   not drawn; item A is shared with u9, item B with u10, both drawn
 u9    P9  de    0   P   0  C   2     drawn with 1/2; B is right but not listed (missed)
 u10   P10 de    1   O   1  C   2     drawn with 1/2; A is a listed form that the reader calls another sense
 u11   P1  fr    0   G   1  C   1
 u12   P2  fr    1   C   0  X   1     the patch had no effect
 u13   P3  fr    0   X   1  C   1     on an unpatched row the other concept is an error: ability
 u14   P4  fr    0   C   1  C   1     missed in A
 u15   P5  fr    1   U   0  U   1     undeserved credit in A; one of two annotators is unsure
 u16   P6  fr    0   ?   1  C   1     A: both annotators unsure
 u17   P7  fr    1   ?   0  U   1     A: a tie
 u18   P8  fr    0   P   1  ?   4     drawn with 1/4; A judged by one person, B skipped by both
 u19   P11 de    0   U   1  C   2     A was called O, but no given form carries the sense: it becomes U
 u20   P11 fr    0   P   1  H   1     `identical`: the French reference is the English word
 out   P9  fr    drawn with 1/2, not drawn, items its own: outside the sample
 P12   de only in A (C, s=1), fr only in B (C, s=1): in one condition only

P8, P9 and P10 have the same two concepts and other example words.
u8 is in the sample if it is drawn itself or both u9 and u10 are: 1 - (1/2)(1 - 1/4) = 5/8.
N = 14 units of weight 1 (u1-u7, u11-u17) + 8/5 + 2 + 2 + 4 + 2 + 1 = 133/5; decided: less u16, u17, u18: 103/5.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction as F
from typing import Any

import pytest

from gainsift.analysis.results import Results, analyse
from gainsift.analysis.sensitivity import UNIDENTIFIED
from gainsift.analysis.tables import Table
from gainsift.schemas.concepts import Concept, Sense
from gainsift.schemas.taxonomy import load_taxonomy

CODES = {
    "C": "correct", "O": "other_sense", "H": "homograph_copy", "P": "plain_copy", "G": "hypernym",
    "X": "other_concept", "U": "unrelated", "S": "unsure", "-": None,
}  # fmt: skip
HALF, QUARTER = F(1, 2), F(1, 4)


def build(study: Any, concept: Callable[..., Concept]) -> None:
    bank = {"en": ["bank"], "de": ["Ufer"], "fr": ["rive"]}
    money = Sense(id="bank.money", gloss="a place for money", forms={"en": ["bank"], "de": ["Bank"]})
    changes: dict[str, dict[str, Any]] = {
        "s1": {"reference": bank, "accepted": {"de": ["Gestade"]}},
        "s2": {"reference": {"en": ["Bank"], "de": ["Geldhaus"], "fr": ["banque"]}, "senses": [money]},
        "s5": {"senses": [Sense(id="s5.b", gloss="its other meaning", forms={"en": ["en_s5"]})]},
        "t7": {"senses": [Sense(id="t7.b", gloss="its other meaning", forms={"en": ["en_t7"]})]},
        "s8": {"reference": {"en": ["en_s8"], "de": ["de_s8", "de_s8b"], "fr": ["fr_s8"]}},
        "s11": {"reference": {"en": ["hotel"], "de": ["de_s11"], "fr": ["Hotel"]}},
        "t11": {"senses": [Sense(id="t11.b", gloss="its other meaning", forms={"en": ["en_t11"]})]},
    }
    for number in range(1, 13):
        base = 8 if number in (9, 10) else number
        source, target = (concept(name, **changes.get(name, {})) for name in (f"s{base}", f"t{base}"))
        study.pair(f"P{number}", source, target)

    def unit(pair: str, out: str, a: str, votes_a: str, b: str, votes_b: str, p: F = F(1), drawn: bool = True,
             senses: tuple[str | None, str | None] = (None, None)) -> None:  # fmt: skip
        """Votes are letters of a1, a2, a3; an item that two units share is judged where votes are given."""
        at_b = {"setting": "tgt", "layer": 1}
        for checkpoint, answer, votes, where, sense in (
            ("c1", a, votes_a, {}, senses[0]),
            ("c2", b, votes_b, at_b, senses[1]),
        ):
            if not answer:
                continue
            item = study.row(pair, ("en", out), checkpoint, answer, probability=p, drawn=drawn, **where)
            for annotator, letter in zip(("a1", "a2", "a3"), votes, strict=False):
                study.vote(item, annotator, CODES[letter], sense if letter == "O" else None)

    unit("P1", "de", "bank", "PP", "Ufer", "CC")
    unit("P2", "de", "Fluss", "OO", "Geldhaus", "CC", senses=("bank.money", None))
    unit("P3", "de", "en_s3", "HH", "de_s3", "CC")
    unit("P4", "de", "de_s4", "CC", "de_s4", "")
    unit("P5", "de", "de_s5", "CC", "anders", "OO", senses=(None, "s5.b"))
    unit("P6", "de", "Fenster", "UU", "de_s6", "CC")
    unit("P7", "de", "Fenster", "UU", "anders", "OO", senses=(None, "t7.b"))
    unit("P8", "de", "en_s8", "PP", "de_s8", "CC", HALF, drawn=False)
    unit("P9", "de", "en_s8", "", "Synonym", "CC", HALF)
    unit("P10", "de", "de_s8b", "OOC", "de_s8", "", HALF, senses=("not_listed", None))
    unit("P1", "fr", "bord", "GG", "rive", "CC")
    unit("P2", "fr", "banque", "CC", "fr_t2", "XX")
    unit("P3", "fr", "fr_t3", "XX", "fr_s3", "CUC")
    unit("P4", "fr", "synonyme", "CC", "fr_s4", "CC")
    unit("P5", "fr", "fr_s5", "US", "porte", "UU")
    unit("P6", "fr", "quoi", "SS", "fr_s6", "CC")
    unit("P7", "fr", "fr_s7", "CU", "porte", "UU")
    unit("P8", "fr", "en_s8", "P", "fr_s8", "--", QUARTER)
    unit("P11", "de", "anders", "OO", "de_s11", "CC", HALF, senses=("t11.b", None))
    unit("P11", "fr", "en_s11", "PP", "hotel", "HH")
    unit("P9", "fr", "fr_t8", "", "fr_autre", "", HALF, drawn=False)
    unit("P12", "de", "de_s12", "CC", "", "")
    unit("P12", "fr", "", "", "fr_s12", "CC")
    first = next(iter(study.items.values()))
    study.vote(first, "lexicon", "plain_copy", source="auto")
    study.vote(first, "sim1", "correct", source="simulated")
    study.vote(first, "a3", "correct", label_fingerprint="an older definition")
    study.vote(first, "a3", "correct", content_key="of no item")


@pytest.fixture(scope="module")
def results(study_elsewhere: Callable[..., Any], plain_concept: Callable[..., Concept]) -> Results:
    study = study_elsewhere()
    build(study, plain_concept)
    return analyse(study.write())


def cell(table: Table, column: str, **where: Any) -> Any:
    """The one value of `column` in the row that `where` names; the point of an estimate."""
    rows = [row for row in table.rows if all(row[key] == value for key, value in where.items())]
    assert len(rows) == 1, f"{table.name}: {where} names {len(rows)} rows"
    value = rows[0][column]
    return getattr(value, "point", value)


def close(value: float, expected: F) -> None:
    assert value == pytest.approx(float(expected), abs=1e-12), f"{value} is not {expected}"


# Numerators over N = 133/5, so a sum x of weights is x * 5/133.
# Δs: u1 1 + u2 1 + u3 1 - u5 1 + u6 1 = 3; u8 8/5; u11 1 - u12 1 + u13 1 + u14 1 - u15 1 + u16 1 - u17 1 = 1;
#     u18 4; u19 2; u20 1: 63/5
# Δh: u1 + u2 + u3 - u5 + u6 = 3; u8 8/5 + u9 2 + u10 2; u11 - u12 + u13 = 1; u19 2: 58/5
# u:  A u10 2 + u15 1 = 3, B u20 1: -2.   m: A u14 1, B u9 2: +1.   undecided: u16 1 - u17 1 + u18 4 = 4
# 58/5 - 2 - 1 + 4 = 63/5
SPLIT = {
    "apparent": F(63, 133),
    "human": F(58, 133),
    "undeserved": F(-10, 133),
    "missed": F(-5, 133),  # as it enters the sum: minus Δm
    "undecided": F(20, 133),
}
# success: A u4 u5 u12 u15 u17 = 5, u10 2: 7; B: 7 + 63/5 = 98/5
# human among decided (103/5): A u4 u5 u12 u14 = 4; B: 4 + 58/5 = 78/5
LEVELS = {"success": (F(35, 133), F(98, 133)), "human": (F(20, 103), F(78, 103))}
# flow: ability u6 1 + u13 1 + u19 2 = 4; plain u1 1 + u8 8/5 + u9 2 = 23/5; homograph u3 1;
#       sense u2 1 + u10 2 - u5 1 = 2; granularity u11 1; patch effect -u12 1. Sum 58/5.
FLOW = {
    "ability": F(20, 133),
    "plain_copying": F(23, 133),
    "homograph_copying": F(5, 133),
    "sense_selection": F(10, 133),
    "granularity": F(5, 133),
    "patch_effect": F(-5, 133),
}
# share: ability A u6 1 + u7 1 + u13 1 + u15 1 + u19 2 = 6, B u15 1: 5; plain A u1 1 + u8 8/5 + u9 2 + u20 1 = 28/5;
#        homograph A u3, B u20: 0; sense A u2 1 + u10 2, B u5 1 + u7 1: 1; granularity 1; patch effect -1. Sum 58/5.
SHARE = {
    "ability": F(25, 133),
    "plain_copying": F(28, 133),
    "homograph_copying": F(0),
    "sense_selection": F(5, 133),
    "granularity": F(5, 133),
    "patch_effect": F(-5, 133),
}
BY_CATEGORY = {  # (bucket, category): flow, share
    ("ability", "unrelated"): (F(15, 133), F(20, 133)),  # u6 1 + u19 2; A u6 u7 u15 u19 = 5 - B u15 1
    ("ability", "other_concept"): (F(5, 133), F(5, 133)),  # u13, the unpatched side
    ("patch_effect", "other_concept"): (F(-5, 133), F(-5, 133)),  # u12, the patched side
    ("plain_copying", "plain_copy"): (F(23, 133), F(28, 133)),
    ("homograph_copying", "homograph_copy"): (F(5, 133), F(0)),
    ("sense_selection", "other_sense"): (F(10, 133), F(5, 133)),
    ("granularity", "hypernym"): (F(5, 133), F(5, 133)),
}


def test_split(results: Results) -> None:
    table = results.tables["split"]
    for part, expected in SPLIT.items():
        close(cell(table, "flow", part=part), expected)
    for bucket in FLOW:
        close(cell(table, "flow", part=bucket), FLOW[bucket])
        close(cell(table, "share", part=bucket), SHARE[bucket])
    (gain,) = [row["flow"] for row in table.rows if row["part"] == "apparent"]
    assert gain.low < 0 < gain.high  # eight clusters
    for row in table.rows:
        assert row["of_gain"] is None or row["of_gain"].reason.startswith("not estimable"), row["part"]
    assert {row["part"] for row in table.rows} == {*SPLIT, *FLOW}
    assert {(row["units"], row["clusters"]) for row in table.rows} == {(20, 8)}


def test_levels(results: Results) -> None:
    table = results.tables["levels"]
    for measure, (before, after) in LEVELS.items():
        close(cell(table, "before", measure=measure), before)
        close(cell(table, "after", measure=measure), after)
        close(cell(table, "change", measure=measure), after - before)
    assert [(row["units"], row["clusters"]) for row in table.rows] == [(20, 8), (17, 8)]


def test_split_by_category(results: Results) -> None:
    table = results.tables["split_categories"]
    found = {(row["bucket"], row["category"]) for row in table.rows}
    assert found == set(BY_CATEGORY)
    for (bucket, category), (flow, share) in BY_CATEGORY.items():
        close(cell(table, "flow", bucket=bucket, category=category), flow)
        close(cell(table, "share", bucket=bucket, category=category), share)


TRANSITIONS = {  # before, after: weighted units of the decided 103/5
    "PC": F(23, 5), "OC": F(3), "HC": F(1), "CC": F(2), "CO": F(1), "UC": F(3), "UO": F(1), "GC": F(1), "CX": F(1),
    "XC": F(1), "UU": F(1), "PH": F(1),
}  # fmt: skip
COUNTED = {"PC": 3, "OC": 2, "CC": 2, "UC": 2}


def test_transitions(results: Results) -> None:
    table = results.tables["transitions"]
    found = {(row["before"], row["after"]): row for row in table.rows}
    assert set(found) == {(CODES[a], CODES[b]) for a, b in TRANSITIONS}
    for (a, b), weight in TRANSITIONS.items():
        row = found[CODES[a] or "", CODES[b] or ""]
        close(row["weight"], weight)
        close(row["share"].point, weight / F(103, 5))
        close(row["of_before"].point, weight / sum(w for (c, _), w in TRANSITIONS.items() if c == a))
        assert row["units"] == COUNTED.get(a + b, 1)


# Families that moved, by bucket: ability s6 1, s3 1, s11 2; plain bank 1, s8 18/5; homograph s3 1; sense bank 1, s8 2,
# s5 -1; granularity bank 1; patch effect bank -1. Of 8 sign patterns of 1, 2, -1 six have a sum of 2 or more.
BUCKET_P = {
    "ability": F(2, 8), "plain_copying": F(2, 4), "homograph_copying": F(1), "sense_selection": F(6, 8),
    "granularity": F(1), "patch_effect": F(1),
}  # fmt: skip


def test_tests_beside_the_split(results: Results) -> None:
    rows = results.tables["split_tests"].rows
    for bucket, p in BUCKET_P.items():
        (row,) = [row for row in rows if row["part"] == bucket]
        close(row["p"], p)
        close(row["effect"].point, FLOW[bucket])
        assert row["adjusted"] == 1  # Holm: six times 1/4 is more than one
        assert "sign-flip" in row["test"]
    # ten units became correct, two ceased to be: 2 (1 + 12 + 66) / 2^12; mid-p takes off the probability of the point
    exact, mid = (next(r for r in rows if r["test"] == name) for name in ("McNemar, exact", "McNemar, mid-p"))
    close(exact["p"], F(2 * 79, 4096))
    close(mid["p"], F(2 * 79 - 66, 4096))
    (q,) = (row for row in rows if row["test"] == "Cochran's Q")  # of two conditions: (10 - 2)² / (10 + 2)
    close(q["statistic"].point, F(64, 12))
    assert (q["part"], q["df"]) == ("human", "1")
    for row in rows:
        classic = any(name in row["test"] for name in ("McNemar", "Stuart", "Bowker", "Cochran's Q"))
        classic |= row["test"] == "Bhapkar"
        assert ("assumes independent units" in row["note"]) == classic
        assert row["adjusted"] is None or not classic
    for part in ("apparent", "human"):
        for row in rows:
            if row["part"] == part and row["effect"] is not None:
                close(row["effect"].point, SPLIT[part])


def test_split_without_identical_units(results: Results) -> None:
    """Without u20: N = 128/5; Δs 58/5, Δh 58/5, u -3, m +1, undecided 4; plain share A 23/5, homograph share u3 1."""
    table = results.tables["split_without_identical"]
    expected = {
        "apparent": F(58, 128), "human": F(58, 128), "undeserved": F(-15, 128), "missed": F(-5, 128),
        "undecided": F(20, 128),
    }  # fmt: skip
    for part, value in expected.items():
        close(cell(table, "flow", part=part), value)
    for bucket, value in FLOW.items():
        close(cell(table, "flow", part=bucket), value * F(133, 128))
    close(cell(table, "share", part="plain_copying"), F(23, 128))
    close(cell(table, "share", part="homograph_copying"), F(5, 128))
    assert cell(table, "units", part="apparent") == 19


def test_units_counted(results: Results) -> None:
    (row,) = results.tables["units"].rows
    counts = {key: row[key] for key in row if key not in ("contrast",)}
    assert counts == {
        "units": 20, "decided": 17, "clusters": 8, "weight": pytest.approx(133 / 5), "only_a": 1, "only_b": 1,
        "outside": 1, "identical": 1, "sense_split": 0, "sense_not_given": 1, "excluded": 0,
    }  # fmt: skip


# Shares weigh every row by one over its item's probability: A rows of u8 and u9 (one item) 4/3 each, u10 2, u18 4,
# u19 2; B rows of u8 and u10 (one item) 4/3 each, u9 2, u18 4, u19 2; all others, P12 included, 1.
# A decided: u1-u7 7, u8 u9 8/3, u10 2, u11-u15 5, u18 4, u19 2, u20 1, P12 1: 74/3. Undecided u16, u17: all 80/3.
# B decided: u1-u7 7, u8 u10 8/3, u9 2, u11-u17 7, u19 2, u20 1, P12 1: 68/3. Undecided u18 4: all 80/3.
A_SHARES = {
    "correct": F(15, 74),  # u4 u5 u12 u14 P12
    "other_sense": F(9, 74),  # u2 1, u10 2
    "homograph_copy": F(3, 74),
    "plain_copy": F(26, 74),  # u1 1, u8 u9 8/3, u18 4, u20 1: 26/3
    "hypernym": F(3, 74),
    "other_concept": F(3, 74),
    "unrelated": F(15, 74),  # u6 u7 u15, u19 2
}
B_SHARES = {
    "correct": F(50, 68),  # u1 u2 u3 u4 u6 5, u8 u10 8/3, u9 2, u11 u13 u14 u16 4, u19 2, P12 1: 50/3
    "other_sense": F(6, 68),
    "homograph_copy": F(3, 68),
    "other_concept": F(3, 68),
    "unrelated": F(6, 68),
    "plain_copy": F(0),
    "hypernym": F(0),
}


def test_shares(results: Results) -> None:
    table = results.tables["shares"]
    for checkpoint, expected in (("c1", A_SHARES), ("c2", B_SHARES)):
        for category, share in expected.items():
            close(cell(table, "share", checkpoint=checkpoint, category=category), share)
    assert len(table.rows) == 2 * 7


def test_outcomes(results: Results) -> None:
    """Success over all rows of the sample: A u4 u5 u12 u15 u17 P12 6, u10 2; B 59/3 (u18 4, u20 1 among them)."""
    table = results.tables["outcomes"]
    expected: dict[str, dict[str, F]] = {
        "c1": {"success": F(24, 80), "correct": F(15, 74), "ability": F(18, 74), "plain_copying": F(26, 74),
               "homograph_copying": F(3, 74), "sense_selection": F(9, 74), "granularity": F(3, 74),
               "patch_effect": F(0)},
        "c2": {"success": F(59, 80), "correct": F(50, 68), "ability": F(6, 68), "plain_copying": F(0),
               "homograph_copying": F(3, 68), "sense_selection": F(6, 68), "granularity": F(0),
               "patch_effect": F(3, 68)},
    }  # fmt: skip
    for checkpoint, row in expected.items():
        for column, value in row.items():
            key = column if column in ("success", "correct") else f"bucket_{column}"
            close(cell(table, key, checkpoint=checkpoint), value)
    assert [(row["rows"], row["decided"]) for row in table.rows] == [(21, 19), (21, 20)]


# Items with two or more usable labels: 32 on which two people agree (P 3, O 4, H 2, C 16, U 4, G 1, X 2), u10A
# (O O C), u13B (C U C), u16... is unsure, u17A (C U). Coincidences: an agreeing pair adds 2; of three (k, k, l) adds
# o_kk 1, o_kl 1, o_lk 1. So o_PP 6, o_OO 8+1, o_HH 4, o_CC 32+1, o_UU 8, o_GG 2, o_XX 4, o_OC = o_CO 1,
# o_CU = o_UC 1+1. n_P 6, n_O 10, n_H 4, n_C 36, n_U 10, n_G 2, n_X 4; n 72.
# alpha = 1 - (n - 1) (sum of o_ck) / (n² - sum of n_c²) = 1 - 71 * 6 / (5184 - 1568) = 3190/3616
# by kind: error 16, behaviour 14, correct 36, near 2, no effect 4: 1 - 71 * 6 / (5184 - 1768) = 2990/3416
# by label: 1 - (n - 1)(n_k - o_kk) / (n_k (n - n_k))
LABEL_ALPHA = {
    "correct": (1 - F(71 * 3, 36 * 36), 36),
    "unrelated": (1 - F(71 * 2, 10 * 62), 11),  # support counts u15A, judged by one person
    "other_sense": (1 - F(71 * 1, 10 * 62), 10),
    "plain_copy": (F(1), 7),  # support counts u18A
    "homograph_copy": (F(1), 4),
    "hypernym": (F(1), 2),
    "other_concept": (F(1), 4),
}


def test_agreement(results: Results) -> None:
    table = results.tables["agreement"]
    close(cell(table, "alpha", level="category"), 1 - F(71 * 6, 3616))
    close(cell(table, "alpha", level="kind"), 1 - F(71 * 6, 3416))
    # agreeing pairs of people: 32 + 1 (O O) + 1 (C C) of 32 + 3 + 3 + 1; by kind the same
    close(cell(table, "percent", level="category"), F(100 * 34, 39))
    assert cell(table, "items", level="category") == 37  # with a usable label; u16A and u18B have none
    assert cell(table, "pairable", level="category") == 35
    assert cell(table, "judgements", level="category") == 74
    labels = results.tables["agreement_labels"]
    assert {row["label"] for row in labels.rows} == set(LABEL_ALPHA)
    for label, (alpha, support) in LABEL_ALPHA.items():
        close(cell(labels, "alpha", label=label), alpha)
        assert cell(labels, "support", label=label) == support
    # of 39 pairs two are O-C and three C-U; the others agree
    apart = {"correct": 5, "unrelated": 3, "other_sense": 2}
    for label in LABEL_ALPHA:
        close(cell(labels, "percent", label=label), F(100 * (39 - apart.get(label, 0)), 39))


def test_agreement_of_pairs(results: Results) -> None:
    """a1-a2: 35 items, 33 agree, marginals P3 O5 H2 C18 U4 G1 X2 and P3 O5 H2 C16 U6 G1 X2: pe = 355/1225.

    a1-a3: items u10A (O, C) and u13B (C, C): po = pe = 1/2. a2-a3: (O, C), (U, C): po = pe = 0.
    """
    table = results.tables["agreement_pairs"]
    close(cell(table, "cohen_kappa", a="a1", b="a2"), F(80, 87))
    close(cell(table, "cohen_kappa", a="a1", b="a3"), F(0))
    close(cell(table, "cohen_kappa", a="a2", b="a3"), F(0))
    assert [row["n"] for row in table.rows] == [35, 2, 2]
    mean = cell(results.tables["agreement_coefficients"], "value", level="category", coefficient="cohen")
    close(mean, F(80, 87) / 3)
    assert cell(results.tables["agreement_parts"], "cohen", what="all") == mean


def test_confusion(results: Results) -> None:
    """Pairs of labels on one item: C-C 16 + 1, O-O 4 + 1, O-C 2 (u10A), C-U 2 (u13B) + 1 (u17A)."""
    table = results.tables["agreement_confusion"]
    found = {
        (row["label"], other): row[f"with_{other}"] for row in table.rows for other in (r["label"] for r in table.rows)
    }  # fmt: skip
    diagonal = {"plain_copy": 3, "other_sense": 5, "homograph_copy": 2, "correct": 17, "unrelated": 4, "hypernym": 1}
    expected = {(name, name): count for name, count in (diagonal | {"other_concept": 2}).items()}
    expected |= {("other_sense", "correct"): 2, ("correct", "unrelated"): 3}
    expected |= {(b, a): count for (a, b), count in expected.items()}
    assert {key: count for key, count in found.items() if count} == expected


# Main: human 58/5, of it errors 43/5 (ability and plain copies), behaviour 3 (homographs and senses), near 1 (u11), no
# effect -1 (u12). Soft labels: u10A is right by a third, u13B wrong by a third, u17A right by half and B wrong:
# human 58/5 - 2/3 - 1/3 - 1/2, errors 43/5 - 1/3 - 1/2, behaviour 3 - 2/3.
READINGS = {  # numerators over N = 133/5: human, errors, behaviour
    "main": (F(58, 5), F(43, 5), F(3)),
    "kind plain_copy": (F(58, 5), F(4), F(38, 5)),
    "kind other_sense": (F(58, 5), F(43, 5) + 2, F(1)),
    "kind homograph_copy": (F(58, 5), F(43, 5) + 1, F(2)),
    "kind hypernym": (F(58, 5) - 1, F(43, 5), F(3)),
    "kind other_concept": (F(58, 5), F(43, 5) - 1, F(3)),
    "rule majority": (F(58, 5), F(43, 5), F(3)),
    "rule soft": (F(58, 5) - F(3, 2), F(43, 5) - F(5, 6), F(3) - F(2, 3)),
    "crossed": (F(58, 5), F(43, 5), F(3)),
}


def test_other_readings(results: Results) -> None:
    table = results.tables["sensitivity"]
    for reading, (human, error, behaviour) in READINGS.items():
        close(cell(table, "human", variant=reading), human * F(5, 133))
        close(cell(table, "error", variant=reading), error * F(5, 133))
        close(cell(table, "behaviour", variant=reading), behaviour * F(5, 133))
        close(cell(table, "apparent", variant=reading), F(63, 133))
    close(cell(table, "human", variant="without identical"), F(58, 128))
    # net flow and weight by family: bank 2 of 4, s3 2 of 2, s5 -1 of 2, s6 1 of 2, s8 28/5 of 48/5, s11 2 of 3
    lowest, highest = ((row["name"], row["human"].point) for row in table.rows if row["variant"].startswith("family"))
    close(lowest[1], F(6, 17))
    close(highest[1], F(63, 123))
    assert "without s8" in lowest[0]
    assert "without s5" in highest[0]
    assert any("the human gain (+43.6) lies between" in note for note in table.notes)
    (told,) = (note for note in table.notes if ", by rule: " in note)
    assert told.startswith(
        "c1 to patched c2, by rule: The human gain lies between +38.0 (soft) and +43.6 points (adjudicated) under every"
    )
    assert all(rule in told for rule in ("adjudicated", "majority", "dawid-skene", "soft"))
    assert not any(UNIDENTIFIED in row["name"] for row in table.rows)


def test_a_model_of_two_annotators_is_called_a_guess(
    make_study: Callable[..., Any], plain_concept: Callable[..., Concept]
) -> None:
    training = {"name": "training", "from": {"checkpoint": "c1"}, "to": {"checkpoint": "c2"}}
    maker = make_study(analysis={"bootstrap": 20}, contrasts=[training])
    for number in range(3):
        maker.pair(f"P{number}", plain_concept(f"s{number}"), plain_concept(f"t{number}"))
        for checkpoint, label in (("c1", "plain_copy"), ("c2", "correct")):
            item = maker.row(f"P{number}", ("en", "de"), checkpoint, f"{label} {number}")
            for annotator in ("a1", "a2"):
                maker.vote(item, annotator, label)
    names = [row["name"] for row in analyse(maker.write()).tables["sensitivity"].rows]
    assert [name for name in names if UNIDENTIFIED in name] == [f"Verdict rule: dawid-skene{UNIDENTIFIED}"]


def test_agreement_in_parts(results: Results) -> None:
    """By krippendorff, from the judgements of either language pair; one annotator's skips and `unsure` by hand."""
    import krippendorff

    parts = results.tables["agreement_parts"]
    codes = {name: place for place, name in enumerate(sorted({name for name in CODES.values() if name}))}
    # what a1, a2, a3 said of the items that two or more of them judged, by language pair
    said = {
        "de": "PP CC OO CC HH CC CC CC OO UU CC UU OO PP CC CC OOC OO CC CC",
        "fr": "GG CC CC XX XX CUC CC CC UU CC CU UU PP HH CC",
    }
    for out, words in said.items():
        data = [
            [codes[str(CODES[word[i]])] if i < len(word) else float("nan") for word in words.split()] for i in range(3)
        ]
        expected = krippendorff.alpha(reliability_data=data, level_of_measurement="nominal")
        assert cell(parts, "alpha", name=f"en → {out}") == pytest.approx(expected), out
    assert cell(parts, "pairable", what="all") == 35
    people = results.tables["agreement_annotators"]
    for name, unsure in (("a1", 1), ("a2", 2)):
        asked = cell(people, "asked", annotator=name)
        assert cell(people, "skipped", annotator=name) == pytest.approx(1 / asked)
        assert cell(people, "label_unsure", annotator=name) == pytest.approx(unsure / asked)
    close(cell(people, "without", annotator="a2"), F(0))  # a1 and a3: one item O, C and one C, C
    coefficients = results.tables["agreement_coefficients"]
    close(cell(coefficients, "value", level="category", coefficient="alpha"), 1 - F(71 * 6, 3616))
    words = [[str(CODES[letter]) for letter in word] for both in said.values() for word in both.split()]
    close(cell(coefficients, "value", level="path", coefficient="alpha"), alpha_of_paths(words))
    assert not [row for row in parts.rows if row["what"] == "drift"]  # one checkpoint


def alpha_of_paths(words: list[list[str]]) -> F:
    """Krippendorff's formula in fractions; two categories of one kind are 2/3 apart, of one bucket, too, 1/3."""
    known = {one.id: (one.kind, one.bucket) for one in load_taxonomy().categories}

    def apart(a: str, b: str) -> F:
        kind, both = known[a][0] == known[b][0], known[a] == known[b]
        return F(0) if a == b else F(1, 3) if both else F(2, 3) if kind else F(1)

    given = [label for word in words for label in word]
    n = len(given)
    observed = sum((apart(a, b) / (len(word) - 1) for word in words for a in word for b in word), F(0)) / n
    expected = sum((apart(a, b) for a in given for b in given), F(0)) / (n * (n - 1))
    return 1 - observed / expected


def test_left_out(results: Results) -> None:
    counts = {row["what"]: row["count"] for row in results.tables["left_out"].rows if row["count"]}
    assert counts == {
        "tasks skipped by annotators": 2,
        "judgements `unsure`": 3,
        "automatic pre-labels (never count as judgements)": 1,
        "simulated judgements (there are human ones)": 1,
        "judgements no longer valid: the definition of the label has changed": 1,
        "judgements of answers that are no item of the plan": 1,
        "items to be judged without a usable judgement": 2,
        "items with a tie between labels": 1,
        "rows whose `other_sense` became `unrelated` (no given form carries the sense)": 1,
    }


def test_the_report_folder_holds_the_same_numbers(
    make_study: Callable[..., Any], plain_concept: Callable[..., Concept]
) -> None:
    import csv
    import json

    from gainsift.analysis.report import write_report

    maker = make_study()
    build(maker, plain_concept)
    study = maker.write()
    write_report(study, analyse(study))
    with (study.report_folder / "tables" / "split.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["part"]: row for row in csv.DictReader(line for line in file if not line.startswith("#"))}
    for part, expected in (SPLIT | FLOW).items():
        close(float(rows[part]["flow"]), expected)
    summary = json.loads((study.report_folder / "summary.json").read_text("utf-8"))
    (contrast,) = summary["contrasts"]
    close(contrast["parts"]["apparent"]["point"], F(63, 133))
    close(contrast["flow"]["plain_copying"]["point"], F(23, 133))
