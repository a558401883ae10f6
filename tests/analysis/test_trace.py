"""Every number of a report is walked back to what it was made of, and made again from that alone."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from gainsift.analysis.cell_addresses import address_part, row_addresses
from gainsift.analysis.report import write_report
from gainsift.analysis.report_cells import Cell, cells_of, find_cells, read_table, table_names
from gainsift.analysis.results import analyse
from gainsift.analysis.tables import Column, Table
from gainsift.analysis.trace import entering_of, trace
from gainsift.analysis.trace_files import trace_csv
from gainsift.analysis.trace_known import Known
from gainsift.cli.main import app
from gainsift.schemas.concepts import Concept
from gainsift.schemas.errors import UserError, WorkError
from gainsift.schemas.files import write_jsonl, write_parquet
from gainsift.schemas.float32_audit import FLOAT32_FORMAT, Float32Audit
from gainsift.schemas.rows import Assignment
from gainsift.schemas.study import ASSIGNMENT_FORMAT, Study


@pytest.fixture(scope="module")
def study(study_elsewhere: Callable[..., Any], plain_concept: Callable[..., Concept], hand_worked: ModuleType) -> Study:
    """The study worked out by hand with its report, which is drawn without figures."""
    maker = study_elsewhere()
    hand_worked.build(maker, plain_concept)
    made: Study = maker.write()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gainsift.analysis.report.study_figures", lambda *_: {})
        write_report(made, analyse(made))
    return made


@pytest.fixture(scope="module")
def known(study: Study) -> Known:
    return Known(study)


def every_cell(study: Study) -> list[Cell]:
    return [cell for name in table_names(study) for cell in cells_of(read_table(study, name))]


def test_every_number_is_made_again_or_says_why_not(study: Study, known: Known) -> None:
    """Of every table that there is; limits are of the same terms."""
    made: Counter[str] = Counter()
    for cell in every_cell(study):
        if cell.limit:
            continue
        found = entering_of(known, cell)
        if found.again is None:
            assert found.instead, cell.address
        else:
            assert found.again == pytest.approx(cell.value, rel=1e-9, abs=1e-12), cell.address
            made[cell.table["name"]] += 1
    assert set(made) | {"trends"} == set(table_names(study))  # one checkpoint a series: no trend


@pytest.mark.parametrize(("rule", "start"), [("adjudicated", 0), ("soft", 3)])
def test_numbers_of_a_study_with_everything_in_it(
    study_elsewhere: Callable[..., Any], plain_concept: Callable[..., Concept], rule: str, start: int
) -> None:
    """Chains, trends, a sample, an audit, adjudication, shown pre-labels, repeats, controls, a float32 audit.

    Every seventh number of each table, from another one on under each rule.
    """
    made = with_everything(study_elsewhere, plain_concept, rule)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gainsift.analysis.report.study_figures", lambda *_: {})
        write_report(made, analyse(made))
    known, seen = Known(made), Counter[str]()
    for name in table_names(made):
        points = [cell for cell in cells_of(read_table(made, name)) if not cell.limit]
        for cell in points[start::7] or points:
            found = entering_of(known, cell)
            assert (found.again is None) == bool(found.instead), cell.address
            assert found.again is None or found.again == pytest.approx(cell.value, rel=1e-9, abs=1e-12), cell.address
            seen[cell.table["name"]] += found.again is not None
    assert {"chain", "trends", "adjudication", "anchoring", "audit", "precision", "emergence_first"} <= set(+seen)
    (found,) = {trace(known, one).agrees for one in every_cell(made) if one.address == "audit/share"}
    assert found is True


def with_everything(elsewhere: Callable[..., Any], concept: Callable[..., Concept], rule: str) -> Study:
    rng = np.random.default_rng(3)
    at_b = {"setting": "tgt", "layer": 1}
    maker = elsewhere(
        contrasts_along=[{"setting": "unpatched"}],
        contrasts=[{"name": "late", "from": {"checkpoint": "c2"}, "to": {"checkpoint": "c3"}},
                   {"name": "patch", "from": {"checkpoint": "c3"}, "to": {"checkpoint": "c3", **at_b}}],
        analysis={"bootstrap": 20, "seed": 7, "verdict": rule},
    )  # fmt: skip
    labels = ["correct", "plain_copy", "other_sense", "unrelated", "unsure"]
    tasks = []
    for number in range(6):
        maker.pair(f"P{number}", concept(f"s{number}"), concept(f"t{number}"))
        for out in ("de", "fr"):
            half, drawn = (Fraction(1, 2), number % 3 != 0) if out == "fr" else (Fraction(1), True)
            for checkpoint, where in (("c1", {}), ("c2", {}), ("c3", {}), ("c3", at_b)):
                label = labels[rng.choice(5, p=[0.45, 0.25, 0.15, 0.1, 0.05])]
                right = label == "correct"
                answer = f"{out}_s{number}" if right else f"{label} {number} {out} {checkpoint} {bool(where)}"
                audit = {"audit": Fraction(1, 2), "asked": (number + (out == "fr")) % 2 == 0} if right else {}
                item = maker.row(f"P{number}", ("en", out), checkpoint, answer, probability=half, drawn=drawn,
                                 p_source=float(rng.random()), **audit, **where)  # fmt: skip
                if not drawn or not audit.get("asked", True) or any(line.item == item for line in maker.lines):
                    continue
                for name in ("a1", "a2", "a3"):
                    given = label if rng.random() < 0.8 else labels[rng.integers(4)]
                    maker.vote(item, name, given, "not_listed" if given == "other_sense" else None,
                               prelabel="correct", prelabel_shown=bool(rng.random() < 0.5))  # fmt: skip
                if rng.random() < 0.3:
                    maker.vote(item, "lead", "correct", source="adjudicated", role="adjudication", disagreement="error")
                if rng.random() < 0.3:
                    maker.vote(item, "a1", "unrelated", role="repeat", repeat=1, task_uid=f"again-{item.item_id}")
                if rng.random() < 0.3:
                    line = maker.vote(item, "a2", label, "not_listed" if label == "other_sense" else None,
                                      role="control", task_uid=f"control-{item.item_id}")  # fmt: skip
                    tasks.append(Assignment(uid=line.task_uid, item=item, annotator="a2", role="control",
                                            expected="correct"))  # fmt: skip
    made: Study = maker.write()
    write_jsonl(made.assignments_file, tasks, ASSIGNMENT_FORMAT)
    names = ("row_id", "checkpoint", "setting", "prompt", "input_language", "output_language", "pair_id", "layer",
             "intended_concept", "answer", "closed", "p_source", "p_target")  # fmt: skip
    again = ("answer", "closed", "p_source", "p_target")
    audited = []
    for number, row in enumerate(maker.rows):
        own = {name: getattr(row, name) for name in names}
        exact = {f"{name}_float32": own[name] for name in again}
        exact["answer_float32"] += " then" * (number % 4 == 0)
        exact["p_source_float32"] += 0.001 * number
        audited.append(Float32Audit(dtype="bfloat16", **own, **exact))
    write_parquet(made.float32_file, Float32Audit, audited, FLOAT32_FORMAT)
    return made


def test_addresses_are_of_one_number_each_and_stand_on_the_page(study: Study) -> None:
    addresses = [cell.address for cell in every_cell(study)]
    assert len(set(addresses)) == len(addresses)
    assert all(re.fullmatch(r"[\w.+/~-]+", address) for address in addresses)
    page = (study.report_folder / "report.html").read_text("utf-8")
    shown = set(re.findall(r'<td class="n" title="([^"]+)"', page))
    assert shown <= set(addresses)
    assert "split/c1_to_patched_c2/human/flow" in shown


def listed(known: Known, address: str) -> tuple[Cell, list[dict[str, str]]]:
    """A number, and what `--csv` writes of it."""
    cell = find_cells(known.study, address)
    assert isinstance(cell, Cell)
    return cell, list(csv.DictReader(io.StringIO(trace_csv(trace(known, cell)), newline="")))


def majority(rows: list[dict[str, str]]) -> str | None:
    """The label that most of some judgements gave, `unsure` aside; None without one, or with several."""
    labels = Counter(row["judgement_label"] for row in rows if row["judgement_label"] not in ("", "unsure"))
    best = [label for label, count in labels.items() if count == max(labels.values())]
    return best[0] if len(best) == 1 else None


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("apparent", Fraction(63, 133)),
        ("human", Fraction(58, 133)),
        ("undeserved", Fraction(-10, 133)),
        ("missed", Fraction(-5, 133)),
    ],
)
def test_a_part_of_the_split_from_the_listed_answers_and_judgements_alone(
    study: Study, known: Known, part: str, expected: Fraction
) -> None:
    """Nothing of the analysis is used: success from answer and word list, verdicts by counting the listed votes.

    The fractions are those of the module that is worked out by hand.
    """
    cell, rows = listed(known, f"split/c1_to_patched_c2/{part}/flow")
    above, below = Fraction(0), Fraction(0)
    for term in sorted({int(row["term"]) for row in rows}):
        own = [row for row in rows if int(row["term"]) == term]
        weight = Fraction(own[0]["weight"]).limit_denominator(100)
        sides = []
        for checkpoint in ("c1", "c2"):
            side = [row for row in own if row["checkpoint"] == checkpoint]
            forms = study.concepts[side[0]["intended_concept"]].reference[side[0]["output_language"]]
            success = side[0]["answer"].casefold() in {form.casefold() for form in forms}
            verdict = majority(side)
            sides.append((int(success), None if verdict is None else int(verdict == "correct")))
        (s_a, h_a), (s_b, h_b) = sides
        decided = h_a is not None and h_b is not None
        value = {
            "apparent": s_b - s_a,
            "human": (h_b or 0) - (h_a or 0) if decided else 0,
            "undeserved": s_b * (1 - (h_b or 0)) - s_a * (1 - (h_a or 0)) if decided else 0,
            "missed": (h_a or 0) * (1 - s_a) - (h_b or 0) * (1 - s_b) if decided else 0,
        }[part]
        above += weight * value
        below += weight
    assert below == Fraction(133, 5)
    assert float(above / below) == pytest.approx(cell.value)
    assert above / below == expected


def test_alpha_from_the_listed_judgements_by_another_library(known: Known) -> None:
    import krippendorff

    cell, rows = listed(known, "agreement/category/alpha")
    votes = {(row["item_id"], row["annotator"]): row["judgement_label"] for row in rows}
    items, people = sorted({item for item, _ in votes}), sorted({name for _, name in votes})
    labels = sorted(set(votes.values()) - {"unsure"})
    code = {label: float(place) for place, label in enumerate(labels)}
    table = [[code.get(votes.get((item, name), ""), float("nan")) for item in items] for name in people]
    alpha = krippendorff.alpha(reliability_data=table, level_of_measurement="nominal")
    assert alpha == pytest.approx(cell.value)


def test_the_auc_from_the_listed_terms_by_another_library(known: Known) -> None:
    from sklearn.metrics import roc_auc_score

    cell, _ = listed(known, "prediction/all_judged_outputs/auc")
    terms = trace(known, cell).entering.terms
    right = [labels == ("correct",) for labels in terms["labels"]]
    assert roc_auc_score(right, terms["value"], sample_weight=terms["weight"]) == pytest.approx(cell.value)


def test_a_limit_lists_what_was_resampled_and_how(known: Known) -> None:
    cell = find_cells(known.study, "split/c1_to_patched_c2/human/flow_low")
    assert isinstance(cell, Cell)
    found = trace(known, cell)
    assert found.agrees is None
    assert (found.seed, found.resamples) == (7, 200)
    assert "studentised cluster bootstrap" in found.entering.instead
    assert len(found.entering.terms) == 20


def test_lines_that_are_left_out_are_listed(known: Known) -> None:
    cells = find_cells(known.study, "left_out")
    assert isinstance(cells, list)
    (auto,) = (cell for cell in cells if "automatic" in cell.row["what"])
    assert [line.source for line in trace(known, auto).judgements] == ["auto"]


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["trace", *arguments])


def test_the_command_lists_and_traces(study: Study, tmp_path: Path) -> None:
    folder = str(study.folder)
    assert "split" in run(folder).output
    below = run(folder, "split/c1_to_patched_c2/human").output
    assert "split/c1_to_patched_c2/human/flow\t+43.6" in below
    told = json.loads(run(folder, "split/c1_to_patched_c2/human/flow", "--json").output)
    assert told["agrees"] is True
    assert len(told["terms"]) == 20
    assert {one["annotator"] for one in told["judgements"]} == {"a1", "a2", "a3"}
    file = tmp_path / "behind.csv"
    shown = run(folder, "split/c1_to_patched_c2/human/flow", "--show=1", f"--csv={file}")
    assert shown.exit_code == 0
    assert "the same" in shown.output
    assert "“Synonym”" in shown.output
    assert file.read_text("utf-8").startswith('"term"')
    for address in ([], ["split/c1_to_patched_c2"]):
        done = run(folder, *address, f"--csv={tmp_path / 'none.csv'}")
        assert isinstance(done.exception, UserError)
        assert "it needs the address of one number" in str(done.exception)


def test_a_number_that_no_longer_comes_out_is_told(
    study_elsewhere: Callable[..., Any], plain_concept: Callable[..., Concept], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A judgement that came home after the report changes the verdict of an item."""
    maker = study_elsewhere()
    for number in range(4):
        maker.pair(f"P{number}", plain_concept(f"s{number}"), plain_concept(f"t{number}"))
        first = maker.row(f"P{number}", ("en", "de"), "c1", f"en_s{number}")
        last = maker.row(f"P{number}", ("en", "de"), "c2", f"de_s{number}", setting="tgt", layer=1)
        maker.vote(first, "a1", "plain_copy")
        maker.vote(last, "a1", "correct")
    made = maker.write()
    monkeypatch.setattr("gainsift.analysis.report.study_figures", lambda *_: {})
    write_report(made, analyse(made))
    maker.vote(first, "a1", "correct", round=1)
    maker.write()
    done = run(str(made.folder), "split/c1_to_patched_c2/human/flow")
    assert "NOT the number in the report" in done.output
    assert "changed since the report was written: annotations.jsonl" in done.output
    assert isinstance(done.exception, WorkError)


