"""A run from promise to verdict, against a real endpoint."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from shinrai.check.events import CallFinished, ClaimDecided, ClaimMoved, RunBegan, RunEnded
from shinrai.errors import UsageError
from shinrai.records import Budget, Consistency, Money, Refusal, rank
from shinrai.stats import ProportionTest
from tests.check.town import Town
from tests.servers.endpoint import Behave, Reply, serving


def failing(share: float, delay_of_failures: float = 0.0, delay: float = 0.0) -> Behave:
    """Answer no to a fixed share of the prompts, chosen by their text."""

    def behave(prompt: str, _attempt: int) -> Reply:
        bad = int(rank(1, prompt)[:8], 16) / 0xFFFFFFFF < share
        return Reply("no" if bad else "yes", delay=delay_of_failures if bad else delay)

    return behave


async def test_a_clean_system_meets_its_promise_with_few_calls(town: Town) -> None:
    with serving() as endpoint:
        town.chat(endpoint.url)
        town.prompts(400)
        town.promise()
        [verdict] = await town.check(watch=True)
    assert (verdict.status, verdict.reason) == ("met", "decided")
    assert verdict.counts.passed == verdict.counts.total == verdict.calls == 41
    assert verdict.calls_saved == 359
    assert verdict.upper is not None
    assert verdict.upper <= 0.1
    assert verdict.evidence_met >= 20
    assert verdict.trace[-1].n == 41
    # The look-ahead is the distance to the decision: not one call more than the verdict needs.
    assert sum(endpoint.log.asked.values()) == 41
    assert town.state.judgements["p/g/m/c@assistant"][-1].verdict == verdict
    assert [type(event) for event in town.events if not isinstance(event, CallFinished | ClaimMoved)] == [
        RunBegan,
        ClaimDecided,
        RunEnded,
    ]
    assert town.ledger.verify().faults == ()


async def test_a_bad_system_breaks_it(town: Town) -> None:
    with serving(failing(0.5)) as endpoint:
        town.chat(endpoint.url)
        town.prompts(400)
        town.promise()
        [verdict] = await town.check()
    assert verdict.status == "violated"
    assert verdict.lower is not None
    assert verdict.lower >= 0.1
    assert verdict.counts.total < 60


async def test_trials_follow_the_committed_order_whatever_the_order_of_arrival(town: Town) -> None:
    with serving(failing(0.1, delay_of_failures=0.03, delay=0.001)) as endpoint:
        town.chat(endpoint.url)
        town.prompts(300)
        town.promise()
        [verdict] = await town.check()
    expected = sorted((f"q{number}" for number in range(300)), key=lambda name: rank(7, name))
    trials = town.trials()
    assert [trial.item for trial in trials] == expected[: len(trials)]
    assert [trial.position for trial in trials] == list(range(len(trials)))
    assert len(trials) == verdict.counts.total


@pytest.mark.parametrize("seed", range(4))
async def test_the_verdict_does_not_depend_on_who_answers_first(town: Town, seed: int) -> None:
    """Failures that come late, early, or at random times: the same trials in the same order, the same verdict."""
    draw = random.Random(seed)  # noqa: S311 - the same times in every run of the test
    styles: dict[int, Callable[[bool], float]] = {
        0: lambda _bad: 0.0,
        1: lambda bad: 0.02 if bad else 0.001,
        2: lambda bad: 0.001 if bad else 0.01,
        3: lambda _bad: draw.random() * 0.02,
    }

    def behave(prompt: str, _attempt: int) -> Reply:
        bad = int(rank(3, prompt)[:8], 16) / 0xFFFFFFFF < 0.15
        return Reply("no" if bad else "yes", delay=styles[seed](bad))

    with serving(behave) as endpoint:
        town.chat(endpoint.url)
        town.prompts(200)
        town.promise(threshold=0.3)
        [verdict] = await town.check()
    order = sorted((f"q{number}" for number in range(200)), key=lambda name: rank(7, name))
    alone, outcomes = ProportionTest(0.3, 0.05, 200), []
    for item in order:
        failed = int(rank(3, f"question {item[1:]}")[:8], 16) / 0xFFFFFFFF < 0.15
        alone.update(failed, failed)
        outcomes.append("fail" if failed else "pass")
        if alone.decision:
            break
    assert [trial.outcome for trial in town.trials()] == outcomes
    assert (verdict.status, verdict.lower, verdict.upper) == (
        alone.decision,
        alone.interval().lower,
        alone.interval().upper,
    )


async def test_one_call_counts_for_every_claim_that_can_use_it(town: Town) -> None:
    with serving() as endpoint:
        town.chat(endpoint.url)
        town.prompts(100)
        for number in range(6):
            town.promise(f"p/g/m/c{number}", threshold=0.05 * (number + 1))
        verdicts = await town.check()
    assert {verdict.status for verdict in verdicts} == {"met"}
    assert max(endpoint.log.asked.values()) == 1
    assert sum(endpoint.log.asked.values()) == max(verdict.calls for verdict in verdicts)
    assert sum(verdict.calls for verdict in verdicts) > 2 * sum(endpoint.log.asked.values())


async def test_variants_of_one_item_are_one_trial(town: Town) -> None:
    with serving() as endpoint:
        town.chat(endpoint.url)
        town.prompts(60, each=3)
        town.promise("p/g/m/pairs", scorer=Consistency(id="consistency", compare="text"))
        town.promise("p/g/m/same", variants={"type": "repeat", "times": 4})
        pairs, same = await town.check()
    assert pairs.counts.total == same.counts.total == 41
    assert pairs.calls == 41 * 3
    assert same.calls == 41 * 4
    # The first prompt, asked for the first time, is one call for both.
    assert sum(endpoint.log.asked.values()) == 41 * 3 + 41 * 3


async def test_pass_rates_and_bands_are_told_in_their_own_unit(town: Town) -> None:
    with serving(failing(0.5)) as endpoint:
        town.chat(endpoint.url)
        town.prompts(400)
        town.promise("p/g/m/low", metric="pass-rate", comparator="at-least", threshold=0.3)
        town.promise("p/g/m/high", metric="pass-rate", comparator="at-least", threshold=0.8)
        town.promise("p/g/m/in", metric="rate-band", comparator="within", threshold=(0.2, 0.8))
        town.promise("p/g/m/out", metric="rate-band", comparator="within", threshold=(0.7, 0.9))
        low, high, inside, outside = await town.check()
    assert [v.status for v in (low, high, inside, outside)] == ["met", "violated", "met", "violated"]
    assert low.lower is not None
    assert low.lower >= 0.3
    assert high.upper is not None
    assert high.upper <= 0.8
    for verdict in (low, high, inside, outside):
        assert verdict.estimate == pytest.approx(verdict.counts.passed / verdict.counts.total)
        assert verdict.lower is not None
        assert verdict.upper is not None
        assert verdict.estimate is not None
        assert verdict.lower <= verdict.estimate <= verdict.upper
        assert verdict.trace[-1].lower == pytest.approx(verdict.lower)


async def test_a_promise_with_a_verdict_is_not_measured_again(town: Town) -> None:
    with serving() as endpoint:
        town.chat(endpoint.url)
        town.prompts(100)
        town.promise()
        assert len(await town.check()) == 1
        asked = sum(endpoint.log.asked.values())
        assert await town.check() == []
        assert sum(endpoint.log.asked.values()) == asked


async def test_a_changed_threshold_needs_new_trials(town: Town) -> None:
    with serving(failing(0.3)) as endpoint:
        town.chat(endpoint.url)
        town.prompts(200)
        town.promise()
        [first] = await town.check()
        before = dict(endpoint.log.asked)
        town.promise(threshold=0.6)
        [second] = await town.check()
    assert (first.status, second.status) == ("violated", "met")
    assert first.commitment != second.commitment
    assert second.run == "run-0002"
    # Nothing that was seen under the old threshold counts under the new one: all of it was asked anew.
    again = {name for name, times in endpoint.log.asked.items() if times > before.get(name, 0)}
    assert len(again) == second.calls
    assert {line.run for line in town.journal(2)} == {None}


@pytest.mark.parametrize("what", ["prompts.jsonl", "guard.py"])
async def test_a_file_that_changed_since_the_plan_is_refused(town: Town, what: str) -> None:
    (town.root / "guard.py").write_text("def load(parameters):\n    return None\n")
    guard = {"id": "guard", "type": "guard", "path": "guard.py"}
    with serving() as endpoint:
        town.chat(endpoint.url, stack=[guard])
        town.prompts(50)
        town.promise()
        with (town.root / what).open("a") as file:
            file.write("\n")
        with pytest.raises(UsageError, match="changed since the plan") as caught:
            await town.check()
        assert caught.value.code == "check.plan-first"
        assert not endpoint.log.asked
    assert not town.state.runs


async def test_names_that_are_not_there_are_refused_with_the_nearest(town: Town) -> None:
    with serving() as endpoint:
        town.chat(endpoint.url)
        town.prompts(50)
        town.promise()
        with pytest.raises(UsageError) as caught:
            await town.check(systems=["asistant"])
        assert "'assistant'" in str(caught.value.hint)
        with pytest.raises(UsageError):
            await town.check(claims=["p/g/m/d"])
        assert len(await town.check(claims=["p/g/m/c"])) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"use": {"file": "prompts.jsonl", "where": {"land": "en"}}},
        {"metric": "rate-ratio", "comparator": "at-least", "groups": {"column": "race", "a": "x", "b": "y"}},
    ],
)
async def test_a_column_that_is_not_in_the_data_is_an_error(town: Town, changed: dict[str, Any]) -> None:
    with serving() as endpoint:
        town.chat(endpoint.url)
        town.prompts(50)
        town.promise(**changed)
        with pytest.raises(UsageError) as caught:
            await town.check()
        assert caught.value.code == "data.unknown-column"
        assert not endpoint.log.asked


async def test_the_budget_of_a_promise_ends_undecided(town: Town) -> None:
    """With too few trials for any outcome to keep them, both are measured to the end."""
    with serving(failing(0.1)) as endpoint:
        town.chat(endpoint.url)
        town.prompts(30)
        town.promise("p/g/m/all")
        town.promise("p/g/m/some", budget=20)
        everything, some = await town.check()
        assert (everything.status, everything.reason, everything.counts.total) == ("undecided", "data-spent", 30)
        assert (some.status, some.reason, some.counts.total) == ("undecided", "budget-spent", 20)
        assert await town.check() == []
    assert sum(endpoint.log.asked.values()) == 30


async def test_borderline_is_said_where_the_interval_proves_it(town: Town) -> None:
    with serving(failing(0.5)) as endpoint:
        town.chat(endpoint.url)
        town.prompts(500)
        town.promise("p/g/m/failures", threshold=0.5)
        town.promise("p/g/m/passes", metric="pass-rate", comparator="at-least", threshold=0.5)
        verdicts = await town.check()
    assert [(verdict.status, verdict.borderline) for verdict in verdicts] == [("undecided", True)] * 2


async def test_the_budget_of_a_command_is_kept_and_the_next_command_goes_on(town: Town) -> None:
    with serving() as endpoint:
        town.chat(endpoint.url)
        town.prompts(100)
        town.promise()
        [first] = await town.check(calls=30)
        assert (first.status, first.reason, first.calls) == ("undecided", "budget-spent", 30)
        assert sum(endpoint.log.asked.values()) == 30
        [second] = await town.check(calls=30)
        assert (second.status, second.calls) == ("met", 41)
        assert sum(endpoint.log.asked.values()) == 41
        assert await town.check() == []
    assert town.finished(2).details["continues"] == "run-0001"
    assert town.ledger.verify().faults == ()


async def test_money_is_counted_by_tokens(town: Town) -> None:
    price = {"input": "100000", "output": "0", "currency": "JPY"}  # 7 tokens a prompt: 0.7 yen
    with serving() as endpoint:
        town.chat(endpoint.url, price=price)
        town.prompts(400)
        town.promise(threshold=0.005)
        [verdict] = await town.check(budget=Budget(money=Money(amount="70", currency="JPY")))
        assert (verdict.status, verdict.reason) == ("undecided", "money-spent")
        assert 90 <= sum(endpoint.log.asked.values()) <= 100
        assert town.finished().details["cost"] == f"{verdict.calls * Decimal('0.7'):f} JPY".replace(".0 ", " ")
        with pytest.raises(UsageError) as caught:
            await town.check(budget=Budget(money=Money(amount="14", currency="USD")))
        assert caught.value.code == "check.no-price"


async def test_a_block_by_the_provider_counts_as_was_committed(town: Town) -> None:
    def behave(prompt: str, _attempt: int) -> Reply:
        number = int(prompt.split()[1])
        if number % 4 == 0:
            return Reply(None, finish="content_filter")
        if number % 4 == 1:
            return Reply(status=400, body=b'{"error": {"code": "content_filter", "message": "no"}}')
        return Reply()

    with serving(behave) as endpoint:
        town.chat(endpoint.url)
        town.prompts(100)
        town.promise("p/g/m/missing")
        town.promise("p/g/m/pass", blocked="pass")
        town.promise("p/g/m/fail", blocked="fail")
        missing, as_pass, as_fail = await town.check()
    assert missing.status == "undecided"
    assert missing.counts.blocked >= 35
    assert (as_pass.status, as_fail.status) == ("met", "violated")
    assert as_pass.counts.blocked > 0
    assert max(endpoint.log.asked.values()) == 1


async def test_unreadable_replies_count_against_the_claim(town: Town) -> None:
    def behave(prompt: str, _attempt: int) -> Reply:
        return Reply("" if int(prompt.split()[1]) % 20 == 0 else "はい。お手伝いできません。")

    with serving(behave) as endpoint:
        town.chat(endpoint.url)
        town.prompts(100)
        town.promise("p/g/m/strict", scorer=Refusal(id="refusal"))
        [strict] = await town.check()
    assert strict.counts.invalid + strict.counts.failed > 0
    assert strict.status in {"met", "undecided"}


def every(step: int, count: int) -> set[str]:
    """Choose each so-manieth prompt in the committed order."""
    order = sorted((f"q{number}" for number in range(count)), key=lambda name: rank(7, name))
    return {f"question {name[1:]}" for name in order[step - 1 :: step]}


@pytest.mark.parametrize(("step", "status"), [(12, "met"), (8, "violated")])
async def test_a_promise_about_exactly_these_data_always_ends_in_a_verdict(town: Town, step: int, status: str) -> None:
    bad = every(step, 120)
    with serving(lambda prompt, _attempt: Reply("no" if prompt in bad else "yes")) as endpoint:
        town.chat(endpoint.url)
        town.prompts(120)
        town.promise("p/g/m/traffic")
        town.promise("p/g/m/these", population="data-set")
        verdicts = {verdict.claim: verdict for verdict in await town.check()}
    traffic, these = verdicts["p/g/m/traffic"], verdicts["p/g/m/these"]
    assert traffic.status == "undecided"
    assert (these.status, these.reason) == (status, "decided")
    assert these.lower is not None
    assert these.upper is not None
    assert these.lower < len(bad) / 120 < these.upper or len(bad) / 120 in {these.lower, these.upper}


async def test_a_census_with_a_gap_that_matters_decides_nothing(town: Town) -> None:
    """Twelve of 120 may fail: with eleven failures, two missing replies leave both answers open to the end."""
    order = sorted((f"q{number}" for number in range(120)), key=lambda name: rank(7, name))
    bad = {f"question {name[1:]}" for name in order[9:120:10][:11]}
    missing = {f"question {name[1:]}" for name in order[50:52]}

    def behave(prompt: str, _attempt: int) -> Reply:
        return Reply(status=400) if prompt in missing else Reply("no" if prompt in bad else "yes")

    with serving(behave) as endpoint:
        town.chat(endpoint.url)
        town.prompts(120)
        town.promise(population="data-set")
        [verdict] = await town.check()
    assert (verdict.status, verdict.reason) == ("undecided", "futile")
    assert (verdict.counts.total, verdict.counts.error) == (119, 2)  # the last one alone could not decide it
