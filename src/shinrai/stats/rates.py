"""The evidence that a failure rate lies below or above a limit: one-sided grid mixtures of likelihood ratios.

The evidence that the rate lies below a limit ``m`` after ``s`` failures in ``n`` trials is

    E(n, s) = mean over k of (q_k / m)^s * ((1 - q_k) / (1 - m))^(n - s)

with alternatives ``q_k < m`` (mixtures of likelihood ratios: Robbins 1970); the evidence that it lies above uses
``q_k > m``. By Ville's inequality (1939) the chance that E ever reaches 1/alpha while the rate is on the other side
is at most alpha, with a look after every trial and for trials that depend on the past. E depends on the counts
alone, so that the whole rule is two integers for each n.

The alternatives are ``max(r m, 1 - t (1 - m))`` below and ``min(r m, 1 - t (1 - m))`` above: scaling the failure
rate by r suits small limits, scaling the pass rate by t suits large ones. Both ratios in E move in one direction in
m for every pair, therefore so does E, and inverting the test gives an interval without holes.
"""

import math
from collections.abc import Callable
from functools import reduce

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "LOG_OF_ZERO",
    "alternatives_above",
    "alternatives_below",
    "log_evidence_above",
    "log_evidence_below",
    "log_mean",
]

# Pairs (r, t). Below one half the first set is r = 0, 0.1, ... 0.9. In the second, a large r that does not fit
# under 1 turns, by its t, into an alternative close to the limit, where slow decisions need it most.
_RATIOS_BELOW = np.array(
    [
        *[(0.9, 1.1), (0.8, 1.2), (0.7, 1.35), (0.6, 1.5), (0.5, 1.75)],
        *[(0.4, 2.0), (0.3, 2.5), (0.2, 4.0), (0.1, 9.0), (0.0, 40.0)],
    ]
)
_RATIOS_ABOVE = np.array(
    [
        *[(1.1, 0.9), (1.2, 0.8), (1.35, 0.65), (1.5, 0.5), (1.75, 0.25)],
        *[(2.0, 0.1), (2.5, 0.0), (3.0, 0.3), (4.0, 0.4), (6.0, 0.6)],
        *[(9.0, 0.7), (14.0, 0.8), (20.0, 0.9), (40.0, 0.95), (80.0, 0.98)],
    ]
)
_AT_ONCE = 16_384  # pairs of counts whose evidence is computed together
_ROUNDING = 1e-6  # far more than a sum of logarithms is off by
LOG_OF_ZERO = -1e15  # finite: an impossible outcome that did not happen must weigh 0, not 0 * -inf = nan


def log_evidence_below(
    n: ArrayLike, failures: ArrayLike, limit: float, floor: float | None = None
) -> NDArray[np.float64]:
    """Natural logarithm of the evidence that the failure rate lies below `limit`.

    Parameters
    ----------
    n, failures
        Counts that broadcast together, ``0 <= failures <= n``.
    limit
        The limit, strictly between 0 and 1.
    floor
        A number above 0. Where it is given, evidence is not exact: only whether it reaches this number is.

    Returns
    -------
    numpy.ndarray
        The logarithm of an e-value against "rate >= limit" for each pair of counts; falls with `failures`.
    """
    counts, failed = np.asarray(n), np.asarray(failures)
    return _log_mixture(counts, failed, limit, alternatives_below, floor, failed < limit * counts)


def log_evidence_above(
    n: ArrayLike, failures: ArrayLike, limit: float, floor: float | None = None
) -> NDArray[np.float64]:
    """Natural logarithm of the evidence that the failure rate lies above `limit`.

    Parameters
    ----------
    n, failures
        Counts that broadcast together, ``0 <= failures <= n``.
    limit
        The limit, strictly between 0 and 1.
    floor
        As in `log_evidence_below`.

    Returns
    -------
    numpy.ndarray
        The logarithm of an e-value against "rate <= limit" for each pair of counts; rises with `failures`.
    """
    counts, failed = np.asarray(n), np.asarray(failures)
    return _log_mixture(counts, failed, limit, alternatives_above, floor, failed > limit * counts)


