"""What `verify` sees, and how it says so."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from shinrai.errors import StoreError, TamperedError, UsageError
from shinrai.ledger import Ledger, Verification, create, make_key_pair
from shinrai.ledger.chain import FIRST, Link, link_hash, seal
from shinrai.ledger.keys import private_key
from shinrai.records import (
    Attestation,
    EvidenceBrought,
    FindingClosed,
    Import,
    LedgerOpened,
    RunFinished,
    RunStarted,
    digest_bytes,
)
from tests.ledger.conftest import Store, ruled

CALLS = ".shinrai/runs/r1/calls.jsonl"
TRIALS = ".shinrai/runs/r1/trials.jsonl"
KEPT = ".shinrai/evidence/abc-decisions.csv"
MIRROR = Path(".shinrai/checkpoint.json")


def started(run: str) -> RunStarted:
    return RunStarted(run=run, system="assistant", fingerprint=FIRST, commitments=(), directory=f".shinrai/runs/{run}")


def write(path: Path, content: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return digest_bytes(content.encode())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def ledger(store: Store, root: Path) -> Iterator[Ledger]:
    """Entries: 1 opened, 2 run started, 3 run finished, 4 import, 5 run started, 6 ruled; checkpoints at 1 and 6."""
    with create(store.url, root, "town") as opened:
        opened.append(started("r1"))
        files = {CALLS: write(root / CALLS, "call\n"), TRIALS: write(root / TRIALS, "trial\n")}
        opened.append(RunFinished(run="r1", end="complete", files=files, calls=1))
        kept = Import(
            format="decisions",
            system="assistant",
            name="decisions.csv",
            file=KEPT,
            file_digest=write(root / KEPT, "id\n1\n"),
            rows=1,
            first=date(2026, 4, 1),
        )
        opened.append(EvidenceBrought(evidence=kept))
        opened.append(started("r2"))
        write(root / ".shinrai/runs/r2/calls.jsonl", "half a li")
        opened.append(ruled("a"))
        opened.checkpoint()
        yield opened


def found(result: Verification) -> list[tuple[int, str | None, str]]:
    return [(fault.seq, fault.kind, fault.code) for fault in result.faults]


def test_all_in_order_counts_what_was_checked(ledger: Ledger, root: Path) -> None:
    result = ledger.verify(root)
    assert result.ok
    assert result.first is None
    assert (result.entries, result.files, result.checkpoints, result.signed_until) == (6, 3, 2, 6)
    assert result.head == ledger.head.hash
    assert result.not_yet_fixed == (".shinrai/runs/r2/calls.jsonl",)
    result.require()
    assert result.summary().splitlines() == [
        "everything matches: 6 entries, 3 files, 2 signatures",
        "signed up to entry 6",
        "not yet fixed, their run has not ended: .shinrai/runs/r2/calls.jsonl",
    ]
    assert json.loads(json.dumps(result.to_json()))["ok"] is True
    ledger.append(ruled("b"))
    assert ledger.verify(root).signed_until == 6, "the newest entry is not signed yet"


def test_a_hand_edit_is_named(store: Store, ledger: Ledger, root: Path) -> None:
    store.edit("UPDATE entries SET payload = replace(payload, '\"calls\":1', '\"calls\":2') WHERE seq = 3")
    result = ledger.verify(root)
    assert found(result) == [(3, "run-finished", "hash")]
    assert result.first is not None
    assert "Entry 3" in result.first.message
    assert result.first.message in result.summary()
    assert result.first.found in result.summary()
    assert result.to_json()["ok"] is False
    with pytest.raises(TamperedError, match="Entry 3") as caught:
        result.require()
    assert caught.value.code == "ledger.hash"
    assert caught.value.exit_code == 4


def test_nothing_is_derived_from_or_added_to_a_ledger_that_does_not_add_up(
    store: Store, ledger: Ledger, root: Path
) -> None:
    store.edit("UPDATE entries SET payload = replace(payload, 'named', 'kind') WHERE seq = 6")
    with Ledger.open(store.url, root=root) as again:
        for act in (again.state, lambda: list(again.entries()), lambda: again.append(ruled("b")), again.checkpoint):
            with pytest.raises(TamperedError, match="Entry 6"):
                act()
        with pytest.raises(TamperedError, match="Entry 6"):
            _ = again.head
    with pytest.raises(TamperedError), Ledger.open(store.url, root=root) as again:
        list(again.entries(after=5))
    # Also in a process that had read the entry while it was still good.
    with pytest.raises(TamperedError):
        ledger.append(ruled("b"))


def test_a_run_file_that_is_missing_or_edited_is_named(ledger: Ledger, root: Path) -> None:
    (root / TRIALS).write_text("Trial\n")
    (root / CALLS).unlink()
    result = ledger.verify(root)
    assert found(result) == [(3, "run-finished", "file")] * 2
    messages = " ".join(fault.message for fault in result.faults)
    assert f"{CALLS}, which entry 3 fixed, is missing" in messages
    assert f"{TRIALS} has been changed" in messages
    assert {fault.expected for fault in result.faults} == {digest_bytes(b"call\n"), digest_bytes(b"trial\n")}


def test_a_file_that_cannot_be_read_is_not_taken_for_good(ledger: Ledger, root: Path) -> None:
    (root / CALLS).unlink()
    (root / CALLS).mkdir()
    assert found(ledger.verify(root)) == [(3, "run-finished", "file")]


def test_the_kept_copy_of_a_document_is_checked(ledger: Ledger, root: Path) -> None:
    file = ".shinrai/evidence/contract.pdf"
    document = Attestation(
        subject="contract",
        name="contract.pdf",
        file=file,
        file_digest=write(root / file, "a person decides"),
        by="office",
        effective=date(2026, 4, 1),
    )
    (entry,) = ledger.append(EvidenceBrought(evidence=document))
    assert ledger.verify(root).ok
    write(root / file, "nobody decides")
    assert found(ledger.verify(root)) == [(entry.seq, "evidence-brought", "file")]


def test_the_kept_copy_of_an_import_is_checked(ledger: Ledger, root: Path) -> None:
    (root / KEPT).write_text("id\n2\n")
    assert found(ledger.verify(root)) == [(4, "evidence-brought", "file")]
    (root / KEPT).unlink()
    assert found(ledger.verify(root)) == [(4, "evidence-brought", "file")]


@pytest.mark.parametrize("name", ["../outside.txt", "/etc/hostname", ".shinrai/../../outside.txt"])
def test_a_file_outside_the_workspace_is_not_opened(ledger: Ledger, root: Path, name: str) -> None:
    digest = write(root.parent / "outside.txt", "x")
    ledger.append(RunFinished(run="r2", end="complete", files={name: digest}, calls=0))
    assert found(ledger.verify(root)) == [(7, "run-finished", "file")]


def test_the_run_files_of_another_copy_of_the_workspace(ledger: Ledger, root: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(root, copy, ignore=shutil.ignore_patterns("copy"))
    (copy / CALLS).write_text("other\n")
    assert ledger.verify(root).ok
    assert found(ledger.verify(copy)) == [(3, "run-finished", "file")]


# --- the end of the table ---


def test_a_tail_cut_off_with_its_checkpoints_is_seen(store: Store, ledger: Ledger, root: Path) -> None:
    store.edit("DELETE FROM entries WHERE seq > 4", "DELETE FROM checkpoints WHERE seq > 1")
    result = ledger.verify(root)
    assert found(result) == [(6, "checkpoint", "cut-off")]
    assert result.signed_until == 1


def test_a_tail_that_was_cut_off_is_not_grown_again(store: Store, ledger: Ledger, root: Path) -> None:
    store.edit("DELETE FROM entries WHERE seq > 4", "DELETE FROM checkpoints WHERE seq > 1")
    kept = (root / MIRROR).read_bytes()
    with Ledger.open(store.url, root=root) as again:
        for act in (lambda: again.append(ruled("b"), ruled("c")), again.checkpoint):
            with pytest.raises(TamperedError) as caught:
                act()
            assert caught.value.code == "ledger.cut-off"
    with pytest.raises(TamperedError):
        ledger.append(ruled("b"))  # in a process that had seen the tail
    assert (root / MIRROR).read_bytes() == kept


def test_a_tail_replaced_by_another_is_seen(store: Store, ledger: Ledger, root: Path) -> None:
    links = store.links()
    other = seal(ruled("forged"), links[4], datetime.now(UTC))
    store.edit("DELETE FROM entries WHERE seq = 6")
    store.insert(other)
    assert found(ledger.verify(root)) == [(6, "checkpoint", "checkpoint")]


def test_an_emptied_table_is_seen(store: Store, ledger: Ledger, root: Path) -> None:
    store.edit("DELETE FROM entries", "DELETE FROM checkpoints")
    assert found(ledger.verify(root)) == [(6, "checkpoint", "cut-off")]
    with Ledger.open(store.url, root=root) as again, pytest.raises(TamperedError):
        _ = again.head


def test_a_checkpoint_taken_out_of_the_table_is_seen(store: Store, ledger: Ledger, root: Path) -> None:
    store.edit("DELETE FROM checkpoints WHERE seq = 6")
    assert found(ledger.verify(root)) == [(6, "checkpoint", "checkpoint")]


def test_a_dropped_table_is_a_fault_and_not_a_crash(store: Store, ledger: Ledger, root: Path) -> None:
    store.edit("DROP TABLE entries")
    assert (1, None, "store") in found(ledger.verify(root))


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_schema_that_is_no_text_is_a_fault_and_not_a_crash(store: Store, ledger: Ledger, root: Path) -> None:
    """The message of the database's own error is no text then either."""
    ledger.close()
    content = (root / "ledger.db").read_bytes()
    (root / "ledger.db").write_bytes(
        content.replace(b"CREATE TRIGGER entries_update", b"CREATE TRIGGER \xa0ntries_update")
    )
    with pytest.raises(StoreError) as caught, Ledger.open(store.url, root=root) as again:
        again.state()
    assert caught.value.code == "ledger.damaged"
    assert found(ledger.verify(root))[0] == (1, None, "store")


