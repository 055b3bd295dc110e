"""One call in twenty fails in each of the ways that targets fail: what becomes of the verdict.

A promise of at most 5 % on 100 items that all pass, on a mock endpoint. The fault comes either once for each of these
calls, so that trying again helps, or every time, so that their trials end as errors and count against the promise.
"""

import asyncio
import tempfile
from pathlib import Path

from shinrai.check.patience import Patience
from shinrai.records import Verdict
from tests.check.test_bad_targets import EVERY_TWENTIETH, FAULTS
from tests.check.town import found
from tests.servers.endpoint import Reply, serving


def rows() -> list[tuple[str, str, str]]:
    """Measure, as (what, figure, against)."""
    calm = _said(_measured(None, stays=False))
    return [
        (
            f"{name}, {'every time' if stays else 'at the first attempt'}",
            _said(_measured(FAULTS[name], stays=stays)),
            f"without faults {calm}",
        )
        for name in FAULTS
        for stays in (False, True)
    ]


def _measured(fault: Reply | None, *, stays: bool) -> Verdict:
    def behave(prompt: str, attempt: int) -> Reply:
        hit = fault is not None and prompt in EVERY_TWENTIETH and (stays or attempt == 1)
        return fault if hit and fault is not None else Reply()

    with tempfile.TemporaryDirectory() as folder, serving(behave) as endpoint:
        town = found(Path(folder) / "town")
        town.chat(endpoint.url, timeout=0.5)
        town.prompts(100)
        town.promise(threshold=0.05)
        [verdict] = asyncio.run(town.check(patience=Patience(first_wait=0.02)))
        town.ledger.close()
    return verdict


def _said(verdict: Verdict) -> str:
    counts = verdict.counts
    return f"{verdict.status} ({verdict.reason}), {counts.total} trials, {counts.error} of them errors"


if __name__ == "__main__":
    for what, figure, against in rows():
        print(f"{what:<40} {figure:<56} {against}")
