"""What is particular to a ledger in a PostgreSQL database.

A database holds one ledger, in a schema of its own. Whoever writes takes an advisory lock first: for one transaction,
or, as commands do, for as long as its connection lasts. Since a command appends on the very connection that has the
lock, what it can commit it commits as the only writer, and a lost connection cannot leave the lock behind.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, text

from shinrai.errors import StoreError, UsageError
from shinrai.i18n import _
from shinrai.ledger.chain import FIRST
from shinrai.ledger.sqlite import ACCESS, REFUSED, WAIT_SECONDS

DRIVERS: Final = frozenset({"postgresql", "postgresql+psycopg"})

SCHEMA: Final = "shinrai"
"""Where the tables are, within the database."""

_LOCK: Final = 0x5368696E726169
"""Number of the advisory lock: ``Shinrai`` in ASCII. Advisory locks are those of one database."""

_SESSION: Final = (
    f"-c search_path={SCHEMA}",
    # A role or server may have set it off: then a server that crashes could lose what people have been shown.
    "-c synchronous_commit=on",
    # A machine that has vanished lets go of the lock in about a minute, not after two hours.
    "-c tcp_keepalives_idle=30",
    "-c tcp_keepalives_interval=10",
    "-c tcp_keepalives_count=3",
)

_CONNECTION: Final = {
    "application_name": "shinrai",
    "client_encoding": "utf8",
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
}

GUARDS: Final = (
    (
        f"CREATE OR REPLACE FUNCTION {SCHEMA}.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"RAISE EXCEPTION '{REFUSED}' USING ERRCODE = 'restrict_violation'; END $$"
    ),
    (
        f"CREATE OR REPLACE FUNCTION {SCHEMA}.entries_in_order() RETURNS trigger LANGUAGE plpgsql AS $$ "  # noqa: S608 - constants only
        f"DECLARE newest record; BEGIN "
        f"SELECT seq, hash INTO newest FROM {SCHEMA}.entries ORDER BY seq DESC LIMIT 1; "
        f"IF NEW.seq <> coalesce(newest.seq, 0) + 1 OR NEW.previous <> coalesce(newest.hash, '{FIRST}') THEN "
        f"RAISE EXCEPTION '{REFUSED}' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$"
    ),
    (
        f"CREATE OR REPLACE FUNCTION {SCHEMA}.checkpoints_in_order() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "  # noqa: S608 - constants only
        f"IF NEW.seq <= (SELECT coalesce(max(seq), 0) FROM {SCHEMA}.checkpoints) THEN "
        f"RAISE EXCEPTION '{REFUSED}' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$"
    ),
    *(
        statement
        for table in ("entries", "checkpoints")
        for statement in (
            (
                f"CREATE OR REPLACE TRIGGER {table}_refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON {SCHEMA}.{table} "
                f"FOR EACH STATEMENT EXECUTE FUNCTION {SCHEMA}.refuse()"
            ),
            (
                f"CREATE OR REPLACE TRIGGER {table}_insert BEFORE INSERT ON {SCHEMA}.{table} "
                f"FOR EACH ROW EXECUTE FUNCTION {SCHEMA}.{table}_in_order()"
            ),
        )
    ),
)


def resolve(url: URL) -> URL:
    """Name the driver.

    Raises
    ------
    UsageError
        If the URL names no database, or holds a password: it stands in a file that is kept in version control.
    """
    if url.password is not None or {"password", "sslpassword"} & set(url.query):
        raise UsageError(
            "ledger.password-in-url",
            _("The URL of the store holds a password, and shinrai.yaml is no place for secrets."),
            hint=_("Leave it out there and give it in PGPASSWORD or in the file ~/.pgpass."),
        )
    if not url.database:
        raise UsageError(
            "ledger.bad-url", _("{url} names no database.").format(url=url.render_as_string(hide_password=True))
        )
    return url.set(drivername="postgresql+psycopg")


def connect(url: URL) -> Engine:
    """Make the engine; nothing is opened yet.

    Raises
    ------
    UsageError
        If the driver is not installed.
    """
    query = dict(url.query)
    given = str(query.pop("options", ""))
    arguments = {name: value for name, value in _CONNECTION.items() if name not in query}
    milliseconds = int(wait_seconds(url) * 1_000)
    query.pop("timeout", None)
    try:
        engine = create_engine(
            url.set(query=query),
            connect_args={**arguments, "options": " ".join([given, *_SESSION]).strip()},
            # Whatever the server's default: after the lock has been waited for, a statement must see what is new.
            isolation_level="READ COMMITTED",
            pool_pre_ping=True,
            hide_parameters=True,
        )
    except ImportError as error:
        raise UsageError(
            "ledger.no-driver",
            _("A ledger in PostgreSQL needs a package that is not installed: {reason}").format(reason=error),
            hint="pip install 'shinrai[postgresql]'",
        ) from error

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.get_execution_options().get(ACCESS) == "write":
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {milliseconds}")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")

    return engine


def wait_seconds(url: URL) -> float:
    """Give how long a writer waits for another one, or for a server that is away, before it gives up.

    Raises
    ------
    UsageError
        If ``?timeout=`` is not a number of seconds.
    """
    given = str(url.query.get("timeout", WAIT_SECONDS))
    try:
        return max(float(given), 0.001)
    except ValueError as error:
        raise UsageError(
            "ledger.bad-url", _("{value} is not a number of seconds.").format(value=f"timeout={given}")
        ) from error


def try_lock(connection: Connection) -> bool:
    """Take the lock for as long as the connection lasts, if nobody else has it."""
    with connection.begin():
        return bool(connection.execute(text(f"SELECT pg_try_advisory_lock({_LOCK})")).scalar_one())


def make_schema(connection: Connection) -> None:
    """Make the schema that the tables go to.

    Raises
    ------
    StoreError
        If the database cannot hold all characters.
    """
    encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
    if encoding != "UTF8":
        raise StoreError(
            "ledger.encoding",
            _("The database keeps text as {encoding}, which cannot hold all characters.").format(encoding=encoding),
            hint="CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0",
        )
    # Not IF NOT EXISTS: that needs the right to create schemas even where there is one.
    if not connection.execute(text("SELECT to_regnamespace(:name)"), {"name": SCHEMA}).scalar_one():
        connection.execute(text(f"CREATE SCHEMA {SCHEMA}"))


def is_lost(state: str | None) -> bool:
    """Tell from an error's SQLSTATE whether the connection is gone, or could not be made (then there is none)."""
    return state is None or state.startswith("08") or state in {"57P01", "57P02", "57P03", "57P05", "25P03", "25P04"}


