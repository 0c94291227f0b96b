"""Is this run of statements one change: a table made again, filled from the old one, and put in its place?

SQLite alters little, so tools build the table anew: Alembic's batch mode creates, copies, drops and renames; others
rename, create, copy and drop. Names prove nothing here. Each statement is judged alone first; only when SQLite says
that all rows were copied from the very table that was dropped, and that the new one stands where the old one stood,
is the run told as the difference between the two. Anything else keeps what was said of each statement.
"""

from __future__ import annotations

import sqlite3 as lite
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from mcp_migrate.model import Effect, Statement
from mcp_migrate.rules.context import Made
from mcp_migrate.rules.interface import Finding, effects_of, found
from mcp_migrate.rules.sqlite import rebuilds, second, table
from mcp_migrate.rules.sqlite.clone import Action, Clone, CloneError, quoted
from mcp_migrate.rules.sqlite.copying import Copy, copied
from mcp_migrate.rules.sqlite.facts import Facts, facts
from mcp_migrate.rules.sqlite.rebuilt import differences

_MAKE_FIRST = ("CREATE", "INSERT", "DROP", "ALTER")
_MOVE_FIRST = ("ALTER", "CREATE", "INSERT", "DROP")
_MADE = {lite.SQLITE_CREATE_INDEX: "index", lite.SQLITE_CREATE_TRIGGER: "trigger"}
_ROWS = frozenset({lite.SQLITE_INSERT, lite.SQLITE_UPDATE, lite.SQLITE_DELETE})
LENGTH = 4

Plain = Callable[[Statement], list[Finding]]
"""What a statement does, judged alone; it is applied to the copy."""

_NAMES = {
    lite.SQLITE_CREATE_TABLE: lambda a: a.first,
    lite.SQLITE_DROP_TABLE: lambda a: a.first,
    lite.SQLITE_ALTER_TABLE: lambda a: a.second,
}


@dataclass(slots=True)
class _Seen:
    """What was seen on the way: the table each word named, the copy, the table as it was, and the plain findings."""

    named: dict[str, str] = field(default_factory=dict)
    copy: Copy | None = None
    old: Facts | None = None
    new: Facts | None = None
    plain: list[list[Finding]] = field(default_factory=list)
    ours: bool = False
    reached: tuple[str, ...] = ()


def may_begin(statements: Sequence[Statement]) -> bool:
    """Whether the first words allow it; they prove nothing."""
    words = tuple(
        statement.sql.split(maxsplit=1)[0].upper() if statement.sql.strip() else "" for statement in statements
    )
    plain = all(s.kind == "change" and not s.parameters for s in statements)
    return plain and words in {_MAKE_FIRST, _MOVE_FIRST}


def told(statements: Sequence[Statement], at: int, clone: Clone, made: Made, plain: Plain) -> list[list[Finding]]:
    """The findings on the four statements that start at `at`, and on the indexes and triggers made again after them."""
    four = statements[at : at + LENGTH]
    before, working = clone.objects(), _working_views(clone)
    seen = _watch(four, clone, made, plain)
    change = _proven(seen, before, clone)
    if change is None:
        return seen.plain
    copy, old, new = change
    where = f"main.{old.name}"
    made.forget("table", old.name.lower())
    part = [found(rebuilds.PART, where)]
    if seen.ours:
        made.add("table", ("main", old.name.lower()))
        return [[found(rebuilds.REBUILD_NEW, where)], *([part] * (LENGTH - 1))]
    after = _made_again(statements[at + LENGTH :], old, copy, clone, plain)
    story = [found(rebuilds.REBUILD, where), *differences(where, old, new, copy), *_lost(old, clone)]
    story += [found(rebuilds.REACHED, f"main.{other}") for other in seen.reached]
    story += _elsewhere_changed(before, clone, old.name)
    story += [
        found(rebuilds.BROKEN_VIEW, f"main.{view}", of=old.name) for view in sorted(working - _working_views(clone))
    ]
    if not effects_of(story):
        story.append(found(rebuilds.REBUILD_SAME, where))
    return [story, *([part] * (LENGTH - 1)), *after]


def _watch(four: Sequence[Statement], clone: Clone, made: Made, plain: Plain) -> _Seen:
    seen = _Seen()
    for statement in four:
        word = statement.sql.split(maxsplit=1)[0].upper()
        if word == "INSERT":
            seen.copy = copied(statement.sql, clone)
            seen.new = facts(clone, seen.copy.target) if seen.copy else None
            _meet(seen, seen.copy.source if seen.copy else "", clone, made)
        else:
            actions = _asked(statement.sql, clone)
            seen.named[word] = next((_NAMES[a.code](a) for a in actions if a.code in _NAMES), "").lower()
            if word == "ALTER":
                _meet(seen, seen.named[word], clone, made)
            elif word == "DROP":
                seen.reached = _reached(actions, seen)
        seen.plain.append(plain(statement))
    return seen


def _meet(seen: _Seen, name: str, clone: Clone, made: Made) -> None:
    """Look at the old table, where it is first named."""
    if seen.old is None:
        seen.old, seen.ours = facts(clone, name), made.has("table", ("main", name.lower()))


