"""Checks the whole record: the chain, the files it names, and the signatures under it.

What it can show: no entry up to the newest checkpoint was changed, removed, inserted or moved since that checkpoint
was signed; no file that an entry fixed was changed since. What it cannot show: that entries written after the newest
checkpoint were not cut off, and, to somebody who does not trust the holder of the private key, that the whole was
not written anew; for that, compare the head with one that was printed or sent out earlier.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, Engine, select

from shinrai.errors import TamperedError
from shinrai.i18n import _
from shinrai.ledger import tables
from shinrai.ledger.chain import (
    Fault,
    Link,
    find_fault,
    is_canonical,
    payload_fault,
    read_payload,
    reference_fault,
)
from shinrai.ledger.checkpoint import MIRROR, Checkpoint, read_mirror
from shinrai.ledger.keys import PUBLIC_KEY, public_hex, public_key
from shinrai.ledger.projection import Entry, State, fold
from shinrai.records import (
    Answer,
    Attestation,
    Committed,
    Compared,
    DesignRegistered,
    Digest,
    EvidenceBrought,
    Import,
    Json,
    Judged,
    Labels,
    LedgerOpened,
    ObservedTable,
    Payload,
    Ruled,
    RunFinished,
    SystemRecorded,
    Withdrawn,
    digest_file,
)

SELF_CONTAINED: Final = (
    SystemRecorded,
    Ruled,
    Committed,
    Withdrawn,
    DesignRegistered,
    EvidenceBrought,
    Judged,
    Compared,
)
"""Kinds that name nothing which an entry before them must have begun. Verification need not remember them, so that its
memory does not grow with the ledger.
"""


@dataclass(frozen=True, slots=True)
class Verification:
    """What a check of the whole ledger found.

    Parameters
    ----------
    faults : tuple of Fault
        In the order of the entries they belong to; empty if everything is in order.
    entries, files, checkpoints : int
        How many were checked: entries; run files and kept copies of what was brought; signatures.
    head : Digest or None
        Hash of the newest entry, as stored.
    signed_until : int
        The newest entry that a valid checkpoint covers; 0 for none.
    clock_set_back : tuple of int
        Entries written while the wall clock stood before the entry before them. Not a fault.
    not_yet_fixed : tuple of str
        Files of runs that have not finished, relative to the workspace: their digests are not in the ledger yet. Not
        a fault.
    """

    faults: tuple[Fault, ...] = ()
    entries: int = 0
    files: int = 0
    checkpoints: int = 0
    head: Digest | None = None
    signed_until: int = 0
    clock_set_back: tuple[int, ...] = ()
    not_yet_fixed: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether everything that was checked is in order."""
        return not self.faults

    @property
    def first(self) -> Fault | None:
        """The first bad record."""
        return self.faults[0] if self.faults else None

    def to_json(self) -> dict[str, Json]:
        """Give the result as plain JSON values, with ``ok`` beside the fields."""
        return {"ok": self.ok, **asdict(self)}

    def summary(self) -> str:
        """Say in words what was checked and, where something is wrong, what comes first."""
        if self.first is None:
            lines = [
                _("everything matches: {entries} entries, {files} files, {checkpoints} signatures").format(
                    entries=self.entries, files=self.files, checkpoints=self.checkpoints
                ),
                _("signed up to entry {seq}").format(seq=self.signed_until),
            ]
        else:
            lines = [
                self.first.message,
                _("  expected: {expected}").format(expected=self.first.expected),
                _("  found:    {found}").format(found=self.first.found),
            ]
            if len(self.faults) > 1:
                lines.append(_("and {count} more").format(count=len(self.faults) - 1))
        if self.clock_set_back:
            seqs = ", ".join(map(str, self.clock_set_back))
            lines.append(_("written while the clock had been set back: entries {seqs}").format(seqs=seqs))
        if self.not_yet_fixed:
            lines.append(
                _("not yet fixed, their run has not ended: {files}").format(files=", ".join(self.not_yet_fixed))
            )
        return "\n".join(lines)

    def require(self) -> None:
        """Stop where something is wrong.

        Raises
        ------
        TamperedError
            Naming the first bad record.
        """
        if self.faults:
            fault = self.faults[0]
            raise TamperedError(
                f"ledger.{fault.code}",
                _("{message} (expected {expected}, found {found}).").format(
                    message=fault.message, expected=fault.expected, found=fault.found
                ),
            )


