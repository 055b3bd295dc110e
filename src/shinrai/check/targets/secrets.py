"""Keys: where they come from, and keeping them out of everything that is written.

A key is read when a target is opened, from the environment or from the operating system's keyring, and is held in
memory only. From then on, `mask` takes it out of any text that comes back: endpoints echo headers in replies and in
errors. It knows a key as it is, percent-encoded, with JSON's escapes, and in base64; a part of a key it does not
know.
"""

from __future__ import annotations

import base64
import json
import os
import urllib.parse
from typing import Final

from shinrai.errors import TargetError
from shinrai.i18n import _
from shinrai.records import Endpoint

__all__ = ["SHORTEST_KEY", "mask", "read_key"]

SHORTEST_KEY: Final = 8
"""Characters of the shortest key that is taken: a shorter one could not be masked without harming ordinary text."""

_MASKED: Final = "[key]"

_forms: dict[str, None] = {}


def read_key(component: Endpoint) -> str | None:
    """Read the key of an endpoint, and mask it from now on.

    Parameters
    ----------
    component : Endpoint
        Names an environment variable, or an entry of the keyring, or neither.

    Returns
    -------
    str or None
        None where the endpoint needs no key.

    Raises
    ------
    TargetError
        If there is no key where there should be one, or something that cannot be a key.
    """
    if component.key_env is not None:
        place = _("the environment variable {name}").format(name=component.key_env)
        key = os.environ.get(component.key_env, "")
    elif component.key_keyring is not None:
        entry = component.key_keyring
        place = _("the keyring's entry {username} of {service}").format(username=entry.username, service=entry.service)
        key = _from_keyring(entry.service, entry.username)
    else:
        return None
    if not key:
        raise TargetError("target.no-key", _("{place}, which should hold the key, is not set").format(place=place))
    if not key.isascii() or not key.isprintable() or " " in key:
        raise TargetError("target.bad-key", _("{place} holds something that cannot be a key").format(place=place))
    if len(key) < SHORTEST_KEY:
        raise TargetError(
            "target.bad-key",
            _("{place} holds something too short for a key").format(place=place),
            hint=_("leave the key out where the endpoint needs none"),
        )
    _forms.update(dict.fromkeys(sorted(_forms_of(key), key=len, reverse=True)))
    return key


def mask(text: str) -> str:
    """Replace every key that was read by ``[key]``, in each form in which it could be echoed.

    Parameters
    ----------
    text : str
        Anything that is about to be kept or shown.

    Returns
    -------
    str
        The same text where it holds no key.
    """
    for form in _forms:
        if form in text:
            text = text.replace(form, _MASKED)
    return text


def _from_keyring(service: str, username: str) -> str:
    try:
        import keyring  # noqa: PLC0415 - an extra: needed only where a system's key is in the keyring
        import keyring.errors  # noqa: PLC0415 - as above
    except ImportError as error:
        raise TargetError(
            "target.no-library",
            _("the package keyring, which reads the keyring, is not installed"),
            hint=_("install shinrai with the extra `keyring`"),
        ) from error
    try:
        return keyring.get_password(service, username) or ""
    except keyring.errors.KeyringError as error:
        raise TargetError(
            "target.no-key",
            _("the keyring could not be read: {error}").format(error=type(error).__name__),
            hint=_("without a keyring, use an environment variable: `key_env`"),
        ) from error


def _forms_of(key: str) -> set[str]:
    """Give the forms of a key; base64 in each of its three alignments, without the digits that neighbours change."""
    in_json = json.dumps(key)[1:-1]
    forms = {key, urllib.parse.quote(key, safe=""), in_json, in_json.replace("/", "\\/")}
    for lead in range(3):
        inner = base64.b64encode(b"\0" * lead + key.encode()).decode().rstrip("=")
        whole = inner[(0, 2, 3)[lead] : len(inner) - 1 if (lead + len(key)) % 3 else None]
        forms |= {whole, whole.translate(str.maketrans("+/", "-_"))}
    return forms
