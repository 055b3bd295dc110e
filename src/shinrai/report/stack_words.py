"""The words of the register and the stack. Written once, for page and terminal."""

from __future__ import annotations

from shinrai.act import Cause
from shinrai.plan.exposure import Dimension
from shinrai.records import Autonomy, DataClass, Host, Openness, Operator, Reach, Stage
from shinrai.report.words import N_
from shinrai.workspace import NodeType

TYPES: dict[NodeType, str] = {
    "system": N_("AI system"),
    "application": N_("application"),
    "guard": N_("guard"),
    "human": N_("step of a person"),
    "service": N_("service"),
    "model": N_("model"),
    "data": N_("data"),
    "compute": N_("compute"),
}

OPERATORS: dict[Operator, str] = {
    "developer": N_("developer"),
    "provider": N_("provider"),
    "business-user": N_("business user"),
}

STAGES: dict[Stage, str] = {
    "idea": N_("idea"),
    "development": N_("development"),
    "before-release": N_("before release"),
    "operation": N_("in operation"),
    "change": N_("under change"),
    "retirement": N_("retired"),
}

AUTONOMY: dict[Autonomy, str] = {
    "informs": N_("informs; people decide"),
    "proposes": N_("proposes; people decide"),
    "acts-after-approval": N_("acts after a person agrees"),
    "acts-unless-stopped": N_("acts by itself; a person can stop it"),
    "acts-alone": N_("acts by itself"),
}

DATA: dict[DataClass, str] = {
    "public": N_("public data"),
    "internal": N_("internal data"),
    "confidential": N_("confidential data"),
    "personal": N_("personal data"),
    "special-care": N_("data that need special care"),
    "biometric": N_("biometric data"),
    "children": N_("data about children"),
}

REACH: dict[Reach, str] = {
    "test": N_("for tests only"),
    "staff": N_("for staff"),
    "partners": N_("for partners"),
    "public": N_("for the public"),
}

HOSTS: dict[Host, str] = {
    "own-premises": N_("on own premises"),
    "device": N_("on the user’s device"),
    "private-cloud": N_("in a private cloud"),
    "public-cloud": N_("in a public cloud"),
    "supplier": N_("at the supplier"),
}

OPENNESS: dict[Openness | None, str] = {
    "open": N_("fully open"),
    "open-weights": N_("open weights"),
    "closed": N_("closed"),
    None: N_("not stated"),
}

DIMENSION_WORDS: dict[Dimension, str] = {
    "supplier": N_("supplier"),
    "supplier-country": N_("country of the supplier"),
    "processing-country": N_("country of processing"),
}

CAUSES: dict[Cause, str] = {
    "notice": N_("known against it"),
    "support": N_("its support ended on {name}"),
    "finding": N_("finding {name} on {system}; the same model may be why"),
}


def share(value: float) -> str:
    """Write a share in percent, such as ``33.3%``; never ``0.0%`` for what is more than nothing."""
    if 0 < value < 0.0005:
        return "<0.1%"
    return f"{100 * value:.1f}%"


def index(low: float, high: float) -> str:
    """Write a Herfindahl index, or the range in which it lies where part of what is supplied is not known."""
    first, last = f"{low:.2f}", f"{high:.2f}"
    return first if first == last else f"{first}–{last}"
