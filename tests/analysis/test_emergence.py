"""Emergence worked out by hand: three prompt pairs, two of one word family, two checkpoints, layers 0 to 2.

Mass on the source concept, English into German (layer 2 is the last cut-off: the target prompt's own mass):

                 c1: P1   P2   P3      c2: P1   P2   P3
 unpatched           .2   .4   .6          .5   .7   .9
 target prompt       .0   .1   .2          .0   .0   .0
 tgt,  layer 0       .1   .2   .6          .4   .4   .4
       layer 1       .3   .2   .4          .6   .5   .4
 seen, layer 0       .1   .3   .2          .4   .2   --
       layer 1       .1   .1   .1          .3   .3   .3

The clusters are {P1} and {P2, P3}: `cat.pet` and `cat.whip` are both *cat*. Masses by language of a row with mass p in
German: P1 has p/2 in English and p in French, P2 and P3 have p/4 in both.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from typer.testing import CliRunner

from gainsift.analysis.emergence import emergence
from gainsift.analysis.emergence_axes import mark_cut, top_of
from gainsift.analysis.emergence_bands import pseudo_values
from gainsift.analysis.estimate import Estimate
from gainsift.analysis.tables import Table, to_json
from gainsift.cli.main import app
from gainsift.schemas.concepts import Concept
from gainsift.schemas.errors import UserError
from gainsift.schemas.files import read_parquet, write_parquet
from gainsift.schemas.rows import Translation
from gainsift.schemas.study import TRANSLATIONS_FORMAT

SOURCES = {
    "sun": {"en": ["sun"], "de": ["Sonne"], "fr": ["soleil"]},
    "cat.pet": {"en": ["cat"], "de": ["Katze"], "fr": ["chat"]},
    "cat.whip": {"en": ["cat"], "de": ["Peitsche"], "fr": ["fouet"]},
}
PAIRS = {"P1": "sun", "P2": "cat.pet", "P3": "cat.whip"}
MASS: dict[tuple[str, str, int | None], tuple[str, str]] = {
    ("unpatched", "source", None): (".2 .4 .6", ".5 .7 .9"),
    ("unpatched", "target", None): (".0 .1 .2", ".0 .0 .0"),
    ("tgt", "target", 0): (".1 .2 .6", ".4 .4 .4"),
    ("tgt", "target", 1): (".3 .2 .4", ".6 .5 .4"),
    ("tgt", "target", 2): (".0 .1 .2", ".0 .0 .0"),
    ("seen", "target", 0): (".1 .3 .2", ".4 .2 --"),
    ("seen", "target", 1): (".1 .1 .1", ".3 .3 .3"),
    ("seen", "target", 2): (".0 .1 .2", ".0 .0 .0"),
}


def output(
    maker: Any, checkpoint: str, asked: tuple[str, str, int | None], pair_id: str, p: float, **changes: Any
) -> None:
    """Add one output from English into German whose answer is right if p > .35."""
    setting, prompt, layer = asked
    pair = maker.pairs[pair_id]
    about_source = prompt == "source" or setting in ("tgt", "seen")
    intended, other = (
        (pair.source_concept, pair.target_concept) if about_source else (pair.target_concept, pair.source_concept)
    )
    in_english, in_french = (p / 2, p) if pair_id == "P1" else (p / 4, p / 4)
    answer = maker.concepts[intended].word("de") if p > 0.35 else "nichts"
    values = {
        "row_id": Translation.make_id(checkpoint, setting, prompt, "en", "de", pair_id, layer),
        "checkpoint": checkpoint, "step": 1, "tokens": 1, "setting": setting, "prompt": prompt,
        "input_language": "en", "output_language": "de", "pair_id": pair_id, "layer": layer,
        "intended_concept": intended, "other_concept": other, "shown_word": maker.concepts[intended].word("en"),
        "answer": answer, "raw": answer, "closed": True, "p_source": p, "p_target": 1 - p,
        "source_mass": [in_english, p, in_french], "target_mass": [0.0, 1 - p, 0.0],
    }  # fmt: skip
    maker.rows.append(Translation.model_validate(values | changes))


def build(maker: Any, **changes: Any) -> None:
    for pair_id, name in PAIRS.items():
        source = Concept(id=name, gloss=name, reference=SOURCES[name])
        words = {code: [f"{code} {pair_id}"] for code in ("en", "de", "fr")}
        maker.pair(pair_id, source, Concept(id=f"t{pair_id}", gloss="another", reference=words))
    for asked, of_checkpoints in MASS.items():
        for checkpoint, masses in zip(("c1", "c2"), of_checkpoints, strict=True):
            for pair_id, mass in zip(PAIRS, masses.split(), strict=True):
                if mass != "--":
                    output(maker, checkpoint, asked, pair_id, float(mass), **changes)


@pytest.fixture(name="maker")
def maker_fixture(make_study: Callable[..., Any]) -> Any:
    maker = make_study()
    build(maker)
    return maker


@pytest.fixture(scope="module")
def analysed(study_elsewhere: Callable[..., Any]) -> Any:
    """What the study comes to, for tests that only read it."""
    maker = study_elsewhere()
    build(maker)
    return emergence(maker.write())


def row(table: Table, **values: Any) -> Any:
    found = [row for row in table.rows if all(row[key] == value for key, value in values.items())]
    assert len(found) == 1, (values, len(found))
    return found[0]


def point(value: Estimate) -> float:
    assert value.point is not None
    return value.point


def test_means_by_setting_layer_and_checkpoint(analysed: Any) -> None:
    table = analysed.tables["emergence"]
    assert {r["checkpoint"] for r in table.rows} == {"c1", "c2"}  # c3 has no outputs
    found = row(table, checkpoint="c1", setting="tgt", layer="0")
    assert found["p_source"] == pytest.approx(0.9 / 3)
    assert found["p_target"] == pytest.approx(2.1 / 3)
    assert found["success"] == pytest.approx(1 / 3)
    assert found["units"] == 3
    # the other languages of each row: (p/2 + p)/2 for P1, p/4 for P2 and P3
    assert found["other"] == pytest.approx((0.075 + 0.05 + 0.15) / 3)
    assert found["mass_en"] == pytest.approx((0.05 + 0.05 + 0.15) / 3)
    assert found["mass_fr"] == pytest.approx((0.1 + 0.05 + 0.15) / 3)
    area = row(table, checkpoint="c2", setting="seen", layer="mean of 0–1")
    assert area["units"] == 2  # P3 lacks layer 0
    assert area["p_source"] == pytest.approx((0.35 + 0.25) / 2)
    assert row(table, checkpoint="c1", setting="unpatched", prompt="target")["success"] == 0


def test_shared_first_tokens_come_from_masses_and_spelling(analysed: Any) -> None:
    table = analysed.tables["emergence"]
    found = row(table, checkpoint="c1", setting="tgt", layer="0")
    # French of P1 has the German mass in every row: the same first tokens (only P1 counts)
    assert found["other_same"] == pytest.approx(0.1)
    # sun and Sonne begin alike
    assert found["other_maybe"] == pytest.approx(0.05)
    # cat and chat against Katze, cat and fouet against Peitsche: no byte in common
    assert found["other_apart"] == pytest.approx((0.05 + 0.15) / 2)


def test_differences_pair_units_and_weigh_them_alike(analysed: Any) -> None:
    table = analysed.tables["emergence_differences"]

    def difference(effect: str, layer: str, checkpoint: str, key: str = "p_source") -> float:
        return point(row(table, effect=effect, layer=layer, checkpoint=checkpoint)[key])

    assert difference("seen − tgt", "1", "c1") == pytest.approx((-0.2 - 0.1 - 0.3) / 3)
    assert difference("seen − tgt", "mean of 0–1", "c1") == pytest.approx((-0.1 + 0 - 0.35) / 3)
    assert difference("seen − tgt", "mean of 0–1", "c2") == pytest.approx(((0.35 - 0.5) + (0.25 - 0.45)) / 2)
    assert difference("tgt − target prompt", "1", "c1") == pytest.approx((0.3 + 0.1 + 0.2) / 3)
    assert difference("tgt − unpatched", "1", "c2") == pytest.approx((0.1 - 0.2 - 0.5) / 3)
    # right answers at c1: tgt at layer 1 only P3 (.4); unpatched P2 and P3
    assert difference("tgt − unpatched", "1", "c1", "success") == pytest.approx(-1 / 3)
    assert row(table, effect="tgt − target prompt", layer="1", checkpoint="c1")["success"] is None
    assert {r["effect"] for r in table.rows} == {
        "tgt − target prompt", "seen − target prompt", "seen − tgt", "tgt − unpatched", "seen − unpatched",
    }  # fmt: skip


def test_clusters_are_word_families_and_too_few_are_said_so(analysed: Any) -> None:
    tables = analysed.tables
    rows = tables["emergence_curves"].rows
    assert {r["clusters"] for r in rows} == {2}
    fewer = [(r["checkpoint"], r["series"], r["layer"]) for r in rows if r["units"] != 3]
    assert fewer == [("c2", "seen", "mean of 0–1")]  # P3 lacks layer 0
    assert tables["emergence_by_language"].rows[0]["units"] == 3
    assert any("all pairs" in note and "unreliable" in note for note in tables["emergence_curves"].all_notes())
    assert any("not speak about other training seeds" in note for note in tables["emergence_first"].notes)


def test_the_last_cut_off_is_left_out_and_the_layer_is_that_of_the_contrasts(analysed: Any) -> None:
    notes = " ".join(analysed.tables["emergence_curves"].notes)
    assert "Layer 1: the layer that the contrasts name" in notes
    assert "first patched layers 0, 1; the last one, 2, cannot reach later tokens" in notes


@pytest.mark.parametrize(
    ("changes", "layer", "words"),
    [
        ({"contrasts": []}, 0, "the middle cut-off"),
        ({"contrasts": [], "annotation": {"rows": {"settings": ["tgt"], "layers": [1]}}}, 1, "has people judge"),
        ({"contrasts": [], "contrasts_along": [{"setting": "tgt", "layer": 1}]}, 1, "the contrasts name"),
        ({"analysis": {"bootstrap": 50, "layer": 0}}, 0, "analysis.layer of study.yaml"),
    ],
)
def test_rules_of_the_layer(make_study: Callable[..., Any], changes: dict[str, Any], layer: int, words: str) -> None:
    maker = make_study(**changes)
    build(maker)
    notes = emergence(maker.write()).tables["emergence_curves"].notes
    assert any(note.startswith(f"Layer {layer}: ") and words in note for note in notes)


def test_a_layer_that_no_output_has_is_refused(make_study: Callable[..., Any]) -> None:
    maker = make_study(analysis={"layer": 7})
    build(maker)
    with pytest.raises(UserError, match=r"no output is patched from layer 7; name one: 0, 1, 2"):
        emergence(maker.write())


def test_layers_by_a_list_keep_a_highest_one_that_changes_something(make_study: Callable[..., Any]) -> None:
    maker = make_study(generation={"layers": [0, 1, 2]})
    build(maker)
    assert any("0, 1; the last one, 2," in note for note in emergence(maker.write()).tables["emergence_curves"].notes)
    output_of = next(r for r in maker.rows if r.layer == 2)
    maker.rows.remove(output_of)
    output(maker, output_of.checkpoint, (output_of.setting, output_of.prompt, 2), output_of.pair_id, 0.9)
    notes = emergence(maker.write()).tables["emergence_curves"].notes
    assert any("layers 0, 1, 2." in note for note in notes)


def test_by_language(maker: Any) -> None:
    maker.config["language_pairs"] = [["en", "de"], ["en", "fr"]]
    maker.config["trained_languages"] = ["en", "de"]
    for r in [r for r in maker.rows if r.pair_id == "P1"]:
        values = r.model_dump() | {"output_language": "fr", "row_id": r.row_id + "fr", "p_source": r.source_mass[2]}
        maker.rows.append(Translation.model_validate(values))
    table = emergence(maker.write()).tables["emergence_by_language"]
    columns = {column.head: column.key for column in table.columns}
    into_french = row(table, by="Output language", group="fr", checkpoint="c1")
    assert point(into_french[columns["unpatched"]]) == pytest.approx(0.2)
    assert into_french["units"] == 1
    assert point(row(table, by="Training", group="a language not trained", checkpoint="c1")[columns["tgt"]]) == (
        pytest.approx(0.3)
    )
    trained = row(table, by="Training", group="both languages trained", checkpoint="c1")
    assert point(trained[columns["tgt"]]) == pytest.approx(0.3)
    assert trained["units"] == 3
    assert not [r for r in table.rows if r["by"] == "Input language"]  # it would be all pairs again


def test_between_languages(maker: Any) -> None:
    """Into German P1 to P3, into French P1, as its German mass: unpatched .4 - .2 at c1, `tgt` 1.5 / 3 - .6 at c2."""
    maker.config["language_pairs"] = [["en", "de"], ["en", "fr"]]
    maker.config["trained_languages"] = ["en", "de"]
    for r in [r for r in maker.rows if r.pair_id == "P1"]:
        values = r.model_dump() | {"output_language": "fr", "row_id": r.row_id + "fr", "p_source": r.source_mass[2]}
        maker.rows.append(Translation.model_validate(values))
    table = emergence(maker.write()).tables["emergence_between"]
    german = row(table, by="Output language", group="de against all others", series="unpatched")
    assert point(german["first"]) == pytest.approx(0.4 - 0.2)
    assert point(german["last"]) == pytest.approx(0.7 - 0.5)
    patched = row(table, by="Output language", group="de against all others", series="tgt")
    assert point(patched["first"]) == pytest.approx(0.0)
    assert point(patched["last"]) == pytest.approx(0.5 - 0.6)
    french = row(table, by="Output language", group="fr against all others", series="unpatched")
    assert point(french["first"]) == pytest.approx(0.2 - 0.4)
    assert [r["group"] for r in table.rows if r["by"] == "Training" and r["series"] == "unpatched"] == [
        "both languages trained against all others"
    ]
    assert german["units"] == 3


def test_pseudo_values_are_those_of_a_jackknife() -> None:
    """Their mean is the difference of the ratios, and their spread the jackknife's standard error, to first order."""
    rng = np.random.default_rng(3)
    d1, d2 = (rng.integers(0, 4, 300).astype(float) for _ in range(2))
    n1, n2 = d1 * rng.beta(2, 5, 300), d2 * rng.beta(3, 4, 300)
    values, held = (part[0, :, 0] for part in pseudo_values(*(part[None, :, None] for part in (n1, d1, n2, d2))))
    difference = n1.sum() / d1.sum() - n2.sum() / d2.sum()
    assert values.sum() / held.sum() == pytest.approx(difference)
    assert held.sum() == ((d1 > 0) | (d2 > 0)).sum()
    without = [
        (n1.sum() - n1[c]) / (d1.sum() - d1[c]) - (n2.sum() - n2[c]) / (d2.sum() - d2[c]) for c in np.flatnonzero(held)
    ]
    count = len(without)
    jackknife = np.sqrt((count - 1) / count * ((np.array(without) - np.mean(without)) ** 2).sum())
    assert values[held > 0].std() / np.sqrt(count) == pytest.approx(jackknife, rel=0.02)


