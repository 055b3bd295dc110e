"""Every scorer has its page, and the page names every parameter and value."""

from pathlib import Path
from typing import get_args

import pytest
import yaml
from pydantic import TypeAdapter

from shinrai.check.scorers import Context, scorer
from shinrai.records import SCORER_VERSIONS, Record, ScorerUse
from tests.plugins.guide import desk

PAGES = Path(__file__).parents[3] / "docs" / "scorers"
RECORDS: dict[str, type[Record]] = {
    get_args(record.model_fields["id"].annotation)[0]: record for record in get_args(get_args(ScorerUse)[0])
}


def test_the_index_lists_every_page() -> None:
    index = (PAGES / "README.md").read_text("utf-8")
    assert {f"({name}.md)" in index for name in SCORER_VERSIONS} == {True}
    assert {page.stem for page in PAGES.glob("*.md")} == {*SCORER_VERSIONS, "README"}


@pytest.mark.parametrize("name", SCORER_VERSIONS)
def test_page(name: str) -> None:
    english, japanese = (PAGES / f"{name}.md").read_text("utf-8").split("\n## 日本語\n")
    assert f"version {SCORER_VERSIONS[name]}" in english
    assert f"第{SCORER_VERSIONS[name]}版" in japanese
    fields = {field.alias or key for key, field in RECORDS[name].model_fields.items()} - {"id"}
    for text in (english, japanese):
        assert {parameter for parameter in fields if f"`{parameter}`" not in text} == set()
        for outcome in ("**pass**", "**fail**", "**invalid**"):
            assert outcome in text


@pytest.mark.parametrize("name", SCORER_VERSIONS)
def test_the_example_on_the_page_is_a_scorer_that_can_be_built(name: str, tmp_path: Path) -> None:
    page = (PAGES / f"{name}.md").read_text("utf-8")
    example = yaml.safe_load(page.split("```yaml\n", 1)[1].split("```", 1)[0])
    use: ScorerUse = TypeAdapter(ScorerUse).validate_python(example["scorer"])
    assert use.id == name
    assert callable(scorer(use, Context(root=desk(tmp_path))))
