"""What stood behind a verdict: whole, in order, and unable to hide anything."""

from __future__ import annotations

import json
import shutil
import unicodedata
from collections import Counter
from pathlib import Path
from typing import get_args

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shinrai.errors import EXIT_TAMPERED, TamperedError
from shinrai.ledger.projection import Judgement
from shinrai.records import Outcome
from shinrai.report.evidence import Exhibit, exhibits, visible
from tests.cycle import call
from tests.report.test_story import CONTRACT, HELLO, SOMETIMES, YES
from tests.report.town import HOSTILE, QUESTIONS, ReportTown

FAILING: frozenset[Outcome] = frozenset({"fail", "invalid", "blocked", "error"})
ALL: frozenset[Outcome] = frozenset(get_args(Outcome))

# Default_Ignorable_Code_Point of the Unicode Character Database: what fonts draw as nothing. And the Braille letter
# without dots.
IGNORABLE = {0x2800}.union(
    *(
        range(first, last + 1)
        for first, last in (
            (0xAD, 0xAD),
            (0x34F, 0x34F),
            (0x61C, 0x61C),
            (0x115F, 0x1160),
            (0x17B4, 0x17B5),
            (0x180B, 0x180F),
            (0x200B, 0x200F),
            (0x202A, 0x202E),
            (0x2060, 0x206F),
            (0x3164, 0x3164),
            (0xFE00, 0xFE0F),
            (0xFEFF, 0xFEFF),
            (0xFFA0, 0xFFA0),
            (0xFFF0, 0xFFF8),
            (0x1BCA0, 0x1BCA3),
            (0x1D173, 0x1D17A),
            (0xE0000, 0xE0FFF),
        )
    )
)


def shown(town: ReportTown, judgement: Judgement, outcomes: frozenset[Outcome] = FAILING) -> list[Exhibit]:
    return exhibits(town.root, town.state, judgement.verdict, outcomes)


def test_every_trial_that_did_not_pass_is_shown_for_every_verdict(town: ReportTown) -> None:
    judgements = [judgement for told in town.state.judgements.values() for judgement in told]
    assert len(judgements) == 12
    for judgement in judgements:
        counts = judgement.verdict.counts
        found = Counter(exhibit.outcome for exhibit in shown(town, judgement))
        assert found == Counter(
            {
                outcome: number
                for outcome, number in {
                    "fail": counts.failed,
                    "invalid": counts.invalid,
                    "blocked": counts.blocked,
                    "error": counts.error,
                }.items()
                if number
            }
        )
        assert len(shown(town, judgement, ALL)) == counts.total


def test_trials_are_in_committed_order_and_only_those_asked_for(town: ReportTown) -> None:
    first = town.state.judgements[SOMETIMES][0]
    assert len(shown(town, first)) == QUESTIONS
    positions = [exhibit.position for exhibit in shown(town, first)]
    assert positions == sorted(positions)
    (blocked,) = shown(town, first, frozenset({"blocked"}))
    assert blocked.outcome == "blocked"
    assert shown(town, first, frozenset()) == []
    assert shown(town, town.state.judgements[CONTRACT][0]) == []  # no run


def test_replies_are_those_of_the_turn_that_the_verdict_is_about(town: ReportTown) -> None:
    first, second = town.state.judgements[YES]
    assert shown(town, first)
    assert all(one.exchanges[0].reply != "yes, gladly" for one in shown(town, first))
    assert all(one.exchanges[0].reply == "yes, gladly" for one in shown(town, second, ALL))
    said = shown(town, town.state.judgements[HELLO][0])[0].exchanges[0]
    assert '"truth"' in said.asked
    assert "<script>alert(1)</script>" in said.reply


def replies(town: ReportTown) -> dict[str, Exhibit]:
    return {exhibit.item: exhibit for exhibit in shown(town, town.state.judgements[SOMETIMES][0])}


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_a_hostile_reply_is_shown_as_what_it_is(town: ReportTown, number: int) -> None:
    said, reply = HOSTILE[number], replies(town)[f"q{number:02}"].exchanges[0].reply
    if len(said) <= 4_000:
        assert reply == visible(said)
    else:
        assert reply == f"{said[:4_000]} … (+{len(said) - 4_000:,})"
    assert all(is_drawn(character) for character in reply)


