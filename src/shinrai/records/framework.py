"""Rule books as data: frameworks, their requirements, and crosswalks between them.

Crosswalks use the vocabulary of the OSCAL 1.2 mapping model word for word, so that writing one out is a renaming.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from shinrai.i18n import _
from shinrai.records.base import Id, Record, Role, Share, Text
from shinrai.records.register import Operator
from shinrai.records.source import Certainty, Source

RequirementId: TypeAlias = Annotated[str, Field(pattern=r"^[\p{L}\p{N}][\p{L}\p{N}._-]*$", max_length=80)]
"""As the issuer writes it, as far as it is letters, digits, ``.``, ``-`` and ``_``."""

RequirementRef: TypeAlias = Annotated[str, Field(pattern=r"^[a-z0-9]+(?:[-.][a-z0-9]+)*/[\p{L}\p{N}][\p{L}\p{N}._-]*$")]
"""``framework/requirement``."""

Relationship: TypeAlias = Literal[
    "equal-to", "equivalent-to", "superset-of", "subset-of", "intersects-with", "no-relationship"
]
"""
equal-to, equivalent-to   the same in words, or in effect
superset-of               the source asks for all that the target asks for, and more
subset-of                 the source asks for a part of what the target asks for
intersects-with           they have something in common, and each has something of its own
no-relationship           looked at, and nothing in common
"""

INVERSE: dict[Relationship, Relationship] = {
    "equal-to": "equal-to",
    "equivalent-to": "equivalent-to",
    "superset-of": "subset-of",
    "subset-of": "superset-of",
    "intersects-with": "intersects-with",
    "no-relationship": "no-relationship",
}
"""What the target is to the source."""

CHECKS: Id = "checks"
"""As the source of a crosswalk: its sources are checks, by id."""


class Licence(Record):
    """On what terms an issuer's text may be handed on, and what is therefore shipped of it."""

    name: Text
    url: str | None = None
    ships: Annotated[
        Literal["text", "own-words"], Field(description="The issuer's text, or ids and words of our own")
    ] = "own-words"


class Amendment(Record):
    """A later act that changed requirements, rules or their dates."""

    id: Id
    title: Text
    decided: date
    in_force: Annotated[date | None, Field(description="Left out where publication could not be confirmed")] = None
    source: Source


class Requirement(Record):
    """One entry of a framework.

    Parameters
    ----------
    id : str
        Unique within its framework.
    parent : str, optional
        The entry that it stands under.
    assessable : bool
        False for headings: they have no status of their own.
    roles : tuple
        To whom it speaks; everybody when empty.
    tiers : tuple of str
        Risk classes ``scheme/tier`` that it speaks to; all when empty.
    valid_from, valid_until : date, optional
        From when and until when it is to be kept, both included.
    """

    id: RequirementId
    title: Text
    text: Annotated[Text | None, Field(description="In the issuer's words, where the licence lets them be shipped")] = (
        None
    )
    note: Annotated[Text | None, Field(description="In words of our own")] = None
    parent: RequirementId | None = None
    assessable: bool = True
    roles: tuple[Operator, ...] = ()
    tiers: Annotated[tuple[str, ...], Field(description="Risk classes such as eu-ai-act/high; all when left out")] = ()
    valid_from: date | None = None
    valid_until: date | None = None
    amended_by: Annotated[tuple[Id, ...], Field(description="Of the framework's amendments")] = ()
    source: Source | None = None
    certainty: Annotated[Certainty | None, Field(description="The framework's when left out")] = None


class Framework(Record):
    """The files ``frameworks/*.yaml`` and ``catalog/frameworks``: one version of a rule book."""

    id: Id
    family: Annotated[Id, Field(description="What its versions have in common")]
    version: str
    title: Text
    issuer: Text
    published: date
    valid_from: date | None = None
    superseded_by: Annotated[Id | None, Field(description="The version after it; both can be answered")] = None
    withdrawn: Annotated[date | None, Field(description="Since when it may no longer be relied on")] = None
    checked_on: Annotated[date | None, Field(description="When this file was last compared with its source")] = None
    licence: Licence
    sources: Annotated[tuple[Source, ...], Field(min_length=1)]
    certainty: Certainty
    note: Text | None = None
    amendments: tuple[Amendment, ...] = ()
    requirements: Annotated[tuple[Requirement, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _coherent(self) -> Framework:
        known: set[str] = set()
        amendments = {one.id for one in self.amendments}
        for entry in self.requirements:
            if entry.id in known:
                raise ValueError(_("in `requirements` two entries have the id {id}").format(id=entry.id))
            if entry.parent is not None and entry.parent not in known:
                raise ValueError(
                    _("in `requirements` {id} stands under {parent}, which does not come before it").format(
                        id=entry.id, parent=entry.parent
                    )
                )
            known.add(entry.id)
            if set(entry.amended_by) - amendments:
                raise ValueError(
                    _("in `requirements` {id} is amended by what is not among the `amendments`").format(id=entry.id)
                )
            if entry.text is not None and self.licence.ships != "text":
                raise ValueError(
                    _("in `requirements` {id} has a `text`, and the licence ships own-words only").format(id=entry.id)
                )
        return self


class Mapping(Record):
    """What some entries of one framework are to some entries of another, all together."""

    sources: Annotated[tuple[RequirementId, ...], Field(min_length=1)]
    relationship: Relationship
    targets: Annotated[tuple[RequirementId, ...], Field(min_length=1)]
    matching_rationale: Literal["syntactic", "semantic", "functional"] = "semantic"
    confidence: Annotated[Share | None, Field(description="How sure the mapper is")] = None
    coverage: Annotated[Share | None, Field(description="Share of the targets that the sources cover")] = None
    remark: Text | None = None


class Crosswalk(Record):
    """The files ``crosswalks/*.yaml`` and ``catalog/crosswalks``: how two frameworks, or checks and one, relate."""

    id: Id
    version: str = "1"
    title: Text
    source: Annotated[Id, Field(description="A framework, or `checks`")]
    target: Id
    provenance: Annotated[Literal["official", "derived"], Field(description="Published by an issuer, or our reading")]
    method: Literal["human", "automation", "hybrid"] = "human"
    status: Literal["complete", "not-complete", "draft", "deprecated", "superseded"] = "draft"
    reviewer: Annotated[Role | None, Field(description="Who read it a second time; nobody when left out")] = None
    sources: Annotated[tuple[Source, ...], Field(description="Where it comes from")] = ()
    mappings: Annotated[tuple[Mapping, ...], Field(min_length=1)]
