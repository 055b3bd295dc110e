"""Run every measurement and write the table."""

from __future__ import annotations

import importlib
import os
import platform
from pathlib import Path

_MODULES = {
    "bench.startup": "Start-up",
    "bench.engine": "Check engine against a bare aiohttp loop, same mock endpoint, same run",
    "bench.scale": "Check engine alone, against the number of trials",
    "bench.peers": "Other harnesses on the same trials, same mock endpoint, same run",
    "bench.spread": "Several workers",
    "bench.kills": "Killed at any moment",
    "bench.faults": "One call in twenty fails",
    "bench.recorded": "Calls to a verdict on recorded real replies",
    "bench.stats_calls": "Sequential tests: calls to a verdict",
    "bench.statistics_tables": "Sequential tests: exact tables beside those of an independent program",
    "bench.statistics_simulations": "Sequential tests by simulation, against an independent program",
    "bench.judges": "Judges corrected by labels, by simulation",
    "bench.judge_real": "A real judge: the embedded model, on replies that were labelled by hand",
    "bench.indicators": "Indicators of a plan",
    "bench.ledger": "Ledger",
    "bench.imports": "Importing what other tools wrote: seconds and largest memory, against the tool's own totals",
    "bench.systems": "Many systems",
    "bench.requirements": "Requirements",
    "bench.reviews": "Project reviews of the ministries",
    "bench.plan_versions": "Two versions of a large plan",
}

_HEAD = """# Benchmarks

Ratios to a bare floor measured in the same run, never bare times: machines differ, ratios hold. Made by `make bench`;
one part alone with `python -m {example}`.

"""


def main() -> None:
    """Measure everything, print it and write ``docs/benchmarks.md``."""
    text = [_HEAD.format(example="bench.engine")]
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    text.append(f"Measured on {machine}.\n\n")
    for module, title in _MODULES.items():
        measuring = importlib.import_module(module)
        note = f"{measuring.NOTE}\n\n" if hasattr(measuring, "NOTE") else ""
        text.append(f"## {title}\n\n`python -m {module}`\n\n{note}| what | figure | against |\n|---|---|---|\n")
        for row in measuring.rows():
            line = f"| {' | '.join(row)} |"
            print(line)
            text.append(f"{line}\n")
        text.append("\n")
    Path("docs/benchmarks.md").write_text("".join(text).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":  # not in the processes that measurements start
    main()
