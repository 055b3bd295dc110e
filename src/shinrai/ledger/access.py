"""Transactions on a store: one writer at a time, and a server that may go away and come back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn, TypeVar

from sqlalchemy import URL, Connection, Engine

from shinrai.errors import StoreError
from shinrai.i18n import _
from shinrai.ledger import postgresql, sqlite, tables
from shinrai.ledger.chain import Link

_PAUSE = 0.2
"""Seconds between two looks at whether a lock is free, or a server back."""

_T = TypeVar("_T")


class Access:
    """A store, reached when it is first asked for something. For one thread at a time, except for reading.

    Parameters
    ----------
    url : URL
        From `shinrai.ledger.tables.resolve`.

    Attributes
    ----------
    trying : Link or None
        The newest entry of a transaction whose end is not known yet. Whoever adds entries sets it before they are
        sent.
    """

    def __init__(self, url: URL) -> None:
        self.url = url
        self.engine: Engine = tables.connect(url)
        self.trying: Link | None = None
        self._writer = self.engine.execution_options(**{sqlite.ACCESS: "write"})
        self._is_server = tables.is_server(url)
        self._patience = postgresql.wait_seconds(url) if self._is_server else 0.0
        self._reached = False
        self._in_turn = False
        self._turn: Connection | None = None
        self._newest: Link | None = None

    def close(self) -> None:
        """Let go of the database. Closing twice does no harm."""
        self.engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection in a transaction that reads. Readers wait for nobody.

        Raises
        ------
        StoreError
            If the store cannot be read.
        """
        with tables.store_errors(self.url), self._reach(self.engine) as connection, connection.begin():
            yield connection

    def write(self, work: Callable[[Connection], _T], *, undone: Callable[[], None]) -> _T:
        """Do something in a transaction of the only writer; again where the connection to a server was lost meanwhile.

        The next transaction has the lock only when the lost one has ended, one way or the other: then what that wrote
        is either there or never will be, and `work` can look.

        Parameters
        ----------
        work : callable
            Called with a connection, more than once if need be.
        undone : callable
            Called after each transaction that did not happen, or perhaps did not.

        Raises
        ------
        StoreError
            If the store cannot be written to, or is away for too long.
        """
        with tables.store_errors(self.url):
            deadline: float | None = None
            while True:
                try:
                    with self._transaction(deadline) as connection:
                        done = work(connection)
                except BaseException as error:
                    undone()
                    if not tables.is_lost(error):
                        self.trying = None
                    deadline = deadline or time.monotonic() + self._patience
                    if not self._worth_waiting(error, deadline):
                        raise
                    time.sleep(_PAUSE)
                else:
                    self._newest, self.trying = self.trying or self._newest, None
                    return done

    @contextmanager
    def turn(self, waiting: Callable[[], None] | None) -> Iterator[None]:
        """Keep all other writers of a server's ledger out; a file is kept from them by the lock of its workspace.

        Parameters
        ----------
        waiting : callable, optional
            Called once, before waiting, when somebody else has the lock.

        Raises
        ------
        StoreError
            If the store cannot be reached.
        """
        if not self._is_server:
            yield
            return
        with tables.store_errors(self.url):
            self._take_turn(waiting, deadline=None)
        try:
            yield
        finally:
            self._end_turn()

    def _worth_waiting(self, error: BaseException, deadline: float) -> bool:
        """Tell whether a server that was there before may be back in time."""
        return self._reached and tables.is_lost(error) and time.monotonic() < deadline

    def _reach(self, engine: Engine) -> Connection:
        deadline = time.monotonic() + self._patience
        while True:
            try:
                connection = engine.connect()
            except tables.DATABASE_ERRORS as error:
                if not self._worth_waiting(error, deadline):
                    raise
                time.sleep(_PAUSE)
            else:
                self._reached = True
                return connection

    @contextmanager
    def _transaction(self, deadline: float | None) -> Iterator[Connection]:
        if not self._in_turn:
            with self._reach(self._writer) as connection, connection.begin():
                yield connection
            return
        if self._turn is None:
            self._take_turn(None, deadline or time.monotonic() + self._patience)
        connection = self._kept()
        try:
            with connection.begin():
                yield connection
        except BaseException as error:
            if tables.is_lost(error):
                self._drop()
            raise

    def _kept(self) -> Connection:
        if self._turn is None:
            self._lock_lost()
        return self._turn

    def _take_turn(self, waiting: Callable[[], None] | None, deadline: float | None) -> None:
        """Take the lock that others wait at, on a connection that is kept for writing.

        Where an earlier connection was lost, others may have had the lock since. If they wrote, this command goes no
        further: what it knows of the ledger is no longer so.
        """
        connection = self._reach(self.engine)
        try:
            while not postgresql.try_lock(connection):
                if waiting is not None:
                    waiting()
                    waiting = None
                if deadline is not None and time.monotonic() > deadline:
                    self._lock_lost()
                time.sleep(_PAUSE)
            with connection.begin():
                newest = tables.newest_link(connection) if tables.has_tables(connection) else None
            if self._in_turn and newest not in (self._newest, self.trying):
                self._lock_lost()
        except BaseException:
            connection.invalidate()
            connection.close()
            raise
        self._newest, self.trying, self._in_turn = newest, None, True
        self._turn = connection.execution_options(**{sqlite.ACCESS: "write"})

    def _lock_lost(self) -> NoReturn:
        raise StoreError(
            "ledger.lock-lost",
            _("The connection to the ledger {where} was lost, and another command has been writing since.").format(
                where=tables.where(self.url)
            ),
            hint=_("What was written before is kept. Run the same command again: it goes on from there."),
        )

    def _end_turn(self) -> None:
        self._in_turn = False
        # The server frees the lock with the connection. It is not given back to the pool, which would keep it open.
        self._drop()

    def _drop(self) -> None:
        if self._turn is not None:
            self._turn.invalidate()
            self._turn.close()
            self._turn = None
