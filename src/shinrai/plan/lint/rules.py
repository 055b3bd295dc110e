"""The rules: what each asks of a plan, and what it found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from shinrai.i18n import N_
from shinrai.plan.sentences import Sentence
from shinrai.records import LintDecision

RuleId: TypeAlias = Literal["R1", "R2", "R3", "R4", "R5", "R6", "R7", "R8", "R9", "R10", "G1", "G2", "G3", "G4", "G5"]
Severity: TypeAlias = Literal["warning", "note"]
Place: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule.

    Parameters
    ----------
    id : RuleId
        R rules ask whether something is an outcome; G rules look for signs of gamed targets.
    name : str
        In English, for programs.
    title, why : str
        To be translated: what it asks, and why.
    severity : Severity
    """

    id: RuleId
    name: str
    title: str
    why: str
    severity: Severity = "warning"


RULES: Final[dict[RuleId, Rule]] = {
    rule.id: rule
    for rule in (
        Rule(
            "R1",
            "no-path-to-an-outcome",
            N_("every measure leads to an outcome, or says why it does not"),
            N_("without a path from what is done to what should change, nobody can tell afterwards whether it helped"),
        ),
        Rule(
            "R2",
            "nobody-changes",
            N_("an outcome names who or what changes, and that is not the body that carries the measure out"),
            N_("what the owner does is delivery; an outcome happens to somebody else"),
        ),
        Rule(
            "R3",
            "activity-posing-as-outcome",
            N_("what the owner alone can set is an output at most"),
            N_("documents issued, meetings held and money spent can be reached without anything having changed"),
        ),
        Rule(
            "R4",
            "weak-ground",
            N_("an indicator has a baseline from before the measure, and a source other than its owner, or marked so"),
            N_("without a baseline from before nothing compares; who is judged should not hold the ruler unseen"),
        ),
        Rule(
            "R5",
            "link-without-reasons",
            N_("each link says how, assuming what, how soon, on what evidence, and what gaming it would make worse"),
            N_("an arrow alone explains nothing and cannot turn out wrong"),
        ),
        Rule(
            "R6",
            "usage-taken-for-benefit",
            N_("use and investment are steps on the way; something beyond them has to get better"),
            N_("a tool can be used by everybody and help nobody"),
        ),
        Rule(
            "R7",
            "only-activity",
            N_("a goal does not rest on indicators of activity alone"),
            N_("being busy is no evidence that the goal comes nearer"),
        ),
        Rule(
            "R8",
            "one-sided",
            N_("an outcome that benefits somebody is paired with an indicator of safety or equity"),
            N_("a gain for many can hide a harm to a few"),
        ),
        Rule(
            "R9",
            "not-covered",
            N_("every measure has an indicator, and every indicator has data"),
            N_("what nobody looks at cannot be said to be on its way"),
        ),
        Rule(
            "R10",
            "cause-without-design",
            N_("words of cause and effect have a registered design, with its level of evidence"),
            N_("monitoring says what moved, not why; only a design that was fixed before the data can say more"),
        ),
        Rule(
            "G1",
            "bunching",
            N_("rates of achievement do not pile up just at 100 %"),
            N_("a pile at the threshold is a sign of targets, or values, made to fit; it proves nothing by itself"),
        ),
        Rule(
            "G2",
            "target-already-reached",
            N_("a target lies beyond its baseline and the last observed value"),
            N_("a target that was met before it was set asks for nothing"),
        ),
        Rule(
            "G3",
            "target-weakened",
            N_("a target is not moved to the worse side between versions"),
            N_("a goal that is moved is reached without anybody moving"),
        ),
        Rule(
            "G4",
            "indicator-swapped-after-a-bad-year",
            N_("an indicator is not exchanged or dropped right after it got worse"),
            N_("another ruler after a bad year hides the bad year"),
        ),
        Rule(
            "G5",
            "done-on-the-last-day",
            N_("milestones are not all finished on their last day"),
            N_("many endings on the very day are a sign that the date was filled in, not reached"),
            "note",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class LintFinding:
    """What a rule found.

    Parameters
    ----------
    rule : RuleId
    of : str
        Id of what it is about, within the plan; the plan's own id where it is about the whole.
    place : tuple
        The way to it in the plan's file: keys and list positions.
    said : Sentence
    severity : Severity
        The rule's, unless the finding is a lighter one.
    decision : LintDecision or None
        A person looked at it and decided that it may stay.
    """

    rule: RuleId
    of: str
    place: Place
    said: Sentence
    severity: Severity
    decision: LintDecision | None = None


def found(rule: RuleId, of: str, place: Place, said: Sentence, severity: Severity | None = None) -> LintFinding:
    """Make a finding with its rule's severity."""
    return LintFinding(rule, of, place, said, severity or RULES[rule].severity)
