"""From an item to the calls of its trial.

A trial is whatever the system has to do for one item: answer one text, several texts that belong together, the same
text several times, or predict a record and its changed copies. Equal requests of one run have equal keys: they are
one call, scored for every claim that needs it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from shinrai.records import (
    CommittedDialogue,
    Id,
    Item,
    NotAskable,
    TrialKind,
    Variants,
    asked,
    call_key,
    calls_needed,
    require_variants_of,
)

__all__ = [
    "Ask",
    "Asks",
    "NotAskable",
    "asks_for",
    "call_key",
    "calls_needed",
    "helper_of",
    "helper_request",
    "said",
]


class Ask(NamedTuple):
    """One call that a trial needs.

    ``request`` is a text for a chat system, ``{"messages": …}`` for one turn of a dialogue, and a record for a
    predictor; ``to`` names the system that is asked instead of the one under test, such as a judge.
    """

    key: str
    request: Any
    to: Id | None = None


Asks: TypeAlias = Callable[[Item], tuple[Ask, ...]]


def helper_request(system: Id, text: str) -> dict[str, str]:
    """Write what is asked of another system than the one under test, as the journal keeps it."""
    return {"to": system, "text": text}


def helper_of(request: object) -> Id | None:
    """Name the system that a request goes to, where that is not the one under test.

    A record for a predictor always has an ``id``, so nothing in a data set can be taken for such a request.
    """
    return request["to"] if isinstance(request, dict) and request.keys() == {"to", "text"} else None


def said(request: object) -> Any:  # noqa: ANN401 - a request is any JSON value
    """Give what is said in a call: of a turn of a dialogue the user's last message, of anything else the request."""
    if isinstance(request, dict) and request.keys() == {"messages"}:
        return request["messages"][-1]["content"]
    return request


def asks_for(kind: TrialKind, variants: Variants | None, dialogue: CommittedDialogue | None = None) -> Asks:
    """Give the function that turns an item into the calls of its trial.

    Parameters
    ----------
    kind : {"chat", "predictor"}
        Of the system that is asked.
    variants : Variants, optional
        Repeat goes with chat; Perturb and Swap go with predictors.
    dialogue : CommittedDialogue, optional
        Only its first call is known beforehand (`shinrai.check.following`).

    Returns
    -------
    callable
        ``Item -> tuple of Ask``, in the order in which a scorer expects the replies. It raises NotAskable for an item
        whose number to perturb is empty.

    Raises
    ------
    UsageError
        If the variants do not go with the kind of system.
    """
    require_variants_of(kind, variants)
    use = dialogue.use if dialogue else None

    def asks(item: Item) -> tuple[Ask, ...]:
        return tuple([Ask(call_key(*one), one.request) for one in asked(item, kind, variants, use)])

    return asks
