"""The shipped rule books: their shape, their sources, and that crosswalks name what is there and do not contradict."""

from __future__ import annotations

import pytest

from shinrai import catalog
from shinrai.records import CHECKS, INVERSE, Framework

SHIPPED = {
    "jp-ai-guidelines-for-business-1.2": 40,
    "jp-ai-act-article-13-guideline-2025": 9,
    "jaisi-perspectives-1.10": 10,
    "jaisi-perspectives-1.20": 11,
    "nist-ai-rmf-1.0": 72,
    "nist-ai-600-1": 12,
    "iso-iec-42001-2023": 62,
    "eu-ai-act-2024": 50,
    "g7-hiroshima-code-of-conduct-2023": 11,
    "oecd-ai-principles-2024": 10,
    "haip-reporting-1": 7,
    "haip-reporting-2": 3,
}


def test_what_is_shipped() -> None:
    found = {name: sum(one.assessable for one in book.requirements) for name, book in catalog.frameworks().items()}
    assert found == SHIPPED


@pytest.mark.parametrize("book", catalog.frameworks().values(), ids=lambda book: book.id)
def test_every_rule_book_has_a_source_a_licence_and_both_languages(book: Framework) -> None:
    assert book.checked_on is not None
    assert book.sources[0].url
    for text in (book.title, book.issuer, book.licence.name):
        assert text.ja
        assert text.en
    for entry in book.requirements:
        assert entry.title.en
        assert entry.title.ja or not entry.assessable
    if book.licence.ships == "own-words":
        assert not any(entry.text for entry in book.requirements)


def test_the_guidelines_are_ten_principles_for_three_roles() -> None:
    book = catalog.frameworks()["jp-ai-guidelines-for-business-1.2"]
    principles = [entry for entry in book.requirements if entry.parent is None]
    assert len(principles) == 10
    for entry in principles:
        under = [one.roles for one in book.requirements if one.parent == entry.id]
        assert under == [("developer",), ("provider",), ("business-user",)]


def test_crosswalks_name_what_is_there_and_agree_with_their_inverse() -> None:
    books = {name: {one.id for one in book.requirements} for name, book in catalog.frameworks().items()}
    books[CHECKS] = set(catalog.checks())
    said: dict[tuple[str, str], str] = {}
    for walk in catalog.crosswalks().values():
        assert walk.provenance == "derived", "an official crosswalk needs its source checked first"
        for mapping in walk.mappings:
            assert set(mapping.sources) <= books[walk.source], walk.id
            assert set(mapping.targets) <= books[walk.target], walk.id
            for pair in (
                (f"{walk.source}/{a}", f"{walk.target}/{b}") for a in mapping.sources for b in mapping.targets
            ):
                assert said.get(pair, mapping.relationship) == mapping.relationship
                back = said.get((pair[1], pair[0]))
                assert back is None or back == INVERSE[mapping.relationship]
                said[pair] = mapping.relationship
    assert all(one != "no-relationship" for one in said.values())


def test_what_shipped_checks_name_is_there() -> None:
    books = catalog.frameworks()
    for check in catalog.checks().values():
        for name in check.answers:
            book, _slash, entry = name.rpartition("/")
            assert entry in {one.id for one in books[book].requirements}, name
