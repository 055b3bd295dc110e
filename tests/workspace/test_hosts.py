"""Where systems may be asked."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shinrai.errors import Problem
from shinrai.records import Endpoint, Settings
from shinrai.workspace import AllowedHosts, load

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def endpoint(url: str) -> Endpoint:
    return Endpoint.model_validate({"id": "m", "type": "endpoint", "url": url, "model": "m"})


def hosts(*entries: str) -> AllowedHosts:
    settings = {"id": "town", "name": {"en": "Town"}, "order_seed": 1, "allowed_hosts": entries}
    return AllowedHosts(Settings.model_validate(settings).allowed_hosts)


@pytest.mark.parametrize(
    ("entries", "url", "allowed"),
    [
        ([], "http://127.0.0.1:8080/v1", False),
        ([], "https://api.example.com/v1", False),
        (["api.example.com"], "https://api.example.com/v1", True),
        (["API.Example.com"], "https://api.EXAMPLE.com/v1", True),
        (["api.example.com"], "https://example.com/v1", False),
        (["api.example.com"], "https://api.example.com.evil.test/v1", False),
        (["example.com"], "https://api.example.com/v1", False),
        (["api.example.com:443"], "https://api.example.com/v1", True),
        (["api.example.com:443"], "http://api.example.com/v1", False),
        (["127.0.0.1:8080"], "http://127.0.0.1:8080/v1", True),
        (["127.0.0.1:8080"], "http://127.0.0.1:8081/v1", False),
        (["127.0.0.1"], "http://127.1:8080/v1", False),
        (["127.0.0.1"], "http://2130706433/v1", False),
        (["127.0.0.1"], "http://0x7f000001/v1", False),
        (["127.0.0.1"], "http://[::ffff:127.0.0.1]/v1", True),
        (["10.0.0.0/8"], "http://10.20.30.40/v1", True),
        (["10.0.0.0/8"], "http://11.0.0.1/v1", False),
        (["::1"], "http://[::1]:80/v1", True),
        (["[::1]:80"], "http://[::1]:81/v1", False),
        (["localhost"], "http://localhost:11434/v1", True),
        (["0.0.0.0/0", "::/0"], "http://169.254.169.254/v1", False),
        (["::/0", "0.0.0.0/0"], "http://[fe80::1]/v1", False),
        (["::/0", "0.0.0.0/0"], "http://[::ffff:169.254.169.254]/v1", False),
        (["::/0", "0.0.0.0/0"], "http://[64:ff9b::a9fe:a9fe]/v1", False),
        (["0.0.0.0/0"], "http://0.0.0.0/v1", False),
    ],
)
def test_what_is_listed_is_allowed_and_nothing_else(entries: list[str], url: str, allowed: bool) -> None:
    assert hosts(*entries).allows(endpoint(url)) is allowed


@pytest.mark.parametrize(
    ("entries", "name", "address", "reached"),
    [
        (["llm.example.com"], "llm.example.com", "93.184.216.34", True),
        (["llm.example.com"], "llm.example.com", "127.0.0.1", False),
        (["llm.example.com"], "llm.example.com", "10.1.2.3", False),
        (["llm.example.com"], "llm.example.com", "::1", False),
        (["llm.example.com"], "llm.example.com", "::ffff:10.1.2.3", False),
        (["llm.example.com"], "llm.example.com", "2002:0a01:0203::1", False),
        (["llm.example.com"], "llm.example.com", "100.100.100.200", False),
        (["llm.example.com"], "llm.example.com", "fd00:ec2::254", False),
        (["llm.example.com", "10.0.0.0/8"], "llm.example.com", "10.1.2.3", True),
        (["llm.example.com", "10.1.2.3:8000"], "llm.example.com", "10.1.2.3", False),
        (["llm.example.com", "0.0.0.0/0"], "llm.example.com", "169.254.169.254", False),
        (["localhost"], "localhost", "127.0.0.1", True),
        (["localhost"], "localhost", "::1", True),
        (["localhost"], "localhost", "10.1.2.3", False),
        (["llm.example.com"], "llm.example.com", "no address", False),
    ],
)
def test_a_listed_name_reaches_public_addresses_and_listed_ones(
    entries: list[str], name: str, address: str, reached: bool
) -> None:
    assert hosts(*entries).reaches(name, address, 443) is reached


@given(st.ip_addresses(), st.booleans())
def test_no_private_address_is_reached_unless_it_is_listed(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, listed: bool
) -> None:
    if isinstance(address, ipaddress.IPv6Address) and (address.ipv4_mapped or address.sixtofour or address in NAT64):
        return  # IPv4 in disguise: see the cases above
    never = address.is_link_local or address.is_multicast or address.is_unspecified
    if listed and not never:
        assert hosts("a.example", str(address)).reaches("a.example", str(address), 1)
    elif not address.is_global or never:
        assert not hosts("a.example").reaches("a.example", str(address), 1)


@pytest.mark.parametrize(
    "entry",
    [
        *("", "https://api.example.com", "*.example.com", "a b", "169.254.169.254", "fe80::/10", "224.0.0.1"),
        *("0.0.0.0", "::", "127.0.0.1:0", "host:99999", "10.0.0.1/8"),  # noqa: S104 - refused, not bound to
        *("300.1.1.1", "user@host", "host/path", "[::1", "-a.example"),
    ],
)
def test_what_is_no_host_is_refused(entry: str) -> None:
    with pytest.raises(ValidationError):
        hosts(entry)


@given(st.text())
def test_any_text_is_an_entry_or_a_mistake(entry: str) -> None:
    try:
        listed = hosts(entry)
    except ValidationError:
        return
    assert not listed.reaches("a.example", "169.254.169.254", 80)


@pytest.mark.parametrize(
    "url",
    [
        *("file:///etc/passwd", "ftp://example.com/v1", "http:///v1", "http://key@example.com/v1", "http://a:b@c/v1"),
        *("http://example.com/v1?key=sk-1", "http://example.com/v1#x", "http://example.com:0/v1", "http://a:99999/v1"),
        *("http://exa mple.com", "http://good.example\\@evil.example/v1", "gopher://x", "http://example.com/v1?"),
    ],
)
def test_an_address_that_hides_where_it_goes_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        endpoint(url)


SYSTEM = """id: screening
title: {en: Screening}
kind: chat
purpose: {en: p}
owner: office
human_review: true
stack:
  - id: model
    type: endpoint
    url: http://169.254.169.254/latest/meta-data
    model: m
