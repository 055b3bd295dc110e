"""Instruments: systems that a test needs, such as a judge; pinned, opened and closed like the target."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from shinrai.check.choosing import plan_first, version_of
from shinrai.check.patience import Access, Clock
from shinrai.check.targets.protocol import Target
from shinrai.check.targets.stack import target_of
from shinrai.check.tokens import token_bound
from shinrai.errors import TargetError
from shinrai.i18n import _
from shinrai.ledger import Promise, State
from shinrai.records import Commitment, Id, System, SystemVersion
from shinrai.workspace import fingerprint

__all__ = ["Instruments", "instruments_of", "require_instruments_unchanged"]


def instruments_of(commitment: Commitment) -> Iterator[tuple[Id, str]]:
    """Give the systems that a promise needs besides its own, with the fingerprints that it pins."""
    judge = commitment.scorer.judge if commitment.scorer else None
    if judge is not None:
        yield judge.system, judge.fingerprint
    dialogue = commitment.dialogue
    if dialogue is not None and dialogue.use.driver is not None and dialogue.driver is not None:
        yield dialogue.use.driver.system, dialogue.driver


def require_instruments_unchanged(state: State, root: Path, commitment: Commitment) -> None:
    """Refuse to measure with another judge than was promised.

    Raises
    ------
    UsageError
        If one has changed since the plan.
    """  # noqa: DOC501 - plan_first makes one
    for name, pinned in instruments_of(commitment):
        version = version_of(state, name)
        if not pinned == version.fingerprint == fingerprint(version.system, root)[0]:
            raise plan_first(_("the system {name} has changed since the plan").format(name=name))


class Instruments:
    """The instruments that the promises on one system are measured with.

    Parameters
    ----------
    state : State
        Knows their versions.
    promises : iterable of Promise
        To be measured.
    """

    def __init__(self, state: State, promises: Iterable[Promise]) -> None:
        names = dict.fromkeys(name for promise in promises for name, _pinned in instruments_of(promise.commitment))
        self._versions: list[SystemVersion] = [version_of(state, name) for name in names]
        self._targets: list[Target] = []
        self.ways: dict[Id, Access] = {}
        self.lost: dict[Id, TargetError] = {}

    @property
    def systems(self) -> list[System]:
        """What they are."""
        return [version.system for version in self._versions]

    async def open(self, root: Path, allowed_hosts: Collection[str], clock: Clock) -> None:
        """Open all; what cannot be opened stands in `lost`, and only what needs it is not measured."""
        for system in self.systems:
            target = target_of(system, root, allowed_hosts)
            self._targets.append(target)
            try:
                await target.open()
            except TargetError as error:
                self.lost[system.id] = error
            else:
                self.ways[system.id] = Access(target, clock, token_bound(system))

    def lacking(self, promise: Promise) -> TargetError | None:
        """Say why a promise cannot be measured, if one of its instruments could not be opened."""
        return next(
            (self.lost[name] for name, _pinned in instruments_of(promise.commitment) if name in self.lost), None
        )

    async def close(self) -> None:
        """Close all."""
        for target in self._targets:
            await target.close()
