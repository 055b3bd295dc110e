"""What is found, what it is, what runs when; and what happens to what needs a plug-in that fails."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from shinrai.check.scorers import Context, scorer
from shinrai.errors import PluginError, SourceError, UsageError
from shinrai.plugins import choose, load, names
from shinrai.records import Call, Item, PluginScorer, digest_file
from shinrai.workspace import load as load_workspace
from tests.cycle import call


def write(root: Path, text: str, name: str = "mine") -> Path:
    (root / "checks").mkdir(exist_ok=True)
    path = root / f"checks/{name}.py"
    path.write_text(text, encoding="utf-8")
    return path


def outcome(root: Path, name: str, *replies: object, **parameters: object) -> Any:
    rule = scorer(PluginScorer(id="plugin", name=name, parameters=parameters), Context(root=root))
    return rule(Item("i", {"a": [1]}), ["q"] * len(replies), [Call("k", "ok", reply) for reply in replies])


def test_an_installed_plug_in_is_found_without_being_imported_and_said_what_it_is(
    installed: Path, tmp_path: Path
) -> None:
    offer = choose("scorer", "short", tmp_path)
    assert not any(name.startswith("town_checks") for name in sys.modules)
    file = installed / "town_checks/rules/short.py"
    assert offer.plugin.to_json() == {
        "kind": "scorer",
        "name": "short",
        "distribution": "town-checks",
        "version": "1.2",
        "file": "town_checks/rules/short.py",
        "digest": digest_file(file),
    }
    assert [outcome(tmp_path, "short", reply).outcome for reply in ("yes", "a long reply")] == ["pass", "fail"]


def test_a_file_of_the_workspace_is_parsed_and_not_run(tmp_path: Path) -> None:
    write(tmp_path, "raise SystemExit('never run')\ndef scorer(parameters): ...\n")
    write(tmp_path, "def importer(path): ...\n", "a_reader")
    write(tmp_path, "def scorer(parameters): ...\n", "test_mine")
    write(tmp_path, "import json\n", "no_plugin")
    assert names("scorer", tmp_path) == ["mine"]
    assert names("importer", tmp_path) == ["a-reader"]
    assert choose("scorer", "mine", tmp_path).plugin.file == "checks/mine.py"


@pytest.mark.parametrize(
    ("kind", "name", "hint"),
    [
        ("scorer", "shorts", "did you mean short?"),
        ("scorer", "a-reader", '"a-reader" is something else: importer'),
        ("section", "zzz", "write checks/zzz.py"),
        ("importer", "insect", "did you mean inspect?"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_one(
    installed: Path, tmp_path: Path, kind: Any, name: str, hint: str
) -> None:
    write(tmp_path, "def importer(path): ...\n", "a_reader")
    with pytest.raises(UsageError) as refused:
        choose(kind, name, tmp_path, shipped=("inspect",) if kind == "importer" else ())
    assert refused.value.code == "plugin.unknown"
    assert hint in (refused.value.hint or "")


def test_a_name_that_two_offer_belongs_to_none_of_them(installed: Path, desk: Path) -> None:
    with pytest.raises(SourceError) as refused:
        load_workspace(desk)
    (problem,) = refused.value.problems
    assert (problem.code, problem.file, problem.line) == ("plugin.twice", "checks/says-when.yaml", 12)
    assert "checks/names_a_time.py" in problem.message
    assert "town-checks (town_checks.rules.short:scorer)" in problem.message
    with pytest.raises(UsageError, match="Shinrai"):
        choose("importer", "inspect", desk, shipped=("inspect",))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import json\n1 / 0\ndef scorer(parameters): ...", "checks/mine.py:2: ZeroDivisionError"),
        ("def scorer(parameters):\n    raise KeyError('words')", "checks/mine.py:2: KeyError"),
        ("x = 1\ndef scorer(parameters:\n", "checks/mine.py:2: SyntaxError"),
        ("import sys\nsys.exit(0)\ndef scorer(parameters): ...", "checks/mine.py:2: SystemExit"),
        ("(" * 5000, "checks/mine.py"),
        ("scorer = 3", 'checks/mine.py is no function'),
        ("def scorer(parameters): return 3", "has to return a function"),
    ],
)  # fmt: skip
def test_one_that_fails_to_load_is_said_with_file_and_line(tmp_path: Path, text: str, said: str) -> None:
    write(tmp_path, text)
    with pytest.raises(PluginError) as failed:
        outcome(tmp_path, "mine", "yes")
    assert said in failed.value.message
    assert failed.value.exit_code == 3


@pytest.mark.parametrize(
    ("name", "code"),
    [("gone", "plugin.no-attribute"), ("constant", "plugin.not-callable"), ("spoilt", "plugin.failed")],
)
def test_an_installed_one_that_is_not_what_it_says_is_refused(
    installed: Path, tmp_path: Path, name: str, code: str
) -> None:
    with pytest.raises(PluginError) as failed:
        load(choose("scorer", name, tmp_path))
    assert failed.value.code == code
    assert "town_checks/" in failed.value.message


def test_an_installed_one_whose_file_is_not_there_is_refused(installed: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"town_checks\.rules\.lost") as refused:
        choose("scorer", "lost", tmp_path)
    assert refused.value.code == "plugin.no-file"


def test_what_runs_is_what_was_found(tmp_path: Path) -> None:
    path = write(tmp_path, "def scorer(parameters): ...\n")
    offer = choose("scorer", "mine", tmp_path)
    path.write_text("def scorer(parameters): return 1\n")
    with pytest.raises(PluginError, match="just been changed"):
        load(offer)


def test_what_a_rule_raises_and_what_it_makes_of_its_item_stay_with_it(tmp_path: Path) -> None:
    write(
        tmp_path,
        "def scorer(parameters):\n"
        "    def rule(item, requests, calls):\n"
        "        item.fields['a'].append(2)\n"
        "        if calls[0].reply == 'exit':\n"
        "            raise SystemExit(0)\n"
        "        return {'none': None, 'word': 'pass'}[calls[0].reply]\n"
        "    return rule\n",
    )
    rule = scorer(PluginScorer(id="plugin", name="mine"), Context(root=tmp_path))
    item = Item("i", {"a": [1]})
    found = [rule(item, ["q"], [Call("k", "ok", reply)]) for reply in ("none", "word", "other", "exit")]
    assert {score.outcome for score in found} == {"invalid"}
    assert found[2].detail == "the plug-in failed on this reply: checks/mine.py:6, KeyError"
    assert found[3].detail == "the plug-in failed on this reply: checks/mine.py:5, SystemExit"
    assert found[0].detail == found[1].detail == "the plug-in gave no score: checks/mine.py"
    assert item.fields == {"a": [1]}


def test_a_changed_byte_is_another_rule_and_whoever_verifies_runs_none(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rule = desk / "checks/names_a_time.py"
    good = rule.read_text(encoding="utf-8")
    rule.write_text(good + "raise RuntimeError('run by a command that must not run it')\n", encoding="utf-8")
    assert call("-C", str(desk), "plan") == 0
    assert call("-C", str(desk), "check", "--gate") == 3
    assert "checks/names_a_time.py:22: RuntimeError" in "".join(capsys.readouterr())
    rule.write_text(good, encoding="utf-8")
    assert call("-C", str(desk), "check") == 2
    assert "names-a-time has changed since the plan" in capsys.readouterr().err
    assert call("-C", str(desk), "plan") == 0
    assert call("-C", str(desk), "check", "--gate") == 0
    rule.write_text(good + "raise RuntimeError\n", encoding="utf-8")
    assert call("-C", str(desk), "verify", "--replay") == 0
    assert call("-C", str(desk), "plan") == 0
    capsys.readouterr()
    assert call("-C", str(desk), "status", "--json") == 0
    assert json.loads(capsys.readouterr().out)["plans"][0]["counts"] == {"stale": 1}


def test_a_section_that_fails_is_said_in_its_place_and_no_other_can_act(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = desk / "shinrai.yaml"
    text = settings.read_text(encoding="utf-8").replace("sections: [standing]", "sections: [bad, worse]")
    settings.write_text(text, encoding="utf-8")
    write(
        desk,
        "from shinrai.records import Text\n"
        "from shinrai.report.sections import Section\n"
        "def section(workspace, state, today):\n"
        "    hostile = Text(en='<script>alert(1)</script>')\n"
        "    return Section(title=hostile, columns=(hostile,), rows=(('<img src=x>',), (None,)))\n",
        "bad",
    )
    write(desk, "def section(workspace, state, today):\n    return '<b>bold</b>'\n", "worse")
    assert call("-C", str(desk), "plan") == 0
    assert call("-C", str(desk), "report") == 3
    assert "worse could not be made" in capsys.readouterr().err
    page = (desk / "report.html").read_text(encoding="utf-8")
    assert "This section could not be made." in page
    assert "&lt;script&gt;alert(1)" in page
    assert "&lt;img src=x&gt;" in page
    assert "<script>alert" not in page
    assert "<img src=x" not in page


def test_an_importer_that_fails_half_way_brings_nothing(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (desk / "desk.log").write_text("08:31 | When? | At 17:15.\nbroken\n", encoding="utf-8")
    importing = ("-C", str(desk), "do", "import", str(desk / "desk.log"), "--system", "front-desk")
    assert call(*importing, "--as", "desk-log") == 3
    assert "checks/desk_log.py:8: ValueError" in capsys.readouterr().err
    assert not list((desk / ".shinrai").rglob("*desk*"))
    assert call(*importing, "--as", "desk-logs") == 2
    assert "did you mean desk-log?" in capsys.readouterr().err


def test_a_new_scorer_works_from_the_start_and_overwrites_nothing(
    desk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    capsys.readouterr()
    assert call("-C", str(desk), "new", "scorer", "polite-tone", "--json") == 0
    files = json.loads(capsys.readouterr().out)["files"]
    stem = "checks/{}polite_tone{}"
    assert files == [stem.format(*ends) for ends in (("", ".py"), ("test_", ".py"), ("", ".md"), ("", ".ja.md"))]
    assert load_workspace(desk).own_checks.keys() == {"says-when"}
    scope: dict[str, Any] = {"__name__": "made", "__file__": str(desk / files[1])}
    exec(compile((desk / files[1]).read_text(encoding="utf-8"), files[1], "exec"), scope)  # noqa: S102 - the test that the scaffold wrote
    tests = scope["unittest"].defaultTestLoader.loadTestsFromTestCase(scope["Scores"])
    result = scope["unittest"].TestResult()
    tests.run(result)
    assert (result.testsRun, result.failures, result.errors) == (4, [], [])
    before = {path: path.read_bytes() for path in (desk / "checks").iterdir()}
    for name in ("polite-tone", "names-a-time", "Bad Name", "test-x"):
        assert call("-C", str(desk), "new", "scorer", name) == 2
    (desk / "checks/other.md").write_text("mine")
    assert call("-C", str(desk), "new", "scorer", "other") == 2
    assert {path: path.read_bytes() for path in before} == before
    assert not (desk / "checks/other.py").exists()
