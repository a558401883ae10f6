"""Shards: what their names and footers say, how studies are cut, and that the cut changes nothing."""

from __future__ import annotations

import errno
import json
import os
import signal
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gainsift.generation import decoder as decoder_module
from gainsift.generation.checkpoints import Checkpoint
from gainsift.generation.engines import Watch
from gainsift.generation.run import generate
from gainsift.generation.schedule import DEATHS, Schedule
from gainsift.generation.shards import Shard
from gainsift.generation.writing import writing_alone
from gainsift.schemas.errors import UserError, WorkError
from gainsift.schemas.model import CheckpointSpec
from gainsift.schemas.provenance import file_hash
from gainsift.schemas.study import Study


def parts_of(study: Study) -> list[str]:
    return sorted(".".join(path.name.split(".")[:2]) for path in study.translation_files())


def assert_same(study: Study, other: Study) -> None:
    """The same rows; probabilities may differ by what other batches do to the last bits."""
    found, expected = ({row["row_id"]: row for row in one.translations().to_pylist()} for one in (study, other))
    assert sorted(found) == sorted(expected)
    for name, row in expected.items():
        masses = {key: pytest.approx(row[key], abs=1e-5) for key in row if key.endswith("mass") or key[:2] == "p_"}
        assert found[name] == {**row, **masses}


# --- cutting ---------------------------------------------------------------------------------------------


def test_a_study_is_cut_at_the_same_prompt_pairs_in_every_language_pair(maker: Any) -> None:
    """fr-en has 18 rows a prompt pair and en-fr 22: 50 rows are two prompt pairs of the larger one."""
    study = maker.study([maker.model("c1")], prompts={"pairs": 5, "shots": 3, "seed": 7})
    summary = generate(study, shard_rows=50)
    assert parts_of(study) == [f"{pair}.{part}" for pair in ("en-fr", "fr-en") for part in (
        "0000-0001", "0002-0003", "0004-0004")]  # fmt: skip
    assert (summary.files, summary.rows) == (6, 5 * (18 + 22))


def test_the_cut_changes_no_row(maker: Any) -> None:
    model = maker.model("c1")
    whole, cut = maker.study([model], "whole"), maker.study([model], "cut")
    generate(whole)
    generate(cut, shard_rows=1)
    assert len(cut.translation_files()) == 8
    assert_same(cut, whole)


