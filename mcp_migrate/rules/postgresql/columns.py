"""What do the columns and constraints of a CREATE TABLE or ADD COLUMN bring with them?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mcp_migrate.rules.context import Context, Name
from mcp_migrate.rules.interface import Finding, found, rule
from mcp_migrate.rules.postgresql import allowed
from mcp_migrate.rules.postgresql.names import full, member, name_of, split, words
from mcp_migrate.rules.postgresql.parser import Tree

REFERENCES = rule(
    "references-existing-table",
    "A new foreign key to a table in use",
    "additive blocking",
    "The foreign key to {object} briefly stops writes to it.",
    "SHARE ROW EXCLUSIVE",
    rationale="The new table has no rows to check, but writers of the old one wait for the lock, and it for them.",
    source="https://www.postgresql.org/docs/current/sql-createtable.html",
    flags=("CREATE TABLE notes (id integer, user_id integer REFERENCES users (id))",),
    passes=("CREATE TABLE notes (id integer, user_id integer)",),
)
_NO_VALUE = frozenset({"CONSTR_PRIMARY", "CONSTR_UNIQUE", "CONSTR_CHECK", "CONSTR_GENERATED"})
_FILLED = frozenset({"CONSTR_IDENTITY", "CONSTR_GENERATED"})
_ACTING = frozenset("cnd")  # CASCADE, SET NULL, SET DEFAULT


@dataclass(frozen=True, slots=True)
class Column:
    """What matters about one new column."""

    name: str
    kinds: frozenset[str]
    filled: bool
    constant: bool
    foreign: tuple[Tree, ...]

    @property
    def required(self) -> bool:
        """Rows and writers that do not name it would fail."""
        return bool(self.kinds & {"CONSTR_NOTNULL", "CONSTR_PRIMARY"}) and not (self.filled or self.constant)

    @property
    def restricts(self) -> bool:
        return bool(self.kinds & _NO_VALUE)


def column(node: Tree) -> Column:
    """Read one column definition."""
    constraints = {member("ConstrType", c.constraint.contype): c.constraint for c in node.constraints}
    default = constraints.get("CONSTR_DEFAULT")
    serial = split(words(node.type_name.names))[1] in allowed.SERIALS
    return Column(
        name=node.colname,
        kinds=frozenset(constraints),
        filled=serial or bool(_FILLED & set(constraints)),
        constant=default is not None and not is_null(default.raw_expr),
        foreign=tuple(c.constraint for c in node.constraints if c.constraint.HasField("pktable")),
    )


def foreign_keys(constraints: Iterable[Tree], table: Name, context: Context) -> Iterator[Finding]:
    """The locks of new foreign keys on tables in use."""
    for constraint in constraints:
        target = name_of(constraint.pktable)
        if target != table and not context.made.has("table", target):
            yield found(REFERENCES, full(constraint.pktable))


def acts(constraint: Tree) -> bool:
    """Whether deleting or changing what it points to changes rows."""
    return bool({constraint.fk_del_action, constraint.fk_upd_action} & _ACTING)


def kind_of(constraint: Tree) -> str:
    return member("ConstrType", constraint.contype)


def is_steady(expression: Tree) -> bool:
    """Whether computing it cannot fail: a constant, or a function without arguments."""
    kind = expression.WhichOneof("node")
    if kind == "type_cast":
        return is_steady(expression.type_cast.arg)
    return kind in {"a_const", "sqlvalue_function"} or (kind == "func_call" and not expression.func_call.args)


def is_null(expression: Tree) -> bool:
    """Whether it is NULL, perhaps of some type."""
    if expression.WhichOneof("node") == "type_cast":
        return is_null(expression.type_cast.arg)
    return bool(expression.a_const.isnull)
