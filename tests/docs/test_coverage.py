"""The page that says what could not be verified is that of the catalog."""

from __future__ import annotations

from tests.docs import coverage_page


def test_the_page_of_coverage_is_that_of_the_catalog() -> None:
    for language, text in coverage_page.pages().items():
        assert coverage_page.PAGES[language].read_text(encoding="utf-8") == text, "run `make messages`"
        assert text.count("draft only" if language == "en" else "案の段階") == 3
