"""The files of a workspace, read one by one and not yet known to fit together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Generic, TypeVar

from shinrai.errors import Problem
from shinrai.records import (
    Action,
    Check,
    Corrections,
    Crosswalk,
    DepthTable,
    Framework,
    Id,
    Part,
    Plan,
    Record,
    RiskScheme,
    Settings,
    System,
)
from shinrai.source import Document, Place, examine_yaml
from shinrai.workspace.cyclonedx import Bom

R = TypeVar("R", bound=Record)

N = TypeVar("N", Plan, System, Part, Check, Action, Framework, Crosswalk, RiskScheme, Corrections)


@dataclass(frozen=True)
class Sourced(Generic[R]):
    """A record and the file it was read from."""

    record: R
    path: Path
    shown_as: str

    @cached_property
    def document(self) -> Document:
        """The file once more: places are looked up only where there is something to complain about."""
        return examine_yaml(self.path, shown_as=self.shown_as)

    def problem(
        self,
        code: str,
        place: Place,
        message: str,
        expected: str | None = None,
        hint: str | None = None,
        *,
        key: bool = False,
    ) -> Problem:
        """Make a Problem located in the file; as `Document.problem`."""
        return self.document.problem(code, place, message, expected, hint, key=key)


@dataclass
class Shelf(Generic[N]):
    """All files of one kind.

    Parameters
    ----------
    records : dict
        Id → record with its file.
    broken : set of str
        Ids of files that could not be read: naming one of them is no mistake of its own.
    """

    records: dict[Id, Sourced[N]] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)

    def __iter__(self) -> Iterator[Sourced[N]]:
        return iter(self.records.values())

    def __contains__(self, name: str) -> bool:
        return name in self.records or name in self.broken

    def plain(self) -> dict[Id, N]:
        """Give the records without their files."""
        return {name: sourced.record for name, sourced in self.records.items()}


@dataclass
class Parts:
    """Everything that was read, before it is known to fit together."""

    root: Path
    settings: Sourced[Settings] | None
    plans: Shelf[Plan]
    systems: Shelf[System]
    components: Shelf[Part]
    boms: list[Bom]
    own_checks: Shelf[Check]
    actions: Shelf[Action]
    corrections: Shelf[Corrections]
    checks: dict[Id, Check]
    frameworks: Shelf[Framework]
    crosswalks: Shelf[Crosswalk]
    risk: Shelf[RiskScheme]
    depths: Sourced[DepthTable] | None
    higher_plans: dict[Id, Plan]