def test_a_group_of_which_nothing_is_known_says_nothing() -> None:
    zero = np.zeros((1, 3, 1))
    values, held = pseudo_values(np.ones((1, 3, 1)), np.ones((1, 3, 1)), zero, zero)
    assert not values.any()
    assert not held.any()


def test_languages_one_by_one(analysed: Any) -> None:
    table = analysed.tables["emergence_languages"]
    found = row(table, setting="tgt", language="en")
    assert found["relation"] == "input"
    assert found["mass"] == pytest.approx((0.3 + 0.125 + 0.1) / 3)
    assert row(table, setting="tgt", language="fr")["relation"] == "other"


def test_masses_that_do_not_fit_the_languages_are_left_out_and_counted(make_study: Callable[..., Any]) -> None:
    maker = make_study()
    build(maker, source_mass=[0.1])
    tables = emergence(maker.write()).tables
    assert "emergence_other" not in tables or not any(
        r["other"] is not None and r["other"].defined for r in tables["emergence_other"].rows
    )
    assert point(tables["emergence_curves"].rows[0]["p_source"]) == pytest.approx(0.4)
    assert any("47 outputs whose masses by language" in note for note in tables["emergence_curves"].notes)


def test_masses_in_another_order_of_languages_are_noticed(make_study: Callable[..., Any]) -> None:
    maker = make_study(trained_languages=["de", "en", "fr"])
    build(maker)  # the masses are in the order en, de, fr
    assert any("masses by language do not fit" in n for n in emergence(maker.write()).tables["emergence"].notes)


