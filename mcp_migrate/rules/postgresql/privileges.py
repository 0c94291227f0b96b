"""Which statements change who may do what: grants, roles, owners, labels? What is given, on what, and to whom."""

from __future__ import annotations

from collections.abc import Iterable

from mcp_migrate.rules.context import Context
from mcp_migrate.rules.interface import Finding, found, rule, sentences
from mcp_migrate.rules.postgresql.names import doubts, full, member, qualified, split, words
from mcp_migrate.rules.postgresql.parser import Tree

_GRANT = "https://www.postgresql.org/docs/current/sql-grant.html"
_ROLE = "https://www.postgresql.org/docs/current/sql-createrole.html"

OWNER = rule(
    "change-owner",
    "Another owner",
    "privilege",
    "Gives {object} to another owner.",
    rationale="An owner may do everything to it, and nobody else may alter it.",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
    flags=("ALTER TABLE users OWNER TO bob", "ALTER FUNCTION evil() OWNER TO bob"),
    passes=("ALTER TABLE users RENAME TO people",),
)
ROW_SECURITY = rule(
    "row-security",
    "Row security switched",
    "privilege breaking",
    "Switches row security of {object}: who sees which rows changes.",
    "ACCESS EXCLUSIVE",
    rationale="Switched off, everybody with a right to the table sees every row; switched on without a policy, nobody.",
    source="https://www.postgresql.org/docs/current/ddl-rowsecurity.html",
    flags=("ALTER TABLE users DISABLE ROW LEVEL SECURITY", "ALTER TABLE users FORCE ROW LEVEL SECURITY"),
    passes=("CREATE POLICY own ON users USING (id = 1)",),
)
SYSTEM_CATALOG = rule(
    "write-system-catalog",
    "A system table written",
    "privilege unknown",
    "Writes {object}, which PostgreSQL itself rests on.",
    rationale="A row changed there changes what tables, rights and code are, past every check.",
    source="https://www.postgresql.org/docs/current/catalogs.html",
    flags=("DELETE FROM pg_catalog.pg_class", "UPDATE pg_attribute SET attnotnull = false"),
    passes=("SELECT relname FROM pg_class",),
)
GRANT = rule(
    "privileges",
    "Privileges or roles",
    "privilege",
    "{what} changes who may do what.",
    rationale="Rights decide who can read, change or drop; they outlive the migration.",
    source=_GRANT,
    flags=("GRANT SELECT ON users TO bob", "REVOKE ALL ON users FROM bob", "CREATE ROLE bob SUPERUSER"),
    passes=("COMMENT ON TABLE users IS 'GRANT ALL'",),
)
DROP_OWNED = rule(
    "drop-owned",
    "Everything of a role dropped",
    "destructive privilege breaking",
    "Drops all that {who} owns.",
    "ACCESS EXCLUSIVE",
    of="",
    rationale="Tables with their rows go without being named.",
    source="https://www.postgresql.org/docs/current/sql-drop-owned.html",
    flags=("DROP OWNED BY bob",),
    passes=("REASSIGN OWNED BY bob TO ada",),
)
LABEL = rule(
    "security-label",
    "A security label",
    "privilege",
    "Changes a security label, by which a module of the server decides who may do what.",
    of="",
    rationale="Labels are read by mandatory access control such as SELinux.",
    source="https://www.postgresql.org/docs/current/sql-security-label.html",
    flags=("SECURITY LABEL FOR selinux ON TABLE users IS 'x'",),
    passes=("COMMENT ON TABLE users IS 'x'",),
)


def grant(node: Tree, context: Context) -> list[Finding]:
    """GRANT and REVOKE on objects."""
    objects = _targets(node, context)
    what = f"{_given(node)} on {', '.join(objects) or 'what it names'} {_who(node)}"
    return [found(GRANT, *objects, what=what), *sentences(r for name in _written(node) for r in doubts(name, context))]


def _written(node: Tree) -> list[tuple[str, str]]:
    return [(item.range_var.schemaname, item.range_var.relname) for item in node.objects if item.HasField("range_var")]


def _given(node: Tree) -> str:
    rights = []
    for item in node.privileges:
        columns = ", ".join(words(item.access_priv.cols))
        rights.append(f"{item.access_priv.priv_name.upper() or 'ALL'}{f' ({columns})' if columns else ''}")
    verb = "GRANT" if node.is_grant else "REVOKE"
    return f"{verb} {', '.join(rights) or 'ALL'}"


