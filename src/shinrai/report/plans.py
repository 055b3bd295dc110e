"""The report's section on plans: its figures and what the template asks for."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Any

from markupsafe import Markup

from shinrai.check.delivery import MilestoneState
from shinrai.check.indicators import IndicatorStatus
from shinrai.check.series import gather, observations
from shinrai.ledger.projection import State
from shinrai.records import Measure, Milestone, Plan, ResultNode, Text
from shinrai.report import multiples, outcomes, plan_figures, prefectures
from shinrai.report.groups import Groups
from shinrai.report.outcomes import PlanView, plan_views
from shinrai.report.plan_diff import findings_about, plan_diff, plan_diff_section
from shinrai.report.thread import Thread
from shinrai.workspace import Workspace

__all__ = ["by_node", "template_values"]

_LEVELS = ("impact", "outcome", "output", "activity", "input")


def template_values(workspace: Workspace, state: State, today: date) -> dict[str, Any]:
    """Give everything that ``plans.html.j2`` uses.

    Parameters
    ----------
    workspace : Workspace
        As loaded.
    state : State
        Of its ledger.
    today : date
        The day for which the report speaks.
    """
    views = plan_views(workspace, state, today)
    thread = Thread(workspace, state, today)
    return {
        "views": views,
        "gaps": partial(_gaps, thread),
        "changed": partial(_changed, workspace, state, today),
        "observation_words": outcomes.OBSERVATION_WORDS,
        "by_node": by_node,
        "milestones": _milestones,
        "quadrant": outcomes.quadrant,
        "figure": _figure,
        "bars": _bars,
        "multiples": multiples.small_multiples,
        "promise_drawn": multiples.promise_drawn,
        "way_words": multiples.WAY_WORDS,
        "called": _called,
        "path_rows": plan_figures.path_rows,
        "plain": plan_figures.plain,
        "rough": plan_figures.rough,
        "state_words": outcomes.STATE_WORDS,
        "state_shapes": outcomes.STATE_SHAPES,
        "reason_words": outcomes.REASON_WORDS,
        "note_words": outcomes.NOTE_WORDS,
        "method_words": outcomes.METHOD_WORDS,
        "bases": outcomes.BASES,
        "effect_words": outcomes.EFFECT_WORDS,
        "why_not_words": outcomes.WHY_NOT_WORDS,
        "design_words": outcomes.DESIGN_WORDS,
        "evidence_words": outcomes.EVIDENCE_WORDS,
        "standings": outcomes.STANDINGS,
        "unit_words": outcomes.UNIT_WORDS,
        "levels": outcomes.LEVELS,
        "milestone_words": outcomes.MILESTONE_WORDS,
        "milestone_shapes": outcomes.MILESTONE_SHAPES,
        "delivery_words": outcomes.DELIVERY_WORDS,
        "moved_words": outcomes.MOVED_WORDS,
        "quadrant_words": outcomes.QUADRANT_WORDS,
    }


def by_node(view: PlanView) -> list[tuple[ResultNode | None, list[IndicatorStatus]]]:
    """Gather indicators under the results that they stand for, impacts and outcomes first, each in the plan's order."""
    nodes = {node.id: node for node in view.plan.results}
    found: dict[str | None, list[IndicatorStatus]] = {}
    for status in view.statuses:
        found.setdefault(status.use.of if status.use.of in nodes else None, []).append(status)
    ordered = sorted(nodes.values(), key=lambda node: _LEVELS.index(node.level))
    told: list[tuple[ResultNode | None, list[IndicatorStatus]]] = [
        (node, found[node.id]) for node in ordered if node.id in found
    ]
    return [*told, (None, found[None])] if None in found else told


def _gaps(thread: Thread, plan: Plan) -> list[Measure]:
    """Give the measures of a plan that others implement which nothing implements here."""
    if plan.edition is None:
        return []
    names = set(thread.gaps(plan).unanswered)
    return [measure for measure in plan.measures() if f"{plan.id}/{measure.id}" in names]


def _changed(workspace: Workspace, state: State, today: date, view: PlanView) -> Markup | None:
    """Compare a version with the one it supersedes, where that is there."""
    before = workspace.all_plans.get(view.plan.edition.supersedes or "") if view.plan.edition else None
    if before is None:
        return None
    corrections = [one for file in workspace.corrections.values() for one in file.corrections]
    return plan_diff_section(
        plan_diff(
            (before, view.plan),
            workspace.all_plans,
            gather(observations(state, workspace.root), corrections),
            outcomes.method(),
            today,
            findings_about(before, workspace, state),
        )
    )


def _milestones(view: PlanView, measure: Measure) -> tuple[tuple[Milestone, MilestoneState], ...]:
    return next(state.milestones for state in view.measures if state.measure is measure)


def _figure(status: IndicatorStatus) -> Markup:
    return Markup(plan_figures.series_figure(status))  # noqa: S704 - drawn from numbers, names escaped


def _called(status: IndicatorStatus, code: str) -> Text:
    """Give what a dimension or category is called: by the indicator, as a prefecture, or by its code alone."""
    if code == "area":
        return Text(en="prefecture", ja="都道府県")
    return status.definition.names.get(code) or prefectures.prefecture_name(code) or Text(en=code)


def _bars(groups: Groups) -> Markup:
    if groups.of_prefectures:
        return Markup(prefectures.prefecture_map(groups.values, groups.worst_names))  # noqa: S704 - as above
    top = max((value for _name, value in groups.values), default=1.0) or 1.0
    return Markup(plan_figures.bars(groups.values, groups.worst_names, top))  # noqa: S704 - as above
