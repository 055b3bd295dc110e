"""What risk a system has, in words, and how long it takes from its first record to a decision on all its promises."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from shinrai.i18n import translate
from shinrai.ledger.projection import ClaimState, State
from shinrai.records import Id, Json, Text
from shinrai.report.words import N_
from shinrai.rules.tiers import Classification, Risk


@dataclass(frozen=True, slots=True)
class Waiting:
    """Hours from intake to decision, beside risk, so that slowness shows as a cost.

    Parameters
    ----------
    risk : Risk
        By the schemes in use.
    claims, decided : int
        Promises that apply, and those that a verdict or an acceptance has ever decided.
    hours : float or None
        From the first record of the system to the last of these decisions, or to now while one is missing; None for a
        system that is not in the ledger or of which nothing is promised.
    """

    system: Id
    risk: Risk
    claims: int
    decided: int
    hours: float | None

    @property
    def is_open(self) -> bool:
        """Whether something that is promised was never decided."""
        return self.decided < self.claims

    def to_json(self) -> dict[str, Json]:
        """Give it as JSON values."""
        return {
            "system": self.system,
            "depth": self.risk.depth.depth if self.risk.depth else None,
            "settled": self.risk.settled,
            "classes": [
                {"scheme": one.scheme.id, "tier": one.tier.id, "in_force": one.in_force, "missing": list(one.missing)}
                for one in self.risk.classes
            ],
            "claims": self.claims,
            "decided": self.decided,
            "hours": self.hours,
            "open": self.is_open,
        }


def waiting(risk: Risk, state: State, claims: Iterable[ClaimState], now: datetime) -> Waiting:
    """Measure how long a system has waited.

    Parameters
    ----------
    risk : Risk
        Of the system.
    state : State
        Of the ledger.
    claims : iterable of ClaimState
        Where every claim stands; those on other systems are passed over.
    now : datetime
        With its time zone.

    Returns
    -------
    Waiting
    """
    own = [claim for claim in claims if claim.ruling.system == risk.system and claim.promise is not None]
    decisions = [at for claim in own if (at := _decided(claim, state)) is not None]
    versions = state.versions.get(risk.system)
    hours = None
    if versions and own:
        begin = _time(state.version_at[risk.system, versions[0].number])
        end = now if len(decisions) < len(own) else max(decisions)
        hours = round(max(0.0, (end - begin).total_seconds()) / 3600, 2)
    return Waiting(risk.system, risk, len(own), len(decisions), hours)


def _decided(claim: ClaimState, state: State) -> datetime | None:
    """Find when a claim was decided for the first time: met, violated, or its risk accepted."""
    verdicts = [one.at for one in state.judgements.get(claim.key, ()) if one.verdict.status in {"met", "violated"}]
    accepted = [entry.at for entry, action in state.applied.values() if action.accept and claim.key in action.addresses]
    found = [*verdicts[:1], *accepted[:1]]
    return min(map(_time, found)) if found else None


def tier_said(one: Classification) -> Text:
    """Say which class a scheme puts a system into: never a low one because something is not stated."""
    if one.settled:
        return one.tier.title
    words = N_("{tier} or higher") if one.fired else N_("cannot be told yet")
    ja, en = (translate(words, language).format(tier=one.tier.title.read(language)) for language in ("ja", "en"))
    return Text(ja=ja, en=en)


def _time(written: str) -> datetime:
    return datetime.fromisoformat(written)
