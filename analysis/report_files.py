"""The files of a report: figures as they are printed and as its page shows them, and every file written whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from matplotlib.figure import Figure

from gainsift.analysis.house_style import rendered
from gainsift.schemas.atomic import atomic

Images = dict[str, tuple[str, bytes]]
"""File stem -> (title, svg)."""


def figure_files(
    drawn: Mapping[str, tuple[str, Figure]], progress: Callable[[str], None]
) -> tuple[dict[str, bytes], Images]:
    """`figures/STEM.pdf` and `.png` of each figure (stem -> title, figure), and what the page shows."""
    products: dict[str, bytes] = {}
    images: Images = {}
    for stem, (title, figure) in drawn.items():
        progress(f"figure {stem}")
        products |= {f"figures/{stem}.{kind}": rendered(figure, kind) for kind in ("pdf", "png")}
        images[stem] = title, rendered(figure, "svg")
    return products, images


def write_files(folder: Path, products: Mapping[str, bytes]) -> None:
    """Write each file, by its name in `folder`, whole or not at all."""
    for name, content in products.items():
        with atomic(folder / name) as file:
            file.write(content)
