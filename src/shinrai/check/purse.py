"""What a command may still spend: calls, tokens and money, over all its runs.

Before a call is sent, the most that it can cost is reserved: its tokens by their bound (`shinrai.check.tokens`), at
the price in force. When it is back, the reservation gives way to what it did cost. So with ``max_tokens`` set,
neither budget is ever exceeded. Without it nobody knows how long a reply gets: the longest so far is reserved, calls
go one at a time until there is one, and a budget can be exceeded by what the calls then on their way cost beyond
that.

Where the endpoint does not count tokens, a call costs its bound, and the run says how many calls that were. A call
that failed costs what was reserved for it, because nobody says what it did cost.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, NamedTuple, TypeAlias

from shinrai.catalog import model_price
from shinrai.check.journal import Line
from shinrai.check.targets.protocol import Answer, Request
from shinrai.check.tokens import TokenBound, token_bound
from shinrai.check.trials import helper_of
from shinrai.errors import UsageError
from shinrai.i18n import _
from shinrai.records import Budget, Endpoint, Id, Json, Price, System

__all__ = ["Purse", "Spending", "Spent", "price_of"]

Spent: TypeAlias = Literal["budget-spent", "tokens-spent", "money-spent"]

_MILLION = Decimal(1_000_000)


def price_of(model: Endpoint) -> Price | None:
    """Give the price of a model: that of the system's file, or else that of the catalog's table.

    Parameters
    ----------
    model : Endpoint
        Looked up by host and name, both exactly: the same model costs something else elsewhere.

    Returns
    -------
    Price or None
    """
    return model.price or model_price(model.host, model.model)


def cost(price: Price, tokens_in: int, tokens_out: int) -> Decimal:
    """Give what tokens cost, in the price's currency."""
    return (tokens_in * price.input + tokens_out * price.output) / _MILLION


@dataclass(slots=True)
class Spending:
    """What calls have cost.

    Parameters
    ----------
    tokens_in, tokens_out : int
    uncounted : int
        Calls whose tokens the endpoint did not count; their bound is taken.
    money : Decimal
    """

    tokens_in: int = 0
    tokens_out: int = 0
    uncounted: int = 0
    money: Decimal = Decimal(0)


class _Reserved(NamedTuple):
    tokens_in: int
    tokens_out: int
    money: Decimal


@dataclass(slots=True)
class _Till:
    """What is known of the price of one system's calls."""

    price: Price | None = None
    bound: TokenBound = field(default_factory=TokenBound)
    charged: bool = False
    counts: bool = False
    longest_reply: int | None = None


