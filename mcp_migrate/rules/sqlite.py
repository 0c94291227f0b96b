"""What does a statement do to SQLite? The engine itself is asked, and sqlglot has to agree.

`EXPLAIN` under an authorizer, on an in-memory copy of the schema, tells exactly which objects a statement touches,
triggers included (https://sqlite.org/c3ref/set_authorizer.html). It does not tell what kind of ALTER or which
conflict clause it was, so the parser is asked too; what either does not know is unknown.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from typing import Any

from mcp_migrate.model import Effect, Statement
from mcp_migrate.rules.interface import Context, Found, found, unknown

_BOOKKEEPING = frozenset({"sqlite_master", "sqlite_schema", "sqlite_temp_master", "sqlite_sequence"})


@dataclass(slots=True)
class _Touched:
    """What the authorizer saw: (action, table) pairs, and the functions that are called."""

    actions: set[tuple[int, str]] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)

    def see(self, action: int, first: str | None, second: str | None, *_: Any) -> int:
        if action == sqlite3.SQLITE_FUNCTION:
            self.functions.add(str(second))
        elif action == sqlite3.SQLITE_ALTER_TABLE:
            self.actions.add((action, str(second)))
        elif first is not None and first.lower() not in _BOOKKEEPING:
            self.actions.add((action, first))
        return sqlite3.SQLITE_OK

    def tables(self, action: int) -> set[str]:
        return {f"main.{name}" for seen, name in self.actions if seen == action}


class SqliteJudge:
    """Judges the statements of one plan, in order."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._clone = sqlite3.connect(":memory:", isolation_level=None)
        self._complete = _clone_schema(self._clone, context)

    def judge(self, statement: Statement) -> Found:
        """What `statement` does. Afterwards the copy of the schema is as if it had run."""
        tree = _parse(statement.sql)
        if statement.kind == "version" and _moves_rows(tree):
            return found("alembic-version", "Alembic moves its version table.")
        touched = self._ask(statement)
        if tree is None or isinstance(touched, str):
            return unknown(touched if isinstance(touched, str) else "SQLite and our parser do not agree on it.")
        if not self._complete:
            return unknown("The live schema could not be copied, so nothing is certain.")
        verdict = self._rule(tree, touched)
        self._apply(statement)
        return verdict

    def _ask(self, statement: Statement) -> _Touched | str:
        touched = _Touched()
        self._clone.set_authorizer(touched.see)
        try:
            self._clone.execute(f"EXPLAIN {statement.sql}", _nothing_for(statement)).fetchall()
        except (sqlite3.Error, sqlite3.Warning) as error:
            return f"SQLite itself does not accept it on this schema: {str(error)[:200]}."
        finally:
            self._clone.set_authorizer(None)
        return touched

    def _apply(self, statement: Statement) -> None:
        try:
            self._clone.execute(statement.sql, _nothing_for(statement))
        except sqlite3.Error:
            return  # rows that are not there (NULL for a bound value) cannot change the schema

    def _rule(self, tree: Any, touched: _Touched) -> Found:
        from sqlglot import exp

        if isinstance(tree, exp.Create):
            return self._create(tree, touched)
        if isinstance(tree, exp.Drop):
            return self._drop(tree, touched)
        if isinstance(tree, exp.Alter):
            return self._alter(tree)
        if isinstance(tree, (exp.Insert, exp.Update, exp.Delete)):
            return self._rows(tree, touched)
        if isinstance(tree, exp.Select) and {a for a, _ in touched.actions} <= {
            sqlite3.SQLITE_READ,
            sqlite3.SQLITE_SELECT,
        }:
            return (
                found("select", "It only reads.", Effect.READ)
                if not touched.functions
                else unknown("It calls functions.")
            )
        return unknown("No rule covers this kind of statement.")

    def _create(self, tree: Any, touched: _Touched) -> Found:
        kind, made = str(tree.kind).upper(), None
        if tree.args.get("replace") or (tree.expression and kind == "TABLE"):
            return unknown("It creates a table from a query.")
        if kind == "TABLE" and (made := touched.tables(sqlite3.SQLITE_CREATE_TABLE)):
            if not made <= {f"main.{table.name}" for table in tree.find_all(_table())}:
                return unknown("SQLite and our parser do not agree on its name.")
            if not tree.args.get("exists"):
                self._context.made |= made
            return found("create-table", "It creates a table; nothing is lost.", Effect.ADDITIVE, objects=tuple(made))
        if kind == "INDEX" and touched.tables(sqlite3.SQLITE_CREATE_INDEX):
            return self._index(tree)
        if kind == "VIEW" and touched.tables(sqlite3.SQLITE_CREATE_VIEW):
            names = tuple(touched.tables(sqlite3.SQLITE_CREATE_VIEW))
            return found("create-view", "It creates a view; nothing is lost.", Effect.ADDITIVE, objects=names)
        return unknown(f"Creating a {kind.lower()} is not judged yet.")

    def _index(self, tree: Any) -> Found:
        table = next((f"main.{t.name}" for t in tree.this.find_all(_table())), "?")
        if tree.args.get("unique") and table not in self._context.made:
            why = f"A unique index on {table} fails on duplicates, and rejects what was accepted before."
            return found("create-unique-index", why, Effect.BREAKING, objects=(table,))
        return found("create-index", "It creates an index; nothing is lost.", Effect.ADDITIVE, objects=(table,))

    def _drop(self, tree: Any, touched: _Touched) -> Found:
        if dropped := touched.tables(sqlite3.SQLITE_DROP_TABLE):
            names = tuple(sorted(dropped))
            if dropped <= self._context.made:
                self._context.made -= dropped
                return found("drop-own-table", "It drops a table this plan made.", Effect.ADDITIVE, objects=names)
            why = f"It drops {', '.join(names)} with every row in it."
            return found("drop-table", why, Effect.DESTRUCTIVE, Effect.BREAKING, objects=names)
        if indexes := touched.tables(sqlite3.SQLITE_DROP_INDEX):
            why = "It drops an index: no row is lost, but what it enforced or made fast is gone."
            return found("drop-index", why, Effect.BREAKING, objects=tuple(sorted(indexes)))
        if views := touched.tables(sqlite3.SQLITE_DROP_VIEW):
            return found("drop-view", "It drops a view.", Effect.BREAKING, objects=tuple(sorted(views)))
        return unknown(f"Dropping a {str(tree.kind).lower()} is not judged yet.")

    def _alter(self, tree: Any) -> Found:
        from sqlglot import exp

        table = f"main.{tree.this.name}"
        [action] = tree.args.get("actions") or [None]
        if isinstance(action, exp.ColumnDef):
            column = f"{table}.{action.name}"
            self._context.made_columns.add(column)
            return found("add-column", f"It adds {column}; no row is lost.", Effect.ADDITIVE, objects=(column,))
        if isinstance(action, exp.Drop) and action.args.get("kind") == "COLUMN":
            [dropped] = action.args["tables"]
            column = f"{table}.{dropped.name}"
            why = f"It drops {column} with what is in it."
            return found("drop-column", why, Effect.DESTRUCTIVE, Effect.BREAKING, objects=(column,))
        if isinstance(action, exp.AlterRename):
            return self._rename(table, f"main.{action.this.name}")
        if isinstance(action, exp.RenameColumn):
            column = f"{table}.{action.this.name}"
            return found(
                "rename-column",
                f"It renames {column}; what used the old name breaks.",
                Effect.BREAKING,
                objects=(column,),
            )
        return unknown("This kind of ALTER TABLE is not judged yet.", table)

    def _rename(self, table: str, new: str) -> Found:
        """A table that takes another name may hold what other tables held: from then on it is like any other."""
        own = table in self._context.made
        self._context.made -= {table, new}
        if own:
            return found(
                "rename-own-table", f"It gives a table this plan made the name {new}.", Effect.ADDITIVE, objects=(new,)
            )
        why = f"It renames {table} to {new}; what used the old name breaks."
        return found("rename-table", why, Effect.BREAKING, objects=(table, new))

    def _rows(self, tree: Any, touched: _Touched) -> Found:
        from sqlglot import exp

        inserted, updated, deleted = (
            touched.tables(action) for action in (sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE)
        )
        names = tuple(sorted(inserted | updated | deleted))
        if (inserted | updated | deleted) <= self._context.made:
            return found("own-rows", "It changes rows of a table this plan made.", Effect.DATA, objects=names)
        if deleted:
            why = f"It deletes rows of {', '.join(sorted(deleted))}."
            return found("delete", why, Effect.DESTRUCTIVE, objects=names)
        if updated:
            return self._update(tree, updated, names)
        if isinstance(tree, exp.Insert) and (tree.args.get("alternative") or tree.args.get("conflict")):
            return found(
                "insert-or-replace",
                "It may replace rows that are there.",
                Effect.DATA,
                Effect.DESTRUCTIVE,
                objects=names,
            )
        return found("insert", f"It adds rows to {', '.join(names)}.", Effect.DATA, objects=names)

    def _update(self, tree: Any, updated: set[str], names: tuple[str, ...]) -> Found:
        from sqlglot import exp

        if isinstance(tree, exp.Update) and len(updated) == 1:
            [table] = updated
            columns = {f"{table}.{setting.this.name}" for setting in tree.expressions}
            if columns <= self._context.made_columns:
                return found("fill-own-column", "It fills a column this plan added.", Effect.DATA, objects=names)
        why = f"It overwrites values in {', '.join(sorted(updated))}; the old ones are lost."
        return found("update", why, Effect.DATA, Effect.DESTRUCTIVE, objects=names)


