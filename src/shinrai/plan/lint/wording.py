"""Words that give away what a statement is about. They only ever make somebody look: a person decides."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from shinrai.records import Text

ACTIVITY: Final = (
    re.compile(
        r"策定|開催|実施回数|実施件数|配布|公表|作成|設置|導入数|導入件数|予算額|執行額|支出額|研修|受講者数|参加者数|周知|広報"
        r"|調達|会議|委託|公募|採択|助成|補助件数|説明会|セミナー|ガイドライン数|整備数|発行"
    ),
    re.compile(
        r"\b(?:publish\w*|publication\w*|issued?|distribut\w+|held|meetings?|workshops?|seminars?|trained|trainings?"
        r"|allocat\w+|budget\w*|spend\w*|spent|procur\w+|guidelines? (?:issued|published)|established|launched)\b",
        re.IGNORECASE,
    ),
)
"""What an owner can do without anybody else changing."""

USAGE: Final = (
    re.compile(r"利用率|利用者|利用数|利用件数|導入率|導入数|普及率|活用率|採用率|ユーザー|投資|認知度|ダウンロード"),
    re.compile(
        r"\b(?:adopt\w*|usage|uptake|users?|use of|use rates?|has used|have used|investments?|invested|deploy\w*"
        r"|downloads?|awareness)\b",
        re.IGNORECASE,
    ),
)
"""That something is used, bought or known: a step on the way."""

SAFEGUARD: Final = (
    re.compile(
        r"安全|事故|被害|苦情|公平|公正|格差|差別|排除|取り残|プライバシー|信頼|誤り|誤情報|偽情報|リスク|高齢者|障害|障がい"
        r"|権利|漏えい|漏洩|セキュリティ|不安"
    ),
    re.compile(
        r"\b(?:safe\w*|harm\w*|incidents?|complaints?|fair\w*|equit\w*|gaps?|discriminat\w*|exclu\w*|left behind"
        r"|privacy|trust\w*|errors?|misinformation|risks?|elder\w*|disab\w*|rights|leak\w*|security|anxiet\w*)\b",
        re.IGNORECASE,
    ),
)
"""Harm, safety, rights, and who is left behind."""

Words = tuple[re.Pattern[str], re.Pattern[str]]


def first_word(text: Text, words: Words) -> str | None:
    """Give the first word of a kind in a text, in either language; None where there is none."""
    for written, pattern in zip((text.ja, text.en), words, strict=True):
        match = pattern.search(unicodedata.normalize("NFKC", written)) if written else None
        if match:
            return match.group(0)
    return None
