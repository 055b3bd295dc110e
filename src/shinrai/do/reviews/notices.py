"""What is odd about the files: each oddity is named, counted and located, and none is mended by a guess."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

Kind: TypeAlias = Literal[
    "row-twice",
    "row-conflict",
    "revised",
    "full-width",
    "not-a-number",
    "unknown-word",
    "no-project-number",
    "no-direction",
    "no-target-year",
    "several-target-years",
    "target-without-value",
    "beyond-target-year",
    "several-statements",
    "rate-differs",
    "unknown-node",
    "cycle",
    "no-total",
    "several-totals",
]
"""In English words; `shinrai.cli` says them to people."""

KEPT: Final = 100
"""Places kept for each kind; all are counted."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One oddity and its place.

    Parameters
    ----------
    kind : Kind
    file : str
    line : int
        In which the row begins, from 1.
    column : str
        Header of the cell; empty where the whole row is meant.
    project : str
        Number of the project; empty where it has none.
    found : str
        What stands there.
    other : str
        What it was compared with, where there is such a thing.
    """

    kind: Kind
    file: str
    line: int
    column: str = ""
    project: str = ""
    found: str = ""
    other: str = ""


@dataclass(slots=True)
class Notices:
    """All notices of an import."""

    counts: Counter[Kind] = field(default_factory=Counter)
    kept: dict[Kind, list[Notice]] = field(default_factory=dict)

    def add(self, notice: Notice) -> None:
        """Count a notice, and keep it while there are few of its kind."""
        self.counts[notice.kind] += 1
        places = self.kept.setdefault(notice.kind, [])
        if len(places) < KEPT:
            places.append(notice)

    def of(self, kind: Kind) -> list[Notice]:
        """Give the kept notices of a kind."""
        return self.kept.get(kind, [])
