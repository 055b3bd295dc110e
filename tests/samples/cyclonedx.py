"""The samples of CycloneDX, and a document that uses every field of its machine-learning parts."""

from __future__ import annotations

import json
import lzma
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shinrai.catalog import data_path

HERE = Path(__file__).parent
PARTS = ("modelCard", "componentData", "dataGovernance")
"""Definitions of the schema that are all about machine learning and data."""
OUTSIDE: dict[str, dict[str, str]] = {"component": {"type": "application"}, "service": {}}
"""Definitions that they lead to and that are about everything else."""


def samples() -> dict[str, bytes]:
    """Name, such as ``1.6/valid-bom-1.6.json`` → contents."""
    with lzma.open(HERE / "cyclonedx.tar.xz") as packed, tarfile.open(fileobj=packed) as archive:
        files = [member for member in archive.getmembers() if member.isfile()]
        return {member.name: archive.extractfile(member).read() for member in files}  # type: ignore[union-attr]  # files


def schema(version: str = "1.6") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(data_path(f"schemas/cyclonedx/bom-{version}.schema.json").read_bytes())
    return found


def every_field(version: str = "1.6") -> dict[str, Any]:
    """Write a document with every field of model card, data, declarations and definitions, made from the schema."""
    making = _Making(schema("1.6"))  # every field of which 1.7 has, too
    model = {
        "type": "machine-learning-model",
        "bom-ref": "model",
        "name": "every-field",
        "modelCard": making.definition("modelCard"),
        "properties": [{"name": "日本語", "value": "すべての欄"}],
    }
    data = {"type": "data", "bom-ref": "data", "name": "all-data", "data": making.every(making.componentdata())}
    declarations = making.value(making.root["properties"]["declarations"], ("declarations",))
    definitions = making.value(making.root["properties"]["definitions"], ("definitions",))
    return {
        "$schema": f"http://cyclonedx.org/schema/bom-{version}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": version,
        "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
        "version": 1,
        "components": [model, data],
        "dependencies": [{"ref": "model", "dependsOn": ["data"]}],
        "declarations": declarations,
        "definitions": definitions,
        "annotations": [
            {
                "subjects": ["model"],
                "annotator": {"individual": {"name": "評価者"}},
                "timestamp": "2026-01-05T09:00:00Z",
                "text": "A text with 1.10, 1e-7 and \u2028 in it",
            }
        ],
    }


class _Making:
    """Makes values that use every property of a schema: each alternative of a choice stands in a list once."""

    def __init__(self, root: dict[str, Any]) -> None:
        self.root = root
        self.count = 0
        self.done: set[int] = set()

    def definition(self, name: str) -> Any:
        return self.value(self.root["definitions"][name], (name,))

    def componentdata(self) -> dict[str, Any]:
        found: dict[str, Any] = self.root["definitions"]["componentData"]
        return found

    def every(self, item: Mapping[str, Any], place: tuple[str, ...] = ()) -> list[Any]:
        """One value for each alternative of what a list may hold."""
        if item.get("$ref", "").removeprefix("#/definitions/") in OUTSIDE:
            return [self.value(item, place)]
        item = self._resolved(item)
        choices = item.get("oneOf") or item.get("anyOf")
        if choices and all(set(choice) <= {"required", "title"} for choice in choices):
            return [self._object(item, place, choice["required"]) for choice in choices]
        return [self.value(choice, place) for choice in choices] if choices else [self.value(item, place)]

    def value(self, rule: Mapping[str, Any], place: tuple[str, ...]) -> Any:  # noqa: PLR0911 - one case for each kind
        external = rule.get("$ref", "")
        for name, made in OUTSIDE.items():
            if external == f"#/definitions/{name}":
                return {"name": f"テキスト {len(place)}", **made}
        if external == "#/definitions/signature":
            return {"algorithm": "ES256", "value": "tqIT"}
        if "spdx.schema" in external:
            return "Apache-2.0"
        rule = self._resolved(rule)
        if "const" in rule or "enum" in rule:
            return rule.get("const", rule.get("enum", [None])[0])
        if rule.get("type") == "array" or "items" in rule:
            items = rule.get("items", {"type": "string"})
            return self.every(items, place)
        if "properties" in rule:
            return self._object(rule, place)
        choices = rule.get("oneOf") or rule.get("anyOf") or rule.get("allOf")
        if choices:
            return self.value(choices[0], place)
        return self._plain(rule)

    def _object(
        self, rule: Mapping[str, Any], place: tuple[str, ...], chosen: list[str] | None = None
    ) -> dict[str, Any]:
        """Use every property the first time, and after that only those that have to be there.

        Of properties that exclude one another it uses those that are chosen, or the first.
        """
        choices = [one["required"] for one in (*rule.get("oneOf", ()), *rule.get("anyOf", ())) if "required" in one]
        taken = set(chosen or (choices[0] if choices else ()))
        wanted = set(rule["properties"]) - {name for names in choices for name in names} | taken
        if id(rule) in self.done:
            wanted = {*rule.get("required", ()), *taken}
        self.done.add(id(rule))
        return {name: self.value(part, (*place, name)) for name, part in rule["properties"].items() if name in wanted}

    def _resolved(self, rule: Mapping[str, Any]) -> Mapping[str, Any]:
        while rule.get("$ref", "").startswith("#/definitions/"):
            name = rule["$ref"].removeprefix("#/definitions/")
            if name in {"refType", "refLinkType"}:
                return {"type": "string", "format": "ref"}
            rule = self.root["definitions"][name]
        return rule

    def _plain(self, rule: Mapping[str, Any]) -> Any:
        self.count += 1
        kind = rule.get("type", "string")
        if kind == "boolean":
            return True
        if kind in {"number", "integer"}:
            return rule.get("minimum", 0) if kind == "integer" else rule.get("maximum", 0.25)
        if "pattern" in rule:
            return "CRE:1-2" if "CRE" in rule["pattern"] else "0" * 64
        formats = {
            "date-time": "2026-01-05T09:00:00+09:00",
            "iri-reference": f"https://example.com/{self.count}",
            "idn-email": "ai@example.com",
            "email": "ai@example.com",
        }
        return formats.get(rule.get("format", ""), f"テキスト {self.count}")


def fields(rule: Mapping[str, Any], root: Mapping[str, Any]) -> set[str]:
    """Name every property that a schema knows below one of its rules."""
    found: set[str] = set()
    waiting = [rule]
    done: set[str] = set()
    for one in waiting:
        name = one.get("$ref", "").removeprefix("#/definitions/")
        if name and name in root["definitions"] and name not in done | set(OUTSIDE):
            done.add(name)
            waiting.append(root["definitions"][name])
        for key, part in one.get("properties", {}).items():
            found.add(key)
            waiting.append(part)
        inner = (*one.get("oneOf", ()), *one.get("anyOf", ()), *one.get("allOf", ()), one.get("items", {}))
        waiting += [part for part in inner if part]
    return found
