"""A change in the register makes a new version, and makes those verdicts stale that hang on what has changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, get_args

import pytest

from shinrai import do
from shinrai.ledger.projection import Promise
from shinrai.records import HANGS_ON, STAGES, Basis, Gate, Part, System, missing_gates
from shinrai.workspace import load
from tests.plan.town import HELPER, PROMPTS, TODAY, Town, check, measure, text

CLAIMS: dict[Basis, str] = {
    "traffic": "polite",
    "data-set": "exactly",
    "decisions": "watched",
    "document": "contract",
    "observation": "adopted",
}
EVERY = frozenset(get_args(Basis))
LOG = "case,ai_output,human_decision,reviewer_role,seconds\nc1,yes,yes,clerk,30\nc2,yes,no,clerk,40\n"

CHANGES: dict[str, dict[str, Any]] = {
    "purpose": {"purpose": text("decides")},
    "users": {"users": text("everybody")},
    "affected": {"affected": text("children")},
    "deployment": {"deployment": {"reach": "public", "countries": ["JP"], "areas": ["credit"]}},
    "autonomy": {"autonomy": "acts-alone"},
    "human_review": {"human_review": False},
    "operator": {"operator": ["developer", "provider"]},
    "data": {"data": ["personal"]},
    "benefit": {"benefit": {"expected": text("shorter waits"), "indicator": "waiting-time", "target": 5}},
    "risks": {"risks": [text("wrong advice")]},
    "stage": {"stage": "operation"},
    "gates": {"gates": [{"into": "development", "day": "2026-04-01", "by": "mayor"}]},
}
"""Field of the register → a change of it and of nothing else."""


def judged(town: Town) -> Town:
    """Promise one claim on each basis about the helper, and judge them all met."""
    town.checks["exactly"] = check(
        "exactly", "failure-rate", "at-most", 0.1, data=PROMPTS, scorer={"id": "refusal"}, population="data-set"
    )
    town.measures = [measure("all", *CLAIMS.values(), systems=["helper"])]
    log = town.put("decisions.csv", LOG)
    do.import_file(town.ledger, town.load(), log, "helper")
    town.plan()
    for key in town.state.promises:
        town.judge(key, "met")
    assert stale(town) == set()
    return town


def stale(town: Town) -> set[str]:
    states = town.state.claims(TODAY)
    assert {one.status for one in states} <= {"met", "stale", "not_applicable"}
    names = {name: basis for basis, name in CLAIMS.items()}
    return {names[one.ruling.claim.rpartition("/")[2]] for one in states if one.status == "stale"}


def test_every_field_of_the_register_is_in_the_table() -> None:
    assert set(CHANGES) == set(HANGS_ON)
    apart = {"id", "title", "owner", "kind", "secrets", "stack", "needs"}
    assert set(System.model_fields) == set(HANGS_ON) | apart


@pytest.mark.parametrize("field", CHANGES)
def test_a_change_makes_a_new_version_and_stales_what_hangs_on_it_and_nothing_else(town: Town, field: str) -> None:
    judged(town)
    fingerprint = town.state.versions["helper"][-1].fingerprint
    town.systems["helper"] |= CHANGES[field]
    outcome = town.plan()
    assert [one.number for one in outcome.versions] == [2]
    assert town.state.versions["helper"][-1].fingerprint == fingerprint  # it answers as before
    assert stale(town) == HANGS_ON[field]
    assert town.plan().versions == ()


@pytest.mark.parametrize(
    "change",
    [
        {"stack": [{**HELPER["stack"][0], "model": "another"}]},
        {"secrets": ["canary"]},
        {"needs": ["gpu"]},
    ],
    ids=["model", "secrets", "needs"],
)
def test_all_verdicts_hang_on_what_can_change_an_answer(town: Town, change: dict[str, Any]) -> None:
    put_gpu(town, version="1")
    judged(town)
    town.systems["helper"] |= change
    town.plan()
    assert stale(town) == EVERY


@pytest.mark.parametrize(
    "change",
    [
        {"title": text("Another name")},
        {"owner": "office"},
        {"stack": [{**HELPER["stack"][0], "supplier": "Maker", "supplier_country": "US", "substitutes": []}]},
    ],
    ids=["title", "owner", "facts"],
)
def test_names_and_facts_about_suppliers_are_no_new_version(town: Town, change: dict[str, Any]) -> None:
    judged(town)
    town.systems["helper"] |= change
    assert town.plan().versions == ()
    assert stale(town) == set()


def put_gpu(town: Town, **facts: Any) -> None:
    part = {"id": "gpu", "type": "compute", "title": text("GPU"), "needs": ["driver"], **facts}
    town.put("components/gpu.yaml", json.dumps(part))
    town.put("components/driver.yaml", json.dumps({"id": "driver", "type": "application", "title": text("Driver")}))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda town: put_gpu(town, version="2"), EVERY),
        (lambda town: put_gpu(town, version="1", digest="sha256:" + "0" * 64), EVERY),
        (lambda town: put_gpu(town, version="1", supplier="Maker", support_end="2027-01-01"), set()),
        (lambda town: put_gpu(town, version="1", needs=[]), EVERY),
    ],
    ids=["version", "digest", "facts", "needs"],
)
def test_what_a_shared_component_is_delivered_as_is_part_of_the_system(
    town: Town, change: Callable[[Town], None], expected: set[Basis]
) -> None:
    put_gpu(town, version="1")
    town.systems["helper"]["needs"] = ["gpu"]
    judged(town)
    assert set(town.state.versions["helper"][-1].supply) == {"gpu", "driver"}
    change(town)
    town.plan()
    assert stale(town) == expected
    other = town.state.versions["screening"]  # which does not need it
    assert [one.number for one in other] == [1]


def test_a_promise_from_before_the_register_was_pinned_stands_until_what_it_hangs_on_changes(town: Town) -> None:
    judged(town)
    for key, promise in list(town.state.promises.items()):
        forget_context(town, key, promise)
    assert {one.commitment.context for one in town.state.promises.values()} == {None}
    assert set(town.plan().unchanged) == set(town.state.promises)
    town.systems["helper"] |= CHANGES["operator"]
    town.plan()
    assert stale(town) == HANGS_ON["operator"]


def forget_context(town: Town, key: str, promise: Promise) -> None:
    """Commit again as it was done before, and judge that."""
    from shinrai.records import Committed  # noqa: PLC0415 - only here

    old = promise.commitment.model_copy(update={"context": None})
    town.ledger.append(Committed(commitment=old, replaces=promise.digest))
    town.judge(key, "met")


def test_an_accepted_risk_is_accepted_for_one_use(town: Town) -> None:
    judged(town)
    key = "plan/goal/all/polite@helper"
    town.judge(key, "undecided")
    town.accept("live-with-it", key, until="2027-03-31")
    from shinrai import act  # noqa: PLC0415 - only here

    town.load()
    act.apply(town.ledger, load(town.root), "live-with-it", TODAY)
    assert town.state.claim(key, TODAY).status == "accepted"
    town.systems["helper"] |= CHANGES["data"]
    town.plan()
    assert town.state.claim(key, TODAY).status == "accepted"
    town.systems["helper"] |= CHANGES["purpose"]
    town.plan()
    assert town.state.claim(key, TODAY).status == "stale"


def passed(*stages: str) -> tuple[Gate, ...]:
    return tuple(Gate.model_validate({"into": stage, "day": TODAY, "by": "mayor"}) for stage in stages)


@pytest.mark.parametrize(
    ("stage", "gates", "missing"),
    [
        (None, (), ()),
        ("idea", (), ()),
        ("development", (), ("development",)),
        ("operation", ("development",), ("before-release", "operation")),
        ("operation", ("development", "before-release", "operation"), ()),
        ("change", ("development", "before-release", "operation"), ("change",)),
        ("retirement", (), ("retirement",)),
        ("retirement", ("retirement",), ()),
    ],
)
def test_gates_that_nobody_is_recorded_to_have_opened(
    stage: Any, gates: tuple[str, ...], missing: tuple[str, ...]
) -> None:
    assert missing_gates(stage, passed(*gates)) == missing
    assert set(missing) <= set(STAGES)


def test_a_part_needs_two_for_a_choice() -> None:
    with pytest.raises(ValueError, match="two components or more"):
        Part.model_validate({"id": "a", "type": "data", "title": text("A"), "needs": [["b", "b"]]})
