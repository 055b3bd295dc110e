"""Runs that are killed, interrupted, started twice, or run out of room, each in a process of its own."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

import pytest

from shinrai.workspace import locked
from tests.check.processes import Killed, child, killed, lines_in, outcome, paced, prepared
from tests.check.town import Town
from tests.servers.endpoint import serving


def test_a_real_limit_on_the_size_of_files(town: Town) -> None:
    with serving() as endpoint:
        town.chat(endpoint.url)
        town.prompts(400)
        town.promise(threshold=0.02)
        path = town.root / ".shinrai/runs/run-0001/calls.jsonl"
        assert outcome(child(town, 6000)) == ["run.not-written"]
        assert 4000 < path.stat().st_size <= 6000
        assert path.read_bytes().endswith(b"}\n")
        assert not town.state.judgements
        before, kept = dict(endpoint.log.asked), {line.request for line in town.journal()}
        [said] = outcome(child(town))
        assert said.startswith("p/g/m/c met 211 0")
    assert all(endpoint.log.asked[name] == before[name] for name in kept)


def test_killed_at_any_moment_nothing_is_asked_twice_and_nothing_changes(tmp_path: Path) -> None:
    assert killed(tmp_path, 20) == Killed(kills=20, alive=20, lost=0, asked_again=0, changed=0)


@pytest.mark.simulation
@pytest.mark.timeout(3600)
def test_killed_two_hundred_times_nothing_is_asked_twice_and_nothing_changes(tmp_path: Path) -> None:
    found = killed(tmp_path, 200)
    assert (found.lost, found.asked_again, found.changed) == (0, 0, 0)
    assert found.alive > 190


def test_two_at_once_wait_for_each_other(town: Town) -> None:
    with serving(paced) as endpoint:
        prepared(town, endpoint)
        first, second = child(town), child(town)
        said = sorted([outcome(first), outcome(second)], key=len)
    assert said[0] == []  # whoever came second found everything measured
    assert len(said[1]) == 3
    assert max(endpoint.log.asked.values()) == 1
    assert list(town.state.runs) == ["run-0001"]
    assert town.ledger.verify().faults == ()


def test_ctrl_c_twice_loses_nothing(town: Town) -> None:
    """The second comes while the first is still being dealt with."""
    with serving(paced) as endpoint:
        prepared(town, endpoint)
        finished: set[Any] = set()
        before: dict[Any, int] = {}
        path = town.root / ".shinrai/runs/run-0001/calls.jsonl"
        for wanted in (30, 100):
            process = child(town)
            deadline = time.monotonic() + 30
            while not (path.is_file() and path.read_bytes().count(b"\n") >= wanted) and time.monotonic() < deadline:
                time.sleep(0.002)
            assert locked(town.root)
            process.send_signal(signal.SIGINT)
            time.sleep(0.001)
            process.send_signal(signal.SIGINT)
            out, _errors = process.communicate(timeout=60)
            assert not locked(town.root)  # nothing is running any more, whatever the ledger holds open
            assert out == "interrupted\n" or process.returncode in {1, -signal.SIGINT, 130}
            whole = path.read_bytes()
            finished = {line.request for line in lines_in(whole[: whole.rfind(b"\n") + 1])}
            assert len(finished) >= wanted
            before = {name: endpoint.log.asked[name] for name in finished}
        assert len(outcome(child(town))) == 3
        assert {name: endpoint.log.asked[name] for name in finished} == before
    assert list(town.state.runs) == ["run-0001"]
    assert town.ledger.verify().faults == ()


def test_ctrl_c_leaves_a_run_that_goes_on(town: Town) -> None:
    with serving(paced) as endpoint:
        prepared(town, endpoint)
        process = child(town)
        path = town.root / ".shinrai/runs/run-0001/calls.jsonl"
        deadline = time.monotonic() + 30
        while not (path.is_file() and path.read_bytes().count(b"\n") >= 50) and time.monotonic() < deadline:
            time.sleep(0.002)
        process.send_signal(signal.SIGINT)
        assert outcome(process) == ["interrupted"]
        finished = {line.request for line in town.journal()}
        assert town.state.open_run("assistant") is not None
        before = {name: endpoint.log.asked[name] for name in finished}
        assert len(outcome(child(town))) == 3
        assert {name: endpoint.log.asked[name] for name in finished} == before
