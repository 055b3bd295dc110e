"""Bills of materials in CycloneDX: read, held against their official schema, and taken apart into components.

A bill is kept as its author wrote it, in ``boms/<name>.cdx.json``; nothing of it is translated and lost. What Shinrai
reasons with is derived from it each time: one component for each of the bill's, with the facts that a bill can state.
Facts that CycloneDX has no field for stand in its properties under ``shinrai:``.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import jsonschema_rs
from pydantic import ValidationError

from shinrai.catalog import data_path
from shinrai.errors import Problem, SourceError
from shinrai.i18n import _
from shinrai.records import Id, Json, Part, package_url
from shinrai.source import (
    MAX_PROBLEMS,
    JsonDocument,
    Place,
    did_you_mean,
    listing,
    read_json_document,
    rule_broken,
    shortened,
)
from shinrai.workspace.bom_facts import Object, facts_of, notices_of, properties
from shinrai.workspace.graph import choices, cycles

VERSIONS: Final = ("1.6", "1.7")
"""Versions of CycloneDX that are read."""
SUFFIX: Final = ".cdx.json"
"""How the files in ``boms/`` end."""

_SCHEMA: Final = "http://cyclonedx.org/schema/"
_NOT_IN_ID: Final = re.compile(r"[^a-z0-9.]+")
_JOINTS: Final = re.compile(r"[-.]*\.[-.]*|-+")
_TOP: Final[Place] = ("metadata", "component")


@dataclass(frozen=True, slots=True)
class Bom:
    """A bill of materials of the workspace.

    Parameters
    ----------
    name : str
        Of its file, without the suffix.
    source : JsonDocument
        As its author wrote it.
    parts : dict
        Id → component, in the order of the document.
    refs : dict
        Id → its ``bom-ref`` in the document; None where it has none.
    places : dict
        Id → where it stands in the document.
    """

    name: str
    source: JsonDocument
    parts: dict[Id, Part]
    refs: dict[Id, str | None]
    places: dict[Id, Place]

    def component(self, name: Id) -> dict[str, Any]:
        """Give what the document says of a component, as it stands there: do not change it."""
        return at(self.source.data, self.places[name])


def at(document: Json, place: Place) -> dict[str, Any]:
    """Give the part of a document that stands at a place."""
    value: Any = document
    for step in place:
        value = value[step]
    found: dict[str, Any] = value
    return found


def read_bom(path: Path, *, shown_as: str) -> Bom:
    """Read a bill of materials.

    Parameters
    ----------
    path : Path
        A JSON file of CycloneDX 1.6 or 1.7.
    shown_as : str
        Its name in messages.

    Returns
    -------
    Bom

    Raises
    ------
    SourceError
        With every problem: no JSON, no CycloneDX, refused by its official schema, one reference for two components, a
        dependency on nothing or in a circle, a package URL of a type that nobody has registered.
    """
    name = Path(shown_as).name.removesuffix(SUFFIX).removesuffix(".json")
    return bom_of(read_json_document(path, shown_as=shown_as), name)


def bom_of(document: JsonDocument, name: str) -> Bom:
    """Make a bill of materials of a JSON document.

    Parameters
    ----------
    document : JsonDocument
        As its author wrote it.
    name : str
        What the workspace calls it.

    Returns
    -------
    Bom

    Raises
    ------
    SourceError
        As `read_bom`.
    """
    _stop_for(_against_schema(document))
    entries = list(_entries(document.data))
    _stop_for(_references(document, entries))
    _stop_for(_package_urls(document, entries))
    ids = _ids(entries)
    below = _below(document.data, entries, ids)
    parts = {ids[entry.place]: _part(document, entry, ids[entry.place], below[entry.place]) for entry in entries}
    places = {ids[entry.place]: entry.place for entry in entries}
    _stop_for(_circles(document, places, parts))
    return Bom(name, document, parts, {ids[entry.place]: entry.ref for entry in entries}, places)


def _stop_for(problems: Iterator[Problem]) -> None:
    found = [problem for problem, _number in zip(problems, range(MAX_PROBLEMS), strict=False)]
    if found:
        raise SourceError(found)


# ---- the official schema


@cache
def _validator(version: str) -> jsonschema_rs.Validator:
    others = ("jsf-0.82.schema.json", "spdx.schema.json", "cryptography-defs.schema.json")
    registry = jsonschema_rs.Registry([(f"{_SCHEMA}{name}", _schema(name)) for name in others])
    return jsonschema_rs.validator_for(_schema(f"bom-{version}.schema.json"), registry=registry, validate_formats=True)


def _schema(name: str) -> dict[str, Json]:
    found: dict[str, Json] = json.loads(data_path(f"schemas/cyclonedx/{name}").read_bytes())
    return found


def _against_schema(document: JsonDocument) -> Iterator[Problem]:
    data = document.data
    if not isinstance(data, dict) or data.get("bomFormat") != "CycloneDX":
        message = _("this is no bill of materials in CycloneDX")
        yield document.problem("bom.format", ("bomFormat",), message, '"bomFormat": "CycloneDX"')
        return
    version = data.get("specVersion")
    if version not in VERSIONS:
        message, expected = _("this version of CycloneDX is not read"), _("one of: {names}")
        yield document.problem("bom.version", ("specVersion",), message, expected.format(names=listing(VERSIONS)))
        return
    for error in _validator(str(version)).iter_errors(data):
        yield _schema_problem(document, error)


def _schema_problem(document: JsonDocument, error: jsonschema_rs.ValidationError) -> Problem:
    """Say what CycloneDX's schema refuses; what can be said in our own words, with what would have been right."""
    place, kind = tuple(error.instance_path), error.kind
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.Enum):
        known = [str(one) for one in kind.options]
        message = _('CycloneDX does not know "{found}" here').format(found=shortened(str(error.instance)))
        expected = _("one of: {names}").format(names=listing(known))
        return document.problem("bom.schema", place, message, expected, did_you_mean(str(error.instance), known))
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.Required):
        message = _('CycloneDX needs the key "{name}" here').format(name=kind.property)
        return document.problem("bom.schema", place, message)
    if isinstance(
        kind,
        jsonschema_rs.ValidationErrorKind.AdditionalProperties
        | jsonschema_rs.ValidationErrorKind.UnevaluatedProperties,
    ):
        names = listing([shortened(str(one)) for one in kind.unexpected])
        message = _("CycloneDX does not know these keys here: {names}").format(names=names)
        return document.problem("bom.schema", (*place, kind.unexpected[0]), message)
    reason = error.message if len(error.message) < 300 else f"{error.message[:300]} …"
    message = _("CycloneDX does not accept it: {reason}").format(reason=reason)
    return document.problem("bom.schema", place, message)


