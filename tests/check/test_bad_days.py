"""Bad days on this side of the line: data, scorers, the clock, the disk, the journal."""

from __future__ import annotations

import asyncio
import os
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from shinrai.check.journal import Journal, Line
from shinrai.check.patience import Clock, Patience
from shinrai.check.scorers import includes
from shinrai.errors import StoreError, TamperedError
from shinrai.records import Item
from tests.check.processes import lines_in
from tests.check.town import Town
from tests.servers.endpoint import Endpoint, Reply, serving


async def test_an_empty_data_set_is_no_verdict(town: Town) -> None:
    (town.root / "prompts.jsonl").write_bytes(b"")
    with serving() as endpoint:
        town.chat(endpoint.url)
        town.promise(budget=10)
        [verdict] = await town.check()
    assert (verdict.status, verdict.reason, verdict.estimate) == ("not_measured", "no-data", None)
    assert verdict.counts.total == 0
    assert not endpoint.log.asked


async def test_a_data_set_sorted_by_topic_is_drawn_across_its_topics(town: Town) -> None:
    """The first half is easy, the second is not: taken as it stands, 41 clean trials would have met the promise."""
    with serving(lambda prompt, _attempt: Reply("yes" if int(prompt.split()[1]) < 200 else "no")) as endpoint:
        town.chat(endpoint.url)
        town.prompts(400)
        town.promise(threshold=0.2)
        [verdict] = await town.check()
    assert verdict.status == "violated"
    drawn = [int(trial.item[1:]) for trial in town.trials()]
    assert 0.2 < sum(number < 200 for number in drawn) / len(drawn) < 0.8


