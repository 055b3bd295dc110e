"""The columns of the project-review files, found by what their headers say and never by where they stand.

The ministries' annual project reviews (行政事業レビュー) are published as one CSV for each subject. Headers differ
between years in the width of brackets, in the kind of dash and in blanks; `header_key` makes these one. Headers as
read in the files of 2024 and 2025.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from shinrai.errors import Problem, SourceError
from shinrai.i18n import _
from shinrai.source import did_you_mean

Subject: TypeAlias = Literal["1-3", "2-1", "3-1", "3-2", "4-1"]
"""Number of a file: policies and plans · budget · goals and results · links between goals · review."""

_DASHES: Final = re.compile(r"[ー－―‐‑–—−-]")
_BLANKS: Final = re.compile(r"\s+")
_YEAR: Final = re.compile(r"(?:19|20)[0-9]{2}")


def header_key(header: str) -> str:
    """Give what two spellings of a header have in common: width, dashes and blanks do not count."""
    return _BLANKS.sub("", _DASHES.sub("-", unicodedata.normalize("NFKC", header)))


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of one file.

    Parameters
    ----------
    required, optional : dict
        Our name of a column → its header. Years are columns of their own, found by their four digits.
    """

    subject: Subject
    required: Mapping[str, str]
    optional: Mapping[str, str] = field(default_factory=dict)


_COMMON: Final = {"sheet_year": "事業年度", "project": "予算事業ID", "title": "事業名", "ministry": "府省庁"}

LAYOUTS: Final[tuple[Layout, ...]] = (
    Layout(
        "3-1",
        {
            **_COMMON,
            "number": "アクティビティ・アウトプット・アウトカムの番号",
            "level": "種別（アクティビティ・アウトプット・アウトカム）",
            "horizon": "アウトカムの期間",
            "quantity": "成果目標の種類",
            "statement": "アクティビティ／活動目標／成果目標",
            "metric": "活動指標／成果指標",
            "unit": "単位",
            "direction": "改善の上向き／下向き",
            "row": "目標年度／目標値／実績値／達成率",
        },
        {
            "origin": "成果実績及び目標値の根拠として用いた統計・データ名（出典）",
            "why_qualitative": "定性的なアウトカム目標を設定している理由",
            "qualitative_result": "定性的なアウトカムに関する成果実績",
            "decision": "事業に関連するKPIが定められている閣議決定等の名称",
            "decision_place": "事業に関連するKPIが定められている閣議決定等の該当箇所",
            "decision_url": "事業に関連するKPIが定められている閣議決定等のURL",
        },
    ),
    Layout(
        "3-2",
        {
            **_COMMON,
            "from_number": "派生元ーアクティビティ・アウトプット・アウトカムの番号",
            "from_level": "派生元ー種別（アクティビティ・アウトプット・アウトカム）",
            "to_number": "派生先ーアクティビティ・アウトプット・アウトカムの番号",
            "to_level": "派生先ー種別（アクティビティ・アウトプット・アウトカム）",
            "mechanism": "後続アウトカムへのつながり",
            "why_one_stage": "アウトカムを複数段階で設定できない理由",
        },
    ),
    Layout(
        "1-3",
        {**_COMMON, "plan": "計画通知名"},
        {
            "plan_url": "計画通知等URL",
            "policy": "政策",
            "programme": "施策",
            "law": "法令名",
            "law_number": "法令番号",
            "article": "条",
        },
    ),
    Layout(
        "2-1",
        {
            **_COMMON,
            "budget_year": "予算年度",
            "initial": "当初予算（合計）",
            "available": "計（歳出予算現額合計）",
            "spent": "執行額（合計）",
        },
        {"supplementary": "補正予算（合計）", "requested": "翌年度要求額（合計）"},
    ),
    Layout(
        "4-1",
        {
            **_COMMON,
            "self_check": "事業所管部局による点検・改善ー点検結果",
            "improvement": "事業所管部局による点検・改善ー改善の方向性",
        },
        {
            "effect": "事業所管部局による点検・改善－目標年度における効果測定に関する評価",
            "expert": "外部有識者による点検ー所見",
            "team": "行政事業レビュー推進チームの所見",
            "team_details": "行政事業レビュー推進チームの所見の詳細",
            "reflected": "所見を踏まえた改善点／概算要求における反映状況",
            "reflected_details": "所見を踏まえた改善点／概算要求における反映状況の詳細",
            "reflected_amount": "反映額（一般会計）",
        },
    ),
)
"""In this order: the first whose required columns are all there is what a file is."""


@dataclass(frozen=True, slots=True)
class Binding:
    """Where the columns of a file stand.

    Parameters
    ----------
    subject : Subject
    at : dict
        Our name → position from 0; optional columns that are not there are left out.
    years : tuple of (int, int)
        Year and position, for the columns that are named after a year.
    headers : tuple of str
        As they stand in the file.
    """

    subject: Subject
    at: Mapping[str, int]
    years: tuple[tuple[int, int], ...]
    headers: tuple[str, ...]


def bind(headers: Sequence[str], file: str) -> Binding:
    """Recognise a file by its headers.

    Parameters
    ----------
    headers : sequence of str
        The first row.
    file : str
        Its name, for messages. A name that begins with ``3-1_`` says what the file was meant to be, and only decides
        which columns are reported as missing.

    Returns
    -------
    Binding

    Raises
    ------
    SourceError
        If columns are missing or a header stands there twice.
    """
    positions: dict[str, int] = {}
    for position, header in enumerate(headers):
        key = header_key(header)
        if key and key in positions:
            message = _('the column "{name}" is there twice').format(name=header)
            raise SourceError([Problem("do.review-header", file, 1, 1, message)])
        positions[key] = position
    layout = next((one for one in LAYOUTS if not _missing(one, positions)), None)
    if layout is None:
        raise SourceError(_complaints(positions, headers, file))
    wanted = {**layout.required, **layout.optional}
    at = {name: positions[header_key(header)] for name, header in wanted.items() if header_key(header) in positions}
    years = [(int(key), position) for key, position in positions.items() if _YEAR.fullmatch(key)]
    return Binding(layout.subject, at, tuple(sorted(years)), tuple(headers))


def _missing(layout: Layout, positions: Mapping[str, int]) -> list[str]:
    return [header for header in layout.required.values() if header_key(header) not in positions]


def _complaints(positions: Mapping[str, int], headers: Sequence[str], file: str) -> list[Problem]:
    """Name the missing columns of the layout that the file most probably has."""
    meant = next((one for one in LAYOUTS if file.startswith(f"{one.subject}_")), None)
    layout = meant or min(LAYOUTS, key=lambda one: len(_missing(one, positions)) / len(one.required))
    if meant is None and len(_missing(layout, positions)) >= len(layout.required) - len(_COMMON):
        message = _("no file of the project reviews has these columns")
        expected = _("one of the files 1-3, 2-1, 3-1, 3-2, 4-1 as they are published")
        return [Problem("do.review-header", file, 1, 1, message, expected)]
    return [
        Problem(
            "do.review-column",
            file,
            1,
            1,
            _('the column "{name}" of file {subject} is missing').format(name=header, subject=layout.subject),
            None,
            did_you_mean(header, headers),
        )
        for header in _missing(layout, positions)
    ]
