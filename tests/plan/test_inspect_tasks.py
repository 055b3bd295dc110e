"""Which tasks of Inspect a promise can rest on, and how a wrong name is told; the loaded task is given, not run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from shinrai.errors import SourceError, UsageError
from shinrai.plan import data as plan_data
from shinrai.plan.inspect_tasks import require_fitting
from shinrai.records import Check, DataUse, InspectTask
from shinrai.workspace import TaskTold, load
from shinrai.workspace.inspect_tasks import SampleTold, ScorerTold, rows_of_samples, task_misfits
from tests.check.desk import files
from tests.cycle import call

URL = "http://127.0.0.1:9/v1"


def _check(**changed: Any) -> Check:
    base = {
        "id": "c",
        "title": {"en": "C"},
        "statement": {"en": "C"},
        "metric": "failure-rate",
        "comparator": "at-most",
        "threshold": 0.2,
        "data": {"inspect": {"task": "tasks/counter.py@counter"}},
        "scorer": {"id": "column", "column": "score.includes", "rule": "equals", "value": "C"},
    }
    return Check.model_validate(base | changed)


def _told(**changed: Any) -> TaskTold:
    base = {
        "name": "counter",
        "version": "0",
        "inspect": "0.3.285",
        "scorers": [ScorerTold("includes"), ScorerTold("model_graded_qa", asks_a_model=True)],
        "files": ["tasks/counter.py"],
        "samples": [SampleTold(n, f"question {n}", f"sha256:{n:064}", "tax", {"lang": "en"}) for n in range(12)],
    }
    return TaskTold(**(base | changed))


def _score(name: str) -> dict[str, Any]:
    return {"scorer": {"id": "column", "column": name, "rule": "filled"}}


@pytest.mark.parametrize(
    ("check", "told", "said"),
    [
        (_check(**_score("score.include")), _told(), "it has no score score.include"),
        (_check(**_score("score.model_graded_qa")), _told(), "lets the system grade itself"),
        (_check(), _told(own_model="openai/other"), "a model of its own, openai/other"),
        (_check(), _told(epochs=21), "runs each sample 21 times"),
    ],
)
def test_a_task_that_would_measure_something_else_is_refused(check: Check, told: TaskTold, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)) as caught:
        require_fitting(check, told)
    assert caught.value.code == "plan.task-refused"
    if "no score" in said:
        assert caught.value.hint is not None
        assert "score.includes" in caught.value.hint


@pytest.mark.parametrize("column", ["score.includes", "score.includes.part", "epoch", "limit"])
def test_scores_with_parts_and_other_columns_are_read(column: str) -> None:
    require_fitting(_check(**_score(column)), _told())


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"scorer": {"id": "consistency"}}, "samples of a task or a trial source are read by one of"),
        ({"variants": {"type": "swap", "column": "x", "values": [1]}}, "can only be repeated"),
        ({"data": {"inspect": {"task": "t"}, "file": "x.jsonl"}}, "a task brings its own samples"),
    ],
)
def test_what_cannot_be_read_off_samples_is_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(said)):
        _check(**changed)


def test_names_are_looked_for_in_the_file_without_running_it(tmp_path: Path) -> None:
    (tmp_path / "t.py").write_text(
        "raise SystemExit('this is never run')\n@task\ndef desk(callers: int = 3): ...\n"
        "@inspect_ai.task(name='x')\ndef hall(**given): ...\ndef no_task(): ...\n"
    )
    (tmp_path / "bad.py").write_text("def (:\n")

    def said(task: str, **args: Any) -> list[tuple[str, str | None]]:
        found = task_misfits(tmp_path, InspectTask(task=task, args=args))
        return [(one.code, one.hint or one.expected) for one in found]

    assert said("t.py@desk", callers=4) == said("t.py@hall", anything=1) == said("package/task") == []
    assert said("t.py@dask") == [("workspace.unknown-task", "did you mean desk?")]
    assert said("t.py@no_task")[0][0] == "workspace.unknown-task"
    assert said("t.py@desk", caller=4) == [("workspace.unknown-argument", "did you mean callers?")]
    assert said("u.py@desk")[0][0] == "workspace.no-file"
    assert said("../t.py@desk")[0][0] == "workspace.no-file"
    assert said("bad.py@desk")[0][0] == "workspace.bad-task-file"


def _workspace(root: Path, written: Mapping[str, str]) -> Path:
    assert call("init", str(root), "--name", "Town") == 0
    for folder in ("plans", "systems", "checks"):
        for file in (root / folder).glob("*.yaml"):
            file.unlink()
    for name, text in written.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
    return root


def test_a_wrong_task_is_told_with_its_place(tmp_path: Path) -> None:
    root = _workspace(tmp_path / "town", files(URL, task="conter"))
    with pytest.raises(SourceError) as caught:
        load(root)
    [problem] = caught.value.problems
    assert (problem.code, problem.file, problem.line) == ("workspace.unknown-task", "checks/right-counter.yaml", 10)
    assert problem.hint == "did you mean counter?"


def test_everything_that_could_be_turned_is_in_the_promise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another sample, another file, another version of Inspect: each is another promise."""
    root = _workspace(tmp_path / "town", files(URL))
    told = [_told(epochs=2)]
    monkeypatch.setattr(plan_data, "describe_task", lambda _root, _use: told[0])

    def planned(one: TaskTold) -> str:
        told[0] = one
        assert call("-C", str(root), "plan") == 0
        from shinrai.ledger import Ledger  # noqa: PLC0415 - opened for a moment, as the command does

        with Ledger.open("sqlite:///.shinrai/ledger.db", root=root) as ledger:
            [promise] = ledger.state().promises.values()
        commitment = promise.commitment
        assert commitment.data is not None
        assert commitment.data.task is not None
        assert (commitment.data.items, commitment.budget) == (12, 12)
        assert commitment.variants is not None
        assert commitment.data.use == DataUse(
            inspect=InspectTask(task="tasks/counter.py@counter", args={"callers": 40})
        )
        return promise.digest

    first = planned(_told(epochs=2))
    assert planned(_told(epochs=2)) == first
    others = [planned(_told(epochs=3)), planned(_told(epochs=2, inspect="0.3.300"))]
    samples = [SampleTold(n, f"question {n}", f"sha256:{n + 1:064}", "tax", {"lang": "en"}) for n in range(12)]
    others.append(planned(_told(epochs=2, samples=samples)))
    task = root / "tasks/counter.py"
    task.write_text(task.read_text() + "# changed\n")
    others.append(planned(_told(epochs=2)))
    assert len({first, *others}) == 5


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("  - {id: g, type: guard, path: guard.py}\n", "past its guards"),
        ("embedded", "reaches endpoints only"),
    ],
)
def test_a_system_that_inspect_would_pass_by_is_refused(
    tmp_path: Path, part: str, said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    written = dict(files(URL))
    system = written["systems/desk.yaml"]
    if part == "embedded":
        model = next(line for line in system.splitlines() if "endpoint" in line)
        system = system.replace(model, "  - {id: model, type: embedded, file: model.gguf}")
    else:
        system = system.replace("stack:\n", f"stack:\n{part}")
    root = _workspace(tmp_path / "town", {**written, "systems/desk.yaml": system, "guard.py": "", "model.gguf": "x"})
    monkeypatch.setattr(plan_data, "describe_task", lambda _root, _use: _told())
    assert call("-C", str(root), "plan") == 2
    assert said in capsys.readouterr().err


def test_rows_do_not_depend_on_the_order_of_the_samples() -> None:
    told = _told()
    turned = _told(samples=list(reversed(told.samples)))
    assert rows_of_samples(told) == rows_of_samples(turned)
