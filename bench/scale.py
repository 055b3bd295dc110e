"""Time and memory of the engine against the number of trials, to a million.

The system under test is a mock in the same process that answers at once, so that what is measured is the engine
alone: drawing in committed order, journal, scorer, sequential test, archive and ledger. Each size runs in a
process of its own.
``python -m bench.scale 1000000`` measures one size.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from shinrai.check import check, runs
from shinrai.check.targets.protocol import Answer, Limits
from shinrai.records import Budget, Includes
from tests.check.town import found

SIZES = (10_000, 100_000, 1_000_000)
NOTE = """What stays in memory for each trial, in bytes: 8 for the key of its call, less than 1 for where the call
stands in the journal and that it was used, 4 for its place in the committed order, half a byte for where its item
stands in the data set, 8 for the two numbers of failures at which the test would stop after it, 4 more if it failed:
about 22. It is let go before the archive, which makes the peak: it loads DuckDB, 55 MB of which 36 are its library,
and works on 4 MB of text at a time, whatever the size of the run. What stays through it are the 8 bytes of the
stopping table, which the next run of the same promise looks up again, and what the allocator of C has not handed back
of the rest. The newest 16,384 keys are held as they came, so that short runs look nothing up; that is in the figure
for the smallest size."""


def rows() -> list[tuple[str, str, str]]:
    """Measure, as (what, figure, against)."""
    measured = [_in_a_process(size) for size in SIZES]
    smallest = measured[0]
    return [
        (
            f"{size:,} trials",
            f"{1000 * one['cpu'] / size:.3f} ms of CPU a trial, {one['wall']:.0f} s, {one['memory']:.0f} MB",
            _beside(size, one, smallest),
        )
        for size, one in zip(SIZES, measured, strict=True)
    ]


def _beside(size: int, one: dict[str, float], smallest: dict[str, float]) -> str:
    grown = (one["memory"] - smallest["memory"]) / ((size - SIZES[0]) or 1) * 1e6
    return f"{one['before']:.0f} MB before; {one['disk'] / size:.0f} bytes on disk, {grown:.0f} more in memory, a trial"


def _in_a_process(size: int) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.scale", str(size)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


class _Mock:
    """A system that answers at once, wrongly for the texts that end in 1 or 2."""

    def __init__(self, limits: Limits, answer: Callable[[str], Answer]) -> None:
        self.limits = limits
        self._right, self._wrong = answer("A short and ordinary reply."), answer("A short and other reply.")

    async def open(self) -> None:
        return

    async def ask(self, request: str) -> Answer:
        return self._wrong if request[-1] in "12" else self._right

    async def close(self) -> None:
        return


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _measure(size: int) -> None:
    mock = _Mock(Limits(64, 64, 30.0), Answer)
    setattr(runs, "target_of", lambda _system, _root, _hosts: mock)  # noqa: B010 - the one thing that is not real
    with tempfile.TemporaryDirectory() as folder:
        town = found(Path(folder) / "town")
        town.chat("http://127.0.0.1:9/v1")
        town.prompts(size + max(60, size // 10))  # so that nothing is given up before the end
        town.promise(threshold=0.2, scorer=Includes(id="includes", text="ordinary"))
        before, cpu, wall = _memory(), time.process_time(), time.perf_counter()
        [verdict] = check(town.root, town.ledger, budget=Budget(calls=size))
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        assert verdict.counts.total == size, verdict
        town.ledger.close()
        disk = sum(path.stat().st_size for path in (town.root / ".shinrai/runs/run-0001").iterdir())
        print(json.dumps({"cpu": cpu, "wall": wall, "before": before, "memory": _memory(), "disk": disk}))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _measure(int(sys.argv[1]))
    else:
        for what, figure, against in rows():
            print(f"{what:<20} {figure:<60} {against}")
