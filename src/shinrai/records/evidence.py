"""Evidence that people and other systems bring in: documents, observed values, logs of decisions."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from shinrai.records.base import Digest, Id, Record, Role


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


Evidence: TypeAlias = Annotated[Attestation | Observation | Import, Field(discriminator="type")]
