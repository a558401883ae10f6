"""Ten thousand judgements with hostile texts, there and back: none lost, none doubled, every character as it was."""

from __future__ import annotations

import random
from typing import Any

from gainsift.annotation.accounts import DOMAIN
from gainsift.annotation.label_studio_api import Api
from gainsift.annotation.pull import pull
from gainsift.annotation.push import push
from gainsift.annotation.server_tasks import in_parts
from gainsift.annotation.tasks import Pages, task
from gainsift.schemas.rows import item_answer

NUMBER = 10_000
PEOPLE = ("ann", "ben", "cat")


def any_text(chance: random.Random) -> str:
    """Characters of all planes; without surrogates, which no UTF-8 holds and so no export."""
    points = (chance.choice((0x7F, 0x7FF, 0xFFFF, 0x10FFFF)) for _ in range(chance.randrange(1, 12)))
    found = (chance.randrange(top + 1) for top in points)
    return "".join(chr(point) for point in found if not 0xD800 <= point <= 0xDFFF)


def judgement(chance: random.Random, hostile: list[str], place: int, owner: str) -> dict[str, Any]:
    """What somebody submits: label, sense, sense_text, comment, and who it is; rarely it is another one's task."""
    text = hostile[place % len(hostile)]
    label = chance.choice(("correct", "other_sense", "unrelated", "unsure"))
    sense = chance.choice(("bank.money", "not_listed")) if label == "other_sense" else None
    return {
        "label": label,
        "sense": sense,
        "sense_text": f"{text}{place}" if sense == "not_listed" else "",
        "comment": f"{place} {text} {any_text(chance)}",
        "who": owner if place % 97 else chance.choice([name for name in PEOPLE if name != owner]),
    }


def test_ten_thousand_there_and_back(label_studio, api, tools, tmp_path, hostile, result) -> None:
    chance = random.Random(10_000)
    texts = [text.encode("utf-8", "replace").decode() for text in hostile.values()]  # no half characters
    study = tools.write_study(tmp_path / "study")
    items = [
        tools.item(item_answer(f"{texts[number % len(texts)]} {number}"), intended="bank.river")
        for number in range(NUMBER)
    ]
    planned = [
        tools.assignment(study.id, item, PEOPLE[place % 3], order=place) for place, item in enumerate(items)
    ]  # fmt: skip
    tools.assign(study, planned[:3])
    push(study, label_studio)
    projects = tools.look(api, study).projects
    tools.assign(study, planned)

    given = {line.uid: judgement(chance, texts, place, line.annotator) for place, line in enumerate(planned)}
    for name in PEOPLE:
        own = [line for line in planned[3:] if line.annotator == name]
        seed(api, projects[f"{name} en-de"], Pages(study), own, given, result)
    for line in planned[:3]:
        del given[line.uid]
    assert push(study, label_studio).sent == 0

    found = pull(study, label_studio)
    assert (found.tasks, found.untouched, found.lines) == (NUMBER, 3, {"judged": NUMBER - 3})
    assert found.appended.added == NUMBER - 3
    lines = study.annotations()
    assert {
        line.task_uid: {
            "label": line.label, "sense": line.sense, "sense_text": line.sense_text, "comment": line.comment,
            "who": line.annotator,
        }
        for line in lines
    } == given  # fmt: skip
    shown = {line.uid: line.item for line in planned}
    assert all(line.item == shown[line.task_uid] for line in lines)
    strangers = {line.uid for line in planned[3:] if given[line.uid]["who"] != line.annotator}
    assert {finding.task for finding in found.findings if finding.kind == "other_account"} == strangers

    before = study.annotations_file.read_bytes()
    again = pull(study, label_studio)
    assert (again.appended.added, again.appended.changed, again.appended.unchanged) == (0, 0, NUMBER - 3)
    assert study.annotations_file.read_bytes() == before


def seed(api: Api, project: int, pages: Pages, own: list, given: dict[str, Any], result: Any) -> None:
    """Tasks with their annotations, as an import of another server's export brings them."""
    for part in in_parts(own, 500):
        tasks = []
        for line in part:
            answer = given[line.uid]
            fields = [answer["label"], answer["sense"], answer["sense_text"] or None, answer["comment"]]
            made = {
                "result": result(*fields),
                "completed_by": {"email": f"{answer['who']}@{DOMAIN}"},
                "lead_time": 3.5,
                "ground_truth": False,
            }
            tasks.append({**task(pages, line), "annotations": [made]})
        api.once("POST", f"/api/projects/{project}/import", tasks)
