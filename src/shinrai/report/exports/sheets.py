"""Sheets of a workbook as they are filed: heading, table, print set-up. No text becomes a formula or a link."""

from __future__ import annotations

import io
import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, TypeAlias

import xlsxwriter

from shinrai.report.exports.dossier import Dossier

Column: TypeAlias = tuple[str, int]
"""Head, in English, to be translated; and width, in half-width characters."""

_OPTIONS: Final = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
_FONTS: Final = {"ja": "游ゴシック", "en": "Calibri"}
_SIZE: Final = 10
_LINE: Final = 15.0
"""Height of a line of text, in points."""
_TALLEST: Final = 409.0
"""Highest row that Excel knows, in points."""
_LONGEST_CELL: Final = 32_000
"""Excel holds 32,767 characters in a cell."""
_A4: Final = 9
HEAD_ROW: Final = 4
"""The heads of a table stand here, counted from 0, under title and facts."""
_HEAD: Final = {"bold": True, "bg_color": "#DDE4F0", "align": "center", "valign": "vcenter"}


@dataclass
class Book:
    """A workbook under way.

    Parameters
    ----------
    dossier : Dossier
        What it is written from.
    title : str
        In the dossier's language.
    """

    dossier: Dossier
    title: str
    _target: io.BytesIO = field(default_factory=io.BytesIO)
    _formats: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.workbook = xlsxwriter.Workbook(self._target, _OPTIONS)
        made = datetime.fromisoformat(self.dossier.head.at).replace(tzinfo=None)
        self.workbook.set_properties({"title": self.title, "created": made})

    def style(self, name: str, **more: object) -> Any:  # noqa: ANN401 - a format of a library without types
        """Give the format of a name, made on first use: wrapped, at the top, with a border."""
        if name not in self._formats:
            plain = {"text_wrap": True, "valign": "top", "border": 1, "border_color": "#B4BCCB"}
            font = {"font_name": _FONTS[self.dossier.language], "font_size": _SIZE}
            self._formats[name] = self.workbook.add_format({**plain, **font, **more})
        return self._formats[name]

    def sheet(self, name: str, widths: Sequence[int], *, title: str) -> Paper:
        """Add a sheet with its columns' widths, its print set-up, and a title with organisation and day under it."""
        return Paper(self, self.workbook.add_worksheet(name), tuple(widths), title)

    def finish(self) -> bytes:
        """Give the whole workbook; equal content gives equal bytes."""
        self.workbook.close()
        return self._target.getvalue()


class Paper:
    """One sheet, A4 across, as wide as the paper, its heads on each page.

    Parameters
    ----------
    book : Book
        It belongs to.
    sheet : xlsxwriter.worksheet.Worksheet
        Empty.
    widths : tuple of int
        Of its columns, in half-width characters.
    title : str
        In the dossier's language.
    """

    def __init__(self, book: Book, sheet: Any, widths: tuple[int, ...], title: str) -> None:  # noqa: ANN401 - of a library without types
        self.book, self.sheet, self.widths = book, sheet, widths
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width)
        sheet.set_paper(_A4)
        sheet.set_landscape()
        sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.7)
        sheet.fit_to_pages(1, 0)
        sheet.set_footer("&L&A&C&P / &N&R" + title.replace("&", "&&")[:180])
        sheet.hide_gridlines(2)
        dossier = book.dossier
        sheet.set_row(0, 26)
        self.write((0, 0), title, book.style("title", bold=True, font_size=15, border=0, text_wrap=False))
        fact = book.style("fact", border=0, text_wrap=False)
        organisation = dossier.read(dossier.workspace.settings.name)
        self.write((1, 0), dossier.t("Organisation: {name}", name=organisation), fact)
        made = dossier.t("Made on: {day}", day=day_words(dossier, dossier.today))
        self.write((2, 0), dossier.t("{made} (ledger entry {seq})", made=made, seq=dossier.head.seq), fact)

    def head(self, heads: Sequence[str], row: int = HEAD_ROW) -> None:
        """Write the heads of a table, in English; they stay in sight and are repeated on each page."""
        told = [self.book.dossier.t(head) for head in heads]
        told = [head[:1].upper() + head[1:] for head in told]
        self.row(row, told, self.book.style("head", **_HEAD))
        self.sheet.freeze_panes(row + 1, 1)
        self.sheet.repeat_rows(row)

    def row(self, row: int, cells: Sequence[object], style: Any = None, styles: dict[int, Any] | None = None) -> None:  # noqa: ANN401 - as above
        """Write a row as tall as its longest text needs; `styles` are those of single columns."""
        plain = style or self.book.style("plain")
        for column, cell in enumerate(cells):
            self.write((row, column), cell, (styles or {}).get(column, plain))
        self.tall(row, max((lines(str(cell), self.widths[at]) for at, cell in enumerate(cells)), default=1))

    def wide(self, row: int, text: object, style: Any, columns: tuple[int, int]) -> None:  # noqa: ANN401 - as above
        """Write a text over several columns, the first and the last given."""
        first, last = columns
        if last > first:
            self.sheet.merge_range(row, first, row, last, "", style)
        self.write((row, first), text, style)

    def tall(self, row: int, count: int) -> None:
        """Make a row tall enough for so many lines."""
        self.sheet.set_row(row, min(count * _LINE + 4, _TALLEST))

    def write(self, at: tuple[int, int], cell: object, style: Any) -> None:  # noqa: ANN401 - as above
        """Write a number or a day as such, and anything else as a text."""
        if isinstance(cell, int):
            self.sheet.write_number(*at, cell, style)
        elif isinstance(cell, date):
            self.sheet.write_datetime(*at, datetime(cell.year, cell.month, cell.day), style)  # noqa: DTZ001 - a day
        elif cell == "":
            self.sheet.write_blank(*at, None, style)
        else:
            plain = "".join(c for c in str(cell) if c.isprintable() or c == "\n")
            self.sheet.write_string(*at, plain[:_LONGEST_CELL], style)


def lines(text: str, width: int) -> int:
    """Count the lines that a text takes in a column; a wide character takes the place of two."""
    return sum(max(1, math.ceil(_wide(line) / max(width - 1, 1))) for line in text.split("\n"))


def _wide(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def day_words(dossier: Dossier, day: date) -> str:
    """Write a day as it stands on a paper: 2026-03-31, and 2026年3月31日 in Japanese."""
    return f"{day.year}年{day.month}月{day.day}日" if dossier.language == "ja" else day.isoformat()
