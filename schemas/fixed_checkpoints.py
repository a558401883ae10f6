"""checkpoints.json: what a study's series and hub revisions were resolved to, once, so that it stays the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from gainsift.schemas.config import invalid, parse_config
from gainsift.schemas.errors import UserError
from gainsift.schemas.files import parse_line, refuse_newer, write_json
from gainsift.schemas.model import CheckpointSpec, ModelSpec
from gainsift.schemas.record import Record

CHECKPOINTS_FORMAT = "checkpoints/1"


class FixedCheckpoints(Record):
    """The checkpoints in training order, each hub revision with its commit."""

    format: Literal["checkpoints/1"] = Field(default="checkpoints/1", description="Kind and version of the file.")
    fixed: str = Field(description="ISO 8601, UTC.", json_schema_extra={"unit": "ISO 8601"})
    series: dict[str, Any] | None = Field(
        default=None, description="model.series and model.families as they were asked; absent for a list."
    )
    checkpoints: list[CheckpointSpec] = Field(description="In training order.")


def fixed_file(folder: Path) -> Path:
    """Where a study keeps its resolved checkpoints."""
    return folder / "checkpoints.json"


def read_fixed(folder: Path) -> FixedCheckpoints | None:
    """The fixed checkpoints of a study; None before the first resolution. Raises UserError if they are damaged."""
    file = fixed_file(folder)
    if not file.exists():
        return None
    try:
        return parse_line(file.read_bytes(), FixedCheckpoints, CHECKPOINTS_FORMAT, str(file))
    except OSError as error:
        raise UserError(str(file), f"cannot be read ({error.strerror})", "mend its permissions") from None


def write_fixed(folder: Path, fixed: FixedCheckpoints) -> None:
    file = fixed_file(folder)
    refuse_newer(file, CHECKPOINTS_FORMAT)
    write_json(file, fixed)


def model_of(data: dict[str, Any], path: Path) -> ModelSpec:
    """The section `model` of study.yaml alone, as it was asked. Raises UserError."""
    if not isinstance(data.get("model"), dict):
        return parse_config(data, path).model  # which says what is wrong
    try:
        model = ModelSpec.model_validate(data.get("model"))
    except ValidationError as error:
        raise invalid(path, error, "model") from None
    if model.series is not None and model.checkpoints:
        raise UserError(f"{path}: model", "has both checkpoints and series", "keep one of the two")
    return model


def asked_series(model: ModelSpec) -> dict[str, Any] | None:
    """What decides the resolution of a series: the series and the user's own families."""
    if model.series is None:
        return None
    asked = model.series.model_dump(mode="json", exclude_defaults=True)
    families = [family.model_dump(mode="json", exclude_defaults=True) for family in model.families]
    return {**asked, "families": families} if families else asked


def with_fixed(data: dict[str, Any], path: Path, fixed: FixedCheckpoints | None) -> dict[str, Any]:
    """The data of study.yaml with its series as a list and its hub revisions as commits.

    Data without series and hub revisions come back as they are. Raises UserError if a series is not resolved yet, or
    was resolved from another request.
    """
    raw = data.get("model")
    if not isinstance(raw, dict):
        return data
    if raw.get("series") is None:
        return {**data, "model": _with_commits(raw, fixed)} if fixed else data
    model = model_of(data, path)
    if fixed is None:
        raise UserError(
            f"{path}: model.series", "is not resolved into checkpoints yet", f"run `gainsift checkpoints {path.parent}`"
        )
    if fixed.series != asked_series(model):
        raise UserError(
            str(fixed_file(path.parent)), "was resolved from another model.series than study.yaml has now",
            f"put study.yaml back, or resolve anew with `gainsift checkpoints {path.parent} --update`",
        )  # fmt: skip
    listed = [one.model_dump(mode="json", exclude_defaults=True) for one in fixed.checkpoints]
    return {**data, "model": {**raw, "checkpoints": listed}}


def _with_commits(raw: dict[str, Any], fixed: FixedCheckpoints) -> dict[str, Any]:
    """An explicit list: each hub entry that was fixed, as it was fixed."""
    listed = raw.get("checkpoints")
    if not isinstance(listed, list):
        return raw
    return {**raw, "checkpoints": [_with_commit(entry, fixed) for entry in listed]}


def _with_commit(entry: Any, fixed: FixedCheckpoints) -> Any:
    if not isinstance(entry, dict):
        return entry
    try:
        asked = CheckpointSpec.model_validate(entry)
    except ValidationError:  # the whole file is checked afterwards, and named there
        return entry
    return same_as_fixed(asked, fixed).model_dump(mode="json", exclude_defaults=True)


def same_as_fixed(asked: CheckpointSpec, fixed: FixedCheckpoints) -> CheckpointSpec:
    """The entry with the commits that its revisions were fixed to, itself where they were not."""
    for one in fixed.checkpoints:
        if one.name == asked.name and _asks(one) == _asks(asked) and asked.commit in ("", one.commit):
            told = {"revision": one.revision, "commit": one.commit, "dtype": asked.dtype or one.dtype}
            return asked.model_copy(update={**told, "tokenizer": one.tokenizer})
    return asked


def _asks(spec: CheckpointSpec) -> list[str | None]:
    """What an entry asks for, whether fixed or not."""
    own = spec.tokenizer
    return [spec.path, spec.repo, spec.asked_revision(), spec.gguf_file] + (
        [own.path, own.repo, own.asked_revision()] if own else []
    )
