"""Out to the world: the same records in the formats that others read."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

from shinrai.errors import UsageError
from shinrai.i18n import Language, _
from shinrai.ledger.projection import State
from shinrai.records import Framework, Id, Json
from shinrai.report.exchange.oecd import oecd_report
from shinrai.report.exports import checklist, ci, oscal, papers, questionnaire, statements
from shinrai.report.exports.declarations import declarations
from shinrai.report.exports.dossier import Dossier, chosen
from shinrai.report.words import N_
from shinrai.source import did_you_mean
from shinrai.workspace import Workspace

__all__ = ["FORMATS", "Format", "export"]


def _json(write: Callable[[Dossier], dict[str, Json]]) -> Callable[[Dossier], bytes]:
    def written(dossier: Dossier) -> bytes:
        return (json.dumps(write(dossier), ensure_ascii=False, indent=2) + "\n").encode()

    return written


@dataclass(frozen=True, slots=True)
class Format:
    """A format to write.

    Parameters
    ----------
    suffix : str
        Of the file's name.
    about : str
        What it is, in English, to be translated.
    frameworks : tuple of Id, optional
        The only ones that it can be about; any when left out.
    """

    suffix: str
    about: str
    write: Callable[[Dossier], bytes]
    frameworks: tuple[Id, ...] | None = None


_HAIP: Final = ("haip-reporting-1", "haip-reporting-2")

FORMATS: Final[Mapping[str, Format]] = {
    "oscal-assessment-results": Format(".json", N_("OSCAL 1.2.1 assessment results"), _json(oscal.assessment_results)),
    "oscal-poam": Format(".json", N_("OSCAL 1.2.1 plan of action and milestones"), _json(oscal.poam)),
    "oscal-component-definition": Format(
        ".json", N_("OSCAL 1.2.1 component definition"), _json(oscal.component_definition)
    ),
    "oscal-mapping-collection": Format(
        ".json", N_("OSCAL 1.2.1 mapping collection: the crosswalks"), _json(oscal.mapping_collection)
    ),
    "in-toto": Format(
        ".jsonl", N_("in-toto Statements in signed DSSE envelopes, one for each verdict"), statements.envelopes
    ),
    "cyclonedx-declarations": Format(
        ".cdx.json",
        N_("CycloneDX 1.6 declarations: claims with evidence and counter-evidence"),
        _json(declarations),
    ),
    "sarif": Format(".sarif", N_("SARIF 2.1.0 for code hosts"), _json(ci.sarif)),
    "junit": Format(".xml", N_("JUnit XML for build servers"), ci.junit),
    "oecd-incidents": Format(
        ".json",
        N_("findings in the OECD’s common reporting framework for AI incidents"),
        _json(lambda dossier: oecd_report(dossier.workspace, dossier.state)),
    ),
    "annex-iv": Format(".md", N_("technical documentation by Annex IV of the EU AI Act"), papers.annex_iv),
    "hiroshima": Format(".md", N_("report under the Hiroshima AI Process"), papers.hiroshima, _HAIP),
    "business-guidelines": Format(
        ".xlsx", N_("checklist of the AI Guidelines for Business"), checklist.checklist, (checklist.GUIDELINES,)
    ),
    "questionnaire": Format(
        ".xlsx", N_("questionnaire to fill in, for shinrai do questionnaire"), questionnaire.questionnaire
    ),
}
"""Every format, by the name under which it is asked for."""


def export(
    name: str,
    workspace: Workspace,
    state: State,
    language: Language,
    *,
    systems: Collection[Id] = (),
    frameworks: Collection[Id] = (),
) -> bytes:
    """Write a workspace in a format.

    Parameters
    ----------
    name : str
        One of `FORMATS`.
    workspace : Workspace
        As loaded.
    state : State
        Of its ledger.
    language : {"ja", "en"}
        Of texts that are written once.
    systems, frameworks : collection of Id
        Those to write about; all systems, and all frameworks that the workspace answers, when left out.

    Returns
    -------
    bytes
        The same for the same ledger, files and language: no clock, no random number.

    Raises
    ------
    UsageError
        If a name is unknown, or there is nothing to write.
    """
    wanted = FORMATS[name]
    books = workspace.rules
    for given, known, code, message in (
        (systems, workspace.systems, "export.unknown-system", _("There is no system {name} in systems/")),
        (frameworks, books.frameworks, "export.unknown-framework", _("There is no framework {name}")),
    ):
        for one in given:
            if one not in known:
                raise UsageError(code, message.format(name=one), hint=did_you_mean(one, known))
    about = _books(wanted, workspace, list(frameworks))
    return wanted.write(Dossier(workspace, state, language, chosen(workspace, state, systems), about))


def _books(wanted: Format, workspace: Workspace, named: list[Id]) -> tuple[Framework, ...]:
    books = workspace.rules
    if wanted.frameworks is not None:
        return tuple(books.frameworks[name] for name in wanted.frameworks if not named or name in named)
    return tuple(books.frameworks[name] for name in (named or list(books.answered)))
