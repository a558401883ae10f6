"""The house style of figures: colour-blind safe, readable in grey, no text read as markup; title, legend, recipe."""

from __future__ import annotations

import io
import textwrap
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from gainsift.analysis.wording import visible

STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e3e3e3",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "text.parse_math": False,  # a name with dollar signs is a name
    "pdf.fonttype": 42,
    "svg.fonttype": "path",
    "svg.hashsalt": "gainsift",
    "savefig.dpi": 200,
    "hatch.linewidth": 0.6,
}
# Okabe & Ito's colours in an order of distinct greys; lines differ by dash and marker, too
LINES = (
    ("#000000", "-", "o"), ("#D55E00", "--", "s"), ("#0072B2", "-.", "^"), ("#009E73", ":", "D"),
    ("#CC79A7", (0, (5, 1)), "v"), ("#E69F00", (0, (3, 1, 1, 1)), "P"), ("#56B4E9", (0, (1, 2)), "X"),
)  # fmt: skip
TOTAL, GAIN, LOSS, OTHER = "#333333", "#0072B2", "#E69F00", "#bbbbbb"


def rendered(figure: Figure, kind: str) -> bytes:
    """The figure as `pdf`, `png` or `svg`, the same bytes every time."""
    out = io.BytesIO()
    undated = {"pdf": {"CreationDate": None}, "svg": {"Date": None}, "png": {}}[kind]
    with matplotlib.rc_context(STYLE):
        figure.savefig(out, format=kind, metadata=undated)
    figure.set_layout_engine("none")  # laid out by the first save; again would cost a second each
    return out.getvalue()


def frame(figure: Figure, title: str, recipe: str, entries: tuple[Any, Any] | None = None) -> None:
    """Title and legend above the panels, the signature small beneath; the panels keep clear of them.

    Lines are broken here: matplotlib's own wrapping reads dollar signs as mathematics, whatever the style says.
    """
    width, height = figure.get_size_inches()
    above_lines = textwrap.wrap(visible(title), int(width / 0.093)) or [""]
    parts = textwrap.wrap(visible(recipe).replace("|", "| "), int(width / 0.052))
    below_lines = [line.replace("| ", "|") for line in parts]
    figure.text(0.012, 1 - 0.08 / height, "\n".join(above_lines), ha="left", va="top", fontsize=10, fontweight="bold")
    figure.text(0.012, 0.06 / height, "\n".join(below_lines), ha="left", va="bottom", fontsize=6, color="#666666")
    above = 0.34 + 0.17 * (len(above_lines) - 1)
    if entries:
        count = len(entries[0])
        columns = -(-count // -(-count // 6))
        top = 1 - (above - 0.06) / height
        figure.legend(*entries, loc="upper left", bbox_to_anchor=(0.0, top), ncols=columns, fontsize=8)
        above += 0.2 * -(-count // columns) + 0.1
    below = 0.24 + 0.1 * max(0, len(below_lines) - 1)
    figure.set_layout_engine("constrained", rect=(0.005, below / height, 0.99, 1 - (above + below) / height))
