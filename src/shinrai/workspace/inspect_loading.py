"""A task of Inspect, loaded. This imports other people's code: only in a process of its own.

``python -m shinrai.workspace.inspect_loading``, in the folder of the workspace, reads an `InspectTask` as JSON from
standard input and writes a `TaskTold` to standard output.
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import msgspec
from inspect_ai import Task
from inspect_ai._eval.loader import load_tasks
from inspect_ai._util.registry import registry_find, registry_info, registry_params
from inspect_ai.dataset import Sample
from inspect_ai.model import ChatMessage
from inspect_ai.scorer._scorer import unique_scorer_name

from shinrai.records import InspectTask, digest_bytes
from shinrai.workspace.inspect_tasks import ScorerTold, TaskTold

__all__ = ["Loaded", "load", "output"]

_GRADERS = frozenset({"model_graded_qa", "model_graded_fact"})


class Loaded(NamedTuple):
    """A task, its samples by the id under which they are known here, and what it tells."""

    task: Any
    samples: dict[str, Any]
    told: dict[str, Any]


def output() -> BinaryIO:
    """Take standard output for messages, and let whatever other people's code prints go to standard error."""
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return channel


def load(use: InspectTask) -> Loaded:
    """Load a task by its name.

    Parameters
    ----------
    use : InspectTask
        Its file is relative to the folder that this process runs in.

    Returns
    -------
    Loaded
        With a ``problem`` in what it tells, and no task, where there is none.
    """
    root = Path.cwd()
    try:
        tasks = load_tasks([use.task], dict(use.args))
    except Exception as error:  # noqa: BLE001 - whatever other people's code raises: it is told, and there is no task
        return _none(f"{type(error).__name__}: {error}"[:500])
    if len(tasks) != 1:
        return _none(f"{len(tasks)} tasks have this name")
    task = tasks[0]
    samples: dict[str, Any] = {}
    for number, sample in enumerate(task.dataset, start=1):
        sample.id = number if sample.id is None else sample.id
        if str(sample.id) in samples:
            return _none(f"two samples have the id {sample.id!r}")
        samples[str(sample.id)] = sample
    return Loaded(task, samples, _told(task, samples, use, root))


def _none(problem: str) -> Loaded:
    names = [registry_info(one).name for one in registry_find(lambda info: info.type == "task")]
    return Loaded(None, {}, {"problem": problem, "names": names})


def _told(task: Task, samples: dict[str, Any], use: InspectTask, root: Path) -> dict[str, Any]:
    names: list[str] = []
    scorers = []
    for one in task.scorer or []:
        names.append(unique_scorer_name(one, names))
        kind = registry_info(one).name.rpartition("/")[2]
        scorers.append(ScorerTold(names[-1], kind in _GRADERS and not registry_params(one).get("model")))
    files = _files(use, root)
    return {
        "name": task.name,
        "version": str(task.version),
        "inspect": version("inspect_ai"),
        "epochs": task.epochs or 1,
        "own_model": None if task.model is None else str(task.model),
        "scorers": scorers,
        "files": files,
        "packages": {} if files else _package(use),
        "samples": [
            {
                "id": one.id,
                "input": one.input if isinstance(one.input, str) else [_plain(part) for part in one.input],
                "target": one.target,
                "metadata": one.metadata or {},
                "digest": digest_bytes(_whole(one)),
            }
            for one in samples.values()
        ],
    }


def _whole(sample: Sample) -> bytes:
    """Write a sample down with all that it brings, but for the ids that Inspect gives to messages by chance."""
    asked = sample.input if isinstance(sample.input, str) else [_plain(part) for part in sample.input]
    return msgspec.json.encode([asked, sample.model_dump(mode="json", exclude={"input"})], order="deterministic")


def _plain(message: ChatMessage) -> dict[str, Any]:
    found: dict[str, Any] = message.model_dump(mode="json", include={"role", "content"})
    return found


def _files(use: InspectTask, root: Path) -> list[str]:
    """Name the Python files of the workspace that were loaded."""
    found = {Path(file).resolve() for one in list(sys.modules.values()) if (file := getattr(one, "__file__", None))}
    if use.path is not None:
        found.add((root / use.path).resolve())
    own = root.resolve()
    below = [path for path in found if path.is_relative_to(own) and "site-packages" not in path.parts]
    return sorted(path.relative_to(own).as_posix() for path in below)


def _package(use: InspectTask) -> dict[str, str]:
    module = use.task.partition("/")[0]
    return {name: version(name) for name in packages_distributions().get(module, [])}


def _main() -> None:
    channel = output()
    loaded = load(InspectTask.model_validate_json(sys.stdin.buffer.read()))
    told = msgspec.convert(loaded.told, TaskTold)
    channel.write(msgspec.json.encode(told))
    channel.flush()


if __name__ == "__main__":
    _main()
