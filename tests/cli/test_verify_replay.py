"""`shinrai verify --replay`: the chain first, then the verdicts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shinrai.ledger import Ledger
from shinrai.records import Judged
from tests.cli.conftest import Run


def test_verdicts_come_out_again_and_one_that_was_not_measured_is_named(
    town: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    run("plan")
    run("check")
    capsys.readouterr()
    assert run("verify", "--replay", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["replay"]["ok"]
    assert said["replay"]["trials"] == said["replay"]["rescored"] > 0
    assert run("verify", "--replay") == 0
    assert "come out again from" in capsys.readouterr().out
    with Ledger.open("sqlite:///.shinrai/ledger.db", root=town) as ledger:
        [judgement] = next(iter(ledger.state().judgements.values()))
        assert judgement.verdict.status == "violated"
        ledger.append(Judged(verdict=judgement.verdict.model_copy(update={"status": "met"})))
    assert run("verify") == 0  # the chain is whole: somebody with its key wrote this
    capsys.readouterr()
    assert run("verify", "--replay") == 4
    assert 'status is "met" there, and comes out as "violated"' in capsys.readouterr().out
    assert run("verify", "--replay", "--json") == 4
    first = json.loads(capsys.readouterr().out)["replay"]["first"]
    assert (first["what"], first["recorded"], first["again"]) == ("status", "met", "violated")
