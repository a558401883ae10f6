"""What `gainsift analyze` prints, of a study and of a table."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table as RichTable
from rich.text import Text

from gainsift.analysis.findings import Findings, warnings
from gainsift.analysis.sensitivity_tables import sensitivity_sentence
from gainsift.analysis.summary import agreement_sentence, contrast_sentence
from gainsift.analysis.tables import display, reasons
from gainsift.cli.terminal import Console
from gainsift.schemas.visible_text import visible


def show(results: Findings, further: Sequence[str] = (), remarks: Sequence[str] = ()) -> None:
    """Print the summary: one sentence and one table for each contrast, then agreement and what was left out.

    `further` stands beside agreement, `remarks` before the warnings.
    """
    console = Console(highlight=False)
    mark = results.mark
    table = results.tables["split"]
    shown = [column for column in table.columns if column.key in ("name", "flow", "share", "of_gain")]
    for result in results.contrasts:
        if result.step:  # the chain in the report shows them together
            continue
        title = Text(visible(result.contrast.name + mark))
        grid = RichTable(title=title, title_justify="left", box=None, pad_edge=False)
        for column in shown:  # a narrow terminal may wrap the names, never cut the figures
            text = column.kind == "text"
            grid.add_column(column.head, justify="left" if text else "right", no_wrap=not text)
        for row in table.rows:
            if row["contrast"] == result.contrast.name:
                grid.add_row(*(Text(visible(display(column, row[column.key]))) for column in shown))
        console.print(grid)
        for note in reasons([row for row in table.rows if row["contrast"] == result.contrast.name]):
            console.print(Text(visible(note), style="dim"))
        console.print(Text(visible(contrast_sentence(results.design, result)) + "\n"))
    if not results.contrasts:
        console.print("No contrast is asked for: nothing to split.")
    for sentence in (agreement_sentence(results), *further):
        if sentence:
            console.print(Text(visible(sentence)))
    for result in results.contrasts:
        if told := sensitivity_sentence(results.sensitivity, result.contrast.name):
            console.print(Text(visible(told)))
    for note in [*remarks, *warnings(results.design.spec)]:
        console.print(Text(visible(note)))
    if results.left_out:
        console.print("Left out or set aside:")
    for what, count in sorted(results.left_out.items()):
        console.print(Text(f"{count:6,}  {what}"))
