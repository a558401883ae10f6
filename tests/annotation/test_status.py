"""Progress, pace, reliability and early warnings: every figure is worked out by hand in its test."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from itertools import count
from typing import Any

import pytest
from typer.testing import CliRunner

from gainsift.annotation.assignment import write_assignments
from gainsift.annotation.early_warnings import CHANCE
from gainsift.annotation.progress import Status, Work, pace_by_clock, status
from gainsift.annotation.reliability import Agreement, Share
from gainsift.annotation.status_page import status_html
from gainsift.annotation.tasks import task_uid
from gainsift.cli.annotate import app
from gainsift.schemas.files import write_jsonl, write_parquet
from gainsift.schemas.rows import Annotation, Assignment, Item
from gainsift.schemas.study import ANNOTATION_FORMAT, ITEMS_FORMAT, Study


class Campaign:
    """Tasks and judgements, written as the files of a study."""

    def __init__(self, study: Study, make_item: Any) -> None:
        self.study, self.make_item = study, make_item
        self.tasks: list[Assignment] = []
        self.lines: list[Annotation] = []
        self.numbers = count()

    def task(self, person: str, answer: str, role: Any = "main", **more: Any) -> Assignment:
        item = self.make_item(answer)
        repeat = int(role == "repeat")
        uid = task_uid(self.study.id, item.item_id, person, more.get("round", 0), repeat)
        self.tasks.append(Assignment(uid=uid, item=item, annotator=person, role=role, repeat=repeat, **more))
        return self.tasks[-1]

    def judge(self, task: Assignment, label: str | None = "correct", **changes: Any) -> None:
        taxonomy, concepts, item = self.study.taxonomy, self.study.concepts, task.item
        values: dict[str, Any] = {
            "study": self.study.id,
            "judgement_id": f"j{next(self.numbers)}",
            "task_uid": task.uid,
            "item_id": item.item_id,
            "content_key": item.content_key,
            "annotator": task.annotator,
            "round": task.round,
            "repeat": task.repeat,
            "role": task.role,
            "source": "adjudicated" if task.role == "adjudication" else "human",
            "status": "judged",
            "label": label,
            "taxonomy_version": item.taxonomy_version,
            "label_fingerprint": taxonomy.category(label).fingerprint() if label else None,
            "concept_fingerprints": [
                concepts[name].fingerprint() for name in (item.intended_concept, item.other_concept)
            ],
            "result_hash": "0",
            "item": item,
        }
        self.lines.append(Annotation.model_validate(values | changes))

    def both(self, person: str, answer: str, label: str, role: Any = "main", **changes: Any) -> None:
        """A task and its judgement."""
        self.judge(self.task(person, answer, role), label, **changes)

    def look(self) -> Status:
        write_assignments(self.study, self.tasks)
        write_parquet(self.study.items_file, Item, {t.item.item_id: t.item for t in self.tasks}.values(), ITEMS_FORMAT)
        write_jsonl(self.study.annotations_file, self.lines, ANNOTATION_FORMAT)
        return status(self.study)


@pytest.fixture
def campaign(item, study_of) -> Campaign:
    return Campaign(study_of([], annotators=["ann", "ben", "cat"]), item)


def by_name(found: Status) -> dict[str, Any]:
    return {person.name: person for person in found.people}


def warned(found: Status) -> list[tuple[str, str]]:
    return [(alarm.kind, alarm.annotator) for alarm in found.alarms]


# --- progress ------------------------------------------------------------------------------------------------


def test_every_task_is_in_one_state(campaign) -> None:
    tasks = [campaign.task("ann", f"w{number}") for number in range(9)]
    campaign.judge(tasks[0])
    campaign.judge(tasks[1], status="skipped", label=None)
    campaign.judge(tasks[1], status="draft", label=None)  # a draft beside a skip
    campaign.judge(tasks[2], status="draft", label=None)
    campaign.judge(tasks[3], status="invalid", label=None, problems=["label is given twice"])
    campaign.judge(tasks[4], status="invalid", label=None, problems=["label is given twice"])
    campaign.judge(tasks[4])  # judged in the end
    campaign.judge(tasks[5], status="withdrawn")
    campaign.judge(tasks[6], status="empty", label=None)
    campaign.judge(tasks[7], label_fingerprint="of another definition")
    retired = campaign.task("ann", "retired", retired=True)
    campaign.judge(retired)
    control = campaign.task("ann", "c", "control", expected="correct")
    campaign.judge(control)
    found = campaign.look()
    ann = by_name(found)["ann"]
    assert ann.work == {"main": Work(9, done=2, skipped=1, drafts=1, invalid=1), "control": Work(1, done=1)}
    assert (ann.total, ann.total.left) == (Work(10, 3, 1, 1, 1), 6)
    assert (ann.judgements, ann.invalid) == (4, 2)
    assert by_name(found)["ben"].work == {}
    assert found.total == ann.total
    assert list(found.by_role) == ["main", "control"]
    assert found.problems == {"label is given twice": 2}


def test_work_done_by_another_account_is_done_and_counts_for_who_did_it(campaign) -> None:
    campaign.judge(campaign.task("ann", "Hund"), annotator="ben")
    people = by_name(campaign.look())
    assert (people["ann"].total.done, people["ann"].judgements) == (1, 0)
    assert (people["ben"].total.done, people["ben"].judgements) == (0, 1)


def test_the_leads_work_and_what_is_disputed(campaign) -> None:
    for answer, labels in {"a": "correct related", "b": "correct correct", "c": "correct related"}.items():
        for person, label in zip(("ann", "ben"), labels.split(), strict=True):
            campaign.both(person, answer, label)
    campaign.both("cat", "d", "correct")
    campaign.judge(campaign.task("lead", "a", "adjudication"), "related", disagreement="error")
    campaign.task("lead", "c", "adjudication")
    found = campaign.look()
    assert (found.compared, found.differ, found.settled) == (3, 2, 1)
    assert found.lead == Work(2, done=1)
    assert {name: person.disputed for name, person in by_name(found).items()} == {"ann": 2, "ben": 2, "cat": 0}
    assert "lead" not in by_name(found)
    assert found.total.tasks == 7


def test_items_that_nobody_is_asked_about_any_more_are_not_compared(campaign) -> None:
    for person, label in (("ann", "correct"), ("ben", "related")):
        campaign.judge(campaign.task(person, "gone", retired=True), label)
        campaign.both(person, "here", "correct")
    found = campaign.look()
    assert (found.compared, found.differ, found.total.tasks) == (1, 0, 2)
    assert by_name(found)["ann"].agreement.items == 1


# --- pace ----------------------------------------------------------------------------------------------------


def test_pace_by_the_median_on_the_page_and_by_the_clock(campaign) -> None:
    """Times on the page 4, 6, 8, 40, unknown: the median is 7, 3600/7 an hour.

    Judged at 10:00:00, 10:00:10, 10:00:30, 11:00:00, 11:00:20: three gaps of work (10, 20, 20 s) and a break;
    3 judgements in 50 seconds are 216 an hour.
    """
    times = [4.0, 6.0, 8.0, 40.0, None]
    clock = ["10:00:00", "10:00:10", "10:00:30", "11:00:00", "11:00:20"]
    for number, (seconds, made) in enumerate(zip(times, clock, strict=True)):
        campaign.both("ann", f"w{number}", "correct", lead_time=seconds, created_at=f"2026-02-01T{made}Z")
    ann = by_name(campaign.look())["ann"]
    assert (ann.seconds, ann.timed) == (7.0, 4)
    assert ann.pace_on_page == pytest.approx(3600 / 7)
    assert ann.pace_by_clock == pytest.approx(216)


def test_pace_is_unknown_where_there_are_no_times(campaign) -> None:
    for number in range(3):
        campaign.both("ann", f"w{number}", "correct", created_at="2026-02-01T10:00:00Z")
        campaign.both("ben", f"w{number}", "correct", created_at="yesterday")
    people = by_name(campaign.look())
    assert all((one.seconds, one.pace_on_page, one.pace_by_clock) == (None, None, None) for one in people.values())
    assert pace_by_clock([]) is None


# --- reliability ---------------------------------------------------------------------------------------------


def test_controls_need_the_label_and_the_sense(campaign) -> None:
    for answer, expected, sense, label, given in (
        ("a", "correct", None, "correct", None),
        ("b", "correct", None, "related", None),
        ("c", "other_sense", "bank.money", "other_sense", "bank.money"),
        ("d", "other_sense", "bank.money", "other_sense", "bank.seat"),
    ):
        task = campaign.task("ann", answer, "control", expected=expected, expected_sense=sense)
        campaign.judge(task, label, sense=given)
    campaign.task("ann", "e", "control", expected="correct")
    ann = by_name(campaign.look())["ann"]
    assert ann.controls == Share(2, 4)
    assert ann.controls.percent == 50
    assert ann.agreement.items == 0


def test_second_looks_are_held_against_the_first(campaign) -> None:
    for answer, first, second in (
        ("a", "correct", "correct"),
        ("b", "correct", "related"),
        ("c", "related", "related"),
    ):
        campaign.both("ann", answer, first)
        campaign.both("ann", answer, second, "repeat")
    campaign.both("ann", "d", "correct", "repeat")  # its first look is not home yet
    campaign.both("ann", "e", "correct")
    campaign.both("ben", "b", "related")
    ann = by_name(campaign.look())["ann"]
    assert ann.repeats == Share(2, 3)
    # the second look at b, which is what ben says, is no judgement of b
    assert (ann.agreement.pairs, ann.agreement.same, ann.disputed) == (1, 0, 1)


def test_senses_count_for_oneself_and_for_disputes(campaign) -> None:
    campaign.both("ann", "a", "other_sense", sense="bank.money")
    campaign.both("ann", "a", "other_sense", "repeat", sense="bank.seat")
    campaign.both("ben", "a", "other_sense", sense="bank.seat")
    ann = by_name(campaign.look())["ann"]
    assert (ann.repeats, ann.disputed) == (Share(0, 1), 1)
    assert (ann.agreement.pairs, ann.agreement.same) == (1, 1)


def test_agreement_with_the_others_and_of_pairs(campaign) -> None:
    """ann and ben on four items: correct/correct, correct/related, related/related, correct/correct.

    3 of 4 agree. By chance: ann says correct 3/4, ben 2/4: 3/4·1/2 + 1/4·1/2 = 1/2; kappa (3/4 − 1/2)/(1 − 1/2) = 1/2.
    cat judged one of them, correct where ann says correct and ben related. ann beside both: 5 pairs, 4 equal; ann
    says correct in 4 of 5, the others in 3 of 5: by chance 12/25 + 2/25 = 14/25; (20/25 − 14/25)/(11/25) = 6/11.
    """
    labels = {"a": ("correct", "correct"), "b": ("correct", "related"), "c": ("related", "related"),
              "d": ("correct", "correct")}  # fmt: skip
    for answer, (ann, ben) in labels.items():
        campaign.both("ann", answer, ann)
        campaign.both("ben", answer, ben)
    campaign.both("cat", "b", "correct")
    found = campaign.look()
    assert found.pairs["ann", "ben"] == Agreement(4, 4, 3, 75.0, pytest.approx(1 / 2))
    assert found.pairs["ann", "cat"] == Agreement(1, 1, 1, None, None)
    assert found.pairs["ben", "cat"] == Agreement(1, 1, 0, None, None)
    assert by_name(found)["ann"].agreement == Agreement(4, 5, 4, 80.0, pytest.approx(6 / 11))
    assert by_name(found)["cat"].agreement == Agreement(1, 2, 1, None, None)


def test_one_label_alone_has_no_kappa(campaign) -> None:
    for answer in "ab":
        for person in ("ann", "ben"):
            campaign.both(person, answer, "correct")
    assert by_name(campaign.look())["ann"].agreement == Agreement(2, 2, 2, 100.0, None)


def test_calibration_is_apart(campaign) -> None:
    for number, (ann, ben) in enumerate([("correct", "correct"), ("related", "correct"), ("related", "related")]):
        campaign.both("ann", f"c{number}", ann, "calibration")
        campaign.both("ben", f"c{number}", ben, "calibration")
    campaign.both("ann", "m", "correct")
    campaign.both("ben", "m", "related")
    found = campaign.look()
    ann = by_name(found)["ann"]
    # 2 of 3; by chance 1/3·2/3 + 2/3·1/3 = 4/9; (6/9 − 4/9)/(5/9) = 2/5
    assert ann.calibration == Agreement(3, 3, 2, pytest.approx(200 / 3), pytest.approx(2 / 5))
    assert (ann.agreement.items, ann.agreement.same) == (1, 0)
    assert set(found.calibration_pairs) == {("ann", "ben")}
    assert ann.work == {"calibration": Work(3, 3), "main": Work(1, 1)}


# --- warnings ------------------------------------------------------------------------------------------------


def pages(campaign: Campaign, person: str, seconds: list[float], label: Any = "correct") -> None:
    for number, time in enumerate(seconds):
        campaign.both(person, f"w{number}", label if isinstance(label, str) else label(number), lead_time=time)


def test_answers_that_are_too_fast(campaign) -> None:
    pages(campaign, "ann", [0.8, 1.2] * 20)
    pages(campaign, "ben", [5.0, 7.0] * 20)
    found = campaign.look()
    assert warned(found) == [("too_fast", "ann")]
    assert found.alarms[0].text == "ann answers in 1.0 s at the median of 40 judgements; the others take 6.0 s."


@pytest.mark.parametrize(
    ("ann", "ben"),
    [
        ([0.8, 1.2] * 9, [5.0] * 40),  # 18 judgements are too few
        ([3.2] * 40, [9.0] * 40),  # faster than the others, but there was time to read
        ([1.0, 1.4] * 20, [1.4, 1.0] * 20),  # everybody is that fast
        ([1.0] * 40, []),  # nobody to compare with
    ],
)
def test_speed_alone_does_not_warn(ann, ben, campaign) -> None:
    pages(campaign, "ann", ann)
    pages(campaign, "ben", ben)
    assert warned(campaign.look()) == []


@pytest.mark.parametrize("ben", [[0.5, 0.9] * 20, [9.0] * 40, []])
def test_below_a_second_is_too_fast_whatever_the_others_do(ben, campaign) -> None:
    pages(campaign, "ann", [0.4, 0.8] * 20)
    pages(campaign, "ben", ben)
    alarm = next(one for one in campaign.look().alarms if one.annotator == "ann")
    assert (alarm.kind, alarm.text) == (
        "too_fast",
        "ann answers in 0.6 s at the median of 40 judgements: nobody reads so fast.",
    )


def alternate(*labels: str) -> Any:
    return lambda number: labels[number % len(labels)]


def test_always_the_same_label(campaign) -> None:
    """ann: 40 of 40 correct, ben 20 of 40. Fisher: C(40,20)/C(80,60) is about 4e-8."""
    pages(campaign, "ann", [9.0] * 40, "correct")
    pages(campaign, "ben", [9.0] * 40, alternate("correct", "related"))
    found = campaign.look()
    assert warned(found) == [("same_label", "ann")]
    assert found.alarms[0].text == (
        "ann gives correct to 40 of 40 items (100%); the others give it to 50% of the same items."
    )


@pytest.mark.parametrize(
    ("size", "ann", "ben"),
    [
        (10, ["correct"], ["correct", "related"]),  # ten items may be chance
        (40, ["correct"], ["correct"]),  # the items are like that
        (40, ["correct"] * 9 + ["related"], ["correct"] * 8 + ["related"] * 2),
        (40, ["correct", "correct", "related"], ["related", "unrelated"]),  # often, but not nearly always
    ],
)
def test_a_frequent_label_alone_does_not_warn(size, ann, ben, campaign) -> None:
    pages(campaign, "ann", [9.0] * size, alternate(*ann))
    pages(campaign, "ben", [9.0] * size, alternate(*ben))
    assert "same_label" not in [kind for kind, _ in warned(campaign.look())]


@pytest.mark.parametrize(("wrong", "of", "warns"), [(3, 4, True), (2, 4, False), (5, 10, True), (4, 10, False)])
def test_controls_wrong_too_often(wrong, of, warns, campaign) -> None:
    """P(wrong or more of `of`) at 10 % each: 3 of 4 .0037, 2 of 4 .0523, 5 of 10 .0016, 4 of 10 .0128."""
    for number in range(of):
        task = campaign.task("ann", f"c{number}", "control", expected="correct")
        campaign.judge(task, "related" if number < wrong else "correct")
    found = campaign.look()
    assert [alarm.text for alarm in found.alarms] == [f"ann has {wrong} of {of} control items wrong."] * warns


@pytest.mark.parametrize(("same", "of", "warns"), [(4, 10, True), (5, 10, False), (0, 2, False), (0, 3, True)])
def test_low_self_agreement(same, of, warns, campaign) -> None:
    """P(same or fewer of `of`) at 80 % each: 4 of 10 .0064, 5 of 10 .0328, 0 of 2 .04, 0 of 3 .008."""
    for number in range(of):
        campaign.both("ann", f"r{number}", "correct")
        campaign.both("ann", f"r{number}", "correct" if number < same else "related", "repeat")
    found = campaign.look()
    text = f"ann says the same on {same} of {of} items seen twice ({100 * same // of} %)."
    assert [alarm.text for alarm in found.alarms] == [text] * warns
    assert CHANCE == 0.01


# --- what is shown -------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """Tags, addresses and text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "action")]

    def handle_data(self, data: str) -> None:
        self.text += f"{data} "


