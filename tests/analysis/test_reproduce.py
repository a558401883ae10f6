"""How to reproduce a report: the commands of the run records, and a meaning for every key of a signature."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gainsift.analysis.reproduce import history
from gainsift.analysis.results import analyse
from gainsift.analysis.signature import MEANING, meanings
from gainsift.schemas.concepts import Concept
from gainsift.schemas.files import write_json
from gainsift.schemas.provenance import Run
from gainsift.schemas.study import Study

AT_B = {"setting": "tgt", "layer": 1}


def run(product: str, command: str, started: str, commit: str | None = "c0ffee", **seeds: int) -> Run:
    return Run(product=product, command=command, started=started, finished=started, versions={"gainsift": "0.1.0"},
               commit=commit, dirty=False, seeds=seeds, inputs={})  # fmt: skip


def study_with(folder: Path, records: dict[str, Run]) -> Study:
    for name, record in records.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_json(folder / name, record)
    return Study(folder, config=None)  # type: ignore[arg-type]


def test_commands_stand_in_the_order_of_time_once_each(tmp_path: Path) -> None:
    study = study_with(
        tmp_path,
        {
            "items.run.json": run("items.parquet", "gainsift annotate plan S", "2026-02-01", rows=42),
            "links.run.json": run("links.parquet", "gainsift annotate plan S", "2026-02-02", annotation=7),
            "translations/run.json": run("translations", "gainsift generate S", "2026-01-01", prompts=42),
            "prompts.run.json": run("prompts.parquet", "gainsift generate S", "2026-01-01", "beef", prompts=42),
        },
    )
    found = history(study, run("report", "gainsift analyze S", "2026-03-01", None, analysis=1))
    assert found.commands == ["gainsift generate S", "gainsift annotate plan S", "gainsift analyze S"]
    assert [(one.commit, one.made) for one in found.steps] == [
        ("beef", ["prompts.parquet"]), ("c0ffee", ["translations"]), ("c0ffee", ["items.parquet", "links.parquet"]),
        ("", ["report"]),
    ]  # fmt: skip
    assert found.steps[2].seeds == {"rows": 42, "annotation": 7}
    assert found.unread == []


def test_a_record_that_does_not_open_is_named(tmp_path: Path) -> None:
    study = study_with(tmp_path, {"items.run.json": run("items.parquet", "gainsift annotate plan S", "2026-02-01")})
    (tmp_path / "links.run.json").write_text("{", "utf-8")
    (tmp_path / "tasks.run.json").write_bytes(b"\xff")
    found = history(study, run("report", "gainsift analyze S", "2026-03-01"))
    assert found.unread == ["links.run.json", "tasks.run.json"]
    assert found.commands == ["gainsift annotate plan S", "gainsift analyze S"]


def test_every_key_of_every_signature_has_a_meaning(
    make_study: Callable[..., Any], plain_concept: Callable[..., Concept]
) -> None:
    maker = make_study(contrasts_along=[{"setting": "unpatched"}], analysis={"bootstrap": 20, "verdict": "soft"})
    for number in range(4):
        maker.pair(f"P{number}", plain_concept(f"s{number}"), plain_concept(f"t{number}"))
        for checkpoint in ("c1", "c2", "c3"):
            maker.vote(maker.row(f"P{number}", ("en", "de"), checkpoint, f"x{number}"), "a1", "unrelated")
        maker.vote(maker.row(f"P{number}", ("en", "de"), "c2", f"de_s{number}", **AT_B), "a1", "correct")
    tables = analyse(maker.write()).tables.values()
    recipes = [recipe for table in tables for recipe in (table.signature, *table.signatures)]
    keys = {key for recipe in recipes for key in re.findall(r"(?:^|[| ])(\w+):", recipe)}
    assert len(keys) > 20
    assert keys <= MEANING.keys()
    assert meanings(recipes).keys() == keys
