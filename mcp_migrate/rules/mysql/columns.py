"""What does the definition of a column say?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from mcp_migrate.rules.mysql.allowed import BEFORE_GROUPS, STEADY_FUNCTIONS, TYPES
from mcp_migrate.rules.mysql.cursor import Cursor, Name, separated
from mcp_migrate.rules.mysql.lexer import Refused, Token

COMPUTED = "(…)"
"""What `Definition.default` is where an expression stands there."""
_CLOSED = Token("sign", ")", ")")
_CLOCKS = ("CURRENT_TIMESTAMP", "NOW", "LOCALTIMESTAMP", "LOCALTIME")
_NOT_VALUES = frozenset(
    {
        "DROP",
        "ALTER",
        "CREATE",
        "DELETE",
        "UPDATE",
        "SELECT",
        "INTO",
        "PROCEDURE",
        "NEXT",
        "PREVIOUS",
        "NEXTVAL",
        "LASTVAL",
        "TABLE",
        "VALUES",
        "WITH",
    }
)
"""Words that make a query of what stands in parentheses, or move a sequence on."""
_ACTIONS = ("CASCADE", "SET NULL", "SET DEFAULT", "RESTRICT", "NO ACTION")


@dataclass(frozen=True, slots=True)
class Type:
    """A type: its name in upper case, what stands in its parentheses, and the words behind."""

    name: str
    args: tuple[str, ...] = ()
    unsigned: bool = False


@dataclass(slots=True)
class Definition:
    """A column as it is defined; `said` are the attributes that are written."""

    name: str
    type: Type
    said: set[str] = field(default_factory=set)
    default: str | None = None
    charset: str = ""
    collation: str = ""
    references: list[tuple[Name, bool]] = field(default_factory=list)
    moved: bool = False

    @property
    def required(self) -> bool:
        """Writers that do not name it would fail."""
        filled = self.said & {"AUTO_INCREMENT", "GENERATED"} or self.type.name in {"ENUM", "SERIAL"}
        strict = self.said & {"NOT NULL", "PRIMARY KEY"}
        return bool(strict) and not filled and self.default in {None, "NULL"}


def definition(cursor: Cursor) -> Definition:
    """Read ``name type attribute…``, up to a comma or the end."""
    column = Definition(cursor.name(), type_of(cursor))
    while not cursor.ended and not cursor.sees(","):
        _attribute(cursor, column)
    return column


def type_of(cursor: Cursor) -> Type:
    """Read a type."""
    token = cursor.next
    if token is None or token.kind != "word" or token.value not in TYPES:
        raise Refused(f"{token.text[:40] if token else 'nothing'} is not a type on the list")
    cursor.at += 1
    name = {"INTEGER": "INT", "NUMERIC": "DECIMAL", "DEC": "DECIMAL", "BOOL": "TINYINT", "BOOLEAN": "TINYINT"}.get(
        token.value, token.value
    )
    cursor.take("PRECISION")
    args: tuple[str, ...] = ()
    if cursor.sees("("):
        parts = separated(cursor.group())
        if any(len(part) != 1 or part[0].kind not in {"number", "string"} for part in parts):
            raise Refused("what stands in the parentheses of a type is not a value")
        args = tuple(part[0].value for part in parts)
    unsigned = False
    while word := cursor.take("UNSIGNED", "SIGNED", "ZEROFILL"):
        unsigned |= word != "SIGNED"
    return Type(name, args, unsigned)


def expression(tokens: Sequence[Token]) -> None:
    """Nothing in it is a query, a place for a value, or a call of a function that is not on the list."""
    texts = ["", *(token.text for token in tokens)]
    for before, token, after in zip(texts, tokens, [*tokens[1:], None], strict=False):
        called = after is not None and after.kind == "sign" and after.text == "("
        if token.kind == "word" and token.value in _NOT_VALUES:
            raise Refused("a query stands where a value should")
        if not called or token.kind in {"sign", "number", "string"}:
            continue
        if token.kind == "name" or token.value not in STEADY_FUNCTIONS | BEFORE_GROUPS or before == ".":
            raise Refused(f"the function {token.text[:60]} is not on the list")


def reference(cursor: Cursor) -> tuple[Name, bool]:
    """What stands behind REFERENCES: the table, and whether its changes reach rows of this one."""
    target = cursor.qualified()
    names(cursor)
    acting = False
    cursor.take("MATCH FULL", "MATCH SIMPLE", "MATCH PARTIAL")
    while cursor.take("ON DELETE", "ON UPDATE"):
        acting |= cursor.want(*_ACTIONS) not in {"RESTRICT", "NO ACTION"}
    return target, acting


def names(cursor: Cursor) -> list[str]:
    """The columns of a key: ``(name [(length)] [ASC | DESC] | (expression), …)``; empty for an expression."""
    found = []
    for part in separated(cursor.group()):
        inner = cursor.inner(part)
        if inner.sees("("):
            expression(inner.group())
            found.append("")
        else:
            found.append(inner.name())
            if inner.take("("):
                inner.number()
                inner.want(")")
        inner.take("ASC", "DESC")
        inner.end()
    return found


def _attribute(cursor: Cursor, column: Definition) -> None:  # noqa: C901, PLR0912  a table of attributes
    if word := cursor.take("NOT NULL", "NULL", "AUTO_INCREMENT", "PRIMARY KEY", "UNIQUE KEY", "UNIQUE", "KEY"):
        column.said.add({"UNIQUE KEY": "UNIQUE", "KEY": "PRIMARY KEY"}.get(word, word))
    elif cursor.take("DEFAULT"):
        column.default = _value(cursor)
    elif cursor.take("ON UPDATE"):
        column.said.add("ON UPDATE")
        _clock(cursor)
    elif cursor.take("COMMENT"):
        column.said.add("COMMENT")
        cursor.text()
    elif word := cursor.take("CHARACTER SET", "CHARSET", "COLLATE"):
        cursor.take("=")
        said = cursor.word().lower()
        column.charset, column.collation = (column.charset, said) if word == "COLLATE" else (said, column.collation)
    elif cursor.take("GENERATED ALWAYS AS", "AS"):
        expression(cursor.group())
        column.said.add("GENERATED")
        if cursor.take("STORED", "PERSISTENT", "VIRTUAL") in {"STORED", "PERSISTENT"}:
            column.said.add("STORED")
    elif cursor.take("CONSTRAINT"):
        if not cursor.sees("CHECK"):
            cursor.name()
    elif cursor.take("CHECK"):
        expression(cursor.group())
        cursor.take("NOT ENFORCED", "ENFORCED")
        column.said.add("CHECK")
    elif cursor.take("REFERENCES"):
        column.references.append(reference(cursor))
    elif word := cursor.take("FIRST", "AFTER"):
        column.moved = True
        if word == "AFTER":
            cursor.name()
    elif not cursor.take("VISIBLE", "INVISIBLE"):
        raise Refused(f"{cursor.next.text[:40] if cursor.next else ''} is not understood in a column")


def _value(cursor: Cursor) -> str:
    """A default, in upper case where it is a word."""
    if cursor.sees("("):
        expression(cursor.group())
        return COMPUTED
    sign = cursor.take("-", "+")
    if _clock(cursor, wanted=False):
        return "CURRENT_TIMESTAMP"
    token = cursor.next
    if token is None or (token.kind == "word" and token.value not in {"NULL", "TRUE", "FALSE"}) or token.kind == "name":
        raise Refused("the default is no plain value")
    cursor.word()
    return sign + token.value


def _clock(cursor: Cursor, *, wanted: bool = True) -> bool:
    if not cursor.take(*_CLOCKS):
        if wanted:
            raise Refused("what it is set to on an update is not the time")
        return False
    if cursor.take("(") and not cursor.take(")"):
        cursor.number()
        cursor.want(")")
    return True


def calls(tokens: Sequence[Token]) -> list[str]:
    """What is called and is on no list. A table may stand before its columns, which INSERT alone allows."""
    into = next((n for n, token in enumerate(tokens) if token.value == "INTO"), -1)
    found = []
    for n, (token, after) in enumerate(pairwise(tokens)):
        if after.text != "(" or after.kind != "sign" or token.kind in {"sign", "number", "string"}:
            continue
        listed = token.kind == "word" and token.value in STEADY_FUNCTIONS | BEFORE_GROUPS
        listed &= not (n and tokens[n - 1].text == ".")
        listed &= token.value != "LAST_INSERT_ID" or tokens[n + 2 : n + 3] == [_CLOSED]  # with a value it sets it
        if not listed and not _named(tokens, n, into):
            found.append(token.text[:60])
    return found


def _named(tokens: Sequence[Token], n: int, into: int) -> bool:
    """Whether this is the name of the table behind INSERT INTO, or of a query in a WITH or a derived table."""
    behind = into >= 0 and n - into in {1, 3} and (n - into == 1 or tokens[n - 1].text == ".")
    before = tokens[n - 1].value if n else ""
    return behind or before in {"INSERT", "REPLACE", "IGNORE", "WITH", "RECURSIVE"}
