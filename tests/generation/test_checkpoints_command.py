"""`gainsift checkpoints`: what it prints of repositories, folders and studies, and that its lines fit study.yaml."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from gainsift.cli.checkpoints_output import tokens_word
from gainsift.cli.main import app
from gainsift.generation.run import generate
from gainsift.schemas.errors import GainsiftError, UserError, WorkError
from gainsift.schemas.model import ModelSpec
from gainsift.schemas.study import Study

REPO = "lab/small"


def run(*arguments: str) -> Result:
    done = CliRunner().invoke(app, ["checkpoints", *arguments], env={"COLUMNS": "100"})
    if done.exception is not None and not isinstance(done.exception, GainsiftError | SystemExit):
        raise done.exception
    return done


@pytest.fixture
def published(hub: Any, maker: Any) -> Any:
    """Eighty checkpoints of one content, and two branches that are none."""
    repository = hub.repository(REPO)
    folder = maker.model("c1")
    for number in range(1, 81):
        repository.push_folder(f"step{number * 100}-tokens{number}B", folder)
    for name in ("main", "step8100-tokens81B-longctx"):
        repository.push_folder(name, folder)
    return repository


def study_with(maker: Any, **model: Any) -> Path:
    maker.study([maker.model("any")])
    data = {**maker.config, "model": {"name": "small", **model}}
    (maker.root / "study" / "study.yaml").write_text(yaml.safe_dump(data), "utf-8")
    folder: Path = maker.root / "study"
    return folder


def test_a_long_series_is_shown_by_what_is_taken(published: Any) -> None:
    """Apertus' schedule of 80: the first 10, 5 to the 20th, 20 and 25, every 10th from 30 to 70, and the last."""
    text = run(REPO).stdout
    marked = [line.split()[1] for line in text.splitlines() if line.startswith("●")]
    places = [*range(10), 10, 12, 14, 16, 18, 20, 25, 30, 40, 50, 60, 70, 79]
    assert marked == [f"step{(at + 1) * 100}-tokens{at + 1}B" for at in places]
    assert "80 checkpoints of family apertus" in text
    assert "takes 23 (●)" in text
    assert "not of this family: main, step8100-tokens81B-longctx" in text
    everything = run(REPO, "--all", "--policy", "log:2").stdout
    assert sum("step" in line and "tokens" in line for line in everything.splitlines()[1:81]) == 80
    assert sum(line.startswith("●") for line in everything.splitlines()) == 2


def test_json_holds_all_of_it(published: Any) -> None:
    told = json.loads(run(REPO, "--policy", "every:40", "--json").stdout)
    assert (told["model"], told["family"], told["policy"]) == (REPO, "apertus", "every:40")
    assert [one["name"] for one in told["checkpoints"] if one["taken"]] == [
        "step100-tokens1B", "step4100-tokens41B", "step8000-tokens80B",
    ]  # fmt: skip
    assert told["checkpoints"][0] == {
        "name": "step100-tokens1B", "label": "step100-tokens1B", "phase": 0, "step": 100, "tokens": 10**9,
        "commit": published.branches["step100-tokens1B"], "taken": True,
    }  # fmt: skip


def test_yaml_is_a_section_of_study_yaml_that_generates(published: Any, maker: Any) -> None:
    text = run(REPO, "--policy", "explicit:100,8000", "--yaml").stdout
    section = yaml.safe_load(text)["model"]
    assert ModelSpec.model_validate(section).checkpoints[1].commit == published.branches["step8000-tokens80B"]
    study = Study.open(study_with(maker, **section))
    assert generate(study).rows == 2 * 160
    assert not (study.folder / "checkpoints.json").exists()  # nothing was left to resolve


