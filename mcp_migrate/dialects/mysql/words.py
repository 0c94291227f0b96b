"""With which words does a statement begin, and does the transaction it is sent in survive it?

MySQL and MariaDB commit before and after nearly everything that is no plain work on rows. So whatever is not named here
counts as ending the transaction.
"""

from __future__ import annotations

from collections.abc import Iterator

_ON_ROWS = frozenset("INSERT UPDATE DELETE REPLACE SELECT WITH VALUES".split())
_HARMLESS_SETTINGS = frozenset({"FOREIGN_KEY_CHECKS", "UNIQUE_CHECKS", "SQL_NOTES"})
_OURS = frozenset("BEGIN START COMMIT ROLLBACK SAVEPOINT RELEASE XA LOCK UNLOCK SET USE CHANGE DELIMITER".split())
_MANY = frozenset("DROP RENAME".split())
_WHOLE = frozenset("ALTER CREATE TRUNCATE LOCK".split()) | _MANY
_LOCKS = {"LOCK": True, "UNLOCK": False}


def stays_inside(sql: str) -> bool:
    """Whether the transaction that this is sent in goes on behind it."""
    found = words(sql, 1)
    return found[:1] in ([word] for word in _ON_ROWS) or _is_setting(sql)


def controls_session(sql: str) -> bool:
    """Whether this would take the session out of our hands: its transaction, locks, database or settings."""
    found = words(sql, 1)
    return not found or (found[0] in _OURS and not _is_setting(sql))


def locks(sql: str) -> bool | None:
    """Whether this takes locks on tables, or gives them back; None for anything else."""
    return _LOCKS.get("".join(words(sql, 1)))


def fails_whole(sql: str) -> bool:
    """Whether a server with atomic DDL leaves nothing behind when it refuses this: it is about one object."""
    found = words(sql, 1)
    return bool(found) and found[0] in _WHOLE and not (found[0] in _MANY and "," in sql)


def words(sql: str, count: int) -> list[str]:
    """The first words in upper case, without comments; none where something else comes first."""
    found: list[str] = []
    at = _past_comments(sql, 0)
    while len(found) < count:
        end = at
        while end < len(sql) and (sql[end].isalnum() or sql[end] == "_"):
            end += 1
        if end == at:
            break
        found.append(sql[at:end].upper())
        at = _past_comments(sql, end)
    return found


def marks_in(sql: str) -> Iterator[int]:
    """Where a ``?`` stands for a value: outside of strings, names and comments."""
    at = 0
    while at < len(sql):
        after = _past_comments(sql, at)
        if after == at:
            after = _past_quoted(sql, at) if sql[at] in "'\"`" else at + 1
            if sql[at] == "?":
                yield at
        at = after


def _is_setting(sql: str) -> bool:
    """One of the settings that revisions change, for this session, to a number or ON or OFF."""
    parts = sql.replace("=", " = ").replace(";", " ; ").upper().split()
    plain = [part for part in parts if part not in {"SESSION", ";"}]
    known = {"0", "1", "ON", "OFF"}
    shape = [plain[0], plain[2], plain[3] in known] if len(plain) == len("SET x = 1".split()) else []
    return shape == ["SET", "=", True] and plain[1].removeprefix("@@").removeprefix("SESSION.") in _HARMLESS_SETTINGS


def _past_comments(sql: str, at: int) -> int:
    """Behind the blanks and comments that start here. An executable comment is no comment."""
    while at < len(sql):
        if sql[at].isspace():
            at += 1
        elif sql[at] == "#" or (sql.startswith("--", at) and (not sql[at + 2 : at + 3] or sql[at + 2].isspace())):
            end = sql.find("\n", at)
            at = len(sql) if end < 0 else end
        elif sql.startswith("/*", at) and sql[at + 2 : at + 3] != "!" and sql[at + 2 : at + 4].upper() != "M!":
            end = sql.find("*/", at + 2)
            at = len(sql) if end < 0 else end + 2
        else:
            break
    return at


def _past_quoted(sql: str, at: int) -> int:
    """Behind the string or name that starts here; a doubled quote is read as two strings, which ends alike."""
    quote, end = sql[at], at + 1
    while end < len(sql) and sql[end] != quote:
        end += 2 if sql[end] == "\\" and quote != "`" else 1
    return end + 1
