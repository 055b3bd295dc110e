"""What an OpenAI-compatible endpoint answers, read: a completion, or a provider's filter that refused the prompt."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from shinrai.check.targets.protocol import Answer, CallError
from shinrai.check.targets.secrets import mask
from shinrai.records import Json

__all__ = ["MAX_REPLY", "is_content_filter", "read_completion"]

MAX_REPLY = 1024 * 1024
"""Characters of a reply that are kept; a longer one is cut, marked, and never scored."""

_MOST_TOKENS = 2**53
"""A number of tokens from which on it is none: run files hold 64 bits, and JSON's readers agree on 53."""

_SURROGATES = re.compile("[\ud800-\udfff]")


class _Message(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None


class _Choice(msgspec.Struct):
    message: _Message | None = None
    finish_reason: str | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: Any = None
    completion_tokens: Any = None


class _Completion(msgspec.Struct):
    choices: list[_Choice]
    usage: _Usage | None = None


_decode = msgspec.json.Decoder(_Completion).decode


def read_completion(body: bytes) -> Answer:
    """Read the body of a successful response.

    Parameters
    ----------
    body : bytes
        Bytes that are not UTF-8 and lone surrogates are read as U+FFFD, a key that was sent as ``[key]``; everything
        else is kept as it came.

    Returns
    -------
    Answer
        Of ``message.content``, or of ``message.refusal`` where the content is null. Blocked when the first choice was
        stopped by ``content_filter``. Tokens are not counted (0) where the usage holds a number that cannot be a count.

    Raises
    ------
    CallError
        ``malformed`` for what is not a chat completion, ``empty`` for one without a choice or without a text. Both
        are worth another attempt.
    """
    try:
        completion = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        completion = _decode_leniently(body)
    if not completion.choices:
        raise CallError("empty", retry=True)
    choice = completion.choices[0]
    tokens_in, tokens_out = _counted(completion.usage or _Usage())
    if choice.finish_reason == "content_filter":
        return Answer(None, "blocked", tokens_in, tokens_out)
    message = choice.message or _Message()
    reply = message.refusal if message.content is None else message.content
    if reply is None:
        raise CallError("empty", retry=True)
    reply = mask(reply)
    if len(reply) > MAX_REPLY:
        return Answer(reply[:MAX_REPLY], "ok", tokens_in, tokens_out, cut=len(reply))
    return Answer(reply, "ok", tokens_in, tokens_out)


def _counted(usage: _Usage) -> tuple[int, int]:
    """Give the tokens that an endpoint has counted; none where one of the two cannot be a count."""
    asked, answered = usage.prompt_tokens or 0, usage.completion_tokens or 0
    if type(asked) is type(answered) is int and 0 <= asked < _MOST_TOKENS and 0 <= answered < _MOST_TOKENS:
        return asked, answered
    return 0, 0


def _decode_leniently(body: bytes) -> _Completion:
    """Read what the strict reader refuses for its text only: lone surrogates, bytes that are not UTF-8.

    Raises
    ------
    CallError
        If it is not a chat completion either.
    """
    try:
        data = json.loads(body.decode("utf-8", "replace"))
        return msgspec.convert(_without_surrogates(data), _Completion)
    except (ValueError, RecursionError, msgspec.ValidationError) as error:
        raise CallError("malformed", retry=True) from error


def _without_surrogates(value: Json) -> Json:
    if isinstance(value, str):
        return _SURROGATES.sub("\ufffd", value)
    if isinstance(value, list):
        return [_without_surrogates(part) for part in value]
    if isinstance(value, dict):
        return {_without_surrogates(name): _without_surrogates(part) for name, part in value.items()}
    return value


class _Inner(msgspec.Struct):
    code: Any = None


class _Fault(msgspec.Struct):
    code: Any = None
    innererror: _Inner | None = None


class _FaultBody(msgspec.Struct):
    error: _Fault | None = None


_FILTERED = ("content_filter", "content_policy_violation")  # a tuple: what a server sends may not be hashable
_decode_fault = msgspec.json.Decoder(_FaultBody).decode


def is_content_filter(body: bytes) -> bool:
    """Recognise the answer of a provider whose own filter refused the prompt.

    ``error.code`` is ``content_filter`` (Azure) or ``content_policy_violation``; Azure also says
    ``innererror.code = ResponsibleAIPolicyViolation``.
    """
    try:
        fault = _decode_fault(body).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    if fault is None:
        return False
    inner = fault.innererror.code if fault.innererror is not None else None
    return fault.code in _FILTERED or inner == "ResponsibleAIPolicyViolation"
