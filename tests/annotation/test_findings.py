"""What is odd in an export is listed with task and annotator; nothing is dropped, nothing is taken on trust."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from gainsift.annotation.assignment import write_assignments
from gainsift.annotation.findings import Refused
from gainsift.annotation.homecoming import Export, Imported, take_in, take_in_all
from gainsift.annotation.label_studio_export import import_exports
from gainsift.annotation.tasks import Pages, task, task_uid
from gainsift.cli.annotate import app
from gainsift.schemas.errors import UserError
from gainsift.schemas.files import write_parquet
from gainsift.schemas.rows import Assignment, Item
from gainsift.schemas.study import ITEMS_FORMAT, Study

ACCOUNTS = {"ann@x.org": "ann", "ben@x.org": "ben", "lead@x.org": "lead"}
USERS = {1: "Lead@x.org", 7: "Ann@X.org", 8: "ben@x.org", 9: "mallory@x.org"}
NOON = datetime.fromisoformat("2026-02-01T12:00:00Z")


def at(hours: float) -> str:
    """So many hours after noon of the day on which everything happens."""
    return (NOON + timedelta(hours=hours)).isoformat().replace("+00:00", "Z")


class Campaign:
    """A planned study of three answers for ann and ben, and exports of it."""

    def __init__(self, study: Study, ls_task: Any, ls_annotation: Any) -> None:
        self.study, self._task, self._annotation = study, ls_task, ls_annotation
        pages = Pages(study)
        self.assignments = {(line.annotator, line.item.answer): line for line in study.assignments()}
        self.data = {key: task(pages, line)["data"] for key, line in self.assignments.items()}
        self.number = 0

    def uid(self, person: str, answer: str) -> str:
        return self.assignments[person, answer].uid

    def annotation(
        self, label: str | None = "correct", number: int | None = None, hour: float = 0.0, **more: Any
    ) -> Any:
        """One annotation, made and changed at `hour`; by account 7 (ann) unless said otherwise."""
        self.number += 1
        sense = more.pop("sense", None)
        times = {"created_at": at(hour), "updated": at(more.pop("changed", hour))}
        return self._annotation(number or self.number, label, sense, **times, **more)

    def task(self, person: str, answer: str, *annotations: Any, made: float = -2.0, changed: float = 0.0, **more: Any):
        """A task of an export, made at hour `made` and last changed at `changed`."""
        data = {**self.data[person, answer], **more.pop("data", {})}
        return self._task(data, 40, *annotations, created_at=at(made), updated_at=at(changed), **more)

    def take(self, *tasks: Any, complete: bool = True, strict: bool = False, accounts: Any = None) -> Imported:
        placed = [(f"server: task {number}", one) for number, one in enumerate(tasks, start=1)]
        users = None if accounts is None else USERS
        return take_in(self.study, placed, complete=complete, accounts=accounts, strict=strict, users=users)

    def lines(self) -> list[dict[str, Any]]:
        file = self.study.annotations_file
        return [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.exists() else []


@pytest.fixture
def campaign(item, study_of, ls_task, ls_annotation) -> Campaign:
    study = study_of([])
    items = [item("Bank", pair=("bank.river", "house")), item("Hund"), item("xyz")]
    write_parquet(study.items_file, Item, items, ITEMS_FORMAT)
    write_assignments(
        study,
        [
            Assignment(uid=task_uid(study.id, one.item_id, person), item=one, annotator=person)
            for person in ("ann", "ben")
            for one in items
        ],
    )
    return Campaign(study, ls_task, ls_annotation)


def kinds(found: Imported) -> list[str]:
    return [finding.kind for finding in found.findings]


# --- answers that cannot be used -----------------------------------------------------------------------------


def part(name: str, **value: Any) -> dict[str, Any]:
    return {"from_name": name, "to_name": "answer", "type": "choices", "value": value}


LABEL = part("label", choices=["correct"])
INVALID = {
    "unknown label": (
        [part("label", choices=["homografh_copy"])],
        "label 'homografh_copy' is not in taxonomy 1; did you mean homograph_copy?",
    ),
    "two labels": ([part("label", choices=["correct", "related"])], "label has 2 choices instead of one"),
    "no label chosen": ([part("label", choices=[])], "label has 0 choices instead of one"),
    "label given twice": ([LABEL, part("label", choices=["related"])], "label is given twice"),
    "unknown field": ([LABEL, part("verdict", choices=["x"])], "unknown field 'verdict'"),
    "the lead's question": ([LABEL, part("disagreement", choices=["error"])], "unknown field 'disagreement'"),
    "no choices": ([part("label", text=["x"])], "label has no choices"),
    "choices are no texts": ([part("label", choices=[["a"]])], "label has no choices"),
    "a part without a value": ([{"from_name": "label"}], "label has no choices"),
    "a part that is no object": ([LABEL, "x"], "unknown field ''"),
    "result is no list": ({"a": 1}, "its result is no list"),
    "sense of another item": (
        [part("label", choices=["other_sense"]), part("sense", choices=["de.gift"])],
        "sense 'de.gift' was no choice of this item; known: bank.money, bank.seat, not_listed",
    ),
}


@pytest.mark.parametrize("fault", INVALID)
def test_what_cannot_be_used_is_a_line_of_its_own_and_listed(fault, campaign) -> None:
    result, problem = INVALID[fault]
    bad = {**campaign.annotation(number=2), "result": result}
    good = campaign.task("ann", "Hund", campaign.annotation("correct", number=1))
    found = campaign.take(good, campaign.task("ann", "Bank", bad))
    (finding,) = found.findings
    assert (finding.kind, finding.task, finding.annotator) == ("invalid", campaign.uid("ann", "Bank"), "ann")
    assert finding.text == f"{problem}; correct it in Label Studio and bring it home again"
    assert finding.where == "server: task 2"
    assert found.lines == {"judged": 1, "invalid": 1}
    right, wrong = campaign.study.annotations()
    assert (right.status, right.label, right.problems) == ("judged", "correct", [])
    assert (wrong.status, wrong.label, wrong.sense, wrong.problems) == ("invalid", None, None, [problem])
    assert wrong.item.answer == "Bank"
    # the same again adds nothing, and is listed again
    again = campaign.take(good, campaign.task("ann", "Bank", bad))
    assert (again.appended.added, again.appended.changed, kinds(again)) == (0, 0, ["invalid"])


def test_every_problem_of_one_answer_is_listed(campaign) -> None:
    bad = {**campaign.annotation(), "result": [part("label", choices=["x" * 5000]), part("who"), part("sense")]}
    found = campaign.take(campaign.task("ann", "Bank", bad))
    assert kinds(found) == ["invalid"] * 3
    assert max(len(finding.text) for finding in found.findings) < 400
    (line,) = campaign.study.annotations()
    assert len(line.problems) == 3


def test_a_mended_answer_supersedes_the_invalid_line(campaign) -> None:
    bad = {**campaign.annotation(number=5), "result": [part("label", choices=["homografh_copy"])]}
    campaign.take(campaign.task("ann", "Bank", bad))
    good = campaign.annotation("homograph_copy", number=5, changed=1)
    found = campaign.take(campaign.task("ann", "Bank", good))
    assert (found.appended.changed, found.findings) == (1, [])
    assert [(line["status"], line["label"]) for line in campaign.lines()] == [
        ("invalid", None),
        ("judged", "homograph_copy"),
    ]


def test_a_faulty_older_version_is_no_finding_where_the_newer_one_is_mended(campaign) -> None:
    bad = {**campaign.annotation(number=5), "result": [part("label", choices=["homografh_copy"])]}
    good = campaign.annotation("homograph_copy", number=5, changed=1)
    study = campaign.study
    files = []
    for name, entry, hour in (("new.json", good, 1.0), ("old.json", bad, 0.0)):
        files.append(study.folder / name)
        files[-1].write_text(json.dumps([campaign.task("ann", "Bank", entry, changed=hour)]), "utf-8")
    found = import_exports(study, files)
    assert found.findings == []
    assert [line.label for line in study.annotations()] == ["homograph_copy"]


def test_drafts_and_skips_are_not_checked_for_their_labels(campaign) -> None:
    bad = [part("label", choices=["nonsense"])]
    skip = {**campaign.annotation(None, was_cancelled=True, **by(7)), "result": bad}
    draft = {"id": 3, "user": "someone@x.org", "result": bad, "created_at": at(0), "updated_at": at(0)}
    found = campaign.take(
        campaign.task("ann", "Bank", skip), campaign.task("ann", "Hund", drafts=[draft]), accounts=ACCOUNTS
    )
    assert found.lines == {"skipped": 1, "draft": 1}
    assert found.findings == []


def test_data_without_the_concepts_that_were_shown(campaign) -> None:
    one = campaign.task("ann", "Hund", campaign.annotation(), data={"concepts": None})
    (finding,) = campaign.take(one).findings
    assert finding.text.startswith("its data has no list `concepts`")
    assert [line.status for line in campaign.study.annotations()] == ["invalid"]


def test_senses_are_those_that_were_shown_if_the_lexicon_has_changed_since(campaign) -> None:
    study = campaign.study
    text = study.concepts_file.read_text("utf-8")
    assert text.count('"bank.seat"') == 1
    study.concepts_file.write_text(text.replace('"bank.seat"', '"bank.stool"'), "utf-8")
    campaign.study = Study.open(study.folder)
    found = campaign.take(
        campaign.task("ann", "Bank", campaign.annotation("other_sense", sense="bank.seat")),
        campaign.task(
            "ben", "Bank", campaign.annotation("other_sense", sense="bank.stool", completed_by=8, updated_by=8)
        ),
    )
    assert [finding.text.split(";")[0] for finding in found.findings] == [
        "sense 'bank.stool' was no choice of this item"
    ]
    assert {line.annotator: (line.status, line.sense) for line in campaign.study.annotations()} == {
        "ann": ("judged", "bank.seat"),
        "ben": ("invalid", None),
    }


def test_senses_of_the_task_itself_are_named_only_if_they_can_be_printed(campaign) -> None:
    data = {
        "concepts": ["of another", "lexicon"],
        "senses": [{"alias": "a\x1b[2J"}, {"alias": ["b"]}, 7, {"alias": "c"}],
    }
    one = campaign.task("ann", "Bank", campaign.annotation("other_sense", sense="x\x1b"), data=data)
    (finding,) = campaign.take(one).findings
    assert finding.text.startswith("sense 'x\\x1b' was no choice of this item; known: c, not_listed; ")


def test_without_items_parquet_a_strange_task_is_still_a_finding(campaign) -> None:
    campaign.study.items_file.unlink()
    found = campaign.take(campaign.task("ann", "Hund", campaign.annotation(), data={"uid": "0" * 32}))
    assert kinds(found) == ["unknown_task"]


# --- answers that count and are listed -----------------------------------------------------------------------


def test_another_sense_without_a_sense_counts_and_is_listed(campaign) -> None:
    found = campaign.take(campaign.task("ann", "Bank", campaign.annotation("other_sense")))
    assert kinds(found) == ["no_sense"]
    (line,) = campaign.study.annotations()
    assert (line.status, line.label, line.sense) == ("judged", "other_sense", None)


def test_two_judgements_of_one_annotator_on_one_task_are_kept_and_listed(campaign) -> None:
    both = [campaign.annotation("correct"), campaign.annotation("related", hour=1)]
    found = campaign.take(campaign.task("ann", "Hund", *both))
    (finding,) = found.findings
    assert (finding.kind, finding.task, finding.annotator) == ("several", campaign.uid("ann", "Hund"), "ann")
    assert len(campaign.study.annotations()) == 2
    # on two copies of the task as well, and when they come one after the other
    later = campaign.take(campaign.task("ann", "xyz", campaign.annotation("non_word", number=90)), complete=False)
    assert kinds(later) == []
    later = campaign.take(campaign.task("ann", "xyz", campaign.annotation("unrelated", number=91)), complete=False)
    assert kinds(later) == ["several"]
    assert len(campaign.study.annotations()) == 4


def test_a_draft_or_a_skip_beside_a_judgement_is_no_second_one(campaign) -> None:
    skip = campaign.annotation(None, was_cancelled=True)
    found = campaign.take(campaign.task("ann", "Hund", skip, campaign.annotation("correct"), drafts=[4]))
    assert (found.lines, found.findings) == ({"skipped": 1, "judged": 1, "draft": 1}, [])


# --- tasks that are none of ours -----------------------------------------------------------------------------


def test_items_of_another_study_and_unknown_tasks_are_listed(campaign) -> None:
    own = campaign.annotation()
    foreign = campaign.task("ann", "Hund", campaign.annotation(), data={"study": "feedfeedfeed"})
    unknown = [
        campaign.task("ann", "Hund", campaign.annotation(), data={"uid": uid}) for uid in ("0" * 32, ["x"], None, 7)
    ]
    found = campaign.take(campaign.task("ann", "Bank", own), foreign, *unknown)
    assert kinds(found) == ["foreign"] + ["unknown_task"] * 4
    assert "('feedfeedfeed', this one is " in found.findings[0].text
    assert found.findings[1].task == "'" + "0" * 32 + "'"
    assert (found.tasks, found.lines, len(campaign.lines())) == (6, {"judged": 1}, 1)


@pytest.mark.parametrize("role", ["calibration", "repeat", "control"])
def test_a_line_says_what_its_task_was_for(role, campaign) -> None:
    """Whatever assignments.jsonl holds is known, a retired task too."""
    study = campaign.study
    first = campaign.assignments["ann", "Hund"]
    repeat = int(role == "repeat")
    uid = task_uid(study.id, first.item.item_id, "ann", 3, repeat)
    more = Assignment(
        uid=uid, item=first.item, annotator="ann", round=3, repeat=repeat, role=role, expected="correct",
        prelabel="related", prelabel_shown=True, retired=True,
    )  # fmt: skip
    write_assignments(study, [*study.assignments(), more])
    data = task(Pages(study), more)["data"]
    found = campaign.take(campaign.task("ann", "Hund", campaign.annotation("hyponym"), data=data))
    assert found.findings == []
    (line,) = study.annotations()
    assert (line.task_uid, line.role, line.round, line.repeat) == (uid, role, 3, repeat)
    assert (line.prelabel, line.prelabel_shown, line.label) == ("related", True, "hyponym")


# --- who judged ----------------------------------------------------------------------------------------------


def by(number: int, **more: Any) -> dict[str, Any]:
    """The fields that say who made an annotation."""
    return {"completed_by": number, "updated_by": number, **more}


@pytest.mark.parametrize(
    "completed_by",
    [7, {"id": 7}, {"id": 7, "email": "ann@x.org"}, {"email": "ANN@x.org"}, "ann@x.org"],
)
def test_the_account_is_found_by_number_or_address(completed_by, campaign) -> None:
    entry = campaign.annotation(completed_by=completed_by)
    found = campaign.take(campaign.task("ann", "Hund", entry), accounts=ACCOUNTS)
    assert found.findings == []
    assert [line.annotator for line in campaign.study.annotations()] == ["ann"]
    assert "x.org" not in campaign.study.annotations_file.read_text("utf-8")


def test_a_judgement_by_another_annotators_account_is_that_annotators(campaign) -> None:
    found = campaign.take(campaign.task("ann", "Hund", campaign.annotation(**by(8))), accounts=ACCOUNTS)
    (finding,) = found.findings
    assert (finding.kind, finding.task, finding.annotator) == ("other_account", campaign.uid("ann", "Hund"), "ben")
    assert finding.text.startswith("judged by ben, whose task it is not: it is ann's; ")
    (line,) = campaign.study.annotations()
    assert (line.annotator, line.status, line.label) == ("ben", "judged", "correct")


def test_a_forged_author_is_seen_by_who_saved_last(campaign) -> None:
    """Any account can set completed_by to somebody else; updated_by keeps the truth."""
    entry = campaign.annotation(completed_by={"id": 7, "email": "ann@x.org"}, updated_by=8)
    found = campaign.take(campaign.task("ann", "Hund", entry), accounts=ACCOUNTS)
    (finding,) = found.findings
    assert (finding.kind, finding.annotator) == ("changed_by_other", "ann")
    assert finding.text.startswith("made by ann, last changed by ben; ")
    assert [line.annotator for line in campaign.study.annotations()] == ["ann"]


def test_an_account_that_is_no_annotator(campaign) -> None:
    entry = campaign.annotation(number=5, completed_by={"id": 9, "email": "mallory@x.org"}, updated_by=9)
    found = campaign.take(campaign.task("ann", "Hund", entry), accounts=ACCOUNTS)
    (finding,) = found.findings
    assert (finding.kind, finding.annotator) == ("stranger", "stranger.9")
    (line,) = campaign.study.annotations()
    assert (line.annotator, line.status, line.label) == ("stranger.9", "invalid", None)
    assert line.problems == ["made by an account that is no annotator of this study"]
    for text in (campaign.study.annotations_file.read_text("utf-8"), repr(found)):
        assert "mallory" not in text
    # the lead learns whose account it is: the judgement comes back without any change on the server
    found = campaign.take(campaign.task("ann", "Hund", entry), accounts={**ACCOUNTS, "mallory@x.org": "ann"})
    assert (found.appended.changed, found.findings) == (1, [])
    assert [(line.annotator, line.label) for line in campaign.study.annotations()] == [("ann", "correct")]


def test_without_addresses_accounts_are_told_apart_by_number(campaign) -> None:
    found = campaign.take(
        campaign.task("ann", "Hund", campaign.annotation(completed_by=7, updated_by=8)),
        campaign.task("ben", "Hund", campaign.annotation(completed_by=7, updated_by=7)),
        campaign.task("ben", "Bank", campaign.annotation(completed_by=8, updated_by=None)),
    )
    assert [(finding.kind, finding.annotator, finding.text.split(";")[0]) for finding in found.findings] == [
        ("changed_by_other", "ann", "made by account 7, last changed by account 8"),
        ("shared_account", "ann, ben", "account 7 worked on tasks of all these"),
    ]
    assert [line.annotator for line in campaign.study.annotations()] == ["ann", "ben", "ben"]


def test_an_address_is_never_shown_even_where_it_is_all_there_is(campaign) -> None:
    found = campaign.take(
        campaign.task("ann", "Hund", campaign.annotation(completed_by="ann.real@x.org", updated_by=None)),
        campaign.task("ben", "Hund", campaign.annotation(completed_by="ann.real@x.org", updated_by=None)),
    )
    assert kinds(found) == ["shared_account"]
    assert "real" not in repr(found)


# --- what is gone --------------------------------------------------------------------------------------------


def statuses(campaign: Campaign) -> dict[str, str]:
    """The last status by answer, of ann's lines."""
    return {line.item.answer: line.status for line in campaign.study.last_lines().values()}


