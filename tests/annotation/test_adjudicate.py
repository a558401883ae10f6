"""Disagreements go to the lead, without names; the verdict comes home, and both readings stay in the data."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from itertools import permutations
from typing import Any

import pytest
from label_studio_sdk.label_interface import LabelInterface
from typer.testing import CliRunner

from gainsift.analysis.judgements import gather
from gainsift.analysis.verdicts import verdict
from gainsift.annotation.adjudication import Adjudication, adjudicate
from gainsift.annotation.adjudication_page import ADJUDICATION_KEYS, adjudication_config, question_keys
from gainsift.annotation.assignment import write_assignments
from gainsift.annotation.export import export
from gainsift.annotation.homecoming import Imported, take_in
from gainsift.annotation.label_config import DATA_KEYS, label_config, lint
from gainsift.annotation.plan import make_plan, write_plan
from gainsift.annotation.tasks import Pages, task
from gainsift.cli.annotate import app
from gainsift.schemas.rows import Assignment
from gainsift.schemas.study import Study
from gainsift.schemas.taxonomy import load_taxonomy

STARTED = "2026-01-01T00:00:00+00:00"
ANSWERS = ["Bank", "Hund", "xyz", "Köter"]


class Campaign:
    """Four answers, three annotators; `judge` brings a judgement home as Label Studio would."""

    def __init__(self, study: Study, ls_task: Any, ls_annotation: Any) -> None:
        self.study, self.ls_task, self.ls_annotation = study, ls_task, ls_annotation
        self.number = 0

    def judge(self, person: str, answer: str, label: str, sense: str | None = None, **more: Any) -> Imported:
        self.number += 1
        (line,) = [
            line
            for line in self.study.assignments()
            if (line.annotator, line.item.answer) == (person, answer) and not line.retired
        ]
        return self.answer(line, label, sense, **more)

    def answer(self, line: Assignment, label: str, sense: str | None = None, **more: Any) -> Imported:
        self.number += 1
        entry = self.ls_annotation(more.pop("number", self.number), label, sense, more.pop("text", None), **more)
        return self.take(line, entry)

    def settle(self, line: Assignment, label: str, verdict: str | None, **more: Any) -> Imported:
        self.number += 1
        entry = self.ls_annotation(self.number, label, **more)
        if verdict:
            part = {**entry["result"][0], "from_name": "disagreement", "value": {"choices": [verdict]}}
            entry["result"].append(part)
        return self.take(line, entry)

    def take(self, line: Assignment, entry: Any) -> Imported:
        data = task(Pages(self.study), line)["data"]
        return take_in(
            self.study, [("here", self.ls_task(data, 1, entry))], complete=False, accounts=None, strict=False
        )

    def leads(self) -> dict[str, Assignment]:
        """The lead's tasks that are not retired, by answer."""
        return {
            line.item.answer: line
            for line in self.study.assignments()
            if line.role == "adjudication" and not line.retired
        }

    def key(self, answer: str) -> str:
        (found,) = [item.content_key for item in self.study.items() if item.answer == answer]
        return found


@pytest.fixture
def campaign(row, planned, ls_task, ls_annotation) -> Campaign:
    rows = [
        row("Bank", pair=("bank.river", "house")),
        row("Hund"),
        row("xyz", checkpoint="secretmodel-step200"),
        row("Köter", pair=("dog", "hotel")),
    ]
    return Campaign(planned(rows, annotators=["ann", "ben", "cat"]), ls_task, ls_annotation)


# --- which items ---------------------------------------------------------------------------------------------