async def test_a_scorer_that_raises_on_one_item_in_a_thousand(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """That trial is invalid and counts as missing; it is neither a pass nor a failure, and the run goes on."""
    real = includes.build

    def build(use: Any, context: Any) -> Any:
        rule = real(use, context)

        def score(item: Item, requests: Any, calls: Any) -> Any:
            if item.id == "q321":
                raise KeyError("what nobody thought of")
            return rule(item, requests, calls)

        return score

    monkeypatch.setattr(includes, "build", build)
    with serving() as endpoint:
        town.chat(endpoint.url)
        town.prompts(1000)
        town.promise(threshold=0.004)
        [verdict] = await town.check()
        asked = dict(endpoint.log.asked)
        assert await town.check() == []
    assert verdict.counts.invalid == 1
    assert verdict.counts.passed == verdict.counts.total - 1
    assert asked == dict(endpoint.log.asked)
    [odd] = [trial for trial in town.trials() if trial.outcome == "invalid"]
    assert (odd.item, odd.detail) == ("q321", "the scorer failed on this reply: KeyError")
    assert "nobody thought" not in odd.detail


async def test_a_scorer_that_always_raises_proves_nothing(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(_use: Any, _context: Any) -> Any:
        def score(_item: Item, _requests: Any, _calls: Any) -> Any:
            raise RuntimeError

        return score

    monkeypatch.setattr(includes, "build", build)
    with serving() as endpoint:
        town.chat(endpoint.url)
        town.prompts(60)
        town.promise()
        [verdict] = await town.check()
    assert (verdict.status, verdict.reason) == ("not_measured", "nothing-usable")
    assert verdict.counts.invalid == 60


@pytest.mark.parametrize("jump", [-86_400.0, 86_400.0, 3600.0 * 24 * 365 * 30])
async def test_a_wall_clock_that_jumps_changes_no_verdict_and_no_wait(
    town: Town, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    """It is set while calls are on their way; the server tells times by its own clock."""
    real, began = time.time, time.time()
    waits: list[float] = []

    async def note(seconds: float) -> None:
        waits.append(seconds)
        await asyncio.sleep(0)

    def behave(prompt: str, attempt: int) -> Reply:
        if len(endpoint.log.asked) == 20:
            monkeypatch.setattr(time, "time", lambda: real() + jump)
        if int(prompt.split()[1]) % 9 == 0 and attempt == 1:
            headers = (("Date", formatdate(began, usegmt=True)), ("Retry-After", formatdate(began + 7, usegmt=True)))
            return Reply(status=503, headers=headers)
        return Reply()

    with serving(behave) as endpoint:
        town.chat(endpoint.url)
        town.prompts(100)
        town.promise()
        [verdict] = await town.check(patience=Patience(clock=Clock(sleep=note, chance=lambda: 0.0)))
    assert (verdict.status, verdict.counts.passed, verdict.counts.error) == ("met", 41, 0)
    assert waits
    assert max(waits) <= 7.0
    assert town.ledger.verify().faults == ()


class _FullDisk:
    """`os.write` that has room for so many bytes."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.write = os.write

    def __call__(self, file: int, data: bytes) -> int:
        if self.room <= 0:
            raise OSError(28, "No space left on device")
        taken = self.write(file, data[: self.room])
        self.room -= taken
        return taken


async def test_a_disk_that_fills_up_between_two_bytes(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as endpoint:
        town.chat(endpoint.url)
        town.prompts(100)
        town.promise()
        with monkeypatch.context() as patched:
            patched.setattr("shinrai.check.journal.os.write", _FullDisk(1000))
            with pytest.raises(StoreError, match="No space left"):
                await town.check()
        kept = town.journal()
        path = town.root / ".shinrai/runs/run-0001/calls.jsonl"
        assert 0 < len(kept) < 20
        assert path.read_bytes().endswith(b"}\n")  # what did not fit was taken back
        assert town.state.judgement("p/g/m/c@assistant") is None
        before = dict(endpoint.log.asked)
        [verdict] = await town.check()
    assert verdict.status == "met"
    assert verdict.run == "run-0001"
    assert all(endpoint.log.asked[line.request] == before[line.request] for line in kept)
    assert town.ledger.verify().faults == ()


async def test_a_torn_last_line_is_left_out_and_any_other_is_not(town: Town) -> None:
    with serving() as endpoint:
        town.chat(endpoint.url)
        town.prompts(100)
        town.promise()
        with pytest.raises(asyncio.CancelledError):
            await _interrupted_after(town, endpoint, 20)
        path = town.root / ".shinrai/runs/run-0001/calls.jsonl"
        whole = path.read_bytes()
        path.write_bytes(whole + b'{"key":"abc","end":"o')
        lines = whole.splitlines(keepends=True)
        for broken in (
            b"".join([*lines[:3], b"garbage\n", *lines[3:]]),
            b"".join([*lines[:3], lines[2], *lines[3:]]),
            whole + b"\n",
        ):
            path.write_bytes(broken)
            with pytest.raises(TamperedError) as caught:
                await town.check()
            assert caught.value.code == "run.bad-line"
        path.write_bytes(whole + b'{"key":"abc","end":"o')
        before = dict(endpoint.log.asked)
        [verdict] = await town.check()
        assert verdict.status == "met"
        assert all(endpoint.log.asked[lines_in(line)[0].request] == before[lines_in(line)[0].request] for line in lines)
        assert not path.exists()  # its contents are in the archive now
        (path.parent / "calls-0001.parquet").unlink()
    assert not town.ledger.verify().ok


async def _interrupted_after(town: Town, endpoint: Endpoint, replies: int) -> None:
    task = asyncio.ensure_future(town.check())
    original = endpoint.behave

    def behave(prompt: str, attempt: int) -> Reply:
        if sum(endpoint.log.answered.values()) >= replies:
            task.get_loop().call_soon_threadsafe(task.cancel)
            return Reply(hang=True)
        return original(prompt, attempt)

    endpoint.behave = behave
    try:
        await task
    finally:
        endpoint.behave = original


async def test_a_run_file_that_is_gone_or_changed_is_never_begun_anew(town: Town) -> None:
    with serving() as endpoint:
        town.chat(endpoint.url)
        town.prompts(100)
        town.promise()
        await town.check(calls=10)
        path = town.root / ".shinrai/runs/run-0001/calls-0001.parquet"
        whole = path.read_bytes()
        path.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
        with pytest.raises(TamperedError):
            await town.check()
        path.unlink()
        with pytest.raises(TamperedError):
            await town.check()
        path.write_bytes(whole)
        assert [v.status for v in await town.check()] == ["met"]


async def test_a_line_survives_a_journal_that_is_never_closed(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    Journal.create(path)
    journal = Journal(path)
    journal.write(Line("k", "ok", "reply", request="asked"))
    assert path.read_bytes() == b'{"key":"k","end":"ok","reply":"reply","request":"asked"}\n'
    journal.close()
    again = Journal(path)
    assert again.read("k").reply == "reply"
    again.close()
