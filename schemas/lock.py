"""lock.json: what the analysis will ask, fixed by hash before anybody knows the answers, and what changed since."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from gainsift.schemas.config import StudyConfig
from gainsift.schemas.errors import UserError
from gainsift.schemas.families import word_families
from gainsift.schemas.files import parse_line, write_json
from gainsift.schemas.model import CheckpointSpec
from gainsift.schemas.provenance import now
from gainsift.schemas.record import Record, fingerprint
from gainsift.schemas.rows import Annotation
from gainsift.schemas.study import Study

LOCK_FORMAT = "lock/1"
NOT_ANALYSIS = frozenset(
    {"format", "name", "id", "description", "model", "words", "generation", "taxonomy", "annotation", "release"}
)  # fmt: skip
"""Keys of study.yaml that decide no figure, or do so by what stands elsewhere in the plan."""
OF_ANNOTATION = ("rows", "overlap", "round", "prelabels", "audit")
"""Of the annotation section: which outputs are judged, how often, and what no person is asked about."""


class Lock(Record):
    """The frozen plan. `frozen` holds it in full, so that a deviation can be told in words; `hash` is of `frozen`."""

    format: Literal["lock/1"] = Field(default="lock/1", description="Kind and version of the file.")
    locked: str = Field(description="ISO 8601, UTC.", json_schema_extra={"unit": "ISO 8601"})
    late: bool = Field(description="Whether people had judged before.")
    judgements: int = Field(ge=0, description="Judgements by people that were known then.")
    frozen: dict[str, Any] = Field(description="Every key and hash that decides a figure.")
    hash: str = Field(description="SHA-256 of `frozen`, 16 digits.")


def lock_file(study: Study) -> Path:
    return study.folder / "lock.json"


def plan_of(study: Study) -> dict[str, Any]:
    """What is frozen: every key of study.yaml that decides a figure, kinds and buckets, right answers, clusters.

    Contrasts name their layer and conditions; `analysis` holds seeds, families of tests, corrections and the verdict
    rule, whatever keys that section has. Checkpoints stand with step and tokens, which trends are taken over. Each
    concept (what counts as right, its flags) and the word families (the clusters of every interval) are hashes.
    """
    config = study.config
    plan: dict[str, Any] = {
        key: value
        for key, value in config.model_dump(mode="json", by_alias=True).items()
        if key not in NOT_ANALYSIS
    }  # fmt: skip
    plan["contrasts"] = {contrast.pop("name"): contrast for contrast in plan["contrasts"]}
    plan["checkpoints"] = [_placed(checkpoint) for checkpoint in config.model.checkpoints]
    plan["layers"] = sorted(config.judged_layers())
    plan["generation"] = {"max_new_tokens": config.generation.max_new_tokens}
    plan["annotation"] = {key: config.annotation.model_dump(mode="json")[key] for key in OF_ANNOTATION}
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
        plan["words"] = {name: fingerprint([one.fingerprint(), one.flags]) for name, one in study.concepts.items()}
    return plan


def _placed(checkpoint: CheckpointSpec) -> str:
    """`c1 (step 100, 5000 tokens)`."""
    tokens = f", {checkpoint.tokens} tokens" if checkpoint.tokens else ""
    return f"{checkpoint.name} (step {checkpoint.step}{tokens})"


def judged_by_people(study: Study) -> list[Annotation]:
    """The judgements of this study by people that are known, taken back or not."""
    return [
        line
        for line in study.last_lines().values()
        if line.study == study.id and line.source in ("human", "adjudicated") and line.label is not None
    ]


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
    known = len(judged_by_people(study))
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

    A lock that came late, or was edited, is itself one, and so are judgements that are older than the lock.
    """
    if not lock_file(study).exists():
        return []
    locked = read_lock(study)
    found = []
    if locked.late:
        found.append(f"The plan was locked late: the number of known judgements by people was {locked.judgements}.")
    earlier = sum(_made_before(line, locked.locked) for line in judged_by_people(study))
    if earlier > locked.judgements:
        found.append(
            f"Made before the plan was locked: {earlier} judgement{'s' * (earlier != 1)} by people; known"
            f" then: {locked.judgements}."
        )
    if fingerprint(locked.frozen, 64) != locked.hash:
        found.append("lock.json was edited: what it holds is not what was locked.")
    frozen, today = dict(locked.frozen), plan_of(study)
    words = _words_changed(frozen.pop("words", {}), today.pop("words", {}))
    if "word_families" not in frozen:  # locked before the concepts were drawn up
        today.pop("word_families", None)
    return found + [_told(*change) for change in _changes(frozen, _comparable(today, frozen))] + words


def statement(study: Study, found: Sequence[str]) -> str:
    """Whether there is a lock, since when, and what has come of it, in one or two sentences; `found`: `deviations`."""
    if not lock_file(study).exists():
        return "The plan of this analysis is not locked (gainsift lock)."
    made = read_lock(study)
    when = "after people had judged" if made.late else "before the first judgement of a person came home"
    told = "nothing deviates from it" if not found else f"deviations: {len(found)}, listed at the top"
    return f"The plan of this analysis was locked on {made.locked}, {when}, with hash {made.hash}; {told}."


def _made_before(line: Annotation, moment: str) -> bool:
    """Whether the tool says that the judgement was made earlier; not where it gives no time, or one without a zone."""
    try:
        made = datetime.fromisoformat(line.created_at or "")
        return made < datetime.fromisoformat(moment)
    except (ValueError, TypeError):
        return False


def _words_changed(frozen: Mapping[str, str], today: Mapping[str, str]) -> list[str]:
    """One sentence for the concepts that changed, one for those that came, one for those that went."""
    kinds = {
        "changed since they were locked": [name for name in frozen if name in today and today[name] != frozen[name]],
        "added since": [name for name in today if name not in frozen] if frozen else [],
        "gone": [name for name in frozen if name not in today],
    }
    return [
        f"words, {what}: {', '.join(names[:_LISTED])}"
        + (f" and {len(names) - _LISTED} more" if len(names) > _LISTED else "") + "."
        for what, names in kinds.items() if names
    ]  # fmt: skip


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
_LISTED = 10
"""Concepts that a sentence names."""


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
        return ", ".join(f"{key} {_shown(one)}" for key, one in value.items() if one not in (None, [])) or "empty"
    if isinstance(value, list):
        inner = ("–".join(map(str, one)) if isinstance(one, list) else _shown(one) for one in value)
        return ", ".join(inner) or "empty"
    return "none" if value is None else str(value)
