"""Where indicators stand: the published traps one by one, and what may never look good."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shinrai.catalog import status_methods
from shinrai.check.indicators import IndicatorStatus, assess, count_states, reversals
from shinrai.check.series import gather
from shinrai.records import INDICATOR_STATES, Correction, IndicatorUse, Observation, Plan

METHOD = status_methods()["pace-against-path"]
TODAY = date(2026, 11, 23)
BEHIND = 38.5


def observation(period: str, value: float, **more: Any) -> Observation:
    year = int(period.removeprefix("FY")[:4])
    given = {"as_of": f"{year}-12-31", "unit": "percent", "source": "survey", "published": f"{year + 1}-03-31"}
    return Observation.model_validate({"subject": "use", "period": period, "value": value, **given, **more})


def plan(direction: str = "up", more: dict[str, Any] | None = None, **use: Any) -> Plan:
    return Plan.model_validate(
        {
            "id": "p",
            "title": {"en": "P"},
            "owner": "o",
            "indicators": [
                {
                    "id": "use",
                    "title": {"en": "Use"},
                    "unit": "percent",
                    "direction": direction,
                    "max_age": 60,
                    **(more or {}),
                }
            ],
            "uses": [{"indicator": "use", **use}],
        }
    )


def promise(baseline: tuple[str, float], target: tuple[str, float], **more: Any) -> dict[str, Any]:
    return {
        "baseline": {"period": baseline[0], "value": baseline[1]},
        "target": {"period": target[0], "value": target[1], "standing": "final"},
        **more,
    }


def status(house: Plan, *found: Observation, today: date = TODAY, corrections: Any = ()) -> IndicatorStatus:
    (only,) = assess([house], {house.id: house}, gather(found, corrections), METHOD, today)
    assert set(only.probabilities or {}) <= set(INDICATOR_STATES)
    json.dumps(only.to_json())
    return only


# The vectors A to H: baseline, target, observation → growth ratio's colour, and what the path says.

VECTORS = {
    "A on the line": (("2024", 26.7), ("2030", 80), ("2026", 26.7 + 53.3 / 3), "on_path", "on_path", 1.00),
    "B clearly behind": (("2024", 26.7), ("2030", 80), ("2026", 38.5), "on_path", "slightly_behind", 0.66),
    "C a fall, ahead": (("2015", 10), ("2030", 0), ("2022", 5), "off_path", "on_path", 1.07),
    "D a fall, on the line": (("2024", 10), ("2030", 1), ("2026", 7), "off_path", "on_path", 1.00),
    "E hardly begun from zero": (("2025", 0), ("2030", 100), ("2026", 1), "on_path", "off_path", 0.05),
    "F from zero, on the line": (("2025", 0), ("2030", 100), ("2027", 40), "on_path", "on_path", 1.00),
    "G near the top, on the line": (("2024", 90), ("2030", 100), ("2026", 90 + 10 / 3), "on_path", "on_path", 1.00),
    "H across zero": (("2024", -12), ("2030", 5), ("2026", 1), None, "on_path", 2.29),
}


@pytest.mark.parametrize(
    ("baseline", "target", "observed", "growth", "state", "pace"), VECTORS.values(), ids=VECTORS.keys()
)
def test_the_vectors_and_where_the_growth_ratio_misleads(
    baseline: tuple[str, float],
    target: tuple[str, float],
    observed: tuple[str, float],
    growth: str | None,
    state: str,
    pace: float,
) -> None:
    direction = "up" if target[1] > baseline[1] else "down"
    house = plan(direction, {"max_age": 120}, **promise(baseline, target))
    told = status(house, observation(*observed), today=date(2028, 1, 1))
    assert told.state == state
    assert told.pace == pytest.approx(pace, abs=0.005)
    assert (told.by_method or {}).get("growth") == growth
    assert told.agree == (growth in {None, state})
    assert told.path_assumed


def test_a_direction_is_never_guessed() -> None:
    house = plan().to_json()
    for wrong in ({}, {"direction": "Positive"}, {"direction": "positive"}, {"direction": "UP"}):
        house["indicators"][0].pop("direction", None)
        house["indicators"][0] |= wrong
        with pytest.raises(ValueError, match="direction"):
            Plan.model_validate(house)


def test_a_fall_to_zero_that_is_half_way_has_covered_one_half() -> None:
    # Leantime #3247 expects 100 %: covered is (now - start) / (end - start) = (100 - 200) / (0 - 200).
    told = status(plan("down", **promise(("2024", 200), ("2028", 0))), observation("2026", 100, unit="persons"))
    assert told.covered == 0.5
    assert told.state == "on_path"


def test_worse_than_the_baseline_is_shown_as_such() -> None:
    told = status(plan(**promise(("2024", 50), ("2030", 80))), observation("2026", 45))
    assert told.state == "reversing"
    assert told.covered == pytest.approx(-5 / 30)
    assert "below-baseline" in told.notes


def test_a_target_that_the_baseline_had_met_is_named() -> None:
    house = plan(**promise(("2024", 85), ("2030", 80)))
    assert status(house, observation("2026", 86)).state == "achieved"
    assert status(house, observation("2026", 86)).reason == "target-met-at-baseline"
    told = status(house, observation("2026", 70))
    assert (told.state, told.reason) == ("reversing", "target-met-at-baseline")
    assert told.notes[0] == "target-met-at-baseline"
    equal = status(plan(**promise(("2024", 80), ("2030", 80))), observation("2026", 79))
    assert (equal.state, equal.covered) == ("reversing", None)


@pytest.mark.parametrize(
    ("use", "found", "state", "reason"),
    [
        ({}, [("2026", 40)], "no_target", "no-target-value"),
        ({"target": {"value": 80, "standing": "draft"}}, [("2026", 40)], "no_target", "no-target-date"),
        ({"target": {"value": 80, "standing": "draft"}}, [("2026", 81)], "achieved", None),
        (
            {"target": {"value": 80, "period": "2030", "standing": "final"}},
            [("2026", 40)],
            "no_baseline",
            "no-baseline-value",
        ),
        (promise(("2024", 30), ("2030", 80)), [], "no_recent_data", "no-observation"),
        (promise(("2014", 30), ("2030", 80)), [("2019", 60)], "no_recent_data", "too-old"),
        (promise(("2024", 30), ("2030", 80)), [("2024", 30)], "no_recent_data", "nothing-since-baseline"),
        (promise(("2024", 30), ("2030", 80)), [("FY2026", 60)], "no_recent_data", "other-periods"),
        (promise(("2024", 30), ("2030", 80), not_measurable={"en": "x"}), [("2026", 60)], "not_measurable", None),
        (promise(("2024", 30), ("2030", 80), first_effect="2027"), [("2026", 29)], "too_early", None),
        (promise(("2024", 30), ("2030", 80), first_effect="2027"), [("2026", 80)], "achieved", None),
    ],
)
def test_what_stands_in_the_way_is_said(
    use: dict[str, Any], found: list[tuple[str, float]], state: str, reason: str | None
) -> None:
    told = status(plan(**use), *(observation(*one) for one in found))
    assert told.state == state
    assert reason is None or told.reason == reason


def test_an_old_value_loses_its_colour_on_the_very_day() -> None:
    house = plan(more={"max_age": 24}, **promise(("2020", 30), ("2030", 80)))
    assert status(house, observation("2024", 60), today=date(2026, 12, 31)).state == "on_path"
    assert status(house, observation("2024", 60), today=date(2027, 1, 1)).state == "no_recent_data"


def test_the_stored_path_of_the_same_period_decides() -> None:
    path = [{"period": "2025", "value": 27}, {"period": "2026", "value": 30}, {"period": "2027", "value": 60}]
    house = plan(**promise(("2024", 26.7), ("2030", 80), path=path, path_basis="official"))
    told = status(house, observation("2026", 30))
    assert (told.state, told.path, told.path_assumed) == ("on_path", 30.0, False)
    assert status(house, observation("2028", 60), today=date(2029, 6, 1)).path == pytest.approx(60 + 20 / 3)
    flat = plan(**promise(("2024", 30), ("2030", 80), path=[{"period": "2026", "value": 30}], path_basis="expert"))
    assert status(flat, observation("2026", 31)).state == "on_path"
    assert status(flat, observation("2026", 29)).state == "reversing"


def test_a_series_break_forbids_comparing_across_it() -> None:
    house = plan(**promise(("2024", 30), ("2030", 80)))
    told = status(house, observation("2024", 30), observation("2025", 60, series_break=True), observation("2026", 62))
    assert (told.state, told.reason, told.pace) == ("no_baseline", "series-break", None)
    before = status(house, observation("2023", 25, series_break=True), observation("2026", 62))
    assert before.state == "on_path"


def test_inside_a_band_is_reached_and_outside_it_is_a_distance() -> None:
    band = {"band": [0.9, 1.1], "unit": "ratio"}
    use = promise(("2024", 0.5), ("2030", 1.0))
    assert status(plan("band", band, **use), observation("2026", 1.05, unit="ratio")).state == "achieved"
    told = status(plan("band", band, **use), observation("2026", 0.65, unit="ratio"))
    assert told.state == "on_path"
    assert told.path == pytest.approx(0.5 + 0.4 / 3)
    assert status(plan("band", band, **use), observation("2026", 1.6, unit="ratio")).state == "reversing"


# Uncertainty


@pytest.mark.parametrize(
    ("n", "behind", "ahead", "interval"), [(1000, 0.82, 0.05, (0.53, 0.955)), (3000, 0.97, 0.003, (0.62, 0.87))]
)
def test_a_sample_gives_each_state_its_probability(
    n: int, behind: float, ahead: float, interval: tuple[float, float]
) -> None:
    house = plan(**promise(("2024", 26.7), ("2030", 80)))
    sampled = {"sample": n, "design_effect": 1.5}
    told = status(house, observation("2024", 26.7, **sampled), observation("2026", 40, **sampled))
    assert told.probabilities is not None
    assert told.probabilities["slightly_behind"] == pytest.approx(behind, abs=0.005)
    assert told.probabilities["on_path"] == pytest.approx(ahead, abs=0.005)
    assert told.pace_interval == pytest.approx(interval, abs=0.005)
    assert sum(told.probabilities.values()) == pytest.approx(1.0)
    assert told.certain
    near = status(house, observation("2024", 26.7, **sampled), observation("2026", 43.4, **sampled))
    assert near.certain is False


def test_every_number_that_went_in_is_told() -> None:
    house = plan(**promise(("2024", 26.7), ("2030", 80)))
    sampled = {"sample": 1000, "design_effect": 1.5}
    told = status(house, observation("2024", 26.7, **sampled), observation("2026", 40, **sampled)).to_json()
    given = told["inputs"]
    error = 100 * (1.5 * 0.4 * 0.6 / 1000) ** 0.5
    assert given["observed_error"] == pytest.approx(error)
    assert (given["elapsed"], given["total"], given["years"]) == (2.0, 6.0, [2024.0, 2026.0])
    assert told["pace"] == (given["observed"] - given["baseline"]) / (given["path"] - given["baseline"])
    assert status(plan(), observation("2026", 40)).to_json()["inputs"]["baseline"] is None


def test_nothing_is_said_of_certainty_where_no_sampling_error_is_known() -> None:
    told = status(plan(**promise(("2024", 26.7), ("2030", 80))), observation("2026", 40))
    assert (told.probabilities, told.certain, told.pace_interval) == (None, None, None)
    half = status(plan(**promise(("2024", 26.7), ("2030", 80))), observation("2026", 40, sample=1000))
    assert "baseline-error-unknown" in half.notes


# Vintages and corrections


def test_the_newest_vintage_is_read_and_all_are_kept() -> None:
    house = plan(**promise(("2024", 30), ("2030", 90)))
    early, late = observation("2026", 80, published="2026-05-01"), observation("2026", 40, published="2026-09-01")
    told = status(house, late, early)
    assert (told.state, told.observed) == ("off_path", late)
    assert told.series is not None
    assert [one.value for one in told.series.points[0].vintages] == [80, 40]
    assert "revised" in told.notes
    assert told.first_state == "on_path"
    assert status(house, late).first_state is None
    then = gather([late, early], as_of=date(2026, 6, 1))
    (before,) = assess([house], {}, then, METHOD, TODAY)
    assert before.state == "on_path"


def test_equally_new_values_that_contradict_one_another_decide_nothing() -> None:
    house = plan(**promise(("2024", 30), ("2030", 80)))
    one, other = observation("2026", 80, source="ministry"), observation("2026", 40, source="bank")
    assert status(house, one, other).state == "disputed"
    assert status(house, one, one.model_copy(update={"source": "bank"})).state == "achieved"


def test_a_correction_is_made_only_where_its_guard_fits() -> None:
    house = plan(**promise(("2024", 30), ("2030", 80)))
    mend = {
        "id": "point",
        "indicator": "use",
        "period": "2026",
        "expect": 588,
        "reason": {"en": "decimal point"},
        "provider": "ministry",
        "state": "reported",
    }
    right = Correction.model_validate({**mend, "action": "override", "value": 58.8})
    told = status(house, observation("2026", 588), corrections=[right])
    assert told.observed is not None
    assert told.observed.value == 58.8
    assert "corrected" in told.notes
    fixed = status(house, observation("2026", 58.8), corrections=[right])
    assert "correction-refused" in fixed.notes
    assert fixed.observed is not None
    assert fixed.observed.value == 58.8
    scaled = Correction.model_validate({**mend, "action": "scale", "value": 0.1})
    assert status(house, observation("2026", 588), corrections=[scaled]).state == "on_path"
    gone = Correction.model_validate({**mend, "action": "drop"})
    assert status(house, observation("2026", 588), corrections=[gone]).state == "no_recent_data"


def test_a_change_of_definition_without_a_break_is_named() -> None:
    house = plan(**promise(("2024", 30), ("2030", 80)))
    told = status(house, observation("2025", 40, definition="ever"), observation("2026", 50, definition="now"))
    assert "definition-changed" in told.notes


# Projection and aggregation


def test_a_projection_needs_four_points_and_stays_within_what_can_be() -> None:
    house = plan(more={"limits": [0, 100]}, **promise(("2022", 20), ("2030", 90)))
    values = [observation(str(2022 + step), 20 + 20 * step) for step in range(4)]
    assert status(house, *values[:3], today=date(2025, 1, 1)).projection is None
    told = status(house, *values)
    assert told.projection is not None
    assert told.projection[0] == 100.0
    assert told.gap == -10.0
    assert (told.by_method or {})["regression"] == "on_path"


def test_states_are_counted_and_never_averaged() -> None:
    good, bad = (promise(("2024", 30), ("2030", 80), id=name) for name in ("good", "bad"))
    house = plan().model_copy(
        update={
            "uses": tuple(
                IndicatorUse.model_validate({"indicator": "use", **one}) for one in (good, {**bad, "area": "x"})
            )
        }
    )
    series = gather([observation("2026", 70), observation("2026", 10, area="x")])
    told = assess([house], {}, series, METHOD, TODAY)
    assert count_states(told) == {"on_path": 1, "reversing": 1}
    assert [one.use.name for one in reversals(told)] == ["bad"]


@given(
    st.floats(0, 100), st.floats(0, 100), st.floats(0, 100), st.sampled_from(["up", "down"]), st.integers(2020, 2030)
)
def test_no_numbers_make_it_fail_and_mirrored_numbers_have_the_same_state(
    baseline: float, target: float, observed: float, direction: str, year: int
) -> None:
    def told(sign: float, way: str) -> IndicatorStatus:
        use = promise(("2019", sign * baseline), ("2030", sign * target))
        return status(plan(way, **use), observation(str(year), sign * observed), today=date(2031, 1, 1))

    other = "down" if direction == "up" else "up"
    one, mirrored = told(1.0, direction), told(-1.0, other)
    assert (one.state, one.pace) == (mirrored.state, mirrored.pace)
    if one.state == "achieved":
        assert observed >= target if direction == "up" else observed <= target


def test_values_of_another_place_and_forecasts_are_named_as_that_and_not_as_nothing() -> None:
    house = plan(**promise(("2022", 20), ("2030", 90)))
    for found, reason in (
        ([observation("2025", 40, area="FR")], "other-area"),
        ([observation("2026", 40, status="forecast")], "only-forecast"),
        ([], "no-observation"),
    ):
        (status,) = assess([house], {}, gather(found), status_methods()["pace-against-path"], TODAY)
        assert (status.state, status.reason) == ("no_recent_data", reason)
