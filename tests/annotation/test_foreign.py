"""Anybody's Label Studio export becomes the long table of `gainsift agreement`; expected tables are written by hand."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gainsift.annotation.foreign import long_table, to_csv
from gainsift.cli.main import app
from gainsift.schemas.errors import UserError


def choices(*labels: Any, name: str = "sentiment", **more: Any) -> dict[str, Any]:
    return {"from_name": name, "to_name": "text", "type": "choices", "value": {"choices": list(labels), **more}}


def taxonomy(*paths: list[str], name: str = "topic") -> dict[str, Any]:
    return {"from_name": name, "to_name": "text", "type": "taxonomy", "value": {"taxonomy": list(paths)}}


def entry(who: Any, *result: Any, hour: int = 10, **more: Any) -> dict[str, Any]:
    """An annotation by the account `who`, last changed at this hour."""
    time = f"2026-02-01T{hour:02}:00:00.000000Z"
    return {
        "completed_by": who, "result": list(result), "was_cancelled": False, "ground_truth": False,
        "created_at": time, "updated_at": time, **more,
    }  # fmt: skip


def export(*tasks: tuple[int, list[Any]], **more: Any) -> list[Any]:
    """(place, task) of tasks given as (number, annotations)."""
    return [
        (f"file: task {number}", {"id": number, "data": {"text": f"t{number}"}, "annotations": annotations, **more})
        for number, annotations in tasks
    ]


def rows(*arguments: Any, **options: Any) -> list[tuple[str, str, str]]:
    return long_table(*arguments, **options).rows


# --- a whole export, worked out by hand ----------------------------------------------------------------------

SENTIMENT: list[Any] = [
    # task 11: both say pos; the second annotator first said neg, at nine; somebody left a draft
    {
        "id": 11, "data": {"text": "great", "key": "r1"}, "drafts": [{"id": 1, "result": [choices("neg")]}, 2],
        "annotations": [
            entry(31, choices("pos")),
            entry({"id": 7, "email": "Real.Name@example.org"}, choices("pos"), hour=11),
            entry({"id": 7, "email": "Real.Name@example.org"}, choices("neg"), hour=9),
        ],
    },
    # task 12: pos and neg; a ground truth, which is nobody's judgement
    {
        "id": 12, "data": {"text": "so-so", "key": "r2"}, "drafts": [],
        "annotations": [
            entry(7, choices("neg")),
            entry(31, choices("pos")),
            entry(2, choices("pos"), ground_truth=True),
        ],
    },
    # task 13: both neg; one result of another field
    {
        "id": 13, "data": {"text": "bad", "key": "r3"}, "drafts": [],
        "annotations": [
            entry(7, {"from_name": "why", "type": "textarea", "value": {"text": ["x"]}}, choices("neg")),
            entry(31, choices("neg")),
        ],
    },
    # task 14: both pos; one account skipped it before, one left it empty, and one sentence is labelled by itself
    {
        "id": 14, "data": {"text": "fine. bad.", "key": "r4"},
        "annotations": [
            entry(7, was_cancelled=True),
            entry(8),
            entry(8, choices("neg", start=0, end=4, text="fine"), hour=12),
            entry(7, choices("pos"), hour=12),
            entry("Third@example.org", choices("pos")),
            entry({"id": 31, "email": "third@example.org"}, choices("pos"), hour=8),
        ],
    },
]  # fmt: skip
"""Account 31 (third@example.org) is annotator 2, account 7 is annotator 1."""

TABLE = """"item","annotator","label"
"11","annotator 1","pos"
"11","annotator 2","pos"
"12","annotator 1","neg"
"12","annotator 2","pos"
"13","annotator 1","neg"
"13","annotator 2","neg"
"14","annotator 1","pos"
"14","annotator 2","pos"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "sentiment.json"
    path.write_text(json.dumps(SENTIMENT), "utf-8")
    return path


def run(*arguments: Any) -> Any:
    return CliRunner().invoke(app, list(map(str, arguments)))


def test_a_whole_export(file) -> None:
    done = run("annotate", "table", file)
    assert done.exit_code == 0, done.output
    assert done.stdout == TABLE
    assert done.stderr.splitlines() == [
        "8 judgements of 4 items by 2 annotators, from 4 tasks",
        "2 drafts left out",
        "1 ground-truth annotations left out",
        "1 skipped tasks (cancelled annotations) left out",
        "2 annotations without a label left out",
        "1 labels of single regions left out",
        "2 earlier judgements of the same annotator on the same item left out",
    ]


def test_the_same_as_json(file, tmp_path) -> None:
    out = tmp_path / "table.csv"
    done = run("annotate", "table", file, "--json", "--out", out)
    told = json.loads(done.stdout)
    assert [tuple(row.values()) for row in told["rows"]] == [tuple(row) for row in csv.reader(io.StringIO(TABLE))][1:]
    assert list(told["rows"][0]) == ["item", "annotator", "label"]
    assert (told["items"], told["annotators"], told["tasks"]) == (4, 2, 4)
    assert told["counts"]["drafts left out"] == 2
    assert out.read_text("utf-8") == TABLE


