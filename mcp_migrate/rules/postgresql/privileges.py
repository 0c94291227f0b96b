"""Which statements change who may do what, or reach out of the database? A table: they are never looked into."""

from __future__ import annotations

from mcp_migrate.rules.context import Context
from mcp_migrate.rules.interface import Finding, found, rule, unknown
from mcp_migrate.rules.postgresql.names import full, member
from mcp_migrate.rules.postgresql.parser import Tree

OWNER = rule("change-owner", "Another owner", "privilege", "Gives {object} to another owner.")
ROW_SECURITY = rule(
    "row-security",
    "Row security switched",
    "privilege breaking",
    "Switches row security of {object}: who sees which rows changes.",
    "ACCESS EXCLUSIVE",
)
SYSTEM_CATALOG = rule(
    "write-system-catalog",
    "A system table written",
    "privilege unknown",
    "Writes {object}, which PostgreSQL itself rests on.",
)
GRANT = rule("privileges", "Privileges or roles", "privilege", "{what} changes who may do what.")
OUTSIDE = rule("outside", "Out of the database", "privilege unknown", "{what} reaches beyond the tables here.")
SESSION = rule(
    "session-rights",
    "The session's rights",
    "privilege unknown",
    "Sets {what}: later statements run under other rules.",
)
DEFINER = rule(
    "security-definer",
    "Code that runs as its owner",
    "privilege unknown",
    "Makes code that runs with its owner's rights.",
)
COPY = rule("copy", "Rows copied", "unknown", "COPY is not looked into.")
COPY_OUT = rule(
    "copy-outside",
    "A program or file of the server",
    "privilege unknown",
    "COPY with {what} runs or touches things on the database's own machine.",
)
DROP_DATABASE = rule("drop-database", "A whole database dropped", "destructive privilege unknown", "Drops a database.")
DROP_OWNED = rule(
    "drop-owned", "Everything of a role dropped", "destructive privilege breaking", "Drops all that a role owns."
)

_GRANTS = frozenset(
    "grant_stmt grant_role_stmt alter_default_privileges_stmt create_role_stmt alter_role_stmt alter_role_set_stmt"
    " drop_role_stmt reassign_owned_stmt sec_label_stmt".split()
)
_OUTSIDE = frozenset(
    "create_extension_stmt alter_extension_stmt alter_extension_contents_stmt alter_system_stmt load_stmt"
    " create_fdw_stmt alter_fdw_stmt create_foreign_server_stmt alter_foreign_server_stmt create_foreign_table_stmt"
    " import_foreign_schema_stmt create_user_mapping_stmt alter_user_mapping_stmt drop_user_mapping_stmt"
    " create_policy_stmt alter_policy_stmt create_event_trig_stmt alter_event_trig_stmt create_plang_stmt"
    " create_am_stmt createdb_stmt alter_database_stmt alter_database_set_stmt create_table_space_stmt"
    " drop_table_space_stmt create_publication_stmt alter_publication_stmt create_subscription_stmt"
    " alter_subscription_stmt drop_subscription_stmt create_cast_stmt create_transform_stmt".split()
)
_SESSION = frozenset({"role", "session_authorization", "session_replication_role", "row_security", "search_path"})


def privilege(kind: str, node: Tree) -> list[Finding] | None:
    """The findings for a statement of this family, or None when it is of none."""
    what = kind.removesuffix("_stmt").replace("_", " ").upper()
    if kind in _GRANTS:
        return [found(GRANT, what=what)]
    if kind in _OUTSIDE:
        return [found(OUTSIDE, what=what)]
    if kind in {"dropdb_stmt", "drop_owned_stmt"}:
        return [found(DROP_DATABASE if kind == "dropdb_stmt" else DROP_OWNED)]
    special = {"copy_stmt": _copy, "variable_set_stmt": _set, "create_function_stmt": _function}.get(kind)
    return special(node) if special else None


def owner(node: Tree, _context: Context) -> list[Finding]:
    return [found(OWNER, *([full(node.relation)] if node.relation.relname else []))]


def _copy(node: Tree) -> list[Finding]:
    if node.is_program or node.filename:
        return [found(COPY_OUT, what="a program" if node.is_program else "a file")]
    return [found(COPY, *([full(node.relation)] if node.relation.relname else []))]


def _set(node: Tree) -> list[Finding]:
    kind = member("VariableSetKind", node.kind)
    if node.name.lower() in _SESSION or kind in {"VAR_RESET_ALL", "VAR_SET_MULTI"}:
        return [found(SESSION, what=node.name or "several settings")]
    return [unknown("a setting of the session may change what later statements mean")]


def _function(node: Tree) -> list[Finding]:
    options = {option.def_elem.defname: option.def_elem.arg for option in node.options}
    if "security" in options and options["security"].boolean.boolval:
        return [found(DEFINER)]
    return [unknown("code that the database will run is not looked into")]
