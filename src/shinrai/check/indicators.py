"""Where the indicators of a plan stand, honestly: the observed value against the stored path of the same period.

The numbers are worked out for all indicators at once (`shinrai.stats.progress`); what can be said of each is decided
here. Whatever stands in the way of a comparison is said instead of one: such a state is never good, and stays in every
count. Nothing is averaged over indicators.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import isnan
from typing import Any, Literal, TypeAlias

import numpy as np

from shinrai.check.promised import Promised, Sides, on_scale, promised, sides
from shinrai.check.series import Series, SeriesKey
from shinrai.records import (
    INDICATOR_STATES,
    Id,
    IndicatorDefinition,
    IndicatorState,
    IndicatorUse,
    Observation,
    Plan,
    StatusMethod,
    last_day_of,
    months_after,
)
from shinrai.stats.progress import (
    Floats,
    Projection,
    anticipated_progress,
    covered,
    growth_ratio,
    pace,
    pace_interval,
    pace_probability,
    project,
)

__all__ = ["IndicatorStatus", "StateReason", "assess", "count_states", "reversals"]

StateReason: TypeAlias = Literal[
    "no-observation",
    "too-old",
    "nothing-since-baseline",
    "series-break",
    "no-target-date",
    "other-periods",
    "other-area",
    "only-forecast",
    "stated-by-plan",
    "sources-contradict",
    "effect-not-expected-yet",
    "no-baseline-value",
    "no-target-value",
    "target-met-at-baseline",
    "path-still-flat",
]
"""Why an indicator has the state it has, where that is not the pace alone."""

_PACED: tuple[IndicatorState, ...] = ("on_path", "slightly_behind", "off_path", "reversing")


@dataclass(frozen=True, slots=True)
class IndicatorStatus:
    """Where one promise about an indicator stands, with everything it was worked out from.

    Parameters
    ----------
    plan, use, definition : record
        Who promises what about which indicator.
    method : StatusMethod
        Whose thresholds were used.
    today : date
        The day it is said for.
    state : IndicatorState
    reason : StateReason, optional
        Where the state is not the pace alone.
    observed : Observation, optional
        The newest that can be compared; of its vintages the newest.
    path : float, optional
        Value of the path in the period of `observed`.
    path_assumed : bool
        True where nobody published a path and a straight line stands for it.
    covered, pace : float, optional
        As `shinrai.stats.progress` has them.
    pace_interval : tuple of float, optional
        At the level of the method's projection; only where a sampling error is known.
    probabilities : dict, optional
        State → probability, over the five states that a pace decides; only where a sampling error is known.
    certain : bool, optional
        Whether one state has enough probability to be shown without a mark; None where no sampling error is known.
    projection : tuple of float, optional
        Value, lower and upper end in the target's period.
    first_state : IndicatorState, optional
        The state that the newest period had by the value that was published first; only where it was revised since.
    by_method : dict
        ``path``, ``growth`` and ``regression`` → the state that each method alone would give.
    notes : tuple of str
        Codes of what a reader has to know besides.
    sides : Sides, optional
        The numbers that were put into the formulas.
    series : Series, optional
        All its points and vintages.
    """

    plan: Plan
    use: IndicatorUse
    definition: IndicatorDefinition
    method: StatusMethod
    today: date
    state: IndicatorState
    reason: StateReason | None = None
    observed: Observation | None = None
    path: float | None = None
    path_assumed: bool = False
    covered: float | None = None
    pace: float | None = None
    pace_interval: tuple[float, float] | None = None
    probabilities: Mapping[IndicatorState, float] | None = None
    certain: bool | None = None
    projection: tuple[float, float, float] | None = None
    first_state: IndicatorState | None = None
    by_method: Mapping[str, IndicatorState] | None = None
    notes: tuple[str, ...] = ()
    sides: Sides | None = None
    series: Series | None = None

    @property
    def agree(self) -> bool:
        """Whether all methods that can say something say the same."""
        return len(set((self.by_method or {}).values())) <= 1

    @property
    def gap(self) -> float | None:
        """What the projection lacks to the target, in the indicator's unit; negative where it goes beyond."""
        target = self.use.target
        if self.projection is None or target is None:
            return None
        missing = target.value - self.projection[0]
        return -missing if self.definition.direction == "down" else missing

    def to_json(self) -> dict[str, Any]:
        """Give the status with every input, so that anybody can work it out again."""
        return {
            "plan": self.plan.id,
            "use": self.use.to_json(),
            "indicator": self.definition.to_json(),
            "method": {"id": self.method.id, "version": self.method.version},
            "today": self.today.isoformat(),
            "state": self.state,
            "reason": self.reason,
            "observed": self.observed.to_json() if self.observed else None,
            "path": self.path,
            "path_assumed": self.path_assumed,
            "covered": self.covered,
            "pace": self.pace,
            "pace_interval": list(self.pace_interval) if self.pace_interval else None,
            "probabilities": dict(self.probabilities) if self.probabilities else None,
            "certain": self.certain,
            "projection": list(self.projection) if self.projection else None,
            "gap": self.gap,
            "first_state": self.first_state,
            "by_method": dict(self.by_method) if self.by_method else None,
            "agree": self.agree,
            "inputs": self.sides.to_json() if self.sides else None,
            "notes": list(self.notes),
        }


