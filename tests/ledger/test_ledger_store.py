"""Opening, appending and reading, on good days and bad ones."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from shinrai.errors import ShinraiError, StoreError, TamperedError, UsageError
from shinrai.ledger import Ledger, create, make_key_pair
from shinrai.records import (
    FindingClosed,
    LedgerOpened,
    Payload,
    Ruled,
    Ruling,
    RunFinished,
    RunStarted,
    Text,
)

URL = "sqlite:///.shinrai/ledger.db"
DATABASE = Path(".shinrai/ledger.db")


def ruled(claim: str, note: str = "named") -> Ruled:
    return Ruled(ruling=Ruling(claim=claim, system="assistant", applies=True, rule="named", reason=Text(en=note)))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with create(URL, tmp_path, "town") as opened:
        yield opened


# --- set-up ---


def test_create_writes_key_pair_first_entry_and_checkpoint(tmp_path: Path) -> None:
    with create(URL, tmp_path, "town") as ledger:
        opened = ledger.head.payload
        assert isinstance(opened, LedgerOpened)
        assert opened.workspace == "town"
        assert ledger.checkpoint().seq == 1
        assert ledger.verify(tmp_path).ok
    assert (tmp_path / DATABASE).is_file(), "a relative URL is relative to the workspace"
    assert (tmp_path / ".shinrai/keys/ledger.key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "ledger.pub").read_text().startswith("-----BEGIN PUBLIC KEY-----")
    assert (tmp_path / ".shinrai/checkpoint.json").is_file()


def test_create_uses_the_key_pair_there_is(tmp_path: Path) -> None:
    public = make_key_pair(tmp_path)
    with create(URL, tmp_path, "town") as ledger:
        state = ledger.state()
    assert state.opened is not None
    assert state.opened.public_key == public


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    make_key_pair(tmp_path)
    with pytest.raises(UsageError) as caught:
        make_key_pair(tmp_path)
    assert caught.value.code == "ledger.key-exists"


def test_a_public_key_alone_opens_no_ledger(tmp_path: Path) -> None:
    make_key_pair(tmp_path)
    (tmp_path / ".shinrai/keys/ledger.key").unlink()
    with pytest.raises(UsageError) as caught:
        create(URL, tmp_path, "town")
    assert caught.value.code == "ledger.no-key"


def test_two_keys_that_do_not_belong_together_open_no_ledger(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    make_key_pair(tmp_path)
    make_key_pair(tmp_path / "other")
    (tmp_path / "other/ledger.pub").replace(tmp_path / "ledger.pub")
    with pytest.raises(UsageError) as caught:
        create(URL, tmp_path, "town")
    assert caught.value.code == "ledger.other-key"


def test_a_ledger_is_never_overwritten(ledger: Ledger, tmp_path: Path) -> None:
    ledger.append(ruled("a"))
    with pytest.raises(UsageError) as caught:
        create(URL, tmp_path, "town")
    assert caught.value.code == "ledger.exists"
    assert ledger.head.seq == 2


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("sqlite:///nowhere.db", "ledger.missing"),
        ("sqlite://", "ledger.bad-url"),
        ("sqlite:///:memory:", "ledger.bad-url"),
        ("ledger.db", "ledger.bad-url"),
        ("postgresql://127.0.0.1/ledger", "ledger.unsupported-store"),
    ],
)
def test_what_cannot_be_opened_says_why(tmp_path: Path, url: str, code: str) -> None:
    with pytest.raises(UsageError) as caught:
        Ledger.open(url, root=tmp_path)
    assert caught.value.code == code
    assert not (tmp_path / "nowhere.db").exists(), "looking for a ledger created one"


def test_a_database_of_something_else_is_not_a_ledger(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other.db") as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.close()
    with pytest.raises(UsageError) as caught:
        Ledger.open("sqlite:///other.db", root=tmp_path)
    assert caught.value.code == "ledger.missing"


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_text("not a database, but long enough to be looked at" * 100)
    with pytest.raises(StoreError, match=r"ledger\.db is not a ledger") as caught:
        Ledger.open("sqlite:///ledger.db", root=tmp_path)
    assert caught.value.code == "ledger.damaged"


def test_a_database_that_vanished_is_not_mistaken_for_a_new_start(tmp_path: Path) -> None:
    create(URL, tmp_path, "town").close()
    (tmp_path / DATABASE).unlink()
    again: list[Callable[[], Ledger]] = [
        lambda: Ledger.open(URL, root=tmp_path),
        lambda: create(URL, tmp_path, "town"),
    ]
    for start_again in again:
        with pytest.raises(TamperedError) as caught:
            start_again()
        assert caught.value.code == "ledger.cut-off"


# --- appending and reading ---


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


def test_state_is_a_snapshot_and_follows_when_asked_again(ledger: Ledger, tmp_path: Path) -> None:
    ledger.append(ruled("a"))
    before = ledger.state()
    assert ledger.state() is before, "nothing new, nothing folded"
    ledger.append(ruled("b"))
    with Ledger.open(URL, root=tmp_path) as other:
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


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET payload = '{}' WHERE seq = 2",
        "DELETE FROM entries WHERE seq = 2",
        "INSERT OR REPLACE INTO entries SELECT seq, at, clock, previous, '{}', hash FROM entries WHERE seq = 1",
        "INSERT INTO entries SELECT 9, at, clock, previous, payload, hash FROM entries WHERE seq = 2",
        "UPDATE checkpoints SET seq = 7",
        "DELETE FROM checkpoints",
        "INSERT OR REPLACE INTO checkpoints SELECT seq, at, hash, signature FROM checkpoints",
    ],
)
def test_the_database_itself_refuses_to_change_the_past(ledger: Ledger, tmp_path: Path, statement: str) -> None:
    ledger.append(ruled("a"))
    connection = sqlite3.connect(tmp_path / DATABASE)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(statement)
    connection.close()
    assert ledger.verify().ok


def test_writes_are_flushed_before_they_count(ledger: Ledger) -> None:
    with ledger._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"


# --- time ---


def test_a_clock_set_back_keeps_the_order_and_is_told(tmp_path: Path) -> None:
    hours = iter([9, 9, 10, 8, 10, 11, 12])

    def clock() -> datetime:
        return datetime(2026, 4, 1, next(hours), tzinfo=UTC)

    with Ledger.create(URL, tmp_path, "town", clock=clock) as ledger:
        for claim in "abcd":
            ledger.append(ruled(claim))
        entries = list(ledger.entries())
        result = ledger.verify()
    assert [entry.at[11:13] for entry in entries] == ["09", "10", "10", "10", "11"]
    assert [entry.clock for entry in entries] == [None, None, "2026-04-01T08:00:00.000Z", None, None]
    assert result.ok
    assert result.clock_set_back == (3,)


def test_times_are_utc_wherever_the_clock_stands(tmp_path: Path) -> None:
    with Ledger.create(
        URL, tmp_path, "town", clock=lambda: datetime.fromisoformat("2026-04-01T09:00:00.123456+09:00")
    ) as ledger:
        assert ledger.head.at == "2026-04-01T00:00:00.123Z"


# --- bad days ---


def test_a_full_disk_writes_nothing_and_says_so(ledger: Ledger) -> None:
    ledger.append(ruled("a"))
    limit = {"pages": 0}

    @event.listens_for(ledger._engine, "checkout")
    def _limit(raw: Any, *_others: object) -> None:
        pages = raw.execute("PRAGMA page_count").fetchone()[0]
        raw.execute(f"PRAGMA max_page_count={limit['pages'] or pages + 2}")

    many: list[Payload] = [ruled(f"c{number}", "x" * 500) for number in range(200)]
    with pytest.raises(StoreError, match="no room left") as caught:
        ledger.append(*many)
    assert caught.value.code == "ledger.disk-full"
    assert caught.value.hint
    assert ledger.head.seq == 2
    assert list(ledger.state().rulings) == ["a@assistant"]
    assert ledger.verify().ok
    limit["pages"] = 1 << 20
    assert ledger.append(*many)[-1].seq == 202
    assert ledger.verify().ok


_WITH_FILE_LIMIT = """
import resource, signal, sys
from pathlib import Path
from shinrai.errors import StoreError
from shinrai.ledger import Ledger
from shinrai.records import Ruled, Ruling, Text

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
root = Path(sys.argv[1])
ruling = Ruling(claim="c", system="s", applies=True, rule="named", reason=Text(en="x" * 900))
with Ledger.open("sqlite:///.shinrai/ledger.db", root=root) as ledger:
    ledger.append(Ruled(ruling=ruling))
    size = (root / ".shinrai/ledger.db-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20_000, resource.RLIM_INFINITY))
    try:
        ledger.append(*[Ruled(ruling=ruling)] * 500)
    except StoreError as error:
        print(error.code, ledger.head.seq, ledger.verify().ok)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the limit on file size is a POSIX one")
def test_a_write_that_the_system_refuses_half_way_leaves_nothing(ledger: Ledger, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _WITH_FILE_LIMIT, str(tmp_path)], capture_output=True, text=True, check=True
    )
    code, head, ok = done.stdout.split()
    assert code in {"ledger.disk-full", "ledger.disk-failed"}
    assert (head, ok) == ("2", "True")
    assert ledger.append(ruled("after"))[0].seq == 3
    assert ledger.verify().ok


