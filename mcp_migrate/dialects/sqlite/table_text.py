"""What does a CREATE TABLE text say that SQLite's pragmas do not?

Checks, names of constraints, collations, generated columns, conflict clauses, deferred references. The walk knows
the whole of SQLite's grammar for it (lang_createtable.html); where it meets anything else it gives up, and then the
whole text counts, so that nothing is ever dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from mcp_migrate.dialects.sqlite.spelling import Token, folded, joined, normal, tokens

Kind = Literal["primary_key", "unique", "check", "foreign_key"]

_ENDS_TYPE = frozenset(", ) CONSTRAINT PRIMARY NOT NULL UNIQUE CHECK DEFAULT COLLATE REFERENCES GENERATED AS".split())
_AUTOINCREMENT = Token("keyword", "AUTOINCREMENT")
_STARTS_TABLE_PART = frozenset({"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"})


class NotUnderstoodError(Exception):
    """The text is none that this walk knows."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One constraint as it was written. `columns` are folded names; `text` is the expression of a check."""

    kind: Kind
    name: str | None
    columns: tuple[str, ...] = ()
    text: str = ""
    suffix: str = ""


@dataclass(slots=True)
class TableText:
    """What was found. `collations` and `generated` are by folded name of the column."""

    clauses: list[Clause] = field(default_factory=list)
    collations: dict[str, str] = field(default_factory=dict)
    generated: dict[str, str] = field(default_factory=dict)
    options: list[str] = field(default_factory=list)

    def of(self, kind: Kind) -> list[Clause]:
        return [clause for clause in self.clauses if clause.kind == kind]


@lru_cache(maxsize=4_096)
def read_table_text(sql: str | None) -> TableText:
    """What `sql` says; where it is not understood, its whole text is an option.

    A schema is read again and again, so the answer is kept: it is to be read only.
    """
    parts = tokens(sql or "")
    if [part.value for part in parts[1:2]] == ["VIRTUAL"]:
        return TableText(options=[normal(sql)])
    try:
        return _Walk(parts).run()
    except NotUnderstoodError:
        return TableText(options=[f"as written: {normal(sql)}"])


