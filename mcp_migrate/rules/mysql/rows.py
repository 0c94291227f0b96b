"""What do SELECT, INSERT, REPLACE, UPDATE and DELETE do?

Where several tables are joined, each counts as changed: that names too much, never too little.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mcp_migrate.rules.interface import Finding, Rule, found, sentences, unknown
from mcp_migrate.rules.mysql import row_rules as rules
from mcp_migrate.rules.mysql.allowed import NODES
from mcp_migrate.rules.mysql.columns import calls
from mcp_migrate.rules.mysql.cursor import Cursor, Name
from mcp_migrate.rules.mysql.names import Place, is_system

_SYSTEM_READ = frozenset({"information_schema"})


def rows(tree: Any, cursor: Cursor, place: Place, *, replaces: bool) -> list[Finding]:
    """The findings of one statement; `tree` is what sqlglot makes of it."""
    kind = type(tree).__name__
    names = list(dict.fromkeys(_tables(tree, place)))
    cursor.named.extend(names)
    odd = sorted({type(node).__name__ for node in tree.walk()} - NODES)
    results = sentences(f"{node} is not on the list of what is understood" for node in odd)
    results += sentences(f"the function {name} is not on the list" for name in calls(cursor.tokens))
    results += [unknown("a name in it could be mistaken for another") for name in names if not all(map(_plain, name))]
    changed = _changed(tree, kind)
    if kind in {"Insert", "Update", "Delete"} and not changed:
        return [unknown("the tables it changes are not seen")]
    looked = [name for name in names if name not in changed]
    results += _read(tree, looked, place) if not changed else _looks(looked, place)
    for name in changed:
        results += _change(tree, kind, name, place, replaces=replaces)
    return results


def _tables(tree: Any, place: Place) -> Iterator[Name]:
    """Each table that is named, but not what a WITH alone calls so, nor the aliases of a DELETE."""
    queries = {node.alias for node in tree.walk() if type(node).__name__ == "CTE"}
    own = {name for name in queries if not place.hidden(("", name))}
    aliases = {id(node) for node in tree.args.get("tables") or ()} if type(tree).__name__ == "Delete" else set()
    for node in tree.walk():
        if type(node).__name__ == "Table" and id(node) not in aliases and not (not node.db and node.name in own):
            yield (node.db, node.name)


def _plain(part: str) -> bool:
    return part.isprintable() and not set('.*?`"') & set(part)


def _changed(tree: Any, kind: str) -> list[Name]:
    if kind not in {"Insert", "Update", "Delete"}:
        return []
    target = tree.this
    if type(target).__name__ == "Schema":
        target = target.this
    places = [target] if kind == "Insert" else [target, tree.args.get("from_"), *(tree.args.get("joins") or ())]
    if kind == "Delete":
        places += tree.args.get("using") or [] if isinstance(tree.args.get("using"), list) else []
    tables = [t for start in places if hasattr(start, "walk") for t in start.walk() if type(t).__name__ == "Table"]
    return list(dict.fromkeys((t.db, t.name) for t in tables if t.name))


def _looks(names: list[Name], place: Place) -> list[Finding]:
    results = [found(rules.LOOKS, *map(place.full, names))] if names else []
    return [*results, *_secrets(names, place)]


def _read(tree: Any, names: list[Name], place: Place) -> list[Finding]:
    which = rules.LOCKING_READ if any(type(node).__name__ == "Lock" for node in tree.walk()) else rules.READ
    shown = list(map(place.full, names))
    return [found(which, *shown, object=", ".join(shown) or "no table"), *_secrets(names, place), *_views(names, place)]


def _secrets(names: list[Name], place: Place) -> list[Finding]:
    return [found(rules.SYSTEM, place.full(n)) for n in names if is_system(n) and n[0].lower() not in _SYSTEM_READ]


def _views(names: list[Name], place: Place) -> list[Finding]:
    """A view may call functions that are not looked into."""
    return [
        unknown(f"{place.full(n)} is a view that is not looked into", place.full(n))
        for n in names
        if any(called.startswith("view ") for called in place.context.called(n[1]))
    ]


def _change(tree: Any, kind: str, name: Name, place: Place, *, replaces: bool) -> list[Finding]:
    where = place.full(name)
    if place.made(name):
        return [found(rules.FILL_NEW, where)]
    which = _rule(tree, kind, replaces=replaces)
    everything = "" if tree.args.get("where") else ", every row"
    reached = place.context.referrers(where, acting=True) if which in {rules.DELETE, rules.OVERWRITE} else ()
    return [found(which, where, *reached, all=everything), *place.surprises(name)]


def _rule(tree: Any, kind: str, *, replaces: bool) -> Rule:
    if kind == "Insert":
        return rules.OVERWRITE if replaces or tree.args.get("conflict") else rules.INSERT
    return rules.UPDATE if kind == "Update" else rules.DELETE
