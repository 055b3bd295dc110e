"""Logs of decisions: what the AI said, what a person decided, and how long that took.

The file that comes has the columns ``case``, ``ai_output``, ``human_decision``, ``reviewer_role``, ``seconds`` and, if
there is one, ``date``. The copy that is kept is a data set that checks can use, with these columns:

============== =========================================================================================
id             the case
ai_output      as it came
human_decision as it came; empty where nobody decided
reviewer_role  as it came
seconds        number of seconds; empty where not known
reviewed       1 where there is a human decision, else 0
overridden     1 where the human decision differs from the AI output, 0 where it is the same, empty where there is none
date           YYYY-MM-DD; empty where not known
============== =========================================================================================

Other columns are not taken over: what no check needs (names, addresses) has no place in the evidence.
"""

from __future__ import annotations

import csv
import io
import math
import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from shinrai.do.keeping import keep
from shinrai.do.naming import require_system
from shinrai.do.table import Row, Table, read_table
from shinrai.errors import nearest
from shinrai.i18n import _
from shinrai.ledger import Ledger
from shinrai.records import DECISION_COLUMNS, EvidenceBrought, Id, Import
from shinrai.rules.standing import standing
from shinrai.source import listing
from shinrai.workspace import Workspace

REQUIRED: Final = ("case", "ai_output", "human_decision", "reviewer_role", "seconds")
OPTIONAL: Final = ("date",)

_SECONDS: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?", re.ASCII)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def import_decisions(ledger: Ledger, workspace: Workspace, path: Path, system: Id) -> Import:
    """Bring in a log of decisions made with the help of a system.

    The newest import of a system is the one that promises are made about; run ``shinrai plan`` after it. Importing the
    very same again changes nothing.

    Parameters
    ----------
    ledger : Ledger
        Opened for writing.
    workspace : Workspace
        As loaded.
    path : Path
        CSV in UTF-8, with or without byte order mark.
    system : Id
        Its id in ``systems/``.

    Returns
    -------
    Import

    Raises
    ------
    UsageError
        If there is no such system.
    SourceError
        With every mistake in the file, each with its place. Nothing is imported then, not even the rows that are right.
    StoreError
        If the copy cannot be kept.
    """
    require_system(system, workspace)
    table = read_table(path, workspace.root)
    decisions = _read(table)
    table.require_sound()
    name = path.name if path.suffix == ".csv" else f"{path.name}.csv"
    about = standing(workspace.systems[system], workspace, ledger.state()).fingerprint
    file, digest = keep(workspace.root, _kept(decisions), name)
    days = [decision.day for decision in decisions if decision.day]
    evidence = Import(
        format="decisions",
        system=system,
        fingerprint=about,
        name=path.name,
        file=file,
        file_digest=digest,
        rows=len(decisions),
        first=min(days, default=None),
        last=max(days, default=None),
    )
    imports = [
        one
        for _entry, one in ledger.state().evidence
        if isinstance(one, Import) and (one.system, one.format) == (system, "decisions")
    ]
    if not imports or imports[-1] != evidence:
        ledger.append(EvidenceBrought(evidence=evidence))
    return evidence


@dataclass(frozen=True, slots=True)
class _Decision:
    """A row that is right."""

    case: str
    ai_output: str
    human_decision: str
    reviewer_role: str
    seconds: str
    day: date | None

    @property
    def overridden(self) -> str:
        if not self.human_decision:
            return ""
        return "0" if _spelling(self.human_decision) == _spelling(self.ai_output) else "1"

    def kept(self) -> tuple[str, ...]:
        reviewed = "1" if self.human_decision else "0"
        day = self.day.isoformat() if self.day else ""
        texts = (self.case, self.ai_output, self.human_decision, self.reviewer_role, self.seconds)
        return (*texts, reviewed, self.overridden, day)


