"""A promise with a judge from the plan to the report, as people turn it: refused, accepted, labelled, drifting."""

from __future__ import annotations

import csv
import errno
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from click.testing import CliRunner

from shinrai.check.sitting import FOLDER
from shinrai.cli import cli
from shinrai.cli.session import session
from shinrai.errors import StoreError, UsageError
from shinrai.records import Labels
from tests.check.judged import judging
from tests.cycle import call, found
from tests.servers.endpoint import Endpoint, Reply, serving

CHECK = """
id: kind
title: {{ja: 親切, en: Kindness}}
statement: {{ja: "不親切は {{threshold}} 以下", en: "At most {{threshold}} are unkind"}}
applies_to: chat
metric: failure-rate
comparator: at-most
threshold: 0.3
data: {{file: data/questions.jsonl}}
scorer:
  id: judge
  system: {judge}
  rubric: A reply passes if it says yes.
  {more}
"""
PLAN = """
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
        systems: [helper]
        claims: [{check: kind}]
"""
SYSTEM = """
id: {id}
title: {{ja: 相談, en: {id}}}
kind: chat
purpose: {{ja: 答える, en: answers}}
owner: ai-team
human_review: false
stack:
  - {{id: model, type: endpoint, url: "{url}", model: {id}}}
"""
SETTINGS = """
id: hall
name: {{ja: 役場, en: The hall}}
order_seed: 7
allowed_hosts: [{hosts}]
roles:
  - {{id: management, title: {{en: The mayor}}, accepts_risk: true}}
  - {{id: ai-team, title: {{en: The team}}}}
"""
HOSTILE = '=HYPERLINK("http://x.example","click") yes'


class Hall:
    """A workspace with a helper and a judge behind real endpoints."""

    def __init__(self, root: Path, helper: Endpoint, judge: Endpoint) -> None:
        self.root = root
        self.urls = {"helper": helper.url, "judge": judge.url}
        questions = [{"id": f"q{n}", "prompts": f"question {n}", "lang": "en"} for n in range(120)]
        hosts = ", ".join(f'"127.0.0.1:{one.port}"' for one in (helper, judge))
        files = {
            "shinrai.yaml": SETTINGS.format(hosts=hosts),
            "plans/plan.yaml": PLAN,
            "data/questions.jsonl": "".join(json.dumps(row) + "\n" for row in questions),
            **{f"systems/{name}.yaml": SYSTEM.format(id=name, url=url) for name, url in self.urls.items()},
        }
        found(root, files)
        self.judged("labels: {every: 5}")

    def judged(self, more: str, judge: str = "judge") -> None:
        (self.root / "checks/kind.yaml").write_text(CHECK.format(judge=judge, more=more))

    def run(self, *arguments: str) -> int:
        return call("-C", str(self.root), *arguments)


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    with ExitStack() as stack:
        helper = stack.enter_context(serving(lambda _prompt, _attempt: Reply(HOSTILE)))
        judge = stack.enter_context(serving(judging()))
        yield Hall(tmp_path / "hall", helper, judge)


