"""Which outputs of the study the analysis uses, and whether they hold what the contrasts ask for."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pyarrow as pa
import pyarrow.compute as pc

from gainsift.schemas.config import Condition, StudyConfig
from gainsift.schemas.errors import UserError
from gainsift.schemas.settings import UNPATCHED
from gainsift.schemas.study import Study
from gainsift.schemas.success import succeeds


def condition_mask(table: pa.Table, config: StudyConfig, condition: Condition) -> pa.Array:
    """Which rows of a translations table belong to one column of a contrast."""
    mask = pc.equal(table["checkpoint"], config.checkpoint(condition.checkpoint).name)
    mask = pc.and_(mask, pc.equal(table["setting"], condition.setting))
    mask = pc.and_(mask, pc.equal(table["prompt"], condition.asked()))
    layer = table["layer"]
    same = pc.is_null(layer) if condition.layer is None else pc.fill_null(pc.equal(layer, condition.layer), False)
    return pc.and_(mask, same)


def excluded_concepts(study: Study) -> set[str]:
    """The concepts whose outputs the study leaves out of every table: those flagged `sense_split`, if it says so."""
    if not study.config.analysis.exclude_sense_split:
        return set()
    return {name for name, concept in study.concepts.items() if "sense_split" in concept.flags}


def scorer(study: Study, accepted: bool = False) -> Callable[[str, str, str, bool], bool]:
    """Whether an answer succeeds by the study's rule, from (concept, language, answer, closed); each is asked once.

    `accepted`: forms that the words merely accept succeed, too.
    """
    rule, concepts = study.config.success, study.concepts

    @cache
    def success(concept: str, language: str, answer: str, closed: bool) -> bool:
        forms = concepts[concept].reference.get(language, [])
        if accepted:
            forms = [*forms, *concepts[concept].accepted.get(language, [])]
        return succeeds(answer, closed, forms, language, rule)

    return success


def check_contrasts(table: pa.Table, study: Study) -> None:
    """Raises UserError for a condition whose setting, prompt or layer no output has, and names what there is.

    A checkpoint without outputs is no mistake: it may not have been generated yet.
    """
    for contrast in study.config.every_contrast():
        for side, asked in (("from", contrast.a), ("to", contrast.b)):
            here = table.filter(pc.equal(table["setting"], asked.setting))
            if not len(here):
                raise _nothing(study, contrast.name, side, f"setting {asked.setting!r}", "settings", table["setting"])
            if asked.setting == UNPATCHED:
                if not pc.any(pc.equal(here["prompt"], asked.asked())).as_py():
                    what = f"{asked.setting} {asked.asked()} prompts"
                    raise _nothing(study, contrast.name, side, what, "prompts", here["prompt"])
            elif not pc.any(pc.equal(here["layer"], asked.layer)).as_py():
                what = f"layer {asked.layer} of setting {asked.setting!r}"
                raise _nothing(study, contrast.name, side, what, "layers", here["layer"])


def _nothing(study: Study, contrast: str, side: str, what: str, kind: str, column: pa.ChunkedArray) -> UserError:
    known = ", ".join(str(name) for name in sorted(pc.unique(column).drop_null().to_pylist())) or "none"
    return UserError(
        str(study.config_file),
        f"contrast {contrast!r}, {side}: no output has {what} ({kind} that there are: {known})",
        f"mend the contrast or run `gainsift generate {study.folder}`",
    )
