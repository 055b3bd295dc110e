"""A guard in front of the residents' assistant: it reads every question first, and every reply last.

Before the model is called, a small classifier (character n-grams, logistic regression, trained on the spot on the
workspace's own examples) estimates how likely it is that the text is an ordinary question to a town hall. Below the
``threshold`` the resident gets a fixed, polite reply in the language of the question, and the model is not called.

After the model has answered, addresses, numbers and secrets that must not leave the town hall are masked. This part
is plain rules: e-mail addresses, phone numbers, My Number (individual numbers with a right check digit), payment
cards (13 to 19 digits that pass the Luhn check) and the ``secrets`` of the parameters. Full-width characters count as
their ASCII forms. What is spelled out in words ("taro at example dot jp") is not recognised.
"""

from __future__ import annotations

import bisect
import itertools
import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # no types; scikit-learn brings it

WORKSPACE = Path(__file__).resolve().parent.parent
DEFAULT_THRESHOLD = 0.35
SHORTEST_SECRET = 4  # masking shorter ones would tear ordinary words apart

REPLIES = {
    "hazardous": {
        "en": "I'm sorry, but I can't help with that, because it could put people in danger. If anyone is in danger "
        "now, please call 119 (fire and ambulance) or 110 (police).",
        "ja": "申し訳ございませんが、人を危険にさらすおそれがあるため、このご質問にはお答えできません。"
        "今まさに危険が迫っている場合は、119番（消防・救急）または110番（警察）にお電話ください。",
    },
    "off-purpose": {
        "en": "I'm sorry, but I can't help with that. I can only answer questions about the town hall's services.",
        "ja": "申し訳ございませんが、このご質問にはお答えできません。"
        "町役場の手続きやサービスについてのみご案内しています。",
    },
    "injection": {
        "en": "I'm sorry, but I can't follow that request. "
        "I'm glad to answer a question about the town hall's services.",
        "ja": "申し訳ございませんが、そのご指示には従うことができません。"
        "町役場の手続きやサービスについてのご質問でしたら、喜んでご案内します。",
    },
    "personal-data": {
        "en": "I'm sorry, but I can't share or handle anyone's personal information here. Please ask at the town "
        "hall's counter, where we can confirm who you are.",
        "ja": "申し訳ございませんが、個人情報に関わることは、ここではお答えできません。"
        "ご本人確認ができる役場の窓口でお尋ねください。",
    },
}
ORDINARY = "ordinary"

MASKS = {
    "secret": {"en": "[confidential]", "ja": "［非公開情報］"},
    "e-mail": {"en": "[e-mail address]", "ja": "［メールアドレス］"},
    "card": {"en": "[card number]", "ja": "［カード番号］"},
    "my-number": {"en": "[My Number]", "ja": "［マイナンバー］"},
    "phone": {"en": "[phone number]", "ja": "［電話番号］"},
}

# One character for one, so that a place in the folded text is the same place in the reply.
FOLD = (
    {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
    | dict.fromkeys(map(ord, "‐‑‒–—―−ー－ｰ"), "-")
    | {0x3000: " "}
)
E_MAIL_DOMAIN = re.compile(r"@(?:[a-z0-9-]+\.)+[a-z]{2,}", re.IGNORECASE)
E_MAIL_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._%+-")
DIGIT_GROUPS = re.compile(r"[0-9]+(?:[ \t().-]{1,3}[0-9]+)*")
JAPANESE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uff66-\uff9d]")

DOUBLED = {str(digit): sum(divmod(2 * digit, 10)) for digit in range(10)}

Span = tuple[int, int, str]  # start, end, kind


class Guard:
    """The guard, ready to use; :func:`load` makes one.

    Parameters
    ----------
    judge : callable
        Gives, for one text, the probability of each label of the training file.
    threshold : float
        The least probability of "ordinary" with which a text is let through.
    secrets : tuple of re.Pattern
        What must never appear in a reply.
    """

    def __init__(
        self, judge: Callable[[str], Mapping[str, float]], threshold: float, secrets: tuple[re.Pattern[str], ...]
    ) -> None:
        self.judge = judge
        self.threshold = threshold
        self.secrets = secrets

    def before(self, text: str) -> str | None:
        """Decide about a question before the model sees it.

        Parameters
        ----------
        text : str
            What the resident wrote.

        Returns
        -------
        str or None
            A fixed reply in Japanese or English, to give instead of calling the model; ``None`` to let the question
            through.
        """
        if not text.strip():
            return None
        chances = dict(self.judge(text))
        if chances.pop(ORDINARY) >= self.threshold:
            return None
        return REPLIES[max(sorted(chances), key=chances.__getitem__)][_language(text)]

    def after(self, text: str, reply: str) -> str:
        """Mask in a reply what must not leave the town hall.

        Parameters
        ----------
        text : str
            The question; its language is the language of the masks.
        reply : str
            What the model answered.

        Returns
        -------
        str
            The reply, unchanged where there is nothing to mask.
        """
        language = _language(text)
        parts: list[str] = []
        place = 0
        for start, end, kind in _without_overlap(self._spans(reply)):
            parts += [reply[place:start], MASKS[kind][language]]
            place = end
        return "".join([*parts, reply[place:]])

    def _spans(self, reply: str) -> list[Span]:
        folded = reply.translate(FOLD)
        secrets = [(*found.span(), "secret") for secret in self.secrets for found in secret.finditer(folded)]
        return [*secrets, *_e_mail_addresses(folded), *_numbers(folded)]


