"""The models of the configuration, loading with line numbers, references to secrets, the local profile."""

from typing import Any

from mcp_migrate.settings.globs import any_matches, matches
from mcp_migrate.settings.loading import find, load
from mcp_migrate.settings.local import local_profile
from mcp_migrate.settings.model import Settings
from mcp_migrate.settings.people import Step
from mcp_migrate.settings.policy import ApprovalRule, RuleWhen
from mcp_migrate.settings.problems import render
from mcp_migrate.settings.rights import changed, rights
from mcp_migrate.settings.target import Check, Target
from mcp_migrate.settings.workflow import Scope, Workflow

__all__ = [
    "ApprovalRule",
    "Check",
    "RuleWhen",
    "Scope",
    "Settings",
    "Step",
    "Target",
    "Workflow",
    "any_matches",
    "changed",
    "find",
    "json_schema",
    "load",
    "local_profile",
    "matches",
    "render",
    "rights",
]


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the configuration file."""
    schema = Settings.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "mcp-migrate configuration", **schema}
