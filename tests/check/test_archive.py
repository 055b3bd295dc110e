"""What a finished run leaves on disk: everything, exactly, in little room."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shinrai.check import archive
from shinrai.check import keys as key_tables
from shinrai.check.archive import read_calls, read_trials, trial_row, write_run
from shinrai.check.journal import Line
from shinrai.check.keys import KeyTable
from shinrai.check.places import Places
from shinrai.check.trials import call_key
from shinrai.errors import StoreError
from shinrai.ledger import Ledger
from shinrai.records import Outcome, Trial
from shinrai.report.evidence import exhibits
from tests.check.town import Town
from tests.servers.endpoint import Reply, serving

encode = msgspec.json.Encoder().encode
# Everything that UTF-8 can write. Lone surrogates are no such text: they are replaced before a line is written.
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NUMBER = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBER | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
LINE = st.builds(
    Line,
    key=st.integers(0, 2**96 - 1).map(lambda number: f"{number:024x}"),
    end=st.sampled_from(["ok", "blocked", "error"]),
    reply=JSON,
    request=JSON,
    error=st.none() | st.sampled_from(["timeout", "http-500", "guard-KeyError"]),
    seconds=st.floats(0, 1e6),
    attempts=st.integers(1, 8),
    tokens_in=st.integers(0, 2**53),
    tokens_out=st.integers(0, 2**53),
    guard=st.none() | st.just("guard"),
    cut=st.integers(0, 2**40),
    run=st.none() | st.just("run-0001"),
)
TRIAL = st.builds(
    Trial,
    position=st.integers(0, 10**6),
    item=TEXT,
    calls=st.lists(st.just("a" * 24), max_size=3).map(tuple),
    commitment=st.sampled_from(["sha256:" + "0" * 64, "sha256:" + "1" * 64]),
    outcome=st.sampled_from(["pass", "fail", "invalid", "blocked", "error"]),
    detail=TEXT,
    group=st.none() | TEXT,
)
relaxed = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def journal(folder: Path, lines: list[Line]) -> Path:
    path = folder / "calls.jsonl"
    path.write_bytes(b"".join(encode(line) + b"\n" for line in lines))
    return path


def write_calls(folder: Path, path: Path) -> list[Path]:
    return [path for path in write_run(folder, [path], []) if path.name.startswith("calls")]


def signed(value: Any) -> Any:
    """Tell -0.0 from 0.0 and 1 from 1.0, which compare equal."""
    return encode(value)


@relaxed
@given(st.lists(LINE, max_size=20))
def test_calls_survive_exactly(tmp_path: Path, lines: list[Line]) -> None:
    found = list(read_calls(write_calls(tmp_path, journal(tmp_path, lines))))
    assert [signed(line) for line in found] == [signed(line) for line in lines]


@relaxed
@given(st.lists(TRIAL, max_size=20), st.sets(st.sampled_from(["pass", "fail"])))
def test_trials_survive_exactly_and_are_found(tmp_path: Path, trials: list[Trial], outcomes: set[Any]) -> None:
    path = tmp_path / "trials.jsonl"
    path.write_bytes(b"".join(map(trial_row, trials)))
    with path.open("rb") as file:
        paths = write_run(tmp_path, [journal(tmp_path, [])], [file])[1:]
    assert list(read_trials(paths)) == trials
    promise = "sha256:" + "1" * 64
    assert list(read_trials(paths, commitment=promise, outcomes=outcomes)) == [
        trial for trial in trials if trial.commitment == promise and trial.outcome in outcomes
    ]


def test_what_is_picked_out_keeps_its_order(tmp_path: Path) -> None:
    """Even where more is looked for than there is, when a database may go through the list instead of the file."""
    promises = ["sha256:" + "0" * 64, "sha256:" + "1" * 64]
    ends: list[tuple[int, Outcome]] = [(0, "pass"), (1, "pass"), (1, "fail")]
    looked_for: list[list[Outcome]] = [["pass", "fail"], ["fail", "pass"]]
    trials = [Trial(0, "", (), promises[promise], outcome, "", None) for promise, outcome in ends]
    (tmp_path / "trials.jsonl").write_bytes(b"".join(map(trial_row, trials)))
    lines = [Line(f"{at:024x}", "ok", "yes", request=f"q{at}") for at in range(5)]
    with (tmp_path / "trials.jsonl").open("rb") as file:
        calls, found = write_run(tmp_path, [journal(tmp_path, lines)], [file])
    for outcomes in looked_for:
        assert list(read_trials([found], commitment=promises[1], outcomes=outcomes)) == trials[1:]
    assert list(read_calls([calls], [f"{at:024x}" for at in reversed(range(1000))])) == lines


def test_a_large_table_is_cut_into_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "PART_BYTES", 300_000)
    lines = [Line(f"{n:024x}", "ok", "\0" * 50_000 if n % 3 else "x\x1f\n", request=f"q{n}") for n in range(40)]
    paths = write_calls(tmp_path, journal(tmp_path, lines))
    assert len(paths) > 10
    assert list(read_calls(paths)) == lines
    assert list(read_calls(paths, {lines[7].key, "not there"})) == [lines[7]]
    # Written again with fewer lines, no file of the first time stays.
    again = write_calls(tmp_path, journal(tmp_path, lines[:1]))
    assert sorted(tmp_path.glob("calls-*")) == again


def test_a_file_that_does_not_hold_what_was_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = archive._copy
    monkeypatch.setattr(archive, "_copy", lambda *given: copy(*given).replace('"reply" AS', 'upper("reply") AS'))
    with pytest.raises(StoreError) as caught:
        write_calls(tmp_path, journal(tmp_path, [Line("k", "ok", "yes")]))
    assert caught.value.code == "run.not-exact"
    assert not list(tmp_path.glob("*.parquet"))


async def test_a_short_trial_takes_little_room(town: Town) -> None:
    with serving() as endpoint:
        town.chat(endpoint.url)
        town.prompts(400)
        town.promise(threshold=0.001, metric="pass-rate", comparator="at-least")
        town.promise("p/g/m/long", threshold=0.005)
        *_first, verdict = await town.check()
    directory = town.root / ".shinrai/runs/run-0001"
    size = sum(path.stat().st_size for path in directory.iterdir())
    assert verdict.counts.total == 400
    assert size / 400 < 600
    assert sorted(path.name for path in directory.iterdir()) == ["calls-0001.parquet", "trials-0001.parquet"]
    [run] = town.state.runs.values()
    assert run.finished is not None
    assert {Path(name).name for name in run.finished.files} == {"calls-0001.parquet", "trials-0001.parquet"}
    shown = exhibits(town.root, town.state, verdict, frozenset({"pass"}))
    assert len(shown) == 400
    assert {(one.exchanges[0].reply, one.exchanges[0].asked.split()[0]) for one in shown} == {("yes", "question")}


@pytest.mark.parametrize("moment", ["before the trials", "before the ledger", "after the ledger"])
async def test_a_crash_while_a_run_is_archived_loses_nothing(
    town: Town, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    class CrashError(BaseException):
        pass

    def crash(*_given: object, **_named: object) -> Any:
        raise CrashError

    with serving(lambda prompt, _attempt: Reply("no" if prompt[-1] in "135" else "yes\0")) as endpoint:
        town.chat(endpoint.url)
        town.prompts(200)
        town.promise(threshold=0.1)
        append = Ledger.append

        def append_all_but_the_end(ledger: Ledger, *payloads: Any) -> Any:
            return crash() if payloads and payloads[-1].kind == "run-finished" else append(ledger, *payloads)

        with monkeypatch.context() as patched:
            if moment == "before the trials":
                patched.setattr("shinrai.check.archive._lines", crash)
            elif moment == "before the ledger":
                patched.setattr(Ledger, "append", append_all_but_the_end)
            else:
                patched.setattr(Path, "unlink", crash)
            with pytest.raises(CrashError):
                await town.check()
        before = dict(endpoint.log.asked)
        journal = town.root / ".shinrai/runs/run-0001/calls.jsonl"
        assert journal.is_file()
        verdicts = await town.check()
    assert dict(endpoint.log.asked) == before  # nothing is asked twice
    assert len(verdicts) == (moment != "after the ledger")
    assert not journal.exists()
    assert {line.reply for line in town.journal()} == {"yes\0", "no"}
    assert [trial.position for trial in town.trials()] == list(range(len(town.trials())))
    assert town.state.judgements["p/g/m/c@assistant"][-1].verdict.counts.total == len(town.trials())
    assert town.ledger.verify().faults == ()


class _Kept:
    """A table of keys, and whoever can tell the key of a number."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.told = 0
        self.table = KeyTable()

    def key_of(self, number: int) -> str:
        self.told += 1
        return self.keys[number]

    def add(self, key: str) -> None:
        self.table.add(key, len(self.keys))
        self.keys.append(key)

    def find(self, key: str) -> int | None:
        return self.table.find(key, self.key_of)


