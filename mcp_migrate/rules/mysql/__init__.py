"""What does a MySQL or MariaDB statement do? Our own lexer and grammar read it, and two other readers must agree.

The grammar is strict: a word it does not expect makes the statement unknown. To teach it another statement, write a
function that returns findings and name it below. What is not named is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from mcp_migrate.model import ALWAYS_APPROVED, Effect, Statement
from mcp_migrate.rules.interface import Finding, effects_of, found, unknown
from mcp_migrate.rules.mysql import databases, drops, privileges, row_rules, tables, undo, views
from mcp_migrate.rules.mysql.alter import alter_table
from mcp_migrate.rules.mysql.cursor import Cursor, shown
from mcp_migrate.rules.mysql.lexer import Refused, Token, tokens
from mcp_migrate.rules.mysql.names import Place
from mcp_migrate.rules.mysql.readers import doubt, glot
from mcp_migrate.rules.mysql.rows import rows
from mcp_migrate.rules.mysql.version import is_version_step
from mcp_migrate.schema.model import Schema


def _altered(cursor: Cursor, place: Place) -> list[Finding]:
    return alter_table(cursor, place) if cursor.sees("TABLE") else views.alter_view(cursor, place)


_ROWS = ("SELECT", "INSERT", "REPLACE", "UPDATE", "DELETE", "WITH")
_DDL: dict[str, Callable[[Cursor, Place], list[Finding]]] = {
    "ALTER": _altered,
    "DROP": drops.drop,
    "TRUNCATE": drops.truncate,
    "RENAME": drops.rename_tables,
}


def find(statements: Sequence[Statement], schema: Schema | None) -> Iterator[list[Finding]]:
    """What the rules find in each statement, in order."""
    place = Place.of(schema)
    for statement in statements:
        findings = _find(statement, place)
        if not findings or Effect.UNKNOWN in effects_of(findings):
            place.forget()  # it may have done anything to what was there
        yield findings


def _find(statement: Statement, place: Place) -> list[Finding]:
    try:
        read = tokens(statement.sql)
        if statement.kind == "version" and is_version_step(read):
            return [found(row_rules.VERSION)]
        if _depth(read) > _DEEPEST:
            return [unknown("it is nested too deeply")]
        return undo.ours(statement, read, place) or _read(read, place)
    except Refused as reason:
        return [unknown(str(reason).rstrip("."))]
    except RecursionError:
        return [unknown("it is nested too deeply")]


def _depth(read: list[Token]) -> int:
    """At most how deep a tree of these tokens is: what stands since the last comma, in each open parenthesis."""
    open_, deepest = [0], 0
    for token in read:
        if token.text == "(":
            open_.append(0)
        elif token.text == ")" and len(open_) > 1:
            open_.pop()
        open_[-1] = 0 if token.text == "," else open_[-1] + 1
        deepest = max(deepest, sum(open_))
    return deepest


def _read(read: list[Token], place: Place) -> list[Finding]:
    cursor = Cursor(read)
    guarded = privileges.privilege(cursor)
    if guarded is not None:
        return guarded
    first = next((word for word in (*_DDL, "CREATE", *_ROWS) if cursor.sees(word)), "")
    if first in _ROWS:
        return _rows(first, cursor, place)
    if not first:
        raise Refused(f"{read[0].text[:40] if read else 'an empty text'} is not on the list")
    cursor.take(first)
    findings = (_DDL.get(first) or _creator(cursor))(cursor, place)
    cursor.end()
    return _agreed(findings, first, cursor, _glot_text(cursor), None)


def _creator(cursor: Cursor) -> Callable[[Cursor, Place], list[Finding]]:
    if any(map(cursor.sees, ("TABLE", "TEMPORARY", "OR REPLACE TABLE", "OR REPLACE TEMPORARY"))):
        return tables.create_table
    if cursor.sees("DATABASE") or cursor.sees("SCHEMA"):
        return databases.create_database
    indexes = ("INDEX", "UNIQUE", "FULLTEXT", "SPATIAL")
    return tables.create_index if any(map(cursor.sees, indexes)) else views.create_view


def _rows(first: str, cursor: Cursor, place: Place) -> list[Finding]:
    replaces = first == "REPLACE"
    text = shown(cursor.tokens)
    tree = glot("INSERT" + text[len("REPLACE") :] if replaces else text)
    if tree is None or type(tree).__name__ not in {"Select", "Union", "Except", "Intersect", *_CHANGES}:
        raise Refused("a second reader cannot read it")
    return _agreed(rows(tree, cursor, place, replaces=replaces), first, cursor, text, tree)


_DEEPEST = 1_000
"""Deeper trees overflow the stack of a second reader, which ends the process and raises nothing."""
_LAST = frozenset({"ALGORITHM", "LOCK"})
_CHANGES = frozenset({"Insert", "Update", "Delete"})


def _glot_text(cursor: Cursor) -> str:
    """The text without ALGORITHM, LOCK and WITH CHECK OPTION at its end, which sqlglot does not know there."""
    words = cursor.tokens
    cut = next((n for n, token in enumerate(words) if token.kind == "word" and token.value in _LAST), len(words))
    while cut and words[cut - 1].text == ",":
        cut -= 1
    return shown(cursor.tokens[: min(cut, views.unchecked(words))])


def _agreed(findings: list[Finding], first: str, cursor: Cursor, text: str, tree: Any | None) -> list[Finding]:
    if Effect.UNKNOWN in effects_of(findings):
        return findings
    waits = bool(effects_of(findings) & ALWAYS_APPROVED)
    alone = first not in _ROWS and not cursor.queries
    why = doubt(text, first, (cursor.named, cursor.parts), tree or glot(text), sure=waits or alone)
    return [*findings, unknown(why)] if why else findings
