"""How does one object of a schema read, for an agent that pays for each token?

Everything in it comes from the database and is data: characters that control or reorder text are made visible.
What most columns are is not said: a type without ``?`` is not null, a constraint on one column stands beside it, and
a constraint without a name has the one its database gives by itself.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from mcp_migrate.schema.model import Column, Constraint, Index, Other, Table

LEGEND = {
    "postgresql": "type? = may be null; * or pk = primary key; → = foreign key; a constraint without a name has"
    " PostgreSQL's default one; a name without a schema is in its table's schema",
    "sqlite": "type? = may be null; * or pk = primary key; → = foreign key",
}
"""What a reader must know to read a page."""

_LONGEST_COMMENT = 200
_LONGEST_BLOCK = 8_000
_LAST_OF_FOUR_DIGITS = 0xFFFF
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Categories of characters that control, reorder, hide, or end a line."""
_WORDS = {"primary_key": "pk", "unique": "unique", "check": "check", "exclusion": "exclude", "foreign_key": "fk"}
_STARTS = {
    "primary_key": "PRIMARY KEY ",
    "unique": "UNIQUE ",
    "check": "CHECK ",
    "exclusion": "EXCLUDE ",
    "foreign_key": "FOREIGN KEY ",
}
_SHORT_TYPES = (
    ("character varying", "", "varchar"),
    ("bit varying", "", "varbit"),
    ("character", "", "char"),
    ("timestamp", " with time zone", "timestamptz"),
    ("timestamp", " without time zone", "timestamp"),
    ("time", " with time zone", "timetz"),
    ("time", " without time zone", "time"),
)
"""PostgreSQL's own other names for its types: how they begin, how they end, and the short name."""
_IDENTITY = {"a": "always", "d": "by default"}


def outline_table(table: Table) -> str:
    """One line: name, columns with types and keys."""
    keys = {name for c in table.constraints if c.kind == "primary_key" for name in c.columns}
    refers = {c.columns[0]: c.refers_to for c in table.constraints if c.kind == "foreign_key" and c.columns}
    columns = ", ".join(_short(column, keys, refers.get(column.name), table) for column in table.columns)
    return cut(f"{clean(table.qualified)}({columns})", _LONGEST_BLOCK)


def full_table(table: Table, dialect: str) -> str:
    """A block: each column with what is its own on a line, then each constraint and index that spans more."""
    options = f" ({', '.join(map(clean, table.options))})" if table.options else ""
    kind = "" if table.kind == "table" else f"{table.kind} "
    beside, below = _sorted_out(table, dialect)
    lines = [f"{kind}{clean(table.qualified)}{options}{_comment(table.comment)}"]
    lines += [f"  {_long(column, beside.get(column.name, []))}" for column in table.columns]
    lines += [f"  {clean(line)}" for line in below]
    lines += [f"  {clean(line)}" for index in table.indexes for line in [_index(index, table)]]
    return cut("\n".join(lines), _LONGEST_BLOCK)


def other_line(other: Other, *, full: bool) -> str:
    """Whatever is no table: what it is and its name, and with `full` its text."""
    head = f"{other.kind} {clean(other.qualified)}" + (f" on {clean(other.table)}" if other.table else "")
    return cut(f"{head}: {clean(other.definition)}", _LONGEST_BLOCK) if full and other.definition else head


def clean(text: str) -> str:
    """`text` without characters that control or reorder what is shown: they are written as escapes."""
    if text.isprintable():
        return text
    return "".join(_escaped(c) if unicodedata.category(c) in _UNSEEN else c for c in text)


def cut(text: str, limit: int) -> str:
    """At most `limit` characters of `text`, with the whole length told."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"


def short_type(name: str) -> str:
    """PostgreSQL's shorter name of the same type; any other text as it is."""
    bare = name.rstrip("[]")
    for start, end, short in _SHORT_TYPES:
        middle = bare.removeprefix(start).removesuffix(end)
        if f"{start}{middle}{end}" == bare and (not middle or (middle[0], middle[-1]) == ("(", ")")):
            return f"{short}{middle}{name[len(bare) :]}"
    return name


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code <= _LAST_OF_FOUR_DIGITS else f"\\U{code:08x}"


def _short(column: Column, keys: set[str], refers_to: str | None, table: Table) -> str:
    mark = "*" if column.name in keys else ""
    null = "" if not column.nullable or column.name in keys else "?"
    arrow = f" → {clean(_nearby((refers_to or '').partition('(')[0], table))}" if refers_to else ""
    kind = column.type if '"' in column.type else column.type.lower()
    return f"{clean(column.name)}{mark} {clean(short_type(kind))}{null}{arrow}"


