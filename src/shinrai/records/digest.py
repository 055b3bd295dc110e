"""Canonical JSON (RFC 8785) and the digests made from it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import rfc8785

_CHUNK = 1 << 20


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
