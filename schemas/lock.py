"""lock.json: what the analysis will ask, fixed by hash before anybody knows the answers, and what changed since."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from gainsift.schemas.config import StudyConfig
from gainsift.schemas.errors import UserError
from gainsift.schemas.families import word_families
from gainsift.schemas.files import parse_line, write_json
from gainsift.schemas.provenance import now
from gainsift.schemas.record import Record, fingerprint
from gainsift.schemas.study import Study

LOCK_FORMAT = "lock/1"
NOT_ANALYSIS = frozenset(
    {"format", "name", "id", "description", "model", "trained_languages", "language_pairs", "words", "prompts",
     "generation", "taxonomy", "annotation", "release"}
)  # fmt: skip
"""Keys of study.yaml that say how outputs and judgements come about. All others say what is asked of them."""


class Lock(Record):
    """The frozen plan. `frozen` holds it in full, so that a deviation can be told in words; `hash` is of `frozen`."""

    format: Literal["lock/1"] = "lock/1"
    locked: str = Field(description="ISO 8601, UTC.")
    late: bool = Field(description="Whether people had judged before.")
    judgements: int = Field(ge=0, description="Judgements by people that were known then.")
    frozen: dict[str, Any]
    hash: str


def lock_file(study: Study) -> Path:
    return study.folder / "lock.json"


def plan_of(study: Study) -> dict[str, Any]:
    """What is frozen: every key of study.yaml that the analysis reads, checkpoints, judged layers, kinds, clusters.

    Contrasts name their layer and conditions; `analysis` holds seeds, families of tests, corrections and the verdict
    rule, whatever keys that section has. Word families, the clusters of every interval, go in as a hash.
    """
    config = study.config
    plan: dict[str, Any] = {
        key: value
        for key, value in config.model_dump(mode="json", by_alias=True).items()
        if key not in NOT_ANALYSIS
    }  # fmt: skip
    plan["contrasts"] = {contrast.pop("name"): contrast for contrast in plan["contrasts"]}
    plan["checkpoints"] = [checkpoint.name for checkpoint in config.model.checkpoints]
    plan["layers"] = sorted(config.judged_layers())
    plan["taxonomy"] = {
        "buckets": dict(study.taxonomy.buckets),
        "categories": {
            category.id: {
                "definition": category.fingerprint(),
                **{key: getattr(category, key) for key in ("kind", "bucket", "kind_unpatched", "bucket_unpatched")},
            }
            for category in study.taxonomy.categories
        },
    }
    if study.concepts_file.exists():
        plan["word_families"] = fingerprint(word_families(study.concepts.values()))
    return plan


def judged_by_people(study: Study) -> int:
    """How many judgements of this study by people are known, taken back or not."""
    lines = study.last_lines().values()
    return sum(
        line.study == study.id and line.source in ("human", "adjudicated") and line.label is not None for line in lines
    )


def lock(study: Study, late: bool = False) -> Lock:
    """Freeze the plan into lock.json. Raises UserError if it is frozen already, or people have judged and not `late`.

    With `late` the lock says so, and how many judgements there were.
    """
    file = lock_file(study)
    if file.exists():
        raise UserError(
            str(file),
            f"the plan was locked on {read_lock(study).locked}",
            "a lock stays; the report lists what was changed since (`gainsift lock --check`)",
        )
    known = judged_by_people(study)
    if known and not late:
        raise UserError(
            str(study.annotations_file),
            f"{known} judgement{'s' * (known > 1)} by people are there: a plan is locked before the first one",
            "`gainsift lock --late` locks it now, and says so in the report",
        )
    frozen = plan_of(study)
    made = Lock(locked=now(), late=known > 0, judgements=known, frozen=frozen, hash=fingerprint(frozen, 64))
    write_json(file, made)
    return made


def read_lock(study: Study) -> Lock:
    """The lock of a study that has one. Raises UserError if it is damaged or of another version."""
    file = lock_file(study)
    try:
        return parse_line(file.read_bytes(), Lock, LOCK_FORMAT, str(file))
    except OSError as error:
        raise UserError(str(file), f"cannot be read ({error.strerror})", "run `gainsift lock` first") from None


def deviations(study: Study) -> list[str]:
    """What is no longer as it was locked, in words, one sentence each; empty without a lock, or if all holds.

    A lock that came late, or was edited, is itself one.
    """
    if not lock_file(study).exists():
        return []
    locked = read_lock(study)
    found = []
    if locked.late:
        found.append(f"The plan was locked late: the number of known judgements by people was {locked.judgements}.")
    if fingerprint(locked.frozen, 64) != locked.hash:
        found.append("lock.json was edited: what it holds is not what was locked.")
    today = plan_of(study)
    if "word_families" not in locked.frozen:  # locked before the concepts were drawn up
        today.pop("word_families", None)
    return found + [_told(*change) for change in _changes(locked.frozen, _comparable(today, locked.frozen))]


def _comparable(today: dict[str, Any], frozen: Mapping[str, Any]) -> dict[str, Any]:
    """Today's plan without keys that the lock's gainsift did not know and that are at their default."""
    defaults = {
        name: field.get_default(call_default_factory=True) for name, field in StudyConfig.model_fields.items()
    }  # fmt: skip
    kept = {}
    for key, value in today.items():
        default = defaults.get(key)
        plain = default.model_dump(mode="json", by_alias=True) if isinstance(default, Record) else default
        if key not in frozen and value == plain:
            continue
        if isinstance(plain, dict) and isinstance(value, dict) and isinstance(frozen.get(key), dict):
            value = {k: v for k, v in value.items() if k in frozen[key] or k not in plain or v != plain[k]}
        kept[key] = value
    return kept


_ABSENT = object()


def _changes(frozen: Any, today: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """(path, what was locked, what it is now) of each leaf that differs; a list is a leaf."""
    if isinstance(frozen, dict) and isinstance(today, dict):
        for key in [*frozen, *(key for key in today if key not in frozen)]:
            yield from _changes(frozen.get(key, _ABSENT), today.get(key, _ABSENT), (*path, str(key)))
    elif frozen != today:
        yield path, frozen, today


def _told(path: tuple[str, ...], frozen: Any, today: Any) -> str:
    name = " → ".join(path)
    if path[-1] in ("word_families", "definition"):
        return f"{name}: changed since it was locked."
    if frozen is _ABSENT:
        return f"{name}: added since; it is {_shown(today)}."
    if today is _ABSENT:
        return f"{name}: locked as {_shown(frozen)}; it is gone."
    return f"{name}: locked as {_shown(frozen)}; now {_shown(today)}."


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_shown(one)}" for key, one in value.items() if one is not None) or "empty"
    if isinstance(value, list):
        return ", ".join(map(_shown, value)) or "empty"
    return "none" if value is None else str(value)