# ---- components and services, wherever they stand


class Entry(NamedTuple):
    """A component or a service of a bill, and where it stands."""

    place: Place
    value: Object
    is_service: bool
    parent: Place | None

    @property
    def ref(self) -> str | None:
        """Its ``bom-ref``."""
        return self.value.get("bom-ref")


def _entries(data: Object) -> Iterator[Entry]:
    top = data.get("metadata", {}).get("component")
    waiting = [] if top is None else [Entry(_TOP, top, is_service=False, parent=None)]
    for key in ("components", "services"):
        waiting += [Entry((key, at), one, key == "services", None) for at, one in enumerate(data.get(key, ()))]
    for entry in waiting:  # grows while it is gone through
        yield entry
        key = "services" if entry.is_service else "components"
        inner = enumerate(entry.value.get(key, ()))
        waiting += [Entry((*entry.place, key, at), one, entry.is_service, entry.place) for at, one in inner]


def _references(document: JsonDocument, entries: list[Entry]) -> Iterator[Problem]:
    seen: set[str | None] = set()
    for entry in entries:
        if entry.ref is not None and entry.ref in seen:
            message = _('two components have the reference "{ref}"').format(ref=entry.ref)
            yield document.problem("bom.duplicate-ref", (*entry.place, "bom-ref"), message, _("a reference of its own"))
        seen.add(entry.ref)
    known = _all_refs(document.data)
    for at, found in enumerate(document.data.get("dependencies", ())):
        named: list[tuple[Place, str]] = [(("ref",), found["ref"])]
        named += [(("dependsOn", number), ref) for number, ref in enumerate(found.get("dependsOn", ()))]
        for place, ref in named:
            if ref not in known:
                message = _('nothing has the reference "{ref}"').format(ref=ref)
                yield document.problem("bom.unknown-ref", ("dependencies", at, *place), message)


def _all_refs(data: Json) -> set[str]:
    found: set[str] = set()
    waiting = [data]
    for value in waiting:  # grows while it is gone through
        if isinstance(value, dict):
            if isinstance(value.get("bom-ref"), str):
                found.add(value["bom-ref"])
            waiting += [part for part in value.values() if isinstance(part, dict | list)]
        elif isinstance(value, list):
            waiting += [part for part in value if isinstance(part, dict | list)]
    return found


