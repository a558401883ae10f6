"""The wheel holds the five packages and their data, and runs from another place."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
STAGES = ("schemas", "generation", "annotation", "analysis", "cli")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree = tmp_path_factory.mktemp("tree")
    for name in (*STAGES, "pyproject.toml", "README.md", "LICENSE"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tree / name)
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", "out", "."],
        cwd=tree, check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    (path,) = (tree / "out").glob("gainsift-*.whl")
    return path


def test_the_wheel_holds_code_and_data_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {tuple(name.split("/")[:2]) for name in names if not name.split("/")[0].endswith(".dist-info")}
    assert tops == {("gainsift", stage) for stage in STAGES}
    for stage in STAGES:
        on_disk = {
            f"gainsift/{path.relative_to(ROOT).as_posix()}"
            for path in (ROOT / stage).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        packed = {name for name in names if name.startswith(f"gainsift/{stage}/")}
        assert packed == on_disk


def test_the_wheel_runs_elsewhere(wheel: Path, tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(tmp_path / "site")]
    subprocess.run([*pip, str(wheel)], check=True, capture_output=True, timeout=300)
    code = (
        "import gainsift.schemas.files as f; print(f.__file__)\n"
        "from gainsift.schemas.taxonomy import load_taxonomy; print(load_taxonomy().version)\n"
        "from gainsift.generation.lexicon import embedded_concepts; print(len(embedded_concepts(['en', 'de'])))\n"
        "import sys; sys.argv = ['gainsift', 'init', 'study']\n"
        "from gainsift.cli.main import main; main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path / "site"))
    assert (tmp_path / "study" / "study.yaml").is_file()


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
