"""The chain: how a payload becomes a link, and what makes a link sound. No store, no clock, no files.

A link's hash is the SHA-256 of the canonical JSON (RFC 8785) of ::

    {"at": …, "clock": …, "payload": {…}, "previous": …, "seq": …}

where ``clock`` is only there if the wall clock stood before ``at`` when the link was made, and ``previous`` is the
hash of the link before (64 zeros for the first). Anybody can check a chain with a JSON library and SHA-256.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Final, NamedTuple, NoReturn

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError
from rfc8785 import CanonicalizationError

from shinrai.errors import StoreError, TamperedError
from shinrai.i18n import _
from shinrai.ledger.projection import Entry
from shinrai.records import Json, Payload, canonical, canonical_text, digest_bytes, has_long_integer

FIRST: Final = f"sha256:{'0' * 64}"
"""What the first link gives as the hash of the link before."""

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_KIND = re.compile(r"[a-z-]{1,40}", re.ASCII)
_SAFE_INTEGER = 2**53 - 1


class Link(NamedTuple):
    """One row of the table of entries, as stored.

    Parameters
    ----------
    seq : int
        1, 2, 3 …
    at : str
        UTC, ISO 8601 with milliseconds and ``Z``; never earlier than that of the link before.
    clock : str or None
        What the wall clock said, where that was earlier than ``at``.
    previous : str
        Hash of the link before.
    payload : str
        Canonical JSON.
    hash : str
        ``sha256:`` and 64 hexadecimal digits.
    """

    seq: int
    at: str
    clock: str | None
    previous: str
    payload: str
    hash: str


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not as the ledger says.

    Parameters
    ----------
    seq : int
        The entry it belongs to; 0 for what belongs to the ledger as a whole.
    kind : str or None
        The entry's kind of payload, ``"checkpoint"`` for a signature; None where it cannot be told.
    code : str
        ``gap``, ``shape``, ``link``, ``hash``, ``time``, ``canonical``, ``payload``, ``order``, ``reference``
        (entries) · ``file``
        (files they name) · ``checkpoint``, ``signature``, ``cut-off`` (checkpoints) · ``key`` · ``store``.
    message : str
        What is wrong, in one sentence.
    expected, found : str
        What the record should have been, and what it is.
    """

    seq: int
    kind: str | None
    code: str
    message: str
    expected: str
    found: str


