"""Is it the same text in another spelling? SQLite's own tokens, as far as they tell texts apart.

White space, comments, the style of quotes, and the case of keywords make no difference; all else does. The text was
accepted by SQLite before it is read here, so what is no token of its grammar cannot occur.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, NamedTuple

_TOKENS = re.compile(
    r"""(?P<skipped>[ \t\n\f\r]+|--[^\n]*|/\*.*?(?:\*/|\Z))
      | (?P<text>[xX]?'(?:[^']|'')*')
      | (?P<name>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])
      | (?P<number>0[xX][0-9a-fA-F_]+|(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9_]+)?)
      | (?P<word>[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*)
      | (?P<symbol>->>?|\|\||<<|>>|<=|>=|<>|!=|==|.)""",
    re.VERBOSE | re.DOTALL,
)
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*\Z")
_KEYWORDS = frozenset(
    "ABORT ACTION ADD AFTER ALL ALTER ALWAYS ANALYZE AND AS ASC ATTACH AUTOINCREMENT BEFORE BEGIN BETWEEN BY CASCADE "
    "CASE CAST CHECK COLLATE COLUMN COMMIT CONFLICT CONSTRAINT CREATE CROSS CURRENT CURRENT_DATE CURRENT_TIME "
    "CURRENT_TIMESTAMP DATABASE DEFAULT DEFERRABLE DEFERRED DELETE DESC DETACH DISTINCT DO DROP EACH ELSE END ESCAPE "
    "EXCEPT EXCLUDE EXCLUSIVE EXISTS EXPLAIN FAIL FALSE FILTER FIRST FOLLOWING FOR FOREIGN FROM FULL GENERATED GLOB "
    "GROUP GROUPS HAVING IF IGNORE IMMEDIATE IN INDEX INDEXED INITIALLY INNER INSERT INSTEAD INTERSECT INTO IS ISNULL "
    "JOIN KEY LAST LEFT LIKE LIMIT MATCH MATERIALIZED NATURAL NO NOT NOTHING NOTNULL NULL NULLS OF OFFSET ON OR ORDER "
    "OTHERS OUTER OVER PARTITION PLAN PRAGMA PRECEDING PRIMARY QUERY RAISE RANGE RECURSIVE REFERENCES REGEXP REINDEX "
    "RELEASE RENAME REPLACE RESTRICT RETURNING RIGHT ROLLBACK ROW ROWS SAVEPOINT SELECT SET TABLE TEMP TEMPORARY THEN "
    "TIES TO TRANSACTION TRIGGER TRUE UNBOUNDED UNION UNIQUE UPDATE USING VACUUM VALUES VIEW VIRTUAL WHEN WHERE WINDOW "
    "WITH WITHIN WITHOUT".split()
)
"""SQLite's keywords (lang_keywords.html), and the two words that are values unless they are quoted."""


class Token(NamedTuple):
    """One token. `kind` is ``keyword``, ``name``, ``text``, ``number`` or ``symbol``; `value` is without quotes."""

    kind: Literal["keyword", "name", "text", "number", "symbol"]
    value: str

    def __str__(self) -> str:
        return spelled(self.value) if self.kind == "name" else self.value


def tokens(sql: str) -> list[Token]:
    """The tokens of `sql`, without white space and comments."""
    return [_token(m.lastgroup, m[0]) for m in _TOKENS.finditer(sql) if m.lastgroup != "skipped"]


@lru_cache(maxsize=4_096)
def normal(sql: str | None) -> str:
    """The one spelling of `sql`."""
    return joined(tokens(sql or ""))


def joined(parts: list[Token]) -> str:
    """The one spelling of a run of tokens."""
    words: list[str] = []
    before = None
    for part in parts:
        if before is not None and not _touches(before, part):
            words.append(" ")
        words.append(str(part))
        before = part
    return "".join(words)


@lru_cache(maxsize=4_096)
def spelled(name: str) -> str:
    """`name` as an identifier, quoted only where it must be. Kept: a schema repeats its names."""
    return name if _PLAIN.match(name) and name.upper() not in _KEYWORDS else quote(name)


def quote(name: str) -> str:
    """`name` as a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def folded(name: str) -> str:
    """`name` as SQLite compares names: only the letters of ASCII have no case."""
    return "".join(c.lower() if c.isascii() else c for c in name) if not name.isascii() else name.lower()


def body(create: str) -> str:
    """What follows the name in a CREATE TABLE, as it was written; SQLite keeps nothing but those two words before."""
    ends = [found.end() for found in _TOKENS.finditer(create) if found.lastgroup != "skipped"]
    return create[ends[2] :].lstrip() if len(ends) > 3 else ""  # noqa: PLR2004  two words and the name


def _token(kind: str | None, text: str) -> Token:
    if kind == "word":
        upper = text.upper()
        return Token("keyword", upper) if upper in _KEYWORDS else Token("name", text)
    if kind == "symbol":
        return Token("symbol", text)
    if kind == "name":
        inner = text[1:-1]
        return Token("name", inner if text[0] == "[" else inner.replace(text[0] * 2, text[0]))
    return Token("text" if kind == "text" else "number", text)


def _touches(before: Token, after: Token) -> bool:
    """Whether no space stands between: what is left still falls into the same tokens."""
    if before.value in {"(", "."} and before.kind == "symbol":
        return True
    if after.kind != "symbol":
        return False
    return after.value in {")", ",", "."} or (after.value == "(" and before.kind == "name")
