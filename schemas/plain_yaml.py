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
    try:
        data = yaml.load(text, _Loader)  # a SafeLoader: builds plain data only
        json.dumps(data, ensure_ascii=False, default=str).encode("utf-8")  # no lone surrogates
        return data
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        raise UserError(f"{path}{line}", f"not YAML: {error.problem}", "mend that line") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise UserError(str(path), f"not YAML: {error}", "mend the file") from None
