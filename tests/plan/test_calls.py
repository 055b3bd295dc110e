from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import TypeAdapter

from shinrai.check.trials import asks_for
from shinrai.records import Item, SystemKind, Variants, asked, call_key, calls_needed
from shinrai.source import read_items
from shinrai.stats import FinitePopulationTest, plan_finite_population, plan_proportion, smallest_clean_sample
from tests.plan.town import GROUPS, TODAY, Town, check, measure, people

VARIANTS: list[tuple[SystemKind, dict[str, Any] | None]] = [
    ("chat", None),
    ("chat", {"type": "repeat", "times": 3}),
    ("predictor", None),
    ("predictor", {"type": "perturb", "column": "income", "factors": [0.9, 1.1, 1.2]}),
    ("predictor", {"type": "swap", "column": "group", "values": ["x", "y"]}),
]


@pytest.mark.parametrize(("kind", "variants"), VARIANTS)
def test_calls_are_counted_as_the_engine_makes_them(kind: SystemKind, variants: dict[str, Any] | None) -> None:
    use = TypeAdapter[Variants | None](Variants | None).validate_python(variants)
    items = [
        Item("a", {"prompts": ["one", "two", "three"], "income": 10, "group": "m"}),
        Item("b", {"prompts": ["four"], "income": 20, "group": "n"}),
    ]
    ask, ask_plainly = asks_for(kind, use), asks_for(kind, None)
    for item in items:
        made = [one.key for one in ask(item)]
        assert made == [call_key(*one) for one in asked(item, kind, use)]
        assert len(made) == calls_needed(item, kind, use) == len(set(made))
        assert made[0] == ask_plainly(item)[0].key  # the unchanged one serves claims with and without variants


def test_what_is_kept_is_what_the_engine_draws(town: Town) -> None:
    town.checks["fair"]["data"] = {"file": "data/people.csv", "where": {"income": 1001}}
    town.checks["fair"].pop("groups")
    town.checks["fair"] |= check("fair", "pass-rate", "at-least", 0.5)
    town.measures = [measure("chatting", {"check": "polite", "languages": ["ja"]}), measure("scoring", "fair")]
    files = {"polite": "prompts.jsonl", "fair": "people.csv"}
    for claim in town.resolve().claims:
        if claim.commitment and claim.commitment.data:
            items = read_items(town.root / "data" / files[claim.commitment.check], shown_as="data")
            drawn = claim.commitment.draw(items)
            assert len(drawn) == claim.commitment.data.items > 0


def test_one_call_that_serves_many_claims_is_counted_once(town: Town) -> None:
    town.measures = [measure("chatting", "polite", "safe"), measure("scoring", "accurate", "stable", "fair")]
    resolution = town.resolve()
    sources = {(one.system, one.data): one for one in resolution.sources}
    chatting = sources["helper", "data/prompts.jsonl"]
    assert chatting.claims == ("plan/goal/chatting/polite@helper", "plan/goal/chatting/safe@helper")
    assert chatting.calls == 110  # 90 questions of one prompt and 10 of two; `safe` asks the first 60 of the same
    # The unchanged record of `stable` is the call that `accurate` and `fair` need.
    assert sources["screening", "data/people.csv"].calls == 3 * 400
    assert resolution.calls == 110 + 1200
    alone = {claim.ruling.claim.rpartition("/")[2]: claim.effort.calls for claim in resolution.claims if claim.effort}
    assert alone == {"polite": 110, "safe": alone["safe"], "accurate": 400, "stable": 1200, "fair": 300}
    assert 60 <= alone["safe"] <= 70
    for source in resolution.sources:
        assert 0 < source.expected_calls <= source.calls


def test_the_expectation_is_that_of_a_system_that_fails_half_as_often_as_allowed(town: Town) -> None:
    town.measures = [measure("chatting", "polite"), measure("scoring", "accurate", "fair")]
    effort = {claim.ruling.claim.rpartition("/")[2]: claim.effort for claim in town.resolve().claims if claim.effort}
    polite, accurate, fair = effort["polite"], effort["accurate"], effort["fair"]
    assert polite.expected_trials is not None
    assert accurate.expected_trials is not None
    assert abs(polite.expected_trials - plan_proportion(0.1, 0.05, 100, 0.05).expected) <= 1
    assert abs(accurate.expected_trials - plan_proportion(0.2, 0.1, 400, 0.1).expected) <= 1
    assert polite.enough == smallest_clean_sample(0.1, 0.05)
    for effort_of, limit, alpha, trials in ((polite, 0.1, 0.05, 100), (accurate, 0.2, 0.1, 400)):
        assert effort_of.p95_trials == plan_proportion(limit, alpha, trials, limit / 2).p95
        assert effort_of.expected_calls is not None
        assert effort_of.p95_calls is not None
        assert effort_of.expected_calls <= effort_of.p95_calls <= effort_of.calls
    assert (fair.expected_trials, fair.expected_calls, fair.trials) == (None, None, 300)
    assert (fair.p95_trials, fair.p95_calls) == (None, None)


