"""docs/coverage.md and docs/coverage.ja.md, from the catalog: ``python -m tests.docs.coverage_page`` writes both."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from shinrai.catalog import higher_plans
from shinrai.i18n import Language, translate
from shinrai.records import Plan
from shinrai.report.outcomes import STANDINGS
from shinrai.report.words import CERTAINTIES

DOCS = Path(__file__).parents[2] / "docs"
PAGES: dict[Language, Path] = {"en": DOCS / "coverage.md", "ja": DOCS / "coverage.ja.md"}

HEAD: dict[Language, str] = {
    "en": """# What is shipped on national plans, and what could not be verified

Made from `catalog/plans`, as `shinrai status --coverage` says it. Texts are headings and our own summaries; the nodes
between measures and indicators are our own reading, because the Plan publishes no logic model.
· [日本語](coverage.ja.md)
""",
    "ja": """# 収めている国の計画と、確認できなかったこと

`catalog/plans` から作ったもので、`shinrai status --coverage` と同じ内容です。文言は見出しと要約であり、
計画の本文そのものではありません。計画はロジックモデルを公表していないため、
施策と指標のあいだのつながりは当方の読み方です。 · [English](coverage.md)
""",
}
WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "entries": "Entries",
        "targets": "Targets",
        "none": "none",
        "indicator": "indicator",
        "target": "target",
        "known": "known from",
        "source": "source",
        "no date": "no date",
        "open": "What could not be verified",
        "look": "to be looked up in",
    },
    "ja": {
        "entries": "項目",
        "targets": "目標",
        "none": "なし",
        "indicator": "指標",
        "target": "目標",
        "known": "確かさ",
        "source": "出典",
        "no date": "期日なし",
        "open": "確認できなかったこと",
        "look": "確認先",
    },
}


def pages() -> dict[Language, str]:
    """Both pages."""
    return {
        language: "\n".join([HEAD[language], *(_plan(plan, language) for plan in higher_plans().values())])
        for language in PAGES
    }


def _plan(plan: Plan, language: Language) -> str:
    words = WORDS[language]
    told = Counter(entry.certainty for entry in plan.entries())
    sure = " · ".join(f"{told[name]} {translate(word, language)}" for name, word in CERTAINTIES.items() if told[name])
    lines = [f"## {plan.title.read(language)}\n", f"`{plan.id}` · {words['entries']}: {sure}\n"]
    titles = {one.id: one.title for other in higher_plans().values() for one in other.indicators}
    rows = []
    for use in plan.uses:
        target = use.target
        if target is None:
            continue
        cited = "; ".join(
            f"[{one.title.read(language)}]({one.url})" if one.url else one.title.read(language)
            for one in target.sources
        )
        value = f"{target.value:,g} ({target.period or words['no date']})"
        rows.append(
            f"| {titles[use.indicator].read(language)} | {value} | {_standing(target.standing, language)} | {cited} |"
        )
    if rows:
        heads = (words["indicator"], words["target"], words["known"], words["source"])
        lines += [f"| {' | '.join(heads)} |", "|---|---|---|---|", *rows, ""]
    lines.append(f"**{words['open']}**\n")
    for question in plan.open_questions:
        where = ", ".join(f"<{address}>" for address in question.look_at)
        lines.append(f"- {question.title.read(language)}" + (f" ({words['look']}: {where})" if where else ""))
    return "\n".join(lines) + "\n"


def _standing(name: str, language: Language) -> str:
    return translate(next(word for standing, word in STANDINGS.items() if standing == name), language)


if __name__ == "__main__":
    for language, text in pages().items():
        PAGES[language].write_text(text, encoding="utf-8")
