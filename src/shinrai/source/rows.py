"""Rows of other tools' runs, which look alike whatever tool made them."""

from __future__ import annotations

import math
from typing import Any, Final, Literal, TypeAlias

import msgspec

from shinrai.records import Json

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


def finite(value: Any) -> Json:  # noqa: ANN401 - whatever a tool gives as a score
    """Give a score as it is; None for NaN and infinities, which some tools write for "not scored"."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
