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
from tests.servers.endpoint import Reply, serving

LATER = (datetime.now(UTC) + timedelta(days=1)).isoformat()
FIGURES = (
    *("status", "reason", "counts", "estimate", "lower", "upper", "level", "trace"),
    *("evidence_met", "evidence_violated", "retrospective"),
)


CAPTURED = ("replies.jsonl", "replies.csv", "replies.parquet")
"""What somebody has captured who has no tool."""

NOTHING_IS_EMPTY = ("aisev", "replies.csv")
"""Formats that write "no answer" and "an empty answer" alike: there, both are missing."""


def made(tool: str, folder: Path) -> Path:
    """Find the results that the tool made; for aisev, which cannot be run here, write them by its format."""
    if tool in CAPTURED:
        return captured(folder / tool)
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


def captured(path: Path) -> Path:
    """Write what the endpoint says down, as JSON Lines, CSV or Parquet."""
    import duckdb  # noqa: PLC0415 - to write a Parquet file

    lines = path.with_suffix(".jsonl")
    with lines.open("w") as file:
        for row in questions():
            reply = says(row["prompts"][0])
            found = {"reply": reply.text} if reply.status == 200 else {"reply": None, "error": "http-400"}
            file.write(json.dumps({"error": None, **found, "id": row["id"], "prompt": row["prompts"][0]}) + "\n")
    with duckdb.connect() as connection:
        table = connection.read_json(str(lines))
        if path.suffix == ".csv":
            table.write_csv(str(path))
        elif path.suffix == ".parquet":
            table.write_parquet(str(path))
    return path


def said(prompt: str) -> str:
    reply = says(prompt)
    return (reply.text or "") if reply.status == 200 else ""


def read(form: ImportFormat, path: Path) -> Run:
    """Read results as if the run had been made after the promise."""
    run = read_results(form, path, path.parent)
    rows = run.rows

    def later() -> Iterator[Row]:
        yield from rows
        run.began = LATER

    run.rows = later()
    return run


def asked_of(tool: str, run: Run) -> list[dict[str, Any]]:
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


def says_or_nothing(prompt: str, attempt: int = 1) -> Reply:
    """Say what `says` says, but nothing at all where that is empty."""
    reply = says(prompt, attempt)
    return reply if reply.text else says("question 11")


@pytest.mark.parametrize("tool", [*(tool for tool in READERS if tool != "outputs"), *CAPTURED])
async def test_the_same_replies_reach_the_same_verdict(tool: str, tmp_path: Path) -> None:
    path = made(tool, tmp_path)
    form = "outputs" if tool in CAPTURED else tool
    rows = asked_of(tool, read(form, path))
    mine, theirs = found(tmp_path / "mine"), found(tmp_path / "theirs")
    behave = says_or_nothing if tool in NOTHING_IS_EMPTY else says
    with mine.ledger, theirs.ledger, serving(behave) as server:
        own, own_trials = await verdict_of(prepared(mine, rows, server.url))
        prepared(theirs, rows, "http://127.0.0.1:9/v1", imported=form)
        _bring(theirs.ledger, theirs.root, read(form, path), path, "assistant")
        imported, imported_trials = await verdict_of(theirs)
    assert len(own_trials) > 10
    assert imported_trials == own_trials
    for field in FIGURES:
        assert getattr(imported, field) == getattr(own, field), field
