"""The workspace: what a user keeps in git, read as one whole."""

from __future__ import annotations

from shinrai.workspace.bom_facts import PLAIN, PROPERTY, STRUCTURED, facts_of
from shinrai.workspace.boms import BOMS, contradictions, joined, overlaid
from shinrai.workspace.cyclonedx import SUFFIX, Bom, at, bom_of, read_bom, slug
from shinrai.workspace.data import data_file
from shinrai.workspace.graph import Node, NodeType, StackGraph, closure, delivered, stack_graph
from shinrai.workspace.hosts import AllowedHosts
from shinrai.workspace.inspect_tasks import TaskTold, committed_file, describe_task, keep_samples
from shinrai.workspace.kept import kept_copy
from shinrai.workspace.layout import SETTINGS_FILE, find_root, load_settings
from shinrai.workspace.loading import Workspace, load
from shinrai.workspace.locking import lock, locked
from shinrai.workspace.new_plugins import new_scorer
from shinrai.workspace.scaffolding import scaffold, write_schemas
from shinrai.workspace.stack import asking_plugin, fingerprint, stack_files

__all__ = [
    "BOMS",
    "PLAIN",
    "PROPERTY",
    "SETTINGS_FILE",
    "STRUCTURED",
    "SUFFIX",
    "AllowedHosts",
    "Bom",
    "Node",
    "NodeType",
    "StackGraph",
    "TaskTold",
    "Workspace",
    "asking_plugin",
    "at",
    "bom_of",
    "closure",
    "committed_file",
    "contradictions",
    "data_file",
    "delivered",
    "describe_task",
    "facts_of",
    "find_root",
    "fingerprint",
    "joined",
    "keep_samples",
    "kept_copy",
    "load",
    "load_settings",
    "lock",
    "locked",
    "new_scorer",
    "overlaid",
    "read_bom",
    "scaffold",
    "slug",
    "stack_files",
    "stack_graph",
    "write_schemas",
]
