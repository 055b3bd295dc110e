"""Replies that are hostile, broken, too long, or traps."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
from pathlib import Path

import pytest

from shinrai.check.targets.completions import MAX_REPLY
from shinrai.check.targets.endpoint import MAX_BODY
from shinrai.check.targets.protocol import CallError
from shinrai.check.targets.stack import target_of
from shinrai.records import rank
from tests.check.test_targets import system
from tests.check.town import HERE, Town
from tests.servers.endpoint import Reply, serving

HOSTILE = {
    "nul": ("a\0b yes", "a\0b yes"),
    "megabyte": ("yes" + "x" * 1_000_000, "yes" + "x" * 1_000_000),
    "html": ("<script>alert(1)</script> yes", "<script>alert(1)</script> yes"),
    "terminal": ("\x1b[2J\x1b]0;owned\x07 yes", "\x1b[2J\x1b]0;owned\x07 yes"),
    "bidi": ("\u202eyes\u2066", "\u202eyes\u2066"),
    "emoji": ("👩‍👩‍👧 yes", "👩‍👩‍👧 yes"),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_replies_are_kept_as_they_came(town: Town, name: str) -> None:
    sent, kept = HOSTILE[name]
    with serving(lambda _prompt, _attempt: Reply(sent)) as endpoint:
        town.chat(endpoint.url)
        town.prompts(6)
        town.promise()
        [verdict] = await town.check()
    assert verdict.counts.passed == 6
    assert {line.reply for line in town.journal()} == {kept}


@pytest.mark.parametrize(
    "body",
    [b'{"choices":[{"message":{"content":"yes \\ud800!"}}]}', b'{"choices":[{"message":{"content":"yes \xff!"}}]}'],
)
async def test_what_is_not_unicode_text_is_replaced(town: Town, body: bytes) -> None:
    with serving(lambda _prompt, _attempt: Reply(body=body)) as endpoint:
        town.chat(endpoint.url)
        town.prompts(3)
        town.promise()
        [verdict] = await town.check()
    assert verdict.counts.passed == 3
    assert {line.reply for line in town.journal()} == {"yes \ufffd!"}


async def test_a_reply_above_the_limit_is_cut_marked_and_not_scored(town: Town) -> None:
    def behave(prompt: str, _attempt: int) -> Reply:
        return Reply("yes" * MAX_REPLY) if prompt == "question 1" else Reply("yes" + "x" * MAX_REPLY)

    with serving(behave) as endpoint:
        town.chat(endpoint.url)
        town.prompts(2)
        town.promise()
        [verdict] = await town.check()
    assert (verdict.counts.invalid, verdict.counts.total) == (2, 2)
    assert verdict.reason == "nothing-usable"
    lines = {line.request: line for line in town.journal()}
    assert lines["question 0"].cut == MAX_REPLY + 3
    assert len(lines["question 0"].reply) == MAX_REPLY


async def test_a_body_above_the_limit_is_not_read(town: Town) -> None:
    with serving(lambda _prompt, _attempt: Reply("x" * 5_000_000)) as endpoint:
        town.chat(endpoint.url)
        town.prompts(2)
        town.promise()
        [verdict] = await town.check()
    assert verdict.counts.error == 2
    assert {line.error for line in town.journal()} == {"too-large"}
    assert set(endpoint.log.asked.values()) == {1}


def _gzip_bomb() -> bytes:
    """Make a few kilobytes that would be 20 MB."""
    return gzip.compress(b'{"choices": [{"message": {"content": "' + b"y" * 20_000_000 + b'"}}]}', 9)


TRAPS = {
    "ten-megabytes": (Reply("x" * 10_000_000), "too-large"),
    "ten-megabytes-in-pieces": (Reply("x" * 10_000_000, chunked=True), "too-large"),
    "ten-megabytes-of-error": (Reply(status=400, body=b"x" * 10_000_000, chunked=True), "too-large"),
    "gzip-bomb": (Reply(body=_gzip_bomb(), headers=(("Content-Encoding", "gzip"),)), "compressed"),
    "gzip-bomb-undeclared": (Reply(body=_gzip_bomb()), "malformed"),
    "deep-json": (Reply(body=b'{"choices":' + b"[" * 200_000), "malformed"),
}


@pytest.mark.parametrize("name", TRAPS)
async def test_a_body_that_is_a_trap_is_an_error_of_its_kind(town: Town, name: str) -> None:
    trap, kind = TRAPS[name]
    wanted = sorted((f"q{n}" for n in range(100)), key=lambda one: rank(7, one))[4:44:10]
    caught = {f"question {one[1:]}" for one in wanted}
    with serving(lambda prompt, _attempt: trap if prompt in caught else Reply()) as endpoint:
        town.chat(endpoint.url)
        town.prompts(100)
        town.promise(threshold=0.3)
        [verdict] = await town.check()
    assert verdict.counts.error == len({line.key for line in town.journal() if line.error == kind}) > 0
    assert verdict.status == "met"
    assert sum(path.stat().st_size for path in (town.root / ".shinrai/runs/run-0001").iterdir()) < 50_000


@pytest.mark.parametrize("name", ["ten-megabytes", "ten-megabytes-in-pieces", "gzip-bomb", "gzip-bomb-undeclared"])
async def test_a_body_that_is_a_trap_costs_little_memory(tmp_path: Path, name: str) -> None:
    trap, kind = TRAPS[name]
    held = len(trap.encoded())
    part = {"id": "m", "type": "endpoint", "model": "m"}
    with serving(lambda _prompt, _attempt: trap) as endpoint:
        target = target_of(system([{**part, "url": endpoint.url}]), tmp_path, HERE)
        await target.open()
        tracemalloc.start()
        failures = await asyncio.gather(*(target.ask(str(number)) for number in range(8)), return_exceptions=True)
        _now, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        await target.close()
    assert {failure.kind if isinstance(failure, CallError) else failure for failure in failures} == {kind}
    # At most 4 MB of each body are held; the server in this process holds each whole, twice while it is sent.
    assert peak < 8 * (MAX_BODY + 2 * held) + 4_000_000


NO_COUNTS = ["18446744073709551616", "9007199254740992", "-1", "1e30", "2.5", '"7"', "true", "[1]", "1" * 400]


async def test_numbers_of_tokens_that_are_none_are_not_counted(town: Town) -> None:
    """The reply counts, its tokens do not; and what does not fit into 64 bits does not keep a run from ending."""

    def behave(prompt: str, _attempt: int) -> Reply:
        tokens = NO_COUNTS[int(prompt.split()[1]) % len(NO_COUNTS)].encode()
        usage = b'"usage":{"prompt_tokens":' + tokens + b',"completion_tokens":3}'
        return Reply(body=b'{"choices":[{"message":{"content":"yes"}}],' + usage + b"}")

    with serving(behave) as endpoint:
        town.chat(endpoint.url)
        town.prompts(60)
        town.promise()
        [verdict] = await town.check()
    assert (verdict.status, verdict.counts.error) == ("met", 0)
    assert {(line.reply, line.tokens_in, line.tokens_out) for line in town.journal()} == {("yes", 0, 0)}
    assert town.finished().details["uncounted"] == len(town.journal())