def _moves_rows(tree: Any) -> bool:
    """Whether it is of a kind that Alembic moves its version table with; the planner compared the exact text."""
    from sqlglot import exp

    return isinstance(tree, (exp.Insert, exp.Update, exp.Delete, exp.Create, exp.Drop))


def _table() -> Any:
    from sqlglot import exp

    return exp.Table


def _parse(sql: str) -> Any:
    """The one statement in `sql`, or None."""
    import sqlglot

    try:
        parsed = [tree for tree in sqlglot.parse(sql, dialect="sqlite") if tree is not None]
    except (sqlglot.errors.SqlglotError, RecursionError):
        return None
    return parsed[0] if len(parsed) == 1 else None


def _nothing_for(statement: Statement) -> tuple[None, ...]:
    """As many NULLs as the statement binds values."""
    return (None,) * len(statement.parameters[0]) if statement.parameters else ()


def _clone_schema(clone: sqlite3.Connection, context: Context) -> bool:
    """Build the live schema in memory. Whether all of it could be."""
    if context.schema is None:
        return False
    tables = [table.definition for table in context.schema.tables]
    try:
        for sql in tables:
            if sql is None:
                return False
            clone.execute(sql)
        for index in (index for table in context.schema.tables for index in table.indexes):
            clone.execute(index.text or "")
        for other in context.schema.others:
            clone.execute(other.definition)
    except sqlite3.Error:
        return False
    return True
