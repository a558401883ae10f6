"""How text is shown to annotators: exactly, with spaces and invisible characters made visible, never as markup."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from gainsift.schemas.concepts import Concept, Sense
from gainsift.schemas.languages import LANGUAGES
from gainsift.schemas.rows import Item
from gainsift.schemas.taxonomy import NOT_LISTED

SPACE = "\u2423"  # ␣
HOLDER = "\u25cc"  # ◌ carries a combining mark that has no letter before it
NOTHING = "∅ no answer"
NOT_LISTED_KEY = "n"
_OWN_SIGNS = {SPACE, HOLDER, "⟨", "⟩"}
_TURNING = {"R", "AL", "AN", "RLE", "RLO", "RLI", "LRE", "LRO", "LRI", "FSI", "PDF", "PDI"}
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zs", "Zl", "Zp"}


def _pieces(text: str) -> list[tuple[str, bool]]:
    """(what is shown, whether it is a mark of ours) for each character."""
    pieces: list[tuple[str, bool]] = []
    after_letter = False
    for character in text:
        category = unicodedata.category(character)
        variation = "\ufe00" <= character <= "\ufe0f"
        if character == " ":
            pieces.append((SPACE, True))
        elif category in _UNSEEN or variation or character in _OWN_SIGNS:
            pieces.append((f"⟨U+{ord(character):04X}⟩", True))
        elif category.startswith("M") and not after_letter:
            pieces.append((HOLDER, True))
            pieces.append((character, False))
        else:
            pieces.append((character, False))
        after_letter = not pieces[-1][1]
    return pieces


def visible(text: str) -> str:
    """`text` with a sign for every space and ⟨U+XXXX⟩ for every character that would not be seen.

    Different texts give different results: the signs themselves are written as ⟨U+XXXX⟩.
    """
    return "".join(piece for piece, _ in _pieces(text))


def escaped(text: str) -> str:
    """HTML in which everything but letters, marks and digits is a numeric character reference.

    Stricter than HTML needs, so that no template language, address resolver or variable of the labelling tool
    finds anything in it either.
    """
    return "".join(map(_reference, text))


@lru_cache(4096)
def _reference(character: str) -> str:
    plain = unicodedata.category(character)[0] in "LM" or character.isdigit()
    return character if plain else f"&#{ord(character)};"


def answer_html(answer: str) -> str:
    """The answer as the labelling page shows it; our own signs carry the class `gs-mark`."""
    if not answer:
        body = f'<span class="gs-mark">{escaped(NOTHING)}</span>'
    else:
        body = "".join(
            f'<span class="gs-mark">{escaped(piece)}</span>' if mark else escaped(piece)
            for piece, mark in _pieces(answer)
        )
    return f'<div class="gs-answer"><bdi dir="auto">{body}</bdi></div>'


def listed(concept: Concept, language: str) -> str:
    """The right forms in a language: reference forms, then accepted ones after `also`."""
    text = _in_a_row(concept.reference.get(language, [])) or "(none listed)"
    accepted = _in_a_row(concept.accepted.get(language, []))
    return text + (f" (also: {accepted})" if accepted else "")


def _in_a_row(forms: list[str]) -> str:
    return ", ".join(map(_isolated, forms))


def _isolated(form: str) -> str:
    """A form that runs from right to left keeps to itself, so that commas and brackets around it stay in place."""
    turned = any(unicodedata.bidirectional(character) in _TURNING for character in form)
    return f"\u2068{form}\u2069" if turned else form


def direction(item: Item) -> str:
    """`English → German`."""
    return f"{LANGUAGES[item.input_language].english} → {LANGUAGES[item.output_language].english}"


def senses_of(intended: Concept, other: Concept) -> list[Sense]:
    """The senses that an annotator can pick: other meanings of the words of both concepts, each once.

    The same for every item of the two concepts, patched or not. The concepts themselves are no choice: an answer
    that expresses one of them is `correct` or `other_concept`.
    """
    own = {intended.id, other.id}
    found: dict[str, Sense] = {}
    for sense in [*intended.senses, *other.senses]:
        if sense.id not in own:
            found.setdefault(sense.id, sense)
    return list(found.values())


def sense_choices(intended: Concept, other: Concept, language: str) -> list[dict[str, str]]:
    """The dynamic choices of an item; `alias` is what the result holds. `not listed` is always there, last."""
    choices = []
    for sense in senses_of(intended, other):
        forms = _in_a_row(sense.forms.get(language, []))
        choices.append({"value": sense.gloss + (f" ({forms})" if forms else ""), "alias": sense.id})
    choices.append({"value": "another sense, not listed", "alias": NOT_LISTED})
    # the tool reads $name as a reference to task data, and shows one of two choices that read the same
    seen: dict[str, int] = {}
    for choice in choices:
        text = choice["value"].replace("$", "＄")
        seen[text] = seen.get(text, 0) + 1
        choice["value"] = text if seen[text] == 1 else f"{text} [{seen[text]}]"
    return choices


def with_hotkeys(choices: list[dict[str, str]], keys: str) -> list[dict[str, str]]:
    """The sense choices with `keys` as their hotkeys, in order; `not listed`, the last one, has its own on every page.

    Senses beyond the last key are chosen with the mouse.
    """
    keyed = [choice | {"hotkey": key} for choice, key in zip(choices[:-1], keys, strict=False)]
    return [*keyed, *choices[len(keyed) : -1], choices[-1] | {"hotkey": NOT_LISTED_KEY}]