def test_what_a_complete_export_lacks_was_deleted(campaign) -> None:
    one, two = campaign.annotation(number=1), campaign.annotation(number=2)
    campaign.take(campaign.task("ann", "Hund", one), campaign.task("ann", "Bank", two))
    found = campaign.take(campaign.task("ann", "Hund"), campaign.task("ann", "Bank", two))
    assert (found.withdrawn, found.appended.changed, found.untouched, found.absent) == (1, 1, 1, [])
    assert statuses(campaign) == {"Hund": "withdrawn", "Bank": "judged"}
    assert [line.item.answer for line in campaign.study.annotations()] == ["Bank"]
    assert [line["status"] for line in campaign.lines()] == ["judged", "judged", "withdrawn"]
    # once only
    found = campaign.take(campaign.task("ann", "Hund"), campaign.task("ann", "Bank", two))
    assert (found.withdrawn, len(campaign.lines())) == (0, 3)
    # and another judgement may follow
    campaign.take(campaign.task("ann", "Hund", campaign.annotation("related", number=3, hour=2)), complete=False)
    assert statuses(campaign)["Hund"] == "judged"


@pytest.mark.parametrize(
    ("made", "changed", "expected"),
    [
        (-2.0, 1.0, "withdrawn"),  # the task was touched after the judgement: by its deletion
        (-2.0, 0.0, "judged"),  # an export made no later than the judgement does not know it yet
        (-2.0, -1.0, "judged"),
        (0.5, 1.0, "judged"),  # the task was made after the judgement: another import of the same file
    ],
)
def test_a_file_lacks_a_judgement(made, changed, expected, campaign) -> None:
    campaign.take(campaign.task("ann", "Hund", campaign.annotation(number=1, hour=0.0)))
    # other tasks of the file may be newer: they say nothing about this one
    other = campaign.task("ann", "Bank", campaign.annotation(number=2, hour=9.0), changed=9.0)
    found = campaign.take(campaign.task("ann", "Hund", made=made, changed=changed), other, complete=False)
    assert statuses(campaign) == {"Hund": expected, "Bank": "judged"}
    assert found.withdrawn == int(expected == "withdrawn")