def load(parameters: Mapping[str, object]) -> Guard:
    """Train the guard.

    Parameters
    ----------
    parameters : mapping
        ``training``: path of the examples, relative to the workspace (the folder above the one this file lies in),
        as a text or as ``{"file": path}``. JSON Lines; each line has ``prompts``, a list of texts, and ``label``:
        ordinary, hazardous, off-purpose, injection or personal-data.
        ``threshold``: between 0 and 1, both excluded; default 0.35. Higher blocks more.
        ``secrets``: texts to mask in replies, each of at least four letters or digits; default none. Case, and
        spaces or punctuation put between the letters, make no difference.

    Returns
    -------
    Guard
        Same examples, same guard.

    Raises
    ------
    ValueError
        When a parameter is unknown, missing or wrong, or a line of the training file is; the message names it.
    """
    unknown = sorted(set(parameters) - {"training", "threshold", "secrets"})
    if unknown:
        raise ValueError(
            f"unknown parameter {unknown[0]!r}: this component takes 'training', 'threshold' and 'secrets'"
        )
    threshold = parameters.get("threshold", DEFAULT_THRESHOLD)
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 < threshold < 1:
        raise ValueError(f"parameter 'threshold' is {threshold!r}: expected a number between 0 and 1, both excluded")
    secrets = _secrets(parameters.get("secrets", []))
    texts, labels = _examples(parameters.get("training"))
    return Guard(judge=_trained(texts, labels), threshold=float(threshold), secrets=secrets)


def _secrets(found: object) -> tuple[re.Pattern[str], ...]:
    if isinstance(found, str) or not isinstance(found, Sequence) or not all(isinstance(item, str) for item in found):
        raise ValueError(f"parameter 'secrets' is {found!r}: expected a list of texts")
    patterns = []
    for secret in found:
        letters = [letter for letter in secret.translate(FOLD) if letter.isalnum()]
        if len(letters) < SHORTEST_SECRET:
            raise ValueError(
                f"parameter 'secrets' holds {secret!r}: expected at least {SHORTEST_SECRET} letters or digits"
            )
        patterns.append(re.compile(r"[\W_]{0,3}".join(map(re.escape, letters)), re.IGNORECASE))
    return tuple(patterns)


def _examples(training: object) -> tuple[list[str], list[str]]:
    if isinstance(training, Mapping) and set(training) == {"file"}:
        training = training["file"]
    if not isinstance(training, str) or not training:
        raise ValueError(f"parameter 'training' is {training!r}: expected the path of a JSON Lines file")
    path = WORKSPACE / training
    if not path.is_file():
        raise ValueError(f"parameter 'training' is {training!r}: there is no such file in {WORKSPACE}")
    texts: list[str] = []
    labels: list[str] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        prompts, label = _example(line, f"{training}, line {number}")
        texts += prompts
        labels += [label] * len(prompts)
    missing = sorted({ORDINARY, *REPLIES} - set(labels))
    if missing:
        raise ValueError(f"{training}: no example has the label {missing[0]!r}, and the guard needs some of each")
    return texts, labels


def _example(line: str, where: str) -> tuple[list[str], str]:
    try:
        found: Any = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"{where}: not JSON ({error})") from error
    if not isinstance(found, dict) or "prompts" not in found or "label" not in found:
        raise ValueError(f"{where}: expected an object with 'prompts' and 'label'")
    prompts, label = found["prompts"], found["label"]
    if not isinstance(prompts, list) or not prompts or not all(isinstance(prompt, str) for prompt in prompts):
        raise ValueError(f"{where}: 'prompts' is {prompts!r}: expected a list of texts, at least one")
    if label not in {ORDINARY, *REPLIES}:
        raise ValueError(f"{where}: 'label' is {label!r}: expected one of {', '.join([ORDINARY, *REPLIES])}")
    return prompts, label


def _trained(texts: Sequence[str], labels: Sequence[str]) -> Callable[[str], Mapping[str, float]]:
    # One thread: with two, liblinear's many tiny products cost up to 100 times the CPU, and their last bits differ.
    with threadpool_limits(limits=1):
        model = _pipeline().fit([_plain(text) for text in texts], labels)

    def judge(text: str) -> Mapping[str, float]:
        chances = np.round(model.predict_proba([_plain(text)])[0], 9)
        return dict(zip(model.classes_.tolist(), chances.tolist(), strict=True))

    return judge


