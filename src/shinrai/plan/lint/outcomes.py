"""Rules R1 to R9, which ask whether something is an outcome and how anybody would know."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from shinrai.i18n import N_, translate
from shinrai.plan.lint.graph import CHANGES, Chain
from shinrai.plan.lint.rules import LintFinding, Place, found
from shinrai.plan.lint.wording import ACTIVITY, SAFEGUARD, USAGE, Words, first_word
from shinrai.plan.sentences import Sentence, Values
from shinrai.records import Id, IndicatorUse, Json, Measure, Observation, ResultLink, ResultNode, Text, last_day_of

Observed = Mapping[Id, Sequence[Observation]]
"""Indicator → what was observed of it."""


def no_path(chain: Chain) -> Iterator[LintFinding]:
    """R1: every measure reaches an outcome, or carries a reason."""
    for measure, _goal, place in chain.measures.values():
        levels = {chain.nodes[name].level for name in chain.reached(measure.id)}
        direct = bool(chain.uses.get(measure.id))
        if measure.no_outcome_reason is None and levels.isdisjoint(CHANGES):
            message = (
                N_("no path leads from the measure “{title}” to an outcome, and it gives no reason for that")
                if not direct
                else N_("the measure “{title}” has an indicator of its own, but no path to an outcome")
            )
            yield found("R1", measure.id, place, Sentence(message, {"title": measure.title}))


def nobody_changes(chain: Chain) -> Iterator[LintFinding]:
    """R2: an outcome names who changes, and that is not its owner."""
    for at, node in chain.changing():
        place: Place = ("results", at)
        if node.who_changes is None:
            message = N_("“{title}” does not say who or what changes")
            yield found("R2", node.id, place, Sentence(message, {"title": node.title}))
            continue
        who = " ".join(filter(None, (node.who_changes.ja, node.who_changes.en)))
        for owner in sorted(chain.owners(node)):
            if _plain(owner) and _plain(owner) in _plain(who):
                message = N_("“{title}” is to change {owner}, the body that carries it out: that is delivery")
                values: Values = {"title": node.title, "owner": owner}
                yield found("R2", node.id, (*place, "who_changes"), Sentence(message, values))


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().replace("-", " ").split())


def activity(chain: Chain) -> Iterator[LintFinding]:
    """R3: what the owner alone can set is an output at most."""
    for at, node in chain.changing():
        word = first_word(node.title, ACTIVITY)
        if word is not None:
            message = N_("“{title}” is called an outcome and speaks of “{word}”, which its owner can do alone")
            yield found("R3", node.id, ("results", at), Sentence(message, {"title": node.title, "word": word}))
    for at, use in enumerate(chain.plan.uses):
        definition = chain.definitions.get(use.indicator)
        word = first_word(definition.title, ACTIVITY) if definition else None
        if definition is not None and word is not None and chain.level(use) in CHANGES:
            message = N_(
                "the indicator “{title}” stands for an outcome and counts “{word}”, which its owner can do alone"
            )
            values: Values = {"title": definition.title, "word": word}
            yield found("R3", use.name, ("uses", at), Sentence(message, values))


def weak_ground(chain: Chain, observed: Observed) -> Iterator[LintFinding]:
    """R4: a baseline from before the measure, and a source apart from its owner or marked as its own."""
    asked: set[Id] = set()
    for at, use in enumerate(chain.plan.uses):
        place: Place = ("uses", at)
        definition = chain.definitions.get(use.indicator)
        if definition is None:
            continue
        title = definition.title
        if use.baseline is None and use.target is not None:
            yield found("R4", use.name, place, Sentence(N_("“{title}” has a target and no baseline"), {"title": title}))
        for measure in _behind(chain, use):
            if use.baseline and measure.start and last_day_of(use.baseline.period) >= measure.start:
                message = N_(
                    "the baseline of “{title}” ({period}) is not from before the measure, which began on {start}"
                )
                values: Values = {"title": title, "period": use.baseline.period, "start": measure.start.isoformat()}
                yield found("R4", use.name, (*place, "baseline"), Sentence(message, values))
        if not definition.sources and not any(one.source for one in observed.get(use.indicator, ())):
            message = N_("nobody says where the values of “{title}” come from")
            yield found("R4", use.name, place, Sentence(message, {"title": title}))
        yield from _own_ruler(chain, use, place, observed)
        if definition.quality.unanswered and use.indicator not in asked:
            asked.add(use.indicator)  # a definition that is used twice lacks its answers once
            message = N_("of the five questions on the quality of “{title}”, {count} have no answer")
            counted: Values = {"title": title, "count": len(definition.quality.unanswered)}
            yield found("R4", use.name, place, Sentence(message, counted), "note")


def _behind(chain: Chain, use: IndicatorUse) -> list[Measure]:
    """Give the measures whose node, or who themselves, an indicator stands for."""
    node = chain.nodes.get(use.of or "")
    names: tuple[str | None, ...] = node.of if node else (use.of,)
    return [chain.measures[name][0] for name in names if name in chain.measures]


def _own_ruler(chain: Chain, use: IndicatorUse, place: Place, observed: Observed) -> Iterator[LintFinding]:
    """Find values that come from the body they judge and are not marked so."""
    definition = chain.definitions[use.indicator]
    producers = {
        name for source in definition.sources if source.producer for name in (source.producer.ja, source.producer.en)
    }
    producers |= {one.source for one in observed.get(use.indicator, ())}
    said = _plain(" ".join(filter(None, producers)))
    owners = {role for measure in _behind(chain, use) for role in (measure.owner, *measure.co_owners) if role}
    own = sorted(role for role in owners if _plain(role) and _plain(role) in said)
    marked = all(one.collector == "self-reported" for one in observed.get(use.indicator, ()))
    if own and not (marked and observed.get(use.indicator)):
        message = N_("the values of “{title}” come from {owner}, whom they judge, and are not marked as self-reported")
        yield found("R4", use.name, place, Sentence(message, {"title": definition.title, "owner": own[0]}))


def bare_links(chain: Chain) -> Iterator[LintFinding]:
    """R5: each link states its reasons."""
    for at, link in enumerate(chain.plan.links):
        lacking = list(_lacking(link))
        if lacking:
            message = N_("the link from “{origin}” to “{to}” does not state: {fields}")
            values: Values = {
                "origin": chain.nodes[link.origin].title,
                "to": chain.nodes[link.to].title,
                "fields": _listed(lacking),
            }
            yield found("R5", f"{link.origin}.{link.to}", ("links", at), Sentence(message, values))


_FIELDS: Final[dict[str, str]] = {
    "mechanism": N_("how it works (mechanism)"),
    "assumptions": N_("what has to hold (assumptions)"),
    "expected_lag": N_("how soon (expected_lag)"),
    "evidence_level": N_("on what evidence (evidence_level)"),
    "counter_indicator": N_("what gaming it would make worse (counter_indicator)"),
}


def _listed(fields: Sequence[str]) -> Text:
    english, japanese = ([translate(_FIELDS[name], code) for name in fields] for code in ("en", "ja"))
    return Text(en=", ".join(english), ja="、".join(japanese))


def _lacking(link: ResultLink) -> Iterator[str]:
    if link.mechanism is None:
        yield "mechanism"
    if not link.assumptions:
        yield "assumptions"
    if link.expected_lag is None:
        yield "expected_lag"
    if link.evidence_level == 0:
        yield "evidence_level"
    if link.counter_indicator is None:
        yield "counter_indicator"


def usage(chain: Chain) -> Iterator[LintFinding]:
    """R6: use and investment are steps on the way."""
    tops = chain.tops()
    words = {node.id: _word_of(chain, node, USAGE) for node in tops}
    if tops and all(words.values()):
        message = N_("all that the plan leads to in the end is use or investment ({words}): nothing says whom it helps")
        said: Values = {"words": ", ".join(dict.fromkeys(filter(None, words.values())))}
        yield found("R6", chain.plan.id, ("results",), Sentence(message, said))


def _word_of(chain: Chain, node: ResultNode, words: Words) -> str | None:
    """Give a word of a kind in a node's statement or in the names of all its indicators."""
    own = first_word(node.title, words)
    if own:
        return own
    titles = [
        chain.definitions[use.indicator].title
        for use in chain.uses.get(node.id, ())
        if use.indicator in chain.definitions
    ]
    found_words = [first_word(title, words) for title in titles]
    return found_words[0] if found_words and all(found_words) else None