def test_a_task_that_stands_in_two_projects_keeps_its_judgement(campaign) -> None:
    """As a push that was killed twice may leave it: one of the two has the judgement."""
    judged = campaign.task("ann", "Hund", campaign.annotation(number=1))
    exports = [
        Export([(f"project {n}", one)], complete=True) for n, one in enumerate([judged, campaign.task("ann", "Hund")])
    ]
    for order in (exports, exports[::-1]):
        found = take_in_all(campaign.study, order, accounts=None, strict=False)
        assert (found.withdrawn, found.absent) == (0, [])
    assert statuses(campaign) == {"Hund": "judged"}
    found = take_in_all(campaign.study, exports[1:], accounts=None, strict=False)
    assert found.withdrawn == 1


def test_a_file_without_times_withdraws_nothing(campaign) -> None:
    campaign.take(campaign.task("ann", "Hund", campaign.annotation(number=1)))
    bare = campaign.task("ann", "Hund")
    del bare["updated_at"], bare["created_at"]
    assert campaign.take(bare, complete=False).withdrawn == 0
    assert statuses(campaign) == {"Hund": "judged"}


def files_of(campaign: Campaign, **exports: Any) -> list[Any]:
    """Files of one task each, by name."""
    made = []
    for name, one in exports.items():
        made.append(campaign.study.folder / f"{name}.json")
        made[-1].write_text(json.dumps([one]), "utf-8")
    return made


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
@pytest.mark.parametrize("together", [True, False])
def test_files_in_any_order_end_alike(order, together, campaign) -> None:
    """Judged at noon, changed at one, deleted at two; three exports in between."""
    first = campaign.annotation("correct", number=1)
    second = campaign.annotation("related", number=1, changed=1.0)
    files = files_of(
        campaign,
        noon=campaign.task("ann", "Hund", first, changed=0.1),
        one=campaign.task("ann", "Hund", second, changed=1.1),
        two=campaign.task("ann", "Hund", changed=2.0),
    )
    given = [files[number] for number in order]
    for some in [given] if together else [[file] for file in given]:
        import_exports(campaign.study, some)
    import_exports(campaign.study, given)
    if together or order == (0, 1, 2):
        assert statuses(campaign) == {"Hund": "withdrawn"}
        assert campaign.study.annotations() == []
    else:  # the deletion came home before the judgement was known: only the last look can tell
        import_exports(campaign.study, [files[2]])
        assert statuses(campaign) == {"Hund": "withdrawn"}


