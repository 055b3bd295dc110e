"""Plans: goals, the measures that serve them, and the claims a measure makes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from shinrai.i18n import _
from shinrai.records.base import Id, Record, Role, Share, Text
from shinrai.records.change import ChangeReason, LintDecision
from shinrai.records.design import EvaluationDesign
from shinrai.records.evidence import Observation
from shinrai.records.indicator import TOTAL, IndicatorDefinition, IndicatorUse
from shinrai.records.result import ResultLink, ResultNode
from shinrai.records.source import Certainty, Document, Source, Standing
from shinrai.records.timeperiod import TimePeriod


class Period(Record):
    """From a day to a day, both included."""

    start: date
    end: date | None = None


LegalForce: TypeAlias = Literal["statutory", "cabinet-decision", "guideline", "voluntary"]
"""What binds those who carry a measure out."""


class ClaimUse(Record):
    """A claim as a measure makes it: a check, with what this measure promises differently from it."""

    check: Id
    id: Annotated[Id | None, Field(description="Name of the claim; the check's own id when left out")] = None
    threshold: Annotated[
        float | tuple[float, float] | None, Field(description="Replaces the check's threshold; a pair for a band")
    ] = None
    alpha: Annotated[Share | None, Field(description="Error level; replaces the check's")] = None
    budget: Annotated[int | None, Field(gt=0, description="Trials at most; replaces the check's")] = None
    languages: Annotated[
        tuple[str, ...] | None, Field(description="Draws only items of these languages; replaces the check's")
    ] = None
    systems: Annotated[tuple[Id, ...] | None, Field(description="Narrows the measure's systems")] = None
    due: date | None = None

    @property
    def name(self) -> str:
        """The claim's id within its measure."""
        return self.id or self.check


class PlanEntry(Record):
    """What every numbered entry of a plan has: an id that stays, a number that may change, and where it was read."""

    id: Id
    number: Annotated[str | None, Field(description="As this version of the plan shows it; names nothing")] = None
    title: Text
    note: Text | None = None
    sources: tuple[Source, ...] = ()
    certainty: Annotated[Certainty | None, Field(description="How sure it is that the plan says so")] = None
    also_known_as: Annotated[tuple[Id, ...], Field(description="Ids that it once had and still answers to")] = ()
    replaces: Annotated[
        tuple[Id, ...],
        Field(description="Entries of the version before that went into it: two that name the same one split it"),
    ] = ()


class Principle(PlanEntry):
    """What a plan holds itself to."""


class Milestone(PlanEntry):
    """Something that is to be there by a date: it is done, or it is not. What it changed is another track."""

    due: TimePeriod | None = None
    done: Annotated[TimePeriod | None, Field(description="When it was done; left out while it is not")] = None
    done_sources: Annotated[tuple[Source, ...], Field(description="Where that can be read")] = ()
    standing: Standing = "final"


class Measure(PlanEntry):
    """What somebody does for a goal, and how anybody can tell that it holds."""

    description: Text | None = None
    implements: Annotated[
        tuple[str, ...], Field(description="Entries of higher plans, such as jp-ai-basic-plan-2025/3")
    ] = ()
    owner: Annotated[Role | None, Field(description="Who answers for it; needed where it makes claims")] = None
    co_owners: tuple[Role, ...] = ()
    systems: Annotated[tuple[Id, ...] | None, Field(description="Systems it is about; all when left out")] = None
    start: date | None = None
    due: date | None = None
    legal_force: LegalForce | None = None
    budget_refs: Annotated[tuple[str, ...], Field(description="Projects of the budget review that pay for it")] = ()
    rollout_group: Annotated[str | None, Field(description="Wave of a phased start, for a comparison")] = None
    no_outcome_reason: Annotated[Text | None, Field(description="Why it leads to no outcome, where that is so")] = None
    milestones: tuple[Milestone, ...] = ()
    claims: tuple[ClaimUse, ...] = ()

    @model_validator(mode="after")
    def _claims_have_an_owner(self) -> Measure:
        if self.claims and self.owner is None:
            raise ValueError(_("a measure that makes claims needs an owner"))
        return self


class Goal(PlanEntry):
    """What is to be reached: a goal of an organisation, a direction of a national plan, a section of a guideline."""

    kind: Literal["goal", "direction", "section"] = "goal"
    measures: tuple[Measure, ...] = ()


