"""Noise of precision: the report's flip rates against a count by hand; what is no audit of this study is refused."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from gainsift.analysis.estimate import Estimate
from gainsift.analysis.intervals import resampling
from gainsift.analysis.page import template
from gainsift.analysis.precision import Flip, Noise, Precision, half_precision, precision
from gainsift.analysis.precision_tables import READING, precision_sentence, precision_tables
from gainsift.analysis.release import release
from gainsift.analysis.studentised import StudentisedBootstrap
from gainsift.analysis.table_files import table_files
from gainsift.cli.main import app
from gainsift.schemas.concepts import Concept
from gainsift.schemas.config import AnalysisSpec
from gainsift.schemas.errors import UserError
from gainsift.schemas.files import parquet_records, write_parquet
from gainsift.schemas.float32_audit import FLOAT32_FORMAT, Float32Audit
from gainsift.schemas.provenance import write_run
from gainsift.schemas.study import Study
from gainsift.schemas.visible_text import visible

RUN = CliRunner()
PAIR = ("en", "de")
Made = tuple[Study, list[Float32Audit]]


def audit_of(row: Any, **changes: Any) -> Float32Audit:
    """The audited output; float32 says the same but for `changes`."""
    names = ("row_id", "checkpoint", "setting", "prompt", "input_language", "output_language", "pair_id", "layer",
             "intended_concept", "answer", "closed", "p_source", "p_target")  # fmt: skip
    own = {name: getattr(row, name) for name in names}
    again = {f"{name}_float32": own[name] for name in ("answer", "closed", "p_source", "p_target")}
    return Float32Audit(**{"dtype": "bfloat16", **own, **again, **changes})


def write_audit(study: Study, rows: list[Float32Audit]) -> None:
    write_parquet(study.float32_file, Float32Audit, rows, FLOAT32_FORMAT)


def tell_precision(study: Study, dtype: str = "bfloat16", **others: str) -> None:
    """The run record of the outputs, as generation writes it."""
    tell(study, {"checkpoints": {name: {"dtype": others.get(name, dtype)} for name in ("c1", "c2", "c3")}})


def tell(study: Study, settings: dict[str, Any]) -> None:
    path = study.translations_folder / "run.json"
    write_run(path, "translations", "gainsift generate", "2026-01-01T00:00:00+00:00", {}, settings=settings)


@pytest.fixture
def hand_made(make_study: Callable[..., Any], plain_concept: Callable[..., Concept]) -> Made:
    """Three prompt pairs, c1 and c2, each unpatched (both prompts) and patched: 18 outputs, of which 16 are audited.

    Of c1 one text flips from the reference to something else (success 1 → 0 in float32). Of c2 one flips the other way,
    one only in an outer space (the same item), and one output reaches the quote in float32 alone (another item, same
    text): 3 of 16 texts, 3 of 16 items, 2 of 16 successes.
    """
    maker = make_study()
    for number in range(3):
        maker.pair(f"P{number}", plain_concept(f"s{number}"), plain_concept(f"t{number}"))
        for checkpoint in ("c1", "c2"):
            maker.row(f"P{number}", PAIR, checkpoint, f"de_s{number}")
            maker.row(f"P{number}", PAIR, checkpoint, f"de_t{number}", prompt="target")
            closed = (number, checkpoint) != (2, "c2")
            maker.row(f"P{number}", PAIR, checkpoint, "other", setting="tgt", layer=1, closed=closed)
    study = maker.write()
    found = {(row.checkpoint, row.pair_id, row.setting, row.prompt): row for row in maker.rows}
    changes: dict[tuple[str, str, str, str], dict[str, Any]] = {
        ("c1", "P0", "unpatched", "source"): {"answer_float32": "something", "p_source_float32": 0.25},
        ("c2", "P0", "tgt", "target"): {"answer_float32": "de_s0", "p_target_float32": 0.35},
        ("c2", "P1", "tgt", "target"): {"answer_float32": " other"},
        ("c2", "P2", "tgt", "target"): {"closed_float32": True},
    }
    left = [("c2", "P1", "unpatched", "source"), ("c2", "P1", "unpatched", "target")]
    rows = [audit_of(row, **changes.get(key, {})) for key, row in found.items() if key not in left]
    assert len(rows) == 16
    write_audit(study, rows)
    return study, rows


def test_rates_equal_the_count_by_hand(hand_made: Made) -> None:
    study, _ = hand_made
    found = precision(study)
    by_place = {(one.checkpoint, one.kind): one for one in found.noise}
    counts = {place: (one.outputs, one.clusters) for place, one in by_place.items()}
    assert counts == {
        # word families of the intended concept: s0 to s2, and t0 to t2 of the controls
        ("", "all"): (16, 6), ("", "unpatched"): (5, 3), ("", "patched"): (6, 3), ("", "control"): (5, 3),
        ("c1", "all"): (9, 6), ("c1", "unpatched"): (3, 3), ("c1", "patched"): (3, 3), ("c1", "control"): (3, 3),
        ("c2", "all"): (7, 5), ("c2", "unpatched"): (2, 2), ("c2", "patched"): (3, 3), ("c2", "control"): (2, 2),
    }  # fmt: skip

    def points(checkpoint: str, kind: str) -> list[float | None]:
        one = by_place[checkpoint, kind]
        return [one.text.point, one.item.point, one.success.point, one.change.point]

    # c1's flip loses a success in float32 (+1), c2's wins one (-1): they cancel
    assert points("", "all") == pytest.approx([3 / 16, 3 / 16, 2 / 16, 0])
    assert points("", "unpatched") == pytest.approx([1 / 5, 1 / 5, 1 / 5, 1 / 5])
    assert points("", "patched") == pytest.approx([2 / 6, 2 / 6, 1 / 6, -1 / 6])
    assert points("", "control") == [0, 0, 0, 0]
    assert points("c1", "all") == pytest.approx([1 / 9, 1 / 9, 1 / 9, 1 / 9])
    assert points("c2", "patched") == pytest.approx([2 / 3, 2 / 3, 1 / 3, -1 / 3])
    # mean over both concepts: (.25 + 0) / 2 of one output and (0 + .1) / 2 of another
    assert by_place["", "all"].mean_shift == pytest.approx((0.125 + 0.05) / 16)
    assert by_place["", "all"].largest_shift == pytest.approx(0.25)
    assert by_place["c2", "all"].largest_shift == pytest.approx(0.1)
    assert [one.dtypes for one in found.noise] == [["bfloat16"]] * 12
    assert (found.different, found.left_out) == (3, {})
    assert {(flip.word, flip.answer, flip.answer_float32, flip.outputs) for flip in found.flips} == {
        ("en_s0", "de_s0", "something", 1), ("en_s0", "other", "de_s0", 1), ("en_s1", "other", " other", 1),
    }  # fmt: skip


def test_intervals_resample_word_families(hand_made: Made) -> None:
    """By hand, of all outputs: s0 has 2 flips of 4 (c1's unpatched, c2's patched), s1 1 of 3, s2 0 of 4; of t0, t1, t2
    none of 2, 1 and 2."""
    study, _ = hand_made
    spec = study.config.analysis
    sums, counts = np.array([[2.0], [1], [0], [0], [0], [0]]), np.array([[4.0], [3], [4], [2], [1], [2]])
    bootstrap = StudentisedBootstrap.of(6, spec.bootstrap, spec.confidence, resampling(spec))
    (expected,) = bootstrap.ratios(sums, counts, np.zeros(1))
    one = precision(study).noise[0]
    assert one.text == expected
    # no control differs: three families alike, 5 outputs of 2, 1 and 2: n = 25 / 9, b = 1 - .025^(1/n)
    control = next(one for one in precision(study).noise if (one.checkpoint, one.kind) == ("", "control"))
    bound = 1 - 0.025 ** (9 / 25)
    assert (control.text.low, control.text.high) == (0, pytest.approx(bound))
    assert (control.change.low, control.change.high) == (pytest.approx(-bound), pytest.approx(bound))
    assert control.text.bounded


def test_the_tables_say_it_in_three_formats(hand_made: Made) -> None:
    study, _ = hand_made
    tables = {table.name: table for table in precision_tables(study, precision(study))}
    assert list(tables) == ["precision", "precision_by_checkpoint", "precision_flips"]
    files = table_files(tables)
    rows = list(csv.DictReader(files["tables/precision.csv"].decode().splitlines()))
    assert [(row["checkpoint"], row["kind"]) for row in rows] == [
        ("All", "all"), ("All", "unpatched"), ("All", "patched"), ("All", "control"), ("c1", "all"), ("c2", "all"),
    ]  # fmt: skip
    assert float(rows[0]["text"]) == 3 / 16
    assert len(list(csv.DictReader(files["tables/precision_by_checkpoint.csv"].decode().splitlines()))) == 12
    assert "gains smaller than what flips can move are within the noise of precision" in files[
        "tables/precision.tex"
    ].decode().replace("\n", " ")
    assert "18.8" in files["tables/precision.tex"].decode()
    assert json.loads(files["tables/precision.json"])["signature"].startswith("precision:flips|outputs:16|clusters:6|")


def test_one_checkpoint_is_told_once(hand_made: Made) -> None:
    study, rows = hand_made
    write_audit(study, [row for row in rows if row.checkpoint == "c2"])
    tell_precision(study, c3="float32")
    found = precision(study)
    assert [(one.checkpoint, one.kind) for one in found.noise] == [
        ("c2", "all"), ("c2", "unpatched"), ("c2", "patched"), ("c2", "control"),
    ]  # fmt: skip
    tables = precision_tables(study, found)
    assert [table.name for table in tables] == ["precision", "precision_flips"]
    assert "In half precision, and not audited: c1." in tables[0].notes


# --- what is no audit of this study ----------------------------------------------------------------------


def test_an_audit_of_other_outputs_is_refused(hand_made: Made) -> None:
    study, rows = hand_made
    for changed in (
        rows[0].model_copy(update={"answer": "was said before"}),
        rows[0].model_copy(update={"closed": False}),
        rows[0].model_copy(update={"row_id": "0123456789abcdef"}),
        rows[1],  # stands twice
    ):
        write_audit(study, [changed, *rows[1:]])
        with pytest.raises(UserError, match=r"float32_audit.parquet: 1 of its outputs are not those of .*translations"):
            precision(study)


def test_another_format_is_refused_by_name(hand_made: Made) -> None:
    study, rows = hand_made
    study.float32_file.unlink()
    write_parquet(study.float32_file, Float32Audit, rows, "float32_audit/2")
    with pytest.raises(UserError, match="expected format float32_audit/1, found float32_audit/2"):
        precision(study)
    study.float32_file.write_bytes(b"PAR1 no")
    with pytest.raises(UserError, match="not a Parquet file"):
        precision(study)


def test_what_the_study_leaves_out_is_left_out(make_study: Callable[..., Any], plain_concept: Any) -> None:
    maker = make_study(analysis={"bootstrap": 200, "seed": 7, "exclude_sense_split": True})
    for number in range(3):
        flags = ["sense_split"] if number == 0 else []
        maker.pair(f"P{number}", plain_concept(f"s{number}", flags=flags), plain_concept(f"t{number}"))
        for checkpoint in ("c1", "c2", "c3"):
            maker.row(f"P{number}", PAIR, checkpoint, f"de_s{number}")
    study = maker.write()
    write_audit(study, [audit_of(row, answer_float32="x") for row in maker.rows])
    maker.config["model"]["checkpoints"].pop()
    study = maker.write()
    found = precision(study)
    outputs = {one.checkpoint: one.outputs for one in found.noise if one.kind == "all"}
    assert outputs == {"": 4, "c1": 2, "c2": 2}
    assert dict(found.left_out) == {
        "outputs of checkpoints that study.yaml does not name": 3,
        "outputs of concepts flagged `sense_split` (analysis.exclude_sense_split)": 2,
    }
    notes = precision_tables(study, found)[0].notes
    assert "Left out: 3 outputs of checkpoints that study.yaml does not name." in notes


# --- without an audit ------------------------------------------------------------------------------------


def test_a_study_in_float32_has_nothing_to_say(hand_made: Made) -> None:
    study, _ = hand_made
    study.float32_file.unlink()
    for dtype in ("float32", "int8"):
        tell_precision(study, dtype)
        assert precision_sentence(precision(study)) == ""
    assert precision_tables(study, precision(study)) == []


def test_half_precision_that_nobody_measured_is_told(hand_made: Made) -> None:
    study, _ = hand_made
    study.float32_file.unlink()
    tell_precision(study, c3="float32")
    assert half_precision(study) == {"c1": "bfloat16", "c2": "bfloat16"}
    told = precision_sentence(precision(study))
    assert told.startswith("The outputs of 2 checkpoints are in bfloat16, and how much of them is noise of that was")
    assert "`gainsift generate STUDY --audit-float32 0.05`" in told


@pytest.mark.parametrize("settings", [{}, {"checkpoints": []}, {"checkpoints": {"c1": "half", "c2": {"dtype": ["x"]}}}])
def test_a_run_record_that_says_nothing_of_it_is_no_error(hand_made: Made, settings: dict[str, Any]) -> None:
    study, _ = hand_made
    tell(study, settings)
    assert half_precision(study) == {}
    (study.translations_folder / "run.json").write_text("{")
    assert half_precision(study) == {}


# --- the report ------------------------------------------------------------------------------------------


def judged(make_study: Callable[..., Any], plain_concept: Any, answers: list[str]) -> tuple[Any, Study, Any]:
    """A study of which float32 says `answers` instead, one for each prompt pair."""
    maker = make_study()
    for number, _ in enumerate(answers):
        maker.pair(f"P{number}", plain_concept(f"s{number}"), plain_concept(f"t{number}"))
        for place in ({"checkpoint": "c1"}, {"checkpoint": "c2", "setting": "tgt", "layer": 1}):
            item = maker.row(f"P{number}", PAIR, answer=f"de_s{number}", **place)
            for annotator in ("a1", "a2"):
                maker.vote(item, annotator, "correct")
    study = maker.write()
    rows = [audit_of(row, answer_float32=answers[int(row.pair_id[1:])]) for row in maker.rows]
    write_audit(study, rows)
    return maker, study, rows


def test_the_report_prints_the_noise_floor(make_study: Callable[..., Any], plain_concept: Any) -> None:
    _, study, _ = judged(make_study, plain_concept, ["de_s0", "de_s1", "de_s2", "x"])
    tell_precision(study)
    done = RUN.invoke(app, ["analyze", str(study.folder)])
    told = "Noise floor of bfloat16: of 8 outputs that were made again in float32, 25.0 %"
    assert told in " ".join(done.stdout.split())
    page = (study.report_folder / "report.html").read_text("utf-8")
    assert '<section id="precision">' in page
    assert '<a href="#precision">Precision</a>' in page
    assert told.replace("25.0 %", "25.0\u00a0%") in page
    assert page.count("Flips are of text, not of judgement") == 1  # said above its tables, not beneath each again
    assert "In half precision, and not audited: c3." in page
    short = json.loads((study.report_folder / "summary.json").read_text("utf-8"))["precision"]
    assert (short["text"]["point"], short["outputs"], short["clusters"]) == (0.25, 8, 4)
    assert short["sentence"].startswith(told)
    record = json.loads((study.report_folder / "run.json").read_text("utf-8"))
    assert "float32_audit.parquet" in record["inputs"]
    for name in ("precision", "precision_flips"):
        for kind in ("csv", "json", "tex"):
            assert (study.report_folder / "tables" / f"{name}.{kind}").is_file()
    study.float32_file.unlink()
    RUN.invoke(app, ["analyze", str(study.folder)])
    page = (study.report_folder / "report.html").read_text("utf-8")
    assert "how much of them is noise of that was not measured" in page
    assert not (study.report_folder / "tables" / "precision.csv").exists()
    tell_precision(study, "float32")
    RUN.invoke(app, ["analyze", str(study.folder)])
    assert "recision" not in (study.report_folder / "report.html").read_text("utf-8").split("</nav>")[0]


class Tags(HTMLParser):
    """Every tag with its attributes, and the text between them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[Any] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        self.tags.append((tag, attributes))

    def handle_data(self, data: str) -> None:
        self.text += data