def test_its_agreement_is_what_it_is_by_hand(file, tmp_path) -> None:
    """Four items, one of them disputed; five of the eight labels are pos.

    Percent 3/4. Kappa: annotator 1 says pos 2 of 4, annotator 2 3 of 4, so by chance 1/2·3/4 + 1/2·1/4 = 1/2, and
    (3/4 − 1/2)/(1 − 1/2) = 1/2. Alpha: observed 2/8, expected 2·5·3/(8·7) = 30/56; 1 − (1/4)/(30/56) = 8/15.
    """
    out = tmp_path / "made" / "table.csv"
    done = run("annotate", "table", file, "--out", out)
    assert done.exit_code == 0, done.output
    assert done.stdout == ""
    assert out.read_text("utf-8") == TABLE
    found = json.loads(run("agreement", out, "--json", "--boot", "50").stdout)
    assert (found["items"], found["annotators"], found["skipped"]) == (4, 2, 0)
    assert found["percent"] == pytest.approx(75)
    assert found["alpha"]["point"] == pytest.approx(8 / 15)
    (pair,) = found["pairwise"]
    assert (pair["n"], pair["cohen_kappa"]) == (4, pytest.approx(1 / 2))
    record = json.loads(out.with_suffix(".run.json").read_text("utf-8"))
    assert record["product"] == "table.csv"
    assert list(record["inputs"]) == [str(file)]
    for product in out.parent.iterdir():
        assert "example.org" not in product.read_text("utf-8")


def test_the_items_may_be_named_by_a_key_of_the_data(file) -> None:
    done = run("annotate", "table", file, "--item-key", "key")
    assert done.stdout == TABLE.replace('"1', '"r')
    missing = run("annotate", "table", file, "--item-key", "kee")
    assert isinstance(missing.exception, UserError)
    assert "its data has no text or number under 'kee'; did you mean key?" in str(missing.exception)


def test_ground_truth_and_numbers_on_request(file) -> None:
    done = run("annotate", "table", file, "--ground-truth", "--keep-ids")
    table = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [(row["annotator"], row["label"]) for row in table if row["item"] == "12"] == [
        ("2", "pos"),
        ("31", "pos"),
        ("7", "neg"),
    ]


# --- fields --------------------------------------------------------------------------------------------------


def test_several_fields_must_be_chosen_from() -> None:
    tasks = export((1, [entry(1, choices("pos"), choices("a", name="kind"), taxonomy(["x"]))]))
    with pytest.raises(UserError) as error:
        long_table(tasks)
    assert str(error.value) == (
        "EXPORT: several fields: kind (1 results), sentiment (1 results), topic (1 results); "
        "name one of them with --from-name"
    )
    assert rows(tasks, from_name="kind") == [("1", "annotator 1", "a")]
    with pytest.raises(UserError, match=r"no field 'knd' in these exports; did you mean kind\?"):
        long_table(tasks, from_name="knd")


def test_an_export_without_such_a_field() -> None:
    tasks = export((1, [entry(1, {"from_name": "r", "type": "rating", "value": {"rating": 3}})]))
    with pytest.raises(UserError, match="no Choices or Taxonomy result in it"):
        long_table(tasks)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([{"id": 1, "text": "t", "sentiment": "pos", "annotator": 1, "annotation_id": 5}], "not JSON-MIN or CSV"),
        ([{"id": 1, "data": {"text": "t"}}], "has no annotations; export in the format JSON"),
        ({"text": "t"}, "expected a list of tasks"),
    ],
)
def test_other_formats_are_refused(content, message, tmp_path) -> None:
    file = tmp_path / "other.json"
    file.write_text(json.dumps(content), "utf-8")
    done = run("annotate", "table", file)
    assert isinstance(done.exception, UserError)
    assert message in str(done.exception)


def test_nothing_left_is_an_error_that_says_why(tmp_path) -> None:
    """Imported annotations are marked as ground truth unless told otherwise."""
    file = tmp_path / "gold.json"
    file.write_text(json.dumps([task for _, task in export((1, [entry(1, choices("a"), ground_truth=True)]))]), "utf-8")
    done = run("annotate", "table", file)
    assert isinstance(done.exception, UserError)
    assert str(done.exception) == f"{file}: no judgement is left: 1 ground-truth annotations left out"
    assert run("annotate", "table", file, "--ground-truth").exit_code == 0


def test_the_table_never_replaces_an_export(file) -> None:
    before = file.read_bytes()
    done = run("annotate", "table", file, "--out", file)
    assert isinstance(done.exception, UserError)
    assert file.read_bytes() == before


# --- trees, several labels -----------------------------------------------------------------------------------