def test_what_a_later_export_still_holds_was_not_deleted(campaign) -> None:
    """An export without skips looks as if they were deleted; the next whole one brings them back."""
    skip = campaign.annotation(None, number=1, was_cancelled=True)
    files = files_of(
        campaign,
        whole=campaign.task("ann", "Hund", skip, changed=0.5),
        without=campaign.task("ann", "Hund", changed=0.5),
    )
    later = campaign.task("ann", "Hund", skip, changed=3.0)
    import_exports(campaign.study, files)
    assert statuses(campaign) == {"Hund": "withdrawn"}
    import_exports(campaign.study, files[:1])
    assert statuses(campaign) == {"Hund": "withdrawn"}
    import_exports(campaign.study, files_of(campaign, later=later))
    assert statuses(campaign) == {"Hund": "skipped"}


def test_a_judgement_whose_task_is_gone_stays_and_is_reported(campaign) -> None:
    campaign.take(
        campaign.task("ann", "Hund", campaign.annotation(number=1)),
        campaign.task("ben", "Hund", campaign.annotation(number=2)),
    )
    # ann's project without that task; ben's project is not in this export, so it says nothing of him
    found = campaign.take(campaign.task("ann", "Bank", campaign.annotation(number=3, hour=1.0), changed=1.0))
    assert [(one.task, one.annotator) for one in found.absent] == [(campaign.uid("ann", "Hund"), "ann")]
    assert found.absent[0].text.endswith("the judgement stays")
    assert found.findings == []
    assert {line.status for line in campaign.study.annotations()} == {"judged"}
    assert len(campaign.study.annotations()) == 3


