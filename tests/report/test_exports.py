"""Out to the world: each format against its own rules, with bytes that do not change."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import lzma
import re
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema_rs
import openpyxl
import pytest
from cryptography.exceptions import InvalidSignature

from shinrai.errors import UsageError
from shinrai.i18n import Language
from shinrai.ledger.keys import public_hex, public_key
from shinrai.records import Part, System
from shinrai.report.exports import FORMATS, export
from shinrai.report.exports.oscal import token
from shinrai.report.exports.sheets import HEAD_ROW, lines
from shinrai.report.exports.statements import encoding
from shinrai.report.story import last_day
from tests.report.town import ReportTown

SCHEMA = Path(__file__).parent / "schemas" / "oscal-1.2.1-complete.json.xz"
DIGEST = "f53c67f5f64cc49c9b3512834d2baa2f8da841cf2cc0c361e6d77ecce0f3d077"
OSCAL = [name for name in FORMATS if name.startswith("oscal")]

Export = Callable[..., bytes]


@pytest.fixture(scope="session")
def written(town: ReportTown) -> Export:
    def made(name: str, language: Language = "en", **more: Any) -> bytes:
        return export(name, town.workspace, town.state, language, **more)

    return made


@pytest.fixture(scope="session")
def nist() -> Any:
    raw = lzma.decompress(SCHEMA.read_bytes())
    assert hashlib.sha256(raw).hexdigest() == DIGEST
    return jsonschema_rs.validator_for(json.loads(raw))


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_ledger_gives_the_same_bytes(name: str, written: Export) -> None:
    for language in ("ja", "en"):
        assert written(name, language) == written(name, language)


@pytest.mark.parametrize("name", OSCAL)
@pytest.mark.parametrize("language", ["ja", "en"])
def test_oscal_is_valid_by_nists_own_schema(name: str, language: Language, written: Export, nist: Any) -> None:
    errors = list(nist.iter_errors(json.loads(written(name, language))))
    assert not errors, errors[0]


def test_nists_schema_would_find_a_mistake(written: Export, nist: Any) -> None:
    told = json.loads(written("oscal-assessment-results"))
    found = next(one for one in told["assessment-results"]["results"] if "findings" in one)
    found["findings"][0]["target"]["status"]["state"] = "not-measured"
    assert not nist.is_valid(told)


def test_oscal_says_of_every_requirement_what_shinrai_says(town: ReportTown, written: Export) -> None:
    told = json.loads(written("oscal-assessment-results"))["assessment-results"]["results"]
    seen = 0
    for result in told:
        controls = result["reviewed-controls"]["control-selections"][0]["include-controls"]
        findings = {one["target"]["target-id"]: one for one in result.get("findings", [])}
        blanks = {
            prop["value"]
            for one in result["observations"]
            for prop in one.get("props", [])
            if prop["name"] == "control-id"
        }
        names = {one["control-id"] for one in controls}
        assert names == set(findings) | blanks
        assert not set(findings) & blanks
        for one in findings.values():
            (status,) = (prop["value"] for prop in one["props"] if prop["name"] == "status")
            assert (one["target"]["status"]["state"] == "satisfied") == (status == "met")
            assert status not in {"not_measured", "stale", "not_applicable"}
            seen += 1
        ids = {one["uuid"] for one in result["observations"]}
        for one in result.get("findings", []):
            assert {link["observation-uuid"] for link in one.get("related-observations", [])} <= ids
    assert seen


def test_a_token_is_what_oscal_takes_for_one(nist: Any) -> None:
    for name in ("1", "2.1", "measure-2.7", "A.6.2.4", "安全性-2", "art 5"):
        assert re.fullmatch(r"[^\W\d][\w.-]*", token(name)), name
    assert token("measure-2.7") == "measure-2.7"


def test_the_plan_of_action_holds_every_open_finding(town: ReportTown, written: Export) -> None:
    told = json.loads(written("oscal-poam"))["plan-of-action-and-milestones"]
    open_ones = [one.id for one in town.state.open_findings() if one.key in town.state.promises]
    assert [one["title"].split()[0] for one in told["poam-items"]] == open_ones


def test_every_statement_is_signed_and_about_the_version_that_was_judged(town: ReportTown, written: Export) -> None:
    key = public_key(town.workspace.root)
    lines = written("in-toto").splitlines()
    assert lines
    for line in lines:
        envelope = json.loads(line)
        (signature,) = envelope["signatures"]
        payload = base64.b64decode(envelope["payload"])
        assert signature["keyid"] == public_hex(key)
        key.verify(base64.b64decode(signature["sig"]), encoding(payload))
        told = json.loads(payload)
        assert told["_type"] == "https://in-toto.io/Statement/v1"
        (subject,) = told["subject"]
        lists = ("passedTests", "failedTests", "warnedTests")
        (claim,) = next(told["predicate"][one] for one in lists if one in told["predicate"])
        promise = town.state.promises[f"{claim}@{subject['name']}"]
        assert subject["digest"]["sha256"] == promise.commitment.fingerprint[7:]
        verdict = town.state.judgements[f"{claim}@{subject['name']}"][-1].verdict
        expected = {"met": "PASSED", "violated": "FAILED", "undecided": "WARNED"}[verdict.status]
        assert told["predicate"]["result"] == expected
        with pytest.raises(InvalidSignature):
            key.verify(base64.b64decode(signature["sig"]), encoding(payload + b" "))


def test_the_encoding_is_that_of_dsse() -> None:
    assert encoding(b"hello world") == b"DSSEv1 28 application/vnd.in-toto+json 11 hello world"


def test_nothing_measured_gives_no_statement(town: ReportTown, written: Export) -> None:
    judged = [
        claim
        for claim in town.state.claims(last_day(town.state))
        if claim.judgement and claim.judgement.verdict.status != "not_measured" and claim.stale_because != "commitment"
    ]
    assert len(written("in-toto").splitlines()) == len(judged)


def test_sarif_fails_only_what_is_broken(town: ReportTown, written: Export) -> None:
    told = json.loads(written("sarif"))
    (run,) = told["runs"]
    rules = [one["id"] for one in run["tool"]["driver"]["rules"]]
    for one in run["results"]:
        status = one["properties"]["status"]
        assert (one["kind"] == "fail") == (status in {"violated", "accepted"})
        assert (one["level"] == "error") == (one["kind"] == "fail")
        assert ("suppressions" in one) == (status == "accepted")
        assert rules[one["ruleIndex"]] == one["ruleId"]
    assert {one["properties"]["status"] for one in run["results"]} >= {"met", "accepted"}


def test_junit_counts_what_it_holds(town: ReportTown, written: Export) -> None:
    root = ET.fromstring(written("junit"))  # noqa: S314 - our own
    cases = root.findall(".//testcase")
    assert len(cases) == len(town.state.promises)
    for suite in root:
        assert int(suite.attrib["tests"]) == len(suite.findall("testcase"))
        assert int(suite.attrib["failures"]) == len(suite.findall("testcase/failure"))
        assert int(suite.attrib["errors"]) == len(suite.findall("testcase/error"))


def test_annex_iv_has_nine_points_and_prints_its_gaps(town: ReportTown, written: Export) -> None:
    for language, gap in (("en", "**GAP**"), ("ja", "**空白**")):
        paper = written("annex-iv", language).decode()
        systems = len(town.workspace.systems)
        assert paper.count("\n### ") == 9 * systems
        assert paper.count(gap) >= 5 * systems
        assert "<script" not in paper
        assert "<adder>" not in paper.replace("\\<adder\\>", "")


def test_annex_iv_is_about_the_system_as_it_is_now_with_everything_under_it(town: ReportTown) -> None:
    helper = town.workspace.systems["helper"]
    beside = [
        Part.model_validate_json(json.dumps(facts))
        for facts in (
            {"id": "letters", "type": "data", "title": {"en": "Old letters"}, "needs": ["rack"]},
            {"id": "rack", "type": "compute", "title": {"en": "The rack"}, "supplier": "Racks *Ltd*"},
            {"id": "clerk", "type": "human", "title": {"en": "The clerk"}},
        )
    ]
    register = {
        "needs": ("letters", "clerk"),
        "stage": "before-release",
        "autonomy": "acts-alone",
        "data": ("children",),
    }
    workspace = replace(
        town.workspace,
        systems={helper.id: System.model_validate({**dict(helper), **register})},
        components={part.id: part for part in beside},
    )
    paper = export("annex-iv", workspace, town.state, "en", systems=[helper.id]).decode()
    for said in (
        "- model (service): 2\n",
        "Old letters (data), The clerk (step of a person), The rack (compute)",
        "before release",
        "acts by itself",
        "data about children",
        "The rack (compute): Racks \\*Ltd\\*",
        "- The clerk (step of a person)\n",
        "**GAP**: supplier, licence and version of Old letters (data)",
    ):
        assert said in paper, said
    assert "**GAP**: training, validation and testing data" not in paper
    assert "**GAP**: computing resources" not in paper
    alone = export("annex-iv", town.workspace, town.state, "en", systems=[helper.id]).decode()
    assert "**GAP**: training, validation and testing data" in alone
    assert "**GAP**: computing resources" in alone


def test_the_hiroshima_report_has_every_section(town: ReportTown, written: Export) -> None:
    both = written("hiroshima").decode()
    assert both.count("\n### ") == 7 + 3
    assert written("hiroshima", frameworks=["haip-reporting-2"]).decode().count("\n### ") == 3


def test_the_checklist_is_a_workbook_without_formulas(town: ReportTown, written: Export) -> None:
    raw = written("business-guidelines", "ja")
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        for name in archive.namelist():
            assert b"<f>" not in archive.read(name), name
            assert archive.getinfo(name).date_time == (1980, 1, 1, 0, 0, 0)
    book = openpyxl.load_workbook(io.BytesIO(raw))
    assert book.sheetnames == ["表紙", "AI開発者", "AI提供者", "AI利用者", "根拠"]
    systems = len(town.workspace.systems)
    for name in book.sheetnames[1:4]:
        heads, *rows = book[name].iter_rows(min_row=HEAD_ROW + 1, values_only=True)
        assert heads[3:5] == ("状態", "証拠")
        assert len(rows) == 20 * systems
        assert all(row[3] for row in rows)
        assert any(row[6] == "未測定" for row in rows)
        links = {cell.coordinate: str(cell.value) for (cell,) in book[name]["F6:F200"] if cell.hyperlink}
        for cell, told in links.items():
            sheet, place = str(book[name][cell].hyperlink.location).replace("'", "").split("!")
            assert str(book[sheet][place].value) == told.removesuffix(" …"), cell
    assert book["根拠"].max_row == HEAD_ROW + 1 + len(town.state.promises)
    for sheet in book:
        assert (sheet.page_setup.paperSize, sheet.page_setup.orientation) == (9, "landscape")
        assert sheet.page_setup.fitToWidth in {None, 1}
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert sheet.oddFooter.center.text == "&P / &N"
        assert sheet["A2"].value == f"組織名：{town.workspace.settings.name.read('ja')}"
        assert "作成日：" in sheet["A3"].value


@pytest.mark.parametrize(
    ("text", "width", "count"),
    [("", 5, 1), ("abcd", 5, 1), ("abcde", 5, 2), ("東京", 5, 1), ("東京都", 5, 2), ("a\n\nb", 9, 3)],
)
def test_a_row_is_as_tall_as_its_text(text: str, width: int, count: int) -> None:
    assert lines(text, width) == count


def test_what_is_not_there_is_said(written: Export) -> None:
    with pytest.raises(UsageError) as refused:
        written("sarif", systems=["nobody"])
    assert refused.value.code == "export.unknown-system"
    with pytest.raises(UsageError) as refused:
        written("sarif", frameworks=["nothing"])
    assert refused.value.code == "export.unknown-framework"
