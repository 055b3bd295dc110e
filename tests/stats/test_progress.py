"""Progress as arrays: published examples to the printed digit, and laws that hold for all numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shinrai.stats.progress import (
    anticipated_progress,
    band_distance,
    covered,
    current_status_index,
    extrapolated_progress,
    growth_rate,
    growth_ratio,
    linear_path,
    pace,
    pace_interval,
    pace_probability,
    project,
    proportion_error,
    reduction_rate,
)

VALUES = st.floats(-1e6, 1e6).map(lambda value: round(value, 3))
RISING = (26.7, 80.0, 2.0, 6.0)


def test_the_growth_ratio_of_the_published_formula() -> None:
    baseline = np.array([26.7, 26.7, 10, 10, 0, 0, 90, -12.0])
    target = np.array([80, 80, 0, 1, 100, 100, 100, 5.0])
    elapsed, total = np.array([2, 2, 7, 7, 1, 2, 2, 2]), np.array([6, 6, 15, 15, 5, 5, 6, 6])
    observed = linear_path(baseline, target, elapsed / total)
    observed[[1, 2, 4, 5, 7]] = 38.5, 5, 1, 40, 1
    ratio = growth_ratio(baseline, observed, target, elapsed, total)
    assert np.round(ratio, 2)[:7].tolist() == [1.45, 1.0, 0.21, 0.53, 111.0, 22.11, 1.04]
    assert math.isnan(ratio[7])
    line = pace(baseline, observed, linear_path(baseline, target, elapsed / total))
    assert np.round(line, 2).tolist() == [1.0, 0.66, 1.07, 1.0, 0.05, 1.0, 1.0, 2.29]


# Published examples, to the digit that was printed.
#
# Table 1, "Progress towards the Global WHA targets", of an article in Archives of Disease in Childhood (adc.bmj.com,
# markup 182596), after the Independent Expert Group, Global Nutrition Report, and WHO 2014: the rate that is needed
# each year from 2012 to 2025. That of anaemia is a compound rate, the others are continuous ones (3.9 is both).


@pytest.mark.parametrize(("start", "end", "printed"), [(100, 50, "5.2"), (100, 60, "3.9")])
def test_the_compound_rates_of_the_global_nutrition_targets(start: float, end: float, printed: str) -> None:
    assert f"{-100 * float(growth_rate(start, end, 13)):.1f}" == printed  # anaemia by half, stunting by 40 %


@pytest.mark.parametrize(
    ("start", "end", "printed"),
    [(100, 70, "2.74"), (38, 50, "-2.11"), (100, 60, "3.9")],
    ids=["low birth weight by 30 %", "breastfeeding from 38 to 50 %", "stunting by 40 %"],
)
def test_the_continuous_rates_of_the_global_nutrition_targets(start: float, end: float, printed: str) -> None:
    decimals = len(printed.partition(".")[2])
    assert f"{100 * float(reduction_rate(start, end, 13)):.{decimals}f}" == printed


def test_the_rate_of_unicefs_technical_note() -> None:
    # UNICEF Technical Note (2007): a regression coefficient of -0.06613 is an average annual reduction of 6.4 %.
    assert f"{-100 * float(growth_rate(1.0, math.exp(-0.06613), 1.0)):.1f}" == "6.4"


def test_the_reduction_of_child_mortality() -> None:
    # UN Inter-agency Group for Child Mortality Estimation, 2013: "reducing the under-five mortality rate 47 percent,
    # from 90 … in 1990 to 48 … in 2012".
    assert f"{100 * float(covered(90, 48, 0)):.0f}" == "47"


def test_the_deviation_from_a_path_of_a_japanese_city() -> None:
    # Sano City, goal evaluation of fiscal 2015: 57.9 % against the target value 75.0 % of the same year, 17.1 below.
    path = float(linear_path(75.0, 75.0, 1.0))
    assert f"{57.9 - path:.1f}" == "-17.1"


def test_the_stand_in_for_zero_decides_the_growth_ratio() -> None:
    found = [float(growth_ratio(10, 5, 0, 7, 15, stand_in)) for stand_in in (1, 0.1, 0.01, 0.001)]
    assert [round(one, 2) for one in found] == [0.66, 0.36, 0.26, 0.21]


def test_averaging_hides_a_group_that_is_left_behind() -> None:
    # Statistics Canada's score is linear in R from -0.6 (-5) to 0.6 (0) and from 0.6 to 1.3 (5), then averaged.
    score = np.interp([1.3, -0.6], [-0.6, 0.6, 1.3], [-5, 0, 5])
    assert score.mean() == 0.0
    assert score.min() == -5.0


def test_a_fall_is_covered_by_halves() -> None:
    assert covered(200, 100, 0) == 0.5
    assert current_status_index(200, 100, 0) == 5.0
    assert math.isnan(covered(80, 90, 80))


def test_growth_that_goes_on_reaches_what_it_reaches() -> None:
    assert extrapolated_progress(100, 121, 146.41, 2, 4) == pytest.approx(1.0)
    assert float(reduction_rate(100, 90, 1)) == pytest.approx(-math.log(0.9))
    assert math.isnan(growth_rate(-1, 1, 2))
    assert math.isnan(growth_rate(1, 2, 0))


@pytest.mark.parametrize(("value", "distance"), [(0.5, 0.4), (0.9, 0.0), (1.0, 0.0), (1.1, 0.0), (1.3, 0.2)])
def test_a_band_is_a_distance(value: float, distance: float) -> None:
    assert float(band_distance(value, 0.9, 1.1)) == pytest.approx(distance)


@given(VALUES, VALUES, VALUES, st.floats(0.1, 10), VALUES)
def test_covered_does_not_depend_on_unit_or_origin(
    baseline: float, observed: float, target: float, factor: float, shift: float
) -> None:
    one = covered(baseline, observed, target)
    other = covered(factor * baseline + shift, factor * observed + shift, factor * target + shift)
    if abs(target - baseline) > 1e-2:
        assert float(other) == pytest.approx(float(one), rel=1e-4, abs=1e-4)


@given(st.floats(0, 1), VALUES, VALUES)
def test_on_the_line_the_pace_is_one(share: float, baseline: float, target: float) -> None:
    here = linear_path(baseline, target, share)
    told = pace(baseline, here, here)
    assert math.isnan(told) or told == 1.0


# Projection


def test_points_on_a_line_are_projected_along_it_without_doubt() -> None:
    years = np.array([2020.0, 2021, 2022, 2024])
    found = project(years, 3.0 * years - 6000.0, 2030.0)
    assert float(found.value) == pytest.approx(90.0)
    assert float(found.slope) == pytest.approx(3.0)
    assert float(found.upper - found.lower) == pytest.approx(0.0, abs=1e-6)


def test_an_unweighted_projection_is_the_textbooks() -> None:
    # Montgomery's formula for the prediction interval of a simple regression, by hand for x = 0..4, y = 1, 3, 2, 5, 4:
    # slope 0.8, residual variance 3.6 / 3 = 1.2, t(3, 0.95) = 2.3534, at x = 6.
    found = project([0, 1, 2, 3, 4], [1, 3, 2, 5, 4], 6.0, half_life=1e12, level=0.9)
    half = 2.3533634 * math.sqrt(1.2 * (1 + 1 / 5 + 16 / 10))
    assert [float(found.value), float(found.slope)] == pytest.approx([6.2, 0.8])
    assert float(found.upper) == pytest.approx(6.2 + half, rel=1e-6)


def test_newer_observations_weigh_more() -> None:
    years, values = np.arange(8.0), np.array([0, 0, 0, 0, 0, 1, 2, 3.0])
    assert project(years, values, 10.0, half_life=1.0).value > project(years, values, 10.0, half_life=100.0).value


def test_many_series_at_once_are_each_as_alone() -> None:
    years = np.array([[2020, 2021, 2022, 2023], [2020, 2022, 2024, np.nan], [2020, 2021, np.nan, np.nan]])
    values = np.array([[1, 3, 2, 5], [4, 3, 1, np.nan], [1, 2, np.nan, np.nan]])
    together = project(years, values, np.array([2030.0, 2026.0, 2030.0]))
    assert float(together.value[0]) == pytest.approx(float(project(years[0], values[0], 2030.0).value))
    assert float(together.lower[1]) == pytest.approx(float(project(years[1][:3], values[1][:3], 2026.0).lower))
    assert math.isnan(together.value[2])
    assert anticipated_progress(0.0, together.value[0], together.value[0]) == 1.0


@pytest.mark.parametrize(("half_life", "level"), [(0.0, 0.9), (1.0, 0.0), (1.0, 1.0)])
def test_a_projection_out_of_range_is_refused(half_life: float, level: float) -> None:
    with pytest.raises(ValueError, match="half-life"):
        project([1, 2, 3], [1, 2, 3], 4.0, half_life=half_life, level=level)


@pytest.mark.simulation
def test_the_interval_of_a_projection_covers_what_comes() -> None:
    random = np.random.default_rng(20261123)
    years = np.arange(10.0)
    noise = random.normal(0.0, 1.0, (20_000, 11)) * 0.5 ** (-(np.append(9.0 - years, 0.0)) / 10.0)
    series = 2.0 * years + noise[:, :10]
    found = project(np.broadcast_to(years, series.shape), series, np.full(20_000, 12.0), half_life=5.0, level=0.9)
    to_come = 24.0 + noise[:, 10]
    share = np.mean((found.lower <= to_come) & (to_come <= found.upper))
    assert share == pytest.approx(0.9, abs=0.01)


# Uncertainty


def test_the_error_of_a_share() -> None:
    assert float(proportion_error(0.4, 1000, 1.5)) == pytest.approx(0.018974, abs=1e-6)
    assert math.isnan(proportion_error(1.2, 1000))
    assert math.isnan(proportion_error(0.5, 0))


def test_probability_and_interval_are_those_of_a_simulation() -> None:
    baseline, target, elapsed, total = RISING
    share = 1.0 - elapsed / total
    errors = 100 * float(proportion_error(0.267, 1000, 1.5)), 100 * float(proportion_error(0.4, 1000, 1.5))
    path = float(linear_path(baseline, target, elapsed / total))
    random = np.random.default_rng(1)
    b, y = (random.normal(mean, error, 200_000) for mean, error in zip((baseline, 40.0), errors, strict=True))
    drawn = pace(b, y, linear_path(b, target, elapsed / total))
    for limit in (0.6, 0.95):
        told = float(pace_probability(limit, baseline, 40.0, path, *errors, share))
        assert told == pytest.approx(float(np.mean(drawn >= limit)), abs=0.005)
    low, high = pace_interval(baseline, 40.0, path, *errors, share)
    assert [float(low), float(high)] == pytest.approx(np.quantile(drawn, [0.05, 0.95]).tolist(), abs=0.005)


@given(VALUES, VALUES, VALUES, st.floats(0.01, 100), st.floats(0.01, 100))
def test_a_higher_pace_is_never_more_probable(
    baseline: float, observed: float, path: float, first: float, second: float
) -> None:
    told = [float(pace_probability(k, baseline, observed, path, first, second, 0.5)) for k in (0.0, 0.6, 0.95)]
    if abs(path - baseline) > 0.1 and abs(path - baseline) > 10 * first:
        assert 1.0 >= told[0] >= told[1] - 1e-9
        assert told[1] >= told[2] - 1e-9 >= -1e-9


def test_without_an_error_nothing_is_probable() -> None:
    assert math.isnan(pace_probability(0.6, 1, 2, 3, np.nan, 0.1))
    assert float(pace_probability(0.6, 1, 2.5, 3, 0.0, 0.0)) == 1.0
    assert math.isnan(pace_interval(1, 2, 1.001, 5.0, 5.0)[0])
