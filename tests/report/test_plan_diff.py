from __future__ import annotations

import json
import re
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from shinrai import act
from shinrai.catalog import status_methods
from shinrai.check.series import gather
from shinrai.cli import main
from shinrai.ledger import create
from shinrai.records import Plan
from shinrai.report.plan_diff import PlanDiff, findings_about, plan_diff, render_plan_diff
from shinrai.workspace import scaffold
from tests.plan.national import seen, sound
from tests.plan.town import Town

TODAY = date(2027, 6, 30)
METHOD = next(iter(status_methods().values()))


def easier(data: dict[str, Any]) -> None:
    data["uses"][0]["target"]["value"] = 20
    data["uses"][0]["path"] = []
    del data["uses"][0]["path_basis"]
    data["goals"][0]["measures"][0]["title"] = {"en": "An AI aid for <care>", "ja": "ケアプラン作成を支えるAI"}


def compared(old: Plan, new: Plan, values: dict[str, float], **more: Any) -> PlanDiff:
    series = gather(seen("days-waited", values))
    return plan_diff((old, new), {}, series, METHOD, TODAY, **more)


def test_the_same_data_are_scored_under_both_promises() -> None:
    diff = compared(sound(), sound(easier), {"FY2024": 30.0, "FY2026": 26.0})
    scores = {score.name: score for score in diff.scores}
    days = scores["days-waited"]
    assert days.old is not None
    assert days.new is not None
    assert (days.old.state, days.new.state) == ("off_path", "on_path"), "a lowered target turns red into green"
    assert days.old.observed == days.new.observed


def test_a_promise_that_only_one_version_makes_is_scored_once() -> None:
    diff = compared(sound(), sound(lambda data: data["uses"].pop(0)), {"FY2024": 30.0})
    (one,) = [score for score in diff.scores if score.name == "days-waited"]
    assert one.old is not None
    assert one.new is None


def test_a_target_missed_in_its_year_and_then_put_off_is_a_debt() -> None:
    def until(period: str) -> Plan:
        return sound(
            lambda data: data["uses"][0].update(
                target={"value": 10, "period": period, "standing": "final"}, path=[], path_basis=None
            )
        )

    diff = compared(until("FY2026"), until("FY2031"), {"FY2024": 30.0, "FY2026": 26.0})
    debts = {(debt.part, debt.id, debt.now, debt.moved_to) for debt in diff.debts}
    assert ("use", "days-waited", "later", "FY2031") in debts
    reached = compared(until("FY2026"), until("FY2031"), {"FY2024": 30.0, "FY2026": 9.0})
    assert not [debt for debt in reached.debts if debt.part == "use"]


def test_red_states_and_open_findings_without_a_change_are_named() -> None:
    values = {"FY2024": 30.0, "FY2026": 33.0}
    diff = compared(
        sound(), sound(lambda data: data.update(title={"en": "Care"})), values, findings={"f-1": {"helper"}}
    )
    assert diff.unanswered == ["days-waited: reversing", "f-1"]
    answered = compared(sound(), sound(easier), values, findings={"f-1": {"helper"}})
    assert answered.unanswered == []


def test_open_findings_are_followed_up_to_the_entry_that_is_implemented(tmp_path: Path) -> None:
    town = Town(tmp_path)
    town.measures[0]["implements"] = ["jp-ai-basic-plan-2025/trust"]
    town.plan()
    workspace = town.load()
    key = next(iter(town.state.promises))
    town.judge(key, "violated")
    act.sync(town.ledger, workspace)
    (finding,) = town.state.open_findings()
    national = workspace.higher_plans["jp-ai-basic-plan-2025"]
    assert findings_about(national, workspace, town.state) == {finding.id: {"trust"}}
    (own,) = workspace.plans.values()
    assert findings_about(own, workspace, town.state) == {finding.id: {town.measures[0]["id"]}}
    assert findings_about(sound(), workspace, town.state) == {}
    town.ledger.close()


class _Balance(HTMLParser):
    """Holds every opened element against its end."""

    VOID = frozenset({"meta", "br", "link", "input", "img", "hr"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - the parser calls it so
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_shows_both_languages_and_underlines_what_differs() -> None:
    page = render_plan_diff(compared(sound(), sound(easier), {"FY2024": 30.0, "FY2026": 26.0}))
    balance = _Balance()
    balance.feed(page)
    assert balance.open == []
    assert "ケアプラン作成を<ins>支え</ins>るAI" in page
    assert "ケアプラン作成を<del>助け</del>るAI" in page
    assert "&lt;</ins>" in page or "<ins>&lt;" in page or "&lt;care" in page
    assert "<care>" not in page
    assert "新旧対照表" in page
    assert "<script" not in page
    assert not re.search(r"(?:src|href)=\"(?!#)", page)


def test_the_page_is_a_function_of_what_is_compared() -> None:
    def page() -> str:
        return render_plan_diff(compared(sound(), sound(easier), {"FY2024": 30.0, "FY2026": 26.0}))

    assert page() == page()


def test_json_holds_the_rules_in_both_languages_and_a_patch() -> None:
    told = compared(sound(), sound(easier), {"FY2024": 30.0}).to_json()
    json.dumps(told)
    assert told["effects"] == {"weaker": 1, "unclear": 2, "stronger": 0, "neutral": 0}
    assert told["rules"]["D7-target-worse"]["en"]
    assert {"op": "replace", "path": "/uses/0/target/value", "value": 20.0} in told["patch"]
    assert [one["without_evidence"] for one in told["changes"]] == [True, True, True]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    scaffold(tmp_path / "town", name="town")
    create("sqlite:///.shinrai/ledger.db", tmp_path / "town", "town").close()
    monkeypatch.chdir(tmp_path / "town")
    monkeypatch.setenv("SHINRAI_LANG", "en")
    return tmp_path / "town"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    out, err = capsys.readouterr()
    assert ended.value.code in {0, None}, err
    return out


def test_the_command_compares_shipped_plans_and_files(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shipped = run(capsys, "diff", "jp-ai-basic-plan-2025", "jp-ai-basic-plan-2026")
    assert "not known of the other version: principle agile" in shipped
    assert "(D25)" in shipped
    for name, plan in (("old", sound()), ("new", sound(easier))):
        (tmp_path / f"{name}.yaml").write_text(
            json.dumps(plan.model_dump(mode="json", exclude_defaults=True)), encoding="utf-8"
        )
    names = str(tmp_path / "old.yaml"), str(tmp_path / "new.yaml")
    said = run(capsys, "diff", *names)
    assert re.search(r"▼ weaker: .*\(D7\)\n  target raised: indicator promise days-waited target value", said)
    assert "3 changes touch the promise and state no evidence." in said
    assert json.loads(run(capsys, "diff", *names, "--json"))["old"] == "care-2026"
    assert all(
        operation["op"] in {"add", "remove", "replace"}
        for operation in json.loads(run(capsys, "diff", *names, "--patch"))
    )
    run(capsys, "diff", *names, "--out", str(tmp_path / "page.html"))
    assert "新旧対照表" in (tmp_path / "page.html").read_text(encoding="utf-8")
