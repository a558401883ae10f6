"""The contract between the stages: records, taxonomy, file formats, provenance. Imports nothing of ours.

For notebooks: `as_study`, `Study`, and the errors that a person can act on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gainsift.schemas.errors import GainsiftError, UserError, WorkError
from gainsift.schemas.lazy import names_from

__all__ = ["GainsiftError", "Study", "UserError", "WorkError", "as_study"]

if TYPE_CHECKING:
    from gainsift.schemas.study import Study, as_study
else:
    __getattr__ = names_from("gainsift.schemas.study", ["Study", "as_study"])