def test_a_read_only_ledger_can_be_read_and_verified_but_not_written(tmp_path: Path) -> None:
    with create(URL, tmp_path, "town") as ledger:
        ledger.append(ruled("a"))
        ledger.checkpoint()
    with Ledger.open(f"sqlite:///file:{tmp_path / DATABASE}?mode=ro&uri=true", root=tmp_path) as ledger:
        assert ledger.verify().ok
        assert list(ledger.state().rulings) == ["a@assistant"]
        with pytest.raises(StoreError, match="may not be written to") as caught:
            ledger.append(ruled("b"))
        assert caught.value.code == "ledger.read-only"
        assert ledger.head.seq == 2


def test_a_writer_that_does_not_finish_is_named_after_a_while(ledger: Ledger, tmp_path: Path) -> None:
    blocker = sqlite3.connect(tmp_path / DATABASE, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with Ledger.open(f"{URL}?timeout=0.1", root=tmp_path) as other:
        with pytest.raises(StoreError, match="too long") as caught:
            other.append(ruled("a"))
        assert caught.value.code == "ledger.locked"
        assert other.head.seq == 1, "readers do not wait for the writer"
        blocker.execute("ROLLBACK")
        assert other.append(ruled("a"))[0].seq == 2
    blocker.close()


def test_a_folder_that_cannot_hold_the_ledger_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken.db").mkdir()
    with pytest.raises(StoreError) as caught:
        create("sqlite:///taken.db", tmp_path, "town")
    assert caught.value.code == "ledger.cannot-open"
    with pytest.raises(ShinraiError):
        Ledger.open("sqlite:///taken.db", root=tmp_path)


def test_a_checkpoint_that_cannot_be_kept_is_an_error(ledger: Ledger, tmp_path: Path) -> None:
    ledger.append(ruled("a"))
    (tmp_path / ".shinrai/checkpoint.json").unlink()
    (tmp_path / ".shinrai/checkpoint.json").mkdir()
    with pytest.raises(ShinraiError) as caught:
        ledger.checkpoint()
    assert caught.value.code == "ledger.checkpoint-unreadable"


# --- several writers ---

_APPENDER = """
import sys, time
from pathlib import Path
from shinrai.ledger import Ledger
from shinrai.records import Ruled, Ruling, Text

root, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
with Ledger.open("sqlite:///.shinrai/ledger.db", root=root) as ledger:
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


def _appender(root: Path, name: str, count: int) -> subprocess.Popen[str]:
    started = subprocess.Popen(
        [sys.executable, "-c", _APPENDER, str(root), name, str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert started.stdout is not None
    assert started.stdout.readline() == "ready\n"
    return started


def test_two_processes_appending_at_once_make_one_chain(ledger: Ledger, tmp_path: Path) -> None:
    both = [_appender(tmp_path, name, 40) for name in ("one", "two")]
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
    ledger: Ledger, tmp_path: Path, after: int
) -> None:
    process = _appender(tmp_path, "victim", 10_000)
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


def test_summaries_need_no_database() -> None:
    code = (
        "import sys, shinrai.ledger; from shinrai.ledger import State, Entry, project; project([]); "
        "sys.exit(bool({'sqlalchemy', 'cryptography', 'sqlite3'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    import shinrai.ledger  # noqa: PLC0415 - the module object itself is what is tested

    with pytest.raises(AttributeError, match="Ledgr"):
        getattr(shinrai.ledger, "Ledgr")  # noqa: B009 - a type checker would refuse the attribute
    for name in shinrai.ledger.__all__:
        assert getattr(shinrai.ledger, name).__name__ == name
