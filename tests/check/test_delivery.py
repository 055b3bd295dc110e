"""Delivery and outcome side by side: what was done, what moved, and what is not known."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from shinrai.catalog import status_methods
from shinrai.check.delivery import measure_states, milestone_state, quadrants
from shinrai.check.indicators import assess
from shinrai.check.series import gather
from shinrai.records import Milestone, Observation, Plan

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("due", "done", "state"),
    [
        ("2026-05", "2026-05-31", "done"),
        ("2026-05", "2026-06-01", "done_late"),
        ("2026-Q3", None, "overdue"),
        ("2026", None, "pending"),
        (None, None, "undated"),
        (None, "2025", "done"),
        ("2026-11-23", None, "pending"),
        ("2026-11-22", None, "overdue"),
    ],
)
def test_a_milestone_is_met_by_the_end_of_its_period(due: str | None, done: str | None, state: str) -> None:
    milestone = Milestone.model_validate({"id": "m", "title": {"en": "M"}, "due": due, "done": done})
    assert milestone_state(milestone, TODAY) == state


def house(milestones: list[dict[str, Any]], value: float, level: str = "outcome") -> Plan:
    measure = {"id": "m", "title": {"en": "M"}, "milestones": milestones}
    return Plan.model_validate(
        {
            "id": "p",
            "title": {"en": "P"},
            "owner": "o",
            "goals": [{"id": "g", "title": {"en": "G"}, "measures": [measure]}],
            "results": [
                {"id": "a", "level": "output", "title": {"en": "A"}, "of": ["m"]},
                {"id": "b", "level": level, "title": {"en": "B"}},
            ],
            # A cycle: it is followed once, not for ever.
            "links": [{"from": "a", "to": "b"}, {"from": "b", "to": "a"}],
            "indicators": [{"id": "i", "title": {"en": "I"}, "unit": "x", "direction": "up"}],
            "uses": [
                {
                    "indicator": "i",
                    "of": "b",
                    "baseline": {"period": "2024", "value": 0},
                    "target": {"period": "2030", "value": 60, "standing": "final"},
                }
            ],
        }
    )


DONE = {"id": "x", "title": {"en": "X"}, "done": "2026-01", "due": "2026-01"}
LATE = {"id": "y", "title": {"en": "Y"}, "due": "2026-01"}


@pytest.mark.parametrize(
    ("milestones", "value", "cell"),
    [
        ([DONE], 20, ("delivered", "moved")),
        ([DONE], -1, ("delivered", "not_moved")),
        ([DONE, LATE], 20, ("not_delivered", "moved")),
        ([LATE], 2, ("not_delivered", "not_moved")),
        ([], 20, ("not_known", "moved")),
        ([DONE], None, ("delivered", "not_known")),
    ],
)
def test_a_measure_stands_in_one_cell(milestones: list[dict[str, Any]], value: float | None, cell: Any) -> None:
    plan = house(milestones, value or 0.0)
    found = [] if value is None else [observation(value)]
    statuses = assess([plan], {}, gather(found), status_methods()["pace-against-path"], TODAY)
    (state,) = measure_states(plan, statuses, TODAY)
    assert (state.delivery, state.moved) == cell
    assert list(quadrants([state])) == [cell]


def test_an_output_is_no_outcome() -> None:
    plan = house([DONE], 20, level="output")
    statuses = assess([plan], {}, gather([observation(20)]), status_methods()["pace-against-path"], TODAY)
    (state,) = measure_states(plan, statuses, TODAY)
    assert (state.outcomes, state.moved) == ((), "not_known")


def observation(value: float) -> Observation:
    given = {"subject": "i", "value": value, "unit": "x", "as_of": "2026-06-30", "source": "s", "period": "2026"}
    return Observation.model_validate(given)
