"""Draw the pictures of the statistics page from the library itself: ``python -m docs.pictures`` writes docs/images.

Every curve is computed by `shinrai.stats` from seeded data, so that a picture can be wrong only if the library is. A
test compares the files with what this script draws.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from shinrai.report.figures import Scale
from shinrai.stats import (
    JudgedRateTest,
    MeanTest,
    ProportionTest,
    RateMonitor,
    TracePoint,
    stopping_table,
)
from shinrai.stats.change import rate_bets

IMAGES = Path(__file__).parent / "images"
LANGUAGES = ("en", "ja")
ALPHA = 0.05
GREEN, RED, GREY, INK, BLUE, SHADE = "#1a7f4b", "#b3261e", "#6b7280", "#1f2937", "#1d4ed8", "#e3f2e8"
Point = tuple[float, float]

WORDS = {
    "trials": ("trials", "試行数"),
    "records": ("records", "記録数"),
    "labels": ("human labels", "人によるラベル数"),
    "failure rate": ("failure rate", "失敗率"),
    "limit": ("limit 10%", "上限 10%"),
    "observed": ("observed", "観測された割合"),
    "not excluded": ("not yet excluded", "まだ否定されていない範囲"),
    "met at": ("met at trial {n}", "{n} 回目で met"),
    "ever": ("runs that wrongly said “met” by then", "その時点までに誤って met と判定した実行の割合"),
    "plain": ("plain 95% interval", "ふつうの 95% 区間"),
    "ours": ("sequential test", "逐次検定"),
    "promised": ("promised: at most 5%", "約束：5% 以下"),
    "kept": ("here the promise holds", "約束が守られている側"),
    "met": ("met", "met（守られている）"),
    "violated": ("violated", "violated（破られている）"),
    "undecided": ("undecided", "undecided（未決）"),
    "missing": ("{share}% missing", "欠測 {share}%"),
    "people": ("labels only", "ラベルのみ"),
    "judge": ("labels and judge", "ラベルと判定モデル"),
    "statistic": ("monitor: mean wealth", "監視：平均の資金"),
    "left": ("evaluation test left running", "評価用の検定を動かし続けた場合"),
    "alarm": ("alarm", "警報"),
    "change": ("the rate jumps", "失敗率が急上昇"),
    "per": ("1% → 6%", "1% → 6%"),
}


class Picture:
    """A small chart: a frame with two axes, and what is drawn into it.

    Parameters
    ----------
    language
        "en" or "ja".
    x, y
        Values at the ends of the axes.
    size
        Width and height in pixels.
    left
        Pixels before the vertical axis.
    """

    def __init__(
        self, language: str, x: Point, y: Point, size: tuple[int, int] = (640, 280), left: float = 58.0
    ) -> None:
        self.width, self.height = size
        self.left, self.right, self.top, self.bottom = left, self.width - 26.0, 30.0, self.height - 38.0
        self.x = Scale(*x, self.left, self.right)
        self.y = Scale(*y, self.bottom, self.top)
        self._language = LANGUAGES.index(language)
        self._parts: list[str] = []

    def say(self, key: str, **values: object) -> str:
        """Give a text in the language of the picture."""
        return WORDS[key][self._language].format(**values)

    def text(self, x: float, y: float, text: str, colour: str = INK, anchor: str = "start") -> None:
        """Write at a place in pixels."""
        self._parts.append(f'<text x="{x:g}" y="{y:g}" fill="{colour}" text-anchor="{anchor}">{text}</text>')

    def line(self, start: Point, end: Point, colour: str, *, dashed: bool = False, width: float = 1.5) -> None:
        """Draw a straight line between two pairs of values."""
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        self._parts.append(
            f'<line x1="{self.x(start[0])}" y1="{self.y(start[1])}" x2="{self.x(end[0])}" y2="{self.y(end[1])}" '
            f'stroke="{colour}" stroke-width="{width:g}"{dash}/>'
        )

    def curve(self, points: Sequence[Point], colour: str) -> None:
        """Draw a path through pairs of values."""
        path = " ".join(f"{self.x(a)},{self.y(b)}" for a, b in _thinned(points))
        self._parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')

    def band(self, trace: Sequence[TracePoint], colour: str, opacity: float = 0.2) -> None:
        """Fill what lies between the bounds of a trace."""
        upper = [f"{self.x(point.n)},{self.y(point.upper)}" for point in trace]
        lower = [f"{self.x(point.n)},{self.y(point.lower)}" for point in reversed(trace)]
        self._parts.append(f'<polygon points="{" ".join(upper + lower)}" fill="{colour}" fill-opacity="{opacity:g}"/>')

    def area(self, start: Point, end: Point, colour: str) -> None:
        """Fill a rectangle between two corners."""
        left, right = sorted((self.x(start[0]), self.x(end[0])))
        top, bottom = sorted((self.y(start[1]), self.y(end[1])))
        self._parts.append(
            f'<rect x="{left}" y="{top}" width="{right - left:.1f}" height="{bottom - top:.1f}" fill="{colour}"/>'
        )

    def dot(self, at: Point, colour: str) -> None:
        """Mark a pair of values."""
        self._parts.append(f'<circle cx="{self.x(at[0])}" cy="{self.y(at[1])}" r="4.5" fill="{colour}"/>')

    def ticks(self, xs: Sequence[float], ys: Sequence[tuple[float, str]], label: str) -> None:
        """Write values along both axes, and what the horizontal one counts."""
        for value in xs:
            self.text(self.x(value), self.bottom + 16, f"{value:,.0f}", GREY, "middle")
        for value, text in ys:
            self.text(self.left - 7, self.y(value) + 4, text, GREY, "end")
            self.line((self.x.low, value), (self.x.high, value), "#e5e7eb", width=1)
        self.text(self.right, self.bottom + 32, label, GREY, "end")

    def svg(self) -> str:
        """Give the finished picture."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
            "font-family=\"system-ui, 'Noto Sans', 'Noto Sans CJK JP', sans-serif\" font-size=\"13\">\n"
            f'<rect width="{self.width}" height="{self.height}" fill="#ffffff"/>\n'
            + "\n".join(self._parts)
            + "\n</svg>\n"
        )


