"""Loading the Python files of a stack: predictors and guards.

Two forms of parameter stand for something else: ``{file: path}`` becomes the absolute path of a file of the workspace,
as text, and ``{system: secrets}`` becomes the list of the system's planted strings. A component is given the
secrets only where its parameters say so.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from shinrai.errors import TargetError
from shinrai.i18n import _
from shinrai.records import Json

__all__ = ["load_component", "resolve_parameters"]


def resolve_parameters(parameters: Mapping[str, Any], root: Path, secrets: Sequence[str]) -> dict[str, Any]:
    """Replace ``{file: path}`` by an absolute path and ``{system: secrets}`` by the planted strings, at any depth."""
    return {name: _resolve(value, root, secrets) for name, value in parameters.items()}


def _resolve(value: Json, root: Path, secrets: Sequence[str]) -> Json:
    if isinstance(value, Mapping):
        if set(value) == {"file"} and isinstance(value["file"], str):
            return str((root / value["file"]).resolve())
        if dict(value) == {"system": "secrets"}:
            return list(secrets)
        return resolve_parameters(value, root, secrets)
    if isinstance(value, list | tuple):
        return [_resolve(part, root, secrets) for part in value]
    return value


def load_component(path: Path, parameters: dict[str, Any], *, shown_as: str) -> Any:  # noqa: ANN401 - whatever the file's load returns
    """Run a Python file and call its ``load(parameters)``.

    Parameters
    ----------
    path : Path
        Of the file.
    parameters : dict
        Already resolved.
    shown_as : str
        The file's name in messages.

    Returns
    -------
    object
        What ``load`` returned.

    Raises
    ------
    TargetError
        If the file is not there, has no ``load``, or anything in it fails.
    """
    name = f"shinrai_component_{hashlib.sha256(str(path).encode()).hexdigest()[:16]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise TargetError("target.no-component", _("there is no Python file {file}").format(file=shown_as))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickle look a module up by its name
    try:
        spec.loader.exec_module(module)
        return module.load(parameters)
    except Exception as error:
        raise TargetError(
            "target.component-failed",
            _("{file} could not be loaded: {error}: {message}").format(
                file=shown_as, error=type(error).__name__, message=error
            ),
        ) from error