class PlanVersion(Record):
    """A decision: which text of a plan it is, since when, and what it took the place of."""

    series: Annotated[Id, Field(description="Name of the plan across all its versions")]
    decided_on: date
    in_force: Annotated[Period | None, Field(description="Without an end while it is in force")] = None
    supersedes: Annotated[Id | None, Field(description="Id of the version before")] = None
    state: Literal["draft", "decided", "superseded"] = "decided"
    document: Document


class OpenQuestion(Record):
    """What could not be verified, and where somebody could look."""

    id: Id
    title: Text
    look_at: Annotated[tuple[str, ...], Field(description="Addresses of the texts that would answer it")] = ()


class Plan(Record):
    """The files ``plans/*.yaml``: what we promise; and one version of a national plan, which is the same thing."""

    id: Id
    title: Text
    owner: Role
    version: str = "1"
    period: Period | None = None
    implements: tuple[str, ...] = ()
    issuer: Annotated[Text | None, Field(description="Who decided it, where that is not the owner alone")] = None
    area: Annotated[str | None, Field(description="Country, prefecture or municipality, such as JP or JP-13")] = None
    legal_basis: Text | None = None
    review_cycle: Text | None = None
    edition: Annotated[PlanVersion | None, Field(description="The decision; for plans that others implement")] = None
    principles: tuple[Principle, ...] = ()
    goals: tuple[Goal, ...] = ()
    results: tuple[ResultNode, ...] = ()
    links: tuple[ResultLink, ...] = ()
    indicators: Annotated[
        tuple[IndicatorDefinition, ...],
        Field(description="Definitions; one that is not here is that of the version before"),
    ] = ()
    uses: tuple[IndicatorUse, ...] = ()
    designs: Annotated[
        tuple[EvaluationDesign, ...], Field(description="How effects are to be told; registered by `shinrai plan`")
    ] = ()
    open_questions: tuple[OpenQuestion, ...] = ()
    reasons: Annotated[tuple[ChangeReason, ...], Field(description="Why it differs from the version before")] = ()
    decisions: Annotated[tuple[LintDecision, ...], Field(description="Findings of `plan lint` that may stay")] = ()

    def measures(self) -> Iterator[Measure]:
        """Give every measure, goal by goal."""
        for goal in self.goals:
            yield from goal.measures

    def entries(self) -> Iterator[PlanEntry]:
        """Give every entry that another plan can implement: principles, goals and measures."""
        yield from self.principles
        for goal in self.goals:
            yield goal
            yield from goal.measures

    def named(self) -> dict[str, PlanEntry]:
        """Index the entries by the names that another plan may use: ``<plan>/<id>``, former ids included."""
        return {f"{self.id}/{name}": entry for entry in self.entries() for name in (entry.id, *entry.also_known_as)}

    @property
    def series(self) -> Id:
        """The plan across its versions; its own id where it has none."""
        return self.edition.series if self.edition else self.id


def definitions(plan: Plan, plans: Mapping[Id, Plan]) -> dict[Id, IndicatorDefinition]:
    """Give the definitions of indicators that are in force in a version of a plan.

    Parameters
    ----------
    plan : Plan
        What it defines itself comes first.
    plans : mapping
        Id → plan, in which the versions before are looked up, as far as they are there.

    Returns
    -------
    dict
        Indicator → definition.
    """
    found: dict[Id, IndicatorDefinition] = {}
    seen: set[Id] = set()
    version: Plan | None = plan
    while version is not None and version.id not in seen:
        seen.add(version.id)
        found = {one.id: one for one in version.indicators} | found
        before = version.edition.supersedes if version.edition else None
        version = plans.get(before) if before is not None else None
    return found


def own_observations(plan: Plan, use: IndicatorUse, observations: Iterable[Observation]) -> list[Observation]:
    """Give the observations that a promise about an indicator is held against.

    Parameters
    ----------
    plan : Plan
        Which makes the promise; its area counts where the promise names none.
    use : IndicatorUse
        The promise.
    observations : iterable of Observation
        Of its indicator, for whatever place and group.

    Returns
    -------
    list of Observation
        Every vintage of the place and group in question; where there is none, those that name no place. Forecasts are
        none, and what was observed elsewhere is never taken for it.
    """
    group = {name: value for name, value in use.breakdown.items() if value != TOTAL}
    about = [
        one
        for one in observations
        if one.subject == use.indicator
        and one.period is not None
        and one.status != "forecast"
        and {name: value for name, value in (one.breakdown or {}).items() if value != TOTAL} == group
    ]
    area = use.area or plan.area
    return [one for one in about if one.area == area] or [one for one in about if one.area is None]