def test_flagged_concepts_stay_out(make_study: Callable[..., Any]) -> None:
    maker = make_study(analysis={"exclude_sense_split": True})
    build(maker)
    maker.concepts["cat.whip"] = maker.concepts["cat.whip"].model_copy(update={"flags": ["sense_split"]})
    table = emergence(maker.write()).tables["emergence"]
    assert row(table, checkpoint="c1", setting="tgt", layer="0")["p_source"] == pytest.approx(0.15)
    assert any("15 outputs of concepts flagged" in note for note in table.notes)


def test_an_output_that_stands_twice_is_refused(maker: Any) -> None:
    maker.rows.append(maker.rows[0])
    with pytest.raises(UserError, match="stands twice"):
        emergence(maker.write())


def test_no_outputs_are_refused(maker: Any) -> None:
    study = maker.write()
    for file in study.translation_files():
        file.unlink()
    with pytest.raises(UserError, match="no translations"):
        emergence(study)


def test_a_study_without_patching_has_its_curve(make_study: Callable[..., Any]) -> None:
    maker = make_study(contrasts=[])
    build(maker)
    maker.rows = [r for r in maker.rows if r.setting == "unpatched"]
    found = emergence(maker.write())
    assert "emergence_differences" not in found.tables
    assert set(found.figures) == {"emergence_curves", "emergence_other"}
    assert point(row(found.tables["emergence_curves"], checkpoint="c2", series="unpatched")["p_source"]) == (
        pytest.approx(0.7)
    )


