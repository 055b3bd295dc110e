"""Reading an archive that a stranger may have made: nothing is unpacked to disk, and nothing is read without a limit.

A small archive can hold a petabyte of zeros, one name twice, two names for the same bytes, or names that lead out of
the folder into which they are unpacked. Names are only compared here, never used as paths; sizes are counted while they
are read, not believed. Memory holds sixteen bytes a member while an archive is looked through, eight from then on, and
the one member that is read.
"""

from __future__ import annotations

import zlib
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path, PurePosixPath
from struct import Struct
from typing import BinaryIO, Final, NoReturn

import numpy as np

from shinrai.do.marks import Marks
from shinrai.do.refusing import refuse
from shinrai.do.zip_directory import Damaged, Member, end_of, members_of, shown
from shinrai.i18n import _

MAX_MEMBERS: Final = 2_000_000
MAX_MEMBER_BYTES: Final = 256 * 2**20
MAX_TOTAL_BYTES: Final = 64 * 2**30
MAX_RATIO: Final = 200
"""Times that a member of more than a megabyte may be larger than its packed form. Logs reach about 30."""

_STORED: Final = 0
_DEFLATED: Final = 8
_ZSTD: Final = 93
_FREE: Final = 2**20
_ENCRYPTED: Final = 0x2041  # the member, the member with a newer cipher, or the list
_LOCAL: Final = Struct("<4s5H3L2H")


class Archive:
    """An archive that was looked through and is read member by member.

    Parameters
    ----------
    path : Path
    file : BinaryIO
        Open, of the same file.

    Raises
    ------
    SourceError
        If there are too many members, one is there twice, a name leads out of the archive, or the archive is cut off or
        damaged.
    """

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._file = file
        self._total = 0
        try:
            self._where = end_of(file)
        except (Damaged, OSError) as error:
            self._refuse_damaged(path.name, error)
        if self._where.members > MAX_MEMBERS:
            message = _("the archive has {count:,} members").format(count=self._where.members)
            refuse("do.archive", path.name, message, expected=_("at most {count:,}").format(count=MAX_MEMBERS))
        offsets = array("Q")
        names = Marks()
        for member in self:
            self._require_inside(member.name)
            offsets.append(member.offset)
            names.add(member.name)
        self._require_once(names)
        np.frombuffer(offsets, dtype=np.uint64).sort()
        self._starts = offsets

    def __iter__(self) -> Iterator[Member]:
        """Go through the members, in the order of the archive.

        Raises
        ------
        SourceError
            If their list is damaged.
        """
        try:
            yield from members_of(self._path, self._where)
        except (Damaged, OSError) as error:
            self._refuse_damaged(self._path.name, error)

    def find(self, name: str) -> Member | None:
        """Give the member of a name, None where there is none."""
        return next((member for member in self if member.name == name), None)

    def _require_inside(self, name: str) -> None:
        if not (name.startswith("/") or ".." in name or ":" in name or "\\" in name):
            return
        parts = PurePosixPath(name.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or ":" in name.partition("/")[0]:
            message = _("a name in the archive leads out of it: {name}").format(name=shown(name))
            refuse("do.archive", self._path.name, message)

    def _require_once(self, names: Marks) -> None:
        twice = names.twice()
        if twice is not None:
            (again,) = islice(self, twice[0] - 1, twice[0])
            message = _("the archive holds {name} twice").format(name=shown(again.name))
            refuse("do.archive", self._path.name, message)

    def _refuse_damaged(self, file: str, reason: object) -> NoReturn:
        refuse(
            "do.archive",
            file,
            _("the archive is cut off or damaged: {reason}").format(reason=reason),
            hint=_("a run that was killed leaves its archive unfinished; repair it with: inspect log recover"),
        )

    def read(self, member: Member) -> bytes:
        """Read a member whole.

        Parameters
        ----------
        member : Member
            Of this archive.

        Returns
        -------
        bytes

        Raises
        ------
        SourceError
            If it is larger than 256 MiB, unpacks to more than 200 times its size, shares bytes with another, is
            damaged, encrypted, or packed in a way that cannot be read here.
        """
        file = f"{self._path.name}/{member.name}"
        if member.flags & _ENCRYPTED:
            refuse("do.archive", file, _("this member is encrypted"))
        limit = min(MAX_MEMBER_BYTES, max(_FREE, MAX_RATIO * member.packed), MAX_TOTAL_BYTES - self._total)
        if member.packed > limit:
            self._refuse_bomb(file, limit)
        try:
            content = _unpacked(member, self._packed(member), limit)
        except (Damaged, zlib.error, OSError) as error:
            self._refuse_damaged(file, error)
        if len(content) > limit:
            self._refuse_bomb(file, limit)
        if len(content) != member.size or zlib.crc32(content) != member.crc:
            self._refuse_damaged(file, _("its content is not what the list of members says"))
        self._total += len(content)
        return content

    def _refuse_bomb(self, file: str, limit: int) -> NoReturn:
        message = _("this member unpacks to more than {count:,} bytes").format(count=limit)
        refuse("do.archive-bomb", file, message, hint=_("an archive like this is made to do harm"))

    def _packed(self, member: Member) -> bytes:
        """Read the packed form of a member.

        Raises
        ------
        Damaged
            If another name or nothing stands where it should be, or it reaches into the next member.
        """
        self._file.seek(member.offset)
        head = self._file.read(_LOCAL.size)
        if len(head) < _LOCAL.size or head[:4] != b"PK\x03\x04":
            raise Damaged(_("it does not stand where the list of members says"))
        named, extra = _LOCAL.unpack(head)[9:]
        name = self._file.read(named + extra)[:named]
        if name not in {member.name.encode(), member.name.encode("cp437", "replace")}:
            raise Damaged(_("it does not stand where the list of members says"))
        after = bisect_right(self._starts, member.offset)
        free = self._starts[after] if after < len(self._starts) else self._where.start
        shared = after > 1 and self._starts[after - 2] == member.offset
        if shared or member.offset + _LOCAL.size + named + extra + member.packed > free:
            raise Damaged(_("it shares bytes with another member"))
        return self._file.read(member.packed)


def _unpacked(member: Member, packed: bytes, limit: int) -> bytes:
    """Unpack a member, but no more than a byte above the limit.

    Raises
    ------
    Damaged
        If it cannot be unpacked.
    """
    if member.method == _STORED:
        return packed
    if member.method == _DEFLATED:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, limit + 1)
    if member.method == _ZSTD:
        return _of_zstd(packed, limit)
    raise Damaged(_("it is packed by method {number}, which is not read here").format(number=member.method))


def _of_zstd(packed: bytes, limit: int) -> bytes:
    """Unpack zstd, which Python's own library knows from 3.14 on.

    Raises
    ------
    Damaged
        If it is none.
    """
    import zstandard  # noqa: PLC0415 - only for archives that need it

    try:
        with zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True) as reader:
            return bytes(reader.read(limit + 1))
    except zstandard.ZstdError as error:
        raise Damaged(str(error)) from error


@contextmanager
def reading(path: Path) -> Iterator[Archive]:
    """Open an archive for reading.

    Raises
    ------
    SourceError
        If it is cut off, damaged, or made to do harm.
    """
    with path.open("rb") as file:
        yield Archive(path, file)
