"""What is in the way of keeping what a statement does to a table, and which of its columns does it write?"""

from __future__ import annotations

from mcp_migrate.dialects.keeper import Kind
from mcp_migrate.migrations.walk import Look
from mcp_migrate.model import Statement
from mcp_migrate.rules.interface import Finding
from mcp_migrate.schema.model import Table
from mcp_migrate.schema.pairing import refers

KINDS: dict[str, Kind] = {
    "drop-column": "columns",
    "change-column-type": "values",
    "delete-rows": "rows",
    "update-rows": "rows",
    "overwrite-rows": "rows",
    "drop-reaches-rows": "rows",
    "truncate": "emptied",
    "drop-table": "table",
    "drop-schema": "table",
    "drop-sequence": "counter",
}
_ASSIGNS = frozenset({"update-rows", "overwrite-rows"})


def written(look: Look, finding: Finding, statement: Statement, table: Table) -> frozenset[str]:
    """The columns of which values are lost where rows change or go."""
    every = frozenset(column.name for column in table.columns)
    if finding.rule.id != "update-rows":
        return every
    named = assigned(look, statement, table.qualified) or frozenset()
    if nameless(look, finding, statement, table):
        return every if every & named else frozenset()
    return named | _following(table)


def nameless(look: Look, finding: Finding, statement: Statement, table: Table) -> bool:
    """Whether no key tells which row is which before and after: there is none, or the statement writes it."""
    keys = {column.name for column in look.keeper.keys(table)}
    named = assigned(look, statement, table.qualified) if finding.rule.id in _ASSIGNS else None
    return not keys or bool(keys & (named or frozenset()))


def assigned(look: Look, statement: Statement, qualified: str) -> frozenset[str] | None:
    """The columns of this very table that an UPDATE assigns, in the table's own spelling; None where nobody knows."""
    assigned = look.keeper.sets(statement.sql)
    table = look.tables[qualified]
    fold = look.keeper.folded
    if assigned is None or fold(assigned[0]) != fold(qualified):
        return None
    spelt = {fold(name): name for name in (*(column.name for column in table.columns), *look.added(qualified))}
    return frozenset(spelt.get(fold(name), name) for name in assigned[1])


def _following(table: Table) -> frozenset[str]:
    """The columns that the database itself writes with each change of a row: MySQL has such."""
    return frozenset(c.name for c in table.columns if any(option.startswith("on update ") for option in c.options))


def hindrance(look: Look, finding: Finding, statement: Statement, qualified: str, table: Table | None) -> str | None:
    """Why what a statement takes from a table cannot be kept; None where it can."""
    if qualified in look.moved or table is None:
        return f"{qualified} is not known, or was renamed or moved by this plan"
    whole = finding.rule.id == "drop-table"  # of a partition that goes the rows are its own alone
    if table.kind not in {"table", "partitioned", "partitioned table"} or (
        not whole and any("child of" in option for option in table.options)
    ):
        return f"rows of {qualified} are not kept: it is no plain table"
    if statement.batches and not statement.transactional:
        return f"rows of {qualified} change in batches, between which others may change them too"
    if any(line.startswith(f"rows of {qualified}: ") for line in look.schema.unseen):
        return f"not all rows of {qualified} can be seen by the role that applies"
    if why := _acts(look, finding, table):
        return why
    return _unclear(look, finding, statement, table) if KINDS.get(finding.rule.id) == "rows" else None


def _acts(look: Look, finding: Finding, table: Table) -> str | None:
    """Why triggers or rules would act on what is put back: of a dropped column they can be kept from it."""
    if finding.rule.id == "drop-column":
        silence = look.keeper.silenced(table, look.schema)
        return silence if isinstance(silence, str) else None
    acts = look.keeper.folded(table.qualified) in look.acting
    return f"a trigger or rule of {table.qualified} would act again when its rows are put back" if acts else None


def _unclear(look: Look, finding: Finding, statement: Statement, table: Table) -> str | None:
    """Why rows that change or go could not be told from others, or not be written anew."""
    if finding.rule.id in _ASSIGNS and assigned(look, statement, table.qualified) is None:
        return f"which columns of {table.qualified} it writes is not known"
    fold = look.keeper.folded
    referring = [
        each.qualified
        for each in look.tables.values()
        for constraint in each.constraints
        if constraint.kind == "foreign_key" and fold(refers(constraint, each)) == fold(table.qualified)
    ]
    if referring and nameless(look, finding, statement, table):
        return f"rows of {referring[0]} refer to those of {table.qualified}, which no key tells apart before and after"
    return None
