"""Claims decided from trials that happened elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shinrai.check.replay import replay
from shinrai.do.importing import _bring, read
from shinrai.do.outputs import read_outputs
from shinrai.errors import TamperedError, UsageError
from shinrai.records import Column, Import, Verdict
from shinrai.stats import binomial_interval, hypergeometric_interval
from tests.check.town import Town
from tests.fixtures.replies import HERE
from tests.servers.endpoint import Reply, serving

LATER = (datetime.now(UTC) + timedelta(days=1)).isoformat()


def says(prompt: str, _attempt: int = 1) -> Reply:
    """Answer "yes", but to every twentieth question "no", and to every fiftieth nothing at all."""
    number = int(prompt.rsplit(maxsplit=1)[-1])
    if number % 50 == 49:
        return Reply(text=None, status=400)
    return Reply(text="no" if number % 20 == 0 else "yes")


def answers(count: int, at: str | None = None, first: int = 0) -> list[dict[str, Any]]:
    """Write down what `says` answers, as somebody would who captured it."""
    rows = []
    for number in range(first, first + count):
        reply = says(f"question {number}")
        row: dict[str, Any] = {"id": f"q{number}", "prompt": f"question {number}"}
        row |= {"reply": reply.text} if reply.status == 200 else {"reply": None, "error": "http-400"}
        rows.append(row | ({"at": at} if at else {}))
    return rows


def bring(town: Town, rows: list[dict[str, Any]], name: str = "answers.jsonl", *, about: str | None = None) -> Import:
    path = town.root / name
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return _bring(town.ledger, town.root, read_outputs(path), path, "assistant", about=about)


def promise_import(town: Town, brought: Import, **changed: Any) -> None:
    changed = {"budget": brought.rows, **changed}
    use = {"imported": brought.format, **changed.pop("where", {})}
    town.promise(data=brought.file, use=use, **changed)


async def only(town: Town) -> Verdict:
    """Check, and make the verdict again from what was kept."""
    (verdict,) = await town.check()
    again = replay(town.root, town.ledger)
    assert again.first is None, again.summary()
    return verdict


@pytest.fixture
def asked(town: Town) -> Town:
    town.chat("http://127.0.0.1:9/v1")
    return town


async def test_all_rows_are_looked_at_once_and_the_test_is_named(asked: Town) -> None:
    brought = bring(asked, answers(200))
    promise_import(asked, brought)
    verdict = await only(asked)
    assert (verdict.counts.passed, verdict.counts.failed, verdict.counts.error) == (186, 10, 4)
    assert verdict.status == "undecided"  # with all four missing ones a failure, 14 of 200 exclude nothing
    assert verdict.details["test"] == "exact-binomial"
    assert verdict.retrospective
    assert verdict.lower == binomial_interval(10, 200, 0.9).lower
    assert verdict.upper == binomial_interval(14, 200, 0.9).upper
    assert (verdict.evidence_met, verdict.evidence_violated, verdict.trace) == (0.0, 0.0, ())
    assert verdict.evidence == (asked.state.evidence[-1][0].hash,)
    assert verdict.calls == 0
    assert await asked.check() == []


async def test_an_imported_run_is_kept_like_our_own(asked: Town) -> None:
    brought = bring(asked, answers(100))
    promise_import(asked, brought)
    verdict = await only(asked)
    assert verdict.run == "run-0001"
    trials = {trial.item: trial for trial in asked.trials()}
    lines = {line.key: line for line in asked.journal()}
    assert len(trials) == 100
    assert trials["q20"].outcome == "fail"
    assert lines[trials["q20"].calls[0]].reply == "no"
    assert lines[trials["q20"].calls[0]].request == "question 20"
    assert lines[trials["q49"].calls[0]].error == "error: http-400"
    assert asked.finished().calls == 0  # nobody was asked
    assert asked.finished().details == {"imported": ["answers.jsonl"]}


async def test_a_crash_while_an_imported_run_is_archived_leaves_nothing_in_the_way(asked: Town) -> None:
    brought = bring(asked, answers(60))
    left = asked.root / ".shinrai/runs/run-0001"
    left.mkdir(parents=True)
    (left / "imported.jsonl").write_text("torn")
    (left / "trials-0007.parquet").write_text("torn")
    promise_import(asked, brought)
    assert (await only(asked)).run == "run-0001"
    assert sorted(path.name for path in left.iterdir()) == ["calls-0001.parquet", "trials-0001.parquet"]


async def test_what_a_cancelled_run_of_inspect_did_not_answer_is_missing(asked: Town) -> None:
    path = HERE / "inspect/cancelled.eval"
    brought = _bring(asked.ledger, asked.root, read("inspect", path, asked.root), path, "assistant")
    reads = Column.model_validate({"id": "column", "column": "score.includes", "rule": "equals", "value": "C"})
    promise_import(asked, brought, scorer=reads, threshold=0.5, population="data-set")
    counts = (await only(asked)).counts
    assert (counts.passed, counts.failed, counts.invalid, counts.error) == (12, 1, 0, 11)


async def test_exactly_these_rows_are_a_population_of_their_own(asked: Town) -> None:
    brought = bring(asked, answers(40))
    promise_import(asked, brought, population="data-set", threshold=0.04)
    verdict = await only(asked)
    assert (verdict.status, verdict.details["test"]) == ("violated", "exact-hypergeometric")  # 2 of 40 are above 4 %
    assert verdict.estimate == verdict.lower == verdict.upper == pytest.approx(2 / 40)


async def test_a_budget_draws_rows_in_the_committed_order(asked: Town) -> None:
    brought = bring(asked, answers(40))
    promise_import(asked, brought, population="data-set", budget=20)
    verdict = await only(asked)
    assert verdict.counts.total == 20
    interval = hypergeometric_interval(verdict.counts.failed, 20, 40, 0.9)
    assert (verdict.lower, verdict.upper) == (interval.lower, interval.upper)


async def test_repetitions_of_one_item_are_one_trial(asked: Town) -> None:
    rows = [{"id": f"q{n}", "repeat": k, "reply": "no" if n == k else "yes"} for n in range(30) for k in range(3)]
    brought = bring(asked, rows)
    promise_import(asked, brought)
    verdict = await only(asked)
    assert brought.rows == 90
    assert (verdict.counts.passed, verdict.counts.failed) == (27, 3)  # q0, q1, q2 failed once each
    assert verdict.details["rows"] == 90


@pytest.mark.parametrize(("wanted", "failed"), [("yes", 2), ("no", 28)])
async def test_a_tool_s_own_scores_can_be_read(asked: Town, wanted: str, failed: int) -> None:
    rows = [{**row, "score.x": row["reply"]} for row in answers(50) if row["reply"]][:30]
    brought = bring(asked, rows)
    promise_import(asked, brought, scorer=Column(id="column", column="score.x", rule="equals", value=wanted))
    verdict = await only(asked)
    assert verdict.counts.failed == failed


async def test_rows_without_a_reply_stay_though_they_lack_the_column_that_is_asked_for(asked: Town) -> None:
    rows = [{**row, "topic": "a" if number % 2 else "b"} for number, row in enumerate(answers(40))]
    rows += [{"id": "lost", "reply": None, "error": "lost"}]
    brought = bring(asked, rows)
    promise_import(asked, brought, where={"where": {"topic": "a"}})
    verdict = await only(asked)
    assert (verdict.counts.total, verdict.counts.error) == (21, 1)


# ---- replies to a data set that was promised first


async def test_replies_that_came_after_the_promise_are_read_as_our_own_run_would_be(
    town: Town, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The same replies, once from our own calls and once from a file: the same verdict in every figure."""
    with serving(says) as server:
        town.chat(server.url)
        town.prompts(300)
        town.promise(threshold=0.14)
        own = await only(town)
    from tests.check.town import found  # noqa: PLC0415 - a second workspace

    other = found(tmp_path_factory.mktemp("other"))
    with other.ledger:
        other.chat("http://127.0.0.1:9/v1")
        other.prompts(300)
        other.promise(use={"file": "prompts.jsonl", "imported": "outputs"}, threshold=0.14)
        bring(other, answers(300, at=LATER))
        imported = await only(other)
    assert own.status == "met"
    assert own.counts.error > 0
    for field in ("status", "reason", "counts", "estimate", "lower", "upper", "level", "trace", "evidence_met"):
        assert getattr(imported, field) == getattr(own, field), field
    assert not imported.retrospective
    assert "test" not in imported.details


