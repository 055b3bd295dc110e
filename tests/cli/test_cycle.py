"""The whole cycle through the command line, on real files, a real ledger and a real (small) system."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.cycle import call


def said(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_a_promise_is_made_broken_repaired_and_kept(town: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("plan") == 0
    assert run("check", "--gate") == 1
    capsys.readouterr()
    assert run("act", "--json") == 0
    moves = said(capsys)["moves"]
    assert [(move["status"], move["finding"]) for move in moves] == [("violated", "f-0001")]
    assert run("act", "apply", "repair") == 0
    capsys.readouterr()
    assert run("status", "--json") == 0
    assert said(capsys)["plans"][0]["counts"] == {"stale": 1}
    assert run("check", "--gate") == 0
    capsys.readouterr()
    assert run("act", "--json") == 0
    assert said(capsys)["moves"] == []
    assert run("verify") == 0


def test_planning_twice_commits_once_and_checking_twice_measures_once(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    run("plan")
    run("check")
    capsys.readouterr()
    assert run("plan", "--json") == 0
    assert said(capsys)["committed"]["new"] == []
    assert run("check", "--json") == 0
    assert said(capsys)["measured"] == 0


def test_a_threshold_edited_after_the_run_is_a_new_promise_that_names_the_old_one(
    town: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    run("plan")
    run("check")
    file = town / "checks/right-often.yaml"
    file.write_text(file.read_text().replace("0.8", "0.1"))
    capsys.readouterr()
    run("status", "--json")
    before = said(capsys)["plans"][0]["children"][0]["children"][0]["children"][0]["claims"][0]
    assert before["status"] == "violated"  # the edit alone changes nothing
    run("plan", "--json")
    planned = said(capsys)["claims"][0]
    assert planned["replaces"] == before["commitment"]
    assert run("check", "--gate", "--json") == 1
    assert said(capsys)["claims"][0]["verdict"]["calls"] > 0  # old replies are not used again


def test_a_gate_without_a_measurement_is_not_open(run: Run) -> None:
    run("plan")
    assert run("check", "--gate", "--claim", "right-often") == 1
    assert run("check", "--claim", "right-offen") == 2


def test_a_ledger_edited_by_hand_and_a_missing_run_file_are_found(town: Path, run: Run) -> None:
    run("plan")
    run("check")
    trials = next((town / ".shinrai/runs").rglob("trials-*.parquet"))
    kept = trials.read_bytes()
    trials.unlink()
    assert run("verify") == 4
    trials.write_bytes(kept)
    assert run("verify") == 0
    with closing(sqlite3.connect(town / ".shinrai/ledger.db")) as database, database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f'DROP TRIGGER "{name}"')
        changed = database.execute("UPDATE entries SET payload = replace(payload, 'violated', 'met')").rowcount
    assert changed > 0
    assert run("verify") == 4


def test_mistakes_in_files_are_all_reported_with_their_places(
    town: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    (town / "plans/plan.yaml").write_text("id: plan\ntitel: {en: x}\nowner: management\n")
    (town / "systems/adder.yaml").write_text("id: adder\nid: twice\n")
    assert run("plan") == 2
    text = capsys.readouterr().err
    assert "plans/plan.yaml:2:1" in text
    assert "`title`" in text or "title" in text
    assert "systems/adder.yaml:2:1" in text


def test_a_column_that_is_not_in_the_data_is_an_error(town: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    file = town / "checks/right-often.yaml"
    file.write_text(file.read_text().replace("column: truth", "column: thruth"))
    assert run("plan") == 2
    assert "thruth" in capsys.readouterr().err


def test_facts_come_in(town: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    (town / "contract.txt").write_text("a person decides")
    document = str(town / "contract.txt")
    assert run("do", "attest", document, "--subject", "nothing", "--by", "ai-team") == 2  # no check asks for it
    log = town / "decisions.csv"
    log.write_text("case,ai_output,human_decision,reviewer_role,seconds\nc1,yes,no,clerk,31\n", encoding="utf-8")
    assert run("do", "import", str(log), "--system", "adder") == 0
    assert run("do", "import", str(log), "--system", "ader") == 2
    assert "adder" in capsys.readouterr().err


def test_the_report_is_the_same_bytes_and_inert(town: Path, run: Run) -> None:
    run("plan")
    run("check")
    run("act", "apply", "repair")
    run("check")
    assert run("report", "-o", str(town / "one.html")) == 0
    assert run("report", "-o", str(town / "two.html")) == 0
    page = (town / "one.html").read_text(encoding="utf-8")
    assert (town / "two.html").read_text(encoding="utf-8") == page
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "The &lt;adder&gt;" in page
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", page)
    assert "正答" in page
    assert "Right answers" in page


def test_an_unknown_verb_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("chek") == 2
    assert "'check'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("written", "meant"), [("sarf", "sarif"), ("cyclonedx", "cyclonedx-declarations"), ("cyclone", None), ("zzz", None)]
)
def test_a_format_is_known_by_what_is_like_it_or_by_how_it_begins(
    town: Path, run: Run, written: str, meant: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    run("plan")
    assert run("export", written) == 2
    told = capsys.readouterr().err
    assert "export.unknown-format" in told
    assert (f"did you mean {meant}?" in told) if meant else ("did you mean" not in told)


@pytest.mark.parametrize("verb", ["init", "plan", "do", "check", "act", "status", "report", "verify", "demo"])
def test_every_verb_has_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(verb, "--help") == 0
    assert "Usage:" in capsys.readouterr().out


def test_a_clone_without_the_private_key_measures_and_says_that_it_does_not_sign(
    town: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    run("plan")
    key = town / ".shinrai/keys/ledger.key"
    content = key.read_bytes()
    key.unlink()
    assert run("check", "--gate") == 1
    assert "not signed" in capsys.readouterr().err
    assert run("verify") == 0
    key.write_bytes(content)
    key.chmod(0o600)
    assert run("act", "apply", "repair") == 0
    assert "not signed" not in capsys.readouterr().err


def test_dropping_a_broken_claim_does_not_open_the_gate(
    town: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    run("plan")
    run("check")
    plan = town / "plans/plan.yaml"
    plan.write_text(plan.read_text().replace("check: right-often", "check: right-often\n            id: renamed"))
    actions = town / "actions/repair.yaml"
    actions.unlink()
    component = town / "systems/adder.yaml"
    component.write_text(component.read_text().replace("broken: true", "broken: false"))
    run("plan")
    capsys.readouterr()
    assert run("check", "--gate") == 1
    assert "f-0001 is still open" in capsys.readouterr().err


def test_two_checks_at_once_queue_and_measure_once(town: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    component = town / "components/adder.py"
    slow = (
        component.read_text()
        .replace("def load", "import time\n\ndef load")
        .replace("said =", "time.sleep(0.02); said =")
    )
    component.write_text(slow)
    run("plan")
    command = [sys.executable, "-m", "shinrai", "-C", str(town), "check", "--json"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    ended = [(*process.communicate(timeout=120), process.returncode) for process in both]
    assert [code for _out, _err, code in ended] == [0, 0]
    assert sorted(json.loads(out)["measured"] for out, _err, _code in ended) == [0, 1]
    assert len(list((town / ".shinrai/runs").iterdir())) == 1
    assert run("verify") == 0


def test_an_interrupted_run_is_shown_as_such(
    town: Path, run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def crash(*_given: object, **_named: object) -> None:
        raise KeyboardInterrupt

    run("plan")
    with monkeypatch.context() as patched:
        patched.setattr("shinrai.check.ending.write_run", crash)
        assert run("check") == 130
    capsys.readouterr()
    run("status", "--json")
    assert {one["state"] for one in said(capsys)["open_runs"]} == {"interrupted"}
    run("status")
    assert "was interrupted" in capsys.readouterr().out
    with monkeypatch.context() as patched:
        patched.setattr("shinrai.workspace.locked", lambda _root: None)
        run("status", "--json")
        assert {one["state"] for one in said(capsys)["open_runs"]} == {"unknown"}
        run("status")
        assert "cannot be seen from here" in capsys.readouterr().out
    run("check")
    capsys.readouterr()
    run("status", "--json")
    assert said(capsys)["open_runs"] == []


def test_what_stood_in_the_way_of_measuring_is_said_once(
    town: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    (town / "components/adder.py").write_text("raise RuntimeError('no \\x1b[31mmodel here')\n")
    run("plan")
    capsys.readouterr()
    assert run("check", "--gate") == 3
    told = capsys.readouterr().err
    assert told.count("model here") == 1
    assert "\x1b[31m" not in told
