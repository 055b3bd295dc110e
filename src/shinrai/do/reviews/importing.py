"""The files of one year's project reviews, read together."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from shinrai.do.reviews.budgets import Assessment, Basis, Budget, SideReader
from shinrai.do.reviews.columns import Subject
from shinrai.do.reviews.goals import GoalReader, Series
from shinrai.do.reviews.links import Link, check_links, read_links
from shinrai.do.reviews.notices import Notice, Notices
from shinrai.do.reviews.rows import ReviewFile, open_review
from shinrai.errors import Problem, SourceError, UsageError
from shinrai.i18n import _
from shinrai.records import Digest, digest_file


@dataclass(slots=True)
class Reviews:
    """What the files say, row by row, and what is odd about them.

    Parameters
    ----------
    year : int
        Year of the review sheets (事業年度). Results are mostly those of the fiscal year before.
    files : dict
        Subject → name of the file it was read from.
    digest : Digest or None
        Of the file 3-1, as it was read.
    rows : dict
        Subject → number of rows read, the header not counted.
    series : list of Series
        Indicators and nodes without indicator, in the order of the file 3-1.
    links, budgets, bases, assessments : list
        As far as their files were given.
    reasons : dict
        Project → why it sets its outcome in one stage only.
    notices : Notices
    """

    year: int
    files: dict[Subject, str] = field(default_factory=dict)
    digest: Digest | None = None
    rows: dict[Subject, int] = field(default_factory=dict)
    series: list[Series] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)
    budgets: list[Budget] = field(default_factory=list)
    bases: list[Basis] = field(default_factory=list)
    assessments: list[Assessment] = field(default_factory=list)
    notices: Notices = field(default_factory=Notices)

    def naming(self, words: Iterable[str]) -> set[str]:
        """Find the projects that name a plan.

        Parameters
        ----------
        words : iterable of str
            Of which one has to stand, as it is, in the name of a plan or of the decision behind an indicator.

        Returns
        -------
        set of str
            Numbers of projects. A name that merely resembles is none.
        """
        wanted = tuple(words)
        named = {one.project for one in self.bases if any(text in one.plan for text in wanted)}
        return named | {one.project for one in self.series if any(text in one.decision for text in wanted)}


def read_reviews(paths: Sequence[Path]) -> Reviews:
    """Read files of the project reviews.

    Parameters
    ----------
    paths : sequence of Path
        CSV files or ZIP archives with one CSV file each; 3-1 has to be among them, the others are welcome. Which file
        is which is told by their headers.

    Returns
    -------
    Reviews

    Raises
    ------
    SourceError
        If a file cannot be read as what it is, two are of the same subject, or they are of different years.
    UsageError
        If there is no file 3-1.
    """
    reading = _Reading()
    with no_collection():
        for path in paths:
            with open_review(path) as file:
                reading.take(file)
                if file.binding.subject == "3-1":
                    reading.reviews.digest = digest_file(path)
        return reading.end()


@contextmanager
def no_collection() -> Iterator[None]:
    """Keep the collector of reference cycles away while rows are read and plans are made of them.

    They make hundreds of thousands of objects, none of them in a cycle; looking through all of them again and again is
    an eighth to a quarter of the time.
    """
    collected = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collected:
            gc.enable()


class _Reading:
    def __init__(self) -> None:
        self.reviews = Reviews(year=0)

    def take(self, file: ReviewFile) -> None:
        subject, reviews = file.binding.subject, self.reviews
        if subject in reviews.files:
            message = _("this is a second file {subject}, beside {name}").format(
                subject=subject, name=reviews.files[subject]
            )
            raise SourceError([Problem("do.review-twice", file.name, 1, 1, message)])
        reviews.files[subject] = file.name
        side = SideReader(file, reviews.notices)
        match subject:
            case "3-1":
                reviews.series = GoalReader(file, reviews.notices).read()
            case "3-2":
                reviews.links, reviews.reasons = read_links(file, reviews.notices)
            case "2-1":
                reviews.budgets = side.budgets()
            case "1-3":
                reviews.bases = side.bases()
            case "4-1":
                reviews.assessments = side.assessments()
        reviews.rows[subject] = file.count
        self._same_year(file)

    def _same_year(self, file: ReviewFile) -> None:
        if file.year is None:
            raise SourceError([Problem("do.empty", file.name, 1, 1, _("the file is empty"))])
        if self.reviews.year not in {0, file.year}:
            message = _("the file is of {found}, the others are of {year}").format(
                found=file.year, year=self.reviews.year
            )
            raise SourceError([Problem("do.review-year", file.name, 2, 1, message)])
        self.reviews.year = file.year

    def end(self) -> Reviews:
        reviews = self.reviews
        if "3-1" not in reviews.files:
            raise UsageError(
                "do.review-goals",
                _("the file 3-1 (goals and results) is missing"),
                hint=_("it is the one the others hang on; give it together with them"),
            )
        if "3-2" in reviews.files:
            nodes = {(one.project, one.number, one.level) for one in reviews.series}
            reviews.links = check_links(reviews.links, nodes, reviews.files["3-2"], reviews.notices)
        _name_shared_nodes(reviews)
        return reviews


def _name_shared_nodes(reviews: Reviews) -> None:
    """Name the nodes that stand there with several statements: a link to their number does not say which is meant."""
    statements: dict[tuple[str, str, str], str] = {}
    for one in reviews.series:
        node = one.project, one.number, one.level
        first = statements.setdefault(node, one.statement)
        if first != one.statement:
            place = f"{one.level} {one.number}".strip()
            reviews.notices.add(
                Notice("several-statements", reviews.files["3-1"], one.line, "", one.project, place, first)
            )
