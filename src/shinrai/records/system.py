"""AI systems: what they are for, and the stack of components they are made of."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from shinrai.i18n import _
from shinrai.records.base import Digest, Id, Json, Record, Role, Text
from shinrai.records.check import SystemKind
from shinrai.records.plugin import Plugin
from shinrai.records.register import (
    HANGS_ON,
    Autonomy,
    Basis,
    Benefit,
    DataClass,
    Deployment,
    Gate,
    Operator,
    Stage,
    missing_gates,
)
from shinrai.records.supply import Need, SupplyFacts, check_needs


class Price(Record):
    """What a call costs, per million tokens."""

    input: Annotated[Decimal, Field(ge=0)]
    output: Annotated[Decimal, Field(ge=0)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class ModelPrice(Price):
    """What a provider's list said that a model costs there; for models of the catalog's price table.

    Parameters
    ----------
    host : str
        Of the endpoint. The same model elsewhere has another price.
    model : str
        As it is named in a call.
    as_of : date
        When the source said so.
    source : str
        Where it was read.
    """

    host: str
    model: str
    as_of: date
    source: str


class PriceTable(Record):
    """A file of ``catalog/prices``: the list of one provider."""

    prices: tuple[ModelPrice, ...]

    @model_validator(mode="after")
    def _each_once(self) -> PriceTable:
        names = [(price.host, price.model) for price in self.prices]
        if len(set(names)) != len(names):
            raise ValueError(_("two prices are for the same model"))
        return self


class KeyringEntry(Record):
    """Where the operating system's keyring holds a key: ``keyring set SERVICE USERNAME`` puts it there."""

    service: Annotated[str, Field(min_length=1)]
    username: Annotated[str, Field(min_length=1)]


class RateLimits(Record):
    """What a provider allows in any 60 seconds. What is left out is not limited."""

    requests_per_minute: Annotated[int | None, Field(gt=0, description="Attempts, repeated ones included")] = None
    tokens_per_minute: Annotated[int | None, Field(gt=0, description="Tokens in and out together")] = None


def _plain_address(url: str) -> str:
    """Refuse parts of an address that could hide a key, or where a call really goes.

    Raises
    ------
    ValueError
        For a user name, a password, a query or a fragment, and for an address without a host.
    """
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        raise ValueError(_("an address holds no user name and no key; name the key's variable in `key_env`"))
    if parts.query or parts.fragment or "?" in url or "#" in url:
        raise ValueError(_("an address ends with its path, without a query or a fragment"))
    if not parts.hostname or "\\" in url or any(character <= " " for character in url):
        raise ValueError(_("an address needs a host, and no blanks or backslashes"))
    try:
        bad_port = parts.port == 0
    except ValueError:
        bad_port = True
    if bad_port:
        raise ValueError(_("a port is a number from 1 to 65535"))
    return url


class Generation(Record):
    """How a language model is asked to answer. What is left out is left to the endpoint."""

    temperature: Annotated[float | None, Field(ge=0, le=2)] = None
    top_p: Annotated[float | None, Field(gt=0, le=1)] = None
    max_tokens: Annotated[int | None, Field(gt=0)] = None
    seed: int | None = None


class Endpoint(SupplyFacts):
    """A language model behind an OpenAI-compatible chat endpoint."""

    type: Literal["endpoint"]
    url: Annotated[
        str, Field(pattern=r"^https?://", description="Up to and including /v1"), AfterValidator(_plain_address)
    ]
    model: str
    key_env: Annotated[str | None, Field(description="Environment variable that holds the key; never the key")] = None
    key_keyring: Annotated[KeyringEntry | None, Field(description="Entry of the keyring that holds the key")] = None
    generation: Generation = Generation()
    timeout: Annotated[float, Field(gt=0, le=3600, description="Seconds a call may take")] = 60.0
    price: Annotated[Price | None, Field(description="Where it differs from the catalog's table")] = None
    limits: RateLimits = RateLimits()

    @model_validator(mode="after")
    def _one_key(self) -> Endpoint:
        if self.key_env is not None and self.key_keyring is not None:
            raise ValueError(_("a key comes from `key_env` or from `key_keyring`, not from both"))
        return self

    @property
    def host(self) -> str:
        """The host of its address, in lower case, an IPv6 address without brackets."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The port of its address, given or implied."""
        parts = urlsplit(self.url)
        return parts.port or (443 if parts.scheme == "https" else 80)