def only_activity(chain: Chain) -> Iterator[LintFinding]:
    """R7: a goal does not rest on indicators of activity alone."""
    for at, goal in enumerate(chain.plan.goals):
        names = {goal.id, *(measure.id for measure in goal.measures)}
        below = {node for name in names for node in chain.reached(name)}
        uses = [use for name in (*names, *below) for use in chain.uses.get(name, ())]
        if uses and all(_counts_activity(chain, use) for use in uses):
            message = N_(
                "every indicator of the goal “{title}” counts activity or means; none shows that anything changed"
            )
            yield found("R7", goal.id, ("goals", at), Sentence(message, {"title": goal.title}))


def _counts_activity(chain: Chain, use: IndicatorUse) -> bool:
    level = chain.level(use)
    if level is not None:
        return level in {"input", "activity"}
    definition = chain.definitions.get(use.indicator)
    return definition is not None and first_word(definition.title, ACTIVITY) is not None


def one_sided(chain: Chain) -> Iterator[LintFinding]:
    """R8: an outcome that benefits somebody is paired with an indicator of safety or equity."""
    guarded = {
        node.id
        for _at, node in chain.changing()
        if _word_of(chain, node, SAFEGUARD) or any(_guards(chain, use) for use in chain.uses.get(node.id, ()))
    }
    countered = {link.to for link in chain.plan.links if link.counter_indicator is not None}
    safe_places = {name for node in guarded for name in chain.nodes[node].of}
    for at, node in chain.changing():
        paired = node.id in guarded or node.id in countered or not safe_places.isdisjoint(node.of)
        if not paired and chain.uses.get(node.id):
            message = N_("“{title}” promises a benefit, and no indicator of safety or equity stands beside it")
            yield found("R8", node.id, ("results", at), Sentence(message, {"title": node.title}))


