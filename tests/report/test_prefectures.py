"""The map of prefectures: every one has its tile, and what is missing is not drawn as a value."""

from __future__ import annotations

from pathlib import Path

import pytest

from shinrai.ledger import Ledger
from shinrai.report.html import render
from shinrai.report.prefectures import TILES, code_of, prefecture_map, prefecture_name
from shinrai.workspace import load
from tests.cycle import call

CODES = [f"{number:02}" for number in range(1, 48)]


def test_every_prefecture_has_one_tile_of_its_own_and_a_name_in_both_languages() -> None:
    assert sorted(TILES) == CODES
    assert len(set(TILES.values())) == 47
    names = [prefecture_name(f"JP-{code}") for code in CODES]
    assert len({name.ja for name in names if name}) == len({name.en for name in names if name}) == 47
    tokyo = prefecture_name("JP-13")
    assert tokyo is not None
    assert (tokyo.ja, tokyo.en) == ("東京都", "Tokyo")
    assert [(one.ja, one.en) for one in (prefecture_name("01"), prefecture_name("47")) if one] == [
        ("北海道", "Hokkaido"),
        ("沖縄県", "Okinawa"),
    ]


def test_neighbours_stand_where_they_lie() -> None:
    def west_of(one: str, other: str) -> bool:
        return TILES[one][0] < TILES[other][0]

    def north_of(one: str, other: str) -> bool:
        return TILES[one][1] < TILES[other][1]

    assert all(north_of("01", code) for code in CODES[1:])
    assert all(west_of(*pair) for pair in (("40", "34"), ("34", "27"), ("27", "23"), ("23", "13"), ("13", "12")))
    assert all(north_of(*pair) for pair in (("02", "03"), ("03", "04"), ("07", "08"), ("31", "33"), ("40", "46")))


@pytest.mark.parametrize("name", ["JP", "JP-00", "JP-48", "JP-013", "13 ", "US-13", "tokyo", "１３", ""])
def test_what_is_no_prefecture_is_none(name: str) -> None:
    assert code_of(name) is None
    assert prefecture_name(name) is None


def test_missing_is_not_drawn_as_a_value() -> None:
    drawn = prefecture_map([("JP-13", 80.0), ("JP-27", 20.0)], {"JP-27"})
    assert drawn.count("tile empty") == 45
    assert 'class="tile shade4"' in drawn
    assert 'class="tile shade0 worst"' in drawn
    assert 'aria-label="13 80 · 27 20"' in drawn
    assert prefecture_map([], set()).count("tile empty") == 47


def test_a_users_table_by_prefecture_becomes_a_map_with_its_table(tmp_path: Path) -> None:
    root = tmp_path / "ws"
    assert call("init", str(root), "--plan", "jp-ai-basic-plan") == 0
    rows = [f"genai-use-individuals,JP-{code},FY2025,{20 + int(code)}.5,percent,made up" for code in CODES]
    table = root / "observations/prefectures.csv"
    table.write_text("indicator,area,period,value,unit,source\n" + "\n".join(rows), encoding="utf-8")
    assert call("-C", str(root), "do", "observe", str(table)) == 0
    with Ledger.open(load(root).settings.store, root=root) as ledger:
        page = render(load(root), ledger.state())
    assert 'class="tiles"' in page
    for said in ("北海道", "Okinawa", "66.5", "47 prefectures, the best first", "47 都道府県"):
        assert said in page
