"""Is one version better than another, or at least not much worse? Both answer the same items.

Each item gives a difference ``x = a - b`` of two scores on the same scale, and the kernel for bounded scores tests its
mean: with scores in [lower, upper] the differences lie in ``[lower - upper, upper - lower]``. Pairing takes out how
hard an item is: where both versions mostly agree, differences vary less than the scores of two separate samples
(Miller 2024, "Adding error bars to evals", arXiv:2411.00640).

"Not worse by more than a margin" is non-inferiority: the claim ``mean(a - b) >= -margin``. The margin must be committed
before the first answer, like any threshold.
"""

from collections.abc import Sequence
from typing import Self

import numpy as np

from shinrai.stats.mean import MeanTest, require_score
from shinrai.stats.sequential import require_within

__all__ = ["PairedTest"]

_ROUNDING = 1e-9


class PairedTest(MeanTest):
    """Sequential test of the claim "on the same items, the mean of a - b is at least `at_least`".

    It is the `MeanTest` of the differences, with everything that follows from that: interval, trace, missing.

    Parameters
    ----------
    at_least
        The threshold of the mean difference, strictly between ``lower - upper`` and ``upper - lower``. 0 for "a is
        at least as good as b", a positive number for "better by at least so much".
    alpha
        Error level of each verdict, in (0, 0.5].
    lower, upper
        True end points of the score of a single answer.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Examples
    --------
    >>> test = PairedTest.non_inferiority(0.05, alpha=0.05)
    >>> for _ in range(100):
    ...     test.update_pair(a=(1, 1), b=(1, 1))
    >>> test.decision
    <Decision.MET: 'met'>
    """

    __slots__ = ("_score_lower", "_score_upper")

    def __init__(self, at_least: float, alpha: float, lower: float = 0.0, upper: float = 1.0) -> None:
        require_within("the lower end of the score", lower, -np.inf, upper)
        require_within("the upper end of the score", upper, lower, np.inf)
        super().__init__(at_least, lower - upper, upper - lower, alpha)
        self._score_lower, self._score_upper = lower, upper

    @classmethod
    def non_inferiority(cls, margin: float, alpha: float, lower: float = 0.0, upper: float = 1.0) -> Self:
        """Test "a is not worse than b by more than `margin`", where higher scores are better.

        Parameters
        ----------
        margin
            The largest allowed loss, at least 0 and below ``upper - lower``.
        alpha, lower, upper
            As for the class.

        Returns
        -------
        PairedTest
            With the threshold ``-margin``.

        Raises
        ------
        ValueError
            If an argument is outside its range.
        """
        if not margin >= 0.0:
            raise ValueError(f"the margin is {margin!r}; it must be at least 0")
        return cls(-margin, alpha, lower, upper)

    def update_pair(self, a: tuple[float, float], b: tuple[float, float]) -> None:
        """Take in both scores of one item, each as (low, high); a missing one is the whole range of the score.

        One missing score leaves half of what the pair could say: the difference then lies between ``low_a -
        high_b`` and ``high_a - low_b``. `update` takes the two ends of the difference instead.

        Raises
        ------
        ValueError
            If a score does not lie in the range of the score.
        """
        require_score(*a, self._score_lower, self._score_upper)
        require_score(*b, self._score_lower, self._score_upper)
        self.update(max(a[0] - b[1], self._lower), min(a[1] - b[0], self._upper))

    def _estimates(self, moments: Sequence[int]) -> list[float | None]:
        """Mean difference of the pairs with both scores known, or at least neither of them missing."""
        lows, highs = self._readings()
        usable = highs - lows < (self._score_upper - self._score_lower) * (1.0 - _ROUNDING)
        totals, counts = np.cumsum(np.where(usable, (lows + highs) / 2.0, 0.0)), np.cumsum(usable)
        where = np.asarray(moments) - 1
        pairs = zip(totals[where].tolist(), counts[where].tolist(), strict=True)
        return [total / count if count else None for total, count in pairs]
