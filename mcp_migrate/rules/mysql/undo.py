"""Is this really a statement that keeps undo data, or puts it back? By its shape, as a second reader of SQL sees it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from mcp_migrate.model import Statement
from mcp_migrate.rules import keeping
from mcp_migrate.rules.interface import Finding, found
from mcp_migrate.rules.mysql.cursor import Cursor, Name
from mcp_migrate.rules.mysql.lexer import Refused, Token
from mcp_migrate.rules.mysql.names import Place
from mcp_migrate.rules.mysql.readers import glot

_PREFIX = "_mcp_migrate_undo"
_CALLED = frozenset(
    # by sqlglot's names for them
    "and or case if cast count max exists row_number sha2 concat_ws quote current_schema utc_timestamp".split()
)
_SETTINGS = frozenset({"SET SESSION FOREIGN_KEY_CHECKS = 0", "SET SESSION FOREIGN_KEY_CHECKS = 1"})

KEEP = replace(
    keeping.KEEP,
    lock="METADATA EXCLUSIVE",
    transactional=False,
    flags=("CREATE TABLE IF NOT EXISTS `_mcp_migrate_undo_a_1` AS SELECT t.`id` AS k1 FROM `users` AS t LIMIT 0",),
    passes=(
        "CREATE TABLE kept AS SELECT id FROM users",
        "CREATE TABLE `_mcp_migrate_undo_a_1` AS SELECT LOAD_FILE('x') AS o1",
    ),
)
COPY = replace(
    keeping.KEEP,
    lock="ROW LOCKS",
    flags=("INSERT INTO `_mcp_migrate_undo_a_1` (k1) SELECT t.`id` FROM `users` AS t",),
    passes=("INSERT INTO kept (id) SELECT id FROM users",),
)
PUT_BACK = replace(
    keeping.PUT_BACK,
    lock="ROW LOCKS",
    flags=("UPDATE `users` AS t JOIN `_mcp_migrate_undo_a_1` AS u SET t.`name` = u.o1 WHERE u.k1 = t.`id`",),
    passes=("UPDATE users SET name = 'x'", "DELETE FROM users"),
)
NOTED = replace(
    keeping.NOTED,
    transactional=False,
    flags=("DROP TABLE IF EXISTS `_mcp_migrate_undo_a_1`",),
    passes=("DROP TABLE IF EXISTS users",),
)
PARK = replace(
    keeping.PARK,
    lock="METADATA EXCLUSIVE",
    transactional=False,
    flags=("RENAME TABLE `users` TO `_mcp_migrate_undo_a_1`, `_mcp_migrate_undo_a_1_s` TO `users`",),
    passes=("RENAME TABLE users TO people",),
)
FETCH = replace(
    keeping.FETCH,
    lock="METADATA EXCLUSIVE",
    transactional=False,
    flags=("RENAME TABLE `users` TO `_mcp_migrate_undo_a_1_s`, `_mcp_migrate_undo_a_1` TO `users`",),
    passes=("RENAME TABLE users TO people",),
)


def ours(statement: Statement, read: Sequence[Token], place: Place) -> list[Finding] | None:
    """What is said of a statement that the planner put in; None where it is none of those we write."""
    if statement.kind not in {"preserve", "restore"}:
        return None
    keeps = statement.kind == "preserve"
    words = " ".join(token.value for token in read)
    if words in _SETTINGS or (keeps and words == "UNLOCK TABLES"):
        return [found(NOTED)]
    if words.startswith("LOCK "):
        return _locked(Cursor(read), place) if keeps else None
    if (moved := _moved(Cursor(read), keeps=keeps)) is not None:
        return [found(PARK if keeps else FETCH, place.full(moved))]
    return _of(statement, place)


def _of(statement: Statement, place: Place) -> list[Finding] | None:
    """What is said of a statement that a second reader has to read."""
    tree = glot(statement.sql)
    if tree is None or not keeping.plain(tree, _CALLED):
        return None
    written = keeping.written(tree)
    if written is None:
        return [found(NOTED)] if statement.guard is not None and type(tree).__name__ == "Select" else None
    if not _is_ours(written):
        return _put_back(tree, written, place) if statement.kind == "restore" else None
    kinds = {"Create", "Insert", "Delete"} if statement.kind == "preserve" else {"Create", "Insert", "Delete", "Drop"}
    return _kept(tree, place) if type(tree).__name__ in kinds else None


def _locked(cursor: Cursor, place: Place) -> list[Finding] | None:
    """``LOCK TABLES name WRITE, …`` and nothing else."""
    names: list[Name] = []
    try:
        cursor.want("LOCK TABLES")
        while True:
            names.append(cursor.qualified())
            cursor.want("WRITE")
            if not cursor.take(","):
                break
        cursor.end()
    except Refused:
        return None
    theirs = dict.fromkeys(place.full(name) for name in names if not name[1].startswith(_PREFIX))
    return [found(KEEP, *theirs)]


def _moved(cursor: Cursor, *, keeps: bool) -> Name | None:
    """The table that is moved aside or comes back, or is changed so that it can; None where it is no such step."""
    ways = {"RENAME TABLE": _exchanged, "ALTER TABLE": _altered, "CREATE TABLE IF NOT EXISTS": _stand_in}
    try:
        name = ways[cursor.want(*ways)](cursor, keeps=keeps)
        cursor.end()
    except Refused:
        return None
    return name


def _altered(cursor: Cursor, *, keeps: bool) -> Name:
    """What it refers to may go from now on; what stands in its place is a stand-in of ours."""
    name = cursor.qualified()
    cursor.want("DROP FOREIGN KEY" if keeps else "MODIFY COLUMN")
    if keeps:
        cursor.name()
    else:
        _our_column(cursor)
    return name


def _stand_in(cursor: Cursor, *, keeps: bool) -> Name:
    """In the place of a table that comes back, so that the two can be exchanged."""
    name = cursor.qualified()
    if keeps:
        raise Refused("nothing comes back there")
    _our_column(cursor.inner(cursor.group()))
    return name


def _our_column(cursor: Cursor) -> None:
    if not cursor.name().startswith(f"{_PREFIX}_"):
        raise Refused("it is no column of a stand-in")
    cursor.want("INT")
    cursor.end()


def _exchanged(cursor: Cursor, *, keeps: bool) -> Name:
    """``t TO ours, ours TO t``: a table and a stand-in for it, one of which is called by a name of ours."""
    name = cursor.qualified()
    cursor.want("TO")
    aside = cursor.qualified()
    cursor.want(",")
    comes = cursor.qualified()
    cursor.want("TO")
    same = cursor.qualified() == name
    stand_in, place = (comes, aside) if keeps else (aside, comes)
    if not same or not place[1].startswith(f"{_PREFIX}_") or stand_in != ("", f"{place[1]}_s"):
        raise Refused("it does not exchange a table for a stand-in of ours")
    return name


def _kept(tree: Any, place: Place) -> list[Finding]:
    """It may make a place, fill it from tables of the user's, or take something out of it again."""
    read = tuple(dict.fromkeys(place.full((t.db, t.name)) for t in _tables(tree) if not _is_ours(t)))
    if not read or type(tree).__name__ == "Delete":
        return [found(NOTED)]
    return [found(KEEP if type(tree).__name__ == "Create" else COPY, *read)]


def _put_back(tree: Any, written: Any, place: Place) -> list[Finding] | None:
    """It takes what it writes from a place of ours, or writes rows anew that are there."""
    known = type(tree).__name__ in {"Insert", "Update", "Delete"}
    if not known or written.db or not any(map(_is_ours, _tables(tree))):
        return None
    return [found(PUT_BACK, place.full((written.db, written.name)))]


def _is_ours(table: Any) -> bool:
    return bool(table.name.startswith(_PREFIX) and not table.db)


def _tables(tree: Any) -> Iterator[Any]:
    """The tables that are named, but for catalogs, and for what a DELETE calls its table by."""
    from sqlglot import exp

    aliases = {id(each) for each in tree.args.get("tables") or ()} if isinstance(tree, exp.Delete) else set()
    for table in tree.find_all(exp.Table):
        if id(table) not in aliases and table.db.lower() != "information_schema":
            yield table
