"""What a benchmark ran on, as a few plain words: cores, memory, versions, how busy the machine was; and peak memory."""

from __future__ import annotations

import os
import platform
import resource
import sys
from importlib import metadata
from pathlib import Path
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


def machine_in_words(of: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in of["versions"].items())
    return (
        f"{of['cores']} cores ({of['architecture']}, {of['memory_gb']} GB, load {of['load']:.1f}),"
        f" Python {of['python']}, {versions}"
    )


def forget_peak() -> bool:
    """Let `peak_bytes` count from now on. Linux alone can; elsewhere nothing happens and False comes back."""
    try:
        Path("/proc/self/clear_refs").write_text("5", "ascii")
    except OSError:
        return False
    return True


def peak_bytes() -> int:
    """The highest resident memory that this process has had so far, by the operating system; macOS counts in bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text("ascii").splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