def _who(node: Tree) -> str:
    further = ", with the right to pass it on," if node.grant_option and node.is_grant else ""
    return f"{'to' if node.is_grant else 'from'} {_names(node.grantees)}{further}"


def _names(roles: Iterable[Tree]) -> str:
    return ", ".join(_role(item.role_spec) for item in roles)


def _role(role: Tree) -> str:
    return str(role.rolename) or member("RoleSpecType", role.roletype).removeprefix("ROLESPEC_")


def _targets(node: Tree, context: Context) -> list[str]:
    """The objects, with their schema; a whole schema is each table known in it and whatever else is there."""
    if member("GrantTargetType", node.targtype) == "ACL_TARGET_ALL_IN_SCHEMA":
        schemas = [item.string.sval for item in node.objects]
        tables = context.schema.tables if context.schema else ()
        return [*(t.qualified for t in tables if t.schema in schemas), *(f"{schema}.?" for schema in schemas)]
    return [name for item in node.objects for name in _target(item)]


def _target(item: Tree) -> list[str]:
    kind = item.WhichOneof("node")
    if kind == "range_var":
        return [full(item.range_var)]
    if kind == "object_with_args":
        return [qualified(split(words(item.object_with_args.objname)))]
    if kind == "list":
        return [qualified(split(words(item.list.items)))]
    return [item.string.sval] if kind == "string" else []


def grant_role(node: Tree, _context: Context) -> list[Finding]:
    roles = ", ".join(item.access_priv.priv_name for item in node.granted_roles)
    verb, way = ("GRANT", "to") if node.is_grant else ("REVOKE", "from")
    return [found(GRANT, what=f"{verb} of the role {roles} {way} {_names(node.grantee_roles)}")]


def default_privileges(node: Tree, _context: Context) -> list[Finding]:
    """Rights on what is made from now on, perhaps only in some schemas."""
    options = {option.def_elem.defname: option.def_elem.arg for option in node.options}
    schemas = [item.string.sval for item in options["schemas"].list.items] if "schemas" in options else []
    kind = member("ObjectType", node.action.objtype).removeprefix("OBJECT_").lower()
    what = f"{_given(node.action)} on each {kind} made from now on {_who(node.action)}"
    return [found(GRANT, *(f"{schema}.?" for schema in schemas), what=what)]


def role(node: Tree, _context: Context) -> list[Finding]:
    """CREATE and ALTER ROLE or USER; a password is never told."""
    name = node.role if isinstance(node.role, str) else _role(node.role)
    options = ", ".join(_option(option.def_elem) for option in node.options)
    return [found(GRANT, what=f"Making or changing the role {name}{f' with {options}' if options else ''}")]


def _option(option: Tree) -> str:
    off = option.arg.HasField("boolean") and not option.arg.boolean.boolval
    return f"{'no ' * off}{option.defname}"


def role_setting(node: Tree, _context: Context) -> list[Finding]:
    name = _role(node.role) if node.HasField("role") else "every role"
    return [found(GRANT, what=f"Setting {node.setstmt.name or 'everything'} for each session of {name}")]


def drop_role(node: Tree, _context: Context) -> list[Finding]:
    return [found(GRANT, what=f"Dropping the role {_names(node.roles)}")]


def reassign(node: Tree, _context: Context) -> list[Finding]:
    return [found(GRANT, what=f"Giving all that {_names(node.roles)} owns to {_role(node.newrole)}")]


def drop_owned(node: Tree, _context: Context) -> list[Finding]:
    return [found(DROP_OWNED, who=_names(node.roles))]


def owner(node: Tree, context: Context) -> list[Finding]:
    """ALTER … OWNER TO."""
    objects = [full(node.relation)] if node.relation.relname else _target(node.object)
    relation = [(node.relation.schemaname, node.relation.relname)] if node.relation.relname else []
    return [found(OWNER, *objects), *sentences(reason for name in relation for reason in doubts(name, context))]


def label(_node: Tree, _context: Context) -> list[Finding]:
    return [found(LABEL)]


KINDS = {
    "alter_default_privileges_stmt": default_privileges,
    "alter_owner_stmt": owner,
    "alter_role_set_stmt": role_setting,
    "alter_role_stmt": role,
    "create_role_stmt": role,
    "drop_owned_stmt": drop_owned,
    "drop_role_stmt": drop_role,
    "grant_role_stmt": grant_role,
    "grant_stmt": grant,
    "reassign_owned_stmt": reassign,
    "sec_label_stmt": label,
}
