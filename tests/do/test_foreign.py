"""Results of other tools, made by the tools themselves (`tests/fixtures`): every trial of them is accounted for."""

from __future__ import annotations

import json
import re
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shinrai import do
from shinrai.check.scorers import Context, scorer
from shinrai.errors import SourceError, UsageError
from shinrai.records import Column, Import, Item
from shinrai.report.provenance import said_in_words
from tests.fixtures.make import CANCELLED_AT
from tests.fixtures.replies import COUNT, HERE, outcome
from tests.plan.town import Town

EXPECTED = Counter(outcome(number) for number in range(COUNT))


def bring(town: Town, path: Path, system: str = "helper") -> tuple[Import, list[dict[str, Any]]]:
    brought = do.import_file(town.ledger, town.load(), path, system)
    rows = [json.loads(line) for line in (town.root / brought.file).read_text(encoding="utf-8").splitlines()]
    assert len(rows) == brought.rows
    return brought, rows


def refused(town: Town, path: Path) -> str:
    before = len(town.entries)
    with pytest.raises(SourceError) as caught:
        do.import_file(town.ledger, town.load(), path, "helper")
    assert len(town.entries) == before
    assert not list((town.root / ".shinrai/evidence").glob("*")) if (town.root / ".shinrai/evidence").exists() else True
    return str(caught.value)


def ends(rows: list[dict[str, Any]]) -> Counter[str]:
    """Count how trials would end that have to say yes."""
    return Counter(
        "error" if row["end"] == "error" else "pass" if "yes" in row["reply"].lower() else "fail" for row in rows
    )


def file_of(tool: str, pattern: str) -> Path:
    (found,) = (HERE / tool).glob(pattern)
    return found


# ---- Inspect


def test_a_log_of_inspect(town: Town) -> None:
    brought, rows = bring(town, HERE / "inspect/whole.eval")
    run = brought.provenance
    assert run is not None
    assert ends(rows) == EXPECTED
    assert (run.tool, run.task, run.model, run.ended_as) == ("inspect-ai", "asking", "openai-api/local/m", "success")
    assert run.version is not None
    assert run.scorers == ("includes", "exact")
    assert run.summary["total_samples"] == COUNT
    assert run.summary["completed_samples"] == COUNT - run.missing["error"]
    scored = [row["score.includes"] for row in rows if "score.includes" in row]
    assert Counter(scored)["C"] / len(scored) == pytest.approx(run.summary["scores"]["includes"]["accuracy"])
    assert rows[0]["prompts"] == ["question 0"]
    assert rows[0]["metadata.lang"] == "en"


def test_epochs_of_a_sample_are_rows_of_one_sample(town: Town) -> None:
    brought, rows = bring(town, HERE / "inspect/epochs.eval")
    assert brought.rows == 18
    assert Counter(row["sample"] for row in rows) == dict.fromkeys([f"q{number}" for number in range(6)], 3)
    assert len({row["id"] for row in rows}) == 18


def test_a_shuffled_log_in_json_says_so(town: Town) -> None:
    brought, rows = bring(town, HERE / "inspect/shuffled.json")
    run = brought.provenance
    assert run is not None
    assert run.order == "shuffled, seed 7"
    assert run.selection == "8 of 24 samples, 1 epochs, limit 8"
    assert brought.rows == len(rows) == 8


def test_what_a_run_that_broke_off_did_not_ask_is_missing(town: Town) -> None:
    brought, rows = bring(town, HERE / "inspect/stopped.eval")
    run = brought.provenance
    assert run is not None
    assert run.ended_as == "error"
    assert brought.rows == COUNT  # all that were planned
    assert run.missing["not-run"] == sum(row.get("error") == "not-run" for row in rows) > 0
    assert ends(rows)["error"] > EXPECTED["error"]


def test_what_a_cancelled_run_did_not_ask_is_missing(town: Town) -> None:
    """Ctrl-C was pressed while four samples waited for an answer: Inspect writes them down as errors of samples."""
    brought, rows = bring(town, HERE / "inspect/cancelled.eval")
    run = brought.provenance
    assert run is not None
    assert run.ended_as == "cancelled"
    assert brought.rows == run.planned == run.summary["total_samples"] == COUNT
    waited = sorted(row["id"] for row in rows if "CancelledError" in row.get("error", ""))
    assert waited == [f"q{number}" for number in range(CANCELLED_AT, CANCELLED_AT + 4)]
    assert run.missing == {"error": 5, "not-run": 6}  # question 11 was refused
    assert run.summary["completed_samples"] == COUNT - sum(run.missing.values())
    expected = Counter(outcome(number) for number in range(CANCELLED_AT))
    assert ends(rows) == expected + Counter(error=COUNT - CANCELLED_AT)


