"""The key pair that signs checkpoints: Ed25519, as PEM files that openssl reads too."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, NoReturn

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shinrai.errors import StoreError, TamperedError, UsageError
from shinrai.i18n import _

PRIVATE_KEY: Final = Path(".shinrai/keys/ledger.key")
"""PKCS #8, readable by its owner only, relative to the workspace. Never in git."""

PUBLIC_KEY: Final = Path("ledger.pub")
"""SubjectPublicKeyInfo, relative to the workspace. In git, so that others can check what was signed."""


def make_key_pair(root: Path) -> str:
    """Make a workspace's key pair.

    Parameters
    ----------
    root : Path
        The workspace.

    Returns
    -------
    str
        The public key, 64 hexadecimal digits.

    Raises
    ------
    UsageError
        If either key is already there: a key is never overwritten.
    StoreError
        If the files cannot be written.
    """
    for path in (PRIVATE_KEY, PUBLIC_KEY):
        if (root / path).exists():
            raise UsageError(
                "ledger.key-exists",
                _("The key {path} is already there and is not overwritten.").format(path=path),
                hint=_("A ledger.pub without its private key belongs to a ledger that is kept elsewhere."),
            )
    private = Ed25519PrivateKey.generate()
    secret = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    try:
        (root / PRIVATE_KEY).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write_new(root / PRIVATE_KEY, secret, 0o600)
        _write_new(root / PUBLIC_KEY, public, 0o644)
    except OSError as error:
        raise StoreError(
            "ledger.key-not-written", _("The key pair cannot be written: {reason}").format(reason=error)
        ) from error
    return public_hex(private.public_key())


def _write_new(path: Path, content: bytes, mode: int) -> None:
    # The mode is given at creation: there is no moment at which others could read the key.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def private_key(path: Path) -> Ed25519PrivateKey:
    """Read a private key.

    Raises
    ------
    UsageError
        If it is not there or not an Ed25519 key.
    """
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise UsageError(
            "ledger.no-key",
            _("Checkpoints cannot be signed: the private key {path} cannot be read.").format(path=path),
            hint=_("Copy the key from where the ledger was set up."),
        ) from error
    except (ValueError, TypeError, UnsupportedAlgorithm):
        _not_a_key(path)
    if not isinstance(key, Ed25519PrivateKey):
        _not_a_key(path)
    return key


def _not_a_key(path: Path) -> NoReturn:
    raise UsageError("ledger.unreadable-key", _("{path} does not hold an Ed25519 private key.").format(path=path))


def public_key(root: Path) -> Ed25519PublicKey:
    """Read a workspace's public key.

    Raises
    ------
    TamperedError
        If it is not there or not an Ed25519 key: without it no signature can be checked.
    """
    path = root / PUBLIC_KEY
    try:
        key = serialization.load_pem_public_key(path.read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm):
        _no_public_key(path)
    if not isinstance(key, Ed25519PublicKey):
        _no_public_key(path)
    return key


def _no_public_key(path: Path) -> NoReturn:
    raise TamperedError(
        "ledger.no-public-key",
        _("{path} is missing or does not hold an Ed25519 public key.").format(path=path.name),
        hint=_("Restore the file from version control."),
    )


def public_hex(key: Ed25519PublicKey) -> str:
    """Give a public key's 32 bytes as 64 hexadecimal digits."""
    return key.public_bytes_raw().hex()


def signature_fits(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    """Tell whether a signature is by this key and over this message."""
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True
