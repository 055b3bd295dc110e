"""What stood behind a verdict: the trials of a run and the replies they were scored from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from shinrai.check.archive import read_calls, read_trials, run_files
from shinrai.check.journal import Line
from shinrai.ledger.projection import State
from shinrai.records import Outcome, Verdict

_SHOWN = 4_000


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question and its reply, ready to be shown: text only, every invisible character made visible.

    Parameters
    ----------
    asked, reply : str
        Cut after 4,000 characters, with a note of how many were left out.
    guard : str or None
        The guard that answered instead of the model.
    """

    asked: str
    reply: str
    guard: str | None
    error: str | None


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
    FileNotFoundError
        If a run file is gone; ``shinrai verify`` says which.
    """
    if verdict.run is None:
        return []
    finished = state.runs[verdict.run].finished
    if finished is None:
        return []
    wanted = list(read_trials(run_files(root, finished, "trials"), commitment=verdict.commitment, outcomes=outcomes))
    keys = {key for trial in wanted for key in trial.calls}
    calls = {call.key: call for call in read_calls(run_files(root, finished, "calls"), keys)}
    return [
        Exhibit(
            trial.position,
            trial.item,
            trial.outcome,
            visible(trial.detail),
            trial.group,
            tuple(_exchange(calls[key]) for key in trial.calls if key in calls),
        )
        for trial in wanted
    ]


def _exchange(call: Line) -> Exchange:
    return Exchange(_shown(call.request), _shown(call.reply), call.guard, call.error)


def _shown(value: Any) -> str:  # noqa: ANN401 - a reply is any JSON value
    if value is None:
        return ""
    text = value if isinstance(value, str) else msgspec.json.format(msgspec.json.encode(value), indent=1).decode()
    cut = text if len(text) <= _SHOWN else f"{text[:_SHOWN]} … (+{len(text) - _SHOWN})"
    return visible(cut)


def visible(text: str) -> str:
    """Make control, format and surrogate characters visible, so that a reply can neither hide nor reorder anything.

    Line breaks and tabs stay; other C0 controls become their Unicode pictures, the rest ``⟨U+XXXX⟩``.
    """
    return "".join(map(_visible, text))


def _visible(character: str) -> str:
    code = ord(character)
    if character in "\n\t" or (code >= 0x20 and character.isprintable()) or character == "\u3000":
        return character
    if code < 0x20:
        return chr(0x2400 + code)
    return f"⟨U+{code:04X}⟩"
