from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import xml.etree.ElementTree as ET
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shinrai.cli import main
from shinrai.do.exchange import turn
from shinrai.errors import SourceError
from shinrai.i18n import Language
from shinrai.ledger import create
from shinrai.records import Observation, Plan, frequency_of
from shinrai.records.sdmx import FISCAL_START, from_sdmx_period, to_sdmx_period
from shinrai.report.exchange import PLAN_FORMATS, packages, sdmx, xml
from shinrai.report.exchange.oecd import CRITERIA, MANDATORY, oecd_report
from shinrai.report.exchange.table import text_of
from shinrai.workspace import scaffold
from tests.plan.national import observed, seen, sound
from tests.report.town import ReportTown

PERIODS = st.one_of(
    st.integers(1000, 9999).map(str),
    st.integers(1000, 9999).map("FY{}".format),
    st.builds("{}-H{}".format, st.integers(1000, 9999), st.integers(1, 2)),
    st.builds("{}-Q{}".format, st.integers(1000, 9999), st.integers(1, 4)),
    st.builds("{}-{:02}".format, st.integers(1000, 9999), st.integers(1, 12)),
    st.dates(date(1000, 1, 1)).map(date.isoformat),
)


def every(values: dict[str, list[Observation]]) -> list[Observation]:
    return [one for ones in values.values() for one in ones]


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@given(PERIODS)
def test_periods_come_back_from_sdmx_as_they_went(period: str) -> None:
    start = FISCAL_START if frequency_of(period) == "fiscal-year" else None
    assert from_sdmx_period(to_sdmx_period(period), start) == period


@given(st.text(max_size=12), st.sampled_from([None, FISCAL_START, "--07-01"]))
def test_what_is_no_period_is_refused_and_never_guessed(text: str, start: str | None) -> None:
    try:
        found = from_sdmx_period(text, start)
    except ValueError:
        return
    assert frequency_of(found)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_written_with_every_digit(value: float) -> None:
    assert float(text_of(value)) == value


def test_sdmx_tells_observed_from_promised_and_keeps_vintages() -> None:
    values = observed()
    later = [
        one.model_copy(update={"published": date(2027, 6, 30), "value": 29.0}) for one in values["days-waited"][:1]
    ]
    plan = sound(area="JP")
    rows = table(sdmx.sdmx_csv(plan, {plan.id: plan}, [*every(values), *later]))
    assert {row["STRUCTURE_ID"] for row in rows} == {sdmx.STRUCTURE_ID}
    kinds = {
        kind: [row for row in rows if row["VALUE_TYPE"] == kind] for kind in ("actual", "baseline", "path", "target")
    }
    assert [len(ones) for ones in kinds.values()] == [5, 2, 2, 2]
    first = [row for row in kinds["actual"] if row["INDICATOR"] == "days-waited" and row["TIME_PERIOD"] == "2024-A1"]
    assert [(row["VINTAGE"], row["OBS_VALUE"]) for row in first] == [("2026-06-30", "30"), ("2027-06-30", "29")]
    assert {row["REPORTING_YEAR_START_DAY"] for row in rows} == {FISCAL_START}
    keys = [
        tuple(row[name] for name in ("INDICATOR", "VALUE_TYPE", "PROMISE", "REF_AREA", "TIME_PERIOD", "VINTAGE"))
        for row in rows
    ]
    assert len(set(keys)) == len(keys), "the dimensions name each row once"


def test_csvw_describes_every_column_of_its_table() -> None:
    files = packages.csvw(sound(), every(observed()))
    described = json.loads(files[packages.CSVW_METADATA])
    columns = described["tableSchema"]["columns"]
    assert described["url"] == packages.TABLE
    assert files[packages.TABLE].splitlines()[0].split(",") == [column["name"] for column in columns]
    types = {column["name"]: column["datatype"] for column in columns}
    assert (types["value"], types["published"], types["n"]) == ("number", "date", "integer")


def test_a_data_package_holds_hashes_and_a_foreign_key() -> None:
    plan = sound()
    files = packages.data_package(plan, {plan.id: plan}, every(observed()))
    package = json.loads(files[packages.PACKAGE])
    for resource in package["resources"]:
        raw = files[resource["path"]].encode()
        assert resource["hash"] == f"sha256:{hashlib.sha256(raw).hexdigest()}"
        assert resource["bytes"] == len(raw)
        header = files[resource["path"]].splitlines()[0].split(",")
        assert header == [field["name"] for field in resource["schema"]["fields"]]
    (key,) = package["resources"][1]["schema"]["foreignKeys"]
    known = {row["id"] for row in table(files[packages.INDICATORS])}
    assert key["reference"] == {"resource": "indicators", "fields": "id"}
    assert {row["indicator"] for row in table(files[packages.TABLE])} <= known


