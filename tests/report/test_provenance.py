"""The section of the page that says where each piece of evidence comes from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from shinrai import do
from shinrai.records import Text, digest_file
from shinrai.report.html import render
from shinrai.report.provenance import pieces
from tests.fixtures.replies import HERE
from tests.plan.town import Town, check, measure

HARM = "<script>window.pwned=1</script>\u202e"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path)
    with made.ledger:
        yield made


def test_a_page_without_evidence_has_no_such_section(town: Town) -> None:
    town.plan()
    assert 'id="evidence"' not in render(town.load(), town.state)


def test_each_piece_of_evidence_says_where_it_comes_from(town: Town) -> None:
    scorer = {"id": "includes", "text": "yes"}
    town.checks["seen"] = check("seen", "failure-rate", "at-most", 0.5, data={"imported": "inspect"}, scorer=scorer)
    town.measures = [measure("foreign", "seen")]
    log = HERE / "inspect/stopped.eval"
    do.import_file(town.ledger, town.load(), log, "helper")
    contract = town.put("contract.pdf", "a person decides")
    town.checks["contract"]["subject"] = "human-decides"
    do.attest(
        town.ledger,
        town.load(),
        subject="human-decides",
        document=contract,
        by="office",
        effective=date(2026, 4, 1),
        valid_until=None,
        system=None,
    )
    town.plan()
    entry = town.state.evidence[0][0]
    town.judge("plan/goal/foreign/seen@helper", "met", evidence=(entry.hash,), retrospective=True)
    imported, document = pieces(town.state)
    assert (imported.kind, imported.name, imported.source) == ("import", "stopped.eval", "inspect-ai 0.3.285")
    assert imported.digests == (("stopped.eval", digest_file(log)),)
    assert imported.rows == 24
    assert imported.missing is not None
    assert "never run" in imported.missing.read("en")
    assert "実行されず" in imported.missing.read("ja")
    assert imported.order == Text(en="as in the data set", ja="データセットのとおり")
    assert imported.keys == ("plan/goal/foreign/seen@helper",)
    assert (document.kind, document.source, document.keys) == ("attestation", "office", ())
    page = render(town.load(), town.state)
    for text in (
        "inspect-ai 0.3.285",
        digest_file(log)[:19],
        "24 of 24 samples, 1 epochs, limit none",
        imported.missing.read("ja"),
        "データセットのとおり",
    ):
        assert text in page
    assert "retrospective: the data are older than the promise" in page


def test_scores_that_cannot_be_read_are_named(town: Town) -> None:
    town.plan()
    rows = [{"id": "a", "reply": "x", "score": 0.5}, {"id": "b", "reply": "y", "score": float("nan")}]
    (town.root / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    do.import_file(town.ledger, town.load(), town.root / "a.jsonl", "helper")
    (piece,) = pieces(town.state)
    assert piece.unscored == "score 1"
    page = render(town.load(), town.state)
    assert "scores that cannot be read: score 1" in page
    assert "読めない得点：score 1" in page


def test_what_foreign_files_say_cannot_act(town: Town) -> None:
    town.plan()
    path = town.root / "a.json"
    perspective = {"perspective": HARM, "totalScore": 1.0, "results": []}
    result = {"category": "quantitative", "question": HARM, "answer": HARM, "score": 1}
    perspective["results"] = [result]
    export = {"targetModelName": HARM, "evaluationName": HARM, "tenPerspectives": [perspective]}
    path.write_text(json.dumps(export))
    do.import_file(town.ledger, town.load(), path, "helper")
    page = render(town.load(), town.state)
    assert "&lt;script&gt;window.pwned=1" in page
    assert "<script" not in page
    assert "\u202e" not in page
