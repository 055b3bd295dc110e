"""Papers in Markdown: the technical documentation of Annex IV of the EU AI Act, and the Hiroshima-process report.

Everything in them comes from records. What no record says is printed as a gap, never left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from shinrai.ledger.projection import ClaimState
from shinrai.plan.exposure import is_supplied
from shinrai.records import Framework, Id, System, Text
from shinrai.report.exports.dossier import Dossier, figures, promise_words
from shinrai.report.requirements import RELATIONSHIPS, REQUIREMENT_WORDS
from shinrai.report.stack_words import AUTONOMY, DATA, HOSTS, OPERATORS, REACH, STAGES, TYPES
from shinrai.report.words import CERTAINTIES, N_
from shinrai.rules.questions import ANSWER_WORDS
from shinrai.workspace import Node, stack_graph

ANNEX = "eu-ai-act-2024"
"""The framework whose entries ``annex-iv-1`` to ``annex-iv-9`` are the nine points."""

Part = Callable[[Dossier, System], Iterator[str]]


def _gap(dossier: Dossier, what: str) -> str:
    return "- **" + dossier.t("GAP") + "**: " + what


def _line(dossier: Dossier, name: str, value: object) -> str:
    """Write a fact, or the gap where it should stand."""
    label = dossier.t(name)
    if value is None or value in ("", (), []):
        return _gap(dossier, label)
    return f"- {label}: {_plain(str(value))}"


def _plain(text: str) -> str:
    """Keep what people wrote from being read as Markdown or HTML."""
    for character in "\\`*_[]<>|#":
        text = text.replace(character, f"\\{character}")
    return " ".join(text.split())


def _read(dossier: Dossier, text: Text | None) -> str:
    return dossier.read(text)


# ---- Annex IV


def annex_iv(dossier: Dossier) -> bytes:
    """Write the nine points for each system, with gaps printed as gaps."""
    lines = [
        "# " + dossier.t("Technical documentation (Annex IV of Regulation (EU) 2024/1689)"),
        "",
        dossier.t("Generated from the records of {name}; nothing here was typed in for this paper.",
                    name=_plain(_read(dossier, dossier.workspace.settings.name))),
        dossier.t("Ledger entry {seq}, hash {hash}, {day}.", seq=dossier.head.seq, hash=dossier.head.hash,
                    day=dossier.today),
    ]  # fmt: skip
    book = dossier.workspace.rules.frameworks[ANNEX]
    titles = {entry.id: entry.title for entry in book.requirements}
    for system in dossier.systems:
        lines += ["", f"## {_plain(_read(dossier, system.title))} ({system.id})"]
        for number, part in enumerate(_POINTS, start=1):
            name = f"annex-iv-{number}"
            lines += ["", f"### {_plain(_read(dossier, titles[name]))}", ""]
            lines += [*part(dossier, system), *_stated(dossier, f"{ANNEX}/{name}", system.id)]
    return ("\n".join(lines) + "\n").encode()


def _stated(dossier: Dossier, requirement: str, system: Id) -> Iterator[str]:
    for entry, one in dossier.answers(requirement, system)[-1:]:
        evidence = f"{one.name} ({one.file_digest})" if one.name else dossier.t("no document")
        given = dossier.t(ANSWER_WORDS[one.answer])
        said = _plain(f"{given}: {one.statement} — {one.by}, {one.effective}, {evidence}")
        label = dossier.t("Stated")
        yield f"- {label}: {said} ({entry.seq})"


def _general(dossier: Dossier, system: System) -> Iterator[str]:
    place = system.deployment
    versions = dossier.state.versions.get(system.id, [])
    yield _line(dossier, N_("Intended purpose"), _read(dossier, system.purpose))
    yield _line(dossier, N_("Provider"), _read(dossier, dossier.workspace.settings.name))
    yield _line(dossier, N_("Our role"), ", ".join(dossier.t(OPERATORS[role]) for role in system.operator))
    yield _line(dossier, N_("Version"), f"{versions[-1].number} ({versions[-1].fingerprint})" if versions else None)
    yield _line(dossier, N_("Life-cycle stage"), dossier.t(STAGES[system.stage]) if system.stage else None)
    yield _line(dossier, N_("Users"), _read(dossier, system.users))
    yield _line(dossier, N_("Affected people"), _read(dossier, system.affected))
    yield _line(dossier, N_("Where it runs"), dossier.t(HOSTS[place.host]) if place and place.host else None)
    reach = dossier.t(REACH[place.reach]) if place and place.reach else None
    yield _line(dossier, N_("Whom its output reaches"), reach)
    yield _line(dossier, N_("Countries"), ", ".join(place.countries or ()) if place else None)
    yield _line(dossier, N_("Parts it consists of"), " → ".join(f"{part.id} ({part.type})" for part in system.stack))
    below = [node for node in _under(dossier, system) if node.system is None]
    if below:
        yield _line(dossier, N_("What it needs beside them"), ", ".join(_named(dossier, node) for node in below))


def _under(dossier: Dossier, system: System) -> list[Node]:
    """Give every component under a system: its own stack, then what that needs."""
    graph = stack_graph([system], dossier.workspace.components)
    return [graph.nodes[key] for key in graph.below(f"{system.id}/") if key != f"{system.id}/"]


def _named(dossier: Dossier, node: Node) -> str:
    return f"{_read(dossier, node.title)} ({dossier.t(TYPES[node.type])})"


_DEVELOPED: Final = (
    ("data", N_("training, validation and testing data")),
    ("compute", N_("computing resources")),
)
"""What point 2 asks for of the components under a system, by their type."""


def _development(dossier: Dossier, system: System) -> Iterator[str]:
    nodes = _under(dossier, system)
    for node in nodes:
        known = ", ".join(
            filter(None, (node.facts.supplier, node.facts.licence, node.facts.version) if node.facts else ())
        )
        name = _plain(_named(dossier, node))
        if known or not is_supplied(node):
            yield f"- {name}: {_plain(known)}" if known else f"- {name}"
        else:
            yield _gap(dossier, dossier.t("supplier, licence and version of {part}", part=name))
    for kind, what in _DEVELOPED:
        if all(node.type != kind for node in nodes):
            yield _gap(dossier, dossier.t(what))
    judged = dossier.t("a person judges each output before it is used")
    alone = dossier.t("no person judges each output before it is used")
    yield _line(dossier, N_("Human oversight"), judged if system.human_review else alone)
    yield _line(
        dossier, N_("How far it acts by itself"), dossier.t(AUTONOMY[system.autonomy]) if system.autonomy else None
    )
    classes = None if system.data is None else ", ".join(dossier.t(DATA[one]) for one in system.data) or "–"
    yield _line(dossier, N_("Classes of data"), classes)
    yield _gap(dossier, dossier.t("design choices and training methods are not in the records"))
    yield from _tests(dossier, dossier.claims_on(system.id))


def _tests(dossier: Dossier, claims: list[ClaimState]) -> Iterator[str]:
    if not claims:
        yield _gap(dossier, dossier.t("no test is promised"))
        return
    yield ""
    heads = (N_("claim"), N_("promise"), N_("state"), N_("measured"), N_("judged on"))
    yield "| " + " | ".join(dossier.t(head) for head in heads) + " |"
    yield "|---" * len(heads) + "|"
    for claim in claims:
        if claim.promise is None:
            continue
        commitment, judgement = claim.promise.commitment, claim.judgement
        found = figures(commitment, judgement.verdict) if judgement else ""
        day = judgement.at[:10] if judgement else ""
        cells = [_read(dossier, commitment.title), promise_words(commitment), dossier.status_word(claim), found, day]
        yield "| " + " | ".join(_plain(cell) or "–" for cell in cells) + " |"
    yield ""


def _control(dossier: Dossier, system: System) -> Iterator[str]:
    risks = [_read(dossier, one) for one in system.risks]
    yield _line(dossier, N_("Foreseeable harm"), "; ".join(risks))
    grouped = [claim for claim in dossier.claims_on(system.id) if claim.judgement and claim.judgement.verdict.groups]
    for claim in grouped:
        verdict = claim.judgement.verdict if claim.judgement else None
        for name, counts in (verdict.groups or {}).items() if verdict else ():
            title = _read(dossier, claim.promise.commitment.title) if claim.promise else claim.key
            share = f"{counts.passed}/{counts.passed + counts.failed}"
            yield f"- {_plain(f'{title}: {name} {share}')}"
    if not grouped:
        yield _gap(dossier, dossier.t("degrees of accuracy for groups of people"))
    yield _line(dossier, N_("Expected benefit"), _read(dossier, system.benefit.expected) if system.benefit else None)


def _metrics(dossier: Dossier, system: System) -> Iterator[str]:
    checks = {claim.promise.commitment.check: claim for claim in dossier.claims_on(system.id) if claim.promise}
    for name in checks:
        check = dossier.workspace.checks.get(name)
        why = _read(dossier, check.why) if check else ""
        title = _read(dossier, check.title) if check else name
        yield (
            f"- {_plain(f'{title} ({name}): {why}')}"
            if why
            else _gap(dossier, dossier.t("why {check} measures the right thing", check=name))
        )
    if not checks:
        yield _gap(dossier, dossier.t("no metric is in use"))


def _risk_system(dossier: Dossier, system: System) -> Iterator[str]:
    findings = [one for one in dossier.state.findings.values() if one.system == system.id]
    for one in findings:
        state = dossier.t("closed") if one.closed_by else dossier.t("open")
        actions = ", ".join(_read(dossier, dossier.state.applied[name][1].title) for name in one.actions)
        yield f"- {_plain(f'{one.id}: {one.claim}, {one.owner}, {one.opened_at[:10]}, {state}; {actions}')}"
    if not findings:
        yield "- " + dossier.t("No finding has been opened.")
    for claim in dossier.claims_on(system.id):
        accept = claim.action.accept if claim.action and claim.status == "accepted" else None
        if accept is not None:
            until = f"{claim.ruling.claim}: {accept.role} ≤ {accept.until}, {_read(dossier, accept.reason)}"
            yield f"- {_plain(until)}"


def _changes(dossier: Dossier, system: System) -> Iterator[str]:
    versions = dossier.state.versions.get(system.id, [])
    for version in versions:
        action = _read(dossier, dossier.state.applied[version.action][1].title) if version.action else ""
        day = dossier.state.version_at[system.id, version.number][:10]
        yield f"- {_plain(' '.join(filter(None, (str(version.number), day, version.fingerprint, action))))}"
    if not versions:
        yield _gap(dossier, dossier.t("no version is on record"))


def _standards(dossier: Dossier, system: System) -> Iterator[str]:
    yield _gap(dossier, dossier.t("no harmonised standard is on record as applied"))
    for book in dossier.frameworks:
        counts = dossier.standing.counts(book.id, system.id)
        told = ", ".join(f"{dossier.t(REQUIREMENT_WORDS[one])} {n}/{sum(counts.values())}" for one, n in counts.items())
        yield f"- {_plain(f'{_read(dossier, book.title)}: {told}')}"


def _declaration(dossier: Dossier, system: System) -> Iterator[str]:
    if not dossier.answers(f"{ANNEX}/annex-iv-8", system.id):
        yield _gap(dossier, dossier.t("no copy of the EU declaration of conformity is on record"))


def _after_market(dossier: Dossier, system: System) -> Iterator[str]:
    repeated = [
        f"{_read(dossier, claim.promise.commitment.title)}: {claim.promise.commitment.repeat_days}"
        for claim in dossier.claims_on(system.id)
        if claim.promise and claim.promise.commitment.repeat_days
    ]
    yield _line(dossier, N_("Measured again after days"), "; ".join(repeated))
    yield _gap(dossier, dossier.t("a post-market monitoring plan under Article 72(3) is not in the records"))


_POINTS: tuple[Part, ...] = (
    _general,
    _development,
    _control,
    _metrics,
    _risk_system,
    _changes,
    _standards,
    _declaration,
    _after_market,
)


# ---- Hiroshima process


def hiroshima(dossier: Dossier) -> bytes:
    """Write a report by the sections of the frameworks chosen, each with what the records say or the gap."""
    lines = [
        "# " + dossier.t("Report under the Hiroshima AI Process"),
        "",
        _plain(_read(dossier, dossier.workspace.settings.name)),
        dossier.t(
            "Ledger entry {seq}, hash {hash}, {day}.", seq=dossier.head.seq, hash=dossier.head.hash, day=dossier.today
        ),
    ]
    for book in dossier.frameworks:
        certainty = dossier.t(CERTAINTIES[book.certainty])
        lines += ["", f"## {_plain(_read(dossier, book.title))} ({certainty})"]
        if book.note is not None:
            lines += ["", f"> {_plain(_read(dossier, book.note))}"]
        for entry in dossier.standing.requirements(book.id):
            lines += ["", f"### {entry.id} {_plain(_read(dossier, entry.title))}"]
            lines += _section(dossier, book, entry.id)
    return ("\n".join(lines) + "\n").encode()


def _section(dossier: Dossier, book: Framework, entry: str) -> Iterator[str]:
    ref = f"{book.id}/{entry}"
    claims = {claim.ruling.claim: claim for claim in dossier.claims}
    for system in dossier.systems:
        status = dossier.standing.status(ref, system.id)
        yield ""
        yield f"**{_plain(_read(dossier, system.title))}** — {dossier.t(REQUIREMENT_WORDS[status])}"
        yield ""
        if status == "not_applicable":
            continue
        found = dossier.standing.contributions(ref, system.id)
        for one in found:
            claim = claims.get(one.evidence)
            title = one.evidence
            numbers = ""
            if claim is not None and claim.promise is not None:
                title = _read(dossier, claim.promise.commitment.title)
                own = next((c for c in dossier.claims_on(system.id) if c.ruling.claim == one.evidence), claim)
                numbers = figures(claim.promise.commitment, own.judgement.verdict) if own.judgement else ""
            word = dossier.t(REQUIREMENT_WORDS[one.status])
            way = dossier.t(RELATIONSHIPS[one.way.relationship])
            yield f"- {_plain(' — '.join(filter(None, (title, word, numbers, way))))}"
        stated = list(_stated(dossier, ref, system.id))
        yield from stated
        if not found and not stated:
            yield _gap(dossier, dossier.t("no record says anything about it"))
