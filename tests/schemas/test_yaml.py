"""YAML that people write is read as plain data; what stands for billions of values, or for itself, is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from gainsift.schemas.errors import UserError
from gainsift.schemas.plain_yaml import LARGEST, load_yaml


def read(tmp_path: Path, text: str) -> object:
    path = tmp_path / "a.yaml"
    path.write_text(text, "utf-8")
    return load_yaml(path)


def test_aliases_and_merges_of_a_person_are_read(tmp_path: Path) -> None:
    assert read(tmp_path, "a: &x {p: 1, q: [no, true]}\nb: {<<: *x, p: 2}\nc: *x\n") == {
        "a": {"p": 1, "q": ["no", True]},
        "b": {"p": 2, "q": ["no", True]},
        "c": {"p": 1, "q": ["no", True]},
    }
    assert read(tmp_path, "") is None


def bomb(levels: int, merged: bool) -> str:
    lines = ["l0: &l0 {x: lol}" if merged else "l0: &l0 lol"]
    for level in range(1, levels):
        names = ", ".join([f"*l{level - 1}"] * 9)
        lines.append(f"l{level}: &l{level} " + (f"{{<<: [{names}], k{level}: 1}}" if merged else f"[{names}]"))
    return "\n".join(lines)


@pytest.mark.parametrize("merged", [False, True], ids=["lists", "merges"])
def test_a_few_lines_that_stand_for_billions_of_values_are_refused(tmp_path: Path, merged: bool) -> None:
    assert len(bomb(4, merged)) < len(bomb(40, merged)) < 3000
    assert isinstance(read(tmp_path, bomb(4, merged)), dict)
    with pytest.raises(UserError, match="aliases stand for more than 100,000 values"):
        read(tmp_path, bomb(40, merged))


@pytest.mark.parametrize("text", ["&a [*a]", "a: &a {b: *a}", "&a {<<: *a}", "&a {? *a : 1}"])
def test_what_holds_itself_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(UserError, match=r"a\.yaml"):
        read(tmp_path, text)


def test_a_file_that_nobody_wrote_by_hand_is_refused_unread(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"1,048,577 characters, 1,048,576 are read at most"):
        read(tmp_path, "#" * (LARGEST + 1))
    assert read(tmp_path, "#" * LARGEST) is None
