"""What do statements do that make or describe something other than a table?"""

from __future__ import annotations

from mcp_migrate.rules.context import Context, Name
from mcp_migrate.rules.interface import Finding, found, rule, sentences, unknown
from mcp_migrate.rules.postgresql import kinds
from mcp_migrate.rules.postgresql.names import doubts, full, member, name_of, qualified, split, words
from mcp_migrate.rules.postgresql.parser import Tree
from mcp_migrate.rules.postgresql.privileges import GRANT
from mcp_migrate.rules.postgresql.reading import Reading, type_key

CREATE_SCHEMA = rule(
    "create-schema",
    "A new schema",
    "additive",
    "Makes the schema {object}.",
    of="schema",
    rationale="Nothing is in it yet, and no search path names it.",
    source="https://www.postgresql.org/docs/current/sql-createschema.html",
    flags=("CREATE SCHEMA attic",),
    passes=("CREATE DATABASE attic",),
)
CREATE_SEQUENCE = rule(
    "create-sequence",
    "A new sequence",
    "additive",
    "Makes the sequence {object}.",
    of="sequence",
    rationale="Nothing counts with it yet.",
    source="https://www.postgresql.org/docs/current/sql-createsequence.html",
    flags=("CREATE SEQUENCE tickets",),
    passes=("ALTER SEQUENCE counter RESTART",),
)
CREATE_TYPE = rule(
    "create-enum",
    "A new enum",
    "additive",
    "Makes the type {object}.",
    of="type",
    rationale="Nothing uses it yet.",
    source="https://www.postgresql.org/docs/current/datatype-enum.html",
    flags=("CREATE TYPE colour AS ENUM ('red', 'blue')",),
    passes=("ALTER TYPE mood ADD VALUE 'bored'",),
)
CREATE_DOMAIN = rule(
    "create-domain",
    "A new domain",
    "additive",
    "Makes the domain {object}.",
    of="domain",
    rationale="Nothing uses it yet.",
    source="https://www.postgresql.org/docs/current/sql-createdomain.html",
    flags=("CREATE DOMAIN small AS integer CHECK (VALUE < 100)",),
    passes=("ALTER DOMAIN positive SET NOT NULL",),
)
ADD_VALUE = rule(
    "add-enum-value",
    "A new enum value",
    "additive",
    "Adds a value to the type {object}; no statement takes a value out again.",
    of="type",
    undo="no",
    rationale="Enum values cannot be dropped; the new one cannot be used in the transaction that adds it.",
    source="https://www.postgresql.org/docs/current/sql-altertype.html",
    flags=("ALTER TYPE mood ADD VALUE 'bored'",),
    passes=("ALTER TYPE mood RENAME VALUE 'happy' TO 'glad'",),
)
COMMENT = rule(
    "comment",
    "A comment",
    "additive",
    "Describes {object}.",
    "SHARE UPDATE EXCLUSIVE",
    of="",
    rationale="Only what people read of it changes.",
    source="https://www.postgresql.org/docs/current/sql-comment.html",
    flags=("COMMENT ON TABLE users IS 'who'",),
    passes=("SECURITY LABEL ON TABLE users IS 'x'",),
)
_RELATIONS = frozenset(
    {"OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_INDEX", "OBJECT_SEQUENCE", "OBJECT_FOREIGN_TABLE"}
)


def create_schema(node: Tree, context: Context) -> list[Finding]:
    findings = [found(CREATE_SCHEMA, node.schemaname), *Reading.of(node, context).findings()]
    if node.HasField("authrole"):
        findings.append(found(GRANT, what="AUTHORIZATION"))
    return [*findings, *sentences(doubts([node.schemaname], context))]


def create_sequence(node: Tree, context: Context) -> list[Finding]:
    if not node.if_not_exists and node.sequence.relpersistence != "t":
        _remember("sequence", name_of(node.sequence), context)
    return [found(CREATE_SEQUENCE, full(node.sequence)), *Reading.of(node, context).findings()]


def create_enum(node: Tree, context: Context) -> list[Finding]:
    name = split(words(node.type_name))
    findings = [found(CREATE_TYPE, qualified(name)), *Reading.of(node, context).findings()]
    _remember("enum", name, context)
    return findings


def create_domain(node: Tree, context: Context) -> list[Finding]:
    name = split(words(node.domainname))
    reading = Reading.of(node, context)
    findings = [found(CREATE_DOMAIN, qualified(name)), *reading.findings()]
    context.made.tell(type_key(name[1]), reading.findings())
    _remember("domain", name, context)
    return findings


def add_enum_value(node: Tree, context: Context) -> list[Finding]:
    if node.old_val:
        return kinds.rename_value(node, context)
    name = split(words(node.type_name))
    return [found(ADD_VALUE, qualified(name)), *Reading.of(node, context).findings()]


def comment(node: Tree, context: Context) -> list[Finding]:
    kind, parts = member("ObjectType", node.objtype), words(node.object.list.items)
    if kind == "OBJECT_COLUMN" and len(parts) > 1:
        name = f"{qualified(split(parts[:-1]))}.{parts[-1]}"
    elif kind in _RELATIONS and parts:
        name = qualified(split(parts))
    else:
        return [found(COMMENT)] if kind != "OBJECT_ROLE" else [unknown("comments on roles are not on the list")]
    return [found(COMMENT, name), *sentences(doubts(("", *parts) if len(parts) == 1 else parts, context))]


def _remember(kind: str, name: Name, context: Context) -> None:
    if not context.called(name[1]):
        context.made.add(kind, name)
