"""A map of Japan's prefectures as tiles of one size, drawn from their codes alone.

A tile map is no geography: every prefecture has the same area, so that a small one is seen as well as a large one, and
each stands about where it lies. The layout is Shinrai's own. Codes are those of JIS X 0401 and ISO 3166-2:JP, which
are the same numbers.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from markupsafe import escape

from shinrai.records import Text
from shinrai.report.plan_figures import plain, rough

__all__ = ["TILES", "code_of", "prefecture_map", "prefecture_name"]

_NAMES: Final = (
    "北海道 Hokkaido,青森県 Aomori,岩手県 Iwate,宮城県 Miyagi,秋田県 Akita,"
    "山形県 Yamagata,福島県 Fukushima,茨城県 Ibaraki,栃木県 Tochigi,群馬県 Gunma,"
    "埼玉県 Saitama,千葉県 Chiba,東京都 Tokyo,神奈川県 Kanagawa,新潟県 Niigata,"
    "富山県 Toyama,石川県 Ishikawa,福井県 Fukui,山梨県 Yamanashi,長野県 Nagano,"
    "岐阜県 Gifu,静岡県 Shizuoka,愛知県 Aichi,三重県 Mie,滋賀県 Shiga,"
    "京都府 Kyoto,大阪府 Osaka,兵庫県 Hyogo,奈良県 Nara,和歌山県 Wakayama,"
    "鳥取県 Tottori,島根県 Shimane,岡山県 Okayama,広島県 Hiroshima,山口県 Yamaguchi,"
    "徳島県 Tokushima,香川県 Kagawa,愛媛県 Ehime,高知県 Kochi,福岡県 Fukuoka,"
    "佐賀県 Saga,長崎県 Nagasaki,熊本県 Kumamoto,大分県 Oita,宮崎県 Miyazaki,"
    "鹿児島県 Kagoshima,沖縄県 Okinawa"
)

_ROWS: Final = """
.  .  .  .  .  .  .  .  .  .  .  .  01
.  .  .  .  .  .  .  .  .  .  .  .  .
.  .  .  .  .  .  .  .  .  .  .  02 .
.  .  .  .  .  .  .  .  .  .  05 03 .
.  .  .  .  .  .  .  .  .  .  06 04 .
.  .  .  .  .  .  17 16 15 .  07 .  .
.  .  .  .  .  18 21 20 10 09 08 .  .
.  .  32 31 26 25 23 19 11 13 12 .  .
40 35 34 33 28 27 24 22 .  14 .  .  .
41 44 .  .  .  29 .  .  .  .  .  .  .
42 43 45 38 37 30 .  .  .  .  .  .  .
.  46 .  39 36 .  .  .  .  .  .  .  .
47 .  .  .  .  .  .  .  .  .  .  .  .
"""

TILES: Final[Mapping[str, tuple[int, int]]] = {
    code: (column, row)
    for row, line in enumerate(_ROWS.strip().splitlines())
    for column, code in enumerate(line.split())
    if code != "."
}
"""Code → column and row, from the upper left."""

_CODE: Final = re.compile(r"(?:JP-)?(0[1-9]|[1-3][0-9]|4[0-7])", re.ASCII)
_SIZE: Final = 30
_SHADES: Final = 5


def code_of(name: str) -> str | None:
    """Give the two digits of a prefecture (``JP-13`` and ``13`` are Tokyo); None for anything else."""
    found = _CODE.fullmatch(name)
    return found.group(1) if found else None


def prefecture_name(name: str) -> Text | None:
    """Give the name of a prefecture by its code; None for anything else."""
    code = code_of(name)
    if code is None:
        return None
    ja, _blank, en = _NAMES.split(",")[int(code) - 1].partition(" ")
    return Text(ja=ja, en=en)


def prefecture_map(values: Iterable[tuple[str, float]], worst: Collection[str]) -> str:
    """Draw prefectures as tiles, darker for a larger value.

    Parameters
    ----------
    values : iterable of (str, float)
        Code and value. Prefectures without one stay empty, with a dashed edge: missing is not 0.
    worst : collection of str
        Codes to be marked by a frame.

    Returns
    -------
    str
        An SVG element. Codes and numbers only, so that one drawing serves both languages; names stand in the table.
    """
    known = {code: value for name, value in values if (code := code_of(name)) is not None}
    low, high = min(known.values(), default=0.0), max(known.values(), default=0.0)
    marked = {code for name in worst if (code := code_of(name)) is not None}
    parts = [part for code, place in TILES.items() for part in _tile(code, place, known, (low, high), marked)]
    parts += _legend(low, high)
    label = " · ".join(f"{code} {plain(value)}" for code, value in sorted(known.items()))
    size = f"0 0 {13 * _SIZE} {13 * _SIZE}"
    return f'<svg class="tiles" viewBox="{size}" role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'


def _shade(value: float, ends: tuple[float, float]) -> int:
    low, high = ends
    return 0 if high == low else min(int((value - low) / (high - low) * _SHADES), _SHADES - 1)


def _tile(
    code: str,
    place: tuple[int, int],
    known: Mapping[str, float],
    ends: tuple[float, float],
    worst: Collection[str | None],
) -> Iterable[str]:
    x, y = place[0] * _SIZE, place[1] * _SIZE
    kind = f"tile shade{_shade(known[code], ends)}" if code in known else "tile empty"
    if code in known and code in worst:
        kind += " worst"
    yield f'<rect class="{kind}" x="{x + 1}" y="{y + 1}" width="{_SIZE - 2}" height="{_SIZE - 2}" rx="3"/>'
    dark = code in known and _shade(known[code], ends) >= _SHADES - 2
    ink = "tile-ink light" if dark else "tile-ink" if code in known else "tile-ink none"
    yield f'<text class="{ink}" x="{x + _SIZE // 2}" y="{y + 12}" text-anchor="middle">{code}</text>'
    if code in known:
        said = rough(known[code])
        yield f'<text class="{ink}" x="{x + _SIZE // 2}" y="{y + 23}" text-anchor="middle">{said}</text>'


def _legend(low: float, high: float) -> Iterable[str]:
    for shade in range(_SHADES):
        yield f'<rect class="tile shade{shade}" x="{20 + 22 * shade}" y="20" width="22" height="10"/>'
    yield f'<text class="tile-key" x="20" y="42">{rough(low)}</text>'
    yield f'<text class="tile-key" x="{20 + 22 * _SHADES}" y="42" text-anchor="end">{rough(high)}</text>'
