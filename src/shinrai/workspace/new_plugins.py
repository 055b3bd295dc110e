"""Beginning a plug-in of one's own: a rule that works, its test, and its page in both languages."""

from __future__ import annotations

import re
from pathlib import Path
from string import Template
from typing import Final

from shinrai.errors import UsageError
from shinrai.i18n import _
from shinrai.plugins import FOLDER, names
from shinrai.records import Id

_TEMPLATES: Final = Path(__file__).parent / "new_scorer"
_FILES: Final = {
    "rule.py.txt": "{stem}.py",
    "test.py.txt": "test_{stem}.py",
    "page.md.txt": "{stem}.md",
    "page.ja.md.txt": "{stem}.ja.md",
}
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")


def new_scorer(root: Path, name: Id) -> list[Path]:
    """Write a scorer of one's own into the folder ``checks`` of a workspace.

    Parameters
    ----------
    root : Path
        Of the workspace.
    name : Id
        Under which checks will name it.

    Returns
    -------
    list of Path
        The rule, its test, its page in English and in Japanese.

    Raises
    ------
    UsageError
        If the name is none, is taken, or one of the files is already there; nothing is written then.
    """
    if _NAME.fullmatch(name) is None or name.startswith("test-"):
        message = _('"{name}" is no name for a plug-in').format(name=name)
        raise UsageError("new.bad-name", message, hint=_("lower-case letters and digits, joined by -: polite-tone"))
    if name in names("scorer", root):
        message = _('there already is a scorer "{name}"').format(name=name)
        raise UsageError("new.taken", message, hint=_("nothing was changed; choose another name"))
    stem = name.replace("-", "_")
    files = {root / FOLDER / to.format(stem=stem): _TEMPLATES / source for source, to in _FILES.items()}
    there = next((path for path in files if path.exists()), None)
    if there is not None:
        message = _("{path} is already there").format(path=f"{FOLDER}/{there.name}")
        raise UsageError("new.taken", message, hint=_("nothing was changed; choose another name"))
    try:
        (root / FOLDER).mkdir(exist_ok=True)
        for path, source in files.items():
            text = Template(source.read_text(encoding="utf-8")).substitute(name=name, stem=stem)
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        message = _("{path} cannot be written: {reason}").format(path=error.filename, reason=error.strerror)
        raise UsageError("workspace.cannot-write", message) from error
    return list(files)
