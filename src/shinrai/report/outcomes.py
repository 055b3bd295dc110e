"""What the report and the terminal show of plans and their indicators; worked out once, for both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from shinrai.catalog import status_methods
from shinrai.check.delivery import Delivery, MeasureState, MilestoneState, Moved, measure_states
from shinrai.check.effects import Effect, EffectState, WhyNot, effects
from shinrai.check.indicators import IndicatorStatus, StateReason, assess, count_states, reversals
from shinrai.check.series import Series, SeriesKey, gather, observations
from shinrai.ledger.projection import State
from shinrai.records import (
    DesignKind,
    IndicatorState,
    Observation,
    PathBasis,
    Plan,
    ResultLevel,
    Standing,
    StatusMethod,
)
from shinrai.report.groups import Groups, groups_of
from shinrai.report.prefectures import code_of
from shinrai.report.words import N_
from shinrai.workspace import Workspace

__all__ = [
    "BASES",
    "DELIVERY_WORDS",
    "DESIGN_WORDS",
    "EFFECT_WORDS",
    "EVIDENCE_WORDS",
    "LEVELS",
    "METHOD_WORDS",
    "MILESTONE_SHAPES",
    "MILESTONE_WORDS",
    "MOVED_WORDS",
    "NOTE_WORDS",
    "OBSERVATION_WORDS",
    "REASON_WORDS",
    "STANDINGS",
    "STATE_SHAPES",
    "STATE_STYLES",
    "STATE_WORDS",
    "UNIT_WORDS",
    "WHY_NOT_WORDS",
    "PlanView",
    "plan_views",
]

_METHOD = "pace-against-path"

STATE_WORDS: dict[IndicatorState, str] = {
    "achieved": N_("achieved"),
    "on_path": N_("on path"),
    "slightly_behind": N_("slightly behind"),
    "off_path": N_("off path"),
    "reversing": N_("reversing"),
    "too_early": N_("too early to say"),
    "no_recent_data": N_("no recent data"),
    "no_baseline": N_("no baseline"),
    "no_target": N_("no target"),
    "not_measurable": N_("not measurable"),
    "disputed": N_("disputed"),
}

STATE_SHAPES: dict[IndicatorState, str] = {
    "achieved": "★",
    "on_path": "●",
    "slightly_behind": "◆",
    "off_path": "▲",
    "reversing": "▼",
    "too_early": "◷",
    "no_recent_data": "◌",
    "no_baseline": "○",
    "no_target": "–",
    "not_measurable": "×",
    "disputed": "≠",
}

STATE_STYLES: dict[IndicatorState, str] = {
    "achieved": "green",
    "on_path": "green",
    "slightly_behind": "yellow",
    "off_path": "red",
    "reversing": "red",
    "too_early": "bright_black",
    "no_recent_data": "bright_black",
    "no_baseline": "bright_black",
    "no_target": "bright_black",
    "not_measurable": "bright_black",
    "disputed": "magenta",
}
"""Colours in the terminal (rich)."""

REASON_WORDS: dict[StateReason, str] = {
    "no-observation": N_("nothing was observed"),
    "too-old": N_("the newest value is older than the indicator allows"),
    "nothing-since-baseline": N_("nothing was observed since the baseline"),
    "series-break": N_("the series broke after the baseline, so that they cannot be compared"),
    "no-target-date": N_("the target has no date"),
    "other-area": N_("what was observed is of another place or group than the promise; name its `area` in the plan"),
    "only-forecast": N_("nothing was observed; there are forecasts only"),
    "other-periods": N_("the observations are of another kind of period than the promise"),
    "stated-by-plan": N_("nobody can measure it as it stands"),
    "sources-contradict": N_("equally new values contradict one another"),
    "effect-not-expected-yet": N_("an effect is not expected yet"),
    "no-baseline-value": N_("the plan names no baseline"),
    "no-target-value": N_("the plan names no target"),
    "target-met-at-baseline": N_("the target had been met at the baseline already"),
    "path-still-flat": N_("the path asks for no progress yet"),
}

NOTE_WORDS: dict[str, str] = {
    "revised": N_("values were revised; every vintage is kept"),
    "disputed": N_("values contradict one another"),
    "flagged": N_("a value is flagged as doubtful"),
    "definition-changed": N_("definition, population or survey changed without a declared break"),
    "correction-refused": N_("a correction no longer fits the value it was made for, and was not made"),
    "correction-unused": N_("a correction fits no value"),
    "corrected": N_("a value was corrected"),
    "target-met-at-baseline": N_("the target asks for no more than the baseline"),
    "baseline-error-unknown": N_("the sampling error of the baseline is not known and was taken as none"),
    "target-draft": N_("the target is known from a draft only"),
    "target-unverified": N_("the target could not be verified"),
    "below-baseline": N_("worse than at the baseline"),
}

METHOD_WORDS: dict[str, str] = {
    "path": N_("against the path"),
    "growth": N_("growth rates (as Eurostat and Statistics Canada)"),
    "regression": N_("projection (as ESCAP)"),
}

BASES: dict[PathBasis, str] = {
    "official": N_("official path"),
    "linear-interpolated": N_("straight line, from the plan"),
    "s-curve-assumed": N_("S-curve, assumed"),
    "expert": N_("judged by experts"),
}

STANDINGS: dict[Standing, str] = {
    "final": N_("final text"),
    "draft": N_("draft only"),
    "unverified": N_("not verified"),
}

OBSERVATION_WORDS: dict[str, str] = {
    "normal": "",
    "provisional": N_("provisional"),
    "estimated": N_("estimated"),
    "forecast": N_("forecast"),
    "break": N_("break in the series"),
}

UNIT_WORDS: dict[str, str] = {
    "percent": "%",
    "persons": N_("persons"),
    "persons-million": N_("million persons"),
    "yen-trillion": N_("trillion yen"),
    "usd-billion": N_("billion US dollars"),
    "fields": N_("fields"),
}
"""Units that have words of their own; others are shown as they are written."""

LEVELS: dict[ResultLevel, str] = {
    "input": N_("input"),
    "activity": N_("activity"),
    "output": N_("output"),
    "outcome": N_("outcome"),
    "impact": N_("impact"),
}

MILESTONE_WORDS: dict[MilestoneState, str] = {
    "done": N_("done"),
    "done_late": N_("done late"),
    "overdue": N_("due, and nothing says that it was done"),
    "pending": N_("ahead"),
    "undated": N_("no date"),
}

MILESTONE_SHAPES: dict[MilestoneState, str] = {
    "done": "●",
    "done_late": "◆",
    "overdue": "▲",
    "pending": "◷",
    "undated": "–",
}

DELIVERY_WORDS: dict[Delivery, str] = {
    "delivered": N_("delivered"),
    "not_delivered": N_("not delivered"),
    "not_known": N_("delivery not known"),
}

MOVED_WORDS: dict[Moved, str] = {
    "moved": N_("outcome moved"),
    "not_moved": N_("outcome not moved"),
    "not_known": N_("outcome not known"),
}

EFFECT_WORDS: dict[EffectState, str] = {
    "shown": N_("an effect is shown"),
    "not_shown": N_("no effect is shown"),
    "doubtful": N_("doubtful: placebos show as much"),
    "no_answer": N_("cannot be said"),
}

WHY_NOT_WORDS: dict[WhyNot, str] = {
    "not-registered": N_("the design is not registered as it stands (shinrai plan)"),
    "too-few-periods": N_("too few periods before or after the start"),
    "gaps": N_("periods are missing within the series"),
    "too-few-groups": N_("an interval needs at least two comparison groups"),
    "nothing-yet": N_("nothing was observed on one side of the start"),
}

DESIGN_WORDS: dict[DesignKind, str] = {
    "interrupted-time-series": N_("interrupted time series"),
    "difference-in-differences": N_("difference in differences"),
}

EVIDENCE_WORDS: dict[int, str] = {
    0: N_("none"),
    1: N_("before and after"),
    2: N_("a time series without a comparison"),
    3: N_("with a comparison group"),
    4: N_("a strong quasi-experiment"),
    5: N_("randomised"),
}
"""Levels of evidence, on the ladder that links of results use too."""

QUADRANT_WORDS: dict[tuple[Delivery, Moved], str] = {
    ("delivered", "moved"): N_("consistent with the theory; the credit is not proven"),
    ("delivered", "not_moved"): N_("theory failure, lag or the wrong indicator: review"),
    ("not_delivered", "moved"): N_("another cause; not to be claimed"),
    ("not_delivered", "not_moved"): N_("a problem of delivery"),
}


@dataclass(frozen=True, slots=True)
class PlanView:
    """One plan on one page.

    Parameters
    ----------
    plan : Plan
    statuses : list of IndicatorStatus
    measures : list of MeasureState
    in_force : bool
        Whether it is in force on the day.
    ahead : bool
        Whether it comes into force only later.
    groups : mapping
        Name of a use → its breakdowns.
    others : mapping
        Name of a use → the newest observation of each other area, for comparison.
    effects : list of Effect
        What its designs of evaluation say.
    """

    plan: Plan
    statuses: list[IndicatorStatus]
    measures: list[MeasureState]
    in_force: bool
    ahead: bool
    groups: Mapping[str, list[Groups]]
    others: Mapping[str, list[Observation]]
    effects: list[Effect]

    @property
    def counts(self) -> dict[IndicatorState, int]:
        """Indicators by state; together they are all of them."""
        return count_states(self.statuses)

    @property
    def with_data(self) -> int:
        """How many indicators have any observation."""
        return sum(status.observed is not None for status in self.statuses)

    @property
    def reversals(self) -> list[IndicatorStatus]:
        """What moves the wrong way."""
        return reversals(self.statuses)


def method() -> StatusMethod:
    """Give the thresholds by which the report speaks."""
    return status_methods()[_METHOD]


def plan_views(workspace: Workspace, state: State, today: date) -> list[PlanView]:
    """Work out every plan that the workspace watches.

    Parameters
    ----------
    workspace : Workspace
        As loaded.
    state : State
        Of its ledger, which holds the observations.
    today : date
        The day for which it is said.

    Returns
    -------
    list of PlanView
        Own plans first, then the followed ones, newest first.
    """
    plans = workspace.watched
    if not plans:
        return []
    corrections = [one for file in workspace.corrections.values() for one in file.corrections]
    series = gather(observations(state, workspace.root), corrections)
    views = []
    for plan in plans:
        statuses = assess([plan], workspace.all_plans, series, method(), today)
        groups = {status.use.name: groups_of(status, series) for status in statuses}
        others = {status.use.name: _elsewhere(status, series) for status in statuses}
        views.append(
            PlanView(
                plan,
                statuses,
                measure_states(plan, statuses, today),
                _in_force(plan, today),
                _ahead(plan, today),
                groups,
                others,
                effects(plan, state, series, workspace.root),
            )
        )
    return views


def _in_force(plan: Plan, today: date) -> bool:
    if plan.edition is None or plan.edition.in_force is None:
        return True
    period = plan.edition.in_force
    return period.start <= today and (period.end is None or today < period.end)


def _ahead(plan: Plan, today: date) -> bool:
    return plan.edition is not None and plan.edition.in_force is not None and plan.edition.in_force.start > today


def _elsewhere(status: IndicatorStatus, series: Mapping[SeriesKey, Series]) -> list[Observation]:
    """Give the newest observations of other areas, in their order."""
    own = status.use.area or status.plan.area
    found: list[Observation] = []
    for (indicator, area, group), one in series.items():
        if (
            indicator == status.definition.id
            and area not in {None, own}
            and not group
            and one.observed
            and not code_of(area or "")
        ):
            found.append(one.observed[-1].newest)
    return sorted(found, key=lambda one: one.area or "")


def quadrant(states: Sequence[MeasureState], delivery: Delivery, moved: Moved) -> list[MeasureState]:
    """Give the measures of one cell of the table of delivery and outcome."""
    return [state for state in states if (state.delivery, state.moved) == (delivery, moved)]
