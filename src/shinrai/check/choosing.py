"""Which promises are to be measured, and which run each of them goes on with."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from shinrai.errors import UsageError, nearest
from shinrai.i18n import _
from shinrai.ledger import Promise, Run, State
from shinrai.plugins import choose
from shinrai.records import SCORER_VERSIONS, CommittedData, CommittedScorer, Id, PluginScorer, SystemVersion

__all__ = ["Group", "chosen", "groups_of", "plan_first", "runs_of", "settled", "version_of"]


@dataclass(frozen=True, slots=True)
class Group:
    """Promises that are measured in one run.

    Parameters
    ----------
    before : Run, optional
        The run that they were last measured in: gone on with when it is open.
    ended : Run, optional
        The last one of theirs that has ended: its calls are taken over.
    """

    before: Run | None
    ended: Run | None = None
    promises: list[Promise] = field(default_factory=list)


def chosen(state: State, systems: Collection[str] | None, claims: Collection[str] | None) -> list[Promise]:
    """Give the promises in force that were asked for, in the order in which they were made."""
    promises = list(state.promises.values())
    if systems:
        _require_known(systems, state.versions, _("there is no system {name} in the ledger"))
        promises = [promise for promise in promises if promise.commitment.system in systems]
    if claims:
        known = {name for one in state.promises.values() for name in (one.commitment.claim, one.commitment.key)}
        _require_known(claims, known, _("there is no promise {name} in force"))
        promises = [one for one in promises if one.commitment.claim in claims or one.commitment.key in claims]
    return promises


def _require_known(names: Collection[str], known: Collection[str], message: str) -> None:
    for name in names:
        if name not in known:
            close = nearest(name, known)
            raise UsageError(
                "check.unknown-name",
                message.format(name=repr(name)),
                hint=_("did you mean {name}?").format(name=repr(close)) if close else None,
            )


def settled(state: State, promise: Promise) -> bool:
    """Whether a promise has a verdict that stays. One that was cut short by the budget of a command can go on."""
    for judgement in reversed(state.judgements.get(promise.commitment.key, [])):
        verdict = judgement.verdict
        if verdict.commitment == promise.digest:
            if verdict.reason == "labels-needed":  # every call was made: what is missing, people have to say
                return True
            return verdict.status != "not_measured" and not verdict.details.get("cut_short")
    return False


def groups_of(state: State, promises: Iterable[Promise]) -> list[Group]:
    """Put together what is measured together: open runs first, then closed ones to be continued, then new promises."""
    groups: dict[str, Group] = {}
    for promise in promises:
        found = runs_of(state, promise)
        before = found[-1] if found else None
        ended = next((one for one in reversed(found) if one.finished is not None), None)
        name = before.started.run if before else ""
        groups.setdefault(name, Group(before, ended)).promises.append(promise)
    return sorted(
        groups.values(), key=lambda group: 2 if group.before is None else int(group.before.finished is not None)
    )


def runs_of(state: State, promise: Promise) -> list[Run]:
    """Give the runs that a promise was measured in, on the version that it is about, oldest first."""
    return [
        one
        for one in state.runs.values()
        if promise.digest in one.started.commitments and one.started.fingerprint == promise.commitment.fingerprint
    ]


def version_of(state: State, system: Id) -> SystemVersion:
    """Give the newest version of a system.

    Raises
    ------
    UsageError
        If the ledger holds none.
    """  # noqa: DOC501 - plan_first makes one
    version = state.version(system)
    if version is None:
        raise plan_first(_("the ledger holds no version of the system {name}").format(name=system))
    return version


def require_rule_unchanged(root: Path, use: CommittedScorer) -> None:
    """Refuse to score with another rule than was promised.

    Raises
    ------
    UsageError
        If the rule, or the plug-in that it is, has changed since the plan or is gone.
    """  # noqa: DOC501 - plan_first makes one
    if SCORER_VERSIONS[use.use.id] != use.version:
        raise plan_first(_("the scorer {name} has changed since the plan").format(name=use.use.id))
    if isinstance(use.use, PluginScorer) and choose("scorer", use.use.name, root).plugin != use.plugin:
        raise plan_first(_("the scorer {name} has changed since the plan").format(name=use.use.name))


def require_source_unchanged(root: Path, data: CommittedData) -> None:
    """Refuse trials of another source than was promised.

    Raises
    ------
    UsageError
        If the plug-in that makes them has changed since the plan, or is gone.
    """  # noqa: DOC501 - plan_first makes one
    use = data.use.source
    if use is not None and choose("source", use.name, root).plugin != data.source:
        raise plan_first(_("the trial source {name} has changed since the plan").format(name=use.name))


def plan_first(message: str) -> UsageError:
    """Make the error for what is no longer as it was promised."""
    return UsageError("check.plan-first", message, hint=_("run `shinrai plan` first: it makes a new promise"))
