"""The options of `gainsift agreement`: levels, distances, weights, conditions, repeats, figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from gainsift.analysis.long_table import Further, read_long_table
from gainsift.cli.main import app
from gainsift.schemas.errors import UserError

ROWS = """item,annotator,label,when,outputs,again
1,ann,x,early,1,
1,bob,x,early,1,0
1,cy,y,early,1,no
1,ann,x,late,3,
1,bob,x,late,3,
1,cy,y,late,3,
2,ann,y,early,2,
2,bob,x,early,2,
3,ann,y,late,1,
3,cy,y,late,1,
1,ann,x,early,1,1
2,ann,x,early,2,yes
3,cy,,late,1,1
"""


def run(path: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["agreement", str(path), "--boot", "30", *options])


def data(path: Path, *options: str) -> dict[str, Any]:
    done = run(path, "--json", *options)
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    path.write_text(ROWS, "utf-8")
    return path


WHOLE = ["--all", "--weight", "outputs", "--condition", "when", "--repeat", "again"]


def test_the_further_columns_as_read(table: Path) -> None:
    found = read_long_table(table, further=Further("outputs", "when", "again"))
    assert found.labels == {
        "1": {"ann": "x", "bob": "x", "cy": "y"}, "2": {"ann": "y", "bob": "x"}, "3": {"ann": "y", "cy": "y"}
    }  # fmt: skip
    assert found.occurs == {"early": {"1": 1, "2": 2}, "late": {"1": 3, "3": 1}}
    assert found.weights == {"1": 4, "2": 2, "3": 1}
    assert found.repeats == {"1": {"ann": ["x"]}, "2": {"ann": ["x"]}, "3": {"cy": []}}
    assert found.skipped == 1  # the repeat without a label


def test_json_with_everything(table: Path) -> None:
    found = data(table, *WHOLE)
    assert found["intervals"] == "percentile limits of resampled items"
    assert found["drift"]["last"] == "late"
    assert found["drift"]["percent"]["point"] == pytest.approx(50 - 25)  # pairs: 2 of 4 late, 1 of 4 early
    assert set(found["coefficients"]) == {"alpha", "percent", "fleiss", "scott", "s", "ac1"}
    assert found["coefficients"]["scott"]["reason"].startswith("Scott's pi is for two annotators, not 3")
    assert found["percent"] == pytest.approx(40)  # pairs: 1 of 3, 0 of 1, 1 of 1
    assert found["weighted"]["percent"]["point"] == pytest.approx(100 * (4 * 1 + 1) / (4 * 3 + 2 + 1))
    assert list(found["without"]) == ["ann", "bob", "cy"]
    assert found["conditions"]["early"]["items"] == 2
    assert found["conditions"]["late"]["weighted"]["percent"]["point"] == pytest.approx(100 * (3 + 1) / (9 + 1))
    assert found["self_agreement"]["annotators"]["ann"]["coefficients"]["percent"]["point"] == pytest.approx(50)
    assert found["self_agreement"]["annotators"]["cy"]["coefficients"]["alpha"]["point"] is None
    assert found["pairs"][0]["confusion"] == [[1, 0], [1, 0]]  # ann by bob, labels x and y
    assert found["label_order"] == ["x", "y"]


def test_asking_for_more_changes_no_figure(table: Path) -> None:
    plain, more = data(table, "--repeat", "again", "--condition", "when"), data(table, *WHOLE)
    for one in more["conditions"].values():
        assert set(one.pop("weighted")) == set(one["coefficients"])
    for key in set(plain):
        assert more[key] == plain[key]  # the same draws: limits are equal to the last digit


def test_text_with_everything(table: Path) -> None:
    done = run(table, *WHOLE)
    assert done.exit_code == 0, done.output
    grids = ["Coefficients", "Alpha without each annotator", "Items that occur at each condition"]
    for words in [*grids, "Annotators with themselves", "Gwet's AC1", "late", "weighted", "limits of resampled items"]:
        assert words in done.stdout


@pytest.mark.parametrize(
    ("level", "labels", "alpha"),
    [
        # 1: both a; 2: a and a|b; 3: both b. As test_agreement_distances works it out, for masi; jaccard has 1/2
        ("masi", ("a", "a", "a", "a|b", "b", "b"), 1 - (2 / 9) / (28 / 45)),
        ("jaccard", ("a", "a", "a", "a|b", "b", "b"), 1 - (1 / 6) / ((3 / 2 + 6 + 1) / 15)),
        # paths e/x, e/y, c: d(e/x, e/y) = 1/2, d(c, .) = 1; observed 2 * 1/2 of 6
        ("path", ("e/x", "e/x", "e/x", "e/y", "c", "c"), 1 - (1 / 6) / ((3 / 2 + 6 + 2) / 15)),
    ],
)
def test_levels_of_sets_and_paths(tmp_path: Path, level: str, labels: tuple[str, ...], alpha: float) -> None:
    path = tmp_path / "sets.csv"
    rows = [f"{place // 2},{'ab'[place % 2]},{label}" for place, label in enumerate(labels)]
    path.write_text("item,annotator,label\n" + "\n".join(rows), "utf-8")
    found = data(path, "--level", level, "--all")
    assert found["alpha"]["point"] == pytest.approx(alpha)
    assert found["signature"].startswith(f"alpha:{level}|level:label|")
    assert "cohen_weighted" in found["pairs"][0]["coefficients"]
    assert {"ac2", "fleiss_weighted"} < set(found["coefficients"])


def test_distances_of_ones_own(tmp_path: Path, table: Path) -> None:
    matrix = tmp_path / "distances.csv"
    matrix.write_text("label,x,y\nx,0,4\ny,4,0\n", "utf-8")
    own, plain = data(table, "--repeat", "again", "--distance", str(matrix)), data(table, "--repeat", "again")
    assert own["alpha"] == pytest.approx(plain["alpha"])  # two labels: any distance is the nominal one
    assert own["signature"].startswith("alpha:given|")
    matrix.write_text("label,x\nx,0\n", "utf-8")
    failed = run(table, "--repeat", "again", "--distance", str(matrix))
    assert "no distances for the label 'y'" in str(failed.exception)
    both = run(table, "--distance", str(matrix), "--level", "masi")
    assert isinstance(both.exception, UserError)
    assert "it stands beside --level masi" in str(both.exception)


def test_figures_and_how_they_came_about(tmp_path: Path, table: Path) -> None:
    folder = tmp_path / "new" / "figures"
    done = run(table, "--repeat", "again", "--figures", str(folder))
    assert done.exit_code == 0, done.output
    names = {"agreement_pairs", "agreement_confusion"}
    assert {path.name for path in folder.iterdir()} == {
        "agreement.run.json", *(f"{name}.{kind}" for name in names for kind in ("pdf", "png"))
    }  # fmt: skip
    record = json.loads((folder / "agreement.run.json").read_text("utf-8"))
    assert list(record["inputs"]) == ["table.csv"]
    assert record["seeds"] == {"seed": 12345}
    assert f"figure: {folder / 'agreement_pairs.pdf'}" in done.stderr
    assert isinstance(run(table, "--repeat", "again", "--figures", str(table)).exception, UserError)


def test_nothing_to_draw_is_said(tmp_path: Path) -> None:
    path = tmp_path / "alone.csv"
    path.write_text("item,annotator,label\n1,a,x\n", "utf-8")
    done = run(path, "--figures", str(tmp_path / "figures"))
    assert done.exit_code == 0
    assert "no figures: one annotator only, 1 item" in done.stderr
    assert list((tmp_path / "figures").iterdir()) == []


@pytest.mark.parametrize(
    ("rows", "further", "words"),
    [
        ("item,annotator,label\n1,a,x\n", Further(weight="outputs"), ":1: missing column outputs"),
        ("item,annotator,label,w\n1,a,x,-1\n", Further(weight="w"), ":2: w '-1' is not a finite number of 0 or more"),
        ("item,annotator,label,w\n1,a,x,\n", Further(weight="w"), ":2: w '' is not a finite number"),
        ("item,annotator,label,w\n1,a,x,inf\n", Further(weight="w"), ":2: w 'inf' is not a finite number"),
        (
            "item,annotator,label,w\n1,a,x,1\n1,b,x,2\n",
            Further(weight="w"),
            ":3: item '1' has the w 2 here and 1 furthe",
        ),
        ("item,annotator,label,c\n1,a,x,\n", Further(condition="c"), ":2: no c"),
        ("item,annotator,label,c\n1,a,x,1\n1,a,y,2\n", Further(condition="c"), ":3: annotator 'a' labels item '1' 'y'"),
    ],
)
def test_bad_columns_are_refused_by_line(tmp_path: Path, rows: str, further: Further, words: str) -> None:
    path = tmp_path / "f.csv"
    path.write_text(rows, "utf-8")
    with pytest.raises(UserError) as caught:
        read_long_table(path, further=further)
    assert words in str(caught.value)


def test_a_weight_may_differ_by_condition(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("item,annotator,label,w,c\n1,a,x,1,p\n1,a,x,2,q\n1,a,x,2,q\n", "utf-8")
    found = read_long_table(path, further=Further("w", "c"))
    assert found.occurs == {"p": {"1": 1}, "q": {"1": 2}}
    assert found.skipped == 1  # the line that stands twice


def test_too_many_labels_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    rows = "".join(f"{n},a,{n}.5\n{n},b,{n}.25\n" for n in range(1001))
    path.write_text("item,annotator,label\n" + rows, "utf-8")
    failed = run(path, "--level", "interval")
    assert isinstance(failed.exception, UserError)
    assert "2,002 different labels are more than 2,000" in str(failed.exception)


# --- what a label means ----------------------------------------------------------------------------------


def written(folder: Path, *labels: tuple[str, str]) -> Path:
    """A table of two annotators, an item for each pair of labels."""
    path = folder / "labels.csv"
    rows = [
        f"{place},{who},{label}" for place, pair in enumerate(labels) for who, label in zip("ab", pair, strict=True)
    ]
    path.write_text("item,annotator,label\n" + "\n".join(rows), "utf-8")
    return path


@pytest.mark.parametrize(
    ("level", "pairs", "labels"),
    [
        ("masi", [("a|b", "b | a"), ("a|a", "a"), ("|", " | ")], ["a", "a|b", "|"]),
        ("jaccard", [("b|a|b", "a|b")], ["a|b"]),
        ("path", [("error/copy", "error / copy"), ("error//copy", "/error/copy/"), ("/", "//")], ["/", "error/copy"]),
        ("ordinal", [("1", "1.0"), ("0", "-0"), ("2.50", "2.5"), ("1e16", "1e+16")], ["0", "1", "1e+16", "2.5"]),
    ],
)
def test_one_meaning_has_one_spelling(
    tmp_path: Path, level: str, pairs: list[tuple[str, str]], labels: list[str]
) -> None:
    found = data(written(tmp_path, *pairs), "--level", level)
    assert sorted(found["per_label"]) == labels
    assert found["percent"] == 100


@pytest.mark.parametrize(
    ("level", "label", "words"),
    [
        ("interval", "1e151", "is too large to be squared; scale labels to 1e+150 at most"),
        ("ratio", "-1", "is below 0, which no ratio is; use --level interval"),
        ("ordinal", "high", "is not a number; use --level nominal for names"),
    ],
)
def test_numbers_that_a_level_has_no_use_for(tmp_path: Path, level: str, label: str, words: str) -> None:
    failed = run(written(tmp_path, ("1", "2"), ("1", label)), "--level", level)
    assert isinstance(failed.exception, UserError)
    assert f"labels.csv:5: label {label!r} {words}" in str(failed.exception)


def test_labels_that_say_that_there_is_none(tmp_path: Path) -> None:
    path = written(tmp_path, ("x", "x"), ("x", "unsure"), ("y", ""), ("y", "y"), ("?", "x"))
    found = data(path, "--missing", "unsure", "--missing", "?")
    assert found["gaps"] == {"of": 10, "unsure": 1, "": 1, "?": 1}
    assert (found["skipped"], sorted(found["per_label"]), found["percent"]) == (3, ["x", "y"], 100)
    assert "without a usable label: 30.0 % of 10 judgements (1 unsure, 1 empty, 1 ?)" in run(
        path, "--missing", "unsure", "--missing", "?"
    ).stdout.replace("\n", " ")


def test_categories_of_a_taxonomy(tmp_path: Path) -> None:
    """Kinds: correct twice, error twice, one pair apart. Paths: non_word and cut_off are 1/3 apart (test of distances).

    Values: correct 3, non_word 2, cut_off 1. Observed 2 (1/3 + 1) / 6; expected, over ordered pairs of values,
    2 (3·2·1 + 3·1·1 + 2·1/3) / 30.
    """
    path = written(
        tmp_path, ("correct", "correct"), ("non_word", "cut_off"), ("correct", "non_word"), ("unsure", "empty")
    )
    found = data(path, "--taxonomy", "built-in")
    assert found["gaps"] == {"of": 8, "unsure": 1}
    assert found["kinds"]["coefficients"]["percent"]["point"] == pytest.approx(200 / 3)
    assert found["paths"]["alpha"]["point"] == pytest.approx(1 - (2 * 4 / 3 / 6) / (2 * (6 + 3 + 2 / 3) / 30))
    text = run(path, "--taxonomy", "built-in").stdout
    assert "Kinds of labels, and paths" in text
    unknown = run(written(tmp_path, ("correct", "non_wort")), "--taxonomy", "built-in")
    assert "labels.csv:3: unknown label 'non_wort'; did you mean non_word?" in str(unknown.exception)
    listed = run(written(tmp_path, ("correct", "xyzzy")), "--taxonomy", "built-in")
    assert str(listed.exception).count("unsure") == 1
    both = run(path, "--taxonomy", "built-in", "--level", "masi")
    assert "--taxonomy: it stands beside --level masi" in str(both.exception)
    assert isinstance(run(path, "--taxonomy", str(tmp_path / "none.yaml")).exception, UserError)


def test_no_figure_is_cut_off_on_a_narrow_terminal(table: Path) -> None:
    """Eighty columns: a line for each coefficient of each pair, and no figure that ends in an ellipsis."""
    done = run(table, "--all", "--repeat", "again")
    assert "…" not in done.stdout
    assert done.stdout.count("Gwet's AC1") == 1 + 3
