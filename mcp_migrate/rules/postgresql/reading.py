"""What does evaluating part of a statement do? Every node and field is looked at, and only listed ones pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from mcp_migrate.rules.context import Context, Name
from mcp_migrate.rules.interface import Finding, sentences
from mcp_migrate.rules.postgresql import allowed, builtins, code, counters, routines, triggers, views
from mcp_migrate.rules.postgresql.names import (
    DEFAULT_SCHEMA,
    doubts,
    full,
    is_system,
    name_of,
    qualified,
    split,
    words,
)
from mcp_migrate.rules.postgresql.parser import Tree


class Reading:
    """One walk. `reasons` say why it is not proven harmless; `relations` are the tables it reads."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.reasons: list[str] = []
        self.called: list[Finding] = []
        self.relations: list[str] = []
        self.writes: list[tuple[str, Tree]] = []
        self.fresh = False
        self.locks = False
        self._named: set[str] = set()

    @classmethod
    def of(cls, node: Tree, context: Context) -> Reading:
        """Walk `node` and everything below it."""
        reading = cls(context)
        reading.visit(node)
        return reading

    def findings(self) -> list[Finding]:
        return [*self.called, *sentences(self.reasons)]

    def visit(self, node: Tree) -> None:
        name = node.DESCRIPTOR.name
        if name == "Node":
            self._visit_any(node)
            return
        fields = allowed.FIELDS.get(name)
        if fields is None:
            self.reasons.append(f"{_spaced(name)} is not on the list of what is understood")
            return
        check = self._CHECKS.get(name)
        if check is not None:
            check(self, node)
        for field, value in node.ListFields():
            if field.name not in fields:
                self.reasons.append(f"the {field.name.replace('_', ' ')} of {_spaced(name)} is not understood")
            elif field.message_type is not None:
                for child in value if field.is_repeated else (value,):
                    self.visit(child)

    def _visit_any(self, node: Tree) -> None:
        kind = node.WhichOneof("node")
        if kind is None:
            return
        if kind == "locking_clause":  # it names tables by their aliases
            self.locks = True
            return
        child = getattr(node, kind)
        if kind == "range_var":
            self._reads(child)
        elif kind in {"insert_stmt", "update_stmt", "delete_stmt", "merge_stmt"}:
            self.writes.append((kind, child))
        self.visit(child)

    def _reads(self, relation: Tree) -> None:
        """A relation in a FROM: a plain table is known to do nothing when it is read; a view may call anything."""
        name = name_of(relation)
        if not name[0] and name[1] in self._named and not self.context.called(name[1]):
            return
        self.relations.append(f"pg_catalog.{name[1]}" if is_system(name) and not name[0] else full(relation))
        if is_system(name):
            if name[0] != "information_schema" and name[1] not in allowed.CATALOGS:
                self.reasons.append(f"{name[1]} is a system table that may hold secrets")
        else:
            self._reads_own(name)

    def _reads_own(self, name: Name) -> None:
        runs = views.read(name, self.context)
        if runs is not None:
            self._runs(runs)
        elif not self.is_plain(name):
            self.reasons.append(f"{qualified(name)} is not known to be a plain table")

    def is_plain(self, name: Name) -> bool:
        """Whether nothing else happens when it is read or written; judged by text alone without a schema."""
        if self.context.schema is None or self.context.made.has("table", name):
            return True
        where = qualified(name)
        return self.context.plain(where) and triggers.only_on_writes(where, self.context)

    def _call(self, node: Tree) -> None:
        *schema, name = words(node.funcname)
        own = routines.called(name, len(node.args), self.context) if schema != ["pg_catalog"] else None
        if own is not None:
            self.fresh = True
            self._runs(own)
        elif schema in ([], ["pg_catalog"]) and name in builtins.COUNTERS:
            self._counts(name, node)
        elif schema in ([], ["pg_catalog"]) and self._known(name):
            return
        elif name in builtins.OF_EXTENSIONS and routines.of_extension(name, self.context):
            self.fresh = True
        else:
            self.reasons.append(f"the function {'.'.join([*schema, name])} is not on the list")

    def _known(self, name: str) -> bool:
        if name in builtins.FRESH_FUNCTIONS:
            self.fresh = True
            return True
        return name in builtins.STEADY_FUNCTIONS or name in builtins.TELLING

    def _counts(self, name: str, node: Tree) -> None:
        self.fresh = True
        self.called += counters.counts(name, node, self.context)

    def _acts(self, node: Tree) -> None:
        """What triggers and rules of this plan add to a change of rows."""
        made = self.context.made
        if not made.acting:
            return
        relations = [r.range_var for r in node.relations] if node.DESCRIPTOR.name == "TruncateStmt" else [node.relation]
        for relation in relations:
            reached = self.context.referrers(full(relation))
            acts = made.acts(relation.relname, *(name.rpartition(".")[2] for name in reached))
            self._runs(acts)

    def _runs(self, findings: Iterable[Finding]) -> None:
        """Code runs now; it may have renamed or dropped what was known."""
        for finding in findings:
            if code.only_reads(finding):
                self.relations += finding.objects
            else:
                self.called.append(finding)
        if code.moves(findings):
            self.context.made.clear()

    def _operator(self, node: Tree) -> None:
        parts = words(node.name if node.DESCRIPTOR.name == "A_Expr" else node.oper_name)
        if parts and (parts[:-1] not in ([], ["pg_catalog"]) or parts[-1] not in allowed.OPERATORS):
            self.reasons.append(f"the operator {'.'.join(parts)} is not on the list")

    def _type(self, node: Tree) -> None:
        parts = words(node.names)
        key = type_key(parts[-1]) if parts else ""
        self._runs(self.context.made.told(key) or ())
        if self.context.made.named(key) and self.context.made.told(key) is None:
            self.reasons.append(f"what the constraints of {parts[-1]} run may have been changed by this plan")
        if parts and not self._known_type(parts):
            self.reasons.append(f"the type {'.'.join(parts)} is not known to be a plain one")

    def _known_type(self, parts: list[str]) -> bool:
        schema, name = split(parts)
        if schema in {"", "pg_catalog"} and name in allowed.TYPES | allowed.SERIALS:
            return schema == "pg_catalog" or not self.context.called(name)
        if self.context.made.has("domain", (schema, name)):
            self.fresh = True  # its constraints may make PostgreSQL look at each row
            return True
        if self.context.made.has("enum", (schema, name)):
            return True
        if self.context.schema is None:
            return False
        # A type the schema does not list comes from an extension; a domain or another type of the users may act.
        return set(self.context.called(name)) <= {f"enum {schema or DEFAULT_SCHEMA}"}

    def _column(self, node: Tree) -> None:
        """``table.name`` calls the function `name` where the table has no such column."""
        last = node.fields[-1].string.sval
        if len(node.fields) > 1 and (last in self.context.functions or self.context.made.named(last)):
            self.reasons.append("a column reference could be a call of a function of the database")

    def _indirection(self, node: Tree) -> None:
        if any(step.WhichOneof("node") == "string" for step in node.indirection):
            self.reasons.append("a field of a composite value could be a function call")

    def _changes(self, node: Tree) -> None:
        self._common_tables(node)
        self._acts(node)

    def _common_tables(self, node: Tree) -> None:
        """Learn the names first: fields come in an order of their own."""
        self._named.update(cte.common_table_expr.ctename for cte in node.with_clause.ctes)

    def _relation(self, node: Tree) -> None:
        self.reasons += doubts(name_of(node), self.context)

    def _option(self, node: Tree) -> None:
        if node.defname not in allowed.OPTIONS:
            self.reasons.append(f"the option {node.defname} is not on the list")

    _CHECKS: ClassVar[dict[str, Callable[[Reading, Tree], None]]] = {
        "FuncCall": _call,
        "A_Expr": _operator,
        "SubLink": _operator,
        "TypeName": _type,
        "ColumnRef": _column,
        "A_Indirection": _indirection,
        "SelectStmt": _common_tables,
        "InsertStmt": _changes,
        "UpdateStmt": _changes,
        "DeleteStmt": _changes,
        "MergeStmt": _changes,
        "TruncateStmt": _acts,
        "RangeVar": _relation,
        "DefElem": _option,
    }


def type_key(bare: str) -> str:
    """Under which name it is remembered what a value of a domain runs."""
    return f"\0type {bare}"


def _spaced(name: str) -> str:
    return "".join(f" {c.lower()}" if c.isupper() else c for c in name).strip()
