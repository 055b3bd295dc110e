"""The list of members at the end of a ZIP archive, read as a stream: memory does not grow with what a member says.

As PKWARE's APPNOTE.TXT 6.3.10 describes it (sections 4.3.7, 4.3.12, 4.3.14 to 4.3.16, 4.5.3), with 64-bit sizes and
offsets. Stricter than most readers: list and end have to stand where they say and fill the rest of the file, so that
there is one reading of an archive and not two.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from struct import Struct
from typing import BinaryIO, Final, NamedTuple

from shinrai.i18n import _

__all__ = ["Damaged", "Directory", "Member", "end_of", "members_of"]

_END: Final = Struct("<4s4H2LH")
_END_64: Final = Struct("<4sQ2H2L4Q")
_WHERE_64: Final = Struct("<4sLQL")
_ENTRY: Final = Struct("<4s6H3L5H2L")
_LONGEST_COMMENT: Final = 2**16 - 1
_IN_64_BITS: Final = 2**32 - 1
_UTF_8: Final = 0x800
_BUFFER: Final = 2**18


class Damaged(Exception):  # noqa: N818 - says what an archive is; the reader makes the message of it
    """An archive is not as it has to be, and how."""


class Directory(NamedTuple):
    """Where the list of members stands, from which byte to which, and how many there are."""

    start: int
    end: int
    members: int


class Member(NamedTuple):
    """A member as the list has it; sizes and offset in bytes, method and flags as numbered in the format."""

    name: str
    offset: int
    packed: int
    size: int
    crc: int
    method: int
    flags: int


def end_of(file: BinaryIO) -> Directory:
    """Find the list of members from the end of an archive.

    Raises
    ------
    Damaged
        If there is none, or it does not end where the end begins.
    """
    length = file.seek(0, 2)
    back = min(length, _END.size + _LONGEST_COMMENT)
    file.seek(length - back)
    tail = file.read(back)
    place = tail.rfind(b"PK\x05\x06")
    if place < 0 or len(tail) - place < _END.size:
        raise Damaged(_("the list of its members is missing at the end"))
    _sign, _disk, _first, _here, count, size, start, comment = _END.unpack_from(tail, place)
    end = length - back + place
    if place + _END.size + comment != len(tail):
        raise Damaged(_("something follows its end"))
    if (count, size, start) == (0, 0, 0) or _IN_64_BITS in {size, start} or count == 2**16 - 1:
        found = _end_64(file, end)
        if found is not None:
            return found
    if start + size != end:
        raise Damaged(_("the list of its members is not where it should be"))
    return Directory(start, end, count)


def _end_64(file: BinaryIO, before: int) -> Directory | None:
    """Read the end record with 64-bit numbers; None where the archive has none.

    Raises
    ------
    Damaged
        If it does not stand where it should.
    """
    file.seek(max(0, before - _WHERE_64.size))
    found = file.read(_WHERE_64.size)
    if len(found) < _WHERE_64.size or found[:4] != b"PK\x06\x07":
        return None
    _sign, _disk, place, _disks = _WHERE_64.unpack(found)
    if place + _END_64.size > before - _WHERE_64.size:
        raise Damaged(_("the list of its members is not where it should be"))
    file.seek(place)
    record = _END_64.unpack(file.read(_END_64.size))
    size, start = record[8], record[9]
    if record[0] != b"PK\x06\x06" or place + 12 + record[1] != before - _WHERE_64.size or start + size != place:
        raise Damaged(_("the list of its members is not where it should be"))
    return Directory(start, place, record[7])


def members_of(path: Path, where: Directory) -> Iterator[Member]:
    """Give the members one by one, in the order of the list.

    Raises
    ------
    Damaged
        If the list does not hold what its end says.
    """
    with path.open("rb", buffering=_BUFFER) as file:
        file.seek(where.start)
        place = where.start
        for _number in range(where.members):
            member, length = _entry(file)
            place += length
            if place > where.end or member.offset + member.packed > where.start:
                raise Damaged(_("the list of its members contradicts itself at {name}").format(name=shown(member.name)))
            yield member
    if place != where.end:
        raise Damaged(_("the list has more members than its end says"))


def _entry(file: BinaryIO) -> tuple[Member, int]:
    head = file.read(_ENTRY.size)
    if len(head) < _ENTRY.size or head[:4] != b"PK\x01\x02":
        raise Damaged(_("the list of its members breaks off"))
    entry = _ENTRY.unpack(head)
    flags, method, crc, packed, size = entry[3], entry[4], entry[7], entry[8], entry[9]
    named, extra, comment = entry[10:13]
    rest = file.read(named + extra + comment)
    if len(rest) < named + extra + comment:
        raise Damaged(_("the list of its members breaks off"))
    try:
        name = rest[:named].decode("utf-8" if flags & _UTF_8 else "cp437")
    except UnicodeDecodeError as error:
        raise Damaged(_("a name in it is not in UTF-8")) from error
    size, packed, offset = _in_64_bits([size, packed, entry[16]], rest[named : named + extra])
    return Member(name, offset, packed, size, crc, method, flags), _ENTRY.size + len(rest)


def _in_64_bits(numbers: list[int], extra: bytes) -> list[int]:
    """Put the 64-bit numbers of the extra field in for those that do not fit into 32.

    Raises
    ------
    Damaged
        If they are not there.
    """
    if _IN_64_BITS not in numbers:
        return numbers
    place = 0
    while place + 4 <= len(extra):
        kind = int.from_bytes(extra[place : place + 2], "little")
        length = int.from_bytes(extra[place + 2 : place + 4], "little")
        if kind == 1:
            field = extra[place + 4 : place + 4 + length]
            large = [number for number, value in enumerate(numbers) if value == _IN_64_BITS]
            if len(field) < 8 * len(large):
                break
            for order, number in enumerate(large):
                numbers[number] = int.from_bytes(field[8 * order : 8 * order + 8], "little")
            return numbers
        place += 4 + length
    raise Damaged(_("a size in it does not fit"))


def shown(name: str) -> str:
    """Give a name that a stranger chose as it can be printed."""
    return ascii(name)[:100]
