"""A claim stops when nothing that the rest of its trials could show would decide it, and never before."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from shinrai.check.gauges import Gauge, Reading, gauge_for
from tests.check.judged import CORRECTED, UNCORRECTED, judging
from tests.check.judged import promise as judged
from tests.check.test_measuring import failing
from tests.check.test_waste import promise
from tests.check.town import Town
from tests.servers.endpoint import Reply, serving

LIMIT, HORIZON = 0.2, 26


def _fed(readings: list[Reading]) -> Gauge:
    gauge = gauge_for(promise(LIMIT), HORIZON)
    for reading in readings:
        gauge.feed(reading, None)
    return gauge


def _open(gauge: Gauge, remaining: int) -> bool:
    return gauge.can_be_met(remaining) or gauge.can_be_violated(remaining)


@given(st.lists(st.sampled_from(["pass", "fail", "missing"]), min_size=1, max_size=HORIZON - 1), st.data())
def test_what_is_called_futile_is_decided_by_no_continuation(seen: list[Reading], data: st.DataObject) -> None:
    remaining = HORIZON - len(seen)
    gauge = _fed(seen)
    if gauge.decision is not None:
        return
    outcomes: st.SearchStrategy[Reading] = st.sampled_from(["pass", "fail"])
    drawn = data.draw(st.lists(outcomes, min_size=remaining, max_size=remaining))
    continuations: list[list[Reading]] = [["pass"] * remaining, ["fail"] * remaining, drawn]
    decided = [_decided_on_the_way(seen, rest) for rest in continuations]
    assert _open(gauge, remaining) == any(decided[:2])
    assert _open(gauge, remaining) or not decided[2]


def _decided_on_the_way(seen: list[Reading], rest: list[Reading]) -> bool:
    gauge = _fed(seen)
    for reading in rest:
        gauge.feed(reading, None)
    return gauge.decision is not None


def test_it_is_never_futile_at_the_start_where_a_verdict_is_in_reach() -> None:
    for limit, horizon in itertools.product((0.05, 0.1, 0.3), (100, 200)):
        gauge = gauge_for(promise(limit), horizon)
        assert gauge.can_be_met(horizon)
        assert gauge.can_be_violated(horizon)
        assert not gauge.can_be_met(1)


async def test_the_calls_that_could_decide_nothing_are_not_sent(town: Town) -> None:
    with serving(failing(0.1)) as endpoint:
        town.chat(endpoint.url)
        town.prompts(60)
        town.promise()
        [verdict] = await town.check()
        assert await town.check() == []
    assert (verdict.status, verdict.reason) == ("undecided", "futile")
    assert verdict.calls < 60
    assert verdict.calls + verdict.calls_saved == 60
    assert sum(endpoint.log.asked.values()) <= 60
    gauge, after = gauge_for(promise(0.1), 60), []
    for number, trial in enumerate(town.trials(), start=1):
        gauge.feed("fail" if trial.outcome == "fail" else "pass", None)
        after.append(_open(gauge, 60 - number))
    assert after == [True] * (verdict.calls - 1) + [False]


async def test_a_claim_that_labels_correct_is_never_given_up_for_futility(town: Town) -> None:
    """Its judge may be wrong about every reply: only people's labels could make it futile, and they come later."""

    def target(prompt: str, _attempt: int) -> Reply:
        return Reply("no" if int(prompt.split()[1]) % 10 == 0 else "yes")

    with serving(target) as tested, serving(judging()) as judges:
        town.chat(tested.url)
        town.chat(judges.url, system_id="judge")
        town.prompts(60)
        for claim, use in (("p/g/m/labelled", CORRECTED), ("p/g/m/bare", UNCORRECTED)):
            judged(town, use, claim=claim)
        verdicts = {one.claim: one for one in await town.check()}
    bare, labelled = verdicts["p/g/m/bare"], verdicts["p/g/m/labelled"]
    assert (bare.status, bare.reason) == ("undecided", "futile")  # the same replies, the same judge, the same limit
    assert bare.counts.total < 60
    assert (labelled.status, labelled.reason) == ("not_measured", "labels-needed")
    assert labelled.counts.total == 60
    assert labelled.calls_saved == 0
