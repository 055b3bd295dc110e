"""Plans with their observations in the formats that others read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from shinrai.errors import UsageError
from shinrai.i18n import N_, Language, _
from shinrai.records import Id, Observation, Plan
from shinrai.report.exchange import packages, sdmx, xml

__all__ = ["PLAN_FORMATS", "write_plan"]

PLAN_FORMATS: Final[Mapping[str, tuple[str, str]]] = {
    "sdmx-csv": (".csv", N_("SDMX-CSV 2.0: observations and promises of a plan")),
    "csvw": (".csv-metadata.json", N_("CSV on the Web: observations of a plan, with their description")),
    "data-package": (".json", N_("Data Package: observations and indicators of a plan")),
    "stratml": (".xml", N_("StratML Part 2: a plan with its targets and results")),
    "iati": (".xml", N_("IATI 2.03: the results of a plan")),
}
"""Format → suffix of its main file, and what it is."""


def write_plan(
    name: str,
    plan: Plan,
    plans: Mapping[Id, Plan],
    observed: Mapping[Id, Sequence[Observation]],
    language: Language,
) -> dict[str, str]:
    """Write a plan in a format.

    Parameters
    ----------
    name : str
        One of `PLAN_FORMATS`.
    plan : Plan
        One version.
    plans : mapping
        Id → plan, for definitions that it took over.
    observed : mapping
        Indicator → observations, every vintage.
    language : {"ja", "en"}
        Of texts that are written once.

    Returns
    -------
    dict
        File name → text, the main file last: what it describes comes before it.

    Raises
    ------
    UsageError
        If the plan lacks what the format cannot do without.
    """
    used = {use.indicator for use in plan.uses}
    wanted = {indicator: ones for indicator, ones in observed.items() if indicator in used}
    every = [one for ones in wanted.values() for one in ones]
    match name:
        case "sdmx-csv":
            return {f"{plan.id}.csv": sdmx.sdmx_csv(plan, plans, every)}
        case "csvw":
            return packages.csvw(plan, every)
        case "data-package":
            return packages.data_package(plan, plans, every)
        case "stratml":
            if not plan.goals:
                raise UsageError("export.no-goals", _("The plan {name} has no goals").format(name=plan.id))
            return {f"{plan.id}.xml": xml.stratml(plan, plans, wanted, language)}
        case _:
            if plan.period is None and plan.edition is None:
                message = _("The plan {name} has neither a period nor a day of decision").format(name=plan.id)
                raise UsageError("export.no-date", message, hint=_("IATI needs a date of every activity"))
            return {f"{plan.id}.xml": xml.iati(plan, plans, wanted)}