def test_items_that_differ_in_label_or_sense_become_tasks_of_the_lead(campaign) -> None:
    for person, label, sense in (
        ("ann", "other_sense", "bank.money"),
        ("ben", "other_sense", "bank.seat"),
        ("cat", "other_sense", "bank.money"),
    ):
        campaign.judge(person, "Bank", label, sense)
    campaign.judge("ann", "Hund", "correct")
    campaign.judge("ben", "Hund", "related")
    campaign.judge("cat", "Hund", "unsure")
    campaign.judge("ann", "xyz", "non_word")
    campaign.judge("ben", "xyz", "non_word")
    campaign.judge("ann", "Köter", "correct")  # judged by one alone
    expected = Adjudication(compared=3, differ=2, settled=0, asked=2, new=2, agreed=0, unplanned=0)
    before = campaign.study.assignments_file.read_bytes()
    assert adjudicate(campaign.study, dry_run=True) == expected
    assert campaign.study.assignments_file.read_bytes() == before
    others = campaign.study.assignments()
    assert adjudicate(campaign.study) == expected
    assert campaign.study.assignments()[: len(others)] == others
    leads = campaign.leads()
    assert set(leads) == {"Bank", "Hund"}
    assert sorted(leads["Bank"].competing) == [("other_sense", "bank.money"), ("other_sense", "bank.seat")]
    assert sorted(leads["Hund"].competing) == [("correct", None), ("related", None), ("unsure", None)]
    assert {(line.annotator, line.role, line.round) for line in leads.values()} == {("lead", "adjudication", 0)}
    # again: the same tasks, none of them new
    size = campaign.study.assignments_file.read_bytes()
    assert adjudicate(campaign.study) == Adjudication(3, 2, 0, 2, 0, 0, 0)
    assert campaign.study.assignments_file.read_bytes() == size


def test_controls_repeats_and_what_did_not_pass_the_checks_do_not_disagree(campaign) -> None:
    study = campaign.study
    campaign.judge("ann", "Hund", "correct")
    lines = study.assignments()
    for role in ("control", "repeat"):
        for number, line in enumerate(lines):
            if (line.annotator, line.item.answer) == ("ben", "Hund"):
                lines[number] = line.model_copy(update={"role": role})
        write_assignments(study, lines)
        campaign.judge("ben", "Hund", "related")
    campaign.judge("cat", "Hund", "no_such_label")
    assert adjudicate(study).compared == 0


def test_the_latest_judgement_of_an_annotator_is_what_is_compared(campaign) -> None:
    campaign.judge("ann", "Hund", "correct")
    campaign.judge("ben", "Hund", "related", updated="2026-02-01T11:00:00Z")
    campaign.judge("ben", "Hund", "correct", updated="2026-02-01T12:00:00Z")
    campaign.judge("ben", "Hund", "unrelated", updated="2026-02-01T10:00:00Z")
    assert (adjudicate(campaign.study).compared, adjudicate(campaign.study).differ) == (1, 0)


def test_a_task_that_nobody_has_answered_follows_the_judgements(campaign) -> None:
    campaign.judge("ann", "Hund", "correct")
    campaign.judge("ben", "Hund", "related", number=50)
    adjudicate(campaign.study)
    first = campaign.leads()["Hund"]
    campaign.judge("cat", "Hund", "hypernym")
    adjudicate(campaign.study)
    again = campaign.leads()["Hund"]
    assert again.uid == first.uid
    assert sorted(again.competing) == [("correct", None), ("hypernym", None), ("related", None)]
    # they come to agree: the task is retired, and comes back when they differ again
    late = "2026-03-01T00:00:00Z"
    campaign.judge("ben", "Hund", "correct", number=50, updated=late)
    campaign.judge("cat", "Hund", "correct", updated=late)
    assert adjudicate(campaign.study) == Adjudication(1, 0, 0, 0, 0, agreed=1, unplanned=0)
    assert campaign.leads() == {}
    campaign.judge("cat", "Hund", "related", updated="2026-03-02T00:00:00Z")
    adjudicate(campaign.study)
    assert campaign.leads()["Hund"].uid == first.uid