def section_of(answers: list[str], dtype: str = "bfloat16") -> Tags:
    """The section of the report about flips into these answers."""
    noise = Noise("", "all", [dtype], 9, 3, *[Estimate(0.5, 0.25, 0.75)] * 4, 0.25, 0.5)
    flips = [Flip("en → de", "c", "word", "own", True, answer, True, 1) for answer in answers]
    found = Precision([noise], flips, len(flips), {}, Counter())
    study = SimpleNamespace(config=SimpleNamespace(analysis=AnalysisSpec()))
    tables = {table.name: table for table in precision_tables(study, found)}  # type: ignore[arg-type]
    return Tags(
        template("precision.html.j2").render(
            tables=tables, precision_sentence=precision_sentence(found), precision_reading=READING
        )
    )


def test_hostile_answers_are_text_in_the_report(hostile: dict[str, str]) -> None:
    """Whatever an answer, or a precision, looks like: the page has the tags of harmless ones, and shows it."""
    texts = list(hostile.values())
    plain, found = section_of(["x"] * len(texts)), section_of(texts)
    assert found.tags == plain.tags
    for text in texts:
        assert visible(text) in found.text
    assert section_of(["x"], "<b>float</b>").tags == section_of(["x"]).tags


def test_hostile_answers_are_no_formulas_and_no_commands(make_study: Callable[..., Any], plain_concept: Any) -> None:
    _, study, _ = judged(make_study, plain_concept, ["=cmd|'/c calc'!A0", "\\input{/etc/passwd}%$", "<script>alert(1)"])
    files = table_files({table.name: table for table in precision_tables(study, precision(study))})
    rows = list(csv.DictReader(files["tables/precision_flips.csv"].decode().splitlines()))
    assert {row["answer_float32"] for row in rows} == {
        "'=cmd|'/c calc'!A0", "\\input{/etc/passwd}%$", "<script>alert(1)",
    }  # fmt: skip
    text = files["tables/precision_flips.tex"].decode()
    assert r"\textbackslash{}input\{/etc/passwd\}\%\$" in text