def assess(
    plans: Sequence[Plan],
    versions: Mapping[Id, Plan],
    series: Mapping[SeriesKey, Series],
    method: StatusMethod,
    today: date,
) -> list[IndicatorStatus]:
    """Say where every indicator of some plans stands.

    Parameters
    ----------
    plans : sequence of Plan
        Whose promises to look at.
    versions : mapping
        Every plan there is, by id, for definitions of earlier versions.
    series : mapping
        As `shinrai.check.series.gather` gives them.
    method : StatusMethod
        Thresholds.
    today : date
        The day for which it is said: values that are too old by then decide nothing.

    Returns
    -------
    list of IndicatorStatus
        One for each use of an indicator, plan by plan. The same for the same arguments.
    """
    found = [one for plan in plans for one in promised(plan, versions, series, today)]
    numbers = _Numbers([sides(one) for one in found], method)
    return [_status(one, numbers, position, method, today) for position, one in enumerate(found)]


def count_states(statuses: Sequence[IndicatorStatus]) -> dict[IndicatorState, int]:
    """Count indicators by state; together they are all of them."""
    counts = Counter(status.state for status in statuses)
    return {state: counts[state] for state in INDICATOR_STATES if counts[state]}


def reversals(statuses: Sequence[IndicatorStatus]) -> list[IndicatorStatus]:
    """Give what moves the wrong way, the fastest first."""
    return sorted((one for one in statuses if one.state == "reversing"), key=lambda one: one.pace or 0.0)


class _Numbers:
    """What is worked out for all indicators at once; NaN where something is not known."""

    def __init__(self, rows: Sequence[Sides], method: StatusMethod) -> None:
        def column(name: str) -> Floats:
            return np.array([getattr(row, name) for row in rows], dtype=np.float64)

        self.rows = rows
        baseline, observed, target, path = (column(name) for name in ("baseline", "observed", "target", "path"))
        errors = column("baseline_error"), column("observed_error")
        # The exact moment is left out where nothing is known of it: an error that is not known is no error of 0.
        known_errors = np.where(np.isnan(errors[0]) & ~np.isnan(errors[1]), 0.0, errors[0]), errors[1]
        share = column("path_share")
        self.covered = covered(baseline, observed, target)
        self.pace = pace(baseline, observed, path)
        self.growth = growth_ratio(baseline, observed, target, column("elapsed"), column("total"))
        limits = (np.inf, method.on_path, method.slightly_behind, method.reversing)
        self.at_least = {
            limit: pace_probability(limit, baseline, observed, path, *known_errors, share) for limit in limits[1:]
        }
        self.met = _met_probability(observed, target, errors[1], column("better"))
        self.interval = pace_interval(baseline, observed, path, *known_errors, share, level=method.projection_level)
        self.projection = self._projection(column("target_year"), method)
        self.regression = anticipated_progress(baseline, self.projection.value, target)

    def _projection(self, years: Floats, method: StatusMethod) -> Projection:
        width = max((len(row.years) for row in self.rows), default=0)
        x = np.full((len(self.rows), max(width, 1)), np.nan)
        y = x.copy()
        for number, row in enumerate(self.rows):
            if len(row.years) >= method.projection_points:
                x[number, : len(row.years)] = row.years
                y[number, : len(row.years)] = row.values
        return project(x, y, years, half_life=method.half_life, level=method.projection_level)