def test_missing_replies_say_why(town: ReportTown) -> None:
    found = replies(town)
    assert [found[f"q{n}"].outcome for n in (20, 21, 22)] == ["blocked", "fail", "error"]
    assert found["q21"].exchanges[0].reply == "lone \ufffd half \ufffd"
    assert found["q22"].exchanges[0].error == "http-400"
    assert found["q22"].exchanges[0].reply == ""


def is_drawn(character: str) -> bool:
    if character in "\n\t \u3000":
        return True
    unseen = {"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp", "Zs"}
    return unicodedata.category(character) not in unseen and ord(character) not in IGNORABLE


def test_what_cannot_be_seen_is_named_and_what_can_be_seen_stays() -> None:
    for code in (*range(0x1E000), *range(0xE0000, 0xE0200)):  # every plane that letters and tags are in
        character = chr(code)
        made = visible(character)
        assert (made == character) == is_drawn(character), hex(code)
        assert made == character or all(map(is_drawn, made)), hex(code)


@given(st.text(st.characters(exclude_categories=[])))
def test_everything_that_is_there_is_seen_and_nothing_is_reordered(text: str) -> None:
    made = visible(text)
    rest = iter(made)
    for character in text:
        if is_drawn(character):
            assert character in rest  # each in its turn: `in` walks on
    assert visible(made) == made
    made.encode()
    assert not any(unicodedata.bidirectional(c) in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI"} for c in made)


def test_a_variation_selector_stays_behind_what_it_varies_and_nowhere_else() -> None:
    assert visible("葛\U000e0100城 ☀\ufe0f") == "葛\U000e0100城 ☀\ufe0f"
    assert visible("a\ufe01\ufe02\ufe03") == "a\ufe01⟨U+FE02⟩⟨U+FE03⟩"
    assert visible(" \ufe0f") == " ⟨U+FE0F⟩"
    assert visible("\x00\x1b[31m\u202e\U000e0041\ud800\u00a0") == "␀␛[31m⟨U+202E⟩⟨U+E0041⟩⟨U+D800⟩⟨U+00A0⟩"
    assert visible("改行\nと\tタブ　全角") == "改行\nと\tタブ　全角"


@pytest.fixture
def copied(town: ReportTown, tmp_path: Path) -> ReportTown:
    shutil.copytree(town.root, tmp_path / "town")
    return ReportTown(tmp_path / "town")


@pytest.mark.parametrize("name", ["trials-0001.parquet", "calls-0001.parquet"])
def test_a_run_file_that_is_gone_or_spoilt_is_named(
    copied: ReportTown, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    judgement = copied.state.judgements[SOMETIMES][0]
    assert judgement.verdict.run is not None
    file = copied.root / copied.state.runs[judgement.verdict.run].started.directory / name
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(TamperedError, match=name) as spoilt:
        shown(copied, judgement)
    assert spoilt.value.code == "run.bad-file"
    file.unlink()
    with pytest.raises(TamperedError, match=name) as gone:
        shown(copied, judgement)
    assert gone.value.code == "run.file-missing"
    assert call("-C", str(copied.root), "report") == EXIT_TAMPERED
    assert name in capsys.readouterr().err
    assert not (copied.root / "report.html").exists()


def test_what_comes_out_of_data_sets_is_made_visible_too(copied: ReportTown) -> None:
    judgement = copied.state.judgements[SOMETIMES][0]
    assert judgement.verdict.run is not None
    file = copied.root / copied.state.runs[judgement.verdict.run].started.directory / "trials-0001.parquet"
    hostile = {name: json.dumps(text) for name, text in (("item", "\u202e"), ("group", "\u200b"), ("detail", "\x1b"))}
    cells = ", ".join(f"""'{text}' AS "{name}\"""" for name, text in hostile.items())
    other = file.with_suffix(".other")
    duckdb.execute(f"COPY (SELECT * REPLACE ({cells}) FROM read_parquet('{file}')) TO '{other}' (FORMAT parquet)")  # noqa: S608 - files of this test
    other.replace(file)
    exhibit = shown(copied, judgement)[0]
    assert (exhibit.item, exhibit.group, exhibit.detail) == ("⟨U+202E⟩", "⟨U+200B⟩", "␛")
