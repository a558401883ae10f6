"""docs/tutorial.md: what it has people write is read, and the whole of it can be followed."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from gainsift.schemas.config import StudyConfig

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def tutorial() -> ModuleType:
    """follow.py, which finds people.py beside it as it does when it is run."""
    sys.path.insert(0, str(HERE))
    import follow

    yield follow
    sys.path.remove(str(HERE))


@pytest.fixture(scope="module")
def steps(tutorial):
    return list(tutorial.steps(tutorial.TUTORIAL.read_text("utf-8")))


def test_the_page_goes_from_install_to_the_table(steps) -> None:
    typed = [command for step in steps for command in step.commands]
    assert typed[0].startswith("python3 -m venv")
    assert typed[-1].startswith("pdflatex")
    order = ["init", "concepts convert", "generate", "annotate plan", "annotate serve", "annotate pull", "analyze"]
    places = [next(n for n, command in enumerate(typed) if command.startswith(f"gainsift {one}")) for one in order]
    assert places == sorted(places)


def test_the_files_are_such(steps) -> None:
    files = {step.name: step.text for step in steps if step.name}
    study = StudyConfig.model_validate(yaml.safe_load(files["my-study/study.yaml"]))
    words = files["words.csv"].splitlines()[1:]
    ambiguous = [json.loads(line) for line in files["ambiguous.jsonl"].splitlines()]
    assert len(words) + len(ambiguous) == study.prompts.pairs == 20
    assert set(study.trained_languages) == set(ambiguous[0]["reference"])


def test_figures_may_differ_words_may_not(tutorial) -> None:
    printed = "rows   12\nhours  0.4 (± 0.1)\nwrote it"
    assert tutorial.same_but_for_figures(["rows 80", "…", "wrote it"], printed) == []
    assert tutorial.same_but_for_figures(["rows 80", "wrote them"], printed) == ["wrote them"]
    assert tutorial.same_but_for_figures(["wrote it", "rows 80"], printed) == ["rows 80"]


@pytest.mark.system
def test_it_can_be_followed_to_the_letter(tutorial, tmp_path: Path) -> None:
    """With the gainsift that is installed here; `make tutorial` starts from an empty environment."""
    assert tutorial.follow(tmp_path) == []
    study = tmp_path / "gainsift-tutorial" / "my-study"
    assert (study / "report" / "report.html").is_file()
    assert (study.parent / "paper.pdf").read_bytes().startswith(b"%PDF")
    judged = [json.loads(line) for line in (study / "annotations.jsonl").read_text("utf-8").splitlines()]
    assert {line["annotator"] for line in judged} == {"a1", "a2"}
