"""Does a statement name what belongs to the server itself?"""

from __future__ import annotations

from collections.abc import Iterable

from mcp_migrate.rules.interface import Finding, found, rule

OWN_NAME = rule(
    "own-name",
    "A name that is the server's own",
    "privilege unknown",
    "The name {object} is the server's own: what it keeps there, such as the way back, must not be touched by a plan.",
    rationale="Whoever writes there can forge what was done, or take away what a rollback needs.",
    source="https://www.postgresql.org/docs/current/ddl-schemas.html",
    flags=("CREATE TABLE mcp_migrate.undo (id integer)", "CREATE TABLE _mcp_migrate_mark (id integer)"),
    passes=("CREATE TABLE migrations (id integer)",),
)
_SCHEMA, _UNDO, _PREFIX = "mcp_migrate", "mcp_migrate_undo", "_mcp_migrate"


def own_names(findings: Iterable[Finding]) -> list[Finding]:
    """A finding for the names among the objects that are the server's own."""
    names = {name for finding in findings for name in finding.objects if _SCHEMA in name.lower()}
    own = sorted(name for name in names if any(map(_is_own, name.lower().split("."))))
    return [found(OWN_NAME, *own)] if own else []


def _is_own(part: str) -> bool:
    return part in {_SCHEMA, _UNDO} or part.startswith(_PREFIX)
