"""How does a plan keep what it loses, and how does its way back bring that back?

Statements of ours go into the frozen plan, just before and after those that lose data, and into the way back; they
are judged and signed with the rest. What cannot be kept is said, and nothing is kept by halves: a way back that does
not restore the schema restores no data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from mcp_migrate.dialects.keeper import Keeper, Loss, Readd, Texts
from mcp_migrate.migrations.disturbing import disturbed, needed
from mcp_migrate.migrations.losses import Losses, losses
from mcp_migrate.migrations.parking import Yard, come_back
from mcp_migrate.migrations.walk import Lost
from mcp_migrate.model import Kept, Plan, Reverse, Statement, Undo, digest
from mcp_migrate.schema import Schema


@dataclass(frozen=True, slots=True)
class Keeping:
    """How much undo data a plan may keep of one table, and for how many seconds.

    What is dropped of a table with more rows than `park` is moved aside instead of copied.
    """

    rows: int = 1_000_000
    seconds: float = 14 * 86_400.0
    park: int | None = None

    def parks(self, rows: int) -> bool:
        """Whether what is dropped of a table with so many rows is parked; where nothing may be kept, nothing is."""
        return self.park is not None and self.rows > 0 and rows > min(self.park, self.rows)


@dataclass(frozen=True, slots=True)
class Target:
    """What has to be known of the target: how many rows tables hold, whose undo data is there, and a place for it."""

    count_rows: Callable[[Iterable[str]], Mapping[str, int]]
    keys: frozenset[str] = frozenset()
    present: bool = False


def protect(plan: Plan, schema: Schema, keeper: Keeper | None, keeping: Keeping, target: Target) -> Plan:
    """The plan with everything it loses kept, and its way back with all of that put back; or why not."""
    from mcp_migrate.rules import findings  # parsers load with the first plan

    found = findings(plan.statements, dialect=plan.dialect, schema=schema)
    if keeper is None:
        return replace(plan, undo=_without(plan, found))
    seen = losses(plan.statements, found, schema, keeper)
    if not seen.lost and not seen.why_not:
        return replace(plan, undo=Undo(""))
    why_not = _useless(plan)
    if why_not or not seen.lost:
        return replace(plan, undo=Undo("", why_not=(*why_not, *seen.why_not)))
    key = _key(plan, target.keys)
    yard = Yard(keeper, key, schema, found, plan.reverse.statements)
    return _Weaving(plan, keeper, keeping, key, _depths(schema), yard).plan(seen, target)


def _without(plan: Plan, found: Sequence[Sequence[object]]) -> Undo:
    from mcp_migrate.model import Effect
    from mcp_migrate.rules.interface import effects_of

    loses = {Effect.DESTRUCTIVE, Effect.UNKNOWN} & {e for each in found for e in effects_of(each)}  # type: ignore[arg-type]
    return Undo("", why_not=(f"undo data is not kept on {plan.dialect} yet",) if loses else ())


def _useless(plan: Plan) -> tuple[str, ...]:
    if not plan.reverse.available:
        return (f"there is no way back: {plan.reverse.why_not}",)
    if not plan.reverse.restores_schema:
        return ("the downgrade does not bring the schema back",)
    return ()


def _key(plan: Plan, taken: frozenset[str]) -> str:
    """A name for the undo data of a plan that no other on this target has."""
    frozen = [statement.frozen() for statement in plan.statements]
    for salt in range(len(taken) + 1):
        key = digest([plan.target, plan.base_fingerprint, frozen, salt]).removeprefix("sha256:")[:12]
        if key not in taken:
            break
    return key


@dataclass(frozen=True, slots=True)
class _One:
    """One loss with its texts; of what is parked, how many rows the table holds."""

    lost: Lost
    texts: Texts
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class _Weaving:
    plan_: Plan
    keeper: Keeper
    keeping: Keeping
    key: str
    depths: Mapping[str, int]
    yard: Yard

    def plan(self, seen: Losses, target: Target) -> Plan:
        """Put the statements in."""
        counted = {each.loss.table.qualified for each in seen.lost if each.loss.kind != "counter"}
        rows = target.count_rows(sorted(counted)) if counted else {}
        why_not = [*seen.why_not]
        kept: list[_One] = []
        for each in seen.lost:
            texts = self._texts(each, rows.get(each.loss.table.qualified, 0))
            if isinstance(texts, str):
                why_not.append(texts)
            else:
                kept += texts
        written = disturbed(self.plan_, [one.lost.loss for one in kept]) | self._at_once(kept)
        kept = [one for one in kept if one.lost.loss.table.qualified not in written]
        why_not += written.values()
        undo = Undo(self.key, self._places(kept), tuple(dict.fromkeys(why_not)), self.keeping.seconds)
        if not kept:
            return replace(self.plan_, undo=Undo("", why_not=undo.why_not))
        opening = self._opened(self.keeper.opening(present=target.present), kept)
        woven, starts = self._forward(kept, undo)
        statements = _numbered([*opening, *woven])
        moved = {old.n: len(opening) + start + 1 for old, start in zip(self.plan_.statements, starts, strict=True)}
        reads = tuple(replace(read, before=moved.get(read.before, len(statements) + 1)) for read in self.plan_.reads)
        return replace(self.plan_, statements=statements, reads=reads, reverse=self._back(kept), undo=undo)

    def _texts(self, lost: Lost, rows: int) -> list[_One] | str:
        table, number = lost.loss.table, 2 * lost.number - 1
        parked = self.yard.park(lost, number) if self.keeping.parks(rows) else ""
        if not isinstance(parked, str):
            return [_One(replace(lost, loss=loss), texts, rows) for loss, texts in parked]
        if rows > self.keeping.rows:
            more = f"{table.qualified} holds {_about(rows)} rows, more than the {self.keeping.rows} kept"
            return f"{more}, and cannot be parked: {parked}" if parked else more
        texts = self.keeper.texts(lost.loss, key=self.key, n=number, later=lost.later)
        if isinstance(texts, str):
            return texts
        counters = self.keeper.counters(lost.loss, key=self.key, n=number + 1)
        return [_One(lost, each) for each in (texts, counters) if each is not None]

    def _at_once(self, kept: Sequence[_One]) -> dict[str, str]:
        """Tables that lost a column and then went, and that come back in one step: their rows have no value for it."""
        texts = [statement.sql for statement in self.plan_.reverse.statements]
        gone = {one.lost.loss.table.qualified for one in kept if one.lost.loss.kind == "table"}
        late = (one.lost.loss for one in kept if one.lost.loss.table.qualified in gone)
        names = [loss.table.qualified for loss in late if needed(loss) and self._readd(texts, loss) is None]
        return {name: f"{name} loses a column, then goes, and comes back in one step" for name in names}

    def _places(self, kept: Sequence[_One]) -> tuple[Kept, ...]:
        return tuple(
            Kept(
                one.lost.loss.table.qualified,
                tuple(column.name for column in one.lost.loss.columns),
                one.texts.method,
                one.texts.place,
                one.texts.ends,
            )
            for one in kept
        )

    def _opened(self, texts: Sequence[str], kept: Sequence[_One]) -> list[Statement]:
        revision = self.plan_.statements[min(one.lost.at for one in kept)].revision
        return [self._ours("preserve", sql, revision) for sql in texts]

    def _forward(self, kept: Sequence[_One], undo: Undo) -> tuple[list[Statement], list[int]]:
        """The statements with ours around them, and where each of the plan's own begins, with ours before it."""
        before, after = self._around(kept, undo)
        statements: list[Statement] = []
        starts: list[int] = []
        for at, statement in enumerate(self.plan_.statements):
            starts.append(len(statements))
            statements += [self._ours("preserve", sql, statement.revision) for sql in before.get(at, ())]
            statements.append(statement)
            statements += [self._ours("preserve", sql, statement.revision) for sql in after.get(at, ())]
        return statements, starts

    def _around(self, kept: Sequence[_One], undo: Undo) -> tuple[dict[int, list[str]], dict[int, list[str]]]:
        """By the number of a statement, what is sent before it, and after it."""
        before: dict[int, list[str]] = {}
        after: dict[int, list[str]] = {}
        for at in dict.fromkeys(one.lost.at for one in kept):
            here = [(one, place) for one, place in zip(kept, undo.kept, strict=True) if one.lost.at == at]
            opens, closes = self.keeper.around([one.texts for one, _place in here])
            before[at] = [*opens, *(sql for one, _place in here for sql in one.texts.before)]
            ends = after.setdefault(here[0][0].lost.end - 1, [])
            for one, place in here:
                rows = None if one.rows is None else _rounded(one.rows)
                noted = self.keeper.noted(place, key=self.key, seconds=self.keeping.seconds, rows=rows)
                ends += [*one.texts.after, noted]
            ends += closes
        return before, after

    def _back(self, kept: Sequence[_One]) -> Reverse:
        reverse = self.plan_.reverse
        revision = reverse.statements[0].revision if reverse.statements else "undo"
        guards = [
            replace(self._ours("restore", sql, revision), guard=why) for one in kept for sql, why in one.texts.guards
        ]
        first = [self._ours("restore", sql, revision) for one in kept for sql in one.texts.first]
        middle, rest = self._woven(list(reverse.statements), kept)
        back = [self._ours("restore", sql, revision) for one in self._ordered(rest) for sql in one.texts.back]
        places = [(one.texts.place, bool(one.texts.after)) for one in kept if not one.texts.ends]
        spent = [self._ours("restore", sql, revision) for sql in self.keeper.spent(self.key, places)]
        return replace(reverse, statements=_numbered([*guards, *first, *middle, *back, *spent]))

    def _woven(self, statements: list[Statement], kept: Sequence[_One]) -> tuple[list[Statement], list[_One]]:
        """Put back what cannot wait for the end; the rest is given back.

        A table has its rows again as soon as it is there, and a column that takes no null has its values while it is
        added; rows that went after that column did come first.
        """
        rest = list(kept)
        for one in kept:
            if one.texts.ends:
                come_back(statements, one.lost.loss, one.texts, self.keeper)
        for one in self._ordered([one for one in kept if not one.texts.ends]):
            readd = self._readd([statement.sql for statement in statements], one.lost.loss)
            if readd is None or one not in rest:
                continue
            now = [each for each in self._ordered(rest) if _before(each, one)]
            rest = [each for each in rest if each not in now and each.lost is not one.lost]
            like = statements[readd.at]
            rows, filled = (
                [self._ours("restore", sql, like.revision) for each in them for sql in each.texts.back]
                for them in (now, [each for each in kept if each.lost is one.lost])
            )
            before, after = ([replace(like, sql=sql) for sql in texts] for texts in (readd.before, readd.after))
            statements[readd.at : readd.at + readd.length] = [*rows, *before, *filled, *after]
        return statements, rest

    def _ours(self, kind: Literal["preserve", "restore"], sql: str, revision: str) -> Statement:
        return Statement(0, revision, sql, transactional=not self.keeper.commits(sql), kind=kind)

    def _readd(self, texts: Sequence[str], loss: Loss) -> Readd | None:
        if loss.kind == "table":
            return self.keeper.readd(texts, loss.table, None)
        column = next(iter(needed(loss)), None) if len(loss.columns) == 1 else None
        return None if column is None else self.keeper.readd(texts, loss.table, column)

    def _ordered(self, kept: Sequence[_One]) -> list[_One]:
        """The last loss first; of one statement, tables after those they refer to."""
        return sorted(kept, key=lambda one: (-one.lost.at, self.depths.get(one.lost.loss.table.qualified, 0)))