class _Walk:
    """One way through the tokens of one text."""

    def __init__(self, parts: list[Token]) -> None:
        self._parts = parts
        self._at = next((i for i, part in enumerate(parts) if _is(part, "(")), len(parts))
        self._found = TableText()
        self._column = ""
        self._name: str | None = None

    def run(self) -> TableText:
        self._must("(")
        while not self._take(")"):
            self._take(",")
            if self._peek() not in _STARTS_TABLE_PART:
                self._column_name()
            self._constraints()
        self._found.options += _tail(self._parts[self._at :])
        return self._found

    def _column_name(self) -> None:
        self._column = folded(self._identifier())
        while self._peek() not in _ENDS_TYPE:
            if self._peek() == "(":
                self._group()
            else:
                self._next()

    def _constraints(self) -> None:
        while self._peek() not in {",", ")"}:
            word = self._next().value
            step = _STEPS.get(word)
            if step is None:
                raise NotUnderstoodError(word)
            step(self)
            if word != "CONSTRAINT":
                self._name = None
        self._column = ""

    def named(self) -> None:
        self._name = self._identifier()

    def check(self) -> None:
        body = joined(self._group())
        self._add("check", (), body, self._conflict())

    def primary(self) -> None:
        self._must("KEY")
        inside = self._group() if self._peek() == "(" else []
        for order in ("ASC", "DESC"):  # the index that it makes tells
            self._take(order)
        suffix = self._conflict()
        if self._take("AUTOINCREMENT") or any(part == _AUTOINCREMENT for part in inside):
            self._found.options.append("AUTOINCREMENT")
        self._add("primary_key", _key_columns(inside) or (self._column,), "", suffix)

    def unique(self) -> None:
        columns = _key_columns(self._group()) if self._peek() == "(" else (self._column,)
        self._add("unique", columns, "", self._conflict())

    def not_null(self) -> None:
        self._must("NULL")
        self.null()

    def null(self) -> None:
        conflict = self._conflict()
        if conflict:
            self._found.options.append(f"{self._column} NOT NULL{conflict}")

    def default(self) -> None:
        """The pragma tells it."""
        if self._peek() == "(":
            self._group()
        elif self._next().value in {"+", "-"}:
            self._next()

    def collate(self) -> None:
        self._found.collations[self._column] = self._identifier()

    def generated(self) -> None:
        self._must("ALWAYS")
        self._must("AS")
        self.as_()

    def as_(self) -> None:
        self._found.generated[self._column] = joined(self._group())
        if self._peek() not in _ENDS_TYPE:
            self._next()  # STORED or VIRTUAL, which the pragma tells

    def foreign(self) -> None:
        self._must("KEY")
        columns = _key_columns(self._group())
        self._must("REFERENCES")
        self._reference(columns)

    def references(self) -> None:
        self._reference((self._column,))

    def _reference(self, columns: tuple[str, ...]) -> None:
        self._identifier()
        if self._peek() == "(":
            self._group()
        while self._take("ON") or self._take("MATCH"):
            self._action()
        suffix = " DEFERRABLE INITIALLY DEFERRED" if self._deferred() else ""
        self._add("foreign_key", columns, "", suffix)

    def _action(self) -> None:
        """ON DELETE …, ON UPDATE …, MATCH …: the pragma tells the first two, and SQLite ignores the third."""
        if not (self._take("DELETE") or self._take("UPDATE")):
            self._next()
            return
        if self._next().value in {"SET", "NO"}:
            self._next()

    def _deferred(self) -> bool:
        if self._peek() == "NOT" and self._peek(1) == "DEFERRABLE":
            self._at += 2
            self._initially()
            return False
        return self._take("DEFERRABLE") and self._initially()

    def _initially(self) -> bool:
        return self._take("INITIALLY") and self._next().value == "DEFERRED"

    def _conflict(self) -> str:
        if self._peek() == "ON" and self._peek(1) == "CONFLICT":
            self._at += 2
            return f" ON CONFLICT {self._next().value}"
        return ""

    def _add(self, kind: Kind, columns: tuple[str, ...], text: str, suffix: str) -> None:
        self._found.clauses.append(Clause(kind, self._name, columns, text, suffix))

    def _group(self) -> list[Token]:
        """What stands between brackets."""
        self._must("(")
        start, depth = self._at, 1
        while depth:
            part = self._next()
            depth += _is(part, "(") - _is(part, ")")
        return self._parts[start : self._at - 1]

    def _identifier(self) -> str:
        part = self._next()
        if part.kind == "text":  # SQLite takes 'x' for a name where only a name can stand
            return part.value[1:-1].replace("''", "'")
        if part.kind not in {"name", "keyword"}:
            raise NotUnderstoodError(part.value)
        return part.value

    def _peek(self, ahead: int = 0) -> str:
        """The keyword or symbol that comes next; empty for any other token."""
        if self._at + ahead >= len(self._parts):
            raise NotUnderstoodError("the text ends")
        part = self._parts[self._at + ahead]
        return part.value if part.kind in {"keyword", "symbol"} else ""

    def _next(self) -> Token:
        self._peek()
        self._at += 1
        return self._parts[self._at - 1]

    def _take(self, word: str) -> bool:
        found = self._peek() == word
        self._at += found
        return found

    def _must(self, word: str) -> None:
        if not self._take(word):
            raise NotUnderstoodError(word)


_STEPS: Mapping[str, Callable[[_Walk], None]] = {
    "CONSTRAINT": _Walk.named,
    "CHECK": _Walk.check,
    "PRIMARY": _Walk.primary,
    "UNIQUE": _Walk.unique,
    "NOT": _Walk.not_null,
    "NULL": _Walk.null,
    "DEFAULT": _Walk.default,
    "COLLATE": _Walk.collate,
    "GENERATED": _Walk.generated,
    "AS": _Walk.as_,
    "FOREIGN": _Walk.foreign,
    "REFERENCES": _Walk.references,
}


def _key_columns(inside: list[Token]) -> tuple[str, ...]:
    """The folded names of a list of columns, without their order and collation."""
    return tuple(folded(part.value.strip("'") if part.kind == "text" else part.value) for part in _firsts(inside))


def _firsts(inside: list[Token]) -> Iterator[Token]:
    depth, first = 0, True
    for part in inside:
        if first:
            yield part
        depth += _is(part, "(") - _is(part, ")")
        first = not depth and _is(part, ",")


def _tail(parts: list[Token]) -> list[str]:
    """The options of the table."""
    options: list[list[Token]] = [[]]
    for part in parts:
        if _is(part, ","):
            options.append([])
        else:
            options[-1].append(part)
    return [joined(option).upper() for option in options if option]


def _is(part: Token, symbol: str) -> bool:
    return part.kind == "symbol" and part.value == symbol
