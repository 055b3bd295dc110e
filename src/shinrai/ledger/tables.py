"""The tables, and how a database is reached. The only module, with `store` and `verify`, that speaks SQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    URL,
    BigInteger,
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    Select,
    Table,
    Text,
    create_engine,
    event,
    inspect,
    make_url,
    select,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from shinrai.errors import StoreError, UsageError
from shinrai.i18n import _
from shinrai.ledger.chain import Link

WAIT_SECONDS: Final = 30.0
"""How long a writer waits for another one before it gives up, unless the URL says ``?timeout=``."""

BEGIN: Final = "shinrai_begin"
"""Execution option of a connection: the statement that begins its transactions, None for none at all."""

DATABASE_ERRORS: Final = (SQLAlchemyError, sqlite3.Error, UnicodeDecodeError)
"""What using a database may end in. SQLAlchemy passes errors on as they are while it connects, and the driver fails on
the text of an error message where a damaged file has damaged that too.
"""

_metadata = MetaData()
_Seq = BigInteger().with_variant(Integer(), "sqlite")

entries: Final = Table(
    "entries",
    _metadata,
    Column("seq", _Seq, primary_key=True, autoincrement=False),
    Column("at", Text, nullable=False),
    Column("clock", Text, nullable=True),
    Column("previous", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("hash", Text, nullable=False),
    sqlite_strict=True,
)

checkpoints: Final = Table(
    "checkpoints",
    _metadata,
    Column("seq", _Seq, primary_key=True, autoincrement=False),
    Column("hash", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("signature", Text, nullable=False),
    sqlite_strict=True,
)

_REFUSED = "the ledger is append-only"

_GUARDS: Final = tuple(
    f"CREATE TRIGGER IF NOT EXISTS {table}_{action.lower()} BEFORE {action} ON {table} "
    f"WHEN {condition} BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END"
    for table, out_of_order in (
        ("entries", "NEW.seq != (SELECT coalesce(max(seq), 0) + 1 FROM entries)"),
        ("checkpoints", "NEW.seq <= (SELECT coalesce(max(seq), 0) FROM checkpoints)"),
    )
    # INSERT too: INSERT OR REPLACE removes a row without asking the trigger on DELETE.
    for action, condition in (("UPDATE", "TRUE"), ("DELETE", "TRUE"), ("INSERT", out_of_order))
)


def rows_after(seq: int, limit: int) -> Select[Any]:
    """Give the query for so many entries after one, in order."""
    return select(entries).where(entries.c.seq > seq).order_by(entries.c.seq).limit(limit)


def newest(table: Table) -> Select[Any]:
    """Give the query for a table's newest row."""
    return select(table).order_by(table.c.seq.desc()).limit(1)


def newest_link(connection: Connection) -> Link | None:
    """Read the newest entry as it is stored."""
    row = connection.execute(newest(entries)).one_or_none()
    return None if row is None else Link(*row)


