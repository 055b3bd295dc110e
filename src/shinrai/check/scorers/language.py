"""Language of the reply, told by its script."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Literal

from shinrai.check.scorers.details import N_, detail
from shinrai.check.scorers.folding import fold
from shinrai.check.scorers.interface import Context, Request, ScoreFunction
from shinrai.check.scorers.replies import EMPTY, NO_FIELD, judge_each
from shinrai.records import Call, Item, LanguageOfReply, Score

TOO_FEW = N_("the reply has too few letters to tell its language")
SHARES = N_("shares of letters")
NO_KANA = N_("kanji with hardly any kana are not Japanese")

_ADDRESS = re.compile(r"(?:https?://|www\.)[!-~]++|(?<![!-~])[\w.+-]{1,64}+@[\w.-]++", re.ASCII)
_LETTER = re.compile(r"[^\W\d_]")
_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa\u30fc]")
_HAN = re.compile("[\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]")
_LATIN = re.compile("[A-Za-z\u00aa-\u024f\u1e00-\u1eff]")

_FEWEST_LETTERS = 2
_FEWEST_HAN_ALONE = 20
_JAPANESE_SHARE = 0.5
_KANA_SHARE = 0.05
_LATIN_SHARE = 0.9


def build(use: LanguageOfReply, _context: Context) -> ScoreFunction:
    """Pass when the letters of the reply are those of the expected language.

    Japanese: kana and kanji are at least 50 % of the letters, and kana at least 5 % of kana and kanji. English: Latin
    letters are at least 90 %. Web and mail addresses are left out of the count.
    """

    def score(item: Item, _requests: Sequence[Request], calls: Sequence[Call]) -> Score:
        expected = item.fields.get("lang") if use.expected == "item" else use.expected
        if not isinstance(expected, str) or expected not in {"ja", "en"}:
            return Score("invalid", detail(NO_FIELD, "lang"))
        return judge_each(calls, lambda reply: _judge(reply, "ja" if expected == "ja" else "en"))

    return score


def _judge(reply: str, expected: Literal["ja", "en"]) -> Score:
    if not reply.strip():
        return Score("fail", EMPTY)
    characters = Counter(_ADDRESS.sub(" ", fold(reply)))
    letters = _count(_LETTER, characters)
    if letters < _FEWEST_LETTERS:
        return Score("invalid", TOO_FEW)
    kana, han, latin = (_count(script, characters) for script in (_KANA, _HAN, _LATIN))
    shares = detail(SHARES, *(f"{name} {count / letters:.0%}" for name, count in _named(kana, han, latin)))
    if expected == "en":
        return Score("pass" if latin / letters >= _LATIN_SHARE else "fail", shares)
    if (kana + han) / letters < _JAPANESE_SHARE:
        return Score("fail", shares)
    if kana / (kana + han) >= _KANA_SHARE:
        return Score("pass", shares)
    return Score("invalid", TOO_FEW) if han < _FEWEST_HAN_ALONE else Score("fail", NO_KANA)


def _named(kana: int, han: int, latin: int) -> tuple[tuple[str, int], ...]:
    return ("kana", kana), ("kanji", han), ("Latin", latin)


def _count(script: re.Pattern[str], characters: Counter[str]) -> int:
    return sum(times for character, times in characters.items() if script.match(character))
