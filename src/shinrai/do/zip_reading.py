"""Reading an archive that a stranger may have made: nothing is unpacked to disk, and nothing is read without a limit.

A small archive can hold a petabyte of zeros, one name twice, or names that lead out of the folder into which they are
unpacked. Names are only compared here, never used as paths; sizes are counted while they are read, not believed.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Final

from shinrai.do.refusing import refuse
from shinrai.i18n import _

MAX_MEMBERS: Final = 2_000_000
MAX_MEMBER_BYTES: Final = 256 * 2**20
MAX_TOTAL_BYTES: Final = 64 * 2**30
MAX_RATIO: Final = 200
"""Times that a member of more than a megabyte may be larger than its packed form. Logs reach about 30."""

_ZSTD: Final = 93
_FREE: Final = 2**20


class Archive:
    """An archive that was looked through and is read member by member.

    Parameters
    ----------
    path : Path
    archive : ZipFile
        Open.

    Raises
    ------
    SourceError
        If there are too many members, one is there twice, or a name leads out of the archive.
    """

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self._path = path
        self._archive = archive
        self._total = 0
        infos = archive.infolist()
        if len(infos) > MAX_MEMBERS:
            message = _("the archive has {count:,} members").format(count=len(infos))
            refuse("do.archive", path.name, message, expected=_("at most {count:,}").format(count=MAX_MEMBERS))
        self._members: dict[str, zipfile.ZipInfo] = {}
        for info in infos:
            self._require_inside(info.filename)
            if info.filename in self._members:
                message = _("the archive holds {name} twice").format(name=repr(info.filename)[:100])
                refuse("do.archive", path.name, message)
            self._members[info.filename] = info

    def _require_inside(self, name: str) -> None:
        parts = PurePosixPath(name.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or ":" in name.partition("/")[0]:
            message = _("a name in the archive leads out of it: {name}").format(name=ascii(name)[:100])
            refuse("do.archive", self._path.name, message)

    @property
    def names(self) -> list[str]:
        """Names of the members, in the order of the archive."""
        return list(self._members)

    def read(self, name: str) -> bytes:
        """Read a member whole.

        Parameters
        ----------
        name : str
            One of `names`.

        Returns
        -------
        bytes

        Raises
        ------
        SourceError
            If it is larger than 256 MiB, unpacks to more than 200 times its size, is damaged, encrypted, or packed in
            a way that cannot be read here.
        """
        info = self._members[name]
        shown = f"{self._path.name}/{name}"
        if info.flag_bits & 1:
            refuse("do.archive", shown, _("this member is encrypted"))
        limit = min(MAX_MEMBER_BYTES, max(_FREE, MAX_RATIO * info.compress_size), MAX_TOTAL_BYTES - self._total)
        try:
            content = self._zstd(info, limit) if info.compress_type == _ZSTD else self._plain(info, limit)
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError) as error:
            message = _("the archive is cut off or damaged: {reason}").format(reason=error)
            refuse("do.archive", shown, message)
        if len(content) > limit:
            message = _("this member unpacks to more than {count:,} bytes").format(count=limit)
            refuse("do.archive-bomb", shown, message, hint=_("an archive like this is made to do harm"))
        self._total += len(content)
        return content

    def _plain(self, info: zipfile.ZipInfo, limit: int) -> bytes:
        with self._archive.open(info) as member:
            return member.read(limit + 1)

    def _zstd(self, info: zipfile.ZipInfo, limit: int) -> bytes:
        """Unpack a member that is packed with zstd, which Python's own reader knows from 3.14 on.

        Raises
        ------
        BadZipFile
            If the member is damaged.
        """
        import zstandard  # noqa: PLC0415 - only for archives that need it

        raw = self._archive.fp
        if raw is None:
            raise zipfile.BadZipFile("closed")
        raw.seek(info.header_offset)
        header = raw.read(30)
        if header[:4] != b"PK\x03\x04":
            raise zipfile.BadZipFile("no local header")
        raw.seek(int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little"), 1)
        packed = raw.read(info.compress_size)
        try:
            with zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True) as reader:
                content = bytes(reader.read(limit + 1))
        except zstandard.ZstdError as error:
            raise zipfile.BadZipFile(str(error)) from error
        if len(content) <= limit and zlib.crc32(content) != info.CRC:
            raise zipfile.BadZipFile("bad CRC-32")
        return content


@contextmanager
def reading(path: Path) -> Iterator[Archive]:
    """Open an archive for reading.

    Raises
    ------
    SourceError
        If it is cut off, damaged, or made to do harm.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        message = _("the archive is cut off or damaged: {reason}").format(reason=error)
        refuse("do.archive", path.name, message)
    with archive:
        yield Archive(path, archive)
