"""What the runs of all tools have in common once they are read: rows that look alike, and facts about the run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NoReturn

import msgspec

from shinrai.do.refusing import refuse
from shinrai.i18n import N_, _
from shinrai.records import ImportFormat, Json, Plugin
from shinrai.source import Row, finite

__all__ = ["NOT_RUN", "Row", "Run", "finite", "moment", "refuse_field"]

NOT_RUN: Final = "not-run"
"""Kind of a trial that was planned and of which the file has nothing."""


@dataclass(slots=True)
class Run:
    """A run that is being read. What it says of itself is complete when its rows have been gone through.

    Parameters
    ----------
    format : ImportFormat
    tool : str
    rows : iterator of Row
    version, began, ended_as, task, model, scorers, selection, order, summary
        As in `Provenance`.
    files : list of Path
        All files that were read for it.
    plugin : Plugin, optional
        What reads it, where it is not Shinrai.
    """

    format: ImportFormat
    tool: str
    rows: Iterator[Row] = field(default_factory=lambda: iter(()))
    version: str | None = None
    began: str | None = None
    ended_as: str | None = None
    task: str | None = None
    model: str | None = None
    scorers: dict[str, None] = field(default_factory=dict)
    selection: str = N_("as the file has them; it does not say what was left out")
    order: str = N_("as the file has them; it does not say how they were ordered")
    summary: dict[str, Json] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)
    plugin: Plugin | None = None


def moment(text: object, file: str, name: str) -> str | None:
    """Give a time as ISO 8601 in UTC; None for none.

    Parameters
    ----------
    text : object
        A text of the file, or a number of seconds since 1970.
    file, name : str
        Of the file and the field, for messages.

    Raises
    ------
    SourceError
        If it is neither.
    """
    if text is None or text == "":
        return None
    try:
        if isinstance(text, int | float) and not isinstance(text, bool):
            when = datetime.fromtimestamp(text, UTC)
        else:
            when = datetime.fromisoformat(str(text))
    except (ValueError, OverflowError, OSError):
        message = _('the field "{name}" is not a time: {found}').format(name=name, found=repr(text)[:60])
        refuse("do.bad-field", file, message, expected=_("such as 2026-04-01T09:00:00+09:00"))
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return when.astimezone(UTC).isoformat().replace("+00:00", "Z")


def refuse_field(file: str, line: int, error: Exception, excerpt: str | None = None) -> NoReturn:
    """Refuse a file and say which field of a row is not as its tool writes it; msgspec names it."""
    if isinstance(error, msgspec.ValidationError):
        what, _at, where = str(error).partition(" - at `")
        name = where.rstrip("`").removeprefix("$.") or "$"
        message = _('the field "{name}" is not as the tool writes it: {reason}').format(name=name, reason=what)
        refuse("do.bad-field", file, message, line=line, excerpt=excerpt)
    message = _("this is not valid JSON: {reason}").format(reason=error)
    refuse("do.json", file, message, line=line, excerpt=excerpt)
