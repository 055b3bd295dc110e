"""The view of a run while it goes on: fed with a run's real events, and drawn in a real pseudo-terminal."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from shinrai.check.events import CallFinished, ClaimBegan, ClaimDecided, ClaimMoved, Event, RunBegan, RunEnded
from shinrai.check.purse import Spending
from shinrai.cli.live import Board, watching
from shinrai.i18n import use_language
from shinrai.records import Counts, Verdict
from tests.cli.conftest import Run
from tests.servers.endpoint import Reply, serving

SYSTEM = """
id: talker
title: {{en: The talker}}
kind: chat
purpose: {{en: talks}}
owner: ai-team
human_review: false
stack:
  - {{id: model, type: endpoint, url: "{url}", model: none}}
"""
CHECK = """
id: says-yes
title: {en: It says yes}
statement: {en: It says yes}
applies_to: chat
metric: pass-rate
comparator: at-least
threshold: 0.5
data: {file: data/prompts.jsonl}
scorer: {id: includes, text: "yes"}
"""


def drawn(board: Board, width: int = 100, height: int = 40) -> str:
    console = Console(file=io.StringIO(), width=width, height=height, highlight=False)
    console.print(board, height=height)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def began(names: int, budget: int = 50) -> RunBegan:
    claims = tuple(ClaimBegan(f"p/g/m/claim-{n:02}@s", 0.2, budget, budget) for n in range(names))
    return RunBegan("run-0007", "s", claims, kept=3)


def verdict(key: str) -> Verdict:
    claim, _at, system = key.partition("@")
    return Verdict(
        commitment="sha256:" + "0" * 64,
        claim=claim,
        system=system,
        status="met",
        reason="decided",
        counts=Counts(passed=20),
        estimate=0.0,
        lower=0.0,
        upper=0.19,
        calls=20,
        calls_saved=30,
    )


def told(*events: Event) -> Board:
    board = Board()
    for event in events:
        board.tell(event)
    return board


CALLS = CallFinished(
    "run-0007",
    "s",
    calls=23,
    failed=2,
    sent=20,
    in_flight=4,
    limit=8,
    seconds=10.0,
    kinds={"timeout": 1, "http-429": 5},
    money=Decimal("0.0125"),
    currency="USD",
)


def test_the_board_tells_what_was_sent_in_vain_once_no_claim_needs_a_call() -> None:
    """What is still on its way then is in vain, too, and is not counted as saved."""
    start = began(1)
    decided = ClaimDecided(verdict(start.claims[0].key))
    assert "in vain" not in drawn(told(start, CALLS, decided))
    page = drawn(told(start, replace(CALLS, saved=24, wasted=6), decided))
    assert "24 saved · 6 in vain · 4 of 8 in flight" in page


def test_the_board_tells_spent_saved_failed_cost_and_time_left() -> None:
    start = began(2)
    moved = ClaimMoved(start.claims[1].key, 25, 0.1, 0.05, 0.4, 0.2)
    page = drawn(told(start, CALLS, ClaimDecided(verdict(start.claims[0].key)), moved))
    assert "23 calls" in page
    assert "3 of them kept from before" in page
    assert "30 saved" in page
    assert "4 of 8 in flight" in page
    assert "failed attempts: http-429 ×5, timeout ×1; calls without a reply: 2" in page
    assert "0.0125 USD" in page
    assert "at most 0:12 left" in page  # half of 50 calls at 2 a second
    assert re.search(r"claim-00 +n=20 .*● met", page)
    assert re.search(r"claim-01 +n=25/50 .*━●.*0\.10 \[0\.05, 0\.40\]", page)


def test_an_interval_is_drawn_where_its_threshold_lies() -> None:
    start = began(1)
    for upper, crossed in ((0.4, True), (0.1, False)):
        line = drawn(told(start, ClaimMoved(start.claims[0].key, 9, 0.05, 0.01, upper, 0.2))).splitlines()[-1]
        bar = re.search(r"[·━●│]{12,}", line)
        assert bar
        assert bool(re.search("│━", bar[0])) == crossed


@pytest.mark.parametrize("width", [60, 80, 140])
def test_no_line_is_wider_than_the_terminal_and_open_claims_come_first(width: int) -> None:
    start = began(30)
    decided = [ClaimDecided(verdict(claim.key)) for claim in start.claims[:25]]
    page = drawn(told(start, CALLS, *decided), width, height=20)
    assert all(cell_len(line) <= width for line in page.splitlines())
    assert len(page.splitlines()) <= 20
    for claim in start.claims[25:]:
        assert claim.key.split("@")[0].rpartition("/")[2] in page
    assert "more" in page


def test_without_a_terminal_every_verdict_and_run_is_one_line() -> None:
    console = Console(file=io.StringIO(), width=40)
    verdicts: list[Verdict] = []
    start = began(1)
    with watching(console, verdicts.append) as tell:
        tell(start)
        tell(CALLS)
        tell(ClaimDecided(verdict(start.claims[0].key)))
        tell(RunEnded("run-0007", "s", "complete", 23, 2, 30, Spending()))
    assert [one.status for one in verdicts] == ["met"]
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue() == "s: 23 calls, 30 saved by stopping early, 2 sent in vain\n"


@pytest.fixture
def japanese() -> Iterator[None]:
    use_language("ja")
    yield
    use_language("en")


@pytest.mark.usefixtures("japanese")
def test_the_board_speaks_japanese() -> None:
    page = drawn(told(began(1), CALLS))
    assert "節約 0 回" in page
    assert not re.search(r"\b(calls|saved|left|failed)\b", page)


def test_the_board_moves_on_a_terminal(town: Path, run: Run) -> None:
    prompts = "".join(f'{{"id": "q{n}", "prompts": ["question {n}"]}}\n' for n in range(40))
    (town / "data/prompts.jsonl").write_text(prompts, encoding="utf-8")
    (town / "checks/says-yes.yaml").write_text(CHECK, encoding="utf-8")
    plan = town / "plans/plan.yaml"
    plan.write_text(plan.read_text(encoding="utf-8") + "          - check: says-yes\n", encoding="utf-8")

    def behave(prompt: str, attempt: int) -> Reply:
        limited = prompt == "question 0" and attempt == 1
        return Reply(status=429, headers=(("Retry-After", "0"),)) if limited else Reply(delay=0.15)

    with serving(behave) as endpoint:
        (town / "systems/talker.yaml").write_text(SYSTEM.format(url=endpoint.url), encoding="utf-8")
        settings, host = town / "shinrai.yaml", endpoint.url.split("/")[2]
        allowed = settings.read_text(encoding="utf-8").replace("allowed_hosts: []", f'allowed_hosts: ["{host}"]')
        settings.write_text(allowed, encoding="utf-8")
        assert run("plan") == 0
        screen = on_a_terminal("-C", str(town), "--lang", "en", "check", "--system", "talker")
    assert "in flight" in screen
    assert re.search(r"says-yes +n=\d+/40 ", screen)
    assert "● met" in screen
    assert re.search(r"talker: \d+ calls, \d+ saved by stopping early, \d+ sent in vain", screen)


def on_a_terminal(*arguments: str) -> str:
    """Run the command line in a pseudo-terminal, and give everything that it drew, without its colours."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"}
    command = [sys.executable, "-m", "shinrai", *arguments]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        seen = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # the other side has closed: Linux says so with an error
                break
            if not piece:
                break
            seen += piece
    os.close(ours)
    assert process.returncode == 0
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen.decode(errors="replace"))
