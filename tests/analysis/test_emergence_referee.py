"""Emergence against a slow loop over a plain data frame: random outputs, some of them missing."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gainsift.analysis.emergence import emergence
from gainsift.analysis.emergence_rows import read_rows
from gainsift.analysis.tables import Table
from gainsift.schemas.concepts import Concept
from gainsift.schemas.families import word_families
from gainsift.schemas.rows import Translation

PLACES = [("unpatched", "source", None), ("unpatched", "target", None)] + [
    (setting, "target", layer) for setting in ("tgt", "seen", "self") for layer in range(4)
]
LANGUAGES = [("en", "de"), ("en", "fr"), ("de", "fr")]


@pytest.fixture(name="random_study")
def random_study_fixture(make_study: Callable[..., Any]) -> tuple[Any, pd.DataFrame]:
    """12 prompt pairs × 3 language pairs × 3 checkpoints × 14 places; a tenth of the outputs is missing."""
    rng = np.random.default_rng(8)
    maker = make_study(language_pairs=[list(pair) for pair in LANGUAGES])
    for number in range(12):
        head = number // 2 if number < 6 else number  # the first six share headwords two by two
        words = {"en": [f"w{head}"], "de": [f"d{number}"], "fr": [f"{'dw'[number % 2]}{number}"]}
        source = Concept(id=f"s{number}", gloss="source", reference=words)
        other = {code: [f"{code}{number}"] for code in words}
        maker.pair(f"P{number}", source, Concept(id=f"t{number}", gloss="target", reference=other))
    names = ["c1", "c2", "c3"]
    for checkpoint, place, pair, pair_id in itertools.product(names, PLACES, LANGUAGES, maker.pairs):
        if rng.random() < 0.1:
            continue
        setting, prompt, layer = place
        concepts = maker.pairs[pair_id].source_concept, maker.pairs[pair_id].target_concept
        intended, other = concepts if place != PLACES[1] else concepts[::-1]
        masses = [float(np.float32(value)) for value in rng.random(3) * rng.random()]
        right = rng.random() < 0.4
        maker.rows.append(
            Translation(
                row_id=Translation.make_id(checkpoint, setting, prompt, *pair, pair_id, layer),
                checkpoint=checkpoint, step=1, tokens=1, setting=setting,
                prompt="source" if prompt == "source" else "target", input_language=pair[0],
                output_language=pair[1], pair_id=pair_id, layer=layer, intended_concept=intended,
                other_concept=other, shown_word=maker.concepts[intended].word(pair[0]),
                answer=maker.concepts[intended].word(pair[1]).upper() if right else "x", raw="", closed=True,
                p_source=masses[["en", "de", "fr"].index(pair[1])], p_target=float(rng.random()),
                source_mass=masses, target_mass=[0.0] * 3,
            )
        )  # fmt: skip
    study = maker.write()
    frame = pd.DataFrame([row.model_dump() for row in maker.rows])
    frame["success"] = (frame["answer"] != "x").astype(float)
    return study, frame


def one(frame: pd.DataFrame, checkpoint: str, pair: tuple[str, str], pair_id: str, place: Any) -> Any:
    """The row of one output, or None."""
    setting, prompt, layer = place
    same_layer = frame["layer"].isna() if layer is None else frame["layer"] == layer
    found = frame[
        (frame["checkpoint"] == checkpoint) & (frame["input_language"] == pair[0])
        & (frame["output_language"] == pair[1]) & (frame["pair_id"] == pair_id)
        & (frame["setting"] == setting) & (frame["prompt"] == prompt) & same_layer
    ]  # fmt: skip
    return found.iloc[0] if len(found) else None


def test_means_and_differences_are_those_of_a_slow_loop(random_study: Any) -> None:
    study, frame = random_study
    tables = emergence(study).tables
    check_means(tables["emergence"], frame)
    families = word_families(study.concepts.values())
    table = tables["emergence_differences"]
    for effect, b, layer in [
        ("seen − tgt", "tgt", "1"), ("seen − self", "self", "1"), ("tgt − unpatched", "unpatched", "1"),
        ("seen − tgt", "tgt", "mean of 0–2"), ("seen − target prompt", "target", "mean of 0–2"),
    ]:  # fmt: skip
        a = effect.split(" ")[0]
        for checkpoint in ("c1", "c2", "c3"):
            values = []
            clusters = set()
            for pair, number in itertools.product(LANGUAGES, range(12)):
                one_side, other = (value_of(frame, checkpoint, pair, f"P{number}", name, layer) for name in (a, b))
                if one_side is not None and other is not None:
                    values.append(one_side - other)
                    clusters.add(families[f"s{number}"])
            (found,) = [
                row for row in table.rows
                if (row["effect"], row["layer"], row["checkpoint"]) == (effect, layer, checkpoint)
            ]  # fmt: skip
            assert found["p_source"].point == pytest.approx(math.fsum(values) / len(values), abs=1e-12)
            assert len(clusters) == found["clusters"] == 9


def value_of(
    frame: pd.DataFrame, checkpoint: str, pair: tuple[str, str], pair_id: str, name: str, layer: str
) -> float | None:
    if name in ("unpatched", "target"):
        found = [one(frame, checkpoint, pair, pair_id, PLACES[0 if name == "unpatched" else 1])]
    else:
        layers = [1] if layer == "1" else [0, 1, 2]
        found = [one(frame, checkpoint, pair, pair_id, (name, "target", number)) for number in layers]
    if any(row is None for row in found):
        return None
    return math.fsum(row["p_source"] for row in found) / len(found)


def check_means(table: Table, frame: pd.DataFrame) -> None:
    shown = [row for row in table.rows if not row["layer"].startswith("mean")]
    assert len(shown) == 3 * len(PLACES) * len(LANGUAGES)
    assert sum(row["units"] for row in shown) == len(frame)
    for row in shown[::7]:
        same_layer = frame["layer"].isna() if row["layer"] == "" else frame["layer"] == int(row["layer"])
        part = frame[
            (frame["checkpoint"] == row["checkpoint"]) & (frame["setting"] == row["setting"]) & same_layer
            & (frame["prompt"] == row["prompt"]) & (frame["input_language"] == row["input"])
            & (frame["output_language"] == row["output"])
        ]  # fmt: skip
        out = ["en", "de", "fr"].index(row["output"])
        others = [math.fsum(m for i, m in enumerate(ms) if i != out) / 2 for ms in part["source_mass"]]
        for key, values in (("success", part["success"]), ("p_source", part["p_source"]),
                            ("p_target", part["p_target"]), ("other", others)):  # fmt: skip
            assert row[key] == pytest.approx(math.fsum(values) / len(part), abs=1e-12), key


def test_intervals_are_the_same_every_time_and_hold_the_points(random_study: Any) -> None:
    study, _ = random_study
    first, second = (emergence(study).tables for _ in range(2))
    assert first == second
    for row in first["emergence_differences"].rows:
        for key in ("p_source", "success"):
            alone, together = row[key], row[key + "_band"]
            if alone is not None:
                assert together.low <= alone.low <= alone.point <= alone.high <= together.high


def test_rows_keep_every_output_once(random_study: Any) -> None:
    study, frame = random_study
    rows = read_rows(study)
    assert len(rows.layer) == len(frame)
    assert rows.values[:, 0].sum() == frame["success"].sum()
    assert sorted(rows.values[:, 1]) == sorted(frame["p_source"])
    assert rows.layers == [0, 1, 2, 3]


def test_figures_show_every_setting_and_every_checkpoint(random_study: Any) -> None:
    study, _ = random_study
    drawn = emergence(study).figures
    assert set(drawn) == {
        "emergence_layers_p_source", "emergence_layers_p_target", "emergence_layers_other", "emergence_layers_success",
        "emergence_curves", "emergence_differences",
        "emergence_languages", "emergence_other",
    }  # fmt: skip
    maps = [panel for panel in drawn["emergence_layers_p_source"][1].axes if panel.images]
    assert [panel.get_title(loc="left") for panel in maps] == ["tgt", "seen", "self"]
    assert all(np.asarray(panel.images[0].get_array()).shape == (4, 3) for panel in maps)
    panels = [panel for panel in drawn["emergence_differences"][1].axes if panel.get_visible()]
    effects = [row["effect"] for row in emergence(study).tables["emergence_differences"].rows]
    assert [panel.get_title(loc="left") for panel in panels] == list(dict.fromkeys(effects))
    (line,) = [line for line in panels[0].lines if line.get_marker() == "o"]
    table = emergence(study).tables["emergence_differences"].rows
    assert np.asarray(line.get_ydata()).tolist() == [row["p_source_band"].point for row in table[:3]]
