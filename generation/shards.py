"""A shard: the outputs of one checkpoint, one language pair and some prompt pairs, in one Parquet file.

Its file is called `INPUT-OUTPUT.FIRST-LAST.HASH.parquet`, where FIRST and LAST are prompt pairs by their index and HASH
is over everything that determines the rows. The footer holds the same by parts, so that a file can say what is
different about it. Files from before there were shards (`INPUT-OUTPUT.parquet`, all prompt pairs) are read as well.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from gainsift.generation.checkpoints import Checkpoint
from gainsift.schemas.files import FORMAT_KEY, refuse_newer, write_parquet
from gainsift.schemas.record import fingerprint
from gainsift.schemas.rows import Translation
from gainsift.schemas.settings import LanguagePair
from gainsift.schemas.study import TRANSLATIONS_FORMAT

CONTENT_KEY, PART_KEY = b"content", b"prompt_pairs"


@dataclass(frozen=True)
class Shard:
    """One file to make. `part` are indices of prompt pairs; `content` a fingerprint of each thing that decides rows."""

    checkpoint: Checkpoint
    pair: LanguagePair
    part: range
    content: dict[str, str]
    folder: Path

    @property
    def hash(self) -> str:
        what = [TRANSLATIONS_FORMAT, self.checkpoint.name, self.pair, [self.part.start, self.part.stop], self.content]
        return fingerprint(what, 12)

    @property
    def path(self) -> Path:
        first, last = f"{self.part.start:04}", f"{self.part.stop - 1:04}"
        return self.folder / f"{'-'.join(self.pair)}.{first}-{last}.{self.hash}.parquet"

    @property
    def name(self) -> str:
        """How messages call it."""
        return f"{self.checkpoint.name}/{self.path.name}"


@dataclass(frozen=True)
class Found:
    """A file that lies where shards do. `changed` names what is different from today's request; "" if nothing is."""

    path: Path
    part: range
    rows: int
    changed: str = ""


def files_of(folder: Path, pair: LanguagePair) -> list[Path]:
    """The files of a language pair in a checkpoint's folder, of either layout."""
    name = "-".join(pair)
    return sorted([*folder.glob(f"{name}.parquet"), *folder.glob(f"{name}.*.parquet")])


def look(path: Path, content: dict[str, str], pairs: int) -> Found:
    """What a file holds, by its footer alone, beside the `content` that is asked for now.

    `pairs` is the number of prompt pairs, which a file of the earlier layout holds all of. Raises UserError if a
    newer version wrote it.
    """
    refuse_newer(path, TRANSLATIONS_FORMAT)
    try:
        footer = pq.read_metadata(path)
        told = {key: value.decode() for key, value in (footer.metadata or {}).items()}
        before = json.loads(told.get(CONTENT_KEY, "{}"))
        part = range(*json.loads(told.get(PART_KEY, f"[0, {pairs}]")))
    except (pa.ArrowInvalid, OSError, ValueError, TypeError):
        return Found(path, range(0), 0, "or damaged content")
    before["format"] = told.get(FORMAT_KEY, "none")
    now = {**content, "format": TRANSLATIONS_FORMAT}
    changed = [name for name in now if before.get(name) != now[name]]
    return Found(path, part, footer.num_rows, ", ".join(changed))


def write_shard(shard: Shard, rows: pa.Table, languages: list[str]) -> None:
    """Write a shard's file, whole or not at all. `languages` name the entries of its masses."""
    extra = {
        CONTENT_KEY.decode(): json.dumps(shard.content),
        PART_KEY.decode(): json.dumps([shard.part.start, shard.part.stop]),
        "languages": json.dumps(languages),
    }
    write_parquet(shard.path, Translation, rows, TRANSLATIONS_FORMAT, extra)
