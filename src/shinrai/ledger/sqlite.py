"""What is particular to a ledger in an SQLite file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event

from shinrai.errors import UsageError
from shinrai.i18n import _
from shinrai.ledger.chain import FIRST

DRIVERS: Final = frozenset({"sqlite", "sqlite+pysqlite"})

WAIT_SECONDS: Final = 30.0
"""How long a writer waits for another one before it gives up, unless the URL says ``?timeout=``."""

ACCESS: Final = "shinrai_access"
"""Execution option of a connection: ``"write"`` for transactions that write, ``"outside"`` for no transaction."""

REFUSED: Final = "the ledger is append-only"

GUARDS: Final = tuple(
    f"CREATE TRIGGER IF NOT EXISTS {table}_{action.lower()} BEFORE {action} ON {table} "
    f"WHEN {condition} BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"
    for table, out_of_order in (
        (
            "entries",
            (
                "NEW.seq != (SELECT coalesce(max(seq), 0) + 1 FROM entries) "  # noqa: S608 - constants only
                f"OR NEW.previous != coalesce((SELECT hash FROM entries ORDER BY seq DESC LIMIT 1), '{FIRST}')"
            ),
        ),
        ("checkpoints", "NEW.seq <= (SELECT coalesce(max(seq), 0) FROM checkpoints)"),
    )
    # INSERT too: INSERT OR REPLACE removes a row without asking the trigger on DELETE.
    for action, condition in (("UPDATE", "TRUE"), ("DELETE", "TRUE"), ("INSERT", out_of_order))
)


def resolve(url: URL, root: Path) -> URL:
    """Make the path of the file absolute.

    Raises
    ------
    UsageError
        If the URL names no file.
    """
    if url.database in {None, "", ":memory:"}:
        raise UsageError(
            "ledger.bad-url", _("A ledger is kept in a file: {url} names none.").format(url=url.render_as_string())
        )
    database = str(url.database)
    return url if database.startswith("file:") else url.set(database=str(root.resolve() / database))


def file_of(url: URL) -> Path | None:
    """Give the file of a resolved URL; None where the URL is one of SQLite's own (``file:``)."""
    database = str(url.database)
    return None if database.startswith("file:") else Path(database)


def connect(url: URL) -> Engine:
    """Make the engine; nothing is opened yet.

    Notes
    -----
    ``synchronous=FULL`` although ``NORMAL`` keeps a WAL database whole too: with ``NORMAL`` a power cut may take back
    the last transactions. A promise or verdict that a person has seen would be gone, and the checkpoint kept beside
    the database would vouch for entries that are not there, which looks like tampering. A command writes a few
    transactions, so the price is a few flushes.
    """
    arguments = {} if "timeout" in url.query else {"timeout": WAIT_SECONDS}
    engine = create_engine(url, connect_args=arguments, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _prepare(raw: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own connection
        raw.isolation_level = None  # the driver must not begin transactions by itself: `_begin` does
        # Bytes that are no UTF-8 (a hand-edited file) become a text that fits no hash, rather than a crash.
        raw.text_factory = _text
        raw.execute("PRAGMA synchronous=FULL")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        access = connection.get_execution_options().get(ACCESS)
        if access != "outside":
            # IMMEDIATE takes the write lock before the newest entry is read: nobody can append in between.
            connection.exec_driver_sql("BEGIN IMMEDIATE" if access == "write" else "BEGIN")

    return engine


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def prepare(engine: Engine) -> None:
    """Make readers and the writer not wait for one another, for the life of the file."""
    with engine.execution_options(**{ACCESS: "outside"}).connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")


def explanations() -> dict[str, tuple[str, str, str | None]]:
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
