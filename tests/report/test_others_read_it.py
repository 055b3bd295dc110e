"""What we write, read by the programs and checked by the schemas of those who defined it."""

from __future__ import annotations

import hashlib
import json
import lzma
import warnings
from argparse import Namespace
from importlib import import_module
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from shinrai.report.exports import export
from tests.report.town import ReportTown

etree: Any = import_module("lxml.etree")  # it has no types here
SCHEMAS = Path(__file__).parent / "schemas"
SARIF = "c3b4bb2d6093897483348925aaa73af03b3e3f4bd4ca38cef26dcb4212a2682e"


@pytest.mark.parametrize(
    ("name", "module", "model"),
    [
        ("oscal-assessment-results", "assessment_results", "AssessmentResults"),
        ("oscal-poam", "poam", "PlanOfActionAndMilestones"),
        ("oscal-component-definition", "component", "ComponentDefinition"),
        ("oscal-mapping-collection", "mapping", "MappingCollection"),
    ],
)
def test_compliance_trestle_reads_our_oscal(
    name: str, module: str, model: str, town: ReportTown, tmp_path: Path
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the vendor's packages, when they are imported
        kind = getattr(__import__(f"trestle.oscal.{module}", fromlist=[model]), model)
        file = tmp_path / f"{name}.json"
        written = export(name, town.workspace, town.state, "ja")
        file.write_bytes(written)
        found = kind.oscal_read(file)
        assert found is not None
        assert _every_rule_of_trestle().model_is_valid(found, True, tmp_path)
        again = tmp_path / "again.json"
        found.oscal_write(again)
        assert _timeless(json.loads(again.read_bytes())) == _timeless(json.loads(written))
        told = json.loads(written)
        next(iter(told.values()))["metadata"].pop("title")
        file.write_text(json.dumps(told), encoding="utf-8")
        with pytest.raises(Exception, match="title"):
            kind.oscal_read(file)


def _every_rule_of_trestle() -> Any:
    """Give what ``trestle import`` holds a file against: its schema says nothing of identifiers that repeat."""
    commands = import_module("trestle.core.commands.import_")
    return commands.validator_factory.get(Namespace(mode=commands.const.VAL_MODE_ALL))


def _timeless(value: Any) -> Any:
    """Leave out how a time is written: trestle writes the same moments in another form."""
    if isinstance(value, dict):
        moments = {"last-modified", "start", "end", "collected", "expires", "deadline"}
        return {name: _timeless(part) for name, part in value.items() if name not in moments}
    return [_timeless(part) for part in value] if isinstance(value, list) else value


def test_sarif_is_valid_by_the_schema_of_oasis(town: ReportTown) -> None:
    raw = lzma.decompress((SCHEMAS / "sarif-2.1.0.json.xz").read_bytes())
    assert hashlib.sha256(raw).hexdigest() == SARIF
    validator = jsonschema_rs.validator_for(json.loads(raw))
    for language in ("ja", "en"):
        told = json.loads(export("sarif", town.workspace, town.state, language))
        assert not list(validator.iter_errors(told))
        told["runs"][0]["results"][0]["kind"] = "perhaps"
        assert not validator.is_valid(told)


def test_junit_is_valid_by_the_schema_that_jenkins_uses(town: ReportTown) -> None:
    rules = etree.XMLSchema(etree.parse(str(SCHEMAS / "junit-10.xsd")))
    for language in ("ja", "en"):
        told = export("junit", town.workspace, town.state, language)
        rules.assertValid(etree.fromstring(told))
        misspelt = told.replace(b"<testcase ", b"<testcas ", 1).replace(b"</testcase>", b"</testcas>", 1)
        assert not rules.validate(etree.fromstring(misspelt))
