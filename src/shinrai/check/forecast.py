"""What ``check`` would send now: calls, tokens and money, expected and at worst. Nothing is sent or written for it."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Literal, TypeAlias

from shinrai.check.choosing import Group, chosen, groups_of, settled, version_of
from shinrai.check.files import lines_of
from shinrai.check.journal import Line
from shinrai.check.outcomes import needs_no_calls
from shinrai.check.purse import cost, price_of
from shinrai.check.tokens import TokenBound, token_bound
from shinrai.check.trials import Ask, NotAskable, asks_for
from shinrai.ledger import Ledger, Promise, State
from shinrai.records import Commitment, Endpoint, Id, Json, ModelPrice, Price, System
from shinrai.source import read_items
from shinrai.stats import plan_at_half
from shinrai.workspace import data_file

__all__ = ["Amount", "Forecast", "forecast"]

BYTES_PER_TOKEN = 3
"""Where no call of the system was ever counted: English has about 4 bytes to a token, Japanese about 3."""

How: TypeAlias = Literal["measured", "rule", "nothing-sent"]


@dataclass(frozen=True, slots=True)
class Amount:
    """What is sent, received and paid.

    Parameters
    ----------
    calls : int
    tokens_in : int
    tokens_out : int, optional
        None where nothing limits a reply and none was ever counted.
    money : Decimal, optional
        In the currency of the price; None without a price, or where `tokens_out` is not known.
    """

    calls: int
    tokens_in: int = 0
    tokens_out: int | None = 0
    money: Decimal | None = None

    def to_json(self) -> dict[str, Json]:
        """Give the amount as JSON values."""
        return {
            "calls": self.calls,
            "tokens_in": self.tokens_in,
            "tokens_out": self.tokens_out,
            "money": None if self.money is None else f"{self.money:f}",
        }


@dataclass(frozen=True, slots=True)
class Forecast:
    """What would be sent to one system.

    Parameters
    ----------
    system : Id
    address, model : str, optional
        Where calls would go; None for what runs on this machine.
    claims : tuple of str
        Keys of the claims that would be measured.
    kept : int
        Calls that are needed and have been answered in an earlier run; they are not sent again.
    expected : Amount
        If the system fails half as often as each threshold allows; where that says nothing (ratios, differences,
        bands), all trials.
    worst : Amount
        All trials, every token at its bound. Failed attempts that are tried again are not in it.
    how : {"measured", "rule", "nothing-sent"}
        Where the expected tokens come from: the calls of the newest run, or `BYTES_PER_TOKEN` and ``max_tokens``.
    price : Price, optional
    """

    system: Id
    address: str | None
    model: str | None
    claims: tuple[str, ...]
    kept: int
    expected: Amount
    worst: Amount
    how: How
    price: Price | None

    def to_json(self) -> dict[str, Json]:
        """Give the forecast as JSON values."""
        listed = isinstance(self.price, ModelPrice)
        return {
            "system": self.system,
            "address": self.address,
            "model": self.model,
            "claims": list(self.claims),
            "kept": self.kept,
            "expected": self.expected.to_json(),
            "worst": self.worst.to_json(),
            "tokens": self.how,
            "price": None
            if self.price is None
            else {**self.price.to_json(), "from": "catalog" if listed else "system"},
        }


def forecast(
    root: Path,
    ledger: Ledger,
    *,
    systems: Collection[str] | None = None,
    claims: Collection[str] | None = None,
) -> list[Forecast]:
    """Work out what `shinrai.check.check` would send with the same arguments.

    Parameters
    ----------
    root : Path
        Of the workspace.
    ledger : Ledger
        Only read.
    systems, claims : collection of str, optional
        Only these.

    Returns
    -------
    list of Forecast
        System by system. Budgets are not applied; claims that need no calls are left out.

    Raises
    ------
    UsageError
        If a name is unknown, or an item cannot be asked.
    TamperedError
        If the files of a run are not what the run wrote.
    """
    state = ledger.state()
    wanted: dict[Id, list[Promise]] = {}
    for promise in chosen(state, systems, claims):
        if not needs_no_calls(promise.commitment) and not settled(state, promise):
            wanted.setdefault(promise.commitment.system, []).append(promise)
    return [_of_system(root, state, version_of(state, name).system, promises) for name, promises in wanted.items()]


def _of_system(root: Path, state: State, system: System, promises: Sequence[Promise]) -> Forecast:
    expected: list[Ask] = []
    worst: list[Ask] = []
    kept = 0
    for group in groups_of(state, promises):
        answered = {line.key for line in _kept(root, group)}
        likely, most = _asks(root, system, group)
        kept += sum(key in answered for key in most)
        expected += [ask for key, ask in likely.items() if key not in answered]
        worst += [ask for key, ask in most.items() if key not in answered]
    model = system.model
    endpoint = model if isinstance(model, Endpoint) else None
    price = price_of(endpoint) if endpoint else None
    bound = token_bound(system)
    rates = _rates(_lines_of_newest(root, state, system.id), bound) if endpoint else None
    return Forecast(
        system=system.id,
        address=endpoint.url if endpoint else None,
        model=endpoint.model if endpoint else None,
        claims=tuple(promise.commitment.key for promise in promises),
        kept=kept,
        expected=_amount(expected, rates or _by_rule(bound), bound, price) if endpoint else Amount(len(expected)),
        worst=_amount(worst, _Rates(1.0, bound.reply), bound, price) if endpoint else Amount(len(worst)),
        how="nothing-sent" if endpoint is None else "measured" if rates else "rule",
        price=price,
    )


@dataclass(frozen=True, slots=True)
class _Rates:
    """Tokens in for each byte of a request, and tokens out for each call."""

    per_byte: float
    reply: float | None


def _by_rule(bound: TokenBound) -> _Rates:
    return _Rates(1 / BYTES_PER_TOKEN, bound.reply)


def _rates(lines: Iterable[Line], bound: TokenBound) -> _Rates | None:
    """Learn from calls that the endpoint has counted; None where there are none."""
    counted = [line for line in lines if line.tokens_in and line.end == "ok"]
    if not counted:
        return None
    sent = sum(bound.of_request(line.request) for line in counted)
    return _Rates(
        sum(line.tokens_in for line in counted) / sent, sum(line.tokens_out for line in counted) / len(counted)
    )


def _amount(asks: Sequence[Ask], rates: _Rates, bound: TokenBound, price: Price | None) -> Amount:
    tokens_in = math.ceil(rates.per_byte * sum(bound.of_request(ask.request) for ask in asks))
    tokens_out = None if rates.reply is None else math.ceil(rates.reply * len(asks))
    known = price is not None and (tokens_out is not None or not price.output)
    money = cost(price, tokens_in, tokens_out or 0) if price is not None and known else None
    return Amount(len(asks), tokens_in, tokens_out, money)


def _asks(root: Path, system: System, group: Group) -> tuple[dict[str, Ask], dict[str, Ask]]:
    """Give the calls of a group, each once: those to expect, and all of them."""
    likely: dict[str, Ask] = {}
    most: dict[str, Ask] = {}
    for promise in group.promises:
        trials = list(_trials(root, system, promise.commitment))
        expected = _expected_trials(promise.commitment, len(trials))
        for position, asks in enumerate(trials):
            found = {ask.key: ask for ask in asks}
            most.update(found)
            if position < expected:
                likely.update(found)
    return likely, most


def _trials(root: Path, system: System, commitment: Commitment) -> Iterator[tuple[Ask, ...]]:
    if commitment.data is None or commitment.data.use.file is None:
        return
    asks = asks_for(system.kind, commitment.variants)
    items = read_items(data_file(root, commitment.data.use), shown_as=commitment.data.use.file)
    for placed in commitment.draw(items)[: commitment.budget]:
        try:
            yield asks(placed.item)
        except NotAskable:
            yield ()


def _expected_trials(commitment: Commitment, trials: int) -> int:
    limit = commitment.failure_limit
    if limit is None or not 0 < limit < 1 or not trials:
        return trials
    return min(math.ceil(plan_at_half(limit, commitment.alpha, trials, commitment.finite_population).expected), trials)


def _kept(root: Path, group: Group) -> Iterator[Line]:
    """Give the finished calls that the run to come would not send again."""
    before = group.before
    if before is None:
        return
    for line in lines_of(root, before):
        if before.finished is None or line.end != "error":
            yield line


def _lines_of_newest(root: Path, state: State, system: Id) -> Iterator[Line]:
    runs = [run for run in state.runs.values() if run.started.system == system]
    return lines_of(root, runs[-1]) if runs else iter(())
