"""A language model behind an OpenAI-compatible chat endpoint.

What is refused: hosts that the workspace does not list, whatever their name resolves to; redirects (a key must not
travel); compressed bodies (they hide their size); bodies above 4 MB; a reply that says that it belongs to another call.
Proxies and passwords that the environment names are not used. What is never written anywhere: the key.
"""

from __future__ import annotations

import email.utils
import itertools
import math
import re
import secrets
import socket
import time
from collections.abc import Coroutine

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver, ResolveResult

from shinrai.check.targets.completions import is_content_filter, read_completion
from shinrai.check.targets.protocol import Answer, CallError, ChatRequest, Limits
from shinrai.check.targets.secrets import mask, read_key
from shinrai.errors import TargetError
from shinrai.i18n import _
from shinrai.records import Endpoint, Generation
from shinrai.workspace import AllowedHosts

__all__ = [
    "MAX_BODY",
    "ChatClient",
    "EndpointTarget",
    "body_around_prompt",
    "retry_after",
]

MAX_BODY = 4 * 1024 * 1024
"""Bytes of a response; a longer one is not read."""

_TURN = (b'{"role":"user","content":', b"}")
"""What stands around a prompt in a body; several turns stand in its place."""

_UNUSABLE = frozenset({401, 402, 403, 404, 405, 407, 410})
_BUSY = frozenset({429, 503, 529})


def retry_after(value: str | None, now: float) -> float | None:
    """Read a Retry-After header (RFC 9110, section 10.2.3).

    Parameters
    ----------
    value : str, optional
        A number of seconds or an HTTP date.
    now : float
        Seconds since 1970, on the clock of whoever wrote the header.

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
    resolver : AbstractResolver, optional
        Looks names up, and refuses what may not be reached.
    limits : Limits
    """

    def __init__(  # noqa: PLR0913 - what a call is made of
        self,
        url: str,
        model: str,
        generation: Generation,
        *,
        instructions: str | None = None,
        key: str | None = None,
        resolver: AbstractResolver | None = None,
        limits: Limits,
    ) -> None:
        self._url = url.rstrip("/") + "/chat/completions"
        self._headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        if key is not None:
            self._headers["Authorization"] = f"Bearer {key}"
        self._head, self._tail = body_around_prompt(model, generation, instructions)
        self._before, self._after = self._head.removesuffix(_TURN[0]), self._tail.removeprefix(_TURN[1])
        self._ours = f"shinrai-{secrets.token_hex(8)}-"
        self._number = itertools.count(1)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=limits.cap, ttl_dns_cache=300, resolver=resolver),
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=limits.timeout, ceil_threshold=math.inf),
            auto_decompress=False,
            headers=self._headers,
        )

    async def ask(self, prompt: ChatRequest) -> Answer:
        """Make one attempt.

        Parameters
        ----------
        prompt : str or dict
            What the user says, or a dialogue up to what the user says last (``{"messages": […]}``).

        Returns
        -------
        Answer

        Raises
        ------
        CallError
            Of each kind that a line, a server or a body can fail in.
        """
        body = self._body(prompt)
        name = f"{self._ours}{next(self._number)}"
        try:
            async with self._session.post(
                self._url, data=body, headers={"X-Request-Id": name}, allow_redirects=False
            ) as response:
                text = await _read_body(response)
        except TimeoutError as error:
            raise CallError("timeout", retry=True, overload=True) from error
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, _NotAllowedError):
                raise CallError("host-not-allowed", unusable=True, detail=str(error.os_error)) from error
            # A server that is shutting down may still answer on connections that it has: fewer calls fit through them.
            raise CallError(
                "connection-refused", retry=True, overload=True, unusable=True, detail=str(error.os_error)
            ) from error
        except (aiohttp.ClientError, OSError) as error:
            raise CallError("connection", retry=True, detail=type(error).__name__) from error
        self._require_own(response, name)
        if response.status == 200:
            return read_completion(text)
        return _read_refusal(response, text)

    def _body(self, prompt: ChatRequest) -> bytes:
        if isinstance(prompt, str):
            return b"".join((self._head, msgspec.json.encode(prompt), self._tail))
        return b"".join((self._before, msgspec.json.encode(prompt["messages"])[1:-1], self._after))

    def _require_own(self, response: aiohttp.ClientResponse, name: str) -> None:
        """Refuse a response that names another of our calls; most servers name none of them, and cannot be checked.

        Raises
        ------
        CallError
            If it does.
        """
        echoed = response.headers.get("X-Request-Id", name)
        if echoed != name and echoed.startswith(self._ours):
            raise CallError("other-call", retry=True, detail="the reply names another call")

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()


