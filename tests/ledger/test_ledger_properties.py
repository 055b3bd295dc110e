"""Whatever is written verifies; whatever is changed afterwards is caught."""

from __future__ import annotations

import json
import shutil
import sqlite3
import string
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import rfc8785
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from shinrai.errors import ShinraiError
from shinrai.ledger import Entry, Ledger, State, create, fold, project
from shinrai.ledger.chain import Link, find_fault, link_hash, read_entry, read_json, read_payload, seal
from shinrai.ledger.verify import SELF_CONTAINED
from shinrai.records import (
    Acceptance,
    Action,
    ActionApplied,
    Attestation,
    Change,
    Commitment,
    Committed,
    Counts,
    Endpoint,
    EvidenceBrought,
    FindingClosed,
    FindingOpened,
    Guard,
    Instructions,
    Judged,
    LedgerOpened,
    Observation,
    Payload,
    Price,
    Ruled,
    Ruling,
    RunFinished,
    RunStarted,
    System,
    SystemRecorded,
    SystemVersion,
    Text,
    TracePoint,
    Verdict,
    Withdrawn,
    digest_bytes,
)

URL = "sqlite:///ledger.db"

texts = st.text(max_size=20).map(lambda text: text.encode("utf-8", "ignore").decode())
ids = st.sampled_from(["assistant", "screening", "a.1", "0"])
claims = st.sampled_from(["plan/goal/measure/one", "計画/目標/施策/二"])
runs = st.sampled_from(["run-1", "run-2"])
findings = st.sampled_from(["finding-1", "finding-2"])
digests = st.integers(0, 2**256 - 1).map(lambda number: f"sha256:{number:064x}")
reals = st.floats(allow_nan=False, allow_infinity=False)
language_maps = st.builds(Text, ja=texts.filter(bool), en=st.none() | texts)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | reals | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
details = st.dictionaries(texts, json_values, max_size=3)
counts = st.builds(Counts, passed=st.integers(0, 9), failed=st.integers(0, 9))
verdicts = st.builds(
    Verdict,
    commitment=digests,
    claim=claims,
    system=ids,
    status=st.sampled_from(["met", "violated", "undecided", "not_measured"]),
    reason=st.sampled_from(["decided", "no-data"]),
    counts=counts,
    groups=st.none() | st.dictionaries(texts, counts, max_size=2),
    estimate=st.none() | reals,
    evidence_met=reals,
    trace=st.lists(
        st.builds(TracePoint, n=st.integers(0, 99), evidence_met=reals, evidence_violated=reals), max_size=3
    ).map(tuple),
    note=st.none() | language_maps,
    details=details,
)
commitments = st.builds(
    Commitment,
    claim=claims,
    system=ids,
    fingerprint=digests,
    check=ids,
    check_version=texts,
    title=language_maps,
    statement=language_maps,
    metric=st.just("failure-rate"),
    comparator=st.just("at-most"),
    threshold=reals,
    alpha=reals,
    budget=st.integers(0, 99),
    order_seed=st.integers(0, 2**53 - 1),
    due=st.none() | st.dates(),
)
endpoints = st.builds(
    Endpoint,
    type=st.just("endpoint"),
    id=st.just("model"),
    url=st.just("http://127.0.0.1/v1"),
    model=texts,
    price=st.none()
    | st.builds(
        Price,
        input=st.decimals(0, 99, allow_nan=False),
        output=st.decimals(0, 99, places=3, allow_nan=False),
        currency=st.just("JPY"),
    ),
)
guards = st.builds(Guard, type=st.just("guard"), id=st.just("guard"), path=texts, parameters=details)
systems = st.builds(
    System,
    id=ids,
    title=language_maps,
    kind=st.just("chat"),
    purpose=language_maps,
    owner=st.just("it"),
    human_review=st.booleans(),
    secrets=st.lists(texts, max_size=2).map(tuple),
    stack=st.tuples(guards, st.builds(Instructions, type=st.just("instructions"), id=st.just("i"), text=texts)).flatmap(
        lambda front: endpoints.map(lambda model: (*front, model))
    ),
)
versions = st.builds(
    SystemVersion,
    system=systems,
    number=st.integers(1, 9),
    fingerprint=digests,
    files=st.dictionaries(texts, digests, max_size=2),
)
actions = st.builds(
    Action,
    id=ids,
    title=language_maps,
    owner=st.just("it"),
    addresses=st.just(("plan/goal/measure/one@assistant",)),
    accept=st.builds(Acceptance, role=st.just("mayor"), until=st.dates(), reason=language_maps),
) | st.builds(
    Action,
    id=ids,
    title=language_maps,
    owner=st.just("it"),
    addresses=st.just(("plan/goal/measure/one@assistant",)),
    change=guards.map(lambda guard: Change(system="assistant", add=(guard,))),
)
evidence = st.builds(
    Observation, subject=texts, value=reals, unit=texts, as_of=st.dates(), source=texts.filter(bool)
) | st.builds(
    Attestation,
    subject=texts,
    name=texts,
    file=ids,
    file_digest=st.just(digest_bytes(b"a document")),
    by=st.just("it"),
    effective=st.dates(),
    valid_until=st.none() | st.dates(),
)
payloads: st.SearchStrategy[Payload] = st.one_of(
    st.builds(SystemRecorded, version=versions),
    st.builds(
        Ruled,
        ruling=st.builds(
            Ruling, claim=claims, system=ids, applies=st.booleans(), rule=st.just("named"), reason=language_maps
        ),
    ),
    st.builds(Committed, commitment=commitments, replaces=st.none() | digests),
    st.builds(Withdrawn, commitment=digests, claim=claims, system=ids),
    st.builds(EvidenceBrought, evidence=evidence),
    st.builds(
        RunStarted,
        run=runs,
        system=ids,
        fingerprint=digests,
        commitments=st.lists(digests, max_size=2).map(tuple),
        directory=st.just("runs"),
    ),
    st.builds(
        RunFinished,
        run=runs,
        end=st.just("complete"),
        files=st.just({}),
        calls=st.integers(0, 99),
        details=details,
    ),
    st.builds(Judged, verdict=verdicts),
    st.builds(FindingOpened, finding=findings, claim=claims, system=ids, owner=st.just("it"), verdict=digests),
    st.builds(FindingClosed, finding=findings, verdict=digests),
    st.builds(ActionApplied, action=actions, findings=st.lists(findings, max_size=2).map(tuple)),
)


