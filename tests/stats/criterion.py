"""The one criterion by which error rates are judged, for our tests and for the controls that must fail it."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

ALPHA = 0.05
Flags = NDArray[np.bool_]


def allowed(runs: int, alpha: float = ALPHA) -> float:
    """Give the share of wrong verdicts that chance explains: alpha and three standard errors."""
    return alpha + 3.0 * math.sqrt(alpha * (1.0 - alpha) / runs)


def error_is_controlled(wrong: ArrayLike, alpha: float = ALPHA) -> bool:
    """Say whether the share of runs with a wrong verdict is one that a level-alpha rule could show."""
    flags = np.asarray(wrong, dtype=bool)
    return float(flags.mean()) <= allowed(flags.size, alpha)
