"""``shinrai.yaml``: the workspace itself."""

from __future__ import annotations

import ipaddress
import re
from decimal import Decimal
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import AfterValidator, Field

from shinrai.i18n import _
from shinrai.records.base import Id, Record, Role, Text


class Money(Record):
    """An amount of money."""

    amount: Annotated[Decimal, Field(ge=0)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217 code")]


class Budget(Record):
    """What one ``shinrai check`` may spend at most."""

    calls: Annotated[int, Field(gt=0)] = 5_000
    tokens: Annotated[int | None, Field(gt=0, description="In and out together, as the endpoint counts them")] = None
    money: Money | None = None


_NAME: Final = re.compile(r"(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?", re.ASCII)
_BRACKETED: Final = re.compile(r"\[(?P<address>[^\]]+)\](?::(?P<port>\d{1,5}))?", re.ASCII)


def _allowed_host(written: str) -> str:
    """Read an entry of ``allowed_hosts``.

    Raises
    ------
    ValueError
        For what is no host name, address or network, with or without a port, and for a link-local one: there, clouds
        hand out credentials.
    """
    text = written.strip().lower()
    bracketed = _BRACKETED.fullmatch(text)
    host, port = (bracketed["address"], bracketed["port"]) if bracketed else _parted(text)
    try:
        network = ipaddress.ip_network(host)
    except ValueError:
        if not _NAME.fullmatch(host) or re.fullmatch(r"[\d.]+", host):
            raise ValueError(_("expected a host such as api.example.com, 127.0.0.1:8080 or 10.0.0.0/8")) from None
    else:
        if network.is_link_local or network.is_multicast or network.is_unspecified:
            raise ValueError(_("link-local, multicast and unspecified addresses cannot be allowed"))
    if port is not None and not 0 < int(port) <= 65535:
        raise ValueError(_("a port is a number from 1 to 65535"))
    return text


def _parted(text: str) -> tuple[str, str | None]:
    """Part host and port; an IPv6 address without brackets has no port."""
    head, colon, port = text.rpartition(":")
    return (head, port) if colon and ":" not in head and port.isdecimal() else (text, None)


AllowedHost: TypeAlias = Annotated[str, AfterValidator(_allowed_host)]
"""A host name, an address or a network (``10.0.0.0/8``); a name or an address may carry a port."""


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
    allowed_hosts: Annotated[
        tuple[AllowedHost, ...],
        Field(description="Where systems may be asked. Nothing else is reached, this machine (127.0.0.1) included."),
    ] = ()
    roles: tuple[RoleDefinition, ...] = ()
    frameworks: Annotated[
        tuple[Id, ...] | None,
        Field(description="Rule books to answer, by id; every one that is not withdrawn when left out"),
    ] = None
    risk: Annotated[
        tuple[Id, ...], Field(description="Risk schemes that decide how deep systems are tested, by id")
    ] = ()
    sections: Annotated[
        tuple[Id, ...],
        Field(description="Sections of one's own at the end of the report: shinrai.sections, or checks/NAME.py"),
    ] = ()
    follows: Annotated[
        tuple[Id, ...], Field(description="Plans of the catalog whose indicators are watched here, all their versions")
    ] = ()
