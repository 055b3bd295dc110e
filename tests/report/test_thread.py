from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date

import pytest

from shinrai.cli import main
from shinrai.errors import UsageError
from shinrai.report.thread import Knot, Thread
from tests.report.town import ReportTown

TODAY = date(2026, 11, 1)
SOURCE = "jp-ai-basic-plan-2025"


@pytest.fixture(scope="module")
def thread(town: ReportTown) -> Thread:
    return Thread(town.workspace, town.state, TODAY)


def every(knot: Knot) -> Iterator[Knot]:
    yield knot
    for below in knot.below:
        yield from every(below)


def way(knot: Knot, kind: str) -> list[list[Knot]]:
    """Every way from a knot to knots of a kind."""
    if knot.kind == kind:
        return [[knot]]
    return [[knot, *rest] for below in knot.below for rest in way(below, kind)]


def test_a_national_direction_leads_down_to_single_replies(thread: Thread) -> None:
    ways = way(thread.down(f"{SOURCE}/trust"), "reply")
    assert ways
    for knots in ways:
        kinds = [knot.kind for knot in knots]
        assert kinds[0] == "goal"
        assert kinds[-5:] == ["measure", "system", "claim", "verdict", "reply"]
        reply = knots[-1].reply
        assert reply is not None
        assert reply.exchanges


def test_the_reply_is_one_that_did_not_pass_where_there_is_one(thread: Thread, town: ReportTown) -> None:
    for knots in way(thread.down(f"{SOURCE}/trust"), "reply"):
        verdict = next(
            one.verdict for ones in town.state.judgements.values() for one in ones if one.digest == knots[-2].id
        )
        failed = verdict.counts.total - verdict.counts.passed
        reply = knots[-1].reply
        assert reply is not None
        assert (reply.outcome != "pass") == (failed > 0)


def test_a_former_id_leads_to_the_same_entry(thread: Thread) -> None:
    assert thread.down(f"{SOURCE}/3").id == f"{SOURCE}/trust"


def test_a_whole_plan_holds_every_entry_once(thread: Thread, town: ReportTown) -> None:
    top = thread.down(SOURCE)
    plan = town.workspace.higher_plans[SOURCE]
    own = [knot.id for knot in every(top) if knot.id.startswith(f"{SOURCE}/") and knot.kind != "indicator"]
    assert sorted(own) == sorted(f"{SOURCE}/{entry.id}" for entry in plan.entries())


def test_findings_and_actions_hang_below_their_claim(thread: Thread, town: ReportTown) -> None:
    knots = list(every(thread.down(f"{SOURCE}/trust")))
    shown = {knot.id for knot in knots if knot.kind == "finding"}
    claims = {knot.id for knot in knots if knot.kind == "claim"}
    assert shown == {one.id for one in town.state.findings.values() if one.key in claims}
    assert shown
    assert [knot for knot in knots if knot.kind == "action"]


def test_every_verdict_of_a_linked_measure_leads_up_to_the_cabinet_decision(thread: Thread, town: ReportTown) -> None:
    linked = {
        f"{plan.id}/{goal.id}/{measure.id}"
        for plan in town.workspace.plans.values()
        for goal in plan.goals
        for measure in goal.measures
        if measure.implements
    }
    keys = [key for key in town.state.judgements if key.rpartition("/")[0] in linked]
    assert keys
    for key in keys:
        (start,) = thread.up(key)
        assert start.kind == "verdict"
        decisions = way(start, "decision")
        assert decisions, key
        shortest = [knot.kind for knot in min(decisions, key=len)]
        assert shortest[:3] == ["verdict", "claim", "measure"]
        assert shortest[-2:] == ["plan", "decision"]
        assert any("2025-12-23" in knots[-1].told for knots in decisions)


def test_what_leads_down_leads_up_again(thread: Thread) -> None:
    for knots in way(thread.down(f"{SOURCE}/trust"), "verdict"):
        (start,) = thread.up(knots[-1].id)
        assert f"{SOURCE}/trust" in {knot.id for knot in every(start)}


def test_a_verdict_answers_to_the_beginning_of_its_digest_and_to_its_finding(thread: Thread, town: ReportTown) -> None:
    judgement = next(iter(town.state.judgements.values()))[-1]
    short = judgement.digest.removeprefix("sha256:")[:10]
    assert thread.up(short)[0].id == judgement.digest
    finding = next(iter(town.state.findings.values()))
    assert thread.up(finding.id)[0].id == town.state.judgements[finding.key][-1].digest


def test_an_unknown_name_is_refused_with_the_nearest_one(thread: Thread) -> None:
    with pytest.raises(UsageError) as caught:
        thread.down(f"{SOURCE}/trusty")
    assert caught.value.hint == f"did you mean {SOURCE}/trust?"
    with pytest.raises(UsageError) as unknown:
        thread.up("sha256:0")
    assert unknown.value.code == "show.no-verdict"


def test_torn_threads_are_named(thread: Thread, town: ReportTown) -> None:
    plan = town.workspace.higher_plans[SOURCE]
    gaps = thread.gaps(plan)
    assert f"{SOURCE}/safety-institute" in gaps.unanswered
    linked = {measure.id for own in town.workspace.plans.values() for measure in own.measures() if measure.implements}
    assert {name.partition("/")[2] for name in gaps.unlinked}.isdisjoint(linked)
    assert gaps.orphans == []
    alone = Thread(town.workspace, type(town.state)(), TODAY).gaps()
    assert alone.orphans == list(town.workspace.systems)


def run(capsys: pytest.CaptureFixture[str], town: ReportTown, *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["-C", str(town.workspace.root), "--lang", "en", *arguments])
    out, err = capsys.readouterr()
    assert ended.value.code in {0, None}, err
    return out


def test_the_commands_walk_both_ways(town: ReportTown, capsys: pytest.CaptureFixture[str]) -> None:
    down = run(capsys, town, "status", "--from", f"{SOURCE}/trust")
    assert "reply" in down
    assert "measures of this plan that nothing implements: " in down
    assert f"  · Technical evaluation of AI models by the safety institute  {SOURCE}/model-evaluation\n" in down or (
        f"  · Radically strengthening the AI safety institute  {SOURCE}/safety-institute\n" in down
    )
    assert f"{SOURCE}/compute" not in down  # not on the way
    assert "[as quoted by others]" in down
    told = json.loads(run(capsys, town, "status", "--from", f"{SOURCE}/trust", "--json"))
    assert told["thread"]["kind"] == "goal"
    assert told["gaps"].keys() == {"unlinked", "unanswered", "orphans"}
    key = next(iter(town.state.judgements))
    up = run(capsys, town, "why", key)
    assert "decision" in up
    assert "2025-12-23" in up
    assert json.loads(run(capsys, town, "why", key, "--json"))["thread"][0]["kind"] == "verdict"