@given(st.lists(st.text(max_size=6) | st.integers(0, 5000).map(call_key), unique=True, max_size=60), st.integers(1, 30))
def test_keys_are_found_and_no_others(keys: list[str], newest: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(key_tables, "_NEWEST", newest)
        kept = _Kept()
        for key in keys:
            assert kept.find(key) is None
            kept.add(key)
        assert [kept.find(key) for key in keys] == list(range(len(keys)))
        assert len(kept.table) == len(keys)


def test_keys_that_begin_alike_are_told_apart() -> None:
    kept = _Kept()
    keys = [call_key(number) for number in range(40_000)]
    keys += [f"{7:08x}{number:016x}" for number in range(300)]  # the same first 32 bits
    for key in keys:
        kept.add(key)
    for key in keys[-300:]:
        kept.table.add(f"z{key}", 0)  # what is no call key has its place, too
    assert [kept.find(key) for key in keys[-1000:]] == list(range(len(keys) - 1000, len(keys)))
    told = kept.told
    assert all(kept.find(call_key(f"another {number}")) is None for number in range(10_000))
    assert kept.told - told < 10  # a guess is checked, and there are few: 40,000 of 2**32


@pytest.mark.parametrize("long", [10, 3000, 40_000])
def test_lines_are_found_where_they_stand(tmp_path: Path, long: int) -> None:
    """Whatever their length, in whatever file; a line that another file holds already keeps its place."""
    files = [tmp_path / "a", tmp_path / "b"]
    places = Places()
    numbers: dict[str, tuple[int, int, bytes]] = {}
    ends = [0, 0]
    for path in files:
        path.touch()
        places.open(path, path.name)
    for number in range(200):
        file = number * number // 7 % 2
        key = call_key(number)
        text = msgspec.json.encode({"key": key, "reply": "x" * (number * 31 % long)}) + b"\n"
        with files[file].open("ab") as writer:
            writer.write(text)
        repeated = number % 17 == 5
        found = places.note(file, len(text), None if repeated else key)
        if not repeated:
            numbers[key] = found, ends[file], text
        ends[file] += len(text)
    assert [places.end(0), places.end(1)] == ends
    assert len(places) == len(numbers) == len({found for found, _start, _text in numbers.values()})
    for key, (found, start, text) in numbers.items():
        assert places.find(key) == found
        assert places.text(found) == (start, text)
    places.close()
