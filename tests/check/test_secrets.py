"""A key goes to the endpoint and nowhere else, whatever comes back and whatever breaks."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import duckdb
import keyring
import keyring.backend
import keyring.errors
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shinrai.check.targets import secrets
from shinrai.check.targets.completions import MAX_REPLY
from shinrai.check.targets.secrets import SHORTEST_KEY, mask, read_key
from shinrai.cli import _explain, main
from shinrai.errors import TargetError
from shinrai.ledger import create
from shinrai.records import Endpoint
from tests.check.processes import Child
from tests.check.town import HERE, Town
from tests.servers.endpoint import Endpoint as Server
from tests.servers.endpoint import Reply, serving

KEY = 'sk-proj/Zz9+"quoted"=~x4711'
KEYS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=SHORTEST_KEY, max_size=60)


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Forget the keys of a test after it: what is masked is masked for the whole process."""
    before = dict(secrets._forms)
    yield
    secrets._forms.clear()
    secrets._forms.update(before)


def component(**changed: object) -> Endpoint:
    return Endpoint.model_validate(
        {"id": "m", "type": "endpoint", "url": "http://127.0.0.1:9/v1", "model": "m", **changed}
    )


def forms(key: str) -> list[str]:
    """Give the forms in which an endpoint could echo a header, made without the code under test."""
    header = f"Bearer {key}"
    return [
        key,
        header,
        urllib.parse.quote(key, safe=""),
        json.dumps({"h": header}),
        json.dumps(header).replace("/", "\\/"),
        *(base64.b64encode((lead + key + "tail").encode()).decode() for lead in ("", "a", "ab", "Bearer ")),
        base64.urlsafe_b64encode(key.encode()).decode(),
    ]


@given(KEYS, st.text(max_size=20), st.text(max_size=20))
def test_every_echo_of_a_key_is_masked(key: str, before: str, after: str) -> None:
    os.environ["TOWN_TEST_KEY"] = key
    try:
        assert read_key(component(key_env="TOWN_TEST_KEY")) == key
    finally:
        del os.environ["TOWN_TEST_KEY"]
    for form in forms(key):
        masked = mask(before + form + after)
        assert key not in masked
        assert form not in masked


def test_a_text_without_a_key_stays_as_it_is() -> None:
    text = "an ordinary reply, as long as any"
    assert mask(text) is text


def echoing(server_of: list[Server]) -> object:
    """Answer with the Authorization header in everything that an endpoint can say."""

    def behave(prompt: str, attempt: int) -> Reply:
        head = server_of[0].log.headers[-1]
        header = next(line for line in head.split("\r\n") if line.lower().startswith("authorization:"))
        number = int(prompt.split()[1])
        echo = forms(header.partition("Bearer ")[2])[number % 10]
        if number % 7 == 0 and attempt == 1:
            return Reply(status=500, body=f"<html>{header} {echo}</html>".encode())
        if number % 7 == 1:
            return Reply(status=422, body=("x" * (495 - number % 20) + header).encode())
        if number % 7 == 2:
            return Reply("y" * (MAX_REPLY - 10) + header)
        if number % 7 == 3 and attempt == 1:
            return Reply(headers=(("Content-Encoding", header.partition("Bearer ")[2]),))
        if number % 7 == 4 and attempt == 1:
            return Reply(body=f'{{"choices": [{{"message": {{"content": 1}}}}], "h": {json.dumps(header)}}}'.encode())
        return Reply(f"yes, and you said {header} and {echo}", headers=(("X-Echo", header.partition(" ")[2]),))

    return behave


def written(root: Path) -> Iterator[tuple[Path, bytes]]:
    """Every file, and what is packed inside of those that are packed."""
    for path in sorted(root.rglob("*")):
        if path.is_file():
            yield path, path.read_bytes() + (_unpacked(path) if path.suffix == ".parquet" else b"")


