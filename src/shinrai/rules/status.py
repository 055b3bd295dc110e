"""Where each requirement stands for each system: computed from claims and answers, never typed in.

Statuses are small integers in arrays, requirements × systems, so that ten thousand systems take about a second; after
one new verdict only the column of its system is computed again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from shinrai.ledger.projection import ClaimState, State
from shinrai.records import Answer, Framework, Id, Requirement, Status
from shinrai.rules.crosswalks import Joint, Roads, Way

RequirementStatus: TypeAlias = Literal[
    "met", "partly", "violated", "undecided", "stale", "accepted", "not_measured", "not_applicable"
]
"""As `Status` of claims; ``partly``: what is known of it is good, and is not the whole of it."""

REQUIREMENT_STATUSES: Final[tuple[RequirementStatus, ...]] = (
    "violated",
    "not_measured",
    "undecided",
    "stale",
    "accepted",
    "partly",
    "met",
    "not_applicable",
)
"""In the order in which they ask for attention."""

Codes: TypeAlias = npt.NDArray[np.uint8]

_NONE, _PARTLY, _MET, _NOT_MEASURED, _ACCEPTED, _STALE, _UNDECIDED, _VIOLATED, _NOT_APPLICABLE = range(9)

_OF_CLAIM: Final[dict[Status, int]] = {
    "met": _MET,
    "not_measured": _NOT_MEASURED,
    "accepted": _ACCEPTED,
    "stale": _STALE,
    "undecided": _UNDECIDED,
    "violated": _VIOLATED,
    "not_applicable": _NONE,
}
"""A claim that does not apply says nothing about a requirement."""

_NAMES: Final[dict[int, RequirementStatus]] = {
    _NONE: "not_measured",
    _PARTLY: "partly",
    _MET: "met",
    _NOT_MEASURED: "not_measured",
    _ACCEPTED: "accepted",
    _STALE: "stale",
    _UNDECIDED: "undecided",
    _VIOLATED: "violated",
    _NOT_APPLICABLE: "not_applicable",
}

_WITHIN: Final = frozenset({"equal-to", "equivalent-to", "subset-of"})
"""What breaks the part breaks the whole: evidence of these can show that a requirement is violated."""

_WHOLE: Final = frozenset({"equal-to", "equivalent-to", "superset-of"})
"""Evidence of these can show that a requirement is met."""

InScope: TypeAlias = Callable[[Framework, Requirement, Id], bool]
"""Whether a requirement of a framework applies to a system, as far as its roles, classes and last day say."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """One piece of evidence on a requirement of a system, and how far it reaches."""

    evidence: str
    status: RequirementStatus
    way: Way


@dataclass(slots=True)
class _Links:
    """The rows of evidence that say something about a requirement."""

    every: list[int] = field(default_factory=list)
    within: list[int] = field(default_factory=list)
    whole: list[int] = field(default_factory=list)
    joint: list[Joint] = field(default_factory=list)

    def add(self, row: int, reach: Way) -> None:
        self.every.append(row)
        if reach.relationship in _WITHIN:
            self.within.append(row)
        if reach.relationship in _WHOLE:
            self.whole.append(row)


@dataclass(frozen=True, slots=True)
class _Evidence:
    """A row: what it is called, and which requirements it reaches how."""

    name: str
    reaches: Mapping[str, Way]


class Standing:
    """Where each requirement of some frameworks stands for each of some systems.

    Parameters
    ----------
    frameworks : mapping
        Those to answer, by id.
    roads : Roads
        The crosswalks in use.
    systems : sequence of Id
    scope : InScope, optional
        Says which requirements do not apply to which systems.
    """

    def __init__(
        self, frameworks: Mapping[Id, Framework], roads: Roads, systems: Sequence[Id], scope: InScope | None = None
    ) -> None:
        self.frameworks = dict(frameworks)
        self.systems = tuple(systems)
        self._roads = roads
        self._column = {system: column for column, system in enumerate(self.systems)}
        self._entries = [
            (f"{name}/{entry.id}", book, entry)
            for name, book in self.frameworks.items()
            for entry in book.requirements
            if entry.assessable
        ]
        self._index = {ref: row for row, (ref, _book, _entry) in enumerate(self._entries)}
        self._links = [_Links() for _ in self._entries]
        for joint in roads.joint:
            if joint.target in self._index and all(source in self._index for source in joint.sources):
                self._links[self._index[joint.target]].joint.append(joint)
        self._rows: dict[tuple[object, ...], int] = {}
        self._evidence: list[_Evidence] = []
        self._codes: Codes = np.zeros((0, len(self.systems)), dtype=np.uint8)
        self._ruled_out: Codes = np.zeros((len(self._entries), len(self.systems)), dtype=np.uint8)
        if scope is not None:
            self._apply(scope)
        self._standing: Codes = np.zeros((len(self._entries), len(self.systems)), dtype=np.uint8)

    def _apply(self, scope: InScope) -> None:
        """Ask once for all requirements that speak to the same roles and classes for the same time."""
        known: dict[tuple[object, ...], list[bool]] = {}
        for row, (_ref, book, entry) in enumerate(self._entries):
            if entry.roles or entry.tiers or entry.valid_until:
                key = entry.roles, entry.tiers, entry.valid_until
                if key not in known:
                    known[key] = [not scope(book, entry, system) for system in self.systems]
                self._ruled_out[row] = known[key]

    # ---- evidence in

    def read(
        self,
        claims: Iterable[ClaimState],
        answers: Iterable[Answer] = (),
        today: date = date.max,
        one_reader: Container[Id] = (),
    ) -> None:
        """Take in every claim and every answer, and compute everything.

        Parameters
        ----------
        claims : iterable of ClaimState
            Of the systems; others are passed over.
        answers : iterable of Answer
            Oldest first: of several to the same requirement for the same system, the last counts.
        today : date
            On which answers have to be in force.
        one_reader : container of Id
            Systems whose answers need no second reader.
        """
        cells: list[tuple[int, int, int]] = []
        for claim in claims:
            column = self._column.get(claim.ruling.system)
            if column is not None:
                cells.append((self._row_of(claim), column, _OF_CLAIM[claim.status]))
        newest = {(answer.requirement, answer.system): answer for answer in answers}
        for answer in newest.values():
            row = self._row(("answer", answer.requirement), answer.requirement, self._roads.reach(answer.requirement))
            own = {system for requirement, system in newest if requirement == answer.requirement and system}
            for system in self.systems if answer.system is None else (answer.system,):
                column = self._column.get(system)
                if column is not None and not (answer.system is None and system in own):
                    self._answer(answer, column)
                    cells.append((row, column, code_of(answer, today, second_reader=system not in one_reader)))
        self._codes = np.zeros((len(self._evidence), len(self.systems)), dtype=np.uint8)
        for row, column, code in cells:
            self._codes[row, column] = code
        self._standing = self._compute(slice(None))

    def _answer(self, answer: Answer, column: int) -> None:
        """Rule out what an answer says does not apply: this requirement alone, it flows nowhere."""
        if answer.answer == "not-applicable" and answer.requirement in self._index:
            self._ruled_out[self._index[answer.requirement], column] = 1

    def update(self, claim: ClaimState) -> None:
        """Take in one claim after a new verdict, and compute the column of its system again.

        Raises
        ------
        KeyError
            If the system is none of those that this was made for.
        """
        column = self._column[claim.ruling.system]
        row = self._row_of(claim)
        if row == len(self._codes):
            self._codes = np.vstack([self._codes, np.zeros((1, len(self.systems)), dtype=np.uint8)])
        self._codes[row, column] = _OF_CLAIM[claim.status]
        self._standing[:, column : column + 1] = self._compute(slice(column, column + 1))

    def _row_of(self, claim: ClaimState) -> int:
        """Give the row of a claim: one for all systems on which the same check promises the same."""
        ruling = claim.ruling
        commitment = claim.promise.commitment if claim.promise else None
        if commitment is None:
            return self._row(("claim", ruling.claim, None), ruling.claim, {})
        key = ("claim", ruling.claim, commitment.check, commitment.answers)
        if key in self._rows:
            return self._rows[key]
        return self._row(key, ruling.claim, self._roads.answers(commitment.check, commitment.answers))

    def _row(self, key: tuple[object, ...], name: str, reaches: Mapping[str, Way]) -> int:
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = len(self._evidence)
            self._evidence.append(_Evidence(name, reaches))
            for target, reach in reaches.items():
                if target in self._index:
                    self._links[self._index[target]].add(row, reach)
        return row

    # ---- statuses out

    def _compute(self, columns: slice) -> Codes:
        codes = self._codes[:, columns]
        width = codes.shape[1] if len(codes) else len(self.systems[columns])
        alone = np.zeros((len(self._entries), width), dtype=np.uint8)
        for row, links in enumerate(self._links):
            if links.every:
                alone[row] = _alone(codes, links)
        standing = alone.copy()
        for row, links in enumerate(self._links):
            for joint in links.joint:
                met = np.all(alone[[self._index[source] for source in joint.sources]] == _MET, axis=0)
                standing[row][met & (alone[row] <= _PARTLY)] = _MET
        standing[self._ruled_out[:, columns].astype(bool)] = _NOT_APPLICABLE
        return standing

    def status(self, requirement: str, system: Id) -> RequirementStatus:
        """Say where ``framework/requirement`` stands for a system.

        Raises
        ------
        KeyError
            If there is no such requirement to answer, or no such system.
        """
        return _NAMES[int(self._standing[self._index[requirement], self._column[system]])]

    def counts(self, framework: Id, system: Id | None = None) -> dict[RequirementStatus, int]:
        """Count the requirements of a framework by where they stand; together they are all its assessable ones.

        Parameters
        ----------
        framework : Id
            One of those to answer.
        system : Id, optional
            Over all systems, each counted for itself, when left out.
        """
        rows = [row for row, (_ref, book, _entry) in enumerate(self._entries) if book.id == framework]
        columns = slice(None) if system is None else slice(self._column[system], self._column[system] + 1)
        found, counted = np.unique(self._standing[rows, columns], return_counts=True)
        total: Counter[RequirementStatus] = Counter()
        for code, count in zip(found.tolist(), counted.tolist(), strict=True):
            total[_NAMES[code]] += count
        return {status: total[status] for status in REQUIREMENT_STATUSES if total[status]}

    def spread(self, requirement: str) -> dict[RequirementStatus, int]:
        """Count the systems by where one requirement stands for them; together they are all systems."""
        found, counted = np.unique(self._standing[self._index[requirement]], return_counts=True)
        total: Counter[RequirementStatus] = Counter()
        for code, count in zip(found.tolist(), counted.tolist(), strict=True):
            total[_NAMES[code]] += count
        return dict(total)

    def requirements(self, framework: Id) -> list[Requirement]:
        """Give the assessable requirements of a framework, in its order."""
        return [entry for _ref, book, entry in self._entries if book.id == framework]

    def contributions(self, requirement: str, system: Id) -> list[Contribution]:
        """Give every piece of evidence on a requirement of a system, the nearest first.

        Raises
        ------
        KeyError
            If there is no such requirement to answer, or no such system.
        """
        column = self._column[system]
        found = [
            Contribution(self._evidence[row].name, _NAMES[code], self._evidence[row].reaches[requirement])
            for row in self._links[self._index[requirement]].every
            if (code := int(self._codes[row, column])) != _NONE
        ]
        return sorted(found, key=lambda one: (-one.way.rank[0], -one.way.rank[1], one.evidence))

    def answered_by(self, claim: str) -> dict[str, Way]:
        """Give every requirement that a claim says something about; those of frameworks not to answer are left out."""
        found: dict[str, Way] = {}
        for evidence in self._evidence:
            if evidence.name == claim:
                found |= {target: reach for target, reach in evidence.reaches.items() if target in self._index}
        return dict(sorted(found.items(), key=lambda pair: self._index[pair[0]]))

    @property
    def claims(self) -> list[str]:
        """Names of all evidence that says something about a requirement to answer, in the order of the plans."""
        named = [one.name for one in self._evidence if any(target in self._index for target in one.reaches)]
        return list(dict.fromkeys(named))


def _alone(codes: Codes, links: _Links) -> Codes:
    """Fold what is known of one requirement, for all columns at once.

    The worst that is known of any part of it holds. Met needs evidence that covers the whole of it, and no promise
    about it that is still to be measured.
    """
    every = codes[links.every]
    nothing = np.zeros(codes.shape[1], dtype=np.uint8)
    within = codes[links.within].max(axis=0) if links.within else nothing
    whole_met = (codes[links.whole] == _MET).any(axis=0) if links.whole else nothing.astype(bool)
    some_met = (every == _MET).any(axis=0)
    known = every.max(axis=0)
    standing = np.where(known > _NONE, np.uint8(_NOT_MEASURED), np.uint8(_NONE))
    standing = np.where(known >= _ACCEPTED, np.uint8(_UNDECIDED), standing)
    standing = np.where(some_met, np.uint8(_PARTLY), standing)
    standing = np.where(whole_met & (within <= _MET), np.uint8(_MET), standing)
    return np.where(within >= _ACCEPTED, within, standing).astype(np.uint8)


def code_of(answer: Answer, today: date, *, second_reader: bool) -> int:
    """Give what an answer amounts to on a day.

    In place counts as met where a document shows it and, if needed, a second person has read it; otherwise it is
    undecided.
    """
    match answer.answer:
        case "not-in-place":
            return _VIOLATED
        case "not-assessed" | "not-applicable":
            return _NOT_MEASURED if answer.answer == "not-assessed" else _NONE
        case "in-place":
            if answer.effective > today:
                return _NOT_MEASURED
            if answer.valid_until is not None and answer.valid_until < today:
                return _STALE
            read = answer.second_reader is not None or not second_reader
            return _MET if answer.file is not None and read else _UNDECIDED


def answers_of(state: State) -> list[Answer]:
    """Give the answers in a ledger, oldest first."""
    return [evidence for _entry, evidence in state.evidence if isinstance(evidence, Answer)]
