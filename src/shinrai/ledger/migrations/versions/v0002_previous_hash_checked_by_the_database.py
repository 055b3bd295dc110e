"""The database itself lets in only an entry that carries the hash of the one before it."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

_FIRST = f"sha256:{'0' * 64}"

_SQLITE = (
    "DROP TRIGGER IF EXISTS entries_insert",
    (
        "CREATE TRIGGER IF NOT EXISTS entries_insert BEFORE INSERT ON entries "  # noqa: S608 - constants only
        "WHEN NEW.seq != (SELECT coalesce(max(seq), 0) + 1 FROM entries) "
        f"OR NEW.previous != coalesce((SELECT hash FROM entries ORDER BY seq DESC LIMIT 1), '{_FIRST}') "
        "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
    ),
)

_SQLITE_BEFORE = (
    "DROP TRIGGER IF EXISTS entries_insert",
    (
        "CREATE TRIGGER IF NOT EXISTS entries_insert BEFORE INSERT ON entries "
        "WHEN NEW.seq != (SELECT coalesce(max(seq), 0) + 1 FROM entries) "
        "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
    ),
)

_RAISE = "RAISE EXCEPTION 'the ledger is append-only' USING ERRCODE = 'restrict_violation';"

_POSTGRESQL = (
    (
        "CREATE OR REPLACE FUNCTION shinrai.entries_in_order() RETURNS trigger LANGUAGE plpgsql AS $$ "  # noqa: S608 - constants only
        "DECLARE newest record; BEGIN "
        "SELECT seq, hash INTO newest FROM shinrai.entries ORDER BY seq DESC LIMIT 1; "
        f"IF NEW.seq <> coalesce(newest.seq, 0) + 1 OR NEW.previous <> coalesce(newest.hash, '{_FIRST}') THEN "
        f"{_RAISE} END IF; RETURN NEW; END $$"
    ),
)

_POSTGRESQL_BEFORE = (
    (
        "CREATE OR REPLACE FUNCTION shinrai.entries_in_order() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "  # noqa: S608 - constants only
        "IF NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM shinrai.entries) THEN "
        f"{_RAISE} END IF; RETURN NEW; END $$"
    ),
)


def upgrade() -> None:
    """Check the hash of the entry before as well as the number."""
    _run(_SQLITE, _POSTGRESQL)


def downgrade() -> None:
    """Check the number only."""
    _run(_SQLITE_BEFORE, _POSTGRESQL_BEFORE)


def _run(sqlite: tuple[str, ...], postgresql: tuple[str, ...]) -> None:
    connection = op.get_bind()
    for statement in postgresql if connection.dialect.name == "postgresql" else sqlite:
        connection.exec_driver_sql(statement)
