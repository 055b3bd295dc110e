"""A run as a log of Inspect: whole, the same bytes each time, and read back by our own importer and by Inspect."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from shinrai.check.replay import replay
from shinrai.do.inspect_log import read_inspect
from shinrai.errors import UsageError
from shinrai.records import RunStarted, digest_file
from shinrai.report.inspect_log import write_inspect_log
from tests.check.town import Town, found
from tests.fixtures.replies import outcome, questions, says
from tests.servers.endpoint import serving


@pytest.fixture
async def measured(tmp_path: Path) -> Town:
    town = found(tmp_path / "town")
    (town.root / "asked.jsonl").write_text("".join(json.dumps(row) + "\n" for row in questions()))
    with serving(says) as server:
        town.chat(server.url)
        for name in ("p/g/m/first", "p/g/m/second"):
            town.promise(name, data="asked.jsonl", threshold=0.3, population="data-set")
        await town.check()
    return town


@pytest.fixture
def log(measured: Town, tmp_path: Path) -> Iterator[Path]:
    with measured.ledger:
        state = measured.state
        write_inspect_log(measured.root, state, state.runs["run-0001"], tmp_path / "run.eval")
        yield tmp_path / "run.eval"


async def test_every_trial_is_a_sample_that_comes_back_as_it_was(measured: Town, log: Path) -> None:
    trials = [trial for trial in measured.trials() if trial.commitment == measured.trials()[0].commitment]
    run = read_inspect(log)
    rows = {row.id: row for row in run.rows}
    assert rows.keys() == {trial.item for trial in trials}
    for trial in trials:
        row = rows[trial.item]
        number = int(trial.item[1:])
        assert row.prompts == [f"question {number}"]
        assert (row.end == "error") == (outcome(number) == "error")
        assert row.reply == (says(row.prompts[0]).text if row.end == "ok" else None)
        assert row.columns.get("score.first") == {"pass": "C", "fail": "I"}.get(trial.outcome)
    assert run.scorers.keys() == {"first", "second"}
    assert run.ended_as == "success"
    verdict = measured.state.judgements["p/g/m/first@assistant"][-1].verdict
    assert run.summary["scores"]["first"]["estimate"] == pytest.approx(verdict.estimate)


async def test_equal_runs_give_equal_bytes(measured: Town, log: Path, tmp_path: Path) -> None:
    state = measured.state
    write_inspect_log(measured.root, state, state.runs["run-0001"], tmp_path / "again.eval")
    assert digest_file(tmp_path / "again.eval") == digest_file(log)
    assert replay(measured.root, measured.ledger).first is None


async def test_a_run_that_goes_on_cannot_be_written(measured: Town, tmp_path: Path) -> None:
    with measured.ledger:
        started = measured.state.runs["run-0001"].started
        measured.ledger.append(
            RunStarted(**{**started.to_json(), "run": "run-0002", "directory": ".shinrai/runs/run-0002"})
        )
        with pytest.raises(UsageError, match="has not ended"):
            write_inspect_log(measured.root, measured.state, measured.state.runs["run-0002"], tmp_path / "x.eval")


async def test_inspect_opens_it(log: Path) -> None:
    logs = pytest.importorskip("inspect_ai.log", reason="inspect_ai is not installed")
    read = logs.read_eval_log(str(log))
    assert read.status == "success"
    assert {sample.id for sample in read.samples} == {row.id for row in read_inspect(log).rows}
    assert all(
        sample.output.completion == (says(sample.input).text or "") for sample in read.samples if not sample.error
    )
