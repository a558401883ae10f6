"""Valid files made bad: bytes, lines, tokens, cells and trees are changed, each change drawn from a generator.

`mutate` changes a text format; tables of Parquet have changes of their own, in parquet_mutations.py.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import re
from collections.abc import Callable
from typing import Any

import yaml

Change = Callable[[random.Random, bytes], bytes]

TEXTS = [
    "", " ", "\0", "\ufeff", "\x1b[2J\x1b]52;c;aGk=\x07", "\u202eabc", "\u2028", "\r", "\n", "\r\n", "\t", "\x85", "'",
    '"', "\\", "\\ud800", "\\u0000", ",", ";", "|", "=1+1", "<script>", "]]>", "&a;", "../../etc/passwd", "%s%n", "{0}",
    "$x", "null", "~", "true", "no", "NaN", "nan", "Infinity", "-inf", "1e999", "-0", "0x1F", "0o17", "1_000", "007",
    "1:30", "2026-13-45", "9" * 30, "9" * 5000, "1e-400", "-1", "0", "1.5", "٣", "²", "concept/9", "annotation/1",
    "first", "en", "xx", "correct", "!!python/object/apply:os.system ['true']", "!!binary x", "&a [*a]", "*a", "<<",
    "? ", "- ", ": ", "%YAML 9.9", "---", "...", "[", "{", "]", "}", "e\u0301", "ﷺ" * 50, "👨‍👩‍👧", "a" * 3000,
    "(?P<step>", "*", "\U0010ffff", "\ufffe",
]  # fmt: skip
"""What may stand for a word of a file."""
VALUES: list[Any] = [
    None, True, False, 0, -1, 1, 2, 2**31, 2**63, -(2**63) - 1, 10**400, 0.5, -0.5, 1e308, 1e-320, float("nan"),
    float("inf"), -float("inf"), "", " ", "\0", "\ud800", "x", "1", "nan", [], {}, [[]], [None], {"": ""},
    {"a": {"b": []}}, ["a", 1, None],
]  # fmt: skip
"""What may stand for a node of a tree."""
BYTES = [
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\r",
    b"\n",
    b'"',
    b"\x1a",
    b"\x80",
]
ENCODINGS = ["utf-16", "utf-16-le", "utf-32", "latin-1", "cp1252", "utf-7", "utf-8-sig", "cp037", "shift_jis"]
LONG = 200_000
"""Bytes of a very long line, cell or text."""
_TOKEN = re.compile(r"\w+|[^\w\s]")


# --- bytes -----------------------------------------------------------------------------------------------


def _span(rng: random.Random, size: int, most: int = 40) -> tuple[int, int]:
    start = rng.randrange(size + 1)
    return start, min(size, start + rng.randrange(1, most))


def flip(rng: random.Random, data: bytes) -> bytes:
    changed = bytearray(data or b"x")
    for _ in range(rng.choice((1, 1, 2, 8))):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def insert(rng: random.Random, data: bytes) -> bytes:
    at = rng.randrange(len(data) + 1)
    new = rng.choice(BYTES) if rng.random() < 0.7 else rng.randbytes(rng.randrange(1, 9))
    return data[:at] + new + data[at:]


def delete(rng: random.Random, data: bytes) -> bytes:
    start, end = _span(rng, len(data))
    return data[:start] + data[end:]


def repeat(rng: random.Random, data: bytes) -> bytes:
    start, end = _span(rng, len(data))
    return data[:end] + data[start:end] * rng.choice((1, 2, 50)) + data[end:]


def truncate(rng: random.Random, data: bytes) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def splice(rng: random.Random, data: bytes) -> bytes:
    return data[: rng.randrange(len(data) + 1)] + data[rng.randrange(len(data) + 1) :]


def noise(rng: random.Random, data: bytes) -> bytes:
    return rng.randbytes(rng.choice((0, 1, 7, 300)))


def packed(rng: random.Random, data: bytes) -> bytes:
    return gzip.compress(data, 1, mtime=0)


def encoded(rng: random.Random, data: bytes) -> bytes:
    return data.decode("utf-8", "replace").encode(rng.choice(ENCODINGS), "replace")


# --- lines, tokens, cells --------------------------------------------------------------------------------


def lines(rng: random.Random, data: bytes) -> bytes:
    """One line left out, doubled, moved, emptied, joined with the next, or repeated a thousand times."""
    parts = data.splitlines(keepends=True) or [b""]
    at, other = rng.randrange(len(parts)), rng.randrange(len(parts))
    what = rng.randrange(7)
    if what == 0:
        del parts[at]
    elif what == 1:
        parts.insert(other, parts[at])
    elif what == 2:
        parts[at], parts[other] = parts[other], parts[at]
    elif what == 3:
        parts[at] = b"\n"
    elif what == 4:
        parts[at] = parts[at].rstrip(b"\r\n")
    elif what == 5:
        parts[at] = parts[at] * rng.choice((2, 300))
    else:
        rng.shuffle(parts)
    return b"".join(parts)


def long_line(rng: random.Random, data: bytes) -> bytes:
    at = rng.randrange(len(data) + 1)
    return (
        data[:at] + rng.choice((b"a", b" ", b'"', b"[", b"{", b"- ", b"1,", b"\\", b"'x',", b"&a ")) * LONG + data[at:]
    )


def tokens(rng: random.Random, data: bytes) -> bytes:
    """One word or sign becomes another: of the same file, or of TEXTS."""
    text = data.decode("utf-8", "surrogateescape")
    found = list(_TOKEN.finditer(text))
    if not found:
        return rng.choice(TEXTS).encode("utf-8", "surrogatepass")
    at = rng.choice(found)
    new = rng.choice(TEXTS) if rng.random() < 0.7 else rng.choice(found).group()
    return (text[: at.start()] + new + text[at.end() :]).encode("utf-8", "surrogateescape")


def cells(rng: random.Random, data: bytes) -> bytes:
    """One cell of a csv changed, or a column left out, doubled, renamed or moved."""
    try:
        rows = [row for row in csv.reader(io.StringIO(data.decode("utf-8", "replace"), newline="")) if row] or [["x"]]
    except csv.Error:  # made bad already
        return tokens(rng, data)
    at = rng.randrange(len(rows))
    column = rng.randrange(len(rows[at]))
    what = rng.randrange(6)
    if what <= 2:
        rows[at][column] = rng.choice(TEXTS)
    elif what == 3:
        del rows[at][column]
    elif what == 4:
        other = rng.choice(rng.choice(rows))
        rows[at][column] = other
    else:
        for row in rows:
            if len(row) > column:
                row.insert(rng.randrange(2) * len(row), row[column])
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n", delimiter=rng.choice(",,,,,;\t")).writerows(rows)
    return out.getvalue().encode("utf-8", "surrogatepass")


# --- trees -----------------------------------------------------------------------------------------------


def _places(node: Any, found: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Every (container, key) of a tree."""
    keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    for key in keys:
        found.append((node, key))
        _places(node[key], found)
    return found


