"""The page in a real browser, opened as people open it: a file, without a network."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.report.test_evidence import shown
from tests.report.town import ReportTown

pytestmark = pytest.mark.browser

expect.set_options(timeout=15_000)
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
WIDTHS = {"phone": 390, "desktop": 1280}

# Every text that is drawn, with the language of the element that it stands in.
DRAWN = """() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement, said = walker.currentNode.data.trim();
    const raw = parent.closest('pre, code, label, .brand, svg') !== null;
    if (said && parent.checkVisibility({visibilityProperty: true, contentVisibilityAuto: true}))
      found.push([said, parent.closest('span[lang]')?.lang ?? '', raw]);
  }
  return found;
}"""


@dataclass
class Watched:
    """A page, and everything that it did besides being shown."""

    page: Page
    said: list[str] = field(default_factory=list)
    requested: list[str] = field(default_factory=list)

    def at_rest(self, url: str) -> None:
        assert self.requested == [url]
        assert self.said == []
        assert self.page.evaluate("window.pwned") is None
        assert self.page.url.partition("#")[0] == url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        # In CI the browser has to be there: a missing one fails the tests instead of skipping them.
        message = f"NO BROWSER: none of {', '.join(NAMES)} is installed, the page was not tried in one"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        )
        yield started
        started.close()


@pytest.fixture(scope="module")
def url(town: ReportTown, tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("browser") / "report.html"
    file.write_text(town.page, encoding="utf-8")
    return file.as_uri()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(viewport={"width": WIDTHS["desktop"], "height": 900})
    opened.set_default_timeout(30_000)  # machines that test are busy
    yield opened
    opened.close()


@pytest.fixture
def watched(context: BrowserContext, url: str) -> Watched:
    page = context.new_page()
    watch = Watched(page)
    page.on("console", lambda message: watch.said.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: watch.said.append(f"error: {error}"))
    page.on("popup", lambda popup: watch.said.append(f"popup: {popup.url}"))
    page.on("download", lambda download: watch.said.append(f"download: {download.url}"))
    page.on("request", lambda request: watch.requested.append(request.url))

    def dismissed(dialog: object) -> None:
        watch.said.append(f"dialog: {dialog}")

    page.on("dialog", dismissed)
    page.goto(url)
    return watch


def choose(page: Page, language: str) -> None:
    page.locator(f"header label[for=lang-{language}]").click()


def open_everything(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")


def test_it_opens_from_a_file_and_asks_for_nothing_else(watched: Watched, url: str) -> None:
    expect(watched.page.locator("h1")).to_be_visible()
    expect(watched.page.locator("#story")).to_be_in_viewport()
    watched.page.wait_for_load_state("networkidle")
    watched.at_rest(url)


def test_a_hostile_reply_does_nothing_even_when_it_is_read(watched: Watched, url: str) -> None:
    page = watched.page
    open_everything(page)
    replies = page.locator("pre.said").filter(has_text="pwned")
    assert replies.count() >= 8
    for number in range(replies.count()):
        replies.nth(number).hover()
        replies.nth(number).click()
        expect(replies.nth(number)).to_be_visible()
    assert page.locator("pre *").count() == 0
    assert page.locator("script, iframe, img, form, button, link, base, object, embed").count() == 0
    page.wait_for_timeout(100)
    watched.at_rest(url)


@pytest.mark.parametrize(("language", "other"), [("ja", "en"), ("en", "ja")])
def test_the_switch_leaves_nothing_of_the_other_language(watched: Watched, url: str, language: str, other: str) -> None:
    page = watched.page
    choose(page, other)
    choose(page, language)
    open_everything(page)
    drawn = page.evaluate(DRAWN)
    assert sum(1 for _said, lang, _raw in drawn if lang == language) > 200
    assert [said for said, lang, _raw in drawn if lang == other] == []
    title = {"ja": "町のAI", "en": "AI of <Town> & sons"}[language]
    assert page.locator("h1").inner_text() == title
    for said, lang, raw in drawn:
        if language == "en" and not raw:
            assert not re.search(r"[\u3040-\u30ff\u4e00-\u9fff]", said.replace("Shinrai 信頼", "")), said
        if language == "ja" and not lang and not raw:
            assert not re.search(r"[A-Za-z]{2,} [A-Za-z]{2,}", said), said
    watched.at_rest(url)


def test_it_opens_in_the_first_language_of_the_workspace(watched: Watched) -> None:
    expect(watched.page.locator("#lang-ja")).to_be_checked()
    assert watched.page.locator("h1").inner_text() == "町のAI"
    assert watched.page.evaluate("document.documentElement.lang") == "ja"


def test_every_failing_reply_is_at_most_two_clicks_from_the_top(watched: Watched, town: ReportTown, url: str) -> None:
    page = watched.page
    expected = {
        f"r{judgement.seq}": len(shown(town, judgement))
        for told in town.state.judgements.values()
        for judgement in told
        if shown(town, judgement)
    }
    assert len(expected) == 6
    # One click: the link beside the verdict, which opens what it leads to.
    for place, number in expected.items():
        seen = page.locator(f"#{place} .reply:visible")
        expect(seen).to_have_count(0)
        page.locator(f'#story table a[href="#{place}"]').click()
        expect(seen).to_have_count(number)
        expect(seen.first).to_be_in_viewport()
    # In a browser that opens nothing by itself, two: the claim's own link, then what is folded below it.
    page.goto("about:blank")
    page.goto(url)
    for place, number in expected.items():
        seen = page.locator(f"#{place} .reply:visible")
        expect(seen).to_have_count(0)
        claim = page.locator(f"article:has(#{place})").get_attribute("id")
        page.locator(f'#story table a[href="#{claim}"]').click()
        page.locator(f"details:has(> #{place}) > summary").click()
        expect(seen).to_have_count(number)


def test_it_can_be_read_and_switched_from_the_keyboard(watched: Watched) -> None:
    page = watched.page
    page.keyboard.press("Tab")
    expect(page.locator("#lang-ja")).to_be_focused()
    outline = "getComputedStyle(document.querySelector('label[for=lang-ja]')).outlineStyle"
    assert page.evaluate(outline) == "solid"
    page.keyboard.press("ArrowRight")
    assert page.locator("h1").inner_text() == "AI of <Town> & sons"
    focusable = page.locator("a:visible, summary:visible").count()
    reached: set[str] = set()
    for _step in range(focusable + 1):
        page.keyboard.press("Tab")
        here = page.evaluate(
            "() => { const e = document.activeElement, s = getComputedStyle(e); return [e.tagName, s.outlineStyle,"
            " [...document.querySelectorAll('a, summary')].indexOf(e)] }"
        )
        if here[0] in {"A", "SUMMARY"}:
            assert here[1] == "solid"
            reached.add(str(here[2]))
    assert len(reached) == focusable
    replies = page.locator("details.replies > summary").first
    replies.focus()
    page.keyboard.press("Enter")
    expect(page.locator("details.replies").first.locator(".reply").first).to_be_visible()


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
@pytest.mark.parametrize("language", ["ja", "en"])
def test_nothing_sticks_out_to_the_side(watched: Watched, language: str, width: int) -> None:
    page = watched.page
    page.set_viewport_size({"width": width, "height": 900})
    choose(page, language)
    open_everything(page)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    sticking = page.evaluate(
        "width => [...document.querySelectorAll('main *')].filter(e => e.checkVisibility() && !e.closest('thead')"
        " && !e.closest('svg.stack') && e.getBoundingClientRect().right > width + 1)"
        ".map(e => e.outerHTML.slice(0, 200))",
        width,
    )
    assert sticking == []
    scrolled = page.evaluate(
        "[...document.querySelectorAll('.wide')].filter(e => e.scrollWidth > e.clientWidth + 1)"
        ".map(e => e.firstElementChild.getAttribute('class'))"
    )
    assert set(scrolled) <= {"stack"}  # a graph made as narrow as a telephone cannot be read: it scrolls by itself


def test_it_prints(watched: Watched, tmp_path: Path) -> None:
    page = watched.page
    choose(page, "en")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 700, "height": 900})  # about the width of A4 between its margins
    expect(page.locator(".languages")).to_be_hidden()
    expect(page.locator("nav")).to_be_hidden()
    expect(page.locator("#story table")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("document.documentElement.scrollWidth") <= 700
    assert [said for said, lang, _raw in page.evaluate(DRAWN) if lang == "ja"] == []
    open_everything(page)
    cut = page.evaluate("[...document.querySelectorAll('pre')].filter(e => e.scrollHeight > e.clientHeight + 2).length")
    assert cut == 0
    printed = page.pdf(format="A4")
    assert printed.startswith(b"%PDF-")
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 60
