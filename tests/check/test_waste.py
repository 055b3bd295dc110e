"""Near a decision only so many calls go out as could still matter, and those that did not are counted."""

from __future__ import annotations

import random
from statistics import fmean

import pytest

from shinrai.check.events import RunEnded
from shinrai.check.gauges import gauge_for
from shinrai.records import Commitment, Text
from shinrai.stats import Decision
from tests.check.test_measuring import failing
from tests.check.town import Town
from tests.servers.endpoint import Reply, serving


def promise(limit: float) -> Commitment:
    return Commitment(
        claim="p/g/m/c",
        system="s",
        fingerprint="sha256:" + "0" * 64,
        check="c",
        check_version="1",
        title=Text(en="c"),
        statement=Text(en="c"),
        metric="failure-rate",
        comparator="at-most",
        threshold=limit,
        alpha=0.05,
        budget=20_000,
        order_seed=7,
    )


def run_in_rounds(limit: float, rate: float, cap: int, seed: int) -> tuple[int, int, Decision | None]:
    """Send as many as the gauge asks for, at most the cap; all come back; look after each. Give sent and used."""
    draw = random.Random(seed)  # noqa: S311 - the same draws in every run of the test
    gauge = gauge_for(promise(limit), 20_000)
    sent = used = 0
    while gauge.decision is None and sent < 20_000:
        batch = min(cap, gauge.reach(), 20_000 - sent)
        sent += batch
        for _trial in range(batch):
            if gauge.decision is None:
                used += 1
                gauge.feed("fail" if draw.random() < rate else "pass", None)
    return sent, used, gauge.decision


# Calls sent with an adaptive batch of at most 64, one by one beside it: statistics.md, table of section 2.5 (means of
# many runs; their standard error here is a few per cent).
@pytest.mark.parametrize(
    ("limit", "ratio", "adaptive", "one_by_one"),
    [
        *[(0.02, 0.0, 211, 211), (0.02, 0.25, 427, 427), (0.02, 2.0, 552, 521), (0.02, 3.0, 195, 162)],
        *[(0.1, 0.0, 41, 41), (0.1, 0.25, 81, 81), (0.1, 2.0, 120, 89), (0.1, 3.0, 55, 27)],
    ],
)
def test_no_more_is_sent_than_the_reference_sends(limit: float, ratio: float, adaptive: int, one_by_one: int) -> None:
    runs = [run_in_rounds(limit, limit * ratio, 64, seed) for seed in range(60 if limit < 0.1 else 150)]
    sent, used = fmean(run[0] for run in runs), fmean(run[1] for run in runs)
    assert used == pytest.approx(one_by_one, rel=0.25)
    assert sent - used <= 1.15 * (adaptive - one_by_one) + 1
    if ratio < 1:
        assert sent == used  # a clean batch that completes "met" ends exactly with its last trial
    assert sum(run[2] is (Decision.MET if ratio < 1 else Decision.VIOLATED) for run in runs) > 0.85 * len(runs)


async def test_what_was_spent_saved_and_wasted_is_written_down(town: Town) -> None:
    with serving(failing(0.5)) as endpoint:
        town.chat(endpoint.url)
        town.prompts(400)
        town.promise()
        town.promise("p/g/m/other", threshold=0.25)
        verdicts = await town.check(watch=True)
    asked = sum(endpoint.log.asked.values())
    details, calls = town.finished().details, town.finished().calls
    used = {key for trial in town.trials() for key in trial.calls}
    assert {verdict.status for verdict in verdicts} == {"violated"}
    assert details["wasted"] == asked - len(used)
    assert details["wasted"] == calls - len(used) + details["abandoned"]
    assert details["saved"] == 400 - asked
    [ended] = [event for event in town.events if isinstance(event, RunEnded)]
    assert (ended.wasted, ended.saved) == (details["wasted"], details["saved"])


async def test_a_late_reply_is_kept_and_not_used(town: Town) -> None:
    """After a decision, replies still on their way are journalled, count for nothing, and are called wasted."""

    def behave(prompt: str, _attempt: int) -> Reply:
        return Reply("no", delay=0.05 if int(prompt.split()[1]) % 2 else 0.0)

    with serving(behave) as endpoint:
        town.chat(endpoint.url)
        town.prompts(200)
        town.promise(threshold=0.02)
        [verdict] = await town.check()
    assert verdict.status == "violated"
    details = town.finished().details
    assert details["wasted"] == sum(endpoint.log.asked.values()) - verdict.calls > 0
    assert len(town.trials()) == verdict.counts.total < len(town.journal())
    assert details["abandoned"] == sum(endpoint.log.asked.values()) - len(town.journal())
