"""What does each clause of an ALTER TABLE do?"""

from __future__ import annotations

from collections.abc import Callable

from mcp_migrate.model import Effect
from mcp_migrate.rules.interface import Finding, found
from mcp_migrate.rules.mysql import change_rules, column_rules, row_rules, safer, table
from mcp_migrate.rules.mysql.columns import COMPUTED, Definition, definition, expression, names, reference
from mcp_migrate.rules.mysql.cursor import Cursor, Name, separated, shown
from mcp_migrate.rules.mysql.modify import modify
from mcp_migrate.rules.mysql.names import Place
from mcp_migrate.rules.mysql.options import option, rebuilt
from mcp_migrate.rules.mysql.partitions import partition_clause
from mcp_migrate.rules.mysql.tables import INDEXES, algorithm, index_findings, index_name, index_options, index_type


def alter_table(cursor: Cursor, place: Place) -> list[Finding]:
    cursor.want("TABLE")
    name = cursor.qualified()
    results = place.odd(name)
    slow = False
    alone = partition_clause(cursor, name, place)
    if alone is not None:
        cursor.end()
        return _of_new(alone, place.full(name)) if place.made(name) else [*results, *alone]
    for part in separated(cursor.tokens[cursor.at :]):
        inner = cursor.inner(part)
        if inner.sees("ALGORITHM") or inner.sees("LOCK"):
            slow |= algorithm(inner)
        else:
            results += _clause(inner, name, place)
        inner.end()
    cursor.at = len(cursor.tokens)
    where = place.full(name)
    if slow and not place.made(name):
        instead = shown(cursor.tokens[: _choice(cursor)]) + ", ALGORITHM=INPLACE, LOCK=NONE"
        results.append(found(column_rules.REBUILD, where, what="as ALGORITHM or LOCK tells it to", safer=instead))
    return _of_new(results, where) if place.made(name) else results


def _choice(cursor: Cursor) -> int:
    """Where ALGORITHM or LOCK begins, with the comma before it."""
    parts = separated(cursor.tokens)
    kept = [part for part in parts if part[:1] and part[0].value not in {"ALGORITHM", "LOCK"}]
    return sum(map(len, kept)) + len(kept) - 1 if parts[: len(kept)] == kept else len(cursor.tokens)


def _of_new(results: list[Finding], where: str) -> list[Finding]:
    """On a table of this plan nothing is lost, but what is not understood stays so."""
    kept = [f for f in results if Effect.UNKNOWN in f.rule.effects or f.rule.id == "rename-new-object"]
    return [found(table.NEW_CONSTRAINT, where), *kept]


def _clause(cursor: Cursor, name: Name, place: Place) -> list[Finding]:
    for words, handler in _CLAUSES.items():
        if cursor.take(words):
            return handler(cursor, name, place)
    return option(cursor, name, place)


def _add(cursor: Cursor, name: Name, place: Place) -> list[Finding]:
    if cursor.take("CONSTRAINT") and cursor.is_name() and not cursor.sees("CHECK"):
        cursor.name()
    if word := cursor.take("UNIQUE", "FULLTEXT", "SPATIAL", *INDEXES):
        cursor.take(*INDEXES)
        index_name(cursor)
        index_type(cursor)
        columns = names(cursor)
        index_options(cursor)
        return index_findings(word, name, place, columns)
    if word := cursor.take("PRIMARY KEY", "FOREIGN KEY", "CHECK"):
        return _constraint(word, cursor, name, place)
    cursor.take("COLUMN")
    cursor.take("IF NOT EXISTS")
    if not cursor.sees("("):
        return _added(definition(cursor), name, place)
    results = []
    for part in separated(cursor.group()):
        inner = cursor.inner(part)
        results += _added(definition(inner), name, place)
        inner.end()
    return results


def _constraint(word: str, cursor: Cursor, name: Name, place: Place) -> list[Finding]:
    where = place.full(name)
    results = [found(change_rules.ADD_KEY if word == "PRIMARY KEY" else table.ADD_CONSTRAINT, where)]
    if word == "PRIMARY KEY" and not place.online(name):
        results.append(rebuilt(name, place, word))
    if word == "CHECK":
        expression(cursor.group())
        cursor.take("NOT ENFORCED", "ENFORCED")
        return results
    index_name(cursor)
    index_type(cursor)
    names(cursor)
    if word == "FOREIGN KEY":
        cursor.want("REFERENCES")
        return [*results, *_refers(*reference(cursor), where, place)]
    index_options(cursor)
    return results


def _refers(
    target: Name,
    acting: bool,  # noqa: FBT001  as the reference was read
    where: str,
    place: Place,
) -> list[Finding]:
    cascades = [found(table.CASCADING, where)] if acting else []
    return [*cascades, found(row_rules.LOOKS, place.full(target))]


