"""The stack as a bill of materials in CycloneDX: a new one for systems, or a kept one with what was added to it.

What came from a bill goes out as its author wrote it, model cards, data and all; only facts that a person has changed
in ``components/*.yaml`` are written over it. The same workspace gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from copy import deepcopy
from functools import cache
from typing import Any, Final

from shinrai.catalog import data_path
from shinrai.records import Id, Json, Part, digest
from shinrai.workspace import (
    PLAIN,
    PROPERTY,
    STRUCTURED,
    Bom,
    Node,
    NodeType,
    StackGraph,
    Workspace,
    at,
    facts_of,
    overlaid,
    stack_graph,
)

Object = dict[str, Any]

_TYPES: Final[Mapping[NodeType, str]] = {
    "model": "machine-learning-model",
    "data": "data",
    "compute": "platform",
    "application": "application",
    "guard": "application",
    "human": "application",
    "system": "application",
}
_FACTS: Final = ("supplier", "version", "licence", *PLAIN, *STRUCTURED)


def kept_bom(bom: Bom, own: Mapping[Id, Part]) -> Object:
    """Give a kept bill of materials again.

    Parameters
    ----------
    bom : Bom
        Of the workspace.
    own : mapping
        Id → component of ``components/*.yaml``.

    Returns
    -------
    dict
        The document; equal to what was brought in where `own` says nothing of its components.
    """
    document: Object = deepcopy(bom.source.data)
    for name, stated in bom.parts.items():
        if name in own:
            value = at(document, bom.places[name])
            now = overlaid(stated, own[name])
            _write_facts(value, _plain(stated), _plain(now), is_service="services" in bom.places[name])
            if now.needs != stated.needs:
                _put_property(value, "needs", _text(now.to_json()["needs"]))
            added = [one for one in now.notices if one not in stated.notices and one.resolved is None]
            if added:
                ref = value.setdefault("bom-ref", name)
                document.setdefault("vulnerabilities", []).extend(_vulnerability(one.to_json(), [ref]) for one in added)
    return document


def systems_bom(workspace: Workspace, systems: Iterable[Id]) -> Object:
    """Write a bill of materials of systems and everything under them.

    Parameters
    ----------
    workspace : Workspace
        As loaded.
    systems : iterable of Id
        Of the workspace.

    Returns
    -------
    dict
        A document of CycloneDX 1.6, or of 1.7 where a component comes from a bill of that version. Its serial number
        follows from its contents.
    """
    chosen = [workspace.systems[name] for name in systems]
    graph = stack_graph(chosen, workspace.components)
    reached = dict.fromkeys(key for system in graph.systems for key in (system, *graph.below(system)))
    nodes = {key: graph.nodes[key] for key in reached}
    origins = _origins(workspace, nodes)
    refs = _refs(nodes, origins)
    items = {key: _item(node, origins.get(key), refs[key]) for key, node in nodes.items()}
    top, inner = _top(workspace, graph, items)
    used = {bom.name: bom for bom, _value in origins.values()}
    _link(top, used)
    document: Object = {
        "bomFormat": "CycloneDX",
        "specVersion": max(["1.6", *(bom.source.data["specVersion"] for bom in used.values())]),
        "version": 1,
        "metadata": {"component": top},
        "components": [items[key] for key in inner if nodes[key].type != "service"],
        "services": [items[key] for key in inner if nodes[key].type == "service"],
        "dependencies": [*_joint(top, graph, refs), *(_depends(node, refs) for node in nodes.values())],
        "vulnerabilities": list(_vulnerabilities(nodes, refs)),
    }
    document = {name: value for name, value in document.items() if value != []}
    return {"$schema": schema_of(document), "serialNumber": serial_of(document), **document}


def written(document: Object) -> str:
    """Write a document as JSON text, its keys in their order."""
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


# ---- one component


def _origins(workspace: Workspace, nodes: Mapping[str, Node]) -> dict[str, tuple[Bom, Object]]:
    """Shared component → the bill that it comes from, and what that says of it; the first bill is believed."""
    found: dict[str, tuple[Bom, Object]] = {}
    for bom in workspace.boms.values():
        for name in bom.parts:
            if name in nodes and name not in found:
                found[name] = bom, bom.component(name)
    return found


def _refs(nodes: Mapping[str, Node], origins: Mapping[str, tuple[Bom, Object]]) -> dict[str, str]:
    """Keep the reference that a component had in its bill, unless another one has it."""
    refs: dict[str, str] = {}
    taken: set[str] = set()
    for key in nodes:
        own = origins[key][1].get("bom-ref") if key in origins else None
        refs[key] = own if own and own not in taken and own not in nodes else key
        taken.add(refs[key])
    return refs


def _item(node: Node, origin: tuple[Bom, Object] | None, ref: str) -> Object:
    is_service = node.type == "service"
    if origin is None:
        value: Object = {"bom-ref": ref, "name": node.title.read("en")}
        if not is_service:
            value = {"type": _TYPES[node.type], **value}
    else:
        value = {name: deepcopy(part) for name, part in origin[1].items() if name not in {"components", "services"}}
        value["bom-ref"] = ref
    before = facts_of(value, is_service=is_service)
    after: Object = node.facts.to_json() if node.facts is not None else {}
    after |= {"type": "application" if node.type == "system" else node.type, "title": node.title.to_json()}
    if node.facts is None:
        before, after = {}, {"title": node.title.to_json()}
    _write_facts(value, before, after, is_service=is_service)
    _put_property(value, "id", _id_of(node.key))
    if any(len(choice) > 1 for choice in node.needs):
        names = [[_id_of(key) for key in choice] for choice in node.needs]
        _put_property(value, "needs", _text([one[0] if len(one) == 1 else one for one in names]))
    return value


def _id_of(key: str) -> str:
    return key.rstrip("/").replace("/", ".")


def _plain(part: Part) -> Object:
    return {name: value for name, value in part.to_json().items() if name in _FACTS}


def _write_facts(value: Object, before: Mapping[str, Json], after: Mapping[str, Json], *, is_service: bool) -> None:
    """Write the facts that differ from those that a component already states."""
    changed = {name: after[name] for name in _FACTS if after.get(name) is not None and after[name] != before.get(name)}
    for name, fact in changed.items():
        if name == "supplier":
            key = "provider" if is_service else "supplier"
            value[key] = {**value.get(key, {}), "name": fact}
        elif name == "licence":
            value["licenses"] = [_licence(str(fact))]
        elif name == "version" or (name == "purl" and not is_service):
            value[name] = fact
        elif name == "digest" and not is_service:
            others = [one for one in value.get("hashes", ()) if one["alg"] != "SHA-256"]
            value["hashes"] = [*others, {"alg": "SHA-256", "content": str(fact).removeprefix("sha256:")}]
        else:
            _put_property(value, name, _text(fact) if name in STRUCTURED else str(fact))


def _put_property(value: Object, name: str, text: str) -> None:
    full = f"{PROPERTY}{name}"
    others = [one for one in value.get("properties", ()) if one.get("name") != full]
    value["properties"] = [*others, {"name": full, "value": text}]


def _text(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@cache
def _spdx_ids() -> frozenset[str]:
    schema = json.loads(data_path("schemas/cyclonedx/spdx.schema.json").read_bytes())
    return frozenset(schema["enum"])


def _licence(written_as: str) -> Object:
    if written_as in _spdx_ids():
        return {"license": {"id": written_as}}
    if any(f" {word} " in written_as for word in ("AND", "OR", "WITH")):
        return {"expression": written_as}
    return {"license": {"name": written_as}}


# ---- the whole


def _top(workspace: Workspace, graph: StackGraph, items: Mapping[str, Object]) -> tuple[Object, list[str]]:
    """Give what the bill is about, and the keys of everything else: one system, or the workspace with several."""
    if len(graph.systems) == 1:
        (only,) = graph.systems
        return items[only], [key for key in items if key != only]
    settings = workspace.settings
    top: Object = {"type": "application", "bom-ref": f"workspace:{settings.id}", "name": settings.name.read("en")}
    return top, list(items)


def _link(top: Object, used: Mapping[str, Bom]) -> None:
    """Point to the bills that components come from, where they can be named: the rest of what they say stands there."""
    links = []
    for bom in used.values():
        serial = bom.source.data.get("serialNumber", "")
        if serial:
            number = bom.source.data.get("version", 1)
            links.append({"type": "bom", "url": f"urn:cdx:{serial.removeprefix('urn:uuid:')}/{number}"})
    if links:
        top["externalReferences"] = [*top.get("externalReferences", []), *links]


def _joint(top: Object, graph: StackGraph, refs: Mapping[str, str]) -> list[Object]:
    if top["bom-ref"] in refs.values():
        return []
    return [{"ref": top["bom-ref"], "dependsOn": [refs[key] for key in graph.systems]}]


def _depends(node: Node, refs: Mapping[str, str]) -> Object:
    below = dict.fromkeys(refs[name] for choice in node.needs for name in choice)
    return {"ref": refs[node.key], **({"dependsOn": list(below)} if below else {})}


def _vulnerabilities(nodes: Mapping[str, Node], refs: Mapping[str, str]) -> Iterable[Object]:
    """Give what is known against components, each notice once with all that it affects."""
    found: dict[str, tuple[Object, list[str]]] = {}
    for key, node in nodes.items():
        for notice in node.facts.notices if node.facts is not None else ():
            if notice.resolved is None:
                plain = notice.to_json()
                found.setdefault(_text(plain), (plain, []))[1].append(refs[key])
    return (_vulnerability(notice, affected) for notice, affected in found.values())


def _vulnerability(notice: Mapping[str, Any], refs: Iterable[str]) -> Object:
    title = notice["title"]
    value: Object = {"id": notice["id"], "description": title.get("en") or title["ja"]}
    if "source" in notice:
        value["source"] = {"url" if "://" in notice["source"] else "name": notice["source"]}
    if "severity" in notice:
        value["ratings"] = [{"severity": notice["severity"]}]
    if "day" in notice:
        value["published"] = f"{notice['day']}T00:00:00Z"
    return value | {"affects": [{"ref": ref} for ref in refs]}


def schema_of(document: Object) -> str:
    """Give the address of the schema that a document keeps to."""
    return f"http://cyclonedx.org/schema/bom-{document['specVersion']}.schema.json"


def serial_of(document: Object) -> str:
    """Give a serial number that follows from the contents: a UUID of version 8 (RFC 9562)."""
    mark = digest(document).removeprefix("sha256:")
    variant = "89ab"[int(mark[16], 16) % 4]
    return f"urn:uuid:{mark[:8]}-{mark[8:12]}-8{mark[13:16]}-{variant}{mark[17:20]}-{mark[20:32]}"