class Embedded(SupplyFacts):
    """A language model run inside this process, from weights that an installed package carries or a file holds."""

    type: Literal["embedded"]
    package: Annotated[str | None, Field(description="Installed package that carries the weights")] = None
    file: Annotated[str, Field(description="GGUF file, inside the package or relative to the workspace")]
    generation: Generation = Generation()
    context: Annotated[int, Field(ge=256, description="Tokens of context")] = 2048
    timeout: Annotated[float, Field(gt=0, le=3600, description="Seconds a call may take")] = 60.0


class Predictor(SupplyFacts):
    """A Python file with ``load(parameters)`` that returns ``predict(records)``: one dict out for each in."""

    type: Literal["predictor"]
    path: Annotated[str, Field(description="Python file relative to the workspace")]
    parameters: dict[str, Json] = Field(default_factory=dict)
    timeout: Annotated[float, Field(gt=0, le=3600, description="Seconds a batch may take")] = 60.0


class PluginModel(SupplyFacts):
    """A system that a plug-in knows how to ask: an installed package's, or that of a file in ``checks/``."""

    type: Literal["plugin"]
    name: Annotated[Id, Field(description="Entry point of the group shinrai.targets, or checks/NAME.py")]
    parameters: Annotated[dict[str, Json], Field(description="Handed to the plug-in as they stand")] = Field(
        default_factory=dict
    )
    at_once: Annotated[int, Field(gt=0, le=256, description="Calls at once, each in a thread of its own")] = 1
    timeout: Annotated[float, Field(gt=0, le=3600, description="Seconds a call may take")] = 60.0


class Instructions(SupplyFacts):
    """The system prompt."""

    type: Literal["instructions"]
    text: str


class Guard(SupplyFacts):
    """A Python file with ``load(parameters)`` that returns an object with ``before(text)`` and ``after(text, reply)``.

    ``before`` returns a reply to give instead of asking the model, or None; ``after`` returns the reply to hand on.
    A parameter that names a file of the workspace is written ``{file: path}``, so that its digest is recorded.
    """

    type: Literal["guard"]
    path: Annotated[str, Field(description="Python file relative to the workspace")]
    parameters: dict[str, Json] = Field(default_factory=dict)


Component: TypeAlias = Annotated[
    Endpoint | Embedded | Predictor | PluginModel | Instructions | Guard, Field(discriminator="type")
]

MODELS = (Endpoint, Embedded, Predictor, PluginModel)
"""The component types that answer; a system's stack has exactly one of them."""


