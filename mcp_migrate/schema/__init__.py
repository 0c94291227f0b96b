"""The schema as values: model, fingerprint, diff, text."""

from mcp_migrate.schema.diff import Change, diff
from mcp_migrate.schema.fingerprint import fingerprint, fingerprints, shape, short_fingerprints, without_access
from mcp_migrate.schema.model import Column, Constraint, Index, Other, Schema, Table
from mcp_migrate.schema.pages import MAP_FROM, PAGE_CHARACTERS, Detail, Page, pages

__all__ = [
    "MAP_FROM",
    "PAGE_CHARACTERS",
    "Change",
    "Column",
    "Constraint",
    "Detail",
    "Index",
    "Other",
    "Page",
    "Schema",
    "Table",
    "diff",
    "fingerprint",
    "fingerprints",
    "pages",
    "shape",
    "short_fingerprints",
    "without_access",
]
