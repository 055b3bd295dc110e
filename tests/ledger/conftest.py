"""The stores that a ledger may be kept in, each with what a person with a database browser would do to it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from shinrai.ledger.chain import Link
from shinrai.records import Ruled, Ruling, Text
from tests.servers.postgresql import Server, serving


def ruled(claim: str, note: str = "n") -> Ruled:
    return Ruled(ruling=Ruling(claim=claim, system="assistant", applies=True, rule="named", reason=Text(en=note)))


class Store:
    """An empty place for a ledger."""

    def __init__(self, url: str, root: Path, server: Server | None) -> None:
        self.url = url
        self.root = root
        self.server = server

    @property
    def file(self) -> Path:
        return self.root / "ledger.db"

    def run(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run SQL past the ledger, with the triggers in force."""
        if self.server is not None:
            return self.server.run("SET search_path = shinrai", *statements)
        with closing(sqlite3.connect(self.file, isolation_level=None)) as connection:
            return [connection.execute(statement).fetchall() for statement in statements][-1]

    def edit(self, *statements: str) -> None:
        """Run SQL past the ledger after taking the triggers away."""
        if self.server is not None:
            tables = self.run(
                "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'shinrai'::regnamespace"
            )
            self.run(*(f"ALTER TABLE {table} DISABLE TRIGGER USER" for (table,) in tables))
        else:
            names = self.run("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            self.run("SELECT 1", *(f"DROP TRIGGER {name}" for (name,) in names))
        self.run(*statements)

    def links(self) -> list[Link]:
        return [Link(*row) for row in self.run("SELECT * FROM entries ORDER BY seq")]

    def insert(self, *links: Link) -> None:
        """Insert rows with one statement."""
        rows = ", ".join(f"({', '.join(map(_literal, link))})" for link in links)
        self.run(f"INSERT INTO entries VALUES {rows}")  # noqa: S608 - quoted below


def _literal(value: object) -> str:
    return (
        "NULL" if value is None else str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"
    )


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with ExitStack() as stack:
        try:
            started = stack.enter_context(serving())
        except Exception as error:
            # In CI the server has to be there: a missing one fails the tests instead of skipping them.
            if os.environ.get("CI"):
                raise
            pytest.skip(f"NOT TESTED: PostgreSQL cannot be started here: {error!r}")
        yield started


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "sqlite":
        return Store("sqlite:///ledger.db", tmp_path, None)
    return on(request.getfixturevalue("server"), tmp_path)


@pytest.fixture
def postgresql(server: Server, tmp_path: Path) -> Store:
    return on(server, tmp_path)


def on(server: Server, root: Path) -> Store:
    server.run("DROP SCHEMA IF EXISTS shinrai CASCADE")
    return Store(server.url, root, server)
