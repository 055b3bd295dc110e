"""The guide's example: its files and its commands, taken from the page itself."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PAGES = {
    language: Path(__file__).parents[2] / f"docs/extending{end}.md" for language, end in (("en", ""), ("ja", ".ja"))
}
_BLOCK = re.compile(r"(?P<before>[^\n]*)\n\n```(?P<kind>\w+)\n(?P<text>.*?)```", re.DOTALL)
_FILE = re.compile(r"`((?:checks|systems|plans|data)/[\w.-]+|desk\.log|shinrai\.yaml)`")


class Step(NamedTuple):
    """A file to write (to `shinrai.yaml`: to add), or a command to run."""

    file: str | None
    text: str


def steps(language: str) -> Iterator[Step]:
    """Give what the page tells its reader to do, in its order; what belongs to another project is left out."""
    page = PAGES[language].read_text(encoding="utf-8")
    for block in _BLOCK.finditer(page):
        if block["kind"] == "console":
            yield from (Step(None, line) for line in block["text"].splitlines())
        elif (named := _FILE.findall(block["before"])) and block["kind"] != "toml":
            yield Step(named[-1] if block["kind"] != "yaml" else named[0], block["text"])


def words(step: Step) -> list[str]:
    """Give the arguments of a command, without ``shinrai``."""
    first, *arguments = shlex.split(step.text)
    return arguments if first == "shinrai" else [first, *arguments]


def write(root: Path, step: Step) -> None:
    """Write the file of a step."""
    path = root / str(step.file)
    path.parent.mkdir(exist_ok=True)
    if step.file == "shinrai.yaml":
        path.write_text(path.read_text(encoding="utf-8") + step.text, encoding="utf-8")
    else:
        path.write_text(step.text, encoding="utf-8")


def desk(folder: Path) -> Path:
    """Write the files of the example into a workspace that was just begun."""
    (folder / "shinrai.yaml").touch()
    for step in steps("en"):
        if step.file is not None:
            write(folder, step)
    return folder
