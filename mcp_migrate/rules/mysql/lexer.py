"""Which tokens does MySQL see in a text? Read exactly, or refused with the reason.

What is assumed of the session, here and nowhere else: the connection speaks utf8mb4 and its sql_mode is `SQL_MODE`.
So ``"x"`` is a string and a backslash escapes. A text whose tokens would end elsewhere in another mode is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SQL_MODE = "STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
"""The mode that the session is given when it connects; neither ANSI_QUOTES nor NO_BACKSLASH_ESCAPES."""

Kind = Literal["word", "name", "string", "number", "sign"]
_SPACES = frozenset(" \t\n\r\f\v")
_LONGEST = 1_000_000
_SIGNS = frozenset("()=<>!+-*/%&|^~,.;?")
_TWO = frozenset({"<=", ">=", "<>", "!=", "||", "&&", "<<", ">>", "->"})
_INTRODUCERS = frozenset({"_utf8mb4", "_utf8mb3", "_utf8", "_latin1", "_ascii", "_binary"})
_TIGHT = frozenset(
    """
    ADDDATE BIT_AND BIT_OR BIT_XOR CAST COUNT CURDATE CURTIME DATE_ADD DATE_SUB EXTRACT GROUP_CONCAT JSON_ARRAYAGG
    JSON_OBJECTAGG MAX MEDIAN MID MIN NOW POSITION SESSION_USER STD STDDEV STDDEV_POP STDDEV_SAMP SUBDATE SUBSTR
    SUBSTRING SUM SYSDATE SYSTEM_USER TRIM VARIANCE VAR_POP VAR_SAMP
    """.split()
)
"""Built-in only where the parenthesis follows at once ("Function Name Parsing and Resolution" of the manual)."""
_PREFIXES = frozenset("nNxXbB")


@dataclass(frozen=True, slots=True)
class Token:
    """A token: `text` as it stands, `value` what it means (a word in upper case, a name without its quotes)."""

    kind: Kind
    text: str
    value: str


class Refused(Exception):  # noqa: N818  it is an answer, not a fault
    """The text is not read; the message says why."""


def tokens(text: str) -> list[Token]:
    """The tokens of one statement, without comments and the last semicolon.

    Raises:
        Refused: it holds something whose meaning depends on the server, or more than one statement.
    """
    if len(text) > _LONGEST:
        raise Refused("the text is too long")
    if "\0" in text or any("\ud800" <= c <= "\udfff" for c in text):
        raise Refused("the text holds a character that MySQL does not take")
    found = _scan(text)
    while found and found[-1].text == ";" and found[-1].kind == "sign":
        found.pop()
    if any(token.text == ";" and token.kind == "sign" for token in found):
        raise Refused("it holds several statements")
    return found


def split(text: str) -> tuple[list[str], str]:
    """The statements of a file, and the rest of it from where its tokens cannot be told.

    A piece without a token is a comment and no statement. DELIMITER is a command of the client, which changes what
    ends a statement, so nobody can tell how the text goes on.
    """
    pieces: list[str] = []
    start, at, full = 0, 0, False
    try:
        while at < len(text):
            after = _skipped(text, at)
            if after == at:
                token, after = _token(text, at)
                if token.kind == "word" and token.value == "DELIMITER":
                    return pieces, text[start:]
                ends = token.kind == "sign" and token.text == ";"
                pieces += [text[start:at]] if ends and full else []
                start, full = (after, False) if ends else (start, True)
            at = after
    except Refused:
        return pieces, text[start:]
    return ([*pieces, text[start:]] if full else pieces), ""


def _scan(text: str) -> list[Token]:
    found: list[Token] = []
    at, end, ended = 0, len(text), 0
    while at < end:
        after = _skipped(text, at)
        if after == at:
            token, after = _token(text, at)
            if found:
                _meets(found[-1], token, apart=at > ended)
            found.append(token)
            ended = after
        at = after
    return found


def _meets(before: Token, token: Token, *, apart: bool) -> None:
    """What two tokens mean together that neither means alone."""
    if before.kind != "word":
        return
    if apart and token.text == "(" and before.value in _TIGHT:
        raise Refused(f"{before.text} with a blank before its parenthesis may be a function of the database")
    if token.kind == "string" and before.value.startswith("_") and before.value.lower() not in _INTRODUCERS:
        raise Refused(f"the character set {before.text} may read the string otherwise")


def _skipped(text: str, at: int) -> int:
    """Where the blank or comment that starts here ends; `at` where none does."""
    if text[at] in _SPACES:
        return at + 1
    if text[at] == "#":
        return _line(text, at)
    if text.startswith("--", at):
        if text[at + 2 : at + 3] not in {"", *_SPACES}:
            raise Refused("two minus signs without a blank behind them are a comment to some readers, not to MySQL")
        return _line(text, at)
    return _block(text, at) if text.startswith("/*", at) else at


def _line(text: str, at: int) -> int:
    end = text.find("\n", at)
    end = len(text) if end < 0 else end
    if "\r" in text[at:end].rstrip("\r"):
        raise Refused("a comment holds a carriage return, which ends it for some readers")
    return end


def _block(text: str, at: int) -> int:
    if text[at + 2 : at + 3] == "!" or text[at + 2 : at + 4].upper() == "M!":
        raise Refused("an executable comment runs on some servers and not on others")
    if text[at + 2 : at + 3] == "+":
        raise Refused("an optimizer hint can change settings of the session")
    end = text.find("*/", at + 2)
    if end < 0:
        raise Refused("a comment does not end")
    if "/*" in text[at + 2 : end]:
        raise Refused("a comment holds the start of another, which some readers nest")
    return end + 2


def _token(text: str, at: int) -> tuple[Token, int]:
    first = text[at]
    if first in "'\"":
        return _string(text, at, at)
    if first == "`":
        return _name(text, at)
    if _is_digit(first) or (first == "." and _is_digit(text[at + 1 : at + 2]) and not _follows_name(text, at)):
        return _number(text, at)
    if _in_word(first):
        return _word(text, at)
    if first in _SIGNS:
        sign = text[at : at + 2] if text[at : at + 2] in _TWO else first
        return Token("sign", sign, sign), at + len(sign)
    if first == "\\":
        raise Refused("a backslash outside of a string is a command of the client")
    if first == "@":
        raise Refused("it uses a variable, whose value is not known here")
    raise Refused(f"{first!r} is no character of a statement")


def _is_digit(c: str) -> bool:
    return "0" <= c <= "9"


def _follows_name(text: str, at: int) -> bool:
    return at > 0 and (_in_word(text[at - 1]) or text[at - 1] == "`")


def _in_word(c: str) -> bool:
    if c.isascii():
        return c.isalnum() or c in "_$"
    if not c.isalpha():
        raise Refused(f"{c!r} looks like a blank or a sign and is part of a name to MySQL")
    return True


def _run(text: str, at: int) -> int:
    while at < len(text) and _in_word(text[at]):
        at += 1
    return at


def _word(text: str, at: int) -> tuple[Token, int]:
    end = _run(text, at)
    word = text[at:end]
    if text[end : end + 1] in {"'", '"'}:
        if word in _PREFIXES:
            return _string(text, at, end)
        if word.startswith("_") and word.lower() not in _INTRODUCERS:
            raise Refused(f"the character set {word} may read the string otherwise")
        if word.startswith("_"):
            return _string(text, at, end)
    return Token("word", word, word.upper()), end


def _number(text: str, at: int) -> tuple[Token, int]:
    end = at
    while end < len(text) and (_is_digit(text[end]) or text[end] == "."):
        end += 1
    if text[end : end + 1] in {"e", "E"} and text[end + 1 : end + 2] in {"+", "-"}:
        end += 2
    after = _run(text, end)
    word = text[at:after]
    if not _is_number(word):
        raise Refused(f"{word} may be a number or a name")
    return Token("number", word, word), after


def _is_number(word: str) -> bool:
    if word[:2] in {"0x", "0b"}:
        return len(word) > 2 and all(c in "0123456789abcdefABCDEF" for c in word[2:])  # noqa: PLR2004  behind 0x
    try:
        float(word)
    except ValueError:
        return False
    return "_" not in word


def _string(text: str, start: int, at: int) -> tuple[Token, int]:
    quote, end = text[at], at + 1
    while True:
        if end >= len(text):
            raise Refused("a string does not end")
        if text[end] == "\\":
            end = _escaped(text, end)
        elif text[end] != quote:
            end += 1
        elif text[end + 1 : end + 2] == quote:
            end += 2
        else:
            return Token("string", text[start : end + 1], text[at + 1 : end].replace(quote * 2, quote)), end + 1


def _escaped(text: str, at: int) -> int:
    """Behind an escaped character. Before a quote it ends the string in one mode and not in the other."""
    if text[at + 1 : at + 2] in {"'", '"', "\\", ""}:
        raise Refused("where a string ends depends on NO_BACKSLASH_ESCAPES; double the quote instead")
    return at + 2


def _name(text: str, at: int) -> tuple[Token, int]:
    end = at + 1
    while True:
        end = text.find("`", end)
        if end < 0:
            raise Refused("a name does not end")
        if text[end + 1 : end + 2] != "`":
            return Token("name", text[at : end + 1], text[at + 1 : end].replace("``", "`")), end + 1
        end += 2
