"""The heat map of transitions between categories."""

from __future__ import annotations

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from gainsift.analysis.estimate import divide
from gainsift.analysis.house_style import STYLE, frame
from gainsift.analysis.transitions import Transitions
from gainsift.analysis.wording import visible
from gainsift.schemas.study import Study


def transition_map(study: Study, found: Transitions, title: str, recipe: str) -> Figure:
    """Before downwards, after across; each cell the per cent of decided units, shaded by its share of the row.

    The diagonal is outlined: what stayed as it was. At the right how many units each row holds, in per cent.
    """
    labels = [visible(study.taxonomy.category(name).label) for name in found.categories]
    shares = 100 * found.shares
    rows, columns = shares.sum(1), shares.sum(0)
    shade = np.nan_to_num(divide(shares, rows[:, None]))
    size = len(labels)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(max(5.6, 0.5 * size + 3.0), max(3.0, 0.38 * size + 2.3)))
        panel = figure.subplots()
        panel.imshow(shade, cmap="Greys", vmin=0, vmax=1.25, aspect="auto")
        for row, column in np.argwhere(found.weights):
            text = f"{shares[row, column]:.1f}"
            colour = "white" if shade[row, column] > 0.75 else "black"
            panel.text(column, row, text, ha="center", va="center", fontsize=7, color=colour)
        for place in range(size):
            panel.add_patch(Rectangle((place - 0.5, place - 0.5), 1, 1, fill=False, linewidth=0.8, color="#0072B2"))
            panel.text(size - 0.4, place, f"{rows[place]:.1f}", ha="left", va="center", fontsize=7, color="#555555")
        names = [f"{label} ({share:.1f})" for label, share in zip(labels, columns, strict=True)]
        panel.set_xticks(range(size), names, rotation=40, ha="right", rotation_mode="anchor", fontsize=8)
        panel.set_yticks(range(size), labels, fontsize=8)
        panel.tick_params(length=0)
        panel.grid(visible=False)
        for spine in panel.spines.values():
            spine.set_visible(False)
        panel.set_ylabel("before", fontsize=8)
        panel.set_xlabel("after (in brackets each column's total)", fontsize=8)
        panel.set_title("% of decided units; at the right each row's total; outlined: unchanged", fontsize=8)
        frame(figure, title, recipe)
    return figure
