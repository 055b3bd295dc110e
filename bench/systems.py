"""Loading many systems, and what hangs on what among them.

A workspace of 10,000 system files on 300 shared components is written, loaded and looked through. The floor is the
reading of the same files by PyYAML's C loader, in the same process.
``python -m bench.systems 10000`` measures one size.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import yaml

from shinrai.ledger.projection import State
from shinrai.report.stack import overview
from shinrai.report.stack_picture import stack_picture
from shinrai.workspace import load, stack_graph

SIZES = (1_000, 10_000)
COMPONENTS = 300


def rows() -> list[tuple[str, str, str]]:
    """Measure, as (what, figure, against)."""
    found = []
    for size in SIZES:
        one = _in_a_process(size)
        found += [
            (
                f"load {size:,} system files",
                f"{one['load']:.1f} s of CPU, {one['memory']:.0f} MB",
                f"{one['load'] / one['floor']:.1f} × PyYAML's C loader on the same files ({one['floor']:.1f} s)",
            ),
            (
                f"single points, concentration and picture of {size:,} systems",
                f"{one['overview']:.1f} s of CPU",
                f"{1000 * one['overview'] / size:.2f} ms a system, on {COMPONENTS} shared components",
            ),
        ]
    return found


def _in_a_process(size: int) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.systems", str(size)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def found(root: Path, size: int) -> None:
    """Write a workspace of so many systems; each needs three components, and one of two models."""
    for name in ("systems", "components"):
        (root / name).mkdir(parents=True)
    (root / "shinrai.yaml").write_text(
        "id: town\nname: {en: Town}\norder_seed: 7\nallowed_hosts: [127.0.0.1]\n", encoding="utf-8"
    )
    for number in range(COMPONENTS):
        below = f"needs: [c{number // 2}]\n" if number else ""
        (root / f"components/c{number}.yaml").write_text(
            f"id: c{number}\ntype: {('model', 'data', 'compute')[number % 3]}\ntitle: {{en: Component {number}}}\n"
            f"supplier: Supplier {number % 17}\nsupplier_country: {('JP', 'US', 'DE')[number % 3]}\n"
            f"substitutes: [{{name: other, days: {number % 60}}}]\n{below}",
            encoding="utf-8",
        )
    for number in range(size):
        first, other = number % COMPONENTS, (number * 7 + 1) % COMPONENTS
        (root / f"systems/s{number:05}.yaml").write_text(
            f"""id: s{number}
title: {{ja: システム{number}, en: System {number}}}
kind: chat
purpose: {{ja: 質問に答える, en: Answers questions about {number}}}
owner: office
users: {{en: residents}}
affected: {{en: residents and their families}}
operator: [provider]
stage: operation
gates:
  - {{into: operation, day: 2026-04-01, by: office, record: minutes {number}}}
autonomy: proposes
human_review: true
data: [personal]
deployment: {{reach: public, host: supplier, countries: [JP], areas: [welfare], people: {number}}}
benefit: {{expected: {{en: shorter waits}}, indicator: waiting-time, better: lower, target: 5}}
risks: [{{en: wrong advice}}]
needs: [c{(number * 3) % COMPONENTS}]
stack:
  - {{id: rules, type: instructions, text: "Answer in one sentence, in the language of the question."}}
  - id: model
    type: endpoint
    url: http://127.0.0.1:9/v1
    model: m{number % 5}
    needs: [[c{first}, c{other if other != first else (first + 1) % COMPONENTS}]]
""",
            encoding="utf-8",
        )


def measure(size: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        found(root, size)
        start = time.process_time()
        for path in sorted((root / "systems").iterdir()):
            yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        floor = time.process_time() - start
        start = time.process_time()
        workspace = load(root)
        loaded = time.process_time() - start
        start = time.process_time()
        graph = stack_graph(workspace.systems.values(), workspace.components)
        seen = overview(graph, State(), date(2026, 11, 23), 30)
        stack_picture(seen)
        looked = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"floor": floor, "load": loaded, "overview": looked, "memory": peak}


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(int(sys.argv[1]))))
    else:
        for what, figure, against in rows():
            print(f"{what:<72} {figure:<28} {against}")
