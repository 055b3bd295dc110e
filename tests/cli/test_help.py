"""Help and complaints in the language of the person."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shinrai.cli import VERBS, main
from shinrai.cli.help import paragraphs, width_of, wrap

Said = Callable[..., tuple[int, str, str]]
ENGLISH = re.compile(r"\b(the|of|and|that|is|for|what)\b")


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Said]:
    """Run the command line in an environment with one language, or none."""

    def run(*arguments: str, lang: str = "C") -> tuple[int, str, str]:
        for name in ("SHINRAI_LANG", "LC_ALL", "LC_MESSAGES"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("LANG", lang)
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        return int(ended.value.code or 0), *capsys.readouterr()

    yield run
    monkeypatch.undo()
    with pytest.raises(SystemExit):
        main(["--lang", "en", "--version"])


@pytest.mark.parametrize("arguments", [("--lang", "ja", "--help"), ("-h", "--lang=ja")])
def test_help_is_japanese_when_asked_for(said: Said, arguments: tuple[str, ...]) -> None:
    _code, page, _err = said(*arguments)
    assert page.startswith("使い方:")
    assert "オプション:" in page
    assert "ワークスペースを作ります。" in page
    assert not ENGLISH.search(page)


@pytest.mark.parametrize("verb", [*VERBS, "do attest", "do observe", "do import", "act apply"])
def test_every_page_of_help_is_japanese_in_a_japanese_environment(said: Said, verb: str) -> None:
    _code, page, _err = said(*verb.split(), "--help", lang="ja_JP.UTF-8")
    text = page.partition("例:")[0]
    assert text.startswith("使い方:")
    assert not ENGLISH.search(text.replace("--as-of", "")), text
    for line in text.splitlines():
        assert width_of(line) <= 80, line


@pytest.mark.parametrize(
    "verb",
    [
        *("export", "plan", "status", "stack", "stack show", "stack import", "stack export", "frameworks"),
        *("frameworks list", "frameworks show", "frameworks coverage", "do answer", "do questionnaire"),
    ],
)
def test_every_verb_about_systems_and_rule_books_shows_examples(said: Said, verb: str) -> None:
    for lang, heading in (("en_US.UTF-8", "Examples:"), ("ja_JP.UTF-8", "例:")):
        _code, page, _err = said(*verb.split(), "--help", lang=lang)
        _before, found, examples = page.partition(heading)
        assert found, page
        assert f"shinrai {verb}" in examples or f"shinrai --lang ja {verb}" in examples


def test_an_explicit_language_wins_over_the_environment(said: Said) -> None:
    assert said("--lang", "en", "--help", lang="ja_JP.UTF-8")[1].startswith("Usage:")
    assert said("--help", lang="de_DE.UTF-8")[1].startswith("Usage:")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("chek",), "エラー: 'chek' というコマンドはありません。 'check' のことですか？"),
        (("check", "--foo"), "エラー: '--foo' というオプションはありません。"),
        (("do", "attest", "--subject", "x", "--by", "y"), "エラー: 引数が足りません: 'DOCUMENT'."),
        (("do", "observe"), "エラー: 必須のオプションがありません: '--subject'."),
        (("do", "attest", "no-such-file"), "'no-such-file' がありません。"),
        (("verify", "too", "much"), "エラー: 余分な引数があります（too much）"),
        (("check", "--claim"), "エラー: オプション '--claim' には値が 1 個必要です。"),
    ],
)
def test_complaints_about_the_command_are_japanese(said: Said, arguments: tuple[str, ...], complaint: str) -> None:
    code, _out, err = said("--lang", "ja", *arguments)
    assert code == 2
    assert complaint in err


def test_a_process_in_a_japanese_environment_says_everything_in_japanese() -> None:
    environment = {name: value for name, value in os.environ.items() if name not in {"LC_ALL", "SHINRAI_LANG"}}
    command = [sys.executable, "-m", "shinrai", "check", "--foo"]
    ended = subprocess.run(
        command,
        check=False,
        capture_output=True,
        encoding="utf-8",
        env={**environment, "LC_MESSAGES": "ja_JP.UTF-8", "PYTHONIOENCODING": "utf-8"},
    )
    assert ended.returncode == 2
    assert "使い方:" in ended.stderr
    assert "--help' で見られます。" in ended.stderr
    assert "エラー: '--foo' というオプションはありません。" in ended.stderr


def test_english_help_loads_nothing_of_the_japanese() -> None:
    check = "import sys; from shinrai.cli import main\ntry: main(['--lang', 'en', '--help'])\nexcept SystemExit: pass\n"
    check += "print([name for name in ('shinrai.cli.help', 'unicodedata', 'pathlib', 'rich') if name in sys.modules])"
    ended = subprocess.run([sys.executable, "-c", check], check=True, capture_output=True, text=True)
    assert ended.stdout.splitlines()[-1] == "[]"


def test_paragraphs_are_joined_and_examples_keep_their_lines() -> None:
    text = "One\nsentence.\n\n\b\nExamples:\n  first\n  second\n"
    assert list(paragraphs(text)) == [(False, "One sentence."), (True, "Examples:\n  first\n  second")]


@given(st.text(alphabet="あ漢字。、（）「」ab c-", min_size=1, max_size=200), st.integers(10, 60))
def test_wrapping_keeps_every_character_and_the_width(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert "".join("".join(lines).split()) == "".join(text.split())
    pieces = re.split(r"(?<=[あ漢字])|\s", text)
    if max(map(width_of, pieces)) <= width // 2:
        assert all(width_of(line) <= width for line in lines)
    if not re.search(r"\s[。、）」]", text):  # nobody writes a space before a closing mark
        assert not any(line and line[0] in "。、）」" for line in lines[1:])
