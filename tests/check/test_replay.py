"""Finished verdicts come out again from what was kept, and what does not come out again is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from shinrai.check.replay import Replay, replay
from shinrai.records import Counts, Groups, Includes, Judged, Text, TracePoint, Verdict
from tests.check.town import Town
from tests.servers.endpoint import Reply, serving


def number(prompt: str) -> int:
    return int(prompt.split()[1].partition(".")[0])


def behave(prompt: str, _attempt: int) -> Reply:
    if number(prompt) % 25 == 3:
        return Reply(body=b"<html>gateway</html>")
    if number(prompt) % 25 == 4:
        return Reply(finish="content_filter")
    return Reply("no" if number(prompt) % 8 == 0 else "yes")


async def measured(town: Town) -> list[Verdict]:
    """Promises of many kinds, one of them cut short by the budget of the command and gone on with later."""
    with serving(behave) as endpoint:
        town.chat(endpoint.url)
        town.prompts(300)
        outage: dict[str, Any] = {"allow_share": 0.2, "reason": {"en": "a known outage"}}
        town.promise("p/g/m/met", threshold=0.5)
        town.promise("p/g/m/violated", threshold=0.02, missing=outage)
        town.promise("p/g/m/undecided", threshold=0.15, budget=120)
        town.promise("p/g/m/left-out", threshold=0.3, missing=outage)
        town.promise("p/g/m/of-these", threshold=0.3, population="data-set")
        town.promise("p/g/m/passes", metric="pass-rate", comparator="at-least", threshold=0.5, blocked="fail")
        town.promise("p/g/m/band", metric="rate-band", comparator="within", threshold=(0.3, 0.95))
        town.promise("p/g/m/repeated", threshold=0.5, variants={"type": "repeat", "times": 2})
        verdicts = await town.check(calls=90)
        return verdicts + await town.check()


def altered(town: Town, verdict: Verdict, **changed: Any) -> Replay:
    """Write a verdict that nobody measured: what somebody could do who holds the ledger and its key."""
    town.ledger.append(Judged(verdict=verdict.model_copy(update=changed)))
    assert town.ledger.verify().ok
    return replay(town.root, town.ledger)


async def test_every_verdict_comes_out_again(town: Town) -> None:
    verdicts = await measured(town)
    assert {verdict.status for verdict in verdicts} == {"met", "violated", "undecided"}
    assert {verdict.reason for verdict in verdicts} >= {"decided", "budget-spent"}
    assert any(verdict.details.get("left_out") for verdict in verdicts)
    assert any(verdict.details.get("cut_short") for verdict in verdicts)
    found = replay(town.root, town.ledger)
    assert found.first is None
    assert found.verdicts == len(verdicts)
    assert found.trials == found.rescored == sum(verdict.counts.total for verdict in verdicts) > 500
    assert found.summary().splitlines() == [
        f"{len(verdicts)} verdicts come out again from {found.trials} trials, {found.trials} of them scored again"
    ]


CHANGES: list[dict[str, Any]] = [
    {"status": "violated"},
    {"status": "undecided", "reason": "budget-spent"},
    {"borderline": True},
    {"estimate": 0.0},
    {"lower": 0.01},
    {"upper": 0.31},
    {"level": 0.95},
    {"evidence_met": 19.0},
    {"evidence_violated": 3.0},
    {"groups": {"a": Counts(passed=1)}},
    {"trace": (TracePoint(n=1, evidence_met=20.0, evidence_violated=1.0),)},
    {"details": {"left_out": 3}},
]


@pytest.mark.parametrize("changed", CHANGES, ids="-".join)
async def test_a_verdict_that_was_not_measured_is_named(town: Town, changed: dict[str, Any]) -> None:
    with serving(behave) as endpoint:
        town.chat(endpoint.url)
        town.prompts(150)
        town.promise("p/g/m/a", threshold=0.5)
        town.promise("p/g/m/b", threshold=0.4)
        honest, other = await town.check()
    assert other.status == "met"
    found = altered(town, other, **changed)
    assert found.first is not None
    assert (found.first.key, found.first.run) == ("p/g/m/b@assistant", "run-0001")
    assert town.state.head is not None
    assert found.first.seq == town.state.head.seq
    assert found.first.what.partition(".")[0] in {*changed, "left_out", "reason"}
    assert found.summary().startswith(f"entry {found.first.seq}, the verdict on p/g/m/b@assistant: {found.first.what}")
    assert honest.status == "met"


async def test_counts_that_were_polished_are_named_with_both_numbers(town: Town) -> None:
    with serving(behave) as endpoint:
        town.chat(endpoint.url)
        town.prompts(150)
        town.promise(threshold=0.3)
        [verdict] = await town.check()
    polished = verdict.counts.model_copy(update={"failed": 0, "passed": verdict.counts.passed + verdict.counts.failed})
    found = altered(town, verdict, counts=polished)
    assert found.first is not None
    assert found.first.what == "counts.passed"
    assert (found.first.recorded, found.first.again) == (polished.passed, verdict.counts.passed)


def rewritten(path: Path, change: str, *values: str) -> None:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t AS SELECT * FROM read_parquet(?)", [str(path)])
        connection.execute(change, values)
        connection.table("t").write_parquet(str(path))


async def one_run(town: Town) -> Path:
    with serving(behave) as endpoint:
        town.chat(endpoint.url)
        town.prompts(150)
        town.promise(threshold=0.3)
        await town.check()
    assert replay(town.root, town.ledger).first is None
    return town.root / ".shinrai/runs/run-0001"


TRIALS = [
    ("UPDATE t SET outcome = 'pass' WHERE position = (SELECT min(position) FROM t WHERE outcome = 'fail')", "outcome"),
    ("UPDATE t SET item = '\"q1\"' WHERE position = 5 AND item <> '\"q1\"'", "item"),
    ("DELETE FROM t WHERE position = 5", "position"),
    ("UPDATE t SET detail = '\"as you like it\"' WHERE position = 5", "detail"),
]


@pytest.mark.parametrize(("change", "what"), TRIALS)
async def test_a_trial_that_was_changed_is_named(town: Town, change: str, what: str) -> None:
    directory = await one_run(town)
    rewritten(directory / "trials-0001.parquet", change)
    assert not town.ledger.verify().ok
    found = replay(town.root, town.ledger)
    assert found.first is not None
    assert found.first.what.endswith(f": {what}")


async def test_a_reply_that_was_changed_is_named_at_its_trial(town: Town) -> None:
    directory = await one_run(town)
    failed = next(trial for trial in town.trials() if trial.outcome == "fail")
    rewritten(directory / "calls-0001.parquet", "UPDATE t SET reply = ? WHERE key = ?", '"yes"', failed.calls[0])
    found = replay(town.root, town.ledger)
    assert found.first is not None
    assert (found.first.what, found.first.recorded, found.first.again) == (
        f"trial {failed.position}: outcome",
        "fail",
        "pass",
    )
    rewritten(directory / "calls-0001.parquet", "DELETE FROM t WHERE key = ?", failed.calls[0])
    found = replay(town.root, town.ledger)
    assert found.first is not None
    assert (found.first.what, found.first.again) == (f"trial {failed.position}: calls", [])


async def test_where_the_data_have_changed_since_trials_are_taken_as_they_are(town: Town) -> None:
    directory = await one_run(town)
    town.prompts(151)
    found = replay(town.root, town.ledger)
    assert found.first is None
    assert (found.verdicts, found.rescored) == (1, 0)
    assert "taken as they are" in found.summary()
    rewritten(directory / "trials-0001.parquet", TRIALS[0][0])
    found = replay(town.root, town.ledger)
    assert found.first is not None
    assert found.first.what.startswith("counts")


async def test_groups_and_changed_records_come_out_again(town: Town) -> None:
    with serving(behave) as endpoint:
        town.chat(endpoint.url)
        rows = [f'{{"id":"q{n}","prompts":["question {n}"],"side":{n % 2}}}\n' for n in range(200)]
        (town.root / "prompts.jsonl").write_text("".join(rows), encoding="utf-8")
        groups = Groups(column="side", a="0", b="1")
        town.promise("p/g/m/ratio", metric="rate-ratio", comparator="at-least", threshold=0.5, groups=groups)
        town.promise("p/g/m/apart", metric="rate-difference", comparator="at-most", threshold=0.1, groups=groups)
        verdicts = await town.check()
    found = replay(town.root, town.ledger)
    assert found.first is None
    assert found.rescored == sum(verdict.counts.total for verdict in verdicts) > 100
    [ratio, _apart] = verdicts
    assert ratio.groups is not None
    switched = dict(zip(ratio.groups, reversed(ratio.groups.values()), strict=True))
    found = altered(town, ratio, groups=switched)
    assert found.first is not None
    assert found.first.what.startswith("groups.0.")


async def test_a_target_that_was_not_there_leaves_nothing_to_make_again(town: Town) -> None:
    town.chat("http://127.0.0.1:9/v1", key_env="NO_SUCH_KEY_IS_SET")
    town.prompts(20)
    town.promise(scorer=Includes(id="includes", text="yes"))
    [verdict] = await town.check()
    assert verdict.status == "not_measured"
    found = replay(town.root, town.ledger)
    assert (found.verdicts, found.without_trials, found.first) == (0, 1, None)
    assert isinstance(verdict.note, Text)
