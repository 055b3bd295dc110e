"""A key that somebody wrote into a file is refused, and the refusal does not show it."""

from __future__ import annotations

import string
import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shinrai.errors import SourceError
from shinrai.records import System
from shinrai.source import build, parse_yaml, render
from shinrai.source.masking import masked_address, masked_line

KEYS = st.text(string.ascii_letters + string.digits + "-_.~", min_size=8, max_size=40)
HEAD = "id: a\ntitle: {en: A}\nkind: chat\npurpose: {en: P}\nowner: o\nhuman_review: true\nstack:\n"
PLACES = (
    "- {{id: m, type: endpoint, model: m, url: 'https://user:{key}@api.example.com/v1'}}",
    "- {{id: m, type: endpoint, model: m, url: 'https://{key}@api.example.com/v1'}}",
    "- {{id: m, type: endpoint, model: m, url: 'ftp://user:{key}@api.example.com/v1'}}",
    "- {{id: m, type: endpoint, model: m, url: 'https://api.example.com/v1?key={key}'}}",
    "- {{id: m, type: endpoint, model: m, url: 'https://api.example.com/v1#{key}'}}",
    "- {{id: m, type: endpoint, model: m, url: 'https://api.example.com/v1', api_key: {key}}}",
    "- {{id: m, type: endpoint, model: m, url: 'https://api.example.com/v1', Authorization: 'Bearer {key}'}}",
    '- {{id: m, type: endpoint, model: m, url: "https://api.example.com/v1", "key": "{key}"}}',
    "- {{id: m, type: endpoint, model: m, url: 'https://api.example.com/v1', password: '{key}', key_env: ]}}",
)


def said(text: str) -> str:
    with pytest.raises(SourceError) as raised:
        build(parse_yaml(text, shown_as="systems/a.yaml"), System)
    problems = raised.value.problems
    return render(problems) + "".join(map(repr, problems)) + str(raised.value)


@pytest.mark.parametrize("place", PLACES)
def test_a_key_in_a_system_file_is_refused_and_not_shown(place: str) -> None:
    key = "sk-T0p-Secret_4711"
    shown = said(HEAD + place.format(key=key))
    assert key not in shown
    assert "id: m" in shown  # the rest of the line is there to be found by


@given(KEYS, st.sampled_from(PLACES))
def test_whatever_the_key_columns_stay_where_they_are(key: str, place: str) -> None:
    assume(key not in place)
    line = place.format(key=key)
    hidden = masked_line(line)
    assert len(hidden) == len(line)
    assert key not in hidden


@pytest.mark.parametrize(
    "line",
    [
        "  url: https://api.example.com:8443/v1/chat",
        "  key_env: OPENAI_API_KEY",
        "secrets: [blue-heron-17, red-heron-18]",
        "  - {id: model, type: endpoint, url: 'http://127.0.0.1:9/v1', model: m, key_env: MODEL_KEY}",
        "# see https://example.com/@person/notes",
        "contact: desk@example.com",
    ],
)
def test_what_is_no_key_stays_as_it_is(line: str) -> None:
    assert masked_line(line) == masked_address(line) == line


@pytest.mark.parametrize("part", ["? ", "http://", "key ", "key: ", "a_", "://", "://x@", "https://a?"])
def test_a_line_made_to_cost_time_does_not(part: str) -> None:
    line = part * (400_000 // len(part))
    began = time.process_time()
    assert len(masked_line(line)) == len(line)
    assert time.process_time() - began < 5
