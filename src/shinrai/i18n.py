"""Languages of the interface: gettext catalogues, English as the source language.

Texts that users write are language maps (`shinrai.records.Text`); texts that Shinrai writes go through ``_()``.
"""

from __future__ import annotations

import gettext
import os
from contextvars import ContextVar
from functools import cache
from typing import Literal, TypeAlias

Language: TypeAlias = Literal["ja", "en"]
LANGUAGES: tuple[Language, ...] = ("ja", "en")

DOMAIN = "shinrai"
LOCALE = f"{os.path.dirname(__file__)}/locale"  # noqa: PTH120 - pathlib costs a tenth of the time to start
"""Name and folder of the catalogues."""

_current: ContextVar[Language] = ContextVar("language", default="en")


@cache
def _catalogue(language: Language) -> gettext.NullTranslations:
    if language == "en":
        return gettext.NullTranslations()
    return gettext.translation(DOMAIN, LOCALE, languages=[language])


def use_language(language: Language) -> None:
    """Set the language of everything written from here on in this context."""
    _current.set(language)


def current_language() -> Language:
    """Tell the language in use."""
    return _current.get()


def language_of_environment() -> Language:
    """Read the language a person works in from ``SHINRAI_LANG``, ``LC_ALL``, ``LC_MESSAGES`` or ``LANG``.

    Returns
    -------
    {"ja", "en"}
        English when none of them names Japanese.
    """
    for name in ("SHINRAI_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name, "")
        if value:
            return "ja" if value.lower().startswith("ja") else "en"
    return "en"


def _(message: str) -> str:
    """Translate into the language in use; the English text itself where no translation exists."""
    return _catalogue(_current.get()).gettext(message)


def N_(message: str) -> str:  # noqa: N802 - the name gettext tools look for
    """Mark a text for translation without translating it yet."""
    return message


def translate(message: str, language: Language) -> str:
    """Translate into a given language, for pages that carry both."""
    return _catalogue(language).gettext(message)
