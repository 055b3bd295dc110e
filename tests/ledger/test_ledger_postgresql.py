"""What only a server does: restarts, lost connections, roles, locks held across machines, passwords."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from shinrai.check import check
from shinrai.check.events import RunBegan
from shinrai.errors import ShinraiError, StoreError, TamperedError, UsageError
from shinrai.ledger import Ledger, create
from shinrai.ledger.chain import seal
from shinrai.records import Budget
from tests.cycle import ADDER, call, found
from tests.ledger.conftest import Store, ruled

NOWHERE = "postgresql://somebody@127.0.0.1:1/ledger"


@pytest.fixture
def ledger(postgresql: Store) -> Iterator[Ledger]:
    with create(postgresql.url, postgresql.root, "town") as opened:
        opened.append(ruled("a"))
        yield opened


def clock() -> datetime:
    return datetime.now(UTC)


# --- the database refuses ---


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET payload = '{}' WHERE seq = 2",
        "DELETE FROM entries WHERE seq = 2",
        "TRUNCATE entries",
        "TRUNCATE checkpoints",
        "INSERT INTO entries SELECT 9, at, clock, previous, payload, hash FROM entries WHERE seq = 2",
        "INSERT INTO entries SELECT 3, at, clock, previous, payload, hash FROM entries WHERE seq = 2",
        "INSERT INTO entries SELECT * FROM entries WHERE seq = 2 ON CONFLICT (seq) DO UPDATE SET payload = '{}'",
        "UPDATE checkpoints SET seq = 7",
        "DELETE FROM checkpoints",
        "INSERT INTO checkpoints SELECT seq - 1, hash, at, signature FROM checkpoints",
    ],
)
def test_the_database_itself_refuses_to_change_the_past(postgresql: Store, ledger: Ledger, statement: str) -> None:
    with pytest.raises(Exception, match="append-only"):
        postgresql.run(statement)
    assert ledger.verify().ok


def test_several_rows_of_one_insert_are_checked_one_after_the_other(postgresql: Store, ledger: Ledger) -> None:
    third = seal(ruled("b"), postgresql.links()[-1], clock())
    fourth = seal(ruled("c"), third, clock())
    postgresql.insert(third, fourth)
    assert ledger.verify().faults == ()
    assert ledger.head.seq == 4


# --- addresses, roles, rights ---


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:geheim@127.0.0.1:1/ledger",
        "postgresql://me@127.0.0.1:1/ledger?password=geheim",
        "postgresql+psycopg://me:geheim@127.0.0.1:1/",
        "postgresql:/me:geheim@127.0.0.1",
        "postgres://me:geheim@127.0.0.1/ledger",
    ],
)
def test_a_password_in_the_address_is_refused_and_never_shown(tmp_path: Path, url: str) -> None:
    with pytest.raises(UsageError) as caught:
        Ledger.open(url, root=tmp_path)
    assert caught.value.code in {"ledger.password-in-url", "ledger.bad-url", "ledger.unsupported-store"}
    shown = "".join(traceback.format_exception(caught.value)) + caught.value.message + str(caught.value.hint)
    assert "geheim" not in shown


def test_a_password_from_the_environment_is_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PGPASSWORD", "geheim")
    with caplog.at_level("DEBUG"), pytest.raises(StoreError) as caught:
        Ledger.open(NOWHERE, root=tmp_path)
    assert caught.value.code == "ledger.no-connection"
    assert caught.value.exit_code == 3
    assert "somebody@127.0.0.1:1/ledger" in caught.value.message
    assert caught.value.hint is not None
    shown = "".join(traceback.format_exception(caught.value)) + caplog.text
    assert "geheim" not in shown


def test_a_server_that_was_never_there_is_not_waited_for(tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(StoreError):
        Ledger.open(NOWHERE, root=tmp_path)
    with pytest.raises(StoreError):
        create(NOWHERE, tmp_path, "town")
    assert time.monotonic() - began < 10


def test_without_the_package_the_command_that_installs_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(UsageError) as caught:
        Ledger.open(NOWHERE, root=tmp_path)
    assert caught.value.code == "ledger.no-driver"
    assert caught.value.hint == "pip install 'shinrai[postgresql]'"


@pytest.mark.parametrize("url", ["postgresql://me@127.0.0.1", f"{NOWHERE}?timeout=soon"])
def test_an_address_that_says_too_little_is_named(tmp_path: Path, url: str) -> None:
    with pytest.raises(UsageError) as caught:
        Ledger.open(url, root=tmp_path)
    assert caught.value.code == "ledger.bad-url"


def test_a_role_that_may_only_read_reads_and_verifies(postgresql: Store, ledger: Ledger) -> None:
    ledger.checkpoint()
    assert postgresql.server is not None
    postgresql.server.run(
        "DROP ROLE IF EXISTS reader",
        "CREATE ROLE reader LOGIN",
        "GRANT USAGE ON SCHEMA shinrai TO reader",
        "GRANT SELECT ON ALL TABLES IN SCHEMA shinrai TO reader",
    )
    with Ledger.open(postgresql.server.url_of("reader"), root=postgresql.root) as reader:
        assert reader.verify().ok
        assert list(reader.state().rulings) == ["a@assistant"]
        assert len(list(reader.entries())) == 2
        with pytest.raises(StoreError, match="may not be written to") as caught:
            reader.append(ruled("b"))
        assert caught.value.code == "ledger.read-only"
        assert reader.head.seq == 2


def test_a_role_that_may_write_needs_no_more_than_that(postgresql: Store, ledger: Ledger) -> None:
    assert postgresql.server is not None
    postgresql.server.run(
        "DROP ROLE IF EXISTS writer",
        "CREATE ROLE writer LOGIN",
        "GRANT USAGE ON SCHEMA shinrai TO writer",
        "GRANT SELECT ON ALL TABLES IN SCHEMA shinrai TO writer",
        "GRANT INSERT ON shinrai.entries, shinrai.checkpoints TO writer",
    )
    with Ledger.open(postgresql.server.url_of("writer"), root=postgresql.root) as writer, writer.writing():
        writer.append(ruled("b"))
        writer.checkpoint()
        assert writer.verify().ok


def test_another_workspaces_ledger_is_not_taken_for_ones_own(postgresql: Store, ledger: Ledger, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(UsageError, match="already") as caught:
        create(postgresql.url, other, "village")
    assert caught.value.code == "ledger.exists"
    assert "database of its own" in str(caught.value.hint)
    with Ledger.open(postgresql.url, root=other) as wrong:
        for act in (wrong.state, lambda: wrong.append(ruled("b")), wrong.checkpoint):
            with pytest.raises(UsageError, match="opened by the workspace town") as caught:
                act()
            assert caught.value.code == "ledger.other-workspace"
        assert "key" in {fault.code for fault in wrong.verify().faults}
    assert ledger.head.seq == 2


def test_tables_of_others_are_left_alone(postgresql: Store) -> None:
    assert postgresql.server is not None
    postgresql.server.run("DROP TABLE IF EXISTS public.entries", "CREATE TABLE public.entries (name text)")
    with pytest.raises(UsageError) as caught:
        Ledger.open(postgresql.url, root=postgresql.root)
    assert caught.value.code == "ledger.missing"
    with create(postgresql.url, postgresql.root, "town") as ledger:
        assert ledger.verify().ok
    assert postgresql.server.run("SELECT count(*) FROM public.entries", "DROP TABLE public.entries") == []


def test_a_ledger_that_vanished_is_not_mistaken_for_a_new_start(postgresql: Store, ledger: Ledger) -> None:
    ledger.close()
    postgresql.run("DROP SCHEMA shinrai CASCADE")
    again: Callable[[], Ledger]
    for again in (
        lambda: Ledger.open(postgresql.url, root=postgresql.root),
        lambda: create(postgresql.url, postgresql.root, "town"),
    ):
        with pytest.raises(TamperedError) as caught:
            again()
        assert caught.value.code == "ledger.cut-off"


def test_a_database_that_cannot_hold_all_characters_is_refused(postgresql: Store) -> None:
    assert postgresql.server is not None
    postgresql.server.run(
        "DROP DATABASE IF EXISTS latin",
        "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0",
    )
    with pytest.raises(StoreError) as caught:
        create(postgresql.url.replace("/postgres?", "/latin?"), postgresql.root, "town")
    assert caught.value.code == "ledger.encoding"
    postgresql.server.run("DROP DATABASE latin WITH (FORCE)")


# --- one writer at a time ---


def test_a_command_keeps_the_others_out_and_says_that_they_wait(postgresql: Store, ledger: Ledger) -> None:
    said: list[str] = []
    order: list[str] = []

    def second() -> None:
        with (
            Ledger.open(postgresql.url, root=postgresql.root) as other,
            other.writing(waiting=lambda: said.append("waits")),
        ):
            order.append("second")
            other.append(ruled("second"))

    with ledger.writing(waiting=lambda: said.append("nobody to wait for")):
        thread = threading.Thread(target=second)
        thread.start()
        _until(lambda: said == ["waits"])
        with Ledger.open(f"{postgresql.url}&timeout=0.2", root=postgresql.root) as third:
            with pytest.raises(StoreError, match="too long") as caught:
                third.append(ruled("third"))
            assert caught.value.code == "ledger.locked"
            assert third.head.seq == 2, "readers do not wait for the writer"
        order.append("first")
        ledger.append(ruled("first"))
    thread.join(timeout=20)
    assert order == ["first", "second"]
    assert said == ["waits"]
    assert list(ledger.state().rulings) == ["a@assistant", "first@assistant", "second@assistant"]


def _until(true: Any) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


_HOLDER = """
import sys, time
from pathlib import Path
from shinrai.ledger import Ledger
with Ledger.open(sys.argv[1], root=Path(sys.argv[2])) as ledger, ledger.writing():
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_killed_command_leaves_no_lock_behind(postgresql: Store, ledger: Ledger) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, postgresql.url, str(postgresql.root)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    process.kill()
    process.communicate()
    with ledger.writing():
        assert ledger.append(ruled("b"))[0].seq == 3


