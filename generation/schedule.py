"""Who makes which shard: a worker stays with its checkpoint, and with its prompt pairs, as long as there are any.

To load a checkpoint, and to run source prompts whose vectors another worker holds, is what dividing work costs. So an
idle worker takes, in this order: more of its own prompt pairs; prompt pairs of its checkpoint that nobody is at; a
checkpoint that nobody holds; prompt pairs that nobody is at, of the checkpoint with the most left; any shard.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

from gainsift.generation.checkpoints import Checkpoint
from gainsift.generation.shards import Shard

DEATHS = 3
"""So many workers may die of a shard before it is given up."""
Place = tuple[str, int]
"""A checkpoint by name, and the first of some prompt pairs."""


class Schedule:
    """The shards that nobody has made, and what each worker is at. Shards of a checkpoint come in order."""

    def __init__(self, shards: Sequence[Shard]) -> None:
        self._todo = list(shards)
        self._at: dict[Hashable, Shard] = {}
        self._last: dict[Hashable, Place] = {}
        self._deaths: dict[str, int] = {}

    @property
    def left(self) -> int:
        """Shards that nobody has taken."""
        return len(self._todo)

    def take(self, worker: Hashable) -> Shard | None:
        """The next shard for a worker that has nothing to do; None if there is none."""
        if not self._todo:
            return None
        shard = self._next(self._last.get(worker), {place for name, place in self._last.items() if name != worker})
        self._todo.remove(shard)
        self._at[worker], self._last[worker] = shard, _place(shard)
        return shard

    def coming(self) -> Checkpoint | None:
        """The checkpoint that will be begun next: the first one with shards left that no worker is at."""
        held = {name for name, _ in self._last.values()}
        return next((shard.checkpoint for shard in self._todo if shard.checkpoint.name not in held), None)

    def _next(self, own: Place | None, others: set[Place]) -> Shard:
        held = {name for name, _ in others}
        free = [shard for shard in self._todo if _place(shard) not in others]
        for fitting in (
            [shard for shard in self._todo if _place(shard) == own],
            [shard for shard in free if own and shard.checkpoint.name == own[0]],
            [shard for shard in self._todo if shard.checkpoint.name not in held],
        ):
            if fitting:
                return fitting[0]
        left = Counter(shard.checkpoint.name for shard in self._todo)
        return max(free or self._todo, key=lambda shard: left[shard.checkpoint.name])

    def finished(self, worker: Hashable) -> None:
        """The worker's shard is made, or cannot be."""
        self._at.pop(worker, None)

    def lost(self, worker: Hashable) -> Shard | None:
        """The worker died: its shard goes back to the front, or is returned if it has cost too many workers."""
        self._last.pop(worker, None)
        shard = self._at.pop(worker, None)
        if shard is None:
            return None
        self._deaths[shard.name] = self._deaths.get(shard.name, 0) + 1
        if self._deaths[shard.name] >= DEATHS:
            return shard
        self._todo.insert(0, shard)
        return None

    def give_up(self, checkpoint: str) -> list[Shard]:
        """Take away and return all shards of a checkpoint that nobody has taken."""
        gone = [shard for shard in self._todo if shard.checkpoint.name == checkpoint]
        self._todo = [shard for shard in self._todo if shard.checkpoint.name != checkpoint]
        return gone


def _place(shard: Shard) -> Place:
    return shard.checkpoint.name, shard.part.start