def test_yaml_of_folders_can_be_used_from_anywhere(maker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("step-20", "step-3"):
        maker.model(name)
    monkeypatch.chdir(maker.root)
    section = yaml.safe_load(run("models", "--yaml").stdout)["model"]
    assert [(one["name"], one["step"]) for one in section["checkpoints"]] == [("step-3", 3), ("step-20", 20)]
    assert generate(Study.open(study_with(maker, **section))).rows == 2 * 160


def test_a_study_is_resolved_then_compared(published: Any, maker: Any) -> None:
    folder = study_with(maker, series={"repo": REPO, "policy": "every:40"})
    first = run(str(folder)).stdout
    assert "3 checkpoints, resolved now, and kept in" in first
    assert first.count("on the hub") == 3 + 1
    second = run(str(folder)).stdout
    assert "as resolved on" in second
    assert "nothing has changed there since" in second
    published.push_folder("step8200-tokens82B", maker.model("later", seed=3))
    published.push_folder("step100-tokens1B", maker.model("other", seed=4))
    published.drop("step4100-tokens41B")
    third = run(str(folder)).stdout
    assert "later than the last one: step8200-tokens82B" in third
    assert "changed there, the study keeps its own: step100-tokens1B" in third
    assert "no longer there: step4100-tokens41B" in third
    told = json.loads(run(str(folder), "--json").stdout)
    assert told["news"]["gone"] == ["step4100-tokens41B"]
    assert [one["name"] for one in told["checkpoints"]] == [
        "step100-tokens1B",
        "step4100-tokens41B",
        "step8000-tokens80B",
    ]
    assert "resolved now" in run(str(folder), "--update").stdout
    told = json.loads(run(str(folder), "--json").stdout)
    assert not any(told["news"].values())
    assert told["checkpoints"][-1]["name"] == "step8200-tokens82B"


def test_a_list_says_what_was_moved_and_what_is_gone(published: Any, hub: Any, maker: Any) -> None:
    commit = published.branches["step300-tokens3B"]
    names = {"a": "step100-tokens1B", "b": "step200-tokens2B", "c": commit}
    listed = [{"name": name, "repo": REPO, "revision": revision} for name, revision in names.items()]
    folder = study_with(maker, checkpoints=listed)
    run(str(folder))
    assert "nothing has changed there since" in run(str(folder)).stdout
    published.push_folder("step100-tokens1B", maker.model("other", seed=4))
    published.drop("step200-tokens2B")
    news = json.loads(run(str(folder), "--json").stdout)["news"]
    assert (news["moved"], news["gone"]) == (["step100-tokens1B"], ["step200-tokens2B"])
    hub.repositories.clear()  # the repository itself goes: the study is shown all the same
    shown = run(str(folder))
    assert shown.exit_code == 0
    assert "not compared with the hub: no such repository, or no access to it" in shown.stdout


def test_a_study_shows_what_is_in_the_cache(published: Any, maker: Any) -> None:
    folder = study_with(maker, checkpoints=[{"name": "a", "repo": REPO}, {"name": "b", "path": "../models/any"}])
    assert [one["here"] for one in json.loads(run(str(folder), "--json").stdout)["checkpoints"]] == [False, True]
    generate(Study.open(folder))
    text = run(str(folder)).stdout
    assert "in the cache" in text
    assert "local" in text


def test_without_network_a_study_is_shown_and_a_repository_names_its_cache(
    published: Any, maker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    folder = study_with(maker, series={"repo": REPO, "policy": "explicit:100"})
    run(str(folder))
    generate(Study.open(folder))
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    shown = run(str(folder))
    assert shown.exit_code == 0
    assert "not compared with the hub: no connection to http://127.0.0.1:9" in shown.stdout
    error = run(REPO).exception
    assert isinstance(error, WorkError)
    assert f"in the cache are whole: {published.branches['step100-tokens1B'][:12]}" in str(error)


def test_families_and_policies_are_listed() -> None:
    text = run().stdout
    for word in ("eurollm", "olmo-2", "apertus", "bloom", "pythia", "plain", "every:5", "log:12", "dense-early"):
        assert word in text
    assert {row["name"] for row in json.loads(run("--json").stdout)["families"]} >= {"bloom", "plain"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nobody/here/at/all"], "no such folder"),
        (["./nothing"], "no such folder"),
        ([REPO, "--family", "olmo"], "did you mean olmo-2?"),
        ([REPO, "--policy", "last"], "no such policy"),
        ([REPO, "--update"], "is no study"),
        ([REPO, "--yaml", "--json"], "give one of the two"),
        ([REPO, "--family", "bloom"], "no checkpoint of family 'bloom'; there are: main, step100-tokens1B"),
        (["lab/nobody"], "no such repository, or no access to it"),
    ],
)
def test_a_mistake_is_one_line(published: Any, arguments: list[str], message: str) -> None:
    error = run(*arguments).exception
    assert isinstance(error, UserError)
    assert message in str(error)
    assert "\n" not in str(error)


def test_options_of_a_series_stand_in_study_yaml(published: Any, maker: Any) -> None:
    folder = study_with(maker, series={"repo": REPO})
    for option in (["--policy", "all"], ["--family", "bloom"], ["--yaml"]):
        error = run(str(folder), *option).exception
        assert isinstance(error, UserError)
        assert f"{option[0]}: {folder} is a study" in str(error)


@pytest.mark.parametrize(
    ("tokens", "word"),
    [(0, "–"), (48 * 10**9, "48 B"), (3_896 * 10**9, "3.896 T"), (2_097_152, "2.097 M"), (512, "512")],
)
def test_tokens_in_words(tokens: int, word: str) -> None:
    assert tokens_word(tokens) == word


def test_a_password_in_the_address_is_not_shown(published: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://me:secret@127.0.0.1:9")
    error = run(REPO).exception
    assert "no connection to http://127.0.0.1:9" in str(error)
    assert "secret" not in str(error)
