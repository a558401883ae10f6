"""Generation from the hub: the rows of a local study, one download ahead of use, and every way in which it may fail."""

from __future__ import annotations

import errno
import json
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from gainsift.generation import hub as hub_module
from gainsift.generation.checkpoints import open_checkpoints
from gainsift.generation.engines import Watch
from gainsift.generation.local_engine import LocalEngine
from gainsift.generation.resolution import open_study
from gainsift.generation.run import generate
from gainsift.generation.store import Ahead, CheckpointStore, bring_description, is_here
from gainsift.schemas.errors import GainsiftError, UserError, WorkError
from gainsift.schemas.provenance import file_hash
from gainsift.schemas.study import Study

REPO = "lab/small"
NAMES = ["step10-tokens1B", "step20-tokens2B", "step30-tokens3B"]
PIECE = 4096
TOKEN = "hf_aVerySecretTokenOfNobody"


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries follow each other at once, huggingface_hub's own too, and small files come in pieces as large ones do."""
    monkeypatch.setattr(hub_module, "PAUSE", 0.0)
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", PIECE)
    hasty = SimpleNamespace(**{**vars(time), "sleep": lambda seconds: None})
    for module in ("file_download", "utils._http"):  # theirs alone: ours must sleep
        monkeypatch.setattr(f"huggingface_hub.{module}.time", hasty)


@pytest.fixture
def models(hub: Any, maker: Any) -> list[Path]:
    """Three checkpoints, in folders and on the hub."""
    folders = [maker.model(name, seed=number) for number, name in enumerate(NAMES, start=1)]
    for folder in folders:
        hub.repository(REPO).push_folder(folder.name, folder)
    return folders


@pytest.fixture
def study_of(maker: Any) -> Callable[..., Study]:
    """A study of the hub's series, resolved; `model` goes into that section."""

    def make(name: str = "hub", **model: Any) -> Study:
        maker.study([maker.model("any")], name)
        section = {"name": "small", "series": {"repo": REPO, "policy": "all"}, **model}
        data = {**maker.config, "model": section}
        (maker.root / name / "study.yaml").write_text(yaml.safe_dump(data), "utf-8")
        return open_study(maker.root / name)

    return make


def rows_of(study: Study) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    keys = ("checkpoint", "setting", "prompt", "input_language", "output_language", "pair_id", "layer")
    return {
        tuple(row[key] for key in keys): (row["raw"], row["step"], row["tokens"], row["p_source"], row["p_target"])
        for row in study.translations().to_pylist()
    }


def line_of(error: pytest.ExceptionInfo[GainsiftError]) -> str:
    assert "\n" not in str(error.value)
    return str(error.value)


def commits_here(cache: Path, weights: bool = True) -> set[str]:
    pattern = "*/snapshots/*/" + ("*.safetensors" if weights else "*")
    return {path.parent.name for path in cache.glob(pattern)}


def test_the_rows_are_those_of_the_same_files_in_folders(
    models: list[Path], hub: Any, maker: Any, study_of: Callable[..., Study]
) -> None:
    study = study_of()
    summary = generate(study)
    local = maker.study(models, "local")
    generate(local)
    from_hub, from_folders = rows_of(study), rows_of(local)
    assert summary.rows == len(from_hub) == len(from_folders) == 3 * 160
    assert {key: value[0] for key, value in from_hub.items()} == {key: value[0] for key, value in from_folders.items()}
    for key, (_, step, tokens, p_source, p_target) in from_hub.items():
        number = NAMES.index(key[0]) + 1
        assert (step, tokens) == (10 * number, number * 10**9)
        assert (p_source, p_target) == pytest.approx(from_folders[key][3:], abs=1e-6)
    run = json.loads((study.translations_folder / "run.json").read_text())
    assert run["inputs"]["checkpoints.json"] == file_hash(study.folder / "checkpoints.json")
    assert run["versions"]["huggingface_hub"]
    record = run["settings"]
    assert record["trust_remote_code"] is False
    assert record["checkpoints"][NAMES[0]]["commit"] == hub.repository(REPO).branches[NAMES[0]]
    assert record["checkpoints"][NAMES[0]]["revision"] == NAMES[0]
    hub.log.clear()
    assert generate(open_study(study.folder)).files_written == 0
    assert hub.log == []  # a finished study asks nobody