def alternatives_below(limit: float, whole: float) -> NDArray[np.float64]:
    """Give the ten alternatives below a limit, both counted in parts of `whole` (1 for rates, N for items)."""
    r, t = _RATIOS_BELOW.T
    return np.asarray(np.maximum(r * limit, whole - t * (whole - limit)))


def alternatives_above(limit: float, whole: float) -> NDArray[np.float64]:
    """Give the fifteen alternatives above a limit, both counted in parts of `whole` (1 for rates, N for items)."""
    r, t = _RATIOS_ABOVE.T
    return np.asarray(np.minimum(r * limit, whole - t * (whole - limit)))


def _log_mixture(  # noqa: PLR0917 - counts, a mixture, and what is asked of it
    n: NDArray[np.int64],
    failures: NDArray[np.int64],
    limit: float,
    alternatives: Callable[[float, float], NDArray[np.float64]],
    floor: float | None,
    leans: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Logarithm of the mean likelihood ratio of alternatives against `limit`.

    Where the share of failures does not lean to the side of the alternatives, each of them explains the counts worse
    than the limit does. The evidence is then at most 1, and not computed where a floor is asked for.
    """
    if floor is None or n.ndim != 1 or n.shape != failures.shape:
        return _log_likelihood_ratio(n, failures, _log_ratios(limit, alternatives(limit, 1.0)), floor)
    found = np.zeros(n.shape)
    if leans.any():
        ratios = _log_ratios(limit, alternatives(limit, 1.0))
        found[leans] = _log_likelihood_ratio(n[leans], failures[leans], ratios, floor)
    return found


def _log_likelihood_ratio(
    n: NDArray[np.int64], failures: NDArray[np.int64], ratios: NDArray[np.float64], floor: float | None
) -> NDArray[np.float64]:
    if n.ndim == 1 and n.shape == failures.shape and n.size > _AT_ONCE:  # so that memory does not grow with a long path
        parts = (slice(start, start + _AT_ONCE) for start in range(0, n.size, _AT_ONCE))
        return np.concatenate([_log_likelihood_ratio(n[part], failures[part], ratios, floor) for part in parts])
    on_failure, on_pass = ratios
    return log_mean(np.multiply.outer(on_failure, failures) + np.multiply.outer(on_pass, n - failures), floor)


def _log_ratios(limit: float, alternatives: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log likelihood ratio of each alternative against a limit, for a failure and for a pass; shape (2, k)."""
    ratios = np.array((alternatives / limit, (1.0 - alternatives) / (1.0 - limit)))
    return np.log(ratios, out=np.full_like(ratios, LOG_OF_ZERO), where=ratios > 0.0)


def log_mean(terms: NDArray[np.float64], floor: float | None = None) -> NDArray[np.float64]:
    """Logarithm of the mean over the first axis of numbers given by their logarithms.

    With a `floor`, a mean is computed only where its largest term leaves it open whether the mean reaches the floor: it
    lies between that term and the same term divided by their number. Elsewhere the largest term stands in its place.
    Whether a mean reaches the floor is answered the same, for a fraction of the work.
    """
    largest = np.asarray(terms.max(axis=0))
    if floor is None:
        return largest + _log_share(terms, largest)
    open_ = (largest >= floor) & (largest < floor + math.log(len(terms)) + _ROUNDING)
    if open_.any():
        largest[open_] += _log_share(terms[:, open_], largest[open_])
    return largest


def _log_share(terms: NDArray[np.float64], largest: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithm of the mean as a share of the largest; at most 0, also when rounded."""
    # Added one by one: a sum over an axis adds in another order for other shapes, and the last bit would change.
    return np.asarray(np.log(reduce(np.add, np.exp(terms - largest)) / len(terms)))
