"""What does a SQLite statement do? SQLite is asked on an empty copy of the schema, and a second parser must agree.

Each statement is explained under an authorizer, which tells every table, column and function it touches, triggers
and foreign keys included. What the authorizer does not tell (which column an ALTER drops, what REPLACE deletes,
VACUUM INTO) is found by comparing the copy before and after, or is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing

from mcp_migrate.model import Effect, Statement
from mcp_migrate.rules.context import Made
from mcp_migrate.rules.interface import Finding, effects_of, found, unknown
from mcp_migrate.rules.sqlite import rebuild, undo, upkeep
from mcp_migrate.rules.sqlite.clone import Clone, CloneError
from mcp_migrate.rules.sqlite.effects import Question, findings
from mcp_migrate.rules.sqlite.rows import VERSION
from mcp_migrate.rules.sqlite.version import is_version_step
from mcp_migrate.schema.model import Schema

_LONGEST = 1_000_000
_OURS = "_mcp_migrate"
"""Tables of this server begin so; they are no part of the schema that plans are judged on."""


def find(statements: Sequence[Statement], schema: Schema | None) -> Iterator[list[Finding]]:
    """What the rules find in each statement, in order. Without a schema only what the plan itself makes is known."""
    made = Made()
    with closing(Clone(schema)) as clone:
        clone.complete |= schema is None

        def plain(statement: Statement) -> list[Finding]:
            return _find(statement, clone, made)

        at = 0
        while at < len(statements):
            run = statements[at : at + rebuild.LENGTH]
            one_change = clone.complete and rebuild.may_begin(run)
            findings = rebuild.told(statements, at, clone, made, plain) if one_change else [plain(run[0])]
            yield from findings
            at += len(findings)


def _find(statement: Statement, clone: Clone, made: Made) -> list[Finding]:
    values = len(statement.parameters[0]) if statement.parameters else 0
    if statement.kind == "version" and is_version_step(statement.sql, values):
        return [found(VERSION)]
    if (kept := undo.ours(statement)) is not None:
        return kept
    findings = _ask(statement, values, clone, made)
    if not clone.complete:
        findings = [unknown("SQLite could not copy the schema, so it could not be asked")]
    if not findings or Effect.UNKNOWN in effects_of(findings):
        made.clear()  # it may have done anything to what was there
    return findings


def _ask(statement: Statement, values: int, clone: Clone, made: Made) -> list[Finding]:
    sql = statement.sql
    if "\0" in sql or len(sql) > _LONGEST:
        return [unknown("the text is too long or holds a character that SQLite does not take")]
    if _OURS in sql.lower():  # a name cannot be spelt in any other way
        return [found(upkeep.OURS, what=f"{_OURS}*", who="this server")]
    try:
        return findings(Question(sql, clone.ask(sql, values), clone, made, statement.transactional))
    except CloneError as error:
        if "may not be modified" in str(error):
            return [found(upkeep.OURS, what="a table", who="SQLite")]
        return [unknown(f"SQLite does not take it on this schema ({error})")]
