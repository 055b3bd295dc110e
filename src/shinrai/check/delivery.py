"""Whether what was to be done was done: a track of its own, which meets the outcomes only in a table of two by two."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

from shinrai.check.indicators import IndicatorStatus
from shinrai.records import Id, IndicatorState, Measure, Milestone, Plan, last_day_of

__all__ = [
    "Delivery",
    "MeasureState",
    "MilestoneState",
    "Moved",
    "delivery_of",
    "measure_states",
    "milestone_state",
    "quadrants",
]

MilestoneState: TypeAlias = Literal["done", "done_late", "overdue", "pending", "undated"]
"""Done by its date (or it had none) · done after it · due, and nothing says that it was done · still ahead · no date,
and nothing that says it was done."""

Delivery: TypeAlias = Literal["delivered", "not_delivered", "not_known"]

Moved: TypeAlias = Literal["moved", "not_moved", "not_known"]

_MOVED: frozenset[IndicatorState] = frozenset({"achieved", "on_path", "slightly_behind"})
_NOT_MOVED: frozenset[IndicatorState] = frozenset({"off_path", "reversing"})


@dataclass(frozen=True, slots=True)
class MeasureState:
    """Delivery and outcome of one measure, side by side and never mixed.

    Parameters
    ----------
    measure : Measure
    milestones : tuple of (Milestone, MilestoneState)
    delivery : Delivery
    outcomes : tuple of IndicatorStatus
        Of the outcomes and impacts that the plan's links lead to from here.
    moved : Moved
        ``moved`` where at least one outcome did and none went the other way or stayed behind.
    """

    measure: Measure
    milestones: tuple[tuple[Milestone, MilestoneState], ...]
    delivery: Delivery
    outcomes: tuple[IndicatorStatus, ...]
    moved: Moved


def milestone_state(milestone: Milestone, today: date) -> MilestoneState:
    """Say whether a milestone was met, on a day.

    Parameters
    ----------
    milestone : Milestone
        With or without a date.
    today : date
        A milestone is overdue from the day after its period.
    """
    if milestone.done is not None:
        late = milestone.due is not None and last_day_of(milestone.done) > last_day_of(milestone.due)
        return "done_late" if late else "done"
    if milestone.due is None:
        return "undated"
    return "overdue" if last_day_of(milestone.due) < today else "pending"


def delivery_of(states: Iterable[MilestoneState]) -> Delivery:
    """Add milestones up: one overdue is "not delivered"; where nothing was done and nothing is due, it is not known."""
    found = set(states)
    if "overdue" in found:
        return "not_delivered"
    return "delivered" if found & {"done", "done_late"} else "not_known"


def measure_states(plan: Plan, statuses: Sequence[IndicatorStatus], today: date) -> list[MeasureState]:
    """Put delivery and outcome of each measure side by side.

    Parameters
    ----------
    plan : Plan
        With results and links.
    statuses : sequence of IndicatorStatus
        Of this plan's indicators.
    today : date
        For milestones.

    Returns
    -------
    list of MeasureState
        In the order of the plan.
    """
    reached = _Results(plan, statuses)
    states = []
    for goal in plan.goals:
        for measure in goal.measures:
            milestones = tuple((one, milestone_state(one, today)) for one in measure.milestones)
            outcomes = reached.outcomes_of(measure.id)
            moved = _moved([one.state for one in outcomes])
            states.append(MeasureState(measure, milestones, delivery_of(s for _m, s in milestones), outcomes, moved))
    return states


def _moved(states: Sequence[IndicatorState]) -> Moved:
    if any(state in _NOT_MOVED for state in states):
        return "not_moved"
    return "moved" if any(state in _MOVED for state in states) else "not_known"


class _Results:
    """The chain of results of a plan: which outcomes a measure leads to."""

    def __init__(self, plan: Plan, statuses: Sequence[IndicatorStatus]) -> None:
        self._nodes = {node.id: node for node in plan.results}
        self._after: dict[Id, list[Id]] = {}
        for link in plan.links:
            self._after.setdefault(link.origin, []).append(link.to)
        self._told: dict[Id, list[IndicatorStatus]] = {}
        for status in statuses:
            if status.use.of is not None:
                self._told.setdefault(status.use.of, []).append(status)

    def outcomes_of(self, measure: Id) -> tuple[IndicatorStatus, ...]:
        """Follow the links from what belongs to a measure; cycles end where they began."""
        ahead = [node.id for node in self._nodes.values() if measure in node.of]
        seen: dict[Id, None] = {}
        while ahead:
            name = ahead.pop(0)
            if name not in seen:
                seen[name] = None
                ahead += self._after.get(name, [])
        names = [name for name in seen if name in self._nodes and self._nodes[name].level in {"outcome", "impact"}]
        return tuple(status for name in (*names, measure) for status in self._told.get(name, []))


def quadrants(states: Iterable[MeasureState]) -> Mapping[tuple[Delivery, Moved], list[Measure]]:
    """Sort measures by delivery and outcome; what is not known has cells of its own."""
    found: dict[tuple[Delivery, Moved], list[Measure]] = {}
    for state in states:
        found.setdefault((state.delivery, state.moved), []).append(state.measure)
    return found