# The order of elements is that of the published schemas, which are not part of this repository.
STRATML_ORDER: dict[str, list[str]] = {
    "PerformancePlanOrReport": ["Name", "StrategicPlanCore", "AdministrativeInformation"],
    "StrategicPlanCore": ["Organization", "Value", "Goal"],
    "Goal": ["Name", "Description", "Identifier", "SequenceIndicator", "Objective"],
    "Objective": ["Name", "Description", "Identifier", "SequenceIndicator", "Stakeholder", "PerformanceIndicator"],
    "PerformanceIndicator": ["MeasurementDimension", "UnitOfMeasurement", "Identifier", "MeasurementInstance"],
    "MeasurementInstance": ["TargetResult", "ActualResult"],
    "TargetResult": ["StartDate", "EndDate", "NumberOfUnits", "Description"],
    "ActualResult": ["StartDate", "EndDate", "NumberOfUnits", "Description"],
    "Stakeholder": ["Name", "Role"],
    "Role": ["Name", "RoleType"],
}
STRATML_MANY = {"Value", "Goal", "Objective", "Stakeholder", "PerformanceIndicator", "MeasurementInstance"}
"""Elements that may stand there more than once below one element; all others at most once."""
STRATML_NEEDED: dict[str, set[str]] = {
    "PerformancePlanOrReport": {"Name", "StrategicPlanCore"},
    "StrategicPlanCore": {"Organization", "Goal"},
    "Goal": {"Name"},
    "PerformanceIndicator": {"MeasurementDimension", "UnitOfMeasurement"},
    "Role": {"Name"},
}
IATI_ORDER: dict[str, list[str]] = {
    "iati-activity": [
        *("iati-identifier", "reporting-org", "title", "description", "participating-org"),
        *("activity-status", "activity-date", "result"),
    ],
    "result": ["title", "indicator"],
    "indicator": ["title", "description", "baseline", "period"],
    "period": ["period-start", "period-end", "target", "actual"],
}


def in_order(root: ET.Element, order: dict[str, list[str]]) -> None:
    for element in root.iter():
        name = element.tag.rpartition("}")[2]
        if name in order:
            found = [below.tag.rpartition("}")[2] for below in element]
            places = [order[name].index(one) for one in found]
            assert places == sorted(places), (name, found)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_stratml_holds_goals_measures_indicators_targets_and_results(language: Language) -> None:
    plan = sound()
    root = ET.fromstring(xml.stratml(plan, {plan.id: plan}, observed(), language))  # noqa: S314 - our own text
    in_order(root, STRATML_ORDER)
    space = f"{{{xml.STRATML}}}"
    for element in root.iter():
        below = Counter(one.tag.removeprefix(space) for one in element)
        assert STRATML_NEEDED.get(element.tag.removeprefix(space), set()) <= set(below)
        assert {name for name, count in below.items() if count > 1} <= STRATML_MANY
    identifiers = [element.text for element in root.iter(f"{space}Identifier")]
    assert len(set(identifiers)) == len(identifiers)
    indicator = next(root.iter(f"{space}PerformanceIndicator"))
    assert indicator.get("ValueChainStage") == "Outcome"
    targets = {
        (one.findtext(f"{space}EndDate"), one.findtext(f"{space}NumberOfUnits"))
        for one in indicator.iter(f"{space}TargetResult")
    }
    assert targets == {("2027-03-31", "22"), ("2028-03-31", "18"), ("2030-03-31", "10")}
    assert indicator.findtext(f"{space}MeasurementDimension") == plan.indicators[0].title.read(
        "ja" if language == "ja" else "en"
    )


