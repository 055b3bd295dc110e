"""The one complete example of the guide runs as it stands on the page, and comes out as the page says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cycle import call
from tests.plugins import guide


def test_the_example_runs_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for step in guide.steps("en"):
        if step.file is not None:
            guide.write(Path.cwd(), step)
        elif guide.words(step)[0] == "cd":
            monkeypatch.chdir(guide.words(step)[1])
        else:
            assert call(*guide.words(step)) == 0, step.text
    capsys.readouterr()
    assert call("status", "--json") == 0
    assert json.loads(capsys.readouterr().out)["plans"][0]["counts"] == {"met": 2, "undecided": 1}
    page = Path("report.html").read_text(encoding="utf-8")
    assert "Where we stand" in page
    assert "いまの状況" in page
    assert "names-a-time (checks/names_a_time.py, sha256:" in page
    assert "comes-back (checks/comes_back.py, sha256:" in page
    assert "read by the plug-in desk-log (checks/desk_log.py, sha256:" in page
    assert call("verify", "--replay") == 0
    assert "16 trials, 6 of them scored again" in capsys.readouterr().out


def test_both_pages_show_the_same_example() -> None:
    assert list(guide.steps("en")) == list(guide.steps("ja"))
    assert len(list(guide.steps("en"))) > 12
