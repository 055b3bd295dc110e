"""``shinrai frameworks``: the rule books, and where their requirements stand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from shinrai.cli.session import Session, json_option, note, put_json, session, today
from shinrai.errors import UsageError
from shinrai.i18n import _, current_language
from shinrai.source import did_you_mean

if TYPE_CHECKING:
    from rich.text import Text as Styled

    from shinrai.records import Framework
    from shinrai.report.requirements import Matrix
    from shinrai.rules.crosswalks import Way
    from shinrai.rules.status import RequirementStatus

_EPILOG = """\b
Examples:
  shinrai frameworks list                                   which rule books there are
  shinrai frameworks show eu-ai-act-2024                    its requirements, with dates and sources
  shinrai frameworks coverage                               where they stand, framework by system
  shinrai frameworks coverage --requirement nist-ai-rmf-1.0/measure-2.7
                                                            what is known of one, and by which way
"""


@click.group("frameworks", epilog=_EPILOG)
def command() -> None:
    """Show rule books, and where each of their requirements stands."""


_LIST = """\b
Examples:
  shinrai frameworks list
  shinrai frameworks list --json
"""


@command.command("list", epilog=_LIST, short_help="Show which rule books there are.")
@json_option("Print the list as JSON.")
@click.pass_obj
def list_(start: str, *, as_json: bool) -> None:
    """List the rule books that Shinrai ships and those of the workspace, with version, certainty and licence."""
    from rich.text import Text  # noqa: PLC0415 - loaded only when the verb runs

    from shinrai.cli.words import columns  # noqa: PLC0415 - loaded only when the verb runs
    from shinrai.report.words import CERTAINTIES  # noqa: PLC0415 - loaded only when the verb runs

    with session(start, write=False) as opened:
        books = opened.workspace.rules
        every, answered = books.frameworks, books.answered
    if as_json:
        put_json(
            {"version": 1, "frameworks": [_facts(book, answered=name in answered) for name, book in every.items()]}
        )
        return
    number = _("requirements")
    table = columns("", _("id"), number, _("source"), right=[number])
    for name, book in every.items():
        count = sum(entry.assessable for entry in book.requirements)
        mark = "✓" if name in answered else ""
        # Below the name, not beside it: a name that is cut in two cannot be copied.
        named = Text.assemble(name, "\n", (_title(book), "dim"))
        table.add_row(mark, named, str(count), _(CERTAINTIES[book.certainty]))
    _print(table)
    note(_("✓ answered in this workspace; shinrai.yaml can name others under `frameworks`"))


def _facts(book: Framework, *, answered: bool) -> dict[str, object]:
    facts = book.to_json()
    facts["requirements"] = sum(entry.assessable for entry in book.requirements)
    return {**facts, "answered": answered}


_SHOW = """\b
Examples:
  shinrai frameworks show nist-ai-rmf-1.0
  shinrai --lang ja frameworks show jaisi-perspectives-1.10
"""


@command.command("show", epilog=_SHOW, short_help="Show one rule book.")
@click.argument("name", metavar="ID")
@json_option("Print it as JSON.")
@click.pass_obj
def show(start: str, name: str, *, as_json: bool) -> None:
    """Show a rule book: issuer, dates, licence, source, and each requirement."""
    from shinrai.report.words import CERTAINTIES  # noqa: PLC0415 - loaded only when the verb runs

    with session(start, write=False) as opened:
        book = _named(opened, name)
    if as_json:
        put_json({"version": 1, "framework": book.to_json()})
        return
    language = current_language()
    click.secho(_title(book), bold=True)
    click.echo(f"{book.issuer.read(language)} · {book.version} · {book.published}")
    if book.superseded_by:
        click.echo(_("superseded by {name}").format(name=book.superseded_by))
    if book.withdrawn:
        click.echo(_("withdrawn on {day}").format(day=book.withdrawn))
    click.echo(_("licence: {licence}").format(licence=book.licence.name.read(language)))
    for source in book.sources:
        click.echo(
            _("source: {title} ({certainty})").format(
                title=" ".join(filter(None, (source.title.read(language), source.url))),
                certainty=_(CERTAINTIES[source.certainty]),
            )
        )
    if book.note:
        click.echo(book.note.read(language))
    click.echo()
    for entry in book.requirements:
        indent = "  " * _depth(book, entry.id)
        since = _(" (from {day})").format(day=entry.valid_from) if entry.valid_from else ""
        doubt = entry.certainty if entry.certainty != book.certainty else None
        mark = f" [{_(CERTAINTIES[doubt])}]" if doubt else ""
        click.echo(f"{indent}{entry.id}  {entry.title.read(language)}{since}{mark}")


def _depth(book: Framework, name: str) -> int:
    above = {entry.id: entry.parent for entry in book.requirements}
    depth = 0
    while (parent := above[name]) is not None:
        name, depth = parent, depth + 1
    return depth


_COVERAGE = """\b
Examples:
  shinrai frameworks coverage                                  framework by system
  shinrai frameworks coverage --framework eu-ai-act-2024       each of its requirements
  shinrai frameworks coverage --requirement nist-ai-rmf-1.0/measure-2.7
                                                               the evidence, and the way it came
  shinrai frameworks coverage --claim hazardous-advice         every requirement that one claim answers
