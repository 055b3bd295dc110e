"""CycloneDX declarations: valid by the vendor's validator, true to the ledger, and kept whole when they come back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shinrai.do.bom import import_stack
from shinrai.records import canonical
from shinrai.report.cyclonedx import kept_bom
from shinrai.report.exports import export
from shinrai.report.story import last_day
from shinrai.workspace import load
from tests.plan.town import Town
from tests.report.test_stack_formats import vendor_says
from tests.report.town import ReportTown


@pytest.fixture(scope="module")
def document(town: ReportTown) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(export("cyclonedx-declarations", town.workspace, town.state, "en"))
    return told


@pytest.fixture(scope="module")
def told(document: dict[str, Any]) -> dict[str, Any]:
    declared: dict[str, Any] = document["declarations"]
    return declared


def refs(value: Any) -> list[str]:
    """Every `bom-ref` of a document."""
    if isinstance(value, dict):
        own = [value["bom-ref"]] if "bom-ref" in value else []
        return own + [ref for part in value.values() for ref in refs(part)]
    return [ref for part in value for ref in refs(part)] if isinstance(value, list) else []


def test_they_are_valid_in_both_languages(town: ReportTown, document: dict[str, Any]) -> None:
    assert vendor_says(document) is None
    assert vendor_says(json.loads(export("cyclonedx-declarations", town.workspace, town.state, "ja"))) is None


def test_the_vendors_validator_would_find_a_mistake(document: dict[str, Any]) -> None:
    broken = json.loads(json.dumps(document))
    next(one for one in broken["declarations"]["attestations"][0]["map"])["conformance"]["score"] = "none"
    assert vendor_says(broken) is not None


def test_every_reference_leads_somewhere_and_is_there_once(document: dict[str, Any], told: dict[str, Any]) -> None:
    known = refs(document)
    assert len(known) == len(set(known))
    used = {link for one in told["claims"] for name in ("evidence", "counterEvidence") for link in one.get(name, [])}
    used |= {link for one in told["claims"] for link in one.get("mitigationStrategies", [])}
    assert used == {one["bom-ref"] for one in told["evidence"]}, "evidence that nothing names, or that is not there"
    targets = {one["bom-ref"] for one in told["targets"]["components"]}
    assert {one["target"] for one in told["claims"]} <= targets
    claims = {one["bom-ref"] for one in told["claims"]}
    requirements = {
        one["bom-ref"] for book in document["definitions"]["standards"] for one in book.get("requirements", [])
    }
    for row in (row for one in told["attestations"] for row in one["map"]):
        assert {*row.get("claims", []), *row.get("counterClaims", [])} <= claims
        assert row["requirement"] in requirements


def test_each_verdict_stands_on_its_side(town: ReportTown, told: dict[str, Any]) -> None:
    found = {one["bom-ref"]: one for one in told["claims"]}
    evidence = {one["bom-ref"]: one for one in told["evidence"]}
    seen = set()
    for claim in town.state.claims(last_day(town.state)):
        if claim.promise is None:
            continue
        one = found[f"claim:{claim.key}"]
        name = f"verdict:{claim.key}"
        measured = claim.judgement.verdict.status if claim.judgement else "not_measured"
        assert (name in one.get("evidence", [])) == (measured in {"met", "undecided"}), claim.key
        assert (name in one.get("counterEvidence", [])) == (measured in {"violated", "undecided"}), claim.key
        if measured == "not_measured":
            assert "evidence" not in one
            assert "counterEvidence" not in one
        if claim.status == "stale" and measured != "not_measured":
            assert evidence[name]["expires"] <= town.state.head.at  # type: ignore[union-attr]  # there is a verdict
        if claim.status == "accepted":
            (mitigation,) = one["mitigationStrategies"]
            assert evidence[mitigation]["expires"].startswith("2099-12-31")
        seen.add(claim.status)
    assert seen >= {"met", "stale", "accepted"}


def test_failed_trials_stand_against_every_promise(town: ReportTown, told: dict[str, Any]) -> None:
    against = 0
    for one in told["claims"]:
        key = one["bom-ref"].removeprefix("claim:")
        judgement = town.state.judgement(key)
        commitment = town.state.promises[key].commitment if key in town.state.promises else None
        if judgement is None or commitment is None or commitment.comparator not in {"at-most", "at-least"}:
            continue
        failed = judgement.verdict.counts.failed
        listed = f"failed:{key}" in one.get("counterEvidence", [])
        assert listed == (failed > 0 and judgement.verdict.status != "not_measured"), key
        against += listed
    assert against


def test_only_met_and_violated_have_a_score(town: ReportTown, document: dict[str, Any], told: dict[str, Any]) -> None:
    from shinrai.rules.applying import standing  # noqa: PLC0415 - only here

    found = standing(town.workspace, town.state, last_day(town.state))
    rows = iter(told["attestations"])
    for system in town.workspace.systems:
        for book in found.frameworks:
            mapped = next(rows)["map"]
            assert [row["requirement"] for row in mapped] == [f"{book}/{one.id}" for one in found.requirements(book)]
            for row in mapped:
                status = found.status(row["requirement"], system)
                assert row["conformance"].get("score") == {"met": 1.0, "violated": 0.0}.get(status), row
    assert next(rows, None) is None


def test_what_comes_back_is_what_went_out(document: dict[str, Any], tmp_path: Path) -> None:
    other = Town(tmp_path / "other")
    workspace = other.load()
    file = tmp_path / "declared.cdx.json"
    file.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    import_stack(workspace, file)
    again = load(other.root)
    other.ledger.close()
    assert canonical(kept_bom(again.boms["declared"], again.own_components)) == canonical(document)
