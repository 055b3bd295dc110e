"""Judges for tests: endpoints that read what they are asked as a judge would, well, badly or obediently."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from shinrai.check.labels import Sheet, sheet_of
from shinrai.records import (
    Commitment,
    CommittedJudge,
    CommittedScorer,
    EvidenceBrought,
    Judge,
    LabelPlan,
    Labels,
    digest_bytes,
)
from tests.check.town import Town
from tests.servers.endpoint import Reply

RUBRIC = "A reply passes if it says yes. It fails if it says anything else."
UNCORRECTED = Judge(id="judge", system="judge", rubric=RUBRIC, accept={"en": "for the test"})
CORRECTED = Judge(id="judge", system="judge", rubric=RUBRIC, labels=LabelPlan(every=5))

Opinion = Callable[[dict[str, Any]], str]
"""From the material to a verdict."""


def honest(material: dict[str, Any]) -> str:
    return "pass" if str(material["reply"]).endswith("yes") else "fail"


def material_of(prompt: str) -> dict[str, Any]:
    """Read the one line of JSON in a judge's prompt."""
    lines = [line for line in prompt.splitlines() if line.startswith("{") and '"reply"' in line]
    assert len(lines) == 1, "the material is one line, whatever stands in it"
    found: dict[str, Any] = json.loads(lines[0])
    return found


def number_of(prompt: str) -> str:
    """Read the number that a judge has to repeat, from the last line."""
    found = re.search(r'"number": "([0-9a-f]{24})"', prompt.splitlines()[-1])
    assert found is not None
    return found[1]


def judging(opinion: Opinion = honest) -> Callable[[str, int], Reply]:
    """Behave as a judge that keeps to the form."""

    def behave(prompt: str, _attempt: int) -> Reply:
        verdict = opinion(material_of(prompt))
        return Reply(json.dumps({"number": number_of(prompt), "reason": "so it is", "verdict": verdict}))

    return behave


def promise(town: Town, use: Judge, **changed: Any) -> Commitment:
    """Commit a claim whose judge is the system ``judge`` of the town."""
    version = town.state.version(use.system)
    assert version is not None
    pinned = CommittedJudge(system=use.system, fingerprint=version.fingerprint)
    return town.promise(scorer=CommittedScorer(use=use, version="1", judge=pinned), **changed)


def sheet(town: Town, key: str = "p/g/m/c@assistant") -> Sheet:
    found = sheet_of(town.root, town.state, town.state.promises[key])
    assert found is not None
    return found


def label(town: Town, found: Sheet, said: dict[str, str], by: str = "office") -> None:
    """Bring labels in, as ``shinrai check label`` does."""
    content = "id,label\n" + "".join(f"{mark},{one}\n" for mark, one in said.items())
    file = f".shinrai/evidence/{digest_bytes(content.encode())[7:]}-labels.csv"
    path = town.root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    evidence = Labels(
        commitment=found.digest,
        claim=found.commitment.claim,
        system=found.commitment.system,
        by=by,
        name="labels.csv",
        file=file,
        file_digest=digest_bytes(content.encode()),
        rows=len(said),
    )
    town.ledger.append(EvidenceBrought(evidence=evidence))
