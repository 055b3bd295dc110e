"""Where a statement or a number comes from, and how sure it is."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from shinrai.records.base import Digest, Id, Record, Text

Certainty: TypeAlias = Literal["official", "quoted", "secondary", "unverified"]
"""How sure an entry is: read in the official text · quoted from it by press or law firms · named in a secondary
note · not verified."""

Standing: TypeAlias = Literal["final", "draft", "unverified"]
"""What a promise is known from: the text that was decided · a draft of it · a source that could not be checked."""


class Source(Record):
    """Where a statement or a number comes from."""

    id: Annotated[Id | None, Field(description="Name under which it can be cited")] = None
    title: Text
    producer: Annotated[Text | None, Field(description="Who published it")] = None
    citation: Annotated[str | None, Field(description="Full citation")] = None
    url: Annotated[str | None, Field(description="Page that people read")] = None
    download: Annotated[str | None, Field(description="File with the data themselves")] = None
    locator: Annotated[str | None, Field(description="Page, section, table or cell within the source")] = None
    date: Annotated[dt.date | None, Field(description="Day of publication, where known")] = None
    accessed: Annotated[dt.date | None, Field(description="Day on which it was read")] = None
    licence: str | None = None
    digest: Annotated[Digest | None, Field(description="Of the file that was read")] = None
    archive: Annotated[str | None, Field(description="Address of an archived copy")] = None
    certainty: Certainty


class Document(Record):
    """The text of a plan as it was decided."""

    url: str
    digest: Annotated[Digest | None, Field(description="Of the file; left out where nobody has read it")] = None
    pages: Annotated[int | None, Field(gt=0)] = None