def _unpacked(path: Path) -> bytes:
    rows = duckdb.execute("SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
    return "\n".join(str(cell) for row in rows for cell in row).encode()


CLI = """
import sys
from shinrai.cli import main
main(sys.argv[1:])
"""


def shinrai(root: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "TOWN_KEY": KEY, "TMPDIR": str(root / "tmp")}
    process = Child(main, ["-C", str(root), "--lang", "en", *arguments], environment=environment)
    out, errors = process.communicate(timeout=120)
    return subprocess.CompletedProcess(arguments, process.returncode or 0, out.encode(), errors.encode())


def workspace(root: Path, url: str) -> None:
    (root / "tmp").mkdir()
    files = {
        "shinrai.yaml": "id: town\nname: {en: Town}\norder_seed: 7\nallowed_hosts: [127.0.0.1]\n",
        "plans/plan.yaml": "id: plan\ntitle: {en: P}\nowner: office\ngoals:\n  - id: goal\n    title: {en: G}\n"
        "    measures:\n      - id: measure\n        title: {en: M}\n        owner: office\n        claims:\n"
        "          - check: says-yes\n",
        "checks/says-yes.yaml": "id: says-yes\ntitle: {en: Y}\nstatement: {en: Says yes}\napplies_to: chat\n"
        "metric: failure-rate\ncomparator: at-most\nthreshold: 0.5\ndata: {file: data/prompts.jsonl}\n"
        "scorer: {id: includes, text: 'yes'}\n",
        "systems/assistant.yaml": "id: assistant\ntitle: {en: A}\nkind: chat\npurpose: {en: p}\nowner: office\n"
        f"human_review: true\nstack:\n  - {{id: m, type: endpoint, url: '{url}', model: m, key_env: TOWN_KEY}}\n",
        "data/prompts.jsonl": "".join(
            json.dumps({"id": f"q{n}", "prompts": [f"question {n}"]}) + "\n" for n in range(140)
        ),
    }
    for name, text in files.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


def test_not_one_byte_of_a_whole_run_holds_the_key(tmp_path: Path) -> None:
    """Through the command line: ledger, journal, report, output, even the file that a bug leaves behind."""
    server: list[Server] = []
    with serving(echoing(server)) as endpoint:  # type: ignore[arg-type]  # a Behave
        server.append(endpoint)
        root = tmp_path / "town"
        root.mkdir()
        workspace(root, endpoint.url)
        said: list[subprocess.CompletedProcess[bytes]] = []
        create("sqlite:///.shinrai/ledger.db", root, "town").close()
        for arguments in (["plan"], ["check", "--dry-run"], ["check"], ["status"], ["act"], ["report"], ["verify"]):
            done = shinrai(root, *arguments)
            assert done.returncode in {0, 1, 3}, done.stderr.decode()
            said.append(done)
    asked = endpoint.log
    assert len(asked.asked) > 20
    assert all(f"Bearer {KEY}" in head for head in asked.headers)
    hidden = [form.encode() for form in forms(KEY)]
    found = dict(written(root))
    assert any(b"[key]" in data for path, data in found.items() if path.name.startswith("calls-"))
    for path, data in found.items():
        for form in hidden:
            assert form not in data, path
    for done in said:
        for form in hidden:
            assert form not in done.stdout + done.stderr


def _break() -> None:
    try:
        os.environ[f"Authorization: Bearer {KEY}"]
    except KeyError as inner:
        raise RuntimeError(f"a bug with {KEY!r} in its message") from inner


def test_the_file_that_a_bug_leaves_behind_holds_no_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOWN_KEY", KEY)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    read_key(component(key_env="TOWN_KEY"))
    with pytest.raises(RuntimeError) as bug:
        _break()
    assert _explain(bug.value) == 70
    assert _explain(TargetError("target.no-key", f"told {KEY}", hint=f"use {KEY}")) == 3
    output = capsys.readouterr().err
    [report] = tmp_path.glob("shinrai-*.txt")
    assert "RuntimeError" in report.read_text()
    for text in (output, report.read_text()):
        assert "[key]" in text
        assert KEY not in text
        assert json.dumps(KEY)[1:-1] not in text


def test_the_key_is_in_no_process_title(tmp_path: Path) -> None:
    with serving(lambda _prompt, _attempt: Reply(delay=0.05)) as endpoint:
        root = tmp_path / "town"
        root.mkdir()
        workspace(root, endpoint.url)
        create("sqlite:///.shinrai/ledger.db", root, "town").close()
        assert shinrai(root, "plan").returncode == 0
        process = subprocess.Popen(
            [sys.executable, "-c", CLI, "-C", str(root), "check"],
            env={**os.environ, "TOWN_KEY": KEY},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 60
        while not endpoint.log.asked and time.monotonic() < deadline:
            time.sleep(0.01)
        assert endpoint.log.asked
        titles = b"".join(
            (Path("/proc") / str(process.pid) / name).read_bytes() for name in ("cmdline", "comm", "status")
        )
        threads = b"".join(path.read_bytes() for path in Path(f"/proc/{process.pid}/task").glob("*/comm"))
        assert process.wait(60) == 0
    assert b"check" in titles
    assert KEY.encode() not in titles + threads


@pytest.mark.parametrize("key", ["", "abc12", "has a blank", "with\nline", "ひみつのかぎです"])
async def test_what_cannot_be_a_key_is_not_sent(town: Town, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("TOWN_KEY", key)
    with serving() as endpoint:
        town.chat(endpoint.url, key_env="TOWN_KEY")
        town.prompts(60)
        town.promise()
        [verdict] = await town.check()
    assert (verdict.status, verdict.reason) == ("not_measured", "target-unreachable")
    assert not endpoint.log.asked
    if key:
        assert all(key.encode() not in data for _path, data in written(town.root))


LEAKY = """
import os

class Guard:
    def before(self, text):
        if text.endswith("1"):
            return "blocked by " + os.environ["TOWN_KEY"]
        if text.endswith("2"):
            raise ValueError(os.environ["TOWN_KEY"])

    def after(self, text, reply):
        return reply + os.environ["TOWN_KEY"] if text.endswith("3") else reply

def load(parameters):
    return Guard()
"""


async def test_a_guard_that_lets_the_key_out_is_masked_too(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOWN_KEY", KEY)
    (town.root / "guard.py").write_text(LEAKY)
    with serving() as endpoint:
        town.chat(endpoint.url, key_env="TOWN_KEY", stack=[{"id": "g", "type": "guard", "path": "guard.py"}])
        town.prompts(100)
        town.promise(threshold=0.1)
        await town.check()
    assert {line.reply for line in town.journal()} >= {"blocked by [key]", "yes[key]", None}
    assert all(KEY.encode() not in data for _path, data in written(town.root))


# ---- the keyring


class _Drawer(keyring.backend.KeyringBackend):
    """A keyring in memory, behind the library's own interface."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # the library gives it no types
        self.held: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise keyring.errors.KeyringLocked(f"locked, and {KEY} in the message")
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.held[service, username]


@pytest.fixture
def drawer() -> Iterator[_Drawer]:
    before = keyring.get_keyring()
    made = _Drawer()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


ENTRY = {"service": "shinrai", "username": "town"}


async def test_a_key_from_the_keyring(town: Town, drawer: _Drawer) -> None:
    keyring.set_password("shinrai", "town", KEY)
    with serving() as endpoint:
        town.chat(endpoint.url, key_keyring=ENTRY)
        town.prompts(60)
        town.promise()
        [verdict] = await town.check()
    assert verdict.status == "met"
    assert all(f"Bearer {KEY}" in head for head in endpoint.log.headers)
    assert all(KEY.encode() not in data for _path, data in written(town.root))


@pytest.mark.parametrize("locked", [True, False])
async def test_without_a_key_in_the_keyring_nothing_is_sent(town: Town, drawer: _Drawer, locked: bool) -> None:
    drawer.locked = locked
    with serving() as endpoint:
        town.chat(endpoint.url, key_keyring=ENTRY)
        town.prompts(60)
        town.promise()
        [verdict] = await town.check()
    assert (verdict.status, verdict.reason) == ("not_measured", "target-unreachable")
    assert not endpoint.log.asked
    assert all(KEY.encode() not in data for _path, data in written(town.root))


def test_a_key_has_one_place() -> None:
    with pytest.raises(ValueError, match="not from both"):
        component(key_env="A", key_keyring=ENTRY)


def test_the_keyring_is_loaded_only_when_a_key_is_in_it(town: Town) -> None:
    with serving() as endpoint:
        town.chat(endpoint.url)
        town.prompts(60)
        town.promise()
        town.ledger.close()
        script = f"""
import sys
from pathlib import Path
from shinrai.check import check
from shinrai.ledger import Ledger
from shinrai.records import Budget
root = Path({str(town.root)!r})
with Ledger.open("sqlite:///.shinrai/ledger.db", root=root) as ledger:
    print([v.status for v in check(root, ledger, budget=Budget(), allowed_hosts={list(HERE)!r})])
print("keyring" in sys.modules)
"""
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines() == ["['met']", "False"]
