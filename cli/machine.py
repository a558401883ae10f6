"""The machine for `gainsift doctor`: cores, memory, devices for models, room on its disks."""

from __future__ import annotations

import os
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Device:
    """One that torch can compute on."""

    name: str
    memory_bytes: int


@dataclass(frozen=True)
class Devices:
    """Cores and memory that this process may use; `problem` says why torch cannot be loaded or sees no device."""

    cores: int
    memory_bytes: int
    cuda: tuple[Device, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class Place:
    """A folder that gainsift writes into, or will; what for."""

    use: str
    folder: Path
    free_bytes: int
    writable: bool


def devices(torch_is_installed: bool) -> Devices:
    """Loads torch where it is installed, which takes some seconds."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if not torch_is_installed:
        return Devices(cores, memory)
    try:
        import torch
    except (ImportError, OSError, RuntimeError) as error:
        return Devices(cores, memory, problem=f"torch cannot be loaded: {' '.join(str(error).split())[:200]}")
    with warnings.catch_warnings(record=True) as told:  # a driver too old is told as a warning
        warnings.simplefilter("always")
        number = torch.cuda.device_count() if torch.cuda.is_available() else 0
    found = [torch.cuda.get_device_properties(index) for index in range(number)]
    problem = " ".join(str(told[0].message).split())[:200] if told and not found else ""
    return Devices(cores, memory, tuple(Device(one.name, one.total_memory) for one in found), problem)


def places(study: Path | None, hub_is_installed: bool) -> list[Place]:
    """Where a study (else this folder), downloads and temporary files go."""
    here = {"this folder": Path.cwd()} if study is None else {"study": study}
    wanted = {**here, "temporary files": Path(tempfile.gettempdir())}
    if hub_is_installed:
        from gainsift.generation.hub import Hub

        wanted["downloaded checkpoints"] = Hub().cache_folder
    return [_place(use, where) for use, where in wanted.items()]


def _place(use: str, folder: Path) -> Place:
    from gainsift.generation.disk import free_space, standing_folder

    return Place(use, folder, free_space(folder), os.access(standing_folder(folder), os.W_OK))
