"""Rules G1 to G5: signs that a target or a value was made to fit. They say "look here", never more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from shinrai.i18n import N_
from shinrai.plan.lint.graph import Chain
from shinrai.plan.lint.outcomes import Observed
from shinrai.plan.lint.rules import LintFinding, found
from shinrai.plan.sentences import Sentence, Values
from shinrai.plan.versions import Comparison
from shinrai.records import (
    Direction,
    IndicatorDefinition,
    IndicatorUse,
    Observation,
    Plan,
    frequency_of,
    last_day_of,
    own_observations,
)
from shinrai.stats.bunching import bunching

_LEAST_RATES = 10
_LEAST_ENDINGS = 5
_LEVEL = 0.01


def latest(plan: Plan, use: IndicatorUse, observed: Observed) -> dict[str, Observation]:
    """Give period → its newest vintage, in order of time, of the place and group that a promise is about."""
    own = own_observations(plan, use, observed.get(use.indicator, ()))
    newest: dict[str, Observation] = {}
    for one in sorted(own, key=lambda one: (last_day_of(one.period or ""), one.published or date.min)):
        newest[one.period or ""] = one
    return newest


def bunched(chain: Chain, observed: Observed) -> Iterator[LintFinding]:
    """G1: rates of achievement pile up just at 100 %."""
    rates = [rate for use in chain.plan.uses for rate in _rates(chain, use, observed)]
    seen = bunching(rates)
    if seen.above + seen.below >= _LEAST_RATES and seen.p < _LEVEL:
        message = N_(
            "{above} rates of achievement lie from 100 % to 105 %, and {below} from 95 % to 100 %: "
            "were both equally likely, that would happen with probability {p}"
        )
        values: Values = {"above": seen.above, "below": seen.below, "p": f"{seen.p:.2g}"}
        yield found("G1", chain.plan.id, ("uses",), Sentence(message, values))


def _rates(chain: Chain, use: IndicatorUse, observed: Observed) -> Iterator[float]:
    definition = chain.definitions.get(use.indicator)
    if definition is None or definition.direction == "band":
        return
    values = latest(chain.plan, use, observed)
    for point in use.path:
        one = values.get(point.period)
        if one is not None and point.value > 0 and one.value > 0:
            yield one.value / point.value if definition.direction == "up" else point.value / one.value


def already_reached(chain: Chain, observed: Observed) -> Iterator[LintFinding]:
    """G2: a target lies on the wrong side of its own baseline, or of the last observed value."""
    for at, use in enumerate(chain.plan.uses):
        definition = chain.definitions.get(use.indicator)
        if definition is None or use.target is None or definition.direction == "band":
            continue
        said = _no_more_than_baseline(use, definition) or _no_more_than_last(chain, use, definition, observed)
        if said is not None:
            yield found("G2", use.name, ("uses", at, "target"), said)


def _no_more_than_baseline(use: IndicatorUse, definition: IndicatorDefinition) -> Sentence | None:
    """Compare what the plan itself says: this needs no observation."""
    baseline, target = use.baseline, use.target
    if baseline is None or target is None or not _at_least(definition.direction, baseline.value, target.value):
        return None
    same = N_("the target of “{title}” ({target}) is no other value than its baseline ({value}, {period})")
    worse = N_("the target of “{title}” ({target}) is worse than its baseline ({value}, {period})")
    values: Values = {
        "title": definition.title,
        "target": f"{target.value:g}",
        "value": f"{baseline.value:g}",
        "period": baseline.period,
    }
    return Sentence(same if baseline.value == target.value else worse, values)


def _no_more_than_last(
    chain: Chain, use: IndicatorUse, definition: IndicatorDefinition, observed: Observed
) -> Sentence | None:
    target = use.target
    last = next(reversed(latest(chain.plan, use, observed).values()), None)
    if target is None or last is None or not _at_least(definition.direction, last.value, target.value):
        return None
    if target.period is not None and last.as_of >= last_day_of(target.period):
        return None  # reached in time is no sign of anything
    message = N_(
        "the target of “{title}” ({target}) asks for no more than the last value ({value}, {period}) already gives"
    )
    values: Values = {
        "title": definition.title,
        "target": f"{target.value:g}",
        "value": f"{last.value:g}",
        "period": last.period or "",
    }
    return Sentence(message, values)


def _at_least(direction: Direction, value: float, target: float) -> bool:
    return value >= target if direction == "up" else value <= target


def weakened(comparison: Comparison) -> Iterator[LintFinding]:
    """G3: targets moved to the worse side since the version before."""
    places = {use.name: at for at, use in enumerate(comparison.new.uses)}
    kinds = {"target-raised", "target-lowered", "target-removed", "target-date-moved"}
    for change in comparison.changes:
        if change.part == "use" and change.effect == "weaker" and change.kind in kinds and change.id in places:
            definition = comparison.after[comparison.new.uses[places[change.id]].indicator]
            message = N_("“{title}”: the version before promised {before}, this one {after}")
            values: Values = {"title": definition.title, "before": _plain(change.before), "after": _plain(change.after)}
            yield found("G3", change.id, ("uses", places[change.id]), Sentence(message, values))


def _plain(value: object) -> str:
    if isinstance(value, dict):
        value = value.get("value")
    return f"{value:g}" if isinstance(value, float | int) else str(value) if value is not None else "–"


def swapped(comparison: Comparison, observed: Observed) -> Iterator[LintFinding]:
    """G4: an indicator exchanged or dropped right after it got worse."""
    new = {use.name: at for at, use in enumerate(comparison.new.uses)}
    old = {use.name: use for use in comparison.old.uses}
    for change in comparison.changes:
        if change.part != "use" or change.kind not in {"indicator-replaced", "removed"}:
            continue
        use = old.get(change.related[0] if change.related else change.id)
        definition = comparison.before.get(use.indicator) if use else None
        if use is None or definition is None:
            continue
        fell = _fell(definition, list(latest(comparison.old, use, observed).values()))
        if fell is not None:
            message = N_(
                "“{title}” is no longer promised; when last observed ({period}) it had got worse, "
                "from {before} to {after}"
            )
            place = ("uses", new[change.id]) if change.id in new else ("uses",)
            values: Values = {
                "title": definition.title,
                "before": f"{fell[0]:g}",
                "after": f"{fell[1]:g}",
                "period": fell[2],
            }
            yield found("G4", change.id, place, Sentence(message, values))


def _fell(definition: IndicatorDefinition, values: Sequence[Observation]) -> tuple[float, float, str] | None:
    """Give the last two values and the last period where the last one is the worse; None else."""
    if len(values) < 2 or definition.direction == "band" or values[-1].series_break:
        return None
    before, after = values[-2].value, values[-1].value
    worse = after < before if definition.direction == "up" else after > before
    same_kind = frequency_of(values[-1].period or "") == frequency_of(values[-2].period or "")
    return (before, after, values[-1].period or "") if worse and same_kind else None


def last_day(chain: Chain) -> Iterator[LintFinding]:
    """G5: milestones finished on their very last day. Only dates given to the day can show it."""
    ends = [
        (milestone.done, milestone.due)
        for measure in chain.plan.measures()
        for milestone in measure.milestones
        if milestone.done and milestone.due and frequency_of(milestone.done) == "day"
    ]
    on_the_day = sum(last_day_of(done) == last_day_of(due) for done, due in ends)
    if len(ends) >= _LEAST_ENDINGS and 2 * on_the_day > len(ends):
        message = N_("{count} of {all} milestones were finished on their very last day")
        yield found("G5", chain.plan.id, ("goals",), Sentence(message, {"count": on_the_day, "all": len(ends)}))
