"""Small multiples: groups over time on the same axes, the worst named with the way it moves."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shinrai.catalog import status_methods
from shinrai.check.indicators import IndicatorStatus, assess
from shinrai.check.series import gather
from shinrai.ledger import Ledger
from shinrai.records import Observation
from shinrai.report.groups import Groups, groups_json, groups_of
from shinrai.report.html import render
from shinrai.report.multiples import promise_drawn, small_multiples
from shinrai.workspace import load
from tests.check.test_indicators import TODAY, observation, plan, promise
from tests.cycle import call

Told = Mapping[str, Mapping[str, float]]
ABOVE: Told = {"a": {"2023": 20.0, "2025": 50.0}, "b": {"2023": 40.0, "2025": 30.0}}


def seen(told: Told, **more: Any) -> list[Observation]:
    return [
        observation(period, value, breakdown={"kind": name}, **more)
        for name, values in told.items()
        for period, value in values.items()
    ]


def broken(
    found: Sequence[Observation], direction: str = "up", more: dict[str, Any] | None = None, **use: Any
) -> tuple[IndicatorStatus, Groups]:
    house = plan(direction, {"disaggregation": ["kind", "other"], **(more or {})}, **use)
    series = gather(found)
    (status,) = assess([house], {}, series, status_methods()["pace-against-path"], TODAY)
    (groups,) = groups_of(status, series)
    return status, groups


def heights(drawing: str) -> list[float]:
    return [float(one) for one in re.findall(r'cy="([^"]+)"', drawing)]


@pytest.mark.parametrize(
    ("direction", "more", "worst", "way"),
    [
        ("up", {}, "b", "away"),
        ("down", {}, "a", "away"),
        ("band", {"band": [45, 60]}, "b", "away"),
        ("band", {"band": [10, 35]}, "a", "away"),
        ("band", {"band": [0, 25]}, "a", "away"),
    ],
)
def test_the_worst_is_told_with_the_way_it_moved(direction: str, more: dict[str, Any], worst: str, way: str) -> None:
    _status, groups = broken(seen(ABOVE), direction, more)
    (one,) = groups.worst
    assert one.name == worst
    assert one.movement is not None
    assert one.movement.way == way
    assert [end.period for end in (one.movement.before, one.movement.after)] == ["2023", "2025"]


@given(
    values=st.lists(st.tuples(st.floats(-1e6, 1e6, width=32), st.floats(-1e6, 1e6, width=32)), min_size=2, max_size=5)
)
def test_turning_every_sign_and_the_direction_changes_nothing(values: list[tuple[float, float]]) -> None:
    told = {f"g{at}": {"2023": first, "2025": last} for at, (first, last) in enumerate(values)}
    turned = {name: {period: -value for period, value in each.items()} for name, each in told.items()}
    _status, up = broken(seen(told), "up")
    _status, down = broken(seen(turned), "down")
    assert up.worst_names == down.worst_names
    if not up.worst:
        assert up.equal
    for one, other in zip(*(sorted(each.worst, key=lambda one: one.name) for each in (up, down)), strict=True):
        assert one.movement is not None
        assert other.movement is not None
        assert one.movement.way == other.movement.way
        first, last = told[one.name]["2023"], told[one.name]["2025"]
        assert one.movement.way == ("away" if last < first else "nearer" if last > first else "still")
        assert one.gap is not None
        assert one.gap.after == max(last for _first, last in values) - told[one.name]["2025"]


@pytest.mark.parametrize(
    ("direction", "more", "values", "worst", "equal"),
    [
        ("up", {}, {"a": 5.0, "b": 5.0, "c": 5.0}, set(), True),
        ("up", {}, {"a": 0.3, "b": 0.1 + 0.2}, set(), True),  # equal as far as is shown
        ("up", {}, {"a": 9.0, "b": 5.0, "c": 5.0}, {"b", "c"}, False),
        ("down", {}, {"a": 9.0, "b": 9.0, "c": 5.0}, {"a", "b"}, False),
        ("band", {"band": [0, 10]}, {"a": 9.0, "b": 1.0}, set(), False),
        ("band", {"band": [4, 6]}, {"a": 3.0, "b": 7.0, "c": 5.0}, {"a", "b"}, False),
    ],
)
def test_equal_groups_have_no_worst_one_and_tied_ones_are_all_named(
    direction: str, more: dict[str, Any], values: dict[str, float], worst: set[str], equal: bool
) -> None:
    told = {name: {"2023": value, "2025": value} for name, value in values.items()}
    status, groups = broken(seen(told), direction, more)
    assert (set(groups.worst_names), groups.equal) == (worst, equal)
    drawn = "".join(one.drawing for one in small_multiples(status, groups))
    assert drawn.count("spot worst") == 2 * len(worst)
    told_in_json = groups_json(groups)
    assert ({one["group"] for one in told_in_json["worst"]}, told_in_json["equal"]) == (worst, equal)


@given(shared=st.floats(-1e5, 1e5), other=st.floats(-1e5, 1e5))
def test_one_value_has_one_height_in_every_picture(shared: float, other: float) -> None:
    status, groups = broken(seen({"a": {"2023": shared, "2025": 0.0}, "b": {"2023": other, "2025": shared}}))
    by_name = {one.name: heights(one.drawing) for one in small_multiples(status, groups)}
    assert by_name["a"][0] == by_name["b"][1]
    assert (by_name["a"][0] <= by_name["b"][0]) == (shared >= other) or abs(shared - other) < 1e-2 * max(
        abs(shared), abs(other)
    )


def test_one_period_only_stays_bars() -> None:
    status, groups = broken(seen({"a": {"2025": 1.0}, "b": {"2025": 2.0}}))
    assert small_multiples(status, groups) == []
    assert [one.movement for one in groups.worst] == [None]
    assert not groups.periods


def test_a_break_parts_the_line_and_nothing_is_compared_across_it() -> None:
    found = [*seen({"a": {"2023": 9.0}, "b": {"2023": 5.0}}), *seen({"a": {"2025": 8.0}}, series_break=True)]
    found += seen({"b": {"2025": 9.0}})
    status, groups = broken(found)
    assert [(one.name, one.movement) for one in groups.worst] == [("a", None)]
    a = next(one for one in small_multiples(status, groups) if one.name == "a")
    assert '<line class="run' not in a.drawing
    assert len(heights(a.drawing)) == 2


def test_a_break_of_the_best_leaves_the_distance_out() -> None:
    found = [*seen({"a": {"2023": 9.0, "2025": 8.0}, "b": {"2023": 5.0}}), *seen({"b": {"2025": 9.0}}, status="break")]
    _status, groups = broken(found)
    (one,) = groups.worst
    assert one.movement is not None
    assert one.gap is None


def test_a_group_without_a_value_in_the_newest_period_is_shown_and_not_ranked() -> None:
    status, groups = broken(seen({**ABOVE, "gone": {"2023": 1.0}}))
    small = small_multiples(status, groups)
    assert [one.name for one in small] == ["a", "b", "gone"]
    assert groups.worst_names == {"b"}
    assert small[-1].at("2025") is None


def test_periods_of_another_kind_and_forecasts_are_not_mixed_in() -> None:
    found = [
        *seen(ABOVE),
        *seen({"a": {"FY2024": 99.0}}),
        *seen({"a": {"2026": 98.0}, "b": {"2026": 97.0}}, status="forecast"),
    ]
    _status, groups = broken(found)
    assert (groups.period, groups.periods) == ("2025", ["2023", "2025"])


def test_a_promise_about_the_whole_is_drawn_where_the_whole_is_no_sum() -> None:
    promised = promise(("2023", 30), ("2030", 80))
    status, groups = broken([*seen(ABOVE), observation("2025", 41.0)], **promised)
    assert promise_drawn(status, groups)
    for one in small_multiples(status, groups):
        assert one.drawing.count('class="target"') == one.drawing.count('class="start"') == 1
    status, groups = broken([*seen(ABOVE), observation("2025", 80.0)], **promised)
    assert not promise_drawn(status, groups)
    assert all('class="target"' not in one.drawing for one in small_multiples(status, groups))


def test_a_promise_about_one_group_stands_in_its_picture_alone() -> None:
    promised = promise(("2023", 30), ("2030", 80))
    status, groups = broken(seen(ABOVE), breakdown={"kind": "b"}, **promised)
    drawn = {one.name: 'class="target"' in one.drawing for one in small_multiples(status, groups)}
    assert drawn == {"a": False, "b": True}
    status, groups = broken(seen(ABOVE), breakdown={"other": "b"}, **promised)
    assert not promise_drawn(status, groups)


def test_a_users_table_of_groups_over_time_becomes_small_multiples(tmp_path: Path) -> None:
    """Through the commands a person types: plan, table, page; a prefecture table keeps its map."""
    root = tmp_path / "ws"
    assert call("init", str(root), "--plan", "jp-ai-basic-plan") == 0
    (root / "plans").mkdir(exist_ok=True)
    (root / "plans/town.yaml").write_text(PLAN, encoding="utf-8")
    (root / "observations/groups.csv").write_text("\n".join(ROWS), encoding="utf-8")
    assert call("-C", str(root), "do", "observe", str(root / "observations/groups.csv")) == 0
    with Ledger.open(load(root).settings.store, root=root) as ledger:
        page = render(load(root), ledger.state())
    (article,) = re.findall(r'<article id="town\.town-use">.*?</article>', page, re.DOTALL)
    assert article.count('class="small"') == 4 + 3
    assert article.count('class="tiles"') == 1
    assert 'class="bars"' not in article
    beside_the_map = article.split('class="tiles"', 1)[1].split("</table>", 1)[0]
    marked = ["from a secondary note" in row for row in beside_the_map.split("<tr")[1:]]
    assert marked == [False, False, True]  # of the best two nothing is in doubt, of the worst it is
    for said in (
        "moving the wrong way",
        "悪い方へ動いています",
        "最も良い群との差",
        "from a secondary note",
        "3 prefectures over time",
    ):
        assert said in article
    before, now = article.split("moving the wrong way", 1)[1].split("→")[:2]
    assert "18" in before
    assert "12" in now


PLAN = """\
id: town
title: {en: Town plan, ja: 町の計画}
owner: management
indicators:
  - id: town-use
    title: {en: Use of generative AI at work, ja: 仕事での生成AIの利用}
    unit: percent
    direction: up
    disaggregation: [age]
    frequency: fiscal-year
    names:
      age: {en: age, ja: 年齢}
      y20: {en: 20 to 39 years, ja: 20〜39歳}
      y40: {en: 40 to 59 years, ja: 40〜59歳}
      y60: {en: 60 to 74 years, ja: 60〜74歳}
      y75: {en: 75 years and older, ja: 75歳以上}
