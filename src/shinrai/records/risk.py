"""Risk as data: which facts of a system put it into which class, and what follows for how it is tested."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from shinrai.i18n import _
from shinrai.records.base import Id, Json, Record, Role, Text
from shinrai.records.framework import Amendment
from shinrai.records.register import Stage
from shinrai.records.source import Certainty, Source

Depth: TypeAlias = Literal["fast-lane", "standard", "deep", "forbidden"]
"""How much a class asks for, from little to all; ``forbidden`` systems may not be operated."""

DEPTHS: tuple[Depth, ...] = ("fast-lane", "standard", "deep", "forbidden")


class Condition(Record):
    """Something about one fact of a system: its value is, is one of, holds one of, or is not stated.

    Parameters
    ----------
    fact : str
        Dotted path into the system's record, such as ``human_review``.
    """

    fact: Annotated[str, Field(pattern=r"^[a-z_]+(?:\.[a-z_]+)*$")]
    equals: Json = None
    one_of: Annotated[tuple[Json, ...] | None, Field(min_length=1)] = None
    holds: Annotated[tuple[Json, ...] | None, Field(min_length=1, description="A list that holds one of these")] = None
    stated: Annotated[bool | None, Field(description="Whether anything is stated at all")] = None

    @model_validator(mode="after")
    def _one_test(self) -> Condition:
        given = [value is not None for value in (self.equals, self.one_of, self.holds, self.stated)]
        if sum(given) != 1:
            raise ValueError(_("a condition has exactly one of `equals`, `one_of`, `holds` and `stated`"))
        return self


class TierRule(Record):
    """If all conditions hold, the system is at least in this class."""

    id: Id
    tier: Id
    when: Annotated[tuple[Condition, ...], Field(min_length=1)]
    why: Text
    locator: Annotated[str | None, Field(description="Article or section that says so")] = None
    valid_from: date | None = None
    valid_until: date | None = None
    amended_by: Annotated[tuple[Id, ...], Field(description="Of the scheme's amendments")] = ()
    certainty: Annotated[Certainty | None, Field(description="The scheme's when left out")] = None


class Tier(Record):
    """A class of risk, and how deep systems of it are tested."""

    id: Id
    title: Text
    depth: Depth


class RiskScheme(Record):
    """The files ``risk/*.yaml`` and ``catalog/risk``: one way to tell the risk of a system.

    Parameters
    ----------
    tiers : tuple of Tier
        From low to high.
    otherwise : Id
        The class of a system that no rule puts higher.
    needs : tuple of str
        Facts that have to be stated before `otherwise` may be concluded: what nobody has said is not low.
    """

    id: Id
    version: str = "1"
    title: Text
    issuer: Text
    valid_from: date | None = None
    valid_until: date | None = None
    sources: Annotated[tuple[Source, ...], Field(min_length=1)]
    certainty: Certainty
    note: Text | None = None
    amendments: tuple[Amendment, ...] = ()
    tiers: Annotated[tuple[Tier, ...], Field(min_length=1)]
    otherwise: Id
    needs: tuple[str, ...] = ()
    rules: Annotated[tuple[TierRule, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _coherent(self) -> RiskScheme:
        names = [tier.id for tier in self.tiers]
        if len(set(names)) != len(names):
            raise ValueError(_("in `tiers` two classes have the same id"))
        if self.otherwise not in names:
            raise ValueError(
                _("`otherwise` names {otherwise}, which is none of the tiers {names}").format(
                    otherwise=self.otherwise, names=", ".join(names)
                )
            )
        for rule in self.rules:
            if rule.tier not in names:
                raise ValueError(
                    _("in `rules` {id} names {tier}, which is none of the tiers {names}").format(
                        id=rule.id, tier=rule.tier, names=", ".join(names)
                    )
                )
            if set(rule.amended_by) - {one.id for one in self.amendments}:
                raise ValueError(
                    _("in `rules` {id} is amended by what is not among the `amendments`").format(id=rule.id)
                )
        if len({rule.id for rule in self.rules}) != len(self.rules):
            raise ValueError(_("in `rules` two rules have the same id"))
        return self


class DueClaim(Record):
    """A check that a system of some depth has to promise by a stage of its life."""

    check: Id
    stage: Annotated[Stage, Field(description="Stage of the life cycle by which it is due")]
    threshold: Annotated[
        float | None, Field(description="No looser than this; the plan's own where that is stricter")
    ] = None


class DepthRule(Record):
    """What a depth asks of the promises about a system.

    Parameters
    ----------
    alpha : float, optional
        Error level where the plan states none, and at most this where it does.
    trials : int, optional
        Trials that a promise may use: where the plan states fewer, these; as far as there are data.
    most_trials : int, optional
        Trials at most where the plan states none: what makes a fast lane fast.
    repeat_days : int, optional
        After how many days a verdict is stale.
    accepts : tuple of Role
        Who may accept a risk; whoever may by ``shinrai.yaml`` when empty.
    accept_days : int, optional
        For how many days at most a risk may be accepted; 0 for never.
    second_reader : bool
        Whether a second person has to read what somebody states.
    """

    depth: Depth
    title: Text
    why: Text
    alpha: Annotated[float | None, Field(gt=0, le=0.5)] = None
    trials: Annotated[int | None, Field(gt=0)] = None
    most_trials: Annotated[int | None, Field(gt=0)] = None
    repeat_days: Annotated[int | None, Field(gt=0)] = None
    accepts: tuple[Role, ...] = ()
    accept_days: Annotated[int | None, Field(ge=0)] = None
    second_reader: bool = True
    claims: tuple[DueClaim, ...] = ()


class DepthTable(Record):
    """The file ``catalog/risk-depth.yaml`` or a workspace's ``risk-depth.yaml``: one rule for each depth."""

    id: Id
    title: Text
    depths: Annotated[tuple[DepthRule, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _each_once(self) -> DepthTable:
        names = [rule.depth for rule in self.depths]
        if sorted(names) != sorted(DEPTHS):
            raise ValueError(_("`depths` has one rule for each of {names}").format(names=", ".join(DEPTHS)))
        return self
