"""Any table: what is read, what is refused and where, and a study of four units worked out by hand."""

from __future__ import annotations

import itertools
import json
import random
import re
from collections.abc import Callable
from fractions import Fraction as F
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from gainsift.analysis.findings import Findings
from gainsift.analysis.tidy_analysis import analyse_table, tidy_design
from gainsift.analysis.tidy_table import TidyTable, read_tidy_table
from gainsift.cli.main import app, main
from gainsift.schemas.config import AnalysisSpec
from gainsift.schemas.errors import UserError
from gainsift.schemas.taxonomy import load_taxonomy

TAXONOMY = load_taxonomy()
FEW = AnalysisSpec(bootstrap=50)

# unit, cluster, weight: (success, label) early and late
#  u1  k1  1   0 plain_copy   1 correct       copying given up
#  u2  k1  1   1 correct      1 correct
#  u3  k2  2   0 other_sense  1 other_sense   undeserved credit at the end
#  u4  k3  1   0 unrelated    0 correct       missed at the end
#  u5  k3  1   0 -            1 correct       undecided: two annotators, a tie
# N = 6. Apparent: u1 1 + u3 2 + u5 1 = 4. Human: u1 1 + u4 1 = 2. u: +2. m: +1. Undecided: u5 1. 2 + 2 - 1 + 1 = 4.
UNITS = {
    "u1": ("k1", 1, (0, "plain_copy"), (1, "correct")),
    "u2": ("k1", 1, (1, "correct"), (1, "correct")),
    "u3": ("k2", 2, (0, "other_sense"), (1, "other_sense")),
    "u4": ("k3", 1, (0, "unrelated"), (0, "correct")),
    "u5": ("k3", 1, (0, "plain_copy"), (1, "correct")),
}


def lines() -> list[dict[str, object]]:
    """a1 judges everything as above, a2 too, but for u5 at the start, which a2 calls unrelated."""
    rows: list[dict[str, object]] = []
    for (unit, (cluster, weight, *sides)), annotator in itertools.product(UNITS.items(), ("a1", "a2")):
        for condition, order, (success, label) in zip(("early", "late"), (9.5, 10), sides, strict=True):
            odd = unit == "u5" and condition == "early" and annotator == "a2"
            rows.append({
                "unit": unit, "cluster": cluster, "condition": condition, "annotator": annotator,
                "label": "unrelated" if odd else label, "success": success, "weight": weight, "order": order,
            })  # fmt: skip
    return rows


def write(tmp_path: Path, frame: pd.DataFrame, name: str = "table.csv") -> Path:
    path = tmp_path / name
    frame.to_parquet(path) if name.lower().endswith("parquet") else frame.to_csv(path, index=False)
    return path


def analysed(path: Path, *contrasts: str) -> Findings:
    return analyse_table(read_tidy_table(path, TAXONOMY), TAXONOMY, contrasts, FEW)


def asked(table: TidyTable) -> list[tuple[str, str]]:
    return [(one.a.name, one.b.name) for one in tidy_design(table, TAXONOMY, (), FEW).contrasts]


def close(found: float | None, expected: F) -> None:
    assert found == pytest.approx(float(expected), abs=1e-12)


@pytest.mark.parametrize("name", ["table.csv", "table.parquet", "TABLE.PARQUET"])
def test_the_hand_worked_table(tmp_path: Path, name: str) -> None:
    results = analysed(write(tmp_path, pd.DataFrame(lines()), name))
    (contrast,) = results.contrasts
    assert (contrast.contrast.a.name, contrast.contrast.b.name) == ("early", "late")
    parts = {"apparent": F(4, 6), "human": F(2, 6), "undeserved": F(2, 6), "missed": F(-1, 6), "undecided": F(1, 6)}
    for part, value in parts.items():
        close(contrast.split.parts[part].point, value)
    for bucket, value in {"plain_copying": F(1, 6), "ability": F(1, 6), "sense_selection": F(0)}.items():
        close(contrast.split.flow_buckets[bucket].point, value)
        close(contrast.split.share_buckets[bucket].point, value)
    assert (contrast.split.units, contrast.split.decided, contrast.split.clusters) == (5, 4, 3)
    assert {(row["before"], row["after"]): row["weight"] for row in results.tables["transitions"].rows} == {
        ("plain_copy", "correct"): 1, ("correct", "correct"): 1, ("other_sense", "other_sense"): 2,
        ("unrelated", "correct"): 1,
    }  # fmt: skip
    early, late = results.shares
    close(early.categories["other_sense"].point, F(2, 5))  # of the weight of decided units
    close(late.correct.point, F(4, 6))
    close(early.success.point, F(1, 6))
    assert results.left_out == {"items with a tie between labels": 1}


