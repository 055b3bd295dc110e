"""Plans: goals, the measures that serve them, and the claims a measure makes."""

from __future__ import annotations

import datetime as dt
from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from shinrai.records.base import Id, Record, Role, Share, Text

Certainty = Literal["official", "quoted", "secondary", "unverified"]
"""How sure an entry is: read in the official text · quoted from it by press or law firms · named in a secondary
note · not verified."""


class Source(Record):
    """Where a statement comes from."""

    title: Text
    url: str | None = None
    locator: Annotated[str | None, Field(description="Page, section or table within the source")] = None
    date: Annotated[dt.date | None, Field(description="Day of publication, where known")] = None
    certainty: Certainty


class Period(Record):
    """From a day to a day, both included."""

    start: date
    end: date | None = None


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


class Measure(Record):
    """What somebody does for a goal, and how anybody can tell that it holds."""

    id: Id
    title: Text
    description: Text | None = None
    implements: Annotated[
        tuple[str, ...], Field(description="Entries of higher plans, such as jp-ai-basic-plan-2025/3")
    ] = ()
    owner: Role
    systems: Annotated[tuple[Id, ...] | None, Field(description="Systems it is about; all when left out")] = None
    due: date | None = None
    claims: tuple[ClaimUse, ...] = ()


class Goal(Record):
    """What is to be reached."""

    id: Id
    title: Text
    measures: tuple[Measure, ...] = ()


class Plan(Record):
    """The files ``plans/*.yaml``: what we promise."""

    id: Id
    title: Text
    owner: Role
    version: str = "1"
    period: Period | None = None
    implements: tuple[str, ...] = ()
    goals: tuple[Goal, ...] = ()


class HigherPlanEntry(Record):
    """One numbered entry of a plan above ours (principle, direction, measure)."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(?:[.-][a-z0-9]+)*$")]
    kind: Literal["principle", "direction", "measure", "target"]
    title: Text
    note: Text | None = None
    sources: Annotated[tuple[Source, ...], Field(min_length=1)]
    certainty: Certainty


class HigherPlan(Record):
    """A plan above ours, shipped as data in ``catalog/plans``; entries are linked to, never measured here."""

    id: Id
    title: Text
    issuer: Text
    decided: date
    in_force_until: date | None = None
    superseded_by: Id | None = None
    document: str
    entries: tuple[HigherPlanEntry, ...]
