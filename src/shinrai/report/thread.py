"""The thread from a national measure down to a single reply, and from a verdict up to the decision it serves.

A national measure names what organisations do; an organisation's measure implements it; systems are what the measure
is about; claims, verdicts, findings and actions hang below. Only declared links are followed: a title that resembles
another is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal, TypeAlias

from shinrai.errors import UsageError
from shinrai.i18n import _
from shinrai.ledger.projection import ClaimState, Finding, Judgement, State
from shinrai.records import (
    Certainty,
    Goal,
    Id,
    IndicatorState,
    Json,
    Measure,
    Outcome,
    Plan,
    PlanEntry,
    Principle,
    Reason,
    Status,
    Text,
)
from shinrai.report.evidence import Exhibit, exhibits
from shinrai.report.outcomes import UNIT_WORDS, PlanView, plan_views
from shinrai.report.plan_figures import plain
from shinrai.report.words import CERTAINTIES
from shinrai.source import did_you_mean
from shinrai.workspace import Workspace

Kind: TypeAlias = Literal[
    "decision",
    "plan",
    "principle",
    "goal",
    "measure",
    "indicator",
    "system",
    "claim",
    "verdict",
    "finding",
    "action",
    "reply",
]
"""What a knot of the thread is."""

_FAILING: Final[frozenset[Outcome]] = frozenset({"fail", "invalid", "blocked", "error"})
_PASSING: Final[frozenset[Outcome]] = frozenset({"pass"})


@dataclass(slots=True)
class Knot:
    """One knot of the thread and what hangs below it.

    Parameters
    ----------
    kind : Kind
    id : str
        By which it can be asked for: ``plan/entry``, ``claim@system``, a digest.
    title : Text
    status : Status or IndicatorState, optional
        Where it stands, for claims, verdicts and indicators.
    told : str
        What else there is to say, in words that need no translation: dates, roles, addresses.
    reason : Reason, optional
        Why a claim stands there.
    reply : Exhibit, optional
        Question and reply, ready to be shown.
    below : list of Knot
    """

    kind: Kind
    id: str
    title: Text
    status: Status | IndicatorState | None = None
    told: str = ""
    reason: Reason | None = None
    reply: Exhibit | None = None
    below: list[Knot] = field(default_factory=list)

    def to_json(self) -> dict[str, Json]:
        """Give the knot and everything below it as JSON values; what was replied stays inert text."""
        found: dict[str, Json] = {"kind": self.kind, "id": self.id, "title": self.title.to_json()}
        if self.status is not None:
            found["status"] = self.status
        if self.told:
            found["told"] = self.told
        if self.reason is not None:
            found["reason"] = self.reason
        if self.reply is not None:
            found["reply"] = {
                "item": self.reply.item,
                "outcome": self.reply.outcome,
                "detail": self.reply.detail,
                "exchanges": [{"asked": one.asked, "reply": one.reply} for one in self.reply.exchanges],
            }
        return {**found, "below": [knot.to_json() for knot in self.below]}


@dataclass(frozen=True, slots=True)
class Gaps:
    """Where the thread is torn.

    Parameters
    ----------
    unlinked : list of str
        Measures of the organisation's own plans that implement nothing: ``plan/measure``.
    unanswered : list of str
        Measures of the plan in question that nothing implements: ``plan/measure``.
    orphans : list of Id
        Systems that no claim applies to.
    """

    unlinked: list[str]
    unanswered: list[str]
    orphans: list[Id]

    def to_json(self) -> dict[str, Json]:
        """Give the gaps as JSON values."""
        return {"unlinked": self.unlinked, "unanswered": self.unanswered, "orphans": self.orphans}


class Thread:
    """The links of a workspace, ready to be walked.

    Parameters
    ----------
    workspace : Workspace
        As loaded.
    state : State
        Of its ledger.
    today : date
        For which to say where claims and indicators stand.
    """

    def __init__(self, workspace: Workspace, state: State, today: date) -> None:
        self.workspace = workspace
        self.state = state
        self.today = today
        self.plans = workspace.all_plans
        self.claims: dict[str, list[ClaimState]] = {}
        for claim in state.claims(today):
            self.claims.setdefault(claim.ruling.claim.rpartition("/")[0], []).append(claim)
        self.implementing: dict[str, list[tuple[Plan, Goal, Measure]]] = {}
        for plan in self.plans.values():
            for goal in plan.goals:
                for measure in goal.measures:
                    for name in dict.fromkeys((*measure.implements, *plan.implements)):
                        self.implementing.setdefault(name, []).append((plan, goal, measure))
        self._views: list[PlanView] | None = None

    # ---- down

    def down(self, name: str) -> Knot:
        """Walk down from a plan or one of its entries.

        Parameters
        ----------
        name : str
            ``PLAN`` or ``PLAN/ENTRY``; former ids of an entry count.

        Returns
        -------
        Knot
            For each claim with a verdict, down to the first reply that did not pass; to the first one that passed
            where all did.

        Raises
        ------
        UsageError
            If there is no such plan or entry; with the nearest name.
        TamperedError
            If a run file is gone or changed.
        """
        plan_id, slash, _entry = name.partition("/")
        plan = self.plans.get(plan_id)
        known = {one: plan for plan in self.plans.values() for one in plan.named()}
        if plan is None or (slash and name not in known):
            near = [one for one in known if one.startswith(f"{plan_id}/")] if plan else [*self.plans, *known]
            raise UsageError(
                "plan.no-entry", _("No plan has the entry {name}").format(name=name), hint=did_you_mean(name, near)
            )
        if slash:
            return self._of_entry(plan, plan.named()[name], {name})
        top = Knot("plan", plan.id, plan.title, told=_decided(plan))
        for entry in (*plan.principles, *plan.goals):
            top.below.append(self._of_entry(plan, entry, {f"{plan.id}/{entry.id}"}))
        return top

    def _of_entry(self, plan: Plan, entry: PlanEntry, walked: set[str]) -> Knot:
        name = f"{plan.id}/{entry.id}"
        told = entry.owner or "" if isinstance(entry, Measure) else ""
        knot = Knot(_kind(entry), name, entry.title, told=" ".join(filter(None, (told, _unsure(entry.certainty)))))
        if isinstance(entry, Goal):
            for measure in entry.measures:
                knot.below.append(self._of_entry(plan, measure, walked | {f"{plan.id}/{measure.id}"}))
        knot.below += self._indicators(plan, entry)
        for alias in (entry.id, *entry.also_known_as):
            for other, _goal, measure in self.implementing.get(f"{plan.id}/{alias}", []):
                below = f"{other.id}/{measure.id}"
                if below not in walked:
                    knot.below.append(self._of_entry(other, measure, walked | {below}))
        if isinstance(entry, Measure):
            knot.below += self._projects(entry, walked)
            knot.below += self._systems(plan, entry)
        return knot

    def _indicators(self, plan: Plan, entry: PlanEntry) -> Iterator[Knot]:
        """Give the indicators that stand for an entry, or for a result that belongs to it."""
        names = {entry.id, *(node.id for node in plan.results if entry.id in node.of)}
        if not any(use.of in names for use in plan.uses):
            return
        if self._views is None:
            self._views = plan_views(self.workspace, self.state, self.today)
        for view in self._views:
            for status in view.statuses:
                if view.plan.id == plan.id and status.use.of in names:
                    seen = status.observed
                    unit = _(UNIT_WORDS.get(seen.unit, seen.unit)) if seen else ""
                    told = (
                        f"{plain(seen.value)} {unit} ({seen.period}) {_unsure(seen.certainty)}".rstrip() if seen else ""
                    )
                    title = status.definition.title
                    yield Knot("indicator", f"{plan.id}/{status.use.name}", title, status.state, told)

    def _projects(self, measure: Measure, walked: set[str]) -> Iterator[Knot]:
        """Give the projects of the budget review that pay for a measure, where they were brought in."""
        for number in measure.budget_refs:
            series = f"rs-{number.lstrip('0') or '0'}"
            for plan in self.plans.values():
                name = f"{plan.id}/project"
                if plan.series == series and name not in walked and name in plan.named():
                    yield self._of_entry(plan, plan.named()[name], walked | {name})

    def _systems(self, plan: Plan, measure: Measure) -> Iterator[Knot]:
        goal = next((one for one in plan.goals if measure in one.measures), None)
        claims = self.claims.get(f"{plan.id}/{goal.id}/{measure.id}", []) if goal else []
        applied = [claim for claim in claims if claim.status != "not_applicable"]
        for name in dict.fromkeys(claim.ruling.system for claim in applied):
            system = self.workspace.systems.get(name)
            knot = Knot("system", name, system.title if system else Text(en=name))
            knot.below = [self._claim(claim) for claim in applied if claim.ruling.system == name]
            yield knot

    def _claim(self, claim: ClaimState) -> Knot:
        title = claim.promise.commitment.title if claim.promise else Text(en=claim.ruling.claim.rpartition("/")[2])
        knot = Knot("claim", claim.key, title, claim.status, reason=claim.reason)
        if claim.judgement is not None:
            knot.below.append(self._verdict(claim.judgement, title))
        knot.below += [self._finding(one) for one in self.state.findings.values() if one.key == claim.key]
        return knot

    def _verdict(self, judgement: Judgement, title: Text) -> Knot:
        verdict = judgement.verdict
        knot = Knot("verdict", judgement.digest, title, verdict.status, judgement.at[:10], verdict.reason)
        for outcomes in (_FAILING, _PASSING):
            shown = exhibits(self.workspace.root, self.state, verdict, outcomes)
            if shown:
                first = shown[0]
                knot.below.append(Knot("reply", f"{verdict.run}/{first.item}", Text(en=first.item), reply=first))
                break
        return knot

    def _finding(self, finding: Finding) -> Knot:
        dates = f"{finding.opened_at[:10]}–{finding.closed_at[:10] if finding.closed_at else ''}"
        knot = Knot("finding", finding.id, Text(en=finding.id), told=f"{finding.owner} {dates}")
        for name in finding.actions:
            applied = self.state.applied.get(name)
            title = applied[1].title if applied else Text(en=name)
            knot.below.append(Knot("action", name, title, told=applied[0].at[:10] if applied else ""))
        return knot

    # ---- up

    def up(self, name: str) -> list[Knot]:
        """Walk up from a verdict to the decisions it serves.

        Parameters
        ----------
        name : str
            Digest of a verdict or its beginning (at least 6 characters), ``claim@system``, or a finding.

        Returns
        -------
        list of Knot
            From the verdict upwards, each holding in ``below`` what stands above it: one measure may serve several
            entries. The list has one knot, the verdict's own.

        Raises
        ------
        UsageError
            If there is no such verdict, or the beginning fits several.
        """
        judgement = self._named(name)
        verdict = judgement.verdict
        promise = next(
            (one for one in self.state.history.get(verdict.key, []) if one.digest == verdict.commitment), None
        )
        title = promise.commitment.title if promise else Text(en=verdict.claim.rpartition("/")[2])
        told = judgement.at[:10]
        start = Knot("verdict", judgement.digest, title, verdict.status, told, verdict.reason)
        claim = Knot("claim", verdict.key, promise.commitment.statement if promise else title)
        start.below = [claim]
        plan_id, goal_id, measure_id = verdict.claim.split("/")[:3]
        plan = self.plans.get(plan_id)
        goal = next((one for one in plan.goals if one.id == goal_id), None) if plan else None
        measure = next((one for one in goal.measures if one.id == measure_id), None) if goal else None
        if plan is None or goal is None or measure is None:
            return [start]  # the plan no longer makes the promise; the ledger still knows its name
        claim.below = [self._above(plan, measure, {f"{plan.id}/{measure.id}"})]
        return [start]

    def _above(self, plan: Plan, entry: PlanEntry, walked: set[str]) -> Knot:
        """Give an entry with what stands above it: its goal and plan, and what it implements."""
        told = entry.owner or "" if isinstance(entry, Measure) else ""
        told = " ".join(filter(None, (told, _unsure(entry.certainty))))
        knot = Knot(_kind(entry), f"{plan.id}/{entry.id}", entry.title, told=told)
        goal = next((one for one in plan.goals if isinstance(entry, Measure) and entry in one.measures), None)
        implemented = (*entry.implements, *plan.implements) if isinstance(entry, Measure) else ()
        for name in dict.fromkeys(implemented):
            other = self.plans.get(name.partition("/")[0])
            above = other.named().get(name) if other else None
            if other is not None and above is not None and f"{other.id}/{above.id}" not in walked:
                knot.below.append(self._above(other, above, walked | {f"{other.id}/{above.id}"}))
            elif other is not None and name == other.id:
                knot.below.append(_top(other))
        if goal is not None:
            knot.below.append(Knot("goal", f"{plan.id}/{goal.id}", goal.title, below=[_top(plan)]))
        elif not isinstance(entry, Measure):
            knot.below.append(_top(plan))
        return knot

    def _named(self, name: str) -> Judgement:
        if name in self.state.findings:
            name = self.state.findings[name].key
        if name in self.state.judgements:
            return self.state.judgements[name][-1]
        wanted = name.removeprefix("sha256:")
        every = [one for ones in self.state.judgements.values() for one in ones]
        fitting = [one for one in every if len(wanted) >= 6 and one.digest.removeprefix("sha256:").startswith(wanted)]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            message = _("{name} is the beginning of {count} verdicts").format(name=name, count=len(fitting))
            raise UsageError("show.several-verdicts", message, hint=_("give more of the digest"))
        raise UsageError(
            "show.no-verdict",
            _("There is no verdict {name}").format(name=name),
            hint=did_you_mean(name, [*self.state.judgements, *self.state.findings]),
        )

    # ---- gaps

    def gaps(self, plan: Plan | None = None, walked: Knot | None = None) -> Gaps:
        """Name what the thread does not reach.

        Parameters
        ----------
        plan : Plan, optional
            Whose measures to ask whether anything implements them.
        walked : Knot, optional
            Ask only of those that were met on this way down.

        Returns
        -------
        Gaps
        """
        own = [one for one in self.workspace.plans.values() if one.edition is None]
        unlinked = [
            f"{one.id}/{measure.id}"
            for one in own
            if not one.implements
            for measure in one.measures()
            if not measure.implements
        ]
        names = [(f"{plan.id}/{measure.id}", measure) for measure in plan.measures()] if plan else []
        if walked is not None:
            met = set(_names(walked))
            names = [(name, measure) for name, measure in names if name in met]
        unanswered = [name for name, measure in names if not self._answered(name, measure)]
        every = [claim for ones in self.claims.values() for claim in ones]
        used = {claim.ruling.system for claim in every if claim.status != "not_applicable"}
        return Gaps(unlinked, unanswered, [name for name in self.workspace.systems if name not in used])

    def _answered(self, name: str, measure: Measure) -> bool:
        plan_id = name.partition("/")[0]
        names = (name, *(f"{plan_id}/{one}" for one in measure.also_known_as))
        return bool(measure.claims) or any(one in self.implementing for one in names)


def _unsure(certainty: Certainty | None) -> str:
    """Say in brackets how sure something is; nothing where it is official or nobody says."""
    return "" if certainty in {None, "official"} else f"[{_(CERTAINTIES[certainty])}]"


def _names(knot: Knot) -> Iterator[str]:
    yield knot.id
    for below in knot.below:
        yield from _names(below)


def _top(plan: Plan) -> Knot:
    """Give a plan as the end of the thread: the decision that made it, with its address and its legal basis."""
    if plan.edition is None:
        return Knot("plan", plan.id, plan.title, told=plan.owner)
    parts: Sequence[str] = (_decided(plan), plan.edition.document.url)
    decision = Knot("decision", plan.id, plan.issuer or plan.title, told=" ".join(parts))
    if plan.legal_basis is not None:
        decision.below = [Knot("decision", plan.id, plan.legal_basis)]
    return Knot("plan", plan.id, plan.title, below=[decision])


def _decided(plan: Plan) -> str:
    return plan.edition.decided_on.isoformat() if plan.edition else plan.owner


def _kind(entry: PlanEntry) -> Kind:
    if isinstance(entry, Principle):
        return "principle"
    return "goal" if isinstance(entry, Goal) else "measure"
