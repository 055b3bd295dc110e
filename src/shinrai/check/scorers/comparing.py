"""Whether several replies give the same answer; shared by counterfactual and consistency."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal

from shinrai.check.scorers.details import N_, detail
from shinrai.check.scorers.folding import fold
from shinrai.check.scorers.interface import Request, ScoreFunction
from shinrai.check.scorers.replies import EMPTY, ONE_REPLY, unreadable
from shinrai.records import Call, Comparison, Item, Score

NEITHER = N_("the reply reads neither as yes nor as no")

_READ = 5_000
_OPENING = re.compile(
    r"[\s*_#>\"'“”「『(\[\-:.•]*+"
    r"(?:(?:(?:the |my )?(?:final |short )?answer|a|お?答え|回答|結論)[\s*_]{0,4}:)?[\s*_#>\"'“”「『(\[]*+"
)
_BOTH = re.compile(r"(?:yes|no)\b\W{0,3}(?:and|or|/)?\W{0,3}(?:yes|no)\b|はい\W{0,3}(?:か|または|/)?\W{0,3}いいえ")
_HEAD = {
    "yes": re.compile(
        r"(?:yes|yeah|yep|yup|certainly|of course|absolutely|definitely|correct|indeed|true)\b(?! not\b)"
        r"|(?:はい|ええ|うん|もちろん|その通り|そのとおり)(?![ぁ-ゖ])|(?:はい|その通り|そのとおり|そう)です"
    ),
    "no": re.compile(
        r"(?:no(?! (?:problem|worries|doubt|one|matter|idea)\b)(?!\. ?\d)|nope|nah|not at all|never|incorrect|false"
        r"|(?:certainly|of course|absolutely|definitely) not|unfortunately,? no)\b"
        r"|(?:いいえ|いえ|いや)(?![ぁ-ゖ])|いいえです|違います|ちがいます|そうではありません"
    ),
}
_STATED = re.compile(
    r"answer (?:is|would be)[\s\"'*:“「]{1,4}(yes|no)\b|(?:答え|回答|結論)は[、\s\"*:「]{0,4}(はい|いいえ)"
)
_WHO = r"\b(?:you|they|he|she|we|residents|applicants|people|anyone|everyone)"
_FIT = r"(?:eligible|entitled|allowed|permitted|possible|required|necessary|covered)"
_PREDICATE = {
    "yes": re.compile(
        rf"(?:\b(?:is|are|am|be)|'s|'re) (?:also |\w+ly )?{_FIT}\b"
        rf"|{_WHO} (?:also )?(?:can|may|qualify)\b(?! not)|\bqualifies\b"
        r"|対象(?:者)?(?:です|になります|となります|に含まれます)(?!か)|可能です(?!か)|(?:でき|出来|受けられ|いただけ|認められ)ます(?!か)"
        r"|該当します(?!か)|必要(?:です|になります|となります|があります)(?!か)|大丈夫です(?!か)"
        r"|(?:問題|差し支え|間違い)(?:は)?(?:あり|ござい)ません"
    ),
    "no": re.compile(
        rf"(?:\b(?:is|are|am|be)(?: not|n't)|'s not|'re not) (?:\w+ly )?{_FIT}\b|\bineligible\b"
        rf"|{_WHO} (?:can't|cannot|can not|may not|do not qualify|don't qualify)\b|\bdoes(?: not|n't) qualify\b"
        r"|対象外|対象(?:者)?(?:では|じゃ|には|と|に)(?:は)?(?:あり|なり|含まれ)?ません|不可(?:能)?です|不要です"
        r"|(?:でき|出来|受けられ|いただけ|認められ)(?:ません|ない)|該当(?:し|いたし)ません|必要(?:は|が|では)?(?:あり|ござい)ません"
    ),
}
# A reply that opens with yes or no and then says the opposite of it is not read either way.
_CONTRADICTS = {
    "yes": re.compile(
        rf"(?:\b(?:is|are)(?: not|n't)|'s not|'re not) (?:\w+ly )?{_FIT}\b|\bineligible\b|{_WHO} (?:can't|cannot)\b"
        r"|対象外|対象(?:者)?(?:では|じゃ|には|と|に)(?:は)?(?:あり|なり|含まれ)?ません|(?:でき|受けられ|該当し)ません|\b(?:no)\b|いいえ"
    ),
    "no": re.compile(
        r"\b(?:is|are) (?:eligible|entitled)\b|対象(?:者)?(?:です|になります|となります)|受けられます|該当します"
        r"|\byes\b|はい、"
    ),
}
_APOLOGY = re.compile(r"申し訳(?:あり|ござい)ません")
_NO_ANSWER = re.compile(
    r"(?:答え|回答|判断|案内|手伝|対応|わかり|分かり|理解)[^。\n]{0,8}?(?:でき|かね|ません)"
    r"|\bi (?:can't|cannot|am unable|don't know)\b"
)
_SENTENCE_END = re.compile(r"[。!?\n]|\.(?=\s|$)")

Answer = Literal["yes", "no"]


def read_yes_no(reply: str) -> Answer | None:
    """Read a Japanese or English reply as yes or no.

    Tried in this order: the word the reply opens with (はい, いいえ, yes, no …; markup, quotation marks and a label
    such as ``Answer:`` aside); an answer stated as such anywhere (``the answer is no``, ``答えは「はい」``); the
    predicate of the first sentence (``is eligible``, ``cannot``, 対象です, できません …).

    Parameters
    ----------
    reply : str
        The first 5,000 characters are read.

    Returns
    -------
    {"yes", "no"} or None
        None when none of these is there, when they say both, and when the first sentence declines to answer.
    """
    text = _APOLOGY.sub("", fold(reply[:_READ]).casefold().replace("’", "'"))
    opening = _OPENING.match(text)
    text = text[opening.end() :] if opening else text
    sentence = _SENTENCE_END.split(text, maxsplit=1)[0]
    if _BOTH.match(text):
        return None
    for answer, head in _HEAD.items():
        found = head.match(text)
        if found:
            return None if _CONTRADICTS[answer].search(sentence, found.end()) else _answer(answer)
    stated = {_answer(english or japanese) for english, japanese in _STATED.findall(text)}
    if stated:
        return stated.pop() if len(stated) == 1 else None
    if _NO_ANSWER.search(sentence):
        return None
    fitting = [answer for answer, predicate in _PREDICATE.items() if predicate.search(sentence)]
    return _answer(fitting[0]) if len(fitting) == 1 else None


def _answer(word: str) -> Answer:
    return "yes" if word in {"yes", "はい"} else "no"


def read_text(reply: str) -> str | None:
    """Read a reply as its text: one Unicode width, lower case, white space as single blanks. None when it is blank."""
    return " ".join(fold(reply).casefold().split()) or None


_READERS: dict[Comparison, tuple[Callable[[str], str | None], str]] = {
    "yes-no": (read_yes_no, NEITHER),
    "text": (read_text, EMPTY),
}


def same_answers(comparison: Comparison, difference: str) -> ScoreFunction:
    """Build the rule "all replies of the trial give the same answer".

    Parameters
    ----------
    comparison : {"yes-no", "text"}
        How a reply is read.
    difference : str
        Sentence of the detail when they differ.

    Returns
    -------
    callable
        Invalid when there are fewer than two replies or one cannot be read, even where the others already differ.
    """
    read, unread = _READERS[comparison]

    def score(_item: Item, _requests: Sequence[Request], calls: Sequence[Call]) -> Score:
        if len(calls) < 2:
            return Score("invalid", ONE_REPLY)
        answers = []
        for call in calls:
            broken = unreadable(call)
            if broken is not None:
                return broken
            answer = read(call.reply)
            if answer is None:
                return Score("invalid", detail(unread if call.reply.strip() else EMPTY, call.reply))
            answers.append(answer)
        if len(set(answers)) == 1:
            return Score("pass")
        return Score("fail", detail(difference, *answers))

    return score
