"""The plans that are shipped: nothing more certain than its source, and everything fits together."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest

from shinrai import catalog
from shinrai.catalog import CATALOG, higher_plans
from shinrai.records import Plan, Text, definitions, first_day
from shinrai.workspace.parts import Sourced
from shinrai.workspace.promised import of_promises

PLANS = higher_plans()
TABLE = CATALOG / "observations/jp-ai-basic-plan.csv"
RANK = ("unverified", "secondary", "quoted", "official")
FORMER = ("p1", "p2", "p3", "1", "2", "3", "4", "1.1", "3.1", "3.2", "3.3", "3.4", "3.5")


@pytest.fixture(params=list(PLANS))
def plan(request: pytest.FixtureRequest) -> Plan:
    return PLANS[request.param]


def test_a_plan_fits_together(plan: Plan) -> None:
    path = CATALOG / f"plans/{plan.id}.yaml"
    assert list(of_promises(Sourced(plan, path, path.name), PLANS)) == []
    assert plan.edition is not None
    assert plan.edition.supersedes is None or plan.edition.supersedes in PLANS


def test_every_entry_has_a_source_and_is_no_more_certain_than_it(plan: Plan) -> None:
    for entry in plan.entries():
        assert entry.sources, entry.id
        assert entry.certainty is not None, entry.id
        best = max(RANK.index(source.certainty) for source in entry.sources)
        assert RANK.index(entry.certainty) <= best, entry.id
    for measure in plan.measures():
        for milestone in measure.milestones:
            assert milestone.done is None or milestone.done_sources, milestone.id
    for use in plan.uses:
        assert use.target is None or use.target.sources, use.name
        assert use.baseline is None or use.baseline.sources, use.name


def test_every_text_is_in_both_languages(plan: Plan) -> None:
    def texts(value: object) -> list[Text]:
        if isinstance(value, Text):
            return [value]
        if isinstance(value, tuple):
            return [text for part in value for text in texts(part)]
        fields = getattr(type(value), "model_fields", {})
        return [text for name in fields for text in texts(getattr(value, name))]

    found = texts(plan)
    assert len(found) > 20
    assert not [text for text in found if not (text.ja and text.en)]


def test_the_targets_of_the_drafts_are_marked_as_such() -> None:
    uses = {use.name: use for use in PLANS["jp-ai-basic-plan-2025"].uses}
    for name in ("genai-use-first", "genai-use-future", "induced-private-investment"):
        target = uses[name].target
        assert target is not None
        assert (target.standing, target.period) == ("draft", None)


def test_names_of_old_still_lead_to_their_entries() -> None:
    named = PLANS["jp-ai-basic-plan-2025"].named()
    assert {f"jp-ai-basic-plan-2025/{name}" for name in FORMER} <= named.keys()
    assert named["jp-ai-basic-plan-2025/3.3"].id == "appropriateness"


def test_the_second_plan_has_the_definitions_of_the_first() -> None:
    known = definitions(PLANS["jp-ai-basic-plan-2026"], PLANS)
    assert {"genai-use-individuals", "field-roadmaps"} <= known.keys()
    assert definitions(PLANS["jp-ai-basic-plan-2025"], PLANS).keys() < known.keys()


def test_a_third_plan_is_a_file_and_no_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("plans", "checks", "methods"):
        (tmp_path / folder).mkdir()
    for path in (CATALOG / "plans").glob("*.yaml"):
        (tmp_path / "plans" / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    third = (CATALOG / "plans/jp-ai-basic-plan-2026.yaml").read_text(encoding="utf-8")
    third = third.replace("id: jp-ai-basic-plan-2026\n", "id: jp-ai-basic-plan-2027\n", 1)
    third = third.replace("supersedes: jp-ai-basic-plan-2025", "supersedes: jp-ai-basic-plan-2026")
    (tmp_path / "plans/jp-ai-basic-plan-2027.yaml").write_text(third, encoding="utf-8")
    monkeypatch.setattr(catalog, "_ROOT", tmp_path)
    catalog._higher_plans.cache_clear()
    try:
        plans = higher_plans()
        assert "genai-use-individuals" in definitions(plans["jp-ai-basic-plan-2027"], plans)
        assert plans["jp-ai-basic-plan-2027"].series == "jp-ai-basic-plan"
    finally:
        monkeypatch.undo()
        catalog._higher_plans.cache_clear()


def test_every_observation_has_a_source_and_a_definition_and_names_a_known_indicator() -> None:
    known = definitions(PLANS["jp-ai-basic-plan-2026"], PLANS)
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 40
    for row in rows:
        assert row["source"], row
        assert row["definition"], row
        assert row["certainty"] in RANK
        assert row["unit"] == known[row["indicator"]].unit
        assert row["status"] == "forecast" or first_day(row["period"]) < date(2026, 11, 1)
    digital = {row["indicator"] for row in rows if row["indicator"].startswith("digital-deficit")}
    assert len(digital) == 4
    definitions_of = [row["definition"] for row in rows if row["indicator"] in digital]
    assert len(set(definitions_of)) == len(definitions_of)
