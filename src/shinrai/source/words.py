"""Phrases that messages about files share."""

from __future__ import annotations

from collections.abc import Iterable

from shinrai.errors import nearest
from shinrai.i18n import _


def did_you_mean(name: str, known: Iterable[str], *, mark: str = "") -> str | None:
    """Suggest the valid name that a person most likely meant.

    Parameters
    ----------
    name : str
        What was written.
    known : iterable of str
        The valid names.
    mark : str
        Written in front of the suggestion.

    Returns
    -------
    str or None
        A sentence; None when nothing is close.
    """
    close = nearest(name, known)
    return None if close is None else _("did you mean {name}?").format(name=f"{mark}{close}")


def listing(names: Iterable[str], *, most: int = 12) -> str:
    """Write names as ``a, b, c``, and ``…`` where there are more than `most`."""
    names = list(names)
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")


def shortened(text: str, *, most: int = 40) -> str:
    """Cut a text that is too long for a sentence."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
