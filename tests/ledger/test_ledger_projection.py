"""Where a claim stands, from what the ledger says of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, Literal

import pytest

from shinrai.ledger import Entry, State, project
from shinrai.records import (
    Acceptance,
    Action,
    ActionApplied,
    Commitment,
    Committed,
    Component,
    FindingClosed,
    FindingOpened,
    Guard,
    Judged,
    LedgerOpened,
    Payload,
    Predictor,
    Ruled,
    Ruling,
    RunFinished,
    RunStarted,
    System,
    SystemRecorded,
    SystemVersion,
    Text,
    Verdict,
    Withdrawn,
)
from shinrai.records.verdict import Measured

CLAIM, SYSTEM = "plan/goal/measure/claim", "assistant"
KEY = f"{CLAIM}@{SYSTEM}"
ZERO = "sha256:" + "0" * 64
TODAY = date(2026, 6, 1)
WORDS = Text(en="words")


def entries(payloads: Iterable[Payload]) -> list[Entry]:
    opened = LedgerOpened(workspace="w", public_key="0" * 64)
    return [
        Entry(seq, f"2026-04-01T00:00:{seq:02}.000Z", ZERO, f"sha256:{seq:064x}", payload)
        for seq, payload in enumerate([opened, *payloads], 1)
    ]


def state_of(*payloads: Payload) -> State:
    return project(entries(payloads))


def ruling(*, applies: bool = True) -> Ruled:
    return Ruled(ruling=Ruling(claim=CLAIM, system=SYSTEM, applies=applies, rule="named", reason=WORDS))


def commitment(threshold: float = 0.02) -> Commitment:
    return Commitment(
        claim=CLAIM,
        system=SYSTEM,
        fingerprint=ZERO,
        check="hazard",
        check_version="1",
        title=WORDS,
        statement=WORDS,
        metric="failure-rate",
        comparator="at-most",
        threshold=threshold,
        alpha=0.05,
        budget=100,
        order_seed=1,
    )


def judged(status: Measured, about: Commitment | None = None, **details: Any) -> Judged:
    return Judged(
        verdict=Verdict(
            commitment=(about or commitment()).content_digest,
            claim=CLAIM,
            system=SYSTEM,
            status=status,
            reason="decided",
            details=details,
        )
    )


def accepted(until: str, addresses: str = KEY, action: str = "accept") -> ActionApplied:
    acceptance = Acceptance(role="mayor", until=date.fromisoformat(until), reason=WORDS)
    return ActionApplied(
        action=Action(id=action, title=WORDS, owner="it", addresses=(addresses,), accept=acceptance), findings=()
    )


PROMISED: tuple[Payload, ...] = (ruling(), Committed(commitment=commitment()))


def test_a_claim_that_no_plan_rules_on_is_unknown() -> None:
    with pytest.raises(KeyError):
        state_of().claim(KEY, TODAY)


def test_a_claim_that_does_not_apply_keeps_its_reason_whatever_was_measured() -> None:
    state = state_of(*PROMISED, judged("violated"), ruling(applies=False)).claim(KEY, TODAY)
    assert (state.status, state.promise) == ("not_applicable", None)
    assert state.ruling.reason == WORDS


@pytest.mark.parametrize("payloads", [(ruling(),), PROMISED])
def test_a_claim_never_measured_says_so(payloads: tuple[Payload, ...]) -> None:
    state = state_of(*payloads).claim(KEY, TODAY)
    assert (state.status, state.reason) == ("not_measured", "never-run")


@pytest.mark.parametrize("status", ["met", "violated", "undecided", "not_measured"])
def test_a_verdict_on_the_promise_in_force_is_the_status(status: Measured) -> None:
    state = state_of(*PROMISED, judged(status)).claim(KEY, TODAY)
    assert (state.status, state.reason, state.stale_because) == (status, "decided", None)


@pytest.mark.parametrize("status", ["met", "violated", "undecided", "not_measured"])
def test_a_new_promise_makes_the_old_verdict_stale(status: Measured) -> None:
    replaced = Committed(commitment=commitment(0.1), replaces=commitment().content_digest)
    state = state_of(*PROMISED, judged(status), replaced)
    claim = state.claim(KEY, TODAY)
    assert (claim.status, claim.stale_because) == ("stale", "commitment")
    assert claim.promise is not None
    assert claim.promise.commitment.threshold == 0.1
    assert [promise.commitment.threshold for promise in state.history[KEY]] == [0.02, 0.1]


def test_a_verdict_on_the_new_promise_ends_staleness_and_one_on_the_old_begins_it_again() -> None:
    replaced = Committed(commitment=commitment(0.1), replaces=commitment().content_digest)
    fresh = (*PROMISED, judged("violated"), replaced, judged("met", commitment(0.1)))
    assert state_of(*fresh).claim(KEY, TODAY).status == "met"
    assert state_of(*fresh, judged("met")).claim(KEY, TODAY).status == "stale"


@pytest.mark.parametrize(("today", "status"), [("2026-05-31", "met"), ("2026-06-01", "met"), ("2026-06-02", "stale")])
def test_a_verdict_expires_after_its_last_day(today: str, status: str) -> None:
    claim = state_of(*PROMISED, judged("met", valid_until="2026-06-01")).claim(KEY, date.fromisoformat(today))
    assert claim.status == status
    assert claim.stale_because == ("expired" if status == "stale" else None)


@pytest.mark.parametrize(
    ("status", "until", "shown"),
    [
        ("violated", "2026-06-01", "accepted"),
        ("undecided", "2026-12-31", "accepted"),
        ("violated", "2026-05-31", "violated"),
        ("undecided", "2026-05-31", "undecided"),
        ("met", "2026-12-31", "met"),
        ("not_measured", "2026-12-31", "not_measured"),
    ],
)
def test_a_risk_is_accepted_until_its_last_day_and_only_where_there_is_one(
    status: Measured, until: str, shown: str
) -> None:
    assert state_of(*PROMISED, judged(status), accepted(until)).claim(KEY, TODAY).status == shown


def test_an_acceptance_of_another_claim_does_not_count() -> None:
    other = accepted("2026-12-31", addresses=f"{CLAIM}@other")
    assert state_of(*PROMISED, judged("violated"), other).claim(KEY, TODAY).status == "violated"


def test_the_newest_acceptance_in_force_is_the_one_shown() -> None:
    state = state_of(
        *PROMISED, judged("violated"), accepted("2026-12-31", action="old"), accepted("2026-07-01", action="new")
    )
    assert [
        action.id for day in ("2026-06-01", "2026-07-02") if (action := state.acceptance(KEY, date.fromisoformat(day)))
    ] == [
        "new",
        "old",
    ]
    assert state.acceptance(KEY, date(2027, 1, 1)) is None


def test_a_withdrawn_claim_is_gone_from_the_list_but_not_from_history() -> None:
    withdrawn = Withdrawn(commitment=commitment().content_digest, claim=CLAIM, system=SYSTEM)
    state = state_of(*PROMISED, judged("violated"), withdrawn)
    assert state.claims(TODAY) == []
    assert len(state.history[KEY]) == len(state.judgements[KEY]) == 1


def test_findings_open_collect_actions_and_close() -> None:
    opened = FindingOpened(finding="f-1", claim=CLAIM, system=SYSTEM, owner="it", verdict=ZERO)
    acted = accepted("2026-12-31").model_copy(update={"findings": ("f-1",)})
    state = state_of(*PROMISED, opened, acted)
    (finding,) = state.open_findings()
    assert (finding.key, finding.actions) == (KEY, ["accept"])
    closed = state_of(*PROMISED, opened, acted, FindingClosed(finding="f-1", verdict=ZERO))
    assert closed.open_findings() == []
    assert closed.findings["f-1"].closed_at == "2026-04-01T00:00:06.000Z"


@pytest.mark.parametrize("end", ["complete", "target-failed", "superseded"])
def test_a_run_is_open_until_it_has_ended(end: Literal["complete", "target-failed", "superseded"]) -> None:
    started = RunStarted(run="r", system=SYSTEM, fingerprint=ZERO, commitments=(), directory="runs/r")
    state = state_of(started)
    open_run = state.open_run(SYSTEM)
    assert open_run is not None
    assert open_run.started == started
    assert state.open_run("other") is None
    assert state_of(started, RunFinished(run="r", end=end, files={}, calls=0)).open_run(SYSTEM) is None


def test_the_newest_version_of_a_system_counts() -> None:
    model = Predictor(type="predictor", id="model", path="model.py")

    def version(number: int, *stack: Component) -> SystemRecorded:
        system = System(
            id=SYSTEM,
            title=WORDS,
            kind="predictor",
            purpose=WORDS,
            owner="it",
            human_review=True,
            stack=(*stack, model),
        )
        return SystemRecorded(
            version=SystemVersion(system=system, number=number, fingerprint=f"sha256:{number:064x}", files={})
        )

    state = state_of(version(1), version(2, Guard(type="guard", id="guard", path="guard.py")))
    newest = state.version(SYSTEM)
    assert newest is not None
    assert newest.number == 2
    assert state.version("other") is None


def test_what_was_never_begun_cannot_end() -> None:
    with pytest.raises(KeyError, match="r-9"):
        state_of(RunFinished(run="r-9", end="complete", files={}, calls=0))
