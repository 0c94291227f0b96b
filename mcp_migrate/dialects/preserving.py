"""Which SQL keeps rows and puts them back, in the words that databases share?

Where a statement changes rows, a second place (``_new``) holds what it made of them (``n1 …``), so that what was
written since can be told from what it wrote.
"""

from __future__ import annotations

from dataclasses import replace

from mcp_migrate.dialects.guards import SINCE, orphaned, taken
from mcp_migrate.dialects.keeper import Loss, Texts
from mcp_migrate.dialects.whole_rows import WholeRows
from mcp_migrate.schema.model import Column


class SqlKeeper(WholeRows):
    """What products have in common; each adds how it quotes, compares, locks and finds rows."""

    def texts(self, loss: Loss, *, key: str, n: int, later: bool) -> Texts | str:
        """The texts for a loss, or why it cannot be kept."""
        texts = self._texts(loss, key=key, n=n, later=later)
        if isinstance(texts, str) or not texts.back:
            return texts
        silent, loud = loss.silence
        return replace(texts, back=(*silent, *texts.back, *loud))

    def _texts(self, loss: Loss, *, key: str, n: int, later: bool) -> Texts | str:
        if loss.kind in {"columns", "values"} and any(map(self.fixed, loss.columns)):
            return f"the database itself makes the values of an identity column of {loss.table.qualified}"
        place = self.place(key, n)
        if loss.kind == "counter":
            return self.counter(loss, place)
        whole = {"table": self._all_rows, "emptied": self._all_rows, "exchanged": self._exchanged}
        if loss.kind in whole:
            return whole[loss.kind](loss, place, later=later)
        keys = self.keys(loss.table)
        if not keys:
            return self._without_key(loss, place, later=later)
        if loss.kind != "rows" and set(keys) & set(loss.columns):
            return f"{loss.table.qualified} loses what tells its rows apart"
        ways = {"columns": self._columns, "values": self._values, "rows": self._rows}
        return ways[loss.kind](loss, keys, place, later=later)

    def _all_rows(self, loss: Loss, place: str, *, later: bool) -> Texts:
        back = self.inserted(loss, place)
        guards = (
            *(() if later or loss.kind == "table" else taken(self, loss, place)),
            *orphaned(self, loss, place),
        )
        method = "all rows"
        return Texts(place, method, (*self.lock(loss.table), *self._copy(loss, (), place)), back=(back,), guards=guards)

    def _columns(self, loss: Loss, keys: tuple[Column, ...], place: str, *, later: bool) -> Texts:
        table = self.named(loss.table)
        back = self.changed(loss.table, self.given(loss, "u"), f"{place} AS u", self._match("u", keys))
        needed = [c.name for c in loss.columns if not c.nullable and c.default is None and not c.identity]
        guards = []
        if needed and not later:
            sql = f"SELECT 1 FROM {table} AS t WHERE NOT EXISTS ({self._one(place, 'u', keys)})"  # noqa: S608  quoted
            guards.append(
                (sql, f"{SINCE} have no value for {loss.table.qualified}.{needed[0]}, which may not be empty")
            )
        if not later:
            guards += orphaned(self, loss, place, f"EXISTS (SELECT 1 FROM {table} AS t WHERE {self._match('u', keys)})")  # noqa: S608  quoted
        before = (*self.lock(loss.table), *self._copy(loss, keys, place))
        return Texts(place, "primary key", before, back=(back,), guards=tuple(guards))

    def _values(self, loss: Loss, keys: tuple[Column, ...], place: str, *, later: bool) -> Texts:
        table, new, (column,) = self.named(loss.table), self.beside(place), loss.columns
        now = self.compared("t", column)
        after = self.made(new, {**self._keys(keys), "n1": now}, f"{table} AS t", keys)
        stays = f"SELECT 1 FROM {table} AS t WHERE {self._match('a', keys)} AND {self.same(now, 'a.n1')}"  # noqa: S608  quoted
        first = () if later else (self.without(new, "a", f"NOT EXISTS ({stays})"),)
        ours = f"SELECT 1 FROM {new} AS a WHERE {self._match('a', keys)}"  # noqa: S608  quoted
        match = f"{self._match('u', keys)} AND EXISTS ({ours})"
        back = self.changed(loss.table, self.given(loss, "u"), f"{place} AS u", match)
        before = (*self.lock(loss.table), *self._copy(loss, keys, place))
        return Texts(place, "primary key", before, after, first, (back,))

    def _rows(self, loss: Loss, keys: tuple[Column, ...], place: str, *, later: bool) -> Texts:
        table, new, lost = self.named(loss.table), self.beside(place), loss.columns
        unchanged = " AND ".join(self.same(self.copied("t", c), f"u.o{i}", c) for i, c in enumerate(lost, 1))
        still = f"SELECT 1 FROM {table} AS t WHERE {self._match('u', keys)} AND {unchanged}"  # noqa: S608  quoted
        values = {f"n{i}": self.copied("t", column) for i, column in enumerate(lost, 1)}
        kept = {f"k{i}": f"u.k{i}" for i in range(1, len(keys) + 1)}
        pair = f"{place} AS u JOIN {table} AS t ON {self._match('u', keys)}"
        after = (
            self.without(place, "u", f"EXISTS ({still})"),
            *self.made(new, {**kept, **values}, pair, keys),
        )
        gone = f"NOT EXISTS (SELECT 1 FROM {new} AS a WHERE {self._paired('a', 'u', keys)})"  # noqa: S608  quoted
        goes = set(keys) <= set(lost)  # an UPDATE is kept without the keys, which it does not write: no row goes
        again = f"SELECT 1 FROM {pair} WHERE {gone}"  # noqa: S608  quoted
        why = f"{SINCE} have the keys of rows of {loss.table.qualified} that were deleted"
        guards = [(again, why)] if goes and not later else []
        guards += orphaned(self, loss, place, gone) if goes else ()
        back = [self._merged(loss, keys, place)]
        if goes:
            back.insert(0, f"{self.inserted(loss, place)} WHERE {gone}")
        before = (*self.lock(loss.table), *self._copy(loss, keys, place))
        return Texts(place, "primary key", before, after, (), tuple(filter(None, back)), tuple(guards))

    def _merged(self, loss: Loss, keys: tuple[Column, ...], place: str) -> str:
        """Of rows that stayed, each value that nobody wrote since."""
        merged = {
            self.quote(c.name): f"CASE WHEN {self.same(self.copied('t', c), f'a.n{i}', c)} "
            f"THEN {self.thawed(f'u.o{i}', c)} ELSE t.{self.quote(c.name)} END"
            for i, c in enumerate(loss.columns, 1)
            if c not in keys and not self.fixed(c)
        }
        pair = f"{place} AS u JOIN {self.beside(place)} AS a ON {self._paired('a', 'u', keys)}"
        return self.changed(loss.table, merged, pair, self._match("u", keys)) if merged else ""
