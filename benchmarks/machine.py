"""What a benchmark ran on, as a few plain words: cores, memory, versions, how busy the machine was; and peak memory."""

from __future__ import annotations

import os
import platform
import resource
import sys
from importlib import metadata
from typing import Any


def machine(*packages: str) -> dict[str, Any]:
    """Without the name of the machine. `load`: processes that ran or waited, mean of a minute, before the benchmark."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cores": os.cpu_count(),
        "memory_gb": round(memory),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in packages},
        "load": round(os.getloadavg()[0], 1),
    }


def peak_bytes() -> int:
    """The highest resident memory that this process has had so far, by the operating system; macOS counts in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