def test_only_weights_configuration_and_tokenizer_are_fetched(models: list[Path], hub: Any, study_of: Any) -> None:
    repository = hub.repository(REPO)
    for name in NAMES:
        extra = {"optimizer.bin": b"x", "evil.py": b"x", "pytorch_model.bin": b"x", "consolidated.safetensors": b"x"}
        repository.push(name, {**repository.commits[repository.branches[name]], **extra})
    generate(study_of())
    fetched = {line.rsplit("/", 1)[1] for line in hub.log if line.startswith("GET") and "/resolve/" in line}
    assert fetched == {
        "config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
    }  # fmt: skip


def test_the_next_checkpoint_comes_while_one_is_computed_and_no_more(
    models: list[Path], hub: Any, study_of: Callable[..., Study]
) -> None:
    study = study_of()
    first, second, third = (hub.repository(REPO).branches[name] for name in NAMES)
    seen: list[list[str]] = []

    def in_the_middle_of_the_first(rows: int) -> None:
        if not seen:
            deadline = time.monotonic() + 60
            while second not in hub.downloads() and time.monotonic() < deadline:
                time.sleep(0.01)
            time.sleep(0.3)
            seen.append(hub.downloads())

    generate(study, watch=Watch(advance=in_the_middle_of_the_first))
    assert seen == [[first, second]]
    assert hub.downloads() == [first, second, third]


def test_several_workers_find_the_next_checkpoint_here(
    models: list[Path], hub: Any, tmp_path: Path, study_of: Callable[..., Study], until: Callable[..., None]
) -> None:
    """While two workers are at the first two and get no further shard, the third one comes; each comes once."""
    study = study_of(evict=True)
    third = hub.repository(REPO).branches[NAMES[2]]
    seen: list[set[str]] = []

    def at_the_first_shard(line: str) -> None:
        if not seen:
            until(lambda: third in commits_here(tmp_path / "cache"))
            seen.append({path.parent.name for path in study.translation_files()})

    watch = Watch(say=at_the_first_shard)
    summary = generate(study, engine=LocalEngine(["cpu", "cpu"]), shard_rows=1, watch=watch)
    assert (len(seen), summary.files_written, summary.rows_written) == (1, 24, 480)
    assert len(seen[0]) == 1
    assert seen[0] < set(NAMES[:2])
    weights = [line for line in hub.log if line.startswith("GET") and line.endswith("/model.safetensors")]
    assert len(weights) == len(set(weights)) == 3
    assert commits_here(tmp_path / "cache") == set()


def test_who_needs_a_checkpoint_that_is_being_brought_ahead_waits_for_it(
    models: list[Path], hub: Any, study_of: Callable[..., Study], until: Callable[..., None]
) -> None:
    one, other, _ = open_checkpoints(study_of())
    hub.slow = 0.02
    ahead = Ahead()
    ahead.fetch(one)
    until(lambda: [path for path in one.hub.cache_folder.rglob("*.incomplete") if path.stat().st_size > PIECE])
    ahead.fetch(other)  # one at a time
    with CheckpointStore([one], evict=True) as store:
        with store.local(one):
            assert is_here(one)
            asked = [line.split()[0] for line in hub.log if line.endswith("/model.safetensors")]
            assert sorted(asked) == ["GET", "HEAD", "HEAD"]  # both asked for it, one fetched it
            ahead.fetch(other)
            until(lambda: is_here(other))
        assert not is_here(one)  # who brought it no longer holds it
    ahead.stop()


@pytest.fixture
def losing_its_last(models: list[Path], hub: Any, study_of: Callable[..., Study]) -> Study:
    """A study of which the last revision disappears once all are described."""
    study = study_of()
    for one in open_checkpoints(study):
        one.fetch_description()
    hub.repository(REPO).drop(NAMES[2])
    return study


def test_what_cannot_be_brought_ahead_is_told_by_who_needs_it(losing_its_last: Study) -> None:
    study = losing_its_last
    with pytest.raises(WorkError, match="the hub has no such revision"):
        generate(study, engine=LocalEngine(["cpu", "cpu"]))
    assert {path.parent.name for path in study.translation_files()} == set(NAMES[:2])


