"""The whole turn on a real ledger: a promise broken, an action applied, measured again, the finding closed."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from shinrai import act
from shinrai.act import gate
from shinrai.errors import EXIT_MET, EXIT_NOT_MEASURED, EXIT_NOT_MET
from shinrai.records import ActionApplied, FindingClosed, FindingOpened
from tests.plan.town import TODAY, Town, measure

KEY = "plan/goal/chatting/polite@helper"
SAFE = "plan/goal/chatting/safe@helper"


def sync(town: Town) -> list[str]:
    return [payload.kind for payload in act.sync(town.ledger, town.load())]


def status(town: Town, today: date = TODAY) -> str:
    return town.state.claim(KEY, today).status


def moves(town: Town, today: date = TODAY) -> list[tuple[str, str, str | None]]:
    return [(move.status, move.what, move.command) for move in act.agenda(town.state, town.load(), today)]


def test_a_broken_promise_is_repaired_and_measured_again(town: Town) -> None:
    assert moves(town) == [("not_measured", "plan", "shinrai plan")]
    town.plan()
    assert moves(town) == [("not_measured", "check", "shinrai check --system helper")]
    assert gate(town.state.claims(TODAY)) == EXIT_NOT_MEASURED

    broken = town.judge(KEY, "violated")
    assert sync(town) == ["finding-opened"]
    finding = town.state.findings["f-0001"]
    assert (finding.key, finding.owner, finding.opened_by) == (KEY, "office", broken.content_digest)
    assert moves(town) == [("violated", "decide", None)]
    assert gate(town.state.claims(TODAY)) == EXIT_NOT_MET

    town.change("guard", KEY)
    assert moves(town) == [("violated", "apply", "shinrai act apply guard")]
    applied = act.apply(town.ledger, town.load(), "guard", TODAY)
    assert applied.findings == ("f-0001",)
    assert town.state.findings["f-0001"].actions == ["guard"]
    assert status(town) == "violated"  # a decision repairs nothing by itself
    assert moves(town) == [("violated", "plan", "shinrai plan")]

    assert town.plan().replaced == (KEY,)
    version = town.state.version("helper")
    assert version is not None
    assert (version.number, version.action) == (2, "guard")
    assert [part.id for part in version.system.stack] == ["guard", "model"]
    assert version.files.keys() == {"components/guard.py"}
    assert (status(town), town.state.claim(KEY, TODAY).stale_because) == ("stale", "commitment")
    assert sync(town) == []
    assert moves(town) == [("stale", "check", "shinrai check --system helper")]
    assert gate(town.state.claims(TODAY)) == EXIT_NOT_MEASURED

    kept = town.judge(KEY, "met")
    assert sync(town) == ["finding-closed"]
    assert town.state.findings["f-0001"].closed_by == kept.content_digest
    assert town.state.open_findings() == []
    assert moves(town) == []
    assert gate(town.state.claims(TODAY)) == EXIT_MET
    before = town.entries
    assert sync(town) == []
    town.plan()
    assert town.entries == before


def test_ciso_assistant_a_finding_stays_open_when_the_next_run_passes(town: Town) -> None:
    """There, nothing closes a finding, and nobody but a person opens one."""
    town.plan()
    town.judge(KEY, "violated")
    assert sync(town) == ["finding-opened"]
    assert sync(town) == []
    town.judge(KEY, "met")
    assert sync(town) == ["finding-closed"]
    assert town.state.open_findings() == []


def test_aisev_every_start_adds_the_same_rows_again(town: Town) -> None:
    """There, ten perspectives had become thirty after three starts."""
    town.plan()
    before = town.entries
    town.plan()
    town.plan()
    assert town.entries == before


def test_what_the_action_did_not_repair_stays_open_and_says_so(town: Town) -> None:
    town.plan()
    town.judge(KEY, "violated")
    sync(town)
    town.change("guard", KEY)
    act.apply(town.ledger, town.load(), "guard", TODAY)
    town.plan()
    town.judge(KEY, "violated")
    assert sync(town) == []
    assert [finding.id for finding in town.state.open_findings()] == ["f-0001"]
    assert moves(town) == [("violated", "decide", None)]


@pytest.mark.parametrize("status_of_recheck", ["undecided", "not_measured"])
def test_only_met_closes(town: Town, status_of_recheck: str) -> None:
    town.plan()
    town.judge(KEY, "violated")
    sync(town)
    reason = "data-spent" if status_of_recheck == "undecided" else "target-unreachable"
    town.judge(KEY, status_of_recheck, reason)
    assert sync(town) == []
    assert len(town.state.open_findings()) == 1


def test_a_verdict_on_an_old_promise_neither_opens_nor_closes(town: Town) -> None:
    town.plan()
    town.judge(KEY, "violated")
    town.measures[0]["claims"][0]["threshold"] = 0.5
    town.plan()
    assert sync(town) == []  # the promise it broke is no longer in force
    town.judge(KEY, "violated")
    sync(town)
    town.judge(KEY, "met")
    town.measures[0]["claims"][0]["threshold"] = 0.4
    town.plan()
    assert sync(town) == []
    assert len(town.state.open_findings()) == 1


def test_a_promise_broken_again_is_a_finding_of_its_own(town: Town) -> None:
    town.measures = [measure("chatting", "polite", "safe")]
    town.plan()
    for outcome in ("violated", "met", "violated"):
        town.judge(KEY, outcome)
        sync(town)
    town.judge(SAFE, "violated")
    sync(town)
    found = [(one.id, one.key, one.closed_by is None) for one in town.state.findings.values()]
    assert found == [("f-0001", KEY, False), ("f-0002", KEY, True), ("f-0003", SAFE, True)]


def test_many_findings_open_in_one_go(town: Town) -> None:
    town.measures = [measure("chatting", "polite", "safe")]
    town.plan()
    town.judge(KEY, "violated")
    town.judge(SAFE, "violated")
    payloads = act.sync(town.ledger, town.load())
    assert [one.finding for one in payloads if isinstance(one, FindingOpened)] == ["f-0001", "f-0002"]
    town.judge(KEY, "met")
    payloads = act.sync(town.ledger, town.load())
    assert [one.finding for one in payloads if isinstance(one, FindingClosed)] == ["f-0001"]


def test_an_accepted_risk_is_shown_until_the_day_and_comes_back_after_it(town: Town) -> None:
    until = TODAY + timedelta(days=90)
    town.plan()
    town.judge(KEY, "violated")
    sync(town)
    town.accept("bear-it", KEY, until=until.isoformat())
    assert moves(town) == [("violated", "apply", "shinrai act apply bear-it")]
    assert act.agenda(town.state, town.load(), TODAY)[0].role == "mayor"
    act.apply(town.ledger, town.load(), "bear-it", TODAY)
    assert sync(town) == []
    assert len(town.state.open_findings()) == 1  # accepting closes nothing
    for today, shown, what, code in [
        (TODAY, "accepted", "wait", EXIT_MET),
        (until - timedelta(days=31), "accepted", "wait", EXIT_MET),
        (until - timedelta(days=30), "accepted", "renew", EXIT_MET),
        (until, "accepted", "renew", EXIT_MET),
        (until + timedelta(days=1), "violated", "decide", EXIT_NOT_MET),
    ]:
        assert status(town, today) == shown
        (move,) = act.agenda(town.state, town.load(), today)
        assert (move.status, move.what, move.finding) == (shown, what, "f-0001")
        assert gate(town.state.claims(today)) == code
    (move,) = act.agenda(town.state, town.load(), until + timedelta(days=1))
    assert "bear-it ended on" in move.message
    town.judge(KEY, "met")
    assert sync(town) == ["finding-closed"]


def test_an_acceptance_is_renewed_by_editing_its_day(town: Town) -> None:
    town.plan()
    town.judge(KEY, "violated")
    sync(town)
    town.accept("bear-it", KEY, until="2026-12-01")
    act.apply(town.ledger, town.load(), "bear-it", TODAY)
    town.accept("bear-it", KEY, until="2027-03-01")
    later = date(2026, 12, 2)
    assert [move.what for move in act.agenda(town.state, town.load(), later)] == ["apply"]
    act.apply(town.ledger, town.load(), "bear-it", later)
    assert status(town, later) == "accepted"
    applied = [entry.payload for entry in town.entries if isinstance(entry.payload, ActionApplied)]
    assert [one.findings for one in applied] == [("f-0001",), ("f-0001",)]


def test_a_dropped_promise_leaves_its_finding_open_and_in_sight(town: Town) -> None:
    town.plan()
    town.judge(KEY, "violated")
    sync(town)
    town.measures = [measure("chatting", "safe", systems=["helper"])]
    town.plan()
    assert sync(town) == []
    assert moves(town)[0] == ("violated", "restore", None)
    town.measures = [measure("chatting", "polite", systems=["helper"])]
    town.plan()
    assert moves(town) == [("violated", "decide", None)]  # the same promise again, and its verdict with it


def test_an_action_edited_and_applied_again_is_a_version_of_its_own(town: Town) -> None:
    town.plan()
    town.judge(KEY, "violated")
    sync(town)
    town.change("guard", KEY)
    act.apply(town.ledger, town.load(), "guard", TODAY)
    town.plan()
    town.judge(KEY, "violated")
    town.actions["guard"]["change"]["add"][0] |= {"parameters": {"strict": False}}
    assert moves(town) == [("violated", "apply", "shinrai act apply guard")]
    act.apply(town.ledger, town.load(), "guard", TODAY)
    town.plan()
    versions = [(one.number, one.action, len(one.system.stack)) for one in town.state.versions["helper"]]
    assert versions == [(1, None, 1), (2, "guard", 2), (3, "guard", 2)]


def test_a_change_taken_over_into_the_file_is_not_made_twice(town: Town) -> None:
    town.plan()
    town.judge(KEY, "violated")
    sync(town)
    town.change("guard", KEY)
    act.apply(town.ledger, town.load(), "guard", TODAY)
    town.plan()
    before = town.entries
    town.systems["helper"]["stack"].insert(0, town.actions["guard"]["change"]["add"][0])
    town.plan()
    assert town.entries == before


def test_a_version_names_the_action_that_made_it_and_no_other(town: Town) -> None:
    town.plan()
    town.judge(KEY, "violated")
    sync(town)
    town.change("guard", KEY)
    town.change("bigger", KEY, replace=[{**town.systems["helper"]["stack"][0], "model": "big"}])
    for action in ("guard", "bigger"):
        act.apply(town.ledger, town.load(), action, TODAY)
        town.plan()
    town.systems["helper"]["secrets"] = ["KASUMI-1"]  # edited by hand
    town.plan()
    made = [(one.number, one.action) for one in town.state.versions["helper"]]
    assert made == [(1, None), (2, "guard"), (3, "bigger"), (4, None)]


def test_an_acceptance_lapses_with_the_version_it_was_given_for_and_can_be_given_again(town: Town) -> None:
    town.plan()
    town.judge(KEY, "violated")
    sync(town)
    town.accept("bear-it", KEY, until=(TODAY + timedelta(days=90)).isoformat())
    act.apply(town.ledger, town.load(), "bear-it", TODAY)
    assert status(town) == "accepted"
    town.change("guard", KEY)
    act.apply(town.ledger, town.load(), "guard", TODAY)
    town.plan()
    assert status(town) == "stale"  # nobody has accepted what the new version does
    town.judge(KEY, "violated")
    assert status(town) == "violated"
    assert moves(town) == [("violated", "apply", "shinrai act apply bear-it")]
    act.apply(town.ledger, town.load(), "bear-it", TODAY)
    assert status(town) == "accepted"


def test_another_word_in_a_title_does_not_end_an_acceptance_and_another_threshold_does(town: Town) -> None:
    town.plan()
    town.judge(KEY, "violated")
    sync(town)
    town.accept("bear-it", KEY, until=(TODAY + timedelta(days=90)).isoformat())
    act.apply(town.ledger, town.load(), "bear-it", TODAY)
    town.checks["polite"]["title"] = {"en": "Polite, always"}
    assert town.plan().replaced == (KEY,)
    assert status(town) == "accepted"
    town.measures[0]["claims"][0]["threshold"] = 0.01
    town.plan()
    assert status(town) == "stale"


@pytest.mark.parametrize("how", ["dropped", "narrowed"])
def test_a_broken_promise_does_not_leave_the_gate_by_being_dropped(town: Town, how: str) -> None:
    town.measures = [measure("chatting", "polite", "safe")]
    town.plan()
    town.judge(KEY, "violated")
    town.judge(SAFE, "met")
    sync(town)
    town.measures = [measure("chatting", "safe")]
    if how == "narrowed":
        town.measures.append(measure("scoring", "polite", systems=["screening"]))
    town.plan()
    sync(town)
    assert [finding.key for finding in town.state.abandoned_findings()] == [KEY]
    states = [state for state in town.state.claims(TODAY) if state.key == SAFE]
    assert gate(states) == EXIT_MET
    assert gate(states, town.state.abandoned_findings()) == EXIT_NOT_MET
    assert ("violated", "restore", None) in moves(town)
