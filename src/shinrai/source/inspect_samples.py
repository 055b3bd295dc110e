"""Samples of Inspect (UK AI Security Institute): read from a log or from a run that goes on, they become the same rows.

Of each sample only what a trial needs is decoded; its messages and events, which are most of it, are passed over.
The fields are those of `inspect_ai.log.EvalSample`, format version 2.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NoReturn, TypeVar

import msgspec

from shinrai.errors import Problem, SourceError
from shinrai.i18n import _
from shinrai.records import Json
from shinrai.source.rows import Row, finite

__all__ = ["LIMIT", "Message", "Sample", "decode", "metadata_columns", "prompts_of", "row_of"]

LIMIT: Final = "limit-"
"""How the errors of samples begin that were stopped by a limit; its kind follows."""

_ATTACHED: Final = "attachment://"
_REFUSALS: Final = frozenset({"content_filter"})


class Message(msgspec.Struct):
    """A message of a sample."""

    content: str | list[dict[str, Any]] = ""
    role: str = ""


class _Choice(msgspec.Struct):
    message: Message
    stop_reason: str | None = None


class _Output(msgspec.Struct):
    choices: list[_Choice] = []
    error: str | None = None


class _Score(msgspec.Struct):
    value: Any


class _Error(msgspec.Struct):
    message: str = ""


class _Limit(msgspec.Struct):
    type: str


class _Usage(msgspec.Struct):
    input_tokens: int = 0
    output_tokens: int = 0


class Sample(msgspec.Struct):
    """A sample that was run, in one epoch."""

    id: int | str
    epoch: int
    input: str | list[Message]
    target: str | list[str] = ""
    output: _Output = msgspec.field(default_factory=_Output)
    scores: dict[str, _Score] | None = None
    metadata: dict[str, Any] = {}
    error: _Error | None = None
    limit: _Limit | None = None
    invalidation: dict[str, Any] | None = None
    attachments: dict[str, str] = {}
    model_usage: dict[str, _Usage] = {}

    @property
    def problem(self) -> str | None:
        """Why it has no reply that counts; None where it has one, or should have.

        One that was stopped by a limit has none, whatever its scorer says of what was cut off: what it would have come
        to is not known.
        """
        if self.error is not None:
            return f"error: {self.error.message}"
        if self.invalidation is not None:
            return "invalidated"
        if self.output.error:
            return f"error: {self.output.error}"
        return f"{LIMIT}{self.limit.type}" if self.limit is not None else None


_T = TypeVar("_T")


def decode(text: bytes, kind: type[_T]) -> _T:
    """Read JSON as Inspect writes it; NaN and infinities, which Python writes and JSON does not know, become null.

    Raises
    ------
    ValidationError
        If it is not as Inspect writes it; msgspec names the field.
    ValueError
        If it is not JSON.
    RecursionError
        If it is nested too deeply.
    """
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return msgspec.convert(json.loads(text, parse_constant=lambda _name: None), kind)


def row_of(sample: Sample, *, row_id: str, file: str) -> Row:
    """Turn a sample into a row.

    Parameters
    ----------
    sample : Sample
        As it was run.
    row_id : str
        Name of the row: of the sample, and of the epoch where there are several.
    file : str
        Where it comes from, for messages.

    Returns
    -------
    Row

    Raises
    ------
    SourceError
        If it holds several replies, or names a text that is not in it.
    """
    name = str(sample.id)
    prompts = [_whole(text, sample, file) for text in prompts_of(sample.input)]
    columns = _columns(sample)
    problem, choices = sample.problem, sample.output.choices
    if problem is not None:
        return Row(row_id, name, prompts, "error", error=problem, columns=columns)
    if len(choices) > 1:
        message = _('the field "{name}" of the sample {item} holds {count} replies')
        message = message.format(name="output.choices", item=repr(name), count=len(choices))
        _refuse(file, message, _("one reply a sample and epoch"))
    if choices and choices[0].stop_reason in _REFUSALS:
        return Row(row_id, name, prompts, "blocked", columns=columns)
    reply = _whole(_text(choices[0].message), sample, file) if choices else None
    if reply is None:
        return Row(row_id, name, prompts, "error", error="empty", columns=columns)
    return Row(row_id, name, prompts, "ok", reply, columns=columns)


def prompts_of(asked: str | list[Message]) -> list[str]:
    """Give what the user says in the input of a sample."""
    return [asked] if isinstance(asked, str) else [_text(one) for one in asked if one.role == "user"]


def metadata_columns(metadata: Mapping[str, Any]) -> dict[str, Json]:
    """Give the columns of a sample's metadata: ``metadata.NAME``, plain values only."""
    return {
        f"metadata.{key}": finite(value)
        for key, value in metadata.items()
        if isinstance(value, str | int | float | bool)
    }


def _whole(text: str, sample: Sample, file: str) -> str:
    """Put a long text back that the log keeps aside."""
    if not text.startswith(_ATTACHED):
        return text
    name = text.removeprefix(_ATTACHED)
    if name not in sample.attachments:
        message = _("the sample {item} names an attachment that is not in it: {name}")
        _refuse(file, message.format(item=repr(sample.id), name=repr(name)[:80]))
    return sample.attachments[name]


def _refuse(file: str, message: str, expected: str | None = None) -> NoReturn:
    raise SourceError([Problem("do.bad-field", file, 1, 1, message, expected)])


def _columns(sample: Sample) -> dict[str, Json]:
    columns: dict[str, Json] = {"epoch": sample.epoch}
    for name, score in (sample.scores or {}).items():
        if isinstance(score.value, dict):
            columns |= {f"score.{name}.{key}": finite(value) for key, value in score.value.items()}
        else:
            columns[f"score.{name}"] = finite(score.value)
    if sample.limit is not None:
        columns["limit"] = sample.limit.type
    if sample.target:
        columns["target"] = sample.target
    return columns | metadata_columns(sample.metadata)


def _text(message: Message) -> str:
    """Give the text of a message; pictures and reasoning are no part of the reply."""
    if isinstance(message.content, str):
        return message.content
    return "\n".join(str(part.get("text", "")) for part in message.content if part.get("type") == "text")
