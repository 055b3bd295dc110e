"""A small national plan with everything that rules and comparisons look at, to be changed field by field."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import date
from typing import Any

from shinrai.records import Observation, Plan, last_day_of

Change = Callable[[dict[str, Any]], object]


def text(en: str, ja: str | None = None) -> dict[str, str]:
    return {"en": en, **({"ja": ja} if ja else {})}


SOUND: dict[str, Any] = {
    "id": "care-2026",
    "title": text("Care plan", "介護計画"),
    "owner": "care-office",
    "version": "1",
    "period": {"start": "2026-01-01", "end": "2032-12-31"},
    "goals": [
        {
            "id": "relief",
            "number": "1",
            "title": text("Families are relieved", "家族の負担が軽くなる"),
            "measures": [
                {
                    "id": "helper",
                    "number": "1.1",
                    "title": text("An AI helper for care planning", "ケアプラン作成を助けるAI"),
                    "owner": "care-office",
                    "start": "2026-04-01",
                    "due": "2030-03-31",
                    "legal_force": "cabinet-decision",
                    "milestones": [{"id": "pilot", "title": text("Pilot in ten towns"), "due": "2027-03-31"}],
                }
            ],
        }
    ],
    "results": [
        {"id": "built", "level": "output", "title": text("The helper is in place", "AIが使える"), "of": ["helper"]},
        {
            "id": "waiting",
            "level": "outcome",
            "title": text("People wait less for a care plan", "ケアプランを待つ日数が減る"),
            "who_changes": text("people who ask for care", "介護を申し込む人"),
            "of": ["helper"],
        },
        {
            "id": "mistakes",
            "level": "outcome",
            "title": text("Fewer harmful mistakes in care plans", "ケアプランの誤りによる事故が減る"),
            "who_changes": text("people in care", "介護を受ける人"),
            "of": ["helper"],
        },
    ],
    "links": [
        {
            "from": "built",
            "to": "waiting",
            "mechanism": text("drafts take minutes"),
            "assumptions": [text("staff use the drafts")],
            "expected_lag": 12,
            "evidence_level": 1,
            "counter_indicator": "mistakes-per-plan",
        }
    ],
    "indicators": [
        {
            "id": "days-waited",
            "title": text("Days until the care plan", "ケアプランまでの日数"),
            "unit": "days",
            "direction": "down",
            "frequency": "fiscal-year",
            "quality": dict.fromkeys(
                ("verified", "sources", "accuracy", "limitations", "compensation"), text("stated in the manual")
            ),
            "sources": [
                {"title": text("Care statistics"), "producer": text("Statistics office"), "certainty": "official"}
            ],
        },
        {
            "id": "mistakes-per-plan",
            "title": text("Harmful mistakes per 1,000 plans", "千件あたりの事故"),
            "unit": "per-mille",
            "direction": "down",
            "frequency": "fiscal-year",
            "quality": dict.fromkeys(
                ("verified", "sources", "accuracy", "limitations", "compensation"), text("stated in the manual")
            ),
            "sources": [{"title": text("Incident register"), "producer": text("Audit board"), "certainty": "official"}],
        },
    ],
    "uses": [
        {
            "indicator": "days-waited",
            "of": "waiting",
            "baseline": {"period": "FY2024", "value": 30},
            "target": {"period": "FY2029", "value": 10, "standing": "final"},
            "path": [{"period": "FY2026", "value": 22}, {"period": "FY2027", "value": 18}],
            "path_basis": "official",
        },
        {
            "indicator": "mistakes-per-plan",
            "of": "mistakes",
            "baseline": {"period": "FY2024", "value": 3},
            "target": {"period": "FY2029", "value": 1, "standing": "final"},
        },
    ],
}


def sound(*changes: Change, **fields: Any) -> Plan:
    """Give the plan with changes made to it."""
    data = deepcopy(SOUND)
    data.update(fields)
    for change in changes:
        change(data)
    return Plan.model_validate(data)


def seen(indicator: str, values: dict[str, float], **more: Any) -> list[Observation]:
    """Give observations of an indicator, by period."""
    return [
        Observation(
            subject=indicator,
            value=value,
            unit="days",
            as_of=last_day_of(period),
            period=period,
            source="Care statistics",
            published=date(2026, 6, 30),
            **more,
        )
        for period, value in values.items()
    ]


def observed(**more: Any) -> dict[str, list[Observation]]:
    return {
        "days-waited": seen("days-waited", {"FY2024": 30.0, "FY2025": 28.0}, **more),
        "mistakes-per-plan": seen("mistakes-per-plan", {"FY2024": 3.0, "FY2025": 2.5}, **more),
    }
