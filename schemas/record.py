"""The base of every record: strict fields, no silent extras, hashes that survive a round trip."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[int, Field(gt=0)]


class Record(BaseModel):
    """A row or a part of one. Unknown fields are refused; instances do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="strings")


def fingerprint(value: Any, length: int = 16) -> str:
    """The first `length` hex digits of SHA-256 over canonical JSON (keys sorted, UTF-8)."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:length]
