"""Fills the empty values of a column in batches, and tells how far it is."""

from __future__ import annotations

from typing import Any

from mcp_migrate.handlers import Answer, Arguments, Declaration, Executing, Handler, Preparing, Statement

EMPTY = "SELECT count(*) AS rows FROM {table:table} WHERE {column:identifier} IS NULL"
BATCH = (
    "UPDATE {table:table} SET {column:identifier} = {value} WHERE {column:identifier} IS NULL AND {key:identifier} IN "
    "(SELECT {key:identifier} FROM {table:table} WHERE {column:identifier} IS NULL LIMIT {rows})"
)


class Backfill(Arguments):
    """As in `parameters` of the spec."""

    table: str
    key: str
    column: str
    value: str | int | float | bool
    rows: int

    def values(self, *names: str) -> dict[str, Any]:
        """Those that a statement has places for."""
        return {name: getattr(self, name) for name in names}


class BackfillColumn(Handler[Backfill]):
    """Each batch is a transaction of its own. To run one more of them does no harm, so that it can go on anywhere."""

    def prepare(self, context: Preparing, arguments: Backfill) -> Declaration | Answer:
        """Count what is empty, for the progress alone."""
        [empty] = context.read(EMPTY, arguments.values("table", "column"))
        if not empty["rows"]:
            return Answer(result={"filled": 0}, summary="nothing is empty")
        values = arguments.values("table", "column", "key", "value", "rows")
        return Declaration(
            statements=(Statement(sql=BATCH, values=values, batches=True),),
            rollback=(),
            summary=f"fills {arguments.column} of {arguments.table} where it is empty, {arguments.rows} rows at a time",
            notes={"empty": empty["rows"]},
        )

    def execute(self, context: Executing, arguments: Backfill) -> None:
        """Until a batch finds nothing."""
        [batch] = context.statements
        filled = 0
        while touched := context.execute(batch):
            filled += touched
            context.progress(filled, max(filled, context.notes["empty"]), f"rows of {arguments.table} filled")
        context.log("column filled", table=arguments.table, column=arguments.column, rows=filled)
