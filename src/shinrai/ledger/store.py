"""The ledger as the other rooms use it: open, append, read, sign."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import URL, Connection, insert, select

from shinrai.errors import StoreError, TamperedError, UsageError
from shinrai.i18n import _
from shinrai.ledger import sqlite, tables
from shinrai.ledger.access import Access
from shinrai.ledger.chain import Link, find_fault, read_entry, reference_fault, seal, stop, timestamp
from shinrai.ledger.checkpoint import MIRROR, Checkpoint, read_mirror, sign, write_mirror
from shinrai.ledger.keys import PRIVATE_KEY, PUBLIC_KEY, make_key_pair, private_key, public_hex, public_key
from shinrai.ledger.projection import Entry, State, fold
from shinrai.ledger.verify import Verification, verify
from shinrai.records import Id, LedgerOpened, Payload

_PAGE = 1_000
_T = TypeVar("_T")


def utc_now() -> datetime:
    """Read the wall clock."""
    return datetime.now(UTC)


class Ledger:
    """An open ledger. Made by `Ledger.open` and `create`; a context manager.

    Every read checks hashes and links as it goes, so nothing is ever derived from, or appended to, entries that do
    not add up. What reading cannot see (files, signatures, entries cut off the end) is `verify`'s task.

    One object may be used by several threads, and one database by several processes, on several machines where it is
    a server's: writers wait for one another. Where a server goes away, writing waits for it to come back, looks whether
    what it was writing is there, and writes it if it is not.
    """

    def __init__(self, url: URL, root: Path, *, key: Path | None, clock: Callable[[], datetime]) -> None:
        self.root = root
        self._url = url
        self._key = key or root / PRIVATE_KEY
        self._clock = clock
        self._lock = threading.RLock()
        self._access = Access(url)
        self._schema = tables.SCHEMAS[-1]
        self._folded: tuple[State, Link] | None = None
        self._handed_out: State | None = None
        self._mirror_checked = False
        self._owner_checked = False

    @classmethod
    def open(cls, url: str, *, root: Path, key: Path | None = None, clock: Callable[[], datetime] = utc_now) -> Self:
        """Open a ledger that exists.

        Parameters
        ----------
        url : str
            Where it is kept: ``sqlite:///.shinrai/ledger.db`` (a relative path is relative to `root`) or
            ``postgresql://user@host/database``.
        root : Path
            The workspace.
        key : Path, optional
            File of the private key; ``.shinrai/keys/ledger.key`` in the workspace when left out. Only `checkpoint`
            reads it.
        clock : callable
            Gives the time of entries, with its time zone.

        Raises
        ------
        UsageError
            If there is no ledger at that place.
        TamperedError
            If there is none, but a checkpoint says that there was one.
        StoreError
            If it cannot be opened, or is a newer version's.
        """
        resolved = tables.resolve(url, root)
        path = None if tables.is_server(resolved) else sqlite.file_of(resolved)
        if path is not None and not path.is_file():
            _no_ledger(url, root)
        ledger = cls(resolved, root, key=key, clock=clock)
        try:
            with ledger._access.reading() as connection:
                if not tables.has_tables(connection):
                    _no_ledger(url, root)
                ledger._schema = tables.schema_version(connection)
            ledger._refuse_newer()
        except BaseException:
            ledger.close()
            raise
        return ledger

    @classmethod
    def create(
        cls,
        url: str,
        root: Path,
        workspace_id: Id,
        *,
        key: Path | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> Self:
        """Set up a new ledger: the tables, the entry that opens it, and a first checkpoint.

        The key pair is made where the workspace has none.

        Parameters
        ----------
        url, root, key, clock
            As for `open`.
        workspace_id : Id
            Whose ledger it is.

        Raises
        ------
        UsageError
            If there is a ledger already, or a public key without its private key.
        TamperedError
            If there is no ledger, but a checkpoint says that there was one.
        StoreError
            If it cannot be written.
        """
        resolved = tables.resolve(url, root)
        mirror = read_mirror(root)
        public = _key_for_new_ledger(root, key)
        path = None if tables.is_server(resolved) else sqlite.file_of(resolved)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        ledger = cls(resolved, root, key=key, clock=clock)
        try:
            ledger._set_up(LedgerOpened(workspace=workspace_id, public_key=public), mirror)
            ledger.checkpoint()
        except BaseException:
            ledger.close()
            raise
        return ledger

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database. Closing twice does no harm."""
        self._access.close()

    def append(self, *payloads: Payload) -> list[Entry]:
        """Write records at the end: all of them or none.

        Parameters
        ----------
        *payloads : Payload
            In order. None at all is nothing to do.

        Returns
        -------
        list of Entry
            As they will be read back.

        Raises
        ------
        StoreError
            If they cannot be kept: no room, no permission, another writer that does not finish, no JSON form.
        UsageError
            If a record names a run or a finding that the ledger does not hold.
        TamperedError
            If the ledger does not add up.
        """
        if not payloads:
            return []
        tried: list[Link] = []
        return self._write(lambda connection: self._append(connection, payloads, tried))

    def _append(self, connection: Connection, payloads: tuple[Payload, ...], tried: list[Link]) -> list[Entry]:
        """Write records in a transaction; `tried` holds what an earlier one, whose end is not known, tried to write.

        Raises
        ------
        UsageError
            If a record names what the ledger does not hold.
        """
        state, before = self._catch_up(connection)
        self._check_mirror(connection)
        if tried and self._link(connection, tried[-1].seq) == tried[-1]:
            return [read_entry(link) for link in tried]  # only the answer was lost
        tried.clear()
        now = self._clock()
        for payload in payloads:
            before = seal(payload, before, now)
            tried.append(before)
        new = [read_entry(link) for link in tried]
        try:
            fold(state, new)
        except KeyError as missing:
            raise UsageError(
                "ledger.unknown-reference",
                _("A record names {name}, which the ledger does not hold.").format(name=missing),
            ) from missing
        self._access.trying = tried[-1]
        connection.execute(insert(tables.entries), [link._asdict() for link in tried])
        self._folded = state, tried[-1]
        return new

    @contextmanager
    def writing(
        self, *, waiting: Callable[[], None] | None = None, migrating: Callable[[], None] | None = None
    ) -> Iterator[None]:
        """Be the only writer for the whole of a command, on whatever machine the others are.

        A file is kept from others by the lock of its workspace; a server's ledger by a lock of the server, which it
        frees when the connection ends. Tables of an older version are brought up to date first.

        Parameters
        ----------
        waiting : callable, optional
            Called once, before waiting, when another command has the lock.
        migrating : callable, optional
            Called before tables are brought up to date.

        Yields
        ------
        None
            While nobody else writes.

        Raises
        ------
        StoreError
            If the ledger cannot be written to.
        """
        with self._access.turn(waiting):
            if self._schema != tables.SCHEMAS[-1]:
                if migrating is not None:
                    migrating()
                self.migrate()
            yield

    def migrate(self, to: str = tables.SCHEMAS[-1]) -> None:
        """Change the tables to another version, up or down. No entry is ever lost.

        Parameters
        ----------
        to : str
            One of ``shinrai.ledger.tables.SCHEMAS``; the newest when left out.

        Raises
        ------
        StoreError
            If the ledger cannot be written to.
        """
        from shinrai.ledger.migrating import migrate  # noqa: PLC0415 - alembic is slow to import and rarely needed

        with self._lock:
            self._access.write(lambda connection: migrate(connection, to), undone=self._forget)
        self._schema = to

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Read entries in order, up to the one that is newest when reading begins.

        Parameters
        ----------
        after : int
            Read from the entry that follows this one; 0 for all.

        Yields
        ------
        Entry
            Checked against its hash and against the entry before it.

        Raises
        ------
        TamperedError
            At the first entry that does not add up.
        StoreError
            If the database cannot be read.
        """
        with self._access.reading() as connection:
            head = tables.newest_link(connection)
            before = self._link(connection, after)
        last = head.seq if head else 0
        # In pages, so that whoever reads slowly, or appends between two entries, keeps no transaction open.
        while after < last:
            with self._access.reading() as connection:
                page = _page(connection, after, min(_PAGE, last - after))
            for link in page:
                yield _sound(link, before)
                before = link
            after = page[-1].seq

    def state(self) -> State:
        """Give what all entries add up to. Only entries that are new since the last call are read.

        Returns
        -------
        State
            Not changed by later appends: ask again to see them.

        Raises
        ------
        TamperedError
            If an entry does not add up.
        StoreError
            If the database cannot be read.
        """
        with self._lock:
            with self._access.reading() as connection:
                folded, _newest = self._catch_up(connection)
            if self._handed_out is None or self._handed_out.head is not folded.head:
                self._handed_out = folded.copy()
            return self._handed_out

    @property
    def head(self) -> Entry:
        """The newest entry.

        Raises
        ------
        TamperedError
            If there is none, or it does not match its hash.
        """
        with self._access.reading() as connection:
            newest = tables.newest_link(connection)
            if newest is None:
                _empty()
            return _sound(newest, self._link(connection, newest.seq - 1))

    @property
    def can_sign(self) -> bool:
        """Whether the private key is here. A clone that CI works in need not have it."""
        return self._key.is_file()

    def checkpoint(self) -> Checkpoint:
        """Sign the newest entry, and keep the signature in the table and beside the database.

        Returns
        -------
        Checkpoint
            The one there is already, where nothing was appended since.

        Raises
        ------
        UsageError
            If the private key is missing, or is not the one that the ledger was opened with.
        TamperedError
            If the ledger does not add up, or the last checkpoint vouches for entries that are no longer there.
        StoreError
            If it cannot be written.
        """
        key = private_key(self._key)
        with self._lock:
            checkpoint = self._write(lambda connection: self._sign(connection, key))
            # After the commit: a copy that is older than the table is harmless, one that is newer looks like tampering.
            mirror = read_mirror(self.root)
            if mirror is None or mirror.seq <= checkpoint.seq:
                write_mirror(self.root, checkpoint)
        return checkpoint

    def _sign(self, connection: Connection, key: Ed25519PrivateKey) -> Checkpoint:
        state, _newest = self._catch_up(connection)
        self._check_mirror(connection)
        if state.head is None or state.opened is None:
            _empty()
        if public_hex(key.public_key()) != state.opened.public_key:
            raise UsageError(
                "ledger.other-key",
                _("The private key {path} is not the one this ledger was opened with.").format(path=self._key),
                hint=_("Copy the key from where the ledger was set up."),
            )
        row = connection.execute(tables.newest(tables.checkpoints)).one_or_none()
        checkpoint = None if row is None else Checkpoint(*row)
        if checkpoint is None or checkpoint.seq != state.head.seq:
            at = max(timestamp(self._clock()), state.head.at)
            checkpoint = sign(key, seq=state.head.seq, entry_hash=state.head.hash, at=at)
            connection.execute(insert(tables.checkpoints), checkpoint.to_json())
        return checkpoint

    def verify(self, root: Path | None = None) -> Verification:
        """Check everything that can be checked.

        Parameters
        ----------
        root : Path, optional
            The workspace whose public key, checkpoint, run files and imports are looked at; the ledger's own when
            left out.

        Returns
        -------
        Verification
            Never an error for what is wrong with the records: that is its content.

        Raises
        ------
        StoreError
            If the connection to a server is lost.
        """
        with tables.store_errors(self._url):
            return verify(self._access.engine, root or self.root)

    def _set_up(self, opened: LedgerOpened, mirror: Checkpoint | None) -> None:
        if not tables.is_server(self._url):
            with tables.store_errors(self._url):
                sqlite.prepare(self._access.engine)
        self._write(lambda connection: self._begin(connection, opened, mirror))

    def _begin(self, connection: Connection, opened: LedgerOpened, mirror: Checkpoint | None) -> None:
        tables.create_tables(connection)
        if tables.newest_link(connection) is not None:
            hint = _("A ledger is never overwritten.")
            if tables.is_server(self._url):
                hint += " " + _("Each workspace needs a database of its own.")
            message = _("There is a ledger at {where} already.").format(where=tables.where(self._url))
            raise UsageError("ledger.exists", message, hint=hint)
        if mirror is not None:
            _cut_off(mirror.seq, 0)
        connection.execute(insert(tables.entries), seal(opened, None, self._clock())._asdict())

    def _write(self, work: Callable[[Connection], _T]) -> _T:
        self._refuse_older()
        with self._lock:
            return self._access.write(work, undone=self._forget)

    def _forget(self) -> None:
        """Forget what was folded in by a transaction that perhaps did not happen."""
        self._folded = None

    def _refuse_newer(self) -> None:
        if self._schema not in tables.SCHEMAS:
            raise StoreError(
                "ledger.newer",
                _(
                    "The ledger {where} is that of a newer version of Shinrai (tables {found}, known up to {known})."
                ).format(where=tables.where(self._url), found=self._schema, known=tables.SCHEMAS[-1]),
                hint=_("Update Shinrai."),
            )

    def _refuse_older(self) -> None:
        if self._schema != tables.SCHEMAS[-1]:
            raise StoreError(
                "ledger.outdated",
                _("The tables of the ledger {where} are those of an older version of Shinrai.").format(
                    where=tables.where(self._url)
                ),
                hint=_("The next command that writes, such as `shinrai plan`, brings them up to date."),
            )

    def _catch_up(self, connection: Connection) -> tuple[State, Link | None]:
        """Fold in what was written since, by whomever; give the state and the newest entry as it is stored."""
        state, before = self._folded or (State(), None)
        self._folded = None  # until all of it has been folded in
        page = _page(connection, before.seq - 1 if before else 0)
        if before is not None:
            if not page or page[0] != before:
                _cut_off(before.seq, page[-1].seq if page else 0)
            del page[0]
        while page:
            for link in page:
                entry = _sound(link, before)
                try:
                    fold(state, [entry])
                except KeyError as missing:
                    stop(reference_fault(entry, missing))
                before = link
            page = _page(connection, page[-1].seq)
        self._check_owner(state)
        if before is not None:
            self._folded = state, before
        return state, before

    def _check_owner(self, state: State) -> None:
        """Refuse to take another workspace's ledger for one's own: a server's address is easily copied.

        Raises
        ------
        UsageError
            If the key in the workspace is not the one that the ledger was opened with.
        """
        if self._owner_checked or state.opened is None or not (self.root / PUBLIC_KEY).is_file():
            return
        if public_hex(public_key(self.root)) != state.opened.public_key:
            raise UsageError(
                "ledger.other-workspace",
                _("The ledger {where} was opened by the workspace {name}, with another key than {path}.").format(
                    where=tables.where(self._url), name=state.opened.workspace, path=PUBLIC_KEY
                ),
                hint=_("Each workspace needs a store of its own; `shinrai verify` says what does not match."),
            )
        self._owner_checked = True

    def _check_mirror(self, connection: Connection) -> None:
        """Refuse to write on after entries were cut off: the next checkpoint would cover it up."""
        if self._mirror_checked:
            return
        mirror = read_mirror(self.root)
        if mirror is not None:
            link = self._link(connection, mirror.seq)
            if link is None or link.hash != mirror.hash:
                newest = tables.newest_link(connection)
                _cut_off(mirror.seq, newest.seq if newest else 0)
        self._mirror_checked = True

    @staticmethod
    def _link(connection: Connection, seq: int) -> Link | None:
        row = connection.execute(select(tables.entries).where(tables.entries.c.seq == seq)).one_or_none()
        return None if row is None else Link(*row)


def create(url: str, root: Path, workspace_id: Id) -> Ledger:
    """Set up a new ledger; see `Ledger.create`."""
    return Ledger.create(url, root, workspace_id)


def _page(connection: Connection, after: int, size: int = _PAGE) -> list[Link]:
    return [Link(*row) for row in connection.execute(tables.rows_after(after, size))]


def _sound(link: Link, before: Link | None) -> Entry:
    fault = find_fault(link, before)
    if fault is not None:
        stop(fault)
    return read_entry(link)


def _key_for_new_ledger(root: Path, key: Path | None) -> str:
    """Give the public key of the pair there is, or of a new one, as hexadecimal digits.

    Raises
    ------
    UsageError
        If the two keys there are do not belong together, or the private one is missing.
    """
    path = key or root / PRIVATE_KEY
    if not path.exists() and not (root / PUBLIC_KEY).exists():
        return make_key_pair(root)
    public = public_hex(public_key(root))
    if public_hex(private_key(path).public_key()) != public:
        raise UsageError(
            "ledger.other-key",
            _("The private key {path} does not belong to {public}.").format(path=path, public=PUBLIC_KEY),
            hint=_("Copy the key from where the ledger was set up."),
        )
    return public


def _no_ledger(url: str, root: Path) -> NoReturn:
    mirror = read_mirror(root)
    if mirror is not None:
        _cut_off(mirror.seq, 0)
    raise UsageError(
        "ledger.missing",
        _("There is no ledger at {url}.").format(url=url),
        hint=_("`shinrai init` sets one up."),
    )


def _empty() -> NoReturn:
    raise TamperedError(
        "ledger.empty",
        _("The ledger holds no entries, not even the one that opened it."),
        hint=_("Restore it from a backup."),
    )


def _cut_off(vouched: int, found: int) -> NoReturn:
    raise TamperedError(
        "ledger.cut-off",
        _(
            "{path} vouches for entry {vouched}, which the ledger no longer holds as it was (it ends at {found})."
        ).format(path=MIRROR, vouched=vouched, found=found),
        hint=_("Restore the ledger from a backup; run `shinrai verify` to see everything that is wrong."),
    )
