"""Reading what people write: YAML with positions, data sets, and every mistake with its place."""

from __future__ import annotations

from shinrai.source.build import attempt, build
from shinrai.source.composer import MAX_DEPTH, MAX_EXPANDED
from shinrai.source.document import MAX_PROBLEMS, Document, Place
from shinrai.source.explain import rule_broken
from shinrai.source.items import MAX_DATA_BYTES, SpooledItems, read_cell, read_items, spool_items
from shinrai.source.oscal import read_oscal_catalog
from shinrai.source.reading import MAX_BYTES, examine_yaml, parse_yaml, read_yaml
from shinrai.source.render import display_width, render
from shinrai.source.rows import Row, finite
from shinrai.source.schema import RECORDS, json_schemas
from shinrai.source.strict_json import MAX_JSON_BYTES, JsonDocument, read_bounded, read_json_document
from shinrai.source.words import did_you_mean, listing, shortened

__all__ = [
    "MAX_BYTES",
    "MAX_DATA_BYTES",
    "MAX_DEPTH",
    "MAX_EXPANDED",
    "MAX_JSON_BYTES",
    "MAX_PROBLEMS",
    "RECORDS",
    "Document",
    "JsonDocument",
    "Place",
    "Row",
    "SpooledItems",
    "attempt",
    "build",
    "did_you_mean",
    "display_width",
    "examine_yaml",
    "finite",
    "json_schemas",
    "listing",
    "parse_yaml",
    "read_bounded",
    "read_cell",
    "read_items",
    "read_json_document",
    "read_oscal_catalog",
    "read_yaml",
    "render",
    "rule_broken",
    "shortened",
    "spool_items",
]
