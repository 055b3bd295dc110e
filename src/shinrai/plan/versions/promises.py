"""Changes of what a plan promises in numbers: indicators, baselines, targets and paths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from shinrai.plan.versions.changes import Change, Effect, Rule
from shinrai.plan.versions.entries import as_json, of_words
from shinrai.plan.versions.matching import Matched, by_id
from shinrai.records import (
    ChangeKind,
    Direction,
    Id,
    IndicatorDefinition,
    IndicatorUse,
    Plan,
    Target,
    last_day_of,
    year_of,
)

Definitions = Mapping[Id, IndicatorDefinition]

_DEFINING: Final = ("unit", "unit_multiplier", "direction", "band", "survey_mode", "disaggregation")


def of_promises(old: Plan, new: Plan, before: Definitions, after: Definitions) -> Iterator[Change]:
    """Give the changes of indicators and of what is promised about them.

    Parameters
    ----------
    old, new : Plan
        Two versions.
    before, after : mapping
        Indicator → its definition in the version, inherited ones included.

    Yields
    ------
    Change
    """
    for name in dict.fromkeys(use.indicator for use in new.uses):
        if name in before and name in after:
            yield from _of_definition(before[name], after[name])
    uses = by_id({use.name: use for use in old.uses}, {use.name: use for use in new.uses})
    replaced = _replacements(uses)
    for use, other in replaced:
        yield Change(
            "indicator-replaced",
            "use",
            other.name,
            "unclear",
            "D10-indicator",
            "indicator",
            use.indicator,
            other.indicator,
            (use.name,),
        )
    gone = {use.name for use, _other in replaced}
    come = {other.name for _use, other in replaced}
    for use in uses.new:
        if use.name not in come:
            effect, rule = _of_new(use)
            yield Change("added", "use", use.name, effect, rule, "", None, as_json(use))
    for use, other in uses.pairs:
        yield from _of_use(use, other, _direction(use, other, before, after))
    for use in uses.gone:
        if use.name not in gone:
            effect, rule = ("weaker", "D2-promise-removed") if use.target else ("neutral", "D19-words")
            yield Change("removed", "use", use.name, effect, rule, "", as_json(use))


def _of_new(use: IndicatorUse) -> tuple[Effect, Rule]:
    return ("stronger", "D1-promise-added") if use.target else ("neutral", "D19-words")


def _of_definition(before: IndicatorDefinition, after: IndicatorDefinition) -> Iterator[Change]:
    for field in _DEFINING:
        values = getattr(before, field), getattr(after, field)
        if values[0] != values[1]:
            old, new = (list(value) if isinstance(value, tuple) else value for value in values)
            yield Change("definition-changed", "indicator", after.id, "unclear", "D11-definition", field, old, new)
    for field in ("title", "formula", "population"):
        for change in of_words("indicator", after.id, field, getattr(before, field), getattr(after, field)):
            words = change.before, change.after
            yield Change("definition-changed", "indicator", after.id, "unclear", "D11-definition", field, *words)


def _replacements(uses: Matched[IndicatorUse]) -> list[tuple[IndicatorUse, IndicatorUse]]:
    """Pair an indicator that went with the one that came in its place: the only two of what they stand for."""
    pairs = []
    for use in uses.gone:
        here = [other for other in uses.new if use.of is not None and other.of == use.of]
        went = [other for other in uses.gone if other.of == use.of]
        if len(here) == len(went) == 1:
            pairs.append((use, here[0]))
    return pairs


def _direction(use: IndicatorUse, other: IndicatorUse, before: Definitions, after: Definitions) -> Direction | None:
    """Give the direction that both versions agree on; None for a band, where more can be better or worse."""
    old, new = before.get(use.indicator), after.get(other.indicator)
    if old is None or new is None or old.direction != new.direction or old.direction == "band":
        return None
    return old.direction


def _of_use(before: IndicatorUse, after: IndicatorUse, direction: Direction | None) -> Iterator[Change]:
    name = after.name
    if before.indicator != after.indicator:
        names = before.indicator, after.indicator
        yield Change("indicator-replaced", "use", name, "unclear", "D10-indicator", "indicator", *names)
        return
    if before.of != after.of:
        yield Change("moved", "use", name, "neutral", "D20-place", "of", before.of, after.of)
    yield from _of_baseline(before, after, direction)
    yield from _of_target(before, after, direction)
    yield from _of_path(before, after, direction)


def _of_baseline(before: IndicatorUse, after: IndicatorUse, direction: Direction | None) -> Iterator[Change]:
    old, new = before.baseline, after.baseline
    if (old and (old.period, old.value)) == (new and (new.period, new.value)):
        return
    effect: Effect = "unclear"
    rule: Rule = "D8-distance"
    if old and new and direction is None:
        rule = "D24-no-direction"
    elif old and new and before.target and after.target and before.target.value == after.target.value:
        farther = abs(after.target.value - new.value) - abs(before.target.value - old.value)
        effect = "stronger" if farther > 0 else "weaker" if farther < 0 else "neutral"
    yield Change("baseline-changed", "use", after.name, effect, rule, "baseline", as_json(old), as_json(new))


def _of_target(before: IndicatorUse, after: IndicatorUse, direction: Direction | None) -> Iterator[Change]:
    old, new = before.target, after.target
    name = after.name
    if old is None or new is None:
        if old is None and new is not None:
            yield Change("target-added", "use", name, "stronger", "D1-promise-added", "target", None, as_json(new))
        elif old is not None:
            yield Change("target-removed", "use", name, "weaker", "D2-promise-removed", "target", as_json(old))
        return
    both = old.value != new.value and old.period != new.period
    judged: tuple[Effect, Rule] | None = (_pace(before, after), "D22-date-and-target") if both else None
    if old.value != new.value:
        kind: ChangeKind = "target-raised" if new.value > old.value else "target-lowered"
        effect, rule = judged or _better(direction, old.value, new.value)
        yield Change(kind, "use", name, effect, rule, "target value", old.value, new.value)
    if old.period != new.period:
        effect, rule = judged or _sooner(old, new)
        yield Change("target-date-moved", "use", name, effect, rule, "target period", old.period, new.period)
    if old.standing != new.standing:
        standing = old.standing, new.standing
        yield Change("standing-changed", "use", name, "neutral", "D19-words", "target standing", *standing)


def _better(direction: Direction | None, old: float, new: float) -> tuple[Effect, Rule]:
    if direction is None:
        return "unclear", "D24-no-direction"
    better = new > old if direction == "up" else new < old
    return ("stronger", "D6-target-better") if better else ("weaker", "D7-target-worse")


def _sooner(old: Target, new: Target) -> tuple[Effect, Rule]:
    if old.period is None or new.period is None:
        return ("stronger", "D4-sooner") if old.period is None else ("weaker", "D5-later")
    sooner = last_day_of(new.period) < last_day_of(old.period)
    return ("stronger", "D4-sooner") if sooner else ("weaker", "D5-later")


def _pace(before: IndicatorUse, after: IndicatorUse) -> Effect:
    """Compare the yearly change that the two promises ask for from their baselines; unclear where one has none."""
    paces = [_yearly(use) for use in (before, after)]
    if paces[0] is None or paces[1] is None or paces[0] * paces[1] <= 0:
        return "unclear"
    gain = abs(paces[1]) - abs(paces[0])
    return "stronger" if gain > 0 else "weaker" if gain < 0 else "neutral"


def _yearly(use: IndicatorUse) -> float | None:
    if use.baseline is None or use.target is None or use.target.period is None:
        return None
    years = year_of(use.target.period) - year_of(use.baseline.period)
    return (use.target.value - use.baseline.value) / years if years > 0 else None


def _of_path(before: IndicatorUse, after: IndicatorUse, direction: Direction | None) -> Iterator[Change]:
    old, new = ({point.period: point.value for point in use.path} for use in (before, after))
    if old == new:
        return
    shared = [(old[period], new[period]) for period in old if period in new]
    effect: Effect = "unclear"
    if direction is not None and shared:
        sign = 1 if direction == "up" else -1
        moves = {(b > a) - (b < a) for a, b in ((sign * one, sign * other) for one, other in shared)} - {0}
        effect = "stronger" if moves == {1} else "weaker" if moves == {-1} else "unclear" if moves else "neutral"
    rule: Rule = "D24-no-direction" if direction is None else "D9-path"
    yield Change("path-changed", "use", after.name, effect, rule, "path", old, new)
