"""What suppliers say is brought in whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shinrai.do.bom import import_stack
from shinrai.do.croissant import RAI_KEYS
from shinrai.errors import SourceError, UsageError
from shinrai.source import render
from shinrai.workspace import load
from tests.plan.town import Town, text
from tests.workspace.test_boms import bill, component

CARD = """---
language: [ja, en]
license: apache-2.0
library_name: transformers
tags: [text-generation, town]
datasets:
  - kasumi/letters
base_model: Maker/Base-7B
pipeline_tag: text-generation
a-key-of-tomorrow: {deep: [1, 2.50]}
model-index:
  - name: Kasumi-7B
    results:
      - task: {type: text-generation}
        dataset: {name: JCQ, type: jcq, split: test}
        metrics:
          - {type: acc, value: 0.71, name: Accuracy}
---
# Kasumi 7B

Prose with `---` in it.
"""

CROISSANT: dict[str, Any] = {
    "@context": {"@vocab": "https://schema.org/", "rai": "http://mlcommons.org/croissant/RAI/"},
    "@type": "sc:Dataset",
    "conformsTo": ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"],
    "name": "Town letters",
    "description": "Letters to the town hall",
    "license": "https://spdx.org/licenses/CC-BY-4.0.html",
    "url": "https://example.com/letters",
    "version": "2.1",
    "creator": {"@type": "sc:Organization", "name": "Kasumi town"},
    "distribution": [{"@type": "cr:FileObject", "sha256": "AB" * 32}],
    "rai:dataCollection": "Scanned at the counter",
    "rai:personalSensitiveInformation": ["Names", "Health"],
    "rai:annotationPlatform": "by hand",
    "rai:annotationsPerItem": 3,
}


@pytest.fixture
def bring(tmp_path: Path) -> Callable[..., Any]:
    town = Town(tmp_path / "town")
    town.load()

    def brought(contents: str | dict[str, Any], called: str = "given.cdx.json", **options: Any) -> Any:
        file = tmp_path / called
        file.write_text(contents if isinstance(contents, str) else json.dumps(contents), encoding="utf-8")
        return import_stack(load(town.root), file, **options), load(town.root)

    brought.root = town.root  # type: ignore[attr-defined]  # for looking at what is left
    town.ledger.close()
    return brought


def kept(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "boms").iterdir()) if (root / "boms").exists() else []


def test_a_bill_is_kept_byte_by_byte(bring: Any) -> None:
    written = json.dumps(bill(component("a")), indent=3)
    found, workspace = bring(written, "Maker's bill.cdx.json")
    assert (found.file, found.format, found.components, found.changed) == (
        "boms/maker-s-bill.cdx.json",
        "cyclonedx",
        ("a",),
        True,
    )
    assert (bring.root / found.file).read_text(encoding="utf-8") == written
    assert list(workspace.components) == ["a"]
    assert bring(written, "Maker's bill.cdx.json")[0].changed is False


@pytest.mark.parametrize(
    "contents",
    ["{", "[]", bill(component("a", colour="red")), bill(component("a", purl="pkg:ai/a")), "\ufeff{}"],
    ids=["cut off", "no bill", "unknown field", "invented package URL", "byte order mark"],
)
def test_nothing_is_left_of_what_is_refused(bring: Any, contents: Any) -> None:
    with pytest.raises(SourceError):
        bring(contents)
    assert kept(bring.root) == []


@pytest.mark.parametrize(
    ("right", "wrong", "message", "at", "expected", "hint"),
    [
        ('"type":"data"', '"type":"dataset"', '"dataset"', '"dataset"', "application, ", "did you mean data?"),
        ('"name":"a",', "", 'needs the key "name"', "{", None, None),
        ('"name":"a"', '"name":"a","nmae":1', "nmae", "1", None, None),
        ('"version":1', '"version":NaN', "NaN is no number", "NaN", "a number, or null", None),
        ('"version":1', '"version":-Infinity', "-Infinity is no number", "-Infinity", "a number, or null", None),
    ],
)
def test_what_is_refused_is_shown_with_what_would_be_right(
    bring: Any, right: str, wrong: str, message: str, at: str, expected: str | None, hint: str | None
) -> None:
    head = '{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"properties":[{"name":"NaN","value":"NaN"}]},'
    text = head + '"version":1,"components":[{"name":"a","type":"data"}]}'
    assert right in text
    with pytest.raises(SourceError) as refused:
        bring(text.replace(right, wrong))
    problem = refused.value.problems[0]
    assert message in problem.message
    assert text.replace(right, wrong)[problem.column - 1 :].startswith(at)
    assert (expected or "") in (problem.expected or "")
    assert problem.hint == hint
    block = render([problem]).splitlines()
    caret = next(line for line in block if line.endswith("^")).index("^")
    assert block[3][caret:].startswith(at)


def test_another_one_of_that_name_is_replaced_only_on_request(bring: Any) -> None:
    bring(bill(component("a")))
    with pytest.raises(UsageError) as raised:
        bring(bill(component("b")))
    assert raised.value.code == "stack.exists"
    assert list(bring(bill(component("b")), replace=True)[1].components) == ["b"]
    assert kept(bring.root) == ["given.cdx.json"]


def test_what_would_not_fit_the_workspace_is_refused(bring: Any) -> None:
    bring(bill(component("a", version="1")), "one.cdx.json")
    with pytest.raises(SourceError) as raised:
        bring(bill(component("a", version="2")), "two.cdx.json")
    assert raised.value.code == "workspace.duplicate-id"
    assert kept(bring.root) == ["one.cdx.json"]


def test_a_component_that_is_needed_does_not_go_unnoticed(bring: Any) -> None:
    bring(bill(component("a"), component("b")))
    part = {"id": "c", "type": "service", "title": text("C"), "needs": ["b"]}
    (bring.root / "components/c.yaml").write_text(json.dumps(part), encoding="utf-8")
    with pytest.raises(SourceError) as raised:
        bring(bill(component("a")), replace=True)
    assert raised.value.code == "bom.still-needed"
    assert '"b"' in raised.value.message


def test_a_circle_through_the_workspace_is_refused(bring: Any) -> None:
    part = {"id": "c", "type": "service", "title": text("C")}
    (bring.root / "components/c.yaml").write_text(json.dumps(part), encoding="utf-8")
    around = component("a", properties=[{"name": "shinrai:needs", "value": '["c"]'}])
    bring(bill(around))
    (bring.root / "components/c.yaml").write_text(json.dumps(part | {"needs": ["x"]}), encoding="utf-8")
    x = component("x", properties=[{"name": "shinrai:needs", "value": '["c"]'}])
    (bring.root / "components/x.yaml").write_text(json.dumps({**part, "id": "x"}), encoding="utf-8")
    with pytest.raises(SourceError) as raised:
        bring(bill(x), "x.cdx.json")
    assert raised.value.code in {"bom.cycle", "workspace.cycle"}


@pytest.mark.parametrize("name", ["日本語", "", "…"])
def test_a_name_of_nothing_is_refused(bring: Any, name: str) -> None:
    with pytest.raises(UsageError) as raised:
        bring(bill(component("a")), name=name) if name else bring(bill(component("a")), "日本語.json")
    assert raised.value.code == "stack.name"


def test_a_model_card_of_hugging_face(bring: Any) -> None:
    found, workspace = bring(CARD, "README.md", name="kasumi")
    assert found.format == "hugging-face"
    assert set(found.components) == {"kasumi-7b", "maker-base-7b", "kasumi-letters"}
    model = workspace.components["kasumi-7b"]
    assert (model.type, model.licence, model.needs) == ("model", "Apache-2.0", ("maker-base-7b", "kasumi-letters"))
    assert workspace.components["maker-base-7b"].purl == "pkg:huggingface/Maker/Base-7B"
    top = workspace.boms["kasumi"].component("kasumi-7b")
    assert top["modelCard"]["modelParameters"]["task"] == "text-generation"
    assert top["modelCard"]["quantitativeAnalysis"]["performanceMetrics"] == [
        {"type": "Accuracy", "value": "0.71", "slice": "JCQ / test"}
    ]
    said = {one["name"]: json.loads(one["value"]) for one in top["properties"]}
    assert said["huggingface:a-key-of-tomorrow"] == {"deep": [1, 2.5]}
    assert said["huggingface:language"] == ["ja", "en"]
    assert len(said) == 9


@pytest.mark.parametrize(
    ("contents", "code", "line"),
    [
        ("# no front matter\n", "bom.model-card", 1),
        ("---\n- a\n---\n", "bom.model-card", 2),
        ("---\nlicense: mit\nlicense: mit\n---\n", "source.duplicate-key", 3),
        ("---\na: &x [1]\nb: [*x, *y]\n---\n", None, 3),
        ("---\n" + "a: &a [x, x]\n" + "b: &b [*a, *a, *a, *a]\n" * 1 + "c: [*d]\n---\n", None, 4),
    ],
)
def test_a_model_card_that_cannot_be_read(bring: Any, contents: str, code: str | None, line: int) -> None:
    with pytest.raises(SourceError) as raised:
        bring(contents, "README.md")
    first = raised.value.problems[0]
    assert code in {None, first.code}
    assert first.line == line
    assert kept(bring.root) == []


def test_a_bomb_of_aliases_in_a_model_card_does_not_burst(bring: Any) -> None:
    levels = "".join(f"l{n}: &l{n} [*l{n - 1}, *l{n - 1}, *l{n - 1}]\n" for n in range(1, 40))
    with pytest.raises(SourceError):
        bring(f"---\nl0: &l0 [x]\n{levels}---\n", "README.md")
    assert kept(bring.root) == []


def test_a_data_card_in_croissant(bring: Any) -> None:
    found, workspace = bring(CROISSANT, "croissant.json")
    assert (found.format, found.components) == ("croissant", ("town-letters",))
    data = workspace.components["town-letters"]
    assert (data.type, data.supplier, data.version, data.licence) == ("data", "Kasumi town", "2.1", "CC-BY-4.0")
    assert data.digest == f"sha256:{'ab' * 32}"
    said = workspace.boms["croissant"].component("town-letters")
    assert said["data"][0]["sensitiveData"] == ["Names", "Health"]
    assert {one["name"]: one["value"] for one in said["properties"]} == {
        "croissant:rai:annotationsPerItem": "3",
        "croissant:rai:dataAnnotationPlatform": "by hand",
        "croissant:rai:dataCollection": "Scanned at the counter",
        "croissant:rai:personalSensitiveInformation": '["Names", "Health"]',
    }


def test_every_responsible_ai_term_is_taken(bring: Any) -> None:
    assert len(RAI_KEYS) == 20
    full = {**CROISSANT, **{f"http://mlcommons.org/croissant/RAI/{term}": term for term in RAI_KEYS}}
    said = bring(full, "croissant.json")[1].boms["croissant"].component("town-letters")
    assert {one["name"] for one in said["properties"]} == {f"croissant:rai:{term}" for term in RAI_KEYS}


@pytest.mark.parametrize("wrong", [{"name": ""}, {"name": None}, {"rai:dataBias": "x"}])
def test_a_data_card_that_cannot_be_used(bring: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(SourceError) as raised:
        bring({**CROISSANT, **wrong}, "croissant.json")
    assert raised.value.code == "bom.croissant"
    assert kept(bring.root) == []
