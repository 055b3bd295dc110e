"""JSON Schemas say of a file what loading says of it."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import jsonschema_rs
import pytest

from shinrai.source import RECORDS, attempt, json_schemas, parse_yaml

SOUND = {
    "shinrai": "id: town\nname: {ja: 町}\norder_seed: 7\nroles: [{id: mayor, title: {en: Mayor}}]\n",
    "plan": """id: p
title: {en: P}
owner: o
goals:
  - id: g
    title: {ja: 目標}
    measures:
      - {id: m, title: {en: M}, owner: o, due: 2026-03-31, claims: [{check: c, threshold: [0.1, 0.2]}]}
""",
    "check": """id: c
title: {en: C}
statement: {en: S}
metric: rate-ratio
comparator: at-least
threshold: 0.8
data: {file: a.csv, where: {x: 1, y: true}}
scorer: {id: prediction, field: approved, equals: 1}
groups: {column: g, a: x, b: y}
""",
    "system": """id: s
title: {en: S}
kind: chat
purpose: {en: P}
owner: o
operator: [provider, business-user]
stage: operation
gates:
  - {into: development, day: 2025-04-01, by: board}
  - {into: operation, day: 2026-04-01, by: board, record: minutes 12}
autonomy: proposes
human_review: false
data: [personal, special-care]
deployment: {reach: public, host: supplier, countries: [JP], areas: [welfare], people: 4000}
benefit: {expected: {en: shorter waits}, indicator: waiting-time, better: lower, target: 5}
risks: [{ja: 誤った案内, en: wrong advice}]
needs: [records, [gpu-a, gpu-b]]
stack:
  - {type: instructions, id: i, text: x}
  - {type: endpoint, id: m, url: "http://x/v1", model: m, price: {input: 1.5, output: 2, currency: JPY}}
""",
    "component": """id: m
type: model
title: {en: M}
supplier: Maker
supplier_country: JP
processing: [JP, EU]
licence: Apache-2.0
openness: open-weights
version: "1"
purl: pkg:huggingface/maker/m@1
support_end: 2027-03-31
substitutes: [{name: other, days: 20, tried: 2026-01-05}]
notices: [{id: CVE-2026-1, title: {en: N}, day: 2026-01-01, severity: high}]
needs: [data-a, [gpu-a, gpu-b]]
""",
    "action": """id: a
title: {en: A}
owner: o
addresses: [p/g/m/c@s]
accept: {role: r, until: 2026-03-31, reason: {ja: 理由}}
""",
    "framework": """id: f
family: f
version: "1"
title: {ja: 枠組み}
issuer: {en: us}
published: 2026-01-01
licence: {name: {en: ours}, ships: text}
sources: [{title: {en: here}, certainty: official}]
certainty: official
amendments: [{id: a, title: {en: A}, decided: 2026-02-01, source: {title: {en: here}, certainty: secondary}}]
requirements:
  - {id: "1", title: {en: One}, assessable: false}
  - {id: 二, parent: "1", title: {en: Two}, text: {en: words}, roles: [provider], amended_by: [a]}
""",
    "crosswalk": """id: w
title: {en: W}
source: checks
target: f
provenance: derived
mappings: [{sources: [c, d], relationship: subset-of, targets: ["1"], confidence: 0.5, coverage: 0.1}]
""",
    "risk": """id: r
title: {en: R}
issuer: {en: us}
sources: [{title: {en: here}, certainty: official}]
certainty: official
tiers: [{id: low, title: {en: Low}, depth: fast-lane}, {id: high, title: {en: High}, depth: deep}]
otherwise: low
needs: [data]
rules:
  - {id: one, tier: high, when: [{fact: data, holds: [personal]}, {fact: a, equals: false}], why: {ja: 理由}}
""",
    "risk-depth": """id: d
title: {en: D}
depths:
  - {depth: fast-lane, title: {en: A}, why: {en: A}, alpha: 0.1, most_trials: 30, second_reader: false}
  - {depth: standard, title: {en: B}, why: {en: B}, repeat_days: 90}
  - {depth: deep, title: {en: C}, why: {en: C}, claims: [{check: c, stage: before-release, threshold: 0.1}]}
  - {depth: forbidden, title: {en: D}, why: {en: D}, accept_days: 0, accepts: [board]}
""",
    "corrections": """id: c
corrections:
  - id: typing-error
    indicator: genai-use
    period: FY2025
    action: override
    expect: 588
    value: 58.8
    reason: {en: The decimal point is missing}
    provider: ministry
    state: reported
""",
}


_schemas = cache(json_schemas)


def validator(kind: str) -> Any:
    return jsonschema_rs.validator_for(_schemas()[kind])


def test_every_kind_of_file_has_a_schema_and_a_record() -> None:
    assert set(_schemas()) == set(RECORDS) == set(SOUND)


@pytest.mark.parametrize("kind", SOUND)
def test_what_loads_is_valid(kind: str) -> None:
    document = parse_yaml(SOUND[kind], shown_as="x.yaml")
    assert attempt(document, RECORDS[kind])[1] == []
    assert validator(kind).is_valid(document.data)


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        ("shinrai", "order_seed", "order_sede"),
        ("shinrai", "7", "'7'"),
        ("shinrai", "7", "-1"),
        ("plan", "owner: o\n", ""),
        ("plan", "[0.1, 0.2]", "[0.1]"),
        ("plan", "{ja: 目標}", "目標"),
        ("check", "rate-ratio", "ratio"),
        ("check", "id: prediction", "id: predicton"),
        ("system", "type: endpoint", "type: endpiont"),
        ("system", "false", "no"),
        ("system", "stage: operation", "stage: operating"),
        ("system", "[records, [gpu-a, gpu-b]]", "[{part: records}]"),
        ("component", "type: model", "type: modell"),
        ("component", "days: 20", "days: -1"),
        ("action", "p/g/m/c@s", "p/g/m/c"),
        ("corrections", "override", "overide"),
        ("corrections", "FY2025", "FY25"),
        ("corrections", "expect: 588\n", ""),
    ],
)
def test_what_does_not_load_is_not_valid(kind: str, before: str, after: str) -> None:
    document = parse_yaml(SOUND[kind].replace(before, after), shown_as="x.yaml")
    assert attempt(document, RECORDS[kind])[1]
    assert not validator(kind).is_valid(document.data)


def test_descriptions_are_kept_for_the_editor() -> None:
    schemas = _schemas()
    seed = schemas["shinrai"]["properties"]["order_seed"]
    assert seed["description"].startswith("Fixes the order")
    assert "canaries" in json.dumps(schemas["system"])
    assert schemas["plan"]["$schema"] == "https://json-schema.org/draft/2020-12/schema"
