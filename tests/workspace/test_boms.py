"""Bills of materials: taken and refused as the authors of CycloneDX say, and never more than half understood."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shinrai.errors import Problem, SourceError
from shinrai.source import JsonDocument, read_json_document
from shinrai.source.strict_json import MAX_JSON_DEPTH
from shinrai.workspace import Bom, bom_of, joined, load, read_bom, slug
from tests.samples.cyclonedx import samples


def bill(*components: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": list(components), **more}


def component(ref: str, **more: Any) -> dict[str, Any]:
    return {"type": "machine-learning-model", "bom-ref": ref, "name": ref, **more}


def read(document: Any, name: str = "bom") -> Bom:
    text = document if isinstance(document, str) else json.dumps(document, ensure_ascii=False, indent=1)
    return bom_of(JsonDocument(text, f"boms/{name}.cdx.json"), name)


def refused(document: Any) -> list[Problem]:
    with pytest.raises(SourceError) as raised:
        read(document)
    return list(raised.value.problems)


def test_every_sample_is_taken_or_refused_as_its_authors_say() -> None:
    found = samples()
    assert (len(found), sum("/valid-" in name for name in found)) == (160, 106)
    wrong = []
    for name, contents in found.items():
        try:
            read(contents.decode())
            taken = True
        except SourceError:
            taken = False
        if taken != ("/valid-" in name):
            wrong.append(name)
    assert wrong == []


BAD: list[tuple[str, Any, str, tuple[int, int] | None]] = [
    ("no bill", {"name": "x"}, "bom.format", (1, 1)),
    ("a list", [], "bom.format", (1, 1)),
    ("an old version", {"bomFormat": "CycloneDX", "specVersion": "1.4"}, "bom.version", (3, 17)),
    ("an unknown field", bill(component("a", colour="red")), "bom.schema", (10, 14)),
    ("one reference twice", bill(component("a"), component("a", name="b")), "bom.duplicate-ref", (13, 15)),
    (
        "a dependency on nothing",
        bill(component("a"), dependencies=[{"ref": "a", "dependsOn": ["b"]}]),
        "bom.unknown-ref",
        (16, 5),
    ),
    (
        "a circle",
        bill(
            component("a"),
            component("b"),
            dependencies=[{"ref": "a", "dependsOn": ["b"]}, {"ref": "b", "dependsOn": ["a"]}],
        ),
        "bom.cycle",
        (11, 3),
    ),
    ("an invented package URL", bill(component("a", purl="pkg:ai/maker/a@1")), "bom.package-url", (10, 12)),
    ("no package URL", bill(component("a", purl="maker/a")), "bom.package-url", (10, 12)),
    (
        "a fact that cannot be",
        bill(component("a", properties=[{"name": "shinrai:support_end", "value": "soon"}])),
        "bom.facts",
        (6, 3),
    ),
    (
        "a property that is no JSON",
        bill(component("a", properties=[{"name": "shinrai:substitutes", "value": "[{"}])),
        "bom.facts",
        (6, 3),
    ),
    ("a key twice", '{"bomFormat": "CycloneDX",\n "a": {"b": 1, "b": 2}}', "source.duplicate-key", (2, 16)),
    ("no number", '{"a": NaN}', "source.json", (1, 7)),
    ("a number without end", '{"a": ' + "9" * 5000 + "}", "source.json", (1, 1)),
    ("no end", '{"a": [1,', "source.json", (1, 10)),
    ("half a character", '{"bomFormat": "\\ud800"}', "source.json", (1, 16)),
    ("nothing", "", "source.json", (1, 1)),
    ("deep", "[" * 100_000, "source.too-deep", (1, 1)),
    ("just too deep", "[" * (MAX_JSON_DEPTH + 2) + "]" * (MAX_JSON_DEPTH + 2), "source.too-deep", (1, 1)),
]


@pytest.mark.parametrize(("document", "code", "place"), [one[1:] for one in BAD], ids=[one[0] for one in BAD])
def test_what_is_wrong_is_located(document: Any, code: str, place: tuple[int, int] | None) -> None:
    problems = refused(document)
    assert code in {one.code for one in problems}
    assert next((one.line, one.column) for one in problems if one.code == code) == place


def test_a_text_with_a_whole_character_pair_is_text() -> None:
    assert JsonDocument('{"a": "\\ud83e\\udd17"}', "x").data == {"a": "🤗"}


@pytest.mark.parametrize(
    ("contents", "code"),
    [
        (gzip.compress(b"{}"), "source.packed"),
        (b"PK\x03\x04" + b"\0" * 100, "source.packed"),
        (b'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaa"><!ENTITY c "&a;&a;">]><bom>&c;</bom>', "source.json"),
        ("{}".encode("utf-16"), "source.encoding"),
        (b"\xef\xbb\xbf{}", "source.json"),
    ],
    ids=["gzip", "zip", "xml with entities", "utf-16", "byte order mark"],
)
def test_what_is_packed_or_no_json_is_not_opened(tmp_path: Path, contents: bytes, code: str) -> None:
    path = tmp_path / "bom.cdx.json"
    path.write_bytes(contents)
    with pytest.raises(SourceError) as raised:
        read_bom(path, shown_as="bom.cdx.json")
    assert [one.code for one in raised.value.problems] == [code]


BOUNDED = """
import resource, sys
from pathlib import Path
from shinrai.errors import SourceError
from shinrai.workspace import read_bom
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    read_bom(Path(sys.argv[1]), shown_as="bom.cdx.json")
except SourceError as error:
    print(error.code, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.parametrize(
    ("make", "code", "megabytes"),
    [
        (lambda file: file.truncate(200_000_000), "source.too-large", 60),
        (lambda file: file.write(b"[" + b"[]," * 1_000_000 + b"[]]"), "bom.format", 400),
    ],
    ids=["200 MB", "a million lists"],
)
def test_memory_is_bounded(tmp_path: Path, make: Callable[[Any], object], code: str, megabytes: int) -> None:
    path = tmp_path / "bom.cdx.json"
    with path.open("wb") as file:
        make(file)
    done = subprocess.run([sys.executable, "-c", BOUNDED, str(path)], capture_output=True, text=True, check=True)
    found, used = done.stdout.split()
    assert found == code
    assert int(used) < megabytes


@given(st.text(max_size=60))
def test_an_id_is_made_of_any_name_or_of_none(name: str) -> None:
    made = slug(name)
    assert slug(made) == made
    assert not made or read(bill({"type": "data", "name": name or "x"})).parts


def test_names_become_ids_and_the_same_name_gets_its_version() -> None:
    found = read(
        bill(
            component("a", name="Base Model"),
            component("b", name="Base Model", version="2.0"),
            component("c", name="Base Model", version="2.0"),
            component("d", name="日本語"),
            component("e", name="x", properties=[{"name": "shinrai:id", "value": "own"}]),
        )
    )
    ids = [*found.parts]
    assert ids[0] == "base-model"
    assert all(one.startswith("base-model-2.0-") for one in ids[1:3])
    assert ids[3].startswith("component-")
    assert ids[4] == "own"
    assert len(set(ids)) == 5


def test_facts_dependencies_and_vulnerabilities_are_read() -> None:
    found = read(
        bill(
            component(
                "a",
                version="1",
                supplier={"name": "Maker", "address": {"country": "JP"}},
                licenses=[{"license": {"id": "MIT"}}],
                hashes=[{"alg": "SHA-256", "content": "A" * 64}],
                modelCard={"modelParameters": {"datasets": [{"ref": "d"}]}},
                components=[component("inner")],
            ),
            {"type": "data", "bom-ref": "d", "name": "d"},
            services=[{"bom-ref": "s", "name": "s", "provider": {"name": "Host"}}],
            dependencies=[{"ref": "a", "dependsOn": ["s"]}],
            vulnerabilities=[
                {"id": "CVE-1", "ratings": [{"severity": "low"}, {"severity": "high"}], "affects": [{"ref": "a"}]},
                {"id": "CVE-2", "analysis": {"state": "resolved"}, "affects": [{"ref": "a"}]},
            ],
        )
    )
    part = found.parts["a"]
    assert (part.supplier, part.supplier_country, part.licence, part.version) == ("Maker", "JP", "MIT", "1")
    assert part.digest == f"sha256:{'a' * 64}"
    assert part.needs == ("s", "d", "inner")
    assert [(one.id, one.severity) for one in part.notices] == [("CVE-1", "high")]
    assert (found.parts["s"].type, found.parts["s"].supplier, found.parts["d"].type) == ("service", "Host", "data")


def test_without_dependencies_the_whole_is_made_of_all() -> None:
    top = {"component": {"type": "application", "bom-ref": "top", "name": "top"}}
    assert read(bill(component("a"), component("b"), metadata=top)).parts["top"].needs == ("a", "b")
    said = read(bill(component("a"), component("b"), metadata=top, dependencies=[{"ref": "top", "dependsOn": ["b"]}]))
    assert said.parts["top"].needs == ("b",)


def test_what_a_person_says_stands_above_the_bill() -> None:
    own = read(bill(component("a", version="1", supplier={"name": "Maker"}))).parts["a"]
    said = type(own).model_validate(
        {"id": "a", "type": "model", "title": {"ja": "モデル"}, "supplier_country": "JP", "substitutes": []}
    )
    both = joined([read(bill(component("a", version="1", supplier={"name": "Maker"})))], {"a": said})["a"]
    assert (both.version, both.supplier, both.supplier_country, both.title.ja) == ("1", "Maker", "JP", "モデル")


def put(town: Path, name: str, document: Any) -> None:
    path = town / "boms" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(document, indent=1), encoding="utf-8")