def test_from_the_plan_to_the_report(hall: Hall, capsys: pytest.CaptureFixture[str]) -> None:
    assert hall.run("plan") == 0
    assert hall.run("check", "--gate") == 3
    assert hall.run("check", "label", "--by", "ai-team", "--export", str(hall.root / "todo.csv")) == 0
    with (hall.root / "todo.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 24
    assert all(row["reply"].startswith("'=") for row in rows), "no cell is taken for a formula"
    with (hall.root / "done.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["id", "question", "reply", "label"])
        writer.writeheader()
        writer.writerows({**row, "label": "pass"} for row in rows)
    capsys.readouterr()
    assert hall.run("check", "label", "--by", "ai-team", "--import", str(hall.root / "done.csv")) == 0
    printed = capsys.readouterr().out
    assert "met" in printed
    assert "the judge by itself: 0.0% fail" in printed
    assert hall.run("check", "--gate") == 0
    assert hall.run("status") == 0
    judged = re.search(r"(\d+) judged, 24 labelled", " ".join(capsys.readouterr().out.split()))
    assert judged is not None
    assert int(judged[1]) > 24
    assert hall.run("status", "--json") == 0
    assert '"labelled": 24' in capsys.readouterr().out
    assert hall.run("report") == 0
    page = (hall.root / "report.html").read_text()
    assert "The judge: <" in page
    assert f"{judged[1]} judged, 24 labelled" in page
    assert "A reply passes if it says yes." in page
    assert hall.run("verify") == 0


def _answering(hall: Hall, keys: str, *options: str) -> str:
    arguments = ["-C", str(hall.root), "check", "label", "--by", "ai-team", *options]
    result = CliRunner().invoke(cli, arguments, input="".join(f"{key}\n" for key in keys), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_in_the_terminal_until_there_are_enough(hall: Hall, capsys: pytest.CaptureFixture[str]) -> None:
    assert hall.run("plan") == 0
    hall.run("check")
    output = _answering(hall, "ppq")
    assert "A reply passes if it says yes." in output
    assert "labels brought in: 2" in output
    assert "verdict" not in output.partition("labels brought in")[0], "what the judge said is not shown"
    output = _answering(hall, "p" * 40)
    assert "enough: the verdict is proven" in output
    capsys.readouterr()
    assert hall.run("check", "--gate") == 0


def test_a_second_person_labels_what_the_first_has(hall: Hall) -> None:
    assert hall.run("plan") == 0
    hall.run("check")
    _answering(hall, "ppppq")
    output = _answering(hall, "ffffff", "--second", "--by", "management")
    assert "two labellers agree on 0% of 4" in output
    assert "unclear or disputed, so that nobody knows: 4" in output


def test_an_anchor_set_tests_the_judge_itself(hall: Hall) -> None:
    assert hall.run("plan") == 0
    hall.run("check")
    _answering(hall, "p" * 40)
    anchor = hall.root / "data/anchor.jsonl"
    assert hall.run("check", "label", "--by", "ai-team", "--anchor", str(anchor)) == 0
    (hall.root / "checks/steady.yaml").write_text(
        "id: steady\ntitle: {en: The judge is steady}\nstatement: {en: At least {threshold}}\n".replace(
            "At least {threshold}", '"At least {threshold} agree"'
        )
        + "metric: pass-rate\ncomparator: at-least\nthreshold: 0.7\ndata: {file: data/anchor.jsonl}\n"
        "scorer: {id: anchor}\napplies_to: chat\npopulation: data-set\n"
    )
    plan = hall.root / "plans/plan.yaml"
    plan.write_text(
        plan.read_text()
        + "      - id: judges\n        title: {en: Judges}\n        owner: ai-team\n        systems: [judge]\n"
        "        claims: [{check: steady}]\n"
    )
    assert hall.run("plan") == 0
    assert hall.run("check", "--gate") == 0


def _refused_until_accepted(
    hall: Hall, capsys: pytest.CaptureFixture[str], more: str, judge: str, message: str
) -> None:
    hall.judged(more, judge)
    assert hall.run("plan") == 2
    assert message in capsys.readouterr().err
    hall.judged(f"{more}\n  accept: {{en: We know what we do}}", judge)
    assert hall.run("plan") == 0


def test_a_judge_whose_error_nobody_measures_is_refused(hall: Hall, capsys: pytest.CaptureFixture[str]) -> None:
    _refused_until_accepted(hall, capsys, "show: []", "judge", "nobody measures the error of the judge judge")


def test_aisev_the_system_under_test_judges_itself(hall: Hall, capsys: pytest.CaptureFixture[str]) -> None:
    """There, the choice of a judge was ignored until 0.5.3: the results of that time are graded by what was tested."""
    _refused_until_accepted(hall, capsys, "labels: {every: 5}", "helper", "helper would judge itself")


def test_a_judge_that_shares_fingerprint_or_model_is_refused(hall: Hall, capsys: pytest.CaptureFixture[str]) -> None:
    twin = SYSTEM.format(id="helper", url=hall.urls["helper"]).replace("id: helper", "id: judge", 1)
    (hall.root / "systems/judge.yaml").write_text(twin)
    assert hall.run("plan") == 2
    assert "has the same fingerprint as helper" in capsys.readouterr().err
    told = twin.replace("stack:", 'stack:\n  - {id: told, type: instructions, text: "Be strict."}')
    (hall.root / "systems/judge.yaml").write_text(told)
    assert hall.run("plan") == 2
    assert "is the same model as helper" in capsys.readouterr().err


def test_the_words_of_acceptance_are_in_the_report(hall: Hall) -> None:
    hall.judged("accept: {en: We know <what> we do}")
    assert hall.run("plan") == 0
    assert hall.run("check", "--gate") == 0
    assert hall.run("report") == 0
    assert "We know &lt;what&gt; we do" in (hall.root / "report.html").read_text()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("{imported: outputs}", "a judge is not asked about imported replies or samples"),
        ("{file: data/questions.jsonl, imported: outputs}", "a judge is not asked about imported replies or samples"),
        ("{inspect: {task: tasks/x.py@x}}", "or samples of Inspect"),
    ],
)
def test_replies_that_no_judge_is_asked_about_are_refused(
    hall: Hall, capsys: pytest.CaptureFixture[str], data: str, said: str
) -> None:
    check = hall.root / "checks/kind.yaml"
    check.write_text(check.read_text().replace("{file: data/questions.jsonl}", data))
    assert hall.run("plan") == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_a_role_that_nobody_has_is_refused_before_anything_is_labelled(hall: Hall) -> None:
    assert hall.run("plan") == 0
    hall.run("check")
    result = CliRunner().invoke(
        cli, ["-C", str(hall.root), "check", "label", "--by", "ai-taem"], input="p\n" * 3 + "q\n"
    )
    assert isinstance(result.exception, UsageError)
    assert result.exception.hint is not None
    assert "ai-team" in result.exception.hint
    assert "Does the reply pass" not in result.output


def test_plan_says_how_many_labels_it_takes(hall: Hall, capsys: pytest.CaptureFixture[str]) -> None:
    assert hall.run("plan") == 0
    assert "people label one reply of 5; to keep it takes 17 labels or more, of 24 at most" in " ".join(
        capsys.readouterr().out.split()
    )


def test_labels_behind_the_verdict_are_not_counted_as_needed(hall: Hall, capsys: pytest.CaptureFixture[str]) -> None:
    assert hall.run("plan") == 0
    hall.run("check")
    todo = hall.root / "todo.csv"
    assert hall.run("check", "label", "--by", "ai-team", "--claim", "kind@helper", "--export", str(todo)) == 0
    todo.write_text(todo.read_text("utf-8-sig").replace(",\n", ",pass\n").replace(",\r\n", ",pass\r\n"))
    capsys.readouterr()
    assert hall.run("check", "label", "--by", "ai-team", "--import", str(todo), "--json") == 0
    judge = json.loads(capsys.readouterr().out)["verdict"]["details"]["judge"]
    assert (judge["labels"], judge["used"]) == (24, 17)


def test_names_that_are_wrong_are_told(hall: Hall, capsys: pytest.CaptureFixture[str]) -> None:
    hall.judged("labels: {every: 5}", "jugde")
    assert hall.run("plan") == 2
    assert "judge" in capsys.readouterr().err
    hall.judged("labels: {every: 5}")
    assert hall.run("plan") == 0
    assert hall.run("check", "label", "--by", "ai-team") == 2
    assert "labels.nothing-to-label" in capsys.readouterr().err
    assert hall.run("check", "label", "--by", "ai-team", "--claim", "knid") == 2
    assert "labels.unknown-claim" in capsys.readouterr().err
    assert hall.run("check", "label", "--by", "ai-team", "--claim", "kind@hepler") == 2
    assert "kind@helper?" in capsys.readouterr().err


def test_the_gate_and_act_ask_for_labels(hall: Hall, capsys: pytest.CaptureFixture[str]) -> None:
    assert hall.run("plan") == 0
    hall.run("check")
    capsys.readouterr()
    assert hall.run("act") == 0
    assert "shinrai check label" in capsys.readouterr().out


def _typing(hall: Hall) -> subprocess.Popen[str]:
    """Begin a sitting in a process of its own, and type two labels; it then waits for the third."""
    arguments = [sys.executable, "-m", "shinrai", "-C", str(hall.root), "--lang", "en", "check", "label"]
    process = subprocess.Popen(
        [*arguments, "--by", "ai-team"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("p\nf\n")
    process.stdin.flush()
    while "reply 3 of" not in (said := process.stdout.readline()):
        assert said, "it ended before it asked for the third"
    return process


def test_labels_typed_before_a_kill_are_brought_in_by_the_next_sitting(hall: Hall) -> None:
    assert hall.run("plan") == 0
    hall.run("check")
    with _typing(hall) as process:
        other = ["-C", str(hall.root), "check", "label", "--by", "ai-team"]
        refused = CliRunner().invoke(cli, other, input="p\n")
        assert isinstance(refused.exception, UsageError)
        assert refused.exception.code == "labels.two-windows"
        process.kill()
    [left] = (hall.root / FOLDER).iterdir()
    with left.open("ab") as file:
        file.write(b"0123")  # torn, as a power cut leaves it
    output = _answering(hall, "pq")
    assert "brought in from a sitting that was cut short: 2 labels" in output
    assert "reply 1 of at most 22" in output
    assert "labels brought in: 3" in output
    assert "labels=3, replies judged=120" in output
    with session(str(hall.root), write=False) as opened:
        kept = [one for _entry, one in opened.ledger.state().evidence if isinstance(one, Labels)]
        said = [(hall.root / one.file).read_text().split()[1:] for one in kept]
    assert [one.rows for one in kept] == [2, 1]
    assert [row.partition(",")[2] for rows in said for row in rows] == ["pass", "fail", "pass"]
    assert "nothing was labelled" in _answering(hall, "q"), "nothing is brought in twice"
    assert hall.run("verify") == 0


def test_a_label_that_cannot_be_kept_is_said_and_the_others_stay(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    assert hall.run("plan") == 0
    hall.run("check")
    forced = os.fsync
    calls = iter(range(10))

    def full(file: int) -> None:
        if next(calls) == 2:  # the second label: the first call is the opening
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        forced(file)

    with monkeypatch.context() as patched:
        patched.setattr("shinrai.check.sitting.os.fsync", full)
        arguments = ["-C", str(hall.root), "check", "label", "--by", "ai-team"]
        result = CliRunner().invoke(cli, arguments, input="p\np\nq\n")
    assert isinstance(result.exception, StoreError)
    assert result.exception.code == "labels.not-kept"
    assert "brought in from a sitting that was cut short" in _answering(hall, "q")
