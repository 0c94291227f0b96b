"""What comes next among the tokens, and is it what the grammar wants?"""

from __future__ import annotations

from collections.abc import Sequence

from mcp_migrate.rules.mysql.allowed import RESERVED
from mcp_migrate.rules.mysql.lexer import Refused, Token

_ODD = frozenset(".*?`\"'[]")

Name = tuple[str, str]
"""A database as it was written (empty where it was not) and a name."""


class Cursor:
    """A place among tokens. Whatever is wanted and not there is refused."""

    def __init__(self, tokens: Sequence[Token], outer: Cursor | None = None) -> None:
        self.tokens = tokens
        self.at = 0
        self.named: list[Name] = outer.named if outer else []
        """The qualified names that were read, also in the parts."""
        self.parts: set[Name] = outer.parts if outer else set()
        """What else was read as a name: of a column, an index, a constraint, a database."""
        self.queries = False
        """Whether a query stands in it, which other readers must understand."""

    def inner(self, tokens: Sequence[Token]) -> Cursor:
        """A cursor on a part."""
        return Cursor(tokens, self)

    @property
    def next(self) -> Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    @property
    def ended(self) -> bool:
        return self.at >= len(self.tokens)

    def end(self) -> None:
        """Nothing may be left."""
        if self.next is not None:
            raise Refused(f"{self.next.text[:40]} is not understood there")

    def sees(self, words: str) -> bool:
        """Whether these words or signs come next."""
        wanted = words.split()
        there = self.tokens[self.at : self.at + len(wanted)]
        return len(there) == len(wanted) and all(
            token.kind in {"word", "sign"} and token.value == word for token, word in zip(there, wanted, strict=True)
        )

    def take(self, *choices: str) -> str:
        """The first of the choices that comes next, which is passed; empty where none does."""
        for words in choices:
            if self.sees(words):
                self.at += len(words.split())
                return words
        return ""

    def want(self, *choices: str) -> str:
        taken = self.take(*choices)
        if not taken:
            shown = self.next.text[:40] if self.next else "the end"
            raise Refused(f"{shown} stands where {' or '.join(choices)} should")
        return taken

    def is_name(self) -> bool:
        token = self.next
        return token is not None and (token.kind == "name" or (token.kind == "word" and token.value not in RESERVED))

    def name(self) -> str:
        token = self.next
        if token is None or not self.is_name():
            raise Refused(f"{token.text[:40] if token else 'the end'} stands where a name should")
        if not token.value or _ODD & set(token.value) or not token.value.isprintable() or token.value[-1] == " ":
            raise Refused(f"the name {token.value!r} could be mistaken for another")
        self.at += 1
        read = token.value if token.kind == "name" else token.text
        self.parts.add(("", read))
        return read

    def qualified(self) -> Name:
        """``[database.]name``."""
        first = self.name()
        self.named.append((first, self.name()) if self.take(".") else ("", first))
        return self.named[-1]

    def text(self) -> str:
        """A string."""
        token = self.next
        if token is None or token.kind != "string":
            raise Refused("a string should stand there")
        self.at += 1
        return token.value

    def number(self) -> None:
        """A whole number, passed."""
        token = self.next
        if token is None or token.kind != "number" or not token.text.isdigit():
            raise Refused("a number should stand there")
        self.at += 1

    def comma(self) -> None:
        """A comma, and something behind it, or the end."""
        if not self.ended:
            self.want(",")
            if self.ended:
                raise Refused("nothing stands behind a comma")

    def word(self) -> str:
        """Any one name, number or string, passed."""
        token = self.next
        if token is None or token.kind == "sign":
            raise Refused("a value is missing")
        self.at += 1
        return token.value

    def group(self) -> list[Token]:
        """The tokens between this parenthesis and its partner."""
        self.want("(")
        depth, start = 1, self.at
        while not self.ended:
            token = self.tokens[self.at]
            self.at += 1
            if token.kind == "sign" and token.text in {"(", ")"}:
                depth += 1 if token.text == "(" else -1
                if depth == 0:
                    return list(self.tokens[start : self.at - 1])
        raise Refused("a parenthesis does not close")


def separated(tokens: Sequence[Token]) -> list[list[Token]]:
    """The parts between the commas that are in no parenthesis."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        if token.kind == "sign":
            depth += {"(": 1, ")": -1}.get(token.text, 0)
            if token.text == "," and depth == 0:
                parts.append([])
                continue
        parts[-1].append(token)
    return parts


def shown(tokens: Sequence[Token]) -> str:
    """The tokens as one text without comments."""
    return " ".join(token.text for token in tokens)