def _named(payload: Payload) -> set[str]:
    """Give the runs and findings that must have begun before."""
    match payload:
        case RunFinished(run=run):
            return {run}
        case FindingClosed(finding=finding):
            return {finding}
        case ActionApplied(findings=found):
            return set(found)
        case _:
            return set()


def _without_dangling(drawn: list[Payload]) -> list[Payload]:
    begun: set[str] = set()
    kept = []
    for payload in drawn:
        if isinstance(payload, RunStarted):
            begun.add(payload.run)
        if isinstance(payload, FindingOpened):
            begun.add(payload.finding)
        if _named(payload) <= begun:
            kept.append(payload)
    return kept


sequences = st.lists(payloads, min_size=1, max_size=12).map(_without_dangling)


def _chain(sequence: list[Payload], steps: list[int]) -> list[Link]:
    """Seal payloads under a clock that moves by so many milliseconds, back as well as on."""
    now = datetime(2026, 4, 1, tzinfo=UTC)
    links: list[Link] = []
    for number, payload in enumerate([LedgerOpened(workspace="w", public_key="0" * 64), *sequence]):
        now += timedelta(milliseconds=steps[number % len(steps)])
        links.append(seal(payload, links[-1] if links else None, now))
    return links


@given(sequences, st.lists(st.integers(-5_000, 5_000), min_size=1, max_size=5))
def test_any_chain_is_sound_and_reads_back_as_it_was_written(sequence: list[Payload], steps: list[int]) -> None:
    links = _chain(sequence, steps)
    before = None
    for link, payload in zip(links[1:], sequence, strict=True):
        entry = read_entry(link)
        assert type(entry.payload) is type(payload)
        assert rfc8785.dumps(entry.payload.to_json()) == link.payload.encode() == rfc8785.dumps(payload.to_json())
    for link in links:
        assert find_fault(link, before) is None
        before = link