class Purse:
    """The budget of one ``shinrai check``. Calls kept from an earlier interruption cost nothing now.

    Parameters
    ----------
    budget : Budget
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._tills: dict[Id | None, _Till] = {None: _Till()}
        self._reserved: dict[str, _Reserved] = {}
        self._tokens_reserved = 0
        self._money_reserved = Decimal(0)
        self.sent = 0
        self.tokens = 0
        self.money = Decimal(0)
        self._of_run = Spending()

    @property
    def price(self) -> Price | None:
        """The price in force, if there is one: of the system under test, or else of a system that helps to test it."""
        return next((till.price for till in self._tills.values() if till.price is not None), None)

    def take_up(self, system: System, instruments: Iterable[System] = ()) -> None:
        """Take up the prices of a system, and of those that help to test it.

        Parameters
        ----------
        system : System
            What runs on this machine costs nothing.
        instruments : iterable of System, optional
            Such as a judge.

        Raises
        ------
        UsageError
            If money is limited and an endpoint has no price, or one in another currency; or if two prices are in two
            currencies.
        """
        self._tills = {None: self._till(system)} | {one.id: self._till(one) for one in instruments}
        currencies = sorted({till.price.currency for till in self._tills.values() if till.price is not None})
        if len(currencies) > 1:
            raise UsageError(
                "check.two-currencies",
                _("the prices of {system} and of what helps to test it are in {currencies}").format(
                    system=system.id, currencies=", ".join(currencies)
                ),
                hint=_("give every `price` in one currency"),
            )

    def _till(self, system: System) -> _Till:
        model, limit = system.model, self._budget.money
        charged = isinstance(model, Endpoint)
        price = price_of(model) if isinstance(model, Endpoint) else None
        if limit is not None and charged and (price is None or price.currency != limit.currency):
            raise UsageError(
                "check.no-price",
                _("the budget is in {currency}, and the component {component} has no price in {currency}").format(
                    currency=limit.currency, component=model.id
                ),
                hint=_("give it `price`, with input and output 0 if it costs nothing"),
            )
        return _Till(price, token_bound(system), charged=charged)

    def admit(self, key: str, request: Request) -> Spent | None:
        """Reserve what a call can cost, or say why it may not be sent now.

        Parameters
        ----------
        key : str
            Names the call.
        request : str or dict
            What is asked.

        Returns
        -------
        str or None
            None when it may be sent. Otherwise it may still be when the calls on their way are back.
        """
        if self.sent >= self._budget.calls:
            return "budget-spent"
        till = self._tills[helper_of(request)]
        if till.charged and (self._budget.tokens is not None or self._budget.money is not None):
            refused = self._reserve(till, key, request)
            if refused is not None:
                return refused
        self.sent += 1
        return None

    def _reserve(self, till: _Till, key: str, request: Request) -> Spent | None:
        budget = self._budget
        known = till.bound.reply if till.bound.reply is not None else till.longest_reply
        if known is None and self._reserved:
            return "tokens-spent" if budget.money is None else "money-spent"
        tokens_in, tokens_out = till.bound.of_request(request), known or 0
        money = cost(till.price, tokens_in, tokens_out) if till.price else Decimal(0)
        tokens = tokens_in + tokens_out
        if budget.tokens is not None and self.tokens + self._tokens_reserved + tokens > budget.tokens:
            return "tokens-spent"
        if budget.money is not None and self.money + self._money_reserved + money > budget.money.amount:
            return "money-spent"
        self._reserved[key] = _Reserved(tokens_in, tokens_out, money)
        self._tokens_reserved += tokens
        self._money_reserved += money
        return None

    def pay(self, line: Line) -> None:
        """Count what a finished call cost."""
        till = self._tills[helper_of(line.request)]
        if not till.charged:
            return
        reserved = self._reserved.pop(line.key, None)
        if reserved is not None:
            self._tokens_reserved -= reserved.tokens_in + reserved.tokens_out
            self._money_reserved -= reserved.money
        tokens_in, tokens_out = self._used(till, line, reserved)
        self.tokens += tokens_in + tokens_out
        till.longest_reply = max(till.longest_reply or 0, tokens_out)
        run = self._of_run
        run.tokens_in += tokens_in
        run.tokens_out += tokens_out
        if till.price:
            money = cost(till.price, tokens_in, tokens_out)
            self.money += money
            run.money += money

    def _used(self, till: _Till, line: Line, reserved: _Reserved | None) -> tuple[int, int]:
        if line.tokens_in or line.tokens_out:
            till.counts = True
            return line.tokens_in, line.tokens_out
        if line.guard is not None and till.counts:
            return 0, 0  # the endpoint counts, and of this one it has heard nothing
        self._of_run.uncounted += 1
        if line.end == "error" and reserved is not None:
            return reserved.tokens_in, reserved.tokens_out
        return till.bound.used(line.request, Answer(line.reply))

    def settle_run(self) -> Spending:
        """Give what the calls of a run have cost, and begin anew for the next."""
        spending, self._of_run = self._of_run, Spending()
        return spending

    def in_words(self, spending: Spending) -> dict[str, Json]:
        """Give the cost of a run for the ledger: calls that nobody counted, and money where there is a price."""
        found: dict[str, Json] = {"uncounted": spending.uncounted} if spending.uncounted else {}
        if self.price is not None:
            found["cost"] = f"{spending.money.normalize():f} {self.price.currency}"
        return found