def test_alpha_of_the_hand_worked_table(tmp_path: Path) -> None:
    """Ten items of two: o_cc 2*5, o_ss 2*2, o_pp 2, o_uu 2, o_pu + o_up 2. n_c 10, n_s 4, n_p 3, n_u 3, n 20.

    alpha = 1 - (n - 1) * 2 / (n² - sum of n_c²) = 1 - 19 * 2 / (400 - 134). It is the weights that do not enter.
    """
    close(analysed(write(tmp_path, pd.DataFrame(lines()))).agreement.alpha.point, 1 - F(38, 266))


def test_without_success_the_decided_units_count_alone(tmp_path: Path) -> None:
    results = analysed(write(tmp_path, pd.DataFrame(lines()).drop(columns="success")))
    (contrast,) = results.contrasts
    close(contrast.split.parts["human"].point, F(2, 5))
    close(contrast.split.flow_buckets["plain_copying"].point, F(1, 5))
    tables = results.tables
    assert {row["part"] for row in tables["split"].rows} == {"human", *TAXONOMY.buckets}
    assert all(not row["success"].defined for row in tables["outcomes"].rows)
    assert any("no automatic success" in note for note in tables["split"].notes)
    for name in ("split", "sensitivity", "levels", "split_tests"):
        assert not any("pparent" in str(value) for row in tables[name].rows for value in row.values()), name
        assert "apparent" not in [column.key for column in tables[name].columns]
    (units,) = tables["units"].rows
    assert (units["units"], units["decided"]) == (5, 4)


def test_the_needed_columns_are_enough(tmp_path: Path) -> None:
    frame = pd.DataFrame(lines())[["unit", "cluster", "condition", "annotator", "label"]]
    (contrast,) = analysed(write(tmp_path, frame)).contrasts
    close(contrast.split.parts["human"].point, F(2, 4))


def test_gaps_are_gaps(tmp_path: Path) -> None:
    """An annotator without a label says nothing; a unit may lack at a condition; blank rows are none."""
    frame = pd.DataFrame(lines())
    frame.loc[(frame["annotator"] == "a2") & (frame["unit"] == "u5"), "label"] = None
    frame = frame[(frame["unit"] != "u2") | (frame["condition"] == "early")]
    path = write(tmp_path, frame)
    path.write_text(path.read_text("utf-8") + ",,,,,,,\n\n", "utf-8")
    results = analysed(path)
    (contrast,) = results.contrasts
    close(contrast.split.parts["human"].point, F(3, 5))  # u5: one judgement is left, and it decides
    assert (contrast.units.only_a, contrast.units.only_b) == (1, 0)
    assert results.left_out["rows without a label"] == 2
    people = {row["annotator"]: row for row in results.tables["agreement_annotators"].rows}
    assert (people["a1"]["asked"], people["a2"]["asked"]) == (9, 9)
    close(people["a2"]["skipped"].point, F(2, 9))


def test_labels_of_kind_missing_are_no_judgement(tmp_path: Path) -> None:
    frame = pd.DataFrame(lines())
    frame.loc[(frame["annotator"] == "a2") & (frame["unit"] == "u5"), "label"] = "unsure"
    results = analysed(write(tmp_path, frame))
    close(results.contrasts[0].split.parts["human"].point, F(3, 6))
    assert results.left_out == {"judgements `unsure`": 2}


