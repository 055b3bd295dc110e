"""Where the components of a stack come from: suppliers, countries, licences, versions, substitutes."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Final, Literal, TypeAlias
from urllib.parse import unquote

from pydantic import AfterValidator, Field, model_validator

from shinrai.i18n import _
from shinrai.records.base import Digest, Id, Record, Text

_COUNTRIES: Final = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ "
    "CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET EU FI FJ FK FM "
    "FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT "
    "JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN "
    "MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT "
    "PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL "
    "TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW "
)
COUNTRIES: Final = frozenset(_COUNTRIES.split())
"""ISO 3166-1 alpha-2, with the reserved ``EU`` for what a supplier says to be somewhere in the European Union."""

_PURL_TYPES: Final = (
    "alpm apk bazel bitbucket bitnami brew cargo chrome-extension cocoapods composer conan conda cpan cran deb "
    "docker gem generic git github golang hackage hex huggingface julia luarocks maven mlflow npm nuget oci opam "
    "otp pub pypi qpkg rpm swid swift vcpkg vscode-extension yocto "
)
PURL_TYPES: Final = frozenset(_PURL_TYPES.split())
"""The types registered by package-url/purl-spec (its folder ``types``, as of 2026-08-21)."""

_PURL: Final = re.compile(
    r"pkg:(?P<type>[a-zA-Z][a-zA-Z0-9.-]*)/(?P<path>[^@?#\s]+)(?:@(?P<version>[^?#\s]+))?"
    r"(?:\?(?P<qualifiers>[^#\s]+))?(?:#(?P<subpath>[^\s]+))?"
)


def _country(written: str) -> str:
    if written not in COUNTRIES:
        raise ValueError(_("a country is two capital letters of ISO 3166-1, such as JP or US"))
    return written


def package_url(written: str) -> str:
    """Check a package URL.

    Parameters
    ----------
    written : str
        Such as ``pkg:huggingface/org/model@0a1b2c``.

    Returns
    -------
    str
        As it was written.

    Raises
    ------
    ValueError
        If it is none, or of a type that nobody has registered: another reader could not tell what it names.
    """
    found = _PURL.fullmatch(written)
    if found is None or any(not unquote(part).strip() for part in found["path"].split("/")):
        raise ValueError(_("a package URL looks like pkg:pypi/name@1.0"))
    if found["type"].lower() not in PURL_TYPES:
        message = _('"{type}" is no registered type of package URL; pkg:generic/… says less and is one')
        raise ValueError(message.format(type=found["type"]))
    return written


Country: TypeAlias = Annotated[str, AfterValidator(_country)]
"""Two capital letters of ISO 3166-1 alpha-2, or ``EU``."""

PackageUrl: TypeAlias = Annotated[str, AfterValidator(package_url)]
"""``pkg:type/namespace/name@version?qualifiers#subpath`` of a registered type."""

PartType: TypeAlias = Literal["compute", "data", "model", "service", "application", "guard", "human"]
"""What a component is. ``human`` is a step that a person takes."""

Openness: TypeAlias = Literal["open", "open-weights", "closed"]
"""
open          anybody may use, study, change and share it, with what it takes to do so
open-weights  its weights can be downloaded; its making, or its licence, is not open
closed        only its supplier has it
"""

Need: TypeAlias = Id | tuple[Id, ...]
"""A component that is needed, or several of which any one is enough."""


class Substitute(Record):
    """What could take a component's place, and how long that would take."""

    name: Annotated[str, Field(min_length=1, description="Id of a component in components/*.yaml, or a plain name")]
    days: Annotated[int, Field(ge=0, description="Working days until it stands in, tests included")]
    tried: Annotated[date | None, Field(description="Day on which the change was last rehearsed")] = None


class Notice(Record):
    """Something that is known against a component: a vulnerability, a recall, an incident elsewhere."""

    id: Annotated[str, Field(min_length=1, description="Such as CVE-2026-0001, or a name of one's own")]
    title: Text
    day: Annotated[date | None, Field(description="Day on which it became known")] = None
    severity: Literal["low", "medium", "high", "critical"] | None = None
    source: Annotated[str | None, Field(min_length=1, description="Where it was read")] = None
    resolved: Annotated[date | None, Field(description="Day since which it no longer holds here")] = None


class SupplyFacts(Record):
    """What is known of a component whatever its type. What is left out is not known.

    Nothing of it says what the component answers: it can change without a new test, except for ``version`` and
    ``digest`` of what a system needs, which are part of its fingerprint.
    """

    id: Id
    title: Text | None = None
    supplier: str | None = None
    supplier_country: Annotated[Country | None, Field(description="Country whose law its supplier is under")] = None
    processing: Annotated[
        tuple[Country, ...] | None, Field(description="Countries in which it runs, and data are processed")
    ] = None
    licence: Annotated[str | None, Field(description="SPDX id or expression where there is one")] = None
    openness: Openness | None = None
    version: str | None = None
    digest: Annotated[Digest | None, Field(description="Of what the supplier delivered")] = None
    purl: Annotated[PackageUrl | None, Field(description="Package URL of a registered type")] = None
    support_end: Annotated[date | None, Field(description="Last day on which its supplier looks after it")] = None
    substitutes: Annotated[
        tuple[Substitute, ...] | None, Field(description="What could take its place; [] where nothing could")
    ] = None
    notices: Annotated[tuple[Notice, ...], Field(description="What is known against it")] = ()
    needs: Annotated[
        tuple[Need, ...],
        Field(description="Components of components/*.yaml; in a list of its own: any one of them is enough"),
    ] = ()

    @model_validator(mode="after")
    def _choices(self) -> SupplyFacts:
        check_needs(self.needs)
        return self


def check_needs(needs: tuple[Need, ...]) -> None:
    """Refuse a choice between fewer than two components.

    Raises
    ------
    ValueError
        If there is one.
    """
    for need in needs:
        if not isinstance(need, str) and len(set(need)) < 2:
            raise ValueError(_("a choice in `needs` is between two components or more"))


class Part(SupplyFacts):
    """The files ``components/*.yaml``: a component that systems share, or that another one needs."""

    type: PartType
    title: Text
