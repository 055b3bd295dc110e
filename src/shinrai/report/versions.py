"""Versions and candidates side by side: what a change changed and broke, and who keeps which promise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from shinrai.check.pairing import comparable, kept_trials, pair
from shinrai.ledger.projection import Promise, State
from shinrai.records import Id, Pairing, SystemVersion, Text, Verdict
from shinrai.report.figures import Scale

_WIDTH, _ROW, _LEFT, _PAD, _TOP = 320.0, 24.0, 8.0, 8.0, 6.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A version of a system with its verdict on one claim.

    Parameters
    ----------
    system : Id
    number : int
        Of the version that the verdict is about.
    promise : Promise
    verdict : Verdict
    """

    system: Id
    number: int
    promise: Promise
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Contest:
    """One claim, and every candidate that was put to it: the newest verdict on each version of each system."""

    claim: str
    title: Text
    candidates: tuple[Candidate, ...]


def pairings(root: Path, state: State) -> list[Pairing]:
    """Set each newest version beside the one before it, claim by claim, from trials that there are.

    A comparison that the ledger holds (``check --against``) takes the place of one made here, and others of it are
    added: nothing is asked for this.

    Parameters
    ----------
    root : Path
        Of the workspace.
    state : State
        Of its ledger.

    Returns
    -------
    list of Pairing
        In the order of the promises; without pairs of which not one item was asked of both.
    """
    found: dict[tuple[str, str, int], Pairing] = {}
    for promise in state.promises.values():
        for one in _of_kept(root, state, promise):
            found[one.key, one.against, one.against_number] = one
    for _entry, one in state.pairings:
        promised = state.promises.get(one.key)
        if promised is not None and promised.digest == one.commitment:
            found[one.key, one.against, one.against_number] = one
    return [one for one in found.values() if one.pairs]


def _of_kept(root: Path, state: State, promise: Promise) -> Iterator[Pairing]:
    versions = state.versions.get(promise.commitment.system, [])
    own = next((one for one in versions if one.fingerprint == promise.commitment.fingerprint), None)
    if own is None or not comparable(promise.commitment):
        return
    before = next((one for one in reversed(versions) if one.number < own.number), None)
    if before is not None:
        yield pair(promise, kept_trials(root, state, promise, own), kept_trials(root, state, promise, before))


def contests(state: State) -> list[Contest]:
    """Gather, for each claim, the newest verdict on every version of every system that was put to it.

    Returns
    -------
    list of Contest
        Only claims with at least two candidates, in the order in which they were first promised. There is no total:
        which claim weighs how much is for people to decide.
    """
    by_claim: dict[str, dict[tuple[Id, int], Candidate]] = {}
    for history in state.history.values():
        for promise in history:
            commitment = promise.commitment
            number = _number(state, promise)
            verdict = _newest(state, promise)
            if number is not None and verdict is not None:
                place = by_claim.setdefault(commitment.claim, {})
                if _same_evidence(place.values(), commitment.system, verdict):
                    continue
                place[commitment.system, number] = Candidate(commitment.system, number, promise, verdict)
    return [
        Contest(claim, next(iter(found.values())).promise.commitment.title, tuple(found.values()))
        for claim, found in by_claim.items()
        if len(found) > 1
    ]


def _same_evidence(found: Iterable[Candidate], system: Id, verdict: Verdict) -> bool:
    """Whether another version of the system was judged by the very same imported evidence: that is no candidate."""
    return bool(verdict.evidence) and any(
        one.system == system and one.verdict.evidence == verdict.evidence for one in found
    )


def _number(state: State, promise: Promise) -> int | None:
    commitment = promise.commitment
    found: SystemVersion | None = next(
        (one for one in state.versions.get(commitment.system, []) if one.fingerprint == commitment.fingerprint), None
    )
    return found.number if found else None


def _newest(state: State, promise: Promise) -> Verdict | None:
    judged = state.judgements.get(promise.commitment.key, [])
    return next((one.verdict for one in reversed(judged) if one.verdict.commitment == promise.digest), None)


def points(value: float) -> str:
    """Write a difference of rates in percentage points, with its sign."""
    return f"{100 * value:+.1f}"


def difference(one: Pairing) -> str:
    """Write a difference with its interval, in points; a dash where no pair was usable."""
    if one.estimate is None or one.lower is None or one.upper is None:
        return "–"
    return f"{points(one.estimate)} [{points(one.lower)}, {points(one.upper)}]"


def forest(found: Sequence[Pairing], among: Sequence[Pairing] | None = None) -> str:
    """Draw differences with their intervals below one another, around 0, with the margins as dashed lines.

    Parameters
    ----------
    found : sequence of Pairing
        One row each.
    among : sequence of Pairing, optional
        All that share the scale, such as those in the other rows of a table; `found` alone when left out. All are
        differences of pass rates, so there is one unit.

    Returns
    -------
    str
        An SVG element, one row for each, in the order given; right of 0, the newer version is better.
    """
    reach = max([0.1, *(abs(bound) for one in among or found for bound in _reaching(one))])
    x = Scale(-reach, reach, _LEFT, _WIDTH - _PAD)
    height = _TOP + _ROW * len(found) + 18
    rows = "".join(_forest_row(one, x, _TOP + _ROW * (place + 0.5)) for place, one in enumerate(found))
    label = " · ".join(difference(one) for one in found if one.estimate is not None)
    ends = "".join(
        f'<text class="tick" x="{x(value)}" y="{height - 4:g}" text-anchor="{anchor}">{points(value)}</text>'
        for value, anchor in ((-reach, "start"), (reach, "end"))
    )
    return (
        f'<svg class="forest" viewBox="0 0 {_WIDTH:g} {height:g}" role="img" aria-label="{label}">'
        f'<line class="base" x1="{x(0)}" x2="{x(0)}" y1="2" y2="{height - 16:g}"/>{rows}'
        f'<text class="tick" x="{x(0)}" y="{height - 4:g}" text-anchor="middle">0</text>{ends}</svg>'
    )


def _reaching(one: Pairing) -> Iterator[float]:
    """Give what a picture of a difference has to reach: both bounds, and the margin."""
    yield from (bound for bound in (one.lower, one.upper, one.margin) if bound is not None)


_STYLES = {"better": "met", "worse": "violated", "undecided": "undecided"}


def _forest_row(one: Pairing, x: Scale, y: float) -> str:
    if one.estimate is None or one.lower is None or one.upper is None:
        return ""
    style = _STYLES[one.direction]
    margin = (
        ""
        if one.margin is None
        else f'<line class="limit" x1="{x(-one.margin)}" x2="{x(-one.margin)}" y1="{y - 9:g}" y2="{y + 9:g}"/>'
    )
    left, right = x(one.lower), x(one.upper)
    return (
        f'{margin}<rect class="span {style}" x="{left}" y="{y - 5:g}" width="{round(right - left, 1)}" height="10"/>'
        f'<circle class="{style}" cx="{x(one.estimate)}" cy="{y:g}" r="4"/>'
    )
