"""Gates of the life cycle: what a system's risk makes due by a stage keeps it out until it is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from shinrai import act
from shinrai.errors import SourceError
from shinrai.records import Stage
from shinrai.rules.gates import Bar, StageGate, stage_gates
from shinrai.workspace import load
from tests.cycle import ADDER, call, found
from tests.plan.test_deepening import DEPTHS, SCHEME
from tests.plan.town import TODAY, Town, measure

KEY = "plan/goal/chatting/polite@helper"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path / "town")
    made.put("risk/ours.yaml", json.dumps(SCHEME))
    made.put("risk-depth.yaml", json.dumps(DEPTHS))
    made.settings["risk"] = ["ours"]
    for system in made.systems.values():
        system["autonomy"] = "informs"
    made.systems["helper"] |= {"autonomy": "acts-alone", "stage": "development"}
    made.measures = [measure("chatting", "polite", "safe", "contract", systems=["helper"])]
    with made.ledger:
        yield made


def gate(town: Town, into: Stage | None = None, today: date = TODAY) -> StageGate | None:
    found = stage_gates(town.load(), town.state, today, ["helper"], into)
    return found[0] if found else None


def bars(town: Town, into: Stage | None = None, today: date = TODAY) -> dict[str, Bar | None]:
    found = gate(town, into, today)
    assert found is not None
    return {one.claim.check: one.bar for one in found.due}


def judge(town: Town, check: str, status: str) -> None:
    town.judge(f"plan/goal/chatting/{check}@helper", status)


def test_what_is_due_by_a_stage_keeps_the_gate_closed(town: Town) -> None:
    town.plan()
    assert gate(town) is None, "development has no gate"
    assert bars(town, "before-release") == {"polite": "not_measured", "safe": "not_measured"}
    assert set(bars(town, "operation")) == {"polite", "safe", "contract"}
    judge(town, "polite", "met")
    judge(town, "safe", "violated")
    closed = gate(town, "before-release")
    assert closed is not None
    assert [one.claim.check for one in closed.barred] == ["safe"]
    assert closed.closed
    judge(town, "safe", "met")
    opened = gate(town, "before-release")
    assert opened is not None
    assert not opened.closed
    town.systems["helper"]["stage"] = "operation"
    assert bars(town)["contract"] == "not_measured"


def test_what_no_plan_promises_keeps_it_closed_too(town: Town) -> None:
    town.measures = [measure("chatting", "polite", systems=["helper"])]
    town.plan()
    judge(town, "polite", "met")
    assert bars(town, "before-release") == {"polite": None, "safe": "not-promised"}


def test_what_is_stale_no_longer_opens_it(town: Town) -> None:
    town.plan()
    judge(town, "polite", "met")
    judge(town, "safe", "met")
    town.systems["helper"]["stage"] = "before-release"
    town.systems["helper"]["purpose"] = {"en": "something else"}
    town.plan()
    assert set(bars(town).values()) == {"stale"}


def test_low_risk_has_a_fast_lane(town: Town) -> None:
    town.systems["helper"]["autonomy"] = "informs"
    town.plan()
    fast = gate(town, "operation")
    assert fast is not None
    assert (fast.depth.depth, fast.due, fast.closed) == ("fast-lane", (), False)
    commitment = town.state.promises[KEY].commitment
    assert (commitment.alpha, commitment.budget) == (0.1, 20)


def test_nothing_opens_a_prohibited_use(town: Town) -> None:
    town.settings["roles"].append({"id": "nobody", "title": {"en": "Nobody"}})
    town.systems["helper"]["owner"] = "nobody"
    town.plan()
    closed = gate(town, "operation")
    assert closed is not None
    assert closed.closed
    assert act.gate_of_stages([closed]) == 1


def test_a_retired_system_and_one_without_a_scheme_have_no_gate(town: Town) -> None:
    town.systems["helper"]["stage"] = "retirement"
    assert gate(town, "operation") is None
    town.systems["helper"]["stage"] = "operation"
    town.settings["risk"] = []
    assert gate(town) is None


def test_a_stage_that_nobody_has_stated_may_be_operation(town: Town) -> None:
    del town.systems["helper"]["stage"]
    town.plan()
    found = gate(town)
    assert found is not None
    assert found.into == "operation"
    assert found.closed


@pytest.mark.parametrize(
    ("role", "days", "code", "place"),
    [
        ("office", 10, None, ""),
        ("office", 11, "act.accepted-for-too-long", "until"),
        ("mayor", 1, "act.role-may-not-accept-this", "role"),
    ],
)
def test_an_acceptance_beyond_the_depth_is_refused_where_it_stands(
    role: str, days: int, code: str | None, place: str, town: Town
) -> None:
    town.measures = [measure("chatting", "polite", "safe", "contract", systems=["helper"], owner="desk")]
    town.plan()
    judge(town, "safe", "violated")
    act.sync(town.ledger, town.load())
    assert town.state.head is not None
    day = date.fromisoformat(town.state.head.at[:10])  # of the ledger, whose clock this test has no hand in
    town.accept("it", "plan/goal/chatting/safe@helper", until=(day + timedelta(days=days)).isoformat(), role=role)
    if code is None:
        act.apply(town.ledger, town.load(), "it", day)
        assert bars(town, "before-release", day)["safe"] is None
        table = json.loads(json.dumps(DEPTHS))
        table["depths"][2]["accept_days"] = days - 2
        town.put("risk-depth.yaml", json.dumps(table))
        assert bars(town, "before-release", day)["safe"] == "acceptance"
        return
    head = town.state.head
    with pytest.raises(SourceError) as refused:
        act.apply(town.ledger, town.load(), "it", day)
    (problem,) = refused.value.problems
    text = (town.root / "actions/it.yaml").read_text(encoding="utf-8")
    assert (problem.code, problem.file, problem.line) == (code, "actions/it.yaml", 1)
    assert text[problem.column - 1 :].startswith(
        json.dumps(role if place == "role" else text.split('"until": "')[1][:10])
    )
    assert problem.expected
    assert town.state.head == head


def test_an_acceptance_given_at_a_lower_risk_does_not_open_the_gate_at_a_higher_one(town: Town) -> None:
    town.measures = [measure("chatting", "polite", "safe", "contract", systems=["helper"], owner="desk")]
    town.systems["helper"]["autonomy"] = "proposes"
    # What people do with an answer does not change the answers: verdict and acceptance stand, the depth does not.
    town.plan()
    judge(town, "safe", "violated")
    act.sync(town.ledger, town.load())
    town.accept("it", "plan/goal/chatting/safe@helper", until=(TODAY + timedelta(days=50)).isoformat())
    act.apply(town.ledger, town.load(), "it", TODAY)
    town.systems["helper"]["autonomy"] = "acts-alone"
    assert bars(town, "before-release")["safe"] == "acceptance"
    found = gate(town, "before-release")
    assert found is not None
    assert act.gate_of_stages([found]) == 1


def test_the_exit_code_is_that_of_the_worst_gate(town: Town) -> None:
    town.plan()
    assert act.gate_of_stages([]) == 0
    closed = gate(town, "before-release")
    assert closed is not None
    assert act.gate_of_stages([closed]) == 3
    judge(town, "polite", "undecided")
    undecided = gate(town, "before-release")
    assert undecided is not None
    assert act.gate_of_stages([closed, undecided]) == 1


def test_names_in_a_table_of_depths_have_to_be_there(town: Town) -> None:
    table: dict[str, Any] = json.loads(json.dumps(DEPTHS))
    table["depths"][2]["claims"][0]["check"] = "polit"
    table["depths"][2]["accepts"] = ["desk"]
    town.put("risk-depth.yaml", json.dumps(table))
    with pytest.raises(SourceError) as refused:
        town.load()
    assert {one.code for one in refused.value.problems} == {"workspace.unknown-check", "workspace.may-not-accept"}
    assert all(one.file == "risk-depth.yaml" for one in refused.value.problems)


def test_the_command_says_which_gate_and_which_claim(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "town"
    depths = json.loads(json.dumps(DEPTHS))
    depths["depths"][0]["claims"] = [
        {"check": "right-often", "stage": "before-release"},
        {"check": "human-review", "stage": "operation"},
    ]
    depths["depths"][2] |= {"accepts": [], "claims": []}
    found(root, {**ADDER, "risk/ours.yaml": json.dumps(SCHEME), "risk-depth.yaml": json.dumps(depths)})
    settings = root / "shinrai.yaml"
    settings.write_text(settings.read_text(encoding="utf-8") + "\nrisk: [ours]\n", encoding="utf-8")
    system = root / "systems/adder.yaml"
    system.write_text(system.read_text(encoding="utf-8") + "\nautonomy: informs\nstage: idea\n", encoding="utf-8")
    assert call("-C", str(root), "plan") == 0
    assert call("-C", str(root), "check", "--into", "operation") == 2
    capsys.readouterr()
    assert call("-C", str(root), "check", "--gate", "--into", "operation") == 1
    told = " ".join(capsys.readouterr().out.split())
    assert "the gate “in operation” is closed: of 2 checks due by its risk (F), 2 are not kept" in told
    assert "right-often" in told
    assert "human-review (due by “in operation”): no plan promises it" in told
    assert call("-C", str(root), "check", "--gate", "--into", "operation", "--json") == 1
    (one,) = json.loads(capsys.readouterr().out)["gates"]
    assert (one["into"], one["closed"]) == ("operation", True)
    assert [due["bar"] for due in one["due"]] == ["violated", "not-promised"]
    assert call("-C", str(root), "plan", "--explain", "adder") == 0
    assert call("-C", str(root), "status", "--json") == 0
    assert load(root).systems["adder"].stage == "idea"