def test_components_of_bills_can_be_needed(town: Path, change: Callable[[str, str, str], None]) -> None:
    put(town, "one.cdx.json", bill(component("a", version="1"), component("b")))
    put(town, "two.cdx.json", bill(component("a", version="1"), dependencies=[{"ref": "a"}]))
    change("systems/screening.yaml", "owner: office\n", "owner: office\nneeds: [a, b]\n")
    workspace = load(town)
    assert list(workspace.boms) == ["one", "two"]
    assert list(workspace.components) == ["a", "b"]


def test_two_bills_that_contradict_each_other(town: Path, problems: Callable[[], list[Problem]]) -> None:
    put(town, "one.cdx.json", bill(component("a", version="1")))
    put(town, "two.cdx.json", bill(component("a", version="2")))
    (found,) = problems()
    assert (found.code, found.file, found.line) == ("workspace.duplicate-id", "boms/two.cdx.json", 6)
    assert found.hint is not None
    assert "boms/one.cdx.json" in found.hint
    assert "version" in found.hint


def test_a_circle_through_a_bill_is_said_where_a_person_closed_it(
    town: Path, problems: Callable[[], list[Problem]]
) -> None:
    put(town, "one.cdx.json", bill(component("a"), component("b"), dependencies=[{"ref": "a", "dependsOn": ["b"]}]))
    (town / "components/b.yaml").write_text("id: b\ntype: model\ntitle: {en: B}\nneeds: [a]\n", encoding="utf-8")
    (found,) = problems()
    assert (found.code, found.file, found.line, found.column) == ("workspace.cycle", "components/b.yaml", 4, 9)


def test_a_bill_that_would_be_overlooked(town: Path, problems: Callable[[], list[Problem]]) -> None:
    put(town, "one.json", bill())
    put(town, "bad.cdx.json", [])
    assert [(one.code, one.file) for one in problems()] == [
        ("bom.format", "boms/bad.cdx.json"),
        ("workspace.file-name", "boms/one.json"),
    ]


def test_a_document_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as raised:
        read_json_document(tmp_path / "none.json", shown_as="none.json")
    assert raised.value.code == "source.unreadable"
