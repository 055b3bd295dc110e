"""Checkpoints: the newest hash, signed. Who holds one can tell later whether the chain before it was touched.

They are kept in a table of their own. The newest is kept in ``.shinrai/checkpoint.json`` as well, so that cutting
entries off the end of the table does not go unseen.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, NoReturn

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shinrai.errors import StoreError, TamperedError
from shinrai.i18n import _
from shinrai.ledger.keys import signature_fits
from shinrai.records import Json, canonical

MIRROR: Final = Path(".shinrai/checkpoint.json")
"""Where the newest checkpoint is kept beside the table, relative to the workspace."""

_SIGNATURE = re.compile(r"[0-9a-f]{128}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signature under the chain as it stood after an entry.

    Parameters
    ----------
    seq : int
        The entry.
    hash : str
        The entry's hash.
    at : str
        When it was signed: UTC, ISO 8601 with milliseconds and ``Z``.
    signature : str
        Ed25519, 128 hexadecimal digits, over the canonical JSON of
        ``{"at": …, "hash": …, "seq": …, "type": "shinrai-checkpoint-1"}``.
    """

    seq: int
    hash: str
    at: str
    signature: str

    def to_json(self) -> dict[str, Json]:
        """Give the checkpoint as plain JSON values."""
        return asdict(self)

    def signed_by(self, key: Ed25519PublicKey) -> bool:
        """Tell whether the signature is by this key. Only lower-case digits are a signature's proper form."""
        if not isinstance(self.signature, str) or _SIGNATURE.fullmatch(self.signature) is None:
            return False
        try:
            message = _message(self.seq, self.hash, self.at)
        except ValueError:
            return False
        return signature_fits(key, bytes.fromhex(self.signature), message)


def sign(key: Ed25519PrivateKey, *, seq: int, entry_hash: str, at: str) -> Checkpoint:
    """Sign the chain as it stands after an entry."""
    return Checkpoint(seq, entry_hash, at, key.sign(_message(seq, entry_hash, at)).hex())


def _message(seq: int, entry_hash: str, at: str) -> bytes:
    # The type keeps a signature made for a checkpoint from being passed off as one made for anything else.
    return canonical({"type": "shinrai-checkpoint-1", "seq": seq, "hash": entry_hash, "at": at})


def read_mirror(root: Path) -> Checkpoint | None:
    """Read the copy of the newest checkpoint.

    Returns
    -------
    Checkpoint or None
        None where there is no such file. Its signature has not been checked.

    Raises
    ------
    TamperedError
        If the file is there but is not a checkpoint.
    """
    try:
        text = (root / MIRROR).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        _unreadable(str(error))
    try:
        value = json.loads(text)
        seq, rest = value["seq"], [value[name] for name in ("hash", "at", "signature")]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        _unreadable(str(error))
    if type(seq) is not int or len(value) != 4 or not all(isinstance(part, str) for part in rest):
        _unreadable(_("its fields are not seq, hash, at and signature"))
    return Checkpoint(seq, *rest)


def _unreadable(reason: str) -> NoReturn:
    raise TamperedError(
        "ledger.checkpoint-unreadable",
        _("{path} is not a checkpoint: {reason}").format(path=MIRROR, reason=reason),
        hint=_("Restore the file from a backup; run `shinrai verify` to see everything else."),
    )


def write_mirror(root: Path, checkpoint: Checkpoint) -> None:
    """Keep a copy of the newest checkpoint; the file is replaced as a whole or not at all.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    path = root / MIRROR
    text = json.dumps(checkpoint.to_json(), indent=2) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".checkpoint-")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(0o644)  # not a secret, unlike what temporary files usually hold
            Path(name).replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as error:
        raise StoreError(
            "ledger.checkpoint-not-written",
            _("The checkpoint cannot be written to {path}: {reason}").format(path=MIRROR, reason=error),
        ) from error
