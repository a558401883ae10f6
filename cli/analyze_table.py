"""`gainsift analyze --table`: the analysis of anyone's tidy table."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gainsift.cli.steps import steps
from gainsift.cli.terminal import print_json_text, say

if TYPE_CHECKING:
    from gainsift.schemas.config import AnalysisSpec


SPEC = {"boot": "bootstrap", "seed": "seed", "interval": "interval", "confidence": "confidence", "verdict": "verdict",
        "correction": "correction", "family": "family"}  # fmt: skip
"""Options that stand for keys of the section `analysis` of study.yaml."""


def analyze_table(given: Mapping[str, Any], as_json: bool) -> None:
    """Read, analyse, write the report, print every contrast. `given`: the options that there are. Raises UserError."""
    from gainsift.analysis.tidy_analysis import analyse_table
    from gainsift.analysis.tidy_report import write_tidy_report
    from gainsift.analysis.tidy_table import read_tidy_table
    from gainsift.cli.analyze_output import show
    from gainsift.cli.folders import not_a_file
    from gainsift.schemas.errors import UserError
    from gainsift.schemas.provenance import now
    from gainsift.schemas.taxonomy import load_taxonomy

    started = now()
    table, taxonomy, out = given["table"], given.get("taxonomy"), given.get("out")
    if out is None:
        raise UserError("--table", "it needs --out", "name the folder of the report: --out DIR")
    not_a_file(out)
    spec = _spec({key: given[option] for option, key in SPEC.items() if option in given})
    known = load_taxonomy(taxonomy)
    with steps() as progress:
        results = analyse_table(read_tidy_table(table, known), known, given.get("contrast", ()), spec, progress)
        inputs = {table.name: table} | ({taxonomy.name: taxonomy} if taxonomy else {})
        page = write_tidy_report(results, inputs, out, _called(given), started, progress)
    if as_json:
        print_json_text((out / "summary.json").read_text("utf-8"))
    else:
        show(results)
        say(f"report: {page}")


def _called(given: Mapping[str, Any]) -> str:
    """The command as it was called."""
    parts = [
        (f"--{name}", str(one))
        for name, value in given.items()
        for one in (value if isinstance(value, list | tuple) else [value])
    ]
    return shlex.join(["gainsift", "analyze", *(part for pair in parts for part in pair)])


def _spec(asked: Mapping[str, Any]) -> AnalysisSpec:
    """Raises UserError that names the option and what it may be."""
    from pydantic import ValidationError

    from gainsift.schemas.config import AnalysisSpec
    from gainsift.schemas.errors import UserError

    try:
        return AnalysisSpec.model_validate(asked)
    except ValidationError as error:
        wrong = error.errors()[0]
        name = str(wrong["loc"][0])
        raise UserError(
            f"--{name}", f"{wrong['msg']}, found {asked[name]!r}", "`gainsift analyze --help` shows the choices"
        ) from None
