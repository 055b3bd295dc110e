"""How long it takes to say where the indicators of a large plan stand."""

from __future__ import annotations

import time
from datetime import date

from shinrai.catalog import status_methods
from shinrai.check.indicators import assess
from shinrai.check.series import gather
from shinrai.records import IndicatorUse, Observation, Plan

MEASURES, INDICATORS, YEARS = 1_000, 5, 20
TODAY = date(2026, 11, 23)


def rows() -> list[tuple[str, str, str]]:
    """Measure, as (what, figure, reference)."""
    plan, found = large_plan()
    start = time.process_time()
    series = gather(found)
    gathered = time.process_time() - start
    method = status_methods()["pace-against-path"]
    assess([small(plan)], {}, series, method, TODAY)  # scipy is loaded once
    best = min(_seconds(plan, series, method) for _ in range(3))
    what = f"{MEASURES:,} measures x {INDICATORS} indicators x {YEARS} years"
    return [
        (f"{what}: status of every indicator, CPU", f"{best:.2f} s", "under 1 s"),
        (f"{what}: gathering {len(found):,} observations into series, CPU", f"{gathered:.2f} s", "once, beside it"),
    ]


def _seconds(plan: Plan, series: object, method: object) -> float:
    start = time.process_time()
    told = assess([plan], {}, series, method, TODAY)  # type: ignore[arg-type]  # as rows() made them
    if len(told) != MEASURES * INDICATORS:
        raise RuntimeError(f"{len(told)} of {MEASURES * INDICATORS} indicators were assessed")
    return time.process_time() - start


def small(plan: Plan) -> Plan:
    """Give the plan with its first indicator alone."""
    return plan.model_copy(update={"uses": plan.uses[:1]})


def large_plan() -> tuple[Plan, list[Observation]]:
    """Make a plan with as many indicators as a large ministry's, and twenty years of observations of each."""
    last = 2025
    indicators, uses, found = [], [], []
    for number in range(MEASURES * INDICATORS):
        name = f"i{number}"
        indicators.append({"id": name, "title": {"en": name}, "unit": "percent", "direction": "up", "max_age": 24})
        uses.append(
            IndicatorUse.model_validate(
                {
                    "indicator": name,
                    "baseline": {"period": str(last - YEARS + 1), "value": 10.0},
                    "target": {"period": "2030", "value": 90.0, "standing": "final"},
                }
            )
        )
        found += [
            Observation.model_construct(
                subject=name,
                value=10.0 + (number % 7) * step / 2,
                unit="percent",
                as_of=date(last - YEARS + 1 + step, 12, 31),
                source="made up",
                period=str(last - YEARS + 1 + step),
            )
            for step in range(YEARS)
        ]
    plan = Plan.model_validate({"id": "large", "title": {"en": "Large"}, "owner": "o", "indicators": indicators})
    return plan.model_copy(update={"uses": tuple(uses)}), found


if __name__ == "__main__":
    for what, figure, reference in rows():
        print(f"{what:<80} {figure:>12}   {reference}")
