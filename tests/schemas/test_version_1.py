"""A study of format version 1, as the first release wrote it, still opens. Its files are never made anew."""

from __future__ import annotations

from pathlib import Path

from gainsift.schemas.study import Study
from gainsift.schemas.validity import validity

FOLDER = Path(__file__).parent / "version_1"


def test_every_file_of_version_1_opens() -> None:
    study = Study.open(FOLDER)
    assert study.config.name == "old-study"
    assert study.taxonomy.category("homograph_copy").bucket == "homograph_copying"
    assert study.concepts["gift.present"].lookalikes[0].forms == {"de": ["Gift"], "en": ["poison"]}
    (pair,) = study.prompt_pairs
    assert (pair.source_concept, pair.target_concept) == ("gift.present", "dog.animal")
    unpatched, patched = study.translations().to_pylist()
    assert (unpatched["setting"], unpatched["layer"], patched["layer"]) == ("unpatched", None, 2)
    assert patched["source_mass"] == [0.125, 0.5]
    (item,) = study.items()
    assert (item.answer, item.copied_from) == ("Gift", "shown")
    assert [link["trajectory_probability"] for link in study.links().to_pylist()] == [0.5, 0.5]
    (line,) = study.annotations()
    assert (line.label, line.comment, line.item) == ("homograph_copy", "means poison", item)


def test_ids_and_fingerprints_are_worked_out_as_then() -> None:
    """They tie rows, items and judgements together across releases: a change of the recipe would orphan them."""
    study = Study.open(FOLDER)
    (item,) = study.items()
    rebuilt = type(item).of(**item.model_dump(exclude={"item_id", "content_key"}))
    assert rebuilt == item
    (pair,) = study.prompt_pairs
    ids = pair.source_concept, pair.target_concept, pair.source_shots, pair.target_shots
    assert type(pair).make_id(*ids) == pair.pair_id
    (line,) = study.annotations()
    assert validity(line, study.taxonomy, study.concepts) == "valid"
