"""What ``check`` would send now: calls, tokens and money, expected and at worst. Nothing is sent or written for it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from shinrai.check.choosing import Group, chosen, groups_of, settled, version_of
from shinrai.check.files import lines_of
from shinrai.check.journal import Line
from shinrai.check.outcomes import needs_no_calls
from shinrai.check.purse import cost, price_of
from shinrai.check.sendings import Sending, sendings
from shinrai.check.tokens import TokenBound, token_bound
from shinrai.check.trials import asks_for, helper_of
from shinrai.ledger import Ledger, Promise, State
from shinrai.records import Commitment, Endpoint, Id, Json, ModelPrice, Placed, Price, System, calls_of_trial
from shinrai.source import read_items
from shinrai.stats import plan_at_half
from shinrai.workspace import committed_file

__all__ = ["Amount", "Forecast", "forecast"]

BYTES_PER_TOKEN = 3
"""Where no call of the system was ever counted: English has about 4 bytes to a token, Japanese about 3."""

How: TypeAlias = Literal["measured", "rule", "unknown", "nothing-sent"]


@dataclass(frozen=True, slots=True)
class Amount:
    """What is sent, received and paid.

    Parameters
    ----------
    calls : int
    tokens_in : int, optional
        None where later turns of a dialogue carry such replies, or a judge or Inspect asks what follows from them.
    tokens_out : int, optional
        None where nothing limits a reply and none was ever counted.
    money : Decimal, optional
        In the currency of the price; None without a price, or where the tokens are not known.
    """

    calls: int
    tokens_in: int | None = 0
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
    how : {"measured", "rule", "unknown", "nothing-sent"}
        Where the expected tokens come from: the calls of the newest run, or `BYTES_PER_TOKEN` and ``max_tokens``;
        ``unknown`` where requests are made from replies, or by a trial source, and none was counted yet.
    price : Price, optional
    drives : Id, optional
        The system whose dialogues this one drives; None for a system under test.
    judges : bool
        What would be sent to it as the judge of these claims. Claims that ask the same of a judge share its calls,
        which is not looked at here: there may be fewer.
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
    drives: Id | None = None
    judges: bool = False

    def to_json(self) -> dict[str, Json]:
        """Give the forecast as JSON values."""
        listed = isinstance(self.price, ModelPrice)
        return {
            "system": self.system,
            "drives": self.drives,
            "judges": self.judges,
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
        System by system, each with those that drive its dialogues, then judge by judge. Budgets are not applied;
        claims that need no calls are left out.

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
    tested = [
        one
        for name, promises in wanted.items()
        for one in _of_system(root, state, version_of(state, name).system, promises)
    ]
    return tested + _of_judges(root, state, wanted)


def _of_system(root: Path, state: State, system: System, promises: Sequence[Promise]) -> list[Forecast]:
    """Give what would be sent to a system, then to each that drives its dialogues."""
    likely: list[Sending] = []
    most: list[Sending] = []
    kept = 0
    for group in groups_of(state, promises):
        answered = {line.key: line for line in _kept(root, group)}
        found = _sendings(root, system, group, answered)
        kept += sum(key in answered for key in found.most)
        likely += [one for key, one in found.likely.items() if key not in answered]
        most += [one for key, one in found.most.items() if key not in answered]
    newest = list(_lines_of_newest(root, state, system.id))
    ways: dict[Id | None, _Way] = {None: _Way.to(system, newest, None)}
    for driver in filter(None, map(_driver, promises)):
        ways.setdefault(driver, _Way.to(version_of(state, driver).system, newest, driver))
    told = []
    by_source = any(one.commitment.trial_kind(system.kind) == "sample" for one in promises)
    for name, way in ways.items():
        unknown = by_source and way.endpoint is not None  # what it asks for a sample is not known before
        of = [promise.commitment.key for promise in promises if name in {None, _driver(promise)}]
        expected, worst = ([one for one in some if one.to == name] for some in (likely, most))
        told.append(
            Forecast(
                system=way.system.id,
                address=way.endpoint.url if way.endpoint else None,
                model=way.endpoint.model if way.endpoint else None,
                claims=tuple(of),
                kept=0 if name else kept,
                expected=Amount(len(expected), None, None)
                if unknown and not way.measured
                else _amount(expected, way, {one: found.likely for one, found in ways.items()}),
                worst=Amount(len(worst), None, None)
                if unknown
                else _amount(worst, way, {one: found.most for one, found in ways.items()}),
                how=_how(way, unknown=unknown),
                price=way.price,
                drives=system.id if name else None,
            )
        )
    return told


def _how(way: _Way, *, unknown: bool) -> How:
    if way.endpoint is None:
        return "nothing-sent"
    return "measured" if way.measured else "unknown" if unknown else "rule"


def _driver(promise: Promise) -> Id | None:
    dialogue = promise.commitment.dialogue
    return dialogue.use.driver.system if dialogue and dialogue.use.driver else None


@dataclass(frozen=True, slots=True)
class _Rates:
    """Tokens in for each byte of a request, and tokens out for each call."""

    per_byte: float
    reply: float | None


@dataclass(frozen=True, slots=True)
class _Way:
    """A system that would be asked, and what is known of the length of its replies."""

    system: System
    endpoint: Endpoint | None
    bound: TokenBound
    measured: _Rates | None

    @classmethod
    def to(cls, system: System, lines: Iterable[Line], name: Id | None) -> _Way:
        """Learn about a system from the calls of a run that went to it; ``name`` is None for the one under test."""
        endpoint = system.model if isinstance(system.model, Endpoint) else None
        bound = token_bound(system)
        own = [line for line in lines if helper_of(line.request) == name]
        return cls(system, endpoint, bound, _rates(own, bound) if endpoint else None)

    @property
    def price(self) -> Price | None:
        return price_of(self.endpoint) if self.endpoint else None

    @property
    def likely(self) -> _Rates:
        return self.measured or _Rates(1 / BYTES_PER_TOKEN, self.bound.reply)

    @property
    def most(self) -> _Rates:
        return _Rates(1.0, self.bound.reply)


def _rates(lines: Iterable[Line], bound: TokenBound) -> _Rates | None:
    """Learn from calls that the endpoint has counted; None where there are none."""
    counted = [line for line in lines if line.tokens_in and line.end == "ok"]
    if not counted:
        return None
    sent = sum(bound.of_request(line.request) for line in counted)
    return _Rates(
        sum(line.tokens_in for line in counted) / sent, sum(line.tokens_out for line in counted) / len(counted)
    )


def _amount(some: Sequence[Sending], way: _Way, rates: Mapping[Id | None, _Rates]) -> Amount:
    """Add up calls to one system; a text that nobody knows yet is as long as the replies of whoever will write it."""
    if way.endpoint is None:
        return Amount(len(some))
    own = rates[None if way.system.id not in rates else way.system.id]
    unknown: Counter[Id | None] = Counter()
    for one in some:
        unknown.update(one.unknown)
    lengths = [(count, rates[name].reply) for name, count in unknown.items() if count]
    known_in = own.per_byte * sum(way.bound.around + one.size for one in some)
    later = [None if length is None else count * length for count, length in lengths]
    tokens_in = None if None in later else math.ceil(known_in + sum(filter(None, later)))
    tokens_out = None if own.reply is None else math.ceil(own.reply * len(some))
    return Amount(len(some), tokens_in, tokens_out, _money(way.price, tokens_in, tokens_out))


def _money(price: Price | None, tokens_in: int | None, tokens_out: int | None) -> Decimal | None:
    if price is None or (tokens_in is None and price.input) or (tokens_out is None and price.output):
        return None
    return cost(price, tokens_in or 0, tokens_out or 0)


class _Found(NamedTuple):
    """The calls of a group, each once: those to expect, and all of them."""

    likely: dict[str, Sending]
    most: dict[str, Sending]


def _sendings(root: Path, system: System, group: Group, kept: Mapping[str, Line]) -> _Found:
    likely: dict[str, Sending] = {}
    most: dict[str, Sending] = {}
    for promise in group.promises:
        trials = list(_trials(root, system, promise.commitment, kept))
        expected = _expected_trials(promise.commitment, len(trials))
        for position, some in enumerate(trials):
            found = {one.key: one for one in some}
            most.update(found)
            if position < expected:
                likely.update(found)
    return _Found(likely, most)


def _trials(
    root: Path, system: System, commitment: Commitment, kept: Mapping[str, Line]
) -> Iterator[Sequence[Sending]]:
    asks = asks_for(commitment.trial_kind(system.kind), commitment.variants, commitment.dialogue)
    for placed in _drawn(root, commitment):
        yield sendings(commitment, placed.item, asks, kept)


def _drawn(root: Path, commitment: Commitment) -> Sequence[Placed]:
    if commitment.data is None:
        return ()
    path = committed_file(root, commitment.data)
    items = read_items(path, shown_as=commitment.data.use.file or path.name)
    return commitment.draw(items)[: commitment.budget]


def _expected_trials(commitment: Commitment, trials: int) -> int:
    limit = commitment.failure_limit
    if limit is None or not 0 < limit < 1 or not trials or commitment.label_plan is not None:
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


# ---- judges


@dataclass(slots=True)
class _Judging:
    """What a judge would be asked."""

    expected: int = 0
    worst: int = 0
    kept: int = 0
    claims: list[str] = field(default_factory=list)
    before: list[Line] = field(default_factory=list)


def _of_judges(root: Path, state: State, wanted: Mapping[Id, Sequence[Promise]]) -> list[Forecast]:
    """Work out what each judge would be asked: about each reply once, and once more with a control."""
    found: dict[Id, _Judging] = {}
    for name, promises in wanted.items():
        system = version_of(state, name).system
        for group in groups_of(state, promises):
            _add_judgements(found, root, system, group)
        for line in _lines_of_newest(root, state, name):
            judge = found.get(helper_of(line.request) or "")
            if judge is not None and line.end == "ok":
                judge.before.append(line)
    return [_of_judge(version_of(state, name).system, one) for name, one in found.items()]


def _add_judgements(found: dict[Id, _Judging], root: Path, system: System, group: Group) -> None:
    judged = [(one, use.judge) for one in group.promises if (use := one.commitment.scorer) and use.judge]
    for promise, judge in judged:
        commitment = promise.commitment
        kind = commitment.trial_kind(system.kind)
        trials = [calls_of_trial(placed.item, kind, commitment).judged for placed in _drawn(root, commitment)]
        one = found.setdefault(judge.system, _Judging())
        one.claims.append(commitment.key)
        one.expected += sum(trials[: _expected_trials(commitment, len(trials))])
        one.worst += sum(trials)
    for line in _kept(root, group) if judged else ():
        name = helper_of(line.request)
        if name in found:
            found[name].kept += 1


def _of_judge(system: System, found: _Judging) -> Forecast:
    way = _Way.to(system, (), None)
    expected, worst = max(0, found.expected - found.kept), max(0, found.worst - found.kept)
    counted = [line for line in found.before if line.tokens_in]
    likely, most = Amount(expected), Amount(worst)
    if way.endpoint is not None:
        likely, most = _each(expected, None, None, way.price), _each(worst, None, way.bound.reply, way.price)
        if counted:
            each_in = sum(line.tokens_in for line in counted) / len(counted)
            each_out = sum(line.tokens_out for line in counted) / len(counted)
            likely = _each(expected, each_in, each_out, way.price)
    return Forecast(
        system=system.id,
        address=way.endpoint.url if way.endpoint else None,
        model=way.endpoint.model if way.endpoint else None,
        claims=tuple(found.claims),
        kept=found.kept,
        expected=likely,
        worst=most,
        how="nothing-sent" if way.endpoint is None else "measured" if counted else "unknown",
        price=way.price,
        judges=True,
    )


def _each(calls: int, tokens_in: float | None, tokens_out: float | None, price: Price | None) -> Amount:
    """Give the amount of calls that each take so many tokens; None for what is not known."""
    total_in, total_out = (None if one is None else math.ceil(one * calls) for one in (tokens_in, tokens_out))
    return Amount(calls, total_in, total_out, _money(price, total_in, total_out))