def test_emergence_tells_it_before_anybody_judged(hand_made: Made) -> None:
    study, _ = hand_made
    for file in (study.items_file, study.links_file):
        file.unlink()
    done = RUN.invoke(app, ["emergence", str(study.folder)])
    assert "Noise floor of bfloat16: of 16 outputs that were made again in float32, 18.8 %" in done.stdout
    page = (study.folder / "emergence" / "emergence.html").read_text("utf-8")
    assert '<section id="precision">' in page
    assert page.count("Flips are of text, not of judgement") == 1
    assert (study.folder / "emergence" / "tables" / "precision.tex").is_file()
    study.float32_file.unlink()
    RUN.invoke(app, ["emergence", str(study.folder)])
    assert "precision" not in (study.folder / "emergence" / "emergence.html").read_text("utf-8").split("<body>")[1]


# --- the bundle ------------------------------------------------------------------------------------------


def test_a_bundle_carries_the_audit(make_study: Callable[..., Any], plain_concept: Any, tmp_path: Path) -> None:
    maker, study, rows = judged(make_study, plain_concept, ["de_s0", "de_s1", "x"])
    release(study, tmp_path / "bundle")
    assert "`float32_audit.parquet`" in (tmp_path / "bundle" / "README.md").read_text("utf-8")
    again = Study.open(tmp_path / "bundle")
    assert parquet_records(again.float32_file, Float32Audit, FLOAT32_FORMAT, "generate") == rows
    assert precision(again).noise == precision(study).noise
    maker.config |= {"contrasts": [], "model": {**maker.config["model"], "checkpoints": [{"name": "c1", "path": "c1"}]}}
    release(maker.write(), tmp_path / "smaller")
    listed = parquet_records(tmp_path / "smaller" / "float32_audit.parquet", Float32Audit, FLOAT32_FORMAT, "generate")
    assert {row.checkpoint for row in listed} == {"c1"}  # what study.yaml no longer names is not published
