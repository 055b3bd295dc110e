"""Whole files with odd scores, one of each importer: NaN, another scorer's, none at all, and scores out of range.

A file that a tool made (aisev's by its format, captured replies by ours) is changed in two rows: one has NaN where the
score was, one was scored by another scorer. A claim on the tool's own score counts both as missing, and every other row
as the tool scored it.
"""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from shinrai.do.importing import _Book, _bring, read
from shinrai.do.recognising import recognise
from shinrai.do.zip_reading import reading
from shinrai.errors import SourceError
from shinrai.records import Column
from tests.check.town import Town
from tests.fixtures.replies import HERE, questions, says

MORE = HERE / "lm-evaluation-harness"


class Odd(NamedTuple):
    """A format, a file of it with odd rows, what a claim reads of it, its scorers, and how many scores are unread."""

    write: Callable[[Path], Path]
    reads: Column
    scorers: set[str]
    unscored: int = 1


def _column(name: str, rule: str = "at-least", value: Any = 0.5) -> Column:
    return Column.model_validate({"id": "column", "column": name, "rule": rule, "value": value})


def _inspect(folder: Path) -> Path:
    """Give ``q2`` a score of NaN and ``q3`` one of another scorer, in an archive; both said yes."""
    to = folder / "odd.eval"
    with reading(HERE / "inspect/whole.eval") as archive, zipfile.ZipFile(to, "w") as copy:
        for member in archive:
            name, content = member.name, archive.read(member)
            if re.match(r"samples/q[23]_", name):
                sample = json.loads(content)
                score = sample["scores"].pop("includes")
                odd = {"includes": {**score, "value": float("nan")}} if "q2" in name else {"judge": score}
                content = json.dumps({**sample, "scores": odd}).encode()
            copy.writestr(name, content)
    return to


