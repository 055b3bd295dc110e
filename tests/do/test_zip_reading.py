"""Archives that strangers made: read as Python's own reader reads them, or refused; memory does not grow with them."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shinrai.do import zip_reading
from shinrai.do.zip_reading import reading
from shinrai.errors import SourceError

Content = dict[str, bytes]
CONTENT: Content = {
    "header.json": b"{}",
    "samples/ä 問.json": b"abc" * 400,
    "samples/b.json": b"",
    "c": bytes(range(256)),
}


def packed(content: Content, kind: int = zipfile.ZIP_DEFLATED, *, large: bool = False, stream: bool = False) -> bytes:
    """Pack by Python's own writer; into what cannot be sought in, sizes follow the members."""
    into = Stream() if stream else io.BytesIO()
    with zipfile.ZipFile(into, "w", kind) as archive:
        for name, text in content.items():
            with archive.open(name, "w", force_zip64=large) as member:
                member.write(text)
    return into.getvalue()


class Stream(io.BytesIO):
    """What cannot be sought in, as a pipe."""

    def seek(self, _offset: int, _whence: int = 0) -> int:
        raise io.UnsupportedOperation

    def tell(self) -> int:
        raise io.UnsupportedOperation


def unpacked(path: Path) -> Content:
    with reading(path) as archive:
        return {member.name: archive.read(member) for member in archive}


def refused(path: Path) -> str:
    with pytest.raises(SourceError) as caught:
        unpacked(path)
    return str(caught.value)


@pytest.mark.parametrize("kind", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("stream", [False, True])
@settings(deadline=None, max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.dictionaries(st.from_regex(r"[a-zé問]{1,9}(\.json)?", fullmatch=True), st.binary(max_size=300)))
def test_what_python_packs_is_read_byte_by_byte(
    tmp_path: Path, kind: int, large: bool, stream: bool, content: Content
) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(packed(content, kind, large=large, stream=stream))
    assert unpacked(path) == content


@settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), stream=st.booleans())
def test_a_damaged_archive_is_refused_or_read_as_python_reads_it(
    tmp_path: Path, data: st.DataObject, stream: bool
) -> None:
    raw = bytearray(packed(CONTENT, stream=stream))
    for _turn in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "a.zip"
    path.write_bytes(raw[: data.draw(st.sampled_from([len(raw), len(raw) - 1, len(raw) // 2]))])
    try:
        found = unpacked(path)
    except SourceError:
        return
    with zipfile.ZipFile(path) as archive:
        names = {name.partition("\0")[0]: content for name, content in found.items()}
        assert {info.filename: archive.read(info) for info in archive.infolist()} == names


def in_64_bits(content: Content) -> bytes:
    """Pack as for more than 65,535 members: the end is written again with 64-bit numbers, the old one says nothing."""
    raw = packed(content)
    place = raw.rindex(b"PK\x05\x06")
    count, size, start = struct.unpack_from("<HLL", raw, place + 10)
    end = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, start)
    where = struct.pack("<4sLQL", b"PK\x06\x07", 0, place, 1)
    return raw[:place] + end + where + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, *[0xFFFF] * 2, *[2**32 - 1] * 2, 0)


def test_an_end_with_64_bit_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(in_64_bits(CONTENT))
    assert unpacked(path) == CONTENT
    path.write_bytes(in_64_bits(CONTENT).replace(b"PK\x06\x06\x2c", b"PK\x06\x06\x2d"))
    assert "not where it should be" in refused(path)


def _listed(raw: bytes, number: int) -> int:
    """Find a member in the list."""
    place = -1
    for _turn in range(number + 1):
        place = raw.index(b"PK\x01\x02", place + 1)
    return place


def _put(raw: bytes, place: int, form: str, value: int) -> bytes:
    return raw[:place] + struct.pack(form, value) + raw[place + struct.calcsize(form) :]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda raw: b"#!/bin/sh\n" + raw, "not where it should be"),
        (lambda raw: raw + b"more", "something follows its end"),
        (lambda raw: raw[:-30] + b"PK", "missing at the end"),
        (lambda raw: raw[:-30], "missing at the end"),
        (lambda raw: _put(raw, raw.rindex(b"PK\x05\x06") + 10, "<H", 1), "more members"),
        (lambda raw: _put(raw, raw.rindex(b"PK\x05\x06") + 10, "<H", 3), "breaks off"),
        (lambda raw: _put(raw, _listed(raw, 0) + 8, "<H", 1), "encrypted"),
        (lambda raw: _put(raw, _listed(raw, 0) + 10, "<H", 12), "method 12"),
        (lambda raw: _put(raw, _listed(raw, 0) + 16, "<L", 7), "not what the list of members says"),
        (lambda raw: _put(raw, _listed(raw, 0) + 24, "<L", 7), "not what the list of members says"),
        (lambda raw: _put(raw, _listed(raw, 0) + 20, "<L", 2**30), "contradicts itself"),
        (lambda raw: _put(raw, _listed(raw, 0) + 20, "<L", 2**32 - 1), "does not fit"),
        (lambda raw: _put(raw, _listed(raw, 0) + 20, "<L", 60), "shares bytes with another"),
        (lambda raw: raw.replace(b"aaa", b"ccc", 1), "does not stand where"),
    ],
)
def test_an_archive_with_two_readings_is_refused(tmp_path: Path, change: Callable[[bytes], bytes], said: str) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(change(packed({"aaa": b"first " * 9, "bbb": b"second"}, zipfile.ZIP_STORED)))
    assert said in refused(path)


def test_two_names_for_the_same_bytes_are_refused(tmp_path: Path) -> None:
    """The same bytes are one name in UTF-8 and another in code page 437."""
    raw = packed({"é": b"x", "bb": b"x"})
    raw = _put(raw, _listed(raw, 1) + 42, "<L", 0)
    head, found, tail = raw.rpartition(b"bb")
    assert found
    path = tmp_path / "a.zip"
    path.write_bytes(head + "é".encode() + tail)
    assert "shares bytes with another" in refused(path)


def test_too_many_members_are_refused_before_their_list_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zip_reading, "MAX_MEMBERS", 3)
    path = tmp_path / "a.zip"
    path.write_bytes(packed(CONTENT))
    assert "4 members" in refused(path)


def test_what_all_members_unpack_to_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_reading, "MAX_TOTAL_BYTES", 1_300)
    path = tmp_path / "a.zip"
    path.write_bytes(packed(CONTENT))
    assert "unpacks to more than" in refused(path)


def test_memory_does_not_hold_the_list_of_members(tmp_path: Path) -> None:
    count = 3_000
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(count):
            archive.writestr(f"samples/{number:0100}.json", b"")
    tracemalloc.start()
    try:
        with reading(path) as found:
            read = sum(len(found.read(member)) == 0 for member in found)
        _now, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert read == count
    assert most < 2**20 + 64 * count  # Python's own list of members takes a kilobyte for each
