from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from shinrai.errors import UsageError
from shinrai.plan import ClaimPlan, Resolution, resolve
from shinrai.plan.promise import SAMPLED
from shinrai.records import SCORER_VERSIONS, ClaimUse, Committed, digest_file
from shinrai.workspace import Workspace, fingerprint
from tests.plan.town import TODAY, Town, check, measure

KEY = "plan/goal/chatting/polite@helper"


def claim_of(resolution: Resolution, key: str = KEY) -> ClaimPlan:
    return next(claim for claim in resolution.claims if claim.key == key)


def test_a_commitment_holds_everything_that_could_be_turned_afterwards(town: Town) -> None:
    town.measures = [measure("chatting", {"check": "polite", "threshold": 0.05, "due": "2027-03-31"})]
    claim = claim_of(town.resolve())
    workspace = town.load()
    commitment = claim.commitment
    assert commitment is not None
    assert commitment.claim == "plan/goal/chatting/polite"
    assert commitment.system == "helper"
    assert commitment.fingerprint == fingerprint(workspace.systems["helper"], town.root)[0]
    assert (commitment.metric, commitment.comparator, commitment.threshold) == ("failure-rate", "at-most", 0.05)
    assert (commitment.alpha, commitment.order_seed, commitment.budget) == (0.05, 7, 100)
    assert commitment.data is not None
    assert commitment.data.digest == digest_file(town.root / "data/prompts.jsonl")
    assert commitment.data.items == 100
    assert commitment.scorer is not None
    assert commitment.scorer.version == SCORER_VERSIONS["refusal"]
    assert commitment.statement.en == "polite: 5 %"
    assert str(commitment.due) == "2027-03-31"
    assert commitment.population == "traffic"


def test_what_is_inherited_and_what_is_set_here_can_be_told_apart(town: Town) -> None:
    town.measures = [measure("chatting", {"check": "safe", "threshold": 0.05, "alpha": 0.01}, due="2027-03-31")]
    own = claim_of(town.resolve(), "plan/goal/chatting/safe@helper")
    assert own.origins is not None
    assert own.commitment is not None
    told = {name: own.origins[name] for name in ("threshold", "alpha", "budget", "due", "order_seed", "scorer")}
    assert told == {
        "threshold": "claim",
        "alpha": "claim",
        "budget": "workspace",
        "due": "measure",
        "order_seed": "settings",
        "scorer": "workspace",
    }
    assert own.origins.keys() == own.commitment.to_json().keys()
    shipped = measure("shipped", {"check": "hazardous-advice", "budget": 20}, {"check": "personal-data"})
    town.measures = [shipped]
    resolution = town.resolve()
    first = claim_of(resolution, "plan/goal/shipped/hazardous-advice@helper").origins
    second = claim_of(resolution, "plan/goal/shipped/personal-data@helper").origins
    assert first is not None
    assert second is not None
    assert (first["threshold"], first["budget"]) == ("catalog", "claim")
    assert (second["threshold"], second["budget"]) == ("catalog", "data")


@pytest.mark.parametrize(("wanted", "expected", "origin"), [(None, 100, "data"), (30, 30, "claim"), (500, 100, "data")])
def test_the_budget_is_all_the_data_unless_it_is_less(
    town: Town, wanted: int | None, expected: int, origin: str
) -> None:
    town.measures = [measure("chatting", {"check": "polite", **({"budget": wanted} if wanted else {})})]
    claim = claim_of(town.resolve())
    assert claim.commitment is not None
    assert claim.origins is not None
    assert (claim.commitment.budget, claim.origins["budget"]) == (expected, origin)


def test_languages_and_conditions_and_groups_decide_how_many_items_are_kept(town: Town) -> None:
    town.measures = [
        measure("chatting", {"check": "polite", "languages": ["ja"]}),
        measure("scoring", "fair", "accurate"),
    ]
    kept = {
        claim.commitment.check: claim.commitment.data.items
        for claim in town.resolve().claims
        if claim.commitment and claim.commitment.data
    }
    assert kept == {"polite": 50, "fair": 300, "accurate": 400}
    town.checks["accurate"]["data"] = {"file": "data/people.csv", "where": {"group": "other"}}
    claim = claim_of(town.resolve(), "plan/goal/scoring/accurate@screening")
    assert claim.commitment is not None
    assert claim.commitment.budget == 100


def edit_use(**more: Any) -> Callable[[Town], None]:
    return lambda town: town.measures[0]["claims"][0].update(more)


def edit_check(**more: Any) -> Callable[[Town], None]:
    return lambda town: town.checks["polite"].update(more)


def add_a_row(town: Town) -> None:
    with (town.root / "data/prompts.jsonl").open("a") as file:
        file.write('{"id": "new", "lang": "en", "prompts": ["new"]}\n')


