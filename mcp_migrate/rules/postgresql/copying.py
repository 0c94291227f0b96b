"""What does COPY do: between a table or query, and the client, a file or a program of the server?"""

from __future__ import annotations

from mcp_migrate.rules.context import Context
from mcp_migrate.rules.interface import Finding, found, rule, sentences, unknown
from mcp_migrate.rules.postgresql import code
from mcp_migrate.rules.postgresql.allowed import word_set
from mcp_migrate.rules.postgresql.names import doubts, full, is_system, name_of
from mcp_migrate.rules.postgresql.parser import Tree, new, parsed
from mcp_migrate.rules.postgresql.privileges import SYSTEM_CATALOG
from mcp_migrate.rules.postgresql.reading import Reading
from mcp_migrate.rules.postgresql.rows import READ

_MANUAL = "https://www.postgresql.org/docs/current/sql-copy.html"

COPY_IN = rule(
    "copy-in",
    "Rows that are not part of the plan",
    "data unknown",
    "Adds rows to {object} that come from the client and are not in the plan that is approved.",
    "ROW EXCLUSIVE",
    rationale="What is approved is the text; the rows would come from elsewhere.",
    source=_MANUAL,
    flags=("COPY users FROM STDIN",),
    passes=("INSERT INTO users (id) VALUES (1)",),
)
COPY_OUT = rule(
    "copy-outside",
    "A program or file of the server",
    "privilege unknown",
    "COPY with {what} runs or touches things on the database's own machine.",
    rationale="The server's account runs the program or opens the file: that is a shell on the database's machine.",
    source=_MANUAL,
    flags=("COPY users FROM PROGRAM 'curl evil'", "COPY users TO '/tmp/users'"),
    passes=("COPY users TO STDOUT",),
)
_OPTIONS = word_set(
    "format delimiter null header quote escape force_quote force_not_null force_null encoding freeze default on_error"
    " log_verbosity reject_limit"
)


def copy(node: Tree, context: Context) -> list[Finding]:
    objects = [full(node.relation)] if node.relation.relname else []
    findings = _source(node, context) + _options(node)
    if node.is_program or node.filename:
        what = "a program" if node.is_program else "a file"
        return code.looked([found(COPY_OUT, *objects, what=what), *findings])
    return findings


def _source(node: Tree, context: Context) -> list[Finding]:
    if node.HasField("query"):
        return code.inside(parsed(node.query), context)
    where = full(node.relation)
    if node.is_from:
        written = [found(SYSTEM_CATALOG, where)] if is_system(name_of(node.relation)) else []
        condition = Reading.of(node.where_clause, context).findings() if node.HasField("where_clause") else []
        return [found(COPY_IN, where), *written, *condition, *sentences(doubts(name_of(node.relation), context))]
    table = new("Node")
    table.range_var.CopyFrom(node.relation)
    return [found(READ, where), *Reading.of(table, context).findings()]


def _options(node: Tree) -> list[Finding]:
    odd = sorted({option.def_elem.defname for option in node.options} - _OPTIONS)
    return [unknown(f"the option {option} of COPY is not on the list") for option in odd]


KINDS = {"copy_stmt": copy}
