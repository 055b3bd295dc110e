"""The workspace: what a user keeps in git, read as one whole."""

from __future__ import annotations

from shinrai.workspace.data import data_file
from shinrai.workspace.graph import Node, NodeType, StackGraph, closure, delivered, stack_graph
from shinrai.workspace.hosts import AllowedHosts
from shinrai.workspace.kept import kept_copy
from shinrai.workspace.layout import SETTINGS_FILE, find_root, load_settings
from shinrai.workspace.loading import Workspace, load
from shinrai.workspace.locking import lock, locked
from shinrai.workspace.scaffolding import scaffold, write_schemas
from shinrai.workspace.stack import fingerprint, stack_files

__all__ = [
    "SETTINGS_FILE",
    "AllowedHosts",
    "Node",
    "NodeType",
    "StackGraph",
    "Workspace",
    "closure",
    "data_file",
    "delivered",
    "find_root",
    "fingerprint",
    "kept_copy",
    "load",
    "load_settings",
    "lock",
    "locked",
    "scaffold",
    "stack_files",
    "stack_graph",
    "write_schemas",
]
