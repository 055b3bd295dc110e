from __future__ import annotations

import json
from pathlib import Path

import pytest

from shinrai import act, do
from shinrai.errors import TamperedError, UsageError
from shinrai.plan import commit
from shinrai.records import Committed, Ruled, SystemRecorded, Withdrawn
from tests.plan.town import TODAY, Town, measure

KEY = "plan/goal/chatting/polite@helper"
WATCHED = "plan/goal/watching/watched@screening"


def log(town: Town, rows: int = 40) -> Path:
    lines = [
        f"c{number},yes,{'yes' if number % 2 else ''},{'clerk' if number % 2 else ''},30" for number in range(rows)
    ]
    return town.put("decisions.csv", "\n".join(["case,ai_output,human_decision,reviewer_role,seconds", *lines]) + "\n")


def test_planning_twice_writes_once(town: Town) -> None:
    town.measures = [
        measure("chatting", "polite", "safe"),
        measure("scoring", "accurate", "fair", "contract", "watched"),
    ]
    resolution = town.resolve()
    first = commit(resolution, town.ledger)
    assert len(first.new) == 6
    assert [version.number for version in first.versions] == [1, 1]
    before = town.entries
    assert town.plan().unchanged == first.new
    assert commit(resolution, town.ledger).unchanged == first.new
    assert town.entries == before


def test_a_system_is_recorded_before_it_is_ruled_on_and_promised_about(town: Town) -> None:
    town.plan()
    kinds = [type(entry.payload) for entry in town.entries[1:]]
    assert kinds == [SystemRecorded, SystemRecorded, Ruled, Ruled, Committed]


def test_looking_writes_nothing(town: Town) -> None:
    before = town.entries
    resolution = town.resolve()
    assert town.entries == before
    assert {claim.key: claim.change for claim in resolution.claims} == {
        KEY: "new",
        "plan/goal/chatting/polite@screening": "not-applicable",
    }


def test_a_claim_that_leaves_the_plan_is_withdrawn(town: Town) -> None:
    town.measures = [measure("chatting", "polite", "safe")]
    town.plan()
    before = town.state.promises[KEY]
    town.measures = [measure("chatting", "safe")]
    assert town.resolve().withdrawn == (before,)
    assert town.plan().withdrawn == (KEY,)
    gone = [entry.payload for entry in town.entries if isinstance(entry.payload, Withdrawn)]
    assert [one.commitment for one in gone] == [before.digest]
    assert KEY not in town.state.promises
    assert KEY not in town.state.rulings
    assert town.plan().withdrawn == ()
    town.measures = [measure("chatting", "polite", "safe")]
    assert town.plan().new == (KEY,)


def test_a_claim_that_no_longer_applies_is_withdrawn_and_ruled_out(town: Town) -> None:
    town.plan()
    town.measures = [measure("chatting", {"check": "polite", "systems": ["screening"]})]
    assert town.plan().withdrawn == (KEY,)
    assert not town.state.rulings[KEY].applies
    assert town.state.claim(KEY, TODAY).status == "not_applicable"
    before = town.entries
    town.plan()
    assert town.entries == before


def test_a_system_that_leaves_takes_its_promises_with_it(town: Town) -> None:
    town.plan()
    del town.systems["helper"]
    assert town.plan().withdrawn == (KEY,)
    assert not any(state.ruling.applies for state in town.state.claims(TODAY))


def test_a_claim_on_imported_data_waits_until_there_are_some(town: Town) -> None:
    town.measures = [measure("watching", "watched", systems=["screening"])]
    waiting = next(claim for claim in town.resolve().claims if claim.key == WATCHED)
    assert (waiting.change, waiting.waiting, waiting.commitment) == ("waiting", "import", None)
    assert town.plan().new == ()
    state = town.state.claim(WATCHED, TODAY)
    assert (state.status, state.reason) == ("not_measured", "never-run")
    brought = do.import_file(town.ledger, town.load(), log(town), "screening")
    assert town.plan().new == (WATCHED,)
    commitment = town.state.promises[WATCHED].commitment
    assert commitment.data is not None
    assert (commitment.data.digest, commitment.data.items, commitment.budget) == (brought.file_digest, 40, 40)
    assert town.resolve().sources == ()  # nothing is asked
    do.import_file(town.ledger, town.load(), log(town, 50), "screening")
    assert town.plan().replaced == (WATCHED,)


def test_what_was_imported_for_the_system_as_it_was_is_not_promised_about(town: Town) -> None:
    town.measures = [measure("watching", "watched", systems=["screening"])]
    first = do.import_file(town.ledger, town.load(), log(town), "screening")
    town.plan()
    town.judge(WATCHED, "met")
    (part,) = town.systems["screening"]["stack"]
    part["parameters"] = {"strict": True}
    claim = next(claim for claim in town.resolve().claims if claim.key == WATCHED)
    assert (claim.waiting, claim.commitment) == ("import", None)
    assert town.plan().withdrawn == (WATCHED,)
    assert town.state.claim(WATCHED, TODAY).status == "stale"
    (move,) = act.agenda(town.state, town.load(), TODAY)
    assert (move.what, move.status) == ("bring", "stale")
    again = do.import_file(town.ledger, town.load(), log(town), "screening")
    assert (again.file_digest, again.fingerprint != first.fingerprint) == (first.file_digest, True)
    assert town.plan().new == (WATCHED,)


