"""What the runs of all tools have in common once they are read: rows that look alike, and facts about the run."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, NoReturn, TypeAlias

import msgspec

from shinrai.do.refusing import refuse
from shinrai.i18n import _
from shinrai.records import ImportFormat, Json, Plugin

NOT_RUN: Final = "not-run"
"""Kind of a trial that was planned and of which the file has nothing."""

_LONGEST_ERROR: Final = 300

End: TypeAlias = Literal["ok", "blocked", "error"]


class Row(msgspec.Struct, frozen=True):
    """One reply that was made elsewhere, or the place where one should be.

    Parameters
    ----------
    id : str
        Unique in the file.
    sample : str
        Of which unit of the data; rows of one sample are one trial.
    prompts : list of str
        What was asked, as far as the file has it.
    end : {"ok", "blocked", "error"}
    reply : str, optional
        None unless `end` is ``ok``.
    error : str, optional
        ``kind`` or ``kind: what the tool said``.
    columns : dict
        Further columns of the kept copy: ``score.NAME``, ``target``, ``metadata.NAME`` …
    """

    id: str
    sample: str
    prompts: list[str]
    end: End
    reply: str | None = None
    error: str | None = None
    columns: dict[str, Json] = {}

    def kept(self) -> dict[str, Json]:
        """Give the row of the kept copy."""
        row: dict[str, Json] = {"id": self.id, "sample": self.sample, "prompts": self.prompts, "end": self.end}
        if self.reply is not None:
            row["reply"] = self.reply
        if self.error is not None:  # one line that cannot control anything: it becomes part of tables
            row["error"] = "".join(one if one.isprintable() else " " for one in self.error)[:_LONGEST_ERROR]
        return {**row, **self.columns}


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
    selection: str = "as the file has them; it does not say what was left out"
    order: str = "as the file has them; it does not say how they were ordered"
    summary: dict[str, Json] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)
    plugin: Plugin | None = None


def finite(value: Any) -> Json:  # noqa: ANN401 - whatever a tool gives as a score
    """Give a score as it is; None for NaN and infinities, which some tools write for "not scored"."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


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