class System(Record):
    """The files ``systems/*.yaml``: one AI system."""

    id: Id
    title: Text
    kind: SystemKind
    purpose: Text
    owner: Role
    users: Text | None = None
    affected: Text | None = None
    operator: Annotated[tuple[Operator, ...], Field(description="Roles that the organisation has in it")] = ()
    stage: Annotated[Stage | None, Field(description="Where it stands in its life cycle")] = None
    gates: Annotated[tuple[Gate, ...], Field(description="Gates of the life cycle that it has passed")] = ()
    autonomy: Annotated[Autonomy | None, Field(description="How far it acts by itself")] = None
    human_review: Annotated[bool, Field(description="Does a person judge each output before it is used?")]
    data: Annotated[
        tuple[DataClass, ...] | None, Field(description="Classes of data that go in or come out; [] for none")
    ] = None
    deployment: Deployment | None = None
    benefit: Annotated[Benefit | None, Field(description="What it is expected to do good")] = None
    risks: Annotated[tuple[Text, ...], Field(description="What can go wrong, and for whom")] = ()
    needs: Annotated[
        tuple[Need, ...],
        Field(description="Components beside the stack, such as data, compute, human steps; as a component's own"),
    ] = ()
    secrets: Annotated[
        tuple[str, ...], Field(description="Planted strings that must never come out (canaries); not real secrets")
    ] = ()
    stack: Annotated[tuple[Component, ...], Field(min_length=1, description="From the outside to the model")]

    @model_validator(mode="after")
    def _one_model(self) -> System:
        models = [part for part in self.stack if isinstance(part, MODELS)]
        if len(models) != 1:
            raise ValueError(
                _("a stack has exactly one model (endpoint, embedded, predictor or plugin), found {count}").format(
                    count=len(models)
                )
            )
        either = isinstance(models[0], PluginModel)
        if not either and (self.kind == "predictor") != isinstance(models[0], Predictor):
            raise ValueError(
                _("a {kind} system does not go with a model of type {type}").format(kind=self.kind, type=models[0].type)
            )
        ids = [part.id for part in self.stack]
        if len(set(ids)) != len(ids):
            raise ValueError(_("two components have the same id"))
        return self

    @model_validator(mode="after")
    def _coherent(self) -> System:
        check_needs(self.needs)
        days = [gate.day for gate in self.gates]
        if days != sorted(days):
            raise ValueError(_("`gates` stand in the order of their days"))
        return self

    @property
    def register(self) -> dict[str, Json]:
        """What the register says of it, by field: a change of any of this makes a new version."""
        plain = self.to_json()
        return {name: plain.get(name) for name in HANGS_ON}

    @property
    def missing_gates(self) -> tuple[Stage, ...]:
        """Stages that it has reached although nobody is recorded to have let it in; see `missing_gates`."""
        return missing_gates(self.stage, self.gates)

    def context(self, basis: Basis) -> dict[str, Json]:
        """Give what the register says of it, as far as a verdict on this basis hangs on that; see `HANGS_ON`."""
        return {name: value for name, value in self.register.items() if basis in HANGS_ON[name]}

    @property
    def model(self) -> Endpoint | Embedded | Predictor | PluginModel:
        """The component that answers."""
        return next(part for part in self.stack if isinstance(part, MODELS))

    def component(self, component_id: str) -> Component | None:
        """Find a component by its id."""
        return next((part for part in self.stack if part.id == component_id), None)

    def changed(self, change: Change) -> System:
        """Give the system as it is after a change.

        Added components stand in front of the stack, in the order given. A component that is already exactly as the
        change wants it stays as it is, so that a change taken over into the file later is not made twice.

        Parameters
        ----------
        change : Change
            Of this very system.

        Returns
        -------
        System

        Raises
        ------
        ValueError
            If a component to replace or remove is not there, or one to add is there with other contents.
        """
        stack = list(self.stack)
        index = {part.id: position for position, part in enumerate(stack)}
        for part in change.replace:
            if part.id not in index:
                raise ValueError(_("{system} has no component {part} to replace").format(system=self.id, part=part.id))
            stack[index[part.id]] = part
        new = []
        for part in change.add:
            if part.id not in index:
                new.append(part)
            elif stack[index[part.id]] != part:
                raise ValueError(
                    _("{system} already has another component {part}").format(system=self.id, part=part.id)
                )
        gone = set(change.remove)
        return System.model_validate(
            {**dict(self), "stack": tuple(part for part in (*new, *stack) if part.id not in gone)}
        )


class Change(Record):
    """What an action changes in a system's stack."""

    system: Id
    add: tuple[Component, ...] = ()
    replace: tuple[Component, ...] = ()
    remove: tuple[Id, ...] = ()

    @model_validator(mode="after")
    def _something(self) -> Change:
        if not (self.add or self.replace or self.remove):
            raise ValueError(_("a change adds, replaces or removes at least one component"))
        return self


class Supplied(Record):
    """What a component was delivered as: another version or other bytes may answer otherwise."""

    version: str | None = None
    digest: Digest | None = None


class SystemVersion(Record):
    """A system as it stood at a moment: what verdicts are about.

    Parameters
    ----------
    number : int
        1, 2, 3 … in the order in which they were recorded.
    fingerprint : Digest
        Of everything that can change an answer: the stack, the planted strings and the files the stack names.
    files : dict
        Path as the stack names it → digest of its bytes. Weights, component files, files named in parameters.
    action : Id, optional
        The action that made it.
    plugin : Plugin, optional
        The code that asks it, where that is not Shinrai's.
    supply : dict
        Component of ``components/*.yaml`` that it needs, whether directly or not → what it was delivered as.
    """

    system: System
    number: Annotated[int, Field(ge=1)]
    fingerprint: Digest
    files: dict[str, Digest]
    action: Id | None = None
    supply: dict[Id, Supplied] = Field(default_factory=dict)
    plugin: Plugin | None = None
