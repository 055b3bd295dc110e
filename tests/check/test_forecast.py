"""What a check would send, to judges too; what is sent then is never more."""

from __future__ import annotations

import pytest

from shinrai.check.forecast import Forecast, forecast
from shinrai.records import Judge
from tests.check.judged import CORRECTED, RUBRIC, UNCORRECTED, judging, promise
from tests.check.town import Town
from tests.servers.endpoint import Endpoint, serving

CONTROLLED = Judge(id="judge", system="judge", rubric=RUBRIC, control="no", accept={"en": "for the test"})
PRICE = {"input": 2, "output": 10, "currency": "USD"}


def _foreseen(town: Town) -> tuple[Forecast, Forecast]:
    tested, judge = forecast(town.root, town.ledger)
    assert (tested.system, tested.judges, judge.system, judge.judges) == ("assistant", False, "judge", True)
    return tested, judge


def _prepare(town: Town, tested: Endpoint, judges: Endpoint, use: Judge) -> None:
    town.chat(tested.url, price=PRICE, generation={"max_tokens": 40})
    town.chat(judges.url, system_id="judge", price=PRICE, generation={"max_tokens": 100})
    town.prompts(60)
    promise(town, use, threshold=0.3)


@pytest.mark.parametrize(("use", "each"), [(UNCORRECTED, 1), (CORRECTED, 1), (CONTROLLED, 2)])
async def test_calls_to_the_judge_are_foreseen_beside_those_to_the_system(town: Town, use: Judge, each: int) -> None:
    with serving() as tested, serving(judging()) as judges:
        _prepare(town, tested, judges, use)
        system, judge = _foreseen(town)
        assert (system.worst.calls, judge.worst.calls) == (60, each * 60)
        assert judge.expected.calls == each * system.expected.calls
        assert (system.expected.calls == 60) == (use is CORRECTED)  # labels come later: every trial is judged
        assert judge.claims == ("p/g/m/c@assistant",)
        assert (judge.how, judge.expected.tokens_in, judge.expected.money) == ("unknown", None, None)
        assert judge.worst.tokens_out == 100 * judge.worst.calls
        assert not judges.log.asked
        await town.check()
    assert sum(judges.log.asked.values()) <= judge.worst.calls
    assert sum(tested.log.asked.values()) <= system.worst.calls


async def test_a_judge_that_was_asked_before_has_a_cost_and_what_it_said_is_kept(town: Town) -> None:
    with serving() as tested, serving(judging()) as judges:
        _prepare(town, tested, judges, CORRECTED)
        _system, before = _foreseen(town)
        await town.check(calls=30)
        asked = sum(judges.log.asked.values())
        system, judge = _foreseen(town)
        assert 0 < asked < 30
        assert judge.kept == asked
        assert judge.expected.calls == before.expected.calls - asked
        assert system.kept + system.expected.calls == 60
        assert judge.how == "measured"
        assert judge.expected.tokens_in == 7 * judge.expected.calls  # as the endpoint counts
        assert judge.expected.money is not None
        assert float(judge.expected.money) == pytest.approx((7 * 2 + 3 * 10) * judge.expected.calls / 1_000_000)
        assert system.expected.tokens_out == 3 * system.expected.calls  # the judge's calls are not counted for it
        await town.check()
        assert sum(judges.log.asked.values()) == 60