def busy(campaign: Campaign) -> Status:
    """Something of everything."""
    pages(campaign, "ann", [0.8, 1.2] * 20)
    pages(campaign, "ben", [5.0, 7.0] * 20, alternate("correct", "related"))
    campaign.both("cat", "w1", "related")
    for person, label in (("ann", "correct"), ("ben", "related"), ("cat", "correct")):
        campaign.both(person, "k", label, "calibration")
    campaign.judge(campaign.task("cat", "bad"), None, status="invalid", problems=["label '<b>x</b>' is unknown"])
    campaign.task("lead", "w1", "adjudication")
    return campaign.look()


def test_the_page_shows_everything_and_loads_nothing(campaign) -> None:
    found = busy(campaign)
    html = status_html(found, "<script>alert(1)</script> {{ 7 * 7 }}")
    page = Page(html)
    assert not {"script", "link", "img", "iframe", "form"} & set(page.tags)
    assert page.addresses == []
    assert "url(" not in html
    assert "@import" not in html
    assert "<script>alert(1)</script> {{ 7 * 7 }}" in page.text
    assert "label '<b>x</b>' is unknown" in page.text
    assert [alarm.annotator for alarm in found.alarms] == ["ann", "ann"]
    for alarm in found.alarms:
        assert alarm.text in page.text
    for cell in ("ann", "ben", "cat", "Calibration round", "ann and ben", "3,600"):
        assert cell in page.text
    assert "SIMULATED" not in page.text