def explanations() -> dict[str, tuple[str, str, str | None]]:
    """Give code, message and hint by how the SQLSTATE of an error begins; ``lost`` for a lost connection."""
    return {
        "lost": (
            "ledger.no-connection",
            _("There is no connection to the ledger {where}: {reason}"),
            _(
                "Check that the server runs and that host, port, database, user and password (PGPASSWORD or ~/.pgpass) "
                "are right, then run the same command again: it goes on from what was written."
            ),
        ),
        "53100": (
            "ledger.disk-full",
            _("There is no room left to write to the ledger {where}; nothing of this step was written."),
            _("Free some space on the server's disk, then run the same command again."),
        ),
        "25006": _read_only(),
        "42501": _read_only(),
        "55P03": (
            "ledger.locked",
            _("Another program has been writing to the ledger {where} for too long; nothing of this step was written."),
            _("Wait until it has finished, then run the same command again."),
        ),
        "XX00": (
            "ledger.damaged",
            _("The ledger {where} is damaged: {reason}"),
            _("Restore it from a backup."),
        ),
        "58": (
            "ledger.disk-failed",
            _("The disk refused to read or write the ledger {where} ({reason}); nothing of this step was written."),
            _("Check the server's disk and the space left on it, then run the same command again."),
        ),
    }


def _read_only() -> tuple[str, str, str]:
    return (
        "ledger.read-only",
        _("The ledger {where} may not be written to ({reason}); nothing of this step was written."),
        _("Use a role that may write, or the server that does: docs/postgresql.md names the rights."),
    )
