"""What does DROP do, and to what?"""

from __future__ import annotations

from collections.abc import Iterable

from mcp_migrate.rules.context import Context, Name
from mcp_migrate.rules.interface import Finding, Rule, found, rule, sentences, unknown
from mcp_migrate.rules.postgresql import drop_code
from mcp_migrate.rules.postgresql.cascade import readers, words_of
from mcp_migrate.rules.postgresql.names import doubts, is_system, member, qualified, split, words
from mcp_migrate.rules.postgresql.parser import Tree
from mcp_migrate.schema.model import Constraint, Index

DROP_NEW = rule(
    "drop-new-object",
    "Something this plan made, dropped again",
    "additive",
    "Drops {object}, which this plan made.",
    rationale="Nobody's rows can be in it yet but those the plan put there.",
    source="https://www.postgresql.org/docs/current/sql-droptable.html",
    flags=("CREATE TABLE t (a integer);\nDROP TABLE t",),
    passes=("DROP TABLE users", "CREATE TABLE t (a integer);\nDROP TABLE t CASCADE"),
)
DROP_INDEX = rule(
    "drop-index",
    "An index taken away",
    "breaking",
    "Drops the index {object}: if it was unique, duplicates are let in; queries may become slow{cascade}.",
    "ACCESS EXCLUSIVE",
    of="index",
    rationale="What the index kept unique or fast no longer is, and nobody can use the table until it is gone.",
    source="https://www.postgresql.org/docs/current/sql-dropindex.html",
    flags=("DROP INDEX by_email",),
    passes=("DROP INDEX CONCURRENTLY by_email",),
)
DROP_UNIQUE = rule(
    "drop-unique-index",
    "A unique index taken away",
    "breaking",
    "Drops the unique index {object}: duplicates are let in from now on, and queries may become slow{cascade}.",
    "ACCESS EXCLUSIVE",
    of="index",
    rationale="Once duplicates are in, the index cannot be built again before they are gone.",
    source="https://www.postgresql.org/docs/current/sql-dropindex.html",
    flags=("DROP INDEX codes_value",),
    passes=("DROP INDEX by_email",),
)
DROP_INDEX_CONCURRENTLY = rule(
    "drop-index-concurrently",
    "An index taken away while others go on",
    "breaking",
    "Drops the index {object} without stopping anyone: if it was unique, duplicates are let in; queries may become"
    " slow{cascade}. It cannot run in a transaction.",
    "SHARE UPDATE EXCLUSIVE",
    of="index",
    transactional=False,
    rationale="What the index kept unique or fast no longer is.",
    source="https://www.postgresql.org/docs/current/sql-dropindex.html",
    flags=("DROP INDEX CONCURRENTLY by_email",),
    passes=("DROP INDEX by_email",),
)
BACKS_CONSTRAINT = rule(
    "drop-constraint-index",
    "An index that a constraint stands on",
    "breaking",
    "The index {object} belongs to a constraint of {table}: this fails; drop the constraint instead.",
    of="index",
    rationale="PostgreSQL refuses to drop an index that a constraint needs.",
    source="https://www.postgresql.org/docs/current/sql-dropindex.html",
    flags=("DROP INDEX codes_pkey",),
    passes=("DROP INDEX codes_value",),
)


def _drop(kind: str, what: str, rationale: str, flag: str, *passes: str) -> Rule:
    return rule(
        f"drop-{kind}",
        f"A {kind} taken away",
        "destructive breaking",
        f"Drops {{object}}, {what}{{cascade}}; code that names it fails.",
        "ACCESS EXCLUSIVE",
        of=kind.replace("-", " "),
        rationale=rationale,
        source=f"https://www.postgresql.org/docs/current/sql-drop{kind.replace('-', '')}.html",
        flags=(flag,),
        passes=passes,
    )


_TABLE = _drop(
    "table",
    "with every row",
    "The rows are gone, with the table's indexes, triggers, policies and rights.",
    "DROP TABLE users",
    "CREATE TABLE t (a integer);\nDROP TABLE t",
)
_FOREIGN_TABLE = _drop(
    "foreign-table",
    "the way to another server's table",
    "The rows stay on the other server, but the options that led there are gone.",
    "DROP FOREIGN TABLE far",
    "DROP TABLE users",
)
_VIEW = _drop(
    "view",
    "a view",
    "Its text is gone, and code that reads it fails.",
    "DROP VIEW active_users",
    "DROP MATERIALIZED VIEW totals",
)
_MATERIALIZED_VIEW = _drop(
    "materialized-view",
    "with the rows it holds",
    "Its rows may have been computed from data that no longer exists.",
    "DROP MATERIALIZED VIEW totals",
    "DROP VIEW active_users",
)
_SEQUENCE = _drop(
    "sequence",
    "with the place it has counted to",
    "Numbers that were given may be given again by whatever takes its place.",
    "DROP SEQUENCE counter",
    "ALTER SEQUENCE counter CACHE 20",
)
_TYPE = _drop(
    "type",
    "a type",
    "Values of the type cannot be read any more; by CASCADE its columns go, with their values.",
    "DROP TYPE mood",
    "DROP DOMAIN positive",
)
_DOMAIN = _drop(
    "domain",
    "a domain",
    "What it kept out is let in; by CASCADE its columns go, with their values.",
    "DROP DOMAIN positive",
    "DROP TYPE mood",
)
_SCHEMA = _drop(
    "schema",
    "a schema",
    "By CASCADE every table in it goes at once, with its rows.",
    "DROP SCHEMA app CASCADE",
    "DROP TABLE app.secrets",
)


