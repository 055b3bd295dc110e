"""A task of Inspect as a trial source: run by Inspect itself, with a tool, a sandbox, and a process that is killed."""

from __future__ import annotations

import os
import signal
import time
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
from shinrai.ledger import Ledger
from shinrai.records import Commitment, DataUse, Item, Verdict
from shinrai.report.evidence import exhibits
from shinrai.source import read_items
from shinrai.workspace.inspect_tasks import committed_file
from tests.check.desk import agent, commands, files, of_the_page, outcome
from tests.check.processes import Child, lines_in, measure
from tests.check.town import Town
from tests.cycle import call
from tests.cycle import found as set_up
from tests.servers.endpoint import serving

if find_spec("inspect_ai") is None and os.environ.get("CI") != "true":
    pytest.skip("Inspect is not installed: uv pip install 'shinrai[inspect]'", allow_module_level=True)

CALLERS = 40
BEFORE = 3
"""Samples that have finished when the first process is killed."""
CLAIMS = """          - {check: right-counter, id: loose, threshold: 0.7}
          - {check: right-counter, id: tight, threshold: 0.2, budget: 16}
"""
"""Two claims on one task: one that is soon decided, and one of which nothing is left out."""


@dataclass
class _Ran:
    town: Town
    verdicts: dict[str, Verdict]
    asked: dict[str, int]
    finished: set[str]
    """Samples that were in the journal when the first process was killed."""
    sandboxes: list[str]
    """What is left of them."""


def _killed_and_run_again(root: Path) -> _Ran:
    """Run the example of the page by its commands; its first ``check`` is killed on the way."""
    plan, check, *others = commands()
    assert (plan, check, others) == (["plan"], ["check"], [["verify", "--replay"]])
    temporary = root.parent / "temporary"
    temporary.mkdir()
    with serving(agent) as endpoint, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(temporary))  # where Inspect's local sandboxes are
        set_up(root, files(endpoint.url, claims=CLAIMS))
        assert call("-C", str(root), *plan) == 0
        process = Child(measure, root)
        journal = root / ".shinrai/runs/run-0001/calls.jsonl"
        while process.poll() is None and (not journal.is_file() or journal.read_bytes().count(b"\n") < BEFORE):
            time.sleep(0.02)
        assert process.poll() is None, process.communicate()
        process.send_signal(signal.SIGKILL)
        process.communicate()
        data = journal.read_bytes()
        assert any(temporary.iterdir())
        finished = {line.request["sample"] for line in lines_in(data[: data.rindex(b"\n") + 1])}
        before = dict(endpoint.log.asked)
        assert call("-C", str(root), *check) == 0
        again = {prompt: times - before.get(prompt, 0) for prompt, times in endpoint.log.asked.items()}
    assert call("-C", str(root), *others[0]) == 0
    town = Town(root, Ledger.open("sqlite:///.shinrai/ledger.db", root=root))
    verdicts = [found[-1].verdict for found in town.state.judgements.values()]
    named = {one.claim.rpartition("/")[2]: one for one in verdicts}
    return _Ran(town, named, again, finished, [path.name for path in temporary.iterdir()])


pytestmark = pytest.mark.timeout(900)  # Inspect takes seconds to start, and more on a busy machine


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Ran]:
    found = _killed_and_run_again(tmp_path_factory.mktemp("desk") / "town")
    with found.town.ledger:
        yield found


def test_both_pages_show_the_same_run() -> None:
    assert of_the_page("en").keys() == of_the_page("ja").keys()
    assert {**of_the_page("en"), "checks/right-counter.yaml": ""} == {
        **of_the_page("ja"),
        "checks/right-counter.yaml": "",
    }
    assert commands("en") == commands("ja")


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
        promise = ran.town.state.promises[f"plan/goal/measure/{name}@desk"]
        trials = [one for one in ran.town.trials() if one.commitment == promise.digest]
        assert [one.position for one in trials] == list(range(verdict.counts.total))
        order = promise.commitment.draw(_items(ran.town, promise.commitment))
        assert [one.item for one in trials] == [placed.item.id for placed in order[: len(trials)]]
    assert len(ran.town.journal()) < CALLERS


def test_a_sample_that_breaks_down_or_runs_into_a_limit_is_missing_and_never_a_failure(ran: _Ran) -> None:
    ended = {trial.item: trial.outcome if trial.outcome != "error" else trial.detail for trial in ran.town.trials()}
    assert ended == {item: outcome(int(item)) for item in ended}
    assert set(ended.values()) == {"pass", "fail", "sample-error", "limit-message"}


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
    compared = set()
    for name, row in theirs.items():
        if name not in ours or name in ran.finished:
            continue
        reply: Any = ours[name].reply
        if row.end == "ok":
            assert {**reply, "id": row.id} == row.kept()
        else:  # an import counts as missing what our own run does
            assert (row.end, reply) == (ours[name].end, None)
            assert (row.error or "").startswith(
                "error: " if ours[name].error == "sample-error" else str(ours[name].error)
            )
        compared.add(row.end)
    assert compared == {"ok", "error"}
    assert ran.town.ledger.verify().faults == ()
    whole = last.read_bytes()
    try:
        last.write_bytes(whole + b" ")
        assert [fault for fault in ran.town.ledger.verify().faults if logs[-1] in str(fault)]
    finally:
        last.write_bytes(whole)


def test_no_sandbox_is_left_not_even_of_the_process_that_was_killed(ran: _Ran) -> None:
    assert ran.sandboxes == []


def test_a_sample_is_shown_by_its_question_and_its_last_reply(ran: _Ran) -> None:
    verdict = ran.verdicts["tight"]
    failed = exhibits(ran.town.root, ran.town.state, verdict, frozenset({"fail"}))
    assert failed
    for one in failed:
        (exchange,) = one.exchanges
        assert exchange.asked.startswith(f"Caller {one.item} ")
        assert exchange.reply == "Go to the moon."


def test_promises_on_one_task_share_a_run_and_others_do_not(ran: _Ran) -> None:
    loose, tight = (ran.town.state.promises[f"plan/goal/measure/{name}@desk"].commitment for name in ("loose", "tight"))
    assert source_of(loose) == source_of(tight) != ""
    assert loose.data is not None
    assert loose.data.use.inspect is not None
    other = loose.data.use.inspect.model_copy(update={"args": {"callers": CALLERS - 1}})
    changed = loose.data.model_copy(update={"use": DataUse(inspect=other)})
    assert source_of(loose.model_copy(update={"data": changed})) != source_of(loose)


def test_the_key_of_the_samples_is_their_content(ran: _Ran) -> None:
    commitment = ran.town.state.promises["plan/goal/measure/tight@desk"].commitment
    assert commitment.data is not None
    kept = ran.town.root / f".shinrai/inspect/{commitment.data.digest.removeprefix('sha256:')}.jsonl"
    moved = kept.with_suffix(".gone")
    kept.rename(moved)
    try:
        with pytest.raises(TamperedError):
            replay(ran.town.root, ran.town.ledger)
    finally:
        moved.rename(kept)
