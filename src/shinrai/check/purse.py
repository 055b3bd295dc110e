"""What a command may still spend: calls and money, over all its runs."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, TypeAlias

import msgspec

from shinrai.check.journal import Line
from shinrai.errors import UsageError
from shinrai.i18n import _
from shinrai.records import Budget, Embedded, Endpoint, Predictor, Price

__all__ = ["Purse", "Spent"]

Spent: TypeAlias = Literal["budget-spent", "money-spent"]

_MILLION = Decimal(1_000_000)


class Purse:
    """The budget of one ``shinrai check``.

    Calls kept from an earlier interruption cost nothing now. A call that is on its way is counted when it is sent; its
    price is known when it is back. So that money is not overspent by the calls on their way, each of them is taken to
    cost as much as the dearest call so far.

    Parameters
    ----------
    budget : Budget
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._price: Price | None = None
        self._dearest = Decimal(0)
        self.sent = 0
        self.money = Decimal(0)

    def price_of(self, model: Endpoint | Embedded | Predictor) -> None:
        """Take up the prices of the next run.

        Parameters
        ----------
        model : Endpoint or Embedded or Predictor
            What runs here costs nothing.

        Raises
        ------
        UsageError
            If money is limited and the endpoint has no price, or one in another currency.
        """
        limit = self._budget.money
        self._dearest = Decimal(0)
        self._price = model.price if isinstance(model, Endpoint) else None
        if limit is None or not isinstance(model, Endpoint):
            return
        if self._price is None or self._price.currency != limit.currency:
            raise UsageError(
                "check.no-price",
                _("the budget is in {currency}, and the component {component} has no price in {currency}").format(
                    currency=limit.currency, component=model.id
                ),
                hint=_("give it `price`, with input and output 0 if it costs nothing"),
            )

    def refuses(self, in_flight: int) -> Spent | None:
        """Say why another call may not be sent; None while it may."""
        if self.sent >= self._budget.calls:
            return "budget-spent"
        limit = self._budget.money
        if limit is not None and self._price is not None:
            expected = self.money + self._dearest * in_flight
            if expected >= limit.amount and (self._price.input or self._price.output):
                return "money-spent"
        return None

    def pay(self, line: Line) -> None:
        """Count what a finished call cost; where tokens were not counted, each byte is taken for one."""
        if self._price is None or self._budget.money is None or line.guard is not None:
            return
        tokens_in = line.tokens_in or len(msgspec.json.encode(line.request))
        tokens_out = line.tokens_out or (len(msgspec.json.encode(line.reply)) if line.reply else 0)
        cost = (tokens_in * self._price.input + tokens_out * self._price.output) / _MILLION
        self.money += cost
        self._dearest = max(self._dearest, cost)
