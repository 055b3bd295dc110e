"""Names of licences, as SPDX writes them."""

from __future__ import annotations

import json
from functools import cache

from shinrai.catalog import data_path
from shinrai.records import Json


@cache
def _known() -> dict[str, str]:
    schema = json.loads(data_path("schemas/cyclonedx/spdx.schema.json").read_bytes())
    return {name.lower(): name for name in schema["enum"]}


def licence(written: str, name: str | None = None, url: str | None = None) -> dict[str, Json]:
    """Give a licence as CycloneDX writes it: by its SPDX id where it is one, otherwise by its name.

    Parameters
    ----------
    written : str
        As its author wrote it; capitals do not matter.
    name : str, optional
        What it is called where it is none of SPDX.
    url : str, optional
        Where its text stands.

    Returns
    -------
    dict
    """
    known = _known().get(written.lower().removeprefix("https://spdx.org/licenses/").removesuffix(".html"))
    found: dict[str, Json] = {"id": known} if known else {"name": name or written}
    return {"license": found | ({"url": url} if url else {})}
