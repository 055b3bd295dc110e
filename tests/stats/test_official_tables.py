"""What a statistics office printed, from its own inputs to its own digits.

Statistics Canada publishes the parts of every progress calculation beside its indicators: the file
``indicator_calculation_components.yml`` of the Canadian Indicator Framework for the Sustainable Development Goals
(github.com/sdg-data-canada-odd-donnees/cif-data-donnees-cic, commit 0004afd; method: "Progress Measurement Methodology
for the Sustainable Development Goals", same organisation). Below are its rows as they stand there.
"""

from __future__ import annotations

import numpy as np
import pytest

from shinrai.stats.progress import growth_rate, growth_ratio

# Indicator: value and year of the base, value and year of today, target and its year; printed progress and status.
WITH_TARGET = {
    "1-1-1": (14.5, 2015, 10.2, 2023, 7.25, 2030, "0.9525901792032172", "substantial_progress"),
    "2-2-1": (66.0, 2016, 64.0, 2021, 71.0, 2030, "-1.1731882600976888", "deterioration"),
    "3-12-1": (184.4, 2015, 231.9, 2023, 0.1, 2030, "-0.07371746216108555", "deterioration"),
    "3-14-1": (18.8, 2015, 11.1, 2024, 5.0, 2035, "0.8874610697051454", "moderate_progress"),
    "3-9-1 hepatitis B, age 14": (83.1, 2017, 89.0, 2021, 90.0, 2025, "1.7260414193640878", "substantial_progress"),
    "3-9-1 hepatitis B, age 2": (69.2, 2015, 82.6, 2021, 95.0, 2025, "0.9299875425576409", "moderate_progress"),
    "3-9-1 meningococcal C, age 2": (87.8, 2015, 90.5, 2021, 95.0, 2025, "0.6395836985040276", "moderate_progress"),
    "3-9-1 diphtheria, age 2": (76.9, 2015, 77.1, 2021, 95.0, 2025, "0.020269306498664433", "limited_progress"),
    "11-1-1": (26866.0, 2016, 36058.0, 2024, 13433.0, 2028, "-0.6675781357974336", "deterioration"),
    "11-3-1": (63.0, 2005, 74.0, 2020, 85.0, 2030, "0.8949392974311927", "moderate_progress"),
    "11-5-1": (19.3, 2016, 13.9, 2021, 22.0, 2030, "-6.76154243963871", "deterioration"),
    "11-6-1": (699.0, 2014, 683.4, 2022, 490.0, 2030, "0.12830416881599752", "limited_progress"),
    "12-1-1": (0.37, 2015, 14.63, 2024, 60.0, 2030, "1.249622415033452", "substantial_progress"),
    "14-1-1": (0.9, 2015, 14.7, 2023, 30.0, 2030, "1.5866947018068909", "substantial_progress"),
    "15-2-1": (42.0, 2019, 40.0, 2024, 60.0, 2026, "-0.18576295071190677", "deterioration"),
    "15-4-1": (10.1, 2015, 13.7, 2023, 30.0, 2030, "0.5160064971944834", "limited_progress"),
}
# Indicator: value and year of the base, value and year of today, better up (1) or down (-1); printed progress.
WITHOUT_TARGET = {
    "1-2-1": (66.6, 2016, 71.4, 2023, 1, "0.009991483690946268"),
    "1-3-1": (178.8, 2015, 171.9, 2024, -1, "0.004363225612730504"),
    "1-4-1": (69300.0, 2015, 74200.0, 2023, 1, "0.008576474514661259"),
    "10-2-1": (3.8, 2015, 11.9, 2024, -1, "-0.1352325064900486"),
    "13-2-1": (8.0, 2015, 46.0, 2024, -1, "-0.21452801879345396"),
    "16-6-1": (87.93, 2015, 77.78, 2023, -1, "0.015215151249107883"),
    "17-2-1": (6600.0, 2018, 16000.0, 2023, 1, "0.19375501594352174"),
}
FEWEST_DIGITS = 13
"""A double holds 15 to 17; the last ones depend on the order in which a machine multiplies."""


def same_digits(value: float, printed: str) -> bool:
    return f"{value:.{FEWEST_DIGITS}g}" == f"{float(printed):.{FEWEST_DIGITS}g}"


@pytest.mark.parametrize("name", WITH_TARGET)
def test_progress_towards_a_target_as_statistics_canada_prints_it(name: str) -> None:
    base, began, today, year, target, due, printed, status = WITH_TARGET[name]
    ratio = float(growth_ratio(base, today, target, year - began, due - began))
    assert same_digits(ratio, printed)
    classes = ("deterioration", "limited_progress", "moderate_progress", "substantial_progress")
    assert classes[np.searchsorted([0.0, 0.6, 0.95], ratio, side="right")] == status


@pytest.mark.parametrize("name", WITHOUT_TARGET)
def test_progress_without_a_target_as_statistics_canada_prints_it(name: str) -> None:
    base, began, today, year, better, printed = WITHOUT_TARGET[name]
    assert same_digits(better * float(growth_rate(base, today, year - began)), printed)


def test_a_wrong_year_would_not_give_the_printed_digits() -> None:
    base, began, today, year, target, due, printed, _status = WITH_TARGET["1-1-1"]
    assert not same_digits(float(growth_ratio(base, today, target, year - began + 1, due - began)), printed)
