"""Evidence that people and other systems bring in: documents, observed values, logs of decisions."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from shinrai.records.base import Digest, Id, Record, Role
from shinrai.records.source import Certainty
from shinrai.records.timeperiod import TimePeriod

ObservationStatus: TypeAlias = Literal["normal", "estimated", "provisional", "forecast", "break"]
"""As the code list of observation status of SDMX has them: A, E, P, F, B."""

Collector: TypeAlias = Literal["official", "self-reported", "third-party"]


class Attestation(Record):
    """A document that says something is so."""

    type: Literal["attestation"] = "attestation"
    subject: str
    system: Id | None = None
    name: Annotated[str, Field(description="File name as it came")]
    file: Annotated[str, Field(description="Path of the kept copy, relative to the workspace")]
    file_digest: Digest
    by: Role
    effective: date
    valid_until: date | None = None


class Observation(Record):
    """A value somebody observed or published."""

    type: Literal["observation"] = "observation"
    subject: str
    system: Id | None = None
    value: float
    unit: str
    as_of: date
    source: Annotated[str, Field(min_length=1)]
    population: str | None = None
    sample: Annotated[int | None, Field(gt=0, description="Number of units behind a share, where known")] = None
    period: Annotated[
        TimePeriod | None, Field(description="Period that the value is about; `as_of` is its last day")
    ] = None
    area: Annotated[str | None, Field(description="Country, prefecture or municipality, such as JP, JP-13")] = None
    breakdown: Annotated[dict[Id, str] | None, Field(description="Breakdown; a dimension left out is its total")] = None
    published: Annotated[date | None, Field(description="Day of publication: the vintage of the value")] = None
    retrieved: Annotated[date | None, Field(description="Day on which it was read")] = None
    url: str | None = None
    locator: str | None = None
    definition: Annotated[str | None, Field(description="What exactly was counted or asked")] = None
    survey_mode: str | None = None
    status: Annotated[ObservationStatus | None, Field(description="normal when left out")] = None
    standard_error: Annotated[float | None, Field(gt=0)] = None
    design_effect: Annotated[float | None, Field(gt=0, description="Variance against a simple random sample")] = None
    series_break: Annotated[bool | None, Field(description="Not comparable with earlier periods")] = None
    collector: Annotated[Collector | None, Field(description="Who collected it, seen from the plan's owner")] = None
    certainty: Certainty | None = None


class ObservedTable(Record):
    """A CSV file of observations, kept as it came; its rows are `Observation`."""

    type: Literal["observations"] = "observations"
    name: Annotated[str, Field(description="File name as it came")]
    file: Annotated[str, Field(description="Path of the kept copy, relative to the workspace")]
    file_digest: Digest
    rows: Annotated[int, Field(gt=0)]


DECISION_COLUMNS = ("id", "ai_output", "human_decision", "reviewer_role", "seconds", "reviewed", "overridden", "date")
"""Columns of the kept copy of an imported log of decisions; what each means stands in `shinrai.do.decisions`."""


class Import(Record):
    """A file of trials that happened elsewhere, kept as it came."""

    type: Literal["import"] = "import"
    format: Literal["decisions"]
    system: Id
    name: Annotated[str, Field(description="File name as it came")]
    file: Annotated[str, Field(description="Path of the kept copy, relative to the workspace")]
    file_digest: Digest
    rows: Annotated[int, Field(ge=0)]
    first: Annotated[date | None, Field(description="Earliest date in the file, where it has dates")] = None
    last: date | None = None


Evidence: TypeAlias = Annotated[Attestation | Observation | Import | ObservedTable, Field(discriminator="type")]
