"""Judge correction by simulation: does the interval hold, and how many labels does a judge save.

``python -m bench.judges`` prints two tables as Markdown, seeded. Errors are independent given the truth; one label and
nine further verdicts of the judge to a block, as ``labels: {every: 10}`` asks for.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from shinrai.stats import plan_proportion
from shinrai.stats.judge import TRUST, judged_gains, judged_log_evidence

RUNS, BLOCKS, EVERY, ALPHA = 1_000, 600, 10, 0.05
JUDGES = {
    "perfect": (1.0, 1.0),
    "good": (0.95, 0.95),
    "fair": (0.85, 0.9),
    "lenient": (0.5, 0.98),
    "severe": (0.95, 0.6),
    "blind": (0.3, 0.7),
    "reversed": (0.1, 0.1),
}
RATES = (0.02, 0.1, 0.3)
CASES = ((0.02, 0.1), (0.05, 0.1), (0.2, 0.1), (0.1, 0.3), (0.45, 0.3))

Floats = NDArray[np.float64]


def contrasts(chance: np.random.Generator, rate: float, judge: tuple[float, float], runs: int) -> Floats:
    """Draw blocks and give Y - eta (f1 - mean f_j), shape (4, runs, BLOCKS)."""
    truth = chance.random((runs, BLOCKS, EVERY)) < rate
    sensitivity, specificity = judge
    flagged = chance.random(truth.shape) < np.where(truth, sensitivity, 1.0 - specificity)
    shift = flagged[..., 0] - flagged[..., 1:].mean(axis=-1)
    differences: Floats = truth[..., 0] - np.array(TRUST)[:, None, None] * shift
    return differences


def first_reached(evidence: Floats, level: float) -> Floats:
    """Block at which evidence was first enough, from 1; infinity where it never was."""
    reached = evidence >= -math.log(level)
    return np.where(reached.any(axis=-1), reached.argmax(axis=-1) + 1.0, math.inf)


def stops(rate: float, limit: float, judge: tuple[float, float], level: float) -> tuple[Floats, Floats]:
    """Give for each run the block at which "above the limit" and "below the limit" were proven."""
    chance = np.random.default_rng(17)
    above: list[Floats] = []
    below: list[Floats] = []
    for _part in range(RUNS // 50):
        x = contrasts(chance, rate, judge, 50)
        for found, gains in zip((above, below), judged_gains(x, limit, 0.0, 1.0), strict=True):
            found.append(first_reached(judged_log_evidence(gains), level))
    return np.concatenate(above), np.concatenate(below)


def coverage(rate: float, judge: tuple[float, float]) -> float:
    """Give the share of runs whose 95 % interval holds the truth after every one of the blocks."""
    above, below = stops(rate, rate, judge, ALPHA / 2.0)
    return float(np.mean(np.isinf(above) & np.isinf(below)))


def labels(rate: float, limit: float, judge: tuple[float, float]) -> tuple[float, float]:
    """Give the mean number of labels to a verdict (the horizon where there is none), and the share of wrong ones."""
    above, below = stops(rate, limit, judge, ALPHA)
    wrong = above < below if rate < limit else below < above
    return float(np.mean(np.minimum(np.minimum(above, below), BLOCKS))), float(np.mean(wrong))


def rows() -> list[tuple[str, str, str]]:
    """Give the figures as (what, figure, against) for the table."""
    found = []
    for name, judge in JUDGES.items():
        who = f"{name} judge (sensitivity {judge[0]:g}, specificity {judge[1]:g})"
        held = " / ".join(f"{coverage(rate, judge):.3f}" for rate in RATES)
        rates = " / ".join(f"{rate:g}" for rate in RATES)
        what = f"{who}: 95 % interval holds the truth after every one of {BLOCKS} labels, at rates {rates}"
        found.append((what, held, "at least 0.95"))
    cases = " / ".join(f"{rate:g} under {limit:g}" for rate, limit in CASES)
    alone = " / ".join(f"{plan_proportion(limit, ALPHA, BLOCKS, rate).expected:.0f}" for rate, limit in CASES)
    for name, judge in JUDGES.items():
        taken = [labels(rate, limit, judge) for rate, limit in CASES]
        means, wrong = (" / ".join(texts) for texts in zip(*((f"{m:.0f}", f"{w:.3f}") for m, w in taken), strict=True))
        found.append((f"{name} judge: mean labels to a verdict, at rates {cases}", means, f"people alone {alone}"))
        found.append((f"{name} judge: share of wrong verdicts there", wrong, f"at most {ALPHA:g}"))
    return found


def main() -> None:
    print(f"Coverage of the 95 % interval after each of {BLOCKS} labels, {RUNS} runs a cell\n")
    print("| judge | sensitivity | specificity | " + " | ".join(f"rate {rate:g}" for rate in RATES) + " |")
    print("|---|---|---|" + "---|" * len(RATES))
    for name, judge in JUDGES.items():
        cells = " | ".join(f"{coverage(rate, judge):.3f}" for rate in RATES)
        print(f"| {name} | {judge[0]:g} | {judge[1]:g} | {cells} |")
    print(f"\nMean labels to a verdict at {ALPHA:g} (people alone in the first row)\n")
    print("| judge | " + " | ".join(f"rate {rate:g}, limit {limit:g}" for rate, limit in CASES) + " |")
    print("|---|" + "---|" * len(CASES))
    alone = " | ".join(f"{plan_proportion(limit, ALPHA, BLOCKS, rate).expected:.0f}" for rate, limit in CASES)
    print(f"| nobody | {alone} |")
    for name, judge in JUDGES.items():
        found = [labels(rate, limit, judge) for rate, limit in CASES]
        print(f"| {name} | " + " | ".join(f"{mean:.0f}" for mean, _wrong in found) + " |")


if __name__ == "__main__":
    main()