def test_the_order_of_the_readings_is_random_and_the_same_again(campaign, row, planned) -> None:
    """Three readings of 60 items: each of the six orders comes up, and none far more than its sixth."""
    rows = [row(f"word{number}").model_copy(update={"row_id": f"r{number}"}) for number in range(60)]
    study = planned(rows, name="many", annotators=["ann", "ben", "cat"])
    many = Campaign(study, campaign.ls_task, campaign.ls_annotation)
    labels = {"ann": "correct", "ben": "related", "cat": "non_word"}
    tasks = []
    for line in study.assignments():
        many.number += 1
        entry = many.ls_annotation(many.number, labels[line.annotator])
        tasks.append(("here", many.ls_task(task(Pages(study), line)["data"], 1, entry)))
    take_in(study, tasks, complete=False, accounts=None, strict=False)
    adjudicate(study)
    orders = [tuple(label for label, _ in line.competing) for line in many.leads().values()]
    counts = {order: orders.count(order) for order in permutations(labels.values())}
    assert sum(counts.values()) == 60
    # binomial(60, 1/6): below 1 or above 24 has a chance of about 2 in 100,000 for each order
    assert all(1 <= number <= 24 for number in counts.values()), counts
    before = {line.uid: line.competing for line in many.leads().values()}
    adjudicate(study)
    assert {line.uid: line.competing for line in many.leads().values()} == before


# --- the page ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def page() -> str:
    return adjudication_config(load_taxonomy())


def test_the_page_is_the_annotators_page_with_readings_and_a_question(page) -> None:
    taxonomy = load_taxonomy()
    assert lint(page, ADJUDICATION_KEYS) == []
    assert lint(page) == ["HyperText shows $competing, which no task has"]
    interface = LabelInterface(page)
    interface.validate()
    assert sorted(interface.get_control("label").labels) == sorted(taxonomy.ids)
    assert set(interface.get_control("disagreement").labels) == {"variation", "error"}
    tags = {(tag.tag, tag.get("name")) for tag in ET.fromstring(page).iter() if tag.get("name")}
    theirs = {(tag.tag, tag.get("name")) for tag in ET.fromstring(label_config(taxonomy)).iter() if tag.get("name")}
    assert tags - theirs == {("HyperText", "readings"), ("Choices", "disagreement")}
    assert theirs <= tags
    question = next(tag for tag in ET.fromstring(page).iter("Choices") if tag.get("name") == "disagreement")
    assert (question.get("required"), question.get("choice"), question.get("toName")) == ("true", "single", "answer")
    order = [tag.get("name") for tag in ET.fromstring(page).iter() if tag.get("name")]
    assert order.index("answer") < order.index("readings") < order.index("label")


def test_hotkeys_of_the_question_are_no_labels_and_no_senses(page, campaign) -> None:
    campaign.judge("ann", "Bank", "other_sense", "bank.money")
    campaign.judge("ben", "Bank", "correct")
    adjudicate(campaign.study)
    data = task(Pages(campaign.study), campaign.leads()["Bank"])["data"]
    keys = [choice["hotkey"] for choice in data["senses"]]
    keys += [tag.get("hotkey", "") for tag in ET.fromstring(page).iter("Choice")]
    assert len(question_keys(load_taxonomy())) == 2
    assert len(keys) == len(set(keys)) == 3 + len(load_taxonomy().ids) + 2


def test_a_taxonomy_that_leaves_no_key_free_still_has_the_question() -> None:
    taxonomy = load_taxonomy()
    free = "abcdfghijklmopvyz"
    one = taxonomy.categories[0]
    more = [one.model_copy(update={"id": f"x{key}", "label": f"X {key}", "hotkey": key}) for key in free]
    decision = [*taxonomy.decision, taxonomy.decision[0].model_copy(update={"labels": [each.id for each in more]})]
    full = taxonomy.model_copy(update={"categories": [*taxonomy.categories, *more], "decision": decision})
    assert question_keys(full) == ""
    assert lint(adjudication_config(full), ADJUDICATION_KEYS) == []


