"""`gainsift agreement`: the csv as anyone may write it, the JSON, and one line for each kind of bad input."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gainsift.analysis.long_table import read_long_table
from gainsift.cli.main import app
from gainsift.schemas.errors import UserError

HERE = Path(__file__).parent / "reference"


def expand(name: str, folder: Path, gaps: bool) -> Path:
    """The long form of a table with a column for each annotator; gaps as rows without label, or no rows."""
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    long = [
        [row[0], who, label]
        for row in rows[1:]
        for who, label in zip(rows[0][1:], row[1:], strict=True)
        if label or gaps
    ]
    path = folder / "long.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["item", "annotator", "label"], *long])
    return path


@pytest.mark.parametrize("gaps", [True, False])
@pytest.mark.parametrize(
    ("level", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)]
)
def test_json_of_a_published_table(tmp_path: Path, level: str, published: float, gaps: bool) -> None:
    """Krippendorff 2011: 12 units, 4 observers, 7 of 48 cells empty."""
    path = expand("01_krippendorff2011_4obs_12units.csv", tmp_path, gaps)
    done = CliRunner().invoke(app, ["agreement", str(path), "--json", "--level", level, "--boot", "20", "--seed", "3"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert list(found) == [
        "items", "annotators", "labels", "skipped", "alpha", "percent", "pairwise", "per_label", "intervals", "gaps",
        "signature",
    ]  # fmt: skip
    assert found["gaps"] == ({"of": 48, "": 7} if gaps else {"of": 41})
    assert (found["items"], found["annotators"], found["labels"]) == (12, 4, 5)
    assert found["skipped"] == (7 if gaps else 0)
    assert list(found["alpha"]) == ["point", "low", "high"]
    assert found["alpha"]["point"] == pytest.approx(published, abs=5e-4)
    assert list(found["pairwise"][0]) == ["a", "b", "n", "cohen_kappa", "low", "high"]
    assert len(found["pairwise"]) == 6
    assert all(list(one) == ["alpha", "low", "high", "support"] for one in found["per_label"].values())
    assert sum(one["support"] for one in found["per_label"].values()) == 41
    skipped = 7 if gaps else 0
    assert found["signature"].startswith(
        f"alpha:{level}|level:label|items:12|raters:4|skipped:{skipped}|boot:20|rs:3|v:"
    )


def test_text_names_everything(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("item,annotator,label\n1,[red]ann[/red],x\n1,bob,x\n2,[red]ann[/red],y\n2,bob,x\n", "utf-8")
    done = CliRunner().invoke(app, ["agreement", str(path), "--boot", "10"])
    assert done.exit_code == 0, done.output
    assert "[red]ann[/red]" in done.stdout
    assert "2 items, 2 annotators, 2 labels, 0 skipped" in done.stdout
    assert "Intervals from 10 resamples only are not to be trusted" in done.stderr
    assert "alpha:nominal|level:label|items:2" in done.stdout


def test_one_is_one(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("item,annotator,label\n1,ann,x\n", "utf-8")
    done = CliRunner().invoke(app, ["agreement", str(path)])
    assert "1 item, 1 annotator, 1 label, 0 skipped" in done.stdout
    assert "one annotator only, 1 item\n" in done.stderr
    assert "resample" not in done.stderr  # a thousand are enough


def test_undefined_is_said_with_its_reason(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("item,annotator,label\n1,a,x\n2,a,y\n3,a,\n", "utf-8")
    done = CliRunner().invoke(app, ["agreement", str(path), "--json"])
    assert done.exit_code == 0
    assert json.loads(done.stdout)["alpha"] == {"point": None, "low": None, "high": None}
    assert "undefined: one annotator only, 2 items" in done.stderr
    assert "undefined" in CliRunner().invoke(app, ["agreement", str(path)]).stdout


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (b"", "", "empty"),
        (b"\n\n", "", "empty"),
        (b"item,annotator,label\n", "", "no rows beneath the header"),
        (b"item,coder,label\n1,a,x\n", ":1", "missing column annotator"),
        (b"item;annotator;label\n1;a;x\n", ":1", "missing columns item, annotator, label"),
        (b"item,annotator,label,item\n1,a,x,2\n", ":1", "column item stands twice"),
        (b"item,annotator,label\n1,a,x\n2,b\n", ":3", "expected 3 fields as in the header, found 2"),
        (b"item,annotator,label\n1,a,x,y\n", ":2", "found 4"),
        (b"item,annotator,label\n1,,x\n", ":2", "no annotator"),
        (b"item,annotator,label\n ,a,x\n", ":2", "no item"),
        (b"item,annotator,label\n1,a,caf\xe9\n", ":2", "not UTF-8"),
        ("item,annotator,label\n1,a,x\n".encode("utf-16"), ":1", "not UTF-8"),
        (b'item,annotator,label\n1,a,"x\n2,b,y\n', ":2", "broken row"),
        (b"item,annotator,label\n1,a,x\n1,b,x\n1,a,y\n", ":4", "and 'x' on line 2"),
    ],
)
def test_bad_files_are_refused_by_line(tmp_path: Path, content: bytes, line: str, words: str) -> None:
    path = tmp_path / "f.csv"
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        read_long_table(path)
    assert caught.value.where == f"{path}{line}"
    assert words in str(caught.value)
    assert caught.value.exit_code == 2
    assert isinstance(CliRunner().invoke(app, ["agreement", str(path)]).exception, UserError)


def test_names_need_the_nominal_level(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("item,annotator,label\n1,a,1\n1,b,nan\n", "utf-8")
    with pytest.raises(UserError, match=r"f\.csv:3: label 'nan' is not a number"):
        read_long_table(path, level="interval")
    assert read_long_table(path).labels["1"]["b"] == "nan"


def test_a_missing_file_and_a_folder_are_the_users_mistake(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(UserError):
            read_long_table(path)


def test_what_is_forgiven(tmp_path: Path) -> None:
    """A byte-order mark, Windows line ends, columns in any order, further columns, repeated equal rows."""
    path = tmp_path / "f.csv"
    text = '\ufefflabel,note,annotator,item\r\nx,n,a,1\r\n\r\nx,n,a,1\r\n"y, or z",n,b,1\r\n,n,a,2\r\n'
    path.write_bytes(text.encode())
    table = read_long_table(path)
    assert table.labels == {"1": {"a": "x", "b": "y, or z"}, "2": {}}
    assert table.skipped == 2  # the repetition and the gap


def test_one_number_in_two_spellings_is_one_label(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("item,annotator,label\n1,a,1\n1,b,1.0\n2,a,0\n2,b,-0.0\n", "utf-8")
    assert read_long_table(path, level="interval").labels == {
        "1": {"a": "1", "b": "1"},
        "2": {"a": "0", "b": "0"},
    }
