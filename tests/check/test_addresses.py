"""Targets are reached only at addresses that the workspace lists."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from shinrai.check.targets.protocol import CallError
from shinrai.check.targets.stack import target_of
from shinrai.errors import TargetError
from tests.check.test_targets import system
from tests.check.town import HERE, Town
from tests.servers.endpoint import Reply, serving


def at(url: str) -> Any:
    return system([{"id": "m", "type": "endpoint", "url": url, "model": "m", "timeout": 5}])


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Give a name server of our own: names with the addresses that they resolve to."""
    known: dict[str, list[str]] = {}
    real = socket.getaddrinfo

    def look_up(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
        if host not in known:
            return real(host, port, *arguments, **options)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in known[host]]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


async def test_a_host_that_is_not_listed_is_not_asked(town: Town) -> None:
    with serving() as endpoint:
        town.chat(endpoint.url)
        town.prompts(60)
        town.promise()
        [verdict] = await town.check(allowed_hosts=["api.example.com", f"127.0.0.1:{endpoint.port + 1}"])
        assert (verdict.status, verdict.reason) == ("not_measured", "target-unreachable")
        assert "127.0.0.1" in str(verdict.note)
        assert not endpoint.log.asked
        [verdict] = await town.check(allowed_hosts=[f"127.0.0.1:{endpoint.port}"])
        assert verdict.status == "met"


async def test_a_listed_name_that_leads_into_the_private_network_is_not_followed(
    tmp_path: Path, names: dict[str, list[str]]
) -> None:
    names["llm.example.com"] = ["127.0.0.1"]
    with serving() as endpoint:
        target = target_of(at(f"http://llm.example.com:{endpoint.port}/v1"), tmp_path, ["llm.example.com"])
        await target.open()
        with pytest.raises(CallError) as caught:
            await target.ask("hi")
        assert (caught.value.kind, caught.value.unusable, caught.value.retry) == ("host-not-allowed", True, False)
        assert "127.0.0.1" in caught.value.detail
        await target.close()
        assert not endpoint.log.asked
        both = target_of(at(f"http://llm.example.com:{endpoint.port}/v1"), tmp_path, ["llm.example.com", *HERE])
        await both.open()
        assert (await both.ask("hi")).reply == "yes"
        await both.close()


async def test_of_several_addresses_only_allowed_ones_are_tried(tmp_path: Path, names: dict[str, list[str]]) -> None:
    names["llm.example.com"] = ["169.254.169.254", "127.0.0.1", "10.0.0.1"]
    with serving() as endpoint:
        allowed = ["llm.example.com", f"127.0.0.1:{endpoint.port}"]
        target = target_of(at(f"http://llm.example.com:{endpoint.port}/v1"), tmp_path, allowed)
        await target.open()
        assert (await target.ask("hi")).reply == "yes"
        await target.close()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed_anywhere(town: Town, status: int) -> None:
    with serving() as elsewhere:
        location = f"http://127.0.0.1:{elsewhere.port}/v1/chat/completions"
        with serving(lambda _prompt, _attempt: Reply(status=status, headers=(("Location", location),))) as endpoint:
            town.chat(endpoint.url)
            town.prompts(60)
            town.promise()
            [verdict] = await town.check()
    assert (verdict.status, verdict.reason) == ("not_measured", "target-unreachable")
    assert f"http-{status}" in str(verdict.note)
    assert not elsewhere.log.asked


async def test_proxies_and_passwords_of_the_environment_are_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password something\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with serving() as proxy, serving() as endpoint:
        for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(variable, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        target = target_of(at(endpoint.url), tmp_path, HERE)
        await target.open()
        assert (await target.ask("hi")).reply == "yes"
        await target.close()
    assert not proxy.log.asked
    assert "authorization" not in endpoint.log.headers[0].lower()
    assert os.environ["HTTP_PROXY"]


async def test_without_a_list_nothing_is_reached(tmp_path: Path) -> None:
    for url in ("http://127.0.0.1:9/v1", "http://localhost:9/v1", "https://api.example.com/v1"):
        target = target_of(at(url), tmp_path)
        with pytest.raises(TargetError) as caught:
            await target.open()
        assert caught.value.code == "target.host-not-allowed"
        await target.close()
