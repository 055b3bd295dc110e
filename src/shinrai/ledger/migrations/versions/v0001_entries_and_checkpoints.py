"""Entries and checkpoints, to which rows can be added and nothing else done."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_SQLITE = tuple(
    f"CREATE TRIGGER IF NOT EXISTS {table}_{action.lower()} BEFORE {action} ON {table} "
    f"WHEN {condition} BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
    for table, out_of_order in (
        ("entries", "NEW.seq != (SELECT coalesce(max(seq), 0) + 1 FROM entries)"),
        ("checkpoints", "NEW.seq <= (SELECT coalesce(max(seq), 0) FROM checkpoints)"),
    )
    for action, condition in (("UPDATE", "TRUE"), ("DELETE", "TRUE"), ("INSERT", out_of_order))
)

_RAISE = "RAISE EXCEPTION 'the ledger is append-only' USING ERRCODE = 'restrict_violation';"

_POSTGRESQL = (
    f"CREATE OR REPLACE FUNCTION shinrai.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {_RAISE} END $$",
    (
        "CREATE OR REPLACE FUNCTION shinrai.entries_in_order() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "  # noqa: S608 - constants only
        "IF NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM shinrai.entries) THEN "
        f"{_RAISE} END IF; RETURN NEW; END $$"
    ),
    (
        "CREATE OR REPLACE FUNCTION shinrai.checkpoints_in_order() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "  # noqa: S608 - constants only
        "IF NEW.seq <= (SELECT coalesce(max(seq), 0) FROM shinrai.checkpoints) THEN "
        f"{_RAISE} END IF; RETURN NEW; END $$"
    ),
    *(
        statement
        for table in ("entries", "checkpoints")
        for statement in (
            (
                f"CREATE OR REPLACE TRIGGER {table}_refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON shinrai.{table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION shinrai.refuse()"
            ),
            (
                f"CREATE OR REPLACE TRIGGER {table}_insert BEFORE INSERT ON shinrai.{table} "
                f"FOR EACH ROW EXECUTE FUNCTION shinrai.{table}_in_order()"
            ),
        )
    ),
)


def upgrade() -> None:
    """Make the tables and what guards them."""
    seq = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "entries",
        sa.Column("seq", seq, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("clock", sa.Text, nullable=True),
        sa.Column("previous", sa.Text, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "checkpoints",
        sa.Column("seq", seq, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("signature", sa.Text, nullable=False),
        sqlite_strict=True,
    )
    connection = op.get_bind()
    for statement in _POSTGRESQL if connection.dialect.name == "postgresql" else _SQLITE:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: there is nothing below, and entries are not thrown away.

    Raises
    ------
    RuntimeError
        Always.
    """
    raise RuntimeError("below version 0001 there are no tables; to remove a ledger, remove its database")
