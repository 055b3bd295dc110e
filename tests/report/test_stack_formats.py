"""The stack in other people's formats: valid by their own schemas, and nothing lost on the way through."""

from __future__ import annotations

import gzip
import json
import warnings
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shinrai.do.bom import import_stack
from shinrai.errors import UsageError
from shinrai.records import Part, canonical
from shinrai.report.cyclonedx import kept_bom, systems_bom, written
from shinrai.report.spdx import spdx_document
from shinrai.source import JsonDocument
from shinrai.workspace import Workspace, bom_of, load
from tests.plan.town import HELPER, Town, text
from tests.samples.cyclonedx import HERE, OUTSIDE, PARTS, every_field, fields, samples, schema
from tests.workspace.test_boms import bill, component, read

AT = "2026-11-23T06:07:08.123456Z"


def keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {key for part in value.values() for key in keys(part)}
    return {key for part in value for key in keys(part)} if isinstance(value, list) else set()


def vendor_says(document: dict[str, Any]) -> str | None:
    """Ask the validator of CycloneDX itself; None where it has no objection."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the vendor's packages, when they are imported
        from cyclonedx.schema import SchemaVersion  # noqa: PLC0415 - heavy, and only here
        from cyclonedx.validation.json import JsonStrictValidator  # noqa: PLC0415 - heavy, and only here

        version = SchemaVersion.from_version(document["specVersion"])
        error = JsonStrictValidator(version).validate_str(json.dumps(document))
    return None if error is None else str(error)


# ---- through and through


@pytest.mark.parametrize("version", ["1.6", "1.7"])
def test_a_document_with_every_field_comes_out_as_it_went_in(tmp_path: Path, version: str) -> None:
    document, rules = every_field(version), schema("1.6")
    known = {key for name in PARTS for key in fields(rules["definitions"][name], rules)}
    known |= {key for name in ("declarations", "definitions") for key in fields(rules["properties"][name], rules)}
    assert len(known) > 100
    assert known - keys(document) == set(), "the document does not use every field"
    assert set(OUTSIDE) == {"component", "service"}
    assert vendor_says(document) is None
    town = Town(tmp_path / "town")
    workspace = town.load()
    file = tmp_path / "every.cdx.json"
    file.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    import_stack(workspace, file)
    again = load(town.root)
    town.ledger.close()
    out = kept_bom(again.boms["every"], again.own_components)
    assert canonical(out) == canonical(document)
    assert canonical(json.loads(written(out))) == canonical(document)


def test_every_valid_sample_comes_out_as_it_went_in() -> None:
    for name, contents in samples().items():
        if "/valid-" in name:
            found = bom_of(JsonDocument(contents.decode(), name), "sample")
            assert canonical(kept_bom(found, {})) == canonical(json.loads(contents)), name


def test_what_is_added_is_written_and_read_again() -> None:
    source = bill(
        component("a", version="1", hashes=[{"alg": "MD5", "content": "0" * 32}]),
        services=[{"bom-ref": "s", "name": "s"}],
    )
    own = {
        "a": Part.model_validate(
            {
                "id": "a",
                "type": "model",
                "title": text("A"),
                "supplier": "Maker",
                "supplier_country": "JP",
                "processing": ["JP", "US"],
                "licence": "MIT",
                "openness": "open",
                "version": "2",
                "digest": f"sha256:{'1' * 64}",
                "purl": "pkg:huggingface/maker/a@2",
                "support_end": "2027-03-31",
                "substitutes": [{"name": "b", "days": 4}],
                "needs": ["s"],
                "notices": [{"id": "ADV-1", "title": text("leaks"), "severity": "low", "day": "2026-01-05"}],
            }
        ),
        "s": Part.model_validate(
            {"id": "s", "type": "service", "title": {"en": "s"}, "supplier": "Host", "digest": f"sha256:{'2' * 64}"}
        ),
    }
    out = kept_bom(read(source), own)
    assert vendor_says(out) is None
    again = read(out)
    wanted = own["a"].to_json()
    wanted["notices"] = [{**wanted["notices"][0], "title": {"en": "leaks"}}]  # CycloneDX has one language
    assert again.parts["a"].to_json() == wanted
    assert again.parts["s"].to_json() == own["s"].to_json()
    assert again.component("a")["hashes"][0]["alg"] == "MD5"
    assert read(source).source.data == source  # what is kept is not changed


# ---- systems


def stacked(root: Path) -> Workspace:
    """Two systems; one on a model from a bill, both on what a person wrote down."""
    town = Town(root)
    shared = {"id": "gpu", "type": "compute", "title": text("GPU"), "supplier": "Maker", "licence": "MIT OR Apache-2.0"}
    clerk = {"id": "clerk", "type": "human", "title": text("Clerk")}
    host = {"id": "host", "type": "service", "title": text("Host"), "supplier_country": "JP", "version": "3"}
    notices = [{"id": "ADV-1", "title": text("leaks"), "source": "https://example.com/adv"}]
    for part in (shared | {"notices": notices, "substitutes": [{"name": "other", "days": 3}]}, clerk, host):
        town.put(f"components/{part['id']}.yaml", json.dumps(part, ensure_ascii=False))
    document = every_field()
    document["components"].append({"type": "data", "bom-ref": "gpu", "name": "another"})
    town.put("boms/every.cdx.json", json.dumps(document, ensure_ascii=False))
    town.systems["helper"] |= {
        "stack": [{**HELPER["stack"][0], "needs": ["every-field", ["gpu", "host"]]}],
        "needs": ["clerk"],
        "autonomy": "proposes",
        "data": ["special-care"],
        "risks": [text("wrong advice")],
        "deployment": {"areas": ["welfare"]},
    }
    town.systems["screening"]["needs"] = ["gpu"]
    workspace = town.load()
    town.ledger.close()
    return workspace


def test_a_bill_of_all_systems_is_valid_and_loses_no_model_card(tmp_path: Path) -> None:
    workspace = stacked(tmp_path)
    out = systems_bom(workspace, workspace.systems)
    assert vendor_says(out) is None
    by_name = {one["name"]: one for one in (*out["components"], *out["services"])}
    cards = {name: one for name, one in by_name.items() if "modelCard" in one}
    assert canonical(cards["every-field"]["modelCard"]) == canonical(every_field()["components"][0]["modelCard"])
    assert canonical(by_name["all-data"]["data"]) == canonical(every_field()["components"][1]["data"])
    assert out["metadata"]["component"]["externalReferences"] == [
        {"type": "bom", "url": "urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1"}
    ]
    depends = {one["ref"]: one.get("dependsOn", []) for one in out["dependencies"]}
    assert depends["helper/model"] == ["model", "gpu", "host"]
    assert depends["workspace:town"] == ["helper/", "screening/"]
    assert out["vulnerabilities"][0]["affects"] == [{"ref": "gpu"}]
    assert written(systems_bom(stacked(tmp_path / "again"), workspace.systems)) == written(out)


def test_what_a_bill_of_systems_says_can_be_read_again(tmp_path: Path) -> None:
    workspace = stacked(tmp_path)
    out = systems_bom(workspace, ["helper"])
    assert out["metadata"]["component"]["name"] == "Helper"
    again = read(out).parts
    assert set(again) == {"helper", "helper.model", "every-field", "all-data", "gpu", "host", "clerk"}
    assert again["helper.model"].needs == ("every-field", ("gpu", "host"))
    for name in ("gpu", "host", "clerk"):
        before, after = workspace.components[name].to_json(), again[name].to_json()
        before["notices"] = [{**one, "title": {"en": one["title"]["en"]}} for one in before["notices"]]
        assert after == before, name


@settings(max_examples=40)
@given(st.data())
def test_any_facts_survive_the_way_out_and_in(data: st.DataObject) -> None:
    plain = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20).filter(lambda s: s.strip())
    fact = {
        "supplier": plain,
        "supplier_country": st.sampled_from(["JP", "EU"]),
        "processing": st.lists(st.sampled_from(["JP", "US"]), max_size=2),
        "licence": plain | st.sampled_from(["MIT", "MIT OR Apache-2.0"]),
        "openness": st.sampled_from(["open", "closed", "open-weights"]),
        "version": plain,
        "support_end": st.dates().map(str),
        "substitutes": st.lists(st.fixed_dictionaries({"name": plain, "days": st.integers(0, 99)}), max_size=2),
        "title": st.fixed_dictionaries({"ja": plain}, optional={"en": plain}),
    }
    kind = data.draw(st.sampled_from(["model", "service"]))
    drawn = data.draw(st.fixed_dictionaries({}, optional=fact))
    own = Part.model_validate_json(json.dumps({"title": {"en": "a"}, **drawn, "id": "a", "type": kind}))
    source = bill(component("a")) if kind == "model" else bill(services=[{"bom-ref": "a", "name": "a"}])
    again = read(kept_bom(read(source), {"a": own})).parts["a"]
    assert again.to_json() == own.to_json()


# ---- SPDX


def spdx_schema() -> Any:
    packed = HERE / "spdx-3.0.1.schema.json.gz"
    return jsonschema_rs.validator_for(json.loads(gzip.decompress(packed.read_bytes())))


def test_an_spdx_document_is_valid_by_its_schema_and_names_what_is_missing(tmp_path: Path) -> None:
    workspace = stacked(tmp_path)
    document, gaps = spdx_document(workspace, workspace.systems, AT)
    validator = spdx_schema()
    assert [error.message for error in validator.iter_errors(document)] == []
    assert not validator.is_valid({**document, "@graph": [{"type": "ai_AIPackage"}]})
    made, top, *elements = document["@graph"]
    assert made["created"] == "2026-11-23T06:07:08Z"
    assert set(top["element"]) == {one["spdxId"] for one in elements}
    assert len(top["element"]) == len(set(top["element"]))
    assert "ai" not in top["profileConformance"]  # nobody has stated when the models were released
    assert any(gap.startswith("ai_AIPackage every-field: releaseTime") for gap in gaps)
    assert any(gap.startswith("dataset_DatasetPackage all-data: builtTime") for gap in gaps)
    by_name = {one["name"]: one for one in elements if "name" in one}
    assert by_name["Helper"]["ai_useSensitivePersonalInformation"] == "yes"
    assert by_name["Helper"]["ai_autonomyType"] == "no"
    assert by_name["Helper"]["ai_domain"] == ["welfare"]
    assert by_name["every-field"]["ai_metric"]
    kinds = {one["relationshipType"] for one in elements if one["type"] == "Relationship"}
    assert kinds == {"trainedOn", "dependsOn", "hasDeclaredLicense"}


def test_an_spdx_document_needs_a_time(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as raised:
        spdx_document(stacked(tmp_path), ["helper"], None)
    assert raised.value.code == "stack.no-time"
