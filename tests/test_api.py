"""The functions at the top of each stage: light to import, documented, and of one mind with the commands."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pandas as pd
import pytest

from gainsift import analysis, annotation, generation, schemas
from gainsift.schemas import UserError
from gainsift.schemas.study import Study

ROOT = Path(__file__).resolve().parent.parent
STUDY = ROOT / "tests" / "schemas" / "version_2"
STAGES = {"schemas": schemas, "generation": generation, "annotation": annotation, "analysis": analysis}
FUNCTIONS = [
    (stage, name) for stage, package in STAGES.items() for name in package.__all__ if name[0].islower()
]  # fmt: skip


@pytest.mark.parametrize("stage", STAGES)
def test_a_package_loads_at_once(stage: str) -> None:
    code = (
        f"import sys, gainsift.{stage}; print({{'torch', 'pandas', 'pyarrow', 'scipy', 'pydantic'}} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("stage", STAGES)
def test_no_name_is_that_of_a_module(stage: str) -> None:
    """Else importing that module anywhere would put it in the place of the function."""
    package = STAGES[stage]
    modules = {file.stem for file in (ROOT / stage).glob("*.py")}
    assert not modules & set(package.__all__)
    assert set(package.__all__) <= set(dir(package)) | {name for name in package.__all__ if getattr(package, name)}
    with pytest.raises(AttributeError, match="nothing_such"):
        package.nothing_such  # noqa: B018


@pytest.mark.parametrize(("stage", "name"), FUNCTIONS)
def test_a_function_is_documented_here_and_on_the_page(stage: str, name: str) -> None:
    function = getattr(import_module(f"gainsift.{stage}"), name)
    assert inspect.isfunction(function)
    assert len(inspect.getdoc(function) or "") > 50
    assert f".. autofunction:: gainsift.{stage}.{name}\n" in (ROOT / "docs" / "api.md").read_text("utf-8")


def test_the_page_names_nothing_else() -> None:
    told = re.findall(r"autofunction:: gainsift\.(\w+)\.(\w+)", (ROOT / "docs" / "api.md").read_text("utf-8"))
    assert sorted(told) == sorted(FUNCTIONS)


def test_generation_without_torch_reads_outputs_and_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules |= dict.fromkeys(('torch', 'transformers'))\n"
        "from gainsift import generation\n"
        f"print(len(generation.load_outputs({str(STUDY)!r})))\n"
        f"generation.foretell({str(STUDY)!r})\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert int(done.stdout) > 0
    assert "gainsift[generation]" in done.stderr.splitlines()[-1]


def test_outputs_are_those_of_the_study() -> None:
    table, _ = Study.open(STUDY).named(Study.open(STUDY).translations())
    frame = generation.load_outputs(STUDY)
    assert frame["row_id"].tolist() == table["row_id"].to_pylist()
    assert list(generation.load_outputs(str(STUDY), ["answer", "layer"])) == ["answer", "layer"]


def test_judgements_are_one_for_each_item_and_annotator() -> None:
    frame = annotation.load_judgements(STUDY)
    assert not frame.duplicated(["item", "annotator"]).any()
    assert set(frame["source"]) == {"human"}
    house = frame[(frame["shown_word"] == "house") & (frame["answer"] == "Haus")]
    assert set(house["label"]) == {"correct"}


def test_agreement_of_judgements_is_that_of_the_table_in_krippendorff_2011() -> None:
    """His example of nominal data of two observers, ten units: alpha = 0.095."""
    a, b = "0100000010", "1110010000"
    frame = pd.DataFrame(
        [(f"u{n}", who, label) for who, labels in (("a", a), ("b", b)) for n, label in enumerate(labels)],
        columns=["item", "annotator", "label"],
    )
    assert analysis.measure_agreement(frame).alpha.point == pytest.approx(0.095, abs=5e-4)
    with pytest.raises(UserError, match="labels item 'u0' twice"):
        analysis.measure_agreement(pd.concat([frame, frame.head(1)]))
    with pytest.raises(UserError, match="no column 'annotator'"):
        analysis.measure_agreement(frame.drop(columns="annotator"))
    with pytest.raises(UserError, match="numbers"):
        analysis.measure_agreement(frame.assign(label="x"), level="interval")
