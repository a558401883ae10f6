"""`gainsift power`: its JSON, its files, a pilot with known figures, and one line for each kind of bad input."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gainsift.analysis.pilot import read_pilot
from gainsift.cli.main import app
from gainsift.schemas.errors import UserError
from gainsift.schemas.study import Study

SHARES = ["power", "--gained", ".15", "--lost", ".05", "--simulations", "50", "--sizes", "60,120"]


def run(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == 0, f"{done.output} {done.exception}"
    return done.stdout


def refused(*arguments: str) -> UserError:
    done = CliRunner().invoke(app, list(arguments))
    assert isinstance(done.exception, UserError), f"{done.output} {done.exception}"
    return done.exception


@pytest.fixture
def pilot(make_study: Callable[..., Any], plain_concept: Callable[..., Any]) -> Study:
    """Eight concepts in two pairs: de comes right from a word that does not exist, except for one; fr stays wrong.

    Two annotators agree everywhere but on one item. The answers in fr are the same item in both conditions.
    """
    maker = make_study()
    for number in range(8):
        maker.pair(f"P{number}", plain_concept(f"s{number}"), plain_concept(f"t{number}"))
        for out in ("de", "fr"):
            before = maker.row(f"P{number}", ("en", out), "c1", f"nonsense{number}")
            right = out == "de" and number
            answer = f"{out}_s{number}" if right else f"nonsense{number}"
            after = maker.row(f"P{number}", ("en", out), "c2", answer, setting="tgt", layer=1)
            for item, label in {before.item_id: (before, "non_word"), after.item_id: (
                after, "correct" if right else "non_word")}.values():  # fmt: skip
                for who in ("a1", "a2"):
                    odd = who == "a2" and (number, out, label) == (3, "fr", "non_word")
                    maker.vote(item, who, "unsure" if odd else label)
    study: Study = maker.write()
    return study


def test_the_pilot_is_read_as_it_is(pilot: Study) -> None:
    """Seven of sixteen units gain; one item at both ends in nine; every judgement agrees: alpha 1."""
    found = read_pilot(pilot, None, "ability")
    assert (found.contrast, found.units, found.decided) == ("c1 to patched c2", 16, 16)
    assert found.alpha == pytest.approx(1)
    up, down = found.population.states.values(1.0, 1)
    assert found.population.chances @ up == pytest.approx(7 / 16)
    assert found.population.chances @ down == 0
    assert found.population.per_family == 2
    assert found.population.items == pytest.approx((7 * 2 + 9) / 16)


def test_json_of_a_pilot(pilot: Study) -> None:
    found = json.loads(run("power", str(pilot.folder), "--json", "--simulations", "40", "--sizes", "40,80",
                           "--overlap", "1,2", "--hours", "0.1"))  # fmt: skip
    assert (found["source"], found["contrast"], found["bucket"]) == ("pilot", "c1 to patched c2", "human")
    assert [(size["overlap"], size["units"]) for size in found["sizes"]] == [(1, 40), (1, 80), (2, 40), (2, 80)]
    first = found["sizes"][2]
    assert first["truth"] == pytest.approx(7 / 16)
    assert first["items"] == round(40 * 23 / 16)
    assert first["judgements"] == 2 * first["items"] == 116  # in .1 hours a person makes 30
    assert (first["annotators"], first["judgements_each"], first["hours_each"]) == (4, 29, 0.1)
    assert found["needed"]["1"]["power"] >= 0.8


def test_a_move_that_is_found_as_it_is_gets_no_word(pilot: Study) -> None:
    """Without errors of annotators the mean found differs from the truth by the noise of the simulation alone."""
    shares = ["power", "--gained", ".13", "--lost", ".05", "--sizes", "100", "--overlap", "1", "--half-width", ".5"]
    for seed in ("1", "2", "3"):
        sure = run(*shares, "--simulations", "60", "--alpha", "1", "--seed", seed)
        assert "give an interval of ±50.0 points." in " ".join(sure.split())
    pulled = run(*shares, "--simulations", "400", "--alpha", "0.4")
    assert "the move would be found as" in " ".join(pulled.split())


def test_no_move_in_the_pilot_is_said(pilot: Study) -> None:
    assert "no unit of 'c1 to patched c2' moved between 'granularity' and correct" in str(
        refused("power", str(pilot.folder), "--bucket", "granularity")
    )
    assert "unknown bucket 'abilty'; did you mean ability?" in str(
        refused("power", str(pilot.folder), "--bucket", "abilty")
    )
    assert "unknown contrast 'x'" in str(refused("power", str(pilot.folder), "--contrast", "x"))


def test_sizes_that_come_to_the_same_families_stand_once() -> None:
    """Two families of 100 units are the least."""
    sizes = ["--family", "100", "--sizes", "1,50,100,150,201", "--overlap", "1", "--simulations", "20", "--json"]
    told = json.loads(run("power", "--gained", ".15", *sizes))
    assert [size["units"] for size in told["sizes"]] == [200, 300]


@pytest.mark.parametrize("option", ["--bucket", "--contrast"])
def test_a_part_of_a_pilot_needs_one(option: str) -> None:
    assert f"{option}: it names a part of a pilot, and there is none" in str(refused(*SHARES, option, "ability"))


def test_the_table_and_the_files(tmp_path: Path) -> None:
    shown = run(*SHARES, "--half-width", ".09", "--overlap", "1", "--out", str(tmp_path / "out"))
    assert "The net move is 10.0 points" in shown
    assert "120 units" not in shown.splitlines()[0]
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"power.json", "power.pdf", "power.png", "power.run.json"}
    kept = json.loads((tmp_path / "out" / "power.json").read_text("utf-8"))
    assert kept == json.loads(run(*SHARES, "--half-width", ".09", "--overlap", "1", "--json"))
    record = json.loads((tmp_path / "out" / "power.run.json").read_text("utf-8"))
    assert record["seeds"] == {"simulations": 12345}


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["power"], "neither a pilot nor shares"),
        (["power", "--gained", ".6", "--correct", ".5"], "add up to more than 1"),
        ([*SHARES, "--overlap", "1,x"], "expected whole numbers parted by commas, found '1,x'"),
        ([*SHARES, "--overlap", "0"], "expected numbers from 1 to 5, found '0'"),
        ([*SHARES, "--overlap", "3", "--annotators", "2"], "3 annotators an item of 2 people"),
        (["power", "nowhere"], "no such study folder"),
        (["power", "nowhere", "--gained", ".1"], "a pilot says how many units move"),
    ],
)
def test_bad_input_is_one_line(arguments: list[str], line: str) -> None:
    error = refused(*arguments)
    assert line in str(error)
    assert error.exit_code == 2
    assert "\n" not in str(error)
