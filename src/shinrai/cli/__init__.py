"""The command line: one file per verb. It is the only part of Shinrai that prints.

Nothing heavy is imported here: a verb's module is loaded when the verb is called.
"""

from __future__ import annotations

import gettext
import importlib
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shinrai.errors import ShinraiError

VERBS = {
    "init": "Begin a workspace.",
    "new": "Begin a check's rule of your own.",
    "plan": "Resolve what is promised for which system, and commit it.",
    "do": "Bring facts in: documents, observed values, logs of decisions.",
    "check": "Measure what is committed, and reach verdicts.",
    "act": "See what is open, and carry out what was decided.",
    "stack": "Show what systems are built on, and what hangs on it.",
    "status": "Show where every claim stands, from the goal down.",
    "why": "Walk up from a verdict to the decision it serves.",
    "diff": "Compare two versions of a plan, and say what that does to the promise.",
    "show": "Browse the trials of a run, and compare two runs.",
    "frameworks": "Show rule books, and where each of their requirements stands.",
    "export": "Write the records in a format that others read.",
    "report": "Write one self-contained page, Japanese and English.",
    "verify": "Check every record, run file and signature.",
    "demo": "Turn the whole cycle once on two real AI systems.",
}


class Verbs(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Name the verbs, in the order of the cycle."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import a verb."""
        if name not in VERBS:
            return None
        command: click.Command = importlib.import_module(f"shinrai.cli.{name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb, or say which one was probably meant.

        Raises
        ------
        NoSuchCommand
            If there is none of that name.
        """
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            raise click.exceptions.NoSuchCommand(args[0], possibilities=VERBS, ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """List the verbs without importing any of them."""
        with formatter.section(gettext.gettext("Commands")):
            formatter.write_dl(list(VERBS.items()))


_EPILOG = """\b
Examples:
  shinrai demo                     watch a promise being made, tested, broken, repaired and tested again
  shinrai init town && cd town     begin a workspace
  shinrai plan                     commit what the plan promises
  shinrai check --gate             measure; exit code 0 met, 1 not met, 3 could not measure
  shinrai report                   write report.html
"""


@click.group(cls=Verbs, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-C", "--workspace", metavar="DIR", default=".", help="Work in this folder or above it.")
@click.option(
    "--lang", type=click.Choice(["ja", "en"]), help="Language of what is printed; by default that of the environment."
)
@click.version_option(package_name="shinrai")
@click.pass_context
def cli(ctx: click.Context, workspace: str, lang: str | None) -> None:  # noqa: ARG001 - `main` reads it, before all else
    """Shinrai (信頼): plan, do, check, act for AI systems, as code.

    A policy goal becomes measures, measures become claims, claims are committed before anything is measured, checks
    move them to verdicts, broken ones become findings, and a finding closes when a re-check passes.
    """
    ctx.obj = workspace


def _speak(arguments: Sequence[str]) -> None:
    """Choose the language before anything is parsed, so that help and complaints about options are in it, too."""
    from shinrai.i18n import language_of_environment, use_language  # noqa: PLC0415 - keeps --help light

    lang = None
    if any(argument.startswith("--lang") for argument in arguments):
        lang = cli.make_context("shinrai", list(arguments), resilient_parsing=True).params["lang"]
    if (lang or language_of_environment()) == "ja":
        from shinrai.cli.help import speak_japanese  # noqa: PLC0415 - keeps --help light

        use_language("ja")
        speak_japanese()
    else:
        use_language("en")
        gettext.textdomain("messages")
        click.Context.formatter_class = click.HelpFormatter


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with the code that the outcome calls for."""
    arguments = sys.argv[1:] if arguments is None else arguments
    _speak(arguments)
    try:
        result = cli.main(arguments, standalone_mode=False)
    except click.exceptions.Exit as end:
        sys.exit(end.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        from shinrai.i18n import _  # noqa: PLC0415 - keeps --help light

        click.echo("\n" + _("interrupted; what is journalled is kept, and the next run goes on from there"), err=True)
        sys.exit(130)
    except Exception as error:  # noqa: BLE001 - the one place where errors become words
        sys.exit(_explain(error))
    sys.exit(result if isinstance(result, int) else 0)


def _explain(error: Exception) -> int:
    """Print an error in words; one of our own bugs as a file with its traceback."""
    from shinrai.errors import ShinraiError, SourceError  # noqa: PLC0415 - only on a mistake

    if isinstance(error, SourceError):
        from shinrai.source import render  # noqa: PLC0415 - only on a mistake

        click.echo(render(error.problems, color=sys.stderr.isatty()), err=True)
        return error.exit_code
    if isinstance(error, ShinraiError):
        _say(error)
        return error.exit_code
    import tempfile  # noqa: PLC0415 - only on a bug
    import traceback  # noqa: PLC0415 - only on a bug

    from shinrai.check.targets.secrets import mask  # noqa: PLC0415 - only on a bug

    with tempfile.NamedTemporaryFile("w", prefix="shinrai-", suffix=".txt", delete=False, encoding="utf-8") as file:
        file.write(mask("".join(traceback.format_exception(error))))
    from shinrai.i18n import _  # noqa: PLC0415 - keeps --help light

    click.echo(f"error[internal]: {type(error).__name__}: {mask(str(error))}\n", err=True)
    click.echo(_("This is a bug in Shinrai. Details: {file}").format(file=file.name), err=True)
    return 70


def _say(error: ShinraiError) -> None:
    from shinrai.check.targets.secrets import mask  # noqa: PLC0415 - only on a mistake
    from shinrai.i18n import _  # noqa: PLC0415 - keeps --help light

    word = click.style(f"{_('error')}[{error.code}]", fg="red")
    click.echo(f"{word}: {mask(error.message)}", err=True)
    if error.hint:
        click.echo(f"\n{_('hint')}: {mask(error.hint)}", err=True)