def test_simulated_judgements_are_called_so(campaign) -> None:
    campaign.both("ann", "a", "correct", source="simulated")
    campaign.both("ben", "a", "related", source="simulated")
    found = campaign.look()
    assert (found.simulated, found.total.done, found.differ) == (True, 2, 1)
    assert "SIMULATED" in Page(status_html(found, "x")).text
    # one judgement of a person, and they are no longer looked at
    campaign.both("cat", "a", "correct")
    found = campaign.look()
    assert (found.simulated, found.total.done, found.differ) == (False, 1, 0)


def run(*arguments: Any) -> Any:
    return CliRunner().invoke(app, ["status", *map(str, arguments)], env={"COLUMNS": "160"})


def test_the_command(campaign, tmp_path) -> None:
    busy(campaign)
    page = tmp_path / "made" / "status.html"
    done = run(campaign.study.folder, "--html", page)
    assert done.exit_code == 0, done.output
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "ann 41 41 0 0 0 0" in lines
    assert "cat 3 2 1 0 0 1" in lines
    assert "all 85 84 1 0 0 1" in lines
    # ann beside ben on 40 items and beside cat on one: 20 of 41 agree, and no kappa is above chance
    assert any(line.startswith("ann 1.0 3,600 –") for line in lines), lines
    assert "ann – – 49 % 0.00 40 21" in lines
    assert "items judged by two or more: 41, disputed: 21, settled by the lead: 0" in lines
    assert "for the lead to settle: 1" in lines
    assert "did not pass the checks: 1 × label '<b>x</b>' is unknown" in lines
    assert sum(line.startswith("warning: ann ") for line in lines) == 2
    assert "ann and ben" in Page(page.read_text("utf-8")).text
    record = json.loads(page.with_suffix(".run.json").read_text("utf-8"))
    assert set(record["inputs"]) == {"study.yaml", "assignments.jsonl", "annotations.jsonl"}