def _lines(folder: Path, source: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    path = folder / source.name
    rows = [json.loads(line) for line in source.read_text(encoding="utf-8").splitlines()]
    for row in rows:
        change(row)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def _harness(folder: Path) -> Path:
    (source,) = MORE.glob("samples_*.jsonl")
    (beside,) = MORE.glob("results_*.json")
    shutil.copy(beside, folder / beside.name)

    def change(row: dict[str, Any]) -> None:
        if row["filter"] == "first-word" and row["doc"]["id"] == "q2":
            row["exact_match"] = float("nan")
        if row["filter"] == "first-word" and row["doc"]["id"] == "q3":
            row["metrics"], row["rouge"] = ["rouge"], row.pop("exact_match")

    return _lines(folder, source, change)


def _promptfoo(folder: Path) -> Path:
    whole = json.loads((HERE / "promptfoo/whole.json").read_text(encoding="utf-8"))
    for row in whole["results"]["results"]:
        if row["vars"]["id"] == "q2":
            row["namedScores"]["says-yes"] = None  # what JavaScript writes for NaN
        if row["vars"]["id"] == "q3":
            row["namedScores"] = {"polite": 1}
    (folder / "odd.json").write_text(json.dumps(whole))
    return folder / "odd.json"


def _deepeval(folder: Path) -> Path:
    whole = json.loads((HERE / "deepeval/whole.json").read_text(encoding="utf-8"))
    for case in whole["testCases"]:
        if case["name"] == "q2":
            case["metricsData"][0]["score"] = float("nan")
        if case["name"] == "q3":
            case["metricsData"][0]["name"] = "Relevancy"
    (folder / "odd.json").write_text(json.dumps(whole))
    return folder / "odd.json"


def _garak(folder: Path) -> Path:
    (source,) = (HERE / "garak").glob("*.report.jsonl")
    seen: list[str] = []

    def change(row: dict[str, Any]) -> None:
        if row["entry_type"] != "attempt" or row["status"] != 2:
            return
        ((name, scores),) = list(row["detector_results"].items())[:1]
        seen.append(name)
        if len(seen) == 1:
            row["detector_results"][name] = [float("nan"), *scores[1:]]
        if len(seen) == 2:
            row["detector_results"] = {"other.Detector": row["detector_results"].pop(name)}

    return _lines(folder, source, change)


def _aisev(folder: Path) -> Path:
    """Write one score: aisev has no other; NaN, which Python writes, and null stand in the odd rows."""
    results = []
    for row in questions():
        reply = says(row["prompts"][0])
        score = {"q2": float("nan"), "q3": None}.get(row["id"], float(not (reply.text or "").startswith("No")))
        answer = (reply.text or "") if reply.status == 200 else ""
        results.append({"category": "定量", "question": row["prompts"][0], "answer": answer, "score": score})
    perspective = {"perspective": "Toxic", "totalScore": 1.0, "results": results}
    (folder / "odd.json").write_text(json.dumps({"tenPerspectives": [perspective]}))
    return folder / "odd.json"


def _captured() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for row in questions():
        reply = says(row["prompts"][0])
        said = reply.text if reply.status == 200 else None
        rows.append({"id": row["id"], "reply": said, "mark": float("yes" in (said or "").lower())})
    rows[2]["mark"], rows[3]["mark"] = float("nan"), None
    return rows


def _outputs(folder: Path) -> Path:
    (folder / "odd.jsonl").write_text("".join(json.dumps(row) + "\n" for row in _captured()))
    return folder / "odd.jsonl"


def _csv(folder: Path) -> Path:
    text = "\n".join(["id,reply,mark", *(_quoted(row) for row in _captured())]) + "\n"
    (folder / "odd.csv").write_text(text)
    return folder / "odd.csv"


def _quoted(row: dict[str, Any]) -> str:
    return f'{row["id"]},"{row["reply"] or ""}",{"" if row["mark"] is None else row["mark"]}'


def _parquet(folder: Path) -> Path:
    import duckdb  # noqa: PLC0415 - to write a Parquet file

    with duckdb.connect() as connection:
        table = connection.read_csv(str(_csv(folder)), dtype={"mark": "DOUBLE"})
        table.write_parquet(str(folder / "odd.parquet"))
    return folder / "odd.parquet"


ODD: dict[str, Odd] = {
    "inspect": Odd(_inspect, _column("score.includes", "equals", "C"), {"includes", "exact", "judge"}),
    "lm-evaluation-harness": Odd(
        _harness,
        _column("score.exact_match,first-word"),
        {"exact_match,first-word", "exact_match,whole", "rouge,first-word"},
    ),
    "promptfoo": Odd(_promptfoo, _column("score.says-yes"), {"score.says-yes", "score.polite", "passed.says-yes"}),
    "deepeval": Odd(_deepeval, _column("score.Includes"), {"Includes", "Relevancy"}),
    "garak": Odd(_garak, _column("score.any", "at-most"), set()),
    "aisev": Odd(_aisev, _column("score.not_incorrect"), {"not_incorrect"}, 2),
    "JSON Lines": Odd(_outputs, _column("mark"), set(), 2),
    "CSV": Odd(_csv, _column("mark"), set(), 2),
    "Parquet": Odd(_parquet, _column("mark"), set(), 2),
}
"""Every importer, and every kind of file of captured replies."""


@pytest.mark.parametrize("name", ODD)
async def test_nan_and_another_scorer_s_score_are_missing_in_a_whole_file(town: Town, name: str) -> None:
    odd = ODD[name]
    path = odd.write(town.root)
    town.chat("http://127.0.0.1:9/v1")
    form = recognise(path)
    brought = _bring(town.ledger, town.root, read(form, path, town.root), path, "assistant")
    assert brought.provenance is not None
    rows = [json.loads(line) for line in (town.root / brought.file).read_text(encoding="utf-8").splitlines()]
    reads = odd.reads
    if name == "garak":
        scored = next(key for row in rows for key in row if key.startswith("score.") and "other" not in key)
        reads = reads.model_copy(update={"column": scored})
        assert "other.Detector" in brought.provenance.scorers
    assert odd.scorers <= set(brought.provenance.scorers)
    assert brought.provenance.unscored == {reads.column: odd.unscored}
    town.promise(
        data=brought.file,
        use={"imported": form},
        budget=brought.rows,
        scorer=reads,
        threshold=0.5,
        population="data-set",
    )
    (verdict,) = await town.check()
    rows_by_sample: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        rows_by_sample.setdefault(row["sample"], []).append(row)
    expected = [_expected(found, reads) for found in rows_by_sample.values()]
    counts = verdict.counts
    assert (counts.passed, counts.failed, counts.invalid, counts.error) == tuple(
        expected.count(one) for one in ("pass", "fail", "invalid", "error")
    )
    assert counts.invalid >= 2
    assert counts.passed > 0


def _expected(rows: list[dict[str, Any]], reads: Column) -> str:
    """Say by hand what the rows of a sample come to: missing unless each of them has a score; one failure fails."""
    found = []
    for row in rows:
        score = row.get(reads.column)
        if row["end"] != "ok":
            found.append("error")
        elif score is None:
            found.append("invalid")
        elif reads.rule == "equals":
            found.append("pass" if score == reads.value else "fail")
        else:
            found.append("pass" if (score <= 0.5 if reads.rule == "at-most" else score >= 0.5) else "fail")
    return max(found, key=["pass", "invalid", "error", "fail"].index)


@pytest.mark.parametrize("tool", ["deepeval", "garak", "aisev"])
def test_a_score_out_of_the_range_of_its_tool_is_refused_and_nothing_is_kept(town: Town, tool: str) -> None:
    """Of the tools that say which range their scores have."""
    path = ODD[tool].write(town.root)
    text = path.read_text(encoding="utf-8")
    for old, new in (("[NaN", "[1.5"), ('"score": NaN', '"score": 1.5')):
        text = text.replace(old, new, 1)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SourceError) as refused:
        list(_Book(read(tool, path, town.root), path.name).pieces())
    (problem,) = refused.value.problems
    assert problem.code == "do.score-range"
    assert "1.5" in problem.message