def timestamp(moment: datetime) -> str:
    """Write a moment as UTC with milliseconds, so that the order of the texts is the order of the moments."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def link_hash(link: Link) -> str:
    """Compute the hash that a link must carry.

    The canonical JSON of the whole is put together around the payload's own canonical JSON: the keys are in RFC 8785
    order as they stand, and times and hashes need no escaping (`find_fault` looks at their shape first).
    """
    clock = "" if link.clock is None else f'"clock":"{link.clock}",'
    text = f'{{"at":"{link.at}",{clock}"payload":{link.payload},"previous":"{link.previous}","seq":{link.seq}}}'
    return digest_bytes(text.encode("utf-8", "surrogatepass"))


def seal(payload: Payload, before: Link | None, now: datetime) -> Link:
    """Make the next link of a chain.

    Parameters
    ----------
    payload : Payload
        What to record.
    before : Link or None
        The newest link; None for the first.
    now : datetime
        The wall clock, with its time zone. Where it stands before the newest link's time, that time is kept and the
        wall clock recorded beside it.

    Returns
    -------
    Link

    Raises
    ------
    StoreError
        If the payload holds something that JSON has no exact form for.
    """
    try:
        text = payload.canonical().decode()
    except (ValueError, PydanticSerializationError) as error:
        raise StoreError(
            "ledger.not-json",
            _("A record of kind {kind} cannot be kept as JSON: {reason}").format(kind=payload.kind, reason=error),
        ) from error
    clock = timestamp(now)
    seq, at, previous = (before.seq + 1, max(clock, before.at), before.hash) if before else (1, clock, FIRST)
    link = Link(seq, at, clock if clock < at else None, previous, text, "")
    return link._replace(hash=link_hash(link))


def read_json(text: str) -> Json:
    """Read JSON as RFC 8785 means it: numbers are doubles, so integers beyond ±(2**53 - 1) are floats.

    Raises
    ------
    ValueError
        If it is not JSON, or holds NaN or an infinity.
    """
    return json.loads(text, parse_int=_number, parse_constant=_refuse)


def _number(digits: str) -> int | float:
    # int() of a very long text is slow and refused by Python itself; a double has at most 309 digits.
    value = float(digits)
    return int(digits) if abs(value) <= _SAFE_INTEGER else value


def _refuse(name: str) -> Json:
    raise ValueError(f"{name} is not JSON")


def is_canonical(text: str) -> bool:
    """Tell whether a text is canonical JSON."""
    try:
        data = text.encode()
        try:
            return canonical_text(data) == data
        except CanonicalizationError:
            return canonical(read_json(text)) == data  # a long integer is a double here
    except (ValueError, RecursionError):
        return False


@cache
def _payloads() -> TypeAdapter[Payload]:
    return TypeAdapter(Payload)


def read_payload(text: str) -> Payload:
    """Read and validate a payload.

    Parameters
    ----------
    text : str
        JSON, canonical or not.

    Raises
    ------
    ValueError
        If it is not JSON, or none of the kinds of `shinrai.records.Payload`.
    RecursionError
        If it is nested too deeply.
    """
    # pydantic's own reader is fast, but reads NaN, integers beyond doubles and escapes of half a character in its own
    # way. False alarms cost time and nothing else.
    if "NaN" in text or "Infinity" in text or "\\u" in text or has_long_integer(text.encode("utf-8", "replace")):
        return _payloads().validate_python(read_json(text))
    return _payloads().validate_json(text)


def read_entry(link: Link) -> Entry:
    """Give a sound link as an entry, its payload validated.

    Raises
    ------
    TamperedError
        If the payload is not one that this version of Shinrai knows.
    """
    try:
        payload = read_payload(link.payload)
    except (ValueError, RecursionError) as error:
        stop(payload_fault(link, error))
    return Entry(link.seq, link.at, link.previous, link.hash, payload, link.clock)


def find_fault(link: Link, before: Link | None) -> Fault | None:
    """Check a link's place, shape, connection, hash and time, in this order. Its payload is not read.

    Parameters
    ----------
    link : Link
        As stored.
    before : Link or None
        The link before, as stored; None for the first.

    Returns
    -------
    Fault or None
        The first thing that is wrong.
    """
    seq, previous, earliest = (before.seq + 1, before.hash, before.at) if before else (1, FIRST, "")
    if link.seq != seq:
        message = _("Entry {found} stands where entry {seq} should")
        return _fault(link, "gap", message.format(found=link.seq, seq=seq), str(seq), str(link.seq))
    misshapen = _misshapen(link)
    if misshapen is not None:
        message = _("A field of entry {seq} does not have the form in which it was written")
        return _fault(link, "shape", message.format(seq=seq), *misshapen)
    if link.previous != previous:
        message = _("Entry {seq} does not follow from the entry before it")
        return _fault(link, "link", message.format(seq=seq), previous, link.previous)
    computed = link_hash(link)
    if link.hash != computed:
        message = _("Entry {seq} has been changed: its contents do not have the hash that it carries")
        return _fault(link, "hash", message.format(seq=seq), link.hash, computed)
    # A damaged file can hold anything in the entry before; that is that entry's fault, not this one's.
    if (isinstance(earliest, str) and link.at < earliest) or (link.clock is not None and link.clock >= link.at):
        message = _("The time of entry {seq} is not in order")
        return _fault(link, "time", message.format(seq=seq), f">= {earliest}", f"{link.at} ({link.clock})")
    return None


def _fault(link: Link, code: str, message: str, expected: str, found: str) -> Fault:
    # In a damaged file even a hash may be something else than text.
    return Fault(link.seq, kind_of(link), code, message, str(expected), str(found))


def _misshapen(link: Link) -> tuple[str, str] | None:
    """Look for a column that was not written by `seal`: (what was expected, what was found)."""
    for value, form in ((link.at, _TIME), (link.clock, _TIME), (link.previous, _DIGEST), (link.hash, _DIGEST)):
        if value is None and value is link.clock:
            continue
        if not isinstance(value, str) or form.fullmatch(value) is None:
            return form.pattern, repr(value)[:200]
    return None if isinstance(link.payload, str) else ("JSON", type(link.payload).__name__)


def payload_fault(link: Link, error: Exception) -> Fault:
    """Say that a link's payload cannot be read."""
    message = _("The contents of entry {seq} are not a record that this version of Shinrai knows").format(seq=link.seq)
    found = "; ".join(item["msg"] for item in error.errors()) if isinstance(error, ValidationError) else str(error)
    return Fault(link.seq, kind_of(link), "payload", message, _("a record of a known kind"), found[:500])


def reference_fault(entry: Entry, missing: KeyError) -> Fault:
    """Say that an entry names a run or a finding that no entry before it began."""
    message = _("Entry {seq} names {name}, which no entry before it began").format(seq=entry.seq, name=missing)
    return Fault(entry.seq, entry.payload.kind, "reference", message, _("an entry that begins it"), _("none"))


def kind_of(link: Link) -> str | None:
    """Tell the kind of payload as far as it can be read, for messages about broken links."""
    try:
        value = read_json(link.payload)
    except (ValueError, TypeError, RecursionError):
        return None
    kind = value.get("kind") if isinstance(value, dict) else None
    return kind if isinstance(kind, str) and _KIND.fullmatch(kind) else None


def stop(fault: Fault) -> NoReturn:
    """Stop work on a ledger that does not add up.

    Raises
    ------
    TamperedError
        Always, with what is wrong.
    """
    message = _("{message} (expected {expected}, found {found}).").format(
        message=fault.message, expected=fault.expected, found=fault.found
    )
    raise TamperedError("ledger.broken-chain", message, hint=_("Run `shinrai verify` to see everything that is wrong."))
