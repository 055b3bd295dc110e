"""One writer at a time; a killed one leaves nothing behind."""

from __future__ import annotations

import errno
import fcntl
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from shinrai.errors import StoreError
from shinrai.workspace import lock, locked

HOLD = """
import sys, time
from pathlib import Path
from shinrai.workspace import lock, locked
with lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""

COUNT = """
import sys, time
from pathlib import Path
from shinrai.workspace import lock, locked
root, times = Path(sys.argv[1]), int(sys.argv[2])
counter = root / "counter"
for _ in range(times):
    with lock(root):
        number = int(counter.read_text())
        time.sleep(0.002)
        counter.write_text(str(number + 1))
"""


def start(script: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def holder(root: Path) -> subprocess.Popen[str]:
    process = start(HOLD, root)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def end(process: subprocess.Popen[str], how: signal.Signals) -> None:
    process.send_signal(how)
    process.communicate(timeout=20)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_whoever_waits_gets_its_turn_when_the_other_is_killed(tmp_path: Path, how: signal.Signals) -> None:
    process = holder(tmp_path)
    said: list[float] = []
    entered: list[float] = []

    def wait_for_the_turn() -> None:
        with lock(tmp_path, waiting=lambda: said.append(time.monotonic())):
            entered.append(time.monotonic())

    thread = threading.Thread(target=wait_for_the_turn)
    thread.start()
    try:
        time.sleep(0.4)
        assert len(said) == 1
        assert entered == []
        killed = time.monotonic()
    finally:
        end(process, how)
    thread.join(timeout=10)
    assert len(said) == 1
    assert len(entered) == 1
    assert 0 <= entered[0] - killed < 5


def test_nobody_is_told_to_wait_when_the_way_is_free(tmp_path: Path) -> None:
    said: list[str] = []
    for _turn in range(2):
        with lock(tmp_path, waiting=lambda: said.append("wait")):
            pass
    assert said == []


def test_writers_never_overlap(tmp_path: Path) -> None:
    (tmp_path / "counter").write_text("0", encoding="utf-8")
    processes = [start(COUNT, tmp_path, 15) for _ in range(3)]
    for process in processes:
        _out, error = process.communicate(timeout=60)
        assert process.returncode == 0, error
    assert (tmp_path / "counter").read_text(encoding="utf-8") == "45"


def test_the_thread_that_has_it_may_take_it_again(tmp_path: Path) -> None:
    with lock(tmp_path):
        with lock(tmp_path):
            pass
        other: list[str] = []
        thread = threading.Thread(target=lambda: _enter(tmp_path, other))
        thread.start()
        time.sleep(0.3)
        assert other == ["waits"]
    thread.join(timeout=10)
    assert other == ["waits", "in"]


def _enter(root: Path, seen: list[str]) -> None:
    with lock(root, waiting=lambda: seen.append("waits")):
        seen.append("in")


def test_an_error_inside_frees_the_lock(tmp_path: Path) -> None:
    with pytest.raises(KeyError), lock(tmp_path):
        raise KeyError
    process = holder(tmp_path)
    end(process, signal.SIGKILL)


def test_a_place_where_nothing_can_be_locked(tmp_path: Path) -> None:
    (tmp_path / ".shinrai").write_text("in the way", encoding="utf-8")
    with pytest.raises(StoreError) as raised, lock(tmp_path):
        pass
    assert raised.value.code == "workspace.no-lock"
    with pytest.raises(StoreError), lock(tmp_path / "gone"):
        pass


def test_whether_somebody_is_at_work_can_be_seen(tmp_path: Path) -> None:
    assert locked(tmp_path) is False
    process = holder(tmp_path)
    try:
        assert locked(tmp_path) is True
    finally:
        end(process, signal.SIGKILL)
    assert locked(tmp_path) is False


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EIO])
def test_a_lock_that_cannot_be_looked_at_is_not_called_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    with lock(tmp_path):
        pass

    def refuse(_file: int, _how: int) -> None:
        raise OSError(number, "no locks here")

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert locked(tmp_path) is None
