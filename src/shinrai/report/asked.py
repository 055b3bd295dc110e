"""Whether two runs asked the same: what their promises pin that a trial's outcome hangs on, and where that differs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from shinrai.ledger.projection import Run, State
from shinrai.records import Commitment, Digest, Id, Json
from shinrai.report.changes import promises_of

__all__ = ["Otherwise", "asked_otherwise"]

_HANGS_ON: Final = ("order_seed", "data", "scorer", "groups", "variants", "dialogue", "check_version")
"""Fields of a promise that say what is asked and how it is scored, beside the systems that take part."""

_SYSTEMS: Final = ("system", "judge", "driver")
_APART: Final = (("scorer", "judge"), ("dialogue", "driver"))  # systems, which are told by their versions


@dataclass(frozen=True, slots=True)
class Otherwise:
    """Something that one run asked otherwise than another.

    Parameters
    ----------
    field : str
        ``system``, ``judge`` or ``driver``, or the path of a field of the promise, such as ``scorer.version``.
    before, after : JSON value
        Of the earlier and the later run; a system by its name and the number of its version. None where there is none.
    claims : tuple of str
        Paths of the claims that it is true of, of those that both runs measured.
    """

    field: str
    before: Json
    after: Json
    claims: tuple[str, ...]

    def to_json(self) -> dict[str, Json]:
        """Give it as JSON values."""
        return {"field": self.field, "before": self.before, "after": self.after, "claims": list(self.claims)}


def asked_otherwise(state: State, before: Run, after: Run, claims: Collection[str]) -> tuple[Otherwise, ...]:
    """Compare what two runs asked, by what was committed for them.

    Parameters
    ----------
    state : State
        Of the ledger.
    before, after : Run
        The earlier and the later one.
    claims : collection of str
        Paths of the claims to look at; those that only one of the runs measured are left out.

    Returns
    -------
    tuple of Otherwise
        Nothing where both asked the same. Systems first, then the fields in the order of their names.
    """
    earlier, later = _asked(state, before, claims), _asked(state, after, claims)
    found: dict[tuple[str, str], tuple[Json, Json, list[str]]] = {}
    for claim in (one for one in later if one in earlier):
        old, new = earlier[claim], later[claim]
        for field in dict.fromkeys((*old, *new)):
            one, other = old.get(field), new.get(field)
            if one != other:
                found.setdefault((field, f"{one!r} {other!r}"), (one, other, []))[2].append(claim)
    ranked = sorted(found.items(), key=lambda one: _rank(one[0][0]))
    return tuple(Otherwise(field, one, other, tuple(where)) for (field, _values), (one, other, where) in ranked)


def _rank(field: str) -> tuple[int, str]:
    return _SYSTEMS.index(field) if field in _SYSTEMS else len(_SYSTEMS), field


def _asked(state: State, run: Run, claims: Collection[str]) -> dict[str, dict[str, Json]]:
    promises = (promise.commitment for promise in promises_of(state, run).values())
    return {one.claim: dict(_facts(state, one)) for one in promises if one.claim in claims}


def _facts(state: State, commitment: Commitment) -> Iterator[tuple[str, Json]]:
    """Give all that an outcome hangs on, piece by piece."""
    yield "system", _version(state, commitment.system, commitment.fingerprint)
    judge = commitment.scorer.judge if commitment.scorer else None
    if judge is not None:
        yield "judge", _version(state, judge.system, judge.fingerprint)
    dialogue = commitment.dialogue
    if dialogue is not None and dialogue.use.driver is not None and dialogue.driver is not None:
        yield "driver", _version(state, dialogue.use.driver.system, dialogue.driver)
    whole = commitment.to_json()
    for name in _HANGS_ON:
        yield from _leaves(name, whole.get(name))


def _leaves(path: str, value: Json) -> Iterator[tuple[str, Json]]:
    if tuple(path.split(".")) in _APART:
        return
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from _leaves(f"{path}.{name}", part)
    elif value is not None:
        yield path, value


def _version(state: State, system: Id, fingerprint: Digest) -> str:
    """Name a version of a system as a person does: by the newest number that has its fingerprint."""
    numbers = [one.number for one in state.versions.get(system, ()) if one.fingerprint == fingerprint]
    return f"{system} v{numbers[-1]}" if numbers else f"{system} {fingerprint}"
