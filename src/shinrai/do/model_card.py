"""Model cards of Hugging Face: their front matter, as a bill of materials in CycloneDX.

What CycloneDX has a field for goes there; every key also stands in a property ``huggingface:<key>`` as JSON, so that
nothing is lost, known or unknown. The prose below the front matter is not read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from shinrai.do.spdx_ids import licence
from shinrai.errors import Problem, SourceError
from shinrai.i18n import _
from shinrai.records import Json
from shinrai.source import MAX_BYTES, parse_yaml, read_bounded

_FRONT: Final = re.compile(r"\A---[ \t]*\r?\n(?P<yaml>.*?)^---[ \t]*\r?$", re.DOTALL | re.MULTILINE)
_HEADING: Final = re.compile(r"^#[ \t]+(?P<title>\S.*)$", re.MULTILINE)
_REPOSITORY: Final = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def model_card(file: Path) -> dict[str, Json]:
    """Read a model card.

    Parameters
    ----------
    file : Path
        ``README.md`` of a model.

    Returns
    -------
    dict
        A document of CycloneDX 1.6: the model, the models it was made from, the data it learned from.

    Raises
    ------
    SourceError
        If it has no front matter, or that cannot be read.
    """
    raw = read_bounded(file, shown_as=file.name, max_bytes=MAX_BYTES)
    text = raw.decode(errors="replace")
    front = _FRONT.match(text)
    if front is None:
        message, expected = _("the model card has no front matter"), _("YAML between two lines of ---")
        raise SourceError([Problem("bom.model-card", file.name, 1, 1, message, expected)])
    document = parse_yaml(f"\n{front['yaml']}", shown_as=file.name)  # the empty line keeps the numbers of lines right
    if document.problems:
        raise SourceError(document.problems)
    facts = document.data
    if not isinstance(facts, dict):
        message = _("the front matter is no mapping")
        raise SourceError([document.problem("bom.model-card", (), message, _("a mapping (key: value)"))])
    return _document(facts, _name(facts, text[front.end() :], file))


def _name(facts: dict[str, Any], prose: str, file: Path) -> str:
    index = facts.get("model-index")
    first = index[0] if isinstance(index, list) and index and isinstance(index[0], dict) else {}
    heading = _HEADING.search(prose)
    given = (facts.get("model_name"), first.get("name"), heading and heading["title"].strip(), file.stem)
    return next(str(one) for one in given if one)


def _document(facts: dict[str, Any], name: str) -> dict[str, Json]:
    bases = [("model", one) for one in _texts(facts.get("base_model"))]
    data = [("data", one) for one in _texts(facts.get("datasets"))]
    model: dict[str, Json] = {"type": "machine-learning-model", "bom-ref": f"model:{name}", "name": name}
    if facts.get("license"):
        title, link = facts.get("license_name"), facts.get("license_link")
        url = link if isinstance(link, str) and link.startswith(("http://", "https://")) else None
        model["licenses"] = [licence(str(one), title, url) for one in _texts(facts["license"])]
    if facts.get("tags"):
        model["tags"] = list(dict.fromkeys(_texts(facts["tags"])))
    model["modelCard"] = _card(facts, data)
    model["properties"] = [
        {"name": f"huggingface:{key}", "value": json.dumps(value, ensure_ascii=False, default=str)}
        for key, value in facts.items()
    ]
    others = [_other(kind, one) for kind, one in dict.fromkeys((*bases, *data))]
    refs = [str(one["bom-ref"]) for one in others]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": model},
        **({"components": others} if others else {}),
        "dependencies": [{"ref": model["bom-ref"], **({"dependsOn": refs} if refs else {})}],
    }


def _other(kind: str, name: str) -> dict[str, Json]:
    found: dict[str, Json] = {
        "type": "machine-learning-model" if kind == "model" else "data",
        "bom-ref": f"{kind}:{name}",
        "name": name,
    }
    if kind == "model" and _REPOSITORY.fullmatch(name):
        found["purl"] = f"pkg:huggingface/{name}"
    return found


def _card(facts: dict[str, Any], data: Iterable[tuple[str, str]]) -> dict[str, Json]:
    parameters: dict[str, Json] = {"datasets": [{"ref": f"{kind}:{name}"} for kind, name in dict.fromkeys(data)]}
    if isinstance(facts.get("pipeline_tag"), str):
        parameters["task"] = facts["pipeline_tag"]
    card: dict[str, Json] = {"modelParameters": {name: one for name, one in parameters.items() if one}}
    metrics = list(_metrics(facts.get("model-index")))
    if metrics:
        card["quantitativeAnalysis"] = {"performanceMetrics": metrics}
    return card


def _metrics(index: Any) -> Iterator[dict[str, Json]]:  # noqa: ANN401 - whatever stands in the file
    """Give the results of a model index, each with the data that it was measured on."""
    for result in _mappings(one.get("results") for one in _mappings([index])):
        dataset = result.get("dataset")
        found = dataset if isinstance(dataset, dict) else {}
        where = [str(found[key]) for key in ("name", "config", "split") if found.get(key)]
        for metric in _mappings([result.get("metrics")]):
            named = {"type": str(metric.get("name") or metric.get("type") or "?"), "value": str(metric.get("value"))}
            yield named | ({"slice": " / ".join(where)} if where else {})


def _mappings(lists: Iterable[Any]) -> Iterator[dict[str, Any]]:
    for one in lists:
        yield from (part for part in one if isinstance(part, dict)) if isinstance(one, list) else ()


def _texts(value: Any) -> list[str]:  # noqa: ANN401 - whatever stands in the file
    if isinstance(value, list):
        return [str(one) for one in value if isinstance(one, str | int | float)]
    return [str(value)] if value else []