class Seen(HTMLParser):
    """Tags and text of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_task_shows_the_item_as_it_was_and_readings_without_names_or_numbers(campaign) -> None:
    for person, label, sense in (
        ("ann", "other_sense", "bank.money"),
        ("ben", "other_sense", "bank.money"),
        ("cat", "unrelated", None),
    ):
        campaign.judge(person, "Bank", label, sense)
    adjudicate(campaign.study)
    lead = campaign.leads()["Bank"]
    data = task(Pages(campaign.study), lead)["data"]
    assert set(data) == ADJUDICATION_KEYS == DATA_KEYS | {"competing"}
    (theirs,) = [
        task(Pages(campaign.study), line)["data"]
        for line in campaign.study.assignments()
        if (line.annotator, line.item.answer) == ("ann", "Bank")
    ]
    same = DATA_KEYS - {"uid", "senses"}
    assert {key: data[key] for key in same} == {key: theirs[key] for key in same}
    assert [(one["alias"], one["value"]) for one in data["senses"]] == [
        (one["alias"], one["value"]) for one in theirs["senses"]
    ]
    seen = Seen(data["competing"])
    assert seen.tags == ["ul", "li", "li"]
    assert sorted(seen.texts) == ["Other sense: house that keeps money (Bank)", "Unrelated"]
    assert not {"ann", "ben", "cat"} & set(json.dumps(data["competing"]).split())
    assert LabelInterface(adjudication_config(campaign.study.taxonomy)).validate_task({"data": data})


def test_hostile_names_of_labels_and_senses_are_text(hostile_output, campaign) -> None:
    study = campaign.study
    pages = Pages(study)
    line = study.assignments()[0].model_copy(
        update={
            "role": "adjudication",
            "competing": [("other_sense", hostile_output), (hostile_output, None), ("other_sense", None)],
        }
    )
    seen = Seen(task(pages, line)["data"]["competing"])
    assert seen.tags == ["ul", "li", "li", "li"]
    named = study.taxonomy.category("other_sense").label
    text = "".join(seen.texts)
    shown = hostile_output.encode("utf-8", "surrogatepass")  # a lone surrogate has no place in HTML
    if b"\x00" not in shown and hostile_output.isprintable():
        assert text == f"{named}: {hostile_output}{hostile_output}{named}: no sense picked"


# --- there and back ------------------------------------------------------------------------------------------


@pytest.fixture
def disputed(campaign) -> Campaign:
    """One item that ann calls correct and ben related, with the lead's task."""
    campaign.judge("ann", "Hund", "correct")
    campaign.judge("ben", "Hund", "related", number=77)
    adjudicate(campaign.study)
    return campaign


@pytest.mark.parametrize("answer", ["variation", "error"])
def test_the_verdict_comes_home_beside_the_judgements(answer, disputed) -> None:
    found = disputed.settle(disputed.leads()["Hund"], "related", answer, comment="see the dictionary")
    assert found.findings == []
    by_source = {line.source: line for line in disputed.study.annotations()}
    line = by_source["adjudicated"]
    assert (line.annotator, line.role, line.status, line.label) == ("lead", "adjudication", "judged", "related")
    assert (line.disagreement, line.comment) == (answer, "see the dictionary")
    assert sorted(str(one.label) for one in disputed.study.annotations() if one.source == "human") == [
        "correct",
        "related",
    ]
    assert adjudicate(disputed.study) == Adjudication(1, 1, settled=1, asked=0, new=0, agreed=0, unplanned=0)


def test_a_verdict_without_the_second_answer_counts_and_is_listed(disputed) -> None:
    found = disputed.settle(disputed.leads()["Hund"], "related", None)
    assert [(one.kind, one.annotator) for one in found.findings] == [("no_disagreement", "lead")]
    (line,) = [line for line in disputed.study.annotations() if line.source == "adjudicated"]
    assert (line.status, line.label, line.disagreement) == ("judged", "related", None)


def test_an_unknown_second_answer_is_invalid(disputed) -> None:
    found = disputed.settle(disputed.leads()["Hund"], "related", "maybe")
    (finding,) = found.findings
    assert finding.text.startswith("disagreement 'maybe' is none of variation, error; ")
    assert adjudicate(disputed.study).settled == 0


def test_a_changed_second_answer_is_a_new_line(disputed) -> None:
    lead = disputed.leads()["Hund"]
    disputed.number = 200
    disputed.settle(lead, "related", "error")
    disputed.number = 200
    found = disputed.settle(lead, "related", "variation", updated="2026-03-01T00:00:00Z")
    assert found.appended.changed == 1
    (line,) = [line for line in disputed.study.annotations() if line.source == "adjudicated"]
    assert line.disagreement == "variation"


