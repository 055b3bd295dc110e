"""Several workers, on one machine and in a Ray cluster: the same verdicts, and a killed worker costs nothing."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shinrai.check.crew import Crew, Plan, read_plan
from shinrai.check.members import ProcessMember
from shinrai.check.ray_members import started_ray
from shinrai.check.replay import replay
from shinrai.check.shards import Done, Result
from shinrai.errors import StoreError, UsageError
from shinrai.records import DIALOGUE_VERSION, CommittedDialogue, Dialogue, Driver, Text, Trial, Verdict
from tests.check.judged import CORRECTED, UNCORRECTED, judging, promise
from tests.check.processes import child, lines_in, outcome, spread_child
from tests.check.town import Town, found
from tests.servers.endpoint import Endpoint, Reply, serving

psutil: Any = import_module("psutil")  # it has no types here
PROCESSES = Plan("processes", 2)
SECRET = "sk-a-made-up-key-of-the-tests-0123456789"


def _behave(prompt: str, _attempt: int) -> Reply:
    number = int(prompt.split()[1])
    return Reply("no" if number % 9 == 0 else "yes", delay=0.002 * (number % 4))


def _prepare(town: Town, endpoint: Endpoint) -> None:
    town.chat(endpoint.url, key_env="SHINRAI_TEST_KEY")
    town.prompts(300)
    town.promise("p/g/m/a", threshold=0.25)
    town.promise("p/g/m/b", threshold=0.05)
    town.promise("p/g/m/c", threshold=0.12)


def _essence(verdicts: list[Verdict]) -> list[object]:
    return [(one.claim, one.status, one.counts, one.estimate, one.lower, one.upper, one.trace) for one in verdicts]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _trials(town: Town) -> list[Trial]:
    """All trials, without the name of the promise: it holds the address of the endpoint."""
    return [msgspec.structs.replace(trial, commitment="") for trial in town.trials()]


async def _alone(folder: Path) -> tuple[list[object], list[Trial]]:
    with serving(_behave) as endpoint:
        town = found(folder)
        _prepare(town, endpoint)
        verdicts = await town.check()
        trials = _trials(town)
        town.ledger.close()
    return _essence(verdicts), trials


async def _with_one_killed(town: Town, spread: Plan, after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kill one worker after so many replies; all is as if nothing had been."""
    monkeypatch.setenv("SHINRAI_TEST_KEY", SECRET)
    alone, trials = await _alone(town.root / "alone")
    started: list[Crew] = []
    killed: list[int] = []
    begin = Crew.begin

    async def note(crew: Crew, *given: object) -> None:
        await begin(crew, *given)  # type: ignore[arg-type]  # passed on as it came
        started.append(crew)

    def behave(prompt: str, attempt: int) -> Reply:
        if not killed and len(endpoint.log.answered) >= after:
            killed.append(started[0].pids[0])
            os.kill(killed[0], signal.SIGKILL)
        return _behave(prompt, attempt)

    with serving(behave) as endpoint, monkeypatch.context() as patched:
        patched.setattr(Crew, "begin", note)
        _prepare(town, endpoint)
        verdicts = await town.check(spread=spread)
        assert all(f"Bearer {SECRET}" in head for head in endpoint.log.headers)
    assert killed
    assert _essence(verdicts) == alone
    assert _trials(town) == trials
    lines = town.journal()
    assert len({line.key for line in lines}) == len(lines)
    # Whatever was written down was asked once; only what the killed worker had on its way was asked twice.
    again = [prompt for prompt, times in endpoint.log.asked.items() if times > 1]
    assert len(again) <= 2 * 64
    assert town.ledger.verify().faults == ()
    names = {path.name for path in (town.root / ".shinrai/runs/run-0001").iterdir()}
    assert names == {"calls-0001.parquet", "trials-0001.parquet"}
    for path in town.root.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes()


