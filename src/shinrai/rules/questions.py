"""The words of a questionnaire: heads of its columns and what can be answered, written and read in both languages."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Final, TypeVar

from shinrai.i18n import LANGUAGES, N_, translate
from shinrai.records import AnswerGiven

_Key = TypeVar("_Key", bound=str)

ANSWER_WORDS: Final[Mapping[AnswerGiven, str]] = {
    "in-place": N_("in place"),
    "not-in-place": N_("not in place"),
    "not-assessed": N_("not assessed"),
    "not-applicable": N_("does not apply"),
}
"""What an organisation says of a requirement."""

HEADS: Final[Mapping[str, str]] = {
    "requirement": N_("requirement"),
    "system": N_("AI system"),
    "question": N_("question"),
    "answer": N_("answer"),
    "statement": N_("explanation"),
    "document": N_("document as evidence"),
    "effective": N_("in force from"),
    "valid_until": N_("valid until"),
    "by": N_("answered by"),
    "second_reader": N_("second reader"),
}
"""Columns of a questionnaire: name and head."""


def written_alike(text: str) -> str:
    """Bring a short text into the form in which two spellings of it are equal: width, case, spaces, ``-`` and ``_``."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(plain.replace("_", " ").replace("-", " ").split())


def spoken(words: Mapping[_Key, str]) -> dict[str, _Key]:
    """Give the key for its own name and for its word in each language, all of them `written_alike`."""
    named = {written_alike(translate(word, one)): key for key, word in words.items() for one in LANGUAGES}
    return named | {written_alike(key): key for key in words}