def test_iati_holds_results_with_baseline_path_target_and_actual() -> None:
    plan = sound()
    root = ET.fromstring(xml.iati(plan, {plan.id: plan}, observed()))  # noqa: S314 - our own text
    in_order(root, IATI_ORDER)
    waiting = next(one for one in root.iter("indicator") if one.find("period") is not None)
    assert waiting.get("ascending") == "0"
    baseline = waiting.find("baseline")
    assert baseline is not None
    assert (baseline.get("year"), baseline.get("value"), baseline.get("iso-date")) == ("2024", "30", "2024-04-01")
    actual = [one.get("value") for one in waiting.iter("actual")]
    assert actual == ["30", "28"]
    assert [one.get("value") for one in waiting.iter("target")] == ["22", "18", "10"]
    assert {one.get("type") for one in root.iter("result")} == {"2"}
    narrative = "{http://www.w3.org/XML/1998/namespace}lang"
    assert {one.get(narrative) for one in root.iter("narrative")} == {"en", "ja"}


def test_a_band_does_not_claim_a_direction_in_iati() -> None:
    plan = sound(lambda data: data["indicators"][0].update(direction="band", band=[5, 10]))
    root = ET.fromstring(xml.iati(plan, {plan.id: plan}, {}))  # noqa: S314 - our own text
    told = [one for one in root.iter("indicator") if "[5, 10]" in "".join(one.itertext())]
    assert [one.get("ascending") for one in told] == [None]


@pytest.mark.parametrize("write", [xml.iati, xml.stratml])
def test_characters_that_xml_cannot_hold_do_not_break_the_file(write: Any) -> None:
    plan = sound(lambda data: data.update(title={"en": "A <plan> & \u0001\ufffe more"}))
    root = ET.fromstring(write(plan, {plan.id: plan}, {}))  # noqa: S314 - our own text
    assert "A <plan> & \ufffd\ufffd more" in "".join(root.itertext())


def test_iati_does_not_make_a_date_up() -> None:
    plan = sound(period=None)
    with pytest.raises(ValueError, match="date"):
        xml.iati(plan, {plan.id: plan}, {})


# ---- findings


def test_every_finding_has_all_criteria_and_no_severity_of_its_own(town: ReportTown) -> None:
    report = oecd_report(town.workspace, town.state)
    assert len(report["findings"]) == len(town.state.findings) > 0
    for finding in report["findings"]:
        numbers = [one["number"] for one in finding["criteria"]]
        assert numbers == list(CRITERIA) == list(range(1, 30))
        by_number = {one["number"]: one for one in finding["criteria"]}
        assert by_number[10] == {
            "number": 10,
            "criterion": {"en": "Severity", "ja": "深刻さ"},
            "mandatory": True,
            "alignment": "unmapped",
            "value": None,
        }
        assert finding["mandatory_missing"] == [10, 11]
        assert finding["mandatory_filled"] == len(MANDATORY) - 2
        assert finding["filled"] == sum(one["value"] is not None for one in finding["criteria"])
        assert by_number[7]["value"]["verdict"].startswith("sha256:")
    assert {one["number"] for one in report["cannot_be_filled"]} >= {6, 10, 11, 12, 17, 20}
    assert report["note"].keys() == {"en", "ja"}
    assert all(one["criterion"].keys() == {"en", "ja"} for one in report["cannot_be_filled"])
    acted = [one for one in report["findings"] if one["criteria"][26]["value"]]
    assert acted, "what was done about it is criterion 27"


def test_the_same_ledger_gives_the_same_report(town: ReportTown) -> None:
    assert json.dumps(oecd_report(town.workspace, town.state)) == json.dumps(oecd_report(town.workspace, town.state))


# ---- on the command line, and back again