def _guards(chain: Chain, use: IndicatorUse) -> bool:
    definition = chain.definitions.get(use.indicator)
    return definition is not None and first_word(definition.title, SAFEGUARD) is not None


def not_covered(chain: Chain, observed: Observed) -> Iterator[LintFinding]:
    """R9: every measure has an indicator, and every indicator has data."""
    for row in coverage(chain, observed):
        if not row.indicators:
            message = N_("no indicator belongs to the measure “{title}”")
            yield found("R9", row.measure.id, row.place, Sentence(message, {"title": row.measure.title}), "note")
    for at, use in enumerate(chain.plan.uses):
        definition = chain.definitions.get(use.indicator)
        if definition is not None and not observed.get(use.indicator) and use.not_measurable is None:
            message = N_("nothing was ever observed of the indicator “{title}”")
            yield found("R9", use.name, ("uses", at), Sentence(message, {"title": definition.title}))


@dataclass(frozen=True, slots=True)
class Covered:
    """A row of the coverage matrix: what stands behind a measure.

    Parameters
    ----------
    goal : Id
    measure : Measure
    place : tuple
        Of the measure in the file.
    outcomes : int
        Outcomes and impacts that it leads to.
    indicators, with_baseline, with_target, with_data : tuple of str
        Names of uses.
    """

    goal: Id
    measure: Measure
    place: Place
    outcomes: int
    indicators: tuple[str, ...]
    with_baseline: tuple[str, ...]
    with_target: tuple[str, ...]
    with_data: tuple[str, ...]

    def to_json(self) -> dict[str, Json]:
        """Give the row as JSON values."""
        return {
            "goal": self.goal,
            "measure": self.measure.id,
            "outcomes": self.outcomes,
            "indicators": list(self.indicators),
            "with_baseline": list(self.with_baseline),
            "with_target": list(self.with_target),
            "with_data": list(self.with_data),
        }


def coverage(chain: Chain, observed: Observed) -> Iterator[Covered]:
    """Give the matrix of goals, measures, indicators and data, after Pelissari et al. (arXiv 2502.10412).

    An indicator belongs to a measure if it stands for the measure or for a result that the measure leads to.
    """
    for measure, goal, place in chain.measures.values():
        reached = chain.reached(measure.id)
        uses = [use for name in (measure.id, *sorted(reached)) for use in chain.uses.get(name, ())]
        yield Covered(
            goal.id,
            measure,
            place,
            sum(chain.nodes[name].level in CHANGES for name in reached),
            tuple(use.name for use in uses),
            tuple(use.name for use in uses if use.baseline),
            tuple(use.name for use in uses if use.target),
            tuple(use.name for use in uses if observed.get(use.indicator)),
        )