@given(payloads)
def test_a_payload_is_read_alike_from_its_text_and_from_its_value(payload: Payload) -> None:
    text = payload.canonical().decode()
    read = TypeAdapter[Payload](Payload).validate_python(read_json(text))
    assert read_payload(text) == read
    assert read_payload(text).canonical() == read.canonical()


@given(payloads)
def test_what_verification_does_not_remember_needs_no_memory(payload: Payload) -> None:
    """A kind that comes to name an earlier entry must leave the list."""
    if isinstance(payload, SELF_CONTAINED):
        assert fold(State(), [Entry(1, "", "", "", payload)]).head is not None


@given(sequences, st.lists(st.integers(-5_000, 5_000), min_size=1, max_size=5))
def test_the_hash_is_that_of_the_canonical_json_of_the_whole(sequence: list[Payload], steps: list[int]) -> None:
    for link in _chain(sequence, steps):
        fields = link._asdict() | {"payload": json.loads(link.payload, parse_int=_double_if_long)}
        del fields["hash"]
        if fields["clock"] is None:
            del fields["clock"]
        assert rfc8785.dumps(fields) == _hashed_text(link)


def _double_if_long(digits: str) -> int | float:
    return int(digits) if abs(int(digits)) < 2**53 else float(digits)


def _hashed_text(link: Link) -> bytes:
    """Catch the bytes whose SHA-256 a link carries on their way into the hash."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shinrai.ledger.chain.digest_bytes", bytes.decode)
        return link_hash(link).encode()


@given(sequences, st.data())
def test_folding_in_two_parts_is_folding_at_once(sequence: list[Payload], data: st.DataObject) -> None:
    entries = [read_entry(link) for link in _chain(sequence, [1])]
    cut = data.draw(st.integers(0, len(entries)))
    whole = project(entries)
    first = project(entries[:cut])
    kept = first.copy()
    assert fold(first.copy(), entries[cut:]) == whole
    assert first == kept == project(entries[:cut]), "folding on into a copy changed the state it was copied from"
    assert fold(first, entries[cut:]) == whole


@given(sequences, st.data())
def test_the_fold_depends_on_order_and_nothing_else(sequence: list[Payload], data: st.DataObject) -> None:
    entries = [read_entry(link) for link in _chain(sequence, [1])]
    state = project(entries)
    assert state.head is entries[-1]
    assert sum(len(history) for history in state.history.values()) == _count(entries, Committed)
    assert sum(len(judged) for judged in state.judgements.values()) == _count(entries, Judged)
    assert len(state.evidence) == _count(entries, EvidenceBrought)
    assert set(state.promises) <= set(state.history)
    today = data.draw(st.dates(date(2000, 1, 1), date(2100, 1, 1)))
    assert [claim.key for claim in state.claims(today)] == list(state.rulings)


def _count(entries: list[Entry], kind: type) -> int:
    return sum(isinstance(entry.payload, kind) for entry in entries)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(sequences, st.integers(1, 4))
def test_whatever_is_appended_verifies(
    tmp_path_factory: pytest.TempPathFactory, sequence: list[Payload], batch: int
) -> None:
    root = tmp_path_factory.mktemp("w")
    for payload in sequence:
        if isinstance(payload, EvidenceBrought) and isinstance(payload.evidence, Attestation):
            (root / payload.evidence.file).write_text("a document", encoding="utf-8")
    with create(URL, root, "w") as ledger:
        appended = [
            entry
            for start in range(0, len(sequence), batch)
            for entry in ledger.append(*sequence[start : start + batch])
        ]
        assert list(ledger.entries(after=1)) == appended
        assert ledger.state() == project(ledger.entries())
        ledger.checkpoint()
        result = ledger.verify(root)
        assert result.faults == ()
        assert (result.entries, result.signed_until) == (len(sequence) + 1, len(sequence) + 1)
    with Ledger.open(URL, root=root) as again:
        assert again.state() == project(again.entries())


# --- tampering ---


def _examples() -> list[Payload]:
    reason = Text(ja="名指し", en="named")
    ruling = Ruling(claim="p/g/m/c", system="assistant", applies=True, rule="named", reason=reason)
    verdict = Verdict(
        commitment="sha256:" + "a" * 64,
        claim="p/g/m/c",
        system="assistant",
        status="violated",
        reason="decided",
        estimate=0.25,
        evidence_violated=1e21,
        details={"note": "𠮷野家\u0000\u2028", "big": 1e20},
    )
    return [
        Ruled(ruling=ruling),
        RunStarted(run="r", system="assistant", fingerprint="sha256:" + "b" * 64, commitments=(), directory="runs/r"),
        RunFinished(run="r", end="complete", files={}, calls=3),
        Judged(verdict=verdict),
        FindingOpened(finding="f", claim="p/g/m/c", system="assistant", owner="it", verdict="sha256:" + "c" * 64),
        FindingClosed(finding="f", verdict="sha256:" + "d" * 64),
    ]


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a workspace whose ledger holds a clock set back, two checkpoints and no triggers."""
    root = tmp_path_factory.mktemp("sealed")
    times = iter([datetime(2026, 4, 1, 9, tzinfo=UTC)] * 4 + [datetime(2026, 3, 1, tzinfo=UTC)] * 20)
    with Ledger.create(URL, root, "town", clock=lambda: next(times)) as ledger:
        for payload in _examples():
            ledger.append(payload)
        ledger.checkpoint()
    with sqlite3.connect(root / "ledger.db") as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
    connection.close()
    return root


