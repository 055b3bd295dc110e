"""What is open, whose move it is, and what to run next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, TypeAlias

from shinrai.act.findings import owners
from shinrai.i18n import _
from shinrai.ledger.projection import ClaimState, Finding, State
from shinrai.records import STATUSES, Action, Id, Json, Role, Status
from shinrai.workspace import Workspace

ENDING_SOON = timedelta(days=30)
"""An acceptance that ends within this time asks for attention."""

What: TypeAlias = Literal[
    "plan",
    "check",
    "label",
    "apply",
    "decide",
    "bring",
    "repair",
    "extend",
    "renew",
    "wait",
    "restore",
]
"""
plan     the ledger does not know yet what the files say: run plan
check    measure it
label    people have to label a few replies that a judge has judged
apply    an action is written and not applied
decide   write an action: a change, or an acceptance
bring    bring in a document, a value or a log
repair   the system could not be reached or did not answer usefully: mend that, then measure
extend   the data or the budget ended before a verdict: add to them, or decide
renew    an acceptance ends soon
wait     the risk is accepted for now
restore  a finding is open on a claim that the plan no longer makes
"""


@dataclass(frozen=True, slots=True)
class Move:
    """Something that is open, and what comes next.

    Parameters
    ----------
    key : str
        ``claim@system``; the first of them when it is about several.
    status : Status
        Where the claim stands.
    what : What
    role : Role
        Whose move it is.
    message : str
        In the language in use.
    command : str or None
        To run next; None when something has to be written or brought first, or there is nothing to do.
    finding, action : Id or None
    by : date or None
        When it should be done: the due date of the action or the claim, or the end of the acceptance.
    """

    key: str
    status: Status
    what: What
    role: Role
    message: str
    command: str | None = None
    finding: Id | None = None
    action: Id | None = None
    by: date | None = None

    def to_json(self) -> dict[str, Json]:
        """Give the move as JSON values."""
        return {
            "key": self.key,
            "status": self.status,
            "what": self.what,
            "role": self.role,
            "message": self.message,
            "command": self.command,
            "finding": self.finding,
            "action": self.action,
            "by": self.by.isoformat() if self.by else None,
        }


def agenda(state: State, workspace: Workspace, today: date) -> list[Move]:
    """List what is open.

    Parameters
    ----------
    state : State
        Of the ledger.
    workspace : Workspace
        As loaded.
    today : date
        The day on which this is asked.

    Returns
    -------
    list of Move
        At most one for each claim and system. The most urgent comes first: violated, not measured, undecided, stale,
        accepted; within these what is due first. Claims that are met or do not apply ask for nothing.
    """
    desk = _Desk(state, workspace, today)
    moves = [move for claim in state.claims(today) if (move := desk.move(claim))]
    moves += desk.restorations()
    moves += desk.unplanned()
    return sorted(moves, key=_urgency)


def _urgency(move: Move) -> tuple[int, date, str]:
    return STATUSES.index(move.status), move.by or date.max, move.key


class _Desk:
    """Decides on the next move of each claim."""

    def __init__(self, state: State, workspace: Workspace, today: date) -> None:
        self.state = state
        self.workspace = workspace
        self.today = today
        self.owners = owners(workspace)
        self.findings = {finding.key: finding for finding in state.open_findings()}

    def move(self, claim: ClaimState) -> Move | None:
        """Find the next move on a claim; None when there is nothing to do."""
        match claim.status:
            case "met" | "not_applicable":
                return None
            case "accepted":
                return self._accepted(claim)
            case "violated" | "undecided":
                return self._open(claim)
            case "stale" | "not_measured":
                return self._measure(claim)

    def restorations(self) -> list[Move]:
        """Name the open findings whose claim has left the plan: dropping a promise does not close them."""
        return [
            Move(
                key=finding.key,
                status="violated",
                what="restore",
                role=finding.owner,
                message=_(
                    "The plan no longer makes this claim, but its finding is still open. "
                    "Put the claim back and measure it; dropping a promise repairs nothing."
                ),
                finding=finding.id,
            )
            for finding in self.state.abandoned_findings()
        ]

    def unplanned(self) -> list[Move]:
        """Ask for a plan when the workspace makes claims that the ledger has never heard of."""
        keys = (f"{path}@{system}" for path in self.owners for system in self.workspace.systems)
        missing = [key for key in keys if key not in self.state.rulings]
        if not missing:
            return []
        paths = dict.fromkeys(key.partition("@")[0] for key in missing)
        message = _("{count} claims of the plans were never committed.").format(count=len(paths))
        role = self.owners[next(iter(paths))]
        return [Move(missing[0], "not_measured", "plan", role, message, command="shinrai plan")]

    def _accepted(self, claim: ClaimState) -> Move:
        action = claim.action
        if action is None or action.accept is None:
            raise ValueError(f"{claim.key} is accepted by no action")
        accept = action.accept
        finding = self._finding(claim)
        if claim.stale_because:
            message = _("The risk is accepted until {day}, but what it was accepted for has changed. Measure it again.")
            return self._make(claim, "check", message.format(day=accept.until), command=self._check(claim))
        soon = accept.until - self.today <= ENDING_SOON
        message = (
            _("The acceptance ends on {day}. Repair it before, or have the acceptance renewed.")
            if soon
            else _("The risk is accepted until {day}.")
        )
        return Move(
            key=claim.key,
            status=claim.status,
            what="renew" if soon else "wait",
            role=self._owner(claim) if soon else accept.role,
            message=message.format(day=accept.until),
            finding=finding.id if finding else None,
            action=action.id,
            by=accept.until,
        )

    def _open(self, claim: ClaimState) -> Move:
        changed = self._changed_since(claim)
        if changed is not None:
            message = _("The action {action} was applied. Record the new version of the system and promise anew.")
            return self._make(claim, "plan", message.format(action=changed.id), "shinrai plan", action=changed)
        ready = self._ready(claim)
        if ready is not None:
            return self._to_apply(claim, ready)
        if claim.status == "undecided":
            return self._undecided(claim)
        ended = self._ended_acceptance(claim)
        if ended is not None and ended.accept is not None:
            message = _("The acceptance {action} ended on {day}. Write an action that repairs it, or accept it anew.")
            return self._make(claim, "decide", message.format(action=ended.id, day=ended.accept.until), action=ended)
        return self._make(claim, "decide", _("The promise is broken. Write an action in actions/ that repairs it."))

    def _undecided(self, claim: ClaimState) -> Move:
        if claim.reason == "labels-needed":
            return self._label(claim)
        if claim.reason in {"money-spent", "tokens-spent", "interrupted", "target-failed"}:
            return self._make(claim, "check", _("Measuring ended early. Go on with it."), self._check(claim))
        message = _("The trials ended before a verdict. Add data, raise the budget, or have the risk accepted.")
        return self._make(claim, "extend", message)

    def _measure(self, claim: ClaimState) -> Move:
        if claim.promise is None:
            message = _("Nothing was imported for the system as it is now. Import it, then run shinrai plan.")
            return self._make(claim, "bring", message, f"shinrai do import FILE --system {claim.ruling.system}")
        if claim.status == "not_measured" and claim.reason in {
            "target-unreachable",
            "target-failed",
            "helper-failed",
            "plugin-failed",
            "nothing-usable",
        }:
            message = _("The system could not be measured. Mend the way to it, then measure again.")
            return self._make(claim, "repair", message, self._check(claim))
        if claim.status == "not_measured" and claim.reason == "labels-needed":
            return self._label(claim)
        lacking = claim.reason in {"no-evidence", "no-data", "expired"} or claim.stale_because == "expired"
        promise = claim.promise.commitment
        if lacking and promise.subject is not None and claim.stale_because != "commitment":
            verb = "attest" if promise.metric == "attested" else "observe"
            message = _("There is no valid evidence for it. Bring it in, then measure again.")
            command = f"shinrai do {verb} --subject {promise.subject} --system {promise.system}"
            return self._make(claim, "bring", message, command)
        if claim.status == "stale":
            message = _("The system, the data or the promise has changed since the verdict. Measure it again.")
        else:
            message = _("It was never measured.") if claim.reason == "never-run" else _("It could not be measured.")
        return self._make(claim, "check", message, self._check(claim))

    def _label(self, claim: ClaimState) -> Move:
        message = _("The judge has judged. People have to label a few replies before there is a verdict.")
        return self._make(claim, "label", message, f"shinrai check label --by ROLE --claim {claim.key}")

    def _to_apply(self, claim: ClaimState, action: Action) -> Move:
        message = (
            _("The action {action} would change the system. Apply it.")
            if action.change
            else _("The action {action} would accept the risk. Apply it.")
        )
        role = action.accept.role if action.accept else action.owner
        command = f"shinrai act apply {action.id}"
        return self._make(claim, "apply", message.format(action=action.id), command, action=action, role=role)

    def _make(
        self,
        claim: ClaimState,
        what: What,
        message: str,
        command: str | None = None,
        *,
        action: Action | None = None,
        role: Role | None = None,
    ) -> Move:
        finding = self._finding(claim)
        due = claim.promise.commitment.due if claim.promise else None
        return Move(
            key=claim.key,
            status=claim.status,
            what=what,
            role=role or self._owner(claim),
            message=message,
            command=command,
            finding=finding.id if finding else None,
            action=action.id if action else None,
            by=(action.due if action else None) or due,
        )

    def _finding(self, claim: ClaimState) -> Finding | None:
        return self.findings.get(claim.key)

    def _owner(self, claim: ClaimState) -> Role:
        finding = self._finding(claim)
        if finding is not None:
            return finding.owner
        version = self.state.version(claim.ruling.system)
        return self.owners.get(claim.ruling.claim) or (version.system.owner if version else "")

    def _check(self, claim: ClaimState) -> str:
        return f"shinrai check --system {claim.ruling.system}"

    def _changed_since(self, claim: ClaimState) -> Action | None:
        """Find a change applied to the claim's system after the promise in force was made."""
        made = claim.promise.seq if claim.promise else 0
        for entry, action in self.state.applied.values():
            if action.change and action.change.system == claim.ruling.system and entry.seq > made:
                return action
        return None

    def _ready(self, claim: ClaimState) -> Action | None:
        """Find an action on the claim that is written and not applied as it stands, the one due first."""
        applied = {action.id: action for _entry, action in self.state.applied.values()}
        ready = [
            action
            for action in self.workspace.actions.values()
            if claim.key in action.addresses
            and (applied.get(action.id) != action or (action.accept and claim.status != "accepted"))
            and not (action.accept and action.accept.until < self.today)
        ]
        return min(ready, key=lambda action: (action.due or date.max, action.id), default=None)

    def _ended_acceptance(self, claim: ClaimState) -> Action | None:
        ended = [
            action
            for _entry, action in self.state.applied.values()
            if action.accept and claim.key in action.addresses and action.accept.until < self.today
        ]
        return max(ended, key=lambda action: action.accept.until if action.accept else date.min, default=None)
