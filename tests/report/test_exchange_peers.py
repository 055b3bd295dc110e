"""Other people's libraries and schemas read what is written here, and what they write is read here.

The schemas are not part of this repository (their licences do not say that they may be): that of IATI 2.03 comes with
the package pyiati, that of StratML Part 2 (ISO/AIIM 2.2.6, 2016-02-16) is looked for in the folder SHINRAI_SCHEMAS; no
package carries it. It stands in the public repository OwenAmbur/StratML.
"""

from __future__ import annotations

import csv
import os
from importlib.util import find_spec
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

from shinrai.catalog import higher_plans
from shinrai.do.exchange import turn
from shinrai.i18n import Language
from shinrai.report.exchange import packages, sdmx, xml
from tests.plan.national import observed, sound

pytestmark = pytest.mark.filterwarnings("ignore")  # those of the foreign libraries are not ours to mend


def every() -> list[Any]:
    return [one for ones in observed().values() for one in ones]


def written(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).write_text(text, encoding="utf-8")
    return root


def test_pysdmx_reads_what_is_written_and_its_file_is_read_back(tmp_path: Path) -> None:
    io = pytest.importorskip("pysdmx.io", reason="pysdmx is not installed")
    csv_2_0 = pytest.importorskip("pysdmx.io.format").Format.DATA_SDMX_CSV_2_0_0
    plan = sound(area="JP")
    ours = tmp_path / "ours.csv"
    ours.write_text(sdmx.sdmx_csv(plan, {plan.id: plan}, every()), encoding="utf-8")
    (data,) = io.read_sdmx(str(ours)).data
    assert data.short_urn.endswith(sdmx.STRUCTURE_ID)
    assert len(data.data) == 10
    assert set(data.data["VALUE_TYPE"]) == {"actual", "baseline", "path", "target"}

    model = pytest.importorskip("pysdmx.model")
    measure = list(data.data).index("OBS_VALUE")
    roles = [model.Role.DIMENSION] * measure + [model.Role.MEASURE]
    parts = [
        model.Component(
            name,
            required=role is not model.Role.ATTRIBUTE,
            role=role,
            concept=model.Concept(name),
            local_dtype=model.DataType.STRING,
            attachment_level="O" if role is model.Role.ATTRIBUTE else None,
        )
        for name, role in zip_longest(data.data, roles, fillvalue=model.Role.ATTRIBUTE)
    ]
    data.structure = model.Schema(
        context="dataflow",
        agency="SHINRAI",
        id="PLAN_INDICATORS",
        components=model.Components(parts),
        version="1.0.0",
    )
    theirs = tmp_path / "theirs.csv"
    io.write_sdmx(data, csv_2_0, str(theirs))
    tables = [list(csv.DictReader(turn(path).text.splitlines())) for path in (ours, theirs)]
    read = [sorted(str({**row, "value": float(row["value"])}) for row in table) for table in tables]
    assert read[0] == read[1], "whole numbers come back with a point, all else as it was"
    assert len(read[0]) == 4


def test_frictionless_finds_a_package_sound_and_a_broken_one_not(tmp_path: Path) -> None:
    frictionless = pytest.importorskip("frictionless", reason="frictionless is not installed")
    plan = sound()
    files = packages.data_package(plan, {plan.id: plan}, every())
    written(tmp_path, files)
    package = str(tmp_path / packages.PACKAGE)
    assert frictionless.validate(package).valid
    broken = files[packages.INDICATORS].replace("days-waited", "days-lost")
    (tmp_path / packages.INDICATORS).write_text(broken, encoding="utf-8")
    assert not frictionless.validate(package).valid, "the foreign key, or the hash, leads nowhere"


def test_csvw_reads_the_table_by_its_description(tmp_path: Path) -> None:
    csvw = pytest.importorskip("csvw", reason="csvw is not installed")
    files = packages.csvw(sound(), every())
    written(tmp_path, files)
    rows = list(csvw.Table.from_file(tmp_path / packages.CSVW_METADATA))
    assert len(rows) == len(every())
    assert {float(row["value"]) for row in rows} == {one.value for one in every()}
    assert {row["published"].date() for row in rows} == {one.published for one in every()}


def plans() -> list[Any]:
    return [sound(area="JP"), *higher_plans().values()]


def valid(schema: Path, text: str) -> list[str]:
    etree = pytest.importorskip("lxml.etree", reason="lxml is not installed")
    rules = etree.XMLSchema(etree.parse(str(schema)))
    rules.validate(etree.fromstring(text.encode()))
    return [str(error) for error in rules.error_log]


def test_iati_is_valid_by_its_schema() -> None:
    package = find_spec("iati")
    assert package is not None, "pyiati holds the schema (requirements/schemas.txt)"
    assert package.origin is not None
    schema = Path(package.origin).parent / "resources/standard/2-03/schemas/iati-activities-schema.xsd"
    known = {plan.id: plan for plan in plans()}
    for plan in plans():
        assert valid(schema, xml.iati(plan, known, observed())) == []
    assert valid(schema, "<iati-activities version='2.03'/>"), "a file without an activity is none"


@pytest.mark.parametrize("language", ["en", "ja"])
def test_stratml_is_valid_by_its_schema(language: Language) -> None:
    schema = Path(os.environ.get("SHINRAI_SCHEMAS", "")) / "PerformancePlanOrReport20160216.xsd"
    if not schema.is_file():
        pytest.skip("PerformancePlanOrReport20160216.xsd of StratML Part 2 is not in the folder SHINRAI_SCHEMAS")
    known = {plan.id: plan for plan in plans()}
    for plan in plans():
        written = xml.stratml(plan, known, observed(), language)
        assert valid(schema, written) == []
        assert valid(schema, written.replace("Organization>", "Authority>")), "a plan of no organization is none"
