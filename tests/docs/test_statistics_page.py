"""The statistics page: its examples run, its pictures are what the library draws, both languages show the same."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

import shinrai.stats
from docs.pictures import DRAWN, IMAGES, pictures

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {"en": DOCS / "statistics.md", "ja": DOCS / "statistics.ja.md"}


def examples(language: str) -> list[doctest.Example]:
    text = PAGES[language].read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return doctest.DocTestParser().get_examples("\n".join(blocks))


@pytest.mark.parametrize("language", PAGES)
def test_every_example_gives_what_the_page_says(language: str) -> None:
    page = doctest.DocTest(examples(language), {}, PAGES[language].name, str(PAGES[language]), 0, None)
    assert len(page.examples) > 25
    report: list[str] = []
    result = doctest.DocTestRunner().run(page, out=report.append)
    assert result.failed == 0, "".join(report)


def test_both_languages_show_the_same_examples() -> None:
    def code(language: str) -> list[tuple[str, str]]:
        return [(re.sub(r"\s*#.*", "", example.source), example.want) for example in examples(language)]

    assert code("en") == code("ja")


def test_the_pictures_are_what_the_library_draws() -> None:
    drawn = pictures()
    assert {file.name for file in IMAGES.glob("*.svg")} == set(drawn)
    for name, svg in drawn.items():
        assert (IMAGES / name).read_text(encoding="utf-8") == svg, f"run python -m docs.pictures: {name}"


@pytest.mark.parametrize("language", PAGES)
def test_each_page_shows_every_picture_in_its_language(language: str) -> None:
    shown = re.findall(r"!\[[^\]]+\]\(images/([^)]+)\)", PAGES[language].read_text(encoding="utf-8"))
    assert sorted(shown) == sorted(f"{name}-{language}.svg" for name in DRAWN)


@pytest.mark.parametrize("language", PAGES)
def test_every_name_on_the_page_is_in_the_library(language: str) -> None:
    text = PAGES[language].read_text(encoding="utf-8")
    names = set(re.findall(r"`([A-Z][A-Za-z]+)`", text)) | set(
        re.findall(r"`((?:decide|fewest|plan|binomial|breadth)_\w+)`", text)
    )
    assert len(names) > 12
    assert not sorted(names - set(shinrai.stats.__all__))