"""


@command.command("coverage", epilog=_COVERAGE, short_help="Show where requirements stand.")
@click.option("--framework", metavar="ID", help="Only this one, requirement by requirement.")
@click.option("--system", metavar="ID", help="Only this system.")
@click.option("--requirement", metavar="REF", help="What is known of one requirement, such as nist-ai-rmf-1.0/map-1.1.")
@click.option("--claim", metavar="PATH", help="Which requirements one claim answers.")
@json_option("Print it as JSON.")
@click.pass_obj
def coverage(
    start: str,
    framework: str | None,
    system: str | None,
    requirement: str | None,
    claim: str | None,
    *,
    as_json: bool,
) -> None:
    """Count requirements by where they stand, framework by system; every count with what it is out of."""
    from shinrai.report.requirements import matrix  # noqa: PLC0415 - loaded only when the verb runs

    with session(start, write=False) as opened:
        found = matrix(opened.workspace, opened.ledger.state(), today())
        if system is not None:
            _require(system, found.systems, "frameworks.unknown-system", _("There is no system {name} in systems/"))
        if requirement is not None:
            _requirement(opened, found, requirement, system, as_json=as_json)
        elif claim is not None:
            _claim(found, claim, as_json=as_json)
        elif framework is not None:
            _require(
                framework,
                found.standing.frameworks,
                "frameworks.unknown",
                _("There is no framework {name} to answer here"),
            )
            _one(found, framework, system, as_json=as_json)
        else:
            _matrix(found, system, as_json=as_json)


def _matrix(found: Matrix, system: str | None, *, as_json: bool) -> None:
    from shinrai.cli.words import columns  # noqa: PLC0415 - loaded only when the verb runs

    if as_json:
        put_json({"version": 1, **found.to_json()})
        return
    language = current_language()
    if not found.systems:
        click.echo(_("The workspace has no system yet."))
        return
    shown = _shown(found, system)
    heads = [found.systems[name].read(language) for name in shown]
    table = columns(_("framework"), *(heads or [_("all systems: {n}").format(n=len(found.systems))]))
    for row in found.rows:
        every: list[str | None] = [*shown] or [None]
        counts = [found.standing.counts(row.framework.id, name) for name in every]
        table.add_row(_title(row.framework), *(_counts(one, sum(one.values())) for one in counts))
    _print(table)
    note(_("n/m: n of all m requirements; those that nobody has evidence on are among the not measured"))


def _one(found: Matrix, framework: str, system: str | None, *, as_json: bool) -> None:
    from shinrai.cli.words import columns  # noqa: PLC0415 - loaded only when the verb runs

    row = next(row for row in found.rows if row.framework.id == framework)
    shown = _shown(found, system)
    if as_json:
        every = shown or list(found.systems)
        statuses = {
            line.requirement.id: {name: found.standing.status(line.ref, name) for name in every} for line in row.lines
        }
        put_json({"version": 1, "framework": framework, "requirements": statuses})
        return
    language = current_language()
    heads = [found.systems[name].read(language) for name in shown]
    everywhere = [_("all systems: {n}").format(n=len(found.systems))]
    table = columns(_("id"), _("requirement"), *(heads or everywhere), whole=[_("id")])
    for line in row.lines:
        cells = [_badge(found.standing.status(line.ref, name)) for name in shown]
        title = line.requirement.title.read(language)
        table.add_row(line.requirement.id, title, *(cells or [_counts(dict(line.counts), len(found.systems))]))
    _print(table)


def _shown(found: Matrix, system: str | None) -> list[str]:
    """Name the systems to show side by side: the one asked for, or all; none where they are too many for a table."""
    return list(found.columns) if system is None else [system]


def _requirement(opened: Session, found: Matrix, name: str, system: str | None, *, as_json: bool) -> None:
    from shinrai.report.requirements import (  # noqa: PLC0415 - loaded only when the verb runs
        answer_behind,
        answer_words,
        contribution_json,
        why_not,
    )

    state = opened.ledger.state()
    known = {line.ref: line.requirement for row in found.rows for line in row.lines}
    _require(name, known, "frameworks.unknown-requirement", _("There is no requirement {name} to answer here"))
    shown = [one for one in found.systems if system in {None, one}]
    evidence = {one: found.standing.contributions(name, one) for one in shown}
    statuses = {one: found.standing.status(name, one) for one in shown}
    if as_json:
        told = {
            one: {"status": statuses[one], "evidence": [contribution_json(piece) for piece in evidence[one]]}
            for one in shown
        }
        put_json({"version": 1, "requirement": name, "systems": told})
        return
    language = current_language()
    click.secho(f"{name}  {known[name].title.read(language)}", bold=True)
    if (text := known[name].text) is not None:
        click.echo(text.read(language))
    for one in shown:
        _print(_badge(statuses[one]), found.systems[one].read(language))
        if statuses[one] == "not_applicable":
            click.echo("  " + _(why_not(opened.workspace, known[name], one, today())))
            if (given := answer_behind(state, name, one)) is not None:
                click.echo(f"      {answer_words(given)}")
        for piece in evidence[one]:
            _print("  ", _badge(piece.status), f"{piece.evidence} — {_way_words(piece.way)}")
            if (given := answer_behind(state, piece.evidence, one)) is not None:
                click.echo(f"      {answer_words(given)}")
        if not evidence[one] and statuses[one] != "not_applicable":
            click.echo("  " + _("nobody has promised or stated anything about it"))


def _way_words(way: Way) -> str:
    from shinrai.report.requirements import RELATIONSHIPS  # noqa: PLC0415 - loaded only when the verb runs

    words = _(RELATIONSHIPS[way.relationship])
    weakest = way.weakest
    if weakest is None:
        return words
    path = " → ".join(hop.crosswalk for hop in way.hops)
    doubt = _("official") if weakest.official else _("derived")
    sure = "" if weakest.confidence is None else f", {weakest.confidence:g}"
    return _("{words}, by {path} (weakest link: {link}, {doubt}{sure})").format(
        words=words, path=path, link=weakest.crosswalk, doubt=doubt, sure=sure
    )


def _claim(found: Matrix, name: str, *, as_json: bool) -> None:
    from shinrai.report.requirements import way_json  # noqa: PLC0415 - loaded only when the verb runs

    known = {one.claim: one for one in found.claims}
    matches = [one for one in known if one == name or one.rpartition("/")[2] == name]
    if len(matches) != 1:
        _require(name, known, "frameworks.unknown-claim", _("No claim {name} answers a requirement"))
    claim = known[matches[0]]
    if as_json:
        ways = {ref: way_json(way) for ref, way in claim.ways.items()}
        put_json({"version": 1, "claim": claim.claim, "requirements": ways})
        return
    click.secho(claim.title.read(current_language()), bold=True)
    titles = {line.ref: line.requirement.title for row in found.rows for line in row.lines}
    for ref, way in claim.ways.items():
        click.echo(f"  {ref}  {titles[ref].read(current_language())} — {_way_words(way)}")


def _named(opened: Session, name: str) -> Framework:
    every = opened.workspace.rules.frameworks
    _require(name, every, "frameworks.unknown", _("There is no framework {name}"))
    return every[name]


def _require(name: str, known: Iterable[str], code: str, message: str) -> None:
    names = list(known)
    if name not in names:
        raise UsageError(code, message.format(name=name), hint=did_you_mean(name, names))


def _title(book: Framework) -> str:
    return book.title.read(current_language())


def _badge(status: RequirementStatus) -> Styled:
    from rich.text import Text  # noqa: PLC0415 - loaded only when the verb runs

    from shinrai.report.requirements import (  # noqa: PLC0415 - loaded only when the verb runs
        REQUIREMENT_SHAPES,
        REQUIREMENT_STYLES,
        REQUIREMENT_WORDS,
    )

    return Text(f"{REQUIREMENT_SHAPES[status]} {_(REQUIREMENT_WORDS[status])}", style=REQUIREMENT_STYLES[status])


def _counts(counts: dict[RequirementStatus, int], total: int) -> Styled:
    from rich.text import Text  # noqa: PLC0415 - loaded only when the verb runs

    from shinrai.report.requirements import ordered  # noqa: PLC0415 - loaded only when the verb runs

    lines = [Text.assemble(_badge(status), f" {count}/{total}") for status, count in ordered(counts)]
    return Text("\n").join(lines)


def _print(*parts: object) -> None:
    from rich.console import Console  # noqa: PLC0415 - loaded only when the verb runs

    Console(highlight=False).print(*parts)