EDITS: dict[str, tuple[Callable[[Town], None], set[str]]] = {
    "threshold": (edit_use(threshold=0.2), {"threshold", "statement"}),
    "alpha": (edit_use(alpha=0.01), {"alpha"}),
    "budget": (edit_use(budget=50), {"budget"}),
    "languages": (edit_use(languages=["en"]), {"data", "budget", "title", "statement"}),
    "due": (edit_use(due="2027-01-01"), {"due"}),
    "check version": (edit_check(version="2"), {"check_version"}),
    "statement": (edit_check(statement={"en": "At most {threshold}"}), {"statement"}),
    "scorer": (edit_check(scorer={"id": "refusal", "must": "not-decline"}), {"scorer"}),
    "variants": (edit_check(variants={"type": "repeat", "times": 2}), {"variants"}),
    "missing": (edit_check(missing={"allow_share": 0.1, "reason": {"en": "lost"}}), {"missing"}),
    "blocked": (edit_check(blocked="pass"), {"blocked"}),
    "data": (add_a_row, {"data", "budget"}),
    "system": (lambda town: town.systems["helper"]["stack"][0].update(model="other"), {"fingerprint"}),
}


@pytest.mark.parametrize("edit", EDITS)
def test_any_change_makes_exactly_one_new_promise_that_names_the_old_one(town: Town, edit: str) -> None:
    town.measures = [measure("chatting", {"check": "polite"}), measure("other", "contract", systems=["screening"])]
    town.plan()
    before, seen = town.state.promises[KEY], len(town.entries)
    change, fields = EDITS[edit]
    change(town)
    claim = claim_of(town.resolve())
    assert claim.change == "replaced"
    assert set(claim.changed) == fields
    outcome = town.plan()
    assert (outcome.new, outcome.replaced, outcome.withdrawn) == ((), (KEY,), ())
    committed = [entry.payload for entry in town.entries[seen:] if isinstance(entry.payload, Committed)]
    assert [one.replaces for one in committed] == [before.digest]
    assert committed[0].commitment.content_digest != before.digest
    assert town.plan().unchanged == (KEY, "plan/goal/other/contract@screening")


def test_a_new_version_of_a_scorer_is_a_new_promise(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    town.plan()
    monkeypatch.setitem(SCORER_VERSIONS, "refusal", "2")
    claim = claim_of(town.resolve())
    assert (claim.change, claim.changed) == ("replaced", ("scorer",))


def test_what_cannot_change_an_answer_changes_no_promise(town: Town) -> None:
    town.plan()
    town.systems["helper"]["title"] = {"en": "Another name"}
    town.systems["helper"]["stack"][0]["supplier"] = "somebody"
    town.measures[0]["title"] = {"en": "Another title"}
    town.checks["polite"]["why"] = {"en": "because"}
    before = town.entries
    town.plan()
    assert town.entries == before


def test_another_seed_makes_every_promise_a_new_one(town: Town) -> None:
    town.measures = [measure("chatting", "polite", "contract", systems=["helper"])]
    first = town.plan()
    town.settings["order_seed"] = 8
    assert {claim.changed for claim in town.resolve().claims if claim.commitment} == {("order_seed",)}
    assert town.plan().replaced == first.new


IMPOSSIBLE: dict[str, tuple[str, list[Any]]] = {
    "failure-rate": ("at-most", [0.0, 1.0]),
    "pass-rate": ("at-least", [0.0, 1.0, 1.5]),
    "rate-ratio": ("at-least", [0.0, -1.0]),
    "rate-difference": ("at-most", [0.0, 1.0]),
    "rate-band": ("within", [[0.3, 0.2], [0.0, 0.5], [0.5, 1.0]]),
}


def with_uses(workspace: Workspace, uses: list[ClaimUse]) -> Workspace:
    """Put claims into the plan without the workspace's own checks of them."""
    house = workspace.plans["plan"]
    goal = house.goals[0]
    one = goal.measures[0].model_copy(update={"claims": tuple(uses)})
    goals = (goal.model_copy(update={"measures": (one,)}),)
    return dataclasses.replace(workspace, plans={"plan": house.model_copy(update={"goals": goals})})


@pytest.mark.parametrize("metric", SAMPLED)
def test_promises_that_no_trial_can_decide_are_refused_all_at_once(town: Town, metric: str) -> None:
    comparator, thresholds = IMPOSSIBLE[metric]
    groups = {"column": "lang", "a": "ja", "b": "en"} if metric in {"rate-ratio", "rate-difference"} else None
    town.checks["polite"] |= check("polite", metric, comparator, [0.2, 0.3] if comparator == "within" else 0.5)
    town.checks["polite"] |= {"groups": groups} if groups else {}
    workspace = town.load()
    uses = [
        ClaimUse.model_validate({"check": "polite", "id": f"c{number}", "threshold": threshold})
        for number, threshold in enumerate(thresholds)
    ]
    with pytest.raises(UsageError) as caught:
        resolve(with_uses(workspace, uses), town.state, TODAY)
    assert caught.value.code == "plan.untestable"
    assert all(f"plan/goal/chatting/{use.name}:" in caught.value.message for use in uses)
    assert resolve(workspace, town.state, TODAY).claims[0].commitment is not None


@pytest.mark.parametrize("alpha", [0.0, 0.6])
def test_an_error_level_out_of_range_is_refused(town: Town, alpha: float) -> None:
    broken = with_uses(town.load(), [ClaimUse(check="polite", alpha=alpha)])
    with pytest.raises(UsageError, match="error level"):
        resolve(broken, town.state, TODAY)
