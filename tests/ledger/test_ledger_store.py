"""Opening, appending and reading, on good days and bad ones."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from shinrai.errors import ShinraiError, StoreError, TamperedError, UsageError
from shinrai.ledger import Ledger, create, make_key_pair
from shinrai.records import (
    LedgerOpened,
    Payload,
)
from tests.ledger.conftest import ruled

URL = "sqlite:///.shinrai/ledger.db"
DATABASE = Path(".shinrai/ledger.db")


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


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("sqlite:///nowhere.db", "ledger.missing"),
        ("sqlite://", "ledger.bad-url"),
        ("sqlite:///:memory:", "ledger.bad-url"),
        ("ledger.db", "ledger.bad-url"),
        ("mysql://127.0.0.1/ledger", "ledger.unsupported-store"),
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
    with ledger._access.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"


# --- time ---


# --- bad days ---


def test_a_full_disk_writes_nothing_and_says_so(ledger: Ledger) -> None:
    ledger.append(ruled("a"))
    limit = {"pages": 0}

    @event.listens_for(ledger._access.engine, "checkout")
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