def test_a_column_of_verdicts_settles_rows_and_the_majority_stands_beside_it(tmp_path: Path) -> None:
    """The lead calls u5 a copy at the start (human gain 3 of 6) and u1 an error (plain copying: u5 alone)."""
    frame = pd.DataFrame(lines()).assign(verdict=lambda f: f["label"])
    early = frame["condition"] == "early"
    frame.loc[early & (frame["unit"] == "u5"), "verdict"] = "plain_copy"
    frame.loc[early & (frame["unit"] == "u1"), "verdict"] = "unrelated"
    table = read_tidy_table(write(tmp_path, frame), TAXONOMY)
    under = {
        rule: analyse_table(table, TAXONOMY, (), FEW.model_copy(update={"verdict": rule}))
        for rule in ("adjudicated", "majority", "soft")
    }
    expected = {"adjudicated": (F(3, 6), F(1, 6)), "majority": (F(2, 6), F(1, 6)), "soft": (F(3, 6), F(3, 12))}
    for rule, (human, copies) in expected.items():
        (contrast,) = under[rule].contrasts
        close(contrast.split.parts["human"].point, human)
        close(contrast.split.flow_buckets["plain_copying"].point, copies)
        for row in under[rule].tables["sensitivity"].rows:  # each rule reads the others as they read themselves
            if row["variant"] in ("rule adjudicated", "rule majority", "rule soft"):
                close(row["human"].point, expected[row["variant"].removeprefix("rule ")][0])
    assert "verdict:soft" in under["soft"].tables["split"].signature


def test_a_row_without_weight_is_outside_the_sample(tmp_path: Path) -> None:
    frame = pd.DataFrame(lines())
    frame.loc[(frame["unit"] == "u3") & (frame["condition"] == "late"), "weight"] = None
    results = analysed(write(tmp_path, frame))
    (contrast,) = results.contrasts
    close(contrast.split.parts["apparent"].point, F(2, 4))
    assert (contrast.units.outside, results.left_out["units at a condition without a weight (outside the sample)"]) == (
        1,
        1,
    )


def test_unequal_weights_take_the_larger_and_say_so(tmp_path: Path) -> None:
    frame = pd.DataFrame(lines())
    frame.loc[(frame["unit"] == "u3") & (frame["condition"] == "late"), "weight"] = 4
    results = analysed(write(tmp_path, frame))
    close(results.contrasts[0].split.parts["apparent"].point, F(6, 8))
    assert any(note.startswith("1 unit that weigh") for note in results.tables["split"].notes)


def test_the_order_of_rows_changes_nothing(tmp_path: Path) -> None:
    rows = lines()
    before = analysed(write(tmp_path, pd.DataFrame(rows)))
    random.Random(3).shuffle(rows)
    after = analysed(write(tmp_path, pd.DataFrame(rows)))
    assert after.contrasts[0].split == before.contrasts[0].split
    assert after.shares == before.shares
    assert after.agreement.alpha.point == before.agreement.alpha.point


def test_a_kind_that_differs_on_unpatched_rows(tmp_path: Path) -> None:
    """other_concept is no_effect where a vector was patched in, else an error, with another bucket."""
    frame = pd.DataFrame(lines()).replace({"label": {"plain_copy": "other_concept"}}).assign(patched="false")
    flow = analysed(write(tmp_path, frame)).contrasts[0].split.flow_buckets
    close(flow["ability"].point, F(2, 6))
    close(flow["patch_effect"].point, F(0))
    flow = analysed(write(tmp_path, frame.drop(columns="patched"))).contrasts[0].split.flow_buckets
    close(flow["patch_effect"].point, F(1, 6))


def test_conditions_go_by_number_not_by_letter(tmp_path: Path) -> None:
    """9.5 before 10; a third condition makes consecutive contrasts and the whole way; series stay apart."""
    frame = pd.DataFrame(lines())
    middle = frame[frame["condition"] == "late"].assign(condition="middle", order=9.75)
    three = pd.concat([frame[::-1], middle])
    table = read_tidy_table(write(tmp_path, three), TAXONOMY)
    assert asked(table) == [("early", "middle"), ("middle", "late"), ("early", "late")]
    apart = three.assign(series=["x" if name == "middle" else "y" for name in three["condition"]])
    table = read_tidy_table(write(tmp_path, apart), TAXONOMY)
    assert asked(table) == [("early", "late")]
    unordered = pd.concat([frame, middle]).drop(columns="order")
    table = read_tidy_table(write(tmp_path, unordered), TAXONOMY)
    assert [one.name for one in table.conditions] == ["early", "late", "middle"]


