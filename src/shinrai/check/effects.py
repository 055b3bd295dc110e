"""Effects of measures: only by a registered design, with what it assumes, an interval and placebos; else none at all.

A design that stood in the ledger before the values it judges is prospective. Where values were brought in, or had been
published, before, it is retrospective, and says so wherever it is shown.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from shinrai.check.series import Group, Point, Series, SeriesKey, group_of, observations, of_one_kind
from shinrai.ledger import Entry, State
from shinrai.records import TOTAL, EvaluationDesign, Id, Observation, Plan, frequency_of, last_day_of, year_of
from shinrai.stats.causal import (
    FEWEST_PERIODS,
    Estimate,
    differences,
    interrupted,
    placebo_dates,
    placebo_groups,
)

__all__ = ["Effect", "EffectState", "WhyNot", "effects"]

EffectState: TypeAlias = Literal["shown", "not_shown", "doubtful", "no_answer"]
"""The interval excludes 0 and no placebo comes near · it does not · placebos look the same · nothing can be said."""

WhyNot: TypeAlias = Literal["not-registered", "too-few-periods", "gaps", "too-few-groups", "nothing-yet"]

_Value: TypeAlias = tuple[str, str | None, Group, str | None, date | None]
"""Indicator, area, group, period and vintage of a value."""

_PER_YEAR = {"year": 1, "fiscal-year": 1, "half-year": 2, "quarter": 4, "month": 12}


@dataclass(frozen=True, slots=True)
class Effect:
    """What a design says of a measure.

    Parameters
    ----------
    plan : Id
        Plan that holds the design.
    design : EvaluationDesign
        As it was registered; as the plan has it where it was not.
    registered : Entry, optional
        The ledger's entry in force.
    retrospective : bool, optional
        Whether any value it judges was known before; None where there are none.
    state : EffectState
    why_not : WhyNot, optional
        With ``no_answer``.
    level, slope : Estimate, optional
        Of an interrupted time series: the jump, and the change of slope a period.
    difference : Estimate, optional
        Of a difference in differences.
    p : float, optional
    periods : (int, int)
        Before and after.
    placebos : tuple of float
        p-values of pretended dates; of pretended groups, their effects.
    placebo_kind : {"dates", "groups"}
    as_strong : int
        Placebos that look as strong as the real one.
    lags : int, optional
        Of the Newey-West errors.
    """

    plan: Id
    design: EvaluationDesign
    registered: Entry | None
    retrospective: bool | None
    state: EffectState
    why_not: WhyNot | None = None
    level: Estimate | None = None
    slope: Estimate | None = None
    difference: Estimate | None = None
    p: float | None = None
    periods: tuple[int, int] = (0, 0)
    placebos: tuple[float, ...] = ()
    placebo_kind: Literal["dates", "groups"] = "dates"
    as_strong: int = 0
    lags: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Give the effect with everything that it rests on."""
        return {
            "plan": self.plan,
            "design": self.design.to_json(),
            "evidence_level": self.design.evidence_level,
            "registered": self.registered and {"seq": self.registered.seq, "at": self.registered.at},
            "retrospective": self.retrospective,
            "state": self.state,
            "why_not": self.why_not,
            "level": self.level and self.level._asdict(),
            "slope": self.slope and self.slope._asdict(),
            "difference": self.difference and self.difference._asdict(),
            "p": self.p,
            "periods": {"before": self.periods[0], "after": self.periods[1]},
            "placebos": {"kind": self.placebo_kind, "values": list(self.placebos), "as_strong": self.as_strong},
            "newey_west_lags": self.lags,
        }


def effects(plan: Plan, state: State, series: Mapping[SeriesKey, Series], root: Path) -> list[Effect]:
    """Work out what the designs of a plan say.

    Parameters
    ----------
    plan : Plan
        Its designs are looked at as they are registered.
    state : State
        Of the ledger: registrations, and when values were brought in.
    series : mapping
        As `shinrai.check.series.gather` gives them.
    root : Path
        Of the workspace, for the kept copies.

    Returns
    -------
    list of Effect
        One for each design. Without registration, enough data or placebos there is no number.
    """
    return [_effect(plan, design, state, series, root) for design in plan.designs]


def _effect(
    plan: Plan, written: EvaluationDesign, state: State, series: Mapping[SeriesKey, Series], root: Path
) -> Effect:
    found = state.designs.get((plan.id, written.id), [])
    if not found or found[-1][1] != written:
        return Effect(plan.id, written, None, None, "no_answer", "not-registered")
    entry, design = found[-1]
    rows = _rows(plan, design, series)
    judged = [point for row in rows for point in row if not _is_before(point, design)]
    earlier = _brought_before(entry, state, root)
    late = any(_known_before(point, entry, earlier) for point in judged) if judged else None
    told = _Told(plan.id, design, entry, late)
    periods = _common(rows)
    before = sum(year_of(period) < year_of(design.begins) for period in periods)
    if not judged or before == len(periods):
        return told.no_answer("nothing-yet")
    values = np.array([[_at(row, period) for period in periods] for row in rows])
    if design.kind == "interrupted-time-series":
        return _interrupted(told, values[0], periods, before)
    return _differences(told, values, periods, before)


