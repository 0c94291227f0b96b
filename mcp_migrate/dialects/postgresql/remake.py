"""Which statements make a schema like this one? So that a scratch database can be what the target is.

Not every kind of thing is remade: what came of it is read again, and counts only if it is the same. Owners and grants
are left out, since the roles of the target are not there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from mcp_migrate.dialects.postgresql.reader import PostgresReader, qualified, quote, quoted
from mcp_migrate.drivers.postgresql import connect, driver
from mcp_migrate.schema import shape
from mcp_migrate.schema.model import Column, Constraint, Other, Schema, Table

_COUNTING = {"start": "START WITH", "min": "MINVALUE", "max": "MAXVALUE", "step": "INCREMENT BY", "cache": "CACHE"}
_COMMANDS = {"*": "ALL", "r": "SELECT", "a": "INSERT", "w": "UPDATE", "d": "DELETE"}
_FIRING = {"O": "ENABLE", "D": "DISABLE", "R": "ENABLE REPLICA", "A": "ENABLE ALWAYS"}
_POLICY = re.compile(
    r"(?P<command>.) (?P<kind>\w+) to (?P<roles>.*?)(?: using (?P<using>.*?))?(?: check (?P<check>.*))?", re.DOTALL
)
BEFORE_TABLES = ("schema", "enum", "domain", "composite", "sequence", "function", "procedure")
AFTER_TABLES = ("view", "materialized_view", "index", "rule", "trigger", "policy", "statistics")
COMMENTED = {
    **{kind: kind.upper() for kind in ("schema", "domain", "sequence", "function", "procedure", "view", "statistics")},
    **dict.fromkeys(("enum", "composite"), "TYPE"),
    "materialized_view": "MATERIALIZED VIEW",
    "index": "INDEX",
}


def remake(url: str, schema: Schema, *, version_table: str, revisions: Iterable[str] | None) -> bool:
    """Fill an empty database like this; `revisions` are the rows of the version table, None where there is none.

    False where the server refuses any of it, or where something else came of it; then the database is still empty.
    """
    every = [*_statements(schema), *(_version_table(version_table, revisions) if revisions is not None else ())]
    with connect(url) as connection:
        connection.execute("BEGIN")
        connection.execute(
            "SELECT set_config('check_function_bodies', 'off', true), set_config('search_path', '', true)"
        )
        made = _at_once(connection, every) or _one_by_one(connection, every)
        same = made and shape(PostgresReader(connection).schema(version_table=version_table)) == shape(schema)
        connection.execute("COMMIT" if same else "ROLLBACK")
        return same


def _at_once(connection: Any, statements: list[str]) -> bool:
    return not statements or _taken(connection, ";\n".join(statements))


def _one_by_one(connection: Any, statements: list[str]) -> bool:
    """In the order in which the server takes them: what fails waits for what it needs."""
    while statements:
        left = [sql for sql in statements if not _taken(connection, sql)]
        if len(left) == len(statements):
            return False
        statements = left
    return True


def _taken(connection: Any, sql: str) -> bool:
    connection.execute("SAVEPOINT one")
    try:
        connection.execute(sql.encode())
    except driver().Error:
        connection.execute("ROLLBACK TO one")
        return False
    connection.execute("RELEASE one")
    return True


def _statements(schema: Schema) -> Iterator[str]:
    for kind in BEFORE_TABLES:
        yield from (sql for other in schema.others if other.kind == kind for sql in other_texts(other))
    sequences = {other.qualified for other in schema.others if other.kind == "sequence"}
    for table in schema.tables:
        yield from table_texts(table, sequences)
    references = []
    for table in schema.tables:
        for constraint in table.constraints:
            added = list(constraint_texts(table, constraint))
            references.extend(added) if constraint.kind == "foreign_key" else (yield from added)
        for index in table.indexes:
            yield index.definition
            yield from comment_text("INDEX", quoted(table.schema, index.name), index.comment)
    yield from references
    parents = dict(found for table in schema.tables for found in _parents(table))
    for child, (parent, bound) in parents.items():
        yield f"ALTER TABLE {parent} ATTACH PARTITION {quote(child)} {bound}"
    cloned = {(other.name, other.table) for other in schema.others if other.kind == "trigger"}
    for kind in AFTER_TABLES:
        for other in schema.others:
            parent = parents.get(other.table or "", ("", ""))[0]
            if other.kind == kind and (other.name, parent) not in cloned:
                yield from other_texts(other)


def table_texts(table: Table, sequences: set[str]) -> Iterator[str]:
    name = quoted(table.schema, table.name)
    serial = [(column, found) for column in table.columns if (found := serial_of(table, column, sequences))]
    for column, sequence in serial:
        yield f"CREATE SEQUENCE {quote(sequence)} AS {column.type}"
    unlogged = "UNLOGGED " if "unlogged" in table.options else ""
    parts = "".join(
        f" {option.upper()[:12]}{option[12:]}" for option in table.options if option.startswith("partition by ")
    )
    columns = ", ".join(map(column_text, table.columns))
    yield f"CREATE {unlogged}TABLE {name} ({columns}){parts}{_settings(table.options)}"
    for column, sequence in serial:
        yield f"ALTER SEQUENCE {quote(sequence)} OWNED BY {name}.{quoted(column.name)}"
    if "row security" in table.options:
        yield f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY"
    if "forced row security" in table.options:
        yield f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY"
    if "replica identity full" in table.options:
        yield f"ALTER TABLE {name} REPLICA IDENTITY FULL"
    yield from comment_text("TABLE", name, table.comment)
    for column in table.columns:
        for option in column.options:
            yield from column_option(f"ALTER TABLE {name} ALTER {quoted(column.name)}", option)
        yield from comment_text("COLUMN", f"{name}.{quoted(column.name)}", column.comment)


def _parents(table: Table) -> Iterator[tuple[str, tuple[str, str]]]:
    """Of a partition, the table it is a part of and its bound."""
    of = {option.partition(" of ")[2] for option in table.options if option.startswith("child of ")}
    bounds = [option.partition(" ")[2] for option in table.options if option.startswith("partition FOR ")]
    bounds += [option.partition(" ")[2] for option in table.options if option == "partition DEFAULT"]
    if of and bounds:
        yield table.qualified, (of.pop(), bounds[0])


def column_text(column: Column) -> str:
    words = [quoted(column.name), column.type]
    if column.collation is not None:
        words.append(f"COLLATE {column.collation}")
    if column.default is not None:
        words.append(f"DEFAULT {column.default}")
    if column.generated is not None:
        how, _, expression = column.generated.partition(" ")
        words.append(f"GENERATED ALWAYS AS ({expression}) {how}")
    if column.identity is not None:
        words.append(f"GENERATED {column.identity} AS IDENTITY")
    return " ".join(words) + ("" if column.nullable else " NOT NULL")


def column_option(alter: str, option: str) -> Iterator[str]:
    word, _, value = option.partition(" ")
    if word in {"storage", "compression", "statistics"}:
        yield f"{alter} SET {word.upper()} {value}"
    elif "=" in option:
        yield f"{alter} SET ({option})"


def serial_of(table: Table, column: Column, sequences: set[str]) -> str | None:
    """The sequence that this column owns, if it is called as PostgreSQL calls it and nothing else."""
    name = f"{table.schema}.{table.name}_{column.name}_seq"
    spelt = {name, quote(name)}
    said = {f"nextval({literal(each)}::regclass)" for each in spelt}
    return name if column.default in said and name not in sequences else None


def constraint_texts(table: Table, constraint: Constraint) -> Iterator[str]:
    name = quoted(table.schema, table.name)
    yield f"ALTER TABLE {name} ADD CONSTRAINT {quoted(constraint.name or '')} {constraint.definition}"
    yield from comment_text("CONSTRAINT", f"{quoted(constraint.name or '')} ON {name}", constraint.comment)


def other_texts(other: Other) -> Iterator[str]:
    yield from _made(other)
    if other.kind in {"trigger", "rule", "policy"}:
        yield from comment_text(
            other.kind.upper(), f"{quoted(other.name)} ON {quote(other.table or '')}", other.comment
        )
    elif other.kind in COMMENTED:
        yield from comment_text(COMMENTED[other.kind], called(other), other.comment)


def called(other: Other) -> str:
    """The name; that of a function holds its types, and those are spelt as SQL has them already."""
    if other.kind in {"function", "procedure"}:
        name, bracket, types = other.name.partition("(")
        return quoted(other.schema, name) + bracket + types
    return quoted(other.schema, other.name) if other.schema else quoted(other.name)


def _made(other: Other) -> Iterator[str]:
    name, text = called(other), other.definition
    plain = {
        "schema": f"CREATE SCHEMA IF NOT EXISTS {name}",
        "enum": f"CREATE TYPE {name} AS ENUM ({text})",
        "domain": f"CREATE DOMAIN {name} AS {text}",
        "composite": f"CREATE TYPE {name} AS ({text})",
        "view": f"CREATE VIEW {name}{_settings(other.options)} AS {text.rstrip().removesuffix(';')}",
        **dict.fromkeys(("function", "procedure", "statistics", "index"), text),
    }
    if other.kind in plain:
        yield plain[other.kind]
    elif other.kind == "sequence":
        yield f"CREATE SEQUENCE {name} {_counting(text)}"
    elif other.kind == "materialized_view":
        filled = "NO " if "not populated" in other.options else ""
        query = text.rstrip().removesuffix(";")
        yield f"CREATE MATERIALIZED VIEW {name}{_settings(other.options)} AS {query} WITH {filled}DATA"
    elif other.kind == "policy":
        yield from _policy(other)
    elif other.kind in {"trigger", "rule"}:
        yield text[:-2].removesuffix(";")
        if text[-1] != "O":
            yield f"ALTER TABLE {quote(other.table or '')} {_FIRING[text[-1]]} {other.kind} {quoted(other.name)}"


def _counting(text: str) -> str:
    """How a sequence counts, in the words of SQL."""
    kind, _, rest = text.partition(" start ")
    words = f"start {rest}".split()
    pairs = [f"{_COUNTING[word]} {words[n + 1]}" for n, word in enumerate(words[:-1]) if word in _COUNTING]
    return " ".join([f"AS {kind}", *pairs, *(["CYCLE"] if "cycle" in words else [])])


def _policy(other: Other) -> Iterator[str]:
    found = _POLICY.fullmatch(other.definition)
    if found is None:
        return
    using = f" USING ({found['using']})" if found["using"] else ""
    check = f" WITH CHECK ({found['check']})" if found["check"] else ""
    yield (
        f"CREATE POLICY {quoted(other.name)} ON {quote(other.table or '')} AS {found['kind']} "
        f"FOR {_COMMANDS[found['command']]} TO {found['roles']}{using}{check}"
    )


def _settings(options: Iterable[str]) -> str:
    settings = [option for option in options if re.fullmatch(r"[\w.]+=.*", option, re.DOTALL)]
    return f" WITH ({', '.join(settings)})" if settings else ""


def comment_text(what: str, name: str, comment: str | None, *, always: bool = False) -> Iterator[str]:
    """None where there is no comment, unless one is to be taken off."""
    if comment is not None or always:
        yield f"COMMENT ON {what} {name} IS {'NULL' if comment is None else literal(comment)}"


def _version_table(name: str, revisions: Iterable[str]) -> Iterator[str]:
    """As Alembic makes it."""
    table = quote(qualified(name))
    key = quoted(name.rpartition(".")[2] + "_pkc")
    yield f"CREATE TABLE {table} (version_num VARCHAR(32) NOT NULL, CONSTRAINT {key} PRIMARY KEY (version_num))"
    for revision in revisions:
        yield f"INSERT INTO {table} VALUES ({literal(revision)})"  # noqa: S608  quoted


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
