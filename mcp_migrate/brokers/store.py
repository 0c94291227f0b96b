"""Is the store of sealed plans as it was shipped, and may the runner do no more than call it?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcp_migrate.drivers.postgresql import driver, message
from mcp_migrate.errors import CredentialFailedError
from mcp_migrate.settings.credentials import STORE

if TYPE_CHECKING:
    import psycopg

    from mcp_migrate.settings.credentials import Credentials

_MADE = re.compile(r"CREATE FUNCTION \{store\}\.(\w+)\((.*?)AS \$\$(.*?)\$\$;?", re.DOTALL)
_SET = re.compile(r"\bSET ([\w.]+) (?:= (.+?)|FROM CURRENT)(?=\s+(?:SET\b|$))")
_GRANTED = re.compile(r"^GRANT EXECUTE ON FUNCTION (.*?) TO (.*?);", re.DOTALL | re.MULTILINE)
_FUNCTIONS = """
SELECT p.proname::text, p.prosrc, o.rolname::text, p.prosecdef,
    coalesce(p.proconfig, '{}'),
    ARRAY(SELECT CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE pg_catalog.pg_get_userbyid(a.grantee)::text END
          FROM pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) a
          WHERE a.grantee <> p.proowner ORDER BY 1)
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_roles o ON o.oid = p.proowner
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = $1 ORDER BY 1
"""
_TABLES = """
SELECT c.relname::text, a.privilege_type::text,
    CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE pg_catalog.pg_get_userbyid(a.grantee)::text END
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL pg_catalog.aclexplode(coalesce(c.relacl, pg_catalog.acldefault('r', c.relowner))) a
WHERE n.nspname = $1 AND c.relkind IN ('r', 'v', 'm', 'p') AND a.grantee <> c.relowner
    AND a.privilege_type <> 'SELECT'
"""
_COLUMNS = """
SELECT c.relname || '.' || t.attname, a.privilege_type::text,
    CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE pg_catalog.pg_get_userbyid(a.grantee)::text END
FROM pg_catalog.pg_attribute t JOIN pg_catalog.pg_class c ON c.oid = t.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace CROSS JOIN LATERAL pg_catalog.aclexplode(t.attacl) a
WHERE n.nspname = $1 AND a.privilege_type <> 'SELECT'
"""
_OWNED = """
SELECT n.nspname || '.' || c.relname, o.rolname::text,
    EXISTS (SELECT FROM pg_catalog.pg_rewrite r WHERE r.ev_class = c.oid) OR EXISTS (
        SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgname <> 'whole')
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_roles o ON o.oid = c.relowner
WHERE n.nspname IN ('mcp_migrate', $1) AND c.relkind IN ('r', 'v', 'm', 'p') ORDER BY 1
"""
_SCHEMA = """
SELECT a.privilege_type::text, CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE g.rolname::text END
FROM pg_catalog.pg_namespace n CROSS JOIN LATERAL
    pg_catalog.aclexplode(coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner))) a
LEFT JOIN pg_catalog.pg_roles g ON g.oid = a.grantee
WHERE n.nspname = $1 AND NOT coalesce(g.rolsuper, false) AND (a.privilege_type <> 'USAGE' OR a.grantee = 0
    OR pg_catalog.pg_has_role($2, a.grantee, 'USAGE')) ORDER BY 1, 2
"""
_STANDING = """
SELECT r.rolname::text, r.rolcanlogin, ARRAY(SELECT m.rolname::text FROM pg_catalog.pg_roles m
    WHERE m.rolname = ANY($2) AND m.oid <> r.oid AND pg_catalog.pg_has_role(r.oid, m.oid, 'MEMBER') ORDER BY 1)
FROM pg_catalog.pg_roles r WHERE r.rolname = ANY($1) ORDER BY 1
"""
_FOREIGN = """
SELECT n.nspname || '.' || c.relname FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND n.nspname NOT IN ('information_schema', 'mcp_migrate', $1)
    AND n.nspname !~ '^pg_' AND NOT pg_catalog.pg_has_role($2, c.relowner, 'USAGE')
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e'
                    AND d.classid = 'pg_catalog.pg_class'::regclass) ORDER BY 1 LIMIT 3
