"""How risky a system is: which rules of a scheme hold for it, on a day, and what cannot be told yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from shinrai.records import DEPTHS, Condition, Depth, DepthRule, DepthTable, Json, RiskScheme, System, Tier, TierRule


def facts_of(system: System) -> Mapping[str, Json]:
    """Give what is stated about a system, as its file states it."""
    return system.to_json()


def fact(facts: Mapping[str, Json], path: str) -> Json:
    """Look a fact up by its dotted path; None where nothing is stated."""
    value: Any = facts
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def holds(condition: Condition, facts: Mapping[str, Json]) -> bool | None:
    """Tell whether a condition holds; None where nothing is stated about its fact."""
    value = fact(facts, condition.fact)
    if condition.stated is not None:
        return (value is not None) == condition.stated
    if value is None:
        return None
    if condition.holds is not None:
        return isinstance(value, list) and any(one in value for one in condition.holds)
    if condition.one_of is not None:
        return value in condition.one_of
    return bool(value == condition.equals and isinstance(value, bool) == isinstance(condition.equals, bool))


@dataclass(frozen=True, slots=True)
class Fired:
    """A rule that holds, with the facts that make it hold."""

    rule: TierRule
    facts: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Classification:
    """What a scheme says of a system on a day.

    Parameters
    ----------
    tier : Tier
        The highest class that a rule in force puts it into, or the scheme's `otherwise`.
    fired : tuple of Fired
        Rules in force that hold.
    coming : tuple of Fired
        Rules that hold and are not in force yet.
    open : tuple of TierRule
        Rules in force of which nobody can tell whether they hold.
    missing : tuple of str
        Facts that nobody has stated and that decide.
    in_force : bool
        Whether the scheme holds on that day.
    """

    scheme: RiskScheme
    tier: Tier
    fired: tuple[Fired, ...]
    coming: tuple[Fired, ...]
    open: tuple[TierRule, ...]
    missing: tuple[str, ...]
    in_force: bool

    @property
    def settled(self) -> bool:
        """Whether the class is certain: no fact is missing that could put the system higher."""
        return not self.missing

    @property
    def depth(self) -> Depth:
        """How deep to test: what nobody has said is not low, so an open rule counts as if it held.

        ``forbidden`` alone is never concluded from what is not known.
        """
        levels = {tier.id: tier.depth for tier in self.scheme.tiers}
        open_ones = [levels[rule.tier] for rule in self.open if levels[rule.tier] != "forbidden"]
        if self.missing and not self.open:
            open_ones.append("standard")
        return max((self.tier.depth, *open_ones), key=DEPTHS.index)


def classify(scheme: RiskScheme, facts: Mapping[str, Json], today: date) -> Classification:
    """Apply a scheme to what is stated about a system.

    Parameters
    ----------
    scheme : RiskScheme
        In force or not.
    facts : mapping
        As `facts_of` gives.
    today : date
        The day for which to tell.

    Returns
    -------
    Classification
    """
    order = {tier.id: place for place, tier in enumerate(scheme.tiers)}
    fired: list[Fired] = []
    coming: list[Fired] = []
    open_rules: list[TierRule] = []
    for rule in scheme.rules:
        if rule.valid_until is not None and rule.valid_until < today:
            continue
        answers = [holds(condition, facts) for condition in rule.when]
        if False in answers:
            continue
        later = rule.valid_from is not None and rule.valid_from > today
        if None not in answers:
            known = {condition.fact: fact(facts, condition.fact) for condition in rule.when}
            (coming if later else fired).append(Fired(rule, known))
        elif not later:
            open_rules.append(rule)
    names = [scheme.otherwise, *(one.rule.tier for one in fired)]
    tier = scheme.tiers[max(order[name] for name in names)]
    above = [rule for rule in open_rules if order[rule.tier] > order[tier.id]]
    return Classification(
        scheme=scheme,
        tier=tier,
        fired=tuple(fired),
        coming=tuple(coming),
        open=tuple(above),
        missing=_missing(scheme, above, facts, settled_by_rule=bool(fired)),
        in_force=_between(scheme.valid_from, scheme.valid_until, today),
    )


def _missing(
    scheme: RiskScheme, above: Iterable[TierRule], facts: Mapping[str, Json], *, settled_by_rule: bool
) -> tuple[str, ...]:
    """Name the unstated facts that decide: those of open rules, and where no rule holds what `otherwise` needs."""
    named = [condition.fact for rule in above for condition in rule.when]
    needed = named if settled_by_rule else [*named, *scheme.needs]
    return tuple(dict.fromkeys(name for name in needed if fact(facts, name) is None))


def _between(start: date | None, end: date | None, today: date) -> bool:
    return (start is None or start <= today) and (end is None or today <= end)


@dataclass(frozen=True, slots=True)
class Risk:
    """What all the schemes in use say of a system, and what follows.

    Parameters
    ----------
    classes : tuple of Classification
        One for each scheme in use, in the order of ``shinrai.yaml``.
    depth : DepthRule or None
        What the deepest of them asks for; None where no scheme in force is in use.
    """

    system: str
    classes: tuple[Classification, ...]
    depth: DepthRule | None

    @property
    def settled(self) -> bool:
        """Whether every class is certain."""
        return all(one.settled for one in self.classes)

    def deciding(self) -> list[Classification]:
        """Give the classifications that ask for the depth that is used."""
        return [one for one in self.classes if one.in_force and self.depth and one.depth == self.depth.depth]


def risk_of(system: System, schemes: Iterable[RiskScheme], depths: DepthTable, today: date) -> Risk:
    """Tell how risky a system is, and how deep it therefore has to be tested.

    Parameters
    ----------
    system : System
        With what its register states.
    schemes : iterable of RiskScheme
        Those in use.
    depths : DepthTable
        One rule for each depth.
    today : date
        The day for which to tell.

    Returns
    -------
    Risk
    """
    facts = facts_of(system)
    classes = tuple(classify(scheme, facts, today) for scheme in schemes)
    levels = [one.depth for one in classes if one.in_force]
    if not levels:
        return Risk(system.id, classes, None)
    deepest = max(levels, key=DEPTHS.index)
    return Risk(system.id, classes, next(rule for rule in depths.depths if rule.depth == deepest))
