"""Validation errors in words: what was found, what was expected, the way out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, get_args, get_origin

from pydantic import ValidationError

from shinrai.i18n import _
from shinrai.records import Json, Text
from shinrai.source.document import Document, Place
from shinrai.source.words import did_you_mean, listing, shortened


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that does not fit a record.

    Parameters
    ----------
    kind : str
        pydantic's type of error, or ``"union"``.
    place : tuple of str and int
        Where in the data.
    found : JSON value
        What stands there; for a missing key the mapping that lacks it.
    text : str
        pydantic's sentence, or the record's own.
    context : mapping
        pydantic's numbers and names.
    names : tuple of str
        Keys that are valid beside this one.
    about : str, optional
        The field's description.
    choices : tuple of str
        What a missing key can hold, where that is a choice between words.
    """

    kind: str
    place: Place
    found: Json
    text: str
    context: Mapping[str, Any] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    about: str | None = None
    choices: tuple[str, ...] = ()


_NUMBER: Final = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)")
_PERCENT: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?%")
_DATE: Final = re.compile(r"([0-9]{4})\D{1,2}([0-9]{1,2})\D{1,2}([0-9]{1,2})日?")
_QUOTED: Final = re.compile(r"'([^']*)'")
_PLAIN: Final = re.compile(r"[^\s,\[\]{}#]+")
_JAPANESE: Final = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
_NOT_IN_ID: Final = re.compile(r"[^a-z0-9.]+")
_YES: Final = frozenset({"yes", "on", "y", "true"})
_NO: Final = frozenset({"no", "off", "n", "false"})


def rule_broken(error: ValidationError) -> str:
    """Say which rule values break, in a record's own words where it is one of its rules."""
    first = error.errors(include_url=False)[0]
    return str(first.get("ctx", {}).get("error", first["msg"]))


def code_of(mistake: Mistake) -> str:
    """Give the stable name of a kind of mistake."""
    if mistake.kind == "extra_forbidden":
        return "source.unknown-key"
    if mistake.kind in {"missing", "union_tag_not_found"}:
        return "source.missing-key"
    if mistake.kind == "value_error":
        return "source.rule"
    if mistake.kind == "union" or mistake.kind.endswith("_type"):
        return "source.type"
    return "source.value"


def message_for(mistake: Mistake, document: Document) -> str:
    """Say what was found."""
    if mistake.kind == "extra_forbidden":
        return _('the key "{name}" is not known here').format(name=shortened(str(mistake.place[-1])))
    if mistake.kind == "missing":
        return _('the key "{name}" is missing').format(name=mistake.place[-1])
    if mistake.kind == "union_tag_not_found":
        return _('the key "{name}" is missing').format(name=mistake.context["discriminator"].strip("'"))
    if mistake.kind == "value_error":
        return _(mistake.text)
    if mistake.kind == "union_tag_invalid":
        name = mistake.context["discriminator"].strip("'")
        return _('{name}: found "{found}"').format(name=name, found=shortened(str(mistake.context["tag"])))
    return _("{name}: found {found}").format(name=_name(mistake.place), found=_found(mistake, document))


def expectation(mistake: Mistake) -> str | None:
    """Say what would have been right; None where the message already does."""
    if mistake.kind == "extra_forbidden":
        return _("one of: {names}").format(names=listing(mistake.names))
    if mistake.kind == "missing":
        return _of_missing(mistake)
    if mistake.kind == "value_error":
        return None
    if mistake.kind == "union":
        return str(mistake.context["expected"])
    if mistake.kind == "union_tag_not_found":
        return None
    say = _EXPECTED.get(mistake.kind)
    return _(mistake.text) if say is None else say(mistake)


def _of_missing(mistake: Mistake) -> str | None:
    about = _(mistake.about) if mistake.about else None
    if not mistake.choices:
        return about
    choices = _("one of: {names}").format(names=listing(mistake.choices))
    return choices if about is None else f"{about} ({choices})"


def hint_for(mistake: Mistake, document: Document) -> str | None:
    """Say what to write instead, where that can be told."""
    if mistake.kind == "extra_forbidden":
        return did_you_mean(unicodedata.normalize("NFKC", str(mistake.place[-1])).strip(" :"), mistake.names)
    if mistake.kind == "union_tag_invalid":
        return did_you_mean(str(mistake.context["tag"]), _QUOTED.findall(mistake.context["expected_tags"]))
    if mistake.kind == "literal_error":
        return did_you_mean(str(mistake.found), _QUOTED.findall(mistake.context["expected"]))
    for kinds, suggest in _HINTS:
        if mistake.kind in kinds:
            return suggest(mistake, document)
    return None


