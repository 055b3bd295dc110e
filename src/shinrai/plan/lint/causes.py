"""Rule R10: words of cause and effect stand only where a registered design bears them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

from shinrai.i18n import N_
from shinrai.plan.lint.graph import Chain
from shinrai.plan.lint.rules import LintFinding, Place, found
from shinrai.plan.lint.wording import Words, first_word
from shinrai.plan.sentences import Sentence
from shinrai.records import Id, Text

CAUSES: Final[Words] = (
    re.compile(
        r"効果があった|効果が(?:確認|実証|出た|現れた)|(?:施策|事業|導入|本計画)(?:の効果|の成果)?により|寄与した|貢献した|奏功"
        r"|もたらした|のおかげ|が功を奏|に結び付いた|に結びついた|インパクトを与えた"
    ),
    re.compile(
        r"\b(?:caused|led to|resulted in|thanks to|brought about|contributed to"
        r"|attributable to|was effective|were effective|proved effective|the effect of|impact of)\b",
        re.IGNORECASE,
    ),
)
"""What says that one thing made another happen."""

_FROM_A_DESIGN: Final = 2
"""Evidence level from which only a design can bear a link."""


def unfounded(chain: Chain, registered: Collection[Id]) -> Iterator[LintFinding]:
    """R10: a causal word, or a link said to be established, has a registered design.

    Parameters
    ----------
    chain : Chain
        Of the plan.
    registered : collection of Id
        Its designs that stand in the ledger as they are written.
    """
    plan = chain.plan
    borne = {design.of.rpartition("/")[2] for design in plan.designs if design.id in registered}
    indicators = {design.indicator for design in plan.designs if design.id in registered}
    for at, design in enumerate(plan.designs):
        if design.id not in registered:
            message = N_("the design “{title}” is not registered as it stands here: shinrai plan registers it")
            yield found("R10", design.id, ("designs", at), Sentence(message, {"title": design.title}))
    for name, place, text, related in _texts(chain):
        word = first_word(text, CAUSES)
        if word is not None and not related & (borne | indicators):
            message = N_("“{word}” speaks of an effect, and no registered design bears it: say what moved, not why")
            yield found("R10", name, place, Sentence(message, {"word": word}))
    yield from _links(chain, borne | indicators)


def _links(chain: Chain, borne: set[str]) -> Iterator[LintFinding]:
    for at, link in enumerate(chain.plan.links):
        ends = {*chain.nodes[link.to].of, *(use.indicator for use in chain.uses.get(link.to, ()))}
        if link.evidence_level >= _FROM_A_DESIGN and not link.evidence and not ends & borne:
            message = N_("the link is said to be established at level {level}, with neither a design nor a source")
            place: Place = ("links", at, "evidence_level")
            yield found("R10", link.to, place, Sentence(message, {"level": link.evidence_level}))


def _texts(chain: Chain) -> Iterator[tuple[Id, Place, Text, set[str]]]:
    """Give the texts that say what happened: what each is about, where it stands, and whose design could bear it."""
    for measure, _goal, place in chain.measures.values():
        for key, text in (("note", measure.note), ("description", measure.description)):
            if text is not None:
                yield measure.id, (*place, key), text, {measure.id}
        for number, milestone in enumerate(measure.milestones):
            if milestone.note is not None:
                yield milestone.id, (*place, "milestones", number, "note"), milestone.note, {measure.id}
    for at, node in enumerate(chain.plan.results):
        if node.note is not None:
            related = {*node.of, *(use.indicator for use in chain.uses.get(node.id, ()))}
            yield node.id, ("results", at, "note"), node.note, related
    for at, use in enumerate(chain.plan.uses):
        if use.note is not None:
            yield use.name, ("uses", at, "note"), use.note, {use.indicator}