uses:
  - indicator: town-use
    baseline: {period: FY2023, value: 30}
    target: {period: FY2029, value: 80, standing: final}
"""

VALUES: Told = {
    "y20": {"FY2023": 45.0, "FY2024": 56.0, "FY2025": 68.0},
    "y40": {"FY2023": 35.0, "FY2024": 41.5, "FY2025": 52.0},
    "y60": {"FY2023": 24.0, "FY2024": 27.0, "FY2025": 31.0},
    "y75": {"FY2023": 18.0, "FY2024": 15.5, "FY2025": 12.0},
}
PREFECTURES: Told = {
    "JP-13": {"FY2024": 44.0, "FY2025": 51.0},
    "JP-27": {"FY2024": 38.0, "FY2025": 42.0},
    "JP-47": {"FY2024": 25.0, "FY2025": 29.0},
}
ROWS = [
    "indicator,area,age,period,value,unit,source,certainty",
    *(
        f"town-use,,{age},{period},{value},percent,Town survey,{'secondary' if period == 'FY2023' else 'official'}"
        for age, values in VALUES.items()
        for period, value in values.items()
    ),
    *(
        f"town-use,{area},,{period},{value},percent,Town survey,{'secondary' if area == 'JP-47' else 'official'}"
        for area, values in PREFECTURES.items()
        for period, value in values.items()
    ),
]