@pytest.fixture
def opened(sealed: Path) -> Iterator[tuple[sqlite3.Connection, Ledger]]:
    connection = sqlite3.connect(sealed / "ledger.db", isolation_level=None)
    connection.execute("PRAGMA synchronous=OFF")
    with Ledger.open(URL, root=sealed) as ledger:
        assert ledger.verify(sealed).ok
        yield connection, ledger
        assert ledger.verify(sealed).ok, "a test did not put back what it changed"
    connection.close()


COLUMNS = [("entries", name) for name in Link._fields] + [
    ("checkpoints", name) for name in ("seq", "hash", "at", "signature")
]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_change_of_any_byte_of_any_column_is_caught(
    opened: tuple[sqlite3.Connection, Ledger], data: st.DataObject
) -> None:
    connection, ledger = opened
    table, column = data.draw(st.sampled_from(COLUMNS))
    rows = connection.execute(f"SELECT rowid, CAST({column} AS BLOB) FROM {table} ORDER BY rowid").fetchall()  # noqa: S608 - names from the list above
    row, value = data.draw(st.sampled_from(rows))
    if column == "seq":
        changed = str(data.draw(st.integers(-3, 12).filter(lambda seq: seq != row and seq not in dict(rows)))).encode()
    else:
        place = data.draw(st.integers(0, len(value or b" ") - 1))
        byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != (value or b"\0")[place]))
        changed = (value or b" ")[:place] + bytes([byte]) + (value or b" ")[place + 1 :]
    connection.execute("BEGIN")
    kind = "INTEGER" if column == "seq" else "TEXT"
    connection.execute(f"UPDATE {table} SET {column} = CAST(? AS {kind}) WHERE rowid = ?", (changed, row))  # noqa: S608 - names from the list above
    connection.execute("COMMIT")
    try:
        result = ledger.verify()
        assert not result.ok, (table, column, row, value, changed)
        assert result.first is not None
        assert result.first.message
        assert result.first.expected != result.first.found
        if table == "entries" and column != "seq":
            assert result.first.seq == row
    finally:
        new = int(changed) if column == "seq" else row
        restored = int(value) if column == "seq" else value
        cast = "?" if value is None else f"CAST(? AS {kind})"
        connection.execute(f"UPDATE {table} SET {column} = {cast} WHERE rowid = ?", (restored, new))  # noqa: S608 - names from the list above


