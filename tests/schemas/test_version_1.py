"""A study of format version 1, as the first release wrote it, still opens. Its files are never made anew."""

from __future__ import annotations

import json
from pathlib import Path

from gainsift.schemas.files import append_jsonl, read_jsonl
from gainsift.schemas.rows import Annotation
from gainsift.schemas.study import ANNOTATION_FORMAT, Study
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


def test_what_version_1_did_not_know_has_its_default() -> None:
    """No audit, no role but the ordinary one, no automatic label, no assignments."""
    study = Study.open(FOLDER)
    assert [(link["audit_probability"], link["asked"]) for link in study.links().to_pylist()] == [(1.0, True)] * 2
    (line,) = study.annotations()
    assert (line.format, line.role, line.disagreement, line.problems) == ("annotation/2", "main", None, [])
    assert (line.prelabel, line.prelabel_shown) == (None, False)
    assert study.assignments() == []
    spec = study.config.annotation
    assert (spec.overlap, spec.calibration, spec.repeats, spec.controls, spec.prelabels) == ("all", 0, 0, 0, "off")


def test_a_file_may_hold_lines_of_both_versions(tmp_path: Path) -> None:
    """A study that was begun under version 1 goes on: its old lines are read beside the new ones."""
    old = FOLDER / "annotations.jsonl"
    file = tmp_path / "annotations.jsonl"
    file.write_bytes(old.read_bytes())
    (line,) = read_jsonl(old, Annotation, ANNOTATION_FORMAT, "import")
    later = line.model_copy(update={"label": "plain_copy", "role": "calibration"})
    append_jsonl(file, [later], ANNOTATION_FORMAT)
    assert [json.loads(text)["format"] for text in file.read_text("utf-8").splitlines()] == [
        "annotation/1", "annotation/2",
    ]  # fmt: skip
    assert read_jsonl(file, Annotation, ANNOTATION_FORMAT, "import") == [line, later]