@dataclass(frozen=True, slots=True)
class _Told:
    plan: Id
    design: EvaluationDesign
    entry: Entry
    retrospective: bool | None

    def effect(self, state: EffectState, **more: Any) -> Effect:  # noqa: ANN401 - fields of the effect
        return Effect(self.plan, self.design, self.entry, self.retrospective, state, **more)

    def no_answer(self, why: WhyNot, periods: tuple[int, int] = (0, 0)) -> Effect:
        return self.effect("no_answer", why_not=why, periods=periods)


def _interrupted(told: _Told, values: NDArray[np.float64], periods: Sequence[str], before: int) -> Effect:
    sides = before, len(periods) - before
    if min(sides) < FEWEST_PERIODS:
        return told.no_answer("too-few-periods", sides)
    if _gaps(periods):
        return told.no_answer("gaps", sides)
    design = told.design
    found = interrupted(values, before, lags=design.lags, alpha=design.alpha)
    placebos = placebo_dates(values, before, lags=design.lags, alpha=design.alpha)
    as_strong = sum(p <= found.p for p in placebos)
    state = _state(significant=found.p <= design.alpha, placebos=len(placebos), as_strong=as_strong)
    return told.effect(
        state,
        level=found.level,
        slope=found.slope,
        p=found.p,
        periods=sides,
        placebos=tuple(placebos),
        as_strong=as_strong,
        lags=found.lags,
    )


def _differences(told: _Told, values: NDArray[np.float64], periods: Sequence[str], before: int) -> Effect:
    design, sides = told.design, (before, len(periods) - before)
    if before == 0:
        return told.no_answer("too-few-periods", sides)
    treated, comparison = values[: len(design.treated)], values[len(design.treated) :]
    if len(comparison) < 2:
        return told.no_answer("too-few-groups", sides)
    found = differences(treated, comparison, before, alpha=design.alpha).effect
    placebos = placebo_groups(comparison, before)
    as_strong = sum(abs(one) >= abs(found.value) for one in placebos)
    state = _state(significant=found.p <= design.alpha, placebos=len(placebos), as_strong=as_strong)
    return told.effect(
        state,
        difference=found,
        p=found.p,
        periods=sides,
        placebos=tuple(placebos),
        placebo_kind="groups",
        as_strong=as_strong,
    )


def _state(*, significant: bool, placebos: int, as_strong: int) -> EffectState:
    """Call an effect shown where it is significant, there are placebos, and none of them looks as strong."""
    if not significant:
        return "not_shown"
    return "shown" if placebos and not as_strong else "doubtful"


# ---- the values


def _rows(plan: Plan, design: EvaluationDesign, series: Mapping[SeriesKey, Series]) -> list[list[Point]]:
    """Give the points of each group, treated ones first; of the whole, where there are no groups."""
    area = design.area or plan.area
    keys: list[SeriesKey]
    if design.groups is None:
        keys = [(design.indicator, area, ())]
    elif design.groups == "area":
        keys = [(design.indicator, name, ()) for name in (*design.treated, *design.comparison)]
    else:
        keys = [(design.indicator, area, _group(design.groups, name)) for name in (*design.treated, *design.comparison)]
    last = None if design.until is None else last_day_of(design.until)
    return [
        [
            point
            for point in of_one_kind(series[key].observed if key in series else [], design.begins)
            if last is None or last_day_of(point.period) <= last
        ]
        for key in keys
    ]


def _group(dimension: str, name: str) -> Group:
    return () if name == TOTAL else ((dimension, name),)


def _common(rows: Sequence[Sequence[Point]]) -> list[str]:
    """Give the periods that every group has, in order of time."""
    shared = set.intersection(*({point.period for point in row} for row in rows))
    return sorted(shared, key=year_of)


def _at(row: Sequence[Point], period: str) -> float:
    return next(point.value for point in row if point.period == period)


def _gaps(periods: Sequence[str]) -> bool:
    steps = _PER_YEAR.get(frequency_of(periods[0]))
    return steps is None or any(round((year_of(b) - year_of(a)) * steps) != 1 for a, b in pairwise(periods))


def _is_before(point: Point, design: EvaluationDesign) -> bool:
    return year_of(point.period) < year_of(design.begins)


def _known_before(point: Point, entry: Entry, earlier: Collection[_Value]) -> bool:
    """Tell whether a value was published, or in the ledger, before the design was registered.

    Where nobody says when it was published, it may have been as soon as its period was over.
    """
    first = point.vintages[0]
    return (first.published or first.as_of).isoformat() < entry.at[:10] or _value(first) in earlier


def _brought_before(entry: Entry, state: State, root: Path) -> set[_Value]:
    before = State(evidence=[(one, evidence) for one, evidence in state.evidence if one.seq < entry.seq])
    return {_value(one) for one in observations(before, root)}


def _value(one: Observation) -> _Value:
    return one.subject, one.area, group_of(one.breakdown), one.period, one.published
