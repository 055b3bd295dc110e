"""What a verdict costs: expected calls of the sequential proportion test, exactly, and the speed of an update."""

import time

from shinrai.stats import ProportionTest, fixed_sample_size, plan_proportion

ALPHA = 0.05
MULTIPLES = (0.0, 0.25, 0.5, 2.0, 3.0)
# Mean calls of the same rule, computed by an independent program, horizon 10 times the fixed size.
REFERENCE = {0.02: (211, 429, 1105, 521, 160), 0.1: (41, 81, 207, 89, 27)}


def rows() -> list[tuple[str, str, str]]:
    """Measure, as (what, figure, reference)."""
    table = []
    for limit, reference in REFERENCE.items():
        fixed = fixed_sample_size(limit, ALPHA)
        for multiple, calls in zip(MULTIPLES, reference, strict=True):
            plan = plan_proportion(limit, ALPHA, 10 * fixed, multiple * limit)
            what = f"limit {limit:g}, true rate {multiple:g} x limit"
            table += [
                (f"{what}: mean calls", f"{plan.expected:,.0f}", f"{calls:,}"),
                (
                    f"{what}: fixed n / mean calls",
                    f"{fixed / plan.expected:.1f}x",
                    f"{fixed / calls:.1f}x (n={fixed:,})",
                ),
            ]
    table.append(("updates per second, one process", f"{_updates_per_second():,.0f}", "500,000"))
    return table


def _updates_per_second(updates: int = 200_000) -> float:
    best = float("inf")
    for _ in range(3):
        test = ProportionTest(0.02, ALPHA, updates)
        start = time.perf_counter()
        for index in range(updates):
            failed = index % 50 == 0
            test.update(failed, failed)
        best = min(best, time.perf_counter() - start)
    return updates / best


if __name__ == "__main__":
    for what, figure, reference in rows():
        print(f"{what:<58} {figure:>12}   {reference}")