Rows = list[tuple[object, ...]]


def _replace_all(connection: sqlite3.Connection, rows: Rows) -> None:
    connection.execute("BEGIN")
    connection.execute("DELETE FROM entries")
    connection.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?)", rows)
    connection.execute("COMMIT")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), renumber=st.booleans(), rehash=st.booleans())
def test_removed_moved_and_inserted_entries_are_caught(
    opened: tuple[sqlite3.Connection, Ledger], data: st.DataObject, renumber: bool, rehash: bool
) -> None:
    connection, ledger = opened
    original = connection.execute("SELECT * FROM entries ORDER BY seq").fetchall()
    rows = list(original)
    match data.draw(st.sampled_from(["remove", "cut", "move", "insert", "repeat"])):
        case "remove":
            del rows[data.draw(st.integers(0, len(rows) - 1))]
        case "cut":
            del rows[data.draw(st.integers(0, len(rows) - 1)) :]
        case "move":
            order = data.draw(st.permutations(range(len(rows))))
            assume(order != sorted(order))
            rows = [rows[number] for number in order]
            renumber = True
        case "insert":
            extra = seal(data.draw(payloads), Link(*rows[-1]), datetime.now(UTC))
            place = data.draw(st.integers(0, len(rows) - 1))
            rows.insert(place, tuple(extra))
            renumber = True
        case _:  # not the last: signed by nobody, that would be an entry like any other
            place = data.draw(st.integers(0, len(rows) - 2))
            rows.insert(place, rows[place])
            renumber = True
    links = [Link(*row) for row in rows]
    if renumber or rehash or len({link.seq for link in links}) < len(links):
        links = [link._replace(seq=number) for number, link in enumerate(links, 1)]
    if rehash:  # a forger without the private key can make the chain fit, but not the checkpoints
        before = None
        for number, link in enumerate(links):
            relinked = link._replace(previous=before.hash if before else "sha256:" + "0" * 64)
            before = links[number] = relinked._replace(hash=link_hash(relinked))
    _replace_all(connection, [tuple(link) for link in links])
    try:
        result = ledger.verify()
        assert not result.ok
        assert result.first is not None
    finally:
        _replace_all(connection, original)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_flipped_byte_in_the_file_is_seen_or_changes_nothing(
    sealed: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    root = sealed.parent / "flipped"
    if not root.exists():
        shutil.copytree(sealed, root)
    for leftover in root.glob("ledger.db*"):
        leftover.unlink()
    content = bytearray((sealed / "ledger.db").read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    (root / "ledger.db").write_bytes(content)
    with Ledger.open(URL, root=sealed) as ledger:
        truth = list(ledger.entries())
    try:
        with Ledger.open(URL, root=root) as ledger:
            seen = not ledger.verify(root).ok
            unharmed = not seen and list(ledger.entries()) == truth
    except ShinraiError:
        seen, unharmed = True, False
    assert seen or unharmed


def test_the_letters_of_a_hash_are_lower_case_only(opened: tuple[sqlite3.Connection, Ledger]) -> None:
    connection, ledger = opened
    (signature,) = connection.execute("SELECT signature FROM checkpoints ORDER BY seq LIMIT 1").fetchone()
    assert set(signature) <= set(string.hexdigits.lower())
    connection.execute("UPDATE checkpoints SET signature = upper(signature) WHERE seq = 1")
    result = ledger.verify()
    connection.execute("UPDATE checkpoints SET signature = lower(signature) WHERE seq = 1")
    assert [fault.code for fault in result.faults] == ["signature"]


def test_an_empty_state_is_the_fold_of_nothing() -> None:
    assert project([]) == State()
