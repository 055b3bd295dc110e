"""Words that leave a promise open, and what two texts have in common."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from shinrai.plan.versions.changes import Effect, Rule
from shinrai.records import Text

_HEDGES_JA: Final = re.compile(r"検討|努め|努力|目指|必要に応じ|可能な限り|適宜|期待され|望まし|場合によって")
_HEDGES_EN: Final = re.compile(
    r"\b(?:consider\w*|endeavou?r\w*|seek(?:s|ing)? to|aim(?:s|ing)? to|strive\w*|where possible|where appropriate"
    r"|as appropriate|as necessary|if necessary|may|might|explor\w*|examin\w*|encourag\w*)\b",
    re.IGNORECASE,
)
_BLANKS: Final = re.compile(r"\s+")


def same_words(one: Text | None, other: Text | None) -> bool:
    """Tell whether two texts say the same in every language that both have: width and blanks do not count."""
    if one is None or other is None:
        return one is other
    pairs = [(one.ja, other.ja), (one.en, other.en)]
    both = [(_plain(a), _plain(b)) for a, b in pairs if a and b]
    return all(a == b for a, b in both) if both else False


def effect_of_words(before: Text | None, after: Text | None) -> tuple[Effect, Rule]:
    """Say what another wording does to a promise.

    Parameters
    ----------
    before, after : Text or None
        That differ.

    Returns
    -------
    tuple
        Weaker or stronger only where words that leave it open have come in or gone, in a language that both texts
        have, and no language says otherwise; unclear else.
    """
    moves = set()
    for language, hedges in (("ja", _HEDGES_JA), ("en", _HEDGES_EN)):
        old = getattr(before, language, None)
        new = getattr(after, language, None)
        if old and new:
            count = len(hedges.findall(new)) - len(hedges.findall(old))
            moves.add((count > 0) - (count < 0))
    moves.discard(0)
    if moves == {1}:
        return "weaker", "D17-hedged"
    if moves == {-1}:
        return "stronger", "D18-committed"
    return "unclear", "D19-words"


def _plain(text: str) -> str:
    return _BLANKS.sub("", unicodedata.normalize("NFKC", text))
