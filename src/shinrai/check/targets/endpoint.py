"""A language model behind an OpenAI-compatible chat endpoint.

What is refused: redirects (a key must not travel), compressed bodies (they hide their size), bodies above 4 MB. What
is never written anywhere: the key.
"""

from __future__ import annotations

import asyncio
import email.utils
import json
import os
import re
import time
from typing import Any

import aiohttp
import msgspec

from shinrai.check.targets.protocol import Answer, CallError, Limits
from shinrai.errors import TargetError
from shinrai.i18n import _
from shinrai.records import Endpoint, Generation, Json

__all__ = ["MAX_BODY", "MAX_REPLY", "ChatClient", "EndpointTarget", "read_completion", "retry_after"]

MAX_BODY = 4 * 1024 * 1024
"""Bytes of a response; a longer one is not read."""

MAX_REPLY = 1024 * 1024
"""Characters of a reply that are kept; a longer one is cut, marked, and never scored."""

_UNUSABLE = frozenset({401, 402, 403, 404, 405, 407, 410})
_BUSY = frozenset({429, 503, 529})
_SURROGATES = re.compile("[\ud800-\udfff]")


class _Message(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None


class _Choice(msgspec.Struct):
    message: _Message | None = None
    finish_reason: str | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Completion(msgspec.Struct):
    choices: list[_Choice]
    usage: _Usage | None = None


_decode = msgspec.json.Decoder(_Completion).decode


def read_completion(body: bytes) -> Answer:
    """Read the body of a successful response.

    Parameters
    ----------
    body : bytes
        Bytes that are not UTF-8 and lone surrogates are read as U+FFFD; everything else is kept as it came.

    Returns
    -------
    Answer
        Of ``message.content``, or of ``message.refusal`` where the content is null. Blocked when the first choice was
        stopped by ``content_filter``.

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
    choice, usage = completion.choices[0], completion.usage or _Usage()
    tokens_in, tokens_out = max(0, usage.prompt_tokens or 0), max(0, usage.completion_tokens or 0)
    if choice.finish_reason == "content_filter":
        return Answer(None, "blocked", tokens_in, tokens_out)
    message = choice.message or _Message()
    reply = message.refusal if message.content is None else message.content
    if reply is None:
        raise CallError("empty", retry=True)
    if len(reply) > MAX_REPLY:
        return Answer(reply[:MAX_REPLY], "ok", tokens_in, tokens_out, cut=len(reply))
    return Answer(reply, "ok", tokens_in, tokens_out)


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


def retry_after(value: str | None, now: float) -> float | None:
    """Read a Retry-After header (RFC 9110, section 10.2.3).

    Parameters
    ----------
    value : str, optional
        A number of seconds or an HTTP date.
    now : float
        Seconds since 1970.

    Returns
    -------
    float or None
        Seconds to wait, at least 0; None for what is neither.
    """
    if value is None:
        return None
    text = value.strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text, re.ASCII):
        return float(text)
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, moment.timestamp() - now)


class ChatClient:
    """Asks one model behind one address.

    Parameters
    ----------
    url : str
        Up to and including ``/v1``.
    model : str
    generation : Generation
    instructions : str, optional
        The system prompt.
    key : str, optional
    limits : Limits
    """

    def __init__(
        self,
        url: str,
        model: str,
        generation: Generation,
        *,
        instructions: str | None = None,
        key: str | None = None,
        limits: Limits,
    ) -> None:
        self._url = url.rstrip("/") + "/chat/completions"
        self._timeout = limits.timeout
        self._headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        if key is not None:
            self._headers["Authorization"] = f"Bearer {key}"
        self._head, self._tail = _body_around_prompt(model, generation, instructions)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=limits.cap, ttl_dns_cache=300),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
            auto_decompress=False,
            headers=self._headers,
        )

    async def ask(self, prompt: str) -> Answer:
        """Make one attempt.

        Parameters
        ----------
        prompt : str
            What the user says.

        Returns
        -------
        Answer

        Raises
        ------
        CallError
            Of each kind that a line, a server or a body can fail in.
        """
        body = b"".join((self._head, msgspec.json.encode(prompt), self._tail))
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._session.post(self._url, data=body, allow_redirects=False) as response,
            ):
                text = await _read_body(response)
        except TimeoutError as error:
            raise CallError("timeout", retry=True, overload=True) from error
        except aiohttp.ClientConnectorError as error:
            # A server that is shutting down may still answer on connections that it has: fewer calls fit through them.
            raise CallError(
                "connection-refused", retry=True, overload=True, unusable=True, detail=str(error.os_error)
            ) from error
        except (aiohttp.ClientError, OSError) as error:
            raise CallError("connection", retry=True, detail=type(error).__name__) from error
        if response.status == 200:
            return read_completion(text)
        return _read_refusal(response, text)

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()


def _body_around_prompt(model: str, generation: Generation, instructions: str | None) -> tuple[bytes, bytes]:
    """Give the request's JSON before and after the prompt; it is the same for all calls."""
    system = [{"role": "system", "content": instructions}] if instructions is not None else []
    body = {"model": model, **generation.to_json(), "messages": [*system, {"role": "user", "content": ""}]}
    text = msgspec.json.encode(body)
    return text[: text.rindex(b'""')], text[text.rindex(b'""') + 2 :]


async def _read_body(response: aiohttp.ClientResponse) -> bytes:
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise CallError("compressed", unusable=True, detail=response.headers["Content-Encoding"])
    length = response.content_length
    if length is not None and length <= MAX_BODY:
        return await response.read()
    body = bytearray()
    if length is None:
        async for piece in response.content.iter_any():
            body += piece
            if len(body) > MAX_BODY:
                break
        else:
            return bytes(body)
    response.close()
    raise CallError("too-large")


def _read_refusal(response: aiohttp.ClientResponse, body: bytes) -> Answer:
    """Turn any other status into a block or a failure.

    Raises
    ------
    CallError
        Unless the provider's filter refused the prompt.
    """
    status = response.status
    if status == 400 and _is_content_filter(body):
        return Answer(None, end="blocked")
    raise CallError(
        f"http-{status}",
        retry=status in {408, 409, 425, 429} or status >= 500,
        after=retry_after(response.headers.get("Retry-After"), time.time()),
        busy=status in _BUSY,
        unusable=status in _UNUSABLE or status < 400,
        detail=body[:500].decode("utf-8", "replace"),
    )


class _Fault(msgspec.Struct):
    code: Any = None


class _FaultBody(msgspec.Struct):
    error: _Fault | None = None


_decode_fault = msgspec.json.Decoder(_FaultBody).decode


def _is_content_filter(body: bytes) -> bool:
    """Recognise the answer of a provider whose own filter refused the prompt: ``error.code = content_filter``."""
    try:
        fault = _decode_fault(body).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return fault is not None and fault.code in {"content_filter", "content_policy_violation"}


class EndpointTarget:
    """The component ``endpoint`` as a target.

    Parameters
    ----------
    component : Endpoint
    instructions : str, optional
        The system prompt.
    """

    def __init__(self, component: Endpoint, instructions: str | None = None) -> None:
        self._component = component
        self._instructions = instructions
        self.limits = Limits(start=8, cap=64, timeout=component.timeout)
        self._client: ChatClient | None = None

    async def open(self) -> None:
        """Read the key. No request is made.

        Raises
        ------
        TargetError
            If the environment variable that should hold the key is not set, or holds more than a key.
        """
        component = self._component
        self._client = ChatClient(
            component.url,
            component.model,
            component.generation,
            instructions=self._instructions,
            key=_key(component.key_env) if component.key_env else None,
            limits=self.limits,
        )

    async def ask(self, request: str) -> Answer:
        """Make one attempt; see `ChatClient.ask`.

        Raises
        ------
        RuntimeError
            If it was not opened.
        """
        if self._client is None:
            raise RuntimeError("the target is not open")
        return await self._client.ask(request)

    async def close(self) -> None:
        """Close all connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None


def _key(variable: str) -> str:
    key = os.environ.get(variable, "")
    if not key:
        raise TargetError(
            "target.no-key",
            _("the environment variable {name}, which should hold the key, is not set").format(name=variable),
        )
    if not key.isascii() or not key.isprintable():
        raise TargetError(
            "target.bad-key",
            _("the environment variable {name} holds something that cannot be a key").format(name=variable),
        )
    return key
