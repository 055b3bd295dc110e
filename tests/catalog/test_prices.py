"""The price table: every price with its day and its source."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from shinrai.catalog import _prices, model_price
from shinrai.records import PriceTable
from shinrai.source import attempt, examine_yaml


def test_every_price_says_when_and_where_it_was_read() -> None:
    table = _prices()
    assert len(table) >= 5
    for (host, model), price in table.items():
        assert model_price(host, model) == price
        assert host == host.lower()
        assert "." in host
        assert price.source.startswith("https://")
        assert date(2026, 1, 1) <= price.as_of <= date(2026, 11, 23)
        assert 0 < price.input < price.output < 1000
        assert price.currency == "USD"


def test_nothing_near_is_taken_for_a_model() -> None:
    assert model_price("api.openai.com", "gpt-4o-mini") is not None
    assert model_price("api.openai.com", "GPT-4o-mini") is None
    assert model_price("api.openai.com", "gpt-4o-mini-2024-07-18") is None
    assert model_price("example.com", "gpt-4o-mini") is None


def test_two_prices_for_one_model_are_a_mistake(tmp_path: Path) -> None:
    row = (
        '  - {host: h.example, model: m, input: 1, output: 2, currency: USD, as_of: 2026-01-01, source: "https://x"}\n'
    )
    path = tmp_path / "prices.yaml"
    path.write_text("prices:\n" + row * 2, encoding="utf-8")
    table, problems = attempt(examine_yaml(path, shown_as="prices.yaml"), PriceTable)
    assert table is None
    assert "two prices" in problems[0].message
