"""Items, calls and trials: the rows of a run. Many, so msgspec structs."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

Outcome: TypeAlias = Literal["pass", "fail", "invalid", "blocked", "error"]
"""How a trial ends: two usable outcomes, three ways of being missing."""

CallEnd: TypeAlias = Literal["ok", "blocked", "error"]


class Item(msgspec.Struct, frozen=True):
    """One unit of a data set: the smallest thing that is drawn. Everything made from it is one trial.

    Parameters
    ----------
    id : str
        Unique within the data set.
    fields : dict
        The row as it stands in the file. Chat items carry ``prompts``: one text, or several that belong together.
    """

    id: str
    fields: dict[str, Any]


class Call(msgspec.Struct, frozen=True, omit_defaults=True):
    """One finished call, as the journal keeps it.

    Parameters
    ----------
    key : str
        Names the call: item, variant and request. A finished key is never sent again within its run.
    end : {"ok", "blocked", "error"}
    reply : str or dict, optional
        Text of a chat reply; a predictor's output. None unless ``end`` is ``"ok"``.
    error : str, optional
        Kind of the last failure: ``timeout``, ``http-500``, ``malformed``, ``empty``, ``connection`` …
    seconds : float
        From sending to the end of the reply, last attempt only.
    attempts : int
        At least 1.
    tokens_in, tokens_out : int
        As the endpoint counted them; 0 where it does not.
    guard : str, optional
        Id of the guard that answered instead of the model.
    """

    key: str
    end: CallEnd
    reply: Any = None
    error: str | None = None
    seconds: float = 0.0
    attempts: int = 1
    tokens_in: int = 0
    tokens_out: int = 0
    guard: str | None = None


class Score(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a scorer says of one trial.

    Parameters
    ----------
    outcome : Outcome
    detail : str
        Why, for a person: what was found and where.
    """

    outcome: Outcome
    detail: str = ""


class Trial(msgspec.Struct, frozen=True, omit_defaults=True):
    """One scored trial of one commitment.

    Parameters
    ----------
    position : int
        Place in the committed order, from 0.
    item : str
    calls : tuple of str
        Keys of its calls.
    commitment : str
        Digest.
    outcome : Outcome
    detail : str
    group : str, optional
        Value of the group column.
    """

    position: int
    item: str
    calls: tuple[str, ...]
    commitment: str
    outcome: Outcome
    detail: str = ""
    group: str | None = None
