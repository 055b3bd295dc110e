"""Plug-ins: code that is not Shinrai's own, as it stood when something was made with it."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from shinrai.records.base import Digest, Id, Record

PluginKind: TypeAlias = Literal["scorer", "target", "source", "importer", "section"]
"""
scorer    a rule that reads the replies of a trial
target    a way to ask a system
source    a way to make trials out of items
importer  a reader of another tool's results
section   a section of the report
"""


class Plugin(Record):
    """What a plug-in is. A change of any of this makes it another one.

    Parameters
    ----------
    kind : PluginKind
    name : Id
        As a workspace names it.
    distribution, version : str, optional
        Of the installed package that offers it; None for a file of the workspace.
    file : str
        The file that defines it: relative to the workspace, or to where the package is installed.
    digest : Digest
        Of that file's bytes. Other files that it imports are not in it: for them the version stands.
    """

    kind: PluginKind
    name: Id
    distribution: str | None = None
    version: str | None = None
    file: Annotated[str, Field(min_length=1)]
    digest: Digest

    @property
    def shown(self) -> str:
        """Name, where it comes from, and the beginning of its digest, for people."""
        origin = f"{self.distribution} {self.version or ''}".strip() if self.distribution else self.file
        return f"{self.name} ({origin}, {self.digest[:15]})"
