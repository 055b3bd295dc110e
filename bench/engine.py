"""What the engine costs: CPU per trial against a bare aiohttp loop, same mock endpoint, same run.

2,000 and 10,000 one-turn trials, at most 64 in flight, replies at once and after 50 ms. The engine has everything on:
ledger, journal, scorer, committed order, a sequential test, and the archive of the finished run. Half of the replies
fail a promise of one half, and the data hold a tenth more than is asked, so that nothing is decided or given up early.
The bare loop sends, reads and parses, and keeps nothing. CPU is user and system time of each process, from the first
call on, when both have loaded what they use; and of the whole process, with its imports. Given is the median of rounds
that take turns.
"""

from __future__ import annotations

import asyncio
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.check.town import Town

SIZES = ((2_000, 9), (10_000, 3))  # trials, rounds
LATENCIES = (0.0, 0.05)
IN_FLIGHT = 64


def rows() -> list[tuple[str, str, str]]:
    """Measure, as (what, figure, against)."""
    return [row for latency in LATENCIES for trials, rounds in SIZES for row in _compare(latency, trials, rounds)]


def _compare(latency: float, trials: int, rounds: int) -> list[tuple[str, str, str]]:
    found: dict[str, list[dict[str, float]]] = {"bare": [], "engine": []}
    with _endpoint(latency) as url:
        for _round in range(rounds):
            for name, measured in found.items():
                measured.append(_in_a_process(name, url, trials))
    bare, engine = (
        {figure: statistics.median(one[figure] for one in measured) for figure in measured[0]}
        for measured in found.values()
    )
    what = f"{trials:,} trials, replies after {1000 * latency:.0f} ms"
    return [
        (
            f"{what}: CPU a trial from the first call on",
            f"{engine['cpu'] / bare['cpu']:.2f}x ({1000 * engine['cpu'] / trials:.3f} ms)",
            f"at most 2x of {1000 * bare['cpu'] / trials:.3f} ms",
        ),
        (
            f"{what}: the same, whole process",
            f"{engine['process'] / bare['process']:.2f}x ({1000 * engine['process'] / trials:.3f} ms)",
            f"bare {1000 * bare['process'] / trials:.3f} ms",
        ),
        (f"{what}: wall", f"{engine['wall']:.2f} s", f"bare {bare['wall']:.2f} s"),
        (f"{what}: largest memory", f"{engine['memory']:.0f} MB", f"bare {bare['memory']:.0f} MB"),
        (f"{what}: on disk", f"{engine['disk'] / trials:.0f} bytes a trial", "at most 600"),
    ]


@contextmanager
def _endpoint(latency: float) -> Iterator[str]:
    command = [sys.executable, "-m", "tests.servers.endpoint", str(latency)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield (server.stdout.readline() if server.stdout else "").strip()
        finally:
            server.terminate()


def _in_a_process(name: str, url: str, trials: int) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.engine", name, url, str(trials)], stdout=subprocess.PIPE, text=True, check=True
    )
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


@contextmanager
def _measured() -> Iterator[dict[str, float]]:
    more: dict[str, float] = {}
    before, began = _cpu(), time.perf_counter()
    yield more
    figures = {
        **more,
        "cpu": _cpu() - before,
        "wall": time.perf_counter() - began,
        "process": _cpu(),
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(figures))


def _bare(url: str, trials: int) -> None:
    import aiohttp  # noqa: PLC0415 - each process imports only what it measures
    import uvloop  # noqa: PLC0415 - each process imports only what it measures

    async def loop() -> None:
        prompts = iter(range(trials))
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=IN_FLIGHT)) as session:

            async def work() -> None:
                for number in prompts:
                    body = {"model": "m", "messages": [{"role": "user", "content": f"question {number}"}]}
                    async with session.post(f"{url}/chat/completions", json=body) as response:
                        reply = json.loads(await response.read())
                        assert reply["choices"][0]["message"]["content"]

            await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))

    with _measured():
        uvloop.run(loop())


def undecided(town: Town, url: str, trials: int) -> None:
    """Promise what so many trials neither decide nor make hopeless: one half, kept by every second reply."""
    from shinrai.records import Includes  # noqa: PLC0415 - each process imports only what it measures

    town.chat(url, timeout=30.0)
    with (town.root / "prompts.jsonl").open("w") as file:
        for number in range(trials + max(60, trials // 10)):
            wanted = "ordinary" if number % 2 else "extraordinary"
            row: dict[str, Any] = {"id": f"q{number}", "prompts": [f"question {number}"], "wanted": wanted}
            file.write(json.dumps(row) + "\n")
    town.promise(threshold=0.5, scorer=Includes(id="includes", field="wanted"))


def _engine(url: str, trials: int) -> None:
    import duckdb  # noqa: F401, PLC0415 - each process imports only what it measures
    import uvloop  # noqa: F401, PLC0415 - each process imports only what it measures

    from shinrai.check import check, runs  # noqa: F401, PLC0415 - each process imports only what it measures
    from shinrai.check.scorers import includes  # noqa: F401, PLC0415 - each process imports only what it measures
    from shinrai.records import Budget  # noqa: PLC0415 - each process imports only what it measures
    from tests.check.town import HERE, found  # noqa: PLC0415 - each process imports only what it measures

    with tempfile.TemporaryDirectory() as folder:
        town = found(Path(folder) / "town")
        undecided(town, url, trials)
        with _measured() as figures:
            [verdict] = check(town.root, town.ledger, budget=Budget(calls=trials), allowed_hosts=HERE)
            directory = town.root / ".shinrai/runs/run-0001"
            figures["disk"] = sum(path.stat().st_size for path in directory.iterdir())
        assert verdict.counts.total == trials, verdict
        town.ledger.close()


if __name__ == "__main__":
    if len(sys.argv) > 3:
        {"bare": _bare, "engine": _engine}[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
    else:
        for what, figure, against in rows():
            print(f"{what:<70} {figure:<24} {against}")