@pytest.fixture
def national(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "town"
    scaffold(root, name="town")
    create("sqlite:///.shinrai/ledger.db", root, "town").close()
    monkeypatch.chdir(root)
    monkeypatch.setenv("SHINRAI_LANG", "en")
    edition = {"series": "care", "decided_on": "2026-01-01", "document": {"url": "https://example.org"}}
    plan = sound(edition=edition).model_dump(mode="json", exclude_defaults=True)
    (root / "plans/care-2026.yaml").write_text(json.dumps(plan), encoding="utf-8")
    rows = ["indicator,period,value,unit,published,source"]
    values = seen("days-waited", {"FY2024": 30.0, "FY2025": 28.0})
    rows += [f"days-waited,{one.period},{one.value:g},days,2026-06-30,Care statistics" for one in values]
    (root / "observations/care.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return root


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    out, err = capsys.readouterr()
    return (ended.value.code if isinstance(ended.value.code, int) else 0), out, err


@pytest.mark.parametrize(
    ("form", "file"),
    [
        ("sdmx-csv", "care-2026.sdmx.csv"),
        ("csvw", packages.CSVW_METADATA),
        ("data-package", packages.PACKAGE),
    ],
)
def test_what_is_written_can_be_read_back_and_is_known_already(
    national: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str, file: str
) -> None:
    code, out, err = run(capsys, "do", "observe", "observations/care.csv")
    assert (code, "2 observations brought in" in out) == (0, True), err
    code, _out, err = run(capsys, "export", form, "--plan", "care-2026", "-o", str(tmp_path / "out" / file))
    assert code == 0, err
    code, out, err = run(capsys, "do", "turn", str(tmp_path / "out" / file), "--name", "back")
    assert (code, "2 observations written" in out) == (0, True), err
    code, out, err = run(capsys, "do", "observe", "observations/back.csv")
    assert (code, "0 observations brought in, 2 were there already" in out) == (0, True), err


def test_every_format_can_be_asked_for(national: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listed = run(capsys, "export")[1]
    for form in PLAN_FORMATS:
        assert form in listed
        code, out, err = run(capsys, "export", form, "--plan", "care-2026")
        assert code == 0, err
        assert all(Path(line).is_file() for line in out.splitlines())
    ET.parse(national / "iati/care-2026.xml")  # noqa: S314 - our own text
    assert run(capsys, "export", "oecd-incidents", "-o", str(national / "oecd.json"))[0] == 0
    told = json.loads((national / "oecd.json").read_text(encoding="utf-8"))
    assert (told["findings"], told["cannot_be_filled"]) == ([], [])
    assert told["note"]["en"].startswith("There are no findings")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["iati"], "Which plan"),
        (["iati", "--plan", "plan"], "neither a period nor a day"),
        (["iat"], "did you mean iati"),
    ],
)
def test_what_cannot_be_written_is_said(
    national: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    code, _out, err = run(capsys, "export", *arguments)
    assert code == 2
    assert said in err


# ---- what cannot be turned


def refused(tmp_path: Path, text: str, name: str = "foreign.csv") -> tuple[str, int]:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SourceError) as caught:
        turn(path)
    return caught.value.problems[0].code, caught.value.problems[0].line


HEAD = "STRUCTURE,STRUCTURE_ID,ACTION,INDICATOR,TIME_PERIOD,OBS_VALUE,OBS_STATUS"


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("a,b\n1,2\n", "do.exchange-form", 1),
        ("STRUCTURE,STRUCTURE_ID,INDICATOR,TIME_PERIOD\n", "do.exchange-column", 1),
        (f"{HEAD}\ndataflow,X,I,a,2025,1,A\ndataflow,X,D,a,2024,1,A\n", "do.exchange-action", 3),
        (f"{HEAD}\ndataflow,X,I,a,2025-W1,1,A\n", "do.exchange-period", 2),
        (f"{HEAD}\ndataflow,X,I,a,2025,1,Ω\n", "do.exchange-status", 2),
        (f"{HEAD}\ndataflow,X,I,a,2025,1\n", "do.ragged", 2),
        (f"{HEAD},UNIT_MULT\ndataflow,X,I,a,2025,1,A,6\n", "do.exchange-multiplier", 2),
    ],
)
def test_foreign_rows_that_cannot_be_taken_are_located(tmp_path: Path, text: str, code: str, line: int) -> None:
    assert refused(tmp_path, text) == (code, line)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "do.exchange-json"),
        ("[]", "do.exchange-form"),
        ("{}", "do.exchange-form"),
        ('{"resources": []}', "do.exchange-form"),
        ('{"@context": "http://www.w3.org/ns/csvw", "url": "../secret.csv"}', "do.exchange-path"),
        ('{"@context": "http://www.w3.org/ns/csvw", "url": "https://example.org/a.csv"}', "do.exchange-path"),
    ],
)
def test_descriptions_that_lead_nowhere_are_refused(tmp_path: Path, text: str, code: str) -> None:
    assert refused(tmp_path, text, "datapackage.json")[0] == code