def test_a_judgement_whose_task_was_made_anew_stays_and_is_reported(campaign) -> None:
    """A new server holds the same tasks, and not the judgements of the old one."""
    campaign.take(campaign.task("ann", "Hund", campaign.annotation(number=1)))
    found = campaign.take(campaign.task("ann", "Hund", made=5.0, changed=5.0))
    assert (found.withdrawn, [one.task for one in found.absent]) == (0, [campaign.uid("ann", "Hund")])
    assert statuses(campaign) == {"Hund": "judged"}


def test_drafts_that_an_export_leaves_out_altogether_are_not_taken_back(campaign) -> None:
    draft = {"id": 3, "result": [LABEL], "created_at": at(0), "updated_at": at(0)}
    campaign.take(campaign.task("ann", "Hund", drafts=[draft]))
    silent = campaign.task("ann", "Hund", changed=2.0)
    del silent["drafts"]
    campaign.take(silent)
    assert statuses(campaign) == {"Hund": "draft"}
    campaign.take(campaign.task("ann", "Hund", changed=2.0))
    assert statuses(campaign) == {"Hund": "withdrawn"}


# --- strict --------------------------------------------------------------------------------------------------


def test_strict_refuses_everything_for_one_finding(campaign) -> None:
    good = campaign.task("ann", "Hund", campaign.annotation())
    odd = [campaign.task("ann", answer, campaign.annotation("other_sense")) for answer in ("Bank", "xyz")]
    with pytest.raises(Refused) as refusal:
        campaign.take(good, *odd, strict=True)
    assert [finding.kind for finding in refusal.value.findings] == ["no_sense", "no_sense"]
    assert refusal.value.exit_code == 2
    text = str(refusal.value)
    assert text.startswith("server: task 2: nothing was written, for --strict found another sense, but none was picked")
    assert text.endswith("(and 1 more)")
    assert campaign.lines() == []
    assert campaign.take(good, strict=True).appended.added == 1


