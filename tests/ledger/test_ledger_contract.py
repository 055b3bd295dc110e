"""What every store does alike: appending and reading, several writers, several versions of the tables."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from shinrai.errors import StoreError, UsageError
from shinrai.ledger import Ledger, create
from shinrai.records import (
    FindingClosed,
    Ruled,
    RunFinished,
    RunStarted,
)
from tests.ledger.conftest import Store, ruled


@pytest.fixture
def ledger(store: Store) -> Iterator[Ledger]:
    with create(store.url, store.root, "town") as opened:
        yield opened


def test_aisev_setting_up_again_empties_the_database(store: Store, ledger: Ledger) -> None:
    """There, one unauthenticated request drops every table. A ledger is never overwritten."""
    ledger.append(ruled("a"))
    with pytest.raises(UsageError) as caught:
        create(store.url, store.root, "town")
    assert caught.value.code == "ledger.exists"
    assert ledger.head.seq == 2


def test_ciso_assistant_the_audit_log_is_deleted_after_ninety_days(store: Store) -> None:
    """There, what is older, or beyond 50,000 records, is gone, and nothing tells that it was there."""
    months = iter(range(100))

    def clock() -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=30 * next(months))

    with Ledger.create(store.url, store.root, "town", clock=clock) as ledger:
        for number in range(12):
            ledger.append(ruled(f"c{number}"))
    with Ledger.open(store.url, root=store.root, clock=clock) as ledger:
        ledger.append(ruled("a year later"))
        entries = list(ledger.entries())
        assert ledger.verify().faults == ()
    assert [entry.seq for entry in entries] == list(range(1, 15))
    assert datetime.fromisoformat(entries[-1].at) - datetime.fromisoformat(entries[0].at) >= timedelta(days=360)


def test_append_numbers_and_chains(ledger: Ledger) -> None:
    first, second = ledger.append(ruled("a"), ruled("b"))
    (third,) = ledger.append(ruled("c"))
    assert [first.seq, second.seq, third.seq] == [2, 3, 4]
    assert (second.previous, third.previous) == (first.hash, second.hash)
    assert ledger.head == third
    assert list(ledger.entries(after=2)) == [second, third]
    assert ledger.append() == []
    assert ledger.head == third


def test_reading_may_be_mixed_with_appending(ledger: Ledger) -> None:
    ledger.append(*(ruled(f"c{number}") for number in range(2_500)))
    seen = 0
    for entry in ledger.entries():
        seen += 1
        if entry.seq % 1_000 == 0:
            ledger.append(ruled("later"))
    assert seen == 2_501, "only what was there when reading began"
    assert ledger.head.seq == 2_503


def test_state_is_a_snapshot_and_follows_when_asked_again(store: Store, ledger: Ledger) -> None:
    ledger.append(ruled("a"))
    before = ledger.state()
    assert ledger.state() is before, "nothing new, nothing folded"
    ledger.append(ruled("b"))
    with Ledger.open(store.url, root=store.root) as other:
        other.append(ruled("c"))
    assert list(before.rulings) == ["a@assistant"]
    assert list(ledger.state().rulings) == ["a@assistant", "b@assistant", "c@assistant"]


def test_a_record_that_names_nothing_is_refused_and_leaves_no_trace(ledger: Ledger) -> None:
    ledger.append(ruled("a"))
    with pytest.raises(UsageError) as caught:
        ledger.append(ruled("b"), FindingClosed(finding="nobody", verdict="sha256:" + "0" * 64))
    assert caught.value.code == "ledger.unknown-reference"
    assert "nobody" in caught.value.message
    assert ledger.head.seq == 2
    assert list(ledger.state().rulings) == ["a@assistant"]


@pytest.mark.parametrize("value", ["\ud800", 2**60, {"deep": ["\udfff"]}])
def test_what_json_cannot_hold_is_refused(ledger: Ledger, value: object) -> None:
    started = RunStarted(run="r", system="s", fingerprint="sha256:" + "0" * 64, commitments=(), directory="runs/r")
    ledger.append(started)
    with pytest.raises(StoreError) as caught:
        ledger.append(RunFinished(run="r", end="complete", files={}, calls=0, details={"value": value}))
    assert caught.value.code == "ledger.not-json"
    assert ledger.head.seq == 2


def test_a_clock_set_back_keeps_the_order_and_is_told(store: Store) -> None:
    hours = iter([9, 9, 10, 8, 10, 11, 12])

    def clock() -> datetime:
        return datetime(2026, 4, 1, next(hours), tzinfo=UTC)

    with Ledger.create(store.url, store.root, "town", clock=clock) as ledger:
        for claim in "abcd":
            ledger.append(ruled(claim))
        entries = list(ledger.entries())
        result = ledger.verify()
    assert [entry.at[11:13] for entry in entries] == ["09", "10", "10", "10", "11"]
    assert [entry.clock for entry in entries] == [None, None, "2026-04-01T08:00:00.000Z", None, None]
    assert result.ok
    assert result.clock_set_back == (3,)


def test_times_are_utc_wherever_the_clock_stands(store: Store) -> None:
    with Ledger.create(
        store.url, store.root, "town", clock=lambda: datetime.fromisoformat("2026-04-01T09:00:00.123456+09:00")
    ) as ledger:
        assert ledger.head.at == "2026-04-01T00:00:00.123Z"


_APPENDER = """
import sys, time
from pathlib import Path
from shinrai.ledger import Ledger
from shinrai.records import Ruled, Ruling, Text

root, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
with Ledger.open(sys.argv[4], root=root) as ledger:
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(count):
        ruling = Ruling(claim=f"{name}/{number}", system="s", applies=True, rule="named", reason=Text(en="n"))
        entries = ledger.append(Ruled(ruling=ruling), Ruled(ruling=ruling))
        print(entries[-1].seq, flush=True)
        if number % 10 == 9:
            ledger.checkpoint()
        time.sleep(0.002)  # a moment for the other one to come in between
"""


def appender(store: Store, name: str, count: int) -> subprocess.Popen[str]:
    started = subprocess.Popen(
        [sys.executable, "-c", _APPENDER, str(store.root), name, str(count), store.url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert started.stdout is not None
    assert started.stdout.readline() == "ready\n"
    return started


def test_two_processes_appending_at_once_make_one_chain(store: Store, ledger: Ledger) -> None:
    both = [appender(store, name, 40) for name in ("one", "two")]
    for process in both:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    written = [int(line) for process in both for line in process.communicate(timeout=60)[0].split()]
    assert [process.returncode for process in both] == [0, 0]
    assert len(set(written)) == 80
    ledger.checkpoint()
    result = ledger.verify()
    assert result.faults == ()
    assert result.entries == 161
    claims = [entry.payload.ruling.claim for entry in ledger.entries(1) if isinstance(entry.payload, Ruled)]
    assert claims[::2] == claims[1::2], "the two records of one step were torn apart"
    assert sorted(claims[::2]) == sorted(f"{name}/{number}" for name in ("one", "two") for number in range(40))


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
@pytest.mark.parametrize("after", [1, 4, 9, 23])
def test_killed_while_appending_the_chain_holds_and_nothing_acknowledged_is_lost(
    store: Store, ledger: Ledger, after: int
) -> None:
    process = appender(store, "victim", 10_000)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    acknowledged = [int(process.stdout.readline()) for _ in range(after)]
    os.kill(process.pid, signal.SIGKILL)
    acknowledged += [int(line) for line in process.communicate(timeout=60)[0].splitlines() if line]
    head = ledger.head
    assert head.seq >= acknowledged[-1]
    assert head.seq % 2 == 1, "half of a step of two records was written"
    assert ledger.verify().faults == ()
    assert ledger.append(ruled("afterwards"))[0].previous == head.hash
    ledger.checkpoint()
    assert ledger.verify().faults == ()


def test_threads_share_one_ledger(ledger: Ledger) -> None:
    def work(name: str) -> None:
        for number in range(15):
            ledger.append(ruled(f"{name}{number}"))
            ledger.state()

    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ledger.state().rulings) == 45
    assert ledger.verify().entries == 46
    assert ledger.verify().ok
