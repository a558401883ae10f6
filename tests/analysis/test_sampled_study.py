"""From plan to report through the commands: a drawn sample, outputs that the study no longer asks for, contrasts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gainsift.analysis.results import analyse
from gainsift.cli.main import app
from gainsift.schemas.concepts import Concept
from gainsift.schemas.errors import UserError
from gainsift.schemas.study import Study

AT_B = {"setting": "tgt", "layer": 1}
PAIRS = 40


@pytest.fixture
def outputs(make_study: Callable[..., Any], plain_concept: Callable[..., Concept]) -> Callable[..., Any]:
    """Forty prompt pairs in two language pairs at c1 (copies) and c2, patched (every other answer right)."""

    def make(**changes: Any) -> Any:
        maker = make_study(**changes)
        for number in range(PAIRS):
            maker.pair(f"P{number}", plain_concept(f"s{number}"), plain_concept(f"t{number}"))
            for out in ("de", "fr"):
                maker.row(f"P{number}", ("en", out), "c1", f"en_s{number}")
                answer = f"{out}_s{number}" if number % 2 else f"nonsense{number}"
                maker.row(f"P{number}", ("en", out), "c2", answer, **AT_B)
        return maker

    return make


def annotation(trajectories: int | None) -> dict[str, Any]:
    return {"rows": {"settings": ["unpatched", "tgt"], "layers": [1], "trajectories": trajectories}}


def run(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == 0, f"{done.output} {done.exception}"
    return done.stdout


def plan_judge_analyse(folder: Path) -> dict[str, Any]:
    run("annotate", "plan", str(folder))
    run("annotate", "simulate", str(folder))
    found: dict[str, Any] = json.loads(run("analyze", str(folder), "--json"))
    return found


def test_a_drawn_sample_goes_through_all_stages(outputs: Callable[..., Any]) -> None:
    """Twenty of eighty trajectories: the rest is outside, and the estimate weighs the drawn units by four."""
    study = outputs(annotation=annotation(20)).write()
    found = plan_judge_analyse(study.folder)
    links = study.links().to_pandas()
    drawn = set(links.loc[links["drawn"], "trajectory"])
    known = {item.item_id for item in study.items()}
    assert 5 < len(drawn) < 40
    assert set(links["trajectory_probability"]) == {0.25}
    assert not set(links.loc[~links["drawn"], "item_id"]) <= known  # else nothing is tested here
    (contrast,) = found["contrasts"]
    assert contrast["units"] == len(drawn)
    (units,) = analyse(Study.open(study.folder)).tables["units"].rows
    assert units["outside"] == 2 * PAIRS - len(drawn)
    assert units["weight"] == pytest.approx(4 * len(drawn))  # no item is shared between trajectories here
    right = sum(int(name.split("|")[0][1:]) % 2 for name in drawn)
    assert contrast["parts"]["apparent"]["point"] == pytest.approx(right / len(drawn))


def test_an_audited_campaign_with_strata_and_hidden_tasks_goes_through_all_stages(outputs: Callable[..., Any]) -> None:
    """Forty of eighty trajectories by outcome: 20 of the 40 that come right, 20 of the 40 that never do.

    Patched answers that equal the reference are asked about one time in two. Annotators get three controls and see some
    items twice; neither counts.
    """
    campaign = annotation(40)
    campaign["rows"]["strata"] = ["outcome"]
    campaign |= {"prelabels": "accept_reference", "audit": 0.5, "overlap": 2, "controls": 3, "repeats": 0.25}
    campaign["annotators"] = [{"name": name} for name in ("ann", "ben", "cat")]
    study = outputs(annotation=campaign).write()
    found = plan_judge_analyse(study.folder)
    links = study.links().to_pandas()
    drawn = links[links["drawn"]]
    audited = drawn.loc[drawn["audit_probability"] < 1].set_index("item_id")["asked"]
    assert 0 < audited.sum() < len(audited)
    assert found["audit"]["asked"] == audited.sum()
    assert found["audit"]["unasked"] == len(audited) - audited.sum()
    left = found["left_out"]
    assert left["items that the audit did not ask about (unjudged, outside the sample)"] == len(audited) - audited.sum()
    roles = Counter(line.role for line in study.annotations())
    assert roles["control"] == left["control tasks (made-up items with a known answer)"] == 9
    assert 0 < left["repeated judgements (kept for self-agreement)"] <= roles["repeat"]  # a second look may be skipped
    assert found["agreement"]["judgements"] <= 2 * len(study.items())
    (contrast,) = found["contrasts"]
    right = audited.sum()  # of 40, each with chance 1/2 of the draw and 1/2 of the audit
    never = int((~drawn.groupby("trajectory")["audit_probability"].min().lt(1)).sum())
    assert contrast["units"] == right + never
    assert contrast["parts"]["apparent"]["point"] == pytest.approx(4 * right / (4 * right + 2 * never))


def test_labels_shown_on_pages_are_compared_with_labels_withheld(outputs: Callable[..., Any]) -> None:
    """Simulated annotators do not look at the label: both shares are how often they agree with the lexicon."""
    campaign = {**annotation(None), "prelabels": "shown", "audit": 0.4}
    study = outputs(annotation=campaign).write()
    found = plan_judge_analyse(study.folder)["anchoring"]
    known = [line for line in study.annotations() if line.prelabel and line.status == "judged"]
    for name, shown in (("shown", True), ("withheld", False)):
        side = [line.label == line.prelabel for line in known if line.prelabel_shown == shown]
        assert found[f"judgements_{name}"] == len(side) > 30
        assert found[name]["point"] == pytest.approx(sum(side) / len(side))
    assert found["difference"]["low"] <= found["shown"]["point"] - found["withheld"]["point"]


def test_the_whole_population_is_the_sample_without_a_draw(outputs: Callable[..., Any]) -> None:
    found = plan_judge_analyse(outputs(annotation=annotation(None)).write().folder)
    assert found["contrasts"][0]["units"] == 2 * PAIRS
    assert found["contrasts"][0]["parts"]["apparent"]["point"] == pytest.approx(0.5)


def test_a_changed_output_of_the_sample_is_still_refused(outputs: Callable[..., Any]) -> None:
    maker = outputs(annotation=annotation(20))
    study = maker.write()
    plan_judge_analyse(study.folder)
    links, annotations = study.links_file.read_bytes(), study.annotations_file.read_bytes()
    items = study.items_file.read_bytes()
    table = study.links().to_pandas()
    for drawn, refused in ((False, False), (True, True)):
        row_id = table.loc[(table["drawn"] == drawn), "row_id"].iloc[0]
        maker.rows = [row.model_copy(update={"answer": "new"}) if row.row_id == row_id else row for row in maker.rows]
        maker.write()
        study.links_file.write_bytes(links)
        study.items_file.write_bytes(items)
        study.annotations_file.write_bytes(annotations)
        done = CliRunner().invoke(app, ["analyze", str(study.folder)])
        assert isinstance(done.exception, UserError) == refused, done.output
        assert not refused or f"output {row_id} has changed" in str(done.exception)


def test_checkpoints_and_pairs_that_the_study_no_longer_names_are_left_out(outputs: Callable[..., Any]) -> None:
    maker = outputs()
    for number in range(6):
        item = maker.row(f"P{number}", ("en", "de"), "c3", f"de_s{number}")
        maker.vote(item, "a1", "correct")
    for item in list(maker.items.values()):
        maker.vote(item, "a1", "correct")
    maker.config["model"]["checkpoints"] = maker.config["model"]["checkpoints"][:2]  # c3 goes
    maker.config["language_pairs"] = [["en", "de"]]  # and en-fr
    results = analyse(maker.write())
    assert results.left_out["outputs of checkpoints that study.yaml does not name"] == 6
    assert results.left_out["outputs of language pairs that study.yaml does not name"] == 2 * PAIRS
    assert {row["checkpoint"] for row in results.tables["outcomes"].rows} == {"c1", "c2"}
    assert [row["rows"] for row in results.tables["outcomes"].rows] == [PAIRS, PAIRS]
    (contrast,) = results.contrasts
    assert contrast.split.units == PAIRS
    assert set(results.mass["checkpoint"]) == {"c1", "c2"}
    assert results.mass["rows"].sum() == 2 * PAIRS


@pytest.mark.parametrize(
    ("to", "words"),
    [
        ({"checkpoint": "c2", "setting": "tgt", "layer": 44}, "layer 44 of setting 'tgt' (layers that there are: 1)"),
        (
            {"checkpoint": "c2", "setting": "seen", "layer": 1},
            "setting 'seen' (settings that there are: tgt, unpatched)",
        ),
        (
            {"checkpoint": "c2", "prompt": "target"},
            "unpatched target prompts (prompts that there are: source)",
        ),
    ],
)
def test_a_contrast_of_what_was_never_generated_is_refused(
    outputs: Callable[..., Any], to: dict[str, Any], words: str
) -> None:
    maker = outputs(contrasts=[{"name": "wrong", "from": {"checkpoint": "c1"}, "to": to}])
    maker.vote(next(iter(maker.items.values())), "a1", "correct")
    done = CliRunner().invoke(app, ["analyze", str(maker.write().folder)])
    assert isinstance(done.exception, UserError)
    assert done.exception.exit_code == 2
    assert f"contrast 'wrong', to: no output has {words}" in str(done.exception)
    assert "\n" not in str(done.exception)
