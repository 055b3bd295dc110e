"""Effects are spoken of only by a design that was registered, and say whether that was before the data."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from shinrai.check.effects import Effect, effects
from shinrai.check.series import gather
from shinrai.ledger import Entry, State
from shinrai.records import DesignRegistered, EvaluationDesign, Observation, Plan, last_day_of

BEGINS = "2026-01"
MONTHS = [f"{year}-{month:02}" for year in range(2024, 2028) for month in range(1, 13)]


def plan(**more: Any) -> Plan:
    design = {
        "id": "helper-effect",
        "title": {"en": "Does the helper shorten the wait?"},
        "of": "helper",
        "indicator": "wait",
        "kind": "interrupted-time-series",
        "begins": BEGINS,
        "assumptions": [{"en": "nothing else shortened it in that month"}],
        **more,
    }
    return Plan.model_validate({"id": "p", "title": {"en": "P"}, "owner": "o", "designs": [design]})


COMPARED: dict[str, Any] = {
    "kind": "difference-in-differences",
    "groups": "area",
    "treated": ["JP-13"],
    "comparison": [f"JP-{n:02}" for n in range(1, 8)],
}


def registered(house: Plan, day: str = "2025-12-01") -> State:
    (design,) = house.designs
    payload = DesignRegistered(plan=house.id, design=design)
    entry = Entry(2, f"{day}T09:00:00Z", "0" * 64, "sha256:" + "a" * 64, payload)
    return State(designs={(house.id, design.id): [(entry, design)]})


def series(jump: float, months: int = 40, area: str | None = None, seed: int = 4) -> list[Observation]:
    random = np.random.default_rng(seed)
    return [
        Observation(
            subject="wait",
            value=30.0 - 0.1 * at + (jump if month >= BEGINS else 0.0) + float(random.normal(0, 0.5)),
            unit="days",
            as_of=last_day_of(month),
            source="register",
            period=month,
            area=area,
        )
        for at, month in enumerate(MONTHS[:months])
    ]


def told(house: Plan, found: list[Observation], state: State | None = None) -> Effect:
    (only,) = effects(house, state or registered(house), gather(found), Path("nowhere"))
    json.dumps(only.to_json())
    return only


def test_without_registration_there_is_no_number() -> None:
    effect = told(plan(), series(-5.0), State())
    assert (effect.state, effect.why_not) == ("no_answer", "not-registered")
    assert effect.level is None
    assert effect.p is None


def test_a_design_that_was_changed_has_to_be_registered_anew() -> None:
    assert told(plan(alpha=0.1), series(-5.0), registered(plan())).why_not == "not-registered"


def test_a_registered_design_gives_effect_interval_level_and_placebos() -> None:
    effect = told(plan(), series(-5.0))
    assert effect.state == "shown"
    assert effect.design.evidence_level == 2
    assert effect.retrospective is False
    assert effect.level is not None
    assert effect.level.lower < -5.0 < effect.level.upper
    assert effect.periods == (24, 16)
    assert len(effect.placebos) == 9
    assert effect.as_strong == 0


def test_no_effect_is_not_shown() -> None:
    assert told(plan(), series(0.0)).state == "not_shown"


@pytest.mark.parametrize(("day", "late"), [("2025-12-01", False), ("2026-02-01", True), ("2027-06-01", True)])
def test_registered_after_the_first_value_is_retrospective(day: str, late: bool) -> None:
    assert told(plan(), series(-5.0), registered(plan(), day)).retrospective is late


def test_a_value_that_was_published_early_makes_it_retrospective() -> None:
    rows = series(-5.0)
    rows[30] = rows[30].model_copy(update={"published": date(2025, 11, 30)})
    assert told(plan(), rows).retrospective is True


def test_too_few_periods_gaps_and_nothing_yet_are_said() -> None:
    assert told(plan(), series(-5.0, 30)).why_not == "too-few-periods"
    assert told(plan(), series(-5.0, 30)).periods == (24, 6)
    assert told(plan(), series(-5.0, 24)).why_not == "nothing-yet"
    assert told(plan(), []).why_not == "nothing-yet"
    rows = series(-5.0)
    assert told(plan(), rows[:5] + rows[6:]).why_not == "gaps"


def areas(jump: float) -> list[Observation]:
    rows = [one for n in range(1, 8) for one in series(0.0, area=f"JP-{n:02}", seed=n)]
    return [*rows, *series(jump, area="JP-13", seed=13)]


def test_groups_are_compared_with_groups() -> None:
    effect = told(plan(**COMPARED), areas(-5.0))
    assert (effect.state, effect.design.evidence_level, effect.placebo_kind) == ("shown", 3, "groups")
    assert effect.difference is not None
    assert effect.difference.lower < -5.0 < effect.difference.upper
    assert len(effect.placebos) == 7
    assert told(plan(**COMPARED), areas(0.0)).state == "not_shown"


def test_a_placebo_group_that_moved_as_much_makes_it_doubtful() -> None:
    rows = [one for one in areas(-5.0) if one.area not in {"JP-06", "JP-07"}]
    rows += series(-9.0, area="JP-07", seed=7)
    wide = {**COMPARED, "comparison": ["JP-01", "JP-02", "JP-03", "JP-04", "JP-05", "JP-07"], "alpha": 0.45}
    effect = told(plan(**wide), rows)
    assert effect.as_strong == 1
    assert effect.state == "doubtful"


def test_one_comparison_group_gives_no_interval_and_so_no_number() -> None:
    effect = told(plan(**{**COMPARED, "comparison": ["JP-01"]}), areas(-5.0))
    assert (effect.why_not, effect.difference) == ("too-few-groups", None)


def test_groups_can_be_a_breakdown() -> None:
    rows = [one.model_copy(update={"area": None, "breakdown": {"size": one.area or ""}}) for one in areas(-5.0)]
    assert told(plan(**{**COMPARED, "groups": "size"}), rows).state == "shown"


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "difference-in-differences"},
        {"groups": "area"},
        {**COMPARED, "comparison": ["JP-13"]},
        {"until": "2025-12"},
        {"until": "2027"},
        {"assumptions": []},
        {"alpha": 0.0},
        {"kind": "before-and-after"},
    ],
)
def test_a_design_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        plan(**wrong)


def test_the_level_of_evidence_is_the_designs() -> None:
    both = EvaluationDesign.model_validate({**plan().designs[0].to_json(), **COMPARED})
    assert (plan().designs[0].evidence_level, both.evidence_level) == (2, 3)
