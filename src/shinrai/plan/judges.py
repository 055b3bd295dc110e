"""Which judge may judge what, and which driver may drive it: none that nobody can rely on, unless in so many words."""

from __future__ import annotations

from shinrai.i18n import _
from shinrai.plan.rulings import PlannedClaim
from shinrai.records import Embedded, Endpoint, Judge, PluginModel, Predictor, SystemVersion


def refused_judge(claim: PlannedClaim, version: SystemVersion, judge: SystemVersion | None) -> str | None:
    """Say why a judge may not judge a system.

    Parameters
    ----------
    claim : PlannedClaim
        Whose check has a judge, or has none.
    version : SystemVersion
        The system under test.
    judge : SystemVersion or None
        The system that judges.

    Returns
    -------
    str or None
        A sentence if the judge is the system under test, has its fingerprint or asks the same model, or if nobody
        measures its error; None where the check accepts that in words, and for everything else.
    """
    use = claim.check.scorer
    if not isinstance(use, Judge) or judge is None or use.accept is not None:
        return None
    values = {"claim": claim.path, "judge": judge.system.id, "system": version.system.id}
    if judge.system.id == version.system.id:
        return _("{claim}: {judge} would judge itself").format(**values)
    if judge.fingerprint == version.fingerprint:
        return _("{claim}: the judge {judge} has the same fingerprint as {system}").format(**values)
    if _weights(judge) == _weights(version):
        return _("{claim}: the judge {judge} is the same model as {system}").format(**values)
    if use.labels is None:
        return _("{claim}: nobody measures the error of the judge {judge}").format(**values)
    return None


def refused_driver(claim: PlannedClaim, version: SystemVersion, driver: SystemVersion | None) -> str | None:
    """Say why a system may not speak for the user to another: it would talk to itself.

    Returns
    -------
    str or None
        A sentence if the driver is the system under test or has its fingerprint.
    """
    if driver is None or (driver.system.id != version.system.id and driver.fingerprint != version.fingerprint):
        return None
    return _("{claim}: {driver} would drive dialogues with itself").format(claim=claim.path, driver=driver.system.id)


def _weights(version: SystemVersion) -> tuple[str, ...]:
    """Name the model that a system asks, whatever stands around it."""
    model = version.system.model
    match model:
        case Endpoint():
            return "endpoint", model.url.rstrip("/"), model.model
        case Embedded():
            return "embedded", version.files[model.file]
        case Predictor() | PluginModel():
            return model.type, version.fingerprint