def test_languages_in_the_order_of_the_file(make_study: Callable[..., Any]) -> None:
    """Files say in which order their masses stand; study.yaml may have another, and further languages."""
    maker = make_study(trained_languages=["fr", "es", "de", "en"])
    build(maker)
    study = maker.write()
    for file in study.translation_files():
        extra = {"languages": '["en", "de", "fr"]'}
        write_parquet(
            file, Translation, read_parquet(file, Translation, TRANSLATIONS_FORMAT, ""), TRANSLATIONS_FORMAT, extra
        )
    found = row(emergence(study).tables["emergence"], checkpoint="c1", setting="tgt", layer="0")
    assert found["mass_en"] == pytest.approx((0.05 + 0.05 + 0.15) / 3)
    assert found["mass_fr"] == pytest.approx((0.1 + 0.05 + 0.15) / 3)
    assert found["mass_es"] is None


def test_from_when_on_an_effect_stays_above_zero(make_study: Callable[..., Any]) -> None:
    """25 concepts: tgt beats the target prompt from c1 on, the unpatched prompt from c2 on, seen never beats tgt.

    Bands of 25 clusters with a spread of ±.02 are far narrower than effects of .2.
    """
    maker = make_study()
    mass = {
        ("unpatched", "source", None): (0.5, 0.3, 0.3),
        ("unpatched", "target", None): (0.1, 0.1, 0.1),
        ("tgt", "target", 1): (0.4, 0.5, 0.6),
        ("seen", "target", 1): (0.4, 0.4, 0.6),
    }
    for number in range(25):
        words = {code: [f"{code}{number}"] for code in ("en", "de", "fr")}
        source = Concept(id=f"s{number:02}", gloss="source", reference=words)
        other = {code: [f"other {code}{number}"] for code in words}
        maker.pair(f"P{number:02}", source, Concept(id=f"t{number:02}", gloss="target", reference=other))
        for place, (asked, levels) in enumerate(mass.items()):
            for checkpoint, level in zip(("c1", "c2", "c3"), levels, strict=True):
                spread = 0.02 * (-1) ** (number >> place)  # not the same for any two places
                output(maker, checkpoint, asked, f"P{number:02}", level + spread)
    found = emergence(maker.write())
    table = found.tables["emergence_first"]

    def first(effect: str) -> Any:
        return row(table, effect=effect, measure="Source concept", layer="1")

    assert (first("tgt − target prompt")["above"], first("tgt − target prompt")["remark"][:18]) == (
        "c1",
        "above zero already",
    )
    assert (first("tgt − unpatched")["above"], first("tgt − unpatched")["remark"]) == ("c2", "")
    assert (first("seen − tgt")["above"], first("seen − tgt")["remark"][:14]) == ("", "not above zero")
    assert first("tgt − unpatched")["above_tokens"] == 0
    assert table.notes[0].startswith("Warning: too late to see. tgt − target prompt, seen − target prompt: ")
    assert found.sentences == [
        "The source concept's mass at layer 1, by the band over all checkpoints: seen − tgt: not apart from zero at the"
        " last checkpoint; tgt − unpatched, seen − unpatched: above zero from c2 on.",
        "Too late to see: tgt − target prompt, seen − target prompt (above zero already at the first checkpoint: when"
        " it arose cannot be seen here).",
    ]
    assert point(first("tgt − unpatched")["last"]) == pytest.approx(0.3, abs=0.03)
    figure = found.figures["emergence_differences"][1]
    marks = {
        panel.get_title(loc="left"): [
            np.asarray(line.get_xdata()).tolist() for line in panel.lines if line.get_marker() == "^"
        ]
        for panel in figure.axes
    }
    assert marks["tgt − target prompt"] == [[0.0]]
    assert marks["tgt − unpatched"] == [[1.0]]
    assert marks["seen − tgt"] == []