# --- the command ---------------------------------------------------------------------------------------------


def run(*arguments: Any) -> Any:
    return CliRunner().invoke(app, ["import", *map(str, arguments)], env={"COLUMNS": "200"})


@pytest.fixture
def odd_export(campaign) -> Any:
    """25 findings in one file: judgements of another sense that name none."""
    entries = [campaign.annotation("other_sense", hour=number / 100) for number in range(25)]
    tasks = [campaign.task("ann", "Bank", *entries[:-1]), campaign.task("ben", "Bank", entries[-1])]
    file = campaign.study.folder / "export.json"
    file.write_text(json.dumps(tasks), "utf-8")
    return file


def test_the_command_lists_twenty_findings_and_counts_the_rest(odd_export, campaign) -> None:
    done = run(campaign.study.folder, odd_export)
    assert done.exit_code == 0, done.output
    # 25 without a sense, 24 of them on one task, and account 7 worked for both
    assert "To look into: 27" in done.output
    lines = done.output.splitlines()
    # where to mend it stands above each: whose it is, which task, and its place in the file
    first = json.loads(odd_export.read_text("utf-8"))[0]
    assert f"ann, task {first['data']['uid']}, {odd_export}: task {first['id']}" in lines
    assert done.output.count("another sense, but none was picked; it counts") == 20
    assert "and 7 more; --json lists them all" in done.output
    found = json.loads(run(campaign.study.folder, odd_export, "--json").stdout)
    assert [one["kind"] for one in found["findings"]] == ["no_sense"] * 25 + ["several", "shared_account"]
    assert set(found["findings"][0]) == {"kind", "task", "annotator", "text", "where"}
    assert "example.org" not in done.output


