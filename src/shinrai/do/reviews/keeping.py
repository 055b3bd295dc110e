"""Writing projects into the workspace: one plan and one table of observations for each."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import yaml

from shinrai.do.reviews.notices import Notice, Notices
from shinrai.do.reviews.plans import Project
from shinrai.errors import StoreError
from shinrai.i18n import _
from shinrai.records import Observation, Plan

COLUMNS: Final = {
    "indicator": "subject",
    "period": "period",
    "value": "value",
    "unit": "unit",
    "published": "published",
    "source": "source",
    "url": "url",
    "locator": "locator",
    "certainty": "certainty",
    "collector": "collector",
}
"""Column of ``observations/*.csv`` → field of the observation."""

_KEY: Final = ("indicator", "period", "published")


@dataclass(slots=True)
class Kept:
    """What writing came to: paths relative to the workspace.

    Parameters
    ----------
    written, unchanged : list of str
        Files that were written, and files that already said the same.
    observations : int
        Rows that were not there before.
    """

    written: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    observations: int = 0


def keep_projects(root: Path, projects: Iterable[Project], notices: Notices) -> Kept:
    """Write projects as ``plans/<id>.yaml`` and ``observations/<series>.csv``.

    Each year's sheet is a plan of its own, so that two years can be compared. Observations of all years share a table,
    in which every vintage stays: a value that was published again on another day is another row.

    Parameters
    ----------
    root : Path
        The workspace.
    projects : iterable of Project
        As `shinrai.do.reviews.projects` gives them.
    notices : Notices
        Receives values that differ from those kept of the same day of publication: revised silently, they are named,
        and what was kept first stays.

    Returns
    -------
    Kept

    Raises
    ------
    StoreError
        If a file cannot be written.
    """
    kept = Kept()
    try:
        for project in projects:
            _write(root, f"plans/{project.plan.id}.yaml", _plan_text(project.plan), kept)
            if project.observations:
                name = f"observations/{project.plan.series}.csv"
                _write(root, name, _merged(root / name, name, project.observations, notices, kept), kept)
    except OSError as error:
        raise StoreError(
            "do.not-written",
            _("The file {name} cannot be written: {reason}").format(
                name=error.filename or root, reason=error.strerror or error
            ),
        ) from error
    return kept


def _plan_text(plan: Plan) -> str:
    data = plan.model_dump(mode="json", exclude_defaults=True, by_alias=True)
    written = yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=120)
    return f"# yaml-language-server: $schema=../schemas/plan.schema.json\n{written}"


def _merged(path: Path, name: str, observations: Iterable[Observation], notices: Notices, kept: Kept) -> str:
    rows: dict[tuple[str, ...], dict[str, str]] = {}
    if path.exists():
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = {tuple(row[key] for key in _KEY): row for row in csv.DictReader(file)}
    for observation in observations:
        row = _cells(observation)
        key = tuple(row[one] for one in _KEY)
        before = rows.get(key)
        if before is None:
            rows[key] = row
            kept.observations += 1
        elif float(before["value"]) != observation.value:
            line = list(rows).index(key) + 2
            notices.add(Notice("revised", name, line, row["period"], row["indicator"], row["value"], before["value"]))
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows[key] for key in sorted(rows))
    return out.getvalue()


def _cells(observation: Observation) -> dict[str, str]:
    found = observation.to_json()
    return {column: _written(found.get(name)) for column, name in COLUMNS.items()}


def _written(value: object) -> str:
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)  # every digit, no noise
    return "" if value is None else str(value)


def _write(root: Path, name: str, text: str, kept: Kept) -> None:
    path = root / name
    if path.exists() and path.read_text(encoding="utf-8") == text:
        kept.unchanged.append(name)
        return
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")
    kept.written.append(name)
