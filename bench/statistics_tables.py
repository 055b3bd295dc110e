"""Exact costs of the proportion tests beside those of an independent program: with and without replacement, borderline.

Each row is one table row: mean calls at the true rates that its name lists, as multiples of the limit.
"""

from collections.abc import Iterable, Sequence

from shinrai.stats import (
    borderline_range,
    finite_stopping_table,
    fixed_sample_size,
    plan_finite_population,
    plan_proportion,
    stopping_table,
)

ALPHA = 0.05
# Horizon 10 times the fixed size.
ENDLESS_MULTIPLES = (0.0, 0.25, 0.5, 0.75, 1.25, 1.5, 2.0, 3.0)
ENDLESS = {
    0.01: (423, 862, 2227, 10595, 13944, 3869, 1073, 328),
    0.02: (211, 429, 1105, 5255, 6813, 1880, 521, 160),
    0.05: (83, 168, 432, 2051, 2569, 698, 193, 59),
    0.1: (41, 81, 207, 979, 1198, 323, 89, 27),
    0.2: (19, 38, 95, 444, 514, 135, 37, 11),
}
# Wrong "met" and wrong "violated" at the limit.
ENDLESS_WRONG = {
    0.01: (0.045, 0.028),
    0.02: (0.045, 0.029),
    0.05: (0.044, 0.033),
    0.1: (0.043, 0.032),
    0.2: (0.043, 0.034),
}
# Chance of the right verdict within twice the fixed size.
CAPPED_MULTIPLES = (0.0, 0.25, 0.5, 0.75, 1.25, 1.5, 2.0)
CAPPED = {
    0.02: ((1.00, 1.00, 0.96, 0.33, 0.23, 0.77, 1.00), (211, 429, 1081, 2273, 2406, 1587, 521)),
    0.1: ((1.00, 1.00, 0.96, 0.34, 0.26, 0.81, 1.00), (41, 81, 203, 429, 448, 282, 89)),
}
FINITE_MULTIPLES = (0.0, 0.25, 0.5, 0.75, 1.5, 2.0, 3.0)
FINITE = {
    (500, 0.01): ((238, 286, 339, 445, 319, 252, 154), (0.049, 0.011)),
    (500, 0.02): ((156, 205, 306, 426, 311, 203, 104), (0.049, 0.016)),
    (500, 0.05): ((73, 118, 197, 354, 231, 122, 50), (0.048, 0.024)),
    (500, 0.1): ((38, 66, 132, 288, 166, 69, 25), (0.047, 0.035)),
    (500, 0.2): ((19, 35, 75, 201, 97, 33, 10), (0.045, 0.038)),
    (2000, 0.01): ((362, 576, 935, 1470, 1053, 580, 254), (0.049, 0.021)),
    (2000, 0.02): ((194, 341, 640, 1241, 803, 370, 141), (0.049, 0.025)),
    (2000, 0.05): ((80, 152, 331, 870, 461, 170, 58), (0.049, 0.031)),
    (2000, 0.1): ((40, 77, 180, 580, 259, 84, 26), (0.048, 0.039)),
    (2000, 0.2): ((19, 37, 88, 335, 124, 36, 11), (0.047, 0.040)),
}
# If a run ends as soon as the rate is proven to lie within a factor of the limit.
BORDERLINE_MULTIPLES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0)
BORDERLINE = {
    (0.02, 1.5): (211, 429, 1105, 4578, 3852, 3989, 1857, 521, 160),
    (0.02, 2.0): (211, 429, 1089, 2033, 1318, 1149, 1082, 514, 160),
    (0.1, 1.5): (41, 81, 207, 842, 696, 691, 320, 89, 27),
    (0.1, 2.0): (41, 81, 204, 368, 236, 200, 186, 88, 27),
}
WRONG_BORDERLINE = 0.011


def rows() -> list[tuple[str, str, str]]:
    """Measure, as (what, figure, reference)."""
    return [*_endless(), *_finite(), *_borderline()]


