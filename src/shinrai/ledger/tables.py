"""The tables, and how a database is reached. With its neighbours the only module that speaks SQL."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from sqlalchemy import (
    URL,
    BigInteger,
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Select,
    String,
    Table,
    Text,
    insert,
    inspect,
    make_url,
    select,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError

from shinrai.errors import StoreError, UsageError
from shinrai.i18n import _
from shinrai.ledger import postgresql, sqlite
from shinrai.ledger.chain import Link

DATABASE_ERRORS: Final = (SQLAlchemyError, sqlite3.Error, UnicodeDecodeError)
"""What using a database may end in. SQLAlchemy passes errors on as they are while it connects, and the driver fails on
the text of an error message where a damaged file has damaged that too.
"""

SCHEMAS: Final = ("0001", "0002")
"""Versions of the tables, oldest first; the names of the migrations that make them. The last is what is written."""

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

_version: Final = Table(
    "alembic_version",
    _metadata,
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
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
        ``sqlite:///path``: relative to the workspace; ``sqlite:////path`` (four slashes): absolute;
        ``postgresql://user@host/database``.
    root : Path
        The workspace.

    Raises
    ------
    UsageError
        If it is not a URL, names a store that Shinrai has no support for, or holds a password.
    """
    usual = _("The usual ones are sqlite:///.shinrai/ledger.db and postgresql://user@host/database")
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        shown = re.sub(r":[^:@/]*@", ":***@", url)
        message = _("{url} is not the URL of a store.").format(url=shown)
        raise UsageError("ledger.bad-url", message, hint=usual) from error
    if parsed.drivername in postgresql.DRIVERS:
        return postgresql.resolve(parsed)
    if parsed.drivername not in sqlite.DRIVERS:
        message = _("There is no support for stores of type {type}.").format(type=parsed.drivername)
        raise UsageError("ledger.unsupported-store", message, hint=usual)
    return sqlite.resolve(parsed, root)


def is_server(url: URL) -> bool:
    """Tell whether a store is reached over a connection that may get lost."""
    return url.drivername in postgresql.DRIVERS


def where(url: URL) -> str:
    """Name a store for people: the file, or server and database."""
    return url.set(drivername="postgresql", query={}).render_as_string() if is_server(url) else str(url.database)


def _kind(url: URL) -> ModuleType:
    return postgresql if is_server(url) else sqlite


def connect(url: URL) -> Engine:
    """Make the engine for a store; nothing is opened yet.

    Raises
    ------
    UsageError
        If the store's driver is not installed.
    """
    engine: Engine = _kind(url).connect(url)
    return engine


def create_tables(connection: Connection) -> None:
    """Create the tables, and the triggers that refuse to change or remove rows, where they are not there yet."""
    if connection.dialect.name == "postgresql":
        postgresql.make_schema(connection)
    had = has_tables(connection)
    _metadata.create_all(connection)
    for guard in guards(connection):
        connection.exec_driver_sql(guard)
    if not had:
        connection.execute(insert(_version), {"version_num": SCHEMAS[-1]})


def guards(connection: Connection) -> tuple[str, ...]:
    """Give the statements that make the triggers."""
    return postgresql.GUARDS if connection.dialect.name == "postgresql" else sqlite.GUARDS


def has_tables(connection: Connection) -> bool:
    """Tell whether the database holds a ledger's tables."""
    looked_at = inspect(connection)
    return looked_at.has_table(entries.name) and looked_at.has_table(checkpoints.name)


def has_version(connection: Connection) -> bool:
    """Tell whether a ledger says which version of the tables it has. Those from before there were versions do not."""
    return inspect(connection).has_table(_version.name)


def schema_version(connection: Connection) -> str:
    """Read which version of the tables a ledger has.."""
    if not has_version(connection):
        return SCHEMAS[0]
    return connection.execute(select(_version.c.version_num)).scalar_one_or_none() or SCHEMAS[0]


def is_lost(error: BaseException) -> bool:
    """Tell whether an error means that the connection to a server is gone, or could not be made."""
    if not isinstance(error, DBAPIError) or isinstance(error.orig, sqlite3.Error):
        return False
    gone = isinstance(error, OperationalError) and postgresql.is_lost(getattr(error.orig, "sqlstate", None))
    return error.connection_invalidated or gone


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
        reason = str(original).partition("\n")[0]
        found = (texts for prefix, texts in _kind(url).explanations().items() if _name(error).startswith(prefix))
        code, message, hint = next(found, ("ledger.not-usable", _("The ledger {where} cannot be used: {reason}"), None))
        raise StoreError(code, message.format(where=where(url), reason=reason), hint=hint) from error


def _name(error: BaseException) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "SQLITE_CORRUPT"
    if is_lost(error):
        return "lost"
    original = error.orig if isinstance(error, DBAPIError) else error
    return str(getattr(original, "sqlite_errorname", None) or getattr(original, "sqlstate", None) or "")
