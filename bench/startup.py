"""How much CPU it takes to start: ``shinrai --help`` against ``python -c pass``."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

_RUNS = 15


def cpu(command: Sequence[str]) -> float:
    """Measure the CPU seconds (user and system) of one run of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "LANG": "C.UTF-8"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def rows() -> list[tuple[str, str, str]]:
    """Measure in turn, so that both see the same machine."""
    shinrai = str(Path(sys.executable).parent / "shinrai")
    floor_command = [sys.executable, "-c", "pass"]
    helped, floor = [], []
    for _ in range(_RUNS):
        helped.append(cpu([shinrai, "--help"]))
        floor.append(cpu(floor_command))
    return [
        (
            "CPU of `shinrai --help`",
            f"{1000 * median(helped):.0f} ms",
            f"{median(helped) / median(floor):.1f}× `python -c pass` ({1000 * median(floor):.0f} ms)",
        )
    ]


if __name__ == "__main__":
    for row in rows():
        print(*row, sep="  |  ")
