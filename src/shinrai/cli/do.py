"""``shinrai do``: bring facts in."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import NoReturn

import click

from shinrai.cli.do_exchange import command as turn
from shinrai.cli.do_reviews import command as reviews
from shinrai.cli.progress import progress
from shinrai.cli.session import json_option, note, put_json, session, today
from shinrai.i18n import _, current_language
from shinrai.records import Evidence, Import

_DAY = click.DateTime(formats=["%Y-%m-%d"])
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

# What several commands take, said once.
_json = json_option()
_about = click.option("--system", metavar="ID", help="System it is about; all when left out.")
_until = click.option("--valid-until", type=_DAY, help="Until when it holds.")

_EPILOG = """\b
Examples:
  shinrai do attest contract.pdf --subject human-decides --by housing-office --valid-until 2027-03-31
  shinrai do observe observations/*.csv
  shinrai do observe --subject genai-use --value 0.588 --unit share --as-of 2026-02-28 --source "MIC white paper 2026"
  shinrai do import decisions.csv --system loan-screening
  shinrai do import logs/2026-11-23_safety.eval --system resident-assistant
  shinrai do answer iso-iec-42001-2023/5.2 --answer in-place --document policy.pdf --by mayor --second-reader office
  shinrai do questionnaire answers.xlsx --documents papers
"""


@click.group("do", epilog=_EPILOG)
def command() -> None:
    """Bring facts in: documents, observed values, trials that happened elsewhere."""


@command.command("attest", short_help="Bring in a document.")
@click.argument("document", type=_FILE)
@click.option("--subject", required=True, help="What it attests: the subject of an attested check.")
@click.option("--by", required=True, metavar="ROLE", help="Role that attests it.")
@click.option("--effective", type=_DAY, help="From when it holds; today by default.")
@_until
@_about
@_json
@click.pass_obj
def attest(  # noqa: PLR0913, PLR0917 - one argument for each option
    start: str,
    document: Path,
    subject: str,
    by: str,
    effective: datetime | None,
    valid_until: datetime | None,
    system: str | None,
    *,
    as_json: bool,
) -> None:
    """Bring in a document: its hash, who attests, since when, until when. A copy is kept."""
    from shinrai import do  # noqa: PLC0415 - loaded only when the verb runs

    with session(start, write=True) as opened:
        brought = do.attest(
            opened.ledger,
            opened.workspace,
            subject=subject,
            document=document,
            by=by,
            effective=_day(effective) or today(),
            valid_until=_day(valid_until),
            system=system,
        )
    said = _("attested {subject}: {document} {digest}").format(
        subject=brought.subject, document=brought.name, digest=brought.file_digest
    )
    _tell(brought, said, _("next      shinrai check"), as_json=as_json)


_OBSERVE = """\b
Examples:
  shinrai do observe observations/*.csv
  shinrai do observe --subject genai-use --period FY2025 --value 58.8 --unit percent --source "White paper 2026"
"""


@command.command("observe", epilog=_OBSERVE, short_help="Bring in observed or published values.")
@click.argument("files", nargs=-1, type=_FILE)
@click.option("--subject", help="What was observed: the subject of an observed check, or an indicator.")
@click.option("--value", type=float, help="The value, in the unit given.")
@click.option("--unit", help="Unit, such as share, persons, yen.")
@click.option("--as-of", type=_DAY, help="Day that the value is about.")
@click.option("--period", help="Period that the value is about, such as FY2025, 2026-Q2; needed for an indicator.")
@click.option("--area", help="Where, such as JP or JP-13.")
@click.option("--published", type=_DAY, help="Day of publication.")
@click.option("--source", help="Where it is published.")
@click.option("--system", metavar="ID", help="System it is about.")
@click.option("--population", help="Whom or what it was observed on.")
@click.option("--sample", type=click.IntRange(min=1), help="Number of units behind a share, where known.")
@_json
@click.pass_obj
def observe(  # noqa: PLR0913, PLR0917 - one argument for each option
    start: str,
    files: tuple[Path, ...],
    subject: str | None,
    value: float | None,
    unit: str | None,
    as_of: datetime | None,
    period: str | None,
    area: str | None,
    published: datetime | None,
    source: str | None,
    system: str | None,
    population: str | None,
    sample: int | None,
    *,
    as_json: bool,
) -> None:
    """Bring in tables of observations (CSV), or one value that somebody observed or published, with its source.

    Of a table only the rows that are new are written down; a value that changed without a new date of publication is
    refused.
    """
    from shinrai import do  # noqa: PLC0415 - loaded only when the verb runs

    if files:
        _observe_tables(start, files, as_json=as_json)
        return
    if subject is None or value is None or unit is None or source is None:
        _refuse_incomplete(subject=subject, value=value, unit=unit, source=source)
    with session(start, write=True) as opened:
        brought = do.observe(
            opened.ledger,
            opened.workspace,
            subject=subject,
            value=value,
            unit=unit,
            as_of=_day(as_of),
            source=source,
            today=today(),
            system=system,
            population=population,
            sample=sample,
            period=period,
            area=area,
            published=_day(published),
        )
    when = brought.period or brought.as_of
    said = f"{brought.subject} = {brought.value:g} {brought.unit} ({when}, {brought.source})"
    then = _("next      shinrai status      shinrai report") if period else _("next      shinrai check")
    _tell(brought, said, then, as_json=as_json)


def _refuse_incomplete(**given: object) -> NoReturn:
    """Name the first option that one value needs and that was not given.

    Raises
    ------
    MissingParameter
        Always.
    """
    context = click.get_current_context()
    missing = next(one for one in context.command.params if one.name in given and given[one.name] is None)
    raise click.MissingParameter(ctx=context, param=missing)


def _observe_tables(start: str, files: tuple[Path, ...], *, as_json: bool) -> None:
    from shinrai import do  # noqa: PLC0415 - loaded only when the verb runs

    told = []
    with session(start, write=True) as opened:
        for file in files:
            brought, known = do.observe_table(opened.ledger, opened.workspace, file, today=today())
            told.append({"file": str(file), "new": brought.rows if brought else 0, "known": known})
    if as_json:
        put_json({"version": 1, "tables": told})
        return
    for one in told:
        click.echo(_("{file}: {new} observations brought in, {known} were there already").format(**one))
    note(_("next      shinrai status      shinrai report"))


_WHOLE = ("success", "complete")
"""How tools call a run that ended as it was meant to."""

_IMPORT = """\b
Examples:
  shinrai do import logs/2026-11-23_safety.eval --system resident-assistant
  shinrai do import replies.csv --system resident-assistant --json
  shinrai do import desk.log --system front-desk --as desk-log
"""


@command.command("import", short_help="Bring in trials that happened elsewhere.", epilog=_IMPORT)
@click.argument("file", type=_FILE)
@click.option("--system", metavar="ID", help="System that was asked, or that the decisions were made with.")
@click.option("--as", "importer", metavar="NAME", help="Importer that reads the file, such as one of your own.")
@_json
@click.pass_obj
def import_file(start: str, file: Path, system: str | None, importer: str | None, *, as_json: bool) -> None:
    """Bring in trials that happened elsewhere; what the file is is told by what is in it.

    Decisions (CSV: case, ai_output, human_decision, reviewer_role, seconds, date), captured replies (JSON Lines, CSV,
    Parquet: id, reply), and results of Inspect, lm-evaluation-harness, promptfoo, DeepEval, garak and aisev. A data set
    of aisev becomes a file of the workspace. With --as, an importer of your own reads it.
    """
    from shinrai import do  # noqa: PLC0415 - loaded only when the verb runs

    with session(start, write=True) as opened:
        questions = do.import_questions(opened.workspace, file) if system is None and importer is None else None
        if questions is not None:
            if as_json:
                put_json({"version": 1, "file": questions})
                return
            click.echo(_("questions kept as {file}").format(file=questions))
            note(_("next      name it in checks/*.yaml: data: {{file: {file}}}").format(file=questions))
            return
        with progress(file, quiet=as_json) as tell:
            brought = do.import_file(opened.ledger, opened.workspace, file, system, importer, tell)
    _tell(brought, _said(brought), _("next      shinrai plan      shinrai check"), as_json=as_json)


def _said(brought: Import) -> str:
    """Say what was imported, and what of it has no reply."""
    run = brought.provenance
    if run is None:
        return _("imported {rows} decisions, kept as {file}").format(rows=brought.rows, file=brought.file)
    from shinrai.report.provenance import missing_in_words, said_in_words, unscored_in_words  # noqa: PLC0415 - loaded only when needed

    tool = f"{run.tool} {run.version}" if run.version else run.tool
    language = current_language()
    said = [
        _("imported {rows} captured replies, kept as {file}").format(rows=brought.rows, file=brought.file)
        if brought.format == "outputs"
        else _("imported {rows} trials of {tool}, kept as {file}").format(
            rows=brought.rows, tool=tool, file=brought.file
        )
    ]
    selection, order = (said_in_words(text).read(language) for text in (run.selection, run.order))
    said.append(_("selection: {selection}; order: {order}").format(selection=selection, order=order))
    if run.ended_as not in {None, *_WHOLE}:
        said.append(_("the run did not end as planned; its tool says: {word}").format(word=repr(run.ended_as)))
    if run.plugin is not None:
        said.append(_("read by the plug-in {plugin}").format(plugin=run.plugin.shown))
    if run.missing:
        missing = missing_in_words(run.missing).read(language)
        said.append(_("without a reply: {missing}; they count as missing").format(missing=missing))
    if run.unscored:
        scores = unscored_in_words(run.unscored)
        said.append(_("scores that cannot be read, such as NaN: {scores}; they count as missing").format(scores=scores))
    return "\n".join(said)


_ANSWER = """\b
Examples:
  shinrai do answer nist-ai-rmf-1.0/govern-1.1 --answer in-place --by legal-office \\
    --document policy.pdf --second-reader audit --valid-until 2027-03-31
  shinrai do answer iso-iec-42001-2023/6.1 --answer not-assessed --by legal-office
"""


@command.command("answer", epilog=_ANSWER, short_help="Answer what a requirement asks.")
@click.argument("requirement", metavar="FRAMEWORK/REQUIREMENT")
@click.option(
    "--answer",
    "given",
    required=True,
    type=click.Choice(["in-place", "not-in-place", "not-assessed", "not-applicable"]),
    help="Not assessed says that nobody has looked; not applicable needs a reason.",
)
@click.option("--by", required=True, metavar="ROLE", help="Role that answers.")
@click.option("--statement", default="", help="The answer in words; the reason where it does not apply.")
@click.option("--document", type=_FILE, help="Document that shows it. A copy is kept.")
@click.option("--second-reader", metavar="ROLE", help="Role that has read answer and document after the first.")
@click.option("--effective", type=_DAY, help="Since when it is so; today by default.")
@_until
@_about
@_json
@click.pass_obj
def answer(  # noqa: PLR0913, PLR0917 - one argument for each option
    start: str,
    requirement: str,
    given: str,
    by: str,
    statement: str,
    document: Path | None,
    second_reader: str | None,
    effective: datetime | None,
    valid_until: datetime | None,
    system: str | None,
    *,
    as_json: bool,
) -> None:
    """Answer what a requirement asks of the organisation: met only with a document and a second reader."""
    from shinrai import do  # noqa: PLC0415 - loaded only when the verb runs

    said = do.Given(
        requirement=requirement,
        answer=given,
        by=by,
        system=system,
        statement=statement,
        document=document,
        effective=_day(effective),
        valid_until=_day(valid_until),
        second_reader=second_reader,
    )
    with session(start, write=True) as opened:
        brought = do.answer(opened.ledger, opened.workspace, said, today())
    words = _("answered {requirement}: {answer}").format(requirement=brought.requirement, answer=brought.answer)
    _tell(brought, words, _("next      shinrai frameworks coverage"), as_json=as_json)


_QUESTIONNAIRE = """\b
Examples:
  shinrai export questionnaire -o answers.xlsx     write one to fill in
  shinrai do questionnaire answers.xlsx            bring it back
  shinrai do questionnaire answers.xlsx --documents evidence/
"""


@command.command("questionnaire", epilog=_QUESTIONNAIRE, short_help="Bring in a questionnaire that was sent back.")
@click.argument("file", type=_FILE)
@click.option(
    "--documents",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the documents that the answers name; that of the file by default.",
)
@_json
@click.pass_obj
def questionnaire(start: str, file: Path, documents: Path | None, *, as_json: bool) -> None:
    """Bring in a workbook of answers (shinrai export questionnaire writes one to fill in): all of it, or nothing."""
    from shinrai import do  # noqa: PLC0415 - loaded only when the verb runs

    with session(start, write=True) as opened:
        brought = do.questionnaire(opened.ledger, opened.workspace, file, today(), documents or file.parent)
    if as_json:
        answers = [one.to_json() for one in brought.answers]
        put_json({"version": 1, "answers": answers, "new": brought.new, "blank": brought.blank})
        return
    click.echo(
        _("{answers} answers, {new} of them new; {blank} rows without an answer").format(
            answers=len(brought.answers), new=brought.new, blank=brought.blank
        )
    )
    note(_("next      shinrai frameworks coverage"))


command.add_command(reviews)
command.add_command(turn)


def _tell(brought: Evidence, said: str, then: str, *, as_json: bool) -> None:
    """Say what was brought in: to a person with what comes next, or to a program."""
    if as_json:
        put_json({"version": 1, "evidence": brought.to_json()})
        return
    click.echo(said)
    note(then)


def _day(value: datetime | None) -> date | None:
    return value.date() if value else None
