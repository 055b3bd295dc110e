"""``kill -9`` at 200 moments of runs in processes of their own: what is lost, asked again, or changed by it.

40 runs of three promises on a mock endpoint are killed five times each, every time after another number of replies
has been written down, and then let end. ``python -m bench.kills 20`` takes fewer.
"""

import sys
import tempfile
from pathlib import Path

from tests.check.processes import killed

KILLS = 200


def rows(kills: int = KILLS) -> list[tuple[str, str, str]]:
    """Measure, as (what, figure, against)."""
    with tempfile.TemporaryDirectory() as folder:
        found = killed(Path(folder), kills)
    what = f"`kill -9`, {found.kills} times, {found.alive} of them while the process was at work"
    return [
        (f"{what}: finished calls lost", f"{found.lost}", "0"),
        (f"{what}: finished calls asked again", f"{found.asked_again}", "0"),
        (f"{what}: runs whose verdicts differ from an undisturbed one", f"{found.changed} of {found.kills // 5}", "0"),
    ]


if __name__ == "__main__":
    for what, figure, against in rows(int(sys.argv[1]) if len(sys.argv) > 1 else KILLS):
        print(f"{what:<70} {figure:<24} {against}")