def resolve(url: str, root: Path) -> URL:
    """Make a database URL absolute.

    Parameters
    ----------
    url : str
        ``sqlite:///path``: relative to the workspace; ``sqlite:////path`` (four slashes): absolute.
    root : Path
        The workspace.

    Raises
    ------
    UsageError
        If it is not a URL, or names a store that Shinrai has no support for.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise UsageError(
            "ledger.bad-url",
            _("{url} is not the URL of a store.").format(url=url),
            hint=_("The usual one is sqlite:///.shinrai/ledger.db"),
        ) from error
    if parsed.drivername not in {"sqlite", "sqlite+pysqlite"}:
        raise UsageError(
            "ledger.unsupported-store",
            _("There is no support for stores of type {type}.").format(type=parsed.drivername),
            hint=_("The usual one is sqlite:///.shinrai/ledger.db"),
        )
    if parsed.database in {None, "", ":memory:"}:
        raise UsageError("ledger.bad-url", _("A ledger is kept in a file: {url} names none.").format(url=url))
    if parsed.database.startswith("file:"):
        return parsed
    return parsed.set(database=str(root.resolve() / parsed.database))


def connect(url: URL) -> Engine:
    """Make the engine for a store; nothing is opened yet.

    Notes
    -----
    ``synchronous=FULL`` although ``NORMAL`` keeps a WAL database whole too: with ``NORMAL`` a power cut may take back
    the last transactions. A promise or verdict that a person has seen would be gone, and the checkpoint kept beside
    the database would vouch for entries that are not there, which looks like tampering. A command writes a few
    transactions, so the price is a few flushes.
    """
    arguments = {} if "timeout" in url.query else {"timeout": WAIT_SECONDS}
    engine = create_engine(url, connect_args=arguments)

    @event.listens_for(engine, "connect")
    def _prepare(raw: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own connection
        raw.isolation_level = None  # the driver must not begin transactions by itself: `_begin` does
        # Bytes that are no UTF-8 (a hand-edited file) become a text that fits no hash, rather than a crash.
        raw.text_factory = _text
        raw.execute("PRAGMA synchronous=FULL")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        statement = connection.get_execution_options().get(BEGIN, "BEGIN")
        if statement is not None:
            connection.exec_driver_sql(statement)

    return engine


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def create_tables(connection: Connection) -> None:
    """Create the tables, and the triggers that refuse to change or remove rows, where they are not there yet."""
    _metadata.create_all(connection)
    if connection.dialect.name == "sqlite":
        for trigger in _GUARDS:
            connection.exec_driver_sql(trigger)


def has_tables(connection: Connection) -> bool:
    """Tell whether the database holds a ledger's tables."""
    return {entries.name, checkpoints.name} <= set(inspect(connection).get_table_names())


@contextmanager
def store_errors(url: URL) -> Iterator[None]:
    """Turn the database's errors into ones with a message for a person.

    Raises
    ------
    StoreError
        For every error of the database.
    """
    try:
        yield
    except DATABASE_ERRORS as error:
        original = error.orig if isinstance(error, DBAPIError) else error
        unreadable = "SQLITE_CORRUPT" if isinstance(error, UnicodeDecodeError) else ""
        name, reason = str(getattr(original, "sqlite_errorname", unreadable)), str(original)
        found = (texts for prefix, texts in _explanations().items() if name.startswith(prefix))
        code, message, hint = next(found, ("ledger.not-usable", _("The ledger {where} cannot be used: {reason}"), None))
        raise StoreError(code, message.format(where=url.database, reason=reason), hint=hint) from error


def _explanations() -> dict[str, tuple[str, str, str | None]]:
    """Give code, message and hint by how the name of SQLite's error begins."""
    return {
        "SQLITE_FULL": (
            "ledger.disk-full",
            _("There is no room left to write to the ledger {where}; nothing of this step was written."),
            _("Free some space on the disk, then run the same command again."),
        ),
        "SQLITE_READONLY": (
            "ledger.read-only",
            _("The ledger {where} may not be written to ({reason}); nothing of this step was written."),
            _("Check the permissions of the file and of its folder."),
        ),
        "SQLITE_BUSY": (
            "ledger.locked",
            _("Another program has been writing to the ledger {where} for too long; nothing of this step was written."),
            _("Wait until it has finished, then run the same command again."),
        ),
        "SQLITE_CANTOPEN": (
            "ledger.cannot-open",
            _("The ledger {where} cannot be opened: {reason}"),
            _("Check that the folder exists and may be written to."),
        ),
        "SQLITE_NOTADB": (
            "ledger.damaged",
            _("The file {where} is not a ledger: {reason}"),
            _("Restore it from a backup."),
        ),
        "SQLITE_CORRUPT": (
            "ledger.damaged",
            _("The ledger {where} is damaged: {reason}"),
            _("Restore it from a backup."),
        ),
        "SQLITE_IOERR": (
            "ledger.disk-failed",
            _("The disk refused to read or write the ledger {where} ({reason}); nothing of this step was written."),
            _("Check the disk and the space left on it, then run the same command again."),
        ),
    }
