"""What the engine asks of a system under test, whatever it is."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

import msgspec

__all__ = ["Answer", "CallError", "ChatRequest", "Limits", "Request", "Target"]

Request: TypeAlias = Any
"""What is asked: a `ChatRequest` for a chat system, a record (dict of JSON values) for a predictor."""

ChatRequest: TypeAlias = str | dict[str, list[dict[str, str]]]
"""A text; or a turn of a dialogue: ``{"messages": [{"role": …, "content": …}, …]}``, the user's last."""


class Limits(NamedTuple):
    """What a target can take.

    Parameters
    ----------
    start, cap : int
        Calls in flight at first, and at most.
    timeout : float
        Seconds that one attempt may take.
    requests_per_minute, tokens_per_minute : int, optional
        What may be sent in any 60 seconds.
    """

    start: int
    cap: int
    timeout: float
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None


class Answer(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A reply, or a block by the provider's own filter.

    Parameters
    ----------
    reply : str or dict, optional
        None when blocked.
    end : {"ok", "blocked"}
    tokens_in, tokens_out : int
        As the target counted them; 0 where it does not.
    guard : str, optional
        Id of the guard whose text the reply is.
    cut : int
        Characters of the reply before it was cut; 0 when it is whole.
    """

    reply: Any
    end: Literal["ok", "blocked"] = "ok"
    tokens_in: int = 0
    tokens_out: int = 0
    guard: str | None = None
    cut: int = 0


class CallError(Exception):
    """An attempt without a reply.

    Parameters
    ----------
    kind : str
        Short stable name: ``timeout``, ``http-500``, ``malformed``, ``empty``, ``connection``, ``guard-KeyError`` …
    retry : bool
        Whether another attempt can end differently.
    after : float, optional
        Seconds that the target asks to wait.
    overload : bool
        Whether fewer calls at once would help.
    busy : bool
        Whether the target says so itself.
    unusable : bool
        Whether it says something about the target rather than about this call: refused connection, wrong key.
    detail : str
        For a person.
    """

    def __init__(  # noqa: PLR0913 - one word for each thing that can be known of a failure
        self,
        kind: str,
        *,
        retry: bool = False,
        after: float | None = None,
        overload: bool = False,
        busy: bool = False,
        unusable: bool = False,
        detail: str = "",
    ) -> None:
        super().__init__(detail or kind)
        self.kind = kind
        self.retry = retry
        self.after = after
        self.overload = overload or busy
        self.busy = busy
        self.unusable = unusable
        self.detail = detail


class Target(Protocol):
    """A system under test."""

    @property
    def limits(self) -> Limits:
        """What it can take. Known once it is open."""

    async def open(self) -> None:
        """Get ready.

        Raises
        ------
        TargetError
            If it cannot be used at all: no key, no weights, a component that does not load.
        """

    async def ask(self, request: Request) -> Answer:
        """Make one attempt, within the time limit of an attempt.

        Parameters
        ----------
        request : str or dict
            A text or a turn of a dialogue for a chat system, a record for a predictor.

        Raises
        ------
        CallError
            If there was no reply.
        """

    async def close(self) -> None:
        """Let go of everything. Never raises; closing twice is allowed."""