def _added(column: Definition, name: Name, place: Place) -> list[Finding]:
    where = place.full(name, column.name)
    results = []
    if column.required:
        instead = safer.adds(name, column.name, safer.spelt(column.type))
        results.append(found(table.REQUIRED, where, safer=instead))
    if column.said & {"UNIQUE", "PRIMARY KEY", "CHECK"} or column.references:
        results.append(found(table.RESTRICTED, where))
    copied = column.said & {"STORED", "AUTO_INCREMENT", "CHECK"} or column.references or column.default == COMPUTED
    if copied or column.type.name == "SERIAL":
        results.append(found(table.COPYING_COLUMN, where))
    for target, acting in column.references:
        results += _refers(target, acting, place.full(name), place)
    return results or [found(table.ADD_COLUMN, where)]


def _drop(cursor: Cursor, name: Name, place: Place) -> list[Finding]:
    where = place.full(name)
    if cursor.take("PRIMARY KEY"):
        return [found(table.DROP_KEY, where)]
    if cursor.take("FOREIGN KEY", "CONSTRAINT", "CHECK"):
        cursor.take("IF EXISTS")
        return [found(table.DROP_CONSTRAINT, where, name=cursor.name())]
    if cursor.take(*INDEXES):
        cursor.take("IF EXISTS")
        index = cursor.name()
        return [found(table.DROP_KEY if index.upper() == "PRIMARY" else table.DROP_INDEX, where, name=index)]
    cursor.take("COLUMN")
    cursor.take("IF EXISTS")
    column = place.full(name, cursor.name())
    cursor.take("RESTRICT", "CASCADE")
    return [found(table.DROP_COLUMN, column, safer=safer.keeps(name))]


def _modify(cursor: Cursor, name: Name, place: Place) -> list[Finding]:
    cursor.take("COLUMN")
    cursor.take("IF EXISTS")
    column = definition(cursor)
    return modify(column, column.name, name, place)


def _change(cursor: Cursor, name: Name, place: Place) -> list[Finding]:
    cursor.take("COLUMN")
    old = cursor.name()
    column = definition(cursor)
    results = modify(column, old, name, place)
    if old.casefold() == column.name.casefold():
        return results
    first, second = place.full(name, old), place.full(name, column.name)
    return [*results, found(change_rules.RENAME, first, second, object=first, new=column.name)]


def _rename(cursor: Cursor, name: Name, place: Place) -> list[Finding]:
    where = place.full(name)
    kind = cursor.take("COLUMN", *INDEXES)
    if kind:
        old = cursor.name()
        cursor.want("TO")
        new = cursor.name()
        if kind != "COLUMN":
            return [found(change_rules.RENAME, where, object=f"the index {old} of {where}", new=new)]
        first, second = place.full(name, old), place.full(name, new)
        known = place.table(name)
        before = known.column(old) if known else None
        instead = safer.adds(name, new, before.type) if before else None
        return [found(change_rules.RENAME, first, second, safer=instead, object=first, new=new)]
    cursor.take("TO", "AS", "=")
    return renamed(name, cursor.qualified(), place)


def renamed(old: Name, new: Name, place: Place) -> list[Finding]:
    """A table gets another name; a new table in the place of an old one lends it no innocence."""
    ours = place.made(old)
    place.unmake(old)
    place.unmake(new)
    if not ours:
        place.forget()
    first, second = place.full(old), place.full(new)
    which = change_rules.RENAME_NEW if ours else change_rules.RENAME
    return [found(which, first, second, object=first, new=second), *place.odd(new)]


def _alter(cursor: Cursor, name: Name, place: Place) -> list[Finding]:
    if cursor.take(*INDEXES):
        index = cursor.name()
        visible = cursor.want("VISIBLE", "INVISIBLE") == "VISIBLE"
        which = column_rules.TABLE_OPTION if visible else table.DROP_INDEX
        return [found(which, place.full(name), name=index, what=f"the index {index}")]
    cursor.take("COLUMN")
    where = place.full(name, cursor.name())
    if cursor.take("DROP DEFAULT"):
        return [found(column_rules.DROP_DEFAULT, where)]
    cursor.want("SET DEFAULT")
    if cursor.sees("("):
        expression(cursor.group())
    else:
        cursor.take("-")
        cursor.word()
    return [found(column_rules.SET_DEFAULT, where)]


_CLAUSES: dict[str, Callable[[Cursor, Name, Place], list[Finding]]] = {
    "ADD": _add,
    "DROP": _drop,
    "MODIFY": _modify,
    "CHANGE": _change,
    "RENAME": _rename,
    "ALTER": _alter,
}