def _package_urls(document: JsonDocument, entries: list[Entry]) -> Iterator[Problem]:
    for entry in entries:
        if "purl" in entry.value:
            written = entry.value["purl"]
            try:
                package_url(written)
            except ValueError as error:
                message = _('"{text}" cannot be used: {reason}').format(text=written[:100], reason=error)
                yield document.problem("bom.package-url", (*entry.place, "purl"), message)


# ---- ids


def slug(text: str) -> str:
    """Make an id out of a name; empty where nothing of the name can stand in one."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    joined = _JOINTS.sub(lambda found: "." if "." in found.group() else "-", _NOT_IN_ID.sub("-", plain))
    return joined.strip("-.")[:70].strip("-.")


def _ids(entries: list[Entry]) -> dict[Place, Id]:
    """Name every entry: by its own property, by its name, with its version where several have that name."""
    names = {entry.place: _own_id(entry) or slug(str(entry.value["name"])) for entry in entries}
    for longer in (_with_version, _with_mark):
        counts = Counter(names.values())
        unclear = [entry for entry in entries if not names[entry.place] or counts[names[entry.place]] > 1]
        own = {entry.place for entry in unclear if _own_id(entry) == names[entry.place]}
        names |= {one.place: longer(one, names[one.place]) for one in unclear if one.place not in own}
    return names


def _own_id(entry: Entry) -> str | None:
    written = properties(entry.value).get("id")
    return written if written and slug(written) == written else None


def _with_version(entry: Entry, name: str) -> str:
    return slug(f"{name}-{entry.value.get('version', '')}") if name else name


def _with_mark(entry: Entry, name: str) -> str:
    mark = hashlib.sha256(str(entry.ref or entry.place).encode()).hexdigest()[:8]
    return f"{name or 'component'}-{mark}"


def _below(data: Object, entries: list[Entry], ids: Mapping[Place, Id]) -> dict[Place, list[Id]]:
    """Give what each entry needs: what it depends on by the bill, what is part of it, and the data of its model card.

    What the bill is about is made of all the others where the bill says nothing of dependencies.
    """
    by_ref = {entry.ref: entry for entry in entries if entry.ref}
    found: dict[Place, dict[Id, None]] = {entry.place: {} for entry in entries}
    for one in data.get("dependencies", ()):
        if one["ref"] in by_ref:
            named = (by_ref[ref] for ref in one.get("dependsOn", ()) if ref in by_ref)
            found[by_ref[one["ref"]].place].update(dict.fromkeys(ids[entry.place] for entry in named))
    for entry in entries:
        learned = entry.value.get("modelCard", {}).get("modelParameters", {}).get("datasets", ())
        named = (by_ref[one["ref"]] for one in learned if one.get("ref") in by_ref)
        found[entry.place].update(dict.fromkeys(ids[one.place] for one in named))
    whole = _TOP if _TOP in found and "dependencies" not in data else None
    for entry in entries:
        above = entry.parent or (whole if entry.place != _TOP else None)
        if above is not None:
            found[above][ids[entry.place]] = None
    return {place: list(names) for place, names in found.items()}


# ---- components


def _part(document: JsonDocument, entry: Entry, name: Id, below: list[Id]) -> Part:
    own = properties(entry.value)
    try:
        facts = {
            "id": name,
            **facts_of(entry.value, is_service=entry.is_service),
            "needs": json.loads(own["needs"]) if "needs" in own else below,
            "notices": list(notices_of(document.data, entry.ref)),
        }
        return Part.model_validate_json(json.dumps(facts))
    except ValueError as error:
        message = _('the component "{name}" says what cannot be: {reason}').format(name=name, reason=_first(error))
        raise SourceError([document.problem("bom.facts", entry.place, message)]) from error


def _first(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        detail = error.errors(include_url=False)[0]
        return f"{'.'.join(map(str, detail['loc']))}: {rule_broken(error)}"
    return str(error)


def _circles(document: JsonDocument, places: Mapping[Id, Place], parts: Mapping[Id, Part]) -> Iterator[Problem]:
    needs = {name: [one for choice in choices(part.needs) for one in choice] for name, part in parts.items()}
    for around in cycles(needs):
        message = _("the component needs itself: {way}").format(way=" → ".join((*around[-1:], *around)))
        yield document.problem("bom.cycle", places[around[-1]], message)
