"""Why a version of a plan differs from the one before."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from shinrai.records.base import Id, Record, Role, Text

ChangeKind: TypeAlias = Literal[
    "added",
    "removed",
    "not-found",
    "split",
    "merged",
    "moved",
    "text-changed",
    "owner-changed",
    "deadline-earlier",
    "deadline-later",
    "target-added",
    "target-removed",
    "target-raised",
    "target-lowered",
    "target-date-moved",
    "standing-changed",
    "path-changed",
    "baseline-changed",
    "indicator-replaced",
    "definition-changed",
    "level-changed",
    "force-changed",
]
"""What can change between two versions. ``not-found`` is not known to be a change: it is not in a version whose text
nobody has read. Raised and lowered are about the number alone: whether that is more or less of
a promise depends on the indicator's direction."""


class ChangeReason(Record):
    """Why something was changed, and on what that rests. A change without one is a finding."""

    of: Annotated[Id, Field(description="The entry, result or indicator use that was changed")]
    kind: Annotated[ChangeKind | None, Field(description="Only changes of this kind; all of them when left out")] = None
    reason: Text
    evidence: Annotated[
        tuple[str, ...], Field(description="What it rests on: observations, verdicts, findings, documents")
    ] = ()
    decision: Annotated[str | None, Field(description="Where that was decided, such as minutes or an address")] = None


class LintDecision(Record):
    """A person looked at what a rule found and decided that it may stay."""

    rule: Annotated[str, Field(pattern=r"^[RG][0-9]{1,2}$", description="Such as R3")]
    of: Annotated[Id, Field(description="The entry, result or indicator that the rule named")]
    reason: Text
    by: Role
