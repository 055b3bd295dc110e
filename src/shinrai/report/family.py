"""Which verdicts of a table of claims hold all at once.

Each claim of a run is stopped at its own error level. Whoever reads several verdicts out of one table is misled when
any of them is wrong, and that is likelier. What the ledger keeps of each test is the largest evidence that it had,
``sup E``, up to the moment at which the claim stopped. By Ville's inequality (1939) ``1 / sup E`` is a p-value at every
stopping time, whatever made the test stop, so Holm's procedure (1979, Scandinavian Journal of Statistics) can be used
on it afterwards, and holds however the claims hang together (`shinrai.stats.decide_table`). It needs to be known
beforehand which claims belong to the table: those of a run are named in the ledger before its first call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from shinrai.records import Commitment, Json, Verdict
from shinrai.stats import Decision, decide_table

__all__ = ["Family", "read_together"]


@dataclass(frozen=True, slots=True)
class Family:
    """What a table says about all of its claims at once.

    Parameters
    ----------
    alpha : float
        The probability that any of `met` is wrong is at most this; so it is for `violated`.
    size : int
        Claims in the table.
    met, violated : tuple of str
        Claims of which it holds; those that are not named here hold one by one, if at all.
    """

    alpha: float
    size: int
    met: tuple[str, ...]
    violated: tuple[str, ...]

    def to_json(self) -> dict[str, Json]:
        """Give it as JSON."""
        return asdict(self)


def read_together(claims: Sequence[tuple[Commitment, Verdict | None]]) -> Family | None:
    """Find the verdicts of a table that hold all at once.

    Parameters
    ----------
    claims : sequence of pair
        All claims of a run. A claim without evidence (not measured, or looked at once by a fixed-sample test) belongs
        to the table and takes its share of the error, but is never named.

    Returns
    -------
    Family or None
        At the smallest error level of its claims, so that no claim is named that was not decided by itself. None where
        there are fewer than two claims, or nothing was measured.
    """
    if len(claims) < 2 or not any(verdict for _commitment, verdict in claims):
        return None
    alpha = min(commitment.alpha for commitment, _verdict in claims)
    decisions = decide_table(
        [verdict.evidence_met if verdict else 0.0 for _commitment, verdict in claims],
        [verdict.evidence_violated if verdict else 0.0 for _commitment, verdict in claims],
        alpha,
    )
    named = {
        wanted: tuple(
            commitment.claim.rpartition("/")[2]
            for (commitment, verdict), decision in zip(claims, decisions, strict=True)
            if decision is wanted and verdict is not None and verdict.status == wanted.value
        )
        for wanted in (Decision.MET, Decision.VIOLATED)
    }
    return Family(alpha, len(claims), named[Decision.MET], named[Decision.VIOLATED])
