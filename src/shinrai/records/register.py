"""What the register says of an AI system: for whom, by whom, how far along, and what it may do by itself."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from shinrai.i18n import _
from shinrai.records.base import Id, Record, Role, Text
from shinrai.records.supply import Country

Operator: TypeAlias = Literal["developer", "provider", "business-user"]
"""The roles of the AI Guidelines for Business: who builds the system, who offers it, who uses it in their work."""

Stage: TypeAlias = Literal["idea", "development", "before-release", "operation", "change", "retirement"]
"""Stages of the life cycle, in their order; ``change`` is operation while a change is under way."""

STAGES: tuple[Stage, ...] = ("idea", "development", "before-release", "operation", "change", "retirement")
"""The stages of the life cycle, in their order."""

Autonomy: TypeAlias = Literal["informs", "proposes", "acts-after-approval", "acts-unless-stopped", "acts-alone"]
"""
informs              shows information; people decide without a proposal
proposes             proposes what to do; people decide and act
acts-after-approval  acts once a person has agreed to this very act
acts-unless-stopped  acts by itself; a person watches and can stop it
acts-alone           acts by itself; nobody watches each act
"""

DataClass: TypeAlias = Literal[
    "public", "internal", "confidential", "personal", "special-care", "biometric", "children"
]
"""
public        published, or free to be published
internal      of the organisation, not meant for outsiders
confidential  secret by law, contract or classification
personal      about a living person who can be told from it
special-care  personal information that needs special care (health, creed, criminal record …)
biometric     made from a body: face, voice, fingerprint
children      about children
"""

Reach: TypeAlias = Literal["test", "staff", "partners", "public"]
"""Whom the system's output reaches, from the smallest circle to the largest."""

Host: TypeAlias = Literal["own-premises", "device", "private-cloud", "public-cloud", "supplier"]
"""Where the system runs: on machines of one's own, on the user's device, in a cloud, or at the supplier's."""


class Benefit(Record):
    """What the system is expected to do good, and how anybody can tell that it does."""

    expected: Annotated[Text, Field(description="What gets better, and for whom")]
    indicator: Annotated[
        str | None, Field(min_length=1, description="Name under which it is observed: the subject of observations")
    ] = None
    better: Annotated[Literal["higher", "lower"], Field(description="Which way is good")] = "higher"
    target: Annotated[float | None, Field(description="Value hoped for, in the unit of the observations")] = None

    @model_validator(mode="after")
    def _measurable(self) -> Benefit:
        if self.target is not None and self.indicator is None:
            raise ValueError(_("a `target` needs an `indicator`"))
        return self


class Gate(Record):
    """A gate of the life cycle that was passed: who let the system into a stage, when, and on what grounds."""

    into: Annotated[Stage, Field(description="Stage that the gate leads into")]
    day: date
    by: Annotated[Role, Field(description="Role that let it pass")]
    record: Annotated[str | None, Field(min_length=1, description="Minutes, ticket or document that says so")] = None


class Deployment(Record):
    """Where and for whom the system runs. What is left out is not known, and never taken for harmless."""

    reach: Annotated[Reach | None, Field(description="Whom its output reaches")] = None
    host: Annotated[Host | None, Field(description="Where it runs")] = None
    countries: Annotated[
        tuple[Country, ...] | None, Field(description="Countries in which it is used, such as [JP]")
    ] = None
    areas: Annotated[
        tuple[Id, ...] | None,
        Field(description="Areas of use as rule books name them, such as credit, employment, education"),
    ] = None
    people: Annotated[int | None, Field(ge=0, description="People whom it concerns in a year, roughly")] = None


def missing_gates(stage: Stage | None, gates: tuple[Gate, ...]) -> tuple[Stage, ...]:
    """Name the stages that a system has reached although nobody is recorded to have let it in.

    Parameters
    ----------
    stage : Stage or None
        Where it stands; None where that is not stated.
    gates : tuple of Gate
        Those it has passed.

    Returns
    -------
    tuple of Stage
        In the order of the life cycle. An idea needs no gate, an operation none into ``change``, and what is
        retired may have been given up at any stage: it needs the gate into ``retirement`` alone.
    """
    if stage is None:
        return ()
    reached: tuple[Stage, ...] = ("retirement",)
    if stage != "retirement":
        reached = tuple(one for one in STAGES[1 : STAGES.index(stage) + 1])
    passed = {gate.into for gate in gates}
    return tuple(one for one in reached if one not in passed)


Basis: TypeAlias = Literal["traffic", "data-set", "decisions", "document", "observation"]
"""What a verdict on a claim rests on.

traffic      trials whose data stand for the people and the requests that the system meets
data-set     trials on exactly the items of a data set
decisions    a log of what people decided with the system
document     a document that somebody attests
observation  a value that somebody observed or published
"""

HANGS_ON: dict[str, frozenset[Basis]] = {
    "purpose": frozenset({"traffic", "decisions", "document", "observation"}),
    "users": frozenset({"traffic", "decisions", "document", "observation"}),
    "affected": frozenset({"traffic", "decisions", "document", "observation"}),
    "deployment": frozenset({"traffic", "decisions", "document", "observation"}),
    "autonomy": frozenset({"decisions", "document", "observation"}),
    "human_review": frozenset({"decisions", "document", "observation"}),
    "operator": frozenset({"document"}),
    "data": frozenset({"document"}),
    "benefit": frozenset(),
    "risks": frozenset(),
    "stage": frozenset(),
    "gates": frozenset(),
}
"""Field of the register → what kinds of verdict a change of it makes stale. Every one of them makes a new version.

The system's behaviour (its kind, its stack, the versions of what the stack needs) is not in this table: all verdicts
hang on it. Purpose, users, affected people and deployment say whose requests the data have to stand for; autonomy and
review say what people do with an answer, which no trial of the answers themselves depends on. The role of the operator
and the classes of data decide which documents are owed. Benefit, risks, stage and gates say nothing about whether a
promise holds.
"""
