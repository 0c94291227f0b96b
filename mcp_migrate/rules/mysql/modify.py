"""What does MODIFY or CHANGE do to a column? It replaces the whole definition, so the old one must be known."""

from __future__ import annotations

from dataclasses import replace

from mcp_migrate.rules.interface import Finding, found, unknown
from mcp_migrate.rules.mysql import change_rules, safer
from mcp_migrate.rules.mysql import column_rules as rules
from mcp_migrate.rules.mysql.allowed import BLOBS, INTEGERS, TEXTS
from mcp_migrate.rules.mysql.columns import Definition, Type, type_of
from mcp_migrate.rules.mysql.cursor import Cursor, Name
from mcp_migrate.rules.mysql.lexer import Refused, tokens
from mcp_migrate.rules.mysql.names import Place
from mcp_migrate.rules.mysql.options import rebuilt
from mcp_migrate.schema.model import Column

_SHORT = 63
"""Characters of utf8mb4 that fit where one byte counts the length: 255 / 4."""
_ORDERS = (TEXTS, BLOBS, ("FLOAT", "DOUBLE"), ("DATE", "DATETIME"))


def modify(new: Definition, name: str, table: Name, place: Place) -> list[Finding]:
    """What is lost, copied or silently dropped."""
    where = place.full(table, name)
    known = place.table(table)
    columns = known.columns if known else ()
    old = next((c for c in columns if c.name.casefold() == name.casefold()), None)
    if old is None:
        return [found(rules.CHANGE_TYPE, where), unknown(f"what {where} was before is not known", where)]
    own = place.collation(known) if known else ""
    texts = compared(new, old, own, where)
    kinds = [f for f in _type(new, old, where) if not texts or f.rule is not rules.WIDEN]
    results = [*kinds, *texts, *_nulls(new, old, where)]
    results += _lost(new, old, where)
    if new.said & {"GENERATED", "CHECK"} or new.references:
        results.append(found(rules.COPY_TYPE, where))
    if new.moved or any(f.rule in {rules.SET_NOT_NULL, rules.DROP_NOT_NULL} for f in results):
        results.append(rebuilt(table, place, "for another order or other nulls"))
    if new.said & {"UNIQUE", "PRIMARY KEY", "CHECK"} or new.references:
        results.append(unknown("a constraint in a changed column is not looked into", where))
    results = [_with_safer(f, new, table) for f in results]
    if bool(old.generated) != bool(new.said & {"GENERATED"}):
        results.append(found(rules.CHANGE_TYPE, where))
    return results


def _with_safer(finding: Finding, new: Definition, table: Name) -> Finding:
    if finding.rule is rules.CHANGE_TYPE:
        return replace(finding, safer=safer.adds(table, new.name + "_new", safer.spelt(new.type)))
    return replace(finding, safer=safer.nulls(table, new.name)) if finding.rule is rules.SET_NOT_NULL else finding


def _type(new: Definition, old: Column, where: str) -> list[Finding]:
    try:
        cursor = Cursor(tokens(old.type))
        before = type_of(cursor)
        cursor.end()
    except Refused:
        return [found(rules.CHANGE_TYPE, where)]
    kept = wider(before, new.type)
    if kept is None:
        return [found(rules.CHANGE_TYPE, where)]
    return [found(rules.WIDEN if kept else rules.COPY_TYPE, where)]


def compared(new: Definition, old: Column, own: str, where: str) -> list[Finding]:
    """What is not repeated becomes that of the table, which is `own`."""
    before = old.collation or own
    if not (new.charset or new.collation) and before == own:
        return []
    after = new.collation or new.charset or own
    if before and after == before:
        return []
    same = bool(before and after) and after.partition("_")[0] == before.partition("_")[0]
    return [found(change_rules.COLLATION if same else rules.CHANGE_TYPE, where)]


def wider(old: Type, new: Type) -> bool | None:
    """True where no row is touched, False where the table is copied and nothing is lost, None where it may be."""
    if old.name == new.name:
        return _same_name(old, new)
    if old.name in INTEGERS and new.name in INTEGERS:
        grows = INTEGERS.index(new.name) > INTEGERS.index(old.name)
        return False if grows and (old.unsigned == new.unsigned or old.unsigned) else None
    if any(
        old.name in order and new.name in order and order.index(new.name) > order.index(old.name) for order in _ORDERS
    ):
        return False if old.name != "FLOAT" or not (old.args or new.args) else None
    return None


def _same_name(old: Type, new: Type) -> bool | None:  # noqa: PLR0911  one answer for each kind of type
    if old.name in INTEGERS:
        return True if old.unsigned == new.unsigned else None
    if old == new:
        return True
    if old.unsigned != new.unsigned:
        return None
    if old.name == "ENUM":
        appended = new.args[: len(old.args)] == old.args
        return (len(old.args) > 255) == (len(new.args) > 255) if appended else None  # noqa: PLR2004  bytes of a member
    if old.name in {"VARCHAR", "VARBINARY", "CHAR"} and len(old.args) == len(new.args) == 1:
        return _longer(old, new)
    if old.name == "DECIMAL" and len(old.args) == len(new.args) == 2:  # noqa: PLR2004  precision and scale
        (p, s), (q, t) = map(int, old.args), map(int, new.args)
        return False if t >= s and q - t >= p - s else None
    return None


def _longer(old: Type, new: Type) -> bool | None:
    before, after = int(old.args[0]), int(new.args[0])
    if after < before:
        return None
    return old.name == "VARCHAR" and (after <= _SHORT or before > 255)  # noqa: PLR2004  two bytes in any character set


def _nulls(new: Definition, old: Column, where: str) -> list[Finding]:
    strict = bool(new.said & {"NOT NULL", "PRIMARY KEY"}) or new.type.name == "SERIAL"
    if strict and old.nullable:
        return [found(rules.SET_NOT_NULL, where)]
    if not strict and not old.nullable:
        silently = "" if "NULL" in new.said else "; NOT NULL was not repeated"
        return [found(rules.DROP_NOT_NULL, where, silently=silently)]
    return []


def _lost(new: Definition, old: Column, where: str) -> list[Finding]:
    """Attributes that are gone because they were not repeated."""
    lost: list[str] = []
    changed: list[Finding] = []
    if old.default is not None and old.default.upper() != "NULL" and new.default is None:
        lost.append("DEFAULT")
    elif (new.default or "NULL").upper() != "NULL" and _plain(new.default) != _plain(old.default):
        changed.append(found(change_rules.NEW_DEFAULT, where, new=str(new.default), old=str(old.default or "nothing")))
    if old.identity and "AUTO_INCREMENT" not in new.said:
        lost.append("AUTO_INCREMENT")
    if old.comment and "COMMENT" not in new.said:
        lost.append("COMMENT")
    return [*changed, found(rules.FORGETS, where, lost=" and ".join(lost))] if lost else changed


def _plain(default: str | None) -> str:
    """A default without quotes, as it compares."""
    text = (default or "").removesuffix("()")
    return text.upper() if text.upper() == "CURRENT_TIMESTAMP" else text.strip("'")
