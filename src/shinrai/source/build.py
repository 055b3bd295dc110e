"""From plain values to records: every mistake located, with what was found, what was expected and the nearest name."""

from __future__ import annotations

import json
import re
import types
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from shinrai.errors import Problem, SourceError, nearest
from shinrai.i18n import _
from shinrai.records import Json, Record
from shinrai.source.document import MAX_PROBLEMS, Document, Place
from shinrai.source.explain import Mistake, code_of, expectation, hint_for, member_expectation, message_for

R = TypeVar("R", bound=Record)

_NAME = re.compile(r"[A-Za-z0-9_'’-]+")
"""A word that may be a key, in a message of either language."""


def build(document: Document, record: type[R]) -> R:
    """Make a record of a document.

    Parameters
    ----------
    document : Document
        What was read.
    record : type of Record
        What it should be.

    Returns
    -------
    Record

    Raises
    ------
    SourceError
        With everything that does not fit, and with the document's own problems.
    """
    built, problems = attempt(document, record)
    if built is None:
        raise SourceError(problems)
    return built


def attempt(document: Document, record: type[R]) -> tuple[R | None, list[Problem]]:
    """Make a record of a document: as `build`, with the problems handed back instead of an error.

    A value that is already refused as YAML is not complained about twice.

    Returns
    -------
    tuple
        The record or None; the problems, none where there is a record.
    """
    if not document.complete:
        return None, document.problems
    built, mistakes = None, list[Mistake]()
    try:
        # As JSON, because only there "strict" has the meaning that the JSON Schema has: lists and dates are welcome,
        # texts that look like numbers are not.
        built = record.model_validate_json(json.dumps(document.data), strict=True)
    except ValidationError as error:
        mistakes = list(islice(_mistakes(error, record), MAX_PROBLEMS + 1))
    problems = [*document.problems, *_problems(document, mistakes[:MAX_PROBLEMS])]
    if len(mistakes) > MAX_PROBLEMS:
        message = _("more problems follow; they are not listed")
        problems.append(document.problem("source.more", mistakes[-1].place, message))
    if problems:
        return None, problems
    return built, []


def _problems(document: Document, mistakes: list[Mistake]) -> Iterator[Problem]:
    meant = {(*mistake.place[:-1], nearest(str(mistake.place[-1]), mistake.names)) for mistake in _unknown(mistakes)}
    for mistake in mistakes:
        if mistake.kind == "missing" and mistake.place in meant:
            continue  # it is there under a misspelt name, and that is said
        place = mistake.place[:-1] if mistake.kind == "missing" else mistake.place
        by_key = mistake.kind == "extra_forbidden"
        if mistake.kind == "value_error":
            place, by_key = _place_of_rule(mistake)
        elif mistake.kind == "union_tag_invalid":
            place = (*place, mistake.context["discriminator"].strip("'"))
        if document.index(place, key=by_key) in document.flawed:
            continue
        yield document.problem(
            code_of(mistake),
            place,
            message_for(mistake, document),
            expectation(mistake),
            hint_for(mistake, document),
            key=by_key,
        )


def _unknown(mistakes: Iterable[Mistake]) -> Iterator[Mistake]:
    return (mistake for mistake in mistakes if mistake.kind == "extra_forbidden")


def _place_of_rule(mistake: Mistake) -> tuple[Place, bool]:
    """Point a rule that several keys break together at the first of these keys that the message names."""
    if isinstance(mistake.found, dict):
        for word in _NAME.findall(mistake.text):
            if word in mistake.found:
                return (*mistake.place, word), True
    return mistake.place, False


@dataclass(frozen=True, slots=True)
class _Step:
    """Where a part of an error's path leads: a place in the data, and what is expected there."""

    place: Place
    kind: Any
    owner: Any = None
    union: Place | None = None