def test_a_narrow_terminal_cuts_no_figure(campaign) -> None:
    busy(campaign)
    done = CliRunner().invoke(app, ["status", str(campaign.study.folder)], env={"COLUMNS": "80"})
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "annotator controls right same again agree kappa items disputed" in lines
    assert "ann – – 49 % 0.00 40 21" in lines
    assert "…" not in done.stdout


def test_the_json(campaign) -> None:
    busy(campaign)
    found = json.loads(run(campaign.study.folder, "--json").stdout)
    assert found["total"] == {"tasks": 85, "done": 84, "skipped": 0, "drafts": 0, "invalid": 1, "left": 1}
    assert found["by_role"]["calibration"]["done"] == 3
    ann = found["people"][0]
    assert (ann["name"], ann["seconds"], ann["timed"], ann["controls"]["percent"]) == ("ann", 1.0, 40, None)
    assert {(pair["a"], pair["b"]) for pair in found["calibration_pairs"]} == {
        ("ann", "ben"),
        ("ann", "cat"),
        ("ben", "cat"),
    }


def test_before_the_first_plan_and_the_first_judgement(campaign) -> None:
    done = run(campaign.study.folder)
    assert "no tasks are planned" in str(done.exception)
    campaign.task("ann", "a")
    campaign.look()
    done = run(campaign.study.folder)
    assert done.exit_code == 0, done.output
    assert "ann 1 0 1 0 0 0" in [" ".join(line.split()) for line in done.stdout.splitlines()]
