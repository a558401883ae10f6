"""YAML as plain data: no objects, no key twice, and `no` is Norwegian."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

from gainsift.schemas.errors import UserError
from gainsift.schemas.given_text import given_text

_BOOL = "tag:yaml.org,2002:bool"
LARGEST = 2**20
"""Bytes of a file. Nobody writes more by hand, and reading YAML takes its time."""
MOST_NODES = 100_000
"""Nodes, those that an alias stands for counted each time: a few lines of aliases of aliases stand for millions."""


class _Loader(yaml.SafeLoader):
    """Only true and false are truth values (YAML 1.2), and a key that stands twice is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if key.value in seen:
                    raise yaml.MarkedYAMLError(problem=f"key {key.value!r} stands twice", problem_mark=key.start_mark)
                seen.add(key.value)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOL]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(_BOOL, re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))


def load_yaml(path: Path, if_missing: str = "start a study with `gainsift init`") -> Any:
    """The data of a file. Raises UserError with file and line; `if_missing` is the remedy where there is none."""
    text = given_text(path, if_missing)
    if len(text) > LARGEST:
        raise UserError(str(path), f"has {len(text):,} characters, {LARGEST:,} are read at most", "shorten the file")
    try:
        data = _plain(text)
        json.dumps(data, ensure_ascii=False, default=str).encode("utf-8")  # no lone surrogates
        return data
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        raise UserError(f"{path}{line}", f"not YAML: {error.problem}", "mend that line") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise UserError(str(path), f"not YAML: {error}", "mend the file") from None


def _plain(text: str) -> Any:
    """Plain data only, by a SafeLoader. Raises YAMLError."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        if _nodes(node, {}) > MOST_NODES:
            raise yaml.YAMLError(f"its aliases stand for more than {MOST_NODES:,} values, or for themselves")
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _nodes(node: yaml.Node, known: dict[int, float]) -> float:
    """How many values a node stands for; without end if it holds itself."""
    if id(node) not in known:
        known[id(node)] = float("inf")
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        inner = [one for pair in pairs for one in pair] or (node.value if isinstance(node, yaml.SequenceNode) else [])
        known[id(node)] = 1 + sum(_nodes(one, known) for one in inner)
    return known[id(node)]
