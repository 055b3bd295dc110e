"""A small workspace in which everything fits, to be broken one thing at a time."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shinrai import catalog
from shinrai.errors import Problem, SourceError
from shinrai.workspace import load

FILES = {
    "shinrai.yaml": """id: town
name: {ja: 町, en: Town}
order_seed: 7
roles:
  - {id: mayor, title: {en: Mayor}, accepts_risk: true}
  - {id: office, title: {en: Office}}
""",
    "plans/plan.yaml": """id: plan
title: {ja: 計画}
owner: mayor
goals:
  - id: goal
    title: {en: Goal}
    measures:
      - id: fair
        title: {en: Fair}
        owner: office
        implements: [national/3]
        systems: [screening]
        claims:
          - {check: ratio, threshold: 0.9}
          - {check: ratio, id: again, systems: [screening]}
      - id: there
        title: {en: There}
        owner: office
        claims: [{check: contract}]
""",
    "systems/screening.yaml": """id: screening
title: {en: Screening}
kind: predictor
purpose: {en: Screening}
owner: office
human_review: true
stack:
  - id: model
    type: predictor
    path: components/model.py
    parameters: {weights: {file: data/weights.json}, cut: 0.5}
""",
    "checks/ratio.yaml": """id: ratio
title: {en: Ratio}
statement: {en: "At least {threshold}"}
applies_to: predictor
metric: rate-ratio
comparator: at-least
threshold: 0.8
data:
  file: data/people.csv
  where: {year: 2026}
scorer: {id: prediction, field: approved, column: approve}
groups: {column: group, a: minority, b: white}
""",
    "actions/fix.yaml": """id: fix
title: {en: Fix}
owner: office
addresses: [plan/goal/fair/ratio@screening]
change:
  system: screening
  replace:
    - {id: model, type: predictor, path: components/model.py}
""",
    "data/people.csv": "id,group,year,approve,income\na,minority,2026,1,100\nb,white,2026,0,200\nc,white,2025,1,300\n",
    "data/weights.json": "{}\n",
    "components/model.py": "raise AssertionError('loading must not run this')\n",
}

CATALOG = {
    "checks/contract.yaml": """id: contract
title: {en: Contract}
statement: {en: The contract says so}
metric: attested
comparator: exists
subject: contract
""",
    "checks/accuracy.yaml": """id: accuracy
title: {en: Accuracy}
statement: {en: "At least {threshold}"}
applies_to: predictor
metric: pass-rate
comparator: at-least
threshold: 0.8
data: {file: data/people.csv}
scorer: {id: prediction, field: approved, column: outcome}
""",
    "plans/national.yaml": """id: national
title: {en: National plan}
owner: cabinet
edition: {series: nation, decided_on: 2025-12-23, document: {url: "https://example.com"}}
goals:
  - id: "3"
    kind: direction
    title: {en: Trust}
    sources: [{title: {en: Plan}, date: 2025-12-23, certainty: official}]
    certainty: official
    measures: [{id: "3.1", title: {en: Evaluation}}]
""",
    "prompts/some.jsonl": '{"id": "a", "prompts": ["x"]}\n',
}


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def forget_catalog() -> None:
    catalog._checks.cache_clear()
    catalog._higher_plans.cache_clear()
    catalog._frameworks.cache_clear()
    catalog._crosswalks.cache_clear()
    catalog._risk_schemes.cache_clear()


@pytest.fixture
def small_catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Put a catalog of our own in place of the one that is shipped."""
    folder = tmp_path / "catalog"
    write(folder, CATALOG)
    # The schemas of foreign formats are the same for everybody; whichever test reads them first keeps them.
    shutil.copytree(catalog.CATALOG / "schemas" / "cyclonedx", folder / "schemas" / "cyclonedx")
    monkeypatch.setattr(catalog, "_ROOT", folder)
    forget_catalog()
    yield folder
    forget_catalog()


@pytest.fixture
def town(tmp_path: Path, small_catalog: Path) -> Path:
    root = tmp_path / "town"
    write(root, FILES)
    return root


Change = Callable[[str, str, str], None]


@pytest.fixture
def change(town: Path) -> Change:
    """Replace a text in a file of the town."""

    def replace(name: str, before: str, after: str) -> None:
        path = town / name
        text = path.read_text(encoding="utf-8")
        assert text.count(before) >= 1, f"{name} does not hold {before!r}"
        path.write_text(text.replace(before, after, 1), encoding="utf-8")

    return replace


Problems = Callable[[], list[Problem]]


@pytest.fixture
def problems(town: Path) -> Problems:
    """Load the town and give everything that is wrong with it."""

    def found() -> list[Problem]:
        with pytest.raises(SourceError) as raised:
            load(town)
        return list(raised.value.problems)

    return found
