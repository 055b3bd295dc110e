"""Where each piece of evidence comes from, and which verdicts rest on it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from shinrai.i18n import LANGUAGES, N_, Language, translate
from shinrai.ledger.projection import Entry, State
from shinrai.records import Attestation, Id, Import, Observation, Provenance, Text
from shinrai.report.evidence import visible
from shinrai.source.inspect_samples import LIMIT

__all__ = ["Piece", "missing_in_words", "pieces", "said_in_words", "unscored_in_words"]

_Brought: TypeAlias = Attestation | Observation | Import
"""Evidence that single claims rest on; tables of indicators and answers to requirements have sections of their own."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of evidence as the page shows it; texts of others with every invisible character made visible.

    Parameters
    ----------
    seq : int
        Of its entry in the ledger.
    at : str
        When it was brought in.
    kind : {"attestation", "observation", "import"}
    name : str
        Of the file or the subject.
    system : Id or None
        None where it is about all.
    source : str
        Who or what made it.
    digests : tuple of (str, str)
        File → digest, as it came.
    run : Provenance or None
        What the file of another tool says of its run.
    rows : int or None
        Of an import.
    missing : Text or None
        What of it has no reply: kind and number, in order; None where everything has.
    unscored : str
        Scores of it that cannot be read: column and number, in order; empty where all can.
    selection, order : Text or None
        Which items were asked, in which order; what Shinrai itself says of them in both languages.
    keys : tuple of str
        ``claim@system`` of the verdicts that rest on it, the last one of each claim.
    """

    seq: int
    at: str
    kind: str
    name: str
    system: Id | None
    source: str
    digests: tuple[tuple[str, str], ...]
    run: Provenance | None
    rows: int | None
    missing: Text | None
    unscored: str
    selection: Text | None
    order: Text | None
    keys: tuple[str, ...]


def pieces(state: State) -> list[Piece]:
    """Give every piece of evidence that was brought in, oldest first.

    Parameters
    ----------
    state : State
        Of the ledger.

    Returns
    -------
    list of Piece
    """
    used: dict[str, list[str]] = {}
    for key, found in state.judgements.items():
        if found:
            for mark in found[-1].verdict.evidence:
                used.setdefault(mark, []).append(key)
    return [
        _piece(entry, evidence, tuple(sorted(used.get(entry.hash, ()))))
        for entry, evidence in state.evidence
        if isinstance(evidence, Attestation | Observation | Import)
    ]


def _piece(entry: Entry, evidence: _Brought, keys: tuple[str, ...]) -> Piece:
    run = evidence.provenance if isinstance(evidence, Import) else None
    return Piece(
        seq=entry.seq,
        at=entry.at,
        kind=evidence.type,
        name=visible(evidence.subject if isinstance(evidence, Observation) else evidence.name),
        system=evidence.system,
        source=visible(_source(evidence)),
        digests=_digests(evidence),
        run=_shown(run) if run else None,
        rows=evidence.rows if isinstance(evidence, Import) else None,
        missing=missing_in_words(run.missing) if run and run.missing else None,
        unscored=unscored_in_words(run.unscored) if run and run.unscored else "",
        selection=said_in_words(run.selection) if run else None,
        order=said_in_words(run.order) if run else None,
        keys=keys,
    )


def _source(evidence: _Brought) -> str:
    match evidence:
        case Attestation(by=by):
            return by
        case Observation(source=source):
            return source
        case Import(provenance=run) if run is not None:
            return f"{run.tool} {run.version}" if run.version else run.tool
        case Import(format=form):
            return form


def _digests(evidence: _Brought) -> tuple[tuple[str, str], ...]:
    if isinstance(evidence, Observation):
        return ()
    if isinstance(evidence, Import) and evidence.provenance is not None:
        return tuple((visible(name), mark) for name, mark in sorted(evidence.provenance.files.items()))
    return ((visible(evidence.name), evidence.file_digest),)


def _shown(run: Provenance) -> Provenance:
    """Make the texts of a foreign file ready to be shown."""
    texts = {name: visible(text) for name in ("task", "model", "ended_as") if (text := getattr(run, name)) is not None}
    return run.model_copy(update=texts)


_MISSING: Final = {
    "empty": N_("an empty reply"),
    "error": N_("failed"),
    "blocked": N_("blocked by the provider"),
    "not-run": N_("never run"),
}
"""Kinds of missing replies that all importers share; a tool may have others, which are shown as it calls them."""


_SAID: Final = (
    (
        re.compile(r"(?P<chosen>\w+) of (?P<all>\w+) samples, (?P<epochs>\d+) epochs, limit (?P<limit>[^a-z]+|none)"),
        N_("{chosen} of {all} samples, {epochs} epochs, limit {limit}"),
    ),
    (
        re.compile(r"(?P<chosen>\w+) of (?P<all>\w+) documents, limit (?P<limit>\S+)"),
        N_("{chosen} of {all} documents, limit {limit}"),
    ),
    (re.compile(r"(?P<chosen>\w+) of (?P<all>\w+) documents"), N_("{chosen} of {all} documents")),
    (
        re.compile(r"(?P<count>\w+) generations a prompt, soft limit of prompts (?P<limit>\w+)"),
        N_("{count} generations a prompt, soft limit of prompts {limit}"),
    ),
    (re.compile(r"(?P<order>.+), seed (?P<seed>\S+)"), N_("{order}, seed {seed}")),
)
"""How importers say which items were selected, and in which order, with figures in it."""

_LIMITED: Final = N_("stopped by a limit ({kind})")


def missing_in_words(missing: Mapping[str, int]) -> Text:
    """Say what of an import has no reply, and how often."""
    words = {code: ", ".join(f"{visible(_kind(kind, code))} {n}" for kind, n in missing.items()) for code in LANGUAGES}
    return Text(**words)


def unscored_in_words(unscored: Mapping[str, int]) -> str:
    """Say which scores of an import cannot be read, and how often."""
    return ", ".join(f"{visible(name)} {n}" for name, n in unscored.items())


def _kind(kind: str, code: Language) -> str:
    if kind.startswith(LIMIT):
        return translate(_LIMITED, code).format(kind=kind.removeprefix(LIMIT))
    return translate(_MISSING.get(kind, kind), code)


def said_in_words(said: str) -> Text:
    """Give what an importer said of selection or order in both languages, as far as there is a translation."""
    return Text(**{code: visible(_translated(said, code)) for code in LANGUAGES})


def _translated(said: str, code: Language) -> str:
    for pattern, message in _SAID:
        found = pattern.fullmatch(said)
        if found is not None:
            parts = found.groupdict()
            for name in parts.keys() & {"order", "limit"}:  # words among figures
                parts[name] = translate(parts[name], code)
            return translate(message, code).format(**parts)
    return translate(said, code)
