"""GPU stage: concepts -> prompts -> checkpoints -> patched translations.

For notebooks: `generate`, `foretell`, `load_outputs`. Importing this package loads neither torch nor pandas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gainsift.schemas.lazy import names_from

__all__ = ["foretell", "generate", "load_outputs"]

if TYPE_CHECKING:
    from gainsift.generation.api import foretell, generate, load_outputs
else:
    __getattr__ = names_from("gainsift.generation.api", __all__)
