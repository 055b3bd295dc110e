"""The data of a promise, pinned: which file, which of its rows, in which order."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from shinrai.errors import TamperedError
from shinrai.i18n import _
from shinrai.ledger.projection import State
from shinrai.records import Check, CommittedData, DataUse, Digest, Groups, Id, Import, Item, Json, digest_file
from shinrai.source import read_items
from shinrai.workspace import Workspace, data_file


@dataclass(frozen=True, slots=True)
class PinnedData:
    """Data that a promise can be made about.

    Parameters
    ----------
    name : str
        The file as people know it: as the check names it, or as it was called when it was imported.
    committed : CommittedData
    items : tuple of Item
        The rows kept, in the order in which they will be drawn.
    """

    name: str
    committed: CommittedData
    items: tuple[Item, ...]


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
        self._imports: dict[Id, Import] = {
            evidence.system: evidence for _entry, evidence in state.evidence if isinstance(evidence, Import)
        }
        self._read: dict[Path, tuple[Digest, list[Item]]] = {}

    def pin(self, check: Check, system: Id) -> PinnedData | None:
        """Pin the data that a check uses on a system.

        Parameters
        ----------
        check : Check
            Whose data are wanted.
        system : Id
            Its id in ``systems/``.

        Returns
        -------
        PinnedData or None
            None for a check without data, and while nothing was imported for the system. It may hold no rows.

        Raises
        ------
        SourceError
            If the file cannot be read as data.
        TamperedError
            If an imported file is gone or is no longer what was imported.
        """
        use = check.data
        if use is None:
            return None
        if use.file is not None:
            return self._pinned(use, check.groups, data_file(self._workspace.root, use), use.file)
        imported = self._imports.get(system)
        if imported is None:
            return None
        path = self._workspace.root / imported.file
        if not path.is_file() or digest_file(path) != imported.file_digest:
            raise TamperedError(
                "plan.import-changed",
                _("The kept copy {file} of the import {name} is gone or was changed").format(
                    file=imported.file, name=imported.name
                ),
                hint=_("Put the file back from a backup, or import the decisions again"),
            )
        return self._pinned(use, check.groups, path, imported.name)

    def _pinned(self, use: DataUse, groups: Groups | None, path: Path, name: str) -> PinnedData:
        if path not in self._read:
            self._read[path] = (digest_file(path), read_items(path, shown_as=name))
        mark, rows = self._read[path]
        kept = [item for item in rows if keeps(use, item)]
        ordered = in_order(kept, self._workspace.settings.order_seed, groups)
        return PinnedData(name, CommittedData(use=use, digest=mark, items=len(ordered)), tuple(ordered))


def keeps(use: DataUse, item: Item) -> bool:
    """Tell whether a check keeps an item: its language and its values are exactly those asked for.

    Parameters
    ----------
    use : DataUse
        What the check keeps.
    item : Item
        A row of the data.

    Returns
    -------
    bool
        1 and 1.0 are one value; 1, true and "1" are three.
    """
    if use.languages is not None and item.fields.get("lang") not in use.languages:
        return False
    return all(_same(item.fields.get(column), value) for column, value in (use.where or {}).items())


def in_order(items: Sequence[Item], seed: int, groups: Groups | None = None) -> list[Item]:
    """Put items into the order in which they are drawn, which depends on the seed and each item's id alone.

    Parameters
    ----------
    items : sequence of Item
        In any order.
    seed : int
        From the settings.
    groups : Groups, optional
        Where two groups are compared, items of neither are left out.

    Returns
    -------
    list of Item
        Leaving items out does not change the order of the others.
    """
    ordered = sorted(items, key=lambda item: hashlib.sha256(f"{seed}:{item.id}".encode()).hexdigest())
    return ordered if groups is None else [item for item in ordered if group_of(item, groups) is not None]


def group_of(item: Item, groups: Groups) -> Literal["a", "b"] | None:
    """Tell which of two groups an item belongs to, by its value as a person writes it; None for neither."""
    value = item.fields.get(groups.column)
    if isinstance(value, bool):
        written = str(value).lower()
    elif isinstance(value, float) and value.is_integer():
        written = str(int(value))
    else:
        written = "" if value is None else str(value)
    return "a" if written == groups.a else "b" if written == groups.b else None


def _same(found: Json, wanted: str | float | bool) -> bool:  # noqa: FBT001 - a value of the data, not a switch
    return bool(found == wanted) and isinstance(found, bool) == isinstance(wanted, bool)