# --- the copy beside the database ---


def test_a_missing_copy_is_seen_and_made_again_by_the_next_checkpoint(ledger: Ledger, root: Path) -> None:
    (root / MIRROR).unlink()
    assert found(ledger.verify(root)) == [(6, "checkpoint", "checkpoint")]
    ledger.checkpoint()
    assert ledger.verify(root).ok


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b"\xff", b'{"seq": true}', b'{"seq": "6", "hash": "", "at": "", "signature": ""}']
)
def test_a_copy_that_is_no_checkpoint_is_seen(ledger: Ledger, root: Path, content: bytes) -> None:
    (root / MIRROR).write_bytes(content)
    assert found(ledger.verify(root)) == [(0, "checkpoint", "checkpoint")]
    with pytest.raises(TamperedError) as caught:
        ledger.checkpoint()
    assert caught.value.code == "ledger.checkpoint-unreadable"


@pytest.mark.parametrize(("field", "value"), [("seq", 5), ("hash", FIRST), ("at", "2020"), ("signature", "00" * 64)])
def test_a_copy_that_was_edited_is_seen(ledger: Ledger, root: Path, field: str, value: object) -> None:
    fields = json.loads((root / MIRROR).read_text())
    (root / MIRROR).write_text(json.dumps(fields | {field: value}))
    assert {fault.code for fault in ledger.verify(root).faults} == {"signature"}


