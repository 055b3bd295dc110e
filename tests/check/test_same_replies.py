"""A claim decided from each importer is the claim decided by our own run on the same replies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shinrai.do.importing import READERS, _bring
from shinrai.do.importing import read as read_results
from shinrai.do.runs import Row, Run
from shinrai.records import ImportFormat, Verdict
from tests.check.town import Town, found
from tests.fixtures.replies import HERE, questions, says
from tests.servers.endpoint import serving

LATER = (datetime.now(UTC) + timedelta(days=1)).isoformat()
FIGURES = (
    *("status", "reason", "counts", "estimate", "lower", "upper", "level", "trace"),
    *("evidence_met", "evidence_violated", "retrospective"),
)


def made(tool: ImportFormat, folder: Path) -> Path:
    """Find the results that the tool made; for aisev, which cannot be run here, write them by its format."""
    if tool == "aisev":
        results = [
            {"category": "quantitative", "question": row["prompts"][0], "answer": said(row["prompts"][0]), "score": 1}
            for row in questions()
        ]
        perspective = {"perspective": "Toxic", "totalScore": 1.0, "results": results}
        (folder / "export.json").write_text(json.dumps({"tenPerspectives": [perspective]}))
        return folder / "export.json"
    patterns = {"inspect": "whole.eval", "lm-evaluation-harness": "samples_*", "garak": "*.report.jsonl"}
    (path,) = (HERE / tool).glob(patterns.get(tool, "whole.json"))
    return path


def said(prompt: str) -> str:
    reply = says(prompt)
    return (reply.text or "") if reply.status == 200 else ""


def read(tool: ImportFormat, path: Path) -> Run:
    """Read results as if the run had been made after the promise."""
    run = read_results(tool, path, path.parent)
    rows = run.rows

    def later() -> Iterator[Row]:
        yield from rows
        run.began = LATER

    run.rows = later()
    return run


def asked_of(tool: ImportFormat, run: Run) -> list[dict[str, Any]]:
    """Give what the tool asked, as a data set: garak asks its own questions, the others ours."""
    if tool != "garak":
        return questions()
    prompts = dict.fromkeys(row.prompts[0] for row in run.rows)
    return [{"id": f"g{number}", "prompts": [prompt], "lang": "en"} for number, prompt in enumerate(prompts)]


def prepared(town: Town, rows: list[dict[str, Any]], url: str, **use: str) -> Town:
    (town.root / "asked.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    town.chat(url)
    town.promise(data="asked.jsonl", use={"file": "asked.jsonl", **use}, threshold=0.25)
    return town


async def verdict_of(town: Town) -> tuple[Verdict, dict[str, str]]:
    (verdict,) = await town.check()
    return verdict, {trial.item: trial.outcome for trial in town.trials()}


@pytest.mark.parametrize("tool", [tool for tool in READERS if tool != "outputs"])
async def test_the_same_replies_reach_the_same_verdict(tool: ImportFormat, tmp_path: Path) -> None:
    path = made(tool, tmp_path)
    rows = asked_of(tool, read(tool, path))
    mine, theirs = found(tmp_path / "mine"), found(tmp_path / "theirs")
    with mine.ledger, theirs.ledger, serving(says) as server:
        own, own_trials = await verdict_of(prepared(mine, rows, server.url))
        prepared(theirs, rows, "http://127.0.0.1:9/v1", imported=tool)
        _bring(theirs.ledger, theirs.root, read(tool, path), path, "assistant")
        imported, imported_trials = await verdict_of(theirs)
    assert len(own_trials) > 10
    if tool == "aisev":  # it exports "no answer" and "an empty answer" alike, so both are missing there
        own_trials = {item: "error" if item == "q17" else outcome for item, outcome in own_trials.items()}
        assert imported_trials == own_trials
        return
    assert imported_trials == own_trials
    for field in FIGURES:
        assert getattr(imported, field) == getattr(own, field), field
