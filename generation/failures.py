"""Why shards are missing: one small file beside them, which goes when the last of them is made."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from pydantic import Field, ValidationError

from gainsift.generation.shards import Shard
from gainsift.schemas.errors import GainsiftError, UserError, WorkError
from gainsift.schemas.files import check_format, write_json
from gainsift.schemas.provenance import now
from gainsift.schemas.record import Record
from gainsift.schemas.settings import LanguagePair

FAILURES_FORMAT = "failures/1"


class Failure(Record):
    """A shard that could not be made: prompt pairs `first` to `last` by their index, and the error in one line."""

    checkpoint: str = Field(description="Its name in study.yaml.")
    input_language: str = Field(description="Language of the words that were to be translated.")
    output_language: str = Field(description="Language that they were to be translated into.")
    first: int = Field(description="Index of the shard's first prompt pair.")
    last: int = Field(description="Index of its last one.")
    reason: str = Field(description="The error in one line.")
    when: str = Field(description="When it was met.", json_schema_extra={"unit": "ISO 8601"})

    def concerns(self, checkpoint: str, pair: LanguagePair, part: range) -> bool:
        """Whether some of these prompt pairs are among its own."""
        same = (self.checkpoint, self.input_language, self.output_language) == (checkpoint, *pair)
        return same and self.first < part.stop and self.last >= part.start


class Failures:
    """The failures of a study's generation, kept in `failures.json`. Only the process that hands out work writes it.

    A failure to write it (the disk may be full) loses the reasons, not the run: nothing is said of it.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "failures.json"
        self.known = read_failures(self.path)
        self.errors: list[GainsiftError] = []
        """Those of this run."""

    def add(self, shard: Shard, error: GainsiftError) -> None:
        given, out = shard.pair
        failure = Failure(
            checkpoint=shard.checkpoint.name, input_language=given, output_language=out, first=shard.part.start,
            last=shard.part.stop - 1, reason=str(error), when=now(),
        )  # fmt: skip
        self.errors.append(error)
        self._change([*self._others(shard), failure])

    def made(self, shard: Shard) -> None:
        """The shard stands: what failed there before is settled."""
        self._change(self._others(shard))

    def begin(self, shards: Iterable[Shard]) -> None:
        """A new run begins, of these shards: what concerns none of them is of the past. The rest stands until made."""
        todo = [(shard.checkpoint.name, shard.pair, shard.part) for shard in shards]
        self._change([one for one in self.known if any(one.concerns(*what) for what in todo)])

    def _others(self, shard: Shard) -> list[Failure]:
        return [one for one in self.known if not one.concerns(shard.checkpoint.name, shard.pair, shard.part)]

    def _change(self, failures: list[Failure]) -> None:
        if failures == self.known:
            return
        self.known = failures
        with suppress(OSError):
            if failures:
                listed = [failure.model_dump(mode="json") for failure in failures]
                write_json(self.path, {"format": FAILURES_FORMAT, "failures": listed})
            else:
                self.path.unlink(missing_ok=True)

    def error(self) -> GainsiftError | None:
        """What this run ends with: its first error, and how many others there are. None if all went well.

        The input is at fault only if it is at fault in all of them.
        """
        if not self.errors:
            return None
        first = self.errors[0]
        others = len({str(error) for error in self.errors}) - 1
        more = f"{others} more error{'s' if others > 1 else ''}: `gainsift status` lists what is missing"
        remedy = "; ".join([*([first.remedy] if first.remedy else []), *([more] if others else [])])
        failed_work = any(isinstance(error, WorkError) for error in self.errors)
        return (WorkError if failed_work else UserError)(first.where, first.problem, remedy)


def read_failures(path: Path) -> list[Failure]:
    """What a run could not make; none if there is no such file. Raises UserError."""
    try:
        told = json.loads(path.read_text("utf-8"))
        check_format(str(told.get("format", "none")), FAILURES_FORMAT, str(path))
        return [Failure.model_validate(one) for one in told["failures"]]
    except FileNotFoundError:
        return []
    except (ValueError, KeyError, TypeError, AttributeError, ValidationError):
        raise UserError(str(path), "not a list of failures", "delete it: the next run writes it anew") from None
