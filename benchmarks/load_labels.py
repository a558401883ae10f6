"""Simulated people: task files in, exports of Label Studio out, with the noise of `gainsift.annotation.simulated`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from load_study import Simulation

from gainsift.annotation.assignment import tasks_of
from gainsift.annotation.lexicon import Lexicon
from gainsift.annotation.prelabel import PreLabel
from gainsift.annotation.simulated import judge
from gainsift.schemas.files import json_bytes
from gainsift.schemas.rows import Assignment
from gainsift.schemas.study import Study

TIME = "2026-02-01T11:00:00.000000Z"


def label(study: Study, simulation: Simulation, folder: Path) -> list[Path]:
    """An export of each task file, every task of it judged once; some are skipped. Returns the files."""
    folder.mkdir(parents=True)
    lexicon = Lexicon(study.concepts.values())
    accounts = {one.name: number for number, one in enumerate(study.config.annotation.annotators, start=2)}
    files, number = [], 0
    for (annotator, batch), tasks in tasks_of(study.assignments()).items():
        name = f"{annotator}.{batch}.json"
        shown = json.loads((study.tasks_folder / name).read_bytes())
        with (folder / name).open("wb") as file:
            for place, (page, task) in enumerate(zip(shown, tasks, strict=True)):
                assert page["data"]["uid"] == task.uid
                number += 1
                said = judge(task, _right(task, simulation), study, lexicon)
                file.write(b",\n" if place else b"[")
                file.write(json_bytes(_exported(page["data"], number, said, accounts[annotator])))
            file.write(b"]\n")
        files.append(folder / name)
    return files


def _right(task: Assignment, simulation: Simulation) -> PreLabel:
    item = task.item
    if task.expected:
        return PreLabel(task.expected, task.expected_sense)
    return simulation.labels[item.intended_concept, item.input_language, item.output_language, item.answer]


def _exported(data: dict[str, Any], number: int, said: PreLabel | None, account: int) -> dict[str, Any]:
    """A task with its judgement, as Label Studio writes it."""
    values = {"label": said.label, "sense": said.sense} if said else {}
    result = [
        {"id": f"{name}{number}", "type": "choices", "value": {"choices": [value]}, "origin": "manual",
         "to_name": "answer", "from_name": name}
        for name, value in values.items() if value is not None
    ]  # fmt: skip
    judgement = {
        "id": number, "completed_by": account, "result": result, "was_cancelled": said is None, "ground_truth": False,
        "created_at": TIME, "updated_at": TIME, "draft_created_at": None, "lead_time": 4.25, "prediction": {},
        "result_count": len(result), "unique_id": f"00000000-0000-4000-8000-{number:012d}", "import_id": None,
        "last_action": None, "bulk_created": False, "task": number, "project": 1, "updated_by": account,
        "parent_prediction": None, "parent_annotation": None, "last_created_by": None,
    }  # fmt: skip
    return {
        "id": number, "annotations": [judgement], "file_upload": "0a1b2c3d-tasks.json", "drafts": [],
        "predictions": [], "data": data, "meta": {}, "created_at": "2026-02-01T10:00:00.000000Z", "updated_at": TIME,
        "inner_id": number, "total_annotations": 1, "cancelled_annotations": int(said is None),
        "total_predictions": 0, "comment_count": 0, "unresolved_comment_count": 0, "last_comment_updated_at": None,
        "project": 1, "updated_by": account, "comment_authors": [],
    }  # fmt: skip
