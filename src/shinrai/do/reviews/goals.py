"""File 3-1: goals and results. Four rows make one indicator: target year, target, result, rate of achievement."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import compress
from operator import itemgetter
from typing import Any, Final, Literal, TypeAlias, TypeVar

from shinrai.do.reviews.cells import is_nothing, number, project_number, text
from shinrai.do.reviews.notices import Kind, Notice, Notices
from shinrai.do.reviews.rows import ReviewFile

Level: TypeAlias = Literal["input", "activity", "output", "outcome", "impact"]
Horizon: TypeAlias = Literal["short", "mid", "long"]
Direction: TypeAlias = Literal["up", "down"]
Quantity: TypeAlias = Literal["quantitative", "qualitative"]
Row: TypeAlias = Literal["target-year", "target", "actual", "rate"]

LEVELS: Final[dict[str, Level]] = {
    "インプット": "input",
    "アクティビティ": "activity",
    "アウトプット": "output",
    "アウトカム": "outcome",
    "インパクト": "impact",
}
HORIZONS: Final[dict[str, Horizon]] = {"短期": "short", "中期": "mid", "長期": "long"}
DIRECTIONS: Final[dict[str, Direction]] = {"上向き": "up", "下向き": "down"}
QUANTITIES: Final[dict[str, Quantity]] = {
    "定量的": "quantitative",
    "定量": "quantitative",
    "定性的": "qualitative",
    "定性": "qualitative",
}
W = TypeVar("W")

_KEY: Final = ("project", "number", "level", "horizon", "statement", "metric", "unit")
"""Columns that say of which indicator a row is."""

_TEXTS: Final = (
    *("title", "ministry", "number", "statement", "metric", "unit", "origin", "why_qualitative"),
    *("qualitative_result", "decision", "decision_place", "decision_url"),
)
"""Columns that are taken as they are written."""

ROWS: Final[dict[str, Row]] = {"目標年度": "target-year", "目標値": "target", "実績値": "actual", "達成率": "rate"}

_ORDINAL: Final = re.compile(r"^[0-9]+[.．、]\s*")


@lru_cache(maxsize=4096)
def word(cell: str) -> str:
    """Take width, blanks at the ends and a number in front (``1.短期``) off a cell."""
    return _ORDINAL.sub("", unicodedata.normalize("NFKC", cell).strip())


@dataclass(slots=True)
class Series:
    """An indicator of a project, as its rows give it.

    Parameters
    ----------
    project : str
        Number without leading zeros.
    number : str
        Of the node within the project, as the file has it; may be empty for activities.
    level, horizon, quantity, direction
        In our words; None where the file says nothing.
    statement, metric, unit, origin : str
        As they stand, without blanks at the ends; empty for none.
    targets, actuals, rates : dict
        Fiscal year (Japanese, April to March) → value. What is missing is not there; 0 is a value.
    target_years : list of int
        Years flagged as target years.
    line : int
        Of its first row.
    """

    project: str
    title: str
    ministry: str
    number: str
    level: Level
    horizon: Horizon | None
    quantity: Quantity | None
    direction: Direction | None
    statement: str
    metric: str
    unit: str
    line: int
    direction_cell: str
    origin: str = ""
    why_qualitative: str = ""
    qualitative_result: str = ""
    decision: str = ""
    decision_place: str = ""
    decision_url: str = ""
    targets: dict[int, float] = field(default_factory=dict, init=False)
    actuals: dict[int, float] = field(default_factory=dict, init=False)
    rates: dict[int, float] = field(default_factory=dict, init=False)
    target_years: list[int] = field(default_factory=list, init=False)
    lines: dict[Row, int] = field(default_factory=dict, init=False)
    disputed: set[Row] = field(default_factory=set, init=False)

    @property
    def target_year(self) -> int | None:
        """The target year where exactly one is flagged."""
        return self.target_years[0] if len(self.target_years) == 1 else None

    def values(self, row: Row) -> dict[int, float]:
        """Give the values of a kind of row."""
        if row == "target-year":
            return dict.fromkeys(self.target_years, 1.0)
        return {"target": self.targets, "actual": self.actuals, "rate": self.rates}[row]


class _Plain(dict[str, float]):
    """Cells that are numbers in plain digits, each read once; a KeyError for any other."""

    def __missing__(self, cell: str) -> float:
        value, oddity = number(cell.strip())
        if value is None or oddity is not None:
            raise KeyError(cell)
        self[cell] = value
        return value


class GoalReader:
    """Folds the rows of a file 3-1 into series."""

    def __init__(self, file: ReviewFile, notices: Notices) -> None:
        self.file = file
        self.notices = notices
        self.series: dict[tuple[str, ...], Series] = {}
        self.at = file.binding.at
        self._words: dict[str, dict[str, Any]] = {}
        self._key = itemgetter(*(self.at[name] for name in _KEY), self.at["direction"])
        self._newest: tuple[tuple[str, ...], Series | None] = ((), None)
        self._texts = [name for name in _TEXTS if name in self.at]
        self._text_cells = itemgetter(*(self.at[name] for name in self._texts))
        self._plain = _Plain().__getitem__
        self._years = [year for year, _position in file.binding.years]
        self._positions = positions = [position for _year, position in file.binding.years]
        whole = positions == list(range(positions[0], positions[0] + len(positions))) if positions else True
        self._slice = slice(positions[0], positions[-1] + 1) if positions and whole else None

    def read(self) -> list[Series]:
        """Read the file to its end.

        Returns
        -------
        list of Series
            In the order in which they first appear; nothing is dropped without a notice.
        """
        at, kinds = self.at["row"], self._words.setdefault("row", {})
        for row in self.file.rows():
            # Rows of an indicator mostly stand one below the other: then nothing is looked up again.
            written = self._key(row)
            series = self._newest[1] if written == self._newest[0] else self._find(written, row)
            if series is None:
                continue
            kind = kinds.get(row[at]) or self._word(series.project, row, "row", ROWS)
            if kind is not None:
                self._values(series, kind, row)
        found = list(self.series.values())
        for one in found:
            self._review(one)
        return found

    def _find(self, written: tuple[str, ...], row: list[str]) -> Series | None:
        """Give the series of a row, a new one if it is the first; None, and a notice, where it names none."""
        cell, direction = written[0], written[-1]
        project = project_number(cell.strip())
        if project is None:
            self._note("no-project-number", "project", "", cell)
            return None
        key = project, *written[1:-1]
        series = self.series.get(key)
        if series is None:
            series = self._begin(project, row)
            if series is None:
                return None
            self.series[key] = series
        if direction == series.direction_cell:
            self._newest = written, series
        else:
            self._note("row-conflict", "direction", series.project, direction)
            series.direction = None
        return series

    def _begin(self, project: str, row: list[str]) -> Series | None:
        level = self._word(project, row, "level", LEVELS)
        if level is None:
            if is_nothing(row[self.at["level"]].strip()):
                self._note("unknown-word", "level", project, row[self.at["level"]])
            return None
        return Series(
            project=project,
            level=level,
            horizon=self._word(project, row, "horizon", HORIZONS),
            quantity=self._word(project, row, "quantity", QUANTITIES),
            direction=self._word(project, row, "direction", DIRECTIONS),
            line=self.file.line,
            direction_cell=row[self.at["direction"]],
            **dict(zip(self._texts, map(text, self._text_cells(row)), strict=True)),
        )

    def _values(self, series: Series, kind: Row, row: list[str]) -> None:
        cells = self._cells(row)
        try:  # most cells are empty and the others plain numbers: then there is no loop of ours
            values = dict(zip(compress(self._years, cells), map(self._plain, filter(None, cells)), strict=True))
        except KeyError:
            values = self._one_by_one(series, cells)
        if kind in series.lines:
            self._again(series, kind, values)
            return
        series.lines[kind] = self.file.line
        match kind:
            case "target-year":
                series.target_years = sorted(year for year, value in values.items() if value == 1)
            case "target":
                series.targets = values
            case "actual":
                series.actuals = values
            case "rate":
                series.rates = values

    def _cells(self, row: list[str]) -> Sequence[str]:
        return row[self._slice] if self._slice else [row[position] for position in self._positions]

    def _again(self, series: Series, kind: Row, values: dict[int, float]) -> None:
        """Compare a row with the one of the same name that came before it."""
        kept = series.values(kind)
        if kind == "target-year":
            values = {year: value for year, value in values.items() if value == 1}
        same = values == kept and kind not in series.disputed
        first = str(series.lines[kind])
        self.notices.add(
            Notice(
                "row-twice" if same else "row-conflict",
                self.file.name,
                self.file.line,
                self._header("row"),
                series.project,
                kind,
                first,
            )
        )
        if not same:
            series.disputed.add(kind)
            for year in [year for year in kept if values.get(year) != kept[year]]:
                if kind == "target-year":
                    series.target_years.remove(year)
                else:
                    del series.values(kind)[year]

    def _one_by_one(self, series: Series, cells: Sequence[str]) -> dict[int, float]:
        values = {}
        for year, cell in compress(zip(self._years, cells, strict=True), cells):
            value, oddity = number(cell.strip())
            if oddity is not None:
                self._note_number(oddity, series, year, cell)
            if value is not None:
                values[year] = value
        return values

    def _note_number(self, oddity: Kind, series: Series, year: int, cell: str) -> None:
        self.notices.add(Notice(oddity, self.file.name, self.file.line, str(year), series.project, cell.strip()))

    def _review(self, series: Series) -> None:
        """Name what is odd about a series as a whole."""
        for kind, found in _oddities(series):
            self.notices.add(Notice(kind, self.file.name, series.line, "", series.project, series.metric, found))

    def _word(self, project: str, row: list[str], name: str, words: dict[str, W]) -> W | None:
        cell = row[self.at[name]]
        known: dict[str, W | None] = self._words.setdefault(name, {})
        if cell in known:
            found = known[cell]
        else:
            written = cell.strip()
            found = known[cell] = None if is_nothing(written) else words.get(written) or words.get(word(written))
        if found is None and not is_nothing(cell.strip()):
            self._note("unknown-word", name, project, cell)
        return found

    def _note(self, kind: Kind, name: str, project: str, found: str) -> None:
        self.notices.add(Notice(kind, self.file.name, self.file.line, self._header(name), project, found.strip()))

    def _header(self, name: str) -> str:
        return self.file.binding.headers[self.at[name]]


def _oddities(series: Series) -> Iterator[tuple[Kind, str]]:
    if series.quantity != "quantitative" or series.level == "activity":
        return
    if series.direction is None:
        yield "no-direction", ""
    if len(series.target_years) > 1:
        yield "several-target-years", ", ".join(map(str, series.target_years))
    elif not series.target_years and series.targets:
        yield "no-target-year", ""
    year = series.target_year
    if year is not None and year not in series.targets:
        yield "target-without-value", str(year)
    beyond = [] if year is None else [one for one in series.targets if one > year]
    if beyond:
        yield "beyond-target-year", ", ".join(map(str, sorted(beyond)))
    for year, rate in series.rates.items():
        if not rate_agrees(series, year):
            yield "rate-differs", f"{year}: {rate:g} %"


def rate_agrees(series: Series, year: int) -> bool:
    """Tell whether a reported rate of achievement is what target and result of that year give.

    For indicators that go up, result ÷ target; for those that go down the ministries use target ÷ result or
    2 − result ÷ target: either is accepted. One percentage point is allowed for rounding.

    Parameters
    ----------
    series : Series
        With a rate for the year.
    year : int
        Fiscal year.

    Returns
    -------
    bool
        False also where there is a rate and no target or result to make it from.
    """
    target, actual = series.targets.get(year), series.actuals.get(year)
    if target is None or actual is None or target == 0:
        return False
    ways = [actual / target]
    if series.direction == "down":
        ways += [2 - actual / target, *([target / actual] if actual else [])]
    return any(abs(100 * way - series.rates[year]) <= 1 for way in ways)
