from __future__ import annotations

import itertools
import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shinrai import act
from shinrai.act import Move, gate
from shinrai.errors import EXIT_MET, EXIT_NOT_MEASURED, EXIT_NOT_MET, EXIT_USAGE
from shinrai.ledger.projection import ClaimState
from shinrai.records import STATUSES, Ruling, Status, Text
from tests.plan.town import TODAY, Town, measure

KEY = "plan/goal/one/polite@helper"
CONTRACT = "plan/goal/one/contract@helper"
ADOPTED = "plan/goal/one/adopted@helper"
WATCHED = "plan/goal/one/watched@helper"


def agenda(town: Town, today: date = TODAY) -> dict[str, Move]:
    return {move.key: move for move in act.agenda(town.state, town.load(), today)}


@pytest.fixture
def planned(town: Town) -> Town:
    town.measures = [measure("one", "polite", "contract", "adopted", "watched", systems=["helper"])]
    town.plan()
    return town


def test_what_was_never_measured_says_how(planned: Town) -> None:
    found = {key: (move.status, move.what, move.command) for key, move in agenda(planned).items()}
    assert found == {
        KEY: ("not_measured", "check", "shinrai check --system helper"),
        CONTRACT: ("not_measured", "check", "shinrai check --system helper"),
        ADOPTED: ("not_measured", "check", "shinrai check --system helper"),
        WATCHED: ("not_measured", "bring", "shinrai do import FILE --system helper"),
    }


@pytest.mark.parametrize(
    ("key", "status", "reason", "what", "command"),
    [
        (KEY, "not_measured", "target-unreachable", "repair", "shinrai check --system helper"),
        (KEY, "not_measured", "nothing-usable", "repair", "shinrai check --system helper"),
        (KEY, "not_measured", "interrupted", "check", "shinrai check --system helper"),
        (KEY, "not_measured", "money-spent", "check", "shinrai check --system helper"),
        (KEY, "undecided", "money-spent", "check", "shinrai check --system helper"),
        (KEY, "undecided", "interrupted", "check", "shinrai check --system helper"),
        (KEY, "undecided", "data-spent", "extend", None),
        (KEY, "undecided", "budget-spent", "extend", None),
        (KEY, "violated", "decided", "decide", None),
        (CONTRACT, "not_measured", "no-evidence", "bring", "shinrai do attest --subject human-decides --system helper"),
        (CONTRACT, "not_measured", "expired", "bring", "shinrai do attest --subject human-decides --system helper"),
        (ADOPTED, "not_measured", "no-evidence", "bring", "shinrai do observe --subject genai-use --system helper"),
    ],
)
def test_each_state_has_its_move(
    planned: Town, key: str, status: str, reason: str, what: str, command: str | None
) -> None:
    planned.judge(key, status, reason)
    move = agenda(planned)[key]
    assert (move.status, move.what, move.command, move.role) == (status, what, command, "office")
    assert move.message


def test_the_clock_makes_a_verdict_stale_and_asks_for_a_new_document(planned: Town) -> None:
    planned.judge(CONTRACT, "met", details={"valid_until": "2026-12-31"})
    assert CONTRACT not in agenda(planned, date(2026, 12, 31))
    move = agenda(planned, date(2027, 1, 1))[CONTRACT]
    assert (move.status, move.what) == ("stale", "bring")
    assert gate([planned.state.claim(CONTRACT, date(2026, 12, 31))]) == EXIT_MET
    assert gate([planned.state.claim(CONTRACT, date(2027, 1, 1))]) == EXIT_NOT_MEASURED


def test_met_and_inapplicable_claims_ask_for_nothing(town: Town) -> None:
    town.plan()
    town.judge("plan/goal/chatting/polite@helper", "met")
    assert agenda(town) == {}
    assert [state.status for state in town.state.claims(TODAY)] == ["met", "not_applicable"]


def test_the_most_urgent_comes_first_and_then_what_is_due_first(town: Town) -> None:
    names = ["polite", "safe", "contract", "adopted"]
    uses: list[dict[str, Any]] = [{"check": name} for name in names]
    uses[1]["due"], uses[0]["due"] = "2026-12-01", "2027-12-01"
    town.measures = [measure("one", *uses, systems=["helper"])]
    town.plan()
    for key in (KEY, "plan/goal/one/safe@helper"):
        town.judge(key, "violated")
    town.judge(ADOPTED, "undecided", "data-spent")
    order = [move.key.split("/")[-1] for move in act.agenda(town.state, town.load(), TODAY)]
    assert order == ["safe@helper", "polite@helper", "contract@helper", "adopted@helper"]


def test_claims_the_ledger_never_heard_of_are_counted(planned: Town) -> None:
    planned.measures.append(measure("two", "safe", "contract", systems=["helper"]))
    move = agenda(planned)["plan/goal/two/safe@helper"]
    assert (move.what, move.command) == ("plan", "shinrai plan")
    assert move.message.startswith("2 claims")


def test_a_system_the_ledger_never_heard_of_asks_for_a_plan(town: Town) -> None:
    town.plan()
    town.judge("plan/goal/chatting/polite@helper", "met")
    town.systems["second"] = {**town.systems["helper"], "id": "second"}
    assert agenda(town)["plan/goal/chatting/polite@second"].what == "plan"


def test_moves_can_be_written_as_json(planned: Town) -> None:
    planned.judge(KEY, "violated")
    act.sync(planned.ledger, planned.load())
    value = json.loads(json.dumps([move.to_json() for move in act.agenda(planned.state, planned.load(), TODAY)]))
    assert (value[0]["key"], value[0]["finding"], value[0]["what"]) == (KEY, "f-0001", "decide")


def test_the_owner_of_a_claim_that_left_the_plan_file_is_that_of_its_system(planned: Town) -> None:
    planned.judge(KEY, "violated")
    planned.measures = [measure("one", "contract", systems=["helper"])]  # edited, not planned again yet
    act.sync(planned.ledger, planned.load())
    assert planned.state.findings["f-0001"].owner == "desk"


# ---- the gate


def state(status: Status) -> ClaimState:
    ruling = Ruling(
        claim="p/g/m/c", system="s", applies=status != "not_applicable", rule="named", reason=Text(en="named")
    )
    return ClaimState("p/g/m/c@s", status, None, ruling)


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        ([], EXIT_USAGE),
        (["not_applicable"], EXIT_USAGE),
        (["met"], EXIT_MET),
        (["met", "accepted", "not_applicable"], EXIT_MET),
        (["met", "violated"], EXIT_NOT_MET),
        (["met", "undecided"], EXIT_NOT_MET),
        (["met", "not_measured"], EXIT_NOT_MEASURED),
        (["met", "stale"], EXIT_NOT_MEASURED),
        (["not_measured", "violated", "stale"], EXIT_NOT_MET),
    ],
)
def test_the_gate(statuses: list[Status], code: int) -> None:
    for order in itertools.permutations(statuses):
        assert gate([state(status) for status in order]) == code


@given(st.lists(st.sampled_from(STATUSES)))
def test_the_gate_opens_only_when_nothing_is_missing_or_broken(statuses: list[Status]) -> None:
    opened = gate([state(status) for status in statuses]) == EXIT_MET
    applicable = [status for status in statuses if status != "not_applicable"]
    assert opened == (bool(applicable) and all(status in {"met", "accepted"} for status in applicable))
