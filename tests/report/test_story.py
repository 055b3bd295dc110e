"""The story of the turns, told from a real ledger."""

from __future__ import annotations

from datetime import date

from shinrai.ledger.projection import State, project
from shinrai.report.story import chapter, last_day, promise_of, turns
from tests.report.town import QUESTIONS, ReportTown

YES, SOMETIMES = "plan/words/talks/says-yes@helper", "plan/words/talks/says-yes-sometimes@helper"
OFTEN, FAIR = "plan/numbers/adds/right-often@adder", "plan/numbers/adds/fair@adder"
HELLO, CONTRACT = "plan/numbers/adds/says-hello@adder", "plan/words/talks/contract@helper"


def test_a_turn_ends_with_what_was_decided(town: ReportTown) -> None:
    first, second = turns(town.state)
    assert (first.number, second.number) == (1, 2)
    assert [action.id for action in first.actions] == ["repair", "mend"]
    assert [action.id for action in second.actions] == ["bear"]
    assert set(first.verdicts) == {YES, SOMETIMES, OFTEN, FAIR, HELLO, CONTRACT}
    assert first.counts() == {"violated": 3, "undecided": 2, "not_measured": 1}
    assert second.verdicts[OFTEN].verdict.status == "met"
    assert sum(second.counts().values()) == len(second.verdicts)


def test_each_call_is_counted_once_however_many_claims_it_informs(town: ReportTown) -> None:
    first, second = turns(town.state)
    assert first.calls == QUESTIONS + 60  # every question and every row once, though two and three claims use them
    assert sum(judgement.verdict.calls for judgement in first.verdicts.values()) > first.calls
    assert first.calls + second.calls == sum(run.finished.calls for run in town.state.runs.values() if run.finished)


def test_findings_belong_to_the_turn_whose_verdicts_opened_and_closed_them(town: ReportTown) -> None:
    first, second = turns(town.state)
    assert {finding.key for finding in first.opened} == {YES, OFTEN, HELLO}
    assert first.closed == second.opened == []
    assert {finding.key for finding in second.closed} == {OFTEN}


def test_a_chapter_keeps_every_promise_and_each_verdict_its_own(town: ReportTown) -> None:
    told = chapter(town.state, FAIR)
    assert [promise.commitment.threshold for promise in told.promises] == [0.8, 0.8, 0.7]
    assert [promise.replaces for promise in told.promises[1:]] == [promise.digest for promise in told.promises[:-1]]
    assert [promise_of(town.state, judgement) for judgement in told.judgements] == told.promises[:2]
    assert chapter(town.state, "nothing/of/the/kind@here").judgements == []


def test_the_story_only_ever_grows_as_the_ledger_does(town: ReportTown) -> None:
    with town.ledger() as ledger:
        entries = list(ledger.entries())
    told = 0
    for length in range(1, len(entries) + 1):
        state = project(entries[:length])
        so_far = turns(state)
        assert [turn.number for turn in so_far] == list(range(1, len(so_far) + 1))
        assert told <= len(so_far) <= told + 1
        assert all(turn.actions for turn in so_far[:-1])
        assert sum(len(turn.verdicts) for turn in so_far) <= sum(map(len, state.judgements.values()))
        told = len(so_far)
        assert last_day(state) == date.fromisoformat(entries[length - 1].at[:10])
    assert told == 2


def test_before_anything_happened_there_is_no_story() -> None:
    assert turns(State()) == []
    assert last_day(State()) == date.min
