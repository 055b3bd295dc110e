"""From one version of the tables to another and back, with every entry kept."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from shinrai.errors import StoreError
from shinrai.ledger import Ledger, create
from shinrai.ledger.chain import Link, seal
from shinrai.ledger.tables import SCHEMAS
from tests.ledger.conftest import Store, ruled

SQLITE_OBJECTS = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name"
POSTGRESQL_OBJECTS = """
    SELECT 'f ' || proname, prosrc FROM pg_proc WHERE pronamespace = 'shinrai'::regnamespace
    UNION ALL SELECT 't ' || tgname, pg_get_triggerdef(pg_trigger.oid) FROM pg_trigger
        JOIN pg_class ON pg_class.oid = tgrelid WHERE relnamespace = 'shinrai'::regnamespace AND NOT tgisinternal
    UNION ALL SELECT 'c ' || table_name || column_name, data_type || is_nullable || coalesce(column_default, '')
        FROM information_schema.columns WHERE table_schema = 'shinrai'
    UNION ALL SELECT 'k ' || conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'shinrai'::regnamespace
    ORDER BY 1
"""


def objects(store: Store) -> list[tuple[str, str]]:
    """Give everything the database holds but rows, white space aside."""
    rows = store.run(POSTGRESQL_OBJECTS if store.server else SQLITE_OBJECTS)
    return [(name, " ".join(text.replace('"', "").replace("IF NOT EXISTS ", "").split())) for name, text in rows]


@pytest.fixture
def ledger(store: Store) -> Iterator[Ledger]:
    with create(store.url, store.root, "town") as opened:
        opened.append(ruled("a"), ruled("b"))
        opened.checkpoint()
        yield opened


def version(store: Store) -> str:
    return str(store.run("SELECT version_num FROM alembic_version")[0][0])


def test_down_and_up_again_is_where_one_was_and_loses_nothing(store: Store, ledger: Ledger) -> None:
    entries, new = list(ledger.entries()), objects(store)
    ledger.migrate(SCHEMAS[0])
    assert version(store) == SCHEMAS[0]
    assert objects(store) != new
    assert list(ledger.entries()) == entries
    assert ledger.verify().ok
    ledger.migrate()
    assert version(store) == SCHEMAS[-1]
    assert objects(store) == new
    assert list(ledger.entries()) == entries
    assert ledger.append(ruled("c"))[0].seq == 4
    assert ledger.verify().ok


def test_a_ledger_made_by_the_migrations_is_one_made_at_once(store: Store, ledger: Ledger) -> None:
    """The steps say what ledgers out there have; the tables of a new one are written down a second time."""
    at_once = objects(store)
    drop = ("DROP TABLE entries", "DROP TABLE checkpoints", "DELETE FROM alembic_version")
    functions = ("refuse", "entries_in_order", "checkpoints_in_order") if store.server else ()
    store.run(*drop, *(f"DROP FUNCTION {name}" for name in functions))
    ledger.migrate()
    assert objects(store) == at_once


def test_a_ledger_from_before_there_were_versions_is_one_of_the_first(store: Store, ledger: Ledger) -> None:
    ledger.migrate(SCHEMAS[0])
    store.run("DROP TABLE alembic_version")
    said: list[str] = []
    with Ledger.open(store.url, root=store.root) as old:
        assert old.verify().ok, "reading needs no migration"
        assert list(old.state().rulings) == ["a@assistant", "b@assistant"]
        with pytest.raises(StoreError) as caught:
            old.append(ruled("c"))
        assert caught.value.code == "ledger.outdated"
        with old.writing(migrating=lambda: said.append(version_or_none(store))):
            assert version(store) == SCHEMAS[-1]
            old.append(ruled("c"))
        assert said == ["none"], "said once, and before anything was done"
        assert old.verify().ok
    with Ledger.open(store.url, root=store.root) as new, new.writing(migrating=lambda: said.append("again")):
        new.append(ruled("d"))
    assert said == ["none"]


def version_or_none(store: Store) -> str:
    try:
        return version(store)
    except Exception:  # noqa: BLE001 - each driver has its own
        return "none"


def test_a_ledger_of_a_newer_version_is_left_alone(store: Store, ledger: Ledger) -> None:
    store.run("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError) as caught:
        Ledger.open(store.url, root=store.root)
    assert caught.value.code == "ledger.newer"
    assert "9999" in caught.value.message


def test_ciso_assistant_a_migration_that_failed_half_way_looks_healthy(
    store: Store, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = objects(store)

    def fail(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("alembic.runtime.migration.HeadMaintainer.update_to_step", fail)
    with pytest.raises(KeyboardInterrupt):
        ledger.migrate(SCHEMAS[0])
    monkeypatch.undo()
    assert objects(store) == before
    assert version(store) == SCHEMAS[-1]
    with Ledger.open(store.url, root=store.root) as again:
        assert again.append(ruled("c"))[0].seq == 4


def test_there_is_nothing_below_the_first(store: Store, ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="no version"):
        ledger.migrate("base")
    assert ledger.verify().ok


def test_the_second_version_refuses_what_does_not_follow(store: Store, ledger: Ledger) -> None:
    last = store.links()[-1]
    stray = seal(ruled("stray"), last, ledger._clock())._replace(previous="sha256:" + "f" * 64)
    with pytest.raises(Exception, match="append-only"):
        store.insert(stray)
    assert ledger.head.seq == last.seq
    ledger.migrate(SCHEMAS[0])
    store.insert(stray)
    assert [fault.code for fault in ledger.verify().faults] == ["link"]


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_an_up_to_date_ledger_is_opened_and_written_without_alembic(store: Store, ledger: Ledger) -> None:
    code = (
        "import sys; from pathlib import Path; from shinrai.ledger import Ledger\n"
        "with Ledger.open(sys.argv[1], root=Path(sys.argv[2])) as ledger, ledger.writing():\n"
        "    ledger.checkpoint(); ledger.state(); ledger.verify()\n"
        "sys.exit('alembic' in sys.modules or 'psycopg' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, store.url, str(store.root)], check=True)


def test_links_are_kept_byte_for_byte(store: Store, ledger: Ledger) -> None:
    before: list[Link] = store.links()
    ledger.migrate(SCHEMAS[0])
    ledger.migrate()
    assert store.links() == before
