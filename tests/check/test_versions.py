"""Two versions on the same items: what is proven of the difference, from what there is and from further calls."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from shinrai.act import gate_of_pairings, worst
from shinrai.check.pairing import Difference, comparable
from shinrai.check.versions import compare_versions
from shinrai.errors import UsageError
from shinrai.records import Budget, CommittedData, Judged, Outcome, Pairing, Verdict
from shinrai.report.versions import contests, forest, pairings
from tests.check.town import HERE, QUICK, Town
from tests.report.parts import promise
from tests.servers.endpoint import Endpoint, Reply, serving


def _answers(endpoint: Endpoint, rule: Callable[[int, str], str]) -> None:
    """Answer by the number of the question and by the model that is asked."""

    def behave(prompt: str, _attempt: int) -> Reply:
        model = str(endpoint.log.bodies[-1]["model"])
        return Reply(rule(int(prompt.split()[1]), model))

    endpoint.behave = behave


async def _compare(town: Town, against: str = "before", **options: Any) -> list[Pairing]:
    options.setdefault("budget", Budget(calls=10_000))
    return await compare_versions(town.root, town.ledger, against, allowed_hosts=HERE, patience=QUICK, **options)


async def _two_versions(town: Town, endpoint: Endpoint, count: int = 200, **changed: Any) -> None:
    """Measure a promise on version 1 (model ``old``), then on version 2 (model ``new``)."""
    town.prompts(count)
    for model in ("old", "new"):
        town.chat(endpoint.url, model=model)
        town.promise(**{"threshold": 0.3, "margin": 0.2, **changed})
        await town.check()


async def test_a_repair_is_better_from_the_trials_that_there_are(town: Town) -> None:
    with serving() as endpoint:
        _answers(endpoint, lambda _n, model: "yes" if model == "new" else "no")
        await _two_versions(town, endpoint)
        asked = len(endpoint.log.bodies)
        (kept,) = pairings(town.root, town.state)
        assert len(endpoint.log.bodies) == asked
    assert (kept.number, kept.against_number) == (2, 1)
    assert kept.fixed == kept.pairs > 0
    assert kept.broken == 0
    assert kept.estimate == 1.0


async def test_further_calls_decide_what_the_trials_so_far_do_not(town: Town) -> None:
    with serving() as endpoint:
        _answers(endpoint, lambda _n, model: "yes" if model == "new" else "no")
        await _two_versions(town, endpoint)
        before = dict(endpoint.log.asked)
        (found,) = await _compare(town)
        assert found.status == "met"
        assert found.pairs < 200
        again = dict(endpoint.log.asked)
        assert (await _compare(town))[0].pairs == found.pairs
        assert dict(endpoint.log.asked) == again, "what was asked for one comparison counts for the next"
        assert all(again[question] <= 2 for question in before), "each version is asked a question once"
    assert town.state.pairings[-1][1].fixed == found.fixed
    assert [one.estimate for one in pairings(town.root, town.state)] == [found.estimate]


async def test_a_task_of_inspect_that_needs_more_trials_is_refused_and_said_why(town: Town) -> None:
    digest = "sha256:" + "1" * 64
    task = {"name": "asking", "version": "0", "inspect": "0.3", "scorers": ["includes"]}
    data = {"use": {"inspect": {"task": "asking.py"}}, "digest": digest, "items": 9, "task": task}
    for model in ("old", "new"):
        town.chat("http://127.0.0.1:9/v1", model=model)
        town.promise(data=CommittedData.model_validate(data), budget=9, margin=0.2)
    with pytest.raises(UsageError, match="a task of Inspect runs for one version at a time") as refused:
        await _compare(town)
    assert refused.value.code == "compare.inspect"
    assert "`shinrai check compare` shows the samples that both versions have had so far" in str(refused.value.hint)
    assert not town.state.runs, "nothing was begun"


async def test_the_same_system_again_is_no_worse_and_not_better(town: Town) -> None:
    with serving() as endpoint:
        _answers(endpoint, lambda n, _model: "no" if n % 10 == 0 else "yes")
        await _two_versions(town, endpoint, 300)
        (found,) = await _compare(town)
    assert (found.status, found.direction) == ("met", "undecided")
    assert (found.fixed, found.broken, found.estimate) == (0, 0, 0.0)


async def test_a_version_that_broke_something_is_told_with_what_it_broke(town: Town) -> None:
    with serving() as endpoint:
        _answers(endpoint, lambda n, model: "no" if model == "new" and n % 2 else "yes")
        await _two_versions(town, endpoint, 300, threshold=0.4)
        (found,) = await _compare(town)
    assert (found.status, found.direction) == ("violated", "worse")
    assert found.broken > 0
    assert found.fixed == 0
    assert found.upper is not None
    assert found.upper < -0.0
    assert gate_of_pairings([found]) == 1


async def test_pairs_are_of_the_same_item_in_the_committed_order(town: Town) -> None:
    with serving() as endpoint:
        _answers(endpoint, lambda _n, _model: "yes")
        await _two_versions(town, endpoint, 100)
        await _compare(town)
    sides = [[trial.item for trial in town.trials(number)] for number in (3, 4)]
    assert sides[0] == sides[1]
    assert [trial.position for trial in town.trials(3)] == list(range(len(sides[0])))


async def test_another_system_can_be_the_other_side(town: Town) -> None:
    with serving() as endpoint:
        _answers(endpoint, lambda _n, model: "yes" if model == "new" else "no")
        town.prompts(200)
        for system, model in (("assistant", "new"), ("rival", "old")):
            town.chat(endpoint.url, system_id=system, model=model)
            town.promise(system=system, margin=0.1, threshold=0.3)
        await town.check()
        (found,) = await _compare(town, "rival")
    assert (found.system, found.against, found.status) == ("assistant", "rival", "met")
    (contest,) = contests(town.state)
    assert [(one.system, one.verdict.status) for one in contest.candidates] == [
        ("assistant", "met"),
        ("rival", "violated"),
    ]


async def test_missing_pairs_prove_nothing(town: Town) -> None:
    with serving() as endpoint:
        endpoint.behave = lambda prompt, _attempt: (
            Reply(status=400) if endpoint.log.bodies[-1]["model"] == "new" and int(prompt.split()[1]) % 2 else Reply()
        )
        await _two_versions(town, endpoint, 120)
        (found,) = await _compare(town)
    assert found.status in {"undecided", "not_measured"}
    assert found.missing > 0


async def test_the_budget_ends_asking_and_what_there_is_is_told(town: Town) -> None:
    with serving() as endpoint:
        _answers(endpoint, lambda n, model: "yes" if (n + (model == "new")) % 2 else "no")
        await _two_versions(town, endpoint, 300, margin=0.02)
        (found,) = await _compare(town, budget=Budget(calls=10))
    assert found.status == "undecided"


async def test_without_a_margin_there_is_a_difference_and_nothing_for_the_gate(town: Town) -> None:
    with serving() as endpoint:
        _answers(endpoint, lambda _n, _model: "yes")
        await _two_versions(town, endpoint, 60, margin=None)
        (found,) = await _compare(town)
    assert (found.status, found.margin) == ("not_measured", None)
    assert gate_of_pairings([found]) == 2


async def test_a_margin_that_was_changed_after_the_replies_asks_anew(town: Town) -> None:
    with serving() as endpoint:
        _answers(endpoint, lambda _n, _model: "yes")
        await _two_versions(town, endpoint, 100)
        town.promise(threshold=0.3, margin=0.4)
        assert pairings(town.root, town.state) == []
        asked = len(endpoint.log.bodies)
        await _compare(town)
        assert len(endpoint.log.bodies) > asked


@pytest.mark.parametrize(
    ("against", "code"),
    [("9", "compare.unknown-version"), ("2", "compare.unknown-version"), ("asistant", "compare.unknown-system")],
)
async def test_versions_that_are_not_there_are_told(town: Town, against: str, code: str) -> None:
    with serving() as endpoint:
        await _two_versions(town, endpoint, 30)
        with pytest.raises(UsageError) as caught:
            await _compare(town, against)
    assert caught.value.code == code


async def test_nothing_to_compare_is_told(town: Town) -> None:
    with serving() as endpoint:
        town.prompts(20)
        town.chat(endpoint.url)
        town.promise(threshold=0.3)
        await town.check()
        with pytest.raises(UsageError) as caught:
            await _compare(town)
    assert caught.value.code == "compare.nothing"


def test_the_gate_of_pairings_weighs_as_the_gate_of_claims() -> None:
    assert [worst(0, 3), worst(3, 1), worst(1, 2), worst(0, 0)] == [3, 1, 2, 0]
    assert gate_of_pairings([]) == 2


def _difference(margin: float) -> Difference:

    return Difference(promise("failure-rate", 0.3, margin=margin))


@pytest.mark.parametrize("agree", [0.0, 0.5, 0.9])
def test_no_worse_is_said_wrongly_no_more_often_than_promised(agree: float) -> None:
    """At a loss of exactly the margin, at most 5 % (and 3 sigma) of 100 comparisons say "no worse"."""
    chance = np.random.default_rng(3)
    wrong, margin, base = 0, 0.2, 0.8
    outcomes: tuple[Outcome, Outcome] = ("fail", "pass")
    for _run in range(100):
        found = _difference(margin)
        for _pair in range(150):
            b = chance.random() < base
            a = (
                b and chance.random() < 1 - margin / base
                if chance.random() < agree
                else chance.random() < base - margin
            )
            found.feed(outcomes[int(a)], outcomes[int(b)])
            if found.decided:
                break
        wrong += found._not_worse is not None and found._status() == "met"
    assert wrong <= 11


def _pairing(**changed: Any) -> Pairing:
    return Pairing.model_validate(
        {
            "commitment": "sha256:" + "0" * 64,
            "claim": "p/g/m/c",
            "system": "s",
            "number": 2,
            "fingerprint": "sha256:" + "0" * 64,
            "against": "s",
            "against_number": 1,
            "against_fingerprint": "sha256:" + "1" * 64,
            "margin": 0.05,
            "status": "met",
            "direction": "better",
            "pairs": 40,
            "fixed": 12,
            "broken": 1,
            "estimate": 0.275,
            "lower": 0.1,
            "upper": 0.44,
            "level": 0.9,
            **changed,
        }
    )


def test_a_forest_names_its_numbers_and_stays_inside() -> None:
    one = _pairing()
    picture = forest([one, one.model_copy(update={"estimate": None, "lower": None, "upper": None})])
    assert "+27.5 [+10.0, +44.0]" in picture
    assert picture.count("<circle") == 1
    assert 'class="limit"' in picture


def test_rows_of_one_table_share_their_scale() -> None:
    wide = _pairing(lower=-0.6, estimate=-0.4, upper=-0.2)
    narrow = _pairing(lower=0.02, estimate=0.05, upper=0.08, margin=None)
    together = [forest([one], [wide, narrow]) for one in (wide, narrow)]
    ticks = [re.findall(r'class="tick" x="([\d.]+)"[^>]*>([^<]+)<', picture) for picture in together]
    assert ticks[0] == ticks[1]
    assert ticks[0][1][1] == "-60.0"
    widths = [float(found.group(1)) for one in together if (found := re.search(r'<rect [^>]*width="([\d.]+)"', one))]
    assert widths[0] > 5 * widths[1]


def test_a_margin_that_lies_beyond_the_interval_is_drawn() -> None:
    picture = forest([_pairing(lower=-0.01, estimate=0.0, upper=0.01, margin=0.3)])
    assert "-30.0" in picture


@pytest.mark.parametrize(
    ("use", "possible"),
    [({"file": "q.jsonl"}, True), ({"file": "q.jsonl", "imported": "inspect"}, True), ({"imported": "inspect"}, False)],
)
def test_one_log_is_not_compared_with_itself(use: dict[str, str], possible: bool) -> None:
    """A promise on an imported log is decided from the very same replies whatever the version: no difference of it."""
    data = {"use": use, "digest": "sha256:" + "0" * 64, "items": 10}
    assert comparable(promise("failure-rate", 0.3, data=data)) is possible


async def test_the_same_evidence_makes_one_candidate(town: Town) -> None:
    with serving() as server:
        town.prompts(4)
        for model in ("first", "second"):
            system = town.chat(server.url, model=model)
            commitment = town.promise()
            verdict = Verdict(
                commitment=commitment.content_digest,
                claim=commitment.claim,
                system=system.id,
                status="met",
                reason="decided",
                evidence=("sha256:" + "1" * 64,),
            )
            town.ledger.append(Judged(verdict=verdict))
    assert contests(town.state) == []
