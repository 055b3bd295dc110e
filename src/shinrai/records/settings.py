"""``shinrai.yaml``: the workspace itself."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from shinrai.records.base import Id, Record, Role, Text


class Money(Record):
    """An amount of money."""

    amount: Annotated[Decimal, Field(ge=0)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217 code")]


class Budget(Record):
    """What one ``shinrai check`` may spend at most."""

    calls: Annotated[int, Field(gt=0)] = 5_000
    money: Money | None = None


class RoleDefinition(Record):
    """A role of the organisation and what it may do."""

    id: Role
    title: Text
    accepts_risk: bool = False


class Settings(Record):
    """The file ``shinrai.yaml``."""

    name: Text
    id: Id
    languages: tuple[Literal["ja", "en"], ...] = ("ja", "en")
    store: Annotated[str, Field(description="Database URL; a relative SQLite path is relative to the workspace")] = (
        "sqlite:///.shinrai/ledger.db"
    )
    order_seed: Annotated[
        int,
        Field(ge=0, lt=2**53, description="Fixes the order in which data are drawn. Chosen once, before any result."),
    ]
    budget: Budget = Budget()
    roles: tuple[RoleDefinition, ...] = ()