def test_contrasts_can_be_named(tmp_path: Path) -> None:
    frame = pd.DataFrame(lines()).replace({"condition": {"early": "a -> b"}})
    path = write(tmp_path, frame)
    (contrast,) = analysed(path, "late -> a -> b").contrasts
    assert (contrast.contrast.a.name, contrast.contrast.b.name) == ("late", "a -> b")
    close(contrast.split.parts["apparent"].point, F(-4, 6))
    (contrast,) = analysed(path, "back: or not: late -> a -> b").contrasts
    assert (contrast.contrast.name, contrast.contrast.where) == ("back: or not", "late → a -> b")
    with pytest.raises(UserError, match=r"'late → a -> b' stands twice"):
        analysed(path, "late -> a -> b", "late -> a -> b")
    for named in ("late -> late", "late", "late then a"):
        with pytest.raises(UserError, match="name two different ones, with -> between them"):
            analysed(path, named)
    with pytest.raises(UserError, match=r"did you mean late\?"):
        analysed(path, "latte -> a -> b")


Change = Callable[[pd.DataFrame], object]
BAD: dict[str, tuple[Change, str]] = {
    "a label that is none": (
        lambda f: f.__setitem__("label", ["plain_copi", *f["label"][1:]]),
        r"csv:2: label 'plain_copi' is not in taxonomy 1; did you mean plain_copy\?",
    ),
    "no unit": (lambda f: f.__setitem__("unit", ["u1", "", *f["unit"][2:]]), r"csv:3: no unit"),
    "no cluster": (lambda f: f.__setitem__("cluster", ["", *f["cluster"][1:]]), r"csv:2: no cluster"),
    "no annotator": (
        lambda f: f.__setitem__("annotator", ["", *f["annotator"][1:]]), r"csv:2: a label without an annotator",
    ),
    "two clusters": (
        lambda f: f.__setitem__("cluster", [*f["cluster"][:2], "kx", *f["cluster"][3:]]),
        r"csv:4: unit 'u1' at 'early' has cluster 'kx' here and 'k1' on line 2",
    ),
    "two successes": (
        lambda f: f.__setitem__("success", [*f["success"][:2], 1, *f["success"][3:]]),
        r"csv:4: unit 'u1' at 'early' has success 1 here and 0 on line 2",
    ),
    "a success that is none": (
        lambda f: f.__setitem__("success", ["yes", *f["success"][1:]]), r"csv:2: success 'yes' is neither 0 nor 1",
    ),
    "some successes": (lambda f: f.__setitem__("success", [None, *f["success"][1:]]), r"csv:2: no success"),
    "a weight of nothing": (
        lambda f: f.__setitem__("weight", [0, *f["weight"][1:]]), r"csv:2: weight '0' is not a finite number above 0",
    ),
    "an endless weight": (
        lambda f: f.__setitem__("weight", ["inf", *f["weight"][1:]]), r"csv:2: weight 'inf' is not a finite number",
    ),
    "two weights of an item": (
        lambda f: (f.__setitem__("item", ["same"] * 4 + list(f["unit"] + f["condition"])[4:]),
                   f.__setitem__("weight", [1, 2, 1, 2, *f["weight"][4:]])),
        r"csv:3: item 'same' has weight 2 here and 1 on line 2",
    ),
    "an order that is none": (
        lambda f: f.__setitem__("order", ["first", *f["order"][1:]]), r"csv:2: order 'first' is not a finite number",
    ),
    "two orders": (
        lambda f: f.__setitem__("order", [1.0, *f["order"][1:]]),
        r"csv:4: condition 'early' has order 9.5 here and 1 on line 2",
    ),
    "two labels of one annotator": (
        lambda f: f.loc.__setitem__(len(f), [*f.iloc[0][:4], "correct", *f.iloc[0][5:]]),
        r"csv:22: item 'u1 at early' by 'a1' has label 'correct' here and 'plain_copy' on line 2",
    ),
    "a pre-label that is no category": (
        lambda f: f.__setitem__("prelabel", ["?", *["corect"] * (len(f) - 1)]),
        r"csv:3: prelabel 'corect' is not in taxonomy 1.*did you mean correct",
    ),
    "all of it excluded": (
        lambda f: f.__setitem__("excluded", 1), r"csv:2: every row is marked as excluded",
    ),
    "a column less": (
        lambda f: f.insert(0, "clusters", f.pop("cluster")),
        r"csv:1: column 'cluster' is missing.*did you mean clusters\? a tidy table has unit",
    ),
    "a column twice": (
        lambda f: f.insert(0, "weight", 1, allow_duplicates=True), r"csv:1: column weight stands twice",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, name: str) -> None:
    frame = pd.DataFrame(lines()).astype(object)
    change, message = BAD[name]
    change(frame)
    with pytest.raises(UserError, match=message):
        read_tidy_table(write(tmp_path, frame), TAXONOMY)


RAW: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "the file is empty"),
    "no header": (
        b"u1,k,early,a1,correct\n",
        r"csv:1: column 'unit' is missing; found: u1, k, early, a1, correct; a tidy table has unit, cluster",
    ),
    "a header alone": (b"unit,cluster,condition,annotator,label\n", "no rows beneath the header"),
    "a field too many": (b"unit,cluster,condition,annotator,label\nu,k,c,a,correct,x\n", r":2: expected 5 fields.*6"),
    "an open quote": (b'unit,cluster,condition,annotator,label\nu,k,c,a,"correct\n', "broken row"),
    "another encoding": (b"unit,cluster,condition,annotator,label\nu,k,\xe9,a,correct\n", r":2: not UTF-8"),
}