@pytest.mark.parametrize(
    ("address", "said"),
    [("splt", "did you mean split?"), ("split/c1/human/flow", "no number at"), ("../../study", "no table")],
)
def test_an_address_that_leads_nowhere_says_what_there_is(study: Study, address: str, said: str) -> None:
    done = run(str(study.folder), address)
    assert isinstance(done.exception, UserError)
    assert said in str(done.exception)
    assert "lists what there is" in str(done.exception)


@pytest.mark.parametrize("text", ["{", "[]", '{"rows": [{}]}', '{"rows": [{"address": 1}], "columns": []}'])
def test_a_table_that_is_none_is_refused(tmp_path: Path, study: Study, text: str) -> None:
    import shutil

    copied = tmp_path / "study"
    shutil.copytree(study.folder, copied)
    (copied / "report" / "tables" / "split.json").write_text(text, "utf-8")
    done = run(str(copied), "split")
    assert isinstance(done.exception, UserError)
    assert "no table of a report" in str(done.exception)


@pytest.mark.parametrize(
    ("name", "part"),
    [("late training", "late_training"), ("en → de", "en_de"), (None, "-"), ("a/b\n=c", "a_b_c"), ("हिन्दी", "हिन्दी"),
     ("\u202e\ud800", "-"), ("step-00100, unpatched", "step-00100_unpatched")],
)  # fmt: skip
def test_a_name_in_an_address_needs_no_quotes(name: str | None, part: str) -> None:
    assert address_part(name) == part


def test_rows_that_are_called_alike_are_told_apart() -> None:
    rows = [{"name": "a b", "n": 1}, {"name": "a/b", "n": 2}]
    table = Table("t", "T", [Column("name", "Name"), Column("n", "N", "count")], rows)
    assert row_addresses(table) == ["t/a_b", "t/a_b~2"]
