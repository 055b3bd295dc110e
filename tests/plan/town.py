"""A small real workspace, written file by file, with a real ledger."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

from shinrai import plan
from shinrai.ledger import Entry, Ledger, State
from shinrai.records import Judged, Verdict
from shinrai.workspace import Workspace, load
from tests.ledgers import empty_ledger

TODAY = date(2026, 11, 23)


def text(name: str) -> dict[str, str]:
    return {"ja": f"{name}（日本語）", "en": name}


def check(name: str, metric: str, comparator: str, threshold: Any, **more: Any) -> dict[str, Any]:
    statement = {"ja": "{threshold} 以下", "en": f"{name}: {{threshold}}"}
    return {
        "id": name,
        "title": text(name),
        "statement": statement,
        "metric": metric,
        "comparator": comparator,
        "threshold": threshold,
        **more,
    }


PROMPTS = {"file": "data/prompts.jsonl"}
PEOPLE = {"file": "data/people.csv"}
APPROVED = {"id": "prediction", "field": "approved", "equals": 1}
GROUPS = {"column": "group", "a": "minority", "b": "majority"}
ENDPOINT = {"id": "model", "type": "endpoint", "url": "http://127.0.0.1:9/v1", "model": "m"}
REVIEWED = {"id": "column", "column": "reviewed", "rule": "equals", "value": 1}

CHECKS = [
    check("polite", "failure-rate", "at-most", 0.1, applies_to="chat", data=PROMPTS, scorer={"id": "refusal"}),
    check(
        "safe",
        "failure-rate",
        "at-most",
        0.2,
        applies_to="chat",
        data=PROMPTS,
        scorer={"id": "includes", "text": "bomb", "must": "not-appear"},
        budget=60,
    ),
    check("accurate", "pass-rate", "at-least", 0.8, applies_to="predictor", data=PEOPLE, scorer=APPROVED, alpha=0.1),
    check("fair", "rate-ratio", "at-least", 0.8, applies_to="predictor", data=PEOPLE, scorer=APPROVED, groups=GROUPS),
    check(
        "stable",
        "failure-rate",
        "at-most",
        0.1,
        applies_to="predictor",
        data=PEOPLE,
        scorer={"id": "same-prediction", "field": "approved"},
        variants={"type": "perturb", "column": "income", "factors": [0.99, 1.01]},
    ),
    check("watched", "pass-rate", "at-least", 0.9, data={"imported": "decisions"}, scorer=REVIEWED),
    {
        "id": "contract",
        "title": text("contract"),
        "statement": text("A person decides"),
        "metric": "attested",
        "comparator": "exists",
        "subject": "human-decides",
    },
    check("adopted", "observed", "at-least", 0.5, subject="genai-use"),
]

SETTINGS: dict[str, Any] = {
    "id": "town",
    "name": text("Town"),
    "order_seed": 7,
    "allowed_hosts": ["127.0.0.1"],
    "roles": [
        {"id": "mayor", "title": text("Mayor"), "accepts_risk": True},
        {"id": "office", "title": text("Office"), "accepts_risk": True},
        {"id": "desk", "title": text("Desk")},
    ],
}

HELPER: dict[str, Any] = {
    "id": "helper",
    "title": text("Helper"),
    "kind": "chat",
    "purpose": text("helps"),
    "owner": "desk",
    "human_review": True,
    "stack": [ENDPOINT],
}
SCREENING: dict[str, Any] = {
    "id": "screening",
    "title": text("Screening"),
    "kind": "predictor",
    "purpose": text("screens"),
    "owner": "desk",
    "human_review": True,
    "stack": [{"id": "model", "type": "predictor", "path": "components/model.py", "parameters": {"cut": 0.5}}],
}
GUARD = {"id": "guard", "type": "guard", "path": "components/guard.py", "parameters": {"strict": True}}


def measure(name: str, *claims: str | dict[str, Any], **more: Any) -> dict[str, Any]:
    uses = [{"check": claim} if isinstance(claim, str) else claim for claim in claims]
    return {"id": name, "title": text(name), "owner": "office", "claims": uses, **more}


class Town:
    """The files as values, to be changed one by one; and the ledger beside them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.settings: dict[str, Any] = deepcopy(SETTINGS)
        self.checks: dict[str, dict[str, Any]] = {str(one["id"]): deepcopy(one) for one in CHECKS}
        self.systems: dict[str, dict[str, Any]] = {str(one["id"]): deepcopy(one) for one in (HELPER, SCREENING)}
        self.measures: list[dict[str, Any]] = [measure("chatting", "polite")]
        self.actions: dict[str, dict[str, Any]] = {}
        self.period: dict[str, str] | None = None
        self.put("data/prompts.jsonl", "".join(f"{json.dumps(row)}\n" for row in prompts()))
        self.put("data/people.csv", "\n".join(people()) + "\n")
        self.put("components/model.py", "def load(parameters):\n    return lambda records: records\n")
        self.put("components/guard.py", "def load(parameters):\n    return None\n")
        self.ledger: Ledger = empty_ledger(root)

    def put(self, name: str, content: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        return path

    def load(self) -> Workspace:
        """Write the files and read the workspace as a user's commands do."""
        for folder in ("plans", "systems", "checks", "actions"):
            for old in (self.root / folder).glob("*.yaml"):
                old.unlink()
        goal = {"id": "goal", "title": text("Goal"), "measures": self.measures}
        house: dict[str, Any] = {"id": "plan", "title": text("Plan"), "owner": "mayor", "goals": [goal]}
        if self.period:
            house["period"] = self.period
        self.put("shinrai.yaml", json.dumps(self.settings))
        self.put("plans/plan.yaml", json.dumps(house))
        kinds = (("systems", self.systems), ("checks", self.checks), ("actions", self.actions))
        for folder, records in kinds:
            for name, record in records.items():
                self.put(f"{folder}/{name}.yaml", json.dumps(record))
        return load(self.root)

    @property
    def state(self) -> State:
        return self.ledger.state()

    @property
    def entries(self) -> list[Entry]:
        return list(self.ledger.entries())

    def resolve(self, today: date = TODAY) -> plan.Resolution:
        return plan.resolve(self.load(), self.state, today)

    def plan(self) -> plan.Outcome:
        """Plan as ``shinrai plan`` does."""
        return plan.commit(self.resolve(), self.ledger)

    def judge(self, key: str, status: str, reason: str = "decided", **more: Any) -> Verdict:
        """Write down a verdict on the promise in force, as a check would."""
        promise = self.state.promises[key]
        verdict = Verdict.model_validate(
            {
                "commitment": promise.digest,
                "claim": promise.commitment.claim,
                "system": promise.commitment.system,
                "status": status,
                "reason": reason,
                **more,
            }
        )
        self.ledger.append(Judged(verdict=verdict))
        return verdict

    def change(self, name: str, *addresses: str, **change: Any) -> None:
        """Write an action that changes the helper: by default it puts a guard in front."""
        self.actions[name] = {
            "id": name,
            "title": text(name),
            "owner": "desk",
            "addresses": list(addresses),
            "change": {"system": "helper", **(change or {"add": [GUARD]})},
        }

    def accept(self, name: str, *addresses: str, until: str, role: str = "mayor") -> None:
        """Write an action that accepts a risk."""
        self.actions[name] = {
            "id": name,
            "title": text(name),
            "owner": "desk",
            "addresses": list(addresses),
            "accept": {"role": role, "until": until, "reason": text("needed until the new contract")},
        }


def prompts() -> Iterator[dict[str, Any]]:
    for number in range(100):
        asked = [f"question {number}"] if number % 10 else [f"question {number}", f"the same as {number}"]
        yield {"id": f"q{number:03}", "lang": "en" if number % 2 else "ja", "prompts": asked}


def people() -> Iterator[str]:
    yield "id,group,income"
    for number in range(400):
        group = ("minority", "majority", "majority", "other")[number % 4]
        yield f"p{number:03},{group},{1000 + number}"
