"""The data of a promise, pinned: which file, which of its rows, in which order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from shinrai.ledger.projection import State
from shinrai.plan.inspect_tasks import require_fitting
from shinrai.plugins import choose
from shinrai.records import (
    Check,
    CommittedData,
    DataUse,
    Digest,
    Groups,
    Import,
    InspectTask,
    Item,
    Placed,
    SystemVersion,
    digest_file,
    draw,
)
from shinrai.source import read_items, spool_items
from shinrai.workspace import TaskTold, Workspace, data_file, describe_task, keep_samples, kept_copy

_LONG = frozenset({"prompts", "reply"})


@dataclass(frozen=True, slots=True)
class PinnedData:
    """Data that a promise can be made about.

    Parameters
    ----------
    name : str
        The file as people know it: as the check names it, or as it was called when it was imported.
    committed : CommittedData
    drawn : tuple of Placed
        The rows kept, in the order in which they will be drawn.
    epochs : int
        How often the task that the rows are samples of runs each of them.
    """

    name: str
    committed: CommittedData
    drawn: tuple[Placed, ...]
    epochs: int = 1


class Shelf:
    """The data files of a workspace, each read once.

    Parameters
    ----------
    workspace : Workspace
        As loaded.
    state : State
        Says what was imported.
    """

    def __init__(self, workspace: Workspace, state: State) -> None:
        self._workspace = workspace
        self._imports = [evidence for _entry, evidence in state.evidence if isinstance(evidence, Import)]
        self._read: dict[Path, tuple[Digest, list[Item]]] = {}
        self._tasks: dict[Digest, TaskTold] = {}

    def pin(self, check: Check, version: SystemVersion) -> PinnedData | None:
        """Pin the data that a check uses on a system.

        Parameters
        ----------
        check : Check
            Whose data are wanted.
        version : SystemVersion
            The system as it is now. What was imported while it was another does not count.

        Returns
        -------
        PinnedData or None
            None for a check without data, and while nothing was imported for the system as it is. It may hold no rows.

        Raises
        ------
        SourceError
            If the file cannot be read as data.
        TamperedError
            If an imported file is gone or is no longer what was imported.
        UsageError
            If a task of Inspect cannot be loaded, or cannot be what the check takes it for.
        """
        use = check.data
        if use is None:
            return None
        if use.inspect is not None:
            return self._of_task(check, use, use.inspect)
        if use.file is not None:
            return self._of_file(check, use, use.file)
        imports = [
            one
            for one in self._imports
            if one.format == use.imported and one.is_about(version.system.id, version.fingerprint)
        ]
        if not imports:
            return None
        imported = imports[-1]
        path = kept_copy(self._workspace.root, imported)
        return self._pinned(use, check.groups, path, imported.name)

    def _of_file(self, check: Check, use: DataUse, name: str) -> PinnedData:
        """Pin the rows of a file, and the plug-in that makes trials out of them, where one does."""
        root = self._workspace.root
        pinned = self._pinned(use, check.groups, data_file(root, use), name)
        if use.source is None:
            return pinned
        source = choose("source", use.source.name, root).plugin
        return replace(pinned, committed=pinned.committed.model_copy(update={"source": source}))

    def _of_task(self, check: Check, use: DataUse, task: InspectTask) -> PinnedData:
        """Pin the samples of a task of Inspect, and the task."""
        root, mark = self._workspace.root, task.content_digest
        if mark not in self._tasks:
            self._tasks[mark] = describe_task(root, task)
        told = self._tasks[mark]
        require_fitting(check, told)
        path, _digest = keep_samples(root, told)
        pinned = self._pinned(use, check.groups, path, task.task)
        committed = pinned.committed.model_copy(update={"task": told.pinned(root)})
        return replace(pinned, committed=committed, epochs=told.epochs)

    def _pinned(self, use: DataUse, groups: Groups | None, path: Path, name: str) -> PinnedData:
        if path not in self._read:
            self._read[path] = (
                digest_file(path),
                self._rows(path, name, imported=use.imported is not None and use.file is None),
            )
        mark, rows = self._read[path]
        drawn = draw(rows, self._workspace.settings.order_seed, use, groups)
        return PinnedData(name, CommittedData(use=use, digest=mark, items=len(drawn)), tuple(drawn))

    @staticmethod
    def _rows(path: Path, name: str, *, imported: bool) -> list[Item]:
        """Read rows; of an import, which may be large, without what was asked and answered."""
        if not imported:
            return read_items(path, shown_as=name)
        items = spool_items(path, shown_as=name, folder=path.parent, at_most=None)
        try:
            return [Item(item.id, {key: item.fields[key] for key in item.fields if key not in _LONG}) for item in items]
        finally:
            items.close()
