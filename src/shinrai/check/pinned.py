"""What a promise pins is still what is there: system, data, scorer, and the instruments that it is measured with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from shinrai.check.choosing import plan_first, require_rule_unchanged, require_source_unchanged, version_of
from shinrai.check.instruments import require_instruments_unchanged
from shinrai.errors import UsageError
from shinrai.i18n import _
from shinrai.ledger import Promise, State
from shinrai.records import DIALOGUE_VERSION, Digest, Id, digest_file
from shinrai.workspace import committed_file, fingerprint

__all__ = ["Pinned"]


class Pinned:
    """What the promises of one workspace pin. A data set is read once for all of them.

    Parameters
    ----------
    root : Path
        Of the workspace.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._digests: dict[Path, Digest] = {}

    def require_unchanged(self, state: State, system: Id, promises: Sequence[Promise]) -> None:
        """Refuse to measure what is not what was promised.

        Parameters
        ----------
        state : State
            Of the ledger.
        system : Id
            Under test.
        promises : sequence of Promise
            On it.

        Raises
        ------
        UsageError
            If something has changed since the plan, or a promise names no data.
        """  # noqa: DOC501 - `plan_first` makes one
        version = version_of(state, system)
        mark, _files = fingerprint(version.system, self._root, version.supply)
        for promise in promises:
            commitment = promise.commitment
            if not commitment.fingerprint == version.fingerprint == mark:
                raise plan_first(_("the system {name} has changed since the plan").format(name=system))
            data, use = commitment.data, commitment.scorer
            if data is None or use is None:
                raise UsageError("check.no-data", _("{claim} names no data").format(claim=commitment.claim))
            if self._digest(committed_file(self._root, data)) != data.digest:
                raise plan_first(_("the data {name} have changed since the plan").format(name=data.use.file))
            if commitment.dialogue is not None and commitment.dialogue.version != DIALOGUE_VERSION:
                raise plan_first(_("the rules of dialogues have changed since the plan"))
            require_rule_unchanged(self._root, use)
            require_source_unchanged(self._root, data)
            for name, digest in data.task.files.items() if data.task else ():
                if not (self._root / name).is_file() or self._digest(self._root / name) != digest:
                    raise plan_first(_("the file {name} has changed since the plan").format(name=name))
            require_instruments_unchanged(state, self._root, commitment)

    def _digest(self, path: Path) -> Digest:
        if path not in self._digests:
            self._digests[path] = digest_file(path)
        return self._digests[path]