# --- the server goes away ---


def kill_connections(store: Store) -> None:
    store.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'shinrai'")


@pytest.mark.parametrize("in_turn", [True, False])
@pytest.mark.parametrize("moment", ["before", "during", "commit"])
def test_a_connection_killed_in_a_transaction_loses_and_repeats_nothing(
    postgresql: Store, ledger: Ledger, moment: str, in_turn: bool
) -> None:
    strikes = iter([True])

    def strike(*_arguments: object) -> None:
        if next(strikes, False):
            kill_connections(postgresql)

    with ledger.writing() if in_turn else _nothing():
        if moment == "during":
            event.listen(ledger._access.engine, "before_cursor_execute", _when_inserting(strike))
        if moment == "commit":
            event.listen(ledger._access.engine, "commit", strike)
        if moment == "before":
            strike()
        written = ledger.append(ruled("b"), ruled("c"))
        assert [entry.seq for entry in written] == [3, 4]
        assert ledger.append(ruled("d"))[0].seq == 5
        ledger.checkpoint()
    assert ledger.verify().faults == ()
    assert list(ledger.state().rulings) == [f"{claim}@assistant" for claim in "abcd"]


def _nothing() -> Any:
    return threading.Lock()


def _when_inserting(strike: Any) -> Any:
    def before(_connection: object, _cursor: object, statement: str, *_others: object) -> None:
        if statement.startswith("INSERT"):
            strike()

    return before


