"""Code that is not Shinrai's own: which there is, what exactly it is, and running it.

A plug-in is an entry point of an installed distribution (groups ``shinrai.scorers``, ``shinrai.targets``,
``shinrai.sources``, ``shinrai.importers``, ``shinrai.sections``), or a file ``checks/NAME.py`` of the workspace with a
function or class that is called like its kind: ``scorer``, ``target``, ``source``, ``importer``, ``section``.

Finding one runs nothing: installed packages are found by their metadata, files of the workspace are parsed. Only `load`
runs code, and only what measures, imports or renders calls it. A name belongs to one plug-in; nothing is bound to a
name that is merely near.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import sys
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import reduce
from importlib.machinery import all_suffixes
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Final, ParamSpec, TypeVar, get_args

from shinrai.errors import PluginError, ShinraiError, UsageError, nearest
from shinrai.i18n import N_, _
from shinrai.records import Digest, Id, Plugin, PluginKind, digest_bytes, digest_file

__all__ = ["FOLDER", "Offer", "blame", "called", "choose", "load", "names"]

FOLDER: Final = "checks"
"""Folder of a workspace that may hold plug-ins of its own."""

KINDS: Final[tuple[PluginKind, ...]] = get_args(PluginKind)

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Offer:
    """A plug-in that is there. Nothing of it has been run.

    Parameters
    ----------
    plugin : Plugin
        What it is.
    path : Path
        The file that defines it.
    module : str or None
        Its module; None for a file of the workspace.
    attribute : str
        What in the module is meant, such as ``scorer`` or ``Rules.polite``.
    """

    plugin: Plugin
    path: Path
    module: str | None
    attribute: str


@dataclass(frozen=True, slots=True)
class _Sign:
    """Where a plug-in might be: a file of the workspace, or an entry point."""

    name: str
    path: Path | None = None
    entry: EntryPoint | None = None

    @property
    def shown(self) -> str:
        if self.entry is not None:
            return f"{self.entry.dist.name if self.entry.dist else '?'} ({self.entry.value})"
        return f"{FOLDER}/{self.path.name}" if self.path else self.name


def names(kind: PluginKind, root: Path) -> list[str]:
    """Name the plug-ins of a kind, in alphabetical order. Runs nothing."""
    return sorted({sign.name for sign in _signs(kind, root)})


def choose(kind: PluginKind, name: Id, root: Path, *, shipped: Collection[str] = ()) -> Offer:
    """Find the plug-in of a name. Runs nothing.

    Parameters
    ----------
    kind : PluginKind
        What it has to be.
    name : Id
        As the workspace names it.
    root : Path
        Folder of the workspace.
    shipped : collection of str
        Names of this kind that Shinrai itself has, which nobody else may take.

    Returns
    -------
    Offer

    Raises
    ------
    UsageError
        If there is none of that name (the nearest name, or the kind that it really is, is said), several have it, or
        the file of an installed one cannot be found.
    """  # noqa: DOC501 - `_unknown` makes one
    signs = list(_signs(kind, root))
    found = [sign for sign in signs if sign.name == name]
    if not found:
        raise _unknown(kind, name, root, [*shipped, *(sign.name for sign in signs)])
    if len(found) > 1 or name in shipped:
        others = [sign.shown for sign in found] + (["Shinrai"] if name in shipped else [])
        message = _('the name "{name}" is taken several times: {places}').format(name=name, places=", ".join(others))
        raise UsageError("plugin.twice", message, hint=_("give one of them another name, or remove it"))
    return _of_file(kind, found[0], found[0].path) if found[0].path else _of_entry(kind, found[0])


def load(offer: Offer) -> Callable[..., Any]:
    """Run the code of a plug-in and give what it offers.

    Parameters
    ----------
    offer : Offer
        From `choose`.

    Returns
    -------
    callable

    Raises
    ------
    PluginError
        If it raises while it is imported, is no longer the file that was found, or offers nothing that can be called.
        The message says in which line.
    """
    module = called(offer, _run_file if offer.module is None else _import, offer)
    try:
        value = reduce(getattr, offer.attribute.split("."), module)
    except AttributeError as error:
        message = _('{file} has no "{name}"').format(file=offer.plugin.file, name=offer.attribute)
        raise PluginError("plugin.no-attribute", message) from error
    if not callable(value):
        message = _('"{name}" in {file} is no function and no class').format(
            name=offer.attribute, file=offer.plugin.file
        )
        raise PluginError("plugin.not-callable", message)
    return value


def called(offer: Offer, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call something of a plug-in.

    Raises
    ------
    PluginError
        In place of whatever it raises, with file and line.
    ShinraiError
        One of Shinrai's own stays what it is.
    """
    try:
        return function(*args, **kwargs)
    except ShinraiError:
        raise
    except (Exception, SystemExit) as error:
        message = _("{place}: {error}: {message}").format(
            place=blame(error, offer), error=type(error).__name__, message=str(error)[:300]
        )
        raise PluginError(
            "plugin.failed",
            message,
            hint=_("the plug-in {name} has to be repaired; nothing that needs it is measured until then").format(
                name=offer.plugin.name
            ),
        ) from error


