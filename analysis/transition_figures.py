"""The heat map of transitions between categories."""

from __future__ import annotations

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from gainsift.analysis.estimate import divide
from gainsift.analysis.house_style import SMALLEST, STYLE, shortened
from gainsift.analysis.matrix_figures import framed, matrix
from gainsift.analysis.transitions import Transitions
from gainsift.schemas.taxonomy import Taxonomy


def transition_map(taxonomy: Taxonomy, found: Transitions, title: str, recipe: str) -> Figure:
    """Before downwards, after across; each cell the per cent of decided units, shaded by its share of the row.

    The diagonal is outlined: what stayed as it was. At the right how many units each row holds, in per cent.
    """
    labels = [taxonomy.category(name).label for name in found.categories]
    shares = 100 * found.shares
    rows, columns = shares.sum(1), shares.sum(0)
    shade = np.nan_to_num(divide(shares, rows[:, None]))
    texts = {(int(row), int(column)): [f"{shares[row, column]:.1f}"] for row, column in np.argwhere(found.weights)}
    names = [f"{label} ({share:.1f})" for label, share in zip(shortened(labels), columns, strict=True)]
    with matplotlib.rc_context(STYLE):
        figure, panel, fits = matrix(shade, texts, names, labels, beside=0.4)
        for place in range(len(labels)):
            panel.add_patch(Rectangle((place - 0.5, place - 0.5), 1, 1, fill=False, linewidth=0.8, color="#0072B2"))
            panel.text(
                len(labels) - 0.4, place, f"{rows[place]:.1f}", ha="left", va="center", fontsize=SMALLEST,
                color="#555555",
            )  # fmt: skip
        panel.set_ylabel("before")
        panel.set_xlabel("after (in brackets each column's total)")
        what = "% of decided units" if fits else "darker: a larger share of the row"
        framed(figure, panel, f"{what}; at the right each row's total; outlined: unchanged", title, recipe)
    return figure
