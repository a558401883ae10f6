"""What `gainsift agreement` prints and writes: tables for people, JSON for programs, figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from gainsift.analysis.agreement import NAMES, Agreement
from gainsift.analysis.agreement_parts import SelfAgreement
from gainsift.analysis.estimate import Estimate
from gainsift.analysis.patterns import PERCENTILE
from gainsift.analysis.signature import signature
from gainsift.analysis.tables import Column, display, plain, reasons
from gainsift.analysis.wording import counted, visible

COEFFICIENT = Column("", "", "coefficient", interval=True)
PERCENT = Column("", "", "percent", interval=True)


@dataclass(frozen=True)
class Measured:
    """All that was asked for; what was not is None. `every`: coefficients beside alpha, percent and kappa as well."""

    whole: Agreement
    items: int
    skipped: int
    level: str
    boot: int
    seed: int
    every: bool
    without: Mapping[str, Estimate] | None
    conditions: Mapping[str, Agreement] | None
    themselves: SelfAgreement | None

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


# --- json ------------------------------------------------------------------------------------------------


def as_data(found: Measured) -> dict[str, Any]:
    """The JSON: counts, `percent` from 0 to 100, null where a figure is undefined; then what else was asked for."""
    whole = found.whole
    data: dict[str, Any] = {
        **found.counts,
        "alpha": {"point": whole.alpha.point, "low": whole.alpha.low, "high": whole.alpha.high},
        "percent": whole.percent.point,
        "pairwise": [
            {"a": pair.a, "b": pair.b, "n": pair.n, "cohen_kappa": pair.cohen_kappa.point} for pair in whole.pairwise
        ],
        "per_label": {
            one.label: {
                "alpha": one.alpha.point,
                "low": one.alpha.low,
                "high": one.alpha.high,
                "support": one.support,
            }
            for one in whole.per_label
        },
        "signature": found.recipe,
    }
    if found.every:
        data["intervals"] = PERCENTILE
        data["coefficients"] = _estimates(whole.coefficients)
        data["pairs"] = [
            {"a": pair.a, "b": pair.b, "n": pair.n, "coefficients": _estimates(pair.coefficients),
             "confusion": pair.confusion.tolist()}
            for pair in whole.pairwise
        ]  # fmt: skip
        data["label_order"] = whole.labels
        data["confusion"] = {a: {b: whole.confusion[a, b] for b in whole.labels} for a in whole.labels}
    if found.without is not None:
        data["without"] = _estimates(found.without)
    if whole.weighted:
        data["weighted"] = _estimates(whole.weighted)
    if found.conditions is not None:
        data["conditions"] = {name: _of_table(one) for name, one in found.conditions.items()}
    if found.themselves is not None:
        data["self_agreement"] = {
            "together": _of_table(found.themselves.together),
            "annotators": {name: _of_table(one) for name, one in found.themselves.each.items()},
        }
    return data


def _estimates(values: Mapping[str, Estimate]) -> dict[str, Any]:
    return {name: plain(value) for name, value in values.items()}


def _of_table(one: Agreement) -> dict[str, Any]:
    return {
        "items": one.items,
        "pairable": one.pairable,
        "judgements": one.judgements,
        "coefficients": _estimates(one.coefficients),
        **({"weighted": _estimates(one.weighted)} if one.weighted else {}),
    }


# --- tables ----------------------------------------------------------------------------------------------


def show(found: Measured) -> None:
    """Print everything; reasons of undefined figures and the recipe beneath."""
    console, whole = Console(highlight=False), found.whole
    named = ", ".join(  # `skipped` is no noun
        f"{count} {name}" if name == "skipped" else counted(count, name.removesuffix("s"))
        for name, count in found.counts.items()
    )
    console.print(named)
    console.print(f"Krippendorff's alpha: {display(COEFFICIENT, whole.alpha)}", markup=False)
    console.print(f"agreeing pairs, %: {display(PERCENT, whole.percent)}", markup=False)
    grids = [_labels(whole), _pairs(whole, found.every)]
    if found.every or whole.weighted:
        grids.insert(0, _coefficients(found))
    if found.without is not None:
        grids.append(_grid("Alpha without each annotator", ["left out", "alpha"],
                           [[name, display(COEFFICIENT, alpha)] for name, alpha in found.without.items()]))  # fmt: skip
    if found.conditions is not None:
        grids.append(_tables("Items that occur at each condition", "condition", found.conditions))
    if found.themselves is not None:
        everyone = {**found.themselves.each, "all together": found.themselves.together}
        grids.append(_tables("Annotators with themselves, on repeated items", "annotator", everyone))
    for grid in grids:
        if grid.row_count:
            console.print(grid)
    for note in _reasons(found):
        console.print(Text(visible(note), style="dim"))
    if found.every:
        console.print(Text(f"Intervals: {PERCENTILE}, 95 %.", style="dim"))
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
    if not every:
        point = Column("", "", "coefficient")
        rows = [[pair.a, pair.b, str(pair.n), display(point, pair.cohen_kappa)] for pair in whole.pairwise]
        return _grid("Cohen's kappa of each pair", ["annotator", "annotator", "items", "kappa"], rows, names=2)
    ids = list(whole.pairwise[0].coefficients) if whole.pairwise else []
    rows = [
        [pair.a, pair.b, str(pair.n), *(_shown(name, pair.coefficients[name]) for name in ids)]
        for pair in whole.pairwise
    ]  # fmt: skip
    return _grid("Each pair", ["annotator", "annotator", "items", *(NAMES[name] for name in ids)], rows, names=2)


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
    from gainsift.analysis.figures import rendered
    from gainsift.schemas.files import atomic
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