def test_data_that_end_before_the_budget_bound_the_expectation(town: Town) -> None:
    town.measures = [measure("chatting", {"check": "polite", "threshold": 0.02, "budget": 5000})]
    (effort,) = [claim.effort for claim in town.resolve().claims if claim.effort]
    assert (effort.trials, effort.expected_trials, effort.p95_trials) == (100, 100, 100)
    assert not effort.can_be_met


def notes(town: Town, today: date = TODAY) -> dict[str, str]:
    return {note.code: note.message for note in town.resolve(today).notes}


def test_a_promise_that_the_data_cannot_prove_is_said_to_be_so_before_any_call(town: Town) -> None:
    town.measures = [measure("chatting", {"check": "polite", "threshold": 0.02})]
    assert notes(town)["plan.cannot-be-met"] == (
        f"polite @ helper: 100 trials cannot prove this, even if every one passes; it takes "
        f"{smallest_clean_sample(0.02, 0.05)}."
    )
    needed = smallest_clean_sample(0.1, 0.05)
    town.measures = [measure("chatting", {"check": "polite", "budget": needed - 1})]
    assert "plan.cannot-be-met" in notes(town)
    town.measures = [measure("chatting", {"check": "polite", "budget": needed})]
    assert not notes(town)


def test_the_same_for_two_groups_and_for_a_band(town: Town) -> None:
    town.measures = [measure("scoring", {"check": "fair", "budget": 20})]
    assert (
        notes(town)["plan.cannot-be-met"] == "fair @ screening: 20 trials cannot prove this, even if every one passes."
    )
    town.measures = [measure("scoring", "fair")]
    assert not notes(town)
    town.checks["fair"] |= {**check("fair", "rate-difference", "at-most", 0.05)}
    assert "plan.cannot-be-met" in notes(town)
    town.checks["fair"] |= {**check("fair", "rate-difference", "at-most", 0.3)}
    assert not notes(town)
    town.checks["accurate"] |= {**check("accurate", "rate-band", "within", [0.4, 0.45])}
    town.measures = [measure("scoring", "accurate")]
    assert "however many of them pass" in notes(town)["plan.cannot-be-met"]
    town.checks["accurate"] |= {**check("accurate", "rate-band", "within", [0.2, 0.8])}
    assert not notes(town)


def test_dates_that_have_passed_and_an_empty_plan_are_said(town: Town) -> None:
    town.measures = [measure("chatting", "polite", due="2026-11-22")]
    town.period = {"start": "2025-04-01", "end": "2026-11-22"}
    assert set(notes(town)) == {"plan.overdue", "plan.period-over"}
    assert not notes(town, date(2026, 11, 22))
    town.plan()
    assert set(notes(town)) == {"plan.period-over"}  # promised already: nothing to be warned about
    town.measures = [measure("chatting")]
    town.period = None
    assert set(notes(town)) == {"plan.no-claims"}


def test_the_groups_of_the_fixture_are_what_the_tests_say() -> None:
    sides = [row.split(",")[1] for row in people()][1:]
    assert [sides.count(str(GROUPS[side])) for side in "ab"] == [100, 200]


def test_a_promise_about_the_data_set_itself_is_committed_and_planned_as_such(town: Town) -> None:
    town.checks["polite"]["population"] = "data-set"
    town.measures = [measure("chatting", {"check": "polite", "threshold": 0.02})]
    (claim,) = [one for one in town.resolve().claims if one.commitment]
    assert claim.commitment is not None
    assert claim.effort is not None
    assert (claim.commitment.population, claim.commitment.finite_population) == ("data-set", 100)
    # 100 trials cannot prove 2 % of the traffic, but all of 100 can show it of themselves.
    assert claim.effort.can_be_met
    test = FinitePopulationTest(0.02, 0.05, 100)
    while test.decision is None:
        test.update(0, 0)
    assert claim.effort.enough == test.n < 100
    plan = plan_finite_population(0.02, 0.05, 100, 1)
    assert claim.effort.p95_trials == plan.p95
    assert not notes(town)