def test_data_that_are_not_those_described_are_refused(tmp_path: Path) -> None:
    plan = sound()
    for name, text in packages.data_package(plan, {plan.id: plan}, every(observed())).items():
        (tmp_path / name).write_text(text, encoding="utf-8", newline="")
    assert turn(tmp_path / packages.PACKAGE).rows == 4
    path = tmp_path / packages.TABLE
    path.write_text(path.read_text(encoding="utf-8").replace("30", "31"), encoding="utf-8")
    assert (
        refused(tmp_path, (tmp_path / packages.PACKAGE).read_text(encoding="utf-8"), packages.PACKAGE)[0]
        == "do.exchange-hash"
    )


def test_sdmx_1_0_is_read_and_missing_values_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "old.csv"
    path.write_text(
        "DATAFLOW,INDICATOR,TIME_PERIOD,OBS_VALUE,SEX\nOECD:X(1.0),a,2024,1.5,F\nOECD:X(1.0),a,2025,,F\n",
        encoding="utf-8",
    )
    turned = turn(path)
    assert (turned.rows, turned.missing) == (1, 1)
    (row,) = table(turned.text)
    assert (row["indicator"], row["period"], row["value"], row["sex"]) == ("a", "2024", "1.5", "F")


def test_plans_without_anything_can_be_written() -> None:
    plan = Plan.model_validate(
        {"id": "p", "title": {"en": "P"}, "owner": "o", "goals": [{"id": "g", "title": {"en": "G"}}]}
    )
    assert table(sdmx.sdmx_csv(plan, {}, [])) == []
    ET.fromstring(xml.stratml(plan, {}, {}))  # noqa: S314 - our own text


def abroad() -> tuple[Plan, dict[str, list[Observation]]]:
    """Give a plan for Japan with a target that nobody could verify, values of three countries, and a forecast."""
    plan = sound(area="JP")
    data = plan.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    data["uses"][0]["target"]["standing"] = "unverified"
    data["goals"][0]["measures"][0]["certainty"] = data["results"][1]["certainty"] = "secondary"
    values = {"JP": {"FY2025": 27.0}, "CN": {"FY2025": 2.6}, "DE": {"FY2025": 4.9, "FY2026": 4.0}}
    found = [
        one for area, told in values.items() for one in seen("days-waited", told, area=area, certainty="secondary")
    ]
    found += seen("days-waited", {"FY2027": 3.0}, area="JP", status="forecast")
    return Plan.model_validate(data), {"days-waited": found}


@pytest.mark.parametrize("write", [xml.iati, xml.stratml])
def test_what_others_achieved_is_never_written_as_the_plans_own_result(write: Any) -> None:
    plan, values = abroad()
    text = write(plan, {plan.id: plan}, values)
    actual = re.findall(r'<actual value="(.*?)"', text)
    actual += re.findall(r"<NumberOfUnits>([^<]*)</NumberOfUnits>\s*<Description>Care", text)
    assert actual == ["27"]


def test_what_is_uncertain_leaves_as_uncertain() -> None:
    plan, values = abroad()
    known = {plan.id: plan}
    activity, strategy = xml.iati(plan, known, values), xml.stratml(plan, known, values, "ja")
    for said in ("[not verified]", "[未検証]", "Care statistics [from a secondary note]", "[二次的な注記による]"):
        assert said in activity
    for said in (
        "FY2029 [未検証]",
        "Care statistics [二次的な注記による]",
        "ケアプラン作成を助けるAI [二次的な注記による]",
    ):
        assert said in strategy
    rows = table(sdmx.sdmx_csv(plan, known, every(values)))
    assert {row["CERTAINTY"] for row in rows if row["VALUE_TYPE"] == "target"} == {"unverified", "final"}


def test_files_are_named_by_their_path_from_the_workspace(national: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (national / "brought").mkdir()
    for name, text in (("o.csv", "A,B\n1,2\n"), ("o.json", "{"), ("p.json", "{}")):
        (national / "brought" / name).write_text(text, encoding="utf-8")
        code, _out, err = run(capsys, "do", "turn", f"brought/{name}")
        assert code == 2
        assert f"brought/{name}:1:" in err
    (national / "observations").mkdir(exist_ok=True)
    (national / "observations/o.csv").write_text("other\n", encoding="utf-8")
    sound_one = "STRUCTURE,STRUCTURE_ID,INDICATOR,TIME_PERIOD,OBS_VALUE\ndataflow,A:B(1.0),x,2025,1\n"
    (national / "brought/o.csv").write_text(sound_one, encoding="utf-8")
    code, _out, err = run(capsys, "do", "turn", "brought/o.csv")
    assert code == 2
    assert "observations/o.csv is there already" in err
