"""An OpenAI-compatible chat endpoint that behaves as a test wants it to, on 127.0.0.1, counting what it is asked.

It runs in a thread with an event loop of its own (`serving`), so that it goes on whatever happens to the client; or in
a process of its own, for measurements: ``python -m tests.servers.endpoint [seconds of latency]`` prints its address.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import msgspec
import uvloop


@dataclass(frozen=True)
class Reply:
    """How one attempt is answered.

    ``body`` replaces the chat completion of ``text``; ``hang`` never answers; ``drop`` closes the connection;
    ``chunked`` does not say how long the body is; ``drip`` sends a few bytes every so many seconds and never ends;
    without ``counted`` the tokens are not told.
    """

    text: str | None = "yes"
    status: int = 200
    delay: float = 0.0
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    hang: bool = False
    drop: bool = False
    finish: str = "stop"
    chunked: bool = False
    drip: float = 0.0
    counted: bool = True

    def encoded(self) -> bytes:
        body = self.body
        if body is None:
            message = {"role": "assistant", "content": self.text}
            body = msgspec.json.encode(
                {
                    "id": "x",
                    "object": "chat.completion",
                    "created": 1_760_000_000,
                    "model": "m",
                    "choices": [{"index": 0, "message": message, "finish_reason": self.finish}],
                    **(
                        {"usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}}
                        if self.counted
                        else {}
                    ),
                }
            )
        headers = "".join(f"{name}: {value}\r\n" for name, value in self.headers)
        headers += "Content-Type: application/json\r\n"
        if self.chunked or self.drip:
            headers += "Transfer-Encoding: chunked\r\n"
            body = b"".join(_chunk(body[at : at + 65_536]) for at in range(0, len(body), 65_536))
            body += b"" if self.drip else _chunk(b"")
        else:
            headers += f"Content-Length: {len(body)}\r\n"
        return f"HTTP/1.1 {self.status} X\r\n{headers}\r\n".encode() + body


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


Behave = Callable[[str, int], Reply]
"""From the prompt and the number of the attempt at it (from 1) to the reply."""


def answer_yes(_prompt: str, _attempt: int) -> Reply:
    return Reply()


@dataclass
class Log:
    """What the endpoint has seen. Written in its own thread; read when the client is done."""

    asked: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    moments: dict[str, list[float]] = field(default_factory=dict)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    in_flight: int = 0
    peak: int = 0
    drops: int = 0


class _Connection(asyncio.Protocol):
    def __init__(self, server: Endpoint) -> None:
        self.server = server
        self.buffer = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's own is no subclass
        if self.server.dead:
            self.transport.abort()
        self.server.transports.add(self.transport)

    def connection_lost(self, _error: Exception | None) -> None:
        if self.transport is not None:
            self.server.transports.discard(self.transport)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while True:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self.buffer[:end].decode("latin-1")
            at = head.lower().find("content-length:")
            length = int(head[at + 15 :].split("\r\n", 1)[0]) if at >= 0 else 0
            if len(self.buffer) < end + 4 + length:
                return
            body, self.buffer = self.buffer[end + 4 : end + 4 + length], self.buffer[end + 4 + length :]
            self.server.handle(self, head, body)

    def send(self, prompt: str, reply: Reply) -> None:
        self.server.log.in_flight -= 1
        if self.transport is None or self.transport.is_closing():
            return
        if reply.drop or self.server.dead:
            self.transport.abort()
            return
        self.transport.write(reply.encoded())
        if reply.drip:
            self.drip(reply.drip)
        if reply.status == 200 and reply.body is None:
            self.server.log.answered[prompt] += 1

    def drip(self, seconds: float) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(_chunk(b" " * 16))
            self.server.log.drops += 1
            asyncio.get_running_loop().call_later(seconds, self.drip, seconds)


class Endpoint:
    """The endpoint. Use `serving`."""

    def __init__(self, behave: Behave) -> None:
        self.behave = behave
        self.log = Log()
        self.transports: set[asyncio.Transport] = set()
        self.port = 0
        self.dead = False
        self._loop = asyncio.new_event_loop()
        self._socket: socket.socket | None = None
        self._accepting: set[asyncio.Task[object]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="endpoint", daemon=True)
        self._thread.start()
        self.listen()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def handle(self, connection: _Connection, head: str, body: bytes) -> None:
        if self.dead:
            if connection.transport is not None:
                connection.transport.abort()
            return
        if not body:  # a GET: some clients ask first whether anybody is there
            if connection.transport is not None:
                connection.transport.write(Reply(status=404, body=b"{}").encoded())
            return
        asked = msgspec.json.decode(body)
        prompt = asked["messages"][-1]["content"]
        log = self.log
        log.asked[prompt] += 1
        log.in_flight += 1
        log.peak = max(log.peak, log.in_flight)
        log.bodies.append(asked)
        log.headers.append(head)
        log.moments.setdefault(prompt, []).append(time.monotonic())
        reply = self.behave(prompt, log.asked[prompt])
        if reply.hang:
            return
        if reply.delay:
            self._loop.call_later(reply.delay, connection.send, prompt, reply)
        else:
            connection.send(prompt, reply)

    def listen(self) -> None:
        """Accept connections (again, on the same port)."""
        self._in_loop(self._listen)

    def die(self) -> None:
        """Close the port and every connection, as a process that is gone."""
        self._in_loop(self.die_soon)
        deadline = time.monotonic() + 10
        while (self.transports or self._accepting) and time.monotonic() < deadline:
            time.sleep(0.001)

    def die_soon(self, *, drain: bool = False) -> None:
        """Die, asked for from within `behave`; with ``drain``, established connections are still served."""
        self.dead = not drain
        if self._socket is not None:
            self._loop.remove_reader(self._socket)
            self._socket.close()
            self._socket = None
        if not drain:
            for transport in list(self.transports):
                transport.abort()

    def _in_loop(self, function: Callable[[], None]) -> None:
        async def call() -> None:
            function()

        asyncio.run_coroutine_threadsafe(call(), self._loop).result(10)

    # A listening socket of our own, because asyncio's server loses connections that it is accepting when it is closed.
    def _listen(self) -> None:
        self.dead = False
        self._socket = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self._socket.setblocking(False)
        self.port = self._socket.getsockname()[1]
        self._loop.add_reader(self._socket, self._accept, self._socket)

    def _accept(self, listening: socket.socket) -> None:
        connection, _address = listening.accept()
        connection.setblocking(False)
        task = self._loop.create_task(self._loop.connect_accepted_socket(lambda: _Connection(self), connection))
        self._accepting.add(task)
        task.add_done_callback(self._accepting.discard)

    def close(self) -> None:
        self.die()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


@contextmanager
def serving(behave: Behave = answer_yes) -> Iterator[Endpoint]:
    endpoint = Endpoint(behave)
    try:
        yield endpoint
    finally:
        endpoint.close()


class _Bare(asyncio.Protocol):
    """The same reply to everything after a fixed time, as fast as Python goes: for measurements."""

    ANSWER = Reply("A short and ordinary reply.").encoded()
    latency = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's own is no subclass
        self.buffer = b""
        self.loop = asyncio.get_running_loop()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self.buffer[:end].lower()
        at = head.find(b"content-length:")
        if len(self.buffer) < end + 4 + int(head[at + 15 :].split(b"\r\n", 1)[0]):
            return
        self.buffer = b""
        if self.latency:
            self.loop.call_later(self.latency, self.transport.write, self.ANSWER)
        else:
            self.transport.write(self.ANSWER)


async def _serve_bare(latency: float) -> None:
    _Bare.latency = latency
    server = await asyncio.get_running_loop().create_server(_Bare, "127.0.0.1", 0)
    sys.stdout.write(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve_bare(float(sys.argv[1]) if len(sys.argv) > 1 else 0.0))
