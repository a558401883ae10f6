"""People: translations -> blinded items -> Label Studio -> judgements.

For notebooks: `plan_items`, `export_tasks`, `take_home`, `simulate`, `load_judgements`, `status`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gainsift.schemas.lazy import names_from

__all__ = ["export_tasks", "load_judgements", "plan_items", "simulate", "status", "take_home"]

if TYPE_CHECKING:
    from gainsift.annotation.api import export_tasks, load_judgements, plan_items, simulate, status, take_home
else:
    __getattr__ = names_from("gainsift.annotation.api", __all__)
