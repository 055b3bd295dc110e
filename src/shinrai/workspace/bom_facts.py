"""The facts that a component of a CycloneDX document states, in the words of Shinrai."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

from shinrai.records import COUNTRIES, Json, PartType

PROPERTY: Final = "shinrai:"
"""Begins the names of properties that hold what CycloneDX has no field for."""

Object: TypeAlias = Mapping[str, Any]

TYPES: Final[Mapping[str, PartType]] = {
    "machine-learning-model": "model",
    "data": "data",
    "device": "compute",
    "platform": "compute",
}
"""Type of a CycloneDX component → what it is here; all others are applications."""

PLAIN: Final = ("type", "openness", "supplier_country", "support_end", "digest", "purl")
"""Facts that a property holds as they are written."""
STRUCTURED: Final = ("title", "processing", "substitutes")
"""Facts that a property holds as JSON."""

_OVER: Final = frozenset({"resolved", "resolved_with_pedigree", "false_positive", "not_affected"})


def facts_of(value: Object, *, is_service: bool) -> dict[str, Json]:
    """Read the facts that a component or a service of a bill states.

    Parameters
    ----------
    value : JSON object
        Of CycloneDX.
    is_service : bool
        Whether it is a service.

    Returns
    -------
    dict
        Fields of `Part`, without id, needs and notices; what is not stated is left out.

    Raises
    ------
    ValueError
        If a property that has to hold JSON does not.
    """
    kind: PartType = "service" if is_service else TYPES.get(str(value.get("type")), "application")
    supplier = value.get("provider") if is_service else value.get("supplier", value.get("manufacturer"))
    supplier = supplier or {}
    country = supplier.get("address", {}).get("country")
    found: dict[str, Json] = {
        "type": kind,
        "title": {"en": value["name"]},
        "supplier": supplier.get("name") or value.get("publisher"),
        "supplier_country": country if country in COUNTRIES else None,
        "licence": _licence(value.get("licenses", ())),
        "version": value.get("version"),
        "digest": _digest(value.get("hashes", ())),
        "purl": value.get("purl"),
    }
    own = properties(value)
    found |= {name: own[name] for name in PLAIN if name in own}
    found |= {name: json.loads(own[name]) for name in STRUCTURED if name in own}
    return {name: one for name, one in found.items() if one is not None and one != ""}


def properties(value: Object) -> dict[str, str]:
    """Give the properties of a component that are Shinrai's own, without the beginning of their names."""
    return {
        one["name"].removeprefix(PROPERTY): one.get("value", "")
        for one in value.get("properties", ())
        if one.get("name", "").startswith(PROPERTY)
    }


def _licence(licences: Any) -> str | None:  # noqa: ANN401 - a JSON list
    names = [
        one.get("expression") or one.get("license", {}).get("id") or one.get("license", {}).get("name")
        for one in licences
    ]
    return ", ".join(filter(None, names)) or None


def _digest(hashes: Any) -> str | None:  # noqa: ANN401 - a JSON list
    found = next((one["content"] for one in hashes if one["alg"] == "SHA-256"), None)
    return f"sha256:{found.lower()}" if found else None


def notices_of(data: Object, ref: str | None) -> Iterator[dict[str, Json]]:
    """Give the vulnerabilities that affect a component and are not ruled out or resolved.

    Parameters
    ----------
    data : JSON object
        The whole document.
    ref : str or None
        The component's ``bom-ref``.

    Yields
    ------
    dict
        Fields of `Notice`.
    """
    for one in data.get("vulnerabilities", ()):
        affected = ref is not None and any(found["ref"] == ref for found in one.get("affects", ()))
        if affected and one.get("analysis", {}).get("state") not in _OVER:
            yield {name: value for name, value in _notice(one).items() if value}


def _notice(one: Object) -> dict[str, Json]:
    name = str(one.get("id") or one.get("bom-ref") or one.get("description") or "?")[:80]
    severities = [rating.get("severity") for rating in one.get("ratings", ())]
    source = one.get("source", {})
    return {
        "id": name,
        "title": {"en": str(one.get("description") or name)[:200]},
        "severity": next((level for level in ("critical", "high", "medium", "low") if level in severities), None),
        "source": source.get("url") or source.get("name"),
        "day": str(one.get("published", ""))[:10],
    }