def test_data_of_which_nothing_is_kept_are_no_data(town: Town) -> None:
    town.checks["watched"]["data"] = {"imported": "decisions", "where": {"reviewer_role": "nobody"}}
    town.measures = [measure("watching", "watched", systems=["screening"])]
    do.import_file(town.ledger, town.load(), log(town), "screening")
    claim = next(claim for claim in town.resolve().claims if claim.key == WATCHED)
    assert (claim.change, claim.waiting) == ("waiting", "rows")
    assert town.plan().new == ()


def test_an_import_of_another_system_is_not_used(town: Town) -> None:
    town.measures = [measure("watching", "watched", systems=["screening"])]
    do.import_file(town.ledger, town.load(), log(town), "helper")
    assert town.plan().new == ()


@pytest.mark.parametrize("damage", ["changed", "gone"])
def test_an_import_that_was_touched_is_not_promised_about(town: Town, damage: str) -> None:
    town.measures = [measure("watching", "watched", systems=["screening"])]
    brought = do.import_file(town.ledger, town.load(), log(town), "screening")
    kept = town.root / brought.file
    if damage == "gone":
        kept.unlink()
    else:
        kept.write_text(kept.read_text().replace(",0,", ",1,", 1))
    with pytest.raises(TamperedError, match="gone or was changed"):
        town.resolve()


def test_a_waiting_claim_that_leaves_the_plan_stops_waiting(town: Town) -> None:
    town.measures = [measure("watching", "watched", systems=["screening"])]
    town.plan()
    town.measures = [measure("chatting", "polite")]
    assert [ruling.key for ruling in town.resolve().dropped] == [WATCHED]
    town.plan()
    assert town.state.claim(WATCHED, TODAY).status == "not_applicable"
    before = town.entries
    town.plan()
    assert town.entries == before


def test_claims_about_documents_and_values_have_no_data(town: Town) -> None:
    town.measures = [measure("papers", "contract", "adopted", systems=["helper"])]
    town.plan()
    for promise in town.state.promises.values():
        commitment = promise.commitment
        assert (commitment.data, commitment.scorer, commitment.budget) == (None, None, 0)
        assert commitment.population == "evidence"
        assert commitment.subject in {"human-decides", "genai-use"}


def test_an_edit_of_a_component_file_is_a_new_version(town: Town) -> None:
    town.measures = [measure("scoring", "accurate")]
    town.plan()
    town.put("components/model.py", "def load(parameters):\n    return lambda records: []\n")
    assert town.plan().replaced == ("plan/goal/scoring/accurate@screening",)
    assert [(one.number, one.action) for one in town.state.versions["screening"]] == [(1, None), (2, None)]
    assert [one.number for one in town.state.versions["helper"]] == [1]


def test_going_back_to_an_old_system_is_a_new_version_too(town: Town) -> None:
    town.plan()
    town.systems["helper"]["stack"][0]["model"] = "other"
    town.plan()
    town.systems["helper"]["stack"][0]["model"] = "m"
    town.plan()
    numbers = [(one.number, one.fingerprint) for one in town.state.versions["helper"]]
    assert [number for number, _mark in numbers] == [1, 2, 3]
    assert numbers[0][1] == numbers[2][1] != numbers[1][1]


def test_the_file_edited_against_an_applied_action_is_an_error_that_names_it(town: Town) -> None:
    town.plan()
    town.change("swap", KEY, replace=[{**town.systems["helper"]["stack"][0], "model": "better"}])
    town.judge(KEY, "violated")
    act.sync(town.ledger, town.load())
    act.apply(town.ledger, town.load(), "swap", TODAY)
    town.plan()
    del town.actions["swap"]
    town.systems["helper"]["stack"][0]["id"] = "renamed"
    with pytest.raises(UsageError, match="swap does not fit the system helper"):
        town.resolve()


def test_everything_can_be_written_as_json(town: Town) -> None:
    town.measures = [measure("chatting", "polite"), measure("watching", "watched", "fair", "contract")]
    resolution = town.resolve()
    value = json.loads(json.dumps(resolution.to_json(), allow_nan=False))
    assert value["calls"] == resolution.calls
    assert {claim["key"]: claim["change"] for claim in value["claims"]} == {
        claim.key: claim.change for claim in resolution.claims
    }
    outcome = json.loads(json.dumps(commit(resolution, town.ledger).to_json()))
    assert outcome["versions"] == [{"system": "helper", "number": 1}, {"system": "screening", "number": 1}]


def test_a_promise_whose_data_went_away_is_withdrawn_and_its_claim_still_counts(town: Town) -> None:
    town.plan()
    town.checks["polite"] |= {"data": {"imported": "decisions"}, "scorer": town.checks["watched"]["scorer"]}
    assert town.plan().withdrawn == (KEY,)
    assert town.state.claim(KEY, TODAY).status == "not_measured"  # not gone: missing stays in the denominator
    before = town.entries
    town.plan()
    assert town.entries == before
