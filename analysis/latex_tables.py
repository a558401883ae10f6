"""A table for the paper: booktabs, numbers in siunitx columns, notes and signature beneath; one or two columns.

The file is put into a paper by \\input; docs/paper.md says which packages it needs and how it is laid out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from gainsift.analysis.latex_fields import Field
from gainsift.analysis.latex_layout import FULL, HALF, NOTE_LINE, PAGE, Layout, Panel, heading_lines, layout, note_lines
from gainsift.analysis.latex_text import SIGN, SIGN_MACRO, breakable, cut, latex_escape, width
from gainsift.analysis.tables import Table

LONGEST_NOTE, LONGEST_TITLE = 1200, 300
"""Signs of a note and of the title that are printed; JSON holds all of them."""
FLUSH = 20
"""Parts of a long table after which LaTeX is told to put them on their pages: it can hold some fifty."""
_NUMBERS = (
    r"\sisetup{group-digits=integer,group-minimum-digits=4,group-separator={,},retain-explicit-plus=true,"
    r"table-align-text-before=false,table-align-text-after=false,table-number-alignment=center}"
)
_OVER = r"\multicolumn{1}{@{}l}{\rlap"
_CAPTION_LINE = 13.0


def to_latex(table: Table) -> str:
    """One float, or for a long table several in a row, each of which fits a page.

    Needs booktabs, siunitx 3 and the T1 encoding (or XeTeX, LuaTeX). Columns that are not `printed` are left out;
    what every row has in common stands in the notes.
    """
    title = breakable(cut(table.title, LONGEST_TITLE), 150)
    above = _CAPTION_LINE * (1 + math.ceil(1.3 * width(cut(table.title, LONGEST_TITLE)) / HALF))
    plan = layout(table, above)
    room = FULL if plan.wide else HALF
    notes = _noted(table, plan.said)
    bodies = ["\n".join(_panel(plan, panel, part.rows) for panel in part.panels) for part in plan.parts]
    below = NOTE_LINE * sum(note_lines(width(text), room) for text in [" ".join(notes), table.signature])
    if below <= plan.left:
        bodies[-1] += "\n" + _beneath(notes, table.signature)
    else:
        bodies += _note_parts(notes, table.signature, room)
    floats = [_float(plan.wide, _caption(title, table.name, n, len(bodies)), body) for n, body in enumerate(bodies)]
    flushed = [one + r"\clearpage" * ((n + 1) % FLUSH == 0) for n, one in enumerate(floats)]
    text = "\n".join(flushed) + "\n"
    return SIGN_MACRO + "\n" + text if SIGN in text else text


def _float(wide: bool, caption: str, body: str) -> str:
    name = "table*" if wide else "table"
    size = r"\fontsize{8}{9.6}\selectfont\setlength{\tabcolsep}{3pt}"
    return "\n".join([rf"\begin{{{name}}}[tp]", r"\centering", caption, _NUMBERS, size, body, rf"\end{{{name}}}"])


def _caption(title: str, name: str, part: int, parts: int) -> str:
    """The caption of the first part; the others repeat its number."""
    if part:
        return rf"{{\small\tablename~\thetable, part {part + 1} of {parts}\par}}\smallskip"
    return rf"\caption{{{title}}}\label{{tab:{_label(name)}}}\vspace{{4pt}}"


def _label(name: str) -> str:
    return "".join(char if char.isascii() and char.isalnum() else "-" for char in name)


# --- one panel -------------------------------------------------------------------------------------------


def _panel(plan: Layout, panel: Panel, rows: range) -> str:
    room = FULL if plan.wide else HALF
    placed = list(zip(panel.fields, panel.rooms, strict=True))
    specs = "".join(_spec(field, given, room) for field, given in placed)
    heads = [field.head(given, n + 1 == len(placed)) for n, (field, given) in enumerate(placed)]
    lines = [rf"\begin{{tabular}}{{@{{}}{specs}@{{}}}}", r"\toprule", " & ".join(heads) + r" \\", r"\midrule"]
    for row in rows:
        heading = plan.headings[row]
        if heading and (row == rows.start or heading != plan.headings[row - 1]):
            lines += [r"\addlinespace[2pt]"] * (row > rows.start)
            lines += [rf"{_OVER}{{\itshape {latex_escape(line)}}}}} \\" for line in heading_lines(heading, panel)]
        cells = [field.cell(row, given, n + 1 == len(placed)) for n, (field, given) in enumerate(placed)]
        lines.append(" & ".join(cells) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}\par\medskip"])


def _spec(field: Field, given: float, room: float) -> str:
    if not field.text or given >= field.wide() - 0.01:
        return field.spec
    return rf">{{\raggedright\arraybackslash}}p{{{given / room:.4f}\linewidth}}"


# --- notes -----------------------------------------------------------------------------------------------


def _noted(table: Table, said: Sequence[str]) -> list[str]:
    notes = [cut(" ".join(note.split()), LONGEST_NOTE) for note in [*said, *table.all_notes()]]
    return [note if note.endswith((".", "!", "?", "…", ":")) else note + "." for note in notes if note]


def _beneath(notes: Sequence[str], signature: str) -> str:
    """Notes in one paragraph, the signature in another."""
    lines = [r"\begin{minipage}{\linewidth}\fontsize{7}{8.4}\selectfont\raggedright"]
    if notes:
        lines.append(" ".join(breakable(note, 150) for note in notes) + r"\par")
    if signature:
        recipe = r"\textbar{}\allowbreak{}".join(breakable(part, 150) for part in signature.split("|"))
        lines.append(rf"\vspace{{2pt}}{{\fontsize{{6}}{{7.2}}\selectfont\ttfamily {recipe}\par}}")
    return "\n".join([*lines, r"\end{minipage}"])


def _note_parts(notes: Sequence[str], signature: str, room: float) -> list[str]:
    """Notes that do not fit beneath the rows, as many parts as they need."""
    parts: list[list[str]] = [[]]
    used = 0
    most = int(PAGE / NOTE_LINE)
    for note in notes:
        lines = note_lines(width(note), room)
        if parts[-1] and used + lines > most:
            parts.append([])
            used = 0
        parts[-1].append(note)
        used += lines
    signed = [""] * (len(parts) - 1) + [signature]
    return [_beneath(part, recipe) for part, recipe in zip(parts, signed, strict=True)]
