"""Claims that need no calls."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shinrai.check.claims import Claim
from shinrai.errors import TamperedError
from shinrai.records import (
    Attestation,
    Column,
    Commitment,
    EvidenceBrought,
    Import,
    Item,
    Observation,
    Outcome,
    Placed,
    Score,
    Verdict,
    digest_file,
)
from shinrai.stats import ProportionTest, binomial_interval
from tests.check.town import Town

TODAY = datetime.now(UTC).astimezone().date()


def attest(town: Town, *, until: date | None, effective: date = TODAY - timedelta(days=30), **changed: Any) -> None:
    copy = town.root / ".shinrai/evidence/c.pdf"
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_text("a person decides")
    document = {"subject": "contract", "name": "c.pdf", "file": ".shinrai/evidence/c.pdf", "by": "office"}
    document["file_digest"] = digest_file(copy)
    town.ledger.append(
        EvidenceBrought(
            evidence=Attestation.model_validate({**document, "effective": effective, "valid_until": until, **changed})
        )
    )


async def one(town: Town) -> Verdict:
    await town.check()
    judgement = town.state.judgement("p/g/m/c@assistant")
    assert judgement is not None
    return judgement.verdict


def outcome_claim(town: Town, **changed: Any) -> None:
    town.chat("http://127.0.0.1:9/v1")
    town.promise(data="none", **{"scorer": Column(id="column", column="x", rule="filled"), **changed})


async def test_a_document_is_there_expires_and_is_renewed(town: Town) -> None:
    outcome_claim(town, metric="attested", comparator="exists", threshold=None, subject="contract")
    verdict = await one(town)
    assert (verdict.status, verdict.reason) == ("not_measured", "no-evidence")
    attest(town, until=TODAY - timedelta(days=1))
    verdict = await one(town)
    assert (verdict.status, verdict.reason) == ("not_measured", "expired")
    attest(town, until=TODAY)
    verdict = await one(town)
    assert (verdict.status, verdict.details) == ("met", {"valid_until": TODAY.isoformat()})
    entry, _document = town.state.evidence[-1]
    assert verdict.evidence == (entry.hash,)
    assert await town.check() == []  # nothing new: no second verdict


@pytest.mark.parametrize(
    "changed", [{"subject": "other"}, {"system": "another"}, {"effective": TODAY + timedelta(days=2)}]
)
async def test_documents_on_something_else_do_not_count(town: Town, changed: dict[str, Any]) -> None:
    outcome_claim(town, metric="attested", comparator="exists", threshold=None, subject="contract")
    attest(town, until=None, **changed)
    assert (await one(town)).reason == "no-evidence"


def observe(town: Town, value: float, **changed: Any) -> None:
    facts = {"subject": "users", "unit": "share", "as_of": TODAY - timedelta(days=3), "source": "Statistics Bureau"}
    town.ledger.append(EvidenceBrought(evidence=Observation.model_validate({**facts, "value": value, **changed})))


@pytest.mark.parametrize(
    ("comparator", "threshold", "value", "status"),
    [
        ("at-least", 0.8, 0.8, "met"),
        ("at-least", 0.8, 0.79, "violated"),
        ("at-most", 0.8, 0.8, "met"),
        ("at-most", 0.8, 0.81, "violated"),
        ("within", (0.2, 0.4), 0.4, "met"),
        ("within", (0.2, 0.4), 0.1, "violated"),
    ],
)
async def test_a_value_is_compared_as_it_stands(
    town: Town, comparator: str, threshold: Any, value: float, status: str
) -> None:
    outcome_claim(town, metric="observed", comparator=comparator, threshold=threshold, subject="users")
    observe(town, value)
    verdict = await one(town)
    assert (verdict.status, verdict.estimate, verdict.lower) == (status, value, None)
    assert verdict.retrospective
    assert verdict.note is not None


@pytest.mark.parametrize(("sample", "status"), [(20, "undecided"), (2000, "met")])
async def test_a_sample_has_an_interval(town: Town, sample: int, status: str) -> None:
    outcome_claim(town, metric="observed", comparator="at-least", threshold=0.7, subject="users")
    observe(town, 0.8, sample=sample)
    verdict = await one(town)
    interval = binomial_interval(round(0.8 * sample), sample, 0.9)
    assert (verdict.status, verdict.lower, verdict.upper, verdict.level) == (
        status,
        interval.lower,
        interval.upper,
        interval.level,
    )


async def test_the_newest_observation_counts(town: Town) -> None:
    outcome_claim(town, metric="observed", comparator="at-least", threshold=0.7, subject="users")
    observe(town, 0.9)
    observe(town, 0.1, as_of=TODAY - timedelta(days=400))
    assert (await one(town)).estimate == 0.9


# ---- imported decisions


def bring(town: Town, rows: int, overridden: str) -> None:
    path = town.root / "decisions.csv"
    lines = [f"c{n},{'' if n % 10 == 9 else eval(overridden, {'n': n})}" for n in range(rows)]  # noqa: S307 - ours
    path.write_text("id,overridden\n" + "\n".join(lines) + "\n")
    town.ledger.append(
        EvidenceBrought(
            evidence=Import(
                format="decisions",
                system="assistant",
                name="decisions.csv",
                file="decisions.csv",
                file_digest=digest_file(path),
                rows=rows,
            )
        )
    )


@pytest.mark.parametrize(
    ("overridden", "where", "status", "reason"),
    [
        ("int(n % 5 == 0)", {"overridden": 1}, "violated", "decided"),
        ("int(n % 2 == 0)", None, "violated", "decided"),
        ("int(n % 5 == 0)", None, "met", "decided"),
        ("0", None, "undecided", "data-spent"),  # the empty cells could be what is missing
    ],
)
async def test_imported_rows_are_counted_to_the_end(
    town: Town, overridden: str, where: dict[str, Any] | None, status: str, reason: str
) -> None:
    town.chat("http://127.0.0.1:9/v1")
    bring(town, 300, overridden)
    scorer = Column(id="column", column="overridden", rule="equals", value=1)
    town.promise(
        data="decisions.csv",
        use={"imported": "decisions", "where": where},
        scorer=scorer,
        metric="rate-band",
        comparator="within",
        threshold=(0.05, 0.38),
    )
    verdict = await one(town)
    assert (verdict.status, verdict.reason, verdict.retrospective, verdict.run) == (status, reason, True, None)
    assert verdict.calls == 0
    if where is None:
        assert verdict.counts.total == 300
        assert verdict.counts.invalid == 30  # an empty cell is not a zero
    assert await town.check() == []
    (town.root / "decisions.csv").write_text("id,overridden\n")
    with pytest.raises(TamperedError):
        await town.check()


async def test_a_promise_on_data_that_were_never_imported(town: Town) -> None:
    town.chat("http://127.0.0.1:9/v1")
    (town.root / "decisions.csv").write_text("id,overridden\nc1,1\n")
    scorer = Column(id="column", column="overridden", rule="equals", value=1)
    town.promise(data="decisions.csv", use={"imported": "decisions"}, scorer=scorer)
    verdict = await one(town)
    assert (verdict.status, verdict.reason) == ("not_measured", "no-data")


# ---- the share of missing trials that may be left out


def test_leaving_out_a_share_keeps_the_error_level(town: Town) -> None:
    """At the threshold, with trials missing at random, a wrong verdict comes in at most 5 % of runs (+ 3 sigma)."""
    town.chat("http://127.0.0.1:9/v1")
    town.prompts(1)
    commitment = town.promise(budget=300, missing={"allow_share": 0.1, "reason": {"en": "known"}}, threshold=0.2)
    draw = random.Random(5)  # noqa: S311 - a simulation with a fixed seed
    runs, wrong = 600, {"met": 0, "violated": 0}
    for _run in range(runs):
        order = [Placed(Item(str(number), {})) for number in range(300)]

        def score(_item: Item, _requests: object, _calls: object) -> Score:
            if draw.random() < 0.09:
                return Score("invalid")
            return Score("fail" if draw.random() < 0.2 else "pass")

        claim = Claim(commitment, commitment.content_digest, order, kind=None, score=score)
        claim.take_all()
        if claim.decision is not None:
            wrong[claim.decision.value] += 1
    limit = 0.05 + 3 * (0.05 * 0.95 / runs) ** 0.5
    assert wrong["met"] / runs <= limit
    assert wrong["violated"] / runs <= limit
    assert sum(wrong.values()) > 0


@pytest.mark.parametrize("damage", ["edited", "gone"])
async def test_a_document_whose_copy_is_not_what_was_brought_attests_nothing(town: Town, damage: str) -> None:
    outcome_claim(town, metric="attested", comparator="exists", threshold=None, subject="contract")
    attest(town, until=None)
    copy = town.root / ".shinrai/evidence/c.pdf"
    copy.unlink() if damage == "gone" else copy.write_text("nobody decides")
    with pytest.raises(TamperedError) as caught:
        await town.check()
    assert caught.value.code == "workspace.evidence-changed"


# ---- every trial ends in one way, and enters the test as was committed


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(["pass", "fail", "invalid", "blocked", "error"]), min_size=1, max_size=60),
    st.sampled_from(["missing", "pass", "fail"]),
    st.sampled_from([0.1, 0.4]),
)
def test_every_outcome_is_counted_once_and_read_as_was_committed(
    outcomes: list[Outcome], blocked: str, threshold: float
) -> None:
    """Met needs every missing trial to have been a failure, violated every one to have been a pass."""
    commitment = Commitment.model_validate(
        {
            "claim": "p/g/m/c",
            "system": "s",
            "fingerprint": "sha256:" + "0" * 64,
            "check": "c",
            "check_version": "1",
            "title": {"en": "t"},
            "statement": {"en": "s"},
            "metric": "failure-rate",
            "comparator": "at-most",
            "threshold": threshold,
            "alpha": 0.05,
            "budget": len(outcomes),
            "order_seed": 1,
            "blocked": blocked,
        }
    )
    order = [Placed(Item(str(number), {})) for number in range(len(outcomes))]
    claim = Claim(
        commitment,
        commitment.content_digest,
        order,
        kind=None,
        score=lambda item, _requests, _calls: Score(outcomes[int(item.id)]),
    )
    claim.take_all()
    verdict = claim.conclude()
    counts = verdict.counts
    assert counts.total == len(outcomes)
    assert [counts.passed, counts.failed, counts.invalid, counts.blocked, counts.error] == [
        outcomes.count(kind) for kind in ("pass", "fail", "invalid", "blocked", "error")
    ]
    read = [blocked if outcome == "blocked" else outcome for outcome in outcomes]
    worst, best = (ProportionTest(threshold, 0.05, len(outcomes)) for _reading in range(2))
    ends: dict[str, int] = {}
    for number, reading in enumerate(read):
        worst.update(float(reading != "pass"), float(reading != "pass"))
        best.update(float(reading == "fail"), float(reading == "fail"))
        for name, test in (("met", worst), ("violated", best)):
            if test.decision is not None and test.decision.value == name:
                ends.setdefault(name, number)
    if verdict.status in {"met", "violated"}:
        assert verdict.status in ends
    if not {"invalid", "error", "missing"} & set(read):
        assert verdict.status == min(ends, key=lambda name: ends[name], default="undecided")
    if not {"pass", "fail"} & set(read):
        assert (verdict.status, verdict.reason) == ("not_measured", "nothing-usable")
