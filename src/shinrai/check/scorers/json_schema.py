"""JSON schema: the whole reply is JSON text that a schema accepts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import NoReturn

import jsonschema_rs

from shinrai.check.scorers.details import N_, detail
from shinrai.check.scorers.interface import Context, Request, ScoreFunction
from shinrai.check.scorers.replies import EMPTY, NO_FIELD, judge_each
from shinrai.errors import UsageError
from shinrai.i18n import _
from shinrai.records import Call, Item, Json, JsonSchema, Score

FENCED = N_("the JSON stands inside a Markdown code fence")
NOT_JSON = N_("the reply is not JSON")
REJECTED = N_("the schema does not accept the reply at")
NOT_OBJECT = N_("the reply is not a JSON object")
OTHER_VALUE = N_("the reply does not hold the expected value of")

_DEEPEST = 100
_SURROGATE = re.compile("[\ud800-\udfff]")


class _NotJson(Exception):  # noqa: N818 - how reading ends, not a fault
    """The text is not JSON that every reader understands alike; the argument says why."""


def build(use: JsonSchema, _context: Context) -> ScoreFunction:
    """Pass when the reply is JSON that the schema accepts, with the expected fields where there are any.

    Raises
    ------
    UsageError
        If the schema is not a valid JSON Schema, or refers to something outside itself: nothing is fetched.
    """
    try:
        validator = jsonschema_rs.validator_for(
            use.json_schema,
            validate_formats=True,
            retriever=_refuse,
            pattern_options=jsonschema_rs.RegexOptions(),
        )
    except (ValueError, RecursionError) as error:
        reason = str(error).split("\n", 1)[0]
        raise UsageError(
            "scorer.bad-schema", _("scorer json-schema: the schema cannot be used: {reason}").format(reason=reason)
        ) from error

    def score(item: Item, _requests: Sequence[Request], calls: Sequence[Call]) -> Score:
        expected = {} if use.field is None else item.fields.get(use.field)
        if not isinstance(expected, Mapping):
            return Score("invalid", detail(NO_FIELD, use.field))
        return judge_each(calls, lambda reply: _judge(reply, validator, expected))

    return score


def _refuse(address: str) -> NoReturn:
    raise ValueError(f"{address} is outside the schema")


def _judge(reply: str, validator: jsonschema_rs.Validator, expected: Mapping[str, Json]) -> Score:
    try:
        value = _read(reply)
    except _NotJson as reason:
        return Score("fail", str(reason))
    try:
        validator.validate(value)
    except jsonschema_rs.ValidationError as error:
        path = "/" + "/".join(str(part) for part in error.instance_path)
        return Score("fail", detail(REJECTED, f"{path} ({_keyword(error)})"))
    if expected and not isinstance(value, dict):
        return Score("fail", NOT_OBJECT)
    wrong = [key for key, wanted in expected.items() if key not in value or not _alike(value[key], wanted)]
    return Score("fail", detail(OTHER_VALUE, *wrong)) if wrong else Score("pass")


def _keyword(error: jsonschema_rs.ValidationError) -> str:
    """Name the keyword of the schema that failed, such as ``required``."""
    return str(error.schema_path[-1]) if error.schema_path else "false"


def _read(reply: str) -> Json:
    text = reply.strip()
    if not text:
        raise _NotJson(EMPTY)
    if text.startswith("```"):
        raise _NotJson(FENCED)
    if _SURROGATE.search(text):
        raise _NotJson(detail(NOT_JSON, "lone surrogate"))
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_float=_finite, parse_constant=_constant)
    except json.JSONDecodeError as error:
        raise _NotJson(detail(NOT_JSON, f"{error.msg}, character {error.pos + 1}")) from error
    except ValueError as error:  # Python reads no whole number of more than 4,300 digits
        raise _NotJson(detail(NOT_JSON, "number too long")) from error
    except RecursionError as error:
        raise _NotJson(detail(NOT_JSON, "nested too deep")) from error
    _sound(value)
    return value


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _NotJson(detail(NOT_JSON, "name given twice in one object"))
    return members


def _finite(digits: str) -> float:
    value = float(digits)
    if value in {float("inf"), float("-inf")}:
        raise _NotJson(detail(NOT_JSON, "number too large"))
    return value


def _constant(name: str) -> NoReturn:
    raise _NotJson(detail(NOT_JSON, name))


def _sound(value: Json) -> None:
    """Refuse what the validator could not be given.

    Raises
    ------
    _NotJson
        If it is nested more than 100 deep, or holds half a surrogate pair, written as an escape.
    """
    level = [value]
    for _depth in range(_DEEPEST):
        texts = (key for node in level if isinstance(node, dict) for key in node)
        if any(_SURROGATE.search(text) for text in (*texts, *(node for node in level if isinstance(node, str)))):
            raise _NotJson(detail(NOT_JSON, "lone surrogate"))
        level = [
            child
            for node in level
            if isinstance(node, dict | list)
            for child in (node.values() if isinstance(node, dict) else node)
        ]
        if not level:
            return
    raise _NotJson(detail(NOT_JSON, "nested too deep"))


def _alike(one: Json, other: Json) -> bool:
    """Compare JSON values: 1 and 1.0 are equal, 1 and true are not."""
    if isinstance(one, dict) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_alike(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_alike, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)
