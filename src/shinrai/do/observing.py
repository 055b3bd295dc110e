"""Tables of observations: CSV in, every mistake at its place, and only what is new goes into the ledger."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final, TypeAlias

from pydantic import ValidationError

from shinrai.do.keeping import keep
from shinrai.do.naming import indicators_of
from shinrai.do.table import Row, Table, read_table
from shinrai.errors import UsageError
from shinrai.i18n import _
from shinrai.ledger import Ledger
from shinrai.records import (
    TOTAL,
    EvidenceBrought,
    Id,
    IndicatorDefinition,
    Observation,
    ObservedTable,
    first_day,
    last_day_of,
    period_like,
    period_meant,
)
from shinrai.source import did_you_mean, listing
from shinrai.workspace import Workspace, kept_copy

__all__ = ["COLUMNS", "observe_table", "refuse_silent_revision"]

COLUMNS: Final[dict[str, str]] = {
    "indicator": "subject",
    "area": "area",
    "period": "period",
    "value": "value",
    "unit": "unit",
    "status": "status",
    "published": "published",
    "retrieved": "retrieved",
    "source": "source",
    "url": "url",
    "locator": "locator",
    "certainty": "certainty",
    "collector": "collector",
    "definition": "definition",
    "population": "population",
    "survey_mode": "survey_mode",
    "n": "sample",
    "standard_error": "standard_error",
    "design_effect": "design_effect",
    "series_break": "series_break",
}
"""Column of the CSV → field of the observation. Every further column is a breakdown, named by the indicator."""

_NEEDED: Final = ("indicator", "period", "value", "unit", "source")
_NUMBERS: Final = ("value", "n", "standard_error", "design_effect")
_NUMBER: Final = re.compile(r"-?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_YES: Final = {"": None, "no": None, "yes": True, "true": True, "false": None}

_Key: TypeAlias = tuple[str, str | None, str | None, tuple[tuple[str, str], ...], date | None, str]


def observe_table(ledger: Ledger, workspace: Workspace, file: Path, *, today: date) -> tuple[ObservedTable | None, int]:
    """Bring in a table of observations.

    Parameters
    ----------
    ledger : Ledger
        Opened for writing.
    workspace : Workspace
        As loaded; its plans and those of the catalog define the indicators.
    file : Path
        CSV with a header: see `COLUMNS`.
    today : date
        The day on which this is said.

    Returns
    -------
    tuple of ObservedTable or None, and int
        What was written into the ledger, None where every row was there already; and how many rows were.

    Raises
    ------
    SourceError
        With every mistake of the file, each at its line and column: nothing of it is brought in then. Among them:
        indicators and columns that nobody defines, units that do not match, values outside what can be, rows without a
        source, rows that are there twice, and values that differ from those that the same publication had before.
    UsageError
        If the name of the file is too long to be kept.
    """
    table = read_table(file, workspace.root)
    reading = _Reading(table, indicators_of(workspace), today)
    reading.read()
    known = {_key(one): one for one in _brought(ledger, workspace.root)}
    fresh = [found for found in reading.found if not reading.is_known(found, known)]
    table.require_sound()
    if not fresh:
        return None, len(reading.found)
    content = b"".join(one.observation.canonical() + b"\n" for one in fresh)
    kept, digest = keep(workspace.root, content, f"{file.name}.jsonl")
    evidence = ObservedTable(name=file.name, file=kept, file_digest=digest, rows=len(fresh))
    ledger.append(EvidenceBrought(evidence=evidence))
    return evidence, len(reading.found) - len(fresh)


def refuse_silent_revision(ledger: Ledger, root: Path, found: Observation) -> None:
    """Refuse a value that differs from what the same publication said of the same period before.

    Parameters
    ----------
    ledger : Ledger
        Holds what was brought before.
    root : Path
        Of the workspace.
    found : Observation
        With a period.

    Raises
    ------
    UsageError
        If there is one.
    """
    for known in _brought(ledger, root):
        if _key(known) == _key(found) and known.value != found.value:
            message = _("the value was {before} when it was brought in, under the same date of publication").format(
                before=f"{known.value:g}"
            )
            raise UsageError("do.revised-silently", message, hint=_("give a revision its own date with --published"))


def _brought(ledger: Ledger, root: Path) -> Iterable[Observation]:
    for _entry, evidence in ledger.state().evidence:
        if isinstance(evidence, ObservedTable):
            for line in kept_copy(root, evidence).read_bytes().splitlines():
                yield Observation.model_validate_json(line)
        elif isinstance(evidence, Observation) and evidence.period is not None:
            yield evidence


def _key(one: Observation) -> _Key:
    breakdown = tuple(sorted((name, value) for name, value in (one.breakdown or {}).items() if value != TOTAL))
    return one.subject, one.area, one.period, breakdown, one.published, one.source


def _expected(kind: str, context: Mapping[str, Any]) -> str | None:
    """Say what a cell may hold."""
    if kind == "literal_error":
        return _("one of: {names}").format(names=str(context["expected"]).replace("'", ""))
    return _("a date such as 2026-07-24") if kind.startswith("date") else None


@dataclass(frozen=True, slots=True)
class _Found:
    observation: Observation
    row: Row
    value_at: int


@dataclass
class _Reading:
    """Reads row by row and notes what is wrong."""

    table: Table
    indicators: Mapping[Id, IndicatorDefinition]
    today: date
    found: list[_Found] = field(default_factory=list)
    header: tuple[str, ...] = ()
    lines: dict[_Key, tuple[int, float]] = field(default_factory=dict)

    def read(self) -> None:
        rows = self.table.rows()
        first = next(rows, None)
        if first is None:
            self.table.refuse("do.no-rows", 1, 0, _("the file has no rows"))
            return
        self.header = first.cells
        if not self._header_is_sound(first):
            return
        for row in rows:
            self._row(row)
        if not self.found and not self.table.problems:
            self.table.refuse("do.no-rows", first.line, 0, _("the file has no rows"))

    def _header_is_sound(self, row: Row) -> bool:
        breakdowns = {name for one in self.indicators.values() for name in one.disaggregation}
        for position, name in enumerate(self.header):
            if name in self.header[:position]:
                message = _('the column "{name}" is there twice').format(name=name)
                self.table.refuse("do.column", row.line, position, message, _("a name of its own"))
            elif name not in COLUMNS and name not in breakdowns:
                message = _('the column "{name}" is not known').format(name=name)
                known = [*COLUMNS, *sorted(breakdowns)]
                expected = _("one of: {names}").format(names=listing(known))
                plain = unicodedata.normalize("NFKC", name).lower()
                self.table.refuse("do.column", row.line, position, message, expected, did_you_mean(plain, known))
        for name in _NEEDED:
            if name not in self.header:
                self.table.refuse("do.column", row.line, 0, _('there is no column "{name}"').format(name=name))
        return not self.table.problems

    def _row(self, row: Row) -> None:
        problems = len(self.table.problems)
        if len(row.cells) != len(self.header):
            message = _("the row has {found} cells, the header has {count}").format(
                found=len(row.cells), count=len(self.header)
            )
            self.table.refuse("do.csv", row.line, 0, message)
            return
        cells = dict(zip(self.header, row.cells, strict=True))
        values = {name: self._cell(row, name, text) for name, text in cells.items()}
        definition = self._definition(row, cells)
        if len(self.table.problems) > problems or definition is None:
            return
        observation = self._observation(row, values, definition)
        if observation is not None and self._fits(row, observation, definition):
            self._take(row, observation)

    def _cell(self, row: Row, name: str, text: str) -> Any:  # noqa: ANN401 - a number, a text or nothing
        """Read a cell as what its column holds."""
        if not text:
            if name in _NEEDED:
                code = "do.no-source" if name == "source" else "do.empty"
                message = _("a value without its source is no evidence") if name == "source" else _("the cell is empty")
                self._refuse(code, row, name, message)
            return None
        if name in _NUMBERS:
            return self._number(row, name, text)
        if name == "series_break":
            if text.lower() not in _YES:
                message = _('"{text}" is not known here').format(text=text)
                self._refuse("do.cell", row, name, message, _("yes, or nothing"))
            return _YES.get(text.lower())
        return text

    def _number(self, row: Row, name: str, text: str) -> float | int | None:
        if _NUMBER.fullmatch(text):
            return float(text) if name != "n" else self._whole(row, text)
        plain = unicodedata.normalize("NFKC", text).replace(",", "").replace("%", "").strip()
        hint = _("write {text}").format(text=plain) if _NUMBER.fullmatch(plain) else None
        message = _('"{text}" is no number').format(text=text)
        self._refuse("do.number", row, name, message, _("half-width digits without separators, such as 58.8"), hint)
        return None

    def _whole(self, row: Row, text: str) -> int | None:
        if text.isdecimal():
            return int(text)
        self._refuse("do.number", row, "n", _('"{text}" is no number').format(text=text), _("a whole number"))
        return None

    def _definition(self, row: Row, cells: Mapping[str, str]) -> IndicatorDefinition | None:
        name = cells["indicator"]
        definition = self.indicators.get(name)
        if definition is None and name:
            message = _('no plan defines the indicator "{name}"').format(name=name)
            self._refuse("do.unknown-indicator", row, "indicator", message, None, did_you_mean(name, self.indicators))
        elif definition is not None:
            for column, text in cells.items():
                if column not in COLUMNS and text not in {"", TOTAL} and column not in definition.disaggregation:
                    message = _('the indicator is not broken down by "{name}"').format(name=column)
                    self._refuse("do.breakdown", row, column, message)
        return definition

    def _observation(self, row: Row, values: Mapping[str, Any], definition: IndicatorDefinition) -> Observation | None:
        given = {COLUMNS[name]: value for name, value in values.items() if name in COLUMNS and value is not None}
        breakdown = {name: values[name] for name in definition.disaggregation if values.get(name)}
        period = str(given.get("period", ""))
        try:
            given["as_of"] = last_day_of(period).isoformat()
            return Observation.model_validate({**given, "breakdown": breakdown or None})
        except ValidationError as error:
            fields = {name: column for column, name in COLUMNS.items()}
            for detail in error.errors(include_url=False):
                column = fields.get(str(detail["loc"][0]), "indicator") if detail["loc"] else "indicator"
                message = _("{name}: found {found}").format(name=column, found=detail["input"])
                self._refuse("do.cell", row, column, message, _expected(detail["type"], detail.get("ctx", {})))
        except ValueError:
            message = _('"{text}" is no period').format(text=period)
            expected = _("a period such as 2026, FY2025, 2026-H1, 2026-Q2, 2026-05 or 2026-05-31")
            meant = period_meant(period)
            hint = None if meant is None else _("did you mean {name}?").format(name=meant)
            self._refuse("do.period", row, "period", message, expected, hint)
        return None

    def _fits(self, row: Row, one: Observation, definition: IndicatorDefinition) -> bool:
        """Hold an observation against the definition of its indicator and against the calendar."""
        before = len(self.table.problems)
        low, high = definition.limits
        if one.unit != definition.unit:
            message = _("the unit is {unit}").format(unit=one.unit)
            expected = _("{unit}, as the plan defines it").format(unit=definition.unit)
            self._refuse("do.unit", row, "unit", message, expected)
        elif (low is not None and one.value < low) or (high is not None and one.value > high):
            message = _("{value} {unit} lies outside what the indicator can be").format(
                value=f"{one.value:g}", unit=one.unit
            )
            self._refuse("do.outside-limits", row, "value", message)
        if one.period and one.status != "forecast" and first_day(one.period) > self.today:
            message = _("Nothing can have been observed on {day}: it is still to come").format(day=one.period)
            newest = period_like(one.period, self.today)
            expected = _("{period} at the latest").format(period=newest)
            self._refuse("do.future", row, "period", message, expected, _("a forecast has the status forecast"))
        elif one.period and one.published and one.status != "forecast" and one.published < first_day(one.period):
            message = _("published on {day}, before the period began").format(day=one.published)
            self._refuse("do.published-early", row, "published", message)
        return len(self.table.problems) == before

    def _take(self, row: Row, one: Observation) -> None:
        key = _key(one)
        if key in self.lines:
            line, value = self.lines[key]
            message = (
                _("the same value of the same publication stands here for the second time")
                if value == one.value
                else _("the same publication says {before} as well").format(before=f"{value:g}")
            )
            hint = _("the first one is in line {line}").format(line=line)
            self._refuse("do.duplicate-row", row, "value", message, None, hint)
            return
        self.lines[key] = row.line, one.value
        self.found.append(_Found(one, row, self.header.index("value")))

    def is_known(self, found: _Found, known: Mapping[_Key, Observation]) -> bool:
        """Tell whether a row was brought in before; a value that changed without a new publication is refused."""
        before = known.get(_key(found.observation))
        if before is not None and before.value != found.observation.value:
            message = _("the value was {before} when it was brought in, under the same date of publication").format(
                before=f"{before.value:g}"
            )
            hint = _("a revision is a new row with its own date in the column published; the old row stays")
            self.table.refuse("do.revised-silently", found.row.line, found.value_at, message, None, hint)
        return before is not None

    def _refuse(  # noqa: PLR0917 - one argument for each part of a Problem
        self, code: str, row: Row, column: str, message: str, expected: str | None = None, hint: str | None = None
    ) -> None:
        position = self.header.index(column) if column in self.header else 0
        self.table.refuse(code, row.line, position, message, expected, hint)
