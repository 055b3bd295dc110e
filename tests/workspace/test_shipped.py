"""What Shinrai ships fits together: checks with their data, plans with their ids."""

from __future__ import annotations

from pathlib import Path

import pytest

from shinrai.catalog import checks, data_path, higher_plans
from shinrai.errors import UsageError
from shinrai.records import Check
from shinrai.source import read_items
from shinrai.workspace.data import data_file, misfits


@pytest.mark.parametrize("check", checks().values(), ids=lambda check: check.id)
def test_a_shipped_check_reads_only_what_its_data_hold(check: Check, tmp_path: Path) -> None:
    if check.data is None or check.data.file is None or not check.data.file.startswith("catalog:"):
        return
    path = data_file(tmp_path, check.data)
    items = read_items(path, shown_as=check.data.file)
    assert list(misfits(check, items)) == []
    languages = {item.fields["lang"] for item in items}
    assert all(sum(item.fields["lang"] == language for item in items) >= 40 for language in languages)


def test_the_catalog_is_not_empty_and_its_texts_are_in_both_languages() -> None:
    assert len(checks()) >= 10
    assert "jp-ai-basic-plan-2025" in higher_plans()
    for text in (text for check in checks().values() for text in (check.title, check.statement)):
        assert text.ja
        assert text.en


def test_what_is_handed_out_cannot_spoil_the_catalog() -> None:
    checks().clear()
    assert checks()


@pytest.mark.parametrize("name", ["prompts/none.jsonl", "../errors.py", "/etc/hostname", "", "prompts/../../i18n.py"])
def test_what_the_catalog_does_not_hold(name: str) -> None:
    with pytest.raises(UsageError):
        data_path(name)


def test_data_are_found_with_and_without_the_prefix() -> None:
    assert data_path("catalog:prompts/hazardous-advice.jsonl") == data_path("prompts/hazardous-advice.jsonl")
    with pytest.raises(UsageError) as raised:
        data_path("prompts/hazardous-advise.jsonl")
    assert raised.value.hint == "did you mean prompts/hazardous-advice.jsonl?"
