"""Runs in a process of their own, so that they can be killed; and the system and promises that they measure."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from shinrai.check.journal import Line
from tests.check.town import Town, found
from tests.servers.endpoint import Endpoint, Reply, serving

CHILD = """
import os, resource, signal, sys
from pathlib import Path
from shinrai.check import check
from shinrai.check.events import RunBegan
from shinrai.errors import ShinraiError
from shinrai.ledger import Ledger
from shinrai.records import Budget

root = Path(sys.argv[1])
with Ledger.open("sqlite:///.shinrai/ledger.db", root=root) as ledger:

    def limit_files(event):
        if len(sys.argv) > 2 and isinstance(event, RunBegan):
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))

    try:
        engine = os.environ.get("TEST_ENGINE", "one")
        hosts = ["127.0.0.1"]
        for verdict in check(root, ledger, budget=Budget(), allowed_hosts=hosts, tell=limit_files, engine=engine):
            counts = verdict.counts
            print(verdict.claim, verdict.status, counts.total, counts.failed, verdict.lower, verdict.upper)
    except ShinraiError as error:
        print(error.code)
    except KeyboardInterrupt:
        print("interrupted")
"""


def child(town: Town, *arguments: str, engine: str = "one") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(town.root), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TEST_ENGINE": engine},
    )


def outcome(process: subprocess.Popen[str]) -> list[str]:
    try:
        out, errors = process.communicate(timeout=200)
    finally:
        process.kill()
    assert process.returncode == 0, errors
    assert errors == ""
    return out.splitlines()


def paced(prompt: str, _attempt: int) -> Reply:
    return Reply("no" if int(prompt.split()[1]) % 9 == 0 else "yes", delay=0.004)


def prepared(town: Town, endpoint: Endpoint) -> None:
    town.chat(endpoint.url)
    town.prompts(300)
    town.promise("p/g/m/a", threshold=0.25)
    town.promise("p/g/m/b", threshold=0.05)
    town.promise("p/g/m/c", threshold=0.12)


def lines_in(data: bytes) -> list[Line]:
    return [msgspec.json.decode(line, type=Line) for line in data.splitlines()]


class Killed(NamedTuple):
    """What became of runs that were killed: how many kills there were, and how many met a process that was alive.

    ``lost``: finished calls that were not there any more after the next kill or at the end. ``asked_again``: finished
    calls that were sent again. ``changed``: runs whose verdicts are not those of an undisturbed one.
    """

    kills: int
    alive: int
    lost: int
    asked_again: int
    changed: int


_KILLS_OF_ONE_RUN = 5


def killed(folder: Path, kills: int) -> Killed:
    """Kill runs with ``kill -9``, five times each, every time after another number of replies; let each end at last."""
    with serving(paced) as endpoint:
        calm = found(folder / "calm")
        prepared(calm, endpoint)
        undisturbed = outcome(child(calm))
        calm.ledger.close()
    assert len(undisturbed) == 3
    assert "undecided 280" in undisturbed[2]
    sums = Killed(kills, 0, 0, 0, 0)
    with serving(paced) as endpoint:
        for number in range(kills // _KILLS_OF_ONE_RUN):
            town = found(folder / f"town-{number}")
            prepared(town, endpoint)
            moments = [10 + 53 * step + (11 * number) % 41 for step in range(_KILLS_OF_ONE_RUN)]
            one = _killed_at(town, endpoint, moments, undisturbed)
            sums = Killed(kills, *(a + b for a, b in zip(sums[1:], one[1:], strict=True)))
            town.ledger.close()
            endpoint.log.asked.clear()
    return sums


def _killed_at(town: Town, endpoint: Endpoint, moments: Sequence[int], undisturbed: Sequence[str]) -> Killed:
    path = town.root / ".shinrai/runs/run-0001/calls.jsonl"
    finished: dict[str, int] = {}  # a finished call, and how often it had been asked when it was seen first
    alive = lost = 0
    for wanted in moments:
        process = child(town)
        deadline = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < deadline:
            if path.is_file() and path.read_bytes().count(b"\n") >= wanted:
                break
            time.sleep(0.001)
        alive += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.communicate()
        whole = path.read_bytes()
        now = {line.request for line in lines_in(whole[: whole.rfind(b"\n") + 1])}
        lost += len(finished.keys() - now)
        for request in now - finished.keys():
            finished[request] = endpoint.log.asked[request]
    changed = int(outcome(child(town)) != undisturbed)
    lost += len(finished.keys() - {line.request for line in town.journal()})
    again = sum(endpoint.log.asked[request] != times for request, times in finished.items())
    assert list(town.state.runs) == ["run-0001"]
    return Killed(len(moments), alive, lost, again, changed)
