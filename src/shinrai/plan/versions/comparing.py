"""Two versions of a plan, compared: what changed, what it does to the promise, and what nobody gave a reason for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from shinrai.plan.versions.changes import Change, Effect
from shinrai.plan.versions.entries import as_json, of_entries, of_results, of_words
from shinrai.plan.versions.promises import of_promises
from shinrai.records import (
    ChangeReason,
    Id,
    IndicatorDefinition,
    Json,
    Measure,
    Milestone,
    Plan,
    definitions,
    last_day_of,
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs between two versions of a plan.

    Parameters
    ----------
    old, new : Plan
    changes : list of Change
        In the order of the new version; what is gone stands at the end of its kind.
    before, after : dict
        Indicator → its definition in the version, inherited ones included.
    """

    old: Plan
    new: Plan
    changes: list[Change]
    before: dict[Id, IndicatorDefinition] = field(repr=False)
    after: dict[Id, IndicatorDefinition] = field(repr=False)

    def effects(self) -> Counter[Effect]:
        """Count the changes by what they do to the promise."""
        return Counter(change.effect for change in self.changes)

    def reason(self, change: Change) -> ChangeReason | None:
        """Give the reason that the new version states for a change; one for its kind before one for everything."""
        stated = [one for one in self.new.reasons if one.of == change.id and one.kind in {None, change.kind}]
        return max(stated, key=lambda one: one.kind is not None, default=None)

    def without_evidence(self) -> list[Change]:
        """Give the changes that touch the promise and state no reason, or one that rests on nothing."""
        return [change for change in self.changes if change.effect != "neutral" and not self._evidence(change)]

    def unanswered(self, red: Mapping[str, Collection[str]]) -> list[str]:
        """Give the red findings that led to no change.

        Parameters
        ----------
        red : mapping
            Name of a finding → ids in the old version that it is about.

        Returns
        -------
        list of str
            Names of those of which nothing that they are about has changed, number and place not counted.
        """
        touched = {
            name for change in self.changes if change.rule != "D20-place" for name in (change.id, *change.related)
        }
        return [name for name, ids in red.items() if touched.isdisjoint(ids)]

    def _evidence(self, change: Change) -> tuple[str, ...]:
        reason = self.reason(change)
        return reason.evidence if reason else ()


def compare(old: Plan, new: Plan, plans: Mapping[Id, Plan]) -> Comparison:
    """Compare two versions of a plan by the ids of what is in them.

    Parameters
    ----------
    old, new : Plan
        Of the same plan or not: ids are all that counts.
    plans : mapping
        Id → plan, in which definitions of indicators are looked up that a version took over from the one before.

    Returns
    -------
    Comparison
        The same two versions always give the same changes in the same order; a version compared with itself gives none.
    """
    before, after = definitions(old, plans), definitions(new, plans)
    changes = [
        *_of_plan(old, new),
        *of_entries(old, new),
        *of_results(old, new),
        *of_promises(old, new, before, after),
    ]
    return Comparison(old, new, [_as_far_as_read(one, old, new) for one in changes], before, after)


def unread(plan: Plan) -> bool:
    """Tell whether a version is known from hearsay alone: its record has no digest of a text that somebody read."""
    return plan.edition is not None and plan.edition.document.digest is None


def _as_far_as_read(change: Change, old: Plan, new: Plan) -> Change:
    """Take nothing for removed from, or new against, a text that nobody has read."""
    silent = (change.kind == "removed" and unread(new)) or (change.kind == "added" and unread(old))
    return replace(change, kind="not-found", effect="unclear", rule="D25-text-not-read") if silent else change


def _of_plan(old: Plan, new: Plan) -> Iterator[Change]:
    name = new.id
    yield from of_words("plan", name, "title", old.title, new.title)
    yield from of_words("plan", name, "legal_basis", old.legal_basis, new.legal_basis)
    yield from of_words("plan", name, "review_cycle", old.review_cycle, new.review_cycle)
    if old.owner != new.owner:
        yield Change("owner-changed", "plan", name, "neutral", "D14-owner", "owner", old.owner, new.owner)
    if old.period != new.period:
        periods = as_json(old.period), as_json(new.period)
        yield Change("text-changed", "plan", name, "neutral", "D20-place", "period", *periods)


@dataclass(frozen=True, slots=True)
class Debt:
    """Something that was promised, not done in time, and then dropped or put off.

    Parameters
    ----------
    part : {"milestone", "use"}
    id : str
        In the old version.
    due : str
        When it was to be there.
    now : {"dropped", "later", "lowered", "open", "unknown"}
        What the new version makes of it; ``open`` promises it as before, ``unknown`` is a text that nobody has read.
    moved_to : str or None
        The new date.
    """

    part: str
    id: str
    due: str
    now: str
    moved_to: str | None = None

    def to_json(self) -> dict[str, Json]:
        """Give the debt as JSON values."""
        return {"part": self.part, "id": self.id, "due": self.due, "now": self.now, "moved_to": self.moved_to}


def carried_forward(comparison: Comparison, today: date, missed: Collection[str]) -> list[Debt]:
    """Find what was missed under the old promise, and what the new one makes of it.

    Parameters
    ----------
    comparison : Comparison
        Of the old version with the new one.
    today : date
        Up to which something could have been done.
    missed : collection of str
        Uses of the old version whose target year is over and whose target was not reached.

    Returns
    -------
    list of Debt
        Milestones first. What was done in time, or late but done, is none.
    """
    return [*_milestones(comparison, today), *_targets(comparison, missed)]


def _milestones(comparison: Comparison, today: date) -> Iterator[Debt]:
    after = _by_name(comparison.new.measures())
    for measure in comparison.old.measures():
        for milestone in measure.milestones:
            if milestone.due is None or milestone.done is not None or last_day_of(milestone.due) >= today:
                continue
            heir = after.get(milestone.id)
            if heir is None:
                gone = "unknown" if unread(comparison.new) else "dropped"
                yield Debt("milestone", milestone.id, milestone.due, gone)
            elif heir.done is None:
                later = heir.due is None or last_day_of(heir.due) > last_day_of(milestone.due)
                yield Debt("milestone", milestone.id, milestone.due, "later" if later else "open", heir.due)


def _by_name(measures: Iterable[Measure]) -> dict[str, Milestone]:
    found: dict[str, Milestone] = {}
    for measure in measures:
        for milestone in measure.milestones:
            for name in (milestone.id, *milestone.also_known_as, *milestone.replaces):
                found.setdefault(name, milestone)
    return found


def _targets(comparison: Comparison, missed: Collection[str]) -> Iterator[Debt]:
    after = {use.name: use for use in comparison.new.uses}
    weaker = {change.id for change in comparison.changes if change.part == "use" and change.effect == "weaker"}
    for use in comparison.old.uses:
        if use.name not in missed or use.target is None or use.target.period is None:
            continue
        heir = after.get(use.name)
        if heir is None or heir.target is None:
            gone = "unknown" if unread(comparison.new) else "dropped"
            yield Debt("use", use.name, use.target.period, gone)
        elif heir.target.period is None or last_day_of(heir.target.period) > last_day_of(use.target.period):
            yield Debt("use", use.name, use.target.period, "later", heir.target.period)
        else:
            yield Debt(
                "use", use.name, use.target.period, "lowered" if use.name in weaker else "open", heir.target.period
            )
