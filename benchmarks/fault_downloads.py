"""Faults of generation from a hub: a hub on loopback that breaks off, fails, is slow, is away or answers nonsense."""

from __future__ import annotations

import importlib.util
import random
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from fault_checks import difference, harm_of, holdings, unlike
from fault_commands import Command, Order, run
from fault_outcomes import Outcome, outcome
from fault_proxy import PAGE
from fault_stages import Workshop, expect_done
from fault_study import SHARD_ROWS, copy, new_study

ROOT = Path(__file__).resolve().parent.parent
STAGE = "generate, from a hub"
REPO = "lab/tiny"
Prepare = Callable[[Any, random.Random], str]
"""Lets something go wrong with a hub; returns what, in words."""


def hub_server() -> ModuleType:
    """The hub of the tests."""
    if "hub_server" not in sys.modules:
        spec = importlib.util.spec_from_file_location("hub_server", ROOT / "tests" / "generation" / "hub_server.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules["hub_server"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["hub_server"])
    return sys.modules["hub_server"]


def cut(hub: Any, rng: random.Random) -> str:
    """Downloads of the weights break off, once or as often as they are tried."""
    size = max(len(content) for files in hub.repository(REPO).commits.values() for content in files.values())
    times = rng.choice((1, 2, 40))
    hub.cuts["model.safetensors"] = [rng.randrange(1, size) // (1 + n) for n in range(times)]
    return "network cut during download" + (", again and again" if times > 2 else "")


def cut_early(hub: Any, rng: random.Random) -> str:
    hub.cuts[rng.choice(("config.json", "tokenizer.json"))] = [rng.randrange(1, 100)]
    return "network cut during download of a small file"


def failing(hub: Any, rng: random.Random) -> str:
    what, status = rng.choice(("/resolve/", "/tree/", "safetensors$", "/refs")), rng.choice((500, 502, 503, 429))
    hub.failing[what] = status
    return f"hub answers with status {status}"


def slow(hub: Any, rng: random.Random) -> str:
    hub.slow = rng.uniform(0.1, 0.3)
    return "hub is slow"


def garbage(hub: Any, rng: random.Random) -> str:
    hub.garbage = rng.choice(("/resolve/.*config", "/tree/", "/refs", "/revision/", "tokenizer.json", "safetensors$"))
    return "hub answers with a page of HTML"


def away(hub: Any, rng: random.Random) -> str:
    hub.away = True
    return "hub is away"


def partly_here(hub: Any, rng: random.Random) -> str:
    hub.slow = rng.uniform(0.1, 0.3)
    return "kill -9 during download"


KINDS: dict[str, tuple[Prepare, ...]] = {
    "kill -9": (partly_here,),
    "network cut during download": (cut, cut_early, cut),
    "server away": (away, failing, failing),
    "server slow": (slow,),
    "server answers garbage": (garbage,),
}


class Downloads:
    """A hub's series of the two models, its study, and what generation comes to alone."""

    def __init__(self, shop: Workshop) -> None:
        self.root, self._models = shop.root, shop.models
        series = {"series": {"repo": REPO, "policy": "all"}}
        self._study = new_study(shop.root / "states" / "hub", series, "fedcba9876543210")
        self.before = holdings(self._study)
        found, seconds = [], []
        for number in (1, 2):
            place = self.place(f"aimed download {number}")
            time.sleep(1.1 * (number - 1))
            with self.serving() as hub:
                seconds.append(expect_done(run(self.order(place, hub), place / "log")).seconds)
            found.append(holdings(place / "study"))
        self.after, self.volatile, self.seconds = found[1], unlike(*found), min(seconds)

    def place(self, name: str) -> Path:
        made = self.root / name
        shutil.rmtree(made, ignore_errors=True)
        copy(self._study, made / "study")
        return made

    def order(self, place: Path, hub: Any) -> Order:
        arguments = ("generate", str(place / "study"), "--shard-size", str(SHARD_ROWS))
        return Order(arguments, hub=(hub.url, str(place / "cache")))

    @contextmanager
    def serving(self) -> Iterator[Any]:
        """A hub that has the models."""
        with hub_server().serving(_handler()) as hub:
            for folder in self._models:
                hub.repository(REPO).push_folder(folder.name, folder)
            yield hub


def inject(downloads: Downloads, kind: str, number: int, seed: int) -> Outcome:
    """One fault, and the same command again with a hub that is well."""
    rng = random.Random(f"{seed}/{STAGE}/{kind}/{number}")
    place = downloads.place(f"{STAGE} {kind} {number}")
    with downloads.serving() as hub:
        prepare = KINDS[kind][number % len(KINDS[kind])]
        how = prepare(hub, rng)
        command = Command(downloads.order(place, hub), place / "log")
        if prepare is partly_here:
            command.wait(rng.uniform(0.2, 1.5) * downloads.seconds)
            command.kill()
        ended = command.ended()
        first = harm_of(downloads.before, holdings(place / "study"), downloads.after, downloads.volatile)
    with downloads.serving() as hub:
        again = run(downloads.order(place, hub), place / "again")
    second = difference(holdings(place / "study"), downloads.after, downloads.volatile)
    found = outcome((STAGE, kind, number), how, [ended], [again], first, second)
    if not found.finding:
        shutil.rmtree(place)
    return found


def _handler() -> type:
    """The tests' hub, which answers garbage where it is to, and hangs up on everybody when it is away."""
    base: Any = hub_server().Handler

    class Handler(base):  # type: ignore[misc]
        def _answer(self) -> None:
            if getattr(self.hub, "away", False):
                self.close_connection = True
            elif getattr(self.hub, "garbage", "") and re.search(self.hub.garbage, self.path):
                self._answer_garbage()
            else:
                super()._answer()

        def _answer_garbage(self) -> None:
            self.send_response(200)
            for name, value in (("Content-Type", "text/html"), ("Content-Length", str(len(PAGE))),
                                ("ETag", '"hotel"'), ("X-Repo-Commit", "0" * 40)):  # fmt: skip
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(PAGE)

    return Handler