@dataclass(slots=True)
class _Walk:
    """What has been seen of the chain so far."""

    root: Path
    faults: list[Fault] = field(default_factory=list)
    entries: int = 0
    files: int = 0
    head: Digest | None = None
    state: State = field(default_factory=State)
    clock_set_back: list[int] = field(default_factory=list)
    wanted: dict[int, str | None] = field(default_factory=dict)
    digests: dict[str, Digest | None] = field(default_factory=dict)


def verify(engine: Engine, root: Path) -> Verification:
    """Check every link, hash, payload, file and signature of a ledger.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        From `shinrai.ledger.tables.connect`.
    root : Path
        The workspace.

    Returns
    -------
    Verification

    Raises
    ------
    DATABASE_ERRORS
        If the connection to a server is lost, which says nothing about the records.
    """
    walk = _Walk(root)
    # Before the table: a checkpoint signed in between then makes the table the newer of the two, which is harmless.
    mirror = _mirror(walk)
    checkpoints: list[Checkpoint] = []
    in_order = select(tables.checkpoints).order_by(tables.checkpoints.c.seq)
    try:
        with engine.begin() as connection:
            checkpoints = [Checkpoint(*row) for row in connection.execute(in_order)]
            walk.wanted = dict.fromkeys(item.seq for item in (*checkpoints, *([mirror] if mirror else [])))
            for link, before in _pairs(connection):
                _link(walk, link, before)
    except tables.DATABASE_ERRORS as error:
        if tables.is_lost(error):
            raise
        message = _("The database cannot be read to its end")
        walk.faults.append(Fault(walk.entries + 1, None, "store", message, _("a whole database"), str(error)[:500]))
    signed_until = _signatures(walk, checkpoints, mirror)
    return Verification(
        faults=tuple(sorted(walk.faults, key=lambda fault: fault.seq)),
        entries=walk.entries,
        files=walk.files,
        checkpoints=len(checkpoints),
        head=walk.head,
        signed_until=signed_until,
        clock_set_back=tuple(walk.clock_set_back),
        not_yet_fixed=tuple(_not_yet_fixed(walk)),
    )


def _mirror(walk: _Walk) -> Checkpoint | None:
    try:
        return read_mirror(walk.root)
    except TamperedError as error:
        walk.faults.append(
            Fault(0, "checkpoint", "checkpoint", error.message, _("the newest checkpoint"), _("something else"))
        )
        return None


def _pairs(connection: Connection) -> Iterator[tuple[Link, Link | None]]:
    """Give each entry with the one before it, as stored."""
    rows = connection.execution_options(yield_per=1_000).execute(select(tables.entries).order_by(tables.entries.c.seq))
    before: Link | None = None
    for row in rows:
        link = Link(*row)
        yield link, before
        before = link


def _link(walk: _Walk, link: Link, before: Link | None) -> None:
    walk.entries += 1
    walk.head = str(link.hash)  # a damaged file can hold anything
    if link.seq in walk.wanted:
        walk.wanted[link.seq] = walk.head
    if link.clock is not None:
        walk.clock_set_back.append(link.seq)
    fault = find_fault(link, before)
    if fault is not None:
        walk.faults.append(fault)
        return
    try:
        payload = read_payload(link.payload)
    except (ValueError, RecursionError) as error:
        walk.faults.append(payload_fault(link, error))
        return
    if not is_canonical(link.payload):
        message = _("The contents of entry {seq} are not in canonical form").format(seq=link.seq)
        found = ascii(link.payload[:200])
        walk.faults.append(Fault(link.seq, payload.kind, "canonical", message, "RFC 8785", found))
    if not isinstance(payload, SELF_CONTAINED):
        _fold(walk, Entry(link.seq, link.at, link.previous, link.hash, payload, link.clock))
    _payload(walk, link.seq, payload)


def _fold(walk: _Walk, entry: Entry) -> None:
    try:
        fold(walk.state, [entry])
    except KeyError as missing:
        walk.faults.append(reference_fault(entry, missing))


def _payload(walk: _Walk, seq: int, payload: Payload) -> None:
    if isinstance(payload, LedgerOpened) != (seq == 1):
        message = _("The first entry, and only the first, opens the ledger: entry {seq} is out of order")
        walk.faults.append(
            Fault(
                seq,
                payload.kind,
                "order",
                message.format(seq=seq),
                "ledger-opened" if seq == 1 else _("another kind"),
                payload.kind,
            )
        )
    match payload:
        case RunFinished(files=files):
            for name, expected in files.items():
                _file(walk, seq, payload.kind, name, expected)
        case (
            EvidenceBrought(evidence=Import(file=name, file_digest=expected))
            | EvidenceBrought(evidence=Attestation(file=name, file_digest=expected))
            | EvidenceBrought(evidence=Answer(file=str() as name, file_digest=str() as expected))
            | EvidenceBrought(evidence=ObservedTable(file=name, file_digest=expected))
            | EvidenceBrought(evidence=Labels(file=name, file_digest=expected))
        ):
            _file(walk, seq, payload.kind, name, expected)
        case _:
            pass


