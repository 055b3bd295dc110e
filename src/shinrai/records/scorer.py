"""Scorers as a check names them: id, parameters, version. The rules themselves live in ``check/scorers``.

Raising a version makes every commitment that uses the scorer a new one: an old reply is never scored by a new rule
under an old promise.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from shinrai.i18n import _
from shinrai.records.base import Id, Json, Record, Text

PersonalDataKind: TypeAlias = Literal["e-mail", "phone", "my-number", "card", "secret"]
Comparison: TypeAlias = Literal["text", "yes-no"]


class Exact(Record):
    """Pass when the reply is the expected text, white space at the ends and Unicode width aside."""

    id: Literal["exact"]
    expected: str | None = None
    field: Annotated[str | None, Field(description="Field of the item that holds the expected text")] = None

    @model_validator(mode="after")
    def _one(self) -> Exact:
        if (self.expected is None) == (self.field is None):
            raise ValueError(_("give either `expected` or `field`"))
        return self


class Includes(Record):
    """Pass when the reply contains (or does not contain) a text; case and Unicode width aside."""

    id: Literal["includes"]
    text: str | None = None
    field: Annotated[str | None, Field(description="Field of the item that holds the text")] = None
    must: Literal["appear", "not-appear"] = "appear"

    @model_validator(mode="after")
    def _one(self) -> Includes:
        if (self.text is None) == (self.field is None):
            raise ValueError(_("give either `text` or `field`"))
        return self


class Regex(Record):
    """Pass when a regular expression is found (or is not found) in the reply."""

    id: Literal["regex"]
    pattern: str
    must: Literal["match", "not-match"] = "match"


class JsonSchema(Record):
    """Pass when the reply is JSON that the schema accepts, with the expected fields where there are any."""

    id: Literal["json-schema"]
    json_schema: Annotated[dict[str, Json], Field(alias="schema")]
    field: Annotated[str | None, Field(description="Field of the item with the key-value pairs expected")] = None


class Refusal(Record):
    """Pass when the reply declines (or does not decline) what was asked."""

    id: Literal["refusal"]
    must: Literal["decline", "not-decline"] = "decline"


class PersonalData(Record):
    """Pass when the reply holds no personal data; ``secret`` are the system's planted strings.

    Data that the asker wrote into the question do not count as leaked.
    """

    id: Literal["personal-data"]
    kinds: Annotated[tuple[PersonalDataKind, ...], Field(min_length=1)] = (
        "e-mail",
        "phone",
        "my-number",
        "card",
        "secret",
    )
    allowed: Annotated[
        tuple[str, ...],
        Field(description="E-mail addresses and phone numbers of one's own organisation, which may be given out"),
    ] = ()


class LanguageOfReply(Record):
    """Pass when the reply is written in the expected language (``item``: that of the item's field ``lang``)."""

    id: Literal["language"]
    expected: Literal["item", "ja", "en"] = "item"


class Counterfactual(Record):
    """Pass when swapping an attribute of the asker does not change the answer."""

    id: Literal["counterfactual"]
    compare: Comparison = "yes-no"


class Consistency(Record):
    """Pass when repetitions or paraphrases of one question all get the same answer."""

    id: Literal["consistency"]
    compare: Comparison = "yes-no"


class Prediction(Record):
    """Pass when a field of the prediction equals a value, or a column of the record."""

    id: Literal["prediction"]
    field: str
    equals: str | int | float | bool | None = None
    column: Annotated[str | None, Field(description="Column of the record with the true value")] = None

    @model_validator(mode="after")
    def _one(self) -> Prediction:
        if (self.equals is None) == (self.column is None):
            raise ValueError(_("give either `equals` or `column`"))
        return self


class SamePrediction(Record):
    """Pass when a field of the prediction is the same for all variants of a record."""

    id: Literal["same-prediction"]
    field: str


class Column(Record):
    """Pass when a column of a row is filled, equals a value, differs from another column, or is large enough."""

    id: Literal["column"]
    column: str
    rule: Literal["filled", "equals", "differs-from", "at-least", "at-most"]
    value: str | int | float | bool | None = None

    @model_validator(mode="after")
    def _value(self) -> Column:
        if (self.value is None) != (self.rule == "filled"):
            raise ValueError(_("every rule but `filled` needs a value"))
        return self


class Anchor(Record):
    """Pass when the reply, a judge's, gives the label that people gave.

    The data are an anchor set, as ``shinrai check label --anchor`` writes it: what a judge is asked, the number that
    it must repeat, and the label. A claim with this scorer is about the judge itself, and shows when it drifts.
    """

    id: Literal["anchor"]
    field: Annotated[str, Field(description="Field of the item with the label, pass or fail")] = "label"
    number: Annotated[str, Field(description="Field of the item with the number that is to be repeated")] = "number"


class LabelPlan(Record):
    """How many replies people label, so that the judge's errors cancel.

    The replies of a run, in committed order, fall into blocks of ``every``. A person labels the first of each block,
    blind to the judge: each reply has the same known chance, 1 / ``every``, and the order was fixed before any reply.
    """

    every: Annotated[int, Field(ge=2, le=1000, description="A person labels one reply of so many")] = 10
    confirm_flags: Annotated[
        bool,
        Field(
            description="A violation may also be proven from replies that the judge fails and a person confirms; "
            "each of the two ways then has half the error level"
        ),
    ] = False


class Judge(Record):
    """Pass when another system of the workspace, asked to judge the reply by a rubric, says so."""

    id: Literal["judge"]
    system: Annotated[Id, Field(description="The chat system of the workspace that judges")]
    rubric: Annotated[str, Field(min_length=1, description="When a reply passes, and when it fails")]
    show: Annotated[
        tuple[str, ...], Field(description="Fields of the item that the judge sees, such as a reference answer")
    ] = ()
    control: Annotated[
        str | None,
        Field(
            min_length=1,
            description="A reply that certainly fails: a reply that passes is judged again behind it, and is unread"
            "able if it still passes: it then commands the judge",
        ),
    ] = None
    labels: Annotated[
        LabelPlan | None, Field(description="People label a few replies, and the verdict is corrected by them")
    ] = None
    accept: Annotated[
        Text | None,
        Field(description="Why a judge without measured error, or one that judges itself, is accepted; printed"),
    ] = None


class PluginScorer(Record):
    """Pass when a rule of one's own says so: an installed package's, or that of a file in ``checks/``."""

    id: Literal["plugin"]
    name: Annotated[Id, Field(description="Entry point of the group shinrai.scorers, or checks/NAME.py")]
    parameters: Annotated[dict[str, Json], Field(description="Handed to the rule as they stand")] = Field(
        default_factory=dict
    )


ScorerUse: TypeAlias = Annotated[
    Exact
    | Includes
    | Regex
    | JsonSchema
    | Refusal
    | PersonalData
    | LanguageOfReply
    | Counterfactual
    | Consistency
    | Prediction
    | SamePrediction
    | Column
    | Judge
    | Anchor
    | PluginScorer,
    Field(discriminator="id"),
]
"""A scorer with its parameters."""

SCORER_VERSIONS: dict[str, str] = {
    "exact": "1",
    "includes": "1",
    "regex": "1",
    "json-schema": "1",
    "refusal": "1",
    "personal-data": "1",
    "language": "1",
    "counterfactual": "1",
    "consistency": "1",
    "prediction": "1",
    "same-prediction": "1",
    "column": "1",
    "judge": "1",
    "anchor": "1",
    "plugin": "1",
}
"""Version of each scorer's rule. Change a rule, raise its number. ``plugin``: of what a plug-in is given."""
