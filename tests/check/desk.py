"""A help desk that an agentic task of Inspect puts to the test: workspace, files and the model behind the endpoint."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from tests.servers.endpoint import Reply

TASKS = Path(__file__).parent.parent / "fixtures/inspect-tasks"


def files(url: str, *, threshold: float = 0.3, data: str = "", scorer: str = "") -> Mapping[str, str]:
    """Write a plan with one claim on a desk behind an address."""
    use = data or "{inspect: {task: tasks/counter.py@counter, args: {callers: 40}}}"
    read = scorer or "{id: column, column: score.includes, rule: equals, value: C}"
    return {
        "shinrai.yaml": "id: town\nname: {en: Town}\norder_seed: 7\nallowed_hosts: [127.0.0.1]\n",
        "plans/plan.yaml": """
id: plan
title: {en: The plan}
owner: management
goals:
  - id: goal
    title: {en: The goal}
    measures:
      - id: measure
        title: {en: The measure}
        owner: office
        claims:
          - check: right-counter
""",
        "checks/right-counter.yaml": f"""
id: right-counter
title: {{en: Right counter}}
statement: {{en: "At most {{threshold}} of the callers are sent to a wrong counter"}}
applies_to: chat
metric: failure-rate
comparator: at-most
threshold: {threshold}
data: {use}
scorer: {read}
""",
        "systems/desk.yaml": f"""
id: desk
title: {{en: The desk}}
kind: chat
purpose: {{en: Says where callers are served}}
owner: office
human_review: true
stack:
  - {{id: rules, type: instructions, text: You serve callers.}}
  - {{id: model, type: endpoint, url: "{url}", model: m}}
""",
        "tasks/counter.py": (TASKS / "counter.py").read_text(),
    }


def number_in(prompt: str) -> int:
    return int(prompt.split()[1])


def agent(prompt: str, _attempt: int) -> Reply:
    """Look the caller up first, then say what the register says; of every tenth caller it makes something up."""
    if prompt.startswith("Caller"):
        number = number_in(prompt)
        call = {"name": "look_up", "arguments": json.dumps({"number": number})}
        message = {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": f"call-{number}", "type": "function", "function": call}],
        }
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
        body = {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
        usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
        return Reply(body=json.dumps({**body, "usage": usage}).encode(), delay=0.02)
    found, _comma, counter = prompt.partition(",")
    return Reply("Go to the moon." if int(found) % 10 == 3 else f"Go to the counter for {counter}.", delay=0.02)
