"""``shinrai check label``: ask a person for the few labels that keep a judge honest."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from shinrai.cli.lines import line
from shinrai.cli.session import Session, json_option, note, put_json, session
from shinrai.errors import UsageError, nearest
from shinrai.i18n import _

if TYPE_CHECKING:
    from shinrai.check.labels import Label, Labelled, Reply, Sheet
    from shinrai.check.sitting import Sitting
    from shinrai.ledger import Promise
    from shinrai.records import Commitment, Verdict

_KEYS: Final[dict[str, Label]] = {"p": "pass", "f": "fail", "u": "unclear"}
_STOP = "q"
_TERMINAL: Final = "terminal"
"""Name of what was typed, in place of a file's."""
_FILE = click.Path(dir_okay=False, path_type=Path)

_EPILOG = """\b
Examples:
  shinrai check label --by office                    in the terminal
  shinrai check label --by office --export todo.csv  for a spreadsheet
  shinrai check label --by office --import todo.csv  bring it back in
  shinrai check label --by board --second            label again what others have
"""


@dataclass(frozen=True, slots=True)
class _Desk:
    """What lies before whoever labels."""

    sheet: Sheet
    labels: Labelled
    by: str

    def todo(self, *, flags: bool, second: bool) -> Iterator[Reply]:
        """Give the replies that this person has not labelled yet, in the order in which they count."""
        mine = self.labels.by.get(self.by, {})
        others = {mark for name, given in self.labels.by.items() if name != self.by for mark in given}
        for reply in self.sheet.flagged if flags else self.sheet.drawn:
            if reply.id not in mine and (reply.id in others) == second:
                yield reply


