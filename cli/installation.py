"""What is installed of what gainsift can use, beside the versions that are known to work together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata, resources
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

BASE = "base"
USES = {
    BASE: "analyze, annotate, agreement and all that needs no model",
    "generation": "generate, status, demo, checkpoints",
    "ray": "generate --engine ray",
    "wordnet": "words from WordNets",
    "server": "annotate serve",
}
"""The parts that a user may install: the base, and each extra but those of developers."""


@dataclass(frozen=True)
class Package:
    """A package that a part needs: the range it must lie in, and the installed version if there is one."""

    name: str
    required: str
    installed: str | None

    @property
    def fits(self) -> bool:
        return self.installed is not None and Requirement(f"{self.name}{self.required}").specifier.contains(
            self.installed, prereleases=True
        )


@dataclass(frozen=True)
class Part:
    """The base or an extra, and what it needs."""

    name: str
    packages: tuple[Package, ...]

    @property
    def missing(self) -> list[str]:
        return [one.name for one in self.packages if one.installed is None]

    @property
    def complete(self) -> bool:
        return bool(self.packages) and not self.missing

    @property
    def unfit(self) -> list[Package]:
        """Those that are installed in a version outside their range."""
        return [one for one in self.packages if one.installed is not None and not one.fits]

    @property
    def command(self) -> str:
        """What installs or mends it, in versions known to work together."""
        name = "gainsift" if self.name == BASE else f"gainsift[{self.name}]"
        return f"pip install -c {known_good_file()} '{name}'"


def installed(name: str) -> str | None:
    """The version of a package, or None if it is not installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def parts() -> list[Part]:
    """The base and every extra for users, as the metadata of the installed gainsift lists them."""
    requirements = [Requirement(text) for text in metadata.requires("gainsift") or ()]
    return [
        Part(name, tuple(Package(one.name, str(one.specifier), installed(one.name)) for one in _of(name, requirements)))
        for name in USES
    ]


def _of(part: str, requirements: list[Requirement]) -> Iterator[Requirement]:
    """What a part needs; an extra that builds on others, as `gainsift[generation]`, needs what they need."""
    for one in requirements:
        if part == BASE and (one.marker is None or one.marker.evaluate({"extra": ""})):
            yield one
        elif part != BASE and one.marker is not None and _only_for(part, one):
            if canonicalize_name(one.name) == "gainsift":
                for extra in sorted(one.extras):
                    yield from _of(extra, requirements)
            else:
                yield one


def _only_for(extra: str, requirement: Requirement) -> bool:
    """Whether the requirement is there with the extra, and not without."""
    marker = requirement.marker
    return marker is not None and marker.evaluate({"extra": extra}) and not marker.evaluate({"extra": ""})


def known_good_file() -> Path:
    """constraints.txt: a version for each package, all of which were tested together."""
    return Path(str(resources.files("gainsift.cli") / "constraints.txt")).resolve()


def known_good() -> dict[str, str]:
    """Version by canonical package name, from constraints.txt."""
    lines = (line.partition("#")[0].strip() for line in known_good_file().read_text("utf-8").splitlines())
    pins = (line.split("==") for line in lines if line)
    return {canonicalize_name(name): version for name, version in pins}


def different() -> dict[str, tuple[str, str]]:
    """(installed, known good) by package, of those in constraints.txt that are here in another version.

    A local part of a version, as in 2.13.0+cu128, is another build of the same.
    """
    found = {}
    for name, good in known_good().items():
        here = installed(name)
        if here is not None and Version(here).public != good:
            found[name] = (here, good)
    return found
