"""Writes docs/licences.md from what is installed: `make licences`, after a change of constraints.txt or pyproject.toml.

It has to run where all extras are installed, as `make` installs them.
"""

from __future__ import annotations

import sys
import tomllib
from importlib import metadata
from pathlib import Path
from textwrap import fill

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

FOLDER = Path(__file__).resolve().parent
DEVELOPMENT = "development"
PARTS = ("base", "generation", "ray", "wordnet", "server")
"""What users install, in the order in which a package is listed once; all other extras are for development."""
SHARE_ALIKE = ("GPL", "MPL", "EPL", "CDDL", "EUPL", "Mozilla", "General Public")
LONGEST = 300
HEAD = """# Licences of what gainsift builds on

gainsift itself is under the MIT licence and ships none of these packages; pip installs them. Made by `make licences`
from the metadata of the versions in `constraints.txt`. **Bold** packages are asked for by gainsift, the others come
with them; each stands where it is needed first. A wheel may hold libraries under licences of their own, such as
OpenBLAS in NumPy, or NVIDIA's in a CUDA build of torch: its licence files tell.
"""


TABLE = ("| package | version | licence |", "| --- | --- | --- |")


def direct(pyproject: Path = FOLDER.parent / "pyproject.toml") -> dict[str, list[Requirement]]:
    """By part: what pyproject.toml asks for, without the parts of gainsift itself."""
    project = tomllib.loads(pyproject.read_text("utf-8"))["project"]
    found: dict[str, list[Requirement]] = {part: [] for part in (*PARTS, DEVELOPMENT)}
    for extra, texts in {"base": project["dependencies"], **project["optional-dependencies"]}.items():
        asked = [Requirement(text) for text in texts]
        found[extra if extra in PARTS else DEVELOPMENT] += [one for one in asked if one.name != "gainsift"]
    return found


def with_what_comes_along(asked: list[Requirement]) -> set[str]:
    """Canonical names of the requirements and, through them, all that is installed for them on this platform."""
    todo, seen = list(asked), set()
    while todo:
        one = todo.pop()
        key = (canonicalize_name(one.name), frozenset(one.extras))
        if key in seen:
            continue
        seen.add(key)
        for text in metadata.requires(one.name) or ():
            further = Requirement(text)
            if further.marker is None or any(further.marker.evaluate({"extra": e}) for e in ("", *one.extras)):
                todo.append(further)
    return {name for name, _ in seen}


def licence(name: str) -> str:
    """As the metadata of an installed package tells it: SPDX expression, classifiers, a short text, the file."""
    package = metadata.distribution(name)
    told = package.metadata
    classifiers = [one.rpartition(" :: ")[2] for one in told.get_all("Classifier") or () if one.startswith("License")]
    free = (told.get("License") or "").strip()
    files = [file for file in package.files or () if file.name.upper().startswith(("LICEN", "COPYING"))]
    first = ""
    if files:
        first = next((line.strip() for line in files[0].read_text("utf-8").splitlines() if line.strip()), "")
    for text in (told.get("License-Expression"), " / ".join(classifiers), free.partition("\n")[0], first):
        if text and text != "UNKNOWN" and len(text) <= LONGEST:
            return text.replace("|", "/")
    return "not told"


def page() -> str:
    """All of docs/licences.md."""
    parts = direct()
    bold = {canonicalize_name(one.name) for asked in parts.values() for one in asked}
    known: dict[str, str] = {}
    tables = []
    for part, asked in parts.items():
        new = with_what_comes_along(asked) - set(known)
        known |= {name: licence(name) for name in new}
        rows = [
            f"| {f'**{name}**' if name in bold else name} | {Version(metadata.version(name)).public} | {known[name]} |"
            for name in sorted(new)
        ]
        tables.append("\n".join([f"## {part.capitalize()}", "", *TABLE, *rows]))
    shared = sorted(name for name, told in known.items() if any(word in told for word in SHARE_ALIKE))
    told = "; ".join(f"{name} ({known[name]})" for name in shared)
    told = fill(f"Licences that ask for more than to be named (copyleft of some strength): {told}.", 120)
    return f"{HEAD}\n{told}\n\n" + "\n\n".join(tables) + "\n"


if __name__ == "__main__":
    sys.exit((FOLDER / "licences.md").write_text(page(), "utf-8") and None)
