"""All rules on one plan."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from shinrai.plan.lint import causes, gaming, outcomes
from shinrai.plan.lint.graph import Chain
from shinrai.plan.lint.outcomes import Covered, Observed
from shinrai.plan.lint.rules import LintFinding
from shinrai.plan.versions import compare
from shinrai.records import Id, LintDecision, Plan, definitions


@dataclass(frozen=True, slots=True)
class Linted:
    """What the rules found in a plan.

    Parameters
    ----------
    plan : Plan
    findings : list of LintFinding
        Rule by rule; those that a person decided may stay are among them, with the decision.
    coverage : list of Covered
        One row for each measure.
    idle : list of LintDecision
        Decisions about what no rule finds any more.
    """

    plan: Plan
    findings: list[LintFinding]
    coverage: list[Covered]
    idle: list[LintDecision]

    @property
    def open(self) -> list[LintFinding]:
        """The warnings about which nobody has decided; notes are none."""
        return [one for one in self.findings if one.decision is None and one.severity == "warning"]


def lint(
    plan: Plan,
    plans: Mapping[Id, Plan],
    observed: Observed,
    before: Plan | None = None,
    registered: Collection[Id] = (),
) -> Linted:
    """Ask every rule about a plan.

    Parameters
    ----------
    plan : Plan
        As loaded: what it names is there.
    plans : mapping
        Id → plan, for definitions and versions before.
    observed : mapping
        Indicator → observations, of whatever vintage.
    before : Plan, optional
        The version to compare with; the one that the plan says it supersedes when left out.
    registered : collection of Id
        Designs of the plan that stand in the ledger as they are written.

    Returns
    -------
    Linted
        Empty findings mean that no rule found anything, not that the plan is a good one.
    """
    chain = Chain(plan, definitions(plan, plans))
    if before is None and plan.edition is not None and plan.edition.supersedes is not None:
        before = plans.get(plan.edition.supersedes)
    found = [
        *_of_outcomes(chain, observed),
        *causes.unfounded(chain, registered),
        *_of_targets(chain, observed, before, plans),
    ]
    decided = [
        one if decision is None else replace(one, decision=decision)
        for one, decision in ((one, _decision(plan, one)) for one in found)
    ]
    used = {id(one.decision) for one in decided}
    idle = [one for one in plan.decisions if id(one) not in used]
    return Linted(plan, decided, list(outcomes.coverage(chain, observed)), idle)


def _of_outcomes(chain: Chain, observed: Observed) -> Iterator[LintFinding]:
    yield from outcomes.no_path(chain)
    yield from outcomes.nobody_changes(chain)
    yield from outcomes.activity(chain)
    yield from outcomes.weak_ground(chain, observed)
    yield from outcomes.bare_links(chain)
    yield from outcomes.usage(chain)
    yield from outcomes.only_activity(chain)
    yield from outcomes.one_sided(chain)
    yield from outcomes.not_covered(chain, observed)


def _of_targets(
    chain: Chain, observed: Observed, before: Plan | None, plans: Mapping[Id, Plan]
) -> Iterator[LintFinding]:
    yield from gaming.bunched(chain, observed)
    yield from gaming.already_reached(chain, observed)
    if before is not None:
        comparison = compare(before, chain.plan, plans)
        yield from gaming.weakened(comparison)
        yield from gaming.swapped(comparison, observed)
    yield from gaming.last_day(chain)


def _decision(plan: Plan, finding: LintFinding) -> LintDecision | None:
    return next((one for one in plan.decisions if (one.rule, one.of) == (finding.rule, finding.of)), None)
