"""How much a disk holds, and sizes for people."""

from __future__ import annotations

import shutil
from pathlib import Path


def free_space(folder: Path) -> int:
    """Bytes that can still be written where `folder` is, or will be."""
    return shutil.disk_usage(standing_folder(folder)).free


def standing_folder(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    return next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())


def size_word(number: float) -> str:
    """Bytes for people: `14.6 GB`, `42.0 MB`, `1.2 kB`, `12 B`."""
    for unit, scale in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if number >= scale:
            return f"{number / scale:.1f} {unit}"
    return f"{number:.0f} B"
