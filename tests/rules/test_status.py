"""Where requirements stand: how far evidence flows, and that nothing unknown is ever good."""

from __future__ import annotations

from datetime import date
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shinrai.records import Answer, Relationship, Status
from shinrai.rules.crosswalks import Roads
from shinrai.rules.status import REQUIREMENT_STATUSES, Standing
from tests.rules.books import claim, crosswalk, framework, standing

A, B, C = framework("a", "1", "2", "3"), framework("b", "1", "2"), framework("c", "1")
WHOLE = crosswalk("checks", "a", ("c", "equal-to", "1"))
STATUSES: tuple[Status, ...] = get_args(Status)
TODAY = date(2026, 11, 23)


def test_a_check_that_names_a_requirement_is_a_part_of_it() -> None:
    found = standing([A], [], [claim("p", "met", answers=("a/1",))])
    assert found.status("a/1", "s") == "partly"
    assert found.status("a/2", "s") == "not_measured"
    assert standing([A], [], [claim("p", "violated", answers=("a/1",))]).status("a/1", "s") == "violated"


def test_only_what_covers_the_whole_makes_it_met() -> None:
    for relationship, status in (
        ("equal-to", "met"),
        ("equivalent-to", "met"),
        ("superset-of", "met"),
        ("subset-of", "partly"),
        ("intersects-with", "partly"),
        ("no-relationship", "not_measured"),
    ):
        walk = crosswalk("checks", "a", ("c", relationship, "1"))
        assert standing([A], [walk], [claim("p", "met")]).status("a/1", "s") == status, relationship


def test_only_what_breaks_a_part_makes_it_violated() -> None:
    for relationship, status in (
        ("equal-to", "violated"),
        ("subset-of", "violated"),
        ("superset-of", "undecided"),
        ("intersects-with", "undecided"),
    ):
        walk = crosswalk("checks", "a", ("c", relationship, "1"))
        assert standing([A], [walk], [claim("p", "violated")]).status("a/1", "s") == status, relationship


@pytest.mark.parametrize("other", ["not_measured", "undecided", "stale", "accepted", "violated"])
def test_what_is_open_about_a_part_keeps_the_whole_open(other: Status) -> None:
    claims = [claim("p", "met"), claim("q", other, check="d", answers=("a/1",))]
    assert standing([A], [WHOLE], claims).status("a/1", "s") == ("partly" if other == "not_measured" else other)


def test_a_claim_that_does_not_apply_says_nothing() -> None:
    assert standing([A], [WHOLE], [claim("p", "not_applicable")]).status("a/1", "s") == "not_measured"
    both = [claim("p", "met"), claim("q", "not_applicable", check="d", answers=("a/1",))]
    assert standing([A], [WHOLE], both).status("a/1", "s") == "met"


def test_evidence_goes_several_crosswalks_far_and_keeps_its_weakest_link() -> None:
    official = crosswalk("a", "b", ("1", "equal-to", "1"), provenance="official", reviewer="r")
    derived = crosswalk("b", "c", ("1", "superset-of", "1"))
    found = standing([A, B, C], [WHOLE, official, derived], [claim("p", "met")])
    assert found.status("c/1", "s") == "met"
    (only,) = found.contributions("c/1", "s")
    assert [hop.crosswalk for hop in only.way.hops] == ["checks-to-a", "a-to-b", "b-to-c"]
    assert only.way.weakest is not None
    assert only.way.weakest.crosswalk in {"checks-to-a", "b-to-c"}
    assert only.way.relationship == "superset-of"


def test_crosswalks_are_walked_backwards_with_the_inverse() -> None:
    back = crosswalk("b", "a", ("1", "subset-of", "1"), ("2", "superset-of", "1"))
    found = standing([A, B], [WHOLE, back], [claim("p", "met")])
    assert found.status("b/1", "s") == "met"
    assert found.status("b/2", "s") == "partly"


def test_every_source_of_a_requirement_is_kept() -> None:
    walks = [WHOLE, crosswalk("a", "b", ("1", "equal-to", "1"), ("2", "equal-to", "1"))]
    claims = [claim("p", "met"), claim("q", "met", check="d", answers=("a/2",))]
    found = standing([A, B], walks, claims)
    assert [(one.evidence, one.way.relationship) for one in found.contributions("b/1", "s")] == [
        ("p", "equal-to"),
        ("q", "subset-of"),
    ]
    assert set(found.answered_by("p")) == {"a/1", "b/1"}
    assert set(found.answered_by("q")) == {"a/2", "b/1"}


def test_sources_that_cover_a_target_only_together_do_so_only_together() -> None:
    together = crosswalk("a", "b", ("1 2", "equal-to", "1"))
    each = crosswalk("checks", "a", ("c", "equal-to", "1"), ("d", "equal-to", "2"))
    one = [claim("p", "met")]
    both = [*one, claim("q", "met", check="d")]
    assert standing([A, B], [together, each], one).status("b/1", "s") == "partly"
    assert standing([A, B], [together, each], both).status("b/1", "s") == "met"
    broken = [*one, claim("q", "violated", check="d")]
    assert standing([A, B], [together, each], broken).status("b/1", "s") == "violated"


