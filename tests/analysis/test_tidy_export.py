"""The export: its dictionary, what is not in it, and the same numbers by the table as by the folder."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import re
import shutil
from collections.abc import Callable
from fractions import Fraction as F
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from gainsift.analysis.results import Results, analyse
from gainsift.analysis.tables import Table
from gainsift.analysis.tidy_analysis import TidyResults, analyse_table
from gainsift.analysis.tidy_export import COLUMNS, write_export
from gainsift.analysis.tidy_result_tables import result_tables
from gainsift.analysis.tidy_table import NEEDED, OPTIONAL, read_tidy_table
from gainsift.cli.main import app
from gainsift.schemas.concepts import Concept
from gainsift.schemas.errors import UserError
from gainsift.schemas.spreadsheet import is_formula
from gainsift.schemas.study import Study

CONTRAST = "c1, unpatched -> c2, tgt, layer 1"


def by_hand() -> Any:
    """The module of the study that is worked out by hand."""
    file = Path(__file__).parent / "test_hand_worked_study.py"
    spec = importlib.util.spec_from_file_location("hand_worked_study", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def study(make_study: Callable[..., Any], plain_concept: Callable[..., Concept]) -> Study:
    maker = make_study()
    by_hand().build(maker, plain_concept)
    made: Study = maker.write()
    return made


def exported(study: Study, name: str, *contrasts: str) -> TidyResults:
    folder = study.folder / "export"
    write_export(study, folder, "gainsift export")
    return analyse_table(
        read_tidy_table(folder / name, study.taxonomy), study.taxonomy, contrasts, study.config.analysis
    )


def points(table: Table, keys: tuple[str, ...], values: tuple[str, ...]) -> dict[tuple[Any, ...], Any]:
    found = {}
    for row in table.rows:
        cells = [row[value] for value in values]
        found[tuple(row[key] for key in keys)] = [getattr(cell, "point", cell) for cell in cells]
    return found


@pytest.mark.parametrize("name", ["tidy.csv", "tidy.parquet"])
def test_the_hand_worked_study_by_its_table(study: Study, name: str) -> None:
    """To the fractions that are worked out there: draws, an adjudicated item, a sense that no form gives and all."""
    hand = by_hand()
    (contrast,) = exported(study, name, CONTRAST).contrasts
    for part, value in hand.SPLIT.items():
        assert contrast.split.parts[part].point == pytest.approx(float(value), abs=1e-12)
    for bucket in hand.FLOW:
        assert contrast.split.flow_buckets[bucket].point == pytest.approx(float(hand.FLOW[bucket]), abs=1e-12)
        assert contrast.split.share_buckets[bucket].point == pytest.approx(float(hand.SHARE[bucket]), abs=1e-12)
    assert (contrast.only_a, contrast.only_b, contrast.outside) == (1, 1, 1)
    assert contrast.without_identical is not None
    assert contrast.without_identical.parts["apparent"].point == pytest.approx(float(F(58, 128)), abs=1e-12)


SAME = {
    "split": (("part",), ("flow", "share", "units", "clusters")),
    "split_without_identical": (("part",), ("flow", "share", "units", "clusters")),
    "split_categories": (("bucket", "category"), ("flow", "share")),
    "levels": (("measure",), ("before", "after", "change", "units")),
    "agreement_labels": (("label",), ("alpha", "support")),
    "agreement_pairs": (("a", "b"), ("n", "cohen_kappa")),
    "units": ((), ("units", "decided", "clusters", "weight", "only_a", "only_b", "outside", "identical")),
}


def assert_same(folder: Results, table: TidyResults, study: Study) -> None:
    tables = result_tables(table, study.taxonomy)
    for name, (keys, values) in SAME.items():
        whole, tidy = points(folder.tables[name], keys, values), points(tables[name], keys, values)
        assert set(whole) == set(tidy), name
        for key, expected in whole.items():
            assert tidy[key] == pytest.approx(expected, abs=1e-12, nan_ok=True), (name, key)
    assert table.agreement.alpha.point == pytest.approx(folder.agreement.alpha.point, abs=1e-12)
    assert table.agreement_kind.alpha.point == pytest.approx(folder.agreement_kind.alpha.point, abs=1e-12)
    by_name = {f"{one.checkpoint}, {one.series}": one for one in folder.shares}
    assert set(by_name) == {one.checkpoint for one in table.shares}
    for one in table.shares:  # the same generator, the same clusters: the same limits
        assert one.success == by_name[one.checkpoint].success
        assert one.categories == by_name[one.checkpoint].categories
        assert one.buckets == by_name[one.checkpoint].buckets


def test_folder_and_table_give_the_same_numbers(study: Study) -> None:
    assert_same(analyse(study), exported(study, "tidy.csv", CONTRAST), study)


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
    assert_same(analyse(study), exported(study, "tidy.parquet", CONTRAST), study)


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
    assert_same(analyse(study), results, study)
    assert results.contrasts[0].split.units == 3
    assert results.left_out["rows that the table marks as excluded"] == 4


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
    assert len(left) == len(right) == 86  # 82 judgements of rows, and rows without any
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
    tables = result_tables(results, study.taxonomy)
    assert all(table.title.endswith("(simulated annotators)") for table in tables.values())
    assert "source:simulated" in tables["split"].signature


def test_an_audited_campaign_with_assignments(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    shutil.copytree(Path(__file__).parent.parent / "schemas" / "version_2", folder)
    study = Study.open(folder)
    for contrast, whole in zip(study.config.contrasts, analyse(study).contrasts, strict=True):
        sides = exported(study, "tidy.csv").conditions
        names = [
            next(one.name for one in sides if one.name.startswith(study.config.checkpoint(side.checkpoint).name + ", ")
                 and (side.layer is None) == one.series.startswith("unpatched"))
            for side in (contrast.a, contrast.b)
        ]  # fmt: skip
        (found,) = exported(study, "tidy.csv", " -> ".join(names)).contrasts
        for part, value in whole.split.parts.items():
            assert found.split.parts[part].point == pytest.approx(value.point, abs=1e-12), part


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
