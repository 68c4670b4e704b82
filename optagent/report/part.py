"""A part of a JSON document."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """What is not in the schema is not in the document."""

    model_config = ConfigDict(extra="forbid", frozen=True)
