"""A task of Inspect as a trial source: run by Inspect itself, with a tool, a sandbox, and a process that is killed."""

from __future__ import annotations

import asyncio
import os
import signal
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from shinrai.check.replay import replay
from shinrai.check.sources import source_of
from shinrai.check.sources.inspect import InspectTarget
from shinrai.do.inspect_log import read_inspect
from shinrai.errors import TamperedError
from shinrai.records import Column, Commitment, CommittedData, DataUse, InspectTask, Item, Verdict
from shinrai.source import read_items
from shinrai.workspace.inspect_tasks import committed_file, describe_task, keep_samples
from tests.check.desk import TASKS, agent
from tests.check.processes import child, lines_in
from tests.check.town import Town, found
from tests.servers.endpoint import Endpoint, serving

if find_spec("inspect_ai") is None and os.environ.get("CI") != "true":
    pytest.skip("Inspect is not installed: uv pip install 'shinrai[inspect]'", allow_module_level=True)

CALLERS = 40
BREAKS = 8
"""Every so many callers, the task breaks down."""
USE = InspectTask(task="tasks/counter.py@counter", args={"callers": CALLERS, "breaks": BREAKS})
BEFORE = 3
"""Samples that have finished when the first process is killed."""
READ = Column(id="column", column="score.includes", rule="equals", value="C")


def _prepare(town: Town, endpoint: Endpoint) -> None:
    """Commit two claims on one task: one that is soon decided, and one of which nothing is left out."""
    town.chat(endpoint.url, stack=[{"id": "rules", "type": "instructions", "text": "You serve callers."}])
    (town.root / "tasks").mkdir()
    (town.root / "tasks/counter.py").write_bytes((TASKS / "counter.py").read_bytes())
    told = describe_task(town.root, USE)
    _path, digest = keep_samples(town.root, told)
    data = CommittedData(use=DataUse(inspect=USE), digest=digest, items=CALLERS, task=told.pinned(town.root))
    town.promise("p/g/m/loose", data=data, budget=CALLERS, scorer=READ, threshold=0.6)
    town.promise("p/g/m/tight", data=data, budget=16, scorer=READ, threshold=0.2)


@dataclass
class _Ran:
    town: Town
    verdicts: dict[str, Verdict]
    asked: dict[str, int]
    finished: set[str]
    """Samples that were in the journal when the first process was killed."""


async def _killed_and_run_again(folder: Path) -> _Ran:
    town = found(folder)

    with serving(agent) as endpoint:
        _prepare(town, endpoint)
        process = child(town)
        journal = town.root / ".shinrai/runs/run-0001/calls.jsonl"
        while process.poll() is None and (  # noqa: ASYNC110 - it happens in another process
            not journal.is_file() or journal.read_bytes().count(b"\n") < BEFORE
        ):
            await asyncio.sleep(0.02)
        assert process.poll() is None, process.communicate()
        process.send_signal(signal.SIGKILL)
        process.communicate()
        data = journal.read_bytes()
        finished = {line.request["sample"] for line in lines_in(data[: data.rindex(b"\n") + 1])}
        before = dict(endpoint.log.asked)
        verdicts = await town.check()
        again = {prompt: times - before.get(prompt, 0) for prompt, times in endpoint.log.asked.items()}
    return _Ran(town, {one.claim.rpartition("/")[2]: one for one in verdicts}, again, finished)


pytestmark = pytest.mark.timeout(900)  # Inspect takes seconds to start, and more on a busy machine


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Ran]:
    made = asyncio.run(_killed_and_run_again(tmp_path_factory.mktemp("desk")))
    with made.town.ledger:
        yield made


def _items(town: Town, commitment: Commitment) -> list[Item]:
    assert commitment.data is not None
    return read_items(committed_file(town.root, commitment.data), shown_as="samples")


def _sample(prompt: str) -> str:
    """Name the sample that a question, or what the tool said, belongs to."""
    return prompt.split()[1] if prompt.startswith("Caller") else prompt.partition(",")[0]


