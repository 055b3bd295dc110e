"""The whole cycle as a person turns it: a workspace of files, and the command line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from shinrai.cli import main
from shinrai.i18n import use_language

ADDER: Mapping[str, str] = {
    "plans/plan.yaml": """
id: plan
title: {ja: 計画, en: The plan}
owner: management
goals:
  - id: goal
    title: {ja: 目標, en: The goal}
    measures:
      - id: measure
        title: {ja: 施策, en: The measure}
        owner: ai-team
        claims:
          - check: right-often
""",
    "checks/right-often.yaml": """
id: right-often
title: {ja: 正答, en: Right answers}
statement: {ja: "正答は {threshold} 以上", en: "At least {threshold} of the answers are right"}
applies_to: predictor
metric: pass-rate
comparator: at-least
threshold: 0.8
data: {file: data/rows.jsonl}
scorer: {id: prediction, field: answer, column: truth}
""",
    "systems/adder.yaml": """
id: adder
title: {ja: 足し算, en: The <adder>}
kind: predictor
purpose: {ja: 足す, en: adds}
owner: ai-team
human_review: false
stack:
  - {id: model, type: predictor, path: components/adder.py, parameters: {broken: true}}
""",
    "components/adder.py": """
def load(parameters):
    def predict(records):
        said = "<script>alert(1)</script>"
        return [{"answer": -1 if parameters["broken"] else r["truth"], "said": said} for r in records]
    return predict
""",
    "actions/repair.yaml": """
id: repair
title: {ja: 修理, en: Repair}
owner: ai-team
addresses: [plan/goal/measure/right-often@adder]
change:
  system: adder
  replace:
    - {id: model, type: predictor, path: components/adder.py, parameters: {broken: false}}
""",
    "data/rows.jsonl": "".join(json.dumps({"id": f"r{n:03}", "truth": n}) + "\n" for n in range(60)),
}
"""A predictor that breaks its promise until an action changes it."""


def call(*arguments: str) -> int:
    """Run the command line as a person would, and give its exit code."""
    with pytest.raises(SystemExit) as ended:
        main(["--lang", "en", *arguments])
    use_language("en")
    return int(ended.value.code or 0)


def found(root: Path, files: Mapping[str, str], *options: str) -> None:
    """Set up a workspace with an empty ledger and these files in place of the scaffold's own."""
    assert call("init", str(root), "--name", "Town", *options) == 0
    for folder in ("plans", "systems", "checks", "actions"):
        for file in (root / folder).glob("*.yaml"):
            file.unlink()
    for name, text in files.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