def _file(walk: _Walk, seq: int, kind: str, name: str, expected: Digest) -> None:
    walk.files += 1
    inside, shown = PurePosixPath(name), name if name.isprintable() else ascii(name)
    if inside.is_absolute() or ".." in inside.parts:
        message = _("Entry {seq} names the file {name}, which is outside the workspace").format(seq=seq, name=shown)
        walk.faults.append(Fault(seq, kind, "file", message, expected, shown))
        return
    if name not in walk.digests:
        walk.digests[name] = _digest(walk.root / inside)
    found = walk.digests[name]
    if found is None:
        message = _("The file {name}, which entry {seq} fixed, is missing").format(seq=seq, name=shown)
        walk.faults.append(Fault(seq, kind, "file", message, expected, _("no such file")))
    elif found != expected:
        message = _("The file {name} has been changed since entry {seq} fixed it").format(seq=seq, name=shown)
        walk.faults.append(Fault(seq, kind, "file", message, expected, found))


def _digest(path: Path) -> Digest | None:
    """Give a file's digest; None where there is no such file. One that cannot be read is said to be so."""
    try:
        return digest_file(path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:  # ValueError: no name that a file could have
        return str(error)


def _signatures(walk: _Walk, checkpoints: list[Checkpoint], mirror: Checkpoint | None) -> int:
    """Check all signatures; give the newest entry that a good one covers."""
    try:
        key = public_key(walk.root)
    except TamperedError as error:
        walk.faults.append(Fault(0, None, "key", error.message, PUBLIC_KEY.name, _("no key")))
        return 0
    found = public_hex(key)
    opened = walk.state.opened
    if opened is not None and opened.public_key != found:
        message = _("{path} is not the key that this ledger was opened with").format(path=PUBLIC_KEY)
        walk.faults.append(Fault(1, opened.kind, "key", message, opened.public_key, found))
    good = [item.seq for item in checkpoints if _good(walk, item, key)]
    _beside(walk, checkpoints, mirror, key)
    return max(good, default=0)


def _good(walk: _Walk, item: Checkpoint, key: Ed25519PublicKey) -> bool:
    if not item.signed_by(key):
        message = _("The checkpoint of entry {seq} is not signed with {path}").format(seq=item.seq, path=PUBLIC_KEY)
        expected = _("a signature by the key in {path}").format(path=PUBLIC_KEY)
        walk.faults.append(Fault(item.seq, "checkpoint", "signature", message, expected, str(item.signature)))
        return False
    found = walk.wanted.get(item.seq)
    if found == item.hash:
        return True
    if found is None:
        message = _("The entries up to {seq}, which a checkpoint vouches for, are no longer all there")
        code, shown = "cut-off", _("{count} entries").format(count=walk.entries)
    else:
        message = _("Entry {seq} is not the one that its checkpoint vouches for")
        code, shown = "checkpoint", found
    walk.faults.append(Fault(item.seq, "checkpoint", code, message.format(seq=item.seq), item.hash, shown))
    return False


def _beside(walk: _Walk, checkpoints: list[Checkpoint], mirror: Checkpoint | None, key: Ed25519PublicKey) -> None:
    """Check the copy of the newest checkpoint that is kept beside the database."""
    newest = max((item.seq for item in checkpoints), default=0)
    if mirror is None:
        if not any(fault.kind == "checkpoint" and fault.seq == 0 for fault in walk.faults):
            message = _("{path} is missing: entries cut off the end would not be seen").format(path=MIRROR)
            expected = _("the checkpoint of entry {seq}").format(seq=newest)
            walk.faults.append(Fault(newest, "checkpoint", "checkpoint", message, expected, _("no such file")))
        return
    if mirror in checkpoints:
        return
    if _good(walk, mirror, key) and mirror.seq > newest:
        message = _("The checkpoint of entry {seq}, which {path} holds, is no longer in the ledger")
        walk.faults.append(
            Fault(
                mirror.seq,
                "checkpoint",
                "checkpoint",
                message.format(seq=mirror.seq, path=MIRROR),
                str(mirror.seq),
                str(newest),
            )
        )


def _not_yet_fixed(walk: _Walk) -> Iterator[str]:
    for run in walk.state.runs.values():
        if run.finished is not None:
            continue
        for path in sorted((walk.root / run.started.directory).rglob("*")):
            if path.is_file():
                yield path.relative_to(walk.root).as_posix()
