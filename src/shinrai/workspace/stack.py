"""The files that a system's stack names, and the fingerprint of everything that can change an answer."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from shinrai.errors import UsageError
from shinrai.i18n import _
from shinrai.plugins import choose
from shinrai.records import (
    Component,
    Digest,
    Embedded,
    Guard,
    Id,
    Json,
    Plugin,
    PluginModel,
    Predictor,
    Supplied,
    SupplyFacts,
    System,
    digest,
    digest_file,
)
from shinrai.source import Place
from shinrai.workspace.layout import inside, near_file

_FACTS_ONLY: Final = frozenset({*SupplyFacts.model_fields, "price", "limits", "key_env", "key_keyring"}) - {
    "id",
    "version",
    "digest",
}
"""Parts of a component that cannot change an answer."""


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file as a component names it.

    Parameters
    ----------
    place : tuple of str and int
        Where in the component it is named.
    written : str
        As it is written there.
    package : str, optional
        The installed package that holds it; the workspace when None.
    """

    place: Place
    written: str
    package: str | None = None


def named_files(component: Component) -> Iterator[NamedFile]:
    """Give every file that a component names.

    Parameters
    ----------
    component : Component
        Of any type.

    Yields
    ------
    NamedFile
        Weights, the component's Python file, and parameters written ``{file: path}``, at any depth.
    """
    if isinstance(component, Embedded):
        yield NamedFile(("file",), component.file, component.package)
    if isinstance(component, Predictor | Guard):
        yield NamedFile(("path",), component.path)
        yield from _in_parameters(component.parameters, ("parameters",))


def _in_parameters(value: Json, place: Place) -> Iterator[NamedFile]:
    if isinstance(value, dict) and set(value) == {"file"} and isinstance(value["file"], str):
        yield NamedFile((*place, "file"), value["file"])
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from _in_parameters(part, (*place, name))
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _in_parameters(part, (*place, number))


def find(named: NamedFile, root: Path) -> Path:
    """Find a file that a component names; a package is located without importing it.

    Parameters
    ----------
    named : NamedFile
        What to find.
    root : Path
        Folder of the workspace.

    Returns
    -------
    Path

    Raises
    ------
    UsageError
        If the file, or the package that should hold it, is not there.
    """
    folder = root if named.package is None else _package(named.package)
    path = inside(folder, named.written)
    if path is None:
        message = _('"{file}" leads out of the folder').format(file=named.written)
        raise UsageError("workspace.outside", message, hint=_("name files relative to the workspace"))
    if not path.is_file():
        message = _('there is no file "{file}"').format(file=named.written)
        raise UsageError("workspace.no-file", message, hint=near_file(path, named.written))
    return path


def _package(name: str) -> Path:
    top, *inner = name.split(".")  # find_spec would import the packages above a dotted name
    spec = importlib.util.find_spec(top) if top.isidentifier() else None
    if spec is None or not spec.submodule_search_locations:
        raise UsageError(
            "workspace.no-package",
            _('the package "{package}" is not installed').format(package=name),
            hint=_("install it: pip install --no-deps {name}").format(name=top.replace("_", "-")),
        )
    return Path(next(iter(spec.submodule_search_locations)), *inner)


def asking_plugin(system: System, root: Path) -> Plugin | None:
    """Give what asks a system where that is a plug-in, as it stands now; None where Shinrai itself does.

    Raises
    ------
    UsageError
        If there is no such plug-in, or several.
    """
    model = system.model
    return choose("target", model.name, root).plugin if isinstance(model, PluginModel) else None


def stack_files(system: System, root: Path) -> dict[str, Path]:
    """Find every file that a system's stack names.

    Parameters
    ----------
    system : System
        The system.
    root : Path
        Folder of the workspace.

    Returns
    -------
    dict
        File as the stack names it → where it is.

    Raises
    ------
    UsageError
        If one is not there.
    """
    return {named.written: find(named, root) for part in system.stack for named in named_files(part)}


def fingerprint(
    system: System, root: Path, supply: Mapping[Id, Supplied] | None = None
) -> tuple[Digest, dict[str, Digest]]:
    """Give the fingerprint of a system: it changes with everything that can change an answer, and with nothing else.

    Parameters
    ----------
    system : System
        The system.
    root : Path
        Folder of the workspace.
    supply : mapping, optional
        What the components that it needs were delivered as.

    Returns
    -------
    tuple
        Digest of kind, planted strings, stack (without titles, suppliers, licences, prices, names of keys and so on),
        files and supply; digest of each file, by the name that the stack gives it. Files that a component reads
        without naming them are not seen.

    Raises
    ------
    UsageError
        If a file is not there.
    """
    files = {written: _digest(path) for written, path in stack_files(system, root).items()}
    stack = [
        {name: value for name, value in part.to_json().items() if name not in _FACTS_ONLY} for part in system.stack
    ]
    answers: dict[str, Json] = {"kind": system.kind, "secrets": list(system.secrets), "stack": stack, "files": files}
    plugin = asking_plugin(system, root)
    if plugin is not None:
        answers["plugin"] = plugin.to_json()
    if supply:
        answers["supply"] = {name: one.to_json() for name, one in supply.items()}
    return digest(answers), files


def _digest(path: Path) -> Digest:
    state = path.stat()
    return _digest_of_state(path, state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino)


@lru_cache(maxsize=256)
def _digest_of_state(path: Path, *_state: int) -> Digest:
    """Hash a file once as long as it is not touched: weights are large, and many systems share them."""
    return digest_file(path)
