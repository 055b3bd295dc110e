"""Review files as the ministries publish them: the genuine headers and marks, with made-up projects."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path

COMMON = [
    *("シート種別", "事業年度", "予算事業ID", "事業名", "府省庁の建制順", "政策所管府省庁", "府省庁"),
    *("局・庁", "部", "課", "室", "班", "係"),
]
YEARS = [str(year) for year in range(2007, 2061)]

HEADERS: Mapping[str, list[str]] = {
    "1-3": [
        *COMMON,
        *("番号（政策・施策）", "政策所管府省庁_P", "政策", "施策", "政策・施策URL", "番号（根拠法令）", "法令名"),
        *(
            "法令番号",
            "法令ID",
            "条",
            "項",
            "号・号の細分",
            "番号（関係する計画・通知等）",
            "計画通知名",
            "計画通知等URL",
        ),
    ],
    "2-1": [
        *COMMON,
        *("予算年度", "当初予算（合計）", "補正予算（合計）", "前年度からの繰越し（合計）", "予備費等（合計）"),
        *("計（歳出予算現額合計）", "執行額（合計）", "執行率", "翌年度への繰越し(合計）", "翌年度要求額（合計）"),
        *("主な増減理由", "その他特記事項", "会計区分", "会計", "勘定", "当初予算", "第1次補正予算"),
    ],
    "3-1": [
        *COMMON,
        "事業に関連するKPIが定められている閣議決定等の名称",
        "事業に関連するKPIが定められている閣議決定等の該当箇所",
        "事業に関連するKPIが定められている閣議決定等のURL",
        "アクティビティ・アウトプット・アウトカムの番号",
        "種別（アクティビティ・アウトプット・アウトカム）",
        "アウトカムの期間",
        "成果目標の種類",
        "アクティビティ／活動目標／成果目標",
        "活動指標／成果指標",
        "単位",
        "改善の上向き／下向き",
        "成果実績及び目標値の根拠として用いた統計・データ名（出典）",
        "定性的なアウトカム目標を設定している理由",
        "定性的なアウトカムに関する成果実績",
        "目標年度／目標値／実績値／達成率",
        *YEARS,
    ],
    "3-2": [
        *COMMON,
        "派生元ーアクティビティ・アウトプット・アウトカムの番号",
        "派生元ー種別（アクティビティ・アウトプット・アウトカム）",
        "派生元ーアウトカムの期間",
        "派生元ーアクティビティの内容/ 活動目標／成果目標",
        "派生元ー活動指標／成果指標",
        "派生先ーアクティビティ・アウトプット・アウトカムの番号",
        "派生先ー種別（アクティビティ・アウトプット・アウトカム）",
        "派生先ーアウトカムの期間",
        "派生先ー 活動目標／成果目標",
        "派生先ー活動指標／成果指標",
        "後続アウトカムへのつながり",
        "アウトカムを複数段階で設定できない理由",
    ],
    "4-1": [
        *COMMON,
        "事業所管部局による点検・改善ー点検結果",
        "事業所管部局による点検・改善ー改善の方向性",
        "事業所管部局による点検・改善－目標年度における効果測定に関する評価",
        "外部有識者による点検ー所見",
        "行政事業レビュー推進チームの所見",
        "行政事業レビュー推進チームの所見の詳細",
        "所見を踏まえた改善点／概算要求における反映状況",
        "所見を踏まえた改善点／概算要求における反映状況の詳細",
        "反映額（一般会計）",
    ],
}

NUMBER = "アクティビティ・アウトプット・アウトカムの番号"
LEVEL = "種別（アクティビティ・アウトプット・アウトカム）"
ROW = "目標年度／目標値／実績値／達成率"
STATEMENT = "アクティビティ／活動目標／成果目標"
METRIC = "活動指標／成果指標"
ORIGIN = "成果実績及び目標値の根拠として用いた統計・データ名（出典）"

Cells = dict[str, str]


def common(project: str = "4", year: str = "2025") -> Cells:
    return {
        "シート種別": "レビューシート",
        "事業年度": year,
        "予算事業ID": project,
        "事業名": f"事業{project}",
        "府省庁": "霞省",
    }


def indicator(
    project: str = "4",
    number: str = "3",
    *,
    level: str = "アウトカム",
    horizon: str = "1.短期",
    metric: str = "相談に要する時間",
    unit: str = "分",
    direction: str = "下向き",
    target_year: int | None = 2027,
    targets: Mapping[int, str] | None = None,
    actuals: Mapping[int, str] | None = None,
    rates: Mapping[int, str] | None = None,
    more: Cells | None = None,
) -> list[Cells]:
    # The four rows of an indicator.
    base = {
        **common(project),
        NUMBER: number,
        LEVEL: level,
        "アウトカムの期間": horizon,
        "成果目標の種類": "定量的",
        STATEMENT: f"{metric}が良くなる",
        METRIC: metric,
        "単位": unit,
        "改善の上向き／下向き": direction,
        ORIGIN: "霞省調べ",
        **(more or {}),
    }
    flags = {} if target_year is None else {target_year: "1"}
    kinds = {"1.目標年度": flags, "2.目標値": targets or {}, "3.実績値": actuals or {}, "4.達成率": rates or {}}
    return [{**base, ROW: kind, **{str(year): cell for year, cell in cells.items()}} for kind, cells in kinds.items()]


def node(project: str, number: str, level: str, statement: str) -> Cells:
    # A row without an indicator, as activities have them.
    return {**common(project), NUMBER: number, LEVEL: level, STATEMENT: statement}


def link(project: str, start: tuple[str, str], end: tuple[str, str], how: str = "", reason: str = "") -> Cells:
    return {
        **common(project),
        "派生元ーアクティビティ・アウトプット・アウトカムの番号": start[0],
        "派生元ー種別（アクティビティ・アウトプット・アウトカム）": start[1],
        "派生先ーアクティビティ・アウトプット・アウトカムの番号": end[0],
        "派生先ー種別（アクティビティ・アウトプット・アウトカム）": end[1],
        "後続アウトカムへのつながり": how,
        "アウトカムを複数段階で設定できない理由": reason,
    }


def budget(project: str, year: str, *, initial: str = "", available: str = "", spent: str = "") -> Cells:
    # A row of totals.
    return {
        **common(project),
        "予算年度": year,
        "当初予算（合計）": initial,
        "計（歳出予算現額合計）": available,
        "執行額（合計）": spent,
    }


def basis(
    project: str,
    *,
    plan: str = "",
    url: str = "",
    law: str = "",
    law_number: str = "",
    article: str = "",
    policy: str = "",
    programme: str = "",
) -> Cells:
    return {
        **common(project),
        "計画通知名": plan,
        "計画通知等URL": url,
        "政策": policy,
        "施策": programme,
        "法令名": law,
        "法令番号": law_number,
        "条": article,
    }


def text(subject: str, rows: Iterable[Cells], *, headers: list[str] | None = None) -> str:
    # A file as text, with the byte order mark that it has when it is published.
    headers = headers or HEADERS[subject]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(headers)
    writer.writerows([row.get(header, "") for header in headers] for row in rows)
    return "\ufeff" + out.getvalue()


def write(folder: Path, subject: str, rows: Iterable[Cells], **more: list[str]) -> Path:
    path = folder / f"{subject}_RS_2025_test.csv"
    path.write_text(text(subject, rows, **more), encoding="utf-8", newline="")
    return path
