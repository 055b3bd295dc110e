"""How an effect of a measure is to be told from what would have happened anyway: written down before the data."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from shinrai.i18n import _
from shinrai.records.base import Id, Record, Text
from shinrai.records.result import EvidenceLevel
from shinrai.records.source import Source
from shinrai.records.timeperiod import TimePeriod, frequency_of

DesignKind: TypeAlias = Literal["interrupted-time-series", "difference-in-differences"]
"""One series before and after a clear start · groups with and without the measure, before and after."""


class EvaluationDesign(Record):
    """The design of an evaluation. Only with one that is registered does anything here speak of an effect."""

    id: Id
    title: Text
    of: Annotated[
        str, Field(min_length=1, description="Measure whose effect it is: its id, or PLAN/ENTRY of a higher plan")
    ]
    indicator: Id
    kind: DesignKind
    begins: Annotated[TimePeriod, Field(description="First period in which the measure can have acted")]
    until: Annotated[TimePeriod | None, Field(description="Last period that is looked at")] = None
    area: Annotated[str | None, Field(description="Where; that of the plan when left out")] = None
    groups: Annotated[
        Id | None,
        Field(description="What tells treated and comparison groups apart: `area`, or a breakdown of the indicator"),
    ] = None
    treated: Annotated[tuple[str, ...], Field(description="Groups that the measure reached")] = ()
    comparison: Annotated[tuple[str, ...], Field(description="Groups that it did not reach")] = ()
    lags: Annotated[
        int | None, Field(ge=0, description="Lags of the Newey-West errors; by the number of periods when left out")
    ] = None
    alpha: Annotated[float, Field(gt=0, lt=0.5, description="Error level")] = 0.05
    assumptions: Annotated[tuple[Text, ...], Field(min_length=1, description="What has to be true for it to hold")]
    note: Text | None = None
    sources: tuple[Source, ...] = ()

    @property
    def evidence_level(self) -> EvidenceLevel:
        """What the design can show at best: 2 for a series alone, 3 with a comparison group."""
        return 2 if self.kind == "interrupted-time-series" else 3

    @model_validator(mode="after")
    def _groups_belong_to_the_kind(self) -> EvaluationDesign:
        given = [self.groups is not None, bool(self.treated), bool(self.comparison)]
        if any(given) != all(given) or all(given) != (self.kind == "difference-in-differences"):
            raise ValueError(
                _("`groups`, `treated` and `comparison` belong to difference-in-differences, and only to it")
            )
        named = [*self.treated, *self.comparison]
        if len(set(named)) != len(named):
            raise ValueError(_("a group is either treated or a comparison, once"))
        if self.until is not None and (
            frequency_of(self.until) != frequency_of(self.begins) or self.until <= self.begins
        ):
            raise ValueError(_("`until` is a later period than `begins`, and of the same kind"))
        return self
