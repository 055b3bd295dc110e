"""Sentences in both languages, for what is shown in both at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from shinrai.i18n import Language, translate
from shinrai.records import Text

Values: TypeAlias = Mapping[str, str | int | Text]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of the interface, with what it speaks of.

    Parameters
    ----------
    message : str
        In English, marked for translation where it is written.
    values : dict
        What stands in its braces: a `Text` is written in the language of the sentence.
    """

    message: str
    values: Values = field(default_factory=dict)

    def read(self, language: Language) -> str:
        """Give the sentence in a language."""
        said = {name: value.read(language) if isinstance(value, Text) else value for name, value in self.values.items()}
        return translate(self.message, language).format(**said)

    def text(self) -> Text:
        """Give the sentence in both languages."""
        return Text(ja=self.read("ja"), en=self.read("en"))
