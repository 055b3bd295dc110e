"""The engine: calls out, replies journalled, trials counted in committed order, claims decided.

It is driven by demand. Each undecided claim wants the next trials of its own committed order; the union of their calls
goes out, as many at once as the target takes. A reply is journalled, then handed to every trial that waits for
it; a trial counts when all before it in its claim's order have been counted. When no claim wants anything any more,
nothing is sent any more.

Everything here happens in one thread and without waiting, except for the calls themselves.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Literal, TypeAlias

from shinrai.check.claims import Claim, Pending
from shinrai.check.crew import Crew
from shinrai.check.events import CallFinished, ClaimDecided, ClaimMoved, Tell
from shinrai.check.flow import Flow
from shinrai.check.journal import Journal, Line
from shinrai.check.patience import Access, Patience, Result, ask_patiently
from shinrai.check.purse import Purse
from shinrai.check.targets.protocol import Answer, CallError
from shinrai.check.trials import Ask
from shinrai.records import Id

__all__ = ["UNUSABLE_IN_A_ROW", "End", "Engine"]

End: TypeAlias = Literal[
    "complete", "target-unreachable", "target-failed", "helper-failed", "budget-spent", "money-spent", "tokens-spent"
]

UNUSABLE_IN_A_ROW = 5
"""Calls that end in a failure of the target itself, none answered in between, before the target is given up."""

FAILED_IN_A_ROW = 20
"""Calls that end in any failure, none answered in between, before the target is given up."""

GRACE_SECONDS = 5.0
"""How long replies are waited for that no claim needs any more."""

TELL_SECONDS = 0.25
"""How often those who look on are told."""


class Engine:
    """Measures the claims of one run.

    Parameters
    ----------
    run : str
    system : Id
    access : Access
        The way to the target, which is open.
    claims : sequence of Claim
    journal : Journal
        With the finished calls of earlier; they are not sent again.
    purse : Purse
    patience : Patience
    tell : callable, optional
    instruments : mapping of Id to Access, optional
        The ways to other systems that its trials ask, such as a judge.
    """

    def __init__(  # noqa: PLR0913 - what a run is made of
        self,
        *,
        run: str,
        system: Id,
        access: Access,
        claims: Sequence[Claim],
        journal: Journal,
        purse: Purse,
        patience: Patience,
        tell: Tell | None = None,
        instruments: Mapping[Id, Access] | None = None,
    ) -> None:
        self._kept = len(journal)
        self._instruments = instruments or {}
        self._run = run
        self._system = system
        self._access = access
        self._claims = claims
        self._active = deque(claim for claim in claims if not claim.done)
        self._journal = journal
        self._purse = purse
        self._patience = patience
        self._now = patience.clock.now
        self._flow = Flow(access.target.limits)
        self._tell = tell
        self._queue: deque[Ask] = deque()
        self._waiting: dict[str, list[tuple[Claim, Pending]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._in_flight = 0
        self._suspects: list[Line] = []
        self._in_a_row = self._unusable_in_a_row = 0
        self._answered_at = float("-inf")
        self._answered = journal.failed < len(journal)
        self._sent = 0
        self._last_failure: CallError | None = None
        self._kinds: Counter[str] = Counter()
        self._instrument_failures: Counter[Id] = Counter()
        self._closing: End | None = None
        self._grace: asyncio.TimerHandle | None = None
        self._over: asyncio.Future[End] | None = None
        self._began = 0.0
        self._told: dict[str, int] = {}

    @property
    def last_failure(self) -> CallError | None:
        """The last failed attempt, for a person who asks why."""
        return self._last_failure

    @property
    def calls(self) -> int:
        """Finished calls of the run, those taken over included."""
        return len(self._journal)

    def figures(self) -> dict[str, int]:
        """Give what the run cost, in calls.

        Returns
        -------
        dict
            ``attempts`` of its own calls; ``failed`` calls; ``kept`` from earlier; ``abandoned``: sent and not waited
            for; ``wasted``: sent by this run and used by no verdict, the abandoned ones included; ``saved``: what the
            whole budgets of its claims would have needed further, where claims that draw alike share their calls.
        """
        journal = self._journal
        abandoned = self._sent - (len(journal) - self._kept)
        own = len(journal) - journal.carried
        return {
            "attempts": journal.attempts,
            "failed": journal.failed,
            "kept": self._kept,
            "abandoned": abandoned,
            "wasted": own - _used_by_any(self._claims, journal.own_from) + abandoned,
            "saved": max(0, _calls_at_most(self._claims) - len(journal) - abandoned),
        }

    async def measure(self) -> End:
        """Send, journal and count until every claim is done, or nothing more may or can be sent.

        Returns
        -------
        str
            Why it ended.

        Raises
        ------
        StoreError
            If a reply could not be journalled. It was not counted.
        """
        loop = asyncio.get_running_loop()
        self._over = loop.create_future()
        self._journal.on_failure = self._fail
        self._began = self._now()
        ticker = loop.call_later(TELL_SECONDS, self._tick) if self._tell else None
        self._ticker = ticker
        try:
            self._fill()
            return await self._over
        finally:
            for timer in (self._ticker, self._grace):
                if timer is not None:
                    timer.cancel()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._tell_now()

    # ---- sending

    def _fill(self) -> None:
        """Send what is wanted, as far as may be; end the run when nothing is wanted and nothing is on its way."""
        while (ask := self._admitted()) is not None:
            task = asyncio.get_running_loop().create_task(self._work(ask))
            self._tasks.add(task)
        if not self._in_flight:
            self._end_idle()

    def _admitted(self) -> Ask | None:
        """Give the next call that is wanted and may be sent now; it counts as on its way."""
        if self._closing is not None or self._in_flight >= self._flow.limit:
            return None
        ask = self._next()
        if ask is None:
            return None
        refused = self._purse.admit(ask.key, ask.request)
        if refused is None:
            self._in_flight += 1
            self._sent += 1
            return ask
        self._queue.appendleft(ask)
        if not self._in_flight:  # what is on its way may cost less than is reserved for it
            self._closing = refused
        return None

    def _end_idle(self) -> None:
        if self._suspects and self._closing is None:
            self._give_up()  # nothing answered since the target began to fail
        else:
            self._finish(self._closing or "complete")

    def _next(self) -> Ask | None:
        """Give the next call to send: those of trials already drawn first, then claim by claim in turn."""
        while True:
            while self._queue:
                ask = self._queue.popleft()
                for claim, _pending in self._waiting[ask.key]:
                    if not claim.closed:
                        return ask
                del self._waiting[ask.key]
            if not self._draw():
                return None

    def _draw(self) -> bool:
        """Let the next claim in turn that wants a trial draw one; False when none does."""
        for _turn in range(len(self._active)):
            claim = self._active[0]
            if claim.wants:
                self._active.rotate(-1)
                self._expect(claim, claim.draw())
                return True
            if claim.done:
                self._active.popleft()
            else:
                self._active.rotate(-1)
        return False

    def _expect(self, claim: Claim, pending: Pending) -> None:
        self._wait_for(claim, pending, pending.asks)
        if not pending.open:
            self._advance(claim, pending)

    def _wait_for(self, claim: Claim, pending: Pending, asks: Iterable[Ask], *, first: bool = False) -> None:
        """Queue the calls that are not finished; those that end a trial already begun go first."""
        for ask in asks:
            if self._journal.number(ask.key) is not None:
                continue
            pending.open += 1
            waiting = self._waiting.get(ask.key)
            if waiting is not None:
                waiting.append((claim, pending))
                continue
            self._waiting[ask.key] = [(claim, pending)]
            if first:
                self._queue.appendleft(ask)
            else:
                self._queue.append(ask)

    def _advance(self, claim: Claim, pending: Pending) -> None:
        """Go on with a trial whose calls have all finished: with the calls that follow from them, or by counting it."""
        while more := claim.follow_up(pending, self._journal):
            self._wait_for(claim, pending, more, first=True)
            if pending.open:
                return
        claim.settle(pending, self._journal)
        self._count(claim)

    async def _work(self, ask: Ask) -> None:
        """Make a call, then the next one that is wanted: a task of its own for each call would cost more."""
        following: Ask | None = ask
        try:
            while following is not None:
                began = self._now()
                self._finished(following, await self._ask(following), began)
                self._in_flight -= 1
                following = self._following()
        except Exception as error:  # noqa: BLE001 - handed to whoever waits for the run
            self._fail(error)
        finally:
            self._tasks.discard(asyncio.current_task())

    def _following(self) -> Ask | None:
        """Give the call that the task of a finished one makes next; further ones get tasks of their own."""
        if self._over is None or self._over.done():
            return None
        ask = self._admitted()
        self._fill()
        return ask

    def _ask(self, ask: Ask) -> Awaitable[Result]:
        if ask.to is not None:
            instrument = self._instruments[ask.to]
            return ask_patiently(instrument, instrument.target, ask.request["text"], self._patience, self._notice)
        target = self._access.target
        target = target.caller(ask.key) if isinstance(target, Crew) else target
        return ask_patiently(self._access, target, ask.request, self._patience, self._notice)

    # ---- receiving

    def _notice(self, failure: CallError, began: float) -> None:
        self._last_failure = failure
        self._kinds[failure.kind] += 1
        if failure.overload:
            self._flow.overloaded(began, self._now())

    def _finished(self, ask: Ask, result: Result, began: float) -> None:
        if result.answer is None:
            self._failed_call(ask, result, began)
            return
        answer = result.answer
        if ask.to is not None:
            self._instrument_failures[ask.to] = 0
            self._keep(_answered(ask, result, answer))
            return
        self._answered_at = self._now()
        self._flow.succeeded(result.seconds, self._in_flight, self._answered_at)
        self._answered = True
        self._in_a_row = self._unusable_in_a_row = 0
        if self._suspects:
            self._clear_suspects()
        self._keep(_answered(ask, result, answer))

    def _failed_call(self, ask: Ask, result: Result, began: float) -> None:
        """Keep a failure, or hold it back while it may be the target that is gone and not the call that failed.

        Only calls that began after the last answer speak against the target: a call that fails takes longer than one
        that is answered, so that failures come in rows at the end without meaning anything.
        """
        failure = result.failure
        unusable = failure is not None and failure.unusable
        line = Line(
            ask.key,
            "error",
            error=("" if ask.to is None else "helper-") + (failure.kind if failure else "error"),
            seconds=round(result.seconds, 6),
            attempts=result.attempts,
            request=ask.request,
        )
        if ask.to is not None:
            self._keep(line)
            self._instrument_failures[ask.to] += unusable
            if self._instrument_failures[ask.to] >= UNUSABLE_IN_A_ROW:
                self._finish("helper-failed")
            return
        if unusable:
            self._suspects.append(line)
        else:
            self._keep(line)
        if began >= self._answered_at:
            self._in_a_row += 1
            self._unusable_in_a_row += unusable
            if self._unusable_in_a_row >= UNUSABLE_IN_A_ROW or self._in_a_row >= FAILED_IN_A_ROW:
                self._give_up()

    def _clear_suspects(self) -> None:
        """Keep what was held back: the target answers again, so these were failures of the calls themselves."""
        suspects, self._suspects = self._suspects, []
        for line in suspects:
            self._keep(line)

    def _give_up(self) -> None:
        self._finish("target-failed" if self._answered else "target-unreachable")

    def _keep(self, line: Line) -> None:
        """Journal a finished call, then let it count."""
        self._journal.write(line)
        self._purse.pay(line)
        for claim, pending in self._waiting.pop(line.key, ()):
            pending.open -= 1
            if not claim.closed and not pending.open:
                self._advance(claim, pending)

    def _count(self, claim: Claim) -> None:
        if claim.fold(self._journal) and claim.verdict is None:
            verdict = claim.conclude()
            if self._tell:
                self._tell(ClaimDecided(verdict))
        if self._closing is None and self._in_flight and claim.done and all(one.done for one in self._claims):
            self._closing = "complete"
            self._grace = asyncio.get_running_loop().call_later(GRACE_SECONDS, self._finish, "complete")

    # ---- ending

    def _finish(self, end: End) -> None:
        if self._over is not None and not self._over.done():
            self._over.set_result(end)

    def _fail(self, error: Exception) -> None:
        if self._over is not None and not self._over.done():
            self._over.set_exception(error)

    # ---- telling

    def _tick(self) -> None:
        began = time.process_time()
        self._tell_now()
        # An interval costs more the longer the path of its test: never more than a twentieth of the time.
        pause = max(TELL_SECONDS, 20.0 * (time.process_time() - began))
        self._ticker = asyncio.get_running_loop().call_later(pause, self._tick)

    def _tell_now(self) -> None:
        if self._tell is None:
            return
        over = self.figures() if all(claim.done for claim in self._claims) else {}
        self._tell(
            CallFinished(
                run=self._run,
                system=self._system,
                calls=len(self._journal),
                failed=self._journal.failed,
                sent=self._sent,
                in_flight=self._in_flight,
                limit=self._flow.limit,
                seconds=self._now() - self._began,
                last=self._last_failure.kind if self._last_failure else None,
                kinds=dict(self._kinds),
                money=self._purse.money,
                currency=self._purse.price.currency if self._purse.price else None,
                saved=over.get("saved"),
                wasted=over.get("wasted"),
            )
        )
        for claim in self._claims:
            if claim.verdict is None and claim.n != self._told.get(claim.key, 0):
                self._told[claim.key] = claim.n
                self._tell(ClaimMoved(claim.key, claim.n, *claim.position(), claim.commitment.threshold))


def _answered(ask: Ask, result: Result, answer: Answer) -> Line:
    """Write down an answered call."""
    return Line(
        *(ask.key, answer.end, answer.reply, None, round(result.seconds, 6), result.attempts),
        *(answer.tokens_in, answer.tokens_out, answer.guard, ask.request, answer.cut),
    )


def _used_by_any(claims: Sequence[Claim], first: int) -> int:
    """Count the calls from a number on that at least one claim has used."""
    used = [int.from_bytes(claim.used, "little") for claim in claims]
    return (reduce(or_, used, 0) >> first).bit_count()


def _calls_at_most(claims: Sequence[Claim]) -> int:
    """Count the calls that all budgets would need. Claims on the same data in the same way ask the same."""
    most: dict[tuple[object, ...], int] = {}
    for claim in claims:
        commitment = claim.commitment
        data = commitment.data.digest if commitment.data else None
        alike = (data, commitment.order_seed, commitment.variants, commitment.dialogue)
        most[alike] = max(most.get(alike, 0), claim.calls_at_most)
    return sum(most.values())
