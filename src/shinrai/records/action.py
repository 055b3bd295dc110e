"""Actions: what is decided about findings."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field, model_validator

from shinrai.i18n import _
from shinrai.records.base import Id, Record, Role, Text
from shinrai.records.system import Change

ClaimOnSystem = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$", description="claim@system")]


class Acceptance(Record):
    """A risk taken knowingly, by a role, until a day."""

    role: Role
    until: date
    reason: Text


class Action(Record):
    """The files ``actions/*.yaml``: a change to a system, or the acceptance of a risk."""

    id: Id
    title: Text
    why: Text | None = None
    owner: Role
    due: date | None = None
    addresses: Annotated[tuple[ClaimOnSystem, ...], Field(min_length=1)]
    change: Change | None = None
    accept: Acceptance | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Action:
        if (self.change is None) == (self.accept is None):
            raise ValueError(_("an action either changes a system or accepts a risk"))
        return self
