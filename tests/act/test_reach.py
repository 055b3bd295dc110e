"""What is known against a component marks every system that uses it, with the way to it."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

from shinrai import act
from shinrai.act import Hit, hits
from shinrai.workspace import stack_graph
from tests.plan.town import HELPER, TODAY, Town, measure, text

KEY = "plan/goal/chatting/polite@helper"


def put(town: Town, name: str, **facts: Any) -> None:
    record = {"id": name, "type": "model", "title": text(name), **facts}
    town.put(f"components/{name}.yaml", json.dumps(record))


def stacked(town: Town) -> Town:
    """Let helper and drafts ask the same model; screening does not."""
    put(town, "gpu", type="compute")
    put(town, "base", needs=["gpu"])
    stack = [{**HELPER["stack"][0], "needs": ["base"]}]
    town.systems["helper"] |= {"stack": stack}
    town.systems["drafts"] = {**town.systems["helper"], "id": "drafts", "title": text("Drafts")}
    town.measures = [measure("chatting", "polite", systems=["helper"])]
    return town


def reached(town: Town, today: date = TODAY) -> list[Hit]:
    workspace = town.load()
    return list(hits(stack_graph(workspace.systems.values(), workspace.components), town.state, today))


def test_a_notice_against_what_a_model_needs_travels_up_to_the_systems(town: Town) -> None:
    stacked(town)
    put(town, "gpu", type="compute", notices=[{"id": "ADV-1", "title": text("leaks"), "severity": "high"}])
    (hit,) = reached(town)
    assert (hit.component, hit.cause, hit.name, hit.severity) == ("gpu", "notice", "ADV-1", "high")
    assert hit.paths == (("drafts/", "drafts/model", "base", "gpu"), ("helper/", "helper/model", "base", "gpu"))
    assert [one["system"] for one in hit.to_json()["systems"]] == ["drafts", "helper"]


def test_a_notice_ends_when_it_is_resolved_and_support_on_its_last_day(town: Town) -> None:
    stacked(town)
    notice = {"id": "ADV-1", "title": text("leaks"), "resolved": TODAY.isoformat()}
    put(town, "gpu", type="compute", notices=[notice], support_end=TODAY.isoformat())
    assert reached(town) == []
    assert [hit.cause for hit in reached(town, TODAY - timedelta(days=1))] == ["notice"]
    assert [(hit.cause, hit.name) for hit in reached(town, TODAY + timedelta(days=1))] == [("support", "2026-11-23")]


def test_what_no_system_uses_hits_nothing(town: Town) -> None:
    put(town, "lonely", notices=[{"id": "ADV-1", "title": text("leaks")}])
    assert reached(town) == []


def test_a_broken_promise_on_one_system_marks_the_others_on_the_same_model(town: Town) -> None:
    stacked(town)
    town.plan()
    town.judge(KEY, "violated")
    act.sync(town.ledger, town.load())
    (hit,) = reached(town)
    assert (hit.component, hit.cause, hit.name, hit.system) == ("base", "finding", "f-0001", "helper")
    assert [path[0] for path in hit.paths] == ["drafts/", "helper/"]
    town.judge(KEY, "met")
    act.sync(town.ledger, town.load())
    assert reached(town) == []


def test_a_finding_stays_at_home_where_nobody_shares_the_model(town: Town) -> None:
    stacked(town)
    del town.systems["drafts"]
    town.plan()
    town.judge(KEY, "violated")
    act.sync(town.ledger, town.load())
    assert town.state.open_findings()
    assert reached(town) == []
