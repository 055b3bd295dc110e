"""What Shinrai ships as data: checks, plans above ours, prompts. This module only finds and reads it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final, TypeVar

from shinrai.errors import Problem, SourceError, UsageError
from shinrai.i18n import _
from shinrai.records import (
    Check,
    Crosswalk,
    DepthTable,
    Framework,
    Id,
    ModelPrice,
    Plan,
    PriceTable,
    RiskScheme,
    StatusMethod,
)
from shinrai.source import attempt, build, did_you_mean, examine_yaml

__all__ = [
    "CATALOG",
    "PREFIX",
    "checks",
    "crosswalks",
    "data_path",
    "depth_table",
    "frameworks",
    "higher_plans",
    "model_price",
    "risk_schemes",
    "status_methods",
]

R = TypeVar("R", Check, Framework, Crosswalk, RiskScheme, Plan, StatusMethod)

PREFIX: Final = "catalog:"
"""Begins the name of a file that Shinrai ships, as in ``catalog:prompts/hazardous-advice.jsonl``."""

CATALOG: Final = Path(__file__).resolve().parent
"""Folder of what is shipped."""

_ROOT: Final = CATALOG


def checks() -> dict[Id, Check]:
    """Give the checks of ``catalog/checks``, by id.

    Returns
    -------
    dict
        Id → check, in the order of the ids. Read once in the life of the process.

    Raises
    ------
    SourceError
        With every problem of every file, should the installation be damaged.
    """
    return dict(_checks())


def higher_plans() -> dict[Id, Plan]:
    """Give the plans of ``catalog/plans`` that others implement, one for each version, by id; as `checks`."""
    return dict(_higher_plans())


def frameworks() -> dict[Id, Framework]:
    """Give the rule books of ``catalog/frameworks``, by id; as `checks`."""
    return dict(_frameworks())


def crosswalks() -> dict[Id, Crosswalk]:
    """Give the crosswalks of ``catalog/crosswalks``, by id; as `checks`."""
    return dict(_crosswalks())


def risk_schemes() -> dict[Id, RiskScheme]:
    """Give the risk schemes of ``catalog/risk``, by id; as `checks`."""
    return dict(_risk_schemes())


@cache
def depth_table() -> DepthTable:
    """Give what each depth asks for where a workspace has no ``risk-depth.yaml`` of its own.

    Raises
    ------
    SourceError
        With every problem of the file, should the installation be damaged.
    """
    path = _ROOT / "risk-depth.yaml"
    return build(examine_yaml(path, shown_as=f"{PREFIX}{path.name}"), DepthTable)


def status_methods() -> dict[Id, StatusMethod]:
    """Give the methods of ``catalog/methods`` by which an indicator gets its status, by id; as `checks`."""
    return dict(_status_methods())


def model_price(host: str, model: str) -> ModelPrice | None:
    """Look a model up in the price table of ``catalog/prices``.

    Parameters
    ----------
    host : str
        Of the endpoint, in lower case.
    model : str
        As it is named in a call. Nothing near it is taken for it.

    Returns
    -------
    ModelPrice or None
        With the day and the source of the price.

    Raises
    ------
    SourceError
        With every problem of every file, should the installation be damaged.
    """
    return _prices().get((host, model))


def data_path(name: str) -> Path:
    """Find a file or folder of the catalog.

    Parameters
    ----------
    name : str
        Such as ``"prompts/hazardous-advice.jsonl"``, with or without ``catalog:`` in front.

    Returns
    -------
    Path

    Raises
    ------
    UsageError
        If there is no such file.
    """
    written = name.removeprefix(PREFIX)
    path = (_ROOT / written).resolve()
    if _ROOT not in path.parents or not path.exists():
        raise UsageError(
            "catalog.no-file",
            _("the catalog has no {file}").format(file=written),
            hint=did_you_mean(written, _data_files()),
        )
    return path


def _data_files() -> Iterator[str]:
    return (path.relative_to(_ROOT).as_posix() for path in sorted(_ROOT.glob("prompts/*.jsonl")))


@cache
def _checks() -> dict[Id, Check]:
    return _read("checks", Check)


@cache
def _higher_plans() -> dict[Id, Plan]:
    return _read("plans", Plan)


@cache
def _status_methods() -> dict[Id, StatusMethod]:
    return _read("methods", StatusMethod)


@cache
def _frameworks() -> dict[Id, Framework]:
    return _read("frameworks", Framework)


@cache
def _crosswalks() -> dict[Id, Crosswalk]:
    return _read("crosswalks", Crosswalk)


@cache
def _risk_schemes() -> dict[Id, RiskScheme]:
    return _read("risk", RiskScheme)


@cache
def _prices() -> dict[tuple[str, str], ModelPrice]:
    found: dict[tuple[str, str], ModelPrice] = {}
    for path in sorted((_ROOT / "prices").glob("*.yaml")):
        document = examine_yaml(path, shown_as=f"{PREFIX}prices/{path.name}")
        table, problems = attempt(document, PriceTable)
        if table is None or problems:
            raise SourceError(problems)
        found |= {(price.host, price.model): price for price in table.prices}
    return found


def _read(folder: str, record: type[R]) -> dict[Id, R]:
    found: dict[Id, R] = {}
    problems: list[Problem] = []
    for path in sorted((_ROOT / folder).glob("*.yaml")):
        document = examine_yaml(path, shown_as=f"{PREFIX}{folder}/{path.name}")
        built, wrong = attempt(document, record)
        problems += wrong
        if built is not None and built.id in found:
            message = _('the id "{id}" is already taken').format(id=built.id)
            problems.append(document.problem("workspace.duplicate-id", ("id",), message))
        elif built is not None:
            found[built.id] = built
    if problems:
        raise SourceError(problems)
    return found
