"""checkpoints.json of version 1, as it was written, and a study that is read through it without any network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from gainsift.schemas.errors import UserError
from gainsift.schemas.fixed_checkpoints import FixedCheckpoints, read_fixed, write_fixed
from gainsift.schemas.study import Study

VERSION_1 = """{
  "format": "checkpoints/1",
  "fixed": "2026-11-27T12:10:43+00:00",
  "series": {
    "repo": "lab/small",
    "policy": "every:2"
  },
  "checkpoints": [
    {
      "path": "",
      "repo": "lab/small",
      "revision": "step10",
      "commit": "9456278023e0ecfb7ca992ee22eb5fedf3bc6bc7",
      "name": "step10",
      "gguf_file": null,
      "tokenizer": {"path": "", "repo": "lab/words", "revision": "main",
                    "commit": "2a7a76d900a116e086261d7388e042e7c97b4a59"},
      "step": 10,
      "tokens": 4000000000,
      "dtype": "bfloat16"
    },
    {
      "path": "",
      "repo": "lab/small",
      "revision": "step30",
      "commit": "ea067818f48b16e086261d7388e042e7c97b4a59",
      "name": "step30",
      "gguf_file": null,
      "tokenizer": null,
      "step": 30,
      "tokens": 0,
      "dtype": "float32"
    }
  ]
}
"""
CONFIG: dict[str, Any] = {
    "name": "s",
    "model": {"name": "m", "series": {"repo": "lab/small", "policy": "every:2"}},
    "trained_languages": ["en", "de"],
    "language_pairs": [["en", "de"]],
    "contrasts": [{"name": "c", "from": {"checkpoint": "first"}, "to": {"checkpoint": "step30"}}],
    "contrasts_along": [{"setting": "unpatched"}],
}


def study_in(folder: Path, fixed: str | None = VERSION_1, **model: Any) -> Path:
    data = {**CONFIG, "model": {**CONFIG["model"], **model}} if model else CONFIG
    (folder / "study.yaml").write_text(yaml.safe_dump(data), "utf-8")
    if fixed is not None:
        (folder / "checkpoints.json").write_text(fixed, "utf-8")
    return folder


def test_a_series_is_a_list_for_everything_that_follows(tmp_path: Path) -> None:
    study = Study.open(study_in(tmp_path))
    first, last = study.config.model.checkpoints
    assert (first.name, first.tokens, first.dtype, last.step) == ("step10", 4 * 10**9, "bfloat16", 30)
    assert first.tokenizer is not None
    assert first.tokenizer.repo == "lab/words"
    assert study.config.checkpoint("last") == last
    assert [contrast.name for contrast in study.config.every_contrast()] == ["c", "unpatched: step10 to step30"]


def test_writing_it_again_changes_no_word(tmp_path: Path) -> None:
    fixed = read_fixed(study_in(tmp_path))
    assert fixed is not None
    write_fixed(tmp_path, fixed)
    assert json.loads((tmp_path / "checkpoints.json").read_text("utf-8")) == json.loads(VERSION_1)
    assert read_fixed(tmp_path) == fixed


def test_without_the_file_the_command_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"study\.yaml: model\.series: is not resolved .* run `gainsift checkpoints"):
        Study.open(study_in(tmp_path, fixed=None))


def test_a_file_of_another_series_or_version_is_refused(tmp_path: Path) -> None:
    changed = study_in(tmp_path, series={"repo": "lab/small", "policy": "all"})
    with pytest.raises(UserError, match=r"checkpoints\.json: was resolved from another model\.series"):
        Study.open(changed)
    with pytest.raises(UserError, match=r"checkpoints\.json: expected format checkpoints/1, found checkpoints/9"):
        Study.open(study_in(tmp_path, VERSION_1.replace("checkpoints/1", "checkpoints/9")))
    fixed = FixedCheckpoints.model_validate_json(VERSION_1)
    with pytest.raises(UserError, match="found checkpoints/9"):  # a newer file is not replaced
        write_fixed(tmp_path, fixed)


def test_a_name_that_the_list_lacks_is_noticed_where_contrasts_name_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"study\.yaml: .*step30"):
        Study.open(study_in(tmp_path, VERSION_1.replace('"name": "step30"', '"name": "step31"')))


def test_a_list_takes_commits_from_the_file_and_all_else_from_study_yaml(tmp_path: Path) -> None:
    listed = [
        {"name": "step10", "repo": "lab/small", "revision": "step10", "step": 11, "dtype": "float16",
         "tokenizer": {"repo": "lab/words"}},
        {"name": "step30", "repo": "lab/small", "revision": "step31"},
        {"name": "here", "path": "c", "dtype": "float16"},
    ]  # fmt: skip
    fixed = json.loads(VERSION_1)
    fixed["series"] = None
    fixed["checkpoints"].append({"name": "here", "path": "c"})
    folder = study_in(tmp_path, json.dumps(fixed), series=None, checkpoints=listed)
    first, other, here = Study.open(folder).config.model.checkpoints
    assert (first.commit[:4], first.step, first.tokens, first.dtype) == ("9456", 11, 0, "float16")
    assert first.tokenizer is not None
    assert first.tokenizer.commit[:4] == "2a7a"
    assert other.commit == ""  # another revision than the one that was fixed
    assert (here.path, here.dtype) == ("c", "float16")