@pytest.mark.parametrize("name", RAW)
def test_files_that_are_no_table(tmp_path: Path, name: str) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(RAW[name][0])
    with pytest.raises(UserError, match=RAW[name][1]):
        read_tidy_table(path, TAXONOMY)


def test_files_that_are_not_there_or_no_parquet(tmp_path: Path) -> None:
    (tmp_path / "no.parquet").write_bytes(b"unit,cluster")
    with pytest.raises(UserError, match="not a Parquet file"):
        read_tidy_table(tmp_path / "no.parquet", TAXONOMY)
    for name in ("x.csv", "x.parquet"):
        with pytest.raises(UserError, match="no such file"):
            read_tidy_table(tmp_path / name, TAXONOMY)


def test_text_of_a_parquet_file_that_is_no_text(tmp_path: Path) -> None:
    texts = {name: [str(line[name]) for line in lines()[:1]] for name in lines()[0]}
    broken = pa.StringArray.from_buffers(1, pa.array([0, 1], pa.int32()).buffers()[1], pa.py_buffer(b"\xf3"))
    pq.write_table(pa.table({**texts, "annotator": broken}), tmp_path / "table.parquet")
    with pytest.raises(UserError, match=r"table\.parquet: not a Parquet file .*Invalid UTF8"):
        read_tidy_table(tmp_path / "table.parquet", TAXONOMY)


def test_a_row_of_a_parquet_file_is_named_by_number(tmp_path: Path) -> None:
    frame = pd.DataFrame(lines()).replace({"label": {"unrelated": "unrelatet"}})
    with pytest.raises(UserError, match=r"parquet, row 13: label 'unrelatet'"):
        read_tidy_table(write(tmp_path, frame, "table.parquet"), TAXONOMY)


