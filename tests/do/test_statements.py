from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from shinrai import do
from shinrai.errors import ShinraiError, StoreError, UsageError
from shinrai.records import Attestation, EvidenceBrought, Observation, digest_file
from tests.plan.town import TODAY, Town


@pytest.fixture
def contract(town: Town) -> Path:
    return town.put("papers/契約書.pdf", "a person decides")


def attest(town: Town, document: Path, **changed: Any) -> Attestation:
    said: dict[str, Any] = {"subject": "human-decides", "by": "desk", "effective": date(2026, 4, 1), **changed}
    return do.attest(town.ledger, town.load(), document=document, **said)


def observe(town: Town, **changed: Any) -> Observation:
    said: dict[str, Any] = {
        "subject": "genai-use",
        "value": 0.588,
        "unit": "share",
        "as_of": date(2026, 2, 28),
        "source": "survey of 2026, table 3",
        "today": TODAY,
        **changed,
    }
    return do.observe(town.ledger, town.load(), **said)


def test_a_document_comes_in_with_its_digest_and_a_copy(town: Town, contract: Path) -> None:
    brought = attest(town, contract, valid_until=date(2027, 3, 31), system="helper")
    assert brought == Attestation(
        subject="human-decides",
        system="helper",
        name="契約書.pdf",
        file=f".shinrai/evidence/{digest_file(contract).removeprefix('sha256:')}-契約書.pdf",
        file_digest=digest_file(contract),
        by="desk",
        effective=date(2026, 4, 1),
        valid_until=date(2027, 3, 31),
    )
    assert [entry.payload for entry in town.entries[1:]] == [EvidenceBrought(evidence=brought)]
    copy = town.root / brought.file
    contract.unlink()
    assert digest_file(copy) == brought.file_digest


def test_the_same_again_changes_nothing_and_anything_else_is_one_more(town: Town, contract: Path) -> None:
    first = attest(town, contract)
    before = town.entries
    assert attest(town, contract) == first
    assert town.entries == before
    attest(town, contract, by="office")
    attest(town, contract, system="helper")
    attest(town, contract, valid_until=date(2026, 4, 1))
    contract.write_text("a person decides, really")
    attest(town, contract)
    assert len(town.state.evidence) == 5
    assert len(list((town.root / ".shinrai/evidence").iterdir())) == 2


def test_a_damaged_copy_is_made_good_by_bringing_the_document_again(town: Town, contract: Path) -> None:
    brought = attest(town, contract)
    copy = town.root / brought.file
    copy.write_text("something else")
    attest(town, contract)
    assert digest_file(copy) == brought.file_digest


@pytest.mark.parametrize(
    ("changed", "code", "hint"),
    [
        ({"subject": "human-decide"}, "do.unknown-subject", "did you mean human-decides?"),
        ({"subject": "genai-use"}, "do.unknown-subject", None),
        ({"by": "deks"}, "do.unknown-role", "did you mean desk?"),
        ({"system": "helpr"}, "do.unknown-system", "did you mean helper?"),
        ({"valid_until": date(2026, 3, 31)}, "do.ends-before-it-begins", None),
    ],
)
def test_what_cannot_be_attested_is_refused(
    town: Town, contract: Path, changed: dict[str, Any], code: str, hint: str | None
) -> None:
    with pytest.raises(UsageError) as caught:
        attest(town, contract, **changed)
    assert (caught.value.code, caught.value.hint) == (code, hint)
    assert town.state.evidence == []


def test_a_workspace_without_roles_takes_any(town: Town, contract: Path) -> None:
    town.settings["roles"] = []
    assert attest(town, contract, by="somebody").by == "somebody"


def test_documents_that_are_none_are_refused(town: Town, contract: Path) -> None:
    for document, code in [
        (town.root / "nowhere.pdf", "do.no-document"),
        (contract.parent, "do.no-document"),
        (town.put("empty.pdf", ""), "do.empty-document"),
        (town.put("long" * 50 + ".pdf", "x"), "do.name-too-long"),
    ]:
        with pytest.raises(UsageError) as caught:
            attest(town, document)
        assert caught.value.code == code
    assert town.state.evidence == []


def test_a_full_disk_leaves_nothing_half_done(town: Town, contract: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StoreError, match="No space left"):
        attest(town, contract)
    monkeypatch.undo()
    assert list((town.root / ".shinrai/evidence").iterdir()) == []
    assert town.state.evidence == []


def test_a_value_comes_in_with_its_source(town: Town) -> None:
    brought = observe(town, population="residents aged 16 or more", sample=1200, system="helper")
    assert (brought.value, brought.unit, brought.sample) == (0.588, "share", 1200)
    assert [evidence for _entry, evidence in town.state.evidence] == [brought]
    observe(town, population="residents aged 16 or more", sample=1200, system="helper")
    assert len(town.state.evidence) == 1
    observe(town, value=0.6, as_of=date(2026, 8, 31))
    assert len(town.state.evidence) == 2


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"value": float("nan")}, "do.not-finite"),
        ({"value": float("inf")}, "do.not-finite"),
        ({"as_of": TODAY + timedelta(days=1)}, "do.future"),
        ({"source": "  "}, "do.no-source"),
        ({"sample": 0}, "do.no-sample"),
        ({"subject": "human-decides"}, "do.unknown-subject"),
        ({"system": "helpr"}, "do.unknown-system"),
    ],
)
def test_what_cannot_be_observed_is_refused(town: Town, changed: dict[str, Any], code: str) -> None:
    with pytest.raises(ShinraiError) as caught:
        observe(town, **changed)
    assert caught.value.code == code
    assert town.state.evidence == []
