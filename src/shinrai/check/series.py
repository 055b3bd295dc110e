"""Observations gathered into series: every vintage kept, the newest read, corrections made only where they fit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeAlias

from shinrai.ledger import State
from shinrai.records import TOTAL, Correction, Id, Observation, ObservedTable, first_day, frequency_of
from shinrai.workspace import kept_copy

__all__ = ["Group", "Point", "Series", "SeriesKey", "SeriesNote", "gather", "group_of", "observations", "of_one_kind"]

Group: TypeAlias = tuple[tuple[str, str], ...]
"""A breakdown: dimension and category in the order of the dimensions; empty for the total."""

SeriesKey: TypeAlias = tuple[Id, str | None, Group]
"""Indicator, area, breakdown."""


@dataclass(frozen=True, slots=True)
class Point:
    """What is known of one period.

    Parameters
    ----------
    vintages : tuple of Observation
        As they were published, the oldest first.
    disputed : bool
        Whether values that contradict one another are equally new.
    """

    period: str
    vintages: tuple[Observation, ...]
    disputed: bool = False

    @property
    def newest(self) -> Observation:
        """The observation that is read."""
        return self.vintages[-1]

    @property
    def value(self) -> float:
        """Its value."""
        return self.newest.value

    @property
    def revised(self) -> bool:
        """Whether an earlier vintage had another value."""
        return any(one.value != self.value for one in self.vintages)


@dataclass(frozen=True, slots=True)
class SeriesNote:
    """Something about observations that a reader has to know.

    Parameters
    ----------
    code : str
        ``revised``, ``disputed``, ``flagged``, ``definition-changed``, ``correction-refused`` (its guard does not
        fit), ``correction-unused`` (it fits no observation) or ``corrected``.
    period : str
    about : str
        The correction's id, or what was found.
    """

    code: Literal[
        "revised",
        "disputed",
        "flagged",
        "definition-changed",
        "correction-refused",
        "correction-unused",
        "corrected",
    ]
    period: str
    about: str


@dataclass(frozen=True)
class Series:
    """One indicator in one place for one group, in order of time."""

    key: SeriesKey
    points: list[Point] = field(default_factory=list)
    notes: list[SeriesNote] = field(default_factory=list)

    @cached_property
    def observed(self) -> list[Point]:
        """The points that were observed: forecasts are none."""
        return [point for point in self.points if point.newest.status != "forecast"]

    @cached_property
    def broken_at(self) -> str | None:
        """The last period from which on values cannot be compared with earlier ones."""
        breaks = [point.period for point in self.points if point.newest.series_break or point.newest.status == "break"]
        return breaks[-1] if breaks else None


def observations(state: State, root: Path) -> list[Observation]:
    """Read every observation of a ledger, in the order in which they were brought.

    Parameters
    ----------
    state : State
        Of the ledger.
    root : Path
        Of the workspace, for the kept copies.

    Returns
    -------
    list of Observation
        Those with a period; others are evidence for claims, not part of a series.

    Raises
    ------
    TamperedError
        If a kept copy is gone or changed.
    """
    found: list[Observation] = []
    for _entry, evidence in state.evidence:
        if isinstance(evidence, Observation) and evidence.period is not None:
            found.append(evidence)
        elif isinstance(evidence, ObservedTable):
            lines = kept_copy(root, evidence).read_bytes().splitlines()
            found += [Observation.model_validate_json(line) for line in lines]
    return found


def group_of(breakdown: Mapping[str, str] | None) -> Group:
    """Give the breakdown as part of a key; a dimension at its total is left out."""
    return tuple(sorted((name, value) for name, value in (breakdown or {}).items() if value != TOTAL))


def gather(
    found: Iterable[Observation], corrections: Iterable[Correction] = (), as_of: date | None = None
) -> dict[SeriesKey, Series]:
    """Gather observations into series.

    Parameters
    ----------
    found : iterable of Observation
        With a period.
    corrections : iterable of Correction
        Made where their guard fits; refused, with a note, where it does not.
    as_of : date, optional
        Only what was published by this day: the numbers as one could read them then.

    Returns
    -------
    dict
        Key → series, points in order of time. Of several vintages of a period the newest is read; the order in which
        they were brought decides between equals only where they agree.
    """
    rows = [one for one in found if as_of is None or (one.published or one.as_of) <= as_of]
    notes: dict[SeriesKey, list[SeriesNote]] = {}
    rows = _corrected(rows, corrections, notes)
    by_key: dict[SeriesKey, dict[str, list[Observation]]] = {}
    for one in rows:
        by_key.setdefault(_key(one), {}).setdefault(one.period or "", []).append(one)
    series = {}
    for key, periods in by_key.items():
        points = [_point(period, vintages) for period, vintages in sorted(periods.items(), key=_by_time)]
        series[key] = Series(key, points, [*notes.pop(key, []), *_notes(points)])
    for key, left in notes.items():
        series[key] = Series(key, [], left)
    return series


def _by_time(item: tuple[str, object]) -> tuple[date, str]:
    return first_day(item[0]), item[0]


def _key(one: Observation) -> SeriesKey:
    return one.subject, one.area, group_of(one.breakdown)


def _point(period: str, found: Sequence[Observation]) -> Point:
    vintages = found if len(found) == 1 else sorted(found, key=lambda one: one.published or date.min)
    newest = vintages[-1]
    disputed = any(one.published == newest.published and one.value != newest.value for one in vintages[:-1])
    return Point(period, tuple(vintages), disputed)


def _notes(points: Sequence[Point]) -> list[SeriesNote]:
    notes = []
    before: Observation | None = None
    for point in points:
        if point.disputed:
            values = " / ".join(f"{one.value:g} ({one.source})" for one in point.vintages)
            notes.append(SeriesNote("disputed", point.period, values))
        elif point.revised:
            notes.append(SeriesNote("revised", point.period, " → ".join(f"{one.value:g}" for one in point.vintages)))
        now = point.newest
        if before is not None and not now.series_break:
            changed = [name for name in ("definition", "population", "survey_mode") if _differs(before, now, name)]
            if changed:
                notes.append(SeriesNote("definition-changed", point.period, ", ".join(changed)))
        before = now
    return notes


def _differs(before: Observation, now: Observation, name: str) -> bool:
    one, other = getattr(before, name), getattr(now, name)
    return one is not None and other is not None and one != other


# ---- corrections


def _corrected(
    rows: list[Observation], corrections: Iterable[Correction], notes: dict[SeriesKey, list[SeriesNote]]
) -> list[Observation]:
    for correction in corrections:
        about = [number for number, one in enumerate(rows) if _is_about(correction, one)]
        key = correction.indicator, correction.area, group_of(correction.breakdown)
        if not about:
            notes.setdefault(key, []).append(SeriesNote("correction-unused", correction.period, correction.id))
        dropped = set()
        for number in about:
            one = rows[number]
            mark = notes.setdefault(_key(one), [])
            if one.value != correction.expect:
                found = f"{correction.id}: {one.value:g} ≠ {correction.expect:g}"
                mark.append(SeriesNote("correction-refused", correction.period, found))
            elif correction.action == "flag":
                mark.append(SeriesNote("flagged", correction.period, correction.id))
            else:
                mark.append(SeriesNote("corrected", correction.period, correction.id))
                if correction.action == "drop" or correction.value is None:
                    dropped.add(number)
                else:
                    scaled = correction.action == "scale"
                    value = one.value * correction.value if scaled else correction.value
                    rows[number] = one.model_copy(update={"value": value})
        rows = [one for number, one in enumerate(rows) if number not in dropped]
    return rows


def _is_about(correction: Correction, one: Observation) -> bool:
    return (
        (one.subject, one.period) == (correction.indicator, correction.period)
        and (correction.area is None or one.area == correction.area)
        and group_of(one.breakdown) == group_of(correction.breakdown)
        and correction.published in {None, one.published}
    )


def of_one_kind(points: Iterable[Point], period: str) -> list[Point]:
    """Give the points whose periods are of the same kind as a given one: others cannot be compared with it."""
    kind = frequency_of(period)
    return [point for point in points if frequency_of(point.period) == kind]
