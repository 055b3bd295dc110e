"""``shinrai check --dry-run``: the cost of a check, before anything is sent or written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.cycle import call
from tests.servers.endpoint import Endpoint, Reply, serving

ASSISTANT = """
id: assistant
title: {en: A}
kind: chat
purpose: {en: p}
owner: ai-team
human_review: false
stack:
  - {id: i, type: instructions, text: Answer in one word.}
  - {id: m, type: endpoint, url: "URL", model: m, key_env: NO_SUCH_KEY, EXTRA}
"""
CHECK = """
id: says-yes
title: {en: Says yes}
statement: {en: Says yes}
applies_to: chat
metric: failure-rate
comparator: at-most
threshold: 0.1
data: {file: data/prompts.jsonl}
scorer: {id: includes, text: 'yes'}
"""
PRICE = "price: {input: 2, output: 10, currency: USD}, generation: {max_tokens: 40}"


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with serving(lambda _prompt, _attempt: Reply()) as made:
        yield made


def prepare(town: Path, endpoint: Endpoint, extra: str = PRICE) -> None:
    settings = town / "shinrai.yaml"
    settings.write_text(settings.read_text().replace("allowed_hosts: []", "allowed_hosts: [127.0.0.1]"))
    text = ASSISTANT.replace("URL", endpoint.url)
    (town / "systems/assistant.yaml").write_text(text.replace(", EXTRA", f", {extra}" if extra else ""))
    (town / "checks/says-yes.yaml").write_text(CHECK)
    plan = town / "plans/plan.yaml"
    plan.write_text(plan.read_text() + "          - check: says-yes\n")
    rows = (json.dumps({"id": f"q{n}", "prompts": [f"question {n}"]}) for n in range(100))
    (town / "data/prompts.jsonl").write_text("\n".join(rows) + "\n")


def files(town: Path) -> dict[str, bytes]:
    # SQLite makes these two for whoever reads; they hold no record of ours, and are gone when it is closed.
    return {
        str(path): path.read_bytes()
        for path in town.rglob("*")
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    }


def dry(run: Run, capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    capsys.readouterr()
    assert run("check", "--dry-run", "--json", *arguments) == 0
    found = json.loads(capsys.readouterr().out)["systems"]
    return {one["system"]: one for one in found}


def test_nothing_is_sent_and_nothing_is_written(
    town: Path, run: Run, endpoint: Endpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(town, endpoint)
    run("plan")
    before = files(town)
    found = dry(run, capsys)
    assert run("check", "--dry-run") == 0
    assert "nothing was sent" in capsys.readouterr().err
    assert files(town) == before
    assert not endpoint.log.asked
    assert found["adder"]["expected"]["money"] is None
    assistant = found["assistant"]
    assert assistant["address"] == endpoint.url
    assert assistant["worst"]["calls"] == 100
    assert 41 <= assistant["expected"]["calls"] < 100
    assert assistant["worst"]["tokens_out"] == 4000
    assert float(assistant["worst"]["money"]) == pytest.approx(
        (assistant["worst"]["tokens_in"] * 2 + 4000 * 10) / 1_000_000
    )
    assert assistant["tokens"] == "rule"


def test_the_worst_case_holds_and_an_interrupted_run_is_counted(
    town: Path, run: Run, endpoint: Endpoint, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(town, endpoint)
    run("plan")
    before = dry(run, capsys)["assistant"]
    monkeypatch.setenv("NO_SUCH_KEY", "sk-12345678")
    settings = town / "shinrai.yaml"
    written = settings.read_text()
    settings.write_text(written.replace("calls: 5000", "calls: 20"))
    assert run("check", "--system", "assistant") == 0
    assert sum(endpoint.log.asked.values()) == 20
    half = dry(run, capsys)["assistant"]
    assert (half["kept"], half["worst"]["calls"]) == (20, 80)
    assert half["expected"]["calls"] == before["expected"]["calls"] - 20
    assert half["tokens"] == "measured"
    assert half["expected"]["tokens_out"] == 3 * half["expected"]["calls"]  # as the endpoint has counted
    assert 0.9 < half["expected"]["tokens_in"] / (7 * half["expected"]["calls"]) < 1.1
    settings.write_text(written)
    assert run("check", "--system", "assistant") == 0
    assert sum(endpoint.log.asked.values()) <= 20 + half["worst"]["calls"]
    assert "assistant" not in dry(run, capsys)


def test_what_is_not_known_is_said(
    town: Path, run: Run, endpoint: Endpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(town, endpoint, extra="")
    run("plan")
    found = dry(run, capsys)["assistant"]
    assert found["worst"]["tokens_out"] is None
    assert (found["expected"]["money"], found["price"]) == (None, None)
    assert run("check", "--dry-run") == 0
    printed = capsys.readouterr().out
    assert "unknown" in printed
    assert "there is no price for its model" in printed


def test_only_what_was_asked_for(town: Path, run: Run, endpoint: Endpoint, capsys: pytest.CaptureFixture[str]) -> None:
    prepare(town, endpoint)
    run("plan")
    assert set(dry(run, capsys, "--claim", "says-yes")) == {"assistant"}
    assert set(dry(run, capsys, "--system", "adder")) == {"adder"}
    assert run("check", "--dry-run", "--claim", "says-yess") == 2


def test_a_workspace_is_needed(tmp_path: Path) -> None:
    assert call("-C", str(tmp_path), "check", "--dry-run") == 2
