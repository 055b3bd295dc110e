"""How many tokens a call can take, before anybody has counted them.

The bound: a text has at most as many tokens as bytes in UTF-8. It holds for every tokenizer that falls back on bytes
(byte-level BPE, SentencePiece with byte fallback); a request is counted with its whole JSON body, so that roles and
separators are paid for by the braces and quotes around them. A reply has at most ``max_tokens`` tokens where that is
set. What it does not cover: text that the provider adds to a prompt on its own, and, without ``max_tokens``, thoughts
that a model is charged for and does not show.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from shinrai.check.targets.endpoint import body_around_prompt
from shinrai.check.targets.protocol import Answer, Request
from shinrai.check.targets.stack import system_prompt
from shinrai.records import Endpoint, System

__all__ = ["TokenBound", "token_bound"]

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class TokenBound:
    """The most tokens that calls of a system can take.

    Parameters
    ----------
    around : int
        Bytes of a request's body around the prompt.
    reply : int, optional
        Tokens of a reply; None where the system sets no limit.
    """

    around: int = 0
    reply: int | None = None

    def of_request(self, request: Request) -> int:
        """Bound the tokens of a request."""
        return self.around + len(_encode(request))

    def of_reply(self, reply: object) -> int:
        """Bound the tokens of a reply that nobody has counted."""
        if self.reply is not None:
            return self.reply
        return 0 if reply is None else len(_encode(reply))

    def used(self, request: Request, answer: Answer) -> tuple[int, int]:
        """Give the tokens in and out of an answered call: as counted by the target, or else their bound."""
        if answer.tokens_in or answer.tokens_out:
            return answer.tokens_in, answer.tokens_out
        return self.of_request(request), self.of_reply(answer.reply)


def token_bound(system: System) -> TokenBound:
    """Give the bound for a system. What runs on this machine is charged for nothing."""
    model = system.model
    if not isinstance(model, Endpoint):
        return TokenBound()
    around = sum(map(len, body_around_prompt(model.model, model.generation, system_prompt(system))))
    return TokenBound(around, model.generation.max_tokens)
