"""Files 2-1, 1-3 and 4-1: what a project costs, which plans it names, and what its review came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from shinrai.do.reviews.cells import number, project_number, text
from shinrai.do.reviews.notices import Kind, Notice, Notices
from shinrai.do.reviews.rows import ReviewFile

_AMOUNTS: Final = ("initial", "supplementary", "available", "spent", "requested")
_BASES: Final = ("plan", "plan_url", "policy", "programme", "law", "law_number", "article")


@dataclass(frozen=True, slots=True)
class Budget:
    """A project's money in a budget year, in yen, from the row of totals; None is not known, 0 is nothing."""

    project: str
    year: int
    initial: float | None
    supplementary: float | None
    available: float | None
    spent: float | None
    requested: float | None
    line: int


@dataclass(frozen=True, slots=True)
class Basis:
    """A plan, notice, policy or law that a project names as its basis; empty where it names none of the kind.

    The article of a law is written as the ministry writes it, mostly a bare number.
    """

    project: str
    plan: str
    plan_url: str
    policy: str
    programme: str
    law: str
    law_number: str
    article: str
    line: int


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the ministry, outside experts and the review team found about a project, in their words."""

    project: str
    self_check: str
    improvement: str
    effect: str
    expert: str
    team: str
    team_details: str
    reflected: str
    reflected_details: str
    reflected_amount: float | None
    line: int


class SideReader:
    """Reads the files that stand beside the logic model."""

    def __init__(self, file: ReviewFile, notices: Notices) -> None:
        self.file = file
        self.notices = notices
        self.at = file.binding.at

    def budgets(self) -> list[Budget]:
        """Read a file 2-1.

        Rows of totals and rows of single accounts stand side by side. Only the totals are taken, and nothing is added
        up: that would count money twice. A row is one of totals if any total is filled in.

        Returns
        -------
        list of Budget
            One for each project and budget year. Where a project has two rows of totals for a year that differ, neither
            is taken; where it has accounts and no totals, none is made up. Both are named.
        """
        found: dict[tuple[str, int], Budget | None] = {}
        without: dict[tuple[str, int], int] = {}
        for row in self.file.rows():
            project, year = self._project(row), self._year(row)
            if project is None or year is None:
                continue
            amounts = {name: self._amount(project, row, name) for name in _AMOUNTS}
            if all(value is None for value in amounts.values()):
                without.setdefault((project, year), self.file.line)
                continue
            self._total(found, Budget(project, year, **amounts, line=self.file.line))
        for place in without.keys() - found.keys():
            self.notices.add(Notice("no-total", self.file.name, without[place], "", place[0], str(place[1])))
        return [one for one in found.values() if one is not None]

    def _total(self, found: dict[tuple[str, int], Budget | None], budget: Budget) -> None:
        place = budget.project, budget.year
        if place not in found:
            found[place] = budget
            return
        first = found[place]
        same = first is not None and all(getattr(first, name) == getattr(budget, name) for name in _AMOUNTS)
        kind: Kind = "row-twice" if same else "several-totals"
        self.notices.add(Notice(kind, self.file.name, budget.line, "", budget.project, str(budget.year)))
        if not same:
            found[place] = None

    def bases(self) -> list[Basis]:
        """Read a file 1-3: one entry for each row that names a plan, a policy or a law."""
        found = []
        for row in self.file.rows():
            project = self._project(row)
            if project is None:
                continue
            texts = {name: self._text(row, name) for name in _BASES}
            if any(texts.values()):
                found.append(Basis(project, **texts, line=self.file.line))
        return found

    def assessments(self) -> list[Assessment]:
        """Read a file 4-1.

        A project has several rows where it has several remarks from outside; its own texts are the same in all. Rows
        that differ in them are named, and the first stands.
        """
        found: dict[str, Assessment] = {}
        names = ("self_check", "improvement", "effect", "expert", "team", "team_details", "reflected")
        for row in self.file.rows():
            project = self._project(row)
            if project is None:
                continue
            texts = {name: self._text(row, name) for name in (*names, "reflected_details")}
            amount = self._amount(project, row, "reflected_amount")
            if not any(texts.values()):
                continue
            one = Assessment(project, **texts, reflected_amount=amount, line=self.file.line)
            first = found.setdefault(project, one)
            if any(getattr(first, name) != texts[name] for name in names):
                self.notices.add(
                    Notice("row-conflict", self.file.name, self.file.line, "", project, "", str(first.line))
                )
        return list(found.values())

    def _project(self, row: list[str]) -> str | None:
        cell = row[self.at["project"]].strip()
        project = project_number(cell)
        if project is None:
            header = self.file.binding.headers[self.at["project"]]
            self.notices.add(Notice("no-project-number", self.file.name, self.file.line, header, "", cell))
        return project

    def _year(self, row: list[str]) -> int | None:
        cell = row[self.at["budget_year"]].strip()
        value, oddity = number(cell)
        if value is None or not value.is_integer():
            header = self.file.binding.headers[self.at["budget_year"]]
            self.notices.add(Notice(oddity or "not-a-number", self.file.name, self.file.line, header, "", cell))
            return None
        return int(value)

    def _text(self, row: list[str], name: str) -> str:
        position = self.at.get(name)
        return "" if position is None else text(row[position])

    def _amount(self, project: str, row: list[str], name: str) -> float | None:
        position = self.at.get(name)
        if position is None:
            return None
        cell = row[position].strip()
        value, oddity = number(cell)
        if oddity is not None:
            header = self.file.binding.headers[position]
            self.notices.add(Notice(oddity, self.file.name, self.file.line, header, project, cell))
        return value
