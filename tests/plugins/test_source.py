"""A trial source of one's own: what it may do, what its trials come to, and what happens when it fails."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shinrai.check.journal import Line
from shinrai.check.replay import replay
from shinrai.check.sources import source_of
from shinrai.check.versions import compare_versions
from shinrai.do.inspect_log import read_inspect
from shinrai.errors import SourceError, UsageError
from shinrai.plugins import choose
from shinrai.records import Budget, Check, Column, CommittedData, Includes, Regex, Verdict, digest_file
from shinrai.report.dialogues import as_spoken
from shinrai.report.evidence import exhibits
from shinrai.workspace import load as load_workspace
from tests.check.town import HERE, QUICK, Town, found
from tests.cycle import call
from tests.plugins.conftest import leave_out
from tests.servers.endpoint import Endpoint, Reply, serving

WALKER = """
import math

def source(parameters):
    def trial(item, repeat, ask):
        kind = item.fields["kind"]
        if kind == "raises":
            raise ValueError("not this one")
        if kind == "alone":
            return "yes"
        if kind in {"number", "taken", "object"}:
            ask("anything")
        if kind == "number":
            return 3
        if kind == "taken":
            return {"sample": "another"}
        if kind == "object":
            return {"value": object()}
        if kind == "wrong":
            ask(["a list"])
        if kind == "swallows":
            try:
                ask("refused")
            except Exception:
                return {"reply": "yes", "steps": 1, "score": 1.0}
        if kind == "blocked":
            try:
                ask("blocked")
            except BaseException:
                return "yes"
        item.fields["kind"] = "changed by the source"
        first = ask(f"{item.id} {repeat} first")
        second = ask({"messages": [{"role": "user", "content": f"{item.id} after {first}"}]})
        score = math.nan if kind == "nan" else 1.0
        return {"steps": 2, "score": score, "agreed": first == second, **parameters}
    return trial
