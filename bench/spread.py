"""One process, two processes and two Ray workers on the same calls; and where one engine would saturate.

2,000 one-turn trials against the same mock endpoint. The engine deals out the calls, orders the replies, scores and
decides; the workers talk HTTP and write their journals. What a trial costs the engine, and what it costs a worker, is
CPU of each process, measured; the simulation is a queue with these two costs: N workers, each as fast as one core, and
one engine that takes a reply at a time (deterministic service, so that throughput is the smaller of the two rates).
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.engine import _endpoint, undecided

TRIALS = 2_000
WORKERS = (1, 2, 4, 8, 16, 32, 64)
SECONDS_OF_A_MODEL = 1.0
IN_FLIGHT = 64


def rows() -> list[tuple[str, str, str]]:
    """Measure, as (what, figure, against)."""
    with _endpoint(0.0) as url:
        found = {name: _in_a_process(name, url) for name in ("one", "processes:1", "processes:2", "ray:2")}
    alone = found["one"]
    against = f"one process {alone['wall']:.1f} s, {1000 * alone['engine'] / TRIALS:.3f} ms"
    measured = [(f"engine {name}", _costs(one), against) for name, one in found.items()]
    return [*measured, *_simulated(found["processes:2"])]


def _costs(one: dict[str, float]) -> str:
    engine, workers = (1000 * one[who] / TRIALS for who in ("engine", "workers"))
    return f"{one['wall']:.1f} s; CPU a trial: engine {engine:.3f} ms, workers {workers:.3f} ms"


def _simulated(one: dict[str, float]) -> list[tuple[str, str, str]]:
    engine, worker = one["engine"] / TRIALS, one["workers"] / TRIALS
    merging = 1.0 / engine
    fast = [min(number / worker, merging) for number in WORKERS]
    slow = [min(number * min(IN_FLIGHT / SECONDS_OF_A_MODEL, 1.0 / worker), merging) for number in WORKERS]
    full = next((number for number in range(1, 10_000) if number / worker >= merging), 0)
    patient = next((number for number in range(1, 10_000) if number * IN_FLIGHT / SECONDS_OF_A_MODEL >= merging), 0)
    return [
        (
            f"simulated, a model that answers at once: trials a second with {_listed(WORKERS)} workers",
            _listed(round(rate) for rate in fast),
            f"merging saturates at {merging:.0f} a second, with {full} workers",
        ),
        (
            f"simulated, a model that takes {SECONDS_OF_A_MODEL:.0f} s, {IN_FLIGHT} calls in flight for each worker",
            _listed(round(rate) for rate in slow),
            f"merging saturates with {patient} workers",
        ),
    ]


def _listed(numbers: object) -> str:
    return ", ".join(f"{number:,}" for number in numbers)  # type: ignore[attr-defined]  # any iterable of numbers


def _in_a_process(name: str, url: str) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.spread", name, url]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def _cpu(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def _cpu_of(pid: int) -> float:
    text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _measure(name: str, url: str) -> None:
    import duckdb  # noqa: F401, PLC0415 - the process that measures, not the one that starts it

    from shinrai.check import check, crew, runs  # noqa: F401, PLC0415 - as above
    from shinrai.records import Budget  # noqa: PLC0415 - as above
    from tests.check.town import HERE, found  # noqa: PLC0415 - as above

    used, marks = {"workers": 0.0}, {"begun": 0.0, "wall": 0.0}
    begin, end = crew.Crew.begin, crew.Crew.end
    before: dict[int, float] = {}

    async def begun(one: crew.Crew, *given: object) -> None:
        await begin(one, *given)  # type: ignore[arg-type]  # passed on as it came
        before.update({pid: _cpu_of(pid) for pid in one.pids})
        marks["begun"], marks["wall"] = _cpu(resource.RUSAGE_SELF), time.perf_counter()

    async def ended(one: crew.Crew) -> None:
        used["workers"] += sum(_cpu_of(pid) - before[pid] for pid in one.pids)
        await end(one)

    setattr(crew.Crew, "begin", begun)  # noqa: B010 - looked at while they work
    setattr(crew.Crew, "end", ended)  # noqa: B010 - as above
    with tempfile.TemporaryDirectory() as folder:
        town = found(Path(folder) / "town")
        undecided(town, url, TRIALS)
        marks["begun"], marks["wall"] = _cpu(resource.RUSAGE_SELF), time.perf_counter()
        [verdict] = check(town.root, town.ledger, budget=Budget(calls=TRIALS), allowed_hosts=HERE, engine=name)
        assert verdict.counts.total == TRIALS, verdict
        figures = {
            "wall": time.perf_counter() - marks["wall"],
            "engine": _cpu(resource.RUSAGE_SELF) - marks["begun"],
            "workers": used["workers"],
        }
        town.ledger.close()
    print(json.dumps(figures))


if __name__ == "__main__":
    if len(sys.argv) > 2:
        _measure(sys.argv[1], sys.argv[2])
    else:
        for what, figure, against in rows():
            print(f"{what:<60} {figure:<60} {against}")
