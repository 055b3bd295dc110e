"""Every text of the interface, and the Japanese catalogue: ``python -m tests.docs.messages`` brings it up to date.

Gathered from four places: the source (``_()``, ``N_()``, templates), the descriptions of keys that a file must have,
the help of every command as click sees it, and click's own messages that a person can meet. Texts that are gone leave
the catalogue, new ones enter it untranslated.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import click
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from shinrai.cli import VERBS, cli
from shinrai.cli.help import paragraphs
from shinrai.records import Record

SOURCE = Path(__file__).parents[2] / "src"
CATALOGUE = SOURCE / "shinrai/locale/ja/LC_MESSAGES/shinrai.po"
METHODS = [("shinrai/**.py", "python"), ("shinrai/**.j2", "jinja2")]
KEYWORDS = {"_": None, "N_": None, "t": None, "gettext": None}
HEADER = """# Japanese, by the Shinrai authors.
msgid ""
msgstr ""
"Language: ja\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"

"""

Message = str | tuple[str, ...]
"""A text; or singular and plural of one."""

CLICK: tuple[Message, ...] = (
    "Commands",
    "Error: {message}",
    "Invalid value for {param_hint}: {message}",
    "Invalid value: {message}",
    "Missing argument",
    "Missing command.",
    "Missing option",
    "No such command {name!r}.",
    "No such option {name!r}.",
    "Option {name!r} does not take a value.",
    "Options",
    "Show this message and exit.",
    "Show the version and exit.",
    "Try '{command} {option}' for help.",
    "Usage:",
    "default: {default}",
    "directory",
    "file",
    "path",
    "required",
    "{name} {filename!r} does not exist.",
    "{name} {filename!r} is a directory.",
    "{name} {filename!r} is a file.",
    "{name} {filename!r} is not readable.",
    "{value!r} is not a valid {number_type}.",
    "{value} is not in the range {range}.",
    ("Did you mean {possibility}?", "(Did you mean one of: {possibilities}?)"),
    ("Got unexpected extra argument ({args})", "Got unexpected extra arguments ({args})"),
    ("Option {name!r} requires an argument.", "Option {name!r} requires {nargs} arguments."),
    ("{value!r} does not match the format {format}.", "{value!r} does not match the formats {formats}."),
    ("{value!r} is not {choice}.", "{value!r} is not one of {choices}."),
)
"""Click's own messages that a person can meet here."""


def of_source() -> set[Message]:
    found = extract_from_dir(SOURCE, METHODS, keywords=KEYWORDS)
    return {message for _file, _line, message, _comments, _context in found if isinstance(message, str) and message}


def of_click() -> set[Message]:
    """Everything that click can say."""
    keywords = {"_": None, "ngettext": (1, 2)}
    found = extract_from_dir(Path(click.__file__).parent, [("**.py", "python")], keywords=keywords)
    return {message for _file, _line, message, _comments, _context in found}


def commands(command: click.Command = cli) -> Iterator[click.Command]:
    """Every command of the real command line."""
    yield command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from commands(below)


def records(above: type[Record] = Record) -> Iterator[type[Record]]:
    """Every kind of record of Shinrai's own."""
    for record in above.__subclasses__():
        if record.__module__.startswith("shinrai."):
            yield record
            yield from records(record)


def of_records() -> set[Message]:
    """Gather what is said of a key that is missing."""
    fields = [field for record in records() for field in record.model_fields.values()]
    return {field.description for field in fields if field.is_required() and field.description}


def of_help() -> set[Message]:
    texts = list(VERBS.values())
    for command in commands():
        options = [one.help for one in command.params if isinstance(one, click.Option)]
        given = [command.help, command.epilog, command.short_help, *options]
        texts += [text for each in given if each for _as_it_stands, text in paragraphs(each)]
    return set(texts)


def messages() -> set[Message]:
    return of_source() | of_records() | of_help() | set(CLICK)


def read() -> Catalog:
    with CATALOGUE.open("rb") as file:
        return read_po(file)


def japanese() -> dict[Message, str]:
    """Read what the catalogue holds; empty where a text has no Japanese yet. Both numbers are one in Japanese."""
    found: dict[Message, str] = {}
    for entry in read():
        name, said = entry.id, entry.string or ""
        if name:
            found[name if isinstance(name, str) else tuple(name)] = said if isinstance(said, str) else said[0]
    return found


def write() -> list[Message]:
    """Bring the catalogue up to date, compile it, and give what has no Japanese yet."""
    known = japanese()
    new = Catalog(locale="ja")
    for message in messages():
        said = known.get(message, "")
        new.add(message, said if isinstance(message, str) else (said,))
    text = BytesIO()
    write_po(text, new, omit_header=True, width=76, sort_output=True)
    CATALOGUE.write_text(HEADER + text.getvalue().decode(), encoding="utf-8")
    with CATALOGUE.with_suffix(".mo").open("wb") as file:
        write_mo(file, read())
    return sorted((message for message, said in japanese().items() if not said), key=str)


if __name__ == "__main__":
    missing = write()
    for message in missing:
        print(f"no Japanese yet: {message!r}")  # noqa: T201 - what a script has to say
    sys.exit(bool(missing))
