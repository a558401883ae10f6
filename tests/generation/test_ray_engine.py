"""A real Ray cluster of two nodes on this machine: workers on both, one is killed, one node goes."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

import gainsift
from gainsift.generation.engines import Watch
from gainsift.generation.ray_engine import RayEngine
from gainsift.generation.run import generate
from gainsift.schemas.errors import UserError
from gainsift.schemas.study import Study

LIMITS = ["--num-cpus=1", "--num-gpus=0", "--object-store-memory=100000000", "--disable-usage-stats"]


class Cluster:
    """Two nodes of one CPU each, started by `ray start` in folders and on ports of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        port = self.address.split(":")[1]
        self.nodes = [
            self._start("--head", f"--port={port}", "--include-dashboard=false", f"--temp-dir={folder}"),
        ]
        self.nodes.append(self._start(f"--address={self.address}"))

    def _start(self, *options: str) -> subprocess.Popen[bytes]:
        script = Path(sys.executable).with_name("ray")
        command = [str(script), "start", "--block", "--node-ip-address=127.0.0.1", *options, *LIMITS]
        environment = {
            **os.environ, "OMP_NUM_THREADS": "1", "RAY_TMPDIR": str(self.folder),
            "PYTHONPATH": str(Path(next(iter(gainsift.__path__))).parent),
        }  # fmt: skip
        log = (self.folder / f"start{options[0]}.log".replace("/", "_").replace(":", "_")).open("wb")
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        log.close()
        return process

    def workers(self, node: int | None = None) -> list[psutil.Process]:
        """The processes of our actors, of both nodes or of one."""
        nodes = self.nodes if node is None else [self.nodes[node]]
        found = []
        for one in nodes:
            for process in psutil.Process(one.pid).children(recursive=True):
                with suppress(psutil.Error):  # it ended meanwhile
                    if "_Actor" in " ".join(process.cmdline()):
                        found.append(process)
        return found

    def stop(self) -> None:
        """Every process that was started here, by its id."""
        for node in self.nodes:
            if node.poll() is None:
                everything = [psutil.Process(node.pid), *psutil.Process(node.pid).children(recursive=True)]
                node.send_signal(signal.SIGTERM)
                _, alive = psutil.wait_procs(everything, timeout=20)
                for process in alive:
                    process.kill()
            node.wait()


@pytest.fixture(scope="module")
def cluster(until: Callable[..., None]) -> Iterator[Cluster]:
    import ray

    folder = Path(tempfile.mkdtemp(prefix="ray", dir="/tmp"))  # sockets' names must be short
    made = Cluster(folder)
    try:
        until(lambda: _joined(made.address), seconds=180)
        yield made
    finally:
        ray.shutdown()
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _joined(address: str) -> bool:
    import ray

    try:
        ray.init(address=address, logging_level="ERROR", log_to_driver=False, ignore_reinit_error=True)
    except (ConnectionError, RuntimeError):
        return False
    return len([node for node in ray.nodes() if node["Alive"]]) == 2


def test_a_worker_on_each_node_and_one_that_is_killed_loses_nothing(
    maker: Any, cluster: Cluster, row_set: Callable[[Study], str], until: Callable[..., None]
) -> None:
    """Both nodes work; once both do, a worker gets SIGKILL. Every row comes, each once, to the last bit."""
    models = [maker.model("c1"), maker.model("c2", seed=5)]
    whole, study = maker.study(models, "whole"), maker.study(models, "cluster")
    generate(whole, shard_rows=1)
    seen: set[int] = set()
    warned: list[str] = []
    rows: list[int] = []
    killed: list[int] = []

    def look(line: str) -> None:
        for node in (0, 1):
            if cluster.workers(node):
                seen.add(node)
        if not killed and seen == {0, 1}:
            victim = cluster.workers(1)[0]
            killed.append(victim.pid)
            victim.kill()

    engine = RayEngine(cluster.address)
    watch = Watch(say=look, warn=warned.append, advance=rows.append)
    summary = generate(study, engine=engine, shard_rows=1, watch=watch)
    assert seen == {0, 1}
    assert (summary.files_written, summary.rows_written, sum(rows)) == (16, 320, 320)
    assert row_set(study) == row_set(whole)
    assert len(warned) == 1
    assert "is made anew" in warned[0]
    assert engine.workers() == 2
    until(lambda: not cluster.workers(), seconds=180)
    assert generate(study, engine=engine).files_written == 0


def test_what_a_node_does_not_have_is_told(maker: Any, cluster: Cluster) -> None:
    study = maker.study([maker.model("c1")])
    with pytest.raises(UserError, match="--device cuda: no node of the Ray cluster has a GPU"):
        generate(study, device="cuda", engine=RayEngine(cluster.address))
    with pytest.raises(UserError, match="no node of the cluster has 64 CPUs; lower --cpus"):
        generate(study, engine=RayEngine(cluster.address, cpus=64))


def test_a_float32_audit_runs_there_too(maker: Any, cluster: Cluster) -> None:
    """bfloat16 and float32 one after the other on one cluster: the comparison is that of this machine alone."""
    models = [maker.model("c1")]
    here, there = maker.study(models, "here"), maker.study(models, "there")
    generate(here, dtype="bfloat16", batch_size=8, audit_share=0.5)
    engine = RayEngine(cluster.address)
    found = generate(there, dtype="bfloat16", batch_size=8, audit_share=0.5, engine=engine).float32_audit
    assert found is not None
    assert found.rows_written == 80
    assert there.float32_file.read_bytes() == here.float32_file.read_bytes()


def test_the_work_goes_on_where_a_node_goes(maker: Any, cluster: Cluster, row_set: Callable[[Study], str]) -> None:
    """The second node is taken away with everything on it, in the middle."""
    models = [maker.model("c1"), maker.model("c2", seed=5)]
    whole, study = maker.study(models, "whole"), maker.study(models, "cluster")
    generate(whole, shard_rows=1)
    gone: list[int] = []

    def take_away(line: str) -> None:
        if not gone and cluster.workers(1):
            node = psutil.Process(cluster.nodes[1].pid)
            for process in [node, *node.children(recursive=True)]:
                gone.append(process.pid)
                process.kill()

    generate(study, engine=RayEngine(cluster.address), shard_rows=1, watch=Watch(say=take_away))
    assert gone
    assert row_set(study) == row_set(whole)


@pytest.mark.parametrize(
    ("address", "told"), [("127.0.0.1:9", "no Ray cluster answers"), ("127.0.0.1:head", "expected host:port")]
)
def test_a_cluster_that_is_not_there_is_one_line(maker: Any, address: str, told: str) -> None:
    import ray

    ray.shutdown()
    study = maker.study([maker.model("c1")])
    with pytest.raises(UserError, match=told) as caught:
        generate(study, engine=RayEngine(address))
    assert "\n" not in str(caught.value)
    assert not study.translations_folder.exists()
