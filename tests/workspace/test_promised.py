"""What a plan says of results and indicators: every contradiction at its line and column."""

from __future__ import annotations

from pathlib import Path

import pytest

from shinrai.errors import SourceError
from shinrai.workspace import load

SETTINGS = "id: a\nname: {en: A}\norder_seed: 1\n"
PLAN = """id: nation
title: {en: Nation}
owner: office
period: {start: 2024-04-01, end: 2031-03-31}
edition: {series: nation, decided_on: 2024-04-01, document: {url: "https://example.com"}}
principles:
  - {id: fair, title: {en: Fair}}
goals:
  - id: use
    title: {en: Use}
    measures:
      - {id: courses, title: {en: Courses}}
results:
  - {id: delivered, level: output, title: {en: Delivered}, of: [courses]}
  - {id: changed, level: outcome, title: {en: Changed}}
links:
  - {from: delivered, to: changed, counter_indicator: errors}
indicators:
  - {id: rate, title: {en: Rate}, unit: percent, direction: up, limits: [0, 100], disaggregation: [region]}
  - {id: errors, title: {en: Errors}, unit: errors, direction: down}
uses:
  - indicator: rate
    of: changed
    breakdown: {region: tokyo}
    baseline: {period: FY2024, value: 20}
    target: {period: FY2030, value: 80, standing: final}
    path: [{period: FY2026, value: 40}]
    path_basis: official
"""


def put(root: Path, text: str = PLAN) -> None:
    (root / "plans").mkdir(exist_ok=True)
    (root / "shinrai.yaml").write_text(SETTINGS, encoding="utf-8")
    (root / "plans/nation.yaml").write_text(text, encoding="utf-8")


def test_a_plan_that_fits_together(tmp_path: Path, small_catalog: Path) -> None:
    put(tmp_path)
    workspace = load(tmp_path)
    assert [plan.id for plan in workspace.watched] == ["nation"]
    assert workspace.plans["nation"].links[0].to_json()["from"] == "delivered"


UNKNOWN = "workspace.unknown-part"
OUTSIDE = "workspace.outside-period"
BASELINE = "baseline: {period: FY2024"
COURSES = "{id: courses, title: {en: Courses}"


def due(period: str) -> str:
    return f"{COURSES}, milestones: [{{id: m, title: {{en: M}}, due: {period}}}]"


