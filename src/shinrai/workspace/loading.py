"""Reading a whole workspace: every file, every mistake, at once."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from shinrai.catalog import checks as catalog_checks
from shinrai.catalog import higher_plans
from shinrai.errors import Problem, SourceError
from shinrai.i18n import _
from shinrai.records import (
    Action,
    Check,
    Corrections,
    Crosswalk,
    DepthTable,
    Framework,
    Id,
    Part,
    Plan,
    RiskScheme,
    Settings,
    System,
)
from shinrai.source import attempt, examine_yaml, read_oscal_catalog
from shinrai.workspace.boms import joined, read_boms
from shinrai.workspace.cyclonedx import Bom
from shinrai.workspace.layout import SETTINGS_FILE
from shinrai.workspace.parts import N, Parts, Shelf, Sourced
from shinrai.workspace.references import cross_check
from shinrai.workspace.rulebooks import DEPTH_FILE, RuleBooks, check_rule_books


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace in which everything fits together.

    Parameters
    ----------
    root : Path
        Its folder.
    settings : Settings
        ``shinrai.yaml``.
    plans, systems, actions, corrections : dict
        Id → record, in the order of the file names.
    checks : dict
        The catalog's checks and the workspace's own.
    own_checks : dict
        The workspace's own alone.
    higher_plans : dict
        The catalog's plans that a measure may implement.
    components : dict
        Id → component that systems share: those of all bills and of ``components/*.yaml`` together.
    own_components : dict
        Those of ``components/*.yaml`` alone.
    boms : dict
        Name → bill of materials.
    rules : RuleBooks
        The catalog's frameworks, crosswalks and risk schemes, and the workspace's own.
    """

    root: Path
    settings: Settings
    plans: dict[Id, Plan]
    systems: dict[Id, System]
    checks: dict[Id, Check]
    own_checks: dict[Id, Check]
    actions: dict[Id, Action]
    corrections: dict[Id, Corrections]
    higher_plans: dict[Id, Plan]
    components: dict[Id, Part]
    rules: RuleBooks
    own_components: dict[Id, Part]
    boms: dict[str, Bom]

    @property
    def all_plans(self) -> dict[Id, Plan]:
        """Every plan there is: those of the catalog and the workspace's own."""
        return {**self.higher_plans, **self.plans}

    @property
    def watched(self) -> list[Plan]:
        """The plans whose indicators are watched: the own ones that have any, and the followed ones, newest first."""
        own = [plan for plan in self.plans.values() if plan.uses]
        followed = [plan for plan in self.higher_plans.values() if plan.series in self.settings.follows]
        return own + sorted(followed, key=_decided_on, reverse=True)


def _decided_on(plan: Plan) -> date:
    return plan.edition.decided_on if plan.edition else date.min


def load(root: Path) -> Workspace:
    """Read a workspace and check that everything it names is there.

    Parameters
    ----------
    root : Path
        Folder that holds ``shinrai.yaml``.

    Returns
    -------
    Workspace

    Raises
    ------
    SourceError
        With every problem of every file.
    """
    with _undisturbed():
        reading = _Reading(root.resolve())
        parts = reading.parts()
    problems = [*reading.problems, *cross_check(parts), *check_rule_books(parts)]
    if problems or parts.settings is None:
        raise SourceError(problems)
    return Workspace(
        root=parts.root,
        settings=parts.settings.record,
        plans=parts.plans.plain(),
        systems=parts.systems.plain(),
        checks=parts.checks,
        own_checks=parts.own_checks.plain(),
        actions=parts.actions.plain(),
        corrections=parts.corrections.plain(),
        higher_plans=parts.higher_plans,
        components=joined(parts.boms, parts.components.plain()),
        own_components=parts.components.plain(),
        boms={bom.name: bom for bom in parts.boms},
        rules=RuleBooks.of(parts),
    )


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Keep the collector of cycles from going through all that was read again and again: there are none to collect."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class _Reading:
    """Reads the files one by one and collects what is wrong with them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.problems: list[Problem] = []

    def parts(self) -> Parts:
        own_checks = self.folder("checks", Check)
        return Parts(
            root=self.root,
            settings=self.settings(),
            plans=self.folder("plans", Plan),
            systems=self.folder("systems", System),
            components=self.folder("components", Part),
            boms=self.boms(),
            own_checks=own_checks,
            actions=self.folder("actions", Action),
            corrections=self.folder("observations", Corrections),
            checks={**own_checks.plain(), **catalog_checks()},
            higher_plans=higher_plans(),
            frameworks=self.frameworks(),
            crosswalks=self.folder("crosswalks", Crosswalk),
            risk=self.folder("risk", RiskScheme),
            depths=self.depths(),
        )

    def boms(self) -> list[Bom]:
        boms, problems = read_boms(self.root)
        self.problems += problems
        return boms

    def settings(self) -> Sourced[Settings] | None:
        path = self.root / SETTINGS_FILE
        settings, problems = attempt(examine_yaml(path, shown_as=SETTINGS_FILE), Settings)
        self.problems += problems
        return None if settings is None else Sourced(settings, path, SETTINGS_FILE)

    def depths(self) -> Sourced[DepthTable] | None:
        path = self.root / DEPTH_FILE
        if not path.is_file():
            return None
        table, problems = attempt(examine_yaml(path, shown_as=DEPTH_FILE), DepthTable)
        self.problems += problems
        return None if table is None else Sourced(table, path, DEPTH_FILE)

    def frameworks(self) -> Shelf[Framework]:
        """Read ``frameworks/*.yaml``, and OSCAL catalogs that lie beside them as they came."""
        shelf = self.folder("frameworks", Framework)
        for path in sorted((self.root / "frameworks").glob("*.json")):
            shown_as = f"frameworks/{path.name}"
            framework, problem = read_oscal_catalog(path, shown_as=shown_as)
            if problem is not None:
                self.problems.append(problem)
            elif framework is not None and framework.id in shelf.records:
                message = _('the id "{id}" is already taken').format(id=framework.id)
                self.problems.append(Problem("workspace.duplicate-id", shown_as, 1, 1, message))
            elif framework is not None:
                shelf.records[framework.id] = Sourced(framework, path, shown_as)
        return shelf

    def folder(self, name: str, record: type[N]) -> Shelf[N]:
        shelf = Shelf[N]()
        folder = self.root / name
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.suffix == ".yaml" and not path.name.startswith("."):
                self.file(path, f"{name}/{path.name}", record, shelf)
            elif path.suffix.lower() in {".yml", ".yaml"} and not path.name.startswith("."):
                message = _("the file would be overlooked")
                expected = _("a name that ends in .yaml")
                self.problems.append(Problem("workspace.file-name", f"{name}/{path.name}", 1, 1, message, expected))
        return shelf

    def file(self, path: Path, shown_as: str, record: type[N], shelf: Shelf[N]) -> None:
        document = examine_yaml(path, shown_as=shown_as)
        built, problems = attempt(document, record)
        self.problems += problems
        if built is None:
            name = document.data.get("id") if isinstance(document.data, dict) else None
            shelf.broken.add(name if isinstance(name, str) else path.stem)
        elif built.id in shelf.records:
            message = _('the id "{id}" is already taken').format(id=built.id)
            hint = _("by {file}").format(file=shelf.records[built.id].shown_as)
            self.problems.append(
                document.problem("workspace.duplicate-id", ("id",), message, _("an id of its own"), hint)
            )
        else:
            shelf.records[built.id] = Sourced(built, path, shown_as)
