"""Tasks of Inspect that checks name: where they are, what they are made of, and the kept list of their samples.

A task is Python code of other people. It is never run in this process: `inspect_loading` loads it in one of its own,
and tells what it is. Whether a file holds the task at all is read off its syntax tree, without running it.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import msgspec

from shinrai.errors import TamperedError, UsageError
from shinrai.i18n import _
from shinrai.records import CommittedData, CommittedTask, Digest, InspectTask, Json, digest_bytes, digest_file
from shinrai.source import did_you_mean, listing
from shinrai.source.inspect_samples import Message, metadata_columns, prompts_of
from shinrai.workspace.data import Misfit, data_file
from shinrai.workspace.layout import inside, near_file

__all__ = ["TaskTold", "committed_file", "describe_task", "keep_samples", "rows_of_samples", "task_misfits"]

SAMPLES: Final = ".shinrai/inspect"
"""Where the lists of samples are kept, named by their digests, relative to the workspace."""

_LOADING_SECONDS: Final = 600
_encode = msgspec.json.Encoder(order="deterministic").encode


class ScorerTold(msgspec.Struct):
    """A scorer of a task: the name of its score, and whether it asks a model for it."""

    name: str
    asks_a_model: bool = False


class SampleTold(msgspec.Struct):
    """A sample before it is run; ``digest`` is that of all of it, files and set-up included."""

    id: int | str
    input: str | list[Message]
    digest: str
    target: str | list[str] = ""
    metadata: dict[str, Any] = {}


class TaskTold(msgspec.Struct):
    """What a loaded task tells of itself; with a `problem` there is no more to it.

    Parameters
    ----------
    problem : str, optional
        Why there is no task.
    names : list of str
        The tasks that there are, where the one that was asked for is not.
    files : list of str
        Python files below the workspace that were loaded for it, relative to the workspace.
    own_model : str, optional
        The model that the task itself has chosen.
    """

    problem: str | None = None
    names: list[str] = []
    name: str = ""
    version: str = ""
    inspect: str = ""
    epochs: int = 1
    own_model: str | None = None
    scorers: list[ScorerTold] = []
    files: list[str] = []
    packages: dict[str, str] = {}
    samples: list[SampleTold] = []

    def pinned(self, root: Path) -> CommittedTask:
        """Give what a promise pins of it, with the files as they are now."""
        return CommittedTask(
            name=self.name,
            version=self.version,
            inspect=self.inspect,
            scorers=tuple(one.name for one in self.scorers),
            files={name: digest_file(root / name) for name in self.files},
            packages=self.packages,
        )


def task_misfits(root: Path, use: InspectTask) -> Iterator[Misfit]:
    """Look for a task in its file, without running anything.

    Parameters
    ----------
    root : Path
        Folder of the workspace.
    use : InspectTask
        As a check names it. What an installed package registers is looked at when it is planned.

    Yields
    ------
    Misfit
        If there is no such file, it is no Python, it holds no such task, or the task takes no such argument.
    """
    place = ("data", "inspect", "task")
    if use.path is None:
        return
    path = inside(root, use.path)
    if path is None or not path.is_file():
        message = _('there is no file "{file}"').format(file=use.path)
        yield Misfit("workspace.no-file", place, message, None, near_file(path, use.path) if path else None)
        return
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError) as error:
        message = _("{file} is not Python: {reason}").format(file=use.path, reason=error)
        yield Misfit("workspace.bad-task-file", place, message)
        return
    tasks = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef) and _is_task(node)}
    found = tasks.get(use.name)
    if found is None:
        message = _('the file {file} holds no task "{name}"').format(file=use.path, name=use.name)
        known = _("one of: {names}").format(names=listing(tasks)) if tasks else _("a function with the decorator @task")
        yield Misfit("workspace.unknown-task", place, message, known, did_you_mean(use.name, tasks))
        return
    yield from _unknown_arguments(use, found)


def _is_task(node: ast.FunctionDef) -> bool:
    names = [one.func if isinstance(one, ast.Call) else one for one in node.decorator_list]
    return any(getattr(one, "attr", getattr(one, "id", None)) == "task" for one in names)


def _unknown_arguments(use: InspectTask, found: ast.FunctionDef) -> Iterator[Misfit]:
    given = found.args
    if given.kwarg is not None:
        return
    known = [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    for name in use.args:
        if name not in known:
            message = _('the task "{task}" takes no argument "{name}"').format(task=use.name, name=name)
            expected = _("one of: {names}").format(names=listing(known)) if known else None
            place = ("data", "inspect", "args", name)
            yield Misfit("workspace.unknown-argument", place, message, expected, did_you_mean(name, known), key=True)


def describe_task(root: Path, use: InspectTask) -> TaskTold:
    """Load a task in a process of its own, and let it tell what it is.

    Parameters
    ----------
    root : Path
        Folder of the workspace.
    use : InspectTask
        As a check names it.

    Returns
    -------
    TaskTold
        Without a problem.

    Raises
    ------
    UsageError
        If Inspect is not installed, there is no such task, or its code fails.
    """  # noqa: DOC501 - _not_loaded makes one
    require_inspect()
    command = [sys.executable, "-m", "shinrai.workspace.inspect_loading"]
    stderr = b""
    try:
        done = subprocess.run(  # noqa: S603 - our own module, in the interpreter that runs this
            command,
            input=_encode(use.to_json()),
            cwd=root,
            env={**os.environ, "INSPECT_DISPLAY": "none"},
            capture_output=True,
            timeout=_LOADING_SECONDS,
            check=False,
        )
        stderr = done.stderr
        told = msgspec.json.decode(done.stdout, type=TaskTold)
    except subprocess.TimeoutExpired as error:
        raise _not_loaded(use, _("it was not loaded within {seconds} seconds").format(seconds=error.timeout)) from error
    except msgspec.DecodeError as error:
        raise _not_loaded(use, stderr.decode("utf-8", "replace").strip()[-500:]) from error
    require_told(use, told)
    return told


def require_inspect() -> None:
    """Make sure that Inspect is installed.

    Raises
    ------
    UsageError
        If it is not.
    """
    if find_spec("inspect_ai") is None:
        raise UsageError(
            "workspace.no-inspect",
            _("Inspect, which runs this task, is not installed"),
            hint=_("install shinrai with the extra `inspect`"),
        )


def require_told(use: InspectTask, told: TaskTold) -> None:
    """Refuse a task that could not be loaded, with the nearest name where there is none of this one.

    Raises
    ------
    UsageError
        If it has a problem.
    """  # noqa: DOC501 - _not_loaded makes one
    if told.problem is not None:
        near = did_you_mean(use.name, [name.rpartition("/")[2] for name in told.names]) or did_you_mean(
            use.task, told.names
        )
        raise _not_loaded(use, told.problem, near)


def _not_loaded(use: InspectTask, reason: str, hint: str | None = None) -> UsageError:
    message = _("the task {task} could not be loaded: {reason}").format(task=use.task, reason=reason)
    return UsageError("workspace.task-fails", message, hint=hint)


def rows_of_samples(told: TaskTold) -> bytes:
    """Write the samples of a task as a data set: a line of JSON for each, in the order of their ids.

    Parameters
    ----------
    told : TaskTold
        As it was loaded.

    Returns
    -------
    bytes
        Columns ``id``, ``prompts``, ``target``, ``sample`` (the digest of the whole sample) and ``metadata.NAME``; a
        ``lang`` of the metadata is the language of the row, too.
    """
    lines = [_encode(_row(one)) for one in sorted(told.samples, key=lambda one: str(one.id))]
    return b"".join(line + b"\n" for line in lines)


def _row(sample: SampleTold) -> dict[str, Json]:
    columns = metadata_columns(sample.metadata)
    language = {"lang": columns["metadata.lang"]} if "metadata.lang" in columns else {}
    own = {"id": str(sample.id), "prompts": prompts_of(sample.input), "target": sample.target, "sample": sample.digest}
    return {**own, **language, **columns}


def keep_samples(root: Path, told: TaskTold) -> tuple[Path, Digest]:
    """Keep the samples of a task below ``.shinrai``, under the digest that a promise pins.

    Parameters
    ----------
    root : Path
        Folder of the workspace.
    told : TaskTold
        As it was loaded.

    Returns
    -------
    tuple of Path and Digest

    Raises
    ------
    UsageError
        If they cannot be kept.
    """
    content = rows_of_samples(told)
    digest = digest_bytes(content)
    path = root / SAMPLES / f"{digest.removeprefix('sha256:')}.jsonl"
    try:
        if not (path.is_file() and digest_file(path) == digest):
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_suffix(f".{os.getpid()}.part")
            draft.write_bytes(content)
            draft.replace(path)
    except OSError as error:
        message = _("the samples of the task {task} could not be kept: {reason}")
        reason = error.strerror or error
        raise UsageError("workspace.samples-not-kept", message.format(task=told.name, reason=reason)) from error
    return path, digest


def committed_file(root: Path, data: CommittedData) -> Path:
    """Find the data of a promise: the file that its check uses, or the kept samples of its task.

    Parameters
    ----------
    root : Path
        Folder of the workspace.
    data : CommittedData
        Of a promise.

    Returns
    -------
    Path

    Raises
    ------
    UsageError
        As `shinrai.workspace.data.data_file`.
    TamperedError
        If the kept samples are gone.
    """
    if data.task is None:
        return data_file(root, data.use)
    path = root / SAMPLES / f"{data.digest.removeprefix('sha256:')}.jsonl"
    if not path.is_file():
        raise TamperedError(
            "workspace.samples-gone",
            _("the kept samples of the task {task} are gone").format(task=data.task.name),
            hint=_("Put the file {file} back from a backup").format(file=path.relative_to(root)),
        )
    return path
