"""The projects of a study on a server: one for each annotator and language pair, and one a pair for disagreements.

A project is found again by an opaque mark in its description. Nothing on the server names the study, a model or a
checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from gainsift.annotation.adjudication_page import adjudication_config
from gainsift.annotation.guidelines import instruction_html
from gainsift.annotation.label_config import label_config
from gainsift.annotation.label_studio_api import Api, as_label_studio_answers
from gainsift.annotation.server_tasks import count_tasks
from gainsift.schemas.errors import WorkError
from gainsift.schemas.languages import LANGUAGES
from gainsift.schemas.record import fingerprint
from gainsift.schemas.rows import Assignment
from gainsift.schemas.study import Study

Kind = Literal["judging", "adjudication"]
Made = Literal["new", "changed", "as it was"]
LABEL_CONFIGS: dict[Kind, Callable[[Study], str]] = {
    "judging": lambda study: label_config(study.taxonomy),
    "adjudication": lambda study: adjudication_config(study.taxonomy),
}
"""The labelling page of each kind of project."""

ALWAYS: dict[str, Any] = {
    "maximum_annotations": 1,
    "sampling": "Sequential sampling",  # in the order of the tasks' ids, which is the order of import
    "show_skip_button": True,
    "enable_empty_annotation": False,
    "show_annotation_history": False,
    "evaluate_predictions_automatically": False,
    "reveal_preannotations_interactively": False,
    "show_instruction": True,
}
LONGEST_TITLE = 50


@dataclass(frozen=True, order=True)
class ProjectKey:
    """Which project a task belongs to. `batch` is the language pair, `en-de`."""

    annotator: str
    batch: str
    kind: Kind = "judging"

    @classmethod
    def of(cls, assignment: Assignment) -> ProjectKey:
        kind: Kind = "adjudication" if assignment.role == "adjudication" else "judging"
        return cls(assignment.annotator, assignment.batch, kind)

    @property
    def title(self) -> str:
        """`ann · English → German`."""
        given, out = (LANGUAGES[code].english for code in self.batch.split("-"))
        name = self.annotator if self.kind == "judging" else "disagreements"
        return f"{name} · {given} → {out}"[:LONGEST_TITLE]

    def mark(self, study: Study) -> str:
        """What its description begins with. It tells nothing to who does not hold the study."""
        return "gainsift " + fingerprint(["project", study.id, self.annotator, self.batch, self.kind], 20)


@dataclass(frozen=True)
class Project:
    """A project on the server."""

    id: int
    key: ProjectKey
    made: Made = "as it was"


def keys_of(assignments: Iterable[Assignment]) -> list[ProjectKey]:
    """Every project that the tasks, retired ones too, may lie in; sorted."""
    return sorted({ProjectKey.of(line) for line in assignments})


def find_projects(api: Api, study: Study, keys: Iterable[ProjectKey]) -> dict[ProjectKey, list[int]]:
    """The ids of the projects that carry the mark of a key, oldest first; keys without a project are left out.

    There is one each, but for runs that were killed while they made it.
    """
    by_mark = {key.mark(study): key for key in keys}
    found: dict[ProjectKey, list[int]] = {}
    with as_label_studio_answers(api.url, "the list of projects"):
        page, more = 1, True
        while more:
            answer = api.get("/api/projects/", page=page, page_size=100, include="id,description")
            for project in answer["results"]:
                key = by_mark.get(" ".join(str(project.get("description") or "").split()[:2]))
                if key is not None:
                    found.setdefault(key, []).append(int(project["id"]))
            page, more = page + 1, bool(answer["next"])
    return {key: sorted(ids) for key, ids in found.items()}


def ensure_project(api: Api, study: Study, key: ProjectKey, known: list[int]) -> Project:
    """The project of a key, made or brought up to date with the study. Raises WorkError if the server refuses.

    `known` are the ids that find_projects found; it is asked again where a request to make one got no answer.
    """
    wanted = settings_of(study, key)
    found: list[list[int]] = [known]

    @as_label_studio_answers(api.url, f"project {key.title}")
    def attempt() -> Project:
        ids = found.pop() if found else find_projects(api, study, [key]).get(key, [])
        if not ids:
            made = api.once("POST", "/api/projects/", wanted)
            return Project(int(made["id"]), key, "new")
        kept = _clear_surplus(api, ids)
        there = api.get(f"/api/projects/{kept}/")
        changed = {name: value for name, value in wanted.items() if _differs(name, there.get(name), value)}
        if changed:
            _update(api, kept, key, changed, wanted)
        return Project(kept, key, "changed" if changed else "as it was")

    return api.patience.keep_trying(attempt)


def _differs(name: str, there: Any, wanted: Any) -> bool:
    """The server cleans the instruction, so it is known by the fingerprint in the description."""
    return name != "expert_instruction" and there != wanted


def _update(api: Api, project: int, key: ProjectKey, changed: dict[str, Any], wanted: dict[str, Any]) -> None:
    if "description" in changed:
        changed["expert_instruction"] = wanted["expert_instruction"]
    try:
        api.repeatedly("PATCH", f"/api/projects/{project}/", changed)
    except WorkError as error:
        if "label_config" not in changed:
            raise
        problem = f"Label Studio refuses the new labelling page for project {project} ({key.title}): {error.problem}"
        remedy = "pull, then raise annotation.round to ask anew, or take back the change of the taxonomy"
        raise WorkError(api.url, problem, remedy) from None


def _clear_surplus(api: Api, ids: list[int]) -> int:
    """Of several projects with one mark the one with tasks; empty others are what a killed run left, and go."""
    filled = [project for project in ids if count_tasks(api, project)]
    kept = (filled or ids)[0]
    for project in ids:
        if project != kept and project not in filled:
            api.repeatedly("DELETE", f"/api/projects/{project}/")
    return kept


def settings_of(study: Study, key: ProjectKey) -> dict[str, Any]:
    """What a project of this key is to be."""
    instruction = instruction_html(study.taxonomy)
    return {
        "title": key.title,
        "description": f"{key.mark(study)} {fingerprint(instruction, 8)}",
        # the server strips it, and would seem to hold another one
        "label_config": LABEL_CONFIGS[key.kind](study).strip(),
        "expert_instruction": instruction,
        "show_collab_predictions": key.kind == "judging" and study.config.annotation.prelabels == "shown",
        **ALWAYS,
    }