"""
KINDS = ("good", "raises", "alone", "number", "taken", "object", "wrong", "swallows", "blocked", "nan")


def model(prompt: str, _attempt: int) -> Reply:
    if prompt == "refused":
        return Reply(status=400, body=b'{"error": {"message": "no"}}')
    return Reply(finish="content_filter") if prompt == "blocked" else Reply("yes")


def prepared(town: Town, endpoint: Endpoint, kinds: tuple[str, ...] = KINDS, **use: Any) -> CommittedData:
    town.chat(endpoint.url, stack=[{"id": "rules", "type": "instructions", "text": "be brief"}])
    (town.root / "checks").mkdir(exist_ok=True)
    (town.root / "checks/walker.py").write_text(WALKER, encoding="utf-8")
    path = town.root / "items.jsonl"
    path.write_text("".join(json.dumps({"id": f"{kind}-{n}", "kind": kind}) + "\n" for n, kind in enumerate(kinds)))
    return CommittedData.model_validate(
        {
            "use": {"file": "items.jsonl", "source": {"name": "walker", **use}},
            "digest": digest_file(path),
            "items": len(kinds),
            "source": choose("source", "walker", town.root).plugin,
        }
    )


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = found(tmp_path / "town")
    with made.ledger:
        yield made


async def test_what_a_source_makes_is_scored_and_what_it_lost_is_missing(town: Town) -> None:
    with serving(model) as endpoint:
        data = prepared(town, endpoint, at_once=3, parameters={"room": "hall"})
        score = Column(id="column", column="score", rule="at-least", value=1.0)
        town.promise("p/g/m/score", data=data, budget=len(KINDS), scorer=score, threshold=0.5)
        town.promise("p/g/m/reply", data=data, budget=len(KINDS), threshold=0.5)
        verdicts = {one.claim: one for one in await town.check()}
    assert list(town.state.runs) == ["run-0001"]  # both claims look at the same trials
    assert {one.status for one in verdicts.values()} == {"undecided"}
    promise = town.state.promises["p/g/m/score@assistant"].digest
    ended = {one.item.partition("-")[0]: one.outcome for one in town.trials() if one.commitment == promise}
    expected = {**dict.fromkeys(KINDS, "error"), "good": "pass", "nan": "invalid", "blocked": "blocked"}
    assert ended.items() <= expected.items()
    assert len(ended) >= len(KINDS) - 1  # the last one could change nothing any more
    lines = {line.request["sample"].partition("-")[0]: line for line in town.journal()}
    good = lines["good"].reply
    assert good == {
        "id": "good-0",
        "sample": "good-0",
        "end": "ok",
        "reply": "yes",
        "repeat": 1,
        "replies": ["yes", "yes"],
        "prompts": ["good-0 1 first", "good-0 after yes"],
        "steps": 2,
        "score": 1.0,
        "agreed": True,
        "room": "hall",
    }
    assert lines["good"].tokens_in > 0
    assert {kind: line.error or line.end for kind, line in lines.items()} == {
        "raises": "ValueError",
        "number": "malformed",
        "taken": "malformed",
        "object": "malformed",
        "wrong": "TypeError",
        "swallows": "http-400",
        "alone": "system-not-asked",
        "blocked": "blocked",
        "good": "ok",
        "nan": "ok",
    }
    assert lines["nan"].reply["score"] is None
    (shown,) = exhibits(town.root, town.state, verdicts["p/g/m/reply"], frozenset({"pass"}))[:1]
    asked = [f"{shown.item} 1 first", f"{shown.item} after yes"]
    assert [(one.asked, one.reply) for one in shown.exchanges] == [(question, "yes") for question in asked]
    made = replay(town.root, town.ledger)
    assert made.first is None
    assert made.rescored == made.trials > 0


@pytest.mark.parametrize(("columns", "expected"), [
    ({}, [("a", "x"), ("b", "y")]),
    ({"reply": "made up"}, [("a\n\nb", "made up")]),
    ({"replies": None}, [("a\n\nb", "y")]),  # Inspect keeps the last reply alone
    ({"prompts": [], "replies": []}, [("s1", "y")]),
])  # fmt: skip
def test_a_sample_is_shown_by_its_questions_and_replies(
    columns: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    row = {"prompts": ["a", "b"], "replies": ["x", "y"], "reply": "y", **columns}
    call = Line("k", "ok", row, request={"sample": "s1", "epoch": 1})
    assert [(one.request, one.reply) for one in as_spoken(call)] == expected


async def test_two_versions_are_asked_through_the_same_source_for_the_same_items(town: Town) -> None:
    with serving() as endpoint:
        endpoint.behave = lambda _prompt, _attempt: Reply("yes" if endpoint.log.bodies[-1]["model"] == "new" else "no")
        data = prepared(town, endpoint, ("good",) * 120)
        for name in ("old", "new"):
            town.chat(endpoint.url, model=name)
            town.promise("p/g/m/c", data=data, budget=120, threshold=0.3, margin=0.1)
            await town.check()
        measured = [sum(1 for _trial in town.trials(number)) for number in (1, 2)]
        before = len(endpoint.log.bodies)
        comparing: Any = {"budget": Budget(calls=10_000), "allowed_hosts": HERE, "patience": QUICK}
        (found,) = await compare_versions(town.root, town.ledger, "before", **comparing)
        assert found.pairs > min(measured)
        assert len(endpoint.log.bodies) > before
        assert (found.status, found.missing) == ("met", 0)
        assert found.fixed == found.pairs
        again = len(endpoint.log.bodies)
        assert (await compare_versions(town.root, town.ledger, "before", **comparing))[0].pairs == found.pairs
        assert len(endpoint.log.bodies) == again, "what was asked for one comparison counts for the next"
        made = replay(town.root, town.ledger)
        assert made.first is None
        (town.root / "checks/walker.py").write_text(WALKER + "\n", encoding="utf-8")
        town.chat(endpoint.url, model="newest")
        with pytest.raises(UsageError, match="the trial source walker has changed since the plan"):
            await compare_versions(town.root, town.ledger, "1", **comparing)


async def test_repetitions_are_one_trial_and_a_changed_byte_is_another_promise(town: Town) -> None:
    with serving(model) as endpoint:
        data = prepared(town, endpoint, ("good",) * 4)
        town.promise("p/g/m/c", data=data, variants={"type": "repeat", "times": 2}, budget=4, threshold=0.5)
        (verdict,) = await town.check()
        assert (verdict.counts.total, verdict.calls) == (4, 8)
        assert {line.request["epoch"] for line in town.journal()} == {1, 2}
        other = town.promise("p/g/m/d", data=data, budget=4, threshold=0.5)
        (town.root / "checks/walker.py").write_text(WALKER + "\n", encoding="utf-8")
        with pytest.raises(UsageError, match="the trial source walker has changed since the plan"):
            await town.check()
    changed = data.model_copy(update={"source": choose("source", "walker", town.root).plugin})
    assert source_of(other) != source_of(other.model_copy(update={"data": changed}))
    assert source_of(other.model_copy(update={"data": data.model_copy(update={"digest": "sha256:" + "1" * 64})})) != ""


@pytest.mark.parametrize(
    ("text", "said"),
    [("1 / 0\ndef source(parameters): ...", "checks/walker.py:1: ZeroDivisionError"),
     ("def source(parameters): return 3", "has to return a function")],
)  # fmt: skip
async def test_one_that_fails_to_load_leaves_its_claims_unmeasured_and_the_others_measured(
    town: Town, text: str, said: str
) -> None:
    with serving(model) as endpoint:
        data = prepared(town, endpoint, ("good",) * 30)
        (town.root / "checks/walker.py").write_text(text, encoding="utf-8")
        data = data.model_copy(update={"source": choose("source", "walker", town.root).plugin})
        town.promise("p/g/m/made", data=data, budget=30)
        town.prompts(30)
        town.promise("p/g/m/asked", threshold=0.5)
        found = {one.claim: one for one in await town.check()}
    made: Verdict = found["p/g/m/made"]
    assert (made.status, made.reason) == ("not_measured", "plugin-failed")
    assert said in str(made.note)
    assert found["p/g/m/asked"].status == "met"


async def test_one_that_hangs_costs_its_trial(town: Town) -> None:
    with serving(model) as endpoint:
        data = prepared(town, endpoint, ("good",) * 2, timeout=0.3)
        slow = "import time\ndef source(parameters):\n    return lambda item, repeat, ask: time.sleep(3)\n"
        (town.root / "checks/walker.py").write_text(slow, encoding="utf-8")
        data = data.model_copy(update={"source": choose("source", "walker", town.root).plugin})
        town.promise("p/g/m/c", data=data, budget=2)
        (verdict,) = await town.check()
    assert verdict.status == "not_measured"
    assert verdict.counts.passed == verdict.counts.failed == 0


CHECK: dict[str, Any] = {
    "id": "c",
    "title": {"en": "C"},
    "statement": {"en": "C"},
    "applies_to": "chat",
    "metric": "failure-rate",
    "comparator": "at-most",
    "threshold": 0.1,
    "data": {"file": "items.jsonl", "source": {"name": "walker"}},
    "scorer": {"id": "includes", "text": "yes"},
}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"data": {"imported": "inspect", "source": {"name": "walker"}}}, "goes with `file` alone"),
        ({"data": {"inspect": {"task": "x"}, "source": {"name": "walker"}}}, "goes with `file` alone"),
        ({"scorer": {"id": "consistency"}}, "a trial source are read by one of"),
        ({"variants": {"type": "swap", "column": "a", "values": [1]}}, "can only be repeated"),
    ],
)
def test_what_does_not_go_with_a_source_is_refused(changed: dict[str, Any], said: str) -> None:
    assert Check.model_validate(CHECK).data is not None
    with pytest.raises(ValueError, match=said):
        Check.model_validate({**CHECK, **changed})


def test_a_source_is_found_by_its_name_without_being_run(example: Path, installed: Path, tmp_path: Path) -> None:
    root = tmp_path / "desk"
    shutil.copytree(example, root)
    leave_out(root, "said-when")
    leave_out(root, "says-when")  # whose scorer the package offers, too
    assert choose("source", "wanders", root).plugin.distribution == "town-checks"
    file = root / "checks/comes_back.py"
    file.write_text(file.read_text(encoding="utf-8") + "raise RuntimeError('run')\n", encoding="utf-8")
    checks = load_workspace(root).own_checks  # nothing of it is run
    assert checks["finds-out"].data is not None
    check = root / "checks/finds-out.yaml"
    text = check.read_text(encoding="utf-8")
    for name, hint in (("comes-bak", "did you mean comes-back?"), ("front-desk", "is something else: target")):
        check.write_text(text.replace("name: comes-back", f"name: {name}"), encoding="utf-8")
        with pytest.raises(SourceError) as refused:
            load_workspace(root)
        (problem,) = refused.value.problems
        assert (problem.code, problem.file, problem.line) == ("plugin.unknown", "checks/finds-out.yaml", 11)
        assert hint in (problem.hint or "")


def test_a_source_of_a_package_is_in_the_promise_with_its_version(
    example: Path, installed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "desk"
    shutil.copytree(example, root)
    leave_out(root, "said-when")
    leave_out(root, "says-when")
    check = root / "checks/finds-out.yaml"
    text = check.read_text(encoding="utf-8").replace("name: comes-back", "name: wanders")
    text = text[: text.index("scorer:")] + "scorer: {id: includes, text: asked}\n"
    check.write_text(text, encoding="utf-8")
    assert call("-C", str(root), "plan") == 0
    assert call("-C", str(root), "check", "--gate") == 0
    assert call("-C", str(root), "verify", "--replay") == 0
    assert "6 of them scored again" in capsys.readouterr().out
    assert call("-C", str(root), "report") == 0
    page = (root / "report.html").read_text(encoding="utf-8")
    assert "wanders (town-checks 1.2, sha256:" in page
    assert call("-C", str(root), "show", "run-0001", "--as-inspect", str(root / "run.eval")) == 0
    logged = next(read_inspect(root / "run.eval").rows)
    assert (logged.prompts, logged.reply) == (["anything"], "asked: The counter is open from 8:30 to 17:15.")


def test_readers_of_one_text_read_the_reply() -> None:
    for scorer in (Includes(id="includes", text="yes"), Regex(id="regex", pattern="yes")):
        assert Check.model_validate({**CHECK, "scorer": scorer.to_json()}).scorer == scorer
