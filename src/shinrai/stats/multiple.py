"""Many claims at once: one gate for all of them, or a table with a verdict for each.

Gate
----
"Every promise is kept" is false when at least one promise is broken, and to say it all the same the test of that one
promise must be wrong, which happens with probability at most alpha. So each claim is tested at alpha, *without any
correction* (intersection-union, Berger 1982, Technometrics). "Some promise is broken" is the other way round: any
of the m tests could be wrong, so it takes m times the evidence (Bonferroni).

Table
-----
Whoever reads single verdicts out of a table of m claims is misled when any one of them is wrong. `holm` takes the
anytime p-value of each claim, ``1 / sup E``, the reciprocal of its largest evidence so far, and adjusts it (Holm 1979,
Scandinavian Journal of Statistics). By Ville's inequality ``1 / sup E`` is a p-value at every stopping time, Holm's
procedure needs nothing about how the claims depend on one another, and both only ever fall: a verdict stays.

What is not here, and why
-------------------------
The e-Benjamini-Hochberg procedure (Wang and Ramdas 2022, JRSS B) controls the false discovery rate for e-values under
any dependence, but a running maximum is *not* an e-value (its expectation may be far above 1). e-BH on running maxima
is the Benjamini-Hochberg procedure on p-values, and under unfavourable dependence the rate grows by a factor up to
1 + 1/2 + ... + 1/m (Tavyrikov, Goeman and de Heide 2025, arXiv:2501.19360). The tests of this package report running
maxima. ``tests/stats/test_negative_controls.py`` shows the failure.

All functions look at the evidence as it is now: call them after every observation if you like. Which claims belong to
the table must be fixed before the first observation.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shinrai.stats.sequential import Decision, require_alpha

__all__ = ["anytime_p_value", "decide_gate", "decide_table", "holm"]


def anytime_p_value(evidence: ArrayLike) -> NDArray[np.float64]:
    """Turn the largest evidence so far into a p-value, ``min(1, 1 / evidence)`` (Ville 1939).

    Parameters
    ----------
    evidence
        Largest e-value so far, at least 0, of any shape; infinity is allowed.

    Returns
    -------
    numpy.ndarray
        Valid at every stopping time, same shape, in [0, 1]. It never rises as evidence comes in.

    Raises
    ------
    ValueError
        If an entry is negative or not a number.
    """
    values = np.asarray(evidence, dtype=np.float64)
    if not (values >= 0.0).all():
        raise ValueError("evidence must be at least 0")
    return 1.0 / np.maximum(values, 1.0)


def holm(evidence: ArrayLike) -> NDArray[np.float64]:
    """Adjust the anytime p-values of a table of claims, so that each may be compared with alpha (Holm 1979).

    With p-values in rising order, ``adjusted_(i) = max over j <= i of min(1, (m - j + 1) p_(j))``.

    Parameters
    ----------
    evidence
        Largest e-value so far of each claim, claims along the last axis, shape (..., m).

    Returns
    -------
    numpy.ndarray
        Adjusted p-values in the order of the claims, same shape. The probability that any true null hypothesis ever
        has one at or below alpha is at most alpha, however the claims depend on one another.

    Raises
    ------
    ValueError
        If an entry is negative or not a number.
    """
    p = anytime_p_value(evidence)
    claims = p.shape[-1]
    order = np.argsort(p, axis=-1, kind="stable")
    weighted = np.take_along_axis(p, order, axis=-1) * np.arange(claims, 0, -1)
    adjusted = np.empty_like(p)
    np.put_along_axis(adjusted, order, np.minimum(np.maximum.accumulate(weighted, axis=-1), 1.0), axis=-1)
    return adjusted


def decide_gate(evidence_met: Sequence[float], evidence_violated: Sequence[float], alpha: float) -> Decision | None:
    """Decide the claim "every one of these claims holds".

    Parameters
    ----------
    evidence_met, evidence_violated
        Largest evidence so far of each claim, from `SequentialTest.evidence_met` and `.evidence_violated`; at least
        one claim.
    alpha
        Error level of each of the two answers, in (0, 0.5].

    Returns
    -------
    Decision or None
        `MET` when each claim alone is met at alpha; `VIOLATED` when one is violated at alpha / m; None otherwise.

    Raises
    ------
    ValueError
        If an argument is outside its range, or the two sequences differ in length or are empty.
    """
    met, violated = _p_values_of_both(evidence_met, evidence_violated, alpha)
    if met.max() <= alpha:
        return Decision.MET
    return Decision.VIOLATED if violated.min() * violated.size <= alpha else None


def decide_table(
    evidence_met: Sequence[float], evidence_violated: Sequence[float], alpha: float
) -> list[Decision | None]:
    """Decide each claim of a table, so that wrong verdicts anywhere in it are rare.

    Each of the two kinds of verdict is adjusted by itself: the probability that any claim is wrongly called met is at
    most alpha, and so is the probability that any is wrongly called violated. (Give half of alpha for one promise
    about both.) A claim needs more evidence here than alone, up to m / alpha: keep feeding its test after the test's
    own decision, until the table decides or the budget ends.

    Parameters
    ----------
    evidence_met, evidence_violated
        Largest evidence so far of each claim; at least one claim.
    alpha
        Error level of each kind of verdict over the whole table, in (0, 0.5].

    Returns
    -------
    list of Decision or None
        In the order of the claims. A verdict stays once it is reached.

    Raises
    ------
    ValueError
        If an argument is outside its range, or the two sequences differ in length or are empty.
    """
    _p_values_of_both(evidence_met, evidence_violated, alpha)
    met, violated = holm(evidence_met) <= alpha, holm(evidence_violated) <= alpha
    return [
        Decision.MET if is_met else Decision.VIOLATED if is_violated else None
        for is_met, is_violated in zip(met.tolist(), violated.tolist(), strict=True)
    ]


def _p_values_of_both(
    evidence_met: Sequence[float], evidence_violated: Sequence[float], alpha: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    require_alpha(alpha)
    if not len(evidence_met) == len(evidence_violated) > 0:
        raise ValueError(
            f"there are {len(evidence_met)} claims with evidence for met and {len(evidence_violated)} with evidence "
            "for violated; it must be the same number, at least 1"
        )
    return anytime_p_value(evidence_met), anytime_p_value(evidence_violated)