def test_used_checkpoints_are_evicted_if_asked_but_not_what_was_there_before(
    models: list[Path], hub: Any, tmp_path: Path, study_of: Callable[..., Study]
) -> None:
    study = study_of(evict=True)
    first, second, third = (hub.repository(REPO).branches[name] for name in NAMES)
    (_, own, _) = open_checkpoints(study)
    own.fetch_description()
    own.hub.fetch("own", REPO, second, ["*.safetensors"])  # the user had this one
    most: list[int] = []
    generate(study, watch=Watch(advance=lambda rows: most.append(len(commits_here(tmp_path / "cache")))))
    assert commits_here(tmp_path / "cache") == {second}
    assert max(most) <= 3  # the user's, the one in use, the next
    assert first not in commits_here(tmp_path / "cache", weights=False)
    assert generate(open_study(study.folder)).files_written == 0  # needs nothing of what is gone
    generate(study_of("kept"))
    assert commits_here(tmp_path / "cache") == {first, second, third}


def test_what_a_killed_run_downloaded_is_still_ours_to_evict(
    models: list[Path], hub: Any, tmp_path: Path, study_of: Callable[..., Study]
) -> None:
    study = study_of(evict=True)

    class Killed(Exception):
        pass

    def kill(rows: int) -> None:
        raise Killed

    with pytest.raises(Killed):
        generate(study, watch=Watch(advance=kill))
    assert hub.repository(REPO).branches[NAMES[0]] in commits_here(tmp_path / "cache")  # the next run needs it
    generate(study)
    assert commits_here(tmp_path / "cache") == set()


def test_another_process_that_uses_a_revision_keeps_it(models: list[Path], study_of: Callable[..., Study]) -> None:
    (one, *_) = open_checkpoints(study_of(evict=True))
    one.fetch_description()
    with CheckpointStore([one], evict=True) as mine, CheckpointStore([one], evict=True) as other:
        with mine.local(one):
            with other.local(one):
                pass
            assert is_here(one)
        assert not is_here(one)


def test_a_download_that_is_cut_goes_on_where_it_was(
    models: list[Path], hub: Any, maker: Any, study_of: Callable[..., Study]
) -> None:
    size = len(hub.repository(REPO).commits[hub.repository(REPO).branches[NAMES[0]]]["model.safetensors"])
    third = size // 3 // PIECE * PIECE
    hub.cuts["model.safetensors"] = [third, third]
    study = study_of()
    generate(study)
    assert hub.ranges == [f"model.safetensors from {third}", f"model.safetensors from {2 * third}"]
    generate(maker.study(models, "local"))
    assert {k: v[0] for k, v in rows_of(study).items()} == {
        k: v[0] for k, v in rows_of(Study.open(maker.root / "local")).items()
    }


def test_a_download_that_is_always_cut_is_failed_work_and_nothing_is_lost(
    models: list[Path], hub: Any, study_of: Callable[..., Study]
) -> None:
    hub.cuts["model.safetensors"] = [0] * 200
    study = study_of()
    with pytest.raises(WorkError) as caught:
        generate(study)
    line = line_of(caught)
    assert f"checkpoint {NAMES[0]}: {REPO}@{NAMES[0]}" in line
    assert "broke off" in line
    assert "run the command again: it goes on" in line
    hub.cuts.clear()
    assert generate(study).rows == 480


def test_a_busy_hub_is_asked_again_and_then_named(models: list[Path], hub: Any, study_of: Callable[..., Study]) -> None:
    study = study_of()
    hub.failing["/tree/"] = 503
    with pytest.raises(WorkError, match="answers with status 503"):
        generate(study)
    hub.failing.clear()
    assert generate(study).rows == 480


def test_a_revision_that_disappears_is_named_and_finished_ones_stay(losing_its_last: Study) -> None:
    study = losing_its_last
    with pytest.raises(WorkError) as caught:
        generate(study)
    assert f"checkpoint {NAMES[2]}: {REPO}@{NAMES[2]}: the hub has no such revision" in line_of(caught)
    assert {path.parent.name for path in study.translation_files()} == set(NAMES[:2])


def test_without_network_it_says_what_is_here(
    models: list[Path], study_of: Callable[..., Study], monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    study = study_of()
    checkpoints = open_checkpoints(study)
    with CheckpointStore(checkpoints[:1]) as store, store.local(checkpoints[0]):
        pass
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")  # nobody listens on the port `discard`
    with pytest.raises(WorkError) as caught:
        generate(study)
    assert (
        f"no connection to http://127.0.0.1:9; check the network, HF_ENDPOINT and proxies; here without it: {NAMES[0]}"
        in line_of(caught)
    )
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(study.folder / "empty"))
    with pytest.raises(WorkError, match="none of the checkpoints is here"):
        generate(study)


