"""What `shinrai do import` says: on the way, in the end, and to a program."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from shinrai.cli import main, progress
from shinrai.i18n import use_language
from tests.cycle import ADDER, call, found
from tests.fixtures.replies import HERE


@pytest.fixture
def town(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    found(tmp_path / "town", ADDER)
    capsys.readouterr()
    return tmp_path / "town"


def test_a_long_import_shows_how_far_it_is_on_a_terminal_alone(
    town: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "".join(json.dumps({"id": f"q{number}", "reply": "yes"}) + "\n" for number in range(2500))
    (town / "replies.jsonl").write_text(rows)
    importing = ("-C", str(town), "do", "import", str(town / "replies.jsonl"), "--system", "adder")
    assert call(*importing) == 0
    assert "read so far" not in capsys.readouterr().err
    monkeypatch.setattr(progress, "_SECONDS", 0.0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert call(*importing, "--json") == 0
    captured = capsys.readouterr()
    assert "read so far" not in captured.err
    assert json.loads(captured.out)["evidence"]["rows"] == 2500
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert call(*importing) == 0
    told = capsys.readouterr().err
    assert "1,000 trials read so far, of a file of 0 MB" in told
    assert "2,000 trials read so far" in told


@pytest.mark.parametrize(
    ("name", "ended", "failed", "never"), [("stopped", "error", 4, 8), ("cancelled", "cancelled", 5, 6)]
)
def test_a_run_that_broke_off_is_told_in_the_reader_s_language(
    town: Path, capsys: pytest.CaptureFixture[str], name: str, ended: str, failed: int, never: int
) -> None:
    shutil.copy(HERE / f"inspect/{name}.eval", town / f"{name}.eval")
    importing = ("-C", str(town), "do", "import", str(town / f"{name}.eval"), "--system", "adder")
    assert call(*importing) == 0
    english = capsys.readouterr().out
    assert f"the run did not end as planned; its tool says: '{ended}'" in english
    assert f"failed {failed}, never run {never}" in english
    with pytest.raises(SystemExit):
        main(["--lang", "ja", *importing])
    use_language("en")
    japanese = capsys.readouterr().out
    assert "予定どおりに終わっていません" in japanese
    assert f"失敗 {failed}, 実行されず {never}" in japanese


def test_scores_that_cannot_be_read_are_told(town: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"id": "a", "reply": "x", "score": 0.5}, {"id": "b", "reply": "y", "score": float("nan"), "note": None}]
    (town / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    importing = ("-C", str(town), "do", "import", str(town / "a.jsonl"), "--system", "adder")
    assert call(*importing) == 0
    assert "scores that cannot be read, such as NaN: score 1; they count as missing" in capsys.readouterr().out
    assert call(*importing, "--json") == 0
    assert json.loads(capsys.readouterr().out)["evidence"]["provenance"]["unscored"] == {"score": 1}
    with pytest.raises(SystemExit):
        main(["--lang", "ja", *importing])
    use_language("en")
    assert "読めない得点（NaN など）: score 1。欠測として数えます" in capsys.readouterr().out