def _mistakes(error: ValidationError, record: type[Record]) -> Iterator[Mistake]:
    """Turn pydantic's errors into ours, with those of the members of a plain union brought together in one."""
    seen: set[Place] = set()
    for detail in error.errors(include_url=False):
        step = _follow(record, detail["loc"])
        context: Mapping[str, Any] = detail.get("ctx", {})
        if step.union is not None:
            if step.union not in seen:
                seen.add(step.union)
                yield _of_union(record, step.union, detail["input"])
        elif not _is_echo(detail["type"], detail["input"], context):
            yield Mistake(
                kind=detail["type"],
                place=step.place,
                found=detail["input"],
                text=str(context.get("error", detail["msg"])),
                context=context,
                names=_names(step.owner),
                about=_description(step.owner, step.place),
                choices=_choices(step.kind),
            )


def _of_union(record: type[Record], place: Place, found: Json) -> Mistake:
    """Say once what all the members of a union together would have accepted.

    pydantic names the members in their order, and the first of ours is a plain one: what it found is the whole value.
    """
    kind: Any = record
    for part in place:
        kind = _inside(_bare(kind), part)
    expects = dict.fromkeys(filter(None, (member_expectation(member) for member in _members(kind))))
    return Mistake("union", place, found, "", {"expected": " / ".join(expects)})


def _is_echo(kind: str, found: object, context: Mapping[str, Any]) -> bool:
    """Tell whether a list is only called too short because its entries were refused one by one."""
    return kind == "too_short" and isinstance(found, list) and len(found) >= context.get("min_length", 0)


def _follow(record: type[Record], path: Iterable[str | int]) -> _Step:
    """Walk an error's path along the types, because it also holds names of union members, which the data do not."""
    step = _Step((), record)
    for part in path:
        kind = _bare(step.kind)
        if _is_union(kind):
            member = _tagged(kind, part)
            union = step.union if member is not None else step.union or step.place
            step = _Step(step.place, member, step.owner, union)
        else:
            step = _Step((*step.place, part), _inside(kind, part), kind, step.union)
    return step


def _inside(kind: Any, part: str | int) -> Any:  # noqa: ANN401 - any annotation
    """Give the type of a part of a value; None where nothing is known of it."""
    if _is_union(kind):  # only a tagged one has parts with names
        return None
    if _is_record(kind):
        field = _field(kind, part)
        return None if field is None else field.annotation
    arguments = get_args(kind)
    if not arguments:
        return None
    return arguments[1] if get_origin(kind) is dict else arguments[0]


def _is_record(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _field(kind: Any, name: str | int) -> Any:  # noqa: ANN401 - a record type; a pydantic field or None
    for own_name, field in kind.model_fields.items():
        if name == (field.alias or own_name):
            return field
    return None


def _bare(kind: Any) -> Any:  # noqa: ANN401 - any annotation
    """Take off ``Annotated`` and ``| None``."""
    while True:
        if get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
            continue
        members = _members(kind)
        if len(members) != 1 or members[0] is kind:
            return kind
        kind = members[0]


def _is_union(kind: object) -> bool:
    return get_origin(kind) in {Union, types.UnionType}


def _members(kind: Any) -> list[Any]:  # noqa: ANN401 - any annotation
    if get_origin(kind) is Annotated:
        return _members(get_args(kind)[0])
    if not _is_union(kind):
        return [kind]
    return [flat for part in get_args(kind) if part is not type(None) for flat in _members(part)]


def _tagged(union: Any, label: str | int) -> Any:  # noqa: ANN401 - any annotation
    """Find the record of a union that carries a tag."""
    for part in _members(union):
        if _is_record(part) and any(
            get_origin(field.annotation) is Literal and get_args(field.annotation) == (label,)
            for field in part.model_fields.values()
        ):
            return part
    return None


def _names(owner: Any) -> tuple[str, ...]:  # noqa: ANN401 - a record type or None
    if not _is_record(owner):
        return ()
    return tuple(field.alias or name for name, field in owner.model_fields.items())


def _choices(kind: Any) -> tuple[str, ...]:  # noqa: ANN401 - any annotation
    bare = _bare(kind)
    return tuple(str(one) for one in get_args(bare)) if get_origin(bare) is Literal else ()


def _description(owner: Any, place: Place) -> str | None:  # noqa: ANN401 - a record type or None
    field = _field(owner, place[-1]) if _is_record(owner) and place else None
    return None if field is None else field.description
