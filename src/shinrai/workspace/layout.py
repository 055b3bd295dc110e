"""Where things are in a workspace."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Final

from shinrai.errors import UsageError
from shinrai.i18n import _
from shinrai.records import Settings
from shinrai.source import build, did_you_mean, read_yaml

SETTINGS_FILE: Final = "shinrai.yaml"
"""Marks the top folder of a workspace."""


def find_root(start: Path) -> Path:
    """Find the workspace that a folder belongs to.

    Parameters
    ----------
    start : Path
        The workspace's own folder, or any folder in it.

    Returns
    -------
    Path
        The nearest folder, from `start` upwards, that holds ``shinrai.yaml``.

    Raises
    ------
    UsageError
        If there is none.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / SETTINGS_FILE).is_file():
            return folder
    raise UsageError(
        "workspace.none",
        _("neither {folder} nor a folder above it holds {file}").format(folder=start, file=SETTINGS_FILE),
        hint=_("go into a workspace, or begin one here with: shinrai init"),
    )


def load_settings(root: Path) -> Settings:
    """Read ``shinrai.yaml`` alone.

    Parameters
    ----------
    root : Path
        Folder of the workspace.

    Returns
    -------
    Settings

    Raises
    ------
    SourceError
        With every problem of the file.
    """
    return build(read_yaml(root / SETTINGS_FILE, shown_as=SETTINGS_FILE), Settings)


def inside(root: Path, written: str) -> Path | None:
    """Give the path of a file of the workspace as a YAML file names it.

    Parameters
    ----------
    root : Path
        Folder of the workspace.
    written : str
        Relative to it, with ``/``.

    Returns
    -------
    Path or None
        None for a path that leads out of the workspace. The file need not exist.
    """
    relative = PurePosixPath(written)
    if relative.is_absolute() or ".." in relative.parts or "\\" in written or "\0" in written:
        return None
    return root / relative


def near_file(path: Path, written: str) -> str | None:
    """Suggest the file that a person may have meant, out of the folder that they named."""
    if not path.parent.is_dir():
        return _("there is no folder {folder}").format(folder=PurePosixPath(written).parent)
    folder = PurePosixPath(written).parent
    return did_you_mean(written, (str(folder / file.name) for file in sorted(path.parent.iterdir())))
