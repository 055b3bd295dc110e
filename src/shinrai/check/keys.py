"""Which calls have finished, and where: an exact table of call keys that stays small.

A Python dict takes more than a hundred bytes for each key of a call. This takes 16 for each slot of a table that is at
most two thirds full, so that a million finished calls take about 32 MB, not hundreds.
"""

from __future__ import annotations

import hashlib
from array import array

__all__ = ["KeyTable"]

_DIGITS = 24  # hexadecimal, as `shinrai.records.call_key` gives them: 96 bits
_LOW = 2**32 - 1


class KeyTable:
    """Numbers keys in the order in which they are added, from 0. Open addressing with linear probing."""

    __slots__ = ("_highs", "_lows", "_mask", "_numbers", "_used")

    def __init__(self) -> None:
        self._used = 0
        self._allot(1024)

    def _allot(self, slots: int) -> None:
        self._mask = slots - 1
        self._highs = array("Q", bytes(8 * slots))
        self._lows = array("I", bytes(4 * slots))
        self._numbers = array("I", bytes(4 * slots))  # number + 1; 0 is a free slot

    def __len__(self) -> int:
        return self._used

    def find(self, key: str) -> int | None:
        """Give the number of a key; None if it was not added."""
        bits = _bits(key)
        high, low = bits >> 32, bits & _LOW
        highs, lows, numbers, mask = self._highs, self._lows, self._numbers, self._mask
        slot = high & mask
        while number := numbers[slot]:
            if highs[slot] == high and lows[slot] == low:
                return number - 1
            slot = (slot + 1) & mask
        return None

    def add(self, key: str) -> int:
        """Add a key that is not there yet, and give its number."""
        if 3 * self._used >= 2 * self._mask:
            self._grow()
        bits = _bits(key)
        self._used += 1
        self._put(bits >> 32, bits & _LOW, self._used)
        return self._used - 1

    def _put(self, high: int, low: int, number: int) -> None:
        numbers, mask = self._numbers, self._mask
        slot = high & mask
        while numbers[slot]:
            slot = (slot + 1) & mask
        self._highs[slot], self._lows[slot], numbers[slot] = high, low, number

    def _grow(self) -> None:
        before = zip(self._highs, self._lows, self._numbers, strict=True)
        self._allot(2 * (self._mask + 1))
        for high, low, number in before:
            if number:
                self._put(high, low, number)


def _bits(key: str) -> int:
    """Read a call key as the 96 bits that it writes; any other text by its SHA-256."""
    if len(key) == _DIGITS:
        try:
            return int(key, 16)
        except ValueError:
            pass  # not a call key
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:12])
