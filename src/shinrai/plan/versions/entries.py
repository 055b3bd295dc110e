"""Changes of what a plan lists: principles, goals, measures, milestones, results and the links between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any, Final, TypeVar

from shinrai.plan.versions.changes import Change, Effect, Part, Rule
from shinrai.plan.versions.matching import Matched, by_history, by_id
from shinrai.plan.versions.words import effect_of_words, same_words
from shinrai.records import (
    Json,
    Measure,
    Milestone,
    Plan,
    PlanEntry,
    Record,
    ResultLink,
    ResultNode,
    Text,
    last_day_of,
)

T = TypeVar("T")
E = TypeVar("E", bound=PlanEntry)

_FORCE: Final = ("voluntary", "guideline", "cabinet-decision", "statutory")
_LEVELS: Final = ("input", "activity", "output", "outcome", "impact")


def of_entries(old: Plan, new: Plan) -> Iterator[Change]:
    """Give the changes of principles, goals, measures and milestones, in the order of the new version.

    Parameters
    ----------
    old, new : Plan
        Two versions.

    Yields
    ------
    Change
    """
    yield from _of_kind("principle", by_history(old.principles, new.principles))
    yield from _of_kind("goal", by_history(old.goals, new.goals))
    old_home = {measure.id: goal.id for goal in old.goals for measure in goal.measures}
    new_home = {measure.id: goal.id for goal in new.goals for measure in goal.measures}
    goals = {before.id: after.id for before, after in by_history(old.goals, new.goals).pairs}
    measures = by_history(old.measures(), new.measures())
    yield from _of_kind("measure", measures)
    for before, after in measures.pairs:
        home = goals.get(old_home[before.id], old_home[before.id])
        if home != new_home[after.id]:
            yield Change(
                "moved", "measure", after.id, "neutral", "D20-place", "goal", old_home[before.id], new_home[after.id]
            )
        yield from _of_measure(before, after)
    yield from _of_kind("milestone", _milestones(measures))
    for earlier, later in _milestones(measures).pairs:
        yield from _of_milestone(earlier, later)


def _milestones(measures: Matched[Measure]) -> Matched[Milestone]:
    """Match milestones across all measures: one that moves with a split measure stays the same."""
    old = [one for measure in _olds(measures) for one in measure.milestones]
    new = [one for measure in _news(measures) for one in measure.milestones]
    return by_history(old, new)


def _olds(matched: Matched[T]) -> list[T]:
    parts = [one for ones, _into in matched.merged for one in ones]
    return _once(
        [*(one for one, _new in matched.pairs), *matched.gone, *(one for one, _parts in matched.split), *parts]
    )


def _news(matched: Matched[T]) -> list[T]:
    parts = [one for _old, ones in matched.split for one in ones]
    return _once([*(one for _old, one in matched.pairs), *matched.new, *parts, *(one for _ones, one in matched.merged)])


def _once(ones: Iterable[T]) -> list[T]:
    return list({id(one): one for one in ones}.values())


def _of_kind(part: Part, matched: Matched[E]) -> Iterator[Change]:
    for parts, whole in matched.merged:
        names = tuple(one.id for one in parts)
        yield Change("merged", part, whole.id, "neutral", "D21-parts", "", _titles(parts), _title(whole), names)
    for one, parts_after in matched.split:
        names = tuple(each.id for each in parts_after)
        yield Change("split", part, one.id, "neutral", "D21-parts", "", _title(one), _titles(parts_after), names)
    for one in matched.new:
        yield Change("added", part, one.id, *_of_new(one), "", None, _title(one))
    for before, after in matched.pairs:
        yield from _of_pair(part, before, after)
    for one in matched.gone:
        yield Change("removed", part, one.id, *_of_gone(one), "", _title(one))


def _of_new(_entry: PlanEntry) -> tuple[Effect, Rule]:
    return "stronger", "D1-promise-added"


def _of_gone(entry: PlanEntry) -> tuple[Effect, Rule]:
    if isinstance(entry, Milestone) and entry.done is not None:
        return "neutral", "D3-done-before-removed"
    return "weaker", "D2-promise-removed"


def _of_pair(part: Part, before: PlanEntry, after: PlanEntry) -> Iterator[Change]:
    if before.id != after.id:
        yield Change("moved", part, after.id, "neutral", "D20-place", "id", before.id, after.id)
    if before.number != after.number:
        yield Change("moved", part, after.id, "neutral", "D20-place", "number", before.number, after.number)
    yield from of_words(part, after.id, "title", before.title, after.title)


def of_words(part: Part, name: str, field: str, before: Text | None, after: Text | None) -> Iterator[Change]:
    """Give the change of a text, if its words have changed in a language that both versions have."""
    if not same_words(before, after):
        effect, rule = effect_of_words(before, after)
        yield Change("text-changed", part, name, effect, rule, field, as_json(before), as_json(after))


def _of_measure(before: Measure, after: Measure) -> Iterator[Change]:
    name = after.id
    yield from of_words("measure", name, "description", before.description, after.description)
    if before.owner != after.owner:
        effect, rule = _of_owner(before.owner, after.owner)
        yield Change("owner-changed", "measure", name, effect, rule, "owner", before.owner, after.owner)
    if set(before.co_owners) != set(after.co_owners):
        owners = list(before.co_owners), list(after.co_owners)
        yield Change("owner-changed", "measure", name, "neutral", "D14-owner", "co_owners", *owners)
    yield from _of_day("measure", name, "start", before.start, after.start)
    yield from _of_day("measure", name, "due", before.due, after.due)
    if before.legal_force != after.legal_force:
        effect = _by_rank(_FORCE, before.legal_force, after.legal_force)
        force = before.legal_force, after.legal_force
        yield Change("force-changed", "measure", name, effect, "D15-force", "legal_force", *force)
    yield from of_words("measure", name, "no_outcome_reason", before.no_outcome_reason, after.no_outcome_reason)


def _of_owner(before: str | None, after: str | None) -> tuple[Effect, Rule]:
    if after is None:
        return "weaker", "D12-nobody-answers"
    return ("stronger", "D13-somebody-answers") if before is None else ("neutral", "D14-owner")


def _of_day(part: Part, name: str, field: str, before: date | None, after: date | None) -> Iterator[Change]:
    if before == after:
        return
    days = before.isoformat() if before else None, after.isoformat() if after else None
    if after is None or (before is not None and after > before):
        yield Change("deadline-later", part, name, "weaker", "D5-later", field, *days)
    else:
        yield Change("deadline-earlier", part, name, "stronger", "D4-sooner", field, *days)


def _of_milestone(before: Milestone, after: Milestone) -> Iterator[Change]:
    if before.due != after.due:
        ends = [last_day_of(due) if due else None for due in (before.due, after.due)]
        if ends[0] == ends[1]:
            yield Change("text-changed", "milestone", after.id, "neutral", "D20-place", "due", before.due, after.due)
        for change in _of_day("milestone", after.id, "due", *ends):
            done = after.done is not None and before.done is not None
            judged: tuple[Effect, Rule] = (
                ("neutral", "D3-done-before-removed") if done else (change.effect, change.rule)
            )
            yield Change(change.kind, "milestone", after.id, *judged, "due", before.due, after.due)


def of_results(old: Plan, new: Plan) -> Iterator[Change]:
    """Give the changes of the results chain: nodes and links."""
    nodes = by_id({node.id: node for node in old.results}, {node.id: node for node in new.results})
    for node in nodes.new:
        yield Change("added", "node", node.id, *_of_level(node, "stronger", "D1-promise-added"), "", None, _title(node))
    for before, after in nodes.pairs:
        yield from _of_node(before, after)
    for node in nodes.gone:
        yield Change("removed", "node", node.id, *_of_level(node, "weaker", "D2-promise-removed"), "", _title(node))
    links = by_id(_links(old.links), _links(new.links))
    for link in links.new:
        yield Change("added", "link", _name(link), "neutral", "D23-link", "", None, link.to_json())
    for earlier, later in links.pairs:
        if earlier != later:
            both = earlier.to_json(), later.to_json()
            yield Change("text-changed", "link", _name(later), "neutral", "D23-link", "", *both)
    for link in links.gone:
        yield Change("removed", "link", _name(link), "neutral", "D23-link", "", link.to_json())


def _of_level(node: ResultNode, effect: Effect, rule: Rule) -> tuple[Effect, Rule]:
    """Count outcomes and impacts as promises; what is put in and done on the way is how they are to be kept."""
    return (effect, rule) if node.level in {"outcome", "impact"} else ("neutral", "D23-link")


def _of_node(before: ResultNode, after: ResultNode) -> Iterator[Change]:
    yield from of_words("node", after.id, "title", before.title, after.title)
    yield from of_words("node", after.id, "who_changes", before.who_changes, after.who_changes)
    if before.level != after.level:
        effect = _by_rank(_LEVELS, before.level, after.level)
        yield Change("level-changed", "node", after.id, effect, "D16-level", "level", before.level, after.level)
    if before.of != after.of:
        yield Change("moved", "node", after.id, "neutral", "D20-place", "of", list(before.of), list(after.of))


def _by_rank(ranks: Sequence[str], before: str | None, after: str | None) -> Effect:
    old, new = (ranks.index(one) if one is not None else -1 for one in (before, after))
    return "stronger" if new > old else "weaker"


def _links(links: Sequence[ResultLink]) -> dict[str, ResultLink]:
    return {_name(link): link for link in links}


def _name(link: ResultLink) -> str:
    return f"{link.origin}→{link.to}"


def _title(entry: Any) -> Json:  # noqa: ANN401 - anything with a title
    return as_json(entry.title)


def _titles(entries: Iterable[Any]) -> Json:
    return [{"id": entry.id, "title": _title(entry)} for entry in entries]


def as_json(value: Record | None) -> Json:
    """Give a record as JSON; None for none."""
    return None if value is None else value.to_json()
