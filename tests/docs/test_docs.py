"""What the documents say is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from shinrai.cli import cli
from tests.docs import errors_page, messages

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "README.ja.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if not link.startswith(("http://", "https://")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


FOR_DEVELOPERS = {"architecture.md", "benchmarks.md"}


def test_every_page_for_users_is_there_in_both_languages() -> None:
    """One page in two files, or in one file with a part in Japanese (the scorers); the Japanese leads to Japanese."""
    english = [page for page in PAGES if not page.name.endswith(".ja.md") and page.name not in FOR_DEVELOPERS]
    for page in english:
        japanese = page.with_suffix(".ja.md")
        if not japanese.exists():
            assert "\n## 日本語\n" in page.read_text(encoding="utf-8"), page.name
            continue
        for link in re.findall(r"\]\(([^)#:]+\.md)[^)]*\)", japanese.read_text(encoding="utf-8")):
            there = japanese.parent / link
            assert there.name.endswith(".ja.md") or there == page or not there.with_suffix(".ja.md").exists(), link


@pytest.mark.parametrize("name", ["README.md", "README.ja.md"])
def test_every_command_in_the_readme_exists(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    verbs = set(re.findall(r"shinrai ([a-z]+)", text))
    assert verbs
    assert verbs <= set(cli.list_commands(None))  # type: ignore[arg-type]  # the group does not look at it
    targets = set(re.findall(r"make ([a-z]+) +#", text))
    assert {"demo", "test"} <= targets
    assert all(re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE) for target in targets)


def test_both_readmes_show_the_same_commands() -> None:
    def commands(name: str) -> list[str]:
        return re.findall(r"`shinrai [a-z]+", (ROOT / name).read_text(encoding="utf-8"))

    assert sorted(set(commands("README.md"))) == sorted(set(commands("README.ja.md")))


def test_every_room_stands_in_the_architecture() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    rooms = [path.name for path in (ROOT / "src/shinrai").iterdir() if (path / "__init__.py").exists()]
    missing = [room for room in rooms if f"{room}/" not in text]
    assert not missing


def test_every_file_named_in_the_architecture_exists() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    for name in set(re.findall(r"`([a-z_]+/(?:[a-z_]+/)*[a-z_]+\.py)`", text)):
        assert (ROOT / "src/shinrai" / name).exists(), name


def test_every_error_code_is_documented() -> None:
    known = set(re.findall(r"`([a-z]+\.[a-z0-9-]+)`", (ROOT / "docs/errors.md").read_text(encoding="utf-8")))
    rooms = {code.partition(".")[0] for code in known}
    for file in (ROOT / "src/shinrai").rglob("*.py"):
        for code in re.findall(r'Error\(\s*"([a-z]+\.[a-z0-9-]+)"', file.read_text(encoding="utf-8")):
            assert code.partition(".")[0] in rooms, code
            assert code in known, f"{file.name}: {code}"


def test_the_pages_of_errors_are_those_of_the_source() -> None:
    for language, text in errors_page.pages().items():
        written = errors_page.PAGES[language].read_text(encoding="utf-8")
        assert written == text, "run `make messages`"


def test_every_error_says_what_happened_in_both_languages() -> None:
    rows = errors_page.Source(messages.SOURCE).rows()
    assert len(rows) > 150
    known = messages.messages()
    assert [code for code, row in rows.items() if not row.happened] == ["source.rule"]
    for code, row in rows.items():
        assert {*row.happened, *row.expected, *row.hints} <= known, code
    assert rows["ledger.locked"].hints == ["Wait until it has finished, then run the same command again."]
    assert rows["do.seconds"].expected == ["a number of seconds such as 95 or 95.5, or nothing"]
    assert "the system {name} has changed since the plan" in rows["check.plan-first"].happened
