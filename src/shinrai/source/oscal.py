"""OSCAL catalogs as their publishers wrote them, read as frameworks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Final

import msgspec
from pydantic import ValidationError

from shinrai.errors import Problem, SourceError
from shinrai.i18n import _
from shinrai.records import Framework, Json, Licence, Requirement, Source, Text
from shinrai.source.document import Place
from shinrai.source.explain import rule_broken
from shinrai.source.reading import not_utf_8
from shinrai.source.strict_json import JsonDocument

MAX_CATALOG_BYTES: Final = 50_000_000
"""Largest OSCAL catalog that is read."""

_MAX_DEPTH: Final = 40
_METADATA: Final = ("catalog", "metadata")
_INSERT: Final = re.compile(r"\{\{\s*insert:\s*param,\s*([^\s}]+)\s*\}\}")
_NOT_IN_ID: Final = re.compile(r"[^a-z0-9]+")
_NOT_IN_ENTRY: Final = re.compile(r"[^\w.-]+")


class _UnfitError(ValueError):
    """The file is not what it should be; its text says why, in the language in use.

    Parameters
    ----------
    message : str
    place : Place
        Where in the document.
    """

    def __init__(self, message: str, place: Place = ()) -> None:
        super().__init__(message)
        self.place = place


def read_oscal_catalog(path: Path, *, shown_as: str) -> tuple[Framework | None, Problem | None]:
    """Read an OSCAL catalog in JSON, of any released version (1.0.0 and later).

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
        return None, _problem(error, raw, shown_as)


def _problem(error: Exception, raw: bytes, shown_as: str) -> Problem:
    """Say where a file is not a catalog, and why; positions are looked for only now, because that takes longer."""
    try:
        document = JsonDocument(raw.decode(), shown_as)
    except UnicodeDecodeError as not_text:
        return not_utf_8(raw, not_text, shown_as)
    except SourceError as no_json:
        return no_json.problems[0]
    place = error.place if isinstance(error, _UnfitError) else ()
    reason = rule_broken(error) if isinstance(error, ValidationError) else str(error)
    message = _("this is no OSCAL catalog: {reason}").format(reason=reason)
    return document.problem("source.oscal", place, message, _("a catalog in OSCAL JSON, such as NIST publishes"))


def _framework(document: Json, stem: str) -> Framework:
    catalog = _part(document, "catalog", ())
    metadata = _part(catalog, "metadata", ("catalog",))
    _released(metadata)
    name = _NOT_IN_ID.sub("-", stem.lower()).strip("-")[:80]
    entries = tuple(_entries(catalog, None, _Names(), ("catalog",)))
    if not entries:
        raise _UnfitError(_("it has no groups and no controls"), ("catalog",))
    day = _day(metadata)
    title = Text(en=_text(metadata, "title", _METADATA))
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


def _released(metadata: dict[str, Json]) -> None:
    """Refuse drafts of OSCAL, which had other shapes: they would be misread, not read.

    Raises
    ------
    _UnfitError
        For a version that was never released.
    """
    written = str(metadata.get("oscal-version", "1"))
    if written.startswith("0.") or "-rc" in written.lower() or "milestone" in written.lower():
        message = _("it is written in {version}, a draft of OSCAL; ask for it in version 1.0 or later")
        raise _UnfitError(message.format(version=written), (*_METADATA, "oscal-version"))


def _part(owner: Json, name: str, place: Place) -> dict[str, Json]:
    value = owner.get(name) if isinstance(owner, dict) else None
    if not isinstance(value, dict):
        raise _UnfitError(_("it lacks `{name}`").format(name=name), (*place, name))
    return value


def _text(owner: dict[str, Json], name: str, place: Place) -> str:
    value = owner.get(name)
    if not isinstance(value, str):
        raise _UnfitError(_("it lacks `{name}`").format(name=name), (*place, name))
    return value


def _listed(owner: dict[str, Json], name: str, place: Place) -> list[dict[str, Json]]:
    value = owner.get(name, [])
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise _UnfitError(_("`{name}` is not a list of objects").format(name=name), (*place, name))
    return value


def _day(metadata: dict[str, Json]) -> date:
    name = "published" if metadata.get("published") else "last-modified"
    written = _text(metadata, name, _METADATA)
    try:
        return datetime.fromisoformat(written).date()
    except ValueError as error:
        raise _UnfitError(_('"{text}" is not a date').format(text=written), (*_METADATA, name)) from error


def _issuer(metadata: dict[str, Json]) -> str:
    listed = _listed(metadata, "parties", _METADATA)
    parties = {str(party.get("uuid")): str(party.get("name", "")) for party in listed}
    for duty in _listed(metadata, "responsible-parties", _METADATA):
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


def _entries(owner: dict[str, Json], parent: str | None, names: _Names, place: Place) -> Iterator[Requirement]:
    if len(place) > 2 * _MAX_DEPTH:
        raise _UnfitError(_("its groups and controls are nested too deeply"), place)
    for kind in ("groups", "controls"):
        for number, entry in enumerate(_listed(owner, kind, place)):
            here = (*place, kind, number)
            name = names.of(entry)
            yield Requirement(
                id=name,
                parent=parent,
                title=Text(en=_text(entry, "title", here)),
                text=Text(en=said) if (said := _statement(entry, here)) else None,
                assessable=kind == "controls" and not _withdrawn(entry, here),
            )
            yield from _entries(entry, name, names, here)


def _withdrawn(control: dict[str, Json], place: Place) -> bool:
    props = _listed(control, "props", place)
    return any(one.get("name") == "status" and one.get("value") == "withdrawn" for one in props)


def _statement(control: dict[str, Json], place: Place) -> str:
    params = _listed(control, "params", place)
    labels = {str(one.get("id")): str(one.get("label") or one.get("id")) for one in params}
    told = [
        line
        for number, part in enumerate(_listed(control, "parts", place))
        if part.get("name") == "statement"
        for line in _prose(part, (*place, "parts", number))
    ]
    return _INSERT.sub(lambda found: f"[{labels.get(found[1], found[1])}]", "\n".join(told))


def _prose(part: dict[str, Json], place: Place) -> Iterator[str]:
    if len(place) > 4 * _MAX_DEPTH:
        raise _UnfitError(_("its parts are nested too deeply"), place)
    if isinstance(part.get("prose"), str) and part["prose"].strip():
        props = _listed(part, "props", place)
        label = next((str(one.get("value")) for one in props if one.get("name") == "label"), "")
        yield f"{label} {part['prose'].strip()}".strip()
    for number, inner in enumerate(_listed(part, "parts", place)):
        yield from _prose(inner, (*place, "parts", number))
