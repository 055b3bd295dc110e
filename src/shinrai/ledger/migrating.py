"""Changes the tables of a ledger to another version. Imported only when that is needed."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from shinrai.ledger.tables import SCHEMAS, has_version, schema_version


def migrate(connection: Connection, to: str) -> None:
    """Run the migrations from the version that a ledger has to another one, in the transaction there is.

    Parameters
    ----------
    connection : sqlalchemy.Connection
        In a transaction of the only writer.
    to : str
        One of `shinrai.ledger.tables.SCHEMAS`.

    Raises
    ------
    ValueError
        If there is no such version.
    """
    if to not in SCHEMAS:
        raise ValueError(f"no version {to!r} of the tables; there are {', '.join(SCHEMAS)}")
    config = Config()
    config.set_main_option("script_location", "shinrai.ledger:migrations")
    config.attributes["connection"] = connection
    if not has_version(connection):
        command.stamp(config, SCHEMAS[0])
    if SCHEMAS.index(to) > SCHEMAS.index(schema_version(connection)):
        command.upgrade(config, to)
    else:
        command.downgrade(config, to)