_OBJECTS = {
    "OBJECT_TABLE": ("table", _TABLE),
    "OBJECT_FOREIGN_TABLE": ("foreign table", _FOREIGN_TABLE),
    "OBJECT_VIEW": ("view", _VIEW),
    "OBJECT_MATVIEW": ("materialized view", _MATERIALIZED_VIEW),
    "OBJECT_SEQUENCE": ("sequence", _SEQUENCE),
    "OBJECT_TYPE": ("enum", _TYPE),
    "OBJECT_DOMAIN": ("domain", _DOMAIN),
    "OBJECT_INDEX": ("index", DROP_INDEX),
}


def drop(node: Tree, context: Context) -> list[Finding]:
    kind = member("ObjectType", node.remove_type)
    cascade = ", and by CASCADE all that depends on it" if _cascades(node) else ""
    if kind in _OBJECTS:
        made, which = _OBJECTS[kind]
        which = DROP_INDEX_CONCURRENTLY if node.concurrent else which
        return [f for item in node.objects for f in _one(made, which, _name(item), cascade, context)]
    if kind in drop_code.KINDS:
        return drop_code.drop_code(kind, node, context, cascades=bool(cascade))
    context.made.clear()
    if kind == "OBJECT_SCHEMA":
        return [f for item in node.objects for f in _schema(item.string.sval, cascade, context)]
    word = kind.removeprefix("OBJECT_").replace("_", " ").lower()
    return [unknown(f"dropping a {word} is not on the list")]


def _cascades(node: Tree) -> bool:
    return member("DropBehavior", node.behavior) == "DROP_CASCADE"


def _name(item: Tree) -> list[str]:
    return words(item.type_name.names if item.HasField("type_name") else item.list.items)


def _one(made: str, which: Rule, parts: list[str], cascade: str, context: Context) -> Iterable[Finding]:
    name: Name = split(parts)
    ours = context.made.has(made, name) and not cascade
    context.made.forget(made, name[1])
    if cascade and made in {"enum", "domain"}:
        context.made.clear()  # columns of that type go too, in any table
    yield found(DROP_NEW, qualified(name)) if ours else _taken(which, name, cascade, context)
    table, backing = context.indexes.get(qualified(name), (None, None)) if made == "index" else (None, None)
    if table is not None and isinstance(backing, Constraint) and not ours and not context.made.changed(table.name):
        yield found(BACKS_CONSTRAINT, qualified(name), table=table.qualified)
    context.made.change(name[1], moved=made != "index")
    yield from sentences(doubts(name, context) if not ours else [])
    if is_system(name) or len(parts) > 2:  # noqa: PLR2004  a catalog before the schema
        yield unknown("it names something of the system or of another database", qualified(name))


def _taken(which: Rule, name: Name, cascade: str, context: Context) -> Finding:
    """Something in use goes, and by CASCADE all that the schema shows to depend on it."""
    where = qualified(name)
    if which is DROP_INDEX:
        table, known = context.indexes.get(where, (None, None))
        changed = table is None or context.made.changed(table.name) or context.made.changed(name[1])
        which = DROP_UNIQUE if isinstance(known, Index) and known.unique and not changed else which
        safer = None if cascade else f"DROP INDEX CONCURRENTLY {_quoted(name)};"
        return found(which, where, safer=safer, cascade=cascade)
    if not cascade:
        return found(which, where, cascade="")
    reached = tuple(dict.fromkeys((*context.referrers(where), *readers(where, context))))
    return found(which, where, *reached, object=where, cascade=words_of(tuple(n for n in reached if n != "?")))


def _quoted(name: Name) -> str:
    return ".".join('"' + part.replace('"', '""') + '"' for part in name if part)


def _schema(name: str, cascade: str, context: Context) -> Iterable[Finding]:
    tables = [t.qualified for t in context.schema.tables if t.schema == name] if context.schema else []
    yield found(_SCHEMA, name, *(tables if cascade else []), cascade=cascade)
    yield from sentences(doubts([name], context))