@click.command("label", epilog=_EPILOG, short_help="Label the few replies that keep a judge honest.")
@click.option("--claim", metavar="ID", help="The claim, where several need labels.")
@click.option("--by", required=True, metavar="ROLE", help="Role that labels.")
@click.option("--export", "out", type=_FILE, help="Write the replies to be labelled as CSV.")
@click.option("--import", "source", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Read a CSV.")
@click.option("--flags", is_flag=True, help="Confirm what the judge fails, instead of the random sample.")
@click.option("--second", is_flag=True, help="Label again what others have labelled, to see whether you agree.")
@click.option("--anchor", type=_FILE, help="Write what is labelled as a data set that a judge can be tested on.")
@json_option("Print the verdict as JSON.")
@click.pass_obj
def label(start: str, /, claim: str | None, by: str, *, as_json: bool, **asked: Any) -> None:  # noqa: ANN401 - as click gives them
    """Label the few replies that keep a judge honest: pass, fail or unclear, by the claim's rubric.

    Which replies are asked for was fixed by the committed order before any reply came, and what the judge said is not
    shown. The verdict follows as soon as it is proven; labelling can stop and go on at any time. What was typed is kept
    label by label: a closed window loses none.
    """
    from shinrai.check.labels import read_labels  # noqa: PLC0415 - loaded only when the verb runs
    from shinrai.check.sitting import sitting  # noqa: PLC0415 - loaded only when the verb runs
    from shinrai.do.naming import require_role  # noqa: PLC0415 - loaded only when the verb runs

    with session(start, write=False) as opened:
        require_role(by, opened.workspace)  # before anybody labels in vain
        desk = _desk(opened, claim, by)
    with sitting(opened.root, desk.sheet.digest, by) as kept:
        desk, before, verdict = _take_over(start, desk, kept)
        todo = list(desk.todo(flags=asked["flags"], second=asked["second"]))
        if asked["anchor"] is not None:
            _write_anchor(asked["anchor"], desk)
            return
        if asked["out"] is not None:
            _export(asked["out"], desk, todo)
            return
        if asked["source"] is not None:
            content, name = asked["source"].read_bytes(), asked["source"].name
            count = len(read_labels(content, desk.sheet.known, shown_as=name))
        else:
            count = _ask(desk, todo, kept, going_on=before > 0)
            content, name = kept.content, _TERMINAL
        if not count and not before:
            note(_("nothing was labelled"))
            return
        if count:
            verdict = _record(start, desk, content, name=name, rows=count) or verdict
            kept.end()
    _tell(verdict, desk.sheet.commitment, before + count, as_json=as_json)
    if verdict is not None and verdict.reason == "labels-needed" and not as_json:
        again = f"shinrai check label --by {by} --claim {desk.sheet.commitment.key.rpartition('/')[2]}"
        note(_("next      {command}").format(command=again))


def _take_over(start: str, desk: _Desk, kept: Sitting) -> tuple[_Desk, int, Verdict | None]:
    """Bring in what a sitting that was cut short has left; give the desk, how many labels it were, and the verdict."""
    from shinrai.check.labels import labelled, read_labels  # noqa: PLC0415 - loaded only when the verb runs

    content = kept.content
    if not content:
        return desk, 0, None
    count = len(read_labels(content, desk.sheet.known, shown_as=_TERMINAL))
    verdict = _record(start, desk, content, name=_TERMINAL, rows=count)
    kept.end()
    note(_("brought in from a sitting that was cut short: {count} labels").format(count=count))
    with session(start, write=False) as opened:
        labels = labelled(opened.root, opened.ledger.state(), desk.sheet)
    return _Desk(desk.sheet, labels, desk.by), count, verdict


def _desk(opened: Session, claim: str | None, by: str) -> _Desk:
    """Find the replies of the claim that was meant.

    Raises
    ------
    UsageError
        If no claim, or more than one, could be meant.
    """
    from shinrai.check.labels import labelled, sheet_of  # noqa: PLC0415 - loaded only when the verb runs

    state = opened.ledger.state()
    promises = [one for one in state.promises.values() if one.commitment.label_plan is not None]
    names = [one.commitment.key for one in promises]
    if claim is not None:
        promises = [one for one in promises if claim in _names(one)]
    if not promises and claim is not None:
        meant = nearest(claim, names) or nearest(claim, (name.rpartition("/")[2] for name in names))
        raise UsageError(
            "labels.unknown-claim",
            _("no claim {name} needs labels").format(name=claim),
            hint=_("did you mean {name}?").format(name=meant) if meant else None,
        )
    sheets = [sheet for one in promises if (sheet := sheet_of(opened.root, state, one))]
    if not sheets:
        raise UsageError(
            "labels.nothing-to-label",
            _("there is nothing to label"),
            hint=_("a claim with a judge and `labels` has to be measured first: shinrai check"),
        )
    if len(sheets) > 1:
        raise UsageError(
            "labels.several-claims",
            _("several claims need labels: {names}").format(names=", ".join(one.commitment.key for one in sheets)),
            hint=_("name one with --claim"),
        )
    return _Desk(sheets[0], labelled(opened.root, state, sheets[0]), by)


def _names(promise: Promise) -> set[str]:
    """Give what a promise may be called: its claim, of every system or of its own, by the whole path or its end."""
    whole = {promise.commitment.claim, promise.commitment.key}
    return whole | {name.rpartition("/")[2] for name in whole}


# ---- in the terminal


def _ask(desk: _Desk, todo: Sequence[Reply], kept: Sitting, *, going_on: bool) -> int:
    """Ask for one label after the other, until there are enough, none is left, or the person stops; count them."""
    from shinrai.check.correcting import correct  # noqa: PLC0415 - loaded only when the verb runs
    from shinrai.check.labels import Labelled  # noqa: PLC0415 - loaded only when the verb runs

    given: dict[str, Label] = {}
    _say_rubric(desk)
    for number, reply in enumerate(todo, start=1):
        known = Labelled({**desk.labels.by, desk.by: {**desk.labels.by.get(desk.by, {}), **given}})
        if (number > 1 or going_on) and correct(desk.sheet, known).decision is not None:
            note(_("enough: the verdict is proven"))
            break
        _show(reply, number, len(todo))
        said = _answer()
        if said is None:
            break
        kept.note(reply.id, said)
        given[reply.id] = said
    return len(given)


def _say_rubric(desk: _Desk) -> None:
    click.secho(_("Does the reply pass?"), bold=True)
    click.echo(desk.sheet.judge.rubric.strip())


def _show(reply: Reply, number: int, of: int) -> None:
    from shinrai.report.evidence import shown  # noqa: PLC0415 - loaded only when the verb runs

    click.echo()
    click.secho(_("reply {number} of at most {of}").format(number=number, of=of), dim=True)
    for asked, answered in reply.exchanges:
        click.echo(click.style(_("question") + "  ", dim=True) + shown(asked))
        click.echo(click.style(_("reply") + "  ", dim=True) + shown(answered))


def _answer() -> Label | None:
    question = _("[p]ass, [f]ail, [u]nclear, [q]uit")
    try:
        said = click.prompt(question, type=click.Choice([*_KEYS, _STOP]), show_choices=False, err=True)
    except (click.Abort, EOFError):
        return None
    return _KEYS.get(said)


# ---- for spreadsheets


def _export(out: Path, desk: _Desk, todo: Sequence[Reply]) -> None:
    """Write a CSV that a spreadsheet shows as it is: no cell in it is taken for a formula."""
    from shinrai.report.evidence import shown  # noqa: PLC0415 - loaded only when the verb runs

    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(["id", "question", "reply", "label"])
    for reply in todo:
        questions, replies = ("\n\n".join(map(shown, column)) for column in zip(*reply.exchanges, strict=True))
        writer.writerow([reply.id, _inert(questions), _inert(replies), ""])
    out.write_bytes(file.getvalue().encode("utf-8-sig"))
    _say_rubric(desk)
    note(_("{count} replies to label in {file}").format(count=len(todo), file=out))
    note(_("fill in the column `label`: {words}").format(words=", ".join(_KEYS.values())))


def _inert(text: str) -> str:
    """Keep a spreadsheet from taking a cell for a formula (OWASP, "CSV injection")."""
    return f"'{text}" if text.lstrip().startswith(("=", "+", "-", "@", "\t", "＝", "＋", "－", "＠")) else text


def _write_anchor(out: Path, desk: _Desk) -> None:
    """Write what people agree on as a data set whose items are what the judge is asked."""
    from shinrai.check.scorers.judge import anchor_items  # noqa: PLC0415 - loaded only when the verb runs

    known = [(reply, desk.labels.answer(reply.id)) for reply in desk.sheet.drawn]
    sure = [(reply, "fail" if answer == (1.0, 1.0) else "pass") for reply, answer in known if answer in _SURE]
    rows = [row for reply, said in sure for row in anchor_items(desk.sheet.judge, reply.id, reply.exchanges, said)]
    out.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    note(_("{count} labelled replies in {file}").format(count=len(rows), file=out))


_SURE = ((0.0, 0.0), (1.0, 1.0))


# ---- into the ledger


def _record(start: str, desk: _Desk, content: bytes, *, name: str, rows: int) -> Verdict | None:
    from shinrai import act, do  # noqa: PLC0415 - loaded only when the verb runs
    from shinrai.check.correcting import judge_labels  # noqa: PLC0415 - loaded only when the verb runs

    with session(start, write=True) as opened:
        do.bring_labels(
            opened.ledger, opened.workspace, desk.sheet.commitment, content, name=name, by=desk.by, rows=rows
        )
        new = judge_labels(opened.root, opened.ledger)
        act.sync(opened.ledger, opened.workspace)
    return next((one for one in new if one.commitment == desk.sheet.digest), None)


def _tell(verdict: Verdict | None, commitment: Commitment, count: int, *, as_json: bool) -> None:
    if as_json:
        put_json({"version": 1, "labels": count, "verdict": verdict.to_json() if verdict else None})
        return
    click.echo(_("labels brought in: {count}").format(count=count))
    if verdict is None:
        return
    click.echo(line(verdict, commitment))
    for sentence in quality_lines(verdict.details["judge"]):
        click.echo(f"  {sentence}")


def quality_lines(judge: dict[str, Any]) -> Iterator[str]:
    """Say how good a judge was found to be, and what it saved."""
    if judge["raw"] is not None:
        yield _("the judge by itself: {share:.1%} fail").format(share=judge["raw"])
    for name, words in (
        ("sensitivity", _("of replies that people fail, the judge fails {share}")),
        ("specificity", _("of replies that people pass, the judge passes {share}")),
    ):
        found = judge[name]
        if found is not None:
            yield words.format(share="{value:.0%} [{lower:.0%}, {upper:.0%}] (n={n})".format(**found))
    if "people_alone" in judge:
        yield _("labels used: {used}; without the judge about {alone} would be expected").format(
            used=judge["used"] + judge["flags"], alone=judge["people_alone"]
        )
    else:
        yield _("labels so far: {used}").format(used=judge["labels"] + judge["flags"])
    if judge["unknown"]:
        yield _("unclear or disputed, so that nobody knows: {count}").format(count=judge["unknown"])
    both = judge.get("agreement")
    if both is not None and both["kappa"] is not None:
        yield _("two labellers agree on {agreed:.0%} of {n}; kappa {kappa:.2f} [{lower:.2f}, {upper:.2f}]").format(
            **both
        )
    elif both is not None:
        yield _("two labellers agree on {agreed:.0%} of {n}; kappa is undefined").format(**both)