def _changed(rng: random.Random, tree: Any) -> Any:
    """The tree with one node replaced, removed, renamed, moved, wrapped or multiplied."""
    places = _places(tree, [])
    if not places:
        return rng.choice(VALUES)
    holder, key = rng.choice(places)
    other, place = rng.choice(places)
    what = rng.randrange(9)
    if what <= 2:
        holder[key] = rng.choice(VALUES)
    elif what == 3:
        holder[key] = rng.choice(TEXTS)
    elif what == 4:
        del holder[key]
    elif what == 5 and isinstance(holder, dict):
        value = holder.pop(key)
        holder[rng.choice([str(key)[:-1], str(value)[:20], *TEXTS])] = value
    elif what == 6:
        holder[key], other[place] = _copy(other[place]), _copy(holder[key])
    elif what == 7:
        holder[key] = rng.choice(([holder[key]], {"x": holder[key]}, [holder[key]] * 3, str(holder[key])))
    elif isinstance(holder[key], list) and holder[key]:
        holder[key] = holder[key] * rng.choice((2, 200))
    else:
        holder[key] = rng.choice(VALUES)
    return tree


def _copy(value: Any) -> Any:
    """Plain data of its own, so that no swap makes a tree hold itself."""
    if isinstance(value, dict):
        return {key: _copy(one) for key, one in value.items()}
    return [_copy(one) for one in value] if isinstance(value, list) else value


