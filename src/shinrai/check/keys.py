"""Which calls have finished: an exact set of call keys that takes eight bytes a key.

A Python dict takes more than a hundred bytes for each key of a call. Here only the newest keys are in one. The others
are 64-bit numbers in rising order: 32 bits of the key, then the number under which whoever uses this can tell the whole
key again. So an answer is never a guess, and a key that is not there, which is the common case, costs one bisection.
"""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Callable
from typing import Final

import numpy as np

__all__ = ["KeyTable"]

_NEWEST: Final = 2**14  # keys that are held as they are, before they are sorted in among the others
_BITS: Final = 32
_LOW: Final = 2**_BITS - 1


class KeyTable:
    """Numbers of keys."""

    __slots__ = ("_newest", "_sorted")

    def __init__(self) -> None:
        self._newest: dict[str, int] = {}
        self._sorted = array("Q")

    def __len__(self) -> int:
        return len(self._newest) + len(self._sorted)

    def find(self, key: str, key_of: Callable[[int], str]) -> int | None:
        """Give the number of a key; None if it was not added.

        Parameters
        ----------
        key : str
            Any text.
        key_of : callable
            Gives the key that was added with a number.
        """
        number = self._newest.get(key)
        if number is not None or not self._sorted:
            return number
        marked = _head(key) << _BITS
        for place in range(bisect_left(self._sorted, marked), len(self._sorted)):
            found = self._sorted[place]
            if found ^ marked > _LOW:
                return None
            if key_of(found & _LOW) == key:
                return found & _LOW
        return None

    def add(self, key: str, number: int) -> None:
        """Add a key that is not there yet, with a number below 2**32."""
        self._newest[key] = number
        if len(self._newest) >= _NEWEST:
            self._sorted.extend([_head(one) << _BITS | its for one, its in self._newest.items()])
            self._newest.clear()
            np.frombuffer(self._sorted, dtype=np.uint64).sort()  # in place: no second copy of what may be large


def _head(key: str) -> int:
    """Give the first 32 of the 96 bits that a call key writes; of any other text those of its SHA-256."""
    try:
        return int(key[:8], 16) & _LOW
    except ValueError:
        return int.from_bytes(hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:4])