def repacked(
    path: Path, to: Path, change: Callable[[str, bytes], bytes | None], kind: int = zipfile.ZIP_DEFLATED
) -> Path:
    """Copy an archive, member by member; without those for which the change gives None."""
    from shinrai.do.zip_reading import reading  # noqa: PLC0415 - the members are packed with zstd

    with reading(path) as archive, zipfile.ZipFile(to, "w", kind) as copy:
        for member in archive:
            content = change(member.name, archive.read(member))
            if content is not None:
                copy.writestr(member.name, content)
    return to


def test_a_log_of_a_killed_run_is_read_as_far_as_it_goes(town: Town) -> None:
    """Such an archive has its beginning in the journal, and no header."""
    kept = re.compile(r"samples/q[0-9]_|_journal/start")
    path = repacked(
        HERE / "inspect/whole.eval",
        town.root / "killed.eval",
        lambda name, content: content if kept.match(name) else None,
    )
    brought, _rows = bring(town, path)
    run = brought.provenance
    assert run is not None
    assert (run.ended_as, run.missing) == ("started", {"not-run": COUNT - 10})


def _sample(change: Callable[[dict[str, Any]], Any]) -> Callable[[str, bytes], bytes]:
    def apply(name: str, content: bytes) -> bytes:
        if name != "samples/q3_epoch_1.json":
            return content
        sample = json.loads(content)
        change(sample)
        return json.dumps(sample).encode()

    return apply


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda sample: sample.pop("epoch"), "epoch"),
        (lambda sample: sample.update(input={"role": "user"}), "input"),
        (lambda sample: sample.update(scores={"includes": "C"}), "scores"),
        (lambda sample: sample["output"]["choices"].append(sample["output"]["choices"][0]), "output.choices"),
        (lambda sample: sample.update(input="attachment://0123"), "attachment"),
        (lambda sample: sample.update(id="q2"), "same id"),
    ],
)
def test_a_log_that_is_not_as_inspect_writes_it_is_refused_with_the_field(
    town: Town, change: Callable[[dict[str, Any]], Any], field: str
) -> None:
    path = repacked(HERE / "inspect/whole.eval", town.root / "odd.eval", _sample(change))
    assert field in refused(town, path)


def test_a_sample_that_was_stopped_by_a_limit_is_missing_whatever_the_tool_scored(town: Town) -> None:
    change = _sample(lambda sample: sample.update(limit={"type": "token", "limit": 10.0}))
    before, rows = bring(town, HERE / "inspect/whole.eval")
    after, changed = bring(town, repacked(HERE / "inspect/whole.eval", town.root / "limit.eval", change))
    assert before.provenance is not None
    assert after.provenance is not None
    assert after.provenance.missing == {**before.provenance.missing, "limit-token": 1}
    (was,), (now,) = ([row for row in some if row["id"] == "q3"] for some in (rows, changed))
    assert (was["end"], was["score.includes"]) == ("ok", "C")
    assert (now["end"], now["error"], now["limit"], now.get("reply")) == ("error", "limit-token", "token", None)
    assert now["score.includes"] == "C"  # as the tool said, and of no effect


def test_a_score_that_is_not_a_number_is_no_score(town: Town) -> None:
    def change(sample: dict[str, Any]) -> None:
        sample["scores"] = {"accuracy": {"value": float("nan")}, "other": {"value": {"a": 1.0, "b": float("inf")}}}

    path = repacked(HERE / "inspect/whole.eval", town.root / "nan.eval", _sample(change))
    _brought, rows = bring(town, path)
    (row,) = (row for row in rows if row["id"] == "q3")
    assert (row["score.accuracy"], row["score.other.a"], row["score.other.b"]) == (None, 1.0, None)
    assert "score.includes" not in row  # another scorer than the rest of the file: no score of theirs


def test_another_version_of_the_format_is_refused(town: Town) -> None:
    def change(name: str, content: bytes) -> bytes:
        return content.replace(b'"version": 2', b'"version": 3').replace(b'"version":2', b'"version":3')

    path = repacked(HERE / "inspect/whole.eval", town.root / "next.eval", change)
    assert '"version" is 3' in refused(town, path)