def _json(tree: Any) -> bytes:
    return json.dumps(tree, ensure_ascii=False).encode("utf-8", "backslashreplace")


def json_tree(rng: random.Random, data: bytes) -> bytes:
    try:
        return _json(_changed(rng, json.loads(data)))
    except (ValueError, RecursionError):  # made bad already
        return tokens(rng, data)


def json_line(rng: random.Random, data: bytes) -> bytes:
    """One line of JSONL as a tree."""
    parts = data.splitlines()
    if not parts:
        return _json(rng.choice(VALUES))
    at = rng.randrange(len(parts))
    parts[at] = json_tree(rng, parts[at])
    return b"\n".join(parts) + b"\n"


def yaml_tree(rng: random.Random, data: bytes) -> bytes:
    if b"&l1" in data:  # a bomb already: only a reader is to open it
        return tokens(rng, data)
    try:
        tree = _changed(rng, yaml.safe_load(data))
        return yaml.safe_dump(tree, allow_unicode=rng.random() < 0.5).encode("utf-8", "surrogatepass")
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, RecursionError):
        return tokens(rng, data)


def nested(rng: random.Random, data: bytes) -> bytes:
    """Something nested as deep as no reader goes, in the place of a token."""
    depth = rng.choice((50, 900, 30_000))
    opened, closed = rng.choice(((b"[", b"]"), (b'{"a":', b"}"), (b"{a: ", b"}"), (b"[[", b"")))
    at = rng.randrange(len(data) + 1)
    return data[:at] + opened * depth + closed * depth + data[at:]


def laughs(rng: random.Random, data: bytes) -> bytes:
    """YAML of a few lines that stands for 9 to the power of `levels` nodes: aliases of aliases, or merges of merges."""
    levels, merged = rng.choice((3, 9, 30)), rng.random() < 0.4
    found = ["l0: &l0 {x: lol}" if merged else "l0: &l0 lol"]
    for level in range(1, levels):
        names = ", ".join([f"*l{level - 1}"] * 9)
        found.append(f"l{level}: &l{level} " + (f"{{<<: [{names}], k{level}: 1}}" if merged else f"[{names}]"))
    at = rng.choice((0, len(data)))
    return data[:at] + "\n".join(["", *found, ""]).encode() + data[at:]


def entities(rng: random.Random, data: bytes) -> bytes:
    """XML entities of entities, or one that names a file."""
    parts = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, rng.choice((3, 12))))
    bomb = rng.choice((f'<!ENTITY e0 "lol">{parts}', '<!ENTITY e2 SYSTEM "file:///etc/passwd">')).encode()
    head, kind, rest = data.partition(b"<LexicalResource")
    head = re.sub(rb"<!DOCTYPE[^>]*>", b"", head)
    return head + b"<!DOCTYPE LexicalResource [" + bomb + b"]>" + kind + rest.replace(b'label="', b'label="&e2;', 1)


# --- all of them -----------------------------------------------------------------------------------------

ANYWHERE: list[Change] = [
    flip, insert, delete, repeat, truncate, splice, noise, packed, encoded, lines, lines, long_line,
    tokens, tokens, tokens, nested,
]  # fmt: skip
CHANGES: dict[str, list[Change]] = {
    "csv": [*ANYWHERE, *[cells] * 12],
    "json": [*ANYWHERE, *[json_tree] * 14],
    "jsonl": [*ANYWHERE, *[json_line] * 14],
    "yaml": [*ANYWHERE, *[yaml_tree] * 14, laughs],
    "xml": [*ANYWHERE, *[tokens] * 8, entities, entities],
    "bytes": [flip, insert, delete, repeat, truncate, splice, noise, packed, lines],
}
"""By form of file; what stands several times is drawn more often."""


def mutate(rng: random.Random, data: bytes, form: str) -> tuple[bytes, list[str]]:
    """One to four changes, and their names."""
    names = []
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
        change = rng.choice(CHANGES[form])
        data = change(rng, data)[: 4 * LONG]
        names.append(change.__name__)
    return data, names
