"""What must not be published: addresses, telephone numbers, and the names and addresses of the study's private map.

Texts are compared as a reader sees them: capitals, accents, wide letters and characters that cannot be seen make no
difference. A name is found as a whole word; in scripts that put no space between words, anywhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from gainsift.schemas.plain_yaml import load_yaml
from gainsift.schemas.study import Study

EMAIL = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
SPELLED_OUT = re.compile(
    r"[\w.+%-]+\s*(?:[\[({<]\s*(?:at|@)\s*[\])}>])\s*[\w-]+(?:\s*\.|\s*[\[({<]\s*(?:dot|\.))", re.I
)
"""`anna (at) uni.org`, `anna[at]uni[dot]org`."""
TELEPHONE = re.compile(r"(?<![\w+])\+\d[\d ()/.-]{6,}\d")
RESERVED = (".example", ".invalid", ".test", "@example.com", "@example.org", "@example.net")
"""Ends of addresses that nobody can have (RFC 2606)."""
SHORTEST, SHORTEST_UNSPACED = 3, 2
"""Letters of a part of a name from which it is looked for; the latter in scripts that put no space between words."""
UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")
"""How the Unicode names of their letters begin. Hangul has spaces, but particles cling to names."""
_PATH = re.compile(r"(?<![\w.:/\\])(?:~?/|[A-Za-z]:[\\/]|\\\\)[^\s'\"<>]*")


@dataclass(frozen=True)
class Finding:
    """`where` says which text; `what` says what was found without repeating a private name."""

    where: str
    what: str


def as_read(text: str) -> str:
    """Compatibility forms resolved, case folded, without accents and without characters that cannot be seen."""
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    seen = [letter for letter in apart if unicodedata.category(letter) not in ("Mn", "Cf")]
    return unicodedata.normalize("NFC", "".join(seen))


def private_words(study: Study) -> set[str]:
    """Names, parts of names and addresses of the files in private/, `as_read`; pseudonyms are none of them."""
    found: set[str] = set()
    for text in _private_texts(study):
        parts = [] if "@" in text else re.split(r"[\W_]+", text)
        found |= {text, *parts, *(["".join(parts)] if _unspaced(text) else [])}
    return {word for word in found if len(word) >= (SHORTEST_UNSPACED if _unspaced(word) else SHORTEST)}


def private_names(study: Study) -> set[str]:
    """The whole names and addresses alone: what is no word of any text by chance."""
    return {text for text in _private_texts(study) if "@" in text or len(re.split(r"[\W_]+", text)) > 1}


def _private_texts(study: Study) -> Iterator[str]:
    for file in sorted(study.private_folder.glob("*.y*ml")):
        yield from map(as_read, _leaves(load_yaml(file)))


def _leaves(data: Any) -> Iterator[str]:
    if isinstance(data, dict):
        for value in data.values():
            yield from _leaves(value)
    elif isinstance(data, list):
        for value in data:
            yield from _leaves(value)
    elif isinstance(data, str):
        yield data.strip()


def _unspaced(text: str) -> bool:
    return any(unicodedata.name(letter, "").startswith(UNSPACED) for letter in text)


def findings(texts: Iterable[tuple[str, str]], words: Iterable[str]) -> list[Finding]:
    """What stands in any of (where, text) that must not: addresses, telephone numbers, and any of `words`.

    `words` are as `private_words` gives them.
    """
    names = _pattern(words)
    found = []
    for where, text in texts:
        wide = unicodedata.normalize("NFKC", text)  # a wide @ is one
        addresses = [address for address in EMAIL.findall(wide) if not address.lower().endswith(RESERVED)]
        if addresses or SPELLED_OUT.search(wide):
            found.append(Finding(where, "an e-mail address"))
        elif names and names.search(as_read(text)):
            found.append(Finding(where, "a name or address from private/"))
        elif TELEPHONE.search(wide):
            found.append(Finding(where, "a telephone number"))
    return found


def _pattern(words: Iterable[str]) -> re.Pattern[str] | None:
    longest_first = sorted(words, key=lambda word: (-len(word), word))
    anywhere = [re.escape(word) for word in longest_first if _unspaced(word)]
    alone = [re.escape(word) for word in longest_first if not _unspaced(word)]
    parts = [*anywhere, *([rf"(?<!\w)(?:{'|'.join(alone)})(?!\w)"] if alone else [])]
    return re.compile("|".join(parts)) if parts else None


def without_paths(text: str) -> str:
    """The text, every absolute path in it cut to its last part."""
    return _PATH.sub(lambda found: re.split(r"[\\/]", found.group().rstrip("\\/"))[-1], text)
