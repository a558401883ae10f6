"""Numbers: agreement, trends and the split of a gain -> tables, figures, report.

For notebooks: `load_rows`, `measure_agreement`, `split_gain`, `analyse`, `analyse_judgements`, `frame_of`,
`write_report`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gainsift.schemas.lazy import names_from

__all__ = [
    "analyse", "analyse_judgements", "frame_of", "load_rows", "measure_agreement", "split_gain", "write_report",
]  # fmt: skip

if TYPE_CHECKING:
    from gainsift.analysis.api import (
        analyse,
        analyse_judgements,
        frame_of,
        load_rows,
        measure_agreement,
        split_gain,
        write_report,
    )
else:
    __getattr__ = names_from("gainsift.analysis.api", __all__)