@pytest.mark.parametrize("after", [3, 60])
async def test_a_process_that_is_killed_changes_nothing(
    town: Town, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _with_one_killed(town, PROCESSES, after, monkeypatch)


async def test_what_a_worker_wrote_and_did_not_tell_is_not_asked_again(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that dies between its journal and its message: the reply is found in the journal."""
    monkeypatch.setenv("SHINRAI_TEST_KEY", SECRET)
    resolve = ProcessMember._resolve
    told: list[object] = []

    def lose_the_tenth(member: ProcessMember, result: Result) -> None:
        told.append(result)
        if len(told) == 10:
            os.kill(member.pid, signal.SIGKILL)
        if len(told) < 10 or not member_is_dead(member, told):
            resolve(member, result)

    dead: list[ProcessMember] = []

    def member_is_dead(member: ProcessMember, results: list[object]) -> bool:
        if len(results) == 10:
            dead.append(member)
        return member in dead

    with serving(_behave) as endpoint:
        _prepare(town, endpoint)
        with monkeypatch.context() as patched:
            patched.setattr(ProcessMember, "_resolve", lose_the_tenth)
            verdicts = await town.check(spread=PROCESSES)
    assert dead
    assert len(verdicts) == 3
    untold = told[9]
    assert isinstance(untold, Done)
    assert endpoint.log.asked[untold.line.request] == 1
    assert untold.line in town.journal()


async def test_when_all_workers_are_gone_the_run_goes_on_next_time(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHINRAI_TEST_KEY", SECRET)
    started: list[Crew] = []
    begin = Crew.begin

    async def note(crew: Crew, *given: object) -> None:
        await begin(crew, *given)  # type: ignore[arg-type]  # passed on as it came
        started.append(crew)

    def behave(prompt: str, attempt: int) -> Reply:
        if len(endpoint.log.answered) >= 40 and len(started) == 1:
            for pid in started[0].pids:
                os.kill(pid, signal.SIGKILL)
            started.append(started[0])
        return _behave(prompt, attempt)

    with serving(behave) as endpoint:
        _prepare(town, endpoint)
        monkeypatch.setattr(Crew, "begin", note)
        with pytest.raises(StoreError) as caught:
            await town.check(spread=PROCESSES)
        assert caught.value.code == "run.no-workers"
        shards = list((town.root / ".shinrai/runs/run-0001").glob("calls-*.jsonl"))
        written = b"".join(path.read_bytes() for path in shards).count(b"\n")
        assert 0 < written <= endpoint.log.answered.total() < 300
        before = dict(endpoint.log.asked)
        verdicts = await town.check()  # by one process now: what the workers wrote is there
        asked_again = [prompt for prompt in before if endpoint.log.asked[prompt] > before[prompt]]
    assert len(verdicts) == 3
    assert list(town.state.runs) == ["run-0001"]
    assert len(asked_again) <= len(before) - written


async def test_an_interrupted_crew_leaves_no_process_behind(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHINRAI_TEST_KEY", SECRET)
    pids: list[int] = []
    begin = Crew.begin

    async def note(crew: Crew, *given: object) -> None:
        await begin(crew, *given)  # type: ignore[arg-type]  # passed on as it came
        pids.extend(crew.pids)

    with serving(_behave) as endpoint:
        _prepare(town, endpoint)
        monkeypatch.setattr(Crew, "begin", note)
        task = asyncio.ensure_future(town.check(spread=PROCESSES))
        while len(endpoint.log.answered) < 20:  # noqa: ASYNC110 - the endpoint lives in another thread
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(pids) == 2
        assert not any(_alive(pid) for pid in pids)
        assert len(await town.check(spread=PROCESSES)) == 3
    assert list(town.state.runs) == ["run-0001"]


async def test_a_target_that_does_not_open_in_a_worker(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHINRAI_TEST_KEY", raising=False)
    with serving(_behave) as endpoint:
        _prepare(town, endpoint)
        with pytest.raises(Exception, match="SHINRAI_TEST_KEY"):
            await town.check(spread=PROCESSES)
        assert not endpoint.log.asked
        monkeypatch.setenv("SHINRAI_TEST_KEY", SECRET)
        assert len(await town.check(spread=PROCESSES)) == 3


def test_the_names_of_engines() -> None:
    assert read_plan("one") is None
    assert read_plan("processes:3") == ("processes", 3)
    assert read_plan("ray:2") == ("ray", 2)
    for wrong in ("", "ray", "ray:", "ray:0", "processes:-1", "processes:²", "spark:2", "processes:1000"):
        with pytest.raises(UsageError):
            read_plan(wrong)


# ---- Ray


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """One local cluster for the module, ended after it."""
    if sys.version_info >= (3, 14) and find_spec("ray") is None:
        pytest.skip("NOT TESTED: Ray has no release for this Python yet")
    os.environ["SHINRAI_TEST_KEY"] = SECRET  # workers have the environment that the cluster was started with
    ray = started_ray()
    outside = [
        found.laddr
        for process in (psutil.Process(), *psutil.Process().children(recursive=True))
        for found in process.net_connections()
        if found.status == psutil.CONN_LISTEN and not found.laddr.ip.endswith("127.0.0.1")
    ]
    assert outside == []
    yield
    ray.shutdown()
    del os.environ["SHINRAI_TEST_KEY"]


@pytest.mark.usefixtures("cluster")
async def test_a_ray_worker_that_is_killed_changes_nothing(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    await _with_one_killed(town, Plan("ray", 2), 60, monkeypatch)


@pytest.mark.usefixtures("cluster")
async def test_a_driven_dialogue_over_ray_has_the_verdict_of_one_process(tmp_path: Path) -> None:
    await _dialogues_alike(tmp_path, Plan("ray", 2))


def test_a_cluster_that_goes_away_changes_nothing(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its scheduler and its store are killed while calls are on their way.

    Depending on which of its processes notices first, Ray lets the workers finish, tells that they are gone, or ends
    the process that started them; then the next check goes on, without a cluster.
    """
    if sys.version_info >= (3, 14) and find_spec("ray") is None:
        pytest.skip("NOT TESTED: Ray has no release for this Python yet")
    monkeypatch.setenv("SHINRAI_TEST_KEY", SECRET)
    gone: list[str] = []

    def behave(prompt: str, attempt: int) -> Reply:
        if not gone and len(endpoint.log.answered) >= 40:
            for process in psutil.Process(first.pid).children(recursive=True):
                if process.name() in {"raylet", "gcs_server"}:
                    gone.append(process.name())
                    process.kill()
        return replace(_behave(prompt, attempt), delay=0.2 if gone else 0.0)

    with serving(behave) as endpoint:
        _prepare(town, endpoint)
        first = spread_child(town, "ray:2")
        try:
            said, errors = first.communicate(timeout=150)
        finally:
            first.kill()
        assert set(gone) == {"raylet", "gcs_server"}
        verdicts = said.splitlines()
        if first.returncode or len(verdicts) != 3:
            assert first.returncode or verdicts == ["run.no-workers"], errors
            assert not town.state.judgements
            shards = (town.root / ".shinrai/runs/run-0001").glob("calls-*.jsonl")
            written = [path.read_bytes() for path in shards]
            kept = {line.request for data in written for line in lines_in(data[: data.rfind(b"\n") + 1])}
            before = dict(endpoint.log.asked)
            verdicts = outcome(child(town))
            assert [prompt for prompt in kept if endpoint.log.asked[prompt] != before[prompt]] == []
        alone = found(town.root / "alone")
        _prepare(alone, endpoint)
        assert verdicts == outcome(child(alone))
        alone.ledger.close()
    assert list(town.state.runs) == ["run-0001"]
    assert town.ledger.verify().faults == ()


def _replying(prompt: str, _attempt: int) -> Reply:
    number = int(prompt.split()[1])
    return Reply("no" if number % 9 == 0 else "yes", delay=0.002 * (number % 4))


async def _judged(folder: Path, spread: Plan | None) -> tuple[list[object], list[Trial], int]:
    """Measure two judged claims, of which one waits for labels, in one process or several."""
    with serving(_replying) as tested, serving(judging()) as judges:
        town = found(folder)
        town.chat(tested.url)
        town.chat(judges.url, system_id="judge")
        town.prompts(80)
        promise(town, UNCORRECTED, claim="p/g/m/a", threshold=0.3)
        promise(town, CORRECTED, claim="p/g/m/b", threshold=0.3)
        verdicts = await town.check(spread=spread)
        trials, asked = _trials(town), sum(judges.log.asked.values())
        assert max(judges.log.asked.values()) == 1
        assert town.ledger.verify().faults == ()
        town.ledger.close()
    return _essence(verdicts), trials, asked


async def test_a_judged_claim_over_processes_has_the_verdict_of_one_process(tmp_path: Path) -> None:
    """The system is asked by the workers, the judge by the engine: order, number and word of the judge are the same."""
    alone, trials, asked = await _judged(tmp_path / "alone", None)
    spread, trials_of_crew, asked_by_crew = await _judged(tmp_path / "crew", PROCESSES)
    assert spread == alone
    assert {one.outcome for one in trials} == {"pass", "fail"}
    assert [(one.position, one.item, one.outcome, one.detail) for one in trials_of_crew] == [
        (one.position, one.item, one.outcome, one.detail) for one in trials
    ]
    assert asked_by_crew == asked == 80


def _firm(prompt: str, _attempt: int) -> Reply:
    """Give way to the second push of every third user."""
    _push, turn, number = prompt.split() if prompt.startswith("push") else ("", "0", prompt.split()[1])
    return Reply("no" if turn == "2" and int(number) % 3 == 0 else "yes", delay=0.002 * (int(number) % 4))


def _pushing(prompt: str, _attempt: int) -> Reply:
    said = json.loads(next(line for line in prompt.splitlines() if line.startswith('{"conversation"')))["conversation"]
    number, turn = said[0]["content"].split()[1], len(said) // 2
    return Reply("[END]" if int(number) % 5 == turn else f"push {turn} {number}")


async def _driven(folder: Path, spread: Plan | None) -> tuple[list[object], list[Trial]]:
    """Measure dialogues of up to four turns that another system drives, in one process or several."""
    driver = Driver(system="driver", instruction=Text(en="Do not take no for an answer."), stop="[END]")
    with serving(_firm) as tested, serving(_pushing) as drives:
        town = found(folder)
        town.chat(tested.url)
        town.chat(drives.url, system_id="driver")
        town.prompts(40)
        version = town.state.version("driver")
        assert version is not None
        use = Dialogue(turns=4, scored="worst", driver=driver)
        pinned = CommittedDialogue(use=use, version=DIALOGUE_VERSION, driver=version.fingerprint)
        town.promise(dialogue=pinned, threshold=0.3)
        verdicts = await town.check(spread=spread)
        trials = _trials(town)
        assert town.ledger.verify().faults == ()
        assert replay(town.root, town.ledger).first is None
        assert max(drives.log.asked.values()) == 1
        town.ledger.close()
    return [*_essence(verdicts), verdicts[0].details, verdicts[0].calls], trials


async def _dialogues_alike(folder: Path, spread: Plan) -> None:
    alone, trials = await _driven(folder / "alone", None)
    crew, trials_of_crew = await _driven(folder / "crew", spread)
    assert crew == alone
    assert {one.outcome for one in trials} == {"pass", "fail"}
    assert {len(one.calls) for one in trials} >= {2, 4, 5, 6}, "stopped by the driver, by a failure, by the limit"
    assert [(one.position, one.item, one.calls, one.outcome, one.detail) for one in trials_of_crew] == [
        (one.position, one.item, one.calls, one.outcome, one.detail) for one in trials
    ]


async def test_a_driven_dialogue_over_processes_has_the_verdict_of_one_process(tmp_path: Path) -> None:
    """The system is asked by the workers, the driver by the engine; who answers first decides nothing."""
    await _dialogues_alike(tmp_path, PROCESSES)