class _NotAllowedError(OSError):
    """A name was resolved to an address that may not be reached."""


class _Resolver(aiohttp.ThreadedResolver):
    """Looks names up, and gives only addresses that the workspace allows.

    What it gives is what is connected to: no second look-up can say something else.
    """

    def __init__(self, hosts: AllowedHosts) -> None:
        super().__init__()
        self._hosts = hosts

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Look a name up.

        Raises
        ------
        _NotAllowedError
            If no address that it resolves to may be reached.
        """
        found = await super().resolve(host, port, family)
        allowed = [one for one in found if self._hosts.reaches(host, one["host"], port)]
        if not allowed:
            addresses = ", ".join(sorted({one["host"] for one in found}))
            raise _NotAllowedError(f"{host} resolves to {addresses}: not public, and not in `allowed_hosts`")
        return allowed


def body_around_prompt(model: str, generation: Generation, instructions: str | None) -> tuple[bytes, bytes]:
    """Give the request's JSON before and after the prompt; it is the same for all calls of a target."""
    system = [{"role": "system", "content": instructions}] if instructions is not None else []
    body = {"model": model, **generation.to_json(), "messages": [*system, {"role": "user", "content": ""}]}
    text = msgspec.json.encode(body)
    return text[: text.rindex(b'""')], text[text.rindex(b'""') + 2 :]


async def _read_body(response: aiohttp.ClientResponse) -> bytes:
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise CallError("compressed", unusable=True, detail=mask(response.headers["Content-Encoding"])[:100])
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
    if status == 400 and is_content_filter(body):
        return Answer(None, end="blocked")
    raise CallError(
        f"http-{status}",
        retry=status in {408, 409, 425, 429} or status >= 500,
        after=retry_after(response.headers.get("Retry-After"), _clock_of(response)),
        busy=status in _BUSY,
        unusable=status in _UNUSABLE or status < 400,
        detail=mask(body.decode("utf-8", "replace"))[:500],
    )


def _clock_of(response: aiohttp.ClientResponse) -> float:
    """Give the time that the server says it is, so that our own clock may be wrong; ours where it says nothing."""
    try:
        return email.utils.parsedate_to_datetime(response.headers["Date"]).timestamp()
    except (KeyError, ValueError, OverflowError):
        return time.time()


class EndpointTarget:
    """The component ``endpoint`` as a target.

    Parameters
    ----------
    component : Endpoint
    instructions : str, optional
        The system prompt.
    hosts : AllowedHosts
        Where the workspace allows systems to be asked.
    """

    def __init__(self, component: Endpoint, instructions: str | None = None, *, hosts: AllowedHosts) -> None:
        self._component = component
        self._instructions = instructions
        self._hosts = hosts
        self.limits = Limits(
            start=8,
            cap=64,
            timeout=component.timeout,
            requests_per_minute=component.limits.requests_per_minute,
            tokens_per_minute=component.limits.tokens_per_minute,
        )
        self._client: ChatClient | None = None

    async def open(self) -> None:
        """Read the key. No request is made.

        Raises
        ------
        TargetError
            If the workspace does not allow the host; if there is no key where there should be one.
        """
        component = self._component
        if not self._hosts.allows(component):
            raise TargetError(
                "target.host-not-allowed",
                _("the host {host} is not among the `allowed_hosts` of shinrai.yaml").format(host=component.host),
            )
        self._client = ChatClient(
            component.url,
            component.model,
            component.generation,
            instructions=self._instructions,
            key=read_key(component),
            resolver=_Resolver(self._hosts),
            limits=self.limits,
        )

    def ask(self, request: ChatRequest) -> Coroutine[None, None, Answer]:
        """Make one attempt; see `ChatClient.ask`.

        Raises
        ------
        RuntimeError
            If it was not opened.
        """
        if self._client is None:
            raise RuntimeError("the target is not open")
        return self._client.ask(request)

    async def close(self) -> None:
        """Close all connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None
