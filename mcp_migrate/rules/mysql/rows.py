"""What do SELECT, INSERT, REPLACE, UPDATE and DELETE do?

Where several tables are joined, those count as changed whose columns are set with the table's name before them, or that
DELETE names. Where that is not told, each does: that names too much, never too little.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mcp_migrate.rules.interface import Finding, Rule, found, sentences, unknown
from mcp_migrate.rules.mysql import row_rules as rules
from mcp_migrate.rules.mysql.allowed import NODES, STEADY_FUNCTIONS
from mcp_migrate.rules.mysql.columns import calls
from mcp_migrate.rules.mysql.cursor import Cursor, Name
from mcp_migrate.rules.mysql.names import Place, is_system

_SYSTEM_READ = frozenset({"information_schema"})


def rows(tree: Any, cursor: Cursor, place: Place, *, replaces: bool) -> list[Finding]:
    """The findings of one statement; `tree` is what sqlglot makes of it."""
    kind = type(tree).__name__
    names = list(dict.fromkeys(_tables(tree, place)))
    cursor.named.extend(names)
    nodes = list(tree.walk())
    odd = sorted({type(node).__name__ for node in nodes} - NODES - {"Anonymous"})
    anonymous = {node.name.upper() for node in nodes if type(node).__name__ == "Anonymous"}
    results = sentences(f"the function {name} is not on the list" for name in sorted(anonymous - STEADY_FUNCTIONS))
    results += sentences(f"{node} is not on the list of what is understood" for node in odd)
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
    told = tree.args.get("tables") or ([tree.this] if tree.args.get("using") else [])
    aliases = {id(node) for node in told} if type(tree).__name__ == "Delete" else set()
    for node in tree.walk():
        if (
            type(node).__name__ == "Table"
            and id(node) not in aliases
            and not (not node.db and node.name in own | {"DUAL", "dual"})
        ):
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
    if kind == "Delete" and tree.args.get("using"):
        places = tree.args["using"]
    tables = [t for start in places if hasattr(start, "walk") for t in start.walk() if type(t).__name__ == "Table"]
    tables = [t for t in tables if t.name]
    told = _told(tree, kind)
    called = {t.alias or t.name: t for t in tables}
    if told and told <= set(called) and len(called) == len(tables):
        tables = [called[name] for name in called if name in told]
    return list(dict.fromkeys((t.db, t.name) for t in tables))


def _told(tree: Any, kind: str) -> set[str]:
    """By what names the tables that change are told; empty where one is not told."""
    if kind == "Update":
        names = [getattr(pair.this, "table", "") for pair in tree.expressions]
    elif kind == "Delete":
        using = [tree.this] if tree.args.get("using") else []
        names = [t.name for t in tree.args.get("tables") or using]
    else:
        names = []
    return set(names) if all(names) else set()


def _looks(names: list[Name], place: Place) -> list[Finding]:
    results = [found(rules.LOOKS, *map(place.full, names))] if names else []
    return [*results, *_secrets(names, place), *_views(names, place)]


def _read(tree: Any, names: list[Name], place: Place) -> list[Finding]:
    which = rules.LOCKING_READ if any(type(node).__name__ == "Lock" for node in tree.walk()) else rules.READ
    shown = list(map(place.full, names))
    return [found(which, *shown, object=", ".join(shown) or "no table"), *_secrets(names, place), *_views(names, place)]


def _secrets(names: list[Name], place: Place) -> list[Finding]:
    return [found(rules.SYSTEM, place.full(n)) for n in names if is_system(n) and n[0].lower() not in _SYSTEM_READ]


def _views(names: list[Name], place: Place) -> list[Finding]:
    """What is not known to be a plain table may be a view, which may call functions that are not looked into."""
    return [
        unknown(f"{place.full(n)} is not known to be a plain table; a view is not looked into", place.full(n))
        for n in names
        if not (place.made(n) or place.table(n) or is_system(n))
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