@pytest.mark.parametrize("at", [None, "2020-01-01"])
async def test_replies_that_may_be_older_than_the_promise_are_looked_at_once(asked: Town, at: str | None) -> None:
    asked.prompts(300)
    asked.promise(use={"file": "prompts.jsonl", "imported": "outputs"})
    bring(asked, answers(300, at=at))
    verdict = await only(asked)
    assert verdict.retrospective
    assert verdict.details["test"] == "exact-binomial"
    assert verdict.counts.total == 300


async def test_items_that_the_import_leaves_out_are_missing(asked: Town) -> None:
    """Leaving out the failures does not help: what is not there counts against the claim."""
    asked.prompts(300)
    asked.promise(use={"file": "prompts.jsonl", "imported": "outputs"})
    bring(asked, [row for row in answers(300, at=LATER) if row["reply"] == "yes"])
    verdict = await only(asked)
    assert verdict.counts.failed == 0
    assert verdict.counts.error > 10
    assert verdict.status == "undecided"


async def test_an_import_that_goes_on_is_read_together_and_the_first_reply_counts(asked: Town) -> None:
    asked.prompts(60)
    asked.promise(use={"file": "prompts.jsonl", "imported": "outputs"}, threshold=0.4)
    bring(asked, answers(5, at=LATER), "first.jsonl")
    first = await only(asked)
    assert first.status == "undecided"
    better = [{**row, "reply": "yes"} for row in answers(60, at=LATER)]
    bring(asked, better, "second.jsonl")
    second = await only(asked)
    assert second.status == "met"
    assert {trial.item: trial.outcome for trial in asked.trials(2)}.get("q0", "fail") == "fail"


