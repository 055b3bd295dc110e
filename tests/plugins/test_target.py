"""A system that a plug-in asks."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from shinrai.check.targets.plugin import PluginTarget
from shinrai.check.targets.protocol import CallError
from shinrai.errors import TargetError
from shinrai.records import PluginModel, System
from shinrai.workspace import fingerprint

ASKING = """
import time

def target(parameters, instructions):
    def ask(request):
        if request == "fail":
            raise KeyError("a-secret")
        if request == "hang":
            time.sleep(parameters["seconds"])
        return {"label": 1} if request == "dict" else f"{instructions}: {request}"
    return ask
"""


def opened(root: Path, text: str = ASKING, **fields: object) -> PluginTarget:
    (root / "checks").mkdir(exist_ok=True)
    (root / "checks/mine.py").write_text(text)
    component = PluginModel.model_validate({"id": "m", "type": "plugin", "name": "mine", **fields})
    return PluginTarget(component, root, "be brief", predicts=False)


async def kind(target: PluginTarget, request: str) -> str:
    with pytest.raises(CallError) as failed:
        await target.ask(request)
    return failed.value.kind


async def test_replies_errors_and_replies_of_another_kind(tmp_path: Path) -> None:
    target = opened(tmp_path)
    await target.open()
    assert (await target.ask("hello")).reply == "be brief: hello"
    assert await kind(target, "fail") == "KeyError"
    assert await kind(target, "dict") == "malformed"
    await target.close()
    await target.close()


async def test_one_that_hangs_costs_its_thread_and_no_other(tmp_path: Path) -> None:
    target = opened(tmp_path, timeout=0.2, at_once=2, parameters={"seconds": 5})
    await target.open()
    before = time.monotonic()
    assert await kind(target, "hang") == "timeout"
    assert time.monotonic() - before < 4
    assert (await target.ask("still here")).reply == "be brief: still here"
    with pytest.raises(CallError) as failed:
        await target.ask("hang")
    assert failed.value.unusable
    await target.close()
    assert threading.active_count() < 50


@pytest.mark.parametrize(
    ("text", "said"),
    [("1 / 0\ndef target(parameters, instructions): ...", "checks/mine.py:1: ZeroDivisionError"),
     ("def target(parameters, instructions): ...", "has to return a function")],
)  # fmt: skip
async def test_one_that_fails_to_load_is_unreachable(tmp_path: Path, text: str, said: str) -> None:
    target = opened(tmp_path, text)
    with pytest.raises(TargetError) as failed:
        await target.open()
    assert said in failed.value.message
    await target.close()


def test_a_changed_plug_in_is_another_version_of_the_system(tmp_path: Path) -> None:
    opened(tmp_path)
    system = System.model_validate(
        {
            "id": "s",
            "title": {"en": "S"},
            "kind": "chat",
            "purpose": {"en": "P"},
            "owner": "o",
            "human_review": False,
            "stack": [{"id": "m", "type": "plugin", "name": "mine"}],
        }
    )
    before = fingerprint(system, tmp_path)
    assert fingerprint(system, tmp_path) == before
    (tmp_path / "checks/mine.py").write_text(ASKING + "\n")
    assert fingerprint(system, tmp_path) != before
