"""Which texts a file has named so far: eight bytes each, so that a log of a gigabyte may have many."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from hashlib import blake2b

import numpy as np

__all__ = ["Marks"]


class Marks:
    """Texts, remembered by 64 bits of their BLAKE2b digest.

    Two of n different texts are taken for the same with a probability of less than n² / 2⁶⁵: 4 · 10⁻⁸ for a million.
    """

    def __init__(self) -> None:
        self._marks = array("Q")

    def add(self, text: str) -> None:
        """Remember a text."""
        self._marks.append(_mark(text))

    def twice(self) -> tuple[int, int] | None:
        """Find a text that was added more than once.

        Returns
        -------
        tuple of int or None
            The first two places of the one that was there first, from 1.
        """
        marks = np.frombuffer(self._marks, dtype=np.uint64)
        ordered = np.sort(marks)
        repeated = ordered[1:][ordered[1:] == ordered[:-1]]
        if not len(repeated):
            return None
        first = int(np.flatnonzero(np.isin(marks, repeated))[0])
        second = first + 1 + int(np.flatnonzero(marks[first + 1 :] == marks[first])[0])
        return first + 1, second + 1

    def lacking(self, texts: Iterable[str]) -> Iterator[int]:
        """Give the places, from 0, of the texts that were not added."""
        wanted = np.fromiter(map(_mark, texts), dtype=np.uint64)
        there = np.isin(wanted, np.frombuffer(self._marks, dtype=np.uint64))
        return (int(place) for place in np.flatnonzero(~there))


def _mark(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())
