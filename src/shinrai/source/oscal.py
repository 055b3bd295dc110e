"""OSCAL catalogs as their publishers wrote them, read as frameworks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
from pydantic import ValidationError

from shinrai.errors import Problem
from shinrai.i18n import _
from shinrai.records import Framework, Json, Licence, Requirement, Source, Text

MAX_CATALOG_BYTES: Final = 50_000_000
"""Largest OSCAL catalog that is read."""

_MAX_DEPTH: Final = 40
_INSERT: Final = re.compile(r"\{\{\s*insert:\s*param,\s*([^\s}]+)\s*\}\}")
_NOT_IN_ID: Final = re.compile(r"[^a-z0-9]+")
_NOT_IN_ENTRY: Final = re.compile(r"[^\w.-]+")


class _UnfitError(ValueError):
    """The file is not what it should be; its text says why."""


def read_oscal_catalog(path: Path, *, shown_as: str) -> tuple[Framework | None, Problem | None]:
    """Read an OSCAL catalog in JSON, of any 1.x version.

    Groups become headings; controls, and the controls within them, become requirements with the text of their
    statement, in which each parameter stands as its label in square brackets; withdrawn controls become headings.
    The framework's id is the file's name.

    Parameters
    ----------
    path : Path
        The file, at most `MAX_CATALOG_BYTES` long.
    shown_as : str
        Its name in messages, relative to the workspace.

    Returns
    -------
    tuple
        The framework, or the problem of the file. Nothing of a file with a problem is kept.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_CATALOG_BYTES + 1)
    except OSError as error:
        message = _("the file cannot be read: {reason}").format(reason=error.strerror or error)
        return None, Problem("source.unreadable", shown_as, 1, 1, message)
    if len(raw) > MAX_CATALOG_BYTES:
        message = _("the file is too large")
        expected = _("at most {count:,} bytes").format(count=MAX_CATALOG_BYTES)
        return None, Problem("source.too-large", shown_as, 1, 1, message, expected)
    try:
        return _framework(msgspec.json.decode(raw), path.stem), None
    except (msgspec.DecodeError, RecursionError, _UnfitError, ValidationError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
        message = _("this is no OSCAL catalog: {reason}").format(reason=reason)
        expected = _("a catalog in OSCAL JSON, such as NIST publishes")
        return None, Problem("source.oscal", shown_as, 1, 1, message, expected)


def _framework(document: Json, stem: str) -> Framework:
    catalog = _part(document, "catalog", dict)
    metadata = _part(catalog, "metadata", dict)
    name = _NOT_IN_ID.sub("-", stem.lower()).strip("-")[:80]
    entries = tuple(_entries(catalog, None, _Names(), 0))
    if not entries:
        raise _UnfitError("it has no groups and no controls")
    day = _day(metadata.get("published") or _part(metadata, "last-modified", str))
    title = Text(en=_part(metadata, "title", str))
    return Framework(
        id=name,
        family=name,
        version=str(metadata.get("version", "?")),
        title=title,
        issuer=Text(en=_issuer(metadata)),
        published=day,
        licence=Licence(name=Text(en=str(metadata.get("remarks") or "see the publisher’s terms")), ships="text"),
        sources=(Source(title=title, date=day, certainty="official"),),
        certainty="official",
        requirements=entries,
    )


def _part(owner: Json, name: str, kind: type) -> Any:  # noqa: ANN401 - of the type that is asked for
    value = owner.get(name) if isinstance(owner, dict) else None
    if not isinstance(value, kind):
        raise _UnfitError(f"it lacks `{name}`")
    return value


def _listed(owner: Json, name: str) -> list[dict[str, Json]]:
    value = owner.get(name, []) if isinstance(owner, dict) else None
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise _UnfitError(f"`{name}` is not a list of objects")
    return value


def _day(written: str) -> date:
    try:
        return datetime.fromisoformat(written).date()
    except ValueError as error:
        raise _UnfitError(f"{written} is not a date") from error


def _issuer(metadata: dict[str, Json]) -> str:
    parties = {str(party.get("uuid")): str(party.get("name", "")) for party in _listed(metadata, "parties")}
    for duty in _listed(metadata, "responsible-parties"):
        for name in duty.get("party-uuids") or ():
            if parties.get(str(name)):
                return parties[str(name)]
    return next(iter(parties.values()), "") or "?"


class _Names:
    """Gives each group without an id one of its own."""

    def __init__(self) -> None:
        self.count = 0

    def of(self, entry: dict[str, Json]) -> str:
        if isinstance(entry.get("id"), str):
            return _NOT_IN_ENTRY.sub("-", entry["id"])
        self.count += 1
        return f"group-{self.count}"


def _entries(owner: dict[str, Json], parent: str | None, names: _Names, depth: int) -> Iterator[Requirement]:
    if depth > _MAX_DEPTH:
        raise _UnfitError("its groups and controls are nested too deeply")
    for kind in ("groups", "controls"):
        for entry in _listed(owner, kind):
            name = names.of(entry)
            yield Requirement(
                id=name,
                parent=parent,
                title=Text(en=_part(entry, "title", str)),
                text=Text(en=said) if (said := _statement(entry)) else None,
                assessable=kind == "controls" and not _withdrawn(entry),
            )
            yield from _entries(entry, name, names, depth + 1)


def _withdrawn(control: dict[str, Json]) -> bool:
    return any(one.get("name") == "status" and one.get("value") == "withdrawn" for one in _listed(control, "props"))


def _statement(control: dict[str, Json]) -> str:
    labels = {str(one.get("id")): str(one.get("label") or one.get("id")) for one in _listed(control, "params")}
    told = [line for part in _listed(control, "parts") if part.get("name") == "statement" for line in _prose(part, 0)]
    return _INSERT.sub(lambda found: f"[{labels.get(found[1], found[1])}]", "\n".join(told))


def _prose(part: dict[str, Json], depth: int) -> Iterator[str]:
    if depth > _MAX_DEPTH:
        raise _UnfitError("its parts are nested too deeply")
    if isinstance(part.get("prose"), str) and part["prose"].strip():
        label = next((str(one.get("value")) for one in _listed(part, "props") if one.get("name") == "label"), "")
        yield f"{label} {part['prose'].strip()}".strip()
    for inner in _listed(part, "parts"):
        yield from _prose(inner, depth + 1)
