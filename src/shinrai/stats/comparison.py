"""What a claim says of one pair of groups, under test: a ratio or a difference of their rates, block by block."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np

from shinrai.stats.betting import BettingRace, Floats, gains_above, gains_below, largest_log_wealth, proven_at
from shinrai.stats.blocks import Blocks
from shinrai.stats.sequential import Decision

__all__ = ["Comparison", "DifferenceComparison", "Proof", "RatioComparison"]

Proof = Callable[[float], float]


class Comparison(ABC):
    """What the claim says of one pair of groups, under test."""

    __slots__ = ("alpha", "alpha_violated", "blocks", "threshold")

    def __init__(self, blocks: Blocks, threshold: float, alpha: float, alpha_violated: float) -> None:
        self.blocks, self.threshold = blocks, threshold
        self.alpha, self.alpha_violated = alpha, alpha_violated

    @abstractmethod
    def settle(self, low_a: float, high_a: float, low_b: float, high_b: float) -> None:
        """Take in a block: the lowest and the highest mean of each group."""

    @abstractmethod
    def decision(self) -> Decision | None:
        """Tell what is proven of this pair."""

    @abstractmethod
    def evidence(self) -> tuple[float, float]:
        """Largest log evidence for "met" and for "violated" so far."""

    @abstractmethod
    def stops(self) -> tuple[int, ...]:
        """Blocks at which something was proven."""

    @abstractmethod
    def proofs(self) -> tuple[Proof, Proof]:
        """From a threshold to the block at which "met" and "violated" were proven against it."""

    @abstractmethod
    def paths(self) -> tuple[Floats, Floats]:
        """Largest log evidence for "met" and for "violated" after each block."""


class RatioComparison(Comparison):
    """Rate of one group against a multiple of that of the other."""

    __slots__ = ("_flipped", "_race")

    def __init__(self, blocks: Blocks, threshold: float, alpha: float, alpha_violated: float, *, flipped: bool) -> None:
        super().__init__(blocks, threshold, alpha, alpha_violated)
        self._flipped = flipped
        self._race = BettingRace(0.0, -threshold, 1.0, alpha_above=alpha, alpha_below=alpha_violated)

    def settle(self, low_a: float, high_a: float, low_b: float, high_b: float) -> None:
        """Take in a block."""
        if self._flipped:
            low_a, high_a, low_b, high_b = low_b, high_b, low_a, high_a
        self._race.update(low_a - self.threshold * high_b, high_a - self.threshold * low_b)

    def decision(self) -> Decision | None:
        """Tell what is proven of this pair."""
        if self._race.above:
            return Decision.MET
        return Decision.VIOLATED if self._race.below else None

    def evidence(self) -> tuple[float, float]:
        """Largest log evidence for "met" and for "violated" so far."""
        return self._race.log_above, self._race.log_below

    def stops(self) -> tuple[int, ...]:
        """Blocks at which something was proven."""
        return self._race.stops

    def _columns(self) -> tuple[Floats, Floats, Floats, Floats]:
        low_a, high_a, low_b, high_b = self.blocks.columns()
        return (low_b, high_b, low_a, high_a) if self._flipped else (low_a, high_a, low_b, high_b)

    def proofs(self) -> tuple[Proof, Proof]:
        """From a threshold to the block at which "met" and "violated" were proven against it."""
        low_a, high_a, low_b, high_b = self._columns()
        met, violated = self.alpha, self.alpha_violated
        return (
            lambda rho: proven_at(*_ratio_gains(low_a, high_b, rho), met, violated),
            lambda rho: proven_at(*_ratio_gains(high_a, low_b, rho)[::-1], violated, met),
        )

    def paths(self) -> tuple[Floats, Floats]:
        """Largest log evidence for "met" and for "violated" after each block."""
        low_a, high_a, low_b, high_b = self._columns()
        met, violated, rho = self.alpha, self.alpha_violated, self.threshold
        return (
            largest_log_wealth(*_ratio_gains(low_a, high_b, rho), met, violated),
            largest_log_wealth(*_ratio_gains(high_a, low_b, rho)[::-1], violated, met),
        )


class DifferenceComparison(Comparison):
    """Absolute difference of two rates: met needs both sides, violated one of them."""

    __slots__ = ("_over", "_under")

    def __init__(self, blocks: Blocks, threshold: float, alpha: float, alpha_violated: float) -> None:
        super().__init__(blocks, threshold, alpha, alpha_violated)
        # _over asks whether the difference exceeds the threshold, _under whether it is less than minus the threshold.
        self._over = BettingRace(threshold, -1.0, 1.0, alpha_above=alpha_violated, alpha_below=alpha)
        self._under = BettingRace(-threshold, -1.0, 1.0, alpha_above=alpha, alpha_below=alpha_violated)

    def settle(self, low_a: float, high_a: float, low_b: float, high_b: float) -> None:
        """Take in a block."""
        self._over.update(low_a - high_b, high_a - low_b)
        self._under.update(low_a - high_b, high_a - low_b)

    def decision(self) -> Decision | None:
        """Tell what is proven of this pair."""
        if self._over.below and self._under.above:
            return Decision.MET
        return Decision.VIOLATED if self._over.above or self._under.below else None

    def evidence(self) -> tuple[float, float]:
        """Largest log evidence for "met" and for "violated" so far."""
        return min(self._over.log_below, self._under.log_above), max(self._over.log_above, self._under.log_below)

    def stops(self) -> tuple[int, ...]:
        """Blocks at which something was proven."""
        return (*self._over.stops, *self._under.stops)

    def _readings(self) -> tuple[Floats, Floats]:
        low_a, high_a, low_b, high_b = self.blocks.columns()
        return low_a - high_b, high_a - low_b

    def proofs(self) -> tuple[Proof, Proof]:
        """From a threshold to the block at which "met" and "violated" were proven against it."""
        (low, high), alpha, half = self._readings(), self.alpha, self.alpha_violated

        def met_at(d: float) -> float:
            below = proven_at(*_score_gains(high, d)[::-1], alpha, half)
            above = proven_at(*_score_gains(low, -d), alpha, half)
            return max(below, above)

        def violated_at(d: float) -> float:
            over = proven_at(*_score_gains(low, d), half, alpha)
            under = proven_at(*_score_gains(high, -d)[::-1], half, alpha)
            return min(over, under)

        return met_at, violated_at

    def paths(self) -> tuple[Floats, Floats]:
        """Largest log evidence for "met" and for "violated" after each block."""
        (low, high), d, alpha, half = self._readings(), self.threshold, self.alpha, self.alpha_violated
        below = largest_log_wealth(*_score_gains(high, d)[::-1], alpha, half)
        above = largest_log_wealth(*_score_gains(low, -d), alpha, half)
        over = largest_log_wealth(*_score_gains(low, d), half, alpha)
        under = largest_log_wealth(*_score_gains(high, -d)[::-1], half, alpha)
        return np.minimum(below, above), np.maximum(over, under)


def _ratio_gains(a: Floats, b: Floats, rho: float) -> tuple[Floats, Floats]:
    """Gains of the stakes on "rate_A > rho rate_B" and on the opposite: the contrast lies in [-rho, 1]."""
    contrast = a - rho * b
    return gains_above(contrast, 0.0, -rho), gains_below(contrast, 0.0, 1.0)


def _score_gains(x: Floats, threshold: float) -> tuple[Floats, Floats]:
    """Gains of the stakes on "above" and "below" for a difference, which lies in [-1, 1]."""
    return gains_above(x, threshold, -1.0), gains_below(x, threshold, 1.0)
