"""What every outgoing format is written from: the ledger's state, the workspace, and where requirements stand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from uuid import NAMESPACE_URL, UUID, uuid5

from shinrai.errors import UsageError
from shinrai.i18n import Language, _, translate
from shinrai.ledger.projection import ClaimState, Entry, State
from shinrai.records import Answer, Commitment, Framework, Id, System, Text, Verdict
from shinrai.report.figures import measured, promised
from shinrai.report.story import last_day
from shinrai.report.words import REASONS, STATUS_WORDS
from shinrai.rules.applying import standing
from shinrai.rules.status import Standing
from shinrai.workspace import Workspace


@dataclass(frozen=True)
class Dossier:
    """A workspace at the newest entry of its ledger. Equal ledgers and files give equal bytes in every format.

    Parameters
    ----------
    workspace : Workspace
        As loaded.
    state : State
        Of its ledger, which is not empty.
    language : {"ja", "en"}
        Of texts that are written once.
    systems : tuple of System
        Those to write about, with the changes of applied actions made.
    frameworks : tuple of Framework
        Those to write about.
    """

    workspace: Workspace
    state: State
    language: Language
    systems: tuple[System, ...]
    frameworks: tuple[Framework, ...]

    @property
    def head(self) -> Entry:
        """The newest entry.

        Raises
        ------
        UsageError
            If there is none.
        """
        if self.state.head is None:
            raise UsageError("export.empty", _("The ledger is empty: there is nothing to write"))
        return self.state.head

    @cached_property
    def today(self) -> date:
        """The day for which everything is said: that of the newest entry."""
        return last_day(self.state)

    @cached_property
    def standing(self) -> Standing:
        """Where each requirement stands."""
        return standing(self.workspace, self.state, self.today, [one.id for one in self.frameworks])

    @cached_property
    def claims(self) -> list[ClaimState]:
        """Every claim on the systems that was promised, in the order of the plans."""
        names = {system.id for system in self.systems}
        every = self.state.claims(self.today)
        return [claim for claim in every if claim.promise is not None and claim.ruling.system in names]

    def claims_on(self, system: Id) -> list[ClaimState]:
        """Give the promised claims on one system."""
        return [claim for claim in self.claims if claim.ruling.system == system]

    def answers(self, requirement: str, system: Id) -> list[tuple[Entry, Answer]]:
        """Give the answers to a requirement that are about a system, the newest last."""
        return [
            (entry, one)
            for entry, one in self.state.evidence
            if isinstance(one, Answer) and one.requirement == requirement and one.system in {None, system}
        ]

    def uuid(self, *names: object) -> str:
        """Make an identifier out of names: the same for the same names in this ledger."""
        opened = self.state.opened
        space = UUID(bytes=bytes.fromhex(opened.public_key)[:16]) if opened else NAMESPACE_URL
        return str(uuid5(space, "/".join(map(str, names))))

    def t(self, message: str, **values: object) -> str:
        """Write a text of the interface in the dossier's language."""
        return translate(message, self.language).format(**values)

    def read(self, text: Text | None) -> str:
        """Read a text of the workspace in the dossier's language."""
        return "" if text is None else text.read(self.language)

    def status_word(self, claim: ClaimState) -> str:
        """Write where a claim stands."""
        return self.t(STATUS_WORDS[claim.status])

    def reason(self, claim: ClaimState) -> str:
        """Write why a claim stands where it does."""
        return self.t(REASONS[claim.reason]) if claim.reason else ""

    @staticmethod
    def expires(claim: ClaimState) -> str | None:
        """Give the end of the last day on which a verdict holds; None where nothing ends it but a change."""
        if claim.judgement is None or claim.promise is None:
            return None
        until = claim.judgement.verdict.details.get("valid_until")
        days = claim.promise.commitment.repeat_days
        ends = [date.fromisoformat(until)] if until else []
        if days is not None:
            ends.append(date.fromisoformat(claim.judgement.at[:10]) + timedelta(days=days))
        return f"{min(ends)}T23:59:59Z" if ends else None


def figures(commitment: Commitment, verdict: Verdict) -> str:
    """Write a measured value with its interval and the number of trials: ``3.1% [1.2%, 6.0%] n=120``."""
    count = f"n={verdict.counts.total}" if verdict.counts.total else ""
    return " ".join(part for part in (measured(commitment, verdict), count) if part)


def promise_words(commitment: Commitment) -> str:
    """Write a threshold with its comparator; ``✓`` for what only has to exist."""
    return promised(commitment) or "✓"


def chosen(workspace: Workspace, state: State, systems: Iterable[Id]) -> tuple[System, ...]:
    """Give the systems of these names with the changes of applied actions made; all of them where none is named."""
    names = list(systems)
    return tuple(state.effective(one) for one in workspace.systems.values() if not names or one.id in names)