def decided(study: Study) -> Any:
    """The analysis' verdict on the disputed item."""
    (item,) = [item for item in study.items() if item.answer == "Hund"]
    keys = {one.content_key for one in study.items()}
    found = gather(study.annotations(), keys, study.id, study.taxonomy, study.concepts, "annotations.jsonl")
    votes = found.votes[item.content_key]
    return verdict(votes.values(), found.adjudicated.get(item.content_key), study.taxonomy)


def test_the_analysis_takes_the_verdict_and_later_judgements_leave_it(disputed) -> None:
    study = disputed.study
    assert (decided(study).label, decided(study).reason) == (None, "tie")
    disputed.settle(disputed.leads()["Hund"], "hypernym", "variation")
    found = decided(study)
    assert (found.label, found.adjudicated, found.votes) == ("hypernym", True, {"ann": "correct", "ben": "related"})
    # a third judgement, and one of the two that is changed, alter nothing
    disputed.judge("cat", "Hund", "unrelated")
    disputed.judge("ben", "Hund", "correct", number=77, updated="2026-03-01T00:00:00Z")
    assert (decided(study).label, decided(study).votes["ben"]) == ("hypernym", "correct")
    assert (adjudicate(study).asked, adjudicate(study).settled) == (0, 1)


def test_where_a_verdict_no_longer_holds_the_lead_is_asked_anew(disputed) -> None:
    study, old = disputed.study, disputed.leads()["Hund"]
    disputed.settle(old, "hypernym", "variation")
    changed = Study.open(study.folder)
    categories = [
        one.model_copy(update={"definition": "Something else."}) if one.id == "hypernym" else one
        for one in study.taxonomy.categories
    ]
    changed.__dict__["taxonomy"] = study.taxonomy.model_copy(update={"categories": categories})
    found = adjudicate(changed)
    assert (found.settled, found.asked, found.new) == (0, 1, 1)
    rounds = {line.round: line for line in changed.assignments() if line.role == "adjudication"}
    assert rounds[0].uid == old.uid
    assert rounds[1].uid != old.uid
    assert not rounds[1].retired


def test_the_plan_keeps_the_leads_tasks_and_the_export_gives_them_a_page(disputed) -> None:
    study = disputed.study
    write_plan(study, make_plan(study), "test", STARTED)
    assert set(disputed.leads()) == {"Hund"}
    assert make_plan(study).summary.items == 4
    made = export(study, "test", STARTED)
    assert made.tasks["lead.en-de"] == 1
    assert made.notes == []
    (one,) = json.loads((study.tasks_folder / "lead.en-de.json").read_text("utf-8"))
    assert one["data"]["uid"] == disputed.leads()["Hund"].uid
    assert "competing" in one["data"]
    assert "competing" not in (study.tasks_folder / "ann.en-de.json").read_text("utf-8")
    page = study.folder / "label_config.adjudication.xml"
    assert made.adjudication_config == page
    assert page.read_text("utf-8") == adjudication_config(study.taxonomy)
    assert json.loads(page.with_suffix(".run.json").read_text("utf-8"))["product"] == page.name
    told = CliRunner().invoke(app, ["export", str(study.folder)], env={"COLUMNS": "200"}).stdout
    assert f"wrote {page} (for the projects of lead.*.json, instead of the other)" in told


def run(*arguments: Any) -> Any:
    done = CliRunner().invoke(app, ["adjudicate", *map(str, arguments)], env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_command(campaign) -> None:
    campaign.judge("ann", "Hund", "correct")
    campaign.judge("ben", "Hund", "related")
    folder = campaign.study.folder
    assert "dry run: nothing was changed" in run(folder, "--dry-run")
    assert campaign.leads() == {}
    output = run(folder)
    assert re.search(r"for the lead to settle +1\b", output)
    assert "no server of this study is running" in output
    assert set(campaign.leads()) == {"Hund"}
    assert json.loads(run(folder, "--json")) == {
        "compared": 1, "differ": 1, "settled": 0, "asked": 1, "new": 0, "agreed": 0, "unplanned": 0,
        "dry_run": False, "push": None,
    }  # fmt: skip
