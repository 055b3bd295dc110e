"""Two versions of a large plan: the comparison, the rules, the patch."""

from __future__ import annotations

import time
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from shinrai.plan.lint import lint
from shinrai.plan.versions import compare, json_patch
from shinrai.records import Plan
from tests.plan.national import text

MEASURES = 1_000
INDICATORS = 5
YEARS = 20


def plan(measures: int = MEASURES, indicators: int = INDICATORS, years: int = YEARS) -> dict[str, Any]:
    """Give a plan with a goal for every ten measures, and indicators with a path of many years."""
    names = [f"m{number}" for number in range(measures)]
    goals = [
        {
            "id": f"g{at}",
            "title": text(f"Goal {at}", f"目標{at}"),
            "measures": [
                {
                    "id": name,
                    "number": f"{at}.{place}",
                    "title": text(f"Measure {name}", f"施策{name}を実施する"),
                    "owner": "office",
                    "due": "2030-03-31",
                    "milestones": [{"id": f"{name}.ms", "title": text("Ready"), "due": "2027-03-31"}],
                }
                for place, name in enumerate(names[10 * at : 10 * at + 10])
            ],
        }
        for at in range(measures // 10)
    ]
    uses = [(name, f"{name}.i{number}") for name in names for number in range(indicators)]
    return {
        "id": "large",
        "title": text("Large plan"),
        "owner": "office",
        "goals": goals,
        "results": [
            {"id": f"{name}.r", "level": "outcome", "title": text(f"Result {name}"), "of": [name]} for name in names
        ],
        "indicators": [
            {
                "id": use,
                "title": text(f"Indicator {use}"),
                "unit": "percent",
                "direction": "up",
                "frequency": "fiscal-year",
            }
            for _name, use in uses
        ],
        "uses": [
            {
                "indicator": use,
                "of": f"{name}.r",
                "baseline": {"period": "FY2020", "value": 10},
                "target": {"period": f"FY{2020 + years}", "value": 80, "standing": "final"},
                "path": [{"period": f"FY{2021 + year}", "value": 10 + 3 * year} for year in range(years)],
                "path_basis": "official",
            }
            for name, use in uses
        ],
    }


def changed(data: dict[str, Any]) -> dict[str, Any]:
    """Give the next version: measures reworded, put off and dropped, targets lowered, paths cut short."""
    new = deepcopy(data)
    new["id"] = "large-2"
    for at, goal in enumerate(new["goals"]):
        for place, measure in enumerate(goal["measures"]):
            if place % 3 == 0:
                measure.update(due="2031-03-31", title=text("Measure, to be considered", "施策を検討する"))
        if at % 10 == 0:
            goal["measures"].pop()
    for at, use in enumerate(new["uses"]):
        if at % 5 == 0:
            use["target"]["value"] = 60
            use["path"] = use["path"][:-4]
    return new


def _timed(what: Callable[[], object]) -> float:
    best = float("inf")
    for _again in range(3):
        begun = time.perf_counter()
        what()
        best = min(best, time.perf_counter() - begun)
    return best


def rows() -> list[tuple[str, str, str]]:
    """Measure the best of three: a busy machine must not look like slow code."""
    data = plan()
    old, new = Plan.model_validate(data), Plan.model_validate(changed(data))
    plans = {old.id: old, new.id: new}
    before, after = old.to_json(), new.to_json()
    changes = len(compare(old, new, plans).changes)
    size = f"{MEASURES:,} measures × {INDICATORS} indicators × {YEARS} years"
    return [
        (
            f"compare two versions of {size} ({changes:,} changes)",
            f"{_timed(lambda: compare(old, new, plans)):.2f} s",
            "at most 1 s",
        ),
        ("the same as a JSON Patch", f"{_timed(lambda: json_patch(before, after)):.2f} s", ""),
        ("ask every rule about the new version", f"{_timed(lambda: lint(new, plans, {}, old)):.2f} s", ""),
    ]


if __name__ == "__main__":
    for row in rows():
        print(" | ".join(row))
