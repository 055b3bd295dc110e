"""The shape of a scorer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from shinrai.records import Call, Item, Score

Request: TypeAlias = str | Mapping[str, Any]
"""What was asked in one call: the text put to a chat system, or the record put to a predictor."""

ScoreFunction: TypeAlias = Callable[[Item, Sequence[Request], Sequence[Call]], Score]
"""``(item, requests, calls) -> Score`` for one trial; requests and calls in the same order."""


@dataclass(frozen=True)
class Context:
    """What a scorer may know besides the trial.

    Parameters
    ----------
    secrets : tuple of str
        The planted strings of the system under test.
    root : Path, optional
        The workspace; only a plug-in needs it.
    """

    secrets: tuple[str, ...] = ()
    root: Path | None = None