def _before(one: _One, column: _One) -> bool:
    """Whether rows were taken from the table after it lost this column."""
    same = one.lost.loss.table.qualified == column.lost.loss.table.qualified
    return same and one.lost.at > column.lost.at and one.lost.loss.kind in {"rows", "emptied"}


def _depths(schema: Schema) -> dict[str, int]:
    """How many steps lead from each table to one that refers to none: rows come back after those they refer to."""
    refers = {
        t.qualified: {c.refers_to.partition("(")[0] for c in t.constraints if c.refers_to} - {t.qualified}
        for t in schema.tables
    }
    depths: dict[str, int] = {}
    for depth in range(len(refers) + 1):
        ready = [
            name for name, to in refers.items() if name not in depths and all(n in depths for n in to & set(refers))
        ]
        if not ready:
            break
        depths |= dict.fromkeys(ready, depth)
    return {name: depths.get(name, len(refers)) for name in refers}


def _numbered(statements: Iterable[Statement]) -> tuple[Statement, ...]:
    return tuple(replace(statement, n=n) for n, statement in enumerate(statements, 1))


def _about(rows: int) -> str:
    """Two digits are enough: a plan stays the same plan while its tables grow a little."""
    return f"about {_rounded(rows):,}"


def _rounded(rows: int) -> int:
    digits = str(rows)
    return int(digits[:2].ljust(len(digits), "0"))
