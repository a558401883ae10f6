"""What must not be published: e-mail addresses, and the names and addresses of the study's private map."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from gainsift.schemas.plain_yaml import load_yaml
from gainsift.schemas.study import Study

EMAIL = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
RESERVED = (".example", ".invalid", ".test", "@example.com", "@example.org", "@example.net")
"""Ends of addresses that nobody can have (RFC 2606)."""
SHORTEST = 3
"""Letters of a part of a name from which it is looked for."""
_PATH = re.compile(r"(?<![\w.:/\\])(?:~?/|[A-Za-z]:[\\/]|\\\\)[^\s'\"<>]*")


@dataclass(frozen=True)
class Finding:
    """`where` says which text; `what` says what was found without repeating a private name."""

    where: str
    what: str


def private_words(study: Study) -> set[str]:
    """Names, parts of names and addresses of the files in private/, in lower case; pseudonyms are none of them."""
    found: set[str] = set()
    for file in sorted(study.private_folder.glob("*.y*ml")):
        for text in _leaves(load_yaml(file)):
            found |= {text.lower(), *(part for part in re.split(r"[\W_]+", text.lower()) if "@" not in text)}
    return {word for word in found if len(word) >= SHORTEST}


def _leaves(data: Any) -> Iterator[str]:
    if isinstance(data, dict):
        for value in data.values():
            yield from _leaves(value)
    elif isinstance(data, list):
        for value in data:
            yield from _leaves(value)
    elif isinstance(data, str):
        yield data.strip()


def findings(texts: Iterable[tuple[str, str]], words: Iterable[str]) -> list[Finding]:
    """What stands in any of (where, text) that must not: addresses, and `words` as whole words in any case."""
    longest_first = sorted(words, key=lambda word: (-len(word), word))
    names = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)") if longest_first else None
    found = []
    for where, text in texts:
        addresses = [address for address in EMAIL.findall(text) if not address.lower().endswith(RESERVED)]
        if addresses:
            found.append(Finding(where, "an e-mail address"))
        elif names and names.search(text.lower()):
            found.append(Finding(where, "a name or address from private/"))
    return found


def without_paths(text: str) -> str:
    """The text, every absolute path in it cut to its last part."""
    return _PATH.sub(lambda found: re.split(r"[\\/]", found.group().rstrip("\\/"))[-1], text)
