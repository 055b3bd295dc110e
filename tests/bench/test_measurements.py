"""The measurements still run: what they measure is not judged here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


def test_the_engine_alone_can_be_measured() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench.scale", "500"], capture_output=True, text=True, check=False, timeout=200
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["disk"] > 0


_WORKERS = """
import bench.spread
from bench.engine import _endpoint

bench.spread.TRIALS = 50
with _endpoint(0.0) as url:
    bench.spread._measure("processes:2", url)
"""


def test_requirements_can_be_measured() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from bench.requirements import measure; print(*measure(30, 310))"],
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[3]) == 30 * 310


def test_several_workers_can_be_measured() -> None:
    done = subprocess.run([sys.executable, "-c", _WORKERS], capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["workers"] >= 0


def test_many_systems_can_be_measured() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench.systems", "20"], capture_output=True, text=True, check=False, timeout=200
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["load"] > 0


_PEERS = """
import bench.peers

bench.peers.SIZES, bench.peers.LATENCIES = (30,), (0.0,)
for row in bench.peers.rows():
    print(*row, sep="|")
"""


def test_peers_that_are_not_there_are_said_not_to_be(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PEERS],
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
        env={**os.environ, "BENCH_PEERS": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    figures = dict(line.split("|")[:2] for line in done.stdout.splitlines())
    how = "30 trials, replies after 0 ms"
    assert "ms of CPU a trial" in figures.pop(f"shinrai, {how}")
    assert figures == {f"{name}, {how}": "not there" for name in ("inspect", "promptfoo", "deepeval", "lm-eval")}
