"""How are rows told apart that no key tells apart? By all that is in them, and by their number.

Rows that are alike can be exchanged without a difference: it is enough to bring back as many of them as went.
"""

from __future__ import annotations

from mcp_migrate.dialects.guards import orphaned, taken
from mcp_migrate.dialects.keeper import Loss, Texts
from mcp_migrate.dialects.wording import Wording

_METHOD = "whole rows"


class WholeRows(Wording):
    """The texts for tables without a primary key, and for rows whose key is written."""

    def _without_key(self, loss: Loss, place: str, *, later: bool) -> Texts | str:
        """A column that is dropped: rows are told apart by all that stays of them."""
        named = loss.table.qualified
        if loss.kind != "columns" or later:
            return f"nothing tells the rows of {named} apart: it has no primary key"
        rest = [c for c in loss.table.columns if c not in loss.columns and not c.generated]
        row = self.whole("t", rest)
        return Texts(
            place,
            _METHOD,
            (*self.lock(loss.table), *self.made(place, {**_counted(row), **self.lost(loss)}, self.source(loss))),
            back=self._by_row(loss, place, row),
            guards=(self._fewer(loss, place, row),),
        )

    def _exchanged(self, loss: Loss, place: str, *, later: bool) -> Texts:
        """Rows that go, and others that come in their place: kept are those that went, and which ones came."""
        row, new = self.whole("t", loss.columns), self.beside(place)
        every = _counted(row)
        there = f"(SELECT {_listed(every)} FROM {self.named(loss.table)} AS t) AS s"  # noqa: S608  quoted
        came = f"{there} LEFT JOIN {place} AS u ON u.r = s.r AND u.i = s.i WHERE u.r IS NULL"
        ours = f"EXISTS (SELECT 1 FROM {new} AS a WHERE a.r = {row})"  # noqa: S608  quoted
        return Texts(
            place,
            _METHOD,
            (*self.lock(loss.table), *self.made(place, {**every, **self.lost(loss)}, self.source(loss))),
            after=(
                *self.made(new, {"r": "s.r", "i": "s.i"}, came),
                self.without(place, "u", f"(u.r, u.i) IN (SELECT s.r, s.i FROM {there})"),  # noqa: S608  quoted
            ),
            back=(*self._taken_out(loss, place, row), self.inserted(loss, place)),
            guards=(
                *(() if later else (self._fewer(loss, new, row), *taken(self, loss, place, but=ours))),
                *orphaned(self, loss, place),
            ),
        )

    def _fewer(self, loss: Loss, place: str, row: str) -> tuple[str, str]:
        """Whether there are fewer rows like those of a place than are in it: somebody changed them since."""
        counted = f"SELECT {row} AS r, count(*) AS n FROM {self.named(loss.table)} AS t GROUP BY 1"  # noqa: S608  quoted
        ours = f"SELECT p.r, count(*) AS n FROM {place} AS p GROUP BY 1"  # noqa: S608  quoted
        sql = f"SELECT 1 FROM ({ours}) AS u LEFT JOIN ({counted}) AS s ON s.r = u.r WHERE s.n IS NULL OR s.n < u.n"  # noqa: S608  quoted
        return sql, f"rows of {loss.table.qualified}, which no key tells apart, are not what the apply left"

    def _taken_out(self, loss: Loss, place: str, row: str) -> tuple[str, ...]:
        """Of the rows that came as many as came, whichever of those that are alike."""
        table, finds = self.named(loss.table), self.finds(loss.table)
        number = f"row_number() OVER (PARTITION BY {row}) AS i"
        there = f"SELECT {finds} AS place, {row} AS r, {number} FROM {table} AS t"  # noqa: S608  quoted
        came = f"SELECT p.r, count(*) AS n FROM {self.beside(place)} AS p GROUP BY 1"  # noqa: S608  quoted
        found = f"SELECT s.place FROM ({there}) AS s JOIN ({came}) AS u ON u.r = s.r WHERE s.i <= u.n"  # noqa: S608  quoted
        return (f"DELETE FROM {table} AS t WHERE {finds} IN ({found})",)  # noqa: S608  quoted

    def _by_row(self, loss: Loss, place: str, row: str) -> tuple[str, ...]:
        """Give each row the values of the one that was like it, the first to the first."""
        table, finds = self.named(loss.table), self.finds(loss.table)
        kept = ", ".join(f"u.o{i}" for i in range(1, len(loss.columns) + 1))
        first = f"row_number() OVER (PARTITION BY {row}) AS i"
        there = f"SELECT {finds} AS place, {row} AS r, {first} FROM {table} AS t"  # noqa: S608  quoted
        pairs = f"SELECT s.place, {kept} FROM ({there}) AS s JOIN {place} AS u ON u.r = s.r AND u.i = s.i"  # noqa: S608  quoted
        return (self.changed(loss.table, self.given(loss, "x"), f"({pairs}) AS x", f"{finds} = x.place"),)


def _counted(row: str) -> dict[str, str]:
    """The text of a row, and the how manieth of those that are alike it is."""
    return {"r": row, "i": f"row_number() OVER (PARTITION BY {row})"}


def _listed(what: dict[str, str]) -> str:
    return ", ".join(f"{sql} AS {name}" for name, sql in what.items())
