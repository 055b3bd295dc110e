"""The help desk of the page on Inspect: files and commands as they stand there, and the model behind the endpoint."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from tests.servers.endpoint import Reply

PAGES = {language: Path(__file__).parents[2] / f"docs/inspect{end}.md" for language, end in (("en", ""), ("ja", ".ja"))}
_FILE = re.compile(r"```(?:python|yaml)\n# (?P<name>\S+/\S+)\n(?P<text>.*?)```", re.DOTALL)
_COMMANDS = re.compile(r"```console\n(?P<text>.*?)```", re.DOTALL)


def of_the_page(language: str = "en") -> dict[str, str]:
    """Give the files that the page shows."""
    return {found["name"]: found["text"] for found in _FILE.finditer(PAGES[language].read_text(encoding="utf-8"))}


def commands(language: str = "en") -> list[list[str]]:
    """Give the commands that the page shows, without ``shinrai``."""
    found = _COMMANDS.findall(PAGES[language].read_text(encoding="utf-8"))
    return [line.split()[1:] for text in found for line in text.splitlines()]


def files(url: str, *, task: str = "counter", claims: str = "") -> Mapping[str, str]:
    """Give the files of the page with another address, task or claims."""
    found = of_the_page()
    system, check, plan = found["systems/desk.yaml"], found["checks/right-counter.yaml"], found["plans/plan.yaml"]
    return {
        **found,
        "shinrai.yaml": "id: town\nname: {en: Town}\norder_seed: 7\nallowed_hosts: [127.0.0.1]\n",
        "systems/desk.yaml": system.replace("http://127.0.0.1:8000/v1", url),
        "checks/right-counter.yaml": check.replace("counter.py@counter", f"counter.py@{task}"),
        "plans/plan.yaml": plan.replace(
            "          - check: right-counter\n", claims or "          - check: right-counter\n"
        ),
    }


def number_in(prompt: str) -> int:
    return int(prompt.split()[1])


def outcome(number: int) -> str:
    """How the sample of a caller ends; ``agent`` makes it so."""
    if number % 8 == 7:
        return "sample-error"
    if number % 13 == 5:
        return "limit-message"
    return "fail" if number % 10 == 3 else "pass"


def agent(prompt: str, _attempt: int) -> Reply:
    """Look the caller up first, then say what the register says; make something up for some, and look up for ever."""
    if prompt.startswith("Caller"):
        number = number_in(prompt)
        return _refusing() if outcome(number) == "sample-error" else _looking_up(number)
    found, _comma, counter = prompt.partition(",")
    ends = outcome(int(found))
    if ends == "limit-message":
        return _looking_up(int(found))
    if ends == "fail":
        return Reply("Go to the moon.", delay=0.02)
    return Reply(f"Go to the counter for {counter}.", delay=0.02)


def _refusing() -> Reply:
    return Reply(status=400, body=b'{"error": {"message": "not this one", "type": "invalid_request_error"}}')


def _looking_up(number: int) -> Reply:
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
