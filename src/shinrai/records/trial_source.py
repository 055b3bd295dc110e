"""Trial sources of one's own, as a check names them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shinrai.records.base import Id, Json, Record

__all__ = ["SourceUse"]


class SourceUse(Record):
    """A plug-in that makes the trials, one of each item of a file: an installed package's, or that of ``checks/``."""

    name: Annotated[Id, Field(description="Entry point of the group shinrai.sources, or checks/NAME.py")]
    parameters: Annotated[dict[str, Json], Field(description="Handed to the plug-in as they stand")] = Field(
        default_factory=dict
    )
    at_once: Annotated[int, Field(gt=0, le=256, description="Trials at once, each in a thread of its own")] = 1
    timeout: Annotated[float, Field(gt=0, le=86400, description="Seconds a trial may take")] = 600.0
