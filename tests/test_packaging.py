"""Wheel and source distribution hold what they should; the base, alone in an empty environment, does its work."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from typer.main import get_command

from gainsift.cli.main import app

ROOT = Path(__file__).resolve().parent.parent
STUDY = ROOT / "tests" / "schemas" / "release_0_1_0"
STAGES = ("schemas", "generation", "annotation", "analysis", "cli")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
NOT_PACKED = (
    ".git",
    ".venv",
    "build",
    "dist",
    "demo",
    "*.egg-info",
    "__pycache__",
    ".*_cache",
    ".hypothesis",
    ".typing",
)
ALL_PYTHONS = "GAINSIFT_ALL_PYTHONS"
"""Set by `make pythons`: the base is tried on every Python that is found, not on this one alone."""


def pythons() -> Iterator[str]:
    """This Python, or every one from 3.11 on that runs here: by its name, and those of pyenv."""
    if not os.environ.get(ALL_PYTHONS):
        yield sys.executable
        return
    for minor in range(11, 16):
        named = [
            shutil.which(f"python3.{minor}"),
            *Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/python3.{minor}"),
        ]
        for python in filter(None, named):
            tried = subprocess.run([python, "-c", "import ensurepip, ssl, sqlite3"], capture_output=True, check=False)
            if tried.returncode == 0:
                yield str(python)
                break


@dataclass(frozen=True)
class Built:
    sdist: Path
    wheel: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """A source distribution of a copy of the repository, and the wheel that is built from it."""
    tree = tmp_path_factory.mktemp("tree") / "gainsift"
    shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(*NOT_PACKED), symlinks=True)
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", "out"],
        cwd=tree, check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    (sdist,), (wheel,) = (tree / "out").glob("*.tar.gz"), (tree / "out").glob("*.whl")
    return Built(sdist, wheel)


@dataclass(frozen=True)
class Environment:
    """An environment with the base of gainsift in it and nothing else."""

    folder: Path

    def python(self, *arguments: str) -> CompletedProcess[str]:
        return self._run(self.folder / "bin" / "python", *arguments)

    def gainsift(self, *arguments: str) -> CompletedProcess[str]:
        return self._run(self.folder / "bin" / "gainsift", *arguments)

    def _run(self, program: Path, *arguments: str) -> CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
        return subprocess.run(
            [str(program), *arguments],
            env=kept,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )


@pytest.fixture(scope="module", params=list(pythons()))
def base(request: pytest.FixtureRequest, built: Built, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The wheel as a user installs it: with its dependencies, in the versions known to work together."""
    folder = tmp_path_factory.mktemp("base")
    subprocess.run([request.param, "-m", "venv", "--without-pip", str(folder)], check=True, timeout=300)
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install", "--quiet", "--no-compile",
         "--disable-pip-version-check", "-c", str(ROOT / "constraints.txt"), str(built.wheel)],
        check=True, timeout=900, cwd=folder,
    )  # fmt: skip
    return Environment(folder)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A whole study to go on with."""
    folder = tmp_path / "study"
    shutil.copytree(STUDY, folder)
    return folder


def packed() -> set[str]:
    """The files of the five packages."""
    return {
        path.relative_to(ROOT).as_posix()
        for stage in STAGES
        for path in (ROOT / stage).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_holds_code_and_data_and_nothing_else(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as wheel:
        names = {name for name in wheel.namelist() if not name.split("/")[0].endswith(".dist-info")}
        assert names == {f"gainsift/{name}" for name in packed()}
        assert wheel.read("gainsift/cli/constraints.txt") == (ROOT / "constraints.txt").read_bytes()
        (licence,) = [name for name in wheel.namelist() if name.endswith("LICENSE")]
        assert wheel.read(licence) == (ROOT / "LICENSE").read_bytes()


def test_the_source_distribution_holds_what_the_wheel_is_built_from(built: Built) -> None:
    with tarfile.open(built.sdist) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames() if not sdist.getmember(name).isdir()}
    made = {name for name in names if name.startswith("gainsift.egg-info/")} | {"PKG-INFO", "setup.cfg"}
    further = {"pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "CHANGELOG.md", "CITATION.cff",
               "constraints.txt", "docs/licences.md"}  # fmt: skip
    assert names - made == packed() | further


def test_the_wheel_tells_its_version_pythons_and_extras(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as wheel:
        (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
        told = wheel.read(name).decode()
    assert f"\nVersion: {PROJECT['version']}\n" in told
    assert "\nRequires-Python: >=3.11\n" in told
    assert "\nLicense-Expression: MIT\n" in told
    assert set(re.findall(r"^Provides-Extra: (.+)$", told, re.M)) == set(PROJECT["optional-dependencies"])


def test_what_is_imported_is_asked_for_and_what_the_base_asks_for_is_imported() -> None:
    imported = set()
    for name in packed():
        if name.endswith(".py"):
            for node in ast.walk(ast.parse((ROOT / name).read_text("utf-8"))):
                if isinstance(node, ast.Import):
                    imported |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom):
                    imported.add((node.module or "").partition(".")[0])
    come_along = {"markupsafe": "jinja2", "django": "label-studio", "psycopg": "label-studio"}
    by_module = metadata.packages_distributions()
    third = imported - set(sys.stdlib_module_names) - {"gainsift"}
    used = {canonicalize_name(come_along.get(name) or by_module[name][0]) for name in third}
    base = {canonicalize_name(Requirement(text).name) for text in PROJECT["dependencies"]}
    for_users = [
        text for extra in ("generation", "ray", "wordnet", "server") for text in PROJECT["optional-dependencies"][extra]
    ]
    assert used <= base | {canonicalize_name(Requirement(text).name) for text in for_users}
    assert base <= used


def test_the_base_brings_no_model_library_and_no_server(base: Environment) -> None:
    code = "from importlib.metadata import distributions as d; print(*(one.name.lower() for one in d()))"
    here = set(base.python("-c", code).stdout.split())
    assert {"gainsift", "pandas", "matplotlib"} <= here
    assert not {"torch", "transformers", "label-studio", "ray", "wn", "krippendorff", "pytest"} & here
    where = base.python("-c", "import gainsift.cli.main as m; print(m.__file__)").stdout
    assert where.startswith(str(base.folder))


def test_every_command_explains_itself_on_the_base(base: Environment) -> None:
    """All of them in one process, as a user sees them."""
    names = list(get_command(app).commands)  # type: ignore[attr-defined]
    code = (
        "import sys\nfrom gainsift.cli.main import main\n"
        f"for name in {names!r}:\n    sys.argv = ['gainsift', name, '--help']\n"
        "    try: main()\n    except SystemExit as end: assert not end.code, name\n"
    )
    done = base.python("-c", code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Usage: gainsift ") == len(names)
    assert base.gainsift("--version").stdout == f"gainsift {PROJECT['version']}\n"


def test_the_base_starts_a_study(base: Environment, tmp_path: Path) -> None:
    done = base.gainsift("init", str(tmp_path / "study"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "study" / "study.yaml").is_file()
    code = (
        "from gainsift.schemas.taxonomy import load_taxonomy; print(load_taxonomy().version)\n"
        "from gainsift.generation.lexicon import embedded_concepts; print(len(embedded_concepts(['en', 'de'])))\n"
    )
    done = base.python("-c", code)
    assert done.returncode == 0, done.stderr


def test_the_base_annotates_and_analyses(base: Environment, study: Path) -> None:
    for arguments in (
        ["annotate", "plan", str(study), "--json"],
        ["annotate", "export", str(study)],
        ["annotate", "status", str(study), "--json"],
    ):
        done = base.gainsift(*arguments)
        assert done.returncode == 0, (arguments, done.stderr)
    done = base.gainsift("analyze", str(study), "--json")
    assert done.returncode == 0, done.stderr
    then, now = json.loads((STUDY / "report" / "summary.json").read_text("utf-8")), json.loads(done.stdout)
    for old, new in zip(then["contrasts"], now["contrasts"], strict=True):
        assert {name: part["point"] for name, part in new["parts"].items()} == pytest.approx(
            {name: part["point"] for name, part in old["parts"].items()}
        )
    assert (study / "report" / "report.html").is_file()


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (["generate", "STUDY"], "generation"),
        (["generate", "STUDY", "--dry-run"], "generation"),
        (["status", "STUDY"], "generation"),
        (["checkpoints", "lab/demo-llama"], "generation"),
        (["demo", "FOLDER"], "generation"),
        (["annotate", "serve", "STUDY"], "server"),
        (["concepts", "check", "--format=wordnet", "--languages=en", "oewn:2024"], "wordnet"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_the_base_says_what_to_install(base: Environment, study: Path, arguments: list[str], extra: str) -> None:
    places = {"STUDY": str(study), "FOLDER": str(study.parent / "demo")}
    done = base.gainsift(*(places.get(word, word) for word in arguments))
    assert done.returncode == 2, done.stdout
    last = done.stderr.splitlines()[-1]
    assert last.startswith("error: ")
    assert f"pip install 'gainsift[{extra}]'" in last


def test_the_doctor_finds_the_base_well_and_names_the_rest(base: Environment) -> None:
    done = base.gainsift("doctor", "--json")
    assert done.returncode == 0, done.stdout
    found = json.loads(done.stdout)
    assert {part["name"]: part["complete"] for part in found["parts"]} == {
        "base": True, "generation": False, "ray": False, "wordnet": False, "server": False,
    }  # fmt: skip
    assert (found["different"], found["problems"], found["gainsift"]) == ([], [], PROJECT["version"])
    file = Path(found["known_good"])
    assert file.is_relative_to(base.folder)
    assert file.read_bytes() == (ROOT / "constraints.txt").read_bytes()
    assert f"for `generation` run: pip install -c {file} 'gainsift[generation]'" in found["notes"]


def test_help_is_fast_because_heavy_libraries_wait(tmp_path: Path) -> None:
    code = (
        "import sys; sys.argv = ['gainsift', '--help']\n"
        "from gainsift.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'transformers', 'pandas', 'matplotlib', 'sklearn', 'statsmodels'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
