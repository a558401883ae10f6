"""Series on the hub and in folders: what is listed, what a study is fixed to, and that it stays so."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from gainsift.generation.hub import Hub
from gainsift.generation.resolution import news_of, open_study, resolve
from gainsift.generation.series import list_series, specs_of
from gainsift.schemas.errors import GainsiftError, UserError, WorkError
from gainsift.schemas.fixed_checkpoints import read_fixed
from gainsift.schemas.model import ModelSpec, SeriesSpec
from gainsift.schemas.study import Study

REPO = "lab/small"
REVISIONS = ["stage1-step10-tokens1B", "stage1-step20-tokens2B", "stage1-step30-tokens3B"]


@pytest.fixture
def published(hub: Any, maker: Any) -> Any:
    """Three checkpoints under branches, as OLMo 2 names them, and `main`, which is the last one."""
    repository = hub.repository(REPO)
    for number, revision in enumerate(REVISIONS, start=1):
        repository.push_folder(revision, maker.model(f"c{number}", seed=number))
    repository.branches["main"] = repository.branches[REVISIONS[-1]]
    return repository


def hub_study(maker: Any, name: str = "hub", **model: Any) -> Path:
    """The folder of a study whose model section is `model`."""
    maker.study([maker.model("any")], name)
    data = {**maker.config, "model": {"name": "small", **model}}
    (maker.root / name / "study.yaml").write_text(yaml.safe_dump(data), "utf-8")
    folder: Path = maker.root / name
    return folder


def test_a_repository_is_listed_in_training_order(published: Any) -> None:
    listing = list_series(SeriesSpec(repo=REPO), [], Path(), Hub())
    assert [one.name for one in listing.found] == REVISIONS
    assert listing.others == ["main"]
    assert listing.family.name == "olmo-2"
    assert listing.commits[REVISIONS[0]] == published.branches[REVISIONS[0]]


def test_tags_are_revisions_too(hub: Any, maker: Any) -> None:
    repository = hub.repository("lab/tagged")
    commit = repository.push_folder("step5-tokens1B", maker.model("c1"), tag=True)
    repository.push("main", {"README.md": b""})
    listing = list_series(SeriesSpec(repo="lab/tagged"), [], Path(), Hub())
    assert listing.commits == {"step5-tokens1B": commit, "main": repository.branches["main"]}
    assert listing.family.name == "apertus"


def test_entries_carry_commit_and_precision(published: Any) -> None:
    specs = specs_of(list_series(SeriesSpec(repo=REPO, policy="every:2"), [], Path(), Hub()), Hub())
    assert [(one.name, one.revision, one.step, one.tokens, one.dtype) for one in specs] == [
        (REVISIONS[0], REVISIONS[0], 10, 10**9, "float32"),
        (REVISIONS[2], REVISIONS[2], 30, 3 * 10**9, "float32"),
    ]
    assert [one.commit for one in specs] == [published.branches[REVISIONS[at]] for at in (0, 2)]


def test_a_revision_without_safetensors_is_named(published: Any) -> None:
    files = dict(published.commits[published.branches[REVISIONS[1]]])
    files["pytorch_model.bin"] = files.pop("model.safetensors")
    published.push(REVISIONS[1], files)
    with pytest.raises(UserError, match=rf"{REPO}@{REVISIONS[1]}: no \*\.safetensors .* pickles are not read"):
        specs_of(list_series(SeriesSpec(repo=REPO), [], Path(), Hub()), Hub())


def test_a_tokenizer_from_elsewhere_where_a_revision_has_none(published: Any, hub: Any, maker: Any) -> None:
    for revision in REVISIONS:
        published.push_folder(revision, maker.model(f"bare-{revision}", tokenizer=False))
    hub.repository("lab/words").push_folder("main", maker.model("words"))
    family = {"name": "own", "pattern": r"stage1-step(?P<step>\d+)-.*", "tokenizer": "lab/words"}
    model = ModelSpec.model_validate({"name": "m", "series": {"repo": REPO, "family": "own"}, "families": [family]})
    assert model.series is not None
    (spec, *_) = specs_of(list_series(model.series, model.families, Path(), Hub()), Hub())
    assert spec.tokenizer is not None
    assert (spec.tokenizer.repo, spec.tokenizer.commit) == ("lab/words", hub.repository("lab/words").branches["main"])
    # the built-in row of OLMo 2 says `main` of the same repository
    (spec, *_) = specs_of(list_series(SeriesSpec(repo=REPO), [], Path(), Hub()), Hub())
    assert spec.tokenizer is not None
    assert (spec.tokenizer.repo, spec.tokenizer.revision) == (REPO, "main")


def test_a_series_is_resolved_once_and_stays(published: Any, hub: Any, maker: Any) -> None:
    folder = hub_study(maker, series={"repo": REPO, "policy": "all"})
    with pytest.raises(UserError, match=r"model\.series: is not resolved .* run `gainsift checkpoints"):
        Study.open(folder)
    study = open_study(folder)
    assert [one.name for one in study.config.model.checkpoints] == REVISIONS
    assert study.config.checkpoint("last").tokens == 3 * 10**9
    kept = (folder / "checkpoints.json").read_bytes()
    assert json.loads(kept)["format"] == "checkpoints/1"
    # the hub moves on: a branch is pushed to, another appears
    published.push_folder(REVISIONS[0], maker.model("other", seed=9))
    published.push_folder("stage1-step40-tokens4B", maker.model("later", seed=4))
    hub.log.clear()
    assert open_study(folder).config == study.config
    assert Study.open(folder).config == study.config
    assert hub.log == []
    assert (folder / "checkpoints.json").read_bytes() == kept
    fixed = read_fixed(folder)
    assert fixed is not None
    news = news_of(fixed, list_series(SeriesSpec(repo=REPO, policy="all"), [], folder, Hub()))
    assert (news.later, news.policy_adds, news.moved, news.gone) == (
        ["stage1-step40-tokens4B"], ["stage1-step40-tokens4B"], [REVISIONS[0]], [],
    )  # fmt: skip
    anew = resolve(folder, Hub(), update=True)
    assert anew is not None
    assert [one.revision for one in anew.checkpoints] == [*REVISIONS, "stage1-step40-tokens4B"]
    assert anew.checkpoints[0].commit == published.branches[REVISIONS[0]] != fixed.checkpoints[0].commit


def test_another_series_than_the_fixed_one_is_refused(published: Any, maker: Any) -> None:
    folder = hub_study(maker, series={"repo": REPO, "policy": "all"})
    open_study(folder)
    changed = (folder / "study.yaml").read_text("utf-8").replace("policy: all", "policy: every:2")
    (folder / "study.yaml").write_text(changed, "utf-8")
    for opening in (Study.open, open_study):
        with pytest.raises(UserError, match=r"checkpoints\.json: was resolved from another model\.series .* --update"):
            opening(folder)


def test_a_dry_opening_keeps_nothing(published: Any, maker: Any) -> None:
    folder = hub_study(maker, series={"repo": REPO})
    assert len(open_study(folder, write=False).config.model.checkpoints) == 3
    assert [path.name for path in folder.iterdir()] == ["study.yaml"]


def test_an_explicit_list_fixes_its_revisions_and_keeps_them(published: Any, maker: Any) -> None:
    entries = [{"name": "early", "repo": REPO, "revision": REVISIONS[0], "step": 10}, {"name": "late", "repo": REPO}]
    folder = hub_study(maker, checkpoints=entries)
    assert Study.open(folder).config.model.checkpoints[0].commit == ""  # analysis needs no commit
    first = open_study(folder).config.model.checkpoints
    assert [one.commit for one in first] == [published.branches[REVISIONS[0]], published.branches["main"]]
    published.push_folder("main", maker.model("other", seed=9))
    assert open_study(folder).config.model.checkpoints == first
    # a third entry is resolved today, the first two stay
    entries.append({"name": "last", "repo": REPO, "revision": "main", "step": 40})
    more = open_study(hub_study(maker, checkpoints=entries)).config.model.checkpoints
    assert more[:2] == first
    assert more[2].commit == published.branches["main"] != first[1].commit
    # a commit that study.yaml names itself is what counts
    entries[1]["commit"] = published.branches["main"]
    assert open_study(hub_study(maker, checkpoints=entries)).config.model.checkpoints[1].commit == more[2].commit


def test_an_unknown_revision_or_repository_is_the_users_mistake(published: Any, maker: Any) -> None:
    entry = {"name": "a", "repo": REPO, "revision": "stage1-step10-tokens2B"}
    with pytest.raises(UserError, match=r"no such revision on the hub; did you mean stage1-step"):
        open_study(hub_study(maker, checkpoints=[entry]))
    with pytest.raises(UserError, match="lab/nobody: no such repository, or no access to it"):
        open_study(hub_study(maker, series={"repo": "lab/nobody"}))


def test_a_study_that_is_wrong_elsewhere_is_not_fixed(published: Any, maker: Any) -> None:
    folder = hub_study(maker, series={"repo": REPO})
    with (folder / "study.yaml").open("a") as file:
        file.write("contrasts: [{name: c, from: {checkpoint: first}, to: {checkpoint: nobody}}]\n")
    with pytest.raises(UserError, match="nobody"):
        open_study(folder)
    assert not (folder / "checkpoints.json").exists()


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"series": {"repo": REPO}, "checkpoints": [{"name": "a", "path": "b"}]}, "has both checkpoints and series"),
        ({}, "needs checkpoints"),
        ({"series": {"repo": REPO, "folder": "x"}}, "needs either repo"),
        ({"series": {"repo": "../x"}}, "series.repo"),
        ({"checkpoints": [{"name": "a"}]}, "needs either path"),
        ({"checkpoints": [{"name": "a", "path": "x", "repo": REPO}]}, "needs either path"),
        ({"checkpoints": [{"name": "a", "path": "x", "revision": "y"}]}, "belong to a repo"),
        ({"checkpoints": [{"name": "a", "repo": REPO, "commit": "abc"}]}, "commit"),
    ],
)
def test_a_model_section_that_says_two_things_or_none(maker: Any, model: dict[str, Any], message: str) -> None:
    folder = hub_study(maker, **model)
    with pytest.raises(UserError) as caught:
        open_study(folder)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_of_folders(maker: Any) -> None:
    for name in ("step-900", "step-100", "step-1500"):
        shutil.move(maker.model(name), maker.root / "models" / "run" / name)
    (maker.root / "models" / "run" / "notes").mkdir()
    folder = hub_study(maker, series={"folder": "../models/run", "policy": "log:2"})
    specs = open_study(folder).config.model.checkpoints
    assert [(one.name, one.path, one.step) for one in specs] == [
        ("step-100", "../models/run/step-100", 100), ("step-1500", "../models/run/step-1500", 1500),
    ]  # fmt: skip
    with pytest.raises(UserError, match="no checkpoint of family 'bloom'; there are: step-100, step-1500, step-900"):
        list_series(SeriesSpec(folder="models/run", family="bloom"), [], maker.root, Hub())
    with pytest.raises(UserError, match="no such folder"):
        list_series(SeriesSpec(folder="models/nobody"), [], maker.root, Hub())


def test_gguf_files_are_checkpoints_too(tmp_path: Path) -> None:
    for name in ("ckpt-20.gguf", "ckpt-3.gguf"):
        (tmp_path / "quantised").mkdir(exist_ok=True)
        (tmp_path / "quantised" / name).write_bytes(b"GGUF")
    specs = specs_of(list_series(SeriesSpec(folder="quantised"), [], tmp_path, Hub()), Hub())
    assert [(one.name, one.path, one.gguf_file, one.step) for one in specs] == [
        ("ckpt-3", "quantised", "ckpt-3.gguf", 3), ("ckpt-20", "quantised", "ckpt-20.gguf", 20),
    ]  # fmt: skip


def test_damaged_and_newer_files_are_refused(published: Any, maker: Any) -> None:
    folder = hub_study(maker, series={"repo": REPO})
    open_study(folder)
    file = folder / "checkpoints.json"
    whole = file.read_text("utf-8")
    for text, message in (
        (whole[:-40], "not JSON"),
        (whole.replace("checkpoints/1", "checkpoints/2"), "expected format checkpoints/1, found checkpoints/2"),
    ):
        file.write_text(text, "utf-8")
        with pytest.raises(UserError, match=rf"checkpoints\.json: .*{message}"):
            open_study(folder)


def test_without_network_a_fixed_study_opens_and_a_new_one_says_why(
    published: Any, maker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    folder = hub_study(maker, series={"repo": REPO})
    open_study(folder)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")  # nobody listens on the port `discard`
    assert len(open_study(folder).config.model.checkpoints) == 3
    with pytest.raises(WorkError, match=rf"{REPO}: no connection to http://127\.0\.0\.1:9") as caught:
        open_study(hub_study(maker, "new", series={"repo": REPO}))
    assert isinstance(caught.value, GainsiftError)


def test_a_released_study_holds_the_list_not_the_series(published: Any, maker: Any) -> None:
    from gainsift.analysis.release import public_config

    study = open_study(hub_study(maker, series={"repo": REPO, "tokenizer": {"path": "/home/me/tokenizer"}}))
    section = public_config(study)["model"]
    assert "series" not in section
    assert [one["commit"] for one in section["checkpoints"]] == [published.branches[name] for name in REVISIONS]
    assert {one["tokenizer"]["path"] for one in section["checkpoints"]} == {"tokenizer"}
    assert ModelSpec.model_validate(section).checkpoints[0].revision == REVISIONS[0]


def test_a_hub_that_names_no_commit_or_unprintable_revisions_is_not_believed(published: Any, maker: Any) -> None:
    published.branches["step5-\x1b[31m-tokens1B"] = published.branches[REVISIONS[0]]
    assert [one for one in Hub().refs(REPO) if not one.isprintable()] == []
    published.branches["evil"] = "../../../etc"
    published.commits["../../../etc"] = {"config.json": b"{}"}
    with pytest.raises(WorkError, match="the hub names no commit for it"):
        open_study(hub_study(maker, checkpoints=[{"name": "a", "repo": REPO, "revision": "evil"}]))
    with pytest.raises(WorkError, match="the hub names no commit for it"):
        list_series(SeriesSpec(repo=REPO), [], Path(), Hub())


def test_news_of_a_folder(maker: Any) -> None:
    for step in (5, 10):
        shutil.move(maker.model(f"step-{step}"), maker.root / "models" / "run" / f"step-{step}")
    source = SeriesSpec(folder="../models/run/", policy="all")
    folder = hub_study(maker, series=source.model_dump(exclude_defaults=True))
    open_study(folder)
    fixed = read_fixed(folder)
    assert fixed is not None
    assert not news_of(fixed, list_series(source, [], folder, Hub()))
    shutil.move(maker.model("step-20"), maker.root / "models" / "run" / "step-20")
    shutil.rmtree(maker.root / "models" / "run" / "step-5")
    news = news_of(fixed, list_series(source, [], folder, Hub()))
    assert (news.later, news.gone) == (["step-20"], ["step-5"])