def test_each_prompt_runs_once_however_small_the_shards(maker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of prefixes are counted where they enter the model: rows of longer inputs than any suffix."""
    entered: list[int] = []
    plain = decoder_module.Decoder._forward

    def forward(self: Any, part: Any, ids: Any, *others: Any) -> Any:
        if ids.shape[1] > 12:
            entered.append(len(ids))
        return plain(self, part, ids, *others)

    monkeypatch.setattr(decoder_module.Decoder, "_forward", forward)
    study = maker.study([maker.model("c1")])
    generate(study, shard_rows=1)
    # source prompts of fr-en, en-fr, de-es, es-de, en-en, fr-fr and target prompts of the two pairs, 4 prompt pairs
    assert sum(entered) == 8 * 4


def test_finished_files_of_another_cut_stand(maker: Any) -> None:
    """The first two prompt pairs of en-fr are there; the rest is cut anew, around them."""
    model = maker.model("c1")
    whole, study = maker.study([model], "whole"), maker.study([model])
    generate(whole)
    generate(study, shard_rows=50)
    kept, *others = study.translation_files()
    for path in others:
        path.unlink()
    before = kept.read_bytes()
    assert generate(study).files_written == 2
    assert parts_of(study) == ["en-fr.0000-0001", "en-fr.0002-0003", "fr-en.0000-0003"]
    assert kept.read_bytes() == before
    assert_same(study, whole)


def test_a_file_of_the_earlier_layout_is_a_shard_of_everything(maker: Any) -> None:
    study = maker.study([maker.model("c1")])
    generate(study)
    (path,) = study.translations_folder.glob("c1/fr-en.*")
    table = pq.read_table(path)
    metadata = {key: value for key, value in table.schema.metadata.items() if key != b"prompt_pairs"}
    earlier = path.with_name("fr-en.parquet")
    pq.write_table(table.replace_schema_metadata(metadata), earlier)
    path.unlink()
    before = file_hash(earlier)
    assert generate(study, shard_rows=1).files_written == 0
    assert file_hash(earlier) == before


def test_rows_that_stand_twice_are_refused_and_deleted_on_demand(maker: Any, row_set: Callable[[Study], str]) -> None:
    study = maker.study([maker.model("c1")])
    generate(study)
    (path,) = study.translations_folder.glob("c1/fr-en.*")
    copy = path.with_name("fr-en.parquet")
    copy.write_bytes(path.read_bytes())
    with pytest.raises(UserError, match=r"holds rows that another file holds too; .* delete 1 file"):
        generate(study)
    generate(study, redo=True)
    assert row_set(study)


def shard(checkpoint: str = "c", pair: tuple[str, str] = ("fr", "en"), start: int = 0, **content: str) -> Shard:
    one = Checkpoint(CheckpointSpec(name=checkpoint, path="."), Path("."))
    return Shard(one, pair, range(start, start + 2), {"words": "a", **content}, Path("translations") / checkpoint)


def test_a_name_is_a_hash_of_everything_that_determines_the_rows() -> None:
    others = [shard("d"), shard(pair=("en", "fr")), shard(start=2), shard(words="b"), shard(layers="all")]
    assert len({one.hash for one in [shard(), *others]}) == 6
    assert shard().hash == shard().hash
    assert shard().path == Path("translations/c") / f"fr-en.0000-0001.{shard().hash}.parquet"


# --- who makes what --------------------------------------------------------------------------------------


def test_a_worker_stays_with_its_checkpoint_and_prompt_pairs() -> None:
    pairs = (("fr", "en"), ("en", "fr"))
    schedule = Schedule([shard(name, pair, start) for name in "ab" for start in (0, 2) for pair in pairs])

    def take(worker: str) -> tuple[str, str, int] | None:
        found = schedule.take(worker)
        return found and (found.checkpoint.name, found.pair[0], found.part.start)

    assert take("one") == ("a", "fr", 0)
    assert take("two") == ("b", "fr", 0)  # a checkpoint that nobody holds
    assert take("three") == ("a", "fr", 2)  # prompt pairs that nobody is at
    assert [take("one"), take("one")] == [("a", "en", 0), ("b", "fr", 2)]  # its own; then help where most is left
    assert [take("two"), take("three"), take("one")] == [("b", "en", 0), ("a", "en", 2), ("b", "en", 2)]
    assert take("one") is None


def test_what_comes_next_is_what_the_next_free_worker_begins() -> None:
    schedule = Schedule([shard(name, start=start) for name in "abc" for start in (0, 2)])

    def coming() -> str | None:
        found = schedule.coming()
        return found and found.name

    assert coming() == "a"
    assert [schedule.take(worker).checkpoint.name for worker in ("one", "two")] == ["a", "b"]
    assert coming() == "c"
    assert [schedule.take("one").checkpoint.name for _ in range(2)] == ["a", "c"]
    assert coming() is None  # somebody is at each of those that are left
    schedule.lost("one")
    assert coming() == "c"
    schedule.give_up("c")
    assert coming() is None


def test_a_lost_shard_comes_next_and_is_given_up_in_the_end() -> None:
    schedule = Schedule([shard(start=0), shard(start=2)])
    for number in range(DEATHS):
        taken = schedule.take(number)
        assert taken is not None
        assert taken.part.start == 0
        assert (schedule.lost(number) is None) == (number < DEATHS - 1)
    assert [schedule.left, schedule.give_up("c")[0].part.start, schedule.left] == [1, 2, 0]


# --- what goes wrong -------------------------------------------------------------------------------------


def full_for(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full whenever a file whose name begins so is to be put in its place."""
    plain = os.replace

    def replace(source: Any, target: Any) -> None:
        if Path(target).name.startswith(name):
            raise OSError(errno.ENOSPC, "No space left on device")
        plain(source, target)

    monkeypatch.setattr(os, "replace", replace)


def test_a_shard_that_cannot_be_written_stops_no_other(maker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    study = maker.study([maker.model("c1"), maker.model("c2", seed=5)])
    said: list[str] = []
    with monkeypatch.context() as patch:
        full_for("fr-en.", patch)
        with pytest.raises(WorkError, match=r"fr-en\S+: cannot be written: No space left on device; make room") as end:
            generate(study, watch=Watch(warn=said.append))
    assert "1 more error: `gainsift status` lists what is missing" in str(end.value)
    assert [line.split(".")[0] for line in said] == ["not made: c1/fr-en", "not made: c2/fr-en"]
    assert parts_of(study) == ["en-fr.0000-0003"] * 2
    assert not list(study.folder.rglob("*.tmp"))
    assert generate(study).files_written == 2
    assert not (study.translations_folder / "failures.json").exists()


def test_a_shard_that_always_fails_stops_no_other(maker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from gainsift.generation.translate import Translator

    plain, told = Translator.table, []

    def table(self: Translator, pair: Any, part: range, advance: Any) -> pa.Table:
        if pair == ("fr", "en") and part.start == 2:
            advance(3)
            raise RuntimeError("no such thing\nas a kernel")
        return plain(self, pair, part, advance)

    study = maker.study([maker.model("c1")])
    monkeypatch.setattr(Translator, "table", table)
    with pytest.raises(WorkError, match=r"c1/fr-en.0002-0003.*RuntimeError: no such thing as a kernel"):
        generate(study, shard_rows=50, watch=Watch(advance=told.append))
    assert parts_of(study) == ["en-fr.0000-0001", "en-fr.0002-0003", "fr-en.0000-0001"]
    assert sum(told) == 2 * (18 + 22 + 22)  # what the failing one told was taken back
    (failure,) = json.loads((study.translations_folder / "failures.json").read_text())["failures"]
    assert (failure["checkpoint"], failure["first"], failure["last"]) == ("c1", 2, 3)

    def interrupt(line: str) -> None:
        raise KeyboardInterrupt

    study.translation_files()[0].unlink()
    with pytest.raises(KeyboardInterrupt):  # a run that ends before it is there again keeps the reason
        generate(study, shard_rows=50, watch=Watch(say=interrupt))
    assert json.loads((study.translations_folder / "failures.json").read_text())["failures"] == [failure]
    monkeypatch.undo()
    assert generate(study, shard_rows=50).files_written == 1
    assert not (study.translations_folder / "failures.json").exists()


def test_a_checkpoint_that_cannot_be_loaded_is_tried_once(maker: Any) -> None:
    broken = maker.model("c1")
    (broken / "model.safetensors").write_bytes(b"no weights at all")
    study = maker.study([broken, maker.model("c2", seed=5)])
    said: list[str] = []
    with pytest.raises(UserError, match=r"checkpoint c1: .*cannot load its weights"):
        generate(study, shard_rows=50, watch=Watch(warn=said.append))
    assert len(said) == 1
    assert {path.parent.name for path in study.translation_files()} == {"c2"}
    assert len(json.loads((study.translations_folder / "failures.json").read_text())["failures"]) == 4


def test_a_study_that_cannot_be_written_at_all(maker: Any) -> None:
    study = maker.study([maker.model("c1")])
    study.translations_folder.write_text("a file where the folder should be")
    with pytest.raises(WorkError, match=r"translations: cannot be written: .*; see that you may write there"):
        generate(study)


def test_two_runs_do_not_write_at_once(maker: Any) -> None:
    study = maker.study([maker.model("c1")])
    with (
        writing_alone(study.translations_folder),
        pytest.raises(WorkError, match="another gainsift generate is writing"),
    ):
        generate(study)
    generate(study)


# --- the process is killed -------------------------------------------------------------------------------


def test_ten_kills_at_random_moments_change_nothing(maker: Any, row_set: Callable[[Study], str]) -> None:
    """SIGKILL while it prepares, computes and writes: no row is lost or doubled, and no temporary file stays."""
    models = [maker.model("c1"), maker.model("c2", seed=5)]
    prompts = {"pairs": 10, "shots": 3, "seed": 7}
    whole, study = maker.study(models, "whole", prompts=prompts), maker.study(models, "killed", prompts=prompts)
    generate(whole, shard_rows=1)
    random = np.random.default_rng(17)
    context = get_context("fork")  # torch is loaded here already; it computes in one thread
    grown = [0]
    for more in random.permutation([0, 0, 1, 1, 2, 2, 3, 3, 4, 4]):
        process = context.Process(target=generate, args=(study,), kwargs={"shard_rows": 1})
        process.start()
        deadline = time.monotonic() + 120
        while len(study.translation_files()) < grown[-1] + more and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(float(random.uniform(0, 0.1)))
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        grown.append(len(study.translation_files()))
    assert grown == sorted(grown)
    assert 0 < grown[-1] < 40
    left = study.folder / ".prompts.parquet.abc.tmp"  # what a kill in the middle of writing leaves
    left.write_bytes(b"half")
    (study.translations_folder / "c1" / ".fr-en.0000-0003.abc.parquet.xyz.tmp").write_bytes(b"half")
    generate(study, shard_rows=1)
    assert row_set(study) == row_set(whole)
    assert not list(study.folder.rglob("*.tmp"))
    assert len(study.translation_files()) == 40
