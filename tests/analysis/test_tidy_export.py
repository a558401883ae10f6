"""The export: its dictionary, what is not in it, and the same numbers by the table as by the folder."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Callable
from fractions import Fraction as F
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from gainsift.analysis.estimate import Estimate
from gainsift.analysis.findings import Findings
from gainsift.analysis.results import Results, analyse
from gainsift.analysis.tidy_analysis import analyse_table
from gainsift.analysis.tidy_export import COLUMNS, write_export
from gainsift.analysis.tidy_table import NEEDED, OPTIONAL, read_tidy_table
from gainsift.cli.main import app
from gainsift.schemas.concepts import Concept, Sense
from gainsift.schemas.errors import UserError
from gainsift.schemas.files import write_parquet
from gainsift.schemas.rows import AutomaticLabel
from gainsift.schemas.spreadsheet import is_formula
from gainsift.schemas.study import PRELABELS_FORMAT, Study

CONTRAST = "c1 to patched c2: c1, unpatched -> c2, tgt, layer 1"


@pytest.fixture
def study(make_study: Callable[..., Any], plain_concept: Callable[..., Concept], hand_worked: ModuleType) -> Study:
    maker = make_study()
    hand_worked.build(maker, plain_concept)
    made: Study = maker.write()
    return made


def exported(study: Study, name: str, *contrasts: str) -> Findings:
    folder = study.folder / "export"
    write_export(study, folder, "gainsift export")
    return analyse_table(
        read_tidy_table(folder / name, study.taxonomy), study.taxonomy, contrasts, study.config.analysis
    )


@pytest.mark.parametrize("name", ["tidy.csv", "tidy.parquet"])
def test_the_hand_worked_study_by_its_table(study: Study, hand_worked: ModuleType, name: str) -> None:
    """To the fractions that are worked out there: draws, an adjudicated item, a sense that no form gives and all."""
    hand = hand_worked
    (contrast,) = exported(study, name, CONTRAST).contrasts
    for part, value in hand.SPLIT.items():
        assert contrast.split.parts[part].point == pytest.approx(float(value), abs=1e-12)
    for bucket in hand.FLOW:
        assert contrast.split.flow_buckets[bucket].point == pytest.approx(float(hand.FLOW[bucket]), abs=1e-12)
        assert contrast.split.share_buckets[bucket].point == pytest.approx(float(hand.SHARE[bucket]), abs=1e-12)
    assert (contrast.units.only_a, contrast.units.only_b, contrast.units.outside) == (1, 1, 1)
    assert contrast.without_identical is not None
    assert contrast.without_identical.parts["apparent"].point == pytest.approx(float(F(58, 128)), abs=1e-12)


ABSENT = {
    "units": {"sense_split", "sense_not_given", "excluded"},
    "agreement_annotators": {"repeated", "self_percent", "self_alpha", "controls", "right"},
}
"""Columns that only a study can fill."""
ALONE = ("emergence", "prediction", "adjudication", "anchoring", "audit")
"""Tables that only a study has begin with these."""


def assert_same(folder: Results, table: Findings, but: tuple[str, ...] = ()) -> None:
    """Every cell of every table: points, limits, reasons, p-values, counts, texts, signatures.

    The annotators' tasks are those of the judgements in use in a table; in a folder others count, too.
    """
    assert [name for name in folder.tables if not name.startswith(ALONE)] == list(table.tables)
    for name, found in table.tables.items():
        whole = folder.tables[name]
        rows = [row for row in whole.rows if row.get("variant") != "accepted" and row.get("method") != "controls"]
        if name == "left_out":
            continue
        keys = [column.key for column in whole.columns if column.key not in ABSENT.get(name, ())]
        assert [column.key for column in found.columns] == keys, name
        assert found.signature == whole.signature, name
        assert len(found.rows) == len(rows), name
        for expected, row in zip(rows, found.rows, strict=True):
            for key in keys:
                if (name, key) not in but:
                    assert_equal(row[key], expected[key], f"{name}: {key} of {expected}")


def assert_equal(found: Any, expected: Any, where: str) -> None:
    if isinstance(expected, Estimate):
        for part in ("point", "low", "high"):
            assert getattr(found, part) == pytest.approx(getattr(expected, part), abs=1e-9), where
        assert (found.reason, found.bounded) == (expected.reason, expected.bounded), where
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, abs=1e-9, nan_ok=True), where
    elif isinstance(expected, str):  # a table knows clusters; that they are word families only a study can say
        assert found in (expected, expected.replace("One word family", "One cluster")), where
    else:
        assert found == expected, where


def test_folder_and_table_give_the_same_numbers(study: Study) -> None:
    folder, table = analyse(study), exported(study, "tidy.csv", CONTRAST)
    assert_same(folder, table, but=(("agreement_annotators", "asked"),))  # a judgement that is no longer valid
    shared = {row["what"]: row["count"] for row in folder.tables["left_out"].rows}
    for row in table.tables["left_out"].rows:
        assert shared.get(row["what"], row["count"]) == row["count"], row["what"]


def test_a_strange_campaign_gives_the_same_numbers(
    make_study: Callable[..., Any], plain_concept: Callable[..., Concept]
) -> None:
    """Audited items, drawn trajectories that share items, an output that was never planned, an adjudicated item."""
    maker = make_study()
    for number in range(8):
        maker.pair(f"P{number}", plain_concept(f"s{number // 2}"), plain_concept(f"t{number // 2}"))
        p, drawn = (F(1, 3), number % 3 == 0) if number % 2 else (F(1), True)
        a = maker.row(f"P{number}", ("en", "de"), "c1", "x", probability=p, drawn=drawn)
        right = {"audit": F(1, 2), "asked": number < 4} if number != 7 else {"linked": False}
        b = maker.row(f"P{number}", ("en", "de"), "c2", f"de_s{number // 2}", setting="tgt", layer=1,
                      probability=p, drawn=drawn, **right)  # fmt: skip
        for name in ("a1", "a2"):
            maker.vote(a, name, "unrelated" if name == "a1" or number % 4 else "plain_copy")
            if number < 4:
                maker.vote(b, name, "correct")
    lead = maker.vote(a, "lead", "hypernym", source="adjudicated", role="adjudication")
    assert lead.label == "hypernym"
    study = maker.write()
    folder, table = analyse(study), exported(study, "tidy.parquet", CONTRAST)
    assert_same(folder, table, but=(("agreement_annotators", "asked"),))  # items were judged again and again


def test_concepts_that_the_study_excludes_are_excluded_by_the_table(
    make_study: Callable[..., Any], plain_concept: Callable[..., Concept]
) -> None:
    maker = make_study(analysis={"bootstrap": 50, "exclude_sense_split": True})
    for number in range(4):
        flags = ["sense_split"] if number == 3 else []
        maker.pair(f"P{number}", plain_concept(f"s{number}", flags=flags), plain_concept(f"t{number}"))
        for name, where in (("c1", {}), ("c2", {"setting": "tgt", "layer": 1})):
            item = maker.row(f"P{number}", ("en", "de"), name, f"de_s{number}" if name == "c2" else "x", **where)
            maker.vote(item, "a1", "correct" if name == "c2" else "unrelated")
            maker.vote(item, "a2", "correct" if name == "c2" or number == 3 else "unrelated")
    study = maker.write()
    results = exported(study, "tidy.csv", CONTRAST)
    assert_same(analyse(study), results)
    assert results.contrasts[0].split.units == 3
    assert results.left_out["rows that the table marks as excluded"] == 4


@pytest.mark.parametrize("asked", [24, 23])
def test_prelabels_go_along(make_study: Callable[..., Any], plain_concept: Callable[..., Concept], asked: int) -> None:
    """A sample of every third unit beside the pre-labels of all: buckets of unjudged units, by the table as well.

    One item that was not asked about is enough for automatic scores instead; one that the lexicon cannot tell is not.
    """
    maker = make_study(analysis={"bootstrap": 60})
    known: dict[str, str | None] = {}
    for number in range(24):
        maker.pair(f"P{number}", plain_concept(f"s{number // 2}"), plain_concept(f"t{number // 2}"))
        chosen = {"probability": F(1, 3), "drawn": number % 3 == 0}
        right = number % 5 < 3
        first = maker.row(f"P{number}", ("en", "de"), "c1", f"en_s{number // 2}", **chosen)
        last = maker.row(
            f"P{number}", ("en", "de"), "c2", f"de_s{number // 2}" if right else f"x{number}", setting="tgt", layer=1,
            **chosen,
        )  # fmt: skip
        if number < asked:
            known |= {first.item_id: "plain_copy", last.item_id: "correct" if right else None}
        for name in ("a1", "a2") if number % 3 == 0 else ():
            maker.vote(first, name, "plain_copy" if number else "unrelated")
            maker.vote(last, name, "correct" if right else "non_word")
    study = maker.write()
    labels = [AutomaticLabel(item_id=name, label=label) for name, label in known.items()]
    write_parquet(study.prelabels_file, AutomaticLabel, labels, PRELABELS_FORMAT)
    folder = analyse(study)
    parts = {row["part"] for row in folder.tables["beyond_verdicts"].rows if row["method"] == "prediction-powered"}
    assert ("plain_copying" in parts) == (asked == 24)
    for name in ("tidy.csv", "tidy.parquet"):
        assert_same(folder, exported(study, name, CONTRAST))


@pytest.mark.parametrize("verdict", ["adjudicated", "majority", "dawid-skene", "soft"])
def test_a_series_gives_the_same_numbers_under_every_rule(
    make_study: Callable[..., Any], plain_concept: Callable[..., Concept], verdict: str
) -> None:
    """Three checkpoints: chains, trends, several contrasts, three annotators, senses that not every output carries."""
    spec = {"bootstrap": 60, "seed": 7, "verdict": verdict, "interval": "bca", "correction": "max_t", "family": "all"}
    maker = make_study(analysis=spec, contrasts=[], contrasts_along=[{"setting": "unpatched"}])
    for number in range(9):
        sense = Sense(id=f"s{number}.b", gloss="another", forms={"en": [f"en_s{number}"]} if number % 2 else {})
        maker.pair(f"P{number}", plain_concept(f"s{number}", senses=[sense]), plain_concept(f"t{number}"))
        for place, checkpoint in enumerate(("c1", "c2", "c3")):
            right = (number + 2 * place) % 5 < 1 + place
            answer = f"de_s{number}" if right else f"other {number} {checkpoint if number % 3 else ''}"
            item = maker.row(f"P{number}", ("en", "de"), checkpoint, answer)
            for name, shift in (("a1", 0), ("a2", 0), ("a3", 1 + (number + place) % 4 // 3)):
                wrong = ("other_sense", "unrelated", "plain_copy")[(number + shift) % 3]
                label = "correct" if right and shift < 2 else wrong
                maker.vote(item, name, label, f"s{number}.b" if label == "other_sense" else None)
            if number == 4:
                maker.vote(item, "lead", "other_sense" if place else "bad_item", f"s{number}.b" if place else None,
                           source="adjudicated", role="adjudication")  # fmt: skip
    study = maker.write()
    folder, table = analyse(study), exported(study, "tidy.parquet")
    assert len(table.contrasts) == 3
    assert len(table.chains) == 1
    assert any(row["mann_kendall_p"] is None and row["gee_p"] is not None for row in table.tables["trends"].rows)
    assert_same(folder, table, but=(("agreement_annotators", "asked"),))


def test_series_make_their_own_contrasts(study: Study) -> None:
    assert exported(study, "tidy.csv").contrasts == []  # one checkpoint in each series: nothing is consecutive


# --- the files -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tidy", "outputs"])
def test_every_column_is_in_the_dictionary_and_every_entry_a_column(study: Study, name: str) -> None:
    folder = study.folder / "export"
    write_export(study, folder, "gainsift export")
    with (folder / "dictionary.csv").open(encoding="utf-8", newline="") as file:
        entries = {row["column"]: row for row in csv.DictReader(file) if row["table"] == name}
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        header = next(csv.reader(file))
    schema = pq.read_schema(folder / f"{name}.parquet")
    assert header == schema.names == list(entries)
    for field in schema:
        assert entries[field.name]["type"] == str(field.type)
        assert field.metadata[b"meaning"].decode() == entries[field.name]["meaning"]
        assert entries[field.name]["meaning"].endswith(".")
    assert (schema.metadata or {})[b"gainsift_format"] == f"{name}/1".encode()


def test_the_table_reads_what_the_export_writes() -> None:
    assert {*NEEDED, *OPTIONAL} <= set(COLUMNS)


def test_every_output_stands_in_the_table_of_outputs(
    make_study: Callable[..., Any], plain_concept: Callable[..., Concept]
) -> None:
    """Judged or not, planned or not: the target prompt of a pair too, whose source concept is the other one."""
    maker = make_study()
    maker.pair("P1", plain_concept("s", reference={"en": ["en_s"], "de": ["de_s"]}), plain_concept("t"))
    masses = {"source_mass": [0.1, 0.2, 0.3], "target_mass": [0.4, 0.5, 0.6], "p_source": 0.2, "p_target": 0.5}
    maker.vote(maker.row("P1", ("en", "de"), "c1", "de_s"), "a1", "correct")
    maker.row("P1", ("en", "de"), "c2", "x", setting="tgt", layer=1)
    maker.rows = [row.model_copy(update=masses) for row in maker.rows]
    extra = maker.rows[0].model_copy(
        update={"row_id": "target prompt", "prompt": "target", "answer": "DE_T", "intended_concept": "t",
                "other_concept": "s"}
    )  # fmt: skip
    maker.rows.append(extra)
    study = maker.write()
    write_export(study, study.folder / "export", "gainsift export")
    frame = pd.read_parquet(study.folder / "export" / "outputs.parquet").set_index("row_id")
    assert len(frame) == len(maker.rows)
    row = frame.loc["target prompt"]
    assert row["success"]
    assert (row["cluster"], row["unit"]) == ("t", "P1|en|de")
    assert [row[f"source_{code}"] for code in ("en", "de")] == pytest.approx([0.1, 0.2])
    assert pd.isna(row["source_fr"])  # the source concept has no French word
    assert [row[f"target_{code}"] for code in ("en", "de", "fr")] == pytest.approx([0.4, 0.5, 0.6])
    text = pd.read_csv(study.folder / "export" / "outputs.csv").set_index("row_id")
    pd.testing.assert_frame_equal(text, frame.astype({"success": int, "closed": int}), check_dtype=False)


def test_csv_and_parquet_hold_the_same(study: Study) -> None:
    folder = study.folder / "export"
    write_export(study, folder, "gainsift export")
    left = pd.read_csv(folder / "tidy.csv", keep_default_na=False, dtype=str)
    right = pd.read_parquet(folder / "tidy.parquet")
    assert len(left) == len(right) == 87  # 82 judgements of rows, two tasks skipped, three rows without any
    for name in ("unit", "label", "verdict", "answer", "series"):
        assert left[name].tolist() == right[name].fillna("").tolist()
    assert [float(x) if x else None for x in left["weight"]] == [None if x != x else x for x in right["weight"]]
    assert set(left["success"]) == {"0", "1"}


def test_what_people_wrote_stays_at_home(
    make_study: Callable[..., Any], plain_concept: Callable[..., Concept]
) -> None:  # fmt: skip
    maker = make_study()
    maker.pair("P1", plain_concept("s"), plain_concept("t"))
    item = maker.row("P1", ("en", "de"), "c1", "de_s")
    maker.vote(item, "a1", "other_sense", "not_listed", comment="SECRET one", sense_text="SECRET two")
    maker.row("P1", ("en", "de"), "c2", "x", setting="tgt", layer=1)
    study = maker.write()
    study.private_folder.mkdir()
    (study.private_folder / "annotators.yaml").write_text("a1: {name: SECRET three, email: secret@home.org}", "utf-8")
    write_export(study, study.folder / "export", "gainsift export")
    for file in (study.folder / "export").iterdir():
        if file.suffix != ".parquet":
            assert "SECRET" not in file.read_text("utf-8")
    assert "SECRET" not in pd.read_parquet(study.folder / "export" / "tidy.parquet").to_csv()


def test_hostile_answers_come_through_and_no_cell_is_a_formula(
    make_study: Callable[..., Any], plain_concept: Callable[..., Concept], hostile: dict[str, str]
) -> None:
    texts = sorted({text.encode("utf-8", "replace").decode() for text in hostile.values()} | {"=1+1", "+x", "@a", "-b"})
    maker = make_study()
    for number, text in enumerate(texts):
        maker.pair(f"P{number}", plain_concept(f"s{number}"), plain_concept(f"t{number}"))
        maker.vote(maker.row(f"P{number}", ("en", "de"), "c1", text), "a1", "unrelated")
    maker.row("P0", ("en", "de"), "c2", "x", setting="tgt", layer=1)
    study = maker.write()
    write_export(study, study.folder / "export", "gainsift export")
    text = (study.folder / "export" / "tidy.csv").read_bytes().decode("utf-8")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert not any(is_formula(cell) for row in rows for cell in row.values())
    answers = pd.read_parquet(study.folder / "export" / "tidy.parquet").set_index("pair_id")["answer"]
    assert {answers[f"P{number}"] for number in range(1, len(texts))} == set(texts[1:])
    for row in rows:
        answer = str(answers.loc[[row["pair_id"]]].iloc[0]).replace("\0", "\ufffd")
        assert row["answer"].removeprefix("'") == answer.removeprefix("'") or row["pair_id"] == "P0"


def test_readers_of_csv_find_numbers_texts_and_gaps(
    make_study: Callable[..., Any], plain_concept: Callable[..., Concept]
) -> None:
    """A gap is nothing at all, so that a column of numbers is one for every reader; words like NA are words."""
    maker = make_study()
    for number, text in enumerate(["NA", "null", "1", "two\nlines", 'a "b", c', "nul \0 inside", "'=1"]):
        maker.pair(f"P{number}", plain_concept(f"s{number}"), plain_concept(f"t{number}"))
        maker.vote(maker.row(f"P{number}", ("en", "de"), "c1", text), "a1", "unrelated")
    maker.row("P0", ("en", "de"), "c2", "x", setting="tgt", layer=1)
    study = maker.write()
    write_export(study, study.folder / "export", "gainsift export")
    for name in ("tidy", "outputs"):
        path = study.folder / "export" / f"{name}.csv"
        assert b"\0" not in path.read_bytes()
        strict = pyarrow.csv.read_csv(
            path,
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(
                null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False
            ),
        ).to_pandas()
        packed = pd.read_parquet(path.with_suffix(".parquet"))
        assert strict["layer"].dtype.kind == "f"
        assert strict["layer"].isna().tolist() == packed["layer"].isna().tolist()
        answers = [answer.replace("\0", "\ufffd") for answer in packed["answer"]]
        assert strict["answer"].astype(str).tolist() == answers
    assert (strict["p_source"] == packed["p_source"]).all()  # to the last digit


def test_simulated_judgements_say_so_all_the_way(study: Study) -> None:
    lines = [json.loads(line) for line in study.annotations_file.read_text("utf-8").splitlines()]
    for line in lines:
        line["source"] = "simulated" if line["source"] in ("human", "adjudicated") else line["source"]
    study.annotations_file.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    results = exported(study, "tidy.csv", CONTRAST)
    assert results.simulated
    tables = results.tables
    assert all(table.title.endswith("(simulated annotators)") for table in tables.values())
    assert "source:simulated" in tables["split"].signature


def test_an_audited_campaign_with_assignments(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    shutil.copytree(Path(__file__).parent.parent / "schemas" / "version_2", folder)
    study = Study.open(folder)
    whole = analyse(study)
    named = [f"{one.contrast.name}: {one.contrast.where.replace(' → ', ' -> ')}" for one in whole.contrasts]
    found = exported(study, "tidy.csv", *named)
    assert [one.contrast.name for one in found.contrasts] == [one.contrast.name for one in whole.contrasts]
    for one, expected in zip(found.contrasts, whole.contrasts, strict=True):
        for part, value in expected.split.parts.items():
            assert_equal(one.split.parts[part], value, part)


def test_a_study_that_nobody_judged_is_refused(
    make_study: Callable[..., Any], plain_concept: Callable[..., Concept]
) -> None:  # fmt: skip
    maker = make_study()
    maker.pair("P1", plain_concept("s"), plain_concept("t"))
    maker.row("P1", ("en", "de"), "c1", "de_s")
    with pytest.raises(UserError, match="expected judgements"):
        write_export(maker.write(), maker.folder / "export", "")
    assert not (maker.folder / "export").exists()


def test_a_draw_that_does_not_fit_the_weight_is_refused(study: Study) -> None:
    write_export(study, study.folder / "export", "")
    path = study.folder / "export" / "tidy.csv"
    text = path.read_text("utf-8").replace(",1.6,", ",1.7,")
    path.write_text(re.sub(r'(","[a-z_]*",[01],)2,', r"\g<1>2.5,", text), "utf-8")
    with pytest.raises(UserError, match=r"tidy.csv:\d+: weight 2.5, but the draws give 2; mend that row"):
        read_tidy_table(path, study.taxonomy)


def test_the_command_and_back(study: Study, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["export", str(study.folder), "--out", str(tmp_path / "e")])
    assert done.exit_code == 0, done.output
    run = json.loads((tmp_path / "e" / "tidy.run.json").read_text("utf-8"))
    assert run["counts"]["outputs"] == 44
    arguments = ["analyze", "--table", str(tmp_path / "e" / "tidy.parquet"), "--out", str(tmp_path / "o")]
    arguments += ["--taxonomy", str(tmp_path / "e" / "taxonomy.yaml"), "--contrast", CONTRAST, "--json"]
    back = CliRunner().invoke(app, arguments)
    assert back.exit_code == 0, back.output
    (contrast,) = json.loads(back.stdout)["contrasts"]
    assert contrast["parts"]["apparent"]["point"] == pytest.approx(63 / 133, abs=1e-12)
