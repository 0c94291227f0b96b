"""The schema as values: model, fingerprint, diff, text."""

from mcp_migrate.schema.diff import Change, diff
from mcp_migrate.schema.fingerprint import fingerprint, fingerprints, without_access
from mcp_migrate.schema.model import Column, Constraint, Index, Other, Schema, Table
from mcp_migrate.schema.text import Page, pages

__all__ = [
    "Change",
    "Column",
    "Constraint",
    "Index",
    "Other",
    "Page",
    "Schema",
    "Table",
    "diff",
    "fingerprint",
    "fingerprints",
    "pages",
    "without_access",
]
