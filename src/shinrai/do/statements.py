"""What people state: documents that say something is so, and values that were observed or published."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path

from shinrai.do.keeping import keep
from shinrai.do.naming import indicators_of, require_role, require_subject, require_system
from shinrai.do.observing import refuse_silent_revision
from shinrai.errors import UsageError
from shinrai.i18n import _
from shinrai.ledger import Ledger
from shinrai.records import Attestation, EvidenceBrought, Id, Observation, Role, first_day, last_day_of
from shinrai.workspace import Workspace


def attest(  # noqa: PLR0913 - one argument for each thing that an attestation says
    ledger: Ledger,
    workspace: Workspace,
    *,
    subject: str,
    document: Path,
    by: Role,
    effective: date,
    valid_until: date | None = None,
    system: Id | None = None,
) -> Attestation:
    """Bring in a document that says something is so.

    A copy is kept, and its digest goes into the ledger. Bringing the very same again changes nothing.

    Parameters
    ----------
    ledger : Ledger
        Opened for writing.
    workspace : Workspace
        As loaded.
    subject : str
        What it is about: the subject of a check with the metric ``attested``.
    document : Path
        Any file that is not empty.
    by : Role
        Who attests.
    effective : date
        From when it holds.
    valid_until : date, optional
        The last day on which it holds; without it, it holds until it is replaced.
    system : Id, optional
        The system it is about; without it, the organisation and thus every system.

    Returns
    -------
    Attestation

    Raises
    ------
    UsageError
        If the document cannot be read or is empty, a name is unknown, or it ends before it begins.
    StoreError
        If the copy cannot be kept.
    """
    require_system(system, workspace)
    require_subject(subject, "attested", workspace)
    require_role(by, workspace)
    if valid_until is not None and valid_until < effective:
        raise UsageError(
            "do.ends-before-it-begins",
            _("The attestation would end on {end}, before it takes effect on {start}").format(
                end=valid_until, start=effective
            ),
        )
    content = read_document(document)
    kept, digest = keep(workspace.root, content, document.name)
    evidence = Attestation(
        subject=subject,
        system=system,
        name=document.name,
        file=kept,
        file_digest=digest,
        by=by,
        effective=effective,
        valid_until=valid_until,
    )
    bring(ledger, evidence)
    return evidence


def observe(  # noqa: PLR0913 - one argument for each thing that an observation says
    ledger: Ledger,
    workspace: Workspace,
    *,
    subject: str,
    value: float,
    unit: str,
    as_of: date | None = None,
    source: str,
    today: date,
    system: Id | None = None,
    population: str | None = None,
    sample: int | None = None,
    period: str | None = None,
    area: str | None = None,
    published: date | None = None,
) -> Observation:
    """Bring in a value that somebody observed or published. Bringing the very same again changes nothing.

    Parameters
    ----------
    ledger : Ledger
        Opened for writing.
    workspace : Workspace
        As loaded.
    subject : str
        What was observed: the subject of a check with the metric ``observed``, or an indicator of a plan.
    value : float
        In the unit of the check's threshold; finite.
    unit : str
        That of the threshold.
    as_of : date, optional
        The day that the value is about; the last day of `period` when left out.
    source : str
        Where it comes from, so that others can look it up.
    system : Id, optional
        The system it is about; without it, the organisation and thus every system.
    population : str, optional
        Who or what was observed.
    sample : int, optional
        Number of units behind a share; at least 1.
    period : str, optional
        Period that the value is about; an indicator needs one.
    area : str, optional
        Where, such as ``JP``.
    published : date, optional
        Vintage of the value.
    today : date
        The day on which this is said: nothing can have been observed after it.

    Returns
    -------
    Observation

    Raises
    ------
    UsageError
        If a name is unknown, the value is not finite, its day is still to come, the source is empty, the sample is
        below 1, an indicator lacks its period or its unit, or the same publication gave another value before.
    """
    require_system(system, workspace)
    require_subject(subject, "observed", workspace)
    if not math.isfinite(value):
        raise UsageError("do.not-finite", _("The value {value} is not a finite number").format(value=value))
    as_of = _day_of(as_of, period, today)
    _require_fitting(subject, unit, period, workspace)
    if not source.strip():
        raise UsageError("do.no-source", _("A value without its source is no evidence"))
    if sample is not None and sample < 1:
        raise UsageError("do.no-sample", _("A sample has at least one unit, not {sample}").format(sample=sample))
    evidence = Observation(
        subject=subject,
        system=system,
        value=value,
        unit=unit,
        as_of=as_of,
        source=source.strip(),
        population=population,
        sample=sample,
        period=period,
        area=area,
        published=published,
    )
    if period is not None:
        refuse_silent_revision(ledger, workspace.root, evidence)
    bring(ledger, evidence)
    return evidence


def _day_of(as_of: date | None, period: str | None, today: date) -> date:
    """Give the day that a value is about, which cannot be still to come.

    Raises
    ------
    UsageError
        If neither day nor period is given, the period is none, or it lies ahead.
    """
    try:
        day = as_of or last_day_of(period or "")
        begin = first_day(period) if period else day
    except ValueError as error:
        message = _("The value needs its day or its period")
        hint = _("such as --as-of 2026-03-31 or --period FY2025")
        raise UsageError("do.no-period", message, hint=hint) from error
    if begin > today:
        raise UsageError("do.future", _("Nothing can have been observed on {day}: it is still to come").format(day=day))
    return day


def _require_fitting(subject: str, unit: str, period: str | None, workspace: Workspace) -> None:
    """Hold a value against the indicator that it is about, where it is about one.

    Raises
    ------
    UsageError
        If it has no period, or another unit.
    """
    definition = indicators_of(workspace).get(subject)
    if definition is None:
        return
    if period is None:
        message = _("A value of the indicator {name} needs its period").format(name=subject)
        raise UsageError("do.no-period", message, hint=_("such as --as-of 2026-03-31 or --period FY2025"))
    if unit != definition.unit:
        message = _("The indicator {name} is counted in {expected}, not in {unit}").format(
            name=subject, expected=definition.unit, unit=unit
        )
        raise UsageError("do.unit", message)


def bring(ledger: Ledger, evidence: Attestation | Observation) -> None:
    """Write evidence down, unless the newest on the same subject and system is the very same."""
    newest = None
    for _entry, known in ledger.state().evidence:
        if isinstance(known, type(evidence)) and (known.subject, known.system) == (evidence.subject, evidence.system):
            newest = known
    if newest != evidence:
        ledger.append(EvidenceBrought(evidence=evidence))


def read_document(document: Path) -> bytes:
    """Read a document that is to be kept.

    Raises
    ------
    UsageError
        If it cannot be read or is empty.
    """
    try:
        content = document.read_bytes()
    except OSError as error:
        raise UsageError(
            "do.no-document",
            _("The document {path} cannot be read: {reason}").format(path=document, reason=error.strerror or error),
        ) from error
    if not content:
        raise UsageError("do.empty-document", _("The document {path} is empty").format(path=document))
    return content
