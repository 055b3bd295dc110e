"""Canonical JSON (RFC 8785) and the digests made from it."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any, Final

import msgspec
import rfc8785

_CHUNK = 1 << 20
_ASTRAL: Final = (b"\xf0", b"\xf1", b"\xf2", b"\xf3", b"\xf4")
"""How characters beyond U+FFFF begin in UTF-8."""
_ZEROS: Final = bytes(ord("0") if chr(byte) in "0123456789" else byte for byte in range(256))
_LONG_INTEGER: Final = re.compile(rb"[\[,:]\s*-?[0-9]{16}")


def canonical(value: Any) -> bytes:  # noqa: ANN401 - any JSON value
    """Serialise a JSON value so that equal values have equal bytes.

    Parameters
    ----------
    value : JSON value
        Dicts with string keys, lists, strings, finite floats, integers within ±(2**53 - 1), booleans, None.

    Returns
    -------
    bytes
        UTF-8, keys sorted by UTF-16 code unit, no white space (RFC 8785).

    Raises
    ------
    rfc8785.CanonicalizationError
        For NaN, infinities, integers out of range and strings that are not valid Unicode.
    """
    return rfc8785.dumps(value)


def canonical_text(text: bytes) -> bytes:
    """Rewrite JSON text in canonical form: what `canonical` makes of the value in it, many times faster.

    msgspec reads and writes the text, with keys sorted. What it does otherwise than RFC 8785 is mended or, where it is
    rare, left to `canonical`: floats that are integers (``1.0``) or have a positive exponent; integers beyond
    doubles; keys with characters beyond U+FFFF, whose order by code point is another than that by UTF-16 code unit.

    Parameters
    ----------
    text : bytes
        JSON in UTF-8.

    Returns
    -------
    bytes
        As `canonical`.

    Raises
    ------
    rfc8785.CanonicalizationError
        As `canonical`: NaN, numbers that are infinite as doubles, integers out of range, half characters.
    ValueError
        If it is not JSON.
    RecursionError
        If it is nested too deeply.
    """
    floats: list[str] = []
    try:
        written = _write(_read(text))
        msgspec.json.Decoder(float_hook=floats.append).decode(written)
    except msgspec.DecodeError:
        return canonical(json.loads(text))  # says what is wrong
    plain = _with_plain_floats(written, "".join([f"{number}," for number in floats]))
    if plain is None or has_long_integer(plain) or not (plain.isascii() or not any(lead in plain for lead in _ASTRAL)):
        return canonical(json.loads(text))
    return plain


def _with_plain_floats(written: bytes, floats: str) -> bytes | None:
    """Write 1.0 as 1; None where that cannot be done by replacing text, or another float is not as it should be."""
    if "-0.0," in floats or "e-6," in floats or "e" in floats.replace("e-", ""):
        return None
    wanted = floats.count(".0,")
    if wanted != sum(written.count(b".0" + end) for end in (b",", b"}", b"]")):
        return None  # a string looks like one
    if wanted:
        for end in (b",", b"}", b"]"):
            written = written.replace(b".0" + end, end)
    return written


def has_long_integer(text: bytes) -> bool:
    """Tell whether JSON text may hold an integer of more than 15 digits, which a double may not hold.

    A string may look like one: True is no proof.
    """
    # The first test is quick, and few texts fail it.
    return b"0000000000000000" in text.translate(_ZEROS) and _LONG_INTEGER.search(b":" + text) is not None


_read = msgspec.json.Decoder().decode
_write = msgspec.json.Encoder(order="sorted").encode


def digest(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Give the SHA-256 of a value's canonical JSON, as ``sha256:<64 hex digits>``."""
    return digest_bytes(canonical(value))


def digest_bytes(data: bytes) -> str:
    """Give the SHA-256 of bytes, as ``sha256:<64 hex digits>``."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def digest_file(path: Path) -> str:
    """Give the SHA-256 of a file's bytes, as ``sha256:<64 hex digits>``; large files are read in pieces."""
    total = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            total.update(piece)
    return f"sha256:{total.hexdigest()}"