def member_expectation(kind: object) -> str | None:
    """Say what one member of a union accepts."""
    if kind in {int, float}:
        return _("a number")
    if get_origin(kind) is tuple and get_args(kind)[-1] is Ellipsis:
        return _("a list")
    if get_origin(kind) is tuple:
        return _("a pair of numbers such as [0.02, 0.2]")
    return {str: _("a text"), bool: _("true or false")}.get(kind) if isinstance(kind, type) else None


def _name(place: Place) -> str:
    if not place:
        return _("the file")
    last = place[-1]
    if isinstance(last, str):
        return last
    parent = next((step for step in reversed(place) if isinstance(step, str)), "")
    return _("entry {number} of {name}").format(number=last + 1, name=parent)


def _found(mistake: Mistake, document: Document) -> str:
    found = mistake.found
    if found is None:
        return _("nothing")
    if isinstance(found, bool | int | float):
        return as_written(document, mistake.place)
    if isinstance(found, str):
        return f'"{shortened(found)}"'
    return _("a list") if isinstance(found, list) else _("a mapping")


def as_written(document: Document, place: Place) -> str:
    """Give a plain value as it stands in the file: ``1.10``, where its number would be 1.1."""
    index = document.index(place)
    if document.text.startswith("*", index):  # an alias; what it repeats stands elsewhere
        return document.text[index : index + 40].split()[0]
    written = _PLAIN.match(document.text, index)
    return "" if written is None else shortened(written.group())


def _pattern(mistake: Mistake) -> str:
    pattern = mistake.context["pattern"]
    known = {
        r"^[a-z0-9]+(?:[-.][a-z0-9]+)*$": _("lower-case letters and digits, joined by - or ."),
        r"^[a-z0-9]+(?:[.-][a-z0-9]+)*$": _("lower-case letters and digits, joined by - or ."),
        r"^https?://": _("an address that begins with http:// or https://"),
        r"^[A-Z]{3}$": _("three capital letters such as JPY"),
        r"^[^@\s]+@[^@\s]+$": _("claim@system, such as plan/goal/measure/claim@assistant"),
    }
    return known.get(pattern) or _("a text like {pattern}").format(pattern=pattern)


def _one_of(quoted: str) -> str:
    return _("one of: {names}").format(names=listing(_QUOTED.findall(quoted)))


def _mapping(mistake: Mistake) -> str:
    if mistake.context.get("class_name") == Text.__name__:
        return _("a text in Japanese and English: {ja: …, en: …}")
    return _("a mapping (key: value)")


def _counted(say: Callable[[], str], name: str) -> Callable[[Mistake], str]:
    return lambda mistake: say().format(limit=_figure(mistake.context[name]))


def _figure(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) and abs(value) < 1e6 else str(value)


def _always(say: Callable[[], str]) -> Callable[[Mistake], str]:
    return lambda _mistake: say()


_EXPECTED: Final[dict[str, Callable[[Mistake], str]]] = {
    "string_type": _always(lambda: _("a text")),
    "bool_type": _always(lambda: _("true or false")),
    "int_type": _always(lambda: _("a whole number")),
    "int_from_float": _always(lambda: _("a whole number")),
    "float_type": _always(lambda: _("a number")),
    "decimal_type": _always(lambda: _("a number")),
    "decimal_parsing": _always(lambda: _("a number")),
    "finite_number": _always(lambda: _("a number")),
    "date_type": _always(lambda: _("a date such as 2026-03-31")),
    "date_parsing": _always(lambda: _("a date such as 2026-03-31")),
    "date_from_datetime_parsing": _always(lambda: _("a date such as 2026-03-31")),
    "date_from_datetime_inexact": _always(lambda: _("a date such as 2026-03-31")),
    "tuple_type": _always(lambda: _("a list")),
    "list_type": _always(lambda: _("a list")),
    "dict_type": _always(lambda: _("a mapping (key: value)")),
    "model_type": _mapping,
    "literal_error": lambda mistake: _one_of(mistake.context["expected"]),
    "union_tag_invalid": lambda mistake: _one_of(mistake.context["expected_tags"]),
    "string_pattern_mismatch": _pattern,
    "string_too_short": _counted(lambda: _("a text of at least {limit} character(s)"), "min_length"),
    "string_too_long": _counted(lambda: _("a text of at most {limit} characters"), "max_length"),
    "too_short": _counted(lambda: _("a list with at least {limit} entries"), "min_length"),
    "too_long": _counted(lambda: _("a list with at most {limit} entries"), "max_length"),
    "greater_than": _counted(lambda: _("a number above {limit}"), "gt"),
    "greater_than_equal": _counted(lambda: _("a number from {limit} up"), "ge"),
    "less_than": _counted(lambda: _("a number below {limit}"), "lt"),
    "less_than_equal": _counted(lambda: _("a number of at most {limit}"), "le"),
}  # fmt: skip