def _reached(actions: list[Action], seen: _Seen) -> tuple[str, ...]:
    """The tables whose rows a foreign key changes; the new table has the old one's name by then."""
    source, target = (seen.copy.source.lower(), seen.copy.target.lower()) if seen.copy else ("", "")
    rows = [
        a.first for a in actions if a.code in _ROWS and a.first.lower() != source and not a.first.startswith("sqlite_")
    ]
    name = seen.old.name if seen.old else ""
    return tuple(dict.fromkeys(name if row.lower() == target else row for row in rows))


def _asked(sql: str, clone: Clone) -> list[Action]:
    try:
        return clone.ask(sql)
    except CloneError:
        return []


def _proven(
    seen: _Seen, before: dict[tuple[str, str], tuple[str, str]], clone: Clone
) -> tuple[Copy, Facts, Facts] | None:
    """The copy, the old table and the new one, where SQLite says that it all is one change."""
    copy, old, new = seen.copy, seen.old, seen.new
    if copy is None or old is None or new is None:
        return None
    if any(not findings or Effect.UNKNOWN in effects_of(findings) for findings in seen.plain):
        return None
    source, target, name = copy.source.lower(), copy.target.lower(), old.name.lower()
    renamed = target if name == source else name
    steps = (seen.named["CREATE"], seen.named["DROP"], seen.named["ALTER"])
    if source == target or steps != (target, source, renamed) or (target != name and ("table", target) in before):
        return None
    now, tables = facts(clone, name), {key for key in clone.objects() if key[0] == "table"}
    stands = now is not None and now.columns == new.columns and tables == {key for key in before if key[0] == "table"}
    return (copy, old, new) if stands else None


def _made_again(rest: Sequence[Statement], old: Facts, copy: Copy, clone: Clone, plain: Plain) -> list[list[Finding]]:
    """The indexes and triggers that are made at once after it: those that were there before are part of it."""
    names = {filled.column.lower(): name for name, filled in copy.filled.items() if filled.column}
    was = {("index", name): _renamed(index, names) for name, index in old.indexes.items()}
    was |= {("trigger", name): words for name, words in old.triggers.items()}
    after = []
    for statement in rest:
        made = _on_table(statement.sql, old.name, clone) if statement.kind == "change" else None
        if made is None:
            break
        findings = plain(statement)
        same = made in was and was[made] == _now(made, old.name, clone) and Effect.UNKNOWN not in effects_of(findings)
        after.append([found(rebuilds.PART, f"main.{old.name}")] if same else findings)
    return after


def _now(made: tuple[str, str], name: str, clone: Clone) -> tuple[object, ...] | None:
    now = facts(clone, name)
    if now is None:
        return None
    return now.indexes.get(made[1]) if made[0] == "index" else now.triggers.get(made[1])


def _renamed(index: tuple[object, ...], names: dict[str, str]) -> tuple[object, ...]:
    """An index as it is after its columns were renamed; what it computes keeps its words."""
    return tuple((names.get(str(k[0]).lower(), k[0]), *k[1:]) if isinstance(k, tuple) else k for k in index)


def _on_table(sql: str, name: str, clone: Clone) -> tuple[str, str] | None:
    """Which index or trigger of the table `name` a statement makes."""
    if second.first_word(sql) != "CREATE":
        return None
    actions = _asked(sql, clone)
    if any(a.code in {lite.SQLITE_CREATE_TABLE, lite.SQLITE_CREATE_VTABLE} for a in actions):
        return None
    made = (a for a in actions if a.code in _MADE and _is_on(a, name))
    return next(((_MADE[a.code], a.first.lower()) for a in made), None)


def _is_on(action: Action, name: str) -> bool:
    return action.database == "main" and action.second.lower() == name.lower()


def _lost(old: Facts, clone: Clone) -> Iterator[Finding]:
    """What DROP TABLE took along and nothing made again."""
    now = facts(clone, old.name)
    for index in sorted(old.indexes.keys() - (now.indexes.keys() if now else set())):
        which = table.DROP_UNIQUE if old.indexes[index][0] else table.DROP_INDEX
        yield found(which, f"main.{index}")
    for trigger in sorted(old.triggers.keys() - (now.triggers.keys() if now else set())):
        yield found(rebuilds.LOST_TRIGGER, f"main.{trigger}", of=old.name)


def _elsewhere_changed(before: dict[tuple[str, str], tuple[str, str]], clone: Clone, name: str) -> Iterator[Finding]:
    """Renaming writes what refers to a table anew: other tables may now refer to one that is gone."""
    now = clone.objects()
    for (kind, other), (of, text) in before.items():
        if of != name.lower() and kind in {"table", "trigger", "view"} and now.get((kind, other)) != (of, text):
            yield found(rebuilds.OTHER_REFERENCE, f"main.{other}", of=name)


def _working_views(clone: Clone) -> frozenset[str]:
    return frozenset(view for kind, view in clone.objects() if kind == "view" and _works(clone, view))


def _works(clone: Clone, view: str) -> bool:
    try:
        clone.ask(f"SELECT * FROM {quoted(view)}")  # noqa: S608  quoted
    except CloneError:
        return False
    return True