"""
_TRIGGER = """
SELECT t.tgenabled::text, pg_catalog.pg_get_triggerdef(t.oid) FROM pg_catalog.pg_trigger t
WHERE t.tgrelid = pg_catalog.to_regclass($1) AND t.tgname = 'whole' AND NOT t.tgisinternal
"""
_WHOLE = (
    f"CREATE CONSTRAINT TRIGGER whole AFTER UPDATE ON {STORE}.seals DEFERRABLE INITIALLY DEFERRED FOR EACH ROW "
    f"EXECUTE FUNCTION {STORE}.whole()"
)
_RUNNER = """
SELECT r.rolsuper, r.rolcreaterole, r.rolcreatedb, r.rolbypassrls,
    ARRAY(SELECT m.rolname::text FROM pg_catalog.pg_roles m WHERE m.oid <> r.oid
          AND pg_catalog.pg_has_role(r.oid, m.oid, 'MEMBER') ORDER BY 1),
    ARRAY(SELECT c.oid::regclass::text FROM pg_catalog.pg_class c
          JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
          WHERE c.relkind IN ('r', 'p', 'v', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
          AND pg_catalog.has_table_privilege(r.oid, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE') ORDER BY 1 LIMIT 5),
    ARRAY(SELECT n.nspname::text FROM pg_catalog.pg_namespace n
          WHERE pg_catalog.has_schema_privilege(r.oid, n.oid, 'CREATE') AND n.nspname NOT LIKE 'pg\\_%' ORDER BY 1)
FROM pg_catalog.pg_roles r WHERE r.rolname = current_user
"""
_AS_INSTALLED = "default_text_search_config"
"""Of the database, as it was when the store was made."""
_OWNERS = frozenset({"as_owner", "prune_as_owner"})


def alterations(runner: psycopg.Connection[Any], given: Credentials) -> tuple[str, ...]:
    """In words. Raises: CredentialFailedError: it cannot be looked at."""
    try:
        found = {str(row[0]): row[1:] for row in runner.execute(_FUNCTIONS.encode(), [STORE]).fetchall()}
        functions, roles = _functions(runner, given, found), _roles(runner, given, found)
        return (*functions, *_tables(runner, given), *roles, *_runner(runner))
    except driver().Error as error:
        raise CredentialFailedError(
            f"The store of sealed plans cannot be looked at: {message(error)}.", hint="Check the target's url."
        ) from error


def _shipped(text: str) -> Mapping[str, tuple[str, Mapping[str, str]]]:
    """The body of each function, and what is set while it runs, as `text` makes it; roles' names stay open.

    A setting is empty where it is as the admin had it who installed the store.
    """
    return {
        name: (body.replace("{store}", STORE), {key: value.strip("'") for key, value in _SET.findall(head)})
        for name, head, body in _MADE.findall(text)
    }


def _callers(text: str) -> Mapping[str, frozenset[str]]:
    """Which roles may call each function; of most, nobody but the store itself."""
    found: dict[str, frozenset[str]] = {}
    for functions, roles in _GRANTED.findall(text):
        for name in re.findall(r"\{store\}\.(\w+)", functions):
            found[name] = found.get(name, frozenset()) | frozenset(re.findall(r"\{(\w+)\}", roles))
    return found


def _functions(
    runner: psycopg.Connection[Any], given: Credentials, found: Mapping[str, Sequence[Any]]
) -> Iterator[str]:
    text, store = Path(__file__).with_name("sealed.sql").read_text(encoding="utf-8"), STORE
    wanted, callers = _shipped(text), _callers(text)
    keeper = _keeper(found)
    known = {str(given.reader_role), str(given.owner_role), str(keeper), runner.info.user, "PUBLIC"}
    names: dict[str, set[str | None]] = {
        "reader": {given.reader_role},
        "runner": {runner.info.user},
        "keeper": {keeper},
    }
    names["sealer"] = {who for who in _sealers(found) if who not in known}
    yield from (f"{store}.{name} is missing" for name in sorted(set(wanted) - set(found)))
    yield from (f"{store}.{name} is none of ours" for name in sorted(set(found) - set(wanted)))
    for name in sorted(set(found) & set(wanted)):
        body, owner, definer, settings, granted = found[name]
        made, pinned = wanted[name]
        if body != made.replace("{reader}", str(given.reader_role)):
            yield f"the text of {store}.{name} was altered"
        if not definer or not _as_pinned(settings, pinned):
            yield f"{store}.{name} does not run as it was made to: SECURITY DEFINER and what is set"
        if owner != (given.owner_role if name in _OWNERS else keeper):
            yield f"{store}.{name} is owned by {owner}"
        if set(granted) != {who for part in callers.get(name, ()) for who in names[part]}:
            yield f"{store}.{name} may be called by {', '.join(granted) or 'nobody'}"


def _as_pinned(settings: Sequence[str], pinned: Mapping[str, str]) -> bool:
    """Whether these are the settings, each with its value where that is known."""
    found = {name.lower(): value for name, _, value in (each.partition("=") for each in settings)}
    same = all(found.get(name, "").strip('"') == value for name, value in pinned.items() if name != _AS_INSTALLED)
    return same and set(found) == set(pinned)


def _tables(runner: psycopg.Connection[Any], given: Credentials) -> Iterator[str]:
    for schema in (STORE, "mcp_migrate"):
        for table, privilege, who in runner.execute(_TABLES.encode(), [schema]).fetchall():
            yield f"{who} has {privilege} on {schema}.{table}"
        for column, privilege, who in runner.execute(_COLUMNS.encode(), [schema]).fetchall():
            yield f"{who} has {privilege} on {schema}.{column}"
    for (table,) in runner.execute(_FOREIGN.encode(), [STORE, given.owner_role]).fetchall():
        yield f"{given.owner_role} does not own {table}, so no sealed plan can alter it"
    if runner.execute(_TRIGGER.encode(), [f"{STORE}.seals"]).fetchall() != [("O", _WHOLE)]:
        yield f"the trigger that keeps half a plan from standing is off or gone from {STORE}.seals"


def _roles(runner: psycopg.Connection[Any], given: Credentials, found: Mapping[str, Sequence[Any]]) -> Iterator[str]:
    """Whether who reads is apart from who keeps the store, owns the target, or seals."""
    keeper, apart = _keeper(found), {given.reader_role, given.owner_role, runner.info.user}
    if keeper in apart:
        yield f"{keeper} keeps the store"
    for table, owner, acts in runner.execute(_OWNED.encode(), [STORE]).fetchall():
        if owner != keeper:
            yield f"{table} is owned by {owner}"
        if acts:
            yield f"{table} has a trigger or a rule that is none of ours"
    for privilege, who in runner.execute(_SCHEMA.encode(), [STORE, given.owner_role]).fetchall():
        yield f"{who} has {privilege} on {STORE}"
    others = [given.owner_role, keeper, *_sealers(found)]
    asked = [[given.reader_role, given.owner_role, keeper], [who for who in others if who != given.reader_role]]
    for role, logs_in, roles in runner.execute(_STANDING.encode(), asked).fetchall():
        if logs_in:
            yield f"{role} may log in"
        if roles:
            yield f"{role} is a member of {', '.join(roles)}"


def _keeper(found: Mapping[str, Sequence[Any]]) -> str | None:
    """Whose the store is."""
    return str(found["run"][1]) if "run" in found else None


def _sealers(found: Mapping[str, Sequence[Any]]) -> Sequence[str]:
    """Who may place plans in it."""
    return found["seal"][4] if "seal" in found else ()


def _runner(runner: psycopg.Connection[Any]) -> Iterator[str]:
    [(superuser, makes, databases, bypasses, roles, tables, schemas)] = runner.execute(_RUNNER.encode()).fetchall()
    powers = {"is a superuser": superuser, "may make roles": makes, "may make databases": databases}
    yield from (f"the runner {said}" for said, has in {**powers, "goes past row security": bypasses}.items() if has)
    if superuser:
        return
    if roles:
        yield f"the runner is a member of {', '.join(roles)}"
    if tables:
        yield f"the runner may write to {', '.join(tables)}"
    if schemas:
        yield f"the runner may make things in {', '.join(schemas)}"
