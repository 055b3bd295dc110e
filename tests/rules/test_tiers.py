"""Classes of risk: dated rules, and that what nobody has said is never low."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shinrai import catalog
from shinrai.records import Condition, DepthTable, RiskScheme
from shinrai.rules.tiers import classify, holds

TODAY = date(2026, 11, 23)


def facts(**more: Any) -> dict[str, Any]:
    harmless: dict[str, Any] = {
        "kind": "predictor",
        "human_review": True,
        "data": ["public"],
        "deployment": {"reach": "staff", "areas": [], "countries": ["JP"]},
    }
    return {**harmless, **more}


def test_every_viewpoint_of_ds_920_makes_a_high_risk_possible() -> None:
    scheme = catalog.risk_schemes()["ds-920-1"]
    assert classify(scheme, facts(), date(2026, 1, 1)).tier.id == "low"
    assert classify(scheme, facts(), date(2026, 1, 1)).settled
    where = facts()["deployment"]
    for change, rule in (
        ({"deployment": {**where, "reach": "public"}}, "users"),
        ({"deployment": {**where, "areas": ["benefits"]}}, "nature-of-the-work"),
        ({"data": ["internal", "personal"]}, "confidential-or-personal"),
        ({"human_review": False}, "no-human-judgement"),
    ):
        found = classify(scheme, facts(**change), date(2026, 1, 1))
        assert found.tier.id == "high-possible"
        assert [one.rule.id for one in found.fired] == [rule]
        why = found.fired[0].rule.why
        assert why.ja
        assert why.en


def test_versions_of_ds_920_take_turns() -> None:
    schemes = catalog.risk_schemes()
    for day, first, second in ((date(2026, 6, 11), True, False), (date(2026, 6, 12), False, True)):
        assert classify(schemes["ds-920-1"], facts(), day).in_force is first
        assert classify(schemes["ds-920-2"], facts(), day).in_force is second


def test_what_is_not_stated_is_not_low() -> None:
    scheme = catalog.risk_schemes()["ds-920-2"]
    for name in ("data", "deployment"):
        known = facts()
        del known[name]
        found = classify(scheme, known, TODAY)
        assert not found.settled
        assert found.depth == "deep"
        assert all(missing.startswith(name) for missing in found.missing)


def test_the_eu_act_is_dated() -> None:
    scheme = catalog.risk_schemes()["eu-ai-act"]
    where = {"reach": "public", "areas": ["credit"], "countries": ["JP", "FR"]}
    lender = facts(deployment=where)
    before = classify(scheme, lender, TODAY)
    assert before.tier.id == "minimal"
    assert [(one.rule.id, one.rule.valid_from) for one in before.coming] == [("annex-iii", date(2027, 12, 2))]
    assert classify(scheme, lender, date(2027, 12, 2)).tier.id == "high"
    assert classify(scheme, facts(), TODAY).tier.id == "out-of-scope"
    chat = facts(kind="chat", deployment=where)
    assert classify(scheme, chat, date(2026, 8, 1)).tier.id == "minimal"
    assert classify(scheme, chat, date(2026, 8, 2)).tier.id == "transparency"
    scoring = facts(deployment={**where, "areas": ["social-scoring"]})
    assert classify(scheme, scoring, TODAY).tier.depth == "forbidden"
    images = facts(deployment={**where, "areas": ["intimate-images"]})
    assert classify(scheme, images, date(2026, 12, 1)).tier.id == "minimal"
    assert classify(scheme, images, date(2026, 12, 2)).tier.id == "prohibited"


def test_forbidden_is_never_concluded_from_silence() -> None:
    scheme = catalog.risk_schemes()["eu-ai-act"]
    for day in (TODAY, date(2028, 1, 1)):
        found = classify(scheme, {"kind": "chat", "human_review": False}, day)
        assert found.depth != "forbidden"
        assert not found.settled


@given(st.one_of(st.none(), st.booleans(), st.integers(0, 1), st.text(max_size=3), st.lists(st.sampled_from("abc"))))
def test_a_condition_is_unknown_only_where_nothing_is_stated(value: Any) -> None:
    known = {"x": {"y": value}}
    assert holds(Condition(fact="x.y", equals=True), known) is (None if value is None else value is True)
    assert holds(Condition(fact="x.y", stated=False), known) is (value is None)
    expected = None if value is None else isinstance(value, list) and "a" in value
    assert holds(Condition(fact="x.y", holds=("a",)), known) is expected
    assert holds(Condition(fact="x.y.z", holds=("a",)), known) is None


def test_every_rule_says_why_in_both_languages_and_every_scheme_where_from() -> None:
    for scheme in catalog.risk_schemes().values():
        assert scheme.sources
        for rule in scheme.rules:
            assert rule.why.ja
            assert rule.why.en
    table = catalog.depth_table()
    assert [one.depth for one in table.depths] == ["fast-lane", "standard", "deep", "forbidden"]
    known = catalog.checks()
    assert all(due.check in known for rule in table.depths for due in rule.claims)


def test_a_scheme_that_contradicts_itself_is_refused() -> None:
    good = catalog.risk_schemes()["ds-920-1"].to_json()
    for change in (
        {"otherwise": "none"},
        {"rules": [{**good["rules"][0], "tier": "none"}]},
        {"tiers": good["tiers"] * 2},
    ):
        with pytest.raises(ValueError, match="`"):
            RiskScheme.model_validate({**good, **change})
    table = catalog.depth_table().to_json()
    with pytest.raises(ValueError, match="`depths`"):
        DepthTable.model_validate({**table, "depths": table["depths"][:-1]})
