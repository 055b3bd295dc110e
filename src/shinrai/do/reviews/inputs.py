"""What a project costs and what it rests on, as parts of its plan: files 2-1 and 1-3."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeAlias

from shinrai.do.reviews.budgets import Basis, Budget
from shinrai.records import Id

Values: TypeAlias = dict[str, Any]
"""Of a record, before it is made."""

NODE: Final = "input-budget"
"""Id of the result node that stands for the money."""

_SPENT_NOTE: Final = {
    "ja": "経路は各年度の歳出予算現額です。向きは予算現額に近づくことを示すだけで、"
    "多く使うほどよいという意味ではありません。",
    "en": "The path is what each year's budget allows to be spent. The direction is towards it; it does not say that "
    "more spending is better.",
}


def input_node(node: Id, budgets: Iterable[Budget]) -> Values:
    """Give the node of the money, with every amount in its note."""
    return {
        "id": node,
        "level": "input",
        "title": {"ja": "予算と執行", "en": "Budget"},
        "of": ("project",),
        "note": {"ja": "\n".join(_amounts(one) for one in budgets)},
        "certainty": "official",
    }


def spending(node: Id, name: Id, budgets: Iterable[Budget]) -> tuple[Values, Values]:
    """Give the indicator of what was spent: its definition, and the budgets as its path.

    Parameters
    ----------
    node : str
        Id of the node of the money.
    name : str
        Id of the indicator.
    budgets : iterable of Budget
        Of the project, one for each year.

    Returns
    -------
    tuple of dict
        Definition and use. There is no target and no baseline: the file has none.
    """
    allowed = {one.year: one.available for one in budgets if one.available is not None}
    definition = {
        "id": name,
        "title": {"ja": "執行額", "en": "Spending"},
        "unit": "yen",
        "direction": "up",
        "frequency": "fiscal-year",
        "note": _SPENT_NOTE,
        "certainty": "official",
    }
    use = {
        "indicator": name,
        "of": node,
        "path": [{"period": f"FY{year}", "value": allowed[year]} for year in sorted(allowed)],
        "path_basis": "official" if allowed else None,
        "certainty": "official",
    }
    return definition, use


def _amounts(budget: Budget) -> str:
    names = {
        "当初予算": budget.initial,
        "補正予算": budget.supplementary,
        "歳出予算現額": budget.available,
        "執行額": budget.spent,
        "翌年度要求額": budget.requested,
    }
    amounts = [f"{name} {amount:,.0f}円" for name, amount in names.items() if amount is not None]
    return f"{budget.year}年度：{'、'.join(amounts)}"


def legal_basis(bases: Iterable[Basis]) -> Values | None:
    """Give the laws that a project rests on, each once, as a text; None where it names none."""
    laws = dict.fromkeys(_law(one) for one in bases if one.law)
    return {"ja": "、".join(laws)} if laws else None


def _law(basis: Basis) -> str:
    number = f"（{basis.law_number}）" if basis.law_number else ""
    article = f"第{basis.article}条" if basis.article.isdecimal() else basis.article
    return f"{basis.law}{number}{article}"


def policies(bases: Iterable[Basis]) -> Values | None:
    """Give the policies that a project belongs to, each once, as a text; None where it names none."""
    named = dict.fromkeys(" ／ ".join(filter(None, (one.policy, one.programme))) for one in bases)
    said = "\n".join(filter(None, named))
    return {"ja": said} if said else None


def named_plans(bases: Sequence[Basis], file: str) -> tuple[Values, ...]:
    """Give the plans and notices that a project names, each once, as sources of its measure."""
    found: dict[str, Values] = {}
    for one in bases:
        if one.plan and one.plan not in found:
            found[one.plan] = {
                "title": {"ja": one.plan},
                "url": one.plan_url or None,
                "locator": f"{file}:{one.line}",
                "certainty": "official",
            }
    return tuple(found.values())