def test_a_study_whose_checkpoints_are_here_needs_no_network(
    models: list[Path], study_of: Callable[..., Study], monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    study = study_of()
    checkpoints = open_checkpoints(study)
    with CheckpointStore(checkpoints) as store:
        for one in checkpoints:
            one.fetch_description()
            with store.local(one):
                pass
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert generate(open_study(study.folder)).rows == 480


def test_a_gated_repository_says_to_log_in_and_never_shows_the_token(
    models: list[Path],
    hub: Any,
    study_of: Callable[..., Study],
    maker: Any,
    gainsift: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    """In a program of its own: whatever it prints, and every file that it leaves, is searched for the token."""
    study = study_of()
    hub.repository(REPO).gated = True
    for command in (["generate", str(study.folder)], ["checkpoints", REPO], ["--debug", "generate", str(study.folder)]):
        done = gainsift(*command, HF_TOKEN=TOKEN, OMP_NUM_THREADS="1")
        assert done.returncode == 2, done.stderr
        assert "the repository is gated" in done.stderr
        assert "hf auth login" in done.stderr
        assert TOKEN not in done.stdout + done.stderr
        if "--debug" not in command:
            assert len(done.stderr.splitlines()) == 1
    for path in maker.root.rglob("*"):
        assert not path.is_file() or TOKEN.encode() not in path.read_bytes(), path


def test_a_disk_without_room_is_named_before_the_download(
    models: list[Path], hub: Any, study_of: Callable[..., Study], monkeypatch: pytest.MonkeyPatch
) -> None:
    study = study_of()
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=hub_module.MARGIN))
    with pytest.raises(WorkError) as caught:
        generate(study)
    assert " are needed, 67.1 MB free in" in line_of(caught)
    assert "model.evict: true" in line_of(caught)
    assert hub.downloads() == []


def test_a_disk_that_fills_up_is_named(
    models: list[Path], study_of: Callable[..., Study], monkeypatch: pytest.MonkeyPatch
) -> None:
    study = study_of()
    for one in open_checkpoints(study):
        one.fetch_description()

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("huggingface_hub.file_download.http_get", full)
    with pytest.raises(WorkError) as caught:
        generate(study)
    assert f"checkpoint {NAMES[0]}: {REPO}@{NAMES[0]}: the disk is full; make room" in line_of(caught)


def test_a_slow_download_is_told_and_can_be_called_off(models: list[Path], hub: Any, study_of: Any) -> None:
    study = study_of()
    checkpoints = open_checkpoints(study)
    for one in checkpoints:
        one.fetch_description()
    hub.slow = 0.25
    lines: list[str] = []
    with CheckpointStore(checkpoints, say=lines.append) as store, store.local(checkpoints[0]):
        started = time.monotonic()
    assert time.monotonic() - started < 10  # the second one, on its way, is called off
    assert lines
    assert lines[0].startswith(f"{NAMES[0]}: downloading")
    assert [is_here(one) for one in checkpoints] == [True, False, False]


def test_code_of_a_model_runs_only_where_study_yaml_asks_for_it(
    hub: Any, maker: Any, study_of: Callable[..., Study]
) -> None:
    """A model class that comes as code: refused by default; with trust_remote_code it runs, and is told."""
    folder = maker.model(NAMES[0])
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "ours", "auto_map": {"AutoConfig": "ours.Ours", "AutoModelForCausalLM": "ours.OursModel"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "ours.py").write_text(
        "from transformers import LlamaConfig, LlamaForCausalLM\n"
        "class Ours(LlamaConfig):\n    model_type = 'ours'\n"
        "class OursModel(LlamaForCausalLM):\n    config_class = Ours\n"
    )
    hub.repository(REPO).push_folder(NAMES[0], folder)
    with pytest.raises(UserError, match="cannot load its configuration"):
        generate(study_of())
    said: list[str] = []
    study = study_of("trusting", trust_remote_code=True)
    assert generate(study, watch=Watch(warn=said.append)).rows == 160
    assert said == ["warning: model.trust_remote_code: Python code that comes with the model is run"]
    assert json.loads((study.translations_folder / "run.json").read_text())["settings"]["trust_remote_code"] is True