def blame(error: BaseException, offer: Offer) -> str:
    """Say where in a plug-in's own file an error came about, as ``file:line``; the file alone where it did not."""
    if isinstance(error, SyntaxError) and error.lineno:
        return f"{offer.plugin.file}:{error.lineno}"
    line, step = None, error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == str(offer.path):
            line = step.tb_lineno
        step = step.tb_next
    return offer.plugin.file if line is None else f"{offer.plugin.file}:{line}"


# what there is


def _signs(kind: PluginKind, root: Path) -> Iterator[_Sign]:
    for path in _files(root):
        defined = _defined(path)
        if defined is None or kind in defined:  # one that cannot be parsed says so when it is loaded
            yield _Sign(_name(path), path=path)
    for entry in entry_points(group=f"shinrai.{kind}s"):
        yield _Sign(entry.name, entry=entry)


def _files(root: Path) -> list[Path]:
    return [path for path in sorted((root / FOLDER).glob("*.py")) if not path.name.startswith(("_", "test_", "."))]


def _name(path: Path) -> str:
    return path.stem.replace("_", "-")


def _defined(path: Path) -> frozenset[str] | None:
    """Tell which kinds of plug-in a file defines, without running it; None where it cannot be parsed."""
    try:
        body = ast.parse(path.read_bytes()).body
    except (SyntaxError, ValueError, RecursionError, MemoryError, OSError):
        return None
    found: set[str] = set()
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found.update(target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found.update(alias.asname or alias.name for alias in node.names)
    return frozenset(found & set(KINDS))


def _unknown(kind: PluginKind, name: str, root: Path, known: list[str]) -> UsageError:
    message = _('there is no {kind} "{name}"').format(kind=_(KIND_WORDS[kind]), name=name)
    other = next((one for one in KINDS if one != kind and name in names(one, root)), None)
    if other is not None:
        hint = _('"{name}" is something else: {kind}').format(name=name, kind=_(KIND_WORDS[other]))
    elif (near := nearest(name, known)) is not None:
        hint = _("did you mean {name}?").format(name=near)
    else:
        hint = _("install the package that offers it, or write {file}").format(
            file=f"{FOLDER}/{name.replace('-', '_').replace('.', '_')}.py"
        )
    return UsageError("plugin.unknown", message, hint=hint)


KIND_WORDS: Final[dict[PluginKind, str]] = {
    "scorer": N_("scorer"),
    "target": N_("target"),
    "source": N_("trial source"),
    "importer": N_("importer"),
    "section": N_("section of the report"),
}


# what it is


def _of_file(kind: PluginKind, sign: _Sign, path: Path) -> Offer:
    plugin = Plugin(kind=kind, name=sign.name, file=f"{FOLDER}/{path.name}", digest=digest_file(path))
    return Offer(plugin, path, None, kind)


def _of_entry(kind: PluginKind, sign: _Sign) -> Offer:
    entry = sign.entry
    path = _module_file(entry.module) if entry is not None else None
    if entry is None or path is None:
        message = _("the module of {plugin} is not there").format(plugin=sign.shown)
        raise UsageError("plugin.no-file", message, hint=_("install the package again"))
    plugin = Plugin(
        kind=kind,
        name=sign.name,
        distribution=entry.dist.name if entry.dist else None,
        version=entry.dist.version if entry.dist else None,
        file="/".join(path.parts[-len(entry.module.split(".")) - (path.stem == "__init__") :]),
        digest=digest_file(path),
    )
    return Offer(plugin, path, entry.module, entry.attr or kind)


def _module_file(module: str) -> Path | None:
    """Find the file of a module without importing it or the packages above it."""
    top, *inner = module.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    if not inner:
        return Path(spec.origin) if spec.origin else None
    for folder in spec.submodule_search_locations or ():
        place = Path(folder, *inner)
        files = [place.parent / f"{place.name}{suffix}" for suffix in all_suffixes()]
        found = next((file for file in (*files, place / "__init__.py") if file.is_file()), None)
        if found is not None:
            return found
    return None


# running it


def _run_file(offer: Offer) -> ModuleType:
    """Run a file of the workspace: the very bytes of which the digest was taken."""
    source = offer.path.read_bytes()
    _require_same(offer, digest_bytes(source))
    module = ModuleType(f"shinrai_plugin_{offer.plugin.digest[7:23]}")
    module.__file__ = str(offer.path)
    sys.modules[module.__name__] = module  # dataclasses and pickle look a module up by its name
    exec(compile(source, str(offer.path), "exec"), module.__dict__)  # noqa: S102 - what a plug-in is for
    return module


def _import(offer: Offer) -> ModuleType:
    module = importlib.import_module(offer.module or "")
    if Path(module.__file__ or "").resolve() != offer.path.resolve():
        message = _("the module {module} was imported from another file than {file}").format(
            module=offer.module, file=offer.path
        )
        raise PluginError("plugin.changed", message)
    _require_same(offer, digest_file(offer.path))
    return module


def _require_same(offer: Offer, found: Digest) -> None:
    if found != offer.plugin.digest:
        raise PluginError("plugin.changed", _("{file} has just been changed").format(file=offer.plugin.file))
