"""What must hold of the rows that are there, for a plan's new constraints to hold?

Found by comparing the schema before and after the plan, so in the same way on each database. Nothing is promised of
what the plan itself changes first (rows it writes, columns and tables it renames, drops or makes), nor of what cannot
be asked for certain: the statement itself finds those.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mcp_migrate.dialects.interface import quoted
from mcp_migrate.model import Effect, Precondition, Statement
from mcp_migrate.schema import Schema
from mcp_migrate.schema.model import Column, Constraint, Table

_CHANGES_ROWS = frozenset({Effect.DATA, Effect.DESTRUCTIVE, Effect.UNKNOWN})
_KEYS = frozenset({"primary_key", "unique"})
_PARTS = 3
"""Of the name of a column: schema, table, column."""


def preconditions(
    statements: Sequence[Statement], before: Schema, after: Schema, *, dialect: str, mark: str
) -> tuple[Precondition, ...]:
    """The queries about `before`, each of which must return no row. Names are quoted with `mark`."""
    from mcp_migrate.rules import findings  # parsers load with the first plan

    found = findings(statements, dialect=dialect, schema=before)
    changed = frozenset(
        name
        for each in found
        for finding in each
        if finding.rule.effects & _CHANGES_ROWS or finding.rule.id.startswith("rename")
        for name in finding.objects or ("?",)
    )
    if "?" in changed:  # nobody knows what it changes
        return ()
    asking = _Asking(before, after, changed, mark)
    return tuple(dict.fromkeys(condition for table in after.tables for condition in asking.about(table)))


@dataclass(frozen=True, slots=True)
class _Asking:
    before: Schema
    after: Schema
    changed: frozenset[str]
    mark: str

    def about(self, table: Table) -> Iterator[Precondition]:
        """What the plan asks of the rows of one table."""
        was = self._steady(table.qualified)
        if was is None:
            return
        for column in table.columns:
            if self._was(was, column) and self._becomes_required(was, column):
                yield self._no_null(table, column)
        for constraint in table.constraints:
            if not any(_same(constraint, old) for old in was.constraints):
                yield from self._constraint(was, table, constraint)
        known = {index.definition for index in was.indexes if index.unique}
        for index in table.indexes:
            keys = _listed(index.definition, was)
            if index.unique and index.definition not in known and keys and self._were(was, table, keys):
                yield self._no_duplicates(table, keys)

    def _steady(self, qualified: str) -> Table | None:
        """A table as it was, if its rows and name stay what they are until the plan looks at them."""
        return None if qualified in self.changed else self.before.table(qualified)

    def _was(self, was: Table, column: Column) -> bool:
        """Whether the table had this column, of this type, and the plan leaves what is in it alone."""
        old = was.column(column.name)
        whole = f"{was.qualified}.{column.name}"
        return old is not None and old.type == column.type and not column.generated and whole not in self.changed

    def _were(self, was: Table, table: Table, names: Sequence[str]) -> bool:
        columns = [table.column(name) for name in names]
        return all(column is not None and self._was(was, column) for column in columns)

    def _becomes_required(self, was: Table, column: Column) -> bool:
        old = was.column(column.name)
        return old is not None and old.nullable and not column.nullable

    def _constraint(self, was: Table, table: Table, constraint: Constraint) -> Iterator[Precondition]:
        if constraint.kind == "check":
            yield from self._check(table, constraint)
        elif not constraint.columns or not self._were(was, table, constraint.columns):
            return
        elif constraint.kind in _KEYS and _listed(constraint.definition, was) == constraint.columns:
            yield self._no_duplicates(table, constraint.columns)
        elif constraint.kind == "foreign_key" and _is_checked(constraint):
            yield from self._no_orphans(table, constraint)

    def _check(self, table: Table, constraint: Constraint) -> Iterator[Precondition]:
        """What it looks at is not known here: a query that cannot be asked is dropped by who asks it."""
        touched = any(name.startswith(f"{table.qualified}.") for name in self.changed)
        if constraint.definition.startswith("CHECK (") and constraint.definition.endswith(")") and not touched:
            condition = constraint.definition.removeprefix("CHECK ")
            name = constraint.name or "a check"
            yield self._query(
                table.qualified, f"{name} is checked on {table.qualified}", f"{self._of(table)} WHERE NOT {condition}"
            )

    def _no_null(self, table: Table, column: Column) -> Precondition:
        what = f"{table.qualified}.{column.name}"
        return self._query(
            what, f"{what} takes no null any more", f"{self._of(table)} WHERE {self._quoted(column.name)} IS NULL"
        )

    def _no_duplicates(self, table: Table, names: Sequence[str]) -> Precondition:
        columns = [self._quoted(name) for name in names]
        given = " AND ".join(f"{column} IS NOT NULL" for column in columns)
        listed = ", ".join(columns)
        return self._query(
            table.qualified,
            f"{', '.join(names)} of {table.qualified} becomes unique",
            f"{self._of(table)} WHERE {given} GROUP BY {listed} HAVING count(*) > 1",
        )

    def _no_orphans(self, table: Table, constraint: Constraint) -> Iterator[Precondition]:
        parent = self._steady(str(constraint.refers_to).partition("(")[0])
        there = _listed(_referred(constraint.definition), parent) if parent else None
        if parent is None or not there or len(there) != len(constraint.columns):
            return
        pairs = [(self._quoted(a), self._quoted(b)) for a, b in zip(constraint.columns, there, strict=True)]
        given = " AND ".join(f"c.{mine} IS NOT NULL" for mine, _theirs in pairs)
        joined = " AND ".join(f"p.{theirs} = c.{mine}" for mine, theirs in pairs)
        yield self._query(
            table.qualified,
            f"{', '.join(constraint.columns)} of {table.qualified} refers to {parent.qualified}",
            f"{self._of(table)} AS c WHERE {given} AND NOT EXISTS (SELECT 1{self._of(parent)} AS p WHERE {joined})",
        )

    def _query(self, name: str, why: str, rest: str) -> Precondition:
        return Precondition(name, why, f"SELECT 1 AS found{rest}")

    def _of(self, table: Table) -> str:
        return f" FROM {self._quoted(table.schema)}.{self._quoted(table.name)}"

    def _quoted(self, name: str) -> str:
        return quoted(name, mark=self.mark)


def _same(one: Constraint, other: Constraint) -> bool:
    return (one.kind, one.columns, one.definition) == (other.kind, other.columns, other.definition)


def _is_checked(constraint: Constraint) -> bool:
    return "NOT VALID" not in constraint.definition and "NOT ENFORCED" not in constraint.definition


def _referred(definition: str) -> str:
    """From where a foreign key leads to to the end of the list of columns there."""
    head, bracket, _rest = definition.partition(" REFERENCES ")[2].partition(")")
    return head + bracket


def _listed(definition: str, table: Table) -> tuple[str, ...] | None:
    """The columns in the one pair of brackets at the end; None for anything that is not just columns by name."""
    head, _, inside = definition.rstrip().removesuffix(")").partition("(")
    if not definition.rstrip().endswith(")") or "(" in inside or " NULLS NOT DISTINCT" in head:
        return None
    names = tuple(part.strip('"') if part.startswith('"') else part for part in inside.split(", "))
    return names if all(table.column(name) for name in names) else None
