"""Budgets in calls, tokens and money: never exceeded where replies have a limit, and by a stated bound where not."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shinrai.check.journal import Line
from shinrai.check.purse import Purse, price_of
from shinrai.check.tokens import token_bound
from shinrai.errors import UsageError
from shinrai.records import Budget, Endpoint, Money, Price, System
from tests.check.test_targets import system
from tests.check.town import Town
from tests.servers.endpoint import Reply, serving

YEN = Price(input=Decimal(1_000_000), output=Decimal(1_000_000), currency="JPY")  # a yen for each token


def chat(**model: Any) -> System:
    part = {"id": "m", "type": "endpoint", "url": "http://127.0.0.1:9/v1", "model": "m", "price": YEN, **model}
    return system([{"id": "i", "type": "instructions", "text": "Be brief. " * 3}, part])


@settings(deadline=None)
@given(st.data(), st.integers(200, 5000), st.integers(1, 50), st.booleans())
def test_with_a_limit_on_replies_no_budget_is_ever_exceeded(
    data: st.DataObject, budget: int, most: int, in_money: bool
) -> None:
    limits = Budget(money=Money(amount=Decimal(budget), currency="JPY")) if in_money else Budget(tokens=budget)
    made = chat(generation={"max_tokens": most})
    purse, bound = Purse(limits), token_bound(made)
    purse.take_up(made)
    on_their_way: list[str] = []
    refused = 0
    for number in range(60):
        request = "x" * data.draw(st.integers(0, 40))
        if purse.admit(f"k{number}", request) is None:
            on_their_way.append(request)
            tokens_in = data.draw(st.integers(1, bound.of_request(request)))
            line = Line(f"k{number}", "ok", "y", tokens_in=tokens_in, tokens_out=data.draw(st.integers(0, most)))
            if data.draw(st.booleans()):
                purse.pay(line)
        else:
            refused += 1
        assert purse.tokens <= budget
        assert purse.money <= budget
    if sum(bound.of_request(request) + most for request in on_their_way) < budget - (40 + most + 200):
        assert not refused


def test_without_a_limit_the_excess_is_at_most_that_of_the_calls_on_their_way() -> None:
    made = chat()
    purse, bound = Purse(Budget(tokens=2000)), token_bound(made)
    purse.take_up(made)
    assert purse.admit("a", "x") is None
    assert purse.admit("b", "x") == "tokens-spent"  # nobody knows yet how long a reply gets
    purse.pay(Line("a", "ok", "y", tokens_in=20, tokens_out=30, request="x"))
    in_flight = 0
    while purse.admit(f"c{in_flight}", "x") is None:
        in_flight += 1
    assert in_flight == (2000 - 50) // (bound.of_request("x") + 30)
    for number in range(in_flight):
        purse.pay(Line(f"c{number}", "ok", "y", tokens_in=20, tokens_out=500, request="x"))
    assert purse.tokens - 2000 <= in_flight * (500 - 30)
    assert purse.admit("d", "x") == "tokens-spent"


@pytest.mark.parametrize(
    ("max_tokens", "reply", "tokens_out"),
    [(None, "はい", len('"はい"'.encode())), (50, "はい", 50), (None, "", 2)],
)
def test_what_the_endpoint_does_not_count_costs_its_bound_and_is_said(
    max_tokens: int | None, reply: str, tokens_out: int
) -> None:
    made = chat(generation={"max_tokens": max_tokens} if max_tokens else {})
    purse, bound = Purse(Budget()), token_bound(made)
    purse.take_up(made)
    assert purse.admit("a", "質問") is None
    purse.pay(Line("a", "ok", reply, request="質問"))
    spending = purse.settle_run()
    assert (spending.uncounted, spending.tokens_in, spending.tokens_out) == (1, bound.of_request("質問"), tokens_out)
    assert spending.tokens_in >= len("質問".encode()) + len(b"Be brief. " * 3)  # the instructions are paid for, too
    assert purse.in_words(spending) == {"uncounted": 1, "cost": f"{spending.tokens_in + tokens_out} JPY"}
    assert purse.settle_run().uncounted == 0


def test_what_a_guard_answers_costs_nothing_and_what_it_changes_does() -> None:
    purse = Purse(Budget())
    purse.take_up(chat())
    purse.pay(Line("a", "ok", "y", tokens_in=5, tokens_out=5, request="x"))
    purse.pay(Line("b", "ok", "no", guard="g", request="x"))
    purse.pay(Line("c", "ok", "changed", tokens_in=7, tokens_out=7, guard="g", request="x"))
    assert purse.tokens == 24


def test_a_failed_call_costs_what_was_reserved_for_it() -> None:
    made = chat(generation={"max_tokens": 9})
    purse = Purse(Budget(tokens=100_000))
    purse.take_up(made)
    assert purse.admit("a", "x") is None
    purse.pay(Line("a", "error", error="timeout", request="x"))
    assert purse.tokens == token_bound(made).of_request("x") + 9


def test_a_price_of_ones_own_goes_before_the_table_and_the_table_is_exact() -> None:
    def model(url: str, name: str, price: Price | None = None) -> Endpoint:
        found = chat(url=url, model=name, price=price).model
        assert isinstance(found, Endpoint)
        return found

    listed = price_of(model("https://api.openai.com/v1", "gpt-4o-mini"))
    assert listed is not None
    assert (listed.input, listed.output, listed.currency) == (Decimal("0.15"), Decimal("0.60"), "USD")
    assert price_of(model("https://api.openai.com/v1", "gpt-4o-mini", YEN)) == YEN
    assert price_of(model("https://api.openai.com/v1", "gpt-4o-minis")) is None
    assert price_of(model("https://elsewhere.example/v1", "gpt-4o-mini")) is None


@pytest.mark.parametrize("price", [None, {"input": 1, "output": 1, "currency": "USD"}])
def test_money_is_refused_where_there_is_no_price_in_its_currency(price: dict[str, Any] | None) -> None:
    purse = Purse(Budget(money=Money(amount=Decimal(5), currency="JPY")))
    with pytest.raises(UsageError) as caught:
        purse.take_up(chat(price=price))
    assert caught.value.code == "check.no-price"


@pytest.mark.parametrize("counted", [True, False])
async def test_a_run_keeps_its_token_budget_and_the_next_goes_on(town: Town, counted: bool) -> None:
    with serving(lambda _prompt, _attempt: Reply(counted=counted)) as endpoint:
        town.chat(endpoint.url, generation={"max_tokens": 20})
        town.prompts(200)
        town.promise()
        [verdict] = await town.check(budget=Budget(tokens=300 if counted else 1000))
        assert (verdict.status, verdict.reason) == ("undecided", "tokens-spent")
        first = sum(endpoint.log.asked.values())
        assert 5 <= first < 41
        assert town.finished().details.get("uncounted", 0) == (0 if counted else first)
        if counted:
            assert 10 * first <= 300
        [verdict] = await town.check()
    assert verdict.status == "met"
    assert max(endpoint.log.asked.values()) == 1
