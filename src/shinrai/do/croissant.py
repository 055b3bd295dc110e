"""Data cards in Croissant with its responsible-AI vocabulary, as a bill of materials in CycloneDX."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from shinrai.do.spdx_ids import licence
from shinrai.errors import SourceError
from shinrai.i18n import _
from shinrai.records import Json
from shinrai.source import JsonDocument

_RAI: Final = ("rai:", "http://mlcommons.org/croissant/RAI/", "https://mlcommons.org/croissant/RAI/")

RAI_KEYS: Final = frozenset({
    "annotationsPerItem",
    "annotatorDemographics",
    "dataAnnotationAnalysis",
    "dataAnnotationPlatform",
    "dataAnnotationProtocol",
    "dataBiases",
    "dataCollection",
    "dataCollectionMissingData",
    "dataCollectionRawData",
    "dataCollectionTimeframe",
    "dataCollectionType",
    "dataImputationProtocol",
    "dataLimitations",
    "dataManipulationProtocol",
    "dataPreprocessingProtocol",
    "dataReleaseMaintenancePlan",
    "dataSocialImpact",
    "dataUseCases",
    "machineAnnotationTools",
    "personalSensitiveInformation",
})  # fmt: skip
"""The terms of Croissant RAI 1.0."""

_ALSO: Final = {
    "annotationPlatform": "dataAnnotationPlatform",
    "annotationProtocol": "dataAnnotationProtocol",
    "annotationAnalysis": "dataAnnotationAnalysis",
    "annotationPerItem": "annotationsPerItem",
}
"""Names that the examples of the specification use → those that it defines."""


def is_croissant(data: Json) -> bool:
    """Tell whether a JSON document is a data card in Croissant."""
    if not isinstance(data, dict) or "bomFormat" in data:
        return False
    said = json.dumps([data.get("conformsTo"), data.get("dct:conformsTo"), data.get("@context")])
    return "mlcommons.org/croissant" in said


def croissant(document: JsonDocument) -> dict[str, Json]:
    """Read a data card.

    Parameters
    ----------
    document : JsonDocument
        JSON-LD of Croissant.

    Returns
    -------
    dict
        A document of CycloneDX 1.6 about the data set. Each responsible-AI term stands in a property
        ``croissant:rai:<term>``: a text as it is, anything else as JSON.

    Raises
    ------
    SourceError
        If it has no name, or a responsible-AI term that Croissant does not define.
    """
    data: dict[str, Any] = document.data
    name = data.get("name")
    if not isinstance(name, str) or not name.strip():
        message = _("the data card has no name")
        raise SourceError([document.problem("bom.croissant", ("name",), message, _("a text"))])
    terms = _terms(document)
    component: dict[str, Json] = {
        "type": "data",
        "bom-ref": f"data:{name}",
        "supplier": _supplier(data),
        "name": name,
        "version": _text(data.get("version")),
        "description": _text(data.get("description")),
        "hashes": _hashes(data),
        "licenses": [licence(one) for one in _licences(data.get("license"))],
        "data": [_dataset(data, name, terms)],
        "properties": [
            {"name": f"croissant:rai:{term}", "value": value if isinstance(value, str) else _json(value)}
            for term, value in sorted(terms.items())
        ],
    }
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {name: one for name, one in component.items() if one}},
    }


def _terms(document: JsonDocument) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in document.data.items():
        start = next((one for one in _RAI if key.startswith(one)), None)
        if start is None:
            continue
        written = key.removeprefix(start)
        term = _ALSO.get(written, written)
        if term not in RAI_KEYS:
            message = _('Croissant defines no responsible-AI term "{name}"').format(name=written)
            raise SourceError([document.problem("bom.croissant", (key,), message)])
        found[term] = value
    return found


def _dataset(data: Mapping[str, Any], name: str, terms: Mapping[str, Any]) -> dict[str, Json]:
    url = _text(data.get("url"))
    sensitive = terms.get("personalSensitiveInformation")
    found: dict[str, Json] = {
        "type": "dataset",
        "name": name,
        "contents": {"url": url} if url else None,
        "sensitiveData": [one if isinstance(one, str) else _json(one) for one in _list(sensitive)],
        "description": _text(data.get("description")),
    }
    return {name: one for name, one in found.items() if one}


def _supplier(data: Mapping[str, Any]) -> dict[str, Json] | None:
    for key in ("publisher", "creator"):
        for one in _list(data.get(key)):
            name = one.get("name") if isinstance(one, dict) else one
            if isinstance(name, str) and name:
                return {"name": name}
    return None


def _hashes(data: Mapping[str, Any]) -> list[Json]:
    """Give the digest of data that are one file; of several files none is that of the whole."""
    files = [one for one in _list(data.get("distribution")) if isinstance(one, dict) and "sha256" in one]
    if len(files) != 1 or len(_list(data.get("distribution"))) != 1:
        return []
    return [{"alg": "SHA-256", "content": str(files[0]["sha256"]).lower()}]


def _licences(value: Any) -> list[str]:  # noqa: ANN401 - whatever stands in the file
    named = (one.get("url") or one.get("name") if isinstance(one, dict) else one for one in _list(value))
    return [one for one in named if isinstance(one, str) and one]


def _list(value: Any) -> list[Any]:  # noqa: ANN401 - whatever stands in the file
    return value if isinstance(value, list) else [] if value is None else [value]


def _text(value: Any) -> str | None:  # noqa: ANN401 - whatever stands in the file
    return value if isinstance(value, str) and value else None


def _json(value: Any) -> str:  # noqa: ANN401 - whatever stands in the file
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