def _endless() -> Iterable[tuple[str, str, str]]:
    for limit, reference in ENDLESS.items():
        fixed = fixed_sample_size(limit, ALPHA)
        calls = [plan_proportion(limit, ALPHA, 10 * fixed, limit * r).expected for r in ENDLESS_MULTIPLES]
        yield f"limit {limit:g}: mean calls at {_times(ENDLESS_MULTIPLES)}", _whole(calls), _whole(reference)
    for limit, wrong in ENDLESS_WRONG.items():
        at_limit = plan_proportion(limit, ALPHA, 10 * fixed_sample_size(limit, ALPHA), limit)
        yield (
            f"limit {limit:g}: met / violated at the limit",
            _shares((at_limit.met, at_limit.violated)),
            _shares(wrong),
        )
    for limit, (right, mean) in CAPPED.items():
        budget = 2 * fixed_sample_size(limit, ALPHA)
        plans = [plan_proportion(limit, ALPHA, budget, limit * r) for r in CAPPED_MULTIPLES]
        what = f"limit {limit:g}, budget {budget:,}"
        found = [plan.met if r < 1 else plan.violated for plan, r in zip(plans, CAPPED_MULTIPLES, strict=True)]
        yield f"{what}: right verdict at {_times(CAPPED_MULTIPLES)}", _shares(found, 2), _shares(right, 2)
        yield f"{what}: mean calls", _whole(plan.expected for plan in plans), _whole(mean)
        yield f"{what}: enough in 95 % of runs", _whole(plan.p95 for plan in plans), "–"


def _finite() -> Iterable[tuple[str, str, str]]:
    for (size, limit), (reference, wrong) in FINITE.items():
        plans = [plan_finite_population(limit, ALPHA, size, round(limit * size * r)) for r in FINITE_MULTIPLES]
        what = f"{size:,} items, limit {limit:g}"
        draws = _whole(plan.expected for plan in plans)
        yield f"{what}: mean calls at {_times(FINITE_MULTIPLES)}", draws, _whole(reference)
        allowed = finite_stopping_table(limit, ALPHA, size).met[-1]
        met = plan_finite_population(limit, ALPHA, size, allowed + 1).met
        violated = plan_finite_population(limit, ALPHA, size, allowed).violated
        yield f"{what}: wrong met / violated, worst case", _shares((met, violated)), _shares(wrong)


def _borderline() -> Iterable[tuple[str, str, str]]:
    for (limit, factor), reference in BORDERLINE.items():
        horizon = 10 * fixed_sample_size(limit, ALPHA)
        what = f"limit {limit:g}, borderline within {factor:g}x"
        calls = [_until_borderline(limit, factor, horizon, limit * r)[0] for r in BORDERLINE_MULTIPLES]
        yield f"{what}: mean calls at {_times(BORDERLINE_MULTIPLES)}", _whole(calls), _whole(reference)
        wrong = max(_until_borderline(limit, factor, horizon, edge)[1] for edge in borderline_range(limit, factor))
        yield f"{what}: wrong borderline at its ends", _shares([wrong]), f"{WRONG_BORDERLINE:g} at most"


def _until_borderline(limit: float, factor: float, horizon: int, rate: float) -> tuple[float, float]:
    """Mean calls and chance of borderline, when a run ends at a verdict or with both sides proven at once."""
    decide = stopping_table(limit, ALPHA, horizon)
    low, high = (stopping_table(edge, ALPHA, horizon) for edge in borderline_range(limit, factor))
    undecided, mean, said = {0: 1.0}, 0.0, 0.0
    for n in range(1, horizon + 1):
        mean += sum(undecided.values())
        following: dict[int, float] = {}
        for failures, mass in undecided.items():
            for count, part in ((failures, mass * (1.0 - rate)), (failures + 1, mass * rate)):
                following[count] = following.get(count, 0.0) + part
        undecided = {}
        for count, mass in following.items():
            if mass < 1e-15 or not decide.met[n] < count < decide.violated[n]:
                continue
            if low.violated[n] <= count <= high.met[n]:
                said += mass
            else:
                undecided[count] = mass
        if not undecided:
            break
    return mean, said


def _times(multiples: Sequence[float]) -> str:
    return ", ".join(f"{multiple:g}" for multiple in multiples) + " x limit"


def _whole(values: Iterable[float]) -> str:
    return " / ".join(f"{value:,.0f}" for value in values)


def _shares(values: Iterable[float], digits: int = 3) -> str:
    return " / ".join(f"{value:.{digits}f}" for value in values)


if __name__ == "__main__":
    for what, figure, reference in rows():
        print(f"{what}\n    ours      {figure}\n    reference {reference}")