def _thinned(points: Sequence[Point], most: int = 320) -> Sequence[Point]:
    step = max(1, len(points) // most)
    return [*points[::step], points[-1]]


def _percent(*shares: float) -> list[tuple[float, str]]:
    return [(share, f"{100 * share:g}%") for share in shares]


def _stream(seed: int, n: int, rate: float) -> list[int]:
    return [int(draw < rate) for draw in np.random.default_rng(seed).random(n).tolist()]


def _until_decided(outcomes: Sequence[int], limit: float) -> ProportionTest:
    test = ProportionTest(limit, ALPHA, len(outcomes))
    for outcome in outcomes:
        test.update(outcome, outcome)
        if test.decision:
            break
    return test


def sequential(language: str) -> str:
    """Draw an interval that closes in on its limit until the limit is outside."""
    test = _until_decided(_stream(15, 400, 0.03), 0.1)
    trace = test.trace()
    picture = Picture(language, (0, test.n * 1.12), (0, 0.4))
    picture.area((0, 0), (test.n * 1.12, 0.1), SHADE)
    picture.ticks(range(0, test.n + 1, 20), _percent(0, 0.1, 0.2, 0.3, 0.4), picture.say("trials"))
    picture.band(trace, BLUE)
    picture.curve([(point.n, point.estimate or 0.0) for point in trace], BLUE)
    picture.line((0, 0.1), (test.n * 1.12, 0.1), INK)
    picture.line((test.n, 0), (test.n, 0.4), GREEN, dashed=True)
    picture.dot((test.n, trace[-1].upper), GREEN)
    picture.text(picture.left, 18, picture.say("failure rate"), GREY)
    picture.text(picture.x(test.n) - 8, picture.top + 12, picture.say("met at", n=test.n), GREEN, "end")
    picture.text(picture.x(test.n * 0.1), picture.y(0.17), picture.say("not excluded"), BLUE)
    picture.text(picture.left + 8, picture.y(0.1) - 5, picture.say("limit"))
    return picture.svg()


def peeking(language: str) -> str:
    """Draw how often a system a hair over its limit has passed by now, with a look after every trial."""
    trials, runs, limit = 2000, 2000, 0.1
    failures = np.cumsum(np.random.default_rng(5).random((runs, trials)) < limit, axis=1)
    n = np.arange(1, trials + 1)
    share = failures / n
    plain = share + 1.96 * np.sqrt(share * (1.0 - share) / n) < limit
    plain[:, :19] = False
    ours = failures <= np.array(stopping_table(limit, ALPHA, trials).met[1:])
    picture = Picture(language, (0, trials), (0, 0.5))
    picture.ticks(range(0, trials + 1, 500), _percent(0, 0.1, 0.2, 0.3, 0.4, 0.5), picture.say("trials"))
    picture.line((0, ALPHA), (trials, ALPHA), INK, dashed=True)
    for wrong, colour in ((plain, RED), (ours, GREEN)):
        path = np.logical_or.accumulate(wrong, axis=1).mean(axis=0)
        picture.curve([(0.0, 0.0), *zip(n.tolist(), path.tolist(), strict=True)], colour)
    picture.text(picture.left, 18, picture.say("ever"), GREY)
    picture.text(picture.right - 6, picture.y(0.345), picture.say("plain"), RED, "end")
    picture.text(picture.right - 6, picture.y(0.008), picture.say("ours"), GREEN, "end")
    picture.text(picture.right - 6, picture.y(0.065), picture.say("promised"), INK, "end")
    return picture.svg()


def reading(language: str) -> str:
    """Draw three intervals against one limit.

    Raises
    ------
    RuntimeError
        If the library decides otherwise than the picture says.
    """
    rows = [("met", GREEN, 90, 2), ("violated", RED, 60, 16), ("undecided", GREY, 60, 5)]
    picture = Picture(language, (0, 0.5), (0, len(rows)), (640, 210), left=200.0 if language == "ja" else 130.0)
    picture.area((0, 0), (0.1, len(rows)), SHADE)
    for value, text in _percent(0, 0.1, 0.2, 0.3, 0.4, 0.5):
        picture.text(picture.x(value), picture.bottom + 16, text, GREY, "middle")
    picture.text(picture.right, picture.bottom + 32, picture.say("failure rate"), GREY, "end")
    for row, (word, colour, n, failures) in enumerate(rows):
        outcomes = [0] * n
        for index in range(failures):
            outcomes[(index * n) // failures] = 1
        test = ProportionTest(0.1, ALPHA, n)
        for outcome in outcomes:
            test.update(outcome, outcome)
        if (test.decision or "undecided") != word:
            raise RuntimeError(f"{failures} failures in {n} trials are no example of {word}")
        interval, height = test.interval(), len(rows) - row - 0.5
        picture.line((interval.lower, height), (interval.upper, height), colour, width=8)
        picture.dot((test.estimate() or 0.0, height), INK)
        picture.text(picture.left - 12, picture.y(height) + 4, picture.say(word), colour, "end")
        right = picture.x(interval.upper) + 8
        picture.text(right, picture.y(height) + 4, f"{failures}/{n}", GREY)
    picture.line((0.1, 0), (0.1, len(rows)), INK)
    picture.text(picture.x(0.1), 20, picture.say("limit"), INK, "middle")
    return picture.svg()


def missing(language: str) -> str:
    """Draw the same trials with a share of them missing: a bound is proven on the worst reading only."""
    outcomes = _stream(6, 300, 0.02)
    lost = np.random.default_rng(7).random(300)
    picture = Picture(language, (0, 300), (0, 0.4))
    picture.area((0, 0), (300, 0.1), SHADE)
    picture.ticks(range(0, 301, 50), _percent(0, 0.1, 0.2, 0.3, 0.4), picture.say("trials"))
    picture.line((0, 0.1), (300, 0.1), INK)
    for share, colour in ((0.2, RED), (0.05, BLUE), (0.0, GREEN)):
        test = ProportionTest(0.1, ALPHA, 300)
        for outcome, draw in zip(outcomes, lost.tolist(), strict=True):
            test.update(*((0, 1) if draw < share else (outcome, outcome)))
        trace = test.trace()
        picture.band(trace, colour, 0.12)
        picture.curve([(point.n, point.upper) for point in trace], colour)
        above = max(point.upper for point in trace if point.n >= 220)
        label = picture.say("missing", share=f"{100 * share:g}")
        picture.text(picture.right - 6, picture.y(above) - 6, label, colour, "end")
    picture.text(picture.left, 18, picture.say("failure rate"), GREY)
    picture.text(picture.left + 8, picture.y(0.1) - 5, picture.say("limit"))
    return picture.svg()


def judged(language: str) -> str:
    """Draw what the same human labels prove alone and with a judge's scores."""
    rng = np.random.default_rng(12)
    blocks = 260
    failed, draws = rng.random((blocks, 10)) < 0.3, rng.random((blocks, 10))
    flagged = np.where(failed, draws < 0.9, draws < 0.05).astype(float)
    people, helped = MeanTest(0.2, 0.0, 1.0, ALPHA), JudgedRateTest(0.2, ALPHA)
    for label, flags in zip(failed[:, 0].astype(float).tolist(), flagged.tolist(), strict=True):
        people.update(label, label)
        helped.update((label, label), flags[0], flags[1:])
    picture = Picture(language, (0, blocks), (0, 0.6))
    picture.area((0, 0), (blocks, 0.2), SHADE)
    picture.ticks(range(0, blocks + 1, 50), _percent(0, 0.2, 0.4, 0.6), picture.say("labels"))
    picture.line((0, 0.2), (blocks, 0.2), INK)
    for test, colour in ((people, GREY), (helped, BLUE)):
        trace = test.trace()
        if colour == BLUE:
            picture.band(trace, colour)
        for name in ("lower", "upper"):
            picture.curve([(point.n, getattr(point, name)) for point in trace], colour)
    picture.text(picture.left, 18, picture.say("failure rate"), GREY)
    picture.text(picture.right - 6, picture.y(0.52), picture.say("people"), GREY, "end")
    picture.text(picture.right - 6, picture.y(0.47), picture.say("judge"), BLUE, "end")
    return picture.svg()


def monitor(language: str) -> str:
    """Draw a monitor and a test left running, on the same stream with a jump; logarithmic."""
    limit, level, change, total = 0.02, 10_000.0, 6000, 7000
    stream = _stream(8, change, 0.01) + _stream(9, total - change, 0.06)
    watch, bets = RateMonitor(limit, level), rate_bets(limit)
    on_failure, on_pass = np.log1p(bets * (1.0 - limit) / limit), np.log1p(-bets)
    logs = np.zeros(bets.size)
    statistic, left = [], []
    for record, failed in enumerate(stream, start=1):
        watch.update(failed, failed)
        logs = logs + (on_failure if failed else on_pass)
        if watch.alarm_at in {None, record}:
            statistic.append((float(record), math.log10(max(watch.statistic, 0.1))))
        left.append((float(record), float(np.log10(np.exp(logs - logs.max()).mean()) + logs.max() / math.log(10.0))))
    picture = Picture(language, (0, total), (-12, 5))
    powers = [(float(power), f"10{_superscript(power)}") for power in (-12, -8, -4, 0, 4)]
    picture.ticks(range(0, total + 1, 1000), powers, picture.say("records"))
    picture.line((0, 4), (total, 4), INK, dashed=True)
    picture.line((change, -12), (change, 5), GREY, dashed=True)
    picture.curve(left, GREY)
    _peaks(picture, statistic)
    alarm = float(watch.alarm_at or total)
    picture.dot((alarm, 4), RED)
    picture.text(picture.x(alarm) + 9, picture.y(4) - 6, picture.say("alarm"), RED)
    picture.text(picture.x(change) - 6, picture.y(-1.6), f"{picture.say('change')} {picture.say('per')}", GREY, "end")
    picture.text(picture.left + 8, picture.y(2.75), picture.say("statistic"), BLUE)
    picture.text(picture.x(2300), picture.y(-3.2), picture.say("left"), GREY)
    return picture.svg()


def _peaks(picture: Picture, path: Sequence[Point], window: int = 25) -> None:
    """Draw the largest value of each window, so that thinning hides no peak."""
    edges = range(0, len(path) + window, window)
    tops = [max(path[start:end], key=lambda point: point[1]) for start, end in pairwise(edges) if path[start:end]]
    picture.curve([*tops, path[-1]], BLUE)


def _superscript(power: int) -> str:
    return str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


DRAWN: dict[str, Callable[[str], str]] = {
    "sequential": sequential,
    "peeking": peeking,
    "reading": reading,
    "missing": missing,
    "judged": judged,
    "monitor": monitor,
}


def pictures() -> dict[str, str]:
    """Draw everything.

    Returns
    -------
    dict
        File name in docs/images to its SVG.
    """
    return {f"{name}-{language}.svg": draw(language) for name, draw in DRAWN.items() for language in LANGUAGES}


if __name__ == "__main__":
    for file_name, svg in pictures().items():
        (IMAGES / file_name).write_text(svg, encoding="utf-8")