ANIMALS = export(
    (1, [entry(1, taxonomy(["Animal", "Dog"])), entry(2, taxonomy(["Animal"]))]),
    (2, [entry(1, taxonomy(["Animal", "Other"])), entry(2, taxonomy(["Plant", "Other"]))]),
    (3, [entry(1, taxonomy(["Plant", "Tree", "Oak"])), entry(2, taxonomy(["Plant", "Tree"], ["Animal", "Dog"]))]),
    (4, [entry(1, taxonomy(["Animal"], ["Animal", "Dog"])), entry(2, taxonomy())]),
)
EXPECTED = {
    "full": ["Animal > Dog", "Animal", "Animal > Other", "Plant > Other", "Plant > Tree > Oak",
             "Animal > Dog | Plant > Tree", "Animal > Dog"],
    "leaf": ["Dog", "Animal", "Other", "Other", "Oak", "Dog | Tree", "Dog"],
    "top": ["Animal", "Animal", "Animal", "Plant", "Plant", "Animal | Plant", "Animal"],
}  # fmt: skip


@pytest.mark.parametrize("part", EXPECTED)
def test_paths_of_a_tree(part) -> None:
    table = long_table(ANIMALS, path=part)
    assert [label for _, _, label in table.rows] == EXPECTED[part]
    counts = {
        "annotations without a label left out": 1,
        "judgements with several labels": 1,
        # Animal on item 1, Plant > Tree on item 3; Animal on item 4 was ticked along with its child
        "judgements that stop above a leaf, kept as they are": 2,
    }
    same = {"labels that stand in several places of the tree and are not told apart": 1}
    assert table.counts == counts | (same if part == "leaf" else {})


def test_a_judgement_with_several_labels_may_be_left_out() -> None:
    table = long_table(ANIMALS, multiple="leave-out")
    assert [(item, name) for item, name, _ in table.rows if item == "3"] == [("3", "annotator 1")]
    assert table.counts["judgements with several labels"] == 1


def test_several_labels_read_alike_in_any_order() -> None:
    tasks = export(
        (1, [entry(1, choices("b", "a")), entry(2, choices("a"), choices("b")), entry(3, choices("a | b"))]),
        (2, [entry(1, taxonomy(["a", "b"], name="sentiment")), entry(2, choices("a > b"))]),
    )
    assert [label for _, _, label in rows(tasks)] == ["a | b", "a | b", "a \\| b", "a > b", "a \\> b"]


def test_results_of_another_shape_are_counted() -> None:
    odd = [choices(3), choices("  "), choices(["a", 1]), {"from_name": "sentiment", "value": {"choices": "x"}}]
    table = long_table(export((1, [entry(1, *odd), entry(2, choices("a")), entry(3, "no part")])))
    assert table.rows == [("1", "annotator 1", "a")]
    assert table.counts == {"annotations without a label left out": 2, "results of another shape left out": 3}


# --- annotators and items ------------------------------------------------------------------------------------


def test_annotators_are_numbered_by_account_and_never_named() -> None:
    people = ["zoe@x.org", 10, 9, {"email": "adam@x.org"}, {"id": 3, "email": "bo@x.org", "first_name": "Bo"}]
    tasks = export((1, [entry(who, choices("a")) for who in people]), (2, [entry("BO@x.org", choices("a"))]))
    table = long_table(tasks)
    # 3, 9, 10 by number, then adam and zoe by address; Bo is 3
    assert [name for item, name, _ in table.rows if item == "2"] == ["annotator 1"]
    assert sorted(name for item, name, _ in table.rows if item == "1") == [f"annotator {n}" for n in range(1, 6)]
    assert b"@" not in to_csv(table)


def test_an_annotation_without_an_author_is_counted() -> None:
    table = long_table(export((1, [entry(None, choices("a")), entry(4, choices("b"))])))
    assert table.rows == [("1", "annotator 1", "b")]
    assert table.counts == {"annotations without an author left out": 1}


def test_one_project_for_each_annotator_needs_a_key(tmp_path) -> None:
    files = []
    for who in (1, 2):
        files.append(tmp_path / f"{who}.json")
        tasks = [{"id": 10 * who, "data": {"uid": "same"}, "annotations": [entry(who, choices("a"))]}]
        files[-1].write_text(json.dumps(tasks), "utf-8")
    apart, joined = run("annotate", "table", *files), run("annotate", "table", *files, "--item-key", "uid")
    assert "no item was judged by two annotators: " in apart.stderr
    assert "no item was judged" not in joined.stderr
    assert joined.stdout.splitlines()[1:] == ['"same","annotator 1","a"', '"same","annotator 2","a"']


def test_no_cell_is_a_formula_and_no_label_is_lost(hostile_output) -> None:
    tasks = export((1, [entry(1, choices("x" + hostile_output)), entry(2, choices(hostile_output or "-"))]))
    table = long_table(tasks)
    text = to_csv(table).decode("utf-8")
    cells = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    for row in cells:
        for cell in row:
            assert not cell.lstrip().startswith(tuple("=+-@＝＋－＠"))
    labels = {row[1]: row[2] for row in cells[1:]}
    plain = hostile_output.encode("utf-8", "backslashreplace").decode("utf-8")
    assert labels["annotator 1"] == "x" + plain.replace(" | ", " \\| ").replace(" > ", " \\> ")
    changed = sum(cell.startswith("'") for row in cells for cell in row) - hostile_output.startswith("'")
    assert table.counts.get("cells with an apostrophe in front, for a spreadsheet would run them", 0) == changed