async def test_imports_from_before_the_promise_do_not_count(asked: Town) -> None:
    asked.prompts(50)
    bring(asked, answers(50, at=LATER))
    asked.promise(use={"file": "prompts.jsonl", "imported": "outputs"})
    assert (await only(asked)).reason == "no-data"


async def test_what_was_brought_in_for_another_version_of_the_system_does_not_count(asked: Town) -> None:
    asked.prompts(100)
    before = asked.state.version("assistant")
    asked.chat("http://127.0.0.1:9/v2")
    now = asked.state.version("assistant")
    assert before is not None
    assert now is not None
    asked.promise(use={"file": "prompts.jsonl", "imported": "outputs"})
    bring(asked, answers(100), about=before.fingerprint)
    assert (await only(asked)).reason == "no-data"
    bring(asked, answers(100), "again.jsonl", about=now.fingerprint)
    assert (await only(asked)).counts.total == 100


async def test_rows_without_an_id_of_ours_are_found_by_the_very_text_that_was_asked(asked: Town) -> None:
    asked.prompts(100)
    asked.promise(use={"file": "prompts.jsonl", "imported": "outputs"})
    rows = [{**row, "id": f"other-{number}"} for number, row in enumerate(answers(100))]
    bring(asked, [*rows, {"id": "stranger", "prompt": "question", "reply": "no"}])
    verdict = await only(asked)
    assert verdict.counts.passed == 93
    assert verdict.details["rows_of_other_items"] == 1


async def test_a_reply_to_another_question_is_refused(asked: Town) -> None:
    asked.prompts(10)
    asked.promise(use={"file": "prompts.jsonl", "imported": "outputs"})
    bring(asked, [{"id": "q3", "prompt": "something else", "reply": "yes"}])
    with pytest.raises(UsageError) as caught:
        await asked.check()
    assert caught.value.code == "check.other-question"


def _edit(path: Path) -> None:
    path.write_text(path.read_text().replace("no", "yes"))


@pytest.mark.parametrize("damage", [_edit, Path.unlink])
async def test_a_kept_copy_that_was_changed_decides_nothing(asked: Town, damage: Callable[[Path], None]) -> None:
    brought = bring(asked, answers(30))
    promise_import(asked, brought)
    await asked.check()
    damage(asked.root / brought.file)
    with pytest.raises(TamperedError):
        await asked.check()