def test_finished_samples_are_not_run_again(ran: _Ran) -> None:
    assert len(ran.finished) >= BEFORE
    assert not ran.finished & {_sample(prompt) for prompt, times in ran.asked.items() if times}
    assert list(ran.town.state.runs) == ["run-0001"]
    lines = ran.town.journal()
    assert len({line.key for line in lines}) == len(lines)


def test_trials_come_in_the_committed_order_and_stop_when_every_claim_has_decided(ran: _Ran) -> None:
    loose, tight = ran.verdicts["loose"], ran.verdicts["tight"]
    assert (loose.status, loose.reason) == ("met", "decided")
    assert loose.counts.total < 16
    assert loose.calls_saved > 20
    assert tight.counts.total <= 16
    for name, verdict in (("loose", loose), ("tight", tight)):
        promise = ran.town.state.promises[f"p/g/m/{name}@assistant"]
        trials = [one for one in ran.town.trials() if one.commitment == promise.digest]
        assert [one.position for one in trials] == list(range(verdict.counts.total))
        order = promise.commitment.draw(_items(ran.town, promise.commitment))
        assert [one.item for one in trials] == [placed.item.id for placed in order[: len(trials)]]
    assert len(ran.town.journal()) < CALLERS


def test_a_sample_that_breaks_down_is_missing_and_never_a_failure(ran: _Ran) -> None:
    by_item = {trial.item: trial for trial in ran.town.trials()}
    broken = [item for item in by_item if int(item) % BREAKS == BREAKS - 1]
    assert broken
    assert {by_item[item].outcome for item in broken} == {"error"}
    wrong = {item for item, trial in by_item.items() if trial.outcome == "fail"}
    assert wrong == {item for item in by_item if int(item) % 10 == 3}


def test_the_verdict_can_be_made_again_without_inspect(ran: _Ran, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(InspectTarget, "open", None)
    made = replay(ran.town.root, ran.town.ledger)
    assert made.first is None
    assert made.rescored == made.trials > 0


def test_the_log_of_inspect_says_the_same_and_is_bound(ran: _Ran) -> None:
    run = ran.town.state.runs["run-0001"]
    assert run.finished is not None
    logs = [name for name in run.finished.files if name.endswith(".eval")]
    assert logs == sorted(
        path.relative_to(ran.town.root).as_posix()
        for path in ran.town.root.glob(".shinrai/runs/run-0001/inspect/*.eval")
    )
    assert len(logs) == 2  # of the process that was killed, and of the one that went on
    last = ran.town.root / logs[-1]
    assert zipfile.is_zipfile(last)
    theirs = {row.sample: row for row in read_inspect(last).rows if row.error != "not-run"}
    ours = {line.request["sample"]: line for line in ran.town.journal()}
    compared = 0
    for name, row in theirs.items():
        if name in ours and name not in ran.finished and row.end == "ok":
            reply: Any = ours[name].reply
            assert {**reply, "id": row.id} == row.kept()
            compared += 1
    assert compared
    assert ran.town.ledger.verify().faults == ()
    whole = last.read_bytes()
    try:
        last.write_bytes(whole + b" ")
        assert [fault for fault in ran.town.ledger.verify().faults if logs[-1] in str(fault)]
    finally:
        last.write_bytes(whole)


def test_promises_on_one_task_share_a_run_and_others_do_not(ran: _Ran) -> None:
    loose, tight = (ran.town.state.promises[f"p/g/m/{name}@assistant"].commitment for name in ("loose", "tight"))
    assert source_of(loose) == source_of(tight) != ""
    other = InspectTask(task=USE.task, args={**USE.args, "breaks": 0})
    assert loose.data is not None
    changed = loose.data.model_copy(update={"use": DataUse(inspect=other)})
    assert source_of(loose.model_copy(update={"data": changed})) != source_of(loose)


def test_the_key_of_the_samples_is_their_content(ran: _Ran) -> None:
    commitment = ran.town.state.promises["p/g/m/tight@assistant"].commitment
    assert commitment.data is not None
    kept = ran.town.root / f".shinrai/inspect/{commitment.data.digest.removeprefix('sha256:')}.jsonl"
    moved = kept.with_suffix(".gone")
    kept.rename(moved)
    try:
        with pytest.raises(TamperedError):
            replay(ran.town.root, ran.town.ledger)
    finally:
        moved.rename(kept)