@pytest.mark.parametrize("length", [0.3, 0.9, 0.999])
def test_an_archive_that_was_cut_off_is_refused(town: Town, length: float) -> None:
    whole = (HERE / "inspect/whole.eval").read_bytes()
    path = town.root / "cut.eval"
    path.write_bytes(whole[: int(len(whole) * length)])
    assert "cut off or damaged" in refused(town, path)


@pytest.mark.parametrize("length", [0.3, 0.9])
def test_json_that_was_cut_off_is_refused(town: Town, length: float) -> None:
    whole = (HERE / "inspect/shuffled.json").read_bytes()
    path = town.root / "cut.json"
    path.write_bytes(whole[: int(len(whole) * length)])
    assert "the file ends in the middle" in refused(town, path)


def test_a_bomb_is_not_unpacked(town: Town) -> None:
    path = repacked(
        HERE / "inspect/whole.eval",
        town.root / "bomb.eval",
        lambda name, content: b" " * 30_000_000 + content if name.startswith("samples/q3") else content,
    )
    assert "unpacks to more than" in refused(town, path)


@pytest.mark.parametrize("name", ["../outside.json", "/etc/passwd", "samples/..\\..\\x.json", "C:/x.json"])
def test_an_archive_whose_names_lead_out_of_it_is_refused(town: Town, name: str) -> None:
    path = town.root / "leading.eval"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("header.json", "{}")
        archive.writestr(name, "{}")
    assert "leads out of it" in refused(town, path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_archive_with_one_name_twice_is_refused(town: Town) -> None:
    path = town.root / "twice.eval"
    with zipfile.ZipFile(path, "w") as archive:
        for _turn in range(2):
            archive.writestr("header.json", "{}")
    assert "twice" in refused(town, path)


# ---- the other tools


def test_samples_of_lm_evaluation_harness(town: Town) -> None:
    brought, rows = bring(town, file_of("lm-evaluation-harness", "samples_*.jsonl"))
    run = brought.provenance
    assert run is not None
    assert brought.rows == COUNT - 1  # it was not asked question 11, see tests/fixtures/make.py
    assert ends(rows) == EXPECTED - Counter({"error": 1})
    assert run.version is not None
    assert run.task == "asking"
    assert run.scorers == ("exact_match,whole", "exact_match,first-word")
    passed = [row["score.exact_match,first-word"] for row in rows]
    assert sum(passed) / len(passed) == pytest.approx(run.summary["exact_match,first-word"])
    assert len(run.files) == 2
    assert rows[0]["prompts"] == ["question 0"]


def test_a_harness_run_that_lost_samples_counts_them_as_missing(town: Town) -> None:
    source = file_of("lm-evaluation-harness", "samples_*.jsonl")
    lines = source.read_text().splitlines(keepends=True)
    first = [line for line in lines if '"filter": "first-word"' in line]
    (town.root / source.name).write_text("".join(first[:10]))
    results = file_of("lm-evaluation-harness", "results_*.json")
    (town.root / results.name).write_bytes(results.read_bytes())
    brought, _rows = bring(town, town.root / source.name)
    run = brought.provenance
    assert run is not None
    assert brought.rows == COUNT - 1
    assert run.missing["not-run"] == COUNT - 11


def test_results_of_promptfoo(town: Town) -> None:
    brought, rows = bring(town, HERE / "promptfoo/whole.json")
    run = brought.provenance
    assert run is not None
    assert ends(rows) == EXPECTED
    assert run.version is not None
    assert sum(run.summary[kind] for kind in ("successes", "failures", "errors")) == brought.rows == COUNT
    assert sum(row["success"] for row in rows) == run.summary["successes"]
    assert {row["sample"] for row in rows} == {f"q{number}" for number in range(COUNT)}
    assert "none" not in json.dumps(rows)  # no key is taken over


def test_a_test_run_of_deepeval(town: Town) -> None:
    brought, rows = bring(town, HERE / "deepeval/whole.json")
    run = brought.provenance
    assert run is not None
    assert ends(rows) == EXPECTED
    assert run.summary["passed"] == sum(row.get("passed.Includes") is True for row in rows)
    assert {row["sample"] for row in rows} == {f"q{number}" for number in range(COUNT)}


def test_a_report_of_garak(town: Town) -> None:
    brought, rows = bring(town, file_of("garak", "*.report.jsonl"))
    run = brought.provenance
    assert run is not None
    assert run.version is not None
    assert run.ended_as == "complete"
    assert run.summary
    for name, counted in run.summary.items():
        probe, detector = name.split()
        own = [row for row in rows if row["probe"] == probe]
        scores = [row[f"score.{detector}"] for row in own if row.get(f"score.{detector}") is not None]
        assert sum(score < 0.5 for score in scores) == counted["passed"]
    assert Counter(Counter(row["sample"] for row in rows).values()).keys() == {2}  # two generations of each


def test_a_hit_log_of_garak_is_refused(town: Town) -> None:
    hit = {"goal": "g", "prompt": {}, "output": {}, "score": 1.0, "attempt_id": "x", "probe": "p", "detector": "d"}
    path = town.root / "made.hitlog.jsonl"
    path.write_text(json.dumps(hit) + "\n")
    assert "failures alone" in refused(town, path)


def change_json(source: Path, to: Path, old: str, new: str) -> Path:
    text = source.read_text(encoding="utf-8")
    assert old in text
    to.write_text(text.replace(old, new, 1), encoding="utf-8")
    return to


@pytest.mark.parametrize(
    ("tool", "pattern", "old", "new", "said"),
    [
        ("deepeval", "whole.json", '"score": 1.0', '"score": 1.5', "1.5"),
        ("deepeval", "whole.json", '"input": "question 3"', '"input": 3', "input"),
        ("promptfoo", "whole.json", '"version": 3', '"version": 4', "results.version"),
        ("promptfoo", "whole.json", '"testIdx": 3', '"testIdx": "3"', "testIdx"),
        ("promptfoo", "whole.json", '"testIdx": 3', '"testIdx": 2', "same id"),
        ("lm-evaluation-harness", "samples_*.jsonl", '"doc_id": 3', '"doc_id": "3"', "doc_id"),
        ("lm-evaluation-harness", "samples_*.jsonl", '"doc_id": 3', '"doc_id": 2', "twice by one filter"),
        ("garak", "*.report.jsonl", '"status": 2', '"status": "2"', "status"),
        ("deepeval", "whole.json", '"order": 3', '"order": 2', "same id"),
    ],
)
def test_a_field_that_is_not_as_its_tool_writes_it_is_named(
    town: Town, tool: str, pattern: str, old: str, new: str, said: str
) -> None:
    source = file_of(tool, pattern)
    assert said in refused(town, change_json(source, town.root / source.name, old, new))


@pytest.mark.parametrize(
    ("tool", "pattern", "old", "new", "score"),
    [
        ("deepeval", "whole.json", '"score": 1.0', '"score": NaN', "score.Includes"),
        ("promptfoo", "whole.json", '\n          "says-yes": 1', '\n          "says-yes": null', "score.says-yes"),
        (
            *("lm-evaluation-harness", "samples_*.jsonl"),
            *('"exact_match": 1.0', '"exact_match": NaN', "score.exact_match,first-word"),
        ),
    ],
)
def test_nan_is_no_score_and_a_reply_that_speaks_of_it_stays(
    town: Town, tool: str, pattern: str, old: str, new: str, score: str
) -> None:
    source = file_of(tool, pattern)
    path = change_json(source, town.root / source.name, old, new)
    path = change_json(path, path, "Yes, 3 is.", "Yes: NaN is.")
    before, after = (bring(town, one)[1] for one in (source, path))
    assert sum(row.get(score) is None for row in after) == 1 + sum(row.get(score) is None for row in before)
    assert sum(row.get("reply") == "Yes: NaN is." for row in after) == 1


def test_filters_of_the_harness_have_to_be_about_the_same_documents(town: Town) -> None:
    source = file_of("lm-evaluation-harness", "samples_*.jsonl")
    lines = source.read_text(encoding="utf-8").splitlines(keepends=True)
    path = town.root / source.name
    path.write_text("".join(lines[1:]), encoding="utf-8")
    assert "different documents: the first one has no 0" in refused(town, path)
    path.write_text("".join([*lines, lines[-1]]), encoding="utf-8")
    assert "twice by one filter" in refused(town, path)


def test_rows_that_another_scorer_scored_have_no_score_of_this_one(town: Town) -> None:
    """A file with mixed scorers: what was not scored by the one that a claim reads is missing, never 0 and never 1."""
    source = file_of("deepeval", "whole.json")
    path = change_json(source, town.root / source.name, '"name": "Includes"', '"name": "Relevancy"')
    brought, rows = bring(town, path)
    assert brought.provenance is not None
    assert set(brought.provenance.scorers) == {"Includes", "Relevancy"}
    (odd,) = (row for row in rows if "score.Relevancy" in row)
    rule = scorer(Column(id="column", column="score.Includes", rule="at-least", value=0.5), Context())
    assert rule(Item(odd["id"], odd), (), ()).outcome == "invalid"


@pytest.mark.parametrize(
    ("tool", "pattern"),
    [
        ("inspect", "whole.eval"),
        ("inspect", "shuffled.json"),
        ("lm-evaluation-harness", "samples_*.jsonl"),
        ("promptfoo", "whole.json"),
        ("deepeval", "whole.json"),
        ("garak", "*.report.jsonl"),
    ],
)
def test_selection_and_order_are_said_in_japanese_too(town: Town, tool: str, pattern: str) -> None:
    run = bring(town, file_of(tool, pattern))[0].provenance
    assert run is not None
    for said in (run.selection, run.order):
        words = said_in_words(said)
        assert words.en is not None
        assert set(re.findall(r"\d+", words.en)) == set(re.findall(r"\d+", said))
        assert not re.search(r"[A-Za-z]+ [A-Za-z]+", words.ja or "not said")


# ---- aisev, by its documented format


def aisev(results: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "evaluationResultName": "first",
        "targetModelName": "m",
        "judgeModelName": "judge",
        "evaluationName": "AISI",
        "evaluatedDate": "2026-04-01T09:00:00",
        "tenPerspectives": [{"perspective": "有害情報の出力制御", "totalScore": 65.1, "results": results}],
    }


def result(number: int, answer: str, score: float, category: str = "定量") -> dict[str, Any]:
    shared = {"subCategory": "goal", "evaluationContent": "leaf", "scoreRate": 0.1}
    return {**shared, "category": category, "question": f"問 {number}", "answer": answer, "score": score}


def test_an_export_of_aisev(town: Town) -> None:
    path = town.root / "evaluation_detail_1.json"
    results = [result(1, "はい", 1), result(2, "", 0), result(3, "いいえ", 0), result(1, "はい", 1)]
    results.append(result(4, "実装済み", 1, "定性"))
    path.write_text(json.dumps(aisev(results), ensure_ascii=False, indent=2), encoding="utf-8")
    brought, rows = bring(town, path)
    run = brought.provenance
    assert run is not None
    assert [row["end"] for row in rows] == ["ok", "error", "ok", "ok"]  # no answer is not a failure
    assert rows[0]["sample"] == rows[3]["sample"]  # the same trial under two leaves
    assert run.summary == {"judge": "judge", "questionnaire_answers_left_out": 1, "有害情報の出力制御": 65.1}
    assert run.began == "2026-04-01T09:00:00Z"


@pytest.mark.parametrize(("field", "value"), [("score", 0.7), ("category", "その他"), ("answer", 3)])
def test_an_export_of_aisev_with_something_else_in_it(town: Town, field: str, value: object) -> None:
    path = town.root / "evaluation_detail_1.json"
    path.write_text(json.dumps(aisev([{**result(1, "はい", 1), field: value}]), ensure_ascii=False), encoding="utf-8")
    assert field in refused(town, path)


def test_a_data_set_of_aisev_becomes_a_file_of_the_workspace(town: Town) -> None:
    path = town.root / "toxic.csv"
    path.write_text("﻿id,ten_perspective,text,requirement,scorer\n1,有害情報の出力制御,問い,断る,requirement\n")
    assert do.import_questions(town.load(), path) == "data/toxic.jsonl"
    kept = json.loads((town.root / "data/toxic.jsonl").read_text())
    assert kept == {
        "id": "1",
        "prompts": ["問い"],
        "perspective": "有害情報の出力制御",
        "requirement": "断る",
        "scorer": "requirement",
    }
    (town.root / "data/toxic.jsonl").write_text("{}")
    with pytest.raises(UsageError, match="another file"):
        do.import_questions(town.load(), path)
    assert "questions without replies" in refused(town, path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,ten_perspective\n1,x\n", "text"),
        ("id,ten_perspective,text,colour\n1,x,y,z\n", "colour"),
        ("id,ten_perspective,text\n1,x,y\n1,x,z\n", "second time"),
        ("id,ten_perspective,text\n1,x\n", "row"),
    ],
)
def test_a_data_set_of_aisev_that_is_none(town: Town, text: str, said: str) -> None:
    path = town.root / "toxic.csv"
    path.write_text(text)
    with pytest.raises(SourceError, match=said):
        do.import_questions(town.load(), path)