def test_a_checkpoint_is_made_once_for_an_entry(ledger: Ledger, root: Path) -> None:
    first = ledger.checkpoint()
    content = (root / MIRROR).read_bytes()
    assert ledger.checkpoint() == first
    assert (root / MIRROR).read_bytes() == content
    assert json.loads(content) == first.to_json()
    assert ledger.verify(root).checkpoints == 2


# --- keys ---


def test_another_public_key_in_the_workspace_is_seen(ledger: Ledger, root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    make_key_pair(other)
    shutil.copy(other / "ledger.pub", root / "ledger.pub")
    result = ledger.verify(root)
    assert result.first is not None
    assert (result.first.seq, result.first.code) == (1, "key")
    assert {fault.code for fault in result.faults} == {"key", "signature"}
    assert result.signed_until == 0


@pytest.mark.parametrize("content", [None, "", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"])
def test_without_a_public_key_nothing_is_taken_for_signed(ledger: Ledger, root: Path, content: str | None) -> None:
    (root / "ledger.pub").unlink()
    if content is not None:
        (root / "ledger.pub").write_text(content)
    result = ledger.verify(root)
    assert found(result) == [(0, None, "key")]
    assert result.signed_until == 0


def test_a_forger_with_a_key_of_his_own_is_seen(ledger: Ledger, root: Path, tmp_path: Path) -> None:
    """The whole is written anew, properly chained and signed; only the public key in version control is the old one."""
    forged = tmp_path / "forged"
    forged.mkdir()
    with create("sqlite:///ledger.db", forged, "town") as other:
        other.append(ruled("nicer"))
        other.checkpoint()
        assert other.verify(forged).ok
        shutil.copy(root / "ledger.pub", forged / "ledger.pub")
        result = other.verify(forged)
    assert result.first is not None
    assert result.first.code == "key"


def test_only_the_ledgers_own_key_signs(store: Store, ledger: Ledger, root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    make_key_pair(other)
    with Ledger.open(store.url, root=root, key=other / ".shinrai/keys/ledger.key") as again:
        with pytest.raises(UsageError) as caught:
            again.checkpoint()
        assert caught.value.code == "ledger.other-key"
    (root / ".shinrai/keys/ledger.key").write_text("not a key")
    with pytest.raises(UsageError) as caught:
        ledger.checkpoint()
    assert caught.value.code == "ledger.unreadable-key"
    (root / ".shinrai/keys/ledger.key").unlink()
    ledger.append(ruled("b"))
    assert ledger.verify(root).ok, "appending and verifying need no private key"
    with pytest.raises(UsageError) as caught:
        ledger.checkpoint()
    assert caught.value.code == "ledger.no-key"
    with pytest.raises(UsageError):
        private_key(root / "ledger.pub")


# --- entries that fit their hashes but not the rules ---


def rechain(store: Store, links: list[Link]) -> None:
    """Write links with hashes that fit, as a program with a mistake would, and forget the checkpoints."""
    rows: list[Link] = []
    for number, link in enumerate(links, 1):
        fitted = link._replace(seq=number, previous=rows[-1].hash if rows else FIRST)
        rows.append(fitted._replace(hash=link_hash(fitted)))
    store.edit("DELETE FROM entries", "DELETE FROM checkpoints")
    store.insert(*rows)
    (store.root / MIRROR).unlink()


def entry_faults(ledger: Ledger) -> list[tuple[int, str | None, str]]:
    return [item for item in found(ledger.verify()) if item[1] != "checkpoint"]


def test_json_that_is_not_canonical_is_seen(store: Store, ledger: Ledger, root: Path) -> None:
    links = store.links()
    links[5] = links[5]._replace(payload=json.dumps(json.loads(links[5].payload)))
    rechain(store, links)
    assert entry_faults(ledger) == [(6, "ruled", "canonical")]


@pytest.mark.parametrize("text", ["\\ud800", "\x9b31m"])
def test_text_that_no_terminal_should_see_is_shown_as_its_codes(
    store: Store, ledger: Ledger, root: Path, text: str
) -> None:
    links = store.links()
    links[5] = links[5]._replace(payload=links[5].payload.replace('"en":"n"', f'"en": "{text}"'))
    rechain(store, links)
    assert entry_faults(ledger) == [(6, "ruled", "canonical")]
    assert ledger.verify().summary().isascii()


@pytest.mark.parametrize("name", ["a\0b", "\x1b[31mred"])
def test_a_name_that_no_file_can_have_is_a_missing_file(ledger: Ledger, root: Path, name: str) -> None:
    ledger.append(RunFinished(run="r2", end="complete", files={name: FIRST}, calls=0))
    result = ledger.verify(root)
    assert found(result) == [(7, "run-finished", "file")]
    assert all(line.isprintable() for line in result.summary().splitlines())


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        ('{"kind":"ruled"}', "ruled"),
        ('{"kind":"surprise"}', "surprise"),
        ("[1]", None),
        ("{", None),
        ('{"kind":"ruled","x":NaN}', None),
        ("[" * 100_000, None),
    ],
)
def test_contents_of_no_known_kind_are_seen(
    store: Store, ledger: Ledger, root: Path, payload: str, kind: str | None
) -> None:
    links = store.links()
    rechain(store, [*links[:5], links[5]._replace(payload=payload)])
    assert entry_faults(ledger) == [(6, kind, "payload")]
    with Ledger.open(store.url, root=root) as again, pytest.raises(TamperedError, match="entry 6"):
        again.state()


def test_a_ledger_that_does_not_begin_at_its_beginning_is_seen(store: Store, ledger: Ledger, root: Path) -> None:
    links = store.links()
    rechain(store, links[1:])
    assert entry_faults(ledger) == [(1, "run-started", "order")]
    opened = LedgerOpened(workspace="town", public_key="0" * 64)
    (root / MIRROR).touch()
    rechain(store, [*links, seal(opened, links[-1], datetime.now(UTC))])
    assert (7, "ledger-opened", "order") in entry_faults(ledger)


def test_times_out_of_order_are_seen(store: Store, ledger: Ledger, root: Path) -> None:
    links = store.links()
    rechain(store, [*links[:5], links[5]._replace(at="2020-01-01T00:00:00.000Z")])
    assert entry_faults(ledger) == [(6, "ruled", "time")]


def test_an_entry_that_closes_what_was_never_opened_is_seen(store: Store, ledger: Ledger, root: Path) -> None:
    links = store.links()
    closed = FindingClosed(finding="never", verdict=FIRST)
    rechain(store, [*links, seal(closed, links[-1], datetime.now(UTC))])
    assert entry_faults(ledger) == [(7, "finding-closed", "reference")]
    with Ledger.open(store.url, root=root) as again, pytest.raises(TamperedError, match="never"):
        again.state()


def test_an_entry_rewritten_with_a_hash_that_fits_no_longer_fits_the_next(
    store: Store, ledger: Ledger, root: Path
) -> None:
    """The one after the rewritten entry is the first that shows it: its own hash still fits its own contents."""
    links = store.links()
    changed = links[3]._replace(at=links[2].at, payload=links[3].payload.replace('"rows":1', '"rows":2'))
    store.edit("DELETE FROM entries WHERE seq = 4")
    store.insert(changed._replace(hash=link_hash(changed)))
    assert found(ledger.verify(root)) == [(5, "run-started", "link")]


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@pytest.mark.parametrize("column", ["at", "clock", "previous", "payload", "hash"])
def test_a_column_of_another_type_is_a_fault_and_not_a_crash(
    store: Store, ledger: Ledger, root: Path, column: str
) -> None:
    """STRICT tables refuse such a value; a damaged file, or a table made anew, does not."""
    store.edit(
        "CREATE TABLE loose AS SELECT * FROM entries",
        f"UPDATE loose SET {column} = CAST('2026' AS BLOB) WHERE seq = 4",  # noqa: S608 - names from the list above
        "DROP TABLE entries",
        "ALTER TABLE loose RENAME TO entries",
    )
    result = ledger.verify(root)
    assert result.first is not None
    assert (result.first.seq, result.first.code) == (4, "shape")
    assert json.dumps(result.to_json())


def test_what_comes_before_a_damaged_entry_is_folded_once_when_it_is_mended(
    store: Store, ledger: Ledger, root: Path
) -> None:
    with Ledger.open(store.url, root=root) as again:
        again.state()
        (kept, *_others) = (entry.payload for entry in ledger.entries(after=3))
        ledger.append(kept, ruled("b"))
        store.edit("UPDATE entries SET payload = replace(payload, 'named', 'kind') WHERE seq = 8")
        with pytest.raises(TamperedError, match="Entry 8"):
            again.state()
        store.edit("UPDATE entries SET payload = replace(payload, 'kind\",', 'named\",') WHERE seq = 8")
        assert again.verify(root).ok
        assert again.state() == ledger.state()
        assert len(again.state().evidence) == 2


def test_columns_cannot_be_shifted_into_one_another(store: Store, ledger: Ledger, root: Path) -> None:
    """The bytes under a hash are the columns put together: the same bytes cut elsewhere are not the same entry."""
    link = store.links()[5]
    shifted = link._replace(at=f'{link.at}","payload":{link.payload},"x":"', payload='"y"')
    store.edit("DELETE FROM entries WHERE seq = 6")
    store.insert(shifted._replace(hash=link_hash(shifted)))
    assert (6, None, "shape") in found(ledger.verify(root))
