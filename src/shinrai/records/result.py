"""The chain from what is put in to what changes: nodes and the links between them."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import ConfigDict, Field

from shinrai.records.base import Id, Record, Text
from shinrai.records.source import Certainty, Source

ResultLevel: TypeAlias = Literal["input", "activity", "output", "outcome", "impact"]

EvidenceLevel: TypeAlias = Annotated[
    int,
    Field(
        ge=0,
        le=5,
        description="0 none, 1 before and after, 2 interrupted time series, 3 with a comparison group, 4 strong "
        "quasi-experiment, 5 randomised",
    ),
]
"""How well a cause is established, on a ladder after the Maryland Scientific Methods Scale."""


class ResultNode(Record):
    """Something that is put in, done, delivered or changed."""

    id: Id
    number: Annotated[str | None, Field(description="As the plan shows it")] = None
    level: ResultLevel
    horizon: Literal["short", "mid", "long"] | None = None
    title: Text
    who_changes: Annotated[Text | None, Field(description="Who or what is different afterwards")] = None
    of: Annotated[tuple[Id, ...], Field(description="Measures and goals that it belongs to")] = ()
    note: Text | None = None
    sources: tuple[Source, ...] = ()
    certainty: Certainty | None = None


class ResultLink(Record):
    """Why one node should lead to another."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    origin: Annotated[Id, Field(alias="from")]
    to: Id
    mechanism: Text | None = None
    assumptions: tuple[Text, ...] = ()
    expected_lag: Annotated[int | None, Field(ge=0, description="Months until the effect can show")] = None
    evidence_level: EvidenceLevel = 0
    evidence: tuple[Source, ...] = ()
    counter_indicator: Annotated[Id | None, Field(description="What would get worse if this were gamed")] = None
