"""Keeping keys that somebody wrote into a file out of what is said about the file."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["masked_address", "masked_line"]

_MASK: Final = "•"
# Each pattern takes time in proportion to the line, whatever it holds: a file may be made to cost time.
_IN_ADDRESS: Final = (
    re.compile(r"(?P<before>://)(?P<hidden>[^\s/\"']+)(?=@)"),
    re.compile(r"(?P<before>https?://[^\s\"'?#]{0,500}[?#])(?P<hidden>[^\s\"']+)", re.IGNORECASE),
)
# Names such as `key_env` hold the name of a variable, and `secrets` planted strings: both stay.
_UNDER_NAME: Final = re.compile(
    r"(?P<before>(?<![\w-])(?:[\w-]*[_-])?(?:api-?key|key|token|secret|passw(?:or)?d|authorization)[\"']?\s*:\s*"
    r"[\"']?(?:bearer\s+)?)(?P<hidden>[^\s\"',}]{8,})",
    re.IGNORECASE,
)


def masked_address(text: str) -> str:
    """Show as bullets what stands before the ``@`` or behind the ``?`` of an address: that is where keys are.

    Parameters
    ----------
    text : str
        Anything in which an address may stand.

    Returns
    -------
    str
        Of the same length, so that columns stay where they are.
    """
    for pattern in _IN_ADDRESS:
        text = pattern.sub(_hide, text)
    return text


def masked_line(line: str) -> str:
    """Show a line of a file as it may be shown: `masked_address`, and nothing under ``key``, ``token`` or ``password``.

    Parameters
    ----------
    line : str
        As it stands in the file.

    Returns
    -------
    str
        Of the same length.
    """
    return _UNDER_NAME.sub(_hide, masked_address(line))


def _hide(found: re.Match[str]) -> str:
    return found["before"] + _MASK * len(found["hidden"])
