"""Do values pile up just above a threshold? A test of the density left and right of it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bunching:
    """Values in two windows of equal width, just below and just above a threshold.

    Parameters
    ----------
    below, above : int
        Counts in [threshold − width, threshold) and [threshold, threshold + width).
    p : float
        Probability of at least so many above, were each of them as likely to fall on either side: one-sided exact
        binomial, in (0, 1]. 1 where both windows are empty.
    """

    below: int
    above: int
    p: float


def bunching(values: Iterable[float], threshold: float = 1.0, width: float = 0.05) -> Bunching:
    """Test whether values pile up at and just above a threshold.

    Where a density is smooth at the threshold, two narrow windows beside it hold about equal counts, whatever the
    density is: the idea of McCrary (2008, Journal of Econometrics 142:698-714) in its simplest, exact form. A density
    that rises steeply within one width raises the error rate, so a small p says "look here", and not more.

    Parameters
    ----------
    values : iterable of float
        In the unit of the threshold, such as rates of achievement with 1.0 as 100 %.
    threshold : float
        Belongs to the window above it.
    width : float
        Of each window, > 0.

    Returns
    -------
    Bunching

    Raises
    ------
    ValueError
        If `width` is not positive.
    """
    if not width > 0:
        raise ValueError("width must be positive")
    near = [value - threshold for value in values]
    below = sum(-width <= distance < 0 for distance in near)
    above = sum(0 <= distance < width for distance in near)
    n = below + above
    tail = sum(math.comb(n, count) for count in range(above, n + 1))
    return Bunching(below, above, tail / 2**n)
