"""How do rows come back that no key tells apart? None has an address here: the table is written anew, at once."""

from __future__ import annotations

from mcp_migrate.dialects.keeper import Loss
from mcp_migrate.dialects.mysql.itself import CHECKED, UNCHECKED
from mcp_migrate.dialects.whole_rows import WholeRows
from mcp_migrate.drivers.mysql import quote

_ONCE = "UNION ALL SELECT NULL, 0"
"""Has MariaDB group a query once, instead of once for each row that it is joined to."""


class MysqlWholeRows(WholeRows):
    """The same, in one transaction for the whole table."""

    def _by_row(self, loss: Loss, place: str, row: str) -> tuple[str, ...]:
        """All are written anew in one transaction, each with what was kept of its like."""
        table, new = self.named(loss.table), self.beside(place)
        columns = [column for column in loss.table.columns if not column.generated]
        names = [f"m{i}" for i in range(1, len(columns) + 1)]
        there = ", ".join(f"{self.copied('t', column)} AS {name}" for name, column in zip(names, columns, strict=True))
        numbers = {column.name: f"u.o{i}" for i, column in enumerate(loss.columns, 1)}
        given = ", ".join(
            f"CASE WHEN u.r IS NULL THEN s.{name} ELSE {numbers[column.name]} END"
            if column.name in numbers
            else f"s.{name}"
            for name, column in zip(names, columns, strict=True)
        )
        rows = f"SELECT {there}, {row} AS r, row_number() OVER (PARTITION BY {row}) AS i FROM {table} AS t"  # noqa: S608  quoted
        pairs = f"({rows}) AS s LEFT JOIN {place} AS u ON u.r = s.r AND u.i = s.i"
        named, listed = ", ".join(quote(column.name) for column in columns), ", ".join(names)
        return (
            f"CREATE TABLE IF NOT EXISTS {new} ENGINE=InnoDB AS SELECT {there} FROM {table} AS t LIMIT 0",  # noqa: S608  quoted
            UNCHECKED,
            f"DELETE FROM {new}",  # noqa: S608  quoted
            f"INSERT INTO {new} ({listed}) SELECT {given} FROM {pairs}",  # noqa: S608  quoted
            f"DELETE t FROM {table} AS t WHERE EXISTS (SELECT 1 FROM {new} AS a)",  # noqa: S608  quoted
            f"INSERT INTO {table} ({named}) SELECT {listed} FROM {new}",  # noqa: S608  quoted
            CHECKED,
        )

    def _taken_out(self, loss: Loss, place: str, row: str) -> tuple[str, ...]:
        """What stays is put beside what comes back, and the table emptied: all of that is inserted next."""
        table, kept = self.named(loss.table), self.lost(loss)
        listed = ", ".join(f"{sql} AS {name}" for name, sql in kept.items())
        there = f"SELECT {row} AS r, row_number() OVER (PARTITION BY {row}) AS i, {listed} FROM {table} AS t"  # noqa: S608  quoted
        came = f"SELECT p.r AS r, count(*) AS n FROM {self.beside(place)} AS p GROUP BY 1 {_ONCE}"  # noqa: S608  quoted
        pairs = f"({there}) AS s LEFT JOIN ({came}) AS u ON u.r = s.r WHERE u.r IS NULL OR s.i > u.n"
        names = ", ".join(kept)
        stays = ", ".join(f"s.{name}" for name in kept)
        return (
            f"INSERT INTO {place} (r, i, {names}) SELECT s.r, 0, {stays} FROM {pairs}",  # noqa: S608  quoted
            f"DELETE t FROM {table} AS t WHERE (SELECT count(*) FROM {place} AS a) >= 0",  # noqa: S608  quoted
        )
