"""What a plan says of results and indicators, compared with the rest of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from shinrai.errors import Problem
from shinrai.i18n import _
from shinrai.records import (
    Id,
    IndicatorDefinition,
    IndicatorUse,
    Plan,
    definitions,
    first_day,
    last_day_of,
    period_like,
)
from shinrai.source import Place, did_you_mean, listing
from shinrai.workspace.parts import Sourced


def of_promises(sourced: Sourced[Plan], plans: Mapping[Id, Plan]) -> Iterator[Problem]:
    """Compare results, links and indicators of a plan with what they name.

    Parameters
    ----------
    sourced : Sourced of Plan
        As read.
    plans : mapping
        Every plan there is, by id: definitions are looked up in the versions before.

    Yields
    ------
    Problem
        For each id that is there twice, each name that nothing bears, each indicator promised twice, and each value or
        period that cannot be.
    """
    plan = sourced.record
    yield from _twice(sourced)
    places = {entry.id for entry in plan.entries()}
    nodes = {node.id for node in plan.results}
    for position, node in enumerate(plan.results):
        yield from _all_known(sourced, ("results", position, "of"), node.of, places)
    known = definitions(plan, plans)
    for position, link in enumerate(plan.links):
        yield from _known(sourced, ("links", position, "from"), link.origin, nodes)
        yield from _known(sourced, ("links", position, "to"), link.to, nodes)
        if link.counter_indicator is not None:
            yield from _known(sourced, ("links", position, "counter_indicator"), link.counter_indicator, known)
    for position, use in enumerate(plan.uses):
        here: Place = ("uses", position)
        yield from _known(sourced, (*here, "indicator"), use.indicator, known)
        if use.of is not None:
            yield from _known(sourced, (*here, "of"), use.of, places | nodes)
        if use.indicator in known:
            yield from _of_values(sourced, here, use, known[use.indicator])
        yield from _of_periods(sourced, here, use)
    yield from _of_milestones(sourced)
    yield from _of_designs(sourced, plans, known)


def _of_designs(
    sourced: Sourced[Plan], plans: Mapping[Id, Plan], known: Mapping[Id, IndicatorDefinition]
) -> Iterator[Problem]:
    plan = sourced.record
    if not plan.designs:
        return
    defined = {name: one for other in plans.values() for name, one in definitions(other, plans).items()} | {**known}
    measures = {one.id for one in plan.measures()}
    measures |= {f"{other.id}/{one.id}" for other in plans.values() for one in other.measures()}
    for position, design in enumerate(plan.designs):
        here: Place = ("designs", position)
        yield from _known(sourced, (*here, "of"), design.of, measures)
        yield from _known(sourced, (*here, "indicator"), design.indicator, defined)
        if design.groups is not None and design.indicator in defined:
            dimensions = ("area", *defined[design.indicator].disaggregation)
            yield from _known(sourced, (*here, "groups"), design.groups, dimensions)


def _twice(sourced: Sourced[Plan]) -> Iterator[Problem]:
    plan = sourced.record
    lists: list[tuple[Place, list[str]]] = [
        (("principles",), [one.id for one in plan.principles]),
        (("results",), [one.id for one in plan.results]),
        (("indicators",), [one.id for one in plan.indicators]),
        (("designs",), [one.id for one in plan.designs]),
        (("open_questions",), [one.id for one in plan.open_questions]),
    ]
    for place, names in lists:
        for position, name in _repeated(names):
            yield _taken(sourced, (*place, position, "id"), name)
    for position, name in _repeated([use.name for use in plan.uses]):
        message = _('the indicator "{name}" already has a baseline and a target in this plan').format(name=name)
        hint = _("delete one of the two, or give the second use an id of its own")
        key = "id" if plan.uses[position].id else "indicator"
        yield sourced.problem("workspace.promised-twice", ("uses", position, key), message, None, hint)
    if plan.edition is not None:  # others name its entries as <plan>/<id>
        yield from _entries_twice(sourced)


def _entries_twice(sourced: Sourced[Plan]) -> Iterator[Problem]:
    plan = sourced.record
    seen = {name for one in plan.principles for name in (one.id, *one.also_known_as)}
    for number, goal in enumerate(plan.goals):
        rows = [
            (goal, ("goals", number)),
            *((m, ("goals", number, "measures", i)) for i, m in enumerate(goal.measures)),
        ]
        for entry, place in rows:
            if entry.id in seen:
                yield _taken(sourced, (*place, "id"), entry.id)
            seen.update((entry.id, *entry.also_known_as))


def _repeated(names: Iterable[str]) -> Iterator[tuple[int, str]]:
    seen: set[str] = set()
    for position, name in enumerate(names):
        if name in seen:
            yield position, name
        seen.add(name)


def _taken(sourced: Sourced[Plan], place: Place, name: str) -> Problem:
    message = _('the id "{id}" is already taken').format(id=name)
    return sourced.problem("workspace.duplicate-id", place, message, _("an id of its own"))


def _all_known(sourced: Sourced[Plan], place: Place, names: Iterable[str], known: Collection[str]) -> Iterator[Problem]:
    for position, name in enumerate(names):
        yield from _known(sourced, (*place, position), name, known)


def _known(sourced: Sourced[Plan], place: Place, name: str, known: Collection[str]) -> Iterator[Problem]:
    if name not in known:
        expected = _("one of: {names}").format(names=listing(sorted(known))) if known else None
        message = _('nothing in the plan bears the name "{name}"').format(name=name)
        yield sourced.problem("workspace.unknown-part", place, message, expected, did_you_mean(name, known))


def _of_values(
    sourced: Sourced[Plan], place: Place, use: IndicatorUse, definition: IndicatorDefinition
) -> Iterator[Problem]:
    low, high = definition.limits
    values: list[tuple[Place, float]] = [(("path", number, "value"), one.value) for number, one in enumerate(use.path)]
    values += [(("baseline", "value"), use.baseline.value)] if use.baseline else []
    values += [(("target", "value"), use.target.value)] if use.target else []
    for where, value in values:
        if (low is not None and value < low) or (high is not None and value > high):
            message = _("{value} {unit} lies outside what the indicator can be").format(
                value=f"{value:g}", unit=definition.unit
            )
            expected = _("from {low} to {high}").format(low=_edge(low), high=_edge(high))
            yield sourced.problem("workspace.outside-limits", (*place, *where), message, expected)
    for name in use.breakdown:
        if name not in definition.disaggregation:
            message = _('the indicator is not broken down by "{name}"').format(name=name)
            yield sourced.problem(
                "workspace.unknown-part",
                (*place, "breakdown", name),
                message,
                None,
                did_you_mean(name, definition.disaggregation),
                key=True,
            )


def _edge(value: float | None) -> str:
    return "…" if value is None else f"{value:g}"


def _of_periods(sourced: Sourced[Plan], place: Place, use: IndicatorUse) -> Iterator[Problem]:
    """Hold a path between its baseline and its target, and everything within the period of the plan."""
    last = use.target.period if use.target else None
    first = use.baseline.period if use.baseline else None
    for number, point in enumerate(use.path):
        here: Place = (*place, "path", number, "period")
        nearest = first if first is not None and point.period < first else last
        if (first is not None and point.period < first) or (last is not None and point.period > last):
            message = _("{period} lies outside the time from baseline to target").format(period=point.period)
            expected = _("from {low} to {high}").format(low=first or "…", high=last or "…")
            yield sourced.problem("workspace.outside-period", here, message, expected, _nearest(nearest))
        else:
            yield from _within_plan(sourced, here, point.period)
    if last is not None:
        yield from _within_plan(sourced, (*place, "target", "period"), last)


def _of_milestones(sourced: Sourced[Plan]) -> Iterator[Problem]:
    """Hold what is to be there by a date within the period of the plan; it may be done late."""
    for at, goal in enumerate(sourced.record.goals):
        for number, measure in enumerate(goal.measures):
            for position, milestone in enumerate(measure.milestones):
                place: Place = ("goals", at, "measures", number, "milestones", position, "due")
                if milestone.due is not None:
                    yield from _within_plan(sourced, place, milestone.due)


def _within_plan(sourced: Sourced[Plan], place: Place, period: str) -> Iterator[Problem]:
    span = sourced.record.period
    if span is None:
        return
    begin, end = span.start, span.end
    early, late = last_day_of(period) < begin, end is not None and first_day(period) > end
    if early or late:
        message = _("{period} lies outside the period of the plan").format(period=period)
        expected = _("from {low} to {high}").format(low=begin, high=end or "…")
        nearest = period_like(period, begin if early or end is None else end)
        yield sourced.problem("workspace.outside-period", place, message, expected, _nearest(nearest))


def _nearest(period: str | None) -> str | None:
    return None if period is None else _("the nearest one is {period}").format(period=period)
