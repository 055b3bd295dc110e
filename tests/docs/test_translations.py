"""Every text of the interface has its Japanese, with the same placeholders."""

from __future__ import annotations

import gettext
import re
from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

SOURCE = Path(__file__).parents[2] / "src"
CATALOGUE = SOURCE / "shinrai/locale/ja/LC_MESSAGES/shinrai.po"
METHODS = [("shinrai/**.py", "python"), ("shinrai/**.j2", "jinja2")]
KEYWORDS = {"_": None, "N_": None, "t": None, "gettext": None}


def messages() -> set[str]:
    found = extract_from_dir(SOURCE, METHODS, keywords=KEYWORDS)
    return {message for _file, _line, message, _comments, _context in found if isinstance(message, str) and message}


def test_every_text_is_translated_with_the_same_placeholders() -> None:
    with CATALOGUE.open("rb") as file:
        japanese = {entry.id: entry.string for entry in read_po(file) if entry.id}
    wanted = messages()
    assert len(wanted) > 300
    assert not sorted(text for text in wanted if not japanese.get(text))
    for text in wanted:
        names = sorted(re.findall(r"{\w*[^}]*}", text))
        assert sorted(re.findall(r"{\w*[^}]*}", str(japanese[text]))) == names, text


def test_the_compiled_catalogue_is_that_of_the_texts() -> None:
    with CATALOGUE.open("rb") as file:
        written = {str(entry.id): entry.string for entry in read_po(file) if entry.id and entry.string}
    with CATALOGUE.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    assert {text: compiled.gettext(text) for text in written} == written