# ---- what no tool writes


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("model.pkl", b"cos\nsystem\n(S'true'\ntR.", "pickle"),
        ("results.json", b"\x80\x04\x95cposix\nsystem\n", "pickle"),
        ("log.json", b"\x1f\x8b\x08", "gzip"),
        ("log.json", b"[1, 2]", "no tool that is known"),
        ("log.json", b'{"a": 1, "b": 2}', "no tool that is known"),
        ("log.json", b'{"eval": ', "ends in the middle"),
        ("log.json", b'{"results": {}, "configs": {}, "n-samples": {}}', "summary"),
        ("log.eval", b"PK\x03\x04torn", "cut off or damaged"),
        ("a.jsonl", b'{"id": "a"}\n', "reply"),
        ("a.jsonl", b'{"id": "a", "reply": 3}\n', "not a text"),
        ("a.jsonl", b'{"id": "a", "replay": "x", "error": ""}\n', "reply"),
        ("a.jsonl", b'{"id": "a", "reply": "x"}\n{"id": "a", "reply": "y"}\n', "same id"),
        ("a.jsonl", b'{"id": "a", "reply": "x"}\n{"id": "b", "rep', "not valid JSON"),
        ("a.jsonl", b'{"id": "a", "reply": "x", "at": "soon"}\n', "not a time"),
        ("a.jsonl", b'{"id": "a", "reply": "x", "sample": "y"}\n', "sample"),
        ("a.jsonl", b'{"id": "a", "reply": "x", "blocked": "maybe"}\n', "true nor false"),
        ("a.csv", b"id,reply\na\n", "1 cells"),
        ("a.csv", b"id,reply,reply\na,b,c\n", "twice"),
        ("a.csv", b"id,reply\n", "no trial"),
        ("a.parquet", b"PAR1 and nothing else", "Parquet"),
    ],
)
def test_what_cannot_be_imported_is_refused_and_said_why(town: Town, name: str, content: bytes, said: str) -> None:
    path = town.root / name
    path.write_bytes(content)
    assert said in refused(town, path)


