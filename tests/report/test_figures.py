"""The pictures: what is drawn is what was measured."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shinrai.records import Commitment, TracePoint, Verdict
from shinrai.report.figures import Scale, axis, interval, measured, number, path, promised, strip
from tests.report.parts import promise, verdict

WIDTH = 320.0
shares = st.floats(0, 1)


def drawn(picture: str) -> ET.Element:
    return ET.fromstring(picture)  # noqa: S314 - drawn by the code under test; its form is what is tested


def part(picture: ET.Element, name: str) -> list[ET.Element]:
    return [one for one in picture.iter() if name in one.get("class", "").split()]


def at(element: ET.Element, name: str) -> float:
    return float(element.attrib[name])


@st.composite
def measurements(draw: st.DrawFn) -> tuple[Commitment, Verdict]:
    metric = draw(st.sampled_from(["failure-rate", "pass-rate", "rate-ratio", "rate-difference", "rate-band"]))
    limit = draw(st.floats(0.01, 0.99))
    threshold = (limit / 2, limit) if metric == "rate-band" else limit
    values = st.floats(0, 50) if metric == "rate-ratio" else shares
    lower, estimate, upper = sorted(draw(st.tuples(values, values, values)))
    unbounded = metric == "rate-ratio" and draw(st.booleans())
    return promise(metric, threshold), verdict(estimate, lower, None if unbounded else upper)


@given(measurements())
def test_a_strip_is_well_formed_and_stays_within_its_frame(given_: tuple[Commitment, Verdict]) -> None:
    commitment, found = given_
    picture = drawn(strip(commitment, found, axis(commitment, [found])))
    (span,), (dot,), limits = part(picture, "span"), part(picture, "dot"), part(picture, "limit")
    assert len(limits) == (2 if commitment.comparator == "within" else 1)
    assert 0 <= at(span, "x") <= at(dot, "cx") + 0.1
    assert at(dot, "cx") <= at(span, "x") + at(span, "width") + 0.1
    assert at(span, "x") + at(span, "width") <= WIDTH
    for tick in part(picture, "tick"):
        assert at(tick, "x") - 3 * len(tick.text or "") >= 0
        assert at(tick, "x") + 3 * len(tick.text or "") <= WIDTH
    assert picture.get("role") == "img"
    assert measured(commitment, found) in picture.attrib["aria-label"]
    assert promised(commitment) in picture.attrib["aria-label"]


@given(measurements())
def test_an_interval_reaches_over_a_threshold_only_if_it_holds_it(given_: tuple[Commitment, Verdict]) -> None:
    commitment, found = given_
    picture = drawn(strip(commitment, found, axis(commitment, [found])))
    (span,) = part(picture, "span")
    assert found.lower is not None
    for limit, line in zip(sorted(set(limits_of(commitment))), part(picture, "limit"), strict=False):
        if found.lower > limit:
            assert at(span, "x") >= at(line, "x1")
        elif found.upper is not None and found.upper < limit:
            assert at(span, "x") + max(at(span, "width") - 1.5, 0) <= at(line, "x1") + 0.1


def limits_of(commitment: Commitment) -> tuple[float, ...]:
    limit = commitment.threshold
    assert limit is not None
    return limit if isinstance(limit, tuple) else (limit,)


@pytest.mark.parametrize(
    ("metric", "threshold", "left", "right"),
    [
        ("failure-rate", 0.1, 0.0, 0.1),
        ("pass-rate", 0.8, 0.8, 1.0),
        ("rate-ratio", 0.8, 0.8, 1.25),
        ("rate-difference", 0.15, 0.0, 0.15),
        ("rate-band", (0.1, 0.3), 0.1, 0.3),
    ],
)
def test_the_side_on_which_the_promise_holds_is_shaded(
    metric: str, threshold: float | tuple[float, float], left: float, right: float
) -> None:
    commitment = promise(metric, threshold)
    low, high = axis(commitment, [])
    (shade,) = part(drawn(strip(commitment, None, (low, high))), "good")
    place = Scale(low, high, 8, WIDTH - 8)
    assert at(shade, "x") == place(left)
    assert at(shade, "x") + at(shade, "width") == pytest.approx(place(right), abs=0.11)


def test_what_has_no_threshold_has_no_picture() -> None:
    commitment = promise("attested", None)
    assert strip(commitment, verdict(), axis(commitment, [])) == ""
    assert path(commitment, verdict()) == ""
    assert promised(commitment) == ""


def test_without_an_interval_the_threshold_alone_is_drawn() -> None:
    commitment = promise("failure-rate", 0.1)
    picture = drawn(strip(commitment, verdict(status="not_measured", reason="no-data"), (0.0, 0.2)))
    assert not part(picture, "span") + part(picture, "dot")
    assert len(part(picture, "limit")) == 1
    assert picture.get("aria-label") == "≤ 10%"


@given(measurements(), measurements())
def test_an_axis_that_turns_share_holds_every_turn(
    one: tuple[Commitment, Verdict], other: tuple[Commitment, Verdict]
) -> None:
    commitment, found = one
    low, high = axis(commitment, [found, other[1]])
    alone = axis(commitment, [found])
    assert low <= alone[0] < alone[1] <= high
    assert all(low < limit < high for limit in limits_of(commitment))


def points(*bounds: tuple[int, float | None, float | None, float | None]) -> list[TracePoint]:
    return [
        TracePoint(n=n, estimate=mid, lower=low, upper=up, evidence_met=1, evidence_violated=1)
        for n, low, mid, up in bounds
    ]


@given(st.lists(st.tuples(shares, shares, shares), min_size=1, max_size=30), st.floats(0.01, 0.99))
def test_a_path_goes_through_every_look_in_order(bounds: list[tuple[float, float, float]], limit: float) -> None:
    commitment = promise("failure-rate", limit)
    trace = points(*((n, min(three), sorted(three)[1], max(three)) for n, three in enumerate(bounds, start=1)))
    found = verdict(trace[-1].estimate, trace[-1].lower, trace[-1].upper, trace=trace)
    picture = drawn(path(commitment, found))
    (band,), (line,) = part(picture, "span"), part(picture, "line")
    outline = [tuple(map(float, point.split(","))) for point in band.attrib["points"].split()]
    assert len(outline) == 2 * len(trace)
    middle = [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]
    assert all(a[0] < b[0] for a, b in pairwise(middle))
    assert all(0 <= x <= WIDTH and 0 <= y <= 160 for x, y in outline + middle)
    for (x, up), (_x, mid), (low_x, low) in zip(outline, middle, reversed(outline), strict=False):
        assert x == low_x
        assert up <= mid <= low  # pixels count downwards
    assert f"n = {len(trace)}" in [tick.text for tick in part(picture, "tick")]


def test_a_ratio_without_an_upper_bound_reaches_to_the_end_of_the_axis() -> None:
    commitment = promise("rate-ratio", 0.8)
    found = verdict(None, 0.2, None, trace=points((1, 0.0, None, None), (2, 0.2, None, None)))
    ends = axis(commitment, [found])
    (span,) = part(drawn(strip(commitment, found, ends)), "span")
    assert at(span, "x") + at(span, "width") == pytest.approx(WIDTH - 8)
    assert interval(commitment, found) == "[0.20, ∞)"
    assert drawn(path(commitment, found)) is not None


def test_labels_on_an_axis_do_not_run_into_each_other() -> None:
    for limit in (0.01, 0.1, 0.5, 0.99):
        commitment = promise("pass-rate", limit)
        picture = drawn(path(commitment, verdict(0.5, 0.1, 0.9, trace=points((5, 0.1, 0.5, 0.9)))))
        heights = sorted(at(tick, "y") for tick in part(picture, "tick") if tick.text and "%" in tick.text)
        assert all(b - a >= 12 for a, b in pairwise(heights))


@pytest.mark.parametrize(
    ("metric", "threshold", "value", "written"),
    [
        ("failure-rate", 0.1, 0.1, "10%"),
        ("failure-rate", 0.1, 0.0, "0%"),
        ("failure-rate", 0.1, -1e-9, "0%"),
        ("failure-rate", 0.1, 1.0, "100%"),
        ("failure-rate", 0.1, 0.2171, "21.7%"),
        ("failure-rate", 0.05, 0.04998, "4.998%"),
        ("failure-rate", 0.2, 0.2004, "20.04%"),
        ("failure-rate", 0.125, 0.125, "12.5%"),
        ("failure-rate", 0.1, 0.1 + 1e-12, "10%"),
        ("rate-ratio", 0.8, 0.7996, "0.7996"),
        ("rate-ratio", 0.8, 0.8, "0.80"),
        ("rate-ratio", 0.8, 1.083, "1.08"),
        ("rate-band", (0.02, 0.3), 0.0201, "2.01%"),
        ("observed", 1000.0, 1234567.5, "1,234,567.5"),
        ("observed", 0.5, 0.1 + 0.2, "0.3"),
        ("observed", 0.5, -0.0, "0"),
    ],
)
def test_numbers_are_written_in_the_unit_of_the_metric(
    metric: str, threshold: float | tuple[float, float], value: float, written: str
) -> None:
    assert number(value, promise(metric, threshold)) == written


@given(st.sampled_from(["failure-rate", "rate-ratio"]), st.floats(0.01, 0.99), shares)
def test_a_number_is_near_its_value_and_never_on_a_threshold_that_it_is_not_on(
    metric: str, limit: float, value: float
) -> None:
    commitment = promise(metric, limit)
    text = number(value, commitment)
    unit = 100.0 if text.endswith("%") else 1.0
    back = float(text.rstrip("%")) / unit
    assert math.isclose(back, value, abs_tol=0.0051)
    if abs(value - limit) > 1e-6:
        assert back != limit
        assert (back > limit) == (value > limit)


@pytest.mark.parametrize(
    ("metric", "threshold", "changed", "written"),
    [
        ("failure-rate", 0.1, {}, "≤ 10%"),
        ("pass-rate", 0.85, {}, "≥ 85%"),
        ("rate-band", (0.02, 0.3), {}, "2%–30%"),
        ("observed", 12.0, {"comparator": "at-most"}, "≤ 12"),
        ("observed", (1.0, 2.5), {"comparator": "within"}, "1–2.5"),
    ],
)
def test_thresholds_are_written_with_their_comparator(
    metric: str, threshold: float | tuple[float, float], changed: dict[str, str], written: str
) -> None:
    assert promised(promise(metric, threshold, **changed)) == written
