"""Counts rows. It has nothing to declare: it answers."""

from __future__ import annotations

from mcp_migrate.handlers import Answer, Arguments, Handler, Preparing


class Tables(Arguments):
    """As in `parameters` of the spec."""

    tables: tuple[str, ...]


class CountRows(Handler[Tables]):
    """One read for each table, of those that a scope covers."""

    def prepare(self, context: Preparing, arguments: Tables) -> Answer:
        """All counts are of one moment where the database has such: they are read in one session."""
        counted = {}
        for done, table in enumerate(arguments.tables):
            context.progress(done, len(arguments.tables), f"counting {table}")
            [row] = context.read("SELECT count(*) AS counted FROM {table:table}", {"table": table})
            counted[table] = row["counted"]
        return Answer(result={"target": context.target, "rows": counted})
