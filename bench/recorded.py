"""Calls to a verdict on recorded real replies, in random orders, beside runs of a fixed size and of the whole set.

The replies are those of the demo: an embedded language model, as it comes and behind a guard, on the prompts that
Shinrai ships, and a tabular model on its records. ``shinrai demo --into`` makes them in a temporary folder;
``python -m bench.recorded FOLDER`` takes those of a folder that is there already.

Of each promise that the demo measured to the end of its data, the outcomes are drawn again in 400 random orders:

- as traffic, with replacement, at most ten times the fixed size, through `ProportionTest`;
- as the data set that they are, without replacement, through `FinitePopulationTest`.

The fixed size is that of an exact one-sided test with power 0.9 at the rate that the replies show.
"""

import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import mean, quantiles

from shinrai.check.archive import read_trials, run_files
from shinrai.ledger import Ledger
from shinrai.records import Outcome, RunFinished
from shinrai.stats import FinitePopulationTest, ProportionTest, fixed_sample_size
from shinrai.workspace import load_settings

ALPHA = 0.05
ORDERS = 400
LIMITS = (0.1, 0.2, 0.4)
FEWEST = 40
SEED = 7

_READ: dict[Outcome, tuple[int, int]] = {"pass": (0, 0), "fail": (1, 1)}  # anything else may have been either
_Test = ProportionTest | FinitePopulationTest


def rows(folder: Path | None = None) -> list[tuple[str, str, str]]:
    """Measure, as (what, figure, against)."""
    if folder is not None:
        return [row for name, outcomes in _recorded(folder) for row in _replayed(name, outcomes)]
    with tempfile.TemporaryDirectory() as scratch:
        town = Path(scratch) / "town"
        shinrai = Path(sys.executable).parent / "shinrai"
        subprocess.run([shinrai, "demo", "--into", town], stdout=subprocess.DEVNULL, check=True)
        return rows(town)


def _recorded(root: Path) -> list[tuple[str, Sequence[Outcome]]]:
    """Outcomes of the claims that were measured to the end of their data, each system version on its own."""
    with Ledger.open(load_settings(root).store, root=root) as ledger:
        state = ledger.state()
    promises = {one.digest: one.commitment for found in state.history.values() for one in found}
    found: list[tuple[str, Sequence[Outcome]]] = []
    for run in state.runs.values():
        if isinstance(run.finished, RunFinished):
            outcomes: dict[str, list[Outcome]] = {}
            for trial in read_trials(run_files(root, run.finished, "trials")):
                outcomes.setdefault(trial.commitment, []).append(trial.outcome)
            for digest, ended in outcomes.items():
                promise = promises[digest]
                whole = promise.data is not None and len(ended) == promise.data.items >= FEWEST
                if whole and promise.failure_limit is not None:
                    name = f"{promise.claim.rpartition('/')[2]} of {promise.system}, {run.started.run}"
                    found.append((name, ended))
    return found


def _replayed(name: str, outcomes: Sequence[Outcome]) -> list[tuple[str, str, str]]:
    counts = Counter(outcomes)
    rate, size = counts["fail"] / len(outcomes), len(outcomes)
    table = []
    for limit in LIMITS:
        chance = random.Random(SEED)
        fixed = fixed_sample_size(limit, ALPHA, rate / limit) if rate != limit else 0
        horizon = 10 * max(fixed, size)
        traffic = _calls(
            lambda: ProportionTest(limit, ALPHA, horizon),  # noqa: B023 - called at once
            lambda: chance.choices(outcomes, k=horizon),  # noqa: B023 - called at once
        )
        whole = _calls(
            lambda: FinitePopulationTest(limit, ALPHA, size),  # noqa: B023 - called at once
            lambda: chance.sample(outcomes, k=size),  # noqa: B023 - called at once
        )
        table.append(
            (
                f"{name}: {counts['fail']} of {size} fail, limit {limit:g}",
                f"as traffic {_said(traffic)}; as a data set {_said(whole)}",
                f"fixed size {fixed:,}; whole set {size:,}",
            )
        )
    return table


def _calls(new: Callable[[], _Test], order: Callable[[], Sequence[Outcome]]) -> list[tuple[int, bool]]:
    """Count the calls of each order, and tell whether they ended in a verdict."""
    found = []
    for _order in range(ORDERS):
        test = new()
        for outcome in order():
            test.update(*_READ.get(outcome, (0, 1)))
            if test.decision is not None:
                break
        found.append((test.n, test.decision is not None))
    return found


def _said(found: Sequence[tuple[int, bool]]) -> str:
    calls = [n for n, _decided in found]
    decided = mean(decided for _n, decided in found)
    in_95 = quantiles(calls, n=20)[-1]
    return f"{mean(calls):,.0f} calls, {in_95:,.0f} in 95 %, {decided:.0%} with a verdict"


if __name__ == "__main__":
    for what, figure, against in rows(Path(sys.argv[1]) if len(sys.argv) > 1 else None):
        print(f"{what:<70} {figure:<100} {against}")
