"""Frameworks × systems: where each requirement stands, and which requirements one claim answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from shinrai.i18n import _
from shinrai.ledger.projection import State
from shinrai.records import Answer, Framework, Id, Json, Relationship, Requirement, Text
from shinrai.report.words import N_, SHAPES, STATUS_WORDS, STYLES
from shinrai.rules.applying import Scope, standing
from shinrai.rules.crosswalks import Way
from shinrai.rules.questions import ANSWER_WORDS
from shinrai.rules.status import REQUIREMENT_STATUSES, Contribution, RequirementStatus, Standing, answers_of
from shinrai.workspace import Workspace

REQUIREMENT_WORDS: dict[RequirementStatus, str] = {
    status: N_("met in part") if status == "partly" else STATUS_WORDS[status] for status in REQUIREMENT_STATUSES
}
REQUIREMENT_SHAPES: dict[RequirementStatus, str] = {
    status: "◐" if status == "partly" else SHAPES[status] for status in REQUIREMENT_STATUSES
}
REQUIREMENT_STYLES: dict[RequirementStatus, str] = {
    status: "blue" if status == "partly" else STYLES[status] for status in REQUIREMENT_STATUSES
}

RELATIONSHIPS: dict[Relationship, str] = {
    "equal-to": N_("is the same as it"),
    "equivalent-to": N_("amounts to it"),
    "superset-of": N_("is more than it"),
    "subset-of": N_("is a part of it"),
    "intersects-with": N_("has something in common with it"),
    "no-relationship": N_("has nothing to do with it"),
}
"""What a piece of evidence is to a requirement."""

RULED_OUT: dict[str, str] = {
    "role": N_("it speaks to roles that the organisation does not have in this system"),
    "tier": N_("it speaks to a class of risk that this system is not in"),
    "over": N_("it is no longer to be kept"),
    "answer": N_("an answer says that it does not apply"),
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One framework for one system: its requirements counted by where they stand."""

    system: Id
    counts: dict[RequirementStatus, int]

    @property
    def total(self) -> int:
        """All requirements, whatever their status: the denominator of each count."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Line:
    """One requirement: how many systems it stands where for, and where for each that a page shows."""

    ref: str
    requirement: Requirement
    counts: list[tuple[RequirementStatus, int]]
    statuses: dict[Id, RequirementStatus]


@dataclass(frozen=True, slots=True)
class Row:
    """One framework: its cells for the systems that a page shows, and its requirements one by one."""

    framework: Framework
    cells: tuple[Cell, ...]
    lines: tuple[Line, ...]
    upcoming: int
    """Requirements that are to be kept only from a later day on."""


@dataclass(frozen=True, slots=True)
class AnsweredClaim:
    """One claim and every requirement that it says something about."""

    claim: str
    title: Text
    ways: Mapping[str, Way]


MAX_COLUMNS = 12
"""Systems that a page shows side by side; more are counted together."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """Everything that the section on rule books shows."""

    standing: Standing
    systems: dict[Id, Text]
    rows: tuple[Row, ...]
    claims: tuple[AnsweredClaim, ...] = field(default=())

    @property
    def columns(self) -> dict[Id, Text]:
        """The systems to show side by side; none where there are too many for a page."""
        return self.systems if len(self.systems) <= MAX_COLUMNS else {}

    def together(self, row: Row) -> Cell:
        """Count the requirements of a framework over all systems, each for itself."""
        return Cell("", self.standing.counts(row.framework.id))

    def to_json(self) -> dict[str, Json]:
        """Give the counts as JSON values."""
        return {
            "systems": list(self.systems),
            "frameworks": [
                {
                    "id": row.framework.id,
                    "title": row.framework.title.to_json(),
                    "certainty": row.framework.certainty,
                    "requirements": len(row.lines),
                    "upcoming": row.upcoming,
                    "systems": [
                        {"system": cell.system, "counts": dict(cell.counts), "of": cell.total}
                        for cell in (_cell(self.standing, row.framework.id, system) for system in self.systems)
                    ],
                    "statuses": {line.requirement.id: line.statuses for line in row.lines} if self.columns else None,
                }
                for row in self.rows
            ],
        }


def matrix(workspace: Workspace, state: State, today: date) -> Matrix:
    """Compute the matrix of a workspace.

    Parameters
    ----------
    workspace : Workspace
        As loaded.
    state : State
        Of its ledger.
    today : date
        The day for which to say where requirements stand.

    Returns
    -------
    Matrix
        Frameworks in the order of their ids, systems in that of the workspace.
    """
    found = standing(workspace, state, today)
    systems = {system.id: system.title for system in workspace.systems.values()}
    titles = {promise.commitment.claim: promise.commitment.title for promise in state.promises.values()}
    claims = [AnsweredClaim(name, titles[name], found.answered_by(name)) for name in found.claims if name in titles]
    rows = tuple(_row(framework, found, systems, today) for framework in found.frameworks.values())
    return Matrix(found, systems, rows, tuple(claims))


def _row(framework: Framework, found: Standing, systems: Mapping[Id, Text], today: date) -> Row:
    entries = found.requirements(framework.id)
    shown = list(systems) if len(systems) <= MAX_COLUMNS else []
    lines = tuple(
        Line(ref, entry, ordered(found.spread(ref)), {system: found.status(ref, system) for system in shown})
        for entry in entries
        for ref in (f"{framework.id}/{entry.id}",)
    )
    cells = tuple(_cell(found, framework.id, system) for system in shown)
    later = sum(entry.valid_from is not None and entry.valid_from > today for entry in entries)
    return Row(framework, cells, lines, later)


def _cell(found: Standing, framework: Id, system: Id) -> Cell:
    return Cell(system, found.counts(framework, system))


def why_not(workspace: Workspace, requirement: Requirement, system: Id, today: date) -> str:
    """Say in words why a requirement does not apply to a system; in English, to be translated."""
    return RULED_OUT[Scope(workspace, today).why_not(requirement, system) or "answer"]


def answer_behind(state: State, evidence: str, system: Id) -> Answer | None:
    """Give the answer that a piece of evidence is: of several the newest, one about the system before one about all.

    Parameters
    ----------
    state : State
        Of the ledger.
    evidence : str
        Name of a piece of evidence; None comes back where it is a claim.
    system : Id
        That it is evidence about.
    """
    newest = {one.system: one for one in answers_of(state) if one.requirement == evidence}
    return newest.get(system) or newest.get(None)


def answer_words(answer: Answer) -> str:
    """Say in the language in use what was answered, by whom, for how long, and what shows it or is missing."""
    told = [_(ANSWER_WORDS[answer.answer]), answer.by, _("from {day}").format(day=answer.effective)]
    if answer.valid_until is not None:
        told.append(_("until {day}").format(day=answer.valid_until))
    if answer.answer == "in-place":
        told.append(answer.name or _("no document"))
        reader = answer.second_reader
        told.append(_("second reader: {role}").format(role=reader) if reader else _("no second reader"))
    return " · ".join(told) + (f": {answer.statement}" if answer.statement else "")


def contribution_json(one: Contribution) -> dict[str, Json]:
    """Give a piece of evidence as JSON values, with the way it came and the weakest link of that."""
    return {"evidence": one.evidence, "status": one.status, **way_json(one.way)}


def way_json(way: Way) -> dict[str, Json]:
    """Give a way along crosswalks as JSON values."""
    weakest = way.weakest
    return {
        "relationship": way.relationship,
        "crosswalks": [hop.crosswalk for hop in way.hops],
        "through": [hop.source for hop in way.hops][1:],
        "weakest": {
            "crosswalk": weakest.crosswalk,
            "confidence": weakest.confidence,
            "provenance": "official" if weakest.official else "derived",
            "reviewed": weakest.reviewed,
        }
        if weakest
        else None,
    }


def ordered(counts: Mapping[RequirementStatus, int]) -> list[tuple[RequirementStatus, int]]:
    """Give counts in the order in which they ask for attention."""
    return [(status, counts[status]) for status in REQUIREMENT_STATUSES if counts.get(status)]
