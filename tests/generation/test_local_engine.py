"""Several workers on this machine: they share the work, one that is killed is replaced, none outlives the driver."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from gainsift.generation.engines import Watch
from gainsift.generation.local_engine import LocalEngine
from gainsift.generation.run import generate
from gainsift.schemas.errors import WorkError
from gainsift.schemas.study import Study


def workers() -> list[psutil.Process]:
    """The worker processes of this one."""
    return [one for one in psutil.Process().children() if "spawn_main" in " ".join(one.cmdline())]


def test_a_worker_that_is_killed_loses_nothing(maker: Any, row_set: Callable[[Study], str]) -> None:
    """Two workers; one gets SIGKILL once the first shard stands. Every row comes, each once, to the last bit."""
    models = [maker.model("c1"), maker.model("c2", seed=5)]
    whole = maker.study(models, "whole")
    generate(whole, shard_rows=1)
    study = maker.study(models, "killed")
    killed: list[int] = []
    warned: list[str] = []
    rows: list[int] = []

    def kill(line: str) -> None:
        if not killed:
            victim = workers()[0]
            killed.append(victim.pid)
            victim.kill()

    watch = Watch(say=kill, warn=warned.append, advance=rows.append)
    summary = generate(study, engine=LocalEngine(["cpu", "cpu"]), shard_rows=1, watch=watch)
    assert (summary.files_written, summary.rows_written, sum(rows)) == (16, 320, 320)
    assert row_set(study) == row_set(whole)
    assert len(warned) == 1
    assert "ended (status -9)" in warned[0]
    assert "is made anew" in warned[0]
    assert workers() == []


def test_a_shard_that_kills_every_worker_is_given_up(maker: Any) -> None:
    """Whoever is at fr-en dies; en-fr is made all the same."""
    study = maker.study([maker.model("c1")])
    stop = threading.Event()
    engine = LocalEngine(["cpu", "cpu"])
    warned: list[str] = []

    def hunt() -> None:
        while not stop.is_set():
            for pool in list(pools):
                for worker in list(pool._workers):
                    if worker.shard is not None and worker.shard.pair == ("fr", "en"):
                        worker.process.kill()
            time.sleep(0.01)

    pools: list[Any] = []
    plain = engine.outcomes

    def outcomes(*arguments: Any) -> Any:
        made = plain(*arguments)
        pools.append(made.gi_frame.f_locals["self"])
        return made

    engine.outcomes = outcomes  # type: ignore[method-assign]
    hunter = threading.Thread(target=hunt, daemon=True)
    hunter.start()
    try:
        with pytest.raises(WorkError, match=r"fr-en\S+: 3 workers died while they made it; the system may lack memory"):
            generate(study, engine=engine, watch=Watch(warn=warned.append))
    finally:
        stop.set()
        hunter.join()
    assert [path.name.split(".")[0] for path in study.translation_files()] == ["en-fr"]
    assert len([line for line in warned if "ended" in line]) == 3


def test_workers_end_with_the_process_that_hands_out_work(maker: Any, until: Callable[..., None]) -> None:
    study = maker.study([maker.model("c1")], prompts={"pairs": 20, "shots": 3, "seed": 7})
    code = (
        "import sys, pathlib\n"
        "from gainsift.generation.local_engine import LocalEngine\n"
        "from gainsift.generation.run import generate\n"
        "from gainsift.schemas.study import Study\n"
        "if __name__ == '__main__':\n"
        "    generate(Study.open(pathlib.Path(sys.argv[1])), engine=LocalEngine(['cpu', 'cpu']), shard_rows=1)\n"
    )
    script: Path = maker.root / "drive.py"
    script.write_text(code)
    driver = subprocess.Popen(
        [sys.executable, str(script), str(study.folder)], env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    try:
        until(study.translation_files)
        children = psutil.Process(driver.pid).children(recursive=True)
        assert len([one for one in children if "spawn_main" in " ".join(one.cmdline())]) == 2
    finally:
        driver.send_signal(signal.SIGKILL)
        driver.wait()
    _, alive = psutil.wait_procs(children, timeout=60)
    assert alive == []
    done = len(study.translation_files())
    assert 0 < done < 40
    assert generate(study, shard_rows=1).files_written == 40 - done
    assert not list(study.folder.rglob("*.tmp"))  # a worker may have ended in the middle of a file


def test_what_a_worker_cannot_make_is_told_like_anything_else(maker: Any) -> None:
    broken = maker.model("c1")
    (broken / "model.safetensors").write_bytes(b"no weights at all")
    study = maker.study([broken, maker.model("c2", seed=5)])
    with pytest.raises(Exception, match=r"checkpoint c1: .*cannot load its weights"):
        generate(study, engine=LocalEngine(["cpu", "cpu"]))
    assert {path.parent.name for path in study.translation_files()} == {"c2"}
