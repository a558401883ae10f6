"""Equal outputs become one item: what is judged once, however many rows say it.

`copied_from` is part of the key and never shown, so two items may look the same to an annotator. English
*bouquet* to French, answer "bouquet": where the prompts gave the English word it repeats a given form
(`shown`); where they gave other languages' words alone it repeats nothing (`none`). The two are judged apart because
a judgement may be right for one and wrong for the other: a copy label, or another sense, holds only for rows whose
prompts gave the word. One judgement for both would fan out to rows that it is not about. The price is that a person
meets such an answer twice; telling them why would show what the blinding hides.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
import pandas as pd

from gainsift.annotation.copying import copied_from
from gainsift.schemas.concepts import Concept
from gainsift.schemas.errors import UserError
from gainsift.schemas.given import GivenForm, given_forms
from gainsift.schemas.rows import CopiedFrom, Item, item_answer
from gainsift.schemas.study import Study
from gainsift.schemas.success import succeeds

KEY = [
    "input_language", "output_language", "intended_concept", "other_concept", "shown_word", "answer", "closed",
]  # fmt: skip
"""The columns of an item's key, before `copied_from`."""


def merge(study: Study, rows: pd.DataFrame) -> tuple[dict[str, Item], pd.Series[str]]:
    """The distinct items of `rows` by id, and for each row its item id.

    `rows` needs the columns of KEY, setting and prompt. Each distinct key is hashed once. Raises UserError for a
    concept that concepts.jsonl lacks.
    """
    named = {*rows["intended_concept"].unique(), *rows["other_concept"].unique()}
    for name in sorted(named - study.concepts.keys()):
        raise UserError(
            str(study.concepts_file), f"concept {name!r} of the translations is missing", "restore the file"
        )
    keyed = rows[[*KEY, "setting", "prompt"]].copy()
    keyed["answer"] = keyed["answer"].map({answer: item_answer(answer) for answer in keyed["answer"].unique()})
    keyed["copied_from"] = _copied(keyed, study.concepts, tuple(study.config.trained_languages))

    key = [*KEY, "copied_from"]
    groups = keyed.groupby(key, sort=False).ngroup().to_numpy()
    version = study.taxonomy.version
    found = [
        Item.of(version, given, out, intended, other, shown, answer, bool(closed), copied)
        for given, out, intended, other, shown, answer, closed, copied in keyed[key]
        .drop_duplicates()
        .itertuples(index=False, name=None)
    ]
    ids = np.array([item.item_id for item in found], dtype=object)
    return {item.item_id: item for item in found}, pd.Series(ids[groups], index=rows.index, dtype="str")


def successes(study: Study, items: Mapping[str, Item]) -> dict[str, bool]:
    """Automatic success by item id.

    It is the same for all rows of an item: it looks at the answer, whether that ended, the intended concept and the
    output language, which are all in the key, and not at what the key leaves open (outer spaces, NFC).
    """
    rule, concepts = study.config.success, study.concepts
    return {
        name: succeeds(
            item.answer,
            item.closed,
            concepts[item.intended_concept].reference.get(item.output_language, []),
            item.output_language,
            rule,
        )
        for name, item in items.items()
    }


def _copied(keyed: pd.DataFrame, concepts: Mapping[str, Concept], trained: tuple[str, ...]) -> list[CopiedFrom]:
    """`copied_from` of each row, worked out once for each distinct combination."""

    @cache
    def given(setting: str, prompt: str, pair: tuple[str, str], intended: str, other: str) -> list[GivenForm]:
        return given_forms(setting, prompt, pair, trained, concepts[intended], concepts[other])

    columns = ["setting", "prompt", "input_language", "output_language", "intended_concept", "other_concept", "answer"]
    groups = keyed.groupby(columns, sort=False).ngroup().to_numpy()
    found: list[CopiedFrom] = []
    for setting, prompt, into, out, intended, other, answer in (
        keyed[columns].drop_duplicates().itertuples(index=False, name=None)
    ):
        forms = given(setting, prompt, (into, out), intended, other)
        found.append(copied_from(answer, forms, intended, other, into))
    return [found[group] for group in groups]
