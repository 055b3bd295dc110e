"""Where 300 requirements stand for 10,000 systems: all at once, and after one new verdict."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

from shinrai import catalog
from shinrai.ledger.projection import Entry, Judgement, Promise, State
from shinrai.records import (
    Commitment,
    Framework,
    LedgerOpened,
    Ruling,
    Settings,
    System,
    Verdict,
)
from shinrai.rules.applying import standing
from shinrai.workspace import Workspace
from shinrai.workspace.rulebooks import RuleBooks

SYSTEMS, REQUIREMENTS = 10_000, 300
TODAY = date(2026, 11, 23)
AT = "2026-11-20T00:00:00.000Z"
DIGEST = "sha256:" + "0" * 64

_SYSTEM = {
    "id": "s",
    "title": {"en": "S"},
    "kind": "chat",
    "purpose": {"en": "P"},
    "owner": "o",
    "operator": ["provider", "business-user"],
    "human_review": True,
    "stack": [{"type": "endpoint", "id": "m", "url": "http://127.0.0.1:9/v1", "model": "m"}],
}


def _own(missing: int) -> Framework:
    facts = {
        "id": "own",
        "family": "own",
        "version": "1",
        "title": {"en": "own"},
        "issuer": {"en": "us"},
        "published": "2026-01-01",
        "licence": {"name": {"en": "ours"}},
        "sources": [{"title": {"en": "here"}, "certainty": "official"}],
        "certainty": "official",
        "requirements": [{"id": str(number), "title": {"en": "r"}} for number in range(missing)],
    }
    return Framework.model_validate(facts)


def made(systems: int, requirements: int) -> tuple[Workspace, State]:
    """Make a workspace whose systems promise every check of the catalog, and a ledger in which all are judged."""
    shipped = sum(entry.assessable for book in catalog.frameworks().values() for entry in book.requirements)
    books = RuleBooks(own_frameworks={"own": _own(requirements - shipped)} if requirements > shipped else {})
    first = System.model_validate(_SYSTEM)
    registered = {f"s{number}": first.model_copy(update={"id": f"s{number}"}) for number in range(systems)}
    workspace = Workspace(
        root=Path(),
        settings=Settings.model_validate({"id": "w", "name": {"en": "W"}, "order_seed": 7}),
        plans={},
        systems=registered,
        checks=catalog.checks(),
        own_checks={},
        actions={},
        higher_plans={},
        corrections={},
        components={},
        own_components={},
        boms={},
        rules=books,
    )
    state = State()
    opened = LedgerOpened(workspace="w", public_key="0" * 64)
    state.head = Entry(1, AT, DIGEST, DIGEST, opened)
    for position, check in enumerate(catalog.checks().values()):
        path = f"p/g/m/{check.id}"
        facts: dict[str, object] = {
            "claim": path,
            "system": "s",
            "fingerprint": DIGEST,
            "check": check.id,
            "check_version": "1",
        }
        facts |= {"title": {"en": "t"}, "statement": {"en": "t"}, "metric": "pass-rate", "comparator": "at-least"}
        commitment = Commitment.model_validate(
            {**facts, "threshold": 0.5, "alpha": 0.05, "budget": 9, "order_seed": 7, "answers": check.answers}
        )
        status = ("met", "violated", "undecided")[position % 3]
        verdict = Verdict.model_validate(
            {"commitment": DIGEST, "claim": path, "system": "s", "status": status, "reason": "decided"}
        )
        ruling = Ruling.model_validate(
            {"claim": path, "system": "s", "applies": True, "rule": "named", "reason": {"en": "r"}}
        )
        for system in registered:
            key = f"{path}@{system}"
            named = {"system": system}
            promised = commitment.model_copy(update=named)
            state.rulings[key] = ruling.model_copy(update=named)
            state.promises[key] = Promise(promised, DIGEST, 2, AT, None, DIGEST)
            judged = verdict.model_copy(update=named)
            state.judgements[key] = [Judgement(judged, DIGEST, 3, AT, DIGEST)]
    return workspace, state


def measure(systems: int = SYSTEMS, requirements: int = REQUIREMENTS) -> tuple[float, float, float, int]:
    """Measure CPU seconds for everything and after one verdict (median), peak memory in MB, and the cells counted.

    All of it is one thread, so that CPU seconds are what a machine with nothing else to do takes.
    """
    workspace, state = made(systems, requirements)
    catalog.crosswalks()
    began = time.process_time()
    found = standing(workspace, state, TODAY)
    cells = sum(sum(found.counts(name).values()) for name in found.frameworks)
    whole = time.process_time() - began
    one = []
    for number in range(20):
        key = f"p/g/m/hazardous-advice@s{number}"
        (judgement,) = state.judgements[key]
        broken = judgement.verdict.model_copy(update={"status": "violated"})
        state.judgements[key].append(replace(judgement, verdict=broken))
        began = time.process_time()
        found.update(state.claim(key, TODAY))
        one.append(time.process_time() - began)
    return whole, statistics.median(one), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, cells


def rows() -> list[tuple[str, str, str]]:
    """Measure in a process of its own, whose memory is nobody else's."""
    program = "from bench.requirements import measure; print(*measure())"
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    whole, one, memory, cells = float(told[0]), float(told[1]), float(told[2]), int(told[3])
    return [
        (
            f"{SYSTEMS:,} systems × {REQUIREMENTS} requirements, from the state of the ledger",
            f"{whole:.2f} s of CPU",
            "5 s",
        ),
        ("peak memory of that, claims and verdicts included", f"{memory:,.0f} MB", "2,000 MB"),
        ("after one new verdict", f"{1000 * one:.1f} ms of CPU", "50 ms"),
        ("cells counted", f"{cells:,}", f"{SYSTEMS * REQUIREMENTS:,}"),
    ]


if __name__ == "__main__":
    for row in rows():
        print(" | ".join(row))