def _quote_it(mistake: Mistake, document: Document) -> str | None:
    if isinstance(mistake.found, bool | int | float):
        return _('put it in quotes: "{text}"').format(text=as_written(document, mistake.place))
    return None


def _as_number(mistake: Mistake, _document: Document) -> str | None:
    if not isinstance(mistake.found, str):
        return None
    text = unicodedata.normalize("NFKC", mistake.found).strip().replace(",", "")
    if percent := _PERCENT.fullmatch(text):
        return _("write {text}").format(text=f"{float(percent[1]) / 100:.12g}")
    if not _NUMBER.fullmatch(text):
        return None
    if text == mistake.found:
        return _("write {text} without quotes").format(text=text)
    return _("write {text}").format(text=text)


def _as_share(mistake: Mistake, _document: Document) -> str | None:
    found = mistake.found
    if mistake.context.get("le") == 1 and isinstance(found, int | float) and 1 < found <= 100:
        return _("a share, not percent: write {text}").format(text=f"{found / 100:.12g}")
    return None


def _as_switch(mistake: Mistake, _document: Document) -> str | None:
    text = str(mistake.found).lower()
    if text in _YES or text in _NO:
        return _("write {text}").format(text="true" if text in _YES else "false")
    return None


def _as_date(mistake: Mistake, _document: Document) -> str | None:
    text = unicodedata.normalize("NFKC", str(mistake.found))
    parts = _DATE.fullmatch(text)
    if parts is None:
        return None
    written = f"{parts[1]}-{int(parts[2]):02d}-{int(parts[3]):02d}"
    return _("there is no such day") if written == text else _("write {text}").format(text=written)


def _as_text_map(mistake: Mistake, _document: Document) -> str | None:
    if mistake.context.get("class_name") != Text.__name__ or not isinstance(mistake.found, str):
        return None
    language = "ja" if _JAPANESE.search(mistake.found) else "en"
    return _("write {text}").format(text=f'{{{language}: "{shortened(mistake.found)}"}}')


def _as_list(mistake: Mistake, document: Document) -> str | None:
    if isinstance(mistake.found, str):
        return _("write {text}").format(text=f"[{shortened(mistake.found)}]")
    if isinstance(mistake.found, dict):
        return _('begin each entry with "- "')
    return _quote_nothing(mistake, document)


def _quote_nothing(mistake: Mistake, _document: Document) -> str | None:
    return _("leave the key out if there is nothing to say") if mistake.found is None else None


def _as_id(mistake: Mistake, _document: Document) -> str | None:
    if not mistake.context["pattern"].startswith("^[a-z0-9]+(?:["):
        return None
    text = unicodedata.normalize("NFKC", str(mistake.found)).lower()
    written = _NOT_IN_ID.sub("-", text).strip("-.")
    return _("write {text}").format(text=written) if written else None


_Suggest = Callable[[Mistake, Document], str | None]

_HINTS: Final[tuple[tuple[frozenset[str], _Suggest], ...]] = (
    (frozenset({"string_type"}), _quote_it),
    (frozenset({"int_type", "float_type", "decimal_type", "decimal_parsing", "union"}), _as_number),
    (frozenset({"bool_type"}), _as_switch),
    (frozenset({"date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"}), _as_date),
    (frozenset({"model_type"}), _as_text_map),
    (frozenset({"tuple_type", "list_type"}), _as_list),
    (frozenset({"string_pattern_mismatch"}), _as_id),
    (frozenset({"less_than_equal"}), _as_share),
)
