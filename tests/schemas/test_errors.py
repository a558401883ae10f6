"""What a person is told: one line, of a length that can be read, with nothing in it that a terminal obeys."""

from __future__ import annotations

import unicodedata

from gainsift.schemas.errors import LONGEST, UserError


def test_a_message_is_one_line_that_no_terminal_obeys(hostile: dict[str, str]) -> None:
    for text in hostile.values():
        told = str(UserError("study.yaml", f"found {text}", "mend it"))
        assert len(told.splitlines()) == 1
        assert not {unicodedata.category(sign) for sign in told} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
        told.encode("utf-8")


def test_an_escape_is_spelled_out_and_what_is_harmless_stays() -> None:
    told = str(UserError("Wörter.csv:3", "found '\x1b]52;c;aGk=\x07' and \u202eabc", "mend „gût“ 犬"))
    assert told == "Wörter.csv:3: found '⟨U+001B⟩]52;c;aGk=⟨U+0007⟩' and ⟨U+202E⟩abc; mend „gût“ 犬"


def test_a_long_message_keeps_its_place_and_its_remedy() -> None:
    told = str(UserError("a.jsonl:7", "found " + "x" * 10**6, "mend that line"))
    assert len(told) <= LONGEST + 1
    assert told.startswith("a.jsonl:7: found xxx")
    assert told.endswith("x; mend that line")
    assert "…" in told
    assert "…" not in str(UserError("a", "x" * (LONGEST - 3)))