def _long(column: Column, beside: list[str]) -> str:
    null = "?" if column.nullable and "pk" not in beside else ""
    facts = [clean(column.name), f"{clean(short_type(column.type))}{null}", *map(clean, beside)]
    facts += [f"{word} {clean(value)}" for word, value in _facts(column) if value is not None]
    facts += [clean(option) for option in column.options]
    return " ".join(facts) + _comment(column.comment)


def _facts(column: Column) -> tuple[tuple[str, str | None], ...]:
    return (
        ("default", column.default),
        ("identity", _IDENTITY.get(column.identity or "", column.identity)),
        ("generated", column.generated),
        ("collate", column.collation),
    )


def _sorted_out(table: Table, dialect: str) -> tuple[dict[str, list[str]], list[str]]:
    """What each constraint says: beside its one column, or on a line of its own."""
    beside: dict[str, list[str]] = {}
    below: list[str] = []
    for constraint in table.constraints:
        unnamed = constraint.name is None or (
            dialect == "postgresql" and constraint.name == _default_name(table, constraint)
        )
        said = _said(constraint, table)
        if unnamed and len(constraint.columns) == 1 and constraint.kind in {"primary_key", "unique", "foreign_key"}:
            rest = said.removeprefix(next((p for p in _spellings(constraint.columns[0]) if said.startswith(p)), "\0"))
            if rest != said:
                word = "" if constraint.kind == "foreign_key" else _WORDS[constraint.kind]
                beside.setdefault(constraint.columns[0], []).append(f"{word}{rest}".strip())
                continue
        name = "" if unnamed else f"{constraint.name} "
        below.append(f"{_WORDS[constraint.kind]} {name}{said}")
    return beside, below


def _spellings(column: str) -> Iterator[str]:
    """How one column stands in parentheses, quoted or not."""
    yield f"({column})"
    yield '("{}")'.format(column.replace('"', '""'))


def _said(constraint: Constraint, table: Table) -> str:
    """The definition without the words that its kind says already, and a short arrow for a reference."""
    said = constraint.definition.removeprefix(_STARTS[constraint.kind])
    if constraint.kind == "foreign_key":
        columns, arrow, target = said.partition(" REFERENCES ")
        return f"{columns} → {_nearby(target, table)}" if arrow else said
    if constraint.kind == "check" and said.startswith("((") and said.endswith("))") and _is_doubled(said):
        return said[1:-1]
    return said


def _nearby(target: str, table: Table) -> str:
    """A table of the same schema goes by its name."""
    for schema in (table.schema, '"{}"'.format(table.schema.replace('"', '""'))):
        if target.startswith(f"{schema}."):
            return target[len(schema) + 1 :]
    return target


def _is_doubled(text: str) -> bool:
    """Whether the second parenthesis is closed by the last but one; with quotes in it nobody looks."""
    depth = 0
    for place, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character in "'\"" or (depth == 1 and 1 <= place < len(text) - 2):
            return False
    return depth == 0


def _default_name(table: Table, constraint: Constraint) -> str:
    """What PostgreSQL calls it when nobody names it (as long as that is no longer than 63 bytes)."""
    columns = "_".join(constraint.columns)
    if constraint.kind == "check":
        return f"{table.name}_{columns}_check" if len(constraint.columns) == 1 else f"{table.name}_check"
    ending = {"unique": "key", "foreign_key": "fkey", "exclusion": "excl"}.get(constraint.kind)
    return f"{table.name}_{columns}_{ending}" if ending else f"{table.name}_pkey"


def _index(index: Index, table: Table) -> str:
    names = [(n, s, t) for n in _quoted(index.name) for s in _quoted(table.schema) for t in _quoted(table.name)]
    unique = "UNIQUE " if index.unique else ""
    starts = [f"CREATE {unique}INDEX {n} ON {only}{s}.{t} USING " for n, s, t in names for only in ("", "ONLY ")]
    starts += [f"{n} " for n in _quoted(index.name)]
    said = next((index.definition[len(s) :] for s in starts if index.definition.startswith(s)), index.definition)
    flags = f"{'' if index.valid else 'INVALID '}{unique.lower()}"
    return f"{flags}index {index.name} {said.removeprefix('btree ')}"


def _quoted(name: str) -> tuple[str, str]:
    return name, '"{}"'.format(name.replace('"', '""'))


def _comment(comment: str | None) -> str:
    return "" if comment is None else f"  -- {cut(clean(comment), _LONGEST_COMMENT)}"