"""


def test_an_address_that_is_not_listed_is_a_mistake_in_the_file_that_names_it(
    town: Path, problems: Callable[[], list[Problem]]
) -> None:
    (town / "systems/helper.yaml").write_text(SYSTEM.replace("id: screening", "id: helper"), encoding="utf-8")
    settings = town / "shinrai.yaml"
    written = settings.read_text(encoding="utf-8")
    [found] = problems()
    assert (found.code, found.file, found.line) == ("workspace.host-not-allowed", "systems/helper.yaml", 10)
    assert found.hint is not None
    assert "169.254.169.254:80" in found.hint
    settings.write_text(written + 'allowed_hosts: ["169.254.169.254:80"]\n', encoding="utf-8")
    assert "source.rule" in [problem.code for problem in problems()]  # not even if somebody lists it


def test_what_an_action_adds_is_looked_at_too(town: Path, problems: Callable[[], list[Problem]]) -> None:
    (town / "systems/helper.yaml").write_text(
        SYSTEM.replace("id: screening", "id: helper").replace("169.254.169.254", "api.example.com"), encoding="utf-8"
    )
    settings = town / "shinrai.yaml"
    settings.write_text(settings.read_text(encoding="utf-8") + "allowed_hosts: [api.example.com]\n", encoding="utf-8")
    assert load(town).systems["helper"].id == "helper"
    (town / "actions/move.yaml").write_text(
        """id: move
title: {en: Move}
owner: office
addresses: [plan/goal/fair/ratio@screening]
change:
  system: helper
  replace:
    - {id: model, type: endpoint, url: "http://127.0.0.1:2375/v1", model: m}
""",
        encoding="utf-8",
    )
    assert ("workspace.host-not-allowed", "actions/move.yaml", 8) in [
        (problem.code, problem.file, problem.line) for problem in problems()
    ]