def test_the_strict_command_lists_all_and_writes_nothing(odd_export, campaign) -> None:
    done = run(campaign.study.folder, odd_export, "--strict")
    assert isinstance(done.exception, UserError)
    assert done.exception.exit_code == 2
    assert done.output.count("another sense, but none was picked; it counts") == 25
    assert campaign.lines() == []
    assert not campaign.study.annotations_file.with_suffix(".run.json").exists()
    found = json.loads(run(campaign.study.folder, odd_export, "--strict", "--json").stdout)
    assert (found["refused"], len(found["findings"])) == (True, 27)


def test_the_command_knows_the_addresses_of_the_private_map(campaign) -> None:
    folder = campaign.study.private_folder
    folder.mkdir()
    (folder / "annotators.yaml").write_text("ann: {name: Real Name, email: Real.Name@example.org}\n", "utf-8")
    file = campaign.study.folder / "export.json"
    tasks = [campaign.task(person, "Hund", campaign.annotation()) for person in ("ann", "ben")]
    file.write_text(json.dumps(tasks), "utf-8")
    found = json.loads(run(campaign.study.folder, file, "--json").stdout)
    (finding,) = found["findings"]
    assert finding["text"].startswith("judged by ann, whose task it is not: it is ben's")
    for product in ("annotations.jsonl", "annotations.run.json"):
        text = (campaign.study.folder / product).read_text("utf-8")
        assert "@" not in text
        assert "Real" not in text