def test_deprecated_crosswalks_carry_nothing() -> None:
    gone = crosswalk("checks", "a", ("c", "equal-to", "1"), status="superseded")
    assert standing([A], [gone], [claim("p", "met")]).status("a/1", "s") == "not_measured"


def test_a_circle_of_crosswalks_ends() -> None:
    circle = [crosswalk("a", "b", ("1", "equal-to", "1")), crosswalk("b", "c", ("1", "equal-to", "1"))]
    circle.append(crosswalk("c", "a", ("1", "equal-to", "1")))
    found = standing([A, B, C], [WHOLE, *circle], [claim("p", "met")])
    assert {found.status(f"{name}/1", "s") for name in "abc"} == {"met"}


@given(st.lists(st.tuples(st.sampled_from(STATUSES), st.sampled_from(get_args(Relationship))), max_size=5))
def test_nothing_missing_or_broken_is_ever_met(evidence: list[tuple[Status, Relationship]]) -> None:
    walks = [crosswalk("checks", "a", (f"c{n}", one, "1"), id=f"w{n}") for n, (_s, one) in enumerate(evidence)]
    claims = [claim(f"p{n}", status, check=f"c{n}") for n, (status, _r) in enumerate(evidence)]
    found = standing([A], walks, claims).status("a/1", "s")
    within = [status for status, one in evidence if one in {"equal-to", "equivalent-to", "subset-of"}]
    whole = [status for status, one in evidence if one in {"equal-to", "equivalent-to", "superset-of"}]
    assert (found == "met") == ("met" in whole and set(within) <= {"met", "not_applicable"})
    assert (found == "violated") == ("violated" in within)


@given(
    st.lists(
        st.tuples(st.sampled_from("pqr"), st.sampled_from("st"), st.sampled_from(STATUSES)), min_size=1, max_size=8
    )
)
def test_one_verdict_at_a_time_gives_what_all_at_once_give(news: list[tuple[str, str, Status]]) -> None:
    walks = [WHOLE, crosswalk("a", "b", ("1 2", "equal-to", "1"), ("1", "subset-of", "2"))]
    made = [
        claim(name, status, system=system, check="c" if name == "p" else "d", answers=("a/2",) if name == "q" else ())
        for name, system, status in news
    ]
    step = standing([A, B], walks, [], "s", "t")
    for one in made:
        step.update(one)
    last = {one.key: one for one in made}
    whole = standing([A, B], walks, list(last.values()), "s", "t")
    for system in "st":
        for ref in ("a/1", "a/2", "a/3", "b/1", "b/2"):
            assert step.status(ref, system) == whole.status(ref, system)
            counted = whole.counts("a", system)
            assert sum(counted.values()) == 3
            assert sum(whole.spread("a/1").values()) == 2
            assert list(counted) == [status for status in REQUIREMENT_STATUSES if status in counted]


def answer(**more: object) -> Answer:
    facts = {"requirement": "a/1", "question": "?", "answer": "in-place", "by": "desk", "effective": "2026-01-01"}
    return Answer.model_validate({**facts, **more})


SHOWN = {"name": "a.pdf", "file": "x", "file_digest": "sha256:" + "1" * 64}


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({**SHOWN, "second_reader": "office"}, "met"),
        (SHOWN, "undecided"),
        ({"second_reader": "office"}, "undecided"),
        ({**SHOWN, "second_reader": "office", "valid_until": "2026-11-22"}, "stale"),
        ({**SHOWN, "second_reader": "office", "valid_until": "2026-11-23"}, "met"),
        ({**SHOWN, "second_reader": "office", "effective": "2026-11-24"}, "not_measured"),
        ({"answer": "not-in-place"}, "violated"),
        ({"answer": "not-assessed"}, "not_measured"),
        ({"answer": "not-applicable", "statement": "no such data"}, "not_applicable"),
    ],
)
def test_what_an_answer_amounts_to(more: dict[str, object], status: str) -> None:
    found = Standing({"a": A, "b": B}, Roads([crosswalk("a", "b", ("1", "equal-to", "1"))]), ("s", "t"))
    found.read([], [answer(**more)], TODAY)
    assert found.status("a/1", "s") == found.status("a/1", "t") == status
    flows = "not_measured" if status == "not_applicable" else status
    assert found.status("b/1", "s") == flows


def test_of_several_answers_the_last_counts_and_the_systems_own_comes_first() -> None:
    found = Standing({"a": A}, Roads([]), ("s", "t"))
    no, yes = {"answer": "not-in-place"}, {**SHOWN, "second_reader": "office"}
    found.read([], [answer(**no), answer(**yes), answer(**no, system="t")], TODAY)
    assert found.status("a/1", "s") == "met"
    assert found.status("a/1", "t") == "violated"


def test_an_answer_that_contradicts_itself_is_refused() -> None:
    for more in (
        {"second_reader": "desk"},
        {"answer": "not-applicable"},
        {"valid_until": "2025-12-31"},
        {"file": "x"},
    ):
        with pytest.raises(ValueError, match="`"):
            answer(**more)