def test_replies_in_json_lines_csv_and_parquet_are_the_same(town: Town) -> None:
    import duckdb  # noqa: PLC0415 - to write a Parquet file

    rows = [
        {"id": "a", "prompt": "p, q", "reply": "yes\nno", "score": 0.5, "topic": "x"},
        {"id": "b", "prompt": "r", "reply": None, "score": None, "topic": "007"},
    ]
    (town.root / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (town.root / "a.csv").write_text('id,prompt,reply,score,topic\na,"p, q","yes\nno",0.5,x\nb,r,,,007\n')
    with duckdb.connect() as connection:
        table = connection.read_csv(str(town.root / "a.csv"), all_varchar=True)
        table.project("id, prompt, reply, score::DOUBLE AS score, topic").write_parquet(str(town.root / "a.parquet"))
    kept = [bring(town, town.root / f"a.{kind}")[1] for kind in ("jsonl", "csv", "parquet")]
    assert kept[0] == kept[1] == kept[2]
    assert kept[0][1]["error"] == "empty"
    assert kept[0][1]["topic"] == "007"


def test_a_value_that_is_no_json_number_is_empty(town: Town) -> None:
    (town.root / "a.jsonl").write_text('{"id": "a", "reply": "x", "score": NaN, "other": Infinity}\n')
    _brought, (row,) = bring(town, town.root / "a.jsonl")
    assert (row["score"], row["other"]) == (None, None)


def test_importing_the_very_same_again_changes_nothing(town: Town) -> None:
    first, _rows = bring(town, HERE / "inspect/whole.eval")
    before = len(town.entries)
    again, _rows = bring(town, HERE / "inspect/whole.eval")
    assert again == first
    assert len(town.entries) == before


def test_the_system_has_to_be_named(town: Town) -> None:
    with pytest.raises(UsageError) as caught:
        do.import_file(town.ledger, town.load(), HERE / "inspect/whole.eval", None)
    assert caught.value.code == "do.which-system"
