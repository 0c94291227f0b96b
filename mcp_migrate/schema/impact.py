"""What do the statements do that make a change of some kind?

The kinds of change with their effects on PostgreSQL and SQLite, and why. `mcp_migrate.rules` judges statements; here
there is none yet, so these are the effects of the statement that is written for such a change. A test holds the two
against each other. What is on no list is `unknown`.
"""

from __future__ import annotations

from dataclasses import dataclass

from mcp_migrate.model import Effect

_REBUILT = "SQLite cannot alter this: the table is copied to a new one and dropped."


@dataclass(frozen=True, slots=True)
class Impact:
    """Effects in words, on PostgreSQL and on SQLite, and the reason."""

    postgresql: str
    sqlite: str
    why: str


def _same(effects: str, why: str) -> Impact:
    return Impact(effects, effects, why)


def _rebuilt(postgresql: str, sqlite: str, why: str) -> Impact:
    """On SQLite it takes a copy of the table, which is judged as the change that it makes."""
    return Impact(postgresql, sqlite, f"{why} {_REBUILT}")


def _only(effects: str, why: str) -> Impact:
    """PostgreSQL alone has it."""
    return Impact(effects, "unknown", why)


_TABLES = {
    "add_table": _same("additive", "Nothing uses a new table yet."),
    "drop_table": _same("breaking destructive", "Every row is lost, and code that names the table fails."),
    "rename_table": _same("breaking", "Code that uses the old name fails."),
    "move_table": _only("breaking", "Code that uses the old schema fails."),
    "alter_table": _only("unknown", "What else can be set of a table is on no list."),
    "change_storage": _only("unknown", "Storage parameters, tablespace and persistence are on no list."),
    "change_row_security": _only("breaking privilege", "Who sees which rows changes."),
    "change_partition": _only("unknown", "Attaching or detaching moves rows into or out of sight."),
    "change_owner": _only("privilege", "The owner may do everything with it."),
    "change_grants": _only("privilege", "Who may do what changes."),
    "change_comment": _only("additive", "A comment is read by people."),
}
_COLUMNS = {
    "add_column": _same("additive", "Old rows get the default, or nothing."),
    "add_required_column": _same(
        "additive breaking", "It fails on rows that exist, and inserts that leave it out fail."
    ),
    "drop_column": _same("breaking destructive", "Its values are lost, and code that names it fails."),
    "rename_column": _same("breaking", "Code that uses the old name fails."),
    "widen_type": _rebuilt("additive", "additive", "Each old value fits as it is; no row is rewritten."),
    "widen_type_rewriting": _rebuilt(
        "blocking breaking", "additive", "Each row is rewritten while nobody can use the table."
    ),
    "narrow_type": _rebuilt(
        "blocking destructive", "additive", "Values that do not fit fail or are cut, while nobody can use it."
    ),
    "change_type": _rebuilt(
        "blocking destructive", "breaking destructive", "Values are converted, while nobody can use the table."
    ),
    "set_not_null": _rebuilt("blocking breaking", "breaking", "Rows without a value make it fail, and later inserts."),
    "drop_not_null": _rebuilt("breaking", "breaking", "Code that relies on a value meets none."),
    "set_default": _rebuilt("additive", "additive", "Only later inserts are concerned."),
    "drop_default": _rebuilt("breaking", "breaking", "Inserts that rely on it get nothing, or fail."),
    "change_identity": _rebuilt("unknown", "breaking", "How numbers are made is on no list."),
    "change_generated": _rebuilt("unknown", "unknown", "How the value is made is on no list."),
    "change_collation": _rebuilt(
        "blocking destructive", "breaking", "The column is given a type again; order and equality change."
    ),
    "change_column_options": _rebuilt(
        "unknown", "unknown", "Storage, statistics and sequences of a column are on no list."
    ),
}
_PARTS = {
    "add_constraint": _rebuilt(
        "blocking breaking", "breaking", "Rows that exist are checked under a lock; later rows can fail."
    ),
    "add_exclusion": _only("unknown", "Exclusion constraints are on no list."),
    "drop_constraint": _rebuilt("breaking", "breaking", "Rows are let in that were refused before."),
    "rename_constraint": _rebuilt("breaking", "additive", "Code that names the constraint fails."),
    "alter_constraint": _rebuilt("blocking breaking", "breaking", "It is dropped and added again, or altered."),
    "move_constraint": _rebuilt("blocking breaking", "breaking", "It is dropped from one table and added to another."),
    "validate_constraint": _only("additive", "Rows that exist are checked, without keeping anybody out."),
    "add_index": Impact("additive blocking", "additive", "Writes wait while it is built, unless built concurrently."),
    "add_unique_index": Impact("blocking breaking", "breaking", "Duplicates make it fail, and later inserts."),
    "drop_index": _same("breaking", "If it was unique, duplicates are let in; queries may become slow."),
    "rename_index": Impact("breaking", "additive breaking", "Code that names the index fails. SQLite makes it anew."),
    "alter_index": Impact("additive blocking breaking", "additive breaking", "It is dropped and made again."),
}
_TYPES = {
    "add_enum_value": _only("additive", "Old values stay as they are."),
    "rename_enum_value": _only("unknown", "Code that names the value fails; renaming one is on no list."),
    "drop_enum_value": _only("blocking breaking destructive", "The type is made anew and each column of it rewritten."),
    "reorder_enum_values": _only("blocking breaking destructive", "The type is made anew; order and indexes change."),
    "move_object": _only("unknown", "Code that uses the old schema fails."),
}
_PLAIN = ("additive", "unknown", "breaking destructive", "breaking")
_CODE = ("unknown", "unknown", "breaking unknown", "unknown")
_GUARD = ("privilege unknown", "privilege unknown", "privilege unknown", "unknown")
_NOWHERE = ("unknown", "unknown", "unknown", "unknown")
_OBJECTS: dict[str, tuple[tuple[str, str, str, str], tuple[str, str, str, str]]] = {
    "view": (
        ("additive", "additive unknown", "breaking destructive", "breaking"),
        ("additive", "additive breaking destructive", "breaking destructive", "additive breaking destructive"),
    ),
    "materialized_view": (
        ("unknown", "breaking destructive unknown", "breaking destructive", "breaking"),
        _NOWHERE,
    ),
    "enum": (_PLAIN, _NOWHERE),
    "domain": (_PLAIN, _NOWHERE),
    "sequence": (_PLAIN, _NOWHERE),
    "schema": (_PLAIN, _NOWHERE),
    "function": (_CODE, _NOWHERE),
    "procedure": (_CODE, _NOWHERE),
    "aggregate": (_CODE, _NOWHERE),
    "rule": (_CODE, _NOWHERE),
    "trigger": (_CODE, ("unknown", "breaking unknown", "breaking unknown", "breaking unknown")),
    "policy": (_GUARD, _NOWHERE),
    "event_trigger": (_GUARD, _NOWHERE),
    "extension": (
        ("privilege unknown", "privilege unknown", "breaking destructive privilege", "unknown"),
        _NOWHERE,
    ),
}
"""For each kind of object: what adding, altering, dropping and renaming it does, on PostgreSQL and on SQLite."""

_VERBS = {
    "add": "Nothing uses it yet, unless it is code that runs by itself.",
    "alter": "What it now gives, lets in or does is not known here.",
    "drop": "Whatever uses it fails.",
    "rename": "Code that uses the old name fails.",
}


def _objects() -> dict[str, Impact]:
    return {
        f"{verb}_{kind}": Impact(on_postgresql[i], on_sqlite[i], why)
        for kind, (on_postgresql, on_sqlite) in _OBJECTS.items()
        for i, (verb, why) in enumerate(_VERBS.items())
    }


IMPACTS: dict[str, Impact] = {**_TABLES, **_COLUMNS, **_PARTS, **_TYPES, **_objects()}


def effects_of(kind: str, dialect: str) -> tuple[Effect, ...]:
    """The effects of a change of `kind`; `unknown` for what is on no list."""
    impact = IMPACTS.get(kind)
    words = getattr(impact, dialect, "unknown") if impact and dialect != "why" else "unknown"
    return tuple(Effect(word) for word in sorted(words.split()))
