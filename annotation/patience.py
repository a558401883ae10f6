"""Trying again while a server is away: ever longer pauses, and one line that says so."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from gainsift.schemas.errors import WorkError
from gainsift.schemas.visible_text import visible

T = TypeVar("T")


class Away(WorkError):
    """The server did not answer, or answered that it could not just now. `status` is its HTTP status, if any."""

    def __init__(self, where: str, problem: str, status: int | None = None) -> None:
        super().__init__(where, problem, "look at the server and run this again: what was done stays done")
        self.status = status


def on_stderr(line: str) -> None:
    sys.stderr.write(visible(line) + "\n")  # it may quote what the server answered
    sys.stderr.flush()


@dataclass(frozen=True)
class Patience:
    """How long to go on trying. Times in seconds; each pause is shortened by up to a half, at random."""

    total: float = 120.0
    first: float = 0.5
    longest: float = 10.0
    say: Callable[[str], None] = on_stderr
    sleep: Callable[[float], None] = time.sleep
    random: random.Random = field(default_factory=random.Random)

    def pauses(self) -> Iterator[float]:
        """Doubling pauses that sum up to `total` at most."""
        left, pause = self.total, self.first
        while left > 0:
            wait = min(pause * self.random.uniform(0.5, 1.0), left)
            yield wait
            left -= wait
            pause = min(2 * pause, self.longest)

    def keep_trying(self, work: Callable[[], T]) -> T:
        """The result of `work`, which is called again after each Away; the last Away is raised."""
        for number, pause in enumerate(self.pauses()):
            try:
                return work()
            except Away as away:
                if number == 0:
                    self.say(f"{away.where}: {away.problem}; trying again for up to {self.total:.0f} s")
            self.sleep(pause)
        return work()
