from __future__ import annotations

import dataclasses
from datetime import date
from typing import Any

import pytest

from shinrai import act
from shinrai.errors import UsageError
from shinrai.records import Action
from shinrai.workspace import Workspace
from tests.plan.town import GUARD, TODAY, Town, measure, text

KEY = "plan/goal/chatting/polite@helper"
SAFE = "plan/goal/chatting/safe@helper"
CONTRACT = "plan/goal/papers/contract@screening"


@pytest.fixture
def broken(town: Town) -> Town:
    """Break `polite`, keep `safe`, leave `contract` unmeasured."""
    town.measures = [measure("chatting", "polite", "safe"), measure("papers", "contract", systems=["screening"])]
    town.plan()
    town.judge(KEY, "violated")
    town.judge(SAFE, "met")
    act.sync(town.ledger, town.load())
    return town


def with_action(workspace: Workspace, **fields: Any) -> Workspace:
    """Put an action beside the workspace's own checks, which would find its mistake first."""
    action = Action.model_validate({"id": "it", "title": text("it"), "owner": "desk", "addresses": [KEY], **fields})
    return dataclasses.replace(workspace, actions={"it": action})


def accepting(role: str = "mayor", until: str = "2027-03-31") -> dict[str, Any]:
    return {"accept": {"role": role, "until": until, "reason": {"en": "until the new contract"}}}


def changing(**change: Any) -> dict[str, Any]:
    return {"change": {"system": "helper", **(change or {"add": [GUARD]})}}


MODEL = {"id": "model", "type": "endpoint", "url": "http://127.0.0.1:9/v1", "model": "m"}

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "met already": ({"addresses": [SAFE], **changing()}, "act.nothing-to-address"),
    "never measured": ({"addresses": [CONTRACT], **accepting()}, "act.nothing-to-address"),
    "no such claim": ({"addresses": ["plan/goal/chatting/polit@helper"], **changing()}, "act.unknown-claim"),
    "no such system": (changing(system="helpr", add=[GUARD]), "act.unknown-system"),
    "another system": (changing(system="screening", add=[GUARD]), "act.other-system"),
    "nothing to replace": (changing(replace=[{**MODEL, "id": "motor"}]), "system.change-impossible"),
    "there with other contents": (changing(add=[{**MODEL, "model": "n"}]), "system.change-impossible"),
    "no model left": (changing(remove=["model"]), "system.change-impossible"),
    "as it is already": (changing(replace=[MODEL]), "act.changes-nothing"),
    "nothing to remove": (changing(remove=["guard"]), "act.changes-nothing"),
    "the owner accepts": (accepting("office"), "act.owner-accepts"),
    "a role that may not": (accepting("desk"), "act.role-may-not-accept"),
    "a role that is none": (accepting("king"), "act.role-may-not-accept"),
    "over already": (accepting(until="2026-11-22"), "act.acceptance-over"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_must_not_be_applied_is_refused_and_nothing_is_written(broken: Town, case: str) -> None:
    fields, code = REFUSED[case]
    before = broken.entries
    with pytest.raises(UsageError) as caught:
        act.apply(broken.ledger, with_action(broken.load(), **fields), "it", TODAY)
    assert caught.value.code == code
    assert broken.entries == before


GOOD: dict[str, dict[str, Any]] = {
    "a change": changing(),
    "a replacement": changing(replace=[{**MODEL, "model": "n"}]),
    "an acceptance": accepting(),
    "an acceptance for today": accepting(until="2026-11-23"),
    "some of what it addresses": {"addresses": [SAFE, KEY], **changing()},
}


@pytest.mark.parametrize("case", GOOD)
def test_what_may_be_applied_is_written_with_its_findings(broken: Town, case: str) -> None:
    workspace = with_action(broken.load(), **GOOD[case])
    payload = act.apply(broken.ledger, workspace, "it", TODAY)
    assert broken.entries[-1].payload == payload
    assert (payload.action, payload.findings) == (workspace.actions["it"], ("f-0001",))


@pytest.mark.parametrize("fields", [changing(), accepting()])
def test_the_same_action_is_not_applied_twice(broken: Town, fields: dict[str, Any]) -> None:
    workspace = with_action(broken.load(), **fields)
    act.apply(broken.ledger, workspace, "it", TODAY)
    before = broken.entries
    with pytest.raises(UsageError, match="applied before"):
        act.apply(broken.ledger, workspace, "it", TODAY)
    assert broken.entries == before


@pytest.mark.parametrize(("name", "hint"), [("guardd", "Did you mean guard?"), ("something-else", None)])
def test_an_unknown_action_is_answered_with_the_nearest(broken: Town, name: str, hint: str | None) -> None:
    broken.change("guard", KEY)
    with pytest.raises(UsageError) as caught:
        act.apply(broken.ledger, broken.load(), name, TODAY)
    assert (caught.value.code, caught.value.hint) == ("act.unknown-action", hint)


def test_an_undecided_claim_can_be_accepted_though_it_has_no_finding(broken: Town) -> None:
    broken.judge(SAFE, "undecided", "data-spent")
    payload = act.apply(broken.ledger, with_action(broken.load(), addresses=[SAFE], **accepting()), "it", TODAY)
    assert payload.findings == ()
    assert broken.state.claim(SAFE, TODAY).status == "accepted"


def test_nor_can_the_owner_of_an_undecided_claim_accept_it(broken: Town) -> None:
    broken.judge(SAFE, "undecided", "data-spent")
    with pytest.raises(UsageError, match="cannot accept its risk"):
        act.apply(broken.ledger, with_action(broken.load(), addresses=[SAFE], **accepting("office")), "it", TODAY)


def test_the_owner_of_a_finding_stays_its_owner_when_the_measure_changes_hands(broken: Town) -> None:
    broken.measures[0]["owner"] = "mayor"
    for role, code in (("office", "act.owner-accepts"), ("mayor", "act.owner-accepts")):
        with pytest.raises(UsageError) as caught:
            act.apply(broken.ledger, with_action(broken.load(), **accepting(role)), "it", TODAY)
        assert caught.value.code == code


def test_a_second_action_builds_on_the_first(broken: Town) -> None:
    broken.change("guard", KEY)
    broken.change("stricter", KEY, replace=[{**GUARD, "parameters": {"strict": "very"}}])
    with pytest.raises(UsageError, match="no component guard to replace"):
        act.apply(broken.ledger, broken.load(), "stricter", TODAY)
    act.apply(broken.ledger, broken.load(), "guard", TODAY)
    act.apply(broken.ledger, broken.load(), "stricter", TODAY)
    broken.plan()
    version = broken.state.version("helper")
    assert version is not None
    assert (version.number, version.action) == (2, "stricter")
    guard = version.system.component("guard")
    assert guard is not None
    assert guard.to_json()["parameters"] == {"strict": "very"}


def test_actions_show_in_the_agenda_under_the_role_that_has_to_move(broken: Town) -> None:
    def move() -> tuple[str, str]:
        first = act.agenda(broken.state, broken.load(), TODAY)[0]
        return first.what, first.role

    assert move() == ("decide", "office")
    broken.change("guard", KEY)
    assert move() == ("apply", "desk")
    broken.accept("bear-it", KEY, until="2027-01-01")
    broken.actions["bear-it"]["due"] = "2026-12-01"
    assert move() == ("apply", "mayor")  # what is due first
    assert act.agenda(broken.state, broken.load(), TODAY)[0].by == date(2026, 12, 1)
