"""docs/licences.md lists what pyproject.toml asks for, and says of each package what the package says of itself."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "licences.md").read_text("utf-8")
ROWS = re.findall(r"^\| \**([a-z0-9-]+)\** \| (\d\S*) \| (.+) \|$", PAGE, re.M)
LISTED = {name: (version, licence) for name, version, licence in ROWS}
MAKE = "docs/licences.md is old: run `make licences`"


@pytest.fixture(scope="module")
def licences(module_of: Callable[[Path], ModuleType]) -> ModuleType:
    return module_of(ROOT / "docs" / "licences.py")


def test_all_that_is_asked_for_is_listed_in_bold_and_nothing_else_is() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    texts = [*project["dependencies"], *(text for extra in project["optional-dependencies"].values() for text in extra)]
    asked = {canonicalize_name(Requirement(text).name) for text in texts} - {"gainsift"}
    assert set(re.findall(r"^\| \*\*([\w-]+)\*\*", PAGE, re.M)) == asked, MAKE


def test_each_stands_there_once_and_tells_its_licence() -> None:
    assert len(ROWS) == len(LISTED) > 200
    assert not [name for name, (_, licence) in LISTED.items() if licence in ("", "not told")]


def test_versions_are_the_known_good_ones() -> None:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pins = {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines)}
    wrong = {name: version for name, (version, _) in LISTED.items() if name in pins and pins[name] != version}
    assert not wrong, MAKE


def test_a_licence_is_what_the_installed_package_tells(licences: ModuleType) -> None:
    here = {name for name in LISTED if _installed(name) == LISTED[name][0]}
    assert {"numpy", "torch", "label-studio", "pytest"} <= here
    assert {name: licences.licence(name) for name in here} == {name: LISTED[name][1] for name in here}


def test_licences_as_their_projects_state_them() -> None:
    """From the projects' own pages: no way of telling it in the metadata is misread."""
    for name, expected in {
        "numpy": "BSD", "pandas": "BSD-3-Clause", "torch": "BSD-3-Clause", "label-studio": "Apache-2.0",
        "label-studio-sdk": "Apache", "transformers": "Apache", "psycopg": "LGPL-3.0", "krippendorff": "GPL-3.0",
        "certifi": "MPL", "rich": "MIT", "launchdarkly-server-sdk": "Apache",
    }.items():  # fmt: skip
        assert expected in LISTED[name][1], name


def test_what_shares_alike_is_named_above_and_none_of_it_is_strong_where_users_install_it() -> None:
    """gainsift is under the MIT licence: a GPL package that users had to install would be a stumbling block."""
    named = " ".join(PAGE.split("\n## ")[0].split())
    for name, (_, licence) in LISTED.items():
        if re.search(r"GPL|MPL|General Public|Mozilla", licence):
            assert f"{name} ({licence})" in named
    for_users = PAGE.split("\n## Development")[0].split("\n## ", 1)[1]
    assert not re.search(r"\| A?GPL|GNU (Affero )?General Public", for_users)


def _installed(name: str) -> str | None:
    try:
        return Version(metadata.version(name)).public
    except metadata.PackageNotFoundError:
        return None
