"""Names that collide or cannot be drawn, signatures by row, warnings, and the sentence of a contrast."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
import yaml

from gainsift.analysis.agreement import agreement
from gainsift.analysis.estimate import Estimate, generator
from gainsift.analysis.report import write_report
from gainsift.analysis.results import Results, analyse
from gainsift.analysis.study_design import study_design
from gainsift.analysis.summary import agreement_sentence, chance_sentence, contrast_sentence
from gainsift.analysis.tables import Table
from gainsift.schemas.concepts import Concept
from gainsift.schemas.study import Study
from gainsift.schemas.taxonomy import load_taxonomy

AT_B = {"setting": "tgt", "layer": 1}


@pytest.fixture
def small(make_study: Callable[..., Any], plain_concept: Callable[..., Concept]) -> Callable[..., Any]:
    """Six units: copies at c1, at c2 (unpatched and patched) right but for the last; the first concept is split."""

    def make(**changes: Any) -> Any:
        maker = make_study(**changes)
        for number in range(6):
            flags = ["sense_split"] if number == 0 else []
            maker.pair(f"P{number}", plain_concept(f"s{number}", flags=flags), plain_concept(f"t{number}"))
            good = f"de_s{number}" if number < 5 else "anders"
            for checkpoint, answer, where in (("c1", f"en_s{number}", {}), ("c2", good, {}), ("c2", good, AT_B)):
                item = maker.row(f"P{number}", ("en", "de"), checkpoint, answer, **where)
                label = "plain_copy" if answer.startswith("en") else "unrelated" if answer == "anders" else "correct"
                for annotator in ("a1", "a2"):
                    if not where:
                        maker.vote(item, annotator, label)
        return maker

    return make


def contrasts(*names: str) -> list[dict[str, Any]]:
    sides = ({"checkpoint": "c1"}, {"checkpoint": "c2"}), ({"checkpoint": "c2"}, {"checkpoint": "c2", **AT_B})
    return [{"name": name, "from": a, "to": b} for name, (a, b) in zip(names, sides, strict=False)]


def csv_rows(study: Study, name: str) -> list[dict[str, str]]:
    with (study.report_folder / "tables" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


HOSTILE = ("success", "rows", "decided", "correct", "checkpoint", "step", "tokens", "series")


@pytest.mark.parametrize("bucket", [*HOSTILE, "human", "apparent"])
def test_a_bucket_may_have_the_name_of_a_column(small: Callable[..., Any], bucket: str) -> None:
    """The tables with such a bucket hold the same numbers as with the ordinary name."""
    maker = small()
    plain = analyse(maker.write())
    data = load_taxonomy().model_dump(mode="json")
    data["buckets"] = {bucket if key == "plain_copying" else key: name for key, name in data["buckets"].items()}
    for category in data["categories"]:
        if category["bucket"] == "plain_copying":
            category["bucket"] = bucket
    (maker.folder / "own.yaml").write_text(yaml.safe_dump(data, sort_keys=False), "utf-8")
    maker.config["taxonomy"] = "own.yaml"
    found = analyse(maker.write())

    def columns(results: Results, name: str) -> list[list[Any]]:
        table = results.tables[name]
        assert len({column.key for column in table.columns}) == len(table.columns)
        return [[getattr(row[c.key], "point", row[c.key]) for c in table.columns] for row in table.rows]

    assert columns(found, "outcomes") == columns(plain, "outcomes")
    parts = [row["part"] for row in found.tables["split"].rows]
    assert len(set(parts)) == len(parts)


def test_a_name_that_no_font_and_no_file_can_hold(small: Callable[..., Any]) -> None:
    name = "a\ud800b"
    study = small().write()
    named = [one.model_copy(update={"name": name}) for one in study.config.contrasts]
    study = replace(study, config=study.config.model_copy(update={"contrasts": named}))
    page = write_report(study, analyse(study)).read_text("utf-8")
    assert "a⟨U+D800⟩b" in page
    assert (study.report_folder / "figures" / "split_1.pdf").is_file()
    assert json.loads((study.report_folder / "summary.json").read_text("utf-8"))["contrasts"]


def test_each_row_has_the_signature_of_its_own_contrast(small: Callable[..., Any]) -> None:
    maker = small(contrasts=contrasts("training", "patching"))
    maker.rows = [row for row in maker.rows if not (row.layer == 1 and row.pair_id == "P1")]
    gone = {row.row_id for row in maker.rows}
    maker.links = [link for link in maker.links if link[0] in gone]
    study = maker.write()
    results = analyse(study)
    write_report(study, results)
    sizes = {"training": "units:6|decided:6|", "patching": "units:5|decided:5|"}
    for name in ("split", "levels", "split_categories", "units"):
        rows = csv_rows(study, name)
        assert {row["contrast"] for row in rows} == set(sizes)
        for row in rows:
            assert sizes[row["contrast"]] in row["signature"]
            assert row["signature"].count("|v:") == 1
    for row in csv_rows(study, "split_without_identical"):
        assert "|identical:out|" in row["signature"]
    data = json.loads((study.report_folder / "tables" / "split.json").read_text("utf-8"))
    assert all(sizes[row["contrast"]] in row["signature"] for row in data["rows"])


def test_excluded_concepts_enter_no_table_and_every_table_says_so(small: Callable[..., Any]) -> None:
    spec = {"bootstrap": 20, "exclude_sense_split": True}
    kept, found = analyse(small(analysis={"bootstrap": 20}).write()), analyse(small(analysis=spec).write())

    def first(results: Results, name: str, column: str) -> Any:
        return results.tables[name].rows[0][column]

    for name, column, per_concept in (("outcomes", "rows", 1), ("agreement", "items", 2), ("units", "units", 1)):
        assert first(kept, name, column) - first(found, name, column) == per_concept, name
    assert kept.mass["rows"].tolist() == [6, 6, 6]
    assert found.mass["rows"].tolist() == [5, 5, 5]
    assert {example.shown_word for example in found.examples} <= {f"en_s{number}" for number in range(1, 6)}
    assert found.left_out["outputs of concepts flagged `sense_split` (analysis.exclude_sense_split)"] == 3
    assert found.left_out["items of outputs that the analysis leaves out"] == 2

    def says(table: Table) -> bool:
        return any("flagged `sense_split` are left out" in note for note in table.notes)

    assert all(says(table) for table in found.tables.values())
    assert not any(says(table) for table in kept.tables.values())


def test_too_few_resamples_are_warned_of(small: Callable[..., Any]) -> None:
    for resamples, warned in ((1, True), (199, True), (200, False)):
        study = small(analysis={"bootstrap": resamples}).write()
        results = analyse(study)
        for name in ("split", "shares", "outcomes", "levels", "agreement"):
            notes = " ".join(results.tables[name].notes)
            assert ("only are not to be trusted" in notes) == warned, name
        assert ("not to be trusted" in write_report(study, results).read_text("utf-8")) == warned


def test_a_bucket_that_cannot_occur_has_no_interval(small: Callable[..., Any]) -> None:
    """`patch_effect` belongs to patched rows: a plain zero between unpatched ones, a bound where one is patched."""
    training, patching = analyse(small(contrasts=contrasts("training", "patching")).write()).contrasts
    assert training.split.flow_buckets["patch_effect"].low is None
    assert training.split.flow_buckets["sense_selection"].bounded
    assert patching.split.flow_buckets["patch_effect"].bounded
    assert sum(part.point or 0 for part in training.split.flow_buckets.values()) == pytest.approx(5 / 6)


NO_ROWS = pd.DataFrame(columns=["setting", "prompt", "layer", "checkpoint"])

# --- the sentence ----------------------------------------------------------------------------------------


def sentence(study: Study, buckets: dict[str, Any], **parts: Any) -> str:
    """What is said of these figures; the apparent gain is their sum. A figure is a point or point, low, high."""

    def estimate(value: Any) -> Estimate:
        return Estimate(*value) if isinstance(value, tuple) else Estimate(value)

    flow = {key: estimate(value) for key, value in buckets.items()}
    named = {key: estimate(parts.get(key, 0.0)) for key in ("undeserved", "missed", "undecided")}
    named["apparent"] = Estimate(sum(value.point or 0 for value in (*flow.values(), *named.values())))
    split = SimpleNamespace(parts=named, flow_buckets=flow, units=10, decided=10)
    result = SimpleNamespace(split=split, units=SimpleNamespace(size=10))
    return contrast_sentence(study_design(study, NO_ROWS), result)  # type: ignore[arg-type]


def test_gains_losses_and_nothing(make_study: Callable[..., Any]) -> None:
    study = make_study().write()
    gain = sentence(
        study, {"ability": (0.182, 0.129, 0.234), "plain_copying": 0.0, "sense_selection": 0.05},
        undeserved=0.03, missed=(-0.031, -0.05, -0.012), undecided=0.0,
    )  # fmt: skip
    assert gain == (
        "Of +23.1 points of apparent gain, 18.2 [12.9, 23.4] are ability, 5.0 sense selection, 3.0 undeserved credit"
        " and −3.1 [−5.0, −1.2] come about because the word list misses more right answers than before."
    )
    loss = sentence(study, {"ability": -0.9, "sense_selection": (0.02, -0.01, 0.05)}, missed=-0.03, undecided=0.01)
    assert loss == (
        "Of 90.0 points of apparent loss, 90.0 are ability, −2.0 [−5.0, 1.0] sense selection, 3.0 come about because"
        " the word list misses more right answers than before and −1.0 lie in units without two usable verdicts."
    )
    fewer = sentence(study, {"ability": 1e-17}, missed=0.04)
    assert fewer == (
        "Of +4.0 points of apparent gain, 4.0 come about because the word list misses fewer right answers than before."
    )
    level = sentence(study, {"ability": 0.05, "plain_copying": -0.05})
    assert level == "The apparent gain is 0.0 points: 5.0 are ability and −5.0 plain copying."
    assert sentence(study, {"ability": 0.0}) == "The apparent gain is 0.0 points, and no part of it is more than 0.0."


@pytest.mark.parametrize("turned", [1, -1])
def test_the_figures_of_the_sentence_add_up(make_study: Callable[..., Any], turned: int) -> None:
    study = make_study().write()
    values = {"ability": 0.5 * turned, "plain_copying": -0.2 * turned, "patch_effect": 0.1 * turned}
    said = sentence(study, values, undeserved=0.07 * turned, missed=-0.02 * turned, undecided=0.03 * turned)
    first, *rest = [float(number.replace("−", "-")) for number in re.findall(r"[+−]?\d+\.\d", said)]
    assert first == pytest.approx(48)
    assert sum(rest) == pytest.approx(first)


def test_what_stands_out_from_chance(make_study: Callable[..., Any]) -> None:
    study = make_study().write()

    def told(**adjusted: float | None) -> str:
        tests = [SimpleNamespace(what="bucket", part=part, adjusted=p) for part, p in adjusted.items()]
        gain = SimpleNamespace(what="gain", part="human", adjusted=0.001)  # the gain itself is no part of it
        said = chance_sentence(study_design(study, NO_ROWS), SimpleNamespace(tests=[gain, *tests]))  # type: ignore[arg-type]
        return said.replace("\u00a0", " ")

    assert told(ability=0.0001, plain_copying=0.049, granularity=0.05, sense_selection=None) == (
        "Beyond chance: ability (p < 0.001) and plain copying (p = 0.049); not so granularity."
    )
    assert told(ability=0.012) == "Beyond chance: ability (p = 0.012)."
    assert told(ability=0.3, patch_effect=1.0) == (
        "Nothing stands out from chance: ability and patch effect may each have come about by it."
    )
    assert told(ability=None) == told() == ""


def test_agreement_below_chance_has_a_real_minus() -> None:
    """Two people who never say the same: alpha of two labels on four items, half each, is 1 − 1 / (32 / 56) = −3/4."""
    table = {str(n): {"a": "xy"[n % 2], "b": "yx"[n % 2]} for n in range(4)}
    found = SimpleNamespace(agreement=agreement(table, "nominal", 50, 0.95, generator(1)), simulated=False)
    told = agreement_sentence(found)  # type: ignore[arg-type]
    assert told.startswith("Krippendorff's α is −0.750 [−")
    assert "-" not in told