@pytest.mark.parametrize("in_turn", [True, False])
def test_records_whose_commit_was_not_answered_are_not_written_twice(
    postgresql: Store, ledger: Ledger, in_turn: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server commits, and the answer is lost."""
    dialect = ledger._access.engine.dialect
    commit, lost = dialect.do_commit, iter([True])

    def commit_and_lose_the_answer(raw: Any) -> None:
        commit(raw)
        if ledger._access.trying is not None and next(lost, False):
            kill_connections(postgresql)
            raw.execute("SELECT 1")

    with ledger.writing() if in_turn else _nothing():
        monkeypatch.setattr(dialect, "do_commit", commit_and_lose_the_answer)
        written = ledger.append(ruled("b"), ruled("c"))
        assert next(lost, None) is None, "the fault was not injected"
        assert written == list(ledger.entries(after=2))
        assert ledger.append(ruled("d"))[0].seq == 5
    assert ledger.verify().entries == 5
    assert list(ledger.state().rulings) == [f"{claim}@assistant" for claim in "abcd"]


def test_a_command_that_lost_its_turn_to_another_writes_no_more(postgresql: Store, ledger: Ledger) -> None:
    with ledger.writing():
        ledger.append(ruled("b"))
        kill_connections(postgresql)
        with Ledger.open(postgresql.url, root=postgresql.root) as other, other.writing():
            other.append(ruled("theirs"))
        with pytest.raises(StoreError) as caught:
            ledger.append(ruled("c"))
        assert caught.value.code == "ledger.lock-lost"
        assert ledger.head.seq == 4
    with ledger.writing():
        assert ledger.append(ruled("c"))[0].seq == 5
    assert ledger.verify().faults == ()


def test_a_server_that_does_not_come_back_ends_the_command_cleanly(postgresql: Store, ledger: Ledger) -> None:
    server = postgresql.server
    assert server is not None
    with Ledger.open(f"{postgresql.url}&timeout=0.5", root=postgresql.root) as impatient:
        try:
            with impatient.writing():
                server.stop()
                for act in (lambda: impatient.append(ruled("b")), impatient.state, impatient.verify):
                    with pytest.raises(StoreError) as caught:
                        act()
                    assert caught.value.code == "ledger.no-connection", act
        finally:
            server.start()
        assert impatient.append(ruled("b"))[0].seq == 3
        assert impatient.verify().faults == ()


_WRITER = """
import sys
from pathlib import Path
from shinrai.ledger import Ledger
from shinrai.records import Ruled, Ruling, Text

with Ledger.open(sys.argv[1], root=Path(sys.argv[2])) as ledger:
    print("ready", flush=True)
    for number in range(int(sys.argv[4])):
        ruling = Ruling(claim=f"{sys.argv[3]}/{number}", system="s", applies=True, rule="named", reason=Text(en="n"))
        print(ledger.append(Ruled(ruling=ruling), Ruled(ruling=ruling))[-1].seq, flush=True)
"""


def test_the_server_crashes_twice_under_two_writers_and_nothing_is_lost_or_doubled(
    postgresql: Store, ledger: Ledger
) -> None:
    server, count = postgresql.server, 120
    assert server is not None
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", _WRITER, postgresql.url, str(postgresql.root), name, str(count)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "two")
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for how in ("immediate", "fast"):
        written = ledger.head.seq
        _until(lambda written=written: ledger.head.seq > written + 20)
        server.stop(how)
        time.sleep(0.3)
        server.start()
    # Not `communicate`, which does not see what `readline` has read ahead.
    acknowledged: list[int] = []
    for writer in writers:
        with writer:
            acknowledged += [int(line) for line in writer.stdout or ()]
    assert [writer.returncode for writer in writers] == [0, 0]
    assert len(set(acknowledged)) == 2 * count
    result = ledger.verify()
    assert result.faults == ()
    assert result.entries == 2 + 4 * count, "something was lost or written twice"
    claims = [entry.payload.ruling.claim for entry in ledger.entries(2)]  # type: ignore[union-attr]  # all are rulings
    assert claims[::2] == claims[1::2], "the two records of one step were torn apart"
    for name in ("one", "two"):
        assert [claim for claim in claims[::2] if claim.startswith(name)] == [f"{name}/{n}" for n in range(count)]


def test_records_that_were_refused_are_not_taken_for_written(postgresql: Store, ledger: Ledger) -> None:
    with ledger.writing():
        postgresql.run("ALTER TABLE entries ADD CONSTRAINT small CHECK (length(payload) < 10) NOT VALID")
        with pytest.raises(StoreError):
            ledger.append(ruled("refused"))
        postgresql.run("ALTER TABLE entries DROP CONSTRAINT small")
        ledger.checkpoint()
        kill_connections(postgresql)
        assert ledger.append(ruled("b"))[0].seq == 3
    assert ledger.verify().faults == ()


def test_a_dump_is_restored_with_its_triggers(postgresql: Store, ledger: Ledger) -> None:
    """As docs/postgresql.md says."""
    assert postgresql.server is not None
    ledger.checkpoint()
    ledger.close()
    dump = postgresql.server.tool("pg_dump", "--schema=shinrai", "postgres")
    postgresql.run("DROP SCHEMA shinrai CASCADE")
    postgresql.server.tool("psql", "--quiet", "--set=ON_ERROR_STOP=1", "postgres", given=dump)
    with Ledger.open(postgresql.url, root=postgresql.root) as restored:
        assert restored.verify().faults == ()
        assert restored.append(ruled("b"))[0].seq == 3
    with pytest.raises(Exception, match="append-only"):
        postgresql.run("DELETE FROM entries")


def test_an_error_of_the_database_shows_no_records(postgresql: Store, ledger: Ledger) -> None:
    postgresql.run("ALTER TABLE entries ADD CONSTRAINT small CHECK (length(payload) < 10) NOT VALID")
    with pytest.raises(ShinraiError) as caught:
        ledger.append(ruled("b", "a name that nobody should read in a log"))
    # The server repeats the row in its DETAIL, which is not the first line.
    assert "nobody should read" not in caught.value.message


# --- the whole of it ---


@pytest.fixture
def town(postgresql: Store) -> Path:
    root = postgresql.root / "town"
    found(root, ADDER, "--store", postgresql.url)
    return root


def test_a_run_outlives_a_crash_of_the_server(postgresql: Store, town: Path) -> None:
    server = postgresql.server
    assert server is not None
    assert call("-C", str(town), "plan") == 0

    def crash(happened: object) -> None:
        if isinstance(happened, RunBegan):
            server.stop()
            server.start()

    with Ledger.open(postgresql.url, root=town) as ledger, ledger.writing():
        [verdict] = check(town, ledger, budget=Budget(), tell=crash)
        assert verdict.status == "violated"
        assert [run.finished is not None for run in ledger.state().runs.values()] == [True]
        ledger.checkpoint()
    assert call("-C", str(town), "check", "--gate") == 1
    assert call("-C", str(town), "verify") == 0


def test_a_run_whose_server_stays_away_goes_on_when_it_is_back(postgresql: Store, town: Path) -> None:
    """The command ends with an error and no verdict; what was answered is there the next time."""
    server = postgresql.server
    assert server is not None
    assert call("-C", str(town), "plan") == 0
    kept: list[int] = []

    def note(happened: object) -> None:
        if isinstance(happened, RunBegan):
            kept.append(happened.kept)

    def leave(happened: object) -> None:
        note(happened)
        if isinstance(happened, RunBegan):
            server.stop()

    url = f"{postgresql.url}&timeout=0.5"
    try:
        with pytest.raises(StoreError) as caught, Ledger.open(url, root=town) as ledger, ledger.writing():
            check(town, ledger, budget=Budget(), tell=leave)
        assert caught.value.code == "ledger.no-connection"
    finally:
        server.start()
    journal = town / ".shinrai/runs/run-0001/calls.jsonl"
    answered = journal.read_bytes().count(b"\n")
    assert answered > 0
    with Ledger.open(url, root=town) as ledger, ledger.writing():
        assert not ledger.state().judgements
        [verdict] = check(town, ledger, budget=Budget(), tell=note)
        assert verdict.status == "violated"
        assert kept == [0, answered]
        assert list(ledger.state().runs) == ["run-0001"]
        ledger.checkpoint()
    assert call("-C", str(town), "verify", "--replay") == 0


def test_a_workspace_begun_while_the_server_was_away_can_be_begun_again(
    postgresql: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    root = postgresql.root / "late"
    assert call("init", str(root), "--store", NOWHERE) == 3
    assert "error[ledger.no-connection]" in capsys.readouterr().err
    assert call("init", str(root), "--store", postgresql.url) == 0
    assert call("-C", str(root), "verify") == 0
    assert call("-C", str(root), "plan") == 0
