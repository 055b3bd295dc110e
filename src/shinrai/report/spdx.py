"""The stack as an SPDX 3.0.1 document with its AI and dataset profiles, as JSON-LD.

The profiles ask for facts that few suppliers state (when a model was released, where it can be fetched). What is not
known is left out and named; the document claims a profile only where every element gives all that it asks for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from shinrai.errors import UsageError
from shinrai.i18n import _
from shinrai.records import Id, System
from shinrai.workspace import Bom, Node, NodeType, StackGraph, Workspace, stack_graph

Object = dict[str, Any]

_CONTEXT: Final = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"
_MADE: Final = "_:creation"
_PURPOSE: Final[Mapping[NodeType, str]] = {
    "system": "application",
    "application": "application",
    "guard": "application",
    "model": "model",
    "data": "data",
    "compute": "platform",
    "service": "other",
    "human": "other",
}
_AI_NEEDS: Final = (
    "releaseTime",
    "suppliedBy",
    "software_downloadLocation",
    "software_packageVersion",
    "software_primaryPurpose",
)
_DATA_NEEDS: Final = (
    "builtTime",
    "originatedBy",
    "releaseTime",
    "software_downloadLocation",
    "software_primaryPurpose",
)


def spdx_document(workspace: Workspace, systems: Iterable[Id], at: str | None) -> tuple[Object, tuple[str, ...]]:
    """Write an SPDX document about systems and everything under them.

    Parameters
    ----------
    workspace : Workspace
        As loaded.
    systems : iterable of Id
        Of the workspace.
    at : str or None
        UTC time to be stated as that of its making, such as that of the newest record.

    Returns
    -------
    tuple
        The document; and what the AI and dataset profiles ask for and nobody has stated, one line for each.

    Raises
    ------
    UsageError
        If there is no time to state.
    """
    if at is None:
        raise UsageError("stack.no-time", _("an SPDX document states when it was made, and the ledger is empty"))
    writing = _Writing(workspace, stack_graph([workspace.systems[name] for name in systems], workspace.components))
    elements = list(writing.elements())
    gaps = tuple(_gaps(elements))
    profiles = ["core", "software", "simpleLicensing"]
    for profile, kind in (("ai", "ai_AIPackage"), ("dataset", "dataset_DatasetPackage")):
        if any(one["type"] == kind for one in elements) and not any(gap.startswith(kind) for gap in gaps):
            profiles.append(profile)
    made = {
        "type": "CreationInfo",
        "@id": _MADE,
        "specVersion": "3.0.1",
        "created": f"{at[:19]}Z",
        "createdBy": [writing.iri("maker", workspace.settings.id)],
    }
    document = {
        "type": "SpdxDocument",
        "spdxId": writing.iri("document", "stack"),
        "creationInfo": _MADE,
        "name": workspace.settings.name.read("en"),
        "profileConformance": profiles,
        "rootElement": [writing.iri("stack", key) for key in writing.graph.systems],
        "element": [one["spdxId"] for one in elements],
    }
    return {"@context": _CONTEXT, "@graph": [made, document, *elements]}, gaps


def _gaps(elements: Iterable[Object]) -> Iterator[str]:
    for one in elements:
        needed = {"ai_AIPackage": _AI_NEEDS, "dataset_DatasetPackage": _DATA_NEEDS}.get(one["type"], ())
        missing = [name.removeprefix("software_") for name in needed if name not in one]
        if missing:
            yield f"{one['type']} {one['name']}: {', '.join(missing)}"


class _Writing:
    """Turns the nodes of a graph into elements."""

    def __init__(self, workspace: Workspace, graph: StackGraph) -> None:
        self.workspace = workspace
        self.graph = graph
        self._cards = _model_cards(workspace.boms.values())

    def iri(self, kind: str, name: str) -> str:
        return f"urn:shinrai:{self.workspace.settings.id}:{kind}:{quote(name, safe='')}"

    def elements(self) -> Iterator[Object]:
        keys = dict.fromkeys(key for top in self.graph.systems for key in (top, *self.graph.below(top)))
        nodes = [self.graph.nodes[key] for key in keys]
        maker = self.workspace.settings
        yield self._element("Organization", "maker", maker.id, maker.name.read("en"))
        suppliers = dict.fromkeys(node.facts.supplier for node in nodes if node.facts and node.facts.supplier)
        for name in suppliers:
            yield self._element("Organization", "supplier", name, name)
        licences = dict.fromkeys(node.facts.licence for node in nodes if node.facts and node.facts.licence)
        for name in licences:
            found = self._element("simplelicensing_LicenseExpression", "licence", name)
            yield found | {"simplelicensing_licenseExpression": name}
        for node in nodes:
            yield self._package(node)
        for node in nodes:
            yield from self._relations(node)

    def _element(self, kind: str, group: str, key: str, name: str | None = None) -> Object:
        named = {} if name is None else {"name": name}
        return {"type": kind, "spdxId": self.iri(group, key), "creationInfo": _MADE, **named}

    def _package(self, node: Node) -> Object:
        kinds = {"system": "ai_AIPackage", "model": "ai_AIPackage", "data": "dataset_DatasetPackage"}
        kind = kinds.get(node.type, "software_Package")
        found = self._element(kind, "stack", node.key, node.title.read("en"))
        found["software_primaryPurpose"] = _PURPOSE[node.type]
        found |= self._facts(node)
        if node.type == "system" and node.system is not None:
            found |= _of_system(self.workspace.systems[node.system])
            found["suppliedBy"] = self.iri("maker", self.workspace.settings.id)
        if node.type == "model" and node.key in self._cards:
            found |= _of_card(self._cards[node.key])
        if node.type == "data":
            found["dataset_datasetType"] = ["noAssertion"]
        return found

    def _facts(self, node: Node) -> Object:
        facts = node.facts
        if facts is None:
            return {}
        found = {
            "suppliedBy": self.iri("supplier", facts.supplier) if facts.supplier else None,
            "originatedBy": [self.iri("supplier", facts.supplier)] if facts.supplier and node.type == "data" else None,
            "software_packageVersion": facts.version,
            "software_packageUrl": facts.purl,
            "software_downloadLocation": _download(facts.purl),
            "verifiedUsing": [_hash(facts.digest)] if facts.digest else None,
        }
        return {name: value for name, value in found.items() if value is not None}

    def _relations(self, node: Node) -> Iterator[Object]:
        names = dict.fromkeys(name for choice in node.needs for name in choice)
        data = [name for name in names if node.type == "model" and self.graph.nodes[name].type == "data"]
        if data:
            yield self._relation(node.key, "trainedOn", [self.iri("stack", name) for name in data])
        others = [self.iri("stack", name) for name in names if name not in data]
        if others:
            yield self._relation(node.key, "dependsOn", others)
        if node.facts is not None and node.facts.licence:
            yield self._relation(node.key, "hasDeclaredLicense", [self.iri("licence", node.facts.licence)])

    def _relation(self, key: str, kind: str, to: list[str]) -> Object:
        found = self._element("Relationship", "relation", f"{key}:{kind}")
        return found | {"from": self.iri("stack", key), "relationshipType": kind, "to": to}


def _hash(mark: str) -> Object:
    return {"type": "Hash", "algorithm": "sha256", "hashValue": mark.removeprefix("sha256:")}


def _download(purl: str | None) -> str | None:
    """Give the place that a package URL of Hugging Face stands for; other kinds leave it open."""
    start = "pkg:huggingface/"
    if purl is None or not purl.startswith(start):
        return None
    return f"https://huggingface.co/{purl.removeprefix(start).partition('@')[0]}"


def _of_system(system: System) -> Object:
    found: Object = {
        "ai_autonomyType": _presence(None if system.autonomy is None else system.autonomy.startswith("acts-")),
        "ai_useSensitivePersonalInformation": _presence(
            None if system.data is None else bool({"special-care", "biometric"} & set(system.data))
        ),
        "ai_informationAboutApplication": system.purpose.read("en"),
    }
    if system.risks:
        found["ai_limitation"] = "\n".join(risk.read("en") for risk in system.risks)
    if system.deployment is not None and system.deployment.areas:
        found["ai_domain"] = list(system.deployment.areas)
    return found


def _presence(value: bool | None) -> str:  # noqa: FBT001 - what is to be written
    return "noAssertion" if value is None else "yes" if value else "no"


def _of_card(card: Mapping[str, Any]) -> Object:
    parameters = card.get("modelParameters", {})
    kinds = [parameters[key] for key in ("architectureFamily", "modelArchitecture", "task") if parameters.get(key)]
    metrics = card.get("quantitativeAnalysis", {}).get("performanceMetrics", ())
    limits = card.get("considerations", {}).get("technicalLimitations", ())
    found: Object = {
        "ai_typeOfModel": kinds,
        "ai_metric": [_entry(one) for one in metrics if one.get("type")],
        "ai_limitation": "\n".join(limits),
    }
    return {name: value for name, value in found.items() if value}


def _entry(metric: Mapping[str, Any]) -> Object:
    where = f" ({metric['slice']})" if metric.get("slice") else ""
    return {"type": "DictionaryEntry", "key": f"{metric['type']}{where}", "value": str(metric.get("value", ""))}


def _model_cards(boms: Iterable[Bom]) -> dict[Id, Mapping[str, Any]]:
    found: dict[Id, Mapping[str, Any]] = {}
    for bom in boms:
        for name in bom.parts:
            value = bom.component(name)
            if "modelCard" in value:
                found.setdefault(name, value["modelCard"])
    return found