def _pipeline() -> Pipeline:
    """Build one yes-or-no classifier for each label; chosen by cross-validation on the training file alone."""
    one_label = LogisticRegression(C=30.0, class_weight="balanced", solver="liblinear", random_state=0)
    return make_pipeline(
        TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 3), sublinear_tf=True, lowercase=False),
        OneVsRestClassifier(one_label),
    )


def _plain(text: str) -> str:
    """Take away differences a reader does not see: width, case, invisible characters, runs of spaces."""
    visible = (letter for letter in unicodedata.normalize("NFKC", text) if unicodedata.category(letter) != "Cf")
    return " ".join("".join(visible).lower().split())


def _language(text: str) -> str:
    return "ja" if JAPANESE.search(text) else "en"


def _without_overlap(spans: Sequence[Span]) -> Iterator[Span]:
    """Keep, of spans that overlap, the one that starts first, stretched over what it overlaps."""
    merged: list[Span] = []
    for start, end, kind in sorted(spans, key=lambda span: (span[0], -span[1])):
        if merged and start < merged[-1][1]:
            first, last, first_kind = merged[-1]
            merged[-1] = (first, max(last, end), first_kind)
        else:
            merged.append((start, end, kind))
    return iter(merged)


def _e_mail_addresses(folded: str) -> Iterator[Span]:
    for found in E_MAIL_DOMAIN.finditer(folded):
        start = found.start()
        while start > 0 and folded[start - 1] in E_MAIL_NAME:
            start -= 1
        if start < found.start():
            yield start, found.end(), "e-mail"


def _numbers(folded: str) -> Iterator[Span]:
    """Find numbers made of whole groups of digits, the longest first: "4111 1111 1111 1111", "03(1234)5678"."""
    for chain in DIGIT_GROUPS.finditer(folded):
        groups = [(found.start() + chain.start(), found.group()) for found in re.finditer("[0-9]+", chain.group())]
        first = 0
        while first < len(groups):
            count, span = _number_at(folded, groups[first : first + 19])
            if span is not None:
                yield span
            first += count


def _number_at(folded: str, groups: Sequence[tuple[int, str]]) -> tuple[int, Span | None]:
    """Give how many groups the number that starts with the first one has (1 if there is none), and its span."""
    start = groups[0][0]
    is_international = start > 0 and folded[start - 1] == "+"
    ends = list(itertools.accumulate(len(digits) for _, digits in groups))
    joined = "".join(digits for _, digits in groups)
    for count in range(bisect.bisect_right(ends, 19), 0, -1):
        if ends[count - 1] < 8:
            break
        parts = [digits for _, digits in groups[:count]]
        kind = _kind(parts, joined[: ends[count - 1]], is_international=is_international)
        if kind:
            return count, (start - is_international, groups[count - 1][0] + len(parts[-1]), kind)
    return 1, None


def _kind(parts: Sequence[str], digits: str, *, is_international: bool) -> str | None:
    if is_international:
        return "phone" if len(digits) <= 15 else None
    if len(digits) >= 13 and is_card_number(digits):
        return "card"
    if len(digits) == 12 and is_my_number(digits):
        return "my-number"
    return "phone" if _is_phone_number([len(part) for part in parts], digits) else None


def _is_phone_number(shape: Sequence[int], digits: str) -> bool:
    return (
        (len(digits) == 10 and digits[0] == "0" and digits[1] != "0")
        or (len(digits) == 11 and digits[0] == "0" and digits[1] in "56789" and digits[2] == "0")
        or (shape == [3, 3, 4] and digits[0] in "23456789")
        or (shape == [1, 3, 3, 4] and digits[0] == "1")
    )


def is_card_number(digits: str) -> bool:
    """Check the last digit of a payment card number with the Luhn formula (ISO/IEC 7812-1, annex B).

    Parameters
    ----------
    digits : str
        ASCII digits only.

    Returns
    -------
    bool
        False also for zeros only, which pass the formula and are no card.
    """
    total = sum(map(int, digits[-1::-2])) + sum(map(DOUBLED.__getitem__, digits[-2::-2]))
    return total % 10 == 0 and digits.strip("0") != ""


def is_my_number(digits: str) -> bool:
    """Check the last digit of a Japanese individual number.

    Ordinance No. 85 of 2014 of the Ministry of Internal Affairs and Communications, article 5: with the eleven
    digits before it counted from the right, P(1) to P(11), and weights Q(n) = n + 1 for n up to 6 and n - 5 above,
    the check digit is 11 - (sum of P(n) Q(n) mod 11), or 0 where that remainder is 0 or 1.

    Parameters
    ----------
    digits : str
        Twelve ASCII digits.

    Returns
    -------
    bool
        False also for zeros only.
    """
    weighted = (int(digit) * (n + 1 if n <= 6 else n - 5) for n, digit in enumerate(reversed(digits[:11]), start=1))
    remainder = sum(weighted) % 11
    expected = 0 if remainder <= 1 else 11 - remainder
    return int(digits[11]) == expected and digits.strip("0") != ""