def test_a_line_is_counted_over_quoted_line_breaks(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text('unit,cluster,condition,annotator,label\n"u\n1",k,c,a,correct\nu2,k,c,a,wrong\n', "utf-8")
    with pytest.raises(UserError, match=r":4: label 'wrong'"):
        read_tidy_table(path, TAXONOMY)


# --- the command -----------------------------------------------------------------------------------------


def test_the_command_writes_a_whole_report(tmp_path: Path) -> None:
    path, out = write(tmp_path, pd.DataFrame(lines())), tmp_path / "out"
    done = CliRunner().invoke(app, ["analyze", "--table", str(path), "--out", str(out), "--boot", "50", "--json"])
    assert done.exit_code == 0, done.output
    (contrast,) = json.loads(done.stdout)["contrasts"]
    close(contrast["parts"]["apparent"]["point"], F(4, 6))
    names = {file.relative_to(out).as_posix() for file in out.rglob("*") if file.is_file()}
    assert {"report.html", "run.json", "summary.json", "figures/split_1.pdf", "tables/transitions.tex"} <= names
    run = json.loads((out / "run.json").read_text("utf-8"))
    assert set(run["inputs"]) == {"table.csv"}
    assert run["seeds"] == {"analysis": 12345}
    page = (out / "report.html").read_text("utf-8")
    assert "Of +66.7 points of apparent gain" in page
    assert "http" not in page.replace("http-equiv", "")  # but for the images inside, nothing to load


def test_own_categories(tmp_path: Path) -> None:
    text = """
format: taxonomy/1
version: mine
title: Two of them
buckets: {wrong: Wrong}
categories:
  - {id: good, label: Good, hotkey: g, kind: correct, definition: Good.}
  - {id: bad, label: Bad, hotkey: b, kind: error, bucket: wrong, definition: Bad.}
decision:
  - {ask: "Good?", labels: [good]}
  - {ask: "Else.", labels: [bad]}
"""
    (tmp_path / "t.yaml").write_text(text, "utf-8")
    frame = pd.DataFrame(lines())
    frame["label"] = ["good" if label == "correct" else "bad" for label in frame["label"]]
    path, out = write(tmp_path, frame), tmp_path / "out"
    arguments = ["analyze", "--table", str(path), "--taxonomy", str(tmp_path / "t.yaml"), "--out", str(out)]
    done = CliRunner().invoke(app, [*arguments, "--boot", "50"])
    assert done.exit_code == 0, done.output
    assert re.search(r"50\.0 \[[^]]*\] are\s+wrong", done.output)  # u1, u4 and u5, on which both say bad


@pytest.mark.parametrize(
    "arguments",
    [
        [], ["STUDY", "--table", "t.csv"], ["STUDY", "--out", "x"], ["--table", "t.csv"], ["--out", "x"],
        ["STUDY", "--seed", "0"],
    ],
)  # fmt: skip
def test_either_a_study_or_a_table(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["gainsift", "analyze", *arguments])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_hostile_names_are_only_names(tmp_path: Path, hostile: dict[str, str]) -> None:
    texts = sorted({text.encode("utf-8", "replace").decode() for text in hostile.values() if text.strip()})[:40]
    frame = pd.concat([
        pd.DataFrame(lines()).assign(
            unit=lambda f, t=text: f["unit"] + t + "!", cluster=lambda f, t=text: t + f["cluster"]
        )
        for text in texts
    ]).replace({"condition": {"late": "<script>alert(1)</script>$x$ %s", "early": "[/red]early[bold"}})  # fmt: skip
    path, out = write(tmp_path, frame, "table.parquet"), tmp_path / "out"
    done = CliRunner().invoke(app, ["analyze", "--table", str(path), "--out", str(out), "--boot", "20"])
    assert done.exit_code == 0, f"{done.output} {done.exception!r}"
    assert "<script>" not in (out / "report.html").read_text("utf-8")


def test_a_unit_in_two_clusters_is_refused_unless_in_two_series(tmp_path: Path) -> None:
    frame = pd.DataFrame(lines())
    frame.loc[(frame["unit"] == "u1") & (frame["condition"] == "late"), "cluster"] = "elsewhere"
    expected = r"table.csv:\d+: unit 'u1' has cluster 'elsewhere' here and .* give one cluster"
    with pytest.raises(UserError, match=expected):
        read_tidy_table(write(tmp_path, frame), TAXONOMY)
    read_tidy_table(write(tmp_path, frame.assign(series=frame["condition"])), TAXONOMY)