def _met_probability(observed: Floats, target: Floats, error: Floats, better: Floats) -> Floats:
    """Probability that the true value has reached the target."""
    from scipy.special import ndtr  # noqa: PLC0415 - scipy is slow to import, and few callers need it

    return np.asarray(ndtr(better * (observed - target) / np.where(error > 0.0, error, np.nan)), dtype=np.float64)


def _of_pace(value: float, method: StatusMethod) -> IndicatorState:
    if value >= method.on_path:
        return "on_path"
    if value >= method.slightly_behind:
        return "slightly_behind"
    return "off_path" if value >= method.reversing else "reversing"


def _status(one: Promised, numbers: _Numbers, row: int, method: StatusMethod, today: date) -> IndicatorStatus:
    state, reason = _state(one, numbers, row, method, today)
    side = numbers.rows[row]
    common: dict[str, Any] = {
        "plan": one.plan,
        "use": one.use,
        "definition": one.definition,
        "method": method,
        "today": today,
        "state": state,
        "reason": reason,
        "observed": one.observed.newest if one.observed else None,
        "series": one.series,
        "sides": side,
        "notes": (*one.notes, *_notes(one, numbers, row)),
        "path": _known(one.path_value),
        "path_assumed": one.path_assumed,
        "covered": _known(numbers.covered[row]),
        "pace": _known(numbers.pace[row]),
        "projection": _projected(numbers, row, one.definition),
    }
    if state in {"achieved", *_PACED}:
        common["first_state"] = _first_state(one, side, method)
        chances = _chances(numbers, row, method)
        common["by_method"] = _by_method(numbers, row, method, state)
        common["probabilities"] = chances
        common["certain"] = None if chances is None else max(chances.values()) >= method.decided
        ends = numbers.interval[0][row], numbers.interval[1][row]
        if chances is not None and not (isnan(ends[0]) or isnan(side.path)):
            common["pace_interval"] = (float(ends[0]), float(ends[1]))
    return IndicatorStatus(**common)


def _state(
    one: Promised, numbers: _Numbers, row: int, method: StatusMethod, today: date
) -> tuple[IndicatorState, StateReason | None]:
    """Decide: what stands in the way first, then the target, then the pace."""
    blocked = _blocked(one, today)
    if blocked is not None:
        return blocked
    side = numbers.rows[row]
    if not isnan(side.target) and side.better * (side.observed - side.target) >= 0.0:
        return "achieved", "target-met-at-baseline" if one.unambitious else None
    return _missing(one) or _by_pace(one, float(numbers.pace[row]), side, method)


def _by_pace(
    one: Promised, value: float, side: Sides, method: StatusMethod
) -> tuple[IndicatorState, StateReason | None]:
    if one.use.first_effect is not None and last_day_of(one.use.first_effect) > last_day_of(one.observed_period):
        return "too_early", "effect-not-expected-yet"
    if one.unambitious:  # worse than at the baseline, where the target was met
        return "reversing", "target-met-at-baseline"
    if isnan(value):  # the path asks for nothing yet
        return ("on_path" if side.better * (side.observed - side.path) >= 0.0 else "reversing"), "path-still-flat"
    return _of_pace(value, method), None


