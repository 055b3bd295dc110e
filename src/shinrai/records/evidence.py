"""Evidence that people and other systems bring in: documents, observed values, logs of decisions."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from shinrai.i18n import _
from shinrai.records.base import Digest, Id, Json, Record, Role
from shinrai.records.framework import RequirementRef
from shinrai.records.plugin import Plugin
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


ImportFormat: TypeAlias = Id
"""Whose file it was: one of `IMPORT_FORMATS`, or the name of an importer of one's own."""

IMPORT_FORMATS: tuple[ImportFormat, ...] = (
    "decisions",
    "outputs",
    "inspect",
    "lm-evaluation-harness",
    "promptfoo",
    "deepeval",
    "garak",
    "aisev",
)
"""What Shinrai reads by itself. ``outputs``: replies that somebody captured, one row each, in no tool's own format."""


class Provenance(Record):
    """Where an imported run comes from: what its file says of how it was made.

    What the file does not say is left out; nothing is guessed.

    Parameters
    ----------
    tool : str
    version : str, optional
        Of the tool.
    files : dict
        Name → digest of each file as it came.
    size : int
        Bytes of all of them.
    began : str, optional
        When the run began, ISO 8601, as the file says.
    ended_as : str, optional
        In the tool's own word, such as ``success`` or ``cancelled``.
    task, model : str, optional
        What was run on what, in the tool's own names.
    scorers : tuple of str
        Names of the tool's own scores, which are columns ``score.NAME``.
    selection : str
        Which of the items were taken, as the file says.
    order : str
        In which order they were asked, as the file says.
    planned : int
        Trials that the tool set out to make. Those that have no reply are rows, too.
    missing : dict
        What has no reply, by kind → number.
    unscored : dict, optional
        Of rows with a reply, how many have a score that cannot be read, such as NaN: column → number; None for none.
    summary : dict
        Figures that the tool itself printed of this run, to compare with.
    plugin : Plugin, optional
        What read the file, where it is not Shinrai itself.
    """

    tool: str
    version: str | None = None
    files: dict[str, Digest]
    size: Annotated[int, Field(ge=0)]
    began: str | None = None
    ended_as: str | None = None
    task: str | None = None
    model: str | None = None
    scorers: tuple[str, ...] = ()
    selection: str
    order: str
    planned: Annotated[int, Field(ge=0)]
    missing: dict[str, int] = Field(default_factory=dict)
    unscored: dict[str, int] | None = None
    summary: dict[str, Json] = Field(default_factory=dict)
    plugin: Plugin | None = None


class Import(Record):
    """A file of trials that happened elsewhere. A copy is kept, in which rows of all formats look alike."""

    type: Literal["import"] = "import"
    format: ImportFormat
    system: Id
    fingerprint: Annotated[
        Digest | None,
        Field(description="Of the system as it stood when the file was brought in: the file is about no other"),
    ] = None
    name: Annotated[str, Field(description="File name as it came")]
    file: Annotated[str, Field(description="Path of the kept copy, relative to the workspace")]
    file_digest: Digest
    rows: Annotated[int, Field(ge=0)]
    first: Annotated[date | None, Field(description="Earliest date in the file, where it has dates")] = None
    last: date | None = None
    provenance: Annotated[Provenance | None, Field(description="Of a run that another tool made")] = None

    def is_about(self, system: Id, fingerprint: Digest) -> bool:
        """Tell whether the file is about a system as it stands; one brought in while it was another is not.

        An import that does not say, of an older ledger, is taken to be.
        """
        return self.system == system and self.fingerprint in {None, fingerprint}


AnswerGiven: TypeAlias = Literal["in-place", "not-in-place", "not-assessed", "not-applicable"]
"""``not-assessed`` says that nobody has looked; ``not-applicable`` that somebody has, and why it does not apply."""


class Answer(Record):
    """An answer to the question that a requirement asks of an organisation, with what it rests on.

    Parameters
    ----------
    requirement : RequirementRef
    system : Id, optional
        The system it is about; the organisation, and thus every system, without it.
    statement : str
        The answer in words; the reason, where it does not apply.
    name, file, file_digest : str, optional
        Document that the answer rests on: its name as it came, the kept copy, its digest.
    second_reader : Role, optional
        Who read answer and document after `by`; another role.
    effective : date
        Since when it is so; when it was brought in, the ledger's entry says.
    """

    type: Literal["answer"] = "answer"
    requirement: RequirementRef
    system: Id | None = None
    question: str
    answer: AnswerGiven
    statement: str = ""
    name: str | None = None
    file: str | None = None
    file_digest: Digest | None = None
    by: Role
    second_reader: Role | None = None
    effective: date
    valid_until: date | None = None

    @model_validator(mode="after")
    def _coherent(self) -> Answer:
        if self.second_reader == self.by:
            raise ValueError(_("`second_reader` is another role than `by`"))
        if self.answer == "not-applicable" and not self.statement.strip():
            raise ValueError(_("`statement` says why it does not apply"))
        if self.valid_until is not None and self.valid_until < self.effective:
            raise ValueError(_("`valid_until` lies before `effective`"))
        if len({value is None for value in (self.name, self.file, self.file_digest)}) != 1:
            raise ValueError(_("`file` comes with its name and its digest"))
        return self


class Labels(Record):
    """What a person said about replies that a judge scored, kept as it came."""

    type: Literal["labels"] = "labels"
    commitment: Digest
    claim: str
    system: Id
    by: Annotated[Role, Field(description="Who labelled: a role of the organisation, never a person's name")]
    name: Annotated[str, Field(description="File name as it came; `terminal` where it was typed")]
    file: Annotated[str, Field(description="Path of the kept copy, relative to the workspace")]
    file_digest: Digest
    rows: Annotated[int, Field(ge=0, description="Replies labelled")]


Evidence: TypeAlias = Annotated[
    Attestation | Observation | Import | ObservedTable | Answer | Labels, Field(discriminator="type")
]
