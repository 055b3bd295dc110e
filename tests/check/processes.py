"""Runs in a process of their own, so that they can be killed; and the system and promises that they measure."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

import msgspec

from shinrai.check import check
from shinrai.check.events import Event, RunBegan
from shinrai.check.journal import Line
from shinrai.errors import ShinraiError
from shinrai.ledger import Ledger
from shinrai.records import Budget
from tests.check.town import Town, found
from tests.servers.endpoint import Endpoint, Reply, serving

_FORKS: Final = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    ["tests.check.processes", "shinrai.check.runs", "shinrai.cli.check", "shinrai.cli.status", "duckdb", "uvloop"]
)


def measure(root: Path, largest_file: int = 0, engine: str = "one") -> None:
    """Run ``shinrai check``, and print each verdict on a line, or how it failed."""
    with Ledger.open("sqlite:///.shinrai/ledger.db", root=root) as ledger:

        def limit_files(event: Event) -> None:
            if largest_file and isinstance(event, RunBegan):
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))

        hosts, say = ["127.0.0.1"], sys.stdout.write
        try:
            for verdict in check(root, ledger, budget=Budget(), allowed_hosts=hosts, tell=limit_files, engine=engine):
                counts = verdict.counts
                say(
                    f"{verdict.claim} {verdict.status} {counts.total} {counts.failed} {verdict.lower} {verdict.upper}\n"
                )
        except ShinraiError as error:
            say(f"{error.code}\n")
        except KeyboardInterrupt:
            say("interrupted\n")


def _in_child(
    said: Path, environment: dict[str, str], target: Callable[..., None], arguments: tuple[object, ...]
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    for number, name in ((1, "out"), (2, "errors")):
        file = os.open(said / name, os.O_WRONLY | os.O_CREAT)
        os.dup2(file, number)
        os.close(file)
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115 - until it ends
    target(*arguments)


class Child:
    """A function in a process of its own, forked from one that has loaded everything: only its start is cheaper.

    It is used like `subprocess.Popen`.
    """

    def __init__(
        self, target: Callable[..., None], *arguments: object, environment: Mapping[str, str] = os.environ
    ) -> None:
        self._said = TemporaryDirectory()
        given = (Path(self._said.name), dict(environment), target, arguments)
        self._process = _FORKS.Process(target=_in_child, args=given)
        self._process.start()

    @property
    def pid(self) -> int:
        found = self._process.pid
        assert found is not None
        return found

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        self._process.join(timeout)
        if self.poll() is None:
            raise subprocess.TimeoutExpired("check", timeout or 0.0)
        folder = Path(self._said.name)
        out, errors = (
            (folder / name).read_text(encoding="utf-8") if (folder / name).exists() else ""
            for name in ("out", "errors")
        )
        self._said.cleanup()
        return out, errors


def child(town: Town, largest_file: int = 0) -> Child:
    """Begin a check of a town."""
    return Child(measure, town.root, largest_file)


def spread_child(town: Town, engine: str) -> subprocess.Popen[str]:
    """Begin a check that starts processes of its own, in a process that shares nothing with this one."""
    program = "import sys; from pathlib import Path; from tests.check.processes import measure; "
    program += "measure(Path(sys.argv[1]), engine=sys.argv[2])"
    return subprocess.Popen(
        [sys.executable, "-c", program, str(town.root), engine],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )


def outcome(process: Child | subprocess.Popen[str]) -> list[str]:
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