def _blocked(one: Promised, today: date) -> tuple[IndicatorState, StateReason] | None:
    """Say why the observation itself decides nothing."""
    if one.use.not_measurable is not None:
        return "not_measurable", "stated-by-plan"
    if one.observed is None:
        return "no_recent_data", one.unseen
    if one.observed.disputed:
        return "disputed", "sources-contradict"
    if months_after(last_day_of(one.observed.period), one.definition.max_age) < today:
        return "no_recent_data", "too-old"
    return None


def _missing(one: Promised) -> tuple[IndicatorState, StateReason] | None:
    """Say what a comparison lacks."""
    banded = one.definition.direction == "band"
    if one.use.target is None and not banded:
        return "no_target", "no-target-value"
    if one.use.target is None or one.use.target.period is None:
        return "no_target", "no-target-date"
    if one.use.baseline is None:
        return "no_baseline", "no-baseline-value"
    if one.broken:
        return "no_baseline", "series-break"
    if last_day_of(one.observed_period) <= last_day_of(one.use.baseline.period):
        return "no_recent_data", "nothing-since-baseline"
    return None


def _first_state(one: Promised, side: Sides, method: StatusMethod) -> IndicatorState | None:
    """Give the state by the first vintage of the newest period, where another one is read now."""
    if one.observed is None or not one.observed.revised:
        return None
    value = on_scale(one, one.observed.vintages[0].value)
    if side.better * (value - side.target) >= 0.0:
        return "achieved"
    then = float(pace(side.baseline, value, side.path))
    return None if isnan(then) else _of_pace(then, method)


def _by_method(numbers: _Numbers, row: int, method: StatusMethod, state: IndicatorState) -> dict[str, IndicatorState]:
    if state == "achieved":
        return {"path": "achieved"}
    told = {"path": numbers.pace[row], "growth": numbers.growth[row], "regression": numbers.regression[row]}
    return {name: _of_pace(float(value), method) for name, value in told.items() if not isnan(value)}


def _chances(numbers: _Numbers, row: int, method: StatusMethod) -> dict[IndicatorState, float] | None:
    """Share the probability out over the five states; None where no sampling error or no path is known."""
    ahead, behind, worse = (
        float(numbers.at_least[limit][row]) for limit in (method.on_path, method.slightly_behind, method.reversing)
    )
    met = float(numbers.met[row])
    if isnan(met):
        return None
    if isnan(ahead):
        return None if met < method.decided else {"achieved": met}
    met = min(met, ahead)
    return {
        "achieved": met,
        "on_path": ahead - met,
        "slightly_behind": max(behind - ahead, 0.0),
        "off_path": max(worse - behind, 0.0),
        "reversing": max(1.0 - worse, 0.0),
    }


def _projected(numbers: _Numbers, row: int, definition: IndicatorDefinition) -> tuple[float, float, float] | None:
    """Give the projection in the indicator's own unit, held within what the indicator can be."""
    ends = [float(part[row]) for part in numbers.projection[:3]]
    if any(isnan(end) for end in ends) or definition.direction == "band":
        return None
    low, high = definition.limits
    value, lower, upper = (
        min(max(end, -np.inf if low is None else low), np.inf if high is None else high) for end in ends
    )
    return value, lower, upper


def _notes(one: Promised, numbers: _Numbers, row: int) -> list[str]:
    notes = []
    if one.unambitious:
        notes.append("target-met-at-baseline")
    side = numbers.rows[row]
    if not isnan(side.observed_error) and isnan(side.baseline_error):
        notes.append("baseline-error-unknown")
    if one.use.target is not None and one.use.target.standing != "final":
        notes.append(f"target-{one.use.target.standing}")
    value = numbers.pace[row]
    if not isnan(value) and value < 0.0:
        notes.append("below-baseline")
    return notes


def _known(value: float | None) -> float | None:
    return None if value is None or isnan(value) else float(value)