def test_an_interrupt_while_waiting_ends_the_download(models: list[Path], hub: Any, study_of: Any) -> None:
    (one, *_) = open_checkpoints(study_of())
    one.fetch_description()
    hub.slow = 0.3

    def interrupt(line: str) -> None:
        raise KeyboardInterrupt

    store = CheckpointStore([one], say=interrupt)
    with pytest.raises(KeyboardInterrupt), store, store.local(one):
        pass
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("download")]
    assert not is_here(one)
    hub.slow = 0.0
    with CheckpointStore([one]) as again, again.local(one):
        assert is_here(one)


def test_offline_by_request_uses_what_is_here_and_names_the_switch(
    models: list[Path], hub: Any, study_of: Callable[..., Study], monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    study = study_of(series={"repo": REPO, "policy": [NAMES[0]]})
    generate(study)
    more = study_of("more")
    hub.log.clear()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    generate(study, redo=True)
    with pytest.raises(WorkError) as caught:
        generate(more)
    assert "HF_HUB_OFFLINE is set, so the hub is not asked; unset it; here without it: step10-tokens1B" in line_of(
        caught
    )
    assert hub.log == []


def test_two_phases_in_folders_with_a_tokenizer_from_the_hub(hub: Any, maker: Any) -> None:
    """EuroLLM's layout: the folders hold no tokenizer, the family names a repository."""
    hub.repository("utter-project/EuroLLM-1.7B").push_folder("main", maker.model("published"))
    places = ["phase_1/iter_10", "phase_1/iter_20", "phase_2/iter_10"]
    for number, place in enumerate(places, start=1):
        folder = maker.root / "megatron" / place
        folder.parent.mkdir(parents=True, exist_ok=True)
        maker.model(f"bare{number}", seed=number, tokenizer=False).rename(folder)
    maker.study([maker.model("any")])
    data = {**maker.config, "model": {"name": "euro", "series": {"folder": "../megatron"}}}
    (maker.root / "study" / "study.yaml").write_text(yaml.safe_dump(data), "utf-8")
    study = open_study(maker.root / "study")
    assert [(one.name, one.step, one.tokens) for one in study.config.model.checkpoints] == [
        ("phase_1-iter_10", 10, 125829120), ("phase_1-iter_20", 20, 251658240), ("phase_2-iter_10", 30, 377487360),
    ]  # fmt: skip
    generate(study)
    whole = maker.study([maker.model(f"whole{number}", seed=number) for number in (1, 2, 3)], "whole")
    generate(whole)
    answers = [[value[0] for _, value in sorted(rows_of(one).items())] for one in (study, whole)]
    assert len(answers[0]) == 480
    assert sorted(answers[0]) == sorted(answers[1])


def test_a_gguf_file_is_the_whole_checkpoint(hub: Any, maker: Any) -> None:
    commit = hub.repository("lab/quantised").push(
        "main", {"a-step5.gguf": b"GGUF" * 99, "b.gguf": b"no", "README.md": b""}
    )
    maker.study([maker.model("any")])
    entry = {"name": "a", "repo": "lab/quantised", "gguf_file": "a-step5.gguf"}
    config = maker.root / "study" / "study.yaml"
    config.write_text(yaml.safe_dump({**maker.config, "model": {"name": "q", "checkpoints": [entry]}}), "utf-8")
    (one,) = open_checkpoints(open_study(config.parent))
    bring_description(one, [one])
    assert [path.name for path in one.folder.iterdir()] == ["a-step5.gguf"]
    with CheckpointStore([one], evict=True) as store, store.local(one) as folder:
        assert (folder / "a-step5.gguf").read_bytes() == b"GGUF" * 99
    assert not is_here(one)
    wrong = {**entry, "gguf_file": "a-step6.gguf"}
    config.write_text(yaml.safe_dump({**maker.config, "model": {"name": "q", "checkpoints": [wrong]}}), "utf-8")
    with pytest.raises(UserError, match=r"lab/quantised@main: no file a-step6\.gguf; did you mean a-step5\.gguf"):
        open_study(config.parent)
    assert one.spec.commit == commit


def test_a_cache_for_reading_will_do_where_all_is_there(
    models: list[Path], tmp_path: Path, study_of: Callable[..., Study]
) -> None:
    """A cache in which no lock can be made; root may write everywhere, so a file stands in the folder's place."""
    generate(study_of())
    again = study_of("again", evict=True)
    shutil.rmtree(tmp_path / "cache" / ".locks")
    (tmp_path / "cache" / ".locks").touch()
    before = commits_here(tmp_path / "cache")
    assert generate(again).rows == 480
    assert commits_here(tmp_path / "cache") == before
