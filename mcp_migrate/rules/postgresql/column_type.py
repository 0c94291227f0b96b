"""What does ALTER TABLE … ALTER COLUMN … TYPE do? Decided by the type before, which only the schema knows."""

from __future__ import annotations

from mcp_migrate.rules.context import Context
from mcp_migrate.rules.interface import Finding, found, rule
from mcp_migrate.rules.postgresql.names import full, name_of, split, words
from mcp_migrate.rules.postgresql.parser import Tree

_MANUAL = "https://www.postgresql.org/docs/current/sql-altertable.html"
_FAILS = " It fails while a view, a rule or a generated column uses the column."

WIDEN = rule(
    "widen-column-type",
    "A type that holds every old value as it is",
    "additive",
    "Widens {object} from {before}; no row is rewritten and no value changes." + _FAILS,
    "ACCESS EXCLUSIVE",
    of="column",
    rationale="A longer varchar, text, or a numeric of the same scale only changes what new values may be.",
    source=_MANUAL,
    flags=("ALTER TABLE users ALTER COLUMN email TYPE varchar(100)", "ALTER TABLE users ALTER COLUMN email TYPE text"),
    passes=("ALTER TABLE users ALTER COLUMN email TYPE varchar(20)",),
)
CONVERT = rule(
    "convert-column-type",
    "A wider type that every row is rewritten for",
    "blocking breaking",
    "Rewrites the table and its indexes while nobody can use it; every value of {object} stays what it was as"
    " {before}, but code may not expect the new type." + _FAILS,
    "ACCESS EXCLUSIVE",
    of="column",
    scans=True,
    rewrites=True,
    undo="yes",
    rationale="The values fit, but the table is rewritten under the strongest lock; a new column spares that.",
    source=_MANUAL,
    flags=("ALTER TABLE users ALTER COLUMN id TYPE bigint",),
    passes=("ALTER TABLE users ALTER COLUMN name TYPE integer USING name::integer",),
)
CHANGE = rule(
    "change-column-type",
    "A type that may change or lose values",
    "destructive blocking",
    "Rewrites {object} to another type while nobody can use the table; values may be changed or cut." + _FAILS,
    "ACCESS EXCLUSIVE",
    of="column",
    scans=True,
    rewrites=True,
    undo="no",
    rationale="A shorter or different type may cut, round or reinterpret what is stored.",
    source=_MANUAL,
    flags=("ALTER TABLE users ALTER COLUMN email TYPE varchar(20)",),
    passes=("ALTER TABLE users ALTER COLUMN email TYPE varchar(100)",),
)
_SPELT = {
    "character varying": "varchar",
    "character": "bpchar",
    "smallint": "int2",
    "integer": "int4",
    "bigint": "int8",
    "real": "float4",
    "double precision": "float8",
    "boolean": "bool",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
    "time without time zone": "time",
    "time with time zone": "timetz",
    "bit varying": "varbit",
}
_LONGER = frozenset({"varchar", "varbit", "timestamp", "timestamptz", "time", "timetz"})
_LOSSLESS = frozenset(
    {
        *(("int2", wider) for wider in ("int4", "int8", "numeric", "float4", "float8", "text")),
        *(("int4", wider) for wider in ("int8", "numeric", "float8", "text")),
        *(("int8", wider) for wider in ("numeric", "text")),
        *((kind, "text") for kind in ("numeric", "uuid", "bool", "inet", "macaddr")),
        ("float4", "float8"),
        ("date", "timestamp"),
    }
)
_Type = tuple[str, tuple[int, ...]]


def change_type(command: Tree, table: Tree, where: str, context: Context) -> list[Finding]:
    name = f"{where}.{command.name}"
    before = _known_type(table, command.name, context)
    context.made.change(table.relname)
    new = getattr(command, "def").column_def
    after = _after(new, command.name)
    if before is None or after is None or context.called(after[0]):
        return [found(CHANGE, name)]
    old = _read(before)
    if _widens(old, after):
        return [found(WIDEN, name, before=before)]
    return [found(CONVERT, name, before=before) if _lossless(old, after) else found(CHANGE, name)]


def _known_type(table: Tree, column: str, context: Context) -> str | None:
    known = None if context.made.has("table", name_of(table)) else context.shape(full(table))
    found_column = known.column(column) if known else None
    return found_column.type if found_column and found_column.generated is None else None


def _read(text: str) -> _Type:
    """The catalog's own spelling, as the grammar's name of the type and its limits."""
    head, opened, rest = text.lower().partition("(")
    limits, _, tail = rest.partition(")")
    name = " ".join(f"{head} {tail}".split()) if opened else head
    numbers = tuple(int(n) for n in limits.split(",")) if limits.replace(",", "").isdigit() else ()
    if opened and not numbers:
        return text, ()
    return _SPELT.get(name, name), numbers


def _after(new: Tree, column: str) -> _Type | None:
    """The new type, if it is a plain one and values are not computed by an expression that could be another."""
    kind = new.type_name
    if new.HasField("coll_clause") or kind.array_bounds or (new.HasField("raw_default") and not _same(new, column)):
        return None
    schema, name = split(words(kind.names))
    limits = [t.a_const for t in kind.typmods]
    if schema not in {"", "pg_catalog"} or not all(limit.HasField("ival") for limit in limits):
        return None
    return name, tuple(limit.ival.ival for limit in limits)


def _same(new: Tree, column: str) -> bool:
    """Whether USING says no more than the column itself, cast to the very type."""
    cast = new.raw_default.type_cast
    fields = cast.arg.column_ref.fields
    return (
        [f.string.sval for f in fields] == [column]
        and words(cast.type_name.names) == words(new.type_name.names)
        and not (cast.type_name.typmods or cast.type_name.array_bounds or new.type_name.typmods)
    )


def _widens(old: _Type, new: _Type) -> bool:
    (name, limits), (into, wider) = old, new
    if (name, into) == ("varchar", "text") or {name, into} == {"text", "varchar"}:
        return not wider
    if name != into:
        return (name, into) == ("cidr", "inet")
    if limits == wider:
        return True
    if name == "numeric":
        return not wider or (bool(limits) and wider[0] >= limits[0] and _scale(limits) == _scale(wider))
    return name in _LONGER and (not wider or (bool(limits) and wider[0] >= limits[0]))


def _scale(limits: tuple[int, ...]) -> int:
    return limits[1] if len(limits) > 1 else 0


def _lossless(old: _Type, new: _Type) -> bool:
    if (old[0], new[0]) in _LOSSLESS:
        return not new[1]
    if old[0] == new[0] == "bpchar":
        return new[1][:1] >= (old[1] or (1,)) and len(new[1]) == 1
    if old[0] == new[0] == "numeric" and old[1] and new[1]:  # more places after the point, and not fewer before it
        more = _scale(new[1]) - _scale(old[1])
        return more >= 0 and new[1][0] - old[1][0] >= more
    return False
