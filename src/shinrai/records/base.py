"""What every record has in common: frozen, closed to unknown fields, JSON in and out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from shinrai.i18n import _
from shinrai.records.digest import canonical_text, digest_bytes

Id: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(?:[-.][a-z0-9]+)*$", max_length=80)]
"""Lower-case letters and digits, joined by ``-`` or ``.``; stable, never renumbered, never reused."""

Digest: TypeAlias = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
"""``sha256:`` and 64 hexadecimal digits."""

Role: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=80)]
"""Who acts, as a role of the organisation (never a person's name)."""

Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]
"""A proportion in [0, 1], never percent."""

Json: TypeAlias = Any
"""A JSON value."""


# A frozen record is filled through its slots, as pydantic does; found once, which halves the cost of `like`.
_new: Final = object.__new__
_put_values, _put_given, _put_extra, _put_private = (
    BaseModel.__dict__[slot].__set__
    for slot in ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
)


class Record(BaseModel):
    """Base of all records."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        validate_default=True,
        serialize_by_alias=True,
        ser_json_inf_nan="constants",
    )

    def to_json(self) -> dict[str, Json]:
        """Give the record as plain JSON values; fields that are None are left out, so absent and None are one."""
        return self.model_dump(mode="json", exclude_none=True)

    def like(self, changed: Mapping[str, object]) -> Self:
        """Give a copy in which some fields have other values, which are taken unchecked.

        The same as pydantic's ``model_copy`` at a quarter of its cost, for records that are many and resemble one
        another. Values must be such as the fields hold after validation.

        Parameters
        ----------
        changed : mapping
            Field → value; each must have been given for this record too.

        Returns
        -------
        Record
        """
        copy = _new(type(self))
        _put_values(copy, {**self.__dict__, **changed})
        _put_given(copy, self.__pydantic_fields_set__)
        _put_extra(copy, None)
        _put_private(copy, None)
        return copy

    def canonical(self) -> bytes:
        """Give the canonical JSON (RFC 8785) of what `to_json` gives.

        Raises
        ------
        rfc8785.CanonicalizationError
            For integers beyond ±(2**53 - 1), NaN and infinities.
        pydantic_core.PydanticSerializationError
            For values that have no JSON form, such as strings that are not valid Unicode.
        """
        return canonical_text(self.model_dump_json(exclude_none=True).encode())

    @property
    def content_digest(self) -> str:
        """SHA-256 of the record's canonical JSON."""
        return digest_bytes(self.canonical())


class Text(Record):
    """A text people read, in Japanese and English.

    Parameters
    ----------
    ja, en : str, optional
        At least one must be there.
    original : {"ja", "en"}, optional
        The language it was written in, where the other one is a translation.
    translation : {"official", "unofficial", "machine"}, optional
        What kind of translation that is.
    """

    ja: str | None = None
    en: str | None = None
    original: Annotated[Literal["ja", "en"] | None, Field(description="The language it was written in")] = None
    translation: Annotated[
        Literal["official", "unofficial", "machine"] | None, Field(description="Who made the other language of it")
    ] = None

    @model_validator(mode="after")
    def _at_least_one(self) -> Text:
        if not (self.ja or self.en):
            raise ValueError(_("a text needs at least one of the languages ja, en"))
        return self

    def read(self, language: Literal["ja", "en"]) -> str:
        """Give the text in a language, or in the other one where it has not been translated."""
        first, second = (self.ja, self.en) if language == "ja" else (self.en, self.ja)
        return first or second or ""
