"""Every text of the interface has its Japanese, with the same placeholders."""

from __future__ import annotations

import gettext
import re

from tests.docs import messages
from tests.docs.messages import CATALOGUE, CLICK


def placeholders(text: str) -> list[str]:
    return sorted(re.findall(r"{\w*[^}]*}", text))


def test_every_text_is_translated_with_the_same_placeholders() -> None:
    catalogue, wanted = messages.japanese(), messages.messages()
    assert len(wanted) > 300
    assert not sorted((text for text in wanted if not catalogue.get(text)), key=str)
    for text in wanted:
        plural = text if isinstance(text, str) else text[1]  # Japanese has one form, and it is the plural's
        assert placeholders(catalogue[text]) == placeholders(plural), text


def test_nothing_else_stands_in_the_catalogue() -> None:
    assert not set(messages.japanese()) - messages.messages()


def test_the_help_is_gathered_from_every_command_and_option() -> None:
    gathered = messages.of_help()
    assert {command.name for command in messages.commands()} >= {"cli", "check", "attest", "apply"}
    assert "Only this system; may be given again." in gathered
    assert all("\b" not in str(text) for text in gathered)


def test_clicks_own_messages_are_those_that_it_says() -> None:
    assert not set(CLICK) - messages.of_click()


def test_the_compiled_catalogue_is_that_of_the_texts() -> None:
    with CATALOGUE.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for text, said in messages.japanese().items():
        if isinstance(text, str):
            assert compiled.gettext(text) == said
        else:
            assert compiled.ngettext(text[0], text[1], 2) == said
