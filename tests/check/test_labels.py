"""Labels: which replies are asked about, how files of them are read, and what verdict follows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shinrai.check.correcting import correct
from shinrai.check.labels import Labelled, Sheet, agreement, read_labels
from shinrai.check.replay import replay
from shinrai.errors import TamperedError, UsageError
from shinrai.records import Commitment, Judge, LabelPlan, Outcome, Text, Trial
from shinrai.stats import Decision
from tests.check.judged import CORRECTED, RUBRIC, judging, label, promise, sheet
from tests.check.town import Town
from tests.servers.endpoint import Reply, serving


async def _judged(town: Town, count: int = 200, use: Judge = CORRECTED, failing: int = 0, **changed: Any) -> Sheet:
    """Measure a claim with labels; every ``failing``-th reply is bad, and the judge sees it."""

    def target(prompt: str, _attempt: int) -> Reply:
        return Reply("no" if failing and int(prompt.split()[1]) % failing == 0 else "yes")

    town.prompts(count)
    changed.setdefault("threshold", 0.3)
    with serving(target) as tested, serving(judging()) as judges:
        town.chat(tested.url)
        town.chat(judges.url, system_id="judge")
        promise(town, use, **changed)
        await town.check()
    return sheet(town)


async def test_without_labels_there_is_no_verdict_and_nothing_is_asked_again(town: Town) -> None:
    found = await _judged(town, 40)
    verdict = town.state.judgements["p/g/m/c@assistant"][-1].verdict
    assert (verdict.status, verdict.reason) == ("not_measured", "labels-needed")
    assert len(found.trials) == 40
    assert await town.check() == []
    assert len(town.state.runs) == 1


async def test_the_first_of_each_block_is_labelled_and_the_rest_is_not(town: Town) -> None:
    found = await _judged(town, 43)
    assert [reply.position for reply in found.drawn] == [0, 5, 10, 15, 20, 25, 30, 35]
    assert len({reply.id for reply in found.drawn}) == 8
    assert all(str(reply.exchanges[0][0]).startswith("question ") for reply in found.drawn)
    assert all(answered == "yes" for reply in found.drawn for _asked, answered in reply.exchanges)


async def test_clean_labels_keep_the_promise_and_are_counted(town: Town) -> None:
    found = await _judged(town, 120)
    label(town, found, {reply.id: "pass" for reply in found.drawn})
    (verdict,) = await town.check()
    assert (verdict.status, verdict.reason) == ("met", "decided")
    assert verdict.upper is not None
    assert verdict.upper <= 0.3
    quality = verdict.details["judge"]
    assert quality["table"]["pass-pass"] == quality["labels"] == 24
    assert quality["people_alone"] > 0
    assert await town.check() == [], "the same labels give the same verdict, which is not written twice"


async def test_too_few_labels_say_that_more_are_needed_and_all_of_them_that_the_data_are_spent(town: Town) -> None:
    found = await _judged(town, 50)
    marks = [reply.id for reply in found.drawn]
    label(town, found, dict.fromkeys(marks[:3], "pass"))
    (verdict,) = await town.check()
    assert (verdict.status, verdict.reason) == ("undecided", "labels-needed")
    label(town, found, dict.fromkeys(marks, "pass"))
    (verdict,) = await town.check()
    assert (verdict.status, verdict.reason) == ("undecided", "data-spent")


async def test_labels_that_came_out_of_order_count_up_to_the_first_gap(town: Town) -> None:
    found = await _judged(town, 120)
    marks = [reply.id for reply in found.drawn]
    label(town, found, dict.fromkeys(marks[1:], "pass"))
    (verdict,) = await town.check()
    assert (verdict.status, verdict.reason) == ("undecided", "labels-needed")
    assert verdict.estimate is None
    label(town, found, {marks[0]: "pass"})
    assert (await town.check())[0].status == "met"


async def test_two_who_disagree_everywhere_prove_nothing(town: Town) -> None:
    found = await _judged(town, 120)
    marks = [reply.id for reply in found.drawn]
    first = {mark: "pass" if number % 2 else "fail" for number, mark in enumerate(marks)}
    label(town, found, first, by="office")
    label(town, found, {mark: "fail" if said == "pass" else "pass" for mark, said in first.items()}, by="board")
    verdict = (await town.check())[-1]
    assert (verdict.status, verdict.reason) == ("undecided", "data-spent")
    quality = verdict.details["judge"]
    assert quality["unknown"] == len(marks)
    assert quality["agreement"]["kappa"] == pytest.approx(-1.0)
    assert (verdict.lower, verdict.upper) == (0.0, 1.0)


async def test_a_later_label_of_the_same_person_counts(town: Town) -> None:
    found = await _judged(town, 120)
    marks = [reply.id for reply in found.drawn]
    label(town, found, dict.fromkeys(marks, "fail"))
    assert (await town.check())[0].status == "violated"
    label(town, found, dict.fromkeys(marks, "pass"))
    assert (await town.check())[0].status == "met"


async def test_confirmed_flags_prove_a_violation_with_fewer_labels(town: Town) -> None:
    use = CORRECTED.model_copy(update={"labels": LabelPlan(every=5, confirm_flags=True)})
    found = await _judged(town, 100, use, failing=2)
    assert len(found.flagged) == 50
    label(town, found, {reply.id: "fail" for reply in found.flagged[:25]})
    (verdict,) = await town.check()
    assert verdict.status == "violated"
    assert verdict.details["judge"]["flags"] == 25


async def test_flags_that_people_refute_prove_nothing(town: Town) -> None:
    use = CORRECTED.model_copy(update={"labels": LabelPlan(every=5, confirm_flags=True)})
    found = await _judged(town, 100, use, failing=2)
    label(town, found, {reply.id: "pass" for reply in found.flagged})
    (verdict,) = await town.check()
    assert verdict.status != "violated"


async def test_trials_without_a_reply_are_unknown_and_nobody_is_asked_about_them(town: Town) -> None:
    town.prompts(100)

    def target(prompt: str, _attempt: int) -> Reply:
        return Reply(status=400) if int(prompt.split()[1]) % 2 else Reply("yes")

    with serving(target) as tested, serving(judging()) as judges:
        town.chat(tested.url)
        town.chat(judges.url, system_id="judge")
        promise(town, CORRECTED)
        await town.check()
    found = sheet(town)
    assert 0 < len(found.drawn) < 20
    label(town, found, {reply.id: "pass" for reply in found.drawn})
    (verdict,) = await town.check()
    assert verdict.status == "undecided"
    assert verdict.upper is not None
    assert verdict.upper > 0.5


async def test_a_kept_file_that_was_changed_is_found_out(town: Town) -> None:
    found = await _judged(town, 50)
    label(town, found, {found.drawn[0].id: "pass"})
    (kept,) = (town.root / ".shinrai/evidence").iterdir()
    kept.write_text(kept.read_text().replace("pass", "fail"))
    with pytest.raises(TamperedError, match="gone or was changed"):
        await town.check()


async def test_a_pass_rate_is_told_as_one(town: Town) -> None:
    found = await _judged(town, 120, metric="pass-rate", comparator="at-least", threshold=0.7)
    label(town, found, {reply.id: "pass" for reply in found.drawn})
    (verdict,) = await town.check()
    assert verdict.status == "met"
    assert verdict.estimate == 1.0
    assert verdict.lower is not None
    assert verdict.lower >= 0.7
    assert all(point.upper == 1.0 for point in verdict.trace)


# ---- files of labels

KNOWN = ["0123456789ab", "abcdef012345"]


@pytest.mark.parametrize(
    "content",
    [
        b"id,label\n0123456789ab,pass\n",
        b"\xef\xbb\xbfid;question;label\r\n0123456789ab;a, b;PASS\r\nabcdef012345;;\r\n",
        "label\treply\tid\npass\t応答\t0123456789ab\n".encode("cp932"),
        b'id,reply,label\n0123456789ab,"two\nlines, and ""quotes""",pass\n',
    ],
)
def test_what_spreadsheets_save_is_read(content: bytes) -> None:
    assert read_labels(content, KNOWN, shown_as="a.csv") == {"0123456789ab": "pass"}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"id,label\nfedcba987654,pass\n", "labels.unknown-reply"),
        (b"id,label\n0123456789ab,good\n", "labels.no-label"),
        (b"id,label\n0123456789ab,false\n", "labels.no-label"),
        (b"id,label\n0123456789ab,pass\n0123456789ab,fail\n", "labels.twice"),
        (b"id,label\n0123456789ab,\n", "labels.none"),
        (b"id,verdict\n0123456789ab,pass\n", "labels.no-column"),
        (b"", "labels.no-column"),
        (b"id,label\n\x81", "labels.not-text"),
    ],
)
def test_bad_files_are_refused_whole(content: bytes, code: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_labels(content, KNOWN, shown_as="a.csv")
    assert caught.value.code == code


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        found = read_labels(content, KNOWN, shown_as="a.csv")
    except UsageError:
        return
    assert set(found) <= set(KNOWN)


@given(st.dictionaries(st.sampled_from(KNOWN), st.sampled_from(["pass", "fail", "unclear"]), min_size=1))
def test_what_was_written_is_what_is_read(said: dict[str, str]) -> None:
    content = "id,label\n" + "".join(f"{mark},{one}\n" for mark, one in said.items())
    assert read_labels(content.encode(), KNOWN, shown_as="a.csv") == said


# ---- the tests behind it


def _commitment(plan: LabelPlan, limit: float = 0.2) -> Commitment:
    return Commitment.model_validate(
        {
            "claim": "p/g/m/c",
            "system": "assistant",
            "fingerprint": "sha256:" + "0" * 64,
            "check": "c",
            "check_version": "1",
            "title": Text(en="t"),
            "statement": Text(en="s"),
            "metric": "failure-rate",
            "comparator": "at-most",
            "threshold": limit,
            "alpha": 0.05,
            "budget": 10_000,
            "order_seed": 1,
            "scorer": {"use": Judge(id="judge", system="judge", rubric=RUBRIC, labels=plan), "version": "1"},
        }
    )


def _wrong_verdicts(truth: float, sensitivity: float, specificity: float, plan: LabelPlan, runs: int) -> int:
    """Count verdicts "violated" where the rate is exactly at the limit, with labels until the test stops."""
    chance = np.random.default_rng(5)
    commitment = _commitment(plan, truth)
    wrong = 0
    for _run in range(runs):
        trials, said = [], {}
        for position in range(300):
            fails = chance.random() < truth
            flagged = chance.random() < (sensitivity if fails else 1 - specificity)
            opinion: Outcome = "fail" if flagged else "pass"
            trials.append(Trial(position, f"i{position}", (), "d", opinion))
            said[position] = "fail" if fails else "pass"
        found = Sheet(commitment, "sha256:" + "0" * 64, trials, {})
        labels = Labelled({"office": {one.id: said[one.position] for one in found.known.values()}})  # type: ignore[misc]  # labels
        wrong += correct(found, labels).decision is Decision.VIOLATED
    return wrong


@pytest.mark.parametrize(("sensitivity", "specificity"), [(0.9, 0.9), (0.2, 0.3), (1.0, 0.0)])
def test_both_ways_together_are_wrong_no_more_often_than_promised(sensitivity: float, specificity: float) -> None:
    """With flags confirmed, too, each way has half the level: at the limit, at most 5 % (and 3.7 sigma) are wrong."""
    wrong = _wrong_verdicts(0.2, sensitivity, specificity, LabelPlan(every=5, confirm_flags=True), 60)
    assert wrong <= 9


def test_agreement_leaves_out_what_was_unclear() -> None:
    labels = Labelled(
        {
            "a": {"1": "pass", "2": "fail", "3": "unclear", "4": "pass"},
            "b": {"1": "pass", "2": "fail", "3": "fail", "5": "pass"},
            "c": {"1": "fail"},
        }
    )
    found = agreement(labels)
    assert found is not None
    assert (found.n, found.agreed, found.kappa) == (2, 1.0, 1.0)
    assert agreement(Labelled({"a": {"1": "pass"}})) is None


async def test_a_verdict_from_labels_comes_out_again_from_its_trials_and_labels(town: Town) -> None:
    found = await _judged(town, 120)
    marks = [reply.id for reply in found.drawn]
    label(town, found, dict.fromkeys(marks[:3], "pass"))
    await town.check()
    label(town, found, dict.fromkeys(marks, "pass"))
    await town.check()
    again = replay(town.root, town.ledger)
    assert again.first is None, again.summary()
    assert again.verdicts == 3
    assert again.rescored >= 120, "judged trials are made again from the judge's replies"