def test_the_command_needs_nothing_but_outputs(make_study: Callable[..., Any]) -> None:
    """No plan, no item, no judgement; hostile words in study.yaml stay words."""
    maker = make_study(description="<script>alert(1)</script>")
    build(maker)
    study = maker.write()
    for file in (study.items_file, study.links_file, study.annotations_file):
        file.unlink(missing_ok=True)
    done = CliRunner().invoke(app, ["emergence", str(study.folder)])
    assert done.exit_code == 0, done.output
    folder = study.folder / "emergence"
    page = (folder / "emergence.html").read_text("utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "script-src" not in page
    expected = emergence(study).tables
    assert {path.stem for path in folder.glob("tables/*.json")} == set(expected)
    for name, table in expected.items():
        assert json.loads((folder / "tables" / f"{name}.json").read_text("utf-8")) == to_json(table)
    assert (folder / "figures" / "emergence_curves.pdf").is_file()
    run = json.loads((folder / "emergence.run.json").read_text("utf-8"))
    assert set(run["inputs"]) >= {"study.yaml", "concepts.jsonl", "translations/c1.parquet"}


def test_a_band_that_leaves_its_panel_says_so() -> None:
    """Of three points the second's upper limit lies above the panel; a bound, which is not drawn, does not count."""
    specs = {"a": SimpleNamespace(tokens=10, step=1), "b": SimpleNamespace(tokens=20, step=2),
             "c": SimpleNamespace(tokens=40, step=3)}  # fmt: skip
    found: Any = SimpleNamespace(
        study=SimpleNamespace(config=SimpleNamespace(checkpoint=specs.__getitem__)),
        rows=SimpleNamespace(checkpoints=list(specs)), present=[0, 1, 2],
    )  # fmt: skip
    band = [Estimate(0.1, 0, 0.2), Estimate(0.2, 0, 0.9), Estimate(0.1, 0, 1.0, "bound", bounded=True)]
    panel = Figure().subplots()
    panel.set_ylim(0, top_of(band))
    mark_cut(panel, found, [band])
    (marks,) = panel.lines
    assert marks.get_xydata().tolist() == [[20, pytest.approx(0.52)]]  # 1.04 × 2.5 × .2
    assert panel.get_ylim()[1] == pytest.approx(0.52)
    assert panel.get_legend_handles_labels()[1] == ["band goes on above"]
    quiet = Figure().subplots()
    mark_cut(quiet, found, [band])  # from 0 to 1
    assert not quiet.lines
