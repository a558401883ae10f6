"""What `gainsift agreement` prints and draws for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table as Grid
from rich.text import Text

from gainsift.analysis.agreement import NAMES, Agreement
from gainsift.analysis.agreement_drift import Drift
from gainsift.analysis.agreement_parts import SelfAgreement
from gainsift.analysis.estimate import Estimate
from gainsift.analysis.patterns import PERCENTILE
from gainsift.analysis.signature import signature
from gainsift.analysis.tables import Column, display, reasons
from gainsift.analysis.wording import counted
from gainsift.cli.terminal import Console
from gainsift.schemas.visible_text import visible

COEFFICIENT = Column("", "", "coefficient", interval=True)
PERCENT = Column("", "", "percent", interval=True)


@dataclass(frozen=True)
class Measured:
    """All that was asked for; what was not is None. `every`: coefficients beside alpha, percent and kappa as well.

    Of `asked` judgements, `gaps` have no usable label, by what stands there ("": nothing).
    """

    whole: Agreement
    items: int
    skipped: int
    asked: int
    gaps: Mapping[str, int]
    level: str
    boot: int
    seed: int
    every: bool
    kinds: Agreement | None = None
    paths: Mapping[str, Estimate] | None = None
    without: Mapping[str, Estimate] | None = None
    conditions: Mapping[str, Agreement] | None = None
    drift: Drift | None = None
    themselves: SelfAgreement | None = None

    @property
    def counts(self) -> dict[str, int]:
        return {
            "items": self.items,
            "annotators": len(self.whole.annotators),
            "labels": len(self.whole.labels),
            "skipped": self.skipped,
        }

    @property
    def recipe(self) -> str:
        counts = self.counts
        return signature(
            alpha=self.level, level="label", items=counts["items"], raters=counts["annotators"],
            skipped=self.skipped, boot=self.boot, rs=self.seed,
        )  # fmt: skip

    @property
    def ordered(self) -> list[str]:
        """Ids of the coefficients of the whole, in the order of NAMES."""
        return [name for name in NAMES if name in self.whole.coefficients]


# --- tables ----------------------------------------------------------------------------------------------


def show(found: Measured) -> None:
    """Print everything; reasons of undefined figures and the recipe beneath."""
    console, whole = Console(highlight=False), found.whole
    named = ", ".join(  # `skipped` is no noun
        f"{count} {name}" if name == "skipped" else counted(count, name.removesuffix("s"))
        for name, count in found.counts.items()
    )
    console.print(named)
    if found.gaps:
        missing = sum(found.gaps.values())
        what = ", ".join(f"{count:,} {visible(label) or 'empty'}" for label, count in found.gaps.items())
        share = f"{100 * missing / found.asked:.1f} % of {found.asked:,} judgements"
        console.print(f"without a usable label: {share} ({what})", markup=False)
    console.print(f"Krippendorff's alpha: {display(COEFFICIENT, whole.alpha)}", markup=False)
    console.print(f"agreeing pairs, %: {display(PERCENT, whole.percent)}", markup=False)
    grids = [_labels(whole), _pairs(whole, found.every)]
    if found.every or whole.weighted:
        grids.insert(0, _coefficients(found))
    if found.kinds is not None and found.paths is not None:
        grids.insert(0, _levels(found.kinds, found.paths))
    if found.without is not None:
        grids.append(_grid("Alpha without each annotator", ["left out", "alpha"],
                           [[name, display(COEFFICIENT, alpha)] for name, alpha in found.without.items()]))  # fmt: skip
    if found.conditions is not None:
        grids.append(_tables("Items that occur at each condition", "condition", found.conditions))
    if found.drift is not None:
        grids.append(_drift(found.drift))
    if found.themselves is not None:
        everyone = {**found.themselves.each, "all together": found.themselves.together}
        grids.append(_tables("Annotators with themselves, on repeated items", "annotator", everyone))
    for grid in grids:
        if grid.row_count:
            console.print(grid)
    for note in _reasons(found):
        console.print(Text(visible(note), style="dim"))
    estimand = "Over distinct items, each counted once" + ("; weighted: by --weight" if whole.weighted else "")
    console.print(Text(f"{estimand}. Intervals: {PERCENTILE}, 95 %.", style="dim"))
    console.print(Text(found.recipe, style="dim"))


def _coefficients(found: Measured) -> Grid:
    whole = found.whole
    heads = ["coefficient", "items alike", *(["weighted"] if whole.weighted else [])]
    rows = [
        [NAMES[name], *(_shown(name, of[name]) for of in (whole.coefficients, whole.weighted) if of)]
        for name in found.ordered
    ]  # fmt: skip
    return _grid("Coefficients", heads, rows)


def _labels(whole: Agreement) -> Grid:
    rows = [[one.label, display(COEFFICIENT, one.alpha), str(one.support)] for one in whole.per_label]
    return _grid("Each label against the rest", ["label", "alpha", "support"], rows)


def _pairs(whole: Agreement, every: bool) -> Grid:
    """A line for each pair, or for each coefficient of each pair: as many columns would not fit a terminal."""
    if not every:
        rows = [[pair.a, pair.b, str(pair.n), display(COEFFICIENT, pair.cohen_kappa)] for pair in whole.pairwise]
        return _grid("Cohen's kappa of each pair", ["annotator", "annotator", "items", "kappa"], rows, names=2)
    rows = [
        [*([pair.a, pair.b, str(pair.n)] if place == 0 else [""] * 3), NAMES[name], _shown(name, value)]
        for pair in whole.pairwise
        for place, (name, value) in enumerate(pair.coefficients.items())
    ]
    return _grid("Each pair", ["annotator", "annotator", "items", "coefficient", ""], rows, names=2)


def _levels(kinds: Agreement, paths: Mapping[str, Estimate]) -> Grid:
    rows = [["kinds", NAMES[name], _shown(name, kinds.coefficients[name])] for name in NAMES
            if name in kinds.coefficients]  # fmt: skip
    rows += [["paths", NAMES[name], _shown(name, value)] for name, value in paths.items()]
    return _grid("Kinds of labels, and paths (kind, bucket, label)", ["level", "coefficient", ""], rows, names=2)


def _drift(found: Drift) -> Grid:
    rows = [[name, _shown(name, value)] for name, value in (("alpha", found.alpha), ("percent", found.percent))]
    shown = [[NAMES[name], text] for name, text in rows]
    return _grid(f"Drift: {visible(found.last)} less {visible(found.first)}", ["figure", "change"], shown)


def _tables(title: str, head: str, tables: Mapping[str, Agreement]) -> Grid:
    weighted = any(one.weighted for one in tables.values())
    heads = [head, "items", "alpha", *(["alpha, weighted"] if weighted else []), "agreeing pairs, %"]
    rows = [
        [name, str(one.items), display(COEFFICIENT, one.alpha),
         *([display(COEFFICIENT, one.weighted.get("alpha"))] if weighted else []), display(PERCENT, one.percent)]
        for name, one in tables.items()
    ]  # fmt: skip
    return _grid(title, heads, rows)


def _grid(title: str, heads: list[str], rows: list[list[str]], names: int = 1) -> Grid:
    """The first `names` columns hold names, the others figures."""
    grid = Grid(title=title, title_justify="left", box=None)
    for place, head in enumerate(heads):
        grid.add_column(head, justify="left" if place < names else "right")
    for row in rows:
        grid.add_row(*(Text(visible(cell)) for cell in row))
    return grid


def _shown(name: str, value: Estimate) -> str:
    return display(PERCENT if name == "percent" else COEFFICIENT, value)


def _reasons(found: Measured) -> list[str]:
    """Why figures that are shown are undefined, or have no interval or a bound (†)."""
    whole = found.whole
    shown: list[Mapping[str, Estimate]] = [
        {"alpha": whole.alpha, "percent": whole.percent},
        whole.weighted,
        {one.label: one.alpha for one in whole.per_label},
        found.without or {},
    ]
    shown += [found.paths or {}, found.kinds.coefficients if found.kinds else {}]
    if found.drift is not None:
        shown.append({"alpha": found.drift.alpha, "percent": found.drift.percent})
    parts = list((found.conditions or {}).values())
    if found.themselves is not None:
        parts += [*found.themselves.each.values(), found.themselves.together]
    shown += [{"alpha": one.alpha, "percent": one.percent} for one in parts]
    if found.every:
        shown += [whole.coefficients, *(pair.coefficients for pair in whole.pairwise)]
    else:
        shown += [{"cohen": pair.cohen_kappa} for pair in whole.pairwise]
    return reasons(shown)


# --- figures ---------------------------------------------------------------------------------------------


def draw(found: Measured, folder: Path, inputs: Mapping[str, Path], started: str) -> list[str]:
    """Write the figures and agreement.run.json; returns a line for each file, or why there is none."""
    import numpy as np

    from gainsift.analysis.agreement_figures import MOST_ANNOTATORS, MOST_LABELS, confusion_map, pair_heat_map
    from gainsift.analysis.house_style import rendered
    from gainsift.schemas.atomic import atomic
    from gainsift.schemas.provenance import write_run

    whole, figures, told = found.whole, {}, []
    if not whole.pairable:
        return [f"no figures: {whole.alpha.reason}"]
    if len(whole.annotators) <= MOST_ANNOTATORS:
        title = "Agreement of each pair of annotators"
        figures["agreement_pairs"] = pair_heat_map(whole.pairwise, "cohen", title, found.recipe)
    else:
        told.append(f"no figure of pairs: {len(whole.annotators)} annotators are more than {MOST_ANNOTATORS}")
    if len(whole.labels) <= MOST_LABELS:
        counts = np.array([[whole.confusion[a, b] for b in whole.labels] for a in whole.labels])
        title = "Which labels are confused: pairs of judgements of one item"
        figures["agreement_confusion"] = confusion_map(counts, whole.labels, ("", ""), title, found.recipe)
    else:
        told.append(f"no figure of labels: {len(whole.labels)} are more than {MOST_LABELS}")
    for name, figure in figures.items():
        for kind in ("pdf", "png"):
            path = folder / f"{name}.{kind}"
            with atomic(path) as file:
                file.write(rendered(figure, kind))
            told.append(f"figure: {path}")
    settings = {"level": found.level, "resamples": found.boot}
    write_run(folder / "agreement.run.json", "figures of agreement", "gainsift agreement", started, dict(inputs),
              {"seed": found.seed}, settings, found.counts)  # fmt: skip
    return told
