"""A workspace with a ledger and promises, made directly: what `plan` would have written, without `plan`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from shinrai.check.archive import read_calls, read_trials, run_files
from shinrai.check.events import Event
from shinrai.check.files import CALLS
from shinrai.check.journal import Line, read_journal
from shinrai.check.patience import Clock, Patience
from shinrai.check.runs import run
from shinrai.ledger import Ledger, State
from shinrai.records import (
    SCORER_VERSIONS,
    Budget,
    Commitment,
    Committed,
    CommittedData,
    CommittedScorer,
    Includes,
    Payload,
    Ruled,
    Ruling,
    RunFinished,
    ScorerUse,
    System,
    SystemRecorded,
    SystemVersion,
    Text,
    Trial,
    Verdict,
    digest_file,
)
from shinrai.workspace import fingerprint
from tests.ledgers import empty_ledger

HERE = ("127.0.0.1",)
"""Where the test servers are."""

SAYS_YES = Includes(id="includes", text="yes")


async def _no_sleep(_seconds: float) -> None:
    await asyncio.sleep(0)


QUICK = Patience(clock=Clock(sleep=_no_sleep))
"""Tries as often as always, without waiting in between."""


@dataclass
class Town:
    """The workspace and what was asked of it."""

    root: Path
    ledger: Ledger
    events: list[Event] = field(default_factory=list)

    def chat(
        self, url: str, *, system_id: str = "assistant", timeout: float = 5.0, stack: Sequence[Any] = (), **model: Any
    ) -> System:
        """Record a chat system behind an address."""
        endpoint = {"id": "model", "type": "endpoint", "url": url, "model": "m", "timeout": timeout, **model}
        return self.record(system_id, "chat", [*stack, endpoint])

    def record(self, system_id: str, kind: str, stack: Sequence[Any], secrets: tuple[str, ...] = ()) -> System:
        system = System.model_validate(
            {
                "id": system_id,
                "title": {"en": "System"},
                "kind": kind,
                "purpose": {"en": "Purpose"},
                "owner": "office",
                "human_review": True,
                "secrets": secrets,
                "stack": stack,
            }
        )
        mark, files = fingerprint(system, self.root)
        number = len(self.state.versions.get(system_id, [])) + 1
        self.ledger.append(
            SystemRecorded(version=SystemVersion(system=system, number=number, fingerprint=mark, files=files))
        )
        return system

    def prompts(self, count: int, *, name: str = "prompts.jsonl", each: int = 1) -> str:
        """Write a data set of so many items; item 7 asks ``question 7`` (``question 7.2`` where each has several)."""
        with (self.root / name).open("wb") as file:
            for number in range(count):
                texts = [f"question {number}" + (f".{part}" if part else "") for part in range(each)]
                file.write(msgspec.json.encode({"id": f"q{number}", "prompts": texts, "lang": "en"}) + b"\n")
        return name

    def promise(
        self, claim: str = "p/g/m/c", *, data: str | CommittedData = "prompts.jsonl", **changed: Any
    ) -> Commitment:
        """Commit a claim; a failure rate of at most 0.1 for replies that must say yes, unless changed."""
        system = changed.pop("system", "assistant")
        use = changed.pop("use", {"file": data})
        scorer: ScorerUse | CommittedScorer = changed.pop("scorer", SAYS_YES)
        if not isinstance(scorer, CommittedScorer):
            scorer = CommittedScorer(use=scorer, version=SCORER_VERSIONS[scorer.id])
        pinned = data if isinstance(data, CommittedData) else self._pinned(data, use)
        rows = 0 if pinned is None else pinned.items
        version = self.state.version(system)
        commitment = Commitment.model_validate(
            {
                "claim": claim,
                "system": system,
                "fingerprint": version.fingerprint if version else "sha256:" + "0" * 64,
                "check": "says-yes",
                "check_version": "1",
                "title": {"en": "Says yes"},
                "statement": {"en": "Says yes"},
                "metric": "failure-rate",
                "comparator": "at-most",
                "threshold": 0.1,
                "alpha": 0.05,
                "budget": rows,
                "order_seed": 7,
                "data": pinned,
                "scorer": scorer,
                **changed,
            }
        )
        ruling = Ruling(claim=claim, system=system, applies=True, rule="named", reason=Text(en="named"))
        before = self.state.promises.get(commitment.key)
        payloads: list[Payload] = [Ruled(ruling=ruling)]
        self.ledger.append(*payloads, Committed(commitment=commitment, replaces=before.digest if before else None))
        return commitment

    def _pinned(self, data: str, use: dict[str, Any]) -> CommittedData | None:
        path = self.root / data
        if not path.is_file():
            return None
        with path.open("rb") as file:
            rows = sum(1 for _line in file)  # not all at once: measurements of memory use this
        return CommittedData.model_validate({"use": use, "digest": digest_file(path), "items": rows})

    @property
    def state(self) -> State:
        return self.ledger.state()

    async def check(
        self, *, calls: int = 100_000, patience: Patience = QUICK, watch: bool = False, **options: Any
    ) -> list[Verdict]:
        tell = self.events.append if watch else None
        budget = options.pop("budget", Budget(calls=calls))
        options.setdefault("allowed_hosts", HERE)
        return await run(self.root, self.ledger, budget=budget, tell=tell, patience=patience, **options)

    def finished(self, number: int = 1) -> RunFinished:
        finished = self.state.runs[f"run-{number:04d}"].finished
        assert finished is not None
        return finished

    def journal(self, number: int = 1) -> list[Line]:
        run = self.state.runs[f"run-{number:04d}"]
        if run.finished is None:
            return list(read_journal(self.root / run.started.directory / CALLS))
        return list(read_calls(run_files(self.root, run.finished, "calls")))

    def trials(self, number: int = 1) -> list[Trial]:
        return list(read_trials(run_files(self.root, self.finished(number), "trials")))


def found(root: Path) -> Town:
    """Set up a workspace with an empty ledger."""
    root.mkdir(parents=True, exist_ok=True)
    return Town(root, empty_ledger(root))
