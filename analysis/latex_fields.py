"""The columns of a table as LaTeX sets them: numbers in siunitx S columns, an interval as three of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gainsift.analysis.estimate import Estimate
from gainsift.analysis.latex_text import breakable, cut, latex_escape, width, wrapped
from gainsift.analysis.tables import NOT_ESTIMABLE, UNDEFINED, Column, display

LONGEST_CELL, LONGEST_HEAD = 240, 60
"""Signs of a cell and of a head that are printed; csv and JSON hold all of them."""
GAP = 6.0
"""Between two columns, in pt."""
GROUPED = ("count", "weight")
"""Kinds whose thousands are set apart."""
HEAD = 42.0
"""Heads of numbers are broken to this width, in pt, or to that of the numbers."""
_NUMBER = re.compile(r"<?[+-]?\d+(\.\d+)?")
_BRACKETS = "{[}", "{]}", r"{{]}\textdagger}"


@dataclass(frozen=True)
class Field:
    """One column: `texts` as they would stand on one line (text) or LaTeX cells (numbers), a row each.

    `span`: how many columns of the tabular it takes; `width` of its numbers, or of its longest text, in pt.
    """

    column: Column
    text: bool
    texts: Sequence[str]
    spec: str
    span: int
    width: float

    def least(self) -> float:
        """The narrowest that it may be set, in pt."""
        if not self.text:
            return self.wide()
        words = [word for text in self.texts for word in text.split()]
        longest = max((width(word) for word in words), default=0.0)
        return min(self.wide(), max(40.0, min(longest, 70.0), self._head_word()))

    def wide(self) -> float:
        """Its width on one line, in pt: that of cells and head."""
        return max([self.width, *(width(line) for line in self.head_lines(self.width))])

    def head_lines(self, room: float) -> list[str]:
        """The head in lines of at least the room that numbers, or its longest word, need."""
        return wrapped(cut(self.column.head, LONGEST_HEAD), max(room, self._head_word(), HEAD * (not self.text)))

    def _head_word(self) -> float:
        return min(70.0, max((width(word) for word in self.column.head.split()), default=0.0))

    def head(self, room: float, last: bool) -> str:
        """The head of one column, or over the three of an interval; several lines stand on the lowest."""
        side = "l" if self.text else "c"
        lines = [latex_escape(line) for line in self.head_lines(room)]
        shown = lines[0] if len(lines) == 1 else rf"\begin{{tabular}}[b]{{@{{}}{side}@{{}}}}" + r"\\".join(lines)
        shown += r"\end{tabular}" * (len(lines) > 1)
        return self._over(shown, last) if self.span > 1 else f"{{{shown}}}"

    def cell(self, row: int, room: float, last: bool) -> str:
        if self.text:
            return breakable(self.texts[row], room)
        text = self.texts[row]
        return self._over(text, last) if self.span > 1 and "&" not in text else text

    def _over(self, text: str, last: bool) -> str:
        return rf"\multicolumn{{{self.span}}}{{c{'@{}' * last}}}{{{text}}}"

    def lines(self, row: int, room: float) -> int:
        """How many lines a cell takes."""
        return len(wrapped(self.texts[row], room)) if self.text else 1


def field_of(column: Column, rows: Sequence[Mapping[str, Any]]) -> Field:
    values = [row[column.key] for row in rows]
    if column.kind == "text":
        texts = [cut(" ".join(display(column, value).split()), LONGEST_CELL) for value in values]
        longest = max((width(text) for text in texts), default=0.0)
        return Field(column, True, texts, "l", 1, longest)
    if column.interval and any(isinstance(value, Estimate) and value.low is not None for value in values):
        return _interval(column, values)
    bare = Column(column.key, column.head, column.kind)
    cells = [_plain(display(bare, value)) for value in values]
    shown = [cell for cell in cells if _NUMBER.fullmatch(cell)]
    words = max((width(cell) for cell in cells if not _NUMBER.fullmatch(cell)), default=0.0)
    texts = [cell if _NUMBER.fullmatch(cell) or not cell else f"{{{cell}}}" for cell in cells]
    form = number_format(shown)
    return Field(column, False, texts, f"S[table-format={form}]", 1, max(_digits(form, column.kind in GROUPED), words))


def _interval(column: Column, values: Sequence[Any]) -> Field:
    """`+18.2 & {[}12.9{,} & 23.4{]}`: the decimal marks of point and limits stand beneath each other."""
    bare = Column(column.key, column.head, column.kind)
    opening, closing, bound = _BRACKETS
    points = [_plain(display(bare, value)) for value in values]
    limits = [_limits(column, value) for value in values]
    ends = [bound if isinstance(value, Estimate) and value.bounded else closing for value in values]
    texts = []
    for point, pair, end in zip(points, limits, ends, strict=True):
        if point in (UNDEFINED, NOT_ESTIMABLE):
            texts.append(point)
        else:
            texts.append(f"{point} & " + (f"{opening}{pair[0]}{{,}} & {pair[1]}{end}" if pair else " & "))
    kept = [pair for pair in limits if pair]
    numbers = [[one for one in points if _NUMBER.fullmatch(one)], *([pair[side] for pair in kept] for side in (0, 1))]
    forms = [number_format(some) for some in numbers]
    end = bound if any(pair and end == bound for pair, end in zip(limits, ends, strict=True)) else closing
    spec = (
        rf"S[table-format={forms[0]}]@{{\hspace{{0.35em}}}}S[table-format={{{opening}{forms[1]}{{,}}}}]"
        rf"@{{\hspace{{0.25em}}}}S[table-format={{{forms[2]}{end}}}]"
    )
    signs = width("[,]") + 0.6 * 8 + width("†") * (end == bound)
    return Field(column, False, texts, spec, 3, sum(_digits(form, column.kind in GROUPED) for form in forms) + signs)


def _limits(column: Column, value: Any) -> tuple[str, str] | None:
    if not isinstance(value, Estimate) or value.point is None or value.low is None or value.high is None:
        return None
    low, _, high = display(column, value).partition("[")[2].partition("]")[0].partition(", ")
    return _plain(low), _plain(high)


def _plain(shown: str) -> str:
    """A shown number as siunitx reads it."""
    return shown.replace("−", "-").replace(",", "").replace("< ", "<")


def number_format(shown: Sequence[str]) -> str:
    """siunitx's table-format that holds them all: `+3.1`, `-1.3`, `<1.3`, `5.0`."""
    sign = "+" if any("+" in text for text in shown) else "-" if any("-" in text for text in shown) else ""
    parts = [text.lstrip("<+-").partition(".") for text in shown]
    whole = max((len(part[0]) for part in parts), default=1)
    places = max((len(part[2]) for part in parts), default=0)
    return ("<" if any("<" in text for text in shown) else "") + f"{sign}{whole}.{places}"


def _digits(form: str, grouped: bool) -> float:
    """The width of a number of this format, in pt."""
    whole, _, places = form.lstrip("<+-").partition(".")
    shown = "0" * (int(whole) + int(places)) + "." * (places != "0") + "," * ((int(whole) - 1) // 3 * grouped)
    return width(shown) + width("−") * ("+" in form or "-" in form) + width("<") * ("<" in form)
