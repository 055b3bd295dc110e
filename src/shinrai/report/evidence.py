"""What stood behind a verdict: the trials of a run and the replies they were scored from."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from shinrai.check.archive import read_calls, read_trials, run_files
from shinrai.check.journal import Line
from shinrai.check.repeating import Repeated
from shinrai.ledger.projection import Run, State
from shinrai.records import Digest, Outcome, Trial, Verdict
from shinrai.report.dialogues import Spoken, spoken

_SHOWN = 4_000

# Letters and marks that Python takes for printable and that are nevertheless drawn as nothing.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question and its reply, ready to be shown: text only, every invisible character made visible.

    Parameters
    ----------
    asked, reply : str
        Cut after 4,000 characters, with a note of how many were left out.
    guard : str or None
        The guard that answered instead of the model.
    error : str or None
        Kind of the last failure, where there is no reply.
    turn, speaker, decides, sent, repeats, to
        As in `Spoken`.
    """

    asked: str
    reply: str
    guard: str | None
    error: str | None
    turn: int | None = None
    speaker: str | None = None
    decides: bool = False
    sent: bool = True
    repeats: Repeated | None = None
    to: str | None = None


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One trial with its exchanges."""

    position: int
    item: str
    outcome: Outcome
    detail: str
    group: str | None
    exchanges: tuple[Exchange, ...]


def exhibits(root: Path, state: State, verdict: Verdict, outcomes: frozenset[Outcome]) -> list[Exhibit]:
    """Read the trials of a verdict that ended in given ways.

    Parameters
    ----------
    root : Path
        Of the workspace.
    state : State
        Of its ledger.
    verdict : Verdict
        One of its verdicts.
    outcomes : frozenset of Outcome
        Which trials to give.

    Returns
    -------
    list of Exhibit
        In committed order. Empty where the verdict has no run.

    Raises
    ------
    TamperedError
        If a run file is gone or not what a run wrote.
    """
    if verdict.run is None:
        return []
    run = state.runs[verdict.run]
    commitment = next(one.commitment for one in state.history[verdict.key] if one.digest == verdict.commitment)
    wanted = list(trials_of(root, run, commitment=verdict.commitment, outcomes=outcomes))
    calls = calls_of(root, run, {key for trial in wanted for key in trial.calls})
    return [
        Exhibit(
            trial.position,
            visible(trial.item),
            trial.outcome,
            visible(trial.detail),
            None if trial.group is None else visible(trial.group),
            tuple(_exchange(one) for one in spoken(commitment, trial, [calls[k] for k in trial.calls if k in calls])),
        )
        for trial in wanted
    ]


def trials_of(
    root: Path, run: Run, *, commitment: Digest | None = None, outcomes: Collection[Outcome] | None = None
) -> Iterator[Trial]:
    """Read the trials of a run, claim by claim in committed order.

    Parameters
    ----------
    root : Path
        Of the workspace.
    run : Run
        One that has not ended, or was given up, has no trials.
    commitment : Digest, optional
        Only trials of this promise.
    outcomes : collection of Outcome, optional
        Only trials that ended so.

    Returns
    -------
    iterator of Trial

    Raises
    ------
    TamperedError
        If a run file is gone or not what a run wrote.
    """
    if run.finished is None:
        return iter(())
    return read_trials(run_files(root, run.finished, "trials"), commitment=commitment, outcomes=outcomes)


def calls_of(root: Path, run: Run, keys: Collection[str]) -> dict[str, Line]:
    """Read calls of a run by their keys; none where the run has not ended.

    Raises
    ------
    TamperedError
        If a run file is gone or not what a run wrote.
    """
    if run.finished is None:
        return {}
    return {call.key: call for call in read_calls(run_files(root, run.finished, "calls"), keys)}


def _exchange(one: Spoken) -> Exchange:
    call = one.call
    return Exchange(
        shown(one.asked),
        shown(call.reply, call.cut) if one.sent else "",
        call.guard,
        call.error,
        one.turn,
        one.speaker,
        one.decides,
        one.sent,
        one.repeats,
        one.to,
    )


def shown(value: Any, length: int = 0) -> str:  # noqa: ANN401 - a reply is any JSON value
    """Make a request or a reply ready to be shown; ``length`` is that of a reply that was already cut when it came."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else msgspec.json.format(msgspec.json.encode(value), indent=1).decode()
    left_out = max(length, len(text)) - _SHOWN
    return visible(text) if left_out <= 0 else f"{visible(text[:_SHOWN])} … (+{left_out:,})"


def visible(text: str) -> str:
    """Make every invisible character visible, so that a reply can neither hide nor reorder anything.

    Line breaks and tabs stay; other C0 controls become their Unicode pictures; the rest (bidi and zero-width
    characters, tags, blank letters, unassigned code points, surrogates) ``⟨U+XXXX⟩``. A variation selector stays where
    it can vary something: directly behind a character that is seen. A second one carries nothing but hidden data.

    Parameters
    ----------
    text : str
        Any.

    Returns
    -------
    str
        Characters that are drawn, in the order in which they are drawn; not yet escaped for HTML.
    """
    shown: list[str] = []
    seen = False
    for character in text:
        if _varies(character):
            shown.append(character if seen else _named(character))
            seen = False
            continue
        seen = character.isprintable() and character not in _BLANK and character != " "
        shown.append(character if seen or character in " \n\t\u3000" else _named(character))
    return "".join(shown)


def _varies(character: str) -> bool:
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"


def _named(character: str) -> str:
    code = ord(character)
    return chr(0x2400 + code) if code < 0x20 else f"⟨U+{code:04X}⟩"