WRONG: dict[str, tuple[str, str, str, int, int, str | None]] = {
    "no direction": ("unit: percent, direction: up,", "unit: percent,", "source.missing-key", 19, 5, None),
    "a misspelt direction": ("direction: up", "direction: Up", "source.value", 19, 61, None),
    "a direction in other words": ("direction: up", "direction: positive", "source.value", 19, 61, None),
    "a band without edges": ("direction: up", "direction: band", "source.rule", 19, 50, None),
    "an unknown indicator": ("indicator: rate\n", "indicator: rat\n", UNKNOWN, 22, 16, "did you mean rate?"),
    "an unknown node": ("of: changed", "of: change", UNKNOWN, 23, 9, "did you mean changed?"),
    "an unknown measure": ("of: [courses]", "of: [course]", UNKNOWN, 14, 65, "did you mean courses?"),
    "a link to nowhere": ("to: changed", "to: chnged", UNKNOWN, 17, 27, "did you mean changed?"),
    "a link from nowhere": ("from: delivered", "from: deliverd", UNKNOWN, 17, 12, None),
    "an unknown counter-indicator": ("counter_indicator: errors", "counter_indicator: x", UNKNOWN, 17, 55, None),
    "another breakdown": ("{region: tokyo}", "{regoin: tokyo}", UNKNOWN, 24, 17, "did you mean region?"),
    "more than all": ("value: 80", "value: 180", "workspace.outside-limits", 26, 37, None),
    "less than nothing": ("value: 20", "value: -20", "workspace.outside-limits", 25, 39, None),
    "a path outside what can be": ("value: 40", "value: 400", "workspace.outside-limits", 27, 36, None),
    "a path before the baseline": ("period: FY2026", "period: FY2023", OUTSIDE, 27, 21, "the nearest one is FY2024"),
    "a path after the target": ("period: FY2026", "period: FY2031", OUTSIDE, 27, 21, "the nearest one is FY2030"),
    "a target outside the plan": ("period: FY2030", "period: FY2033", OUTSIDE, 26, 22, "the nearest one is FY2030"),
    "a milestone before the plan": (COURSES, due('"2023"'), OUTSIDE, 12, 87, "the nearest one is 2024"),
    "a milestone after the plan": (COURSES, due("2031-Q2"), OUTSIDE, 12, 87, "the nearest one is 2031-Q1"),
    "a baseline after the target": ("period: FY2024, value", "period: FY2031, value", "source.rule", 25, 5, None),
    "kinds of period mixed": ("period: FY2030", 'period: "2030"', "source.rule", 25, 5, None),
    "no period at all": ("period: FY2030", "period: soon", "source.rule", 26, 22, None),
    "a path of nobody": ("    path_basis: official\n", "", "source.rule", 27, 5, None),
    "two baselines": (BASELINE, f"baseline: {{}}\n    {BASELINE}", "source.duplicate-key", 26, 5, None),
    "promised twice": ("uses:\n", "uses:\n  - {indicator: rate}\n", "workspace.promised-twice", 23, 16, None),
    "an id twice": ("{id: courses,", "{id: use,", "workspace.duplicate-id", 12, 14, None),
    "an id of a principle": ("{id: courses,", "{id: fair,", "workspace.duplicate-id", 12, 14, None),
    "a node twice": ("{id: changed,", "{id: delivered,", "workspace.duplicate-id", 15, 10, None),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_a_contradiction_is_found_at_its_place(
    wrong: tuple[str, str, str, int, int, str | None], tmp_path: Path, small_catalog: Path
) -> None:
    before, after, code, line, column, hint = wrong
    assert before in PLAN
    put(tmp_path, PLAN.replace(before, after, 1))
    with pytest.raises(SourceError) as raised:
        load(tmp_path)
    found = [(one.code, one.line, one.column) for one in raised.value.problems]
    assert (code, line, column) in found
    problem = raised.value.problems[found.index((code, line, column))]
    assert problem.file == "plans/nation.yaml"
    assert hint is None or problem.hint == hint
    assert code != OUTSIDE or (problem.expected or "").startswith("from ")


def test_a_plan_that_nobody_ships_cannot_be_followed(tmp_path: Path, small_catalog: Path) -> None:
    put(tmp_path)
    (tmp_path / "shinrai.yaml").write_text(f"{SETTINGS}follows: [natoin]\n", encoding="utf-8")
    with pytest.raises(SourceError) as raised:
        load(tmp_path)
    (problem,) = raised.value.problems
    assert (problem.code, problem.line, problem.column) == ("workspace.unknown-plan", 4, 11)
    assert problem.hint == "did you mean nation?"


def test_corrections_are_read_and_held_to_their_own_rules(tmp_path: Path, small_catalog: Path) -> None:
    put(tmp_path)
    (tmp_path / "observations").mkdir()
    what = (
        "id: a, indicator: rate, period: FY2025, action: drop, expect: 588, reason: {en: x}, provider: m, state: open"
    )
    one = f"id: c\ncorrections:\n  - {{{what}}}\n"
    (tmp_path / "observations/c.yaml").write_text(one, encoding="utf-8")
    assert load(tmp_path).corrections["c"].corrections[0].expect == 588
    (tmp_path / "observations/c.yaml").write_text(one.replace("action: drop", "action: override"), encoding="utf-8")
    with pytest.raises(SourceError) as raised:
        load(tmp_path)
    assert raised.value.problems[0].code == "source.rule"
