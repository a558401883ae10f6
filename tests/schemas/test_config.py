"""study.yaml: what is refused, and that the message says which key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from gainsift.schemas.config import StudyConfig, parse_config, read_config
from gainsift.schemas.errors import UserError

GOOD: dict[str, Any] = {
    "name": "s",
    "model": {"name": "m", "checkpoints": [{"name": "early", "path": "a"}, {"name": "late", "path": "b"}]},
    "trained_languages": ["en", "de", "fr"],
    "language_pairs": [["en", "de"]],
}
CONTRAST = {"name": "c", "from": {"checkpoint": "early"}, "to": {"checkpoint": "late"}}


def load_config(path: Path) -> StudyConfig:
    return parse_config(read_config(path), path)


def load(tmp_path: Path, **changes: Any) -> Any:
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump({**GOOD, **changes}))
    return load_config(path)


def test_defaults_make_a_whole_study(tmp_path: Path) -> None:
    config = load(tmp_path)
    assert config.prompts.shots == 5
    assert config.prompts.pairs == 256
    assert config.generation.layers == "all"
    assert config.languages() == ["en", "de", "fr"]
    assert config.checkpoint("first").name == "early"
    assert config.checkpoint("last").name == "late"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"colour": 1}, "unknown key 'colour'"),
        ({"model": None}, "'model'"),
        ({"trained_languages": ["xx"]}, "unknown language 'xx'"),
        ({"language_pairs": [["en", "dee"]]}, "unknown language 'dee'; did you mean de?"),
        ({"language_pairs": [["en", "en"]]}, "en to en is not a translation"),
        ({"generation": {"settings": ["seem"]}}, "unknown setting 'seem'; did you mean seen?"),
        ({"generation": {"layers": [-1]}}, "generation.layers"),
        ({"format": 2}, "study format 2, this gainsift reads format 1"),
        ({"contrasts": [{"name": "c", "from": {"checkpoint": "erly"}, "to": {"checkpoint": "late"}}]}, "did you mean"),
        (
            {
                "contrasts": [
                    {"name": "c", "from": {"checkpoint": "early", "setting": "tgt"}, "to": {"checkpoint": "late"}}
                ]
            },
            "names its layer",
        ),
        ({"words": {"source": "multi_simlex"}}, "needs a file"),
        ({"annotation": {"annotators": [{"name": "a"}, {"name": "a"}]}}, "annotator names must differ"),
        ({"annotation": {"annotators": [{"name": "a", "languages": ["xx"]}]}}, "unknown language 'xx'"),
        ({"annotation": {"rows": {"settings": ["seem"]}}}, "unknown setting 'seem'; did you mean seen?"),
        ({"annotation": {"rows": {"layers": [7]}}, "generation": {"layers": [1, 2]}}, "names layer 7, which"),
        ({"generation": {"settings": ["tgt"]}, "contrasts": [CONTRAST]}, "names setting 'unpatched', which"),
        ({"contrasts": [CONTRAST, CONTRAST]}, "contrast 'c' stands twice"),
        ({"language_pairs": [["en", "de"], ["en", "de"]]}, "en to de stands twice"),
        ({"analysis": {"seed": -1}}, "analysis.seed"),
    ],
)
def test_a_mistake_is_named_in_one_line(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as caught:
        load(tmp_path, **changes)
    assert message in str(caught.value)
    assert "study.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text("name: s\n")
    with pytest.raises(UserError, match="key 'model' is missing"):
        load_config(path)


@pytest.mark.parametrize("text", ["a: [1", "- 1\n- 2\n", "", "a: !!python/object:os.system {}", "\t"])
def test_what_is_no_study_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        load_config(path)
    assert "\n" not in str(caught.value)


def test_a_key_that_stands_twice_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text("name: s\nmodel: {}\nname: t\n")
    with pytest.raises(UserError, match=r"study\.yaml:3: not YAML: key 'name' stands twice"):
        load_config(path)


def test_norwegian_is_no_truth_value(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    text = "name: s\nmodel: {name: m, checkpoints: [{name: a, path: b}]}\n"
    path.write_text(text + "trained_languages: [en, no]\nlanguage_pairs: [[en, no]]\n")
    assert load_config(path).languages() == ["en", "no"]


def test_a_folder_or_a_lone_surrogate_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        load_config(tmp_path)
    with pytest.raises(UserError, match="not YAML"):
        load(tmp_path, description="\ud800")


def test_wrong_encoding_is_named(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_bytes("name: Übung".encode("latin-1"))
    with pytest.raises(UserError, match=r"study\.yaml:1: not UTF-8 at byte 6"):
        load_config(path)


THREE = {"name": "m", "checkpoints": [{"name": name, "path": name} for name in ("one", "two", "three")]}


def test_contrasts_along_a_series_are_all_steps_and_the_whole_way(tmp_path: Path) -> None:
    along = [{"setting": "tgt", "layer": 2}, {"setting": "unpatched", "checkpoints": ["last", "one"]}]
    config = load(tmp_path, model=THREE, contrasts_along=along)
    ends = [(one.a.checkpoint, one.b.checkpoint, one.b.layer) for one in config.every_contrast()]
    assert ends == [("one", "two", 2), ("two", "three", 2), ("one", "three", 2), ("one", "three", None)]
    assert len({one.name for one in config.every_contrast()}) == 4
    assert config.judged_layers() == {2}
    rows = {"rows": {"checkpoints": ["two", "last"]}}
    config = load(tmp_path, model=THREE, contrasts_along=[{}], annotation=rows)
    assert [one.name for one in config.every_contrast()] == ["unpatched: two to three"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"contrasts_along": [{"setting": "tgt"}]}, "names its layer"),
        ({"contrasts_along": [{"checkpoints": ["early"]}]}, "needs two checkpoints"),
        ({"contrasts_along": [{"checkpoints": ["erly", "late"]}]}, "did you mean early"),
        ({"contrasts_along": [{}, {}]}, "stands twice"),
        ({"analysis": {"trends": [{"setting": "seem"}]}}, "unknown setting 'seem'"),
        ({"analysis": {"correction": "none"}}, "analysis.correction"),
        ({"analysis": {"verdict": "median"}}, "analysis.verdict"),
        ({"analysis": {"interval": "normal"}}, "analysis.interval"),
    ],
)
def test_a_mistake_in_a_series_is_named(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as caught:
        load(tmp_path, **changes)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