def _kept(decisions: list[_Decision]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(DECISION_COLUMNS)
    writer.writerows(decision.kept() for decision in decisions)
    return out.getvalue().encode()


def _read(table: Table) -> list[_Decision]:
    rows = table.rows()
    header = next(rows, None)
    if header is None:
        if not table.problems:
            table.refuse("do.empty", 1, 0, _("the file is empty"), _("columns {names}").format(names=listing(REQUIRED)))
        return []
    desk = _Desk(table, _positions(table, header), len(header.cells))
    decisions = [decision for row in rows if (decision := desk.decision(row))]
    if not desk.seen and not table.problems:
        table.refuse("do.empty", header.line, 0, _("there is no row below the header"))
    _require_comparable(table, header, decisions)
    return decisions


def _positions(table: Table, header: Row) -> dict[str, int]:
    """Find the columns. A name that is nearly right is shown, and never used."""
    positions: dict[str, int] = {}
    for position, name in enumerate(header.cells):
        if name in positions:
            message = _('the column "{name}" is there twice').format(name=name)
            table.refuse("do.column-twice", header.line, position, message)
        elif name in REQUIRED or name in OPTIONAL:
            positions[name] = position
    foreign = [name for name in header.cells if name not in REQUIRED and name not in OPTIONAL]
    for name in (*REQUIRED, *OPTIONAL):
        close = nearest(name, foreign)
        if name in positions or (name in OPTIONAL and close is None):
            continue
        table.refuse(
            "do.missing-column",
            header.line,
            header.cells.index(close) if close else 0,
            _('there is no column "{name}"').format(name=name),
            expected=_("columns {names}").format(names=listing(REQUIRED)),
            hint=_('is "{found}" meant? Then rename it to "{name}"').format(found=close, name=name)
            if close
            else _separator_hint(header),
        )
    return positions


def _separator_hint(header: Row) -> str | None:
    if len(header.cells) == 1 and any(mark in header.cells[0] for mark in "\t;"):
        return _("the columns have to be separated by commas")
    return None


class _Desk:
    """Turns rows into decisions, and says what is wrong with those that are none."""

    def __init__(self, table: Table, positions: dict[str, int], width: int) -> None:
        self.table = table
        self.positions = positions
        self.width = width
        self.seen: dict[str, int] = {}

    def decision(self, row: Row) -> _Decision | None:
        """Give the decision of a row; None if something is wrong with it or with the header."""
        before = len(self.table.problems)
        if len(row.cells) != self.width:
            self.table.refuse(
                "do.ragged",
                row.line,
                0,
                _("the row has {found} cells, the header has {count}").format(found=len(row.cells), count=self.width),
                hint=_("put a text that holds a comma or a line break in double quotes"),
            )
            return None
        case = self._case(row)
        ai_output = self._text(row, "ai_output", needed=True)
        human_decision = self._text(row, "human_decision")
        reviewer_role = self._text(row, "reviewer_role")
        seconds, day = self._seconds(row), self._day(row)
        if human_decision and not reviewer_role and "reviewer_role" in self.positions:
            message = _("a decision was made here, but not by whom")
            self._refuse("do.no-reviewer", row, "reviewer_role", message, _("the role of the person who decided"))
        if len(self.table.problems) > before or not self.positions.keys() >= set(REQUIRED):
            return None
        return _Decision(case, ai_output, human_decision, reviewer_role, seconds, day)

    def _cell(self, row: Row, name: str) -> str:
        position = self.positions.get(name)
        return "" if position is None else row.cells[position]

    def _refuse(  # noqa: PLR0917 - one argument for each part of a Problem
        self, code: str, row: Row, name: str, message: str, expected: str | None = None, hint: str | None = None
    ) -> None:
        self.table.refuse(code, row.line, self.positions[name], message, expected, hint)

    def _case(self, row: Row) -> str:
        case = self._text(row, "case", needed=True)
        # Full-width and half-width digits look the same to a person: two cases that differ in width only are one.
        same = unicodedata.normalize("NFKC", case)
        if case and same in self.seen:
            message = _('the case "{case}" stands here for the second time').format(case=case)
            hint = _("the first one is in line {line}").format(line=self.seen[same])
            self._refuse("do.case-twice", row, "case", message, _("each case once"), hint)
        self.seen.setdefault(same, row.line)
        return case

    def _text(self, row: Row, name: str, *, needed: bool = False) -> str:
        text = self._cell(row, name)
        if needed and not text and name in self.positions:
            self._refuse("do.empty-cell", row, name, _('the cell of "{name}" is empty').format(name=name))
        if "\0" in text or (name != "case" and _not_finite(text)):
            message = _("{text} cannot be told from a missing value").format(text=repr(text))
            self._refuse("do.not-finite", row, name, message, hint=_("leave the cell empty if there is no value"))
        return text

    def _seconds(self, row: Row) -> str:
        text = self._cell(row, "seconds")
        if not text:
            return ""
        if _SECONDS.fullmatch(text):
            number = float(text)
            return str(int(number)) if number.is_integer() else repr(number)
        self._refuse("do.seconds", row, "seconds", *_explain_seconds(text))
        return ""

    def _day(self, row: Row) -> date | None:
        text = self._cell(row, "date")
        if not text:
            return None
        if _DATE.fullmatch(text):
            try:
                return date.fromisoformat(text)
            except ValueError:
                self._refuse("do.date", row, "date", _("{text} is no day of the calendar").format(text=text))
                return None
        message = _("{text} is not a date as it is written here").format(text=repr(text))
        self._refuse("do.date", row, "date", message, _("year-month-day, such as 2026-04-01"), _half_width(text))
        return None


def _explain_seconds(text: str) -> tuple[str, str, str | None]:
    plain = unicodedata.normalize("NFKC", text)
    expected = _("a number of seconds such as 95 or 95.5, or nothing")
    if re.fullmatch(r"[-−]\s*[0-9.,]+", plain):
        return _("{text} is negative").format(text=text), expected, None
    if _not_finite(text):
        message = _("{text} is not a finite number").format(text=text)
        return message, expected, _("leave the cell empty if there is no value")
    hint = _half_width(text)
    if re.fullmatch(r"[0-9]{1,3}(,[0-9]{3})+", plain):
        hint = _("write {number}").format(number=plain.replace(",", ""))
    return _("{text} is not a number of seconds").format(text=repr(text)), expected, hint


def _half_width(text: str) -> str | None:
    plain = unicodedata.normalize("NFKC", text)
    return _("these are full-width characters; write {text}").format(text=plain) if plain != text else None


def _not_finite(text: str) -> bool:
    try:
        return not math.isfinite(float(text))
    except ValueError:
        return False


def _spelling(text: str) -> str:
    """Two decisions are the same when they differ at most in width and case of their letters."""
    return unicodedata.normalize("NFKC", text).casefold()


def _require_comparable(table: Table, header: Row, decisions: list[_Decision]) -> None:
    """Refuse a log in which people decide in other words than the AI: every case would count as overridden."""
    said = {_spelling(one.ai_output): one.ai_output for one in decisions}
    decided = {_spelling(one.human_decision): one.human_decision for one in decisions if one.human_decision}
    if min(len(said), len(decided)) >= 2 and said.keys().isdisjoint(decided):
        table.refuse(
            "do.not-comparable",
            header.line,
            header.cells.index("human_decision"),
            _("no human decision is written as any AI output is ({human} – {ai})").format(
                human=listing(sorted(decided.values())[:3]), ai=listing(sorted(said.values())[:3])
            ),
            expected=_("the decision in the words of the AI output, so that an override can be told"),
        )
