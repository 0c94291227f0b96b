"""What does PL/pgSQL do? Its own parser makes a tree; every node and field of it is looked at, only listed ones pass.

The tree leaves one thing out: what a variable of the type `record` is set to where it is declared. So the signs of
the text that set something are counted, and where the tree shows fewer the code is unknown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mcp_migrate.rules.context import Context
from mcp_migrate.rules.interface import Finding, unknown
from mcp_migrate.rules.postgresql.parser import parse, parse_plpgsql, tokens

Judge = Callable[[str, Context], list[Finding]]

_SHAPES = """
PLpgSQL_function new_varno old_varno datums action
PLpgSQL_var refname lineno datatype isconst notnull default_val cursor_explicit_expr cursor_explicit_argrow
 cursor_options
PLpgSQL_rec refname dno lineno
PLpgSQL_row refname lineno fields
PLpgSQL_recfield fieldname recparentno
PLpgSQL_type typname
PLpgSQL_stmt_block lineno label body exceptions
PLpgSQL_exception_block exc_list
PLpgSQL_exception conditions action
PLpgSQL_condition condname
PLpgSQL_stmt_assign lineno varno expr
PLpgSQL_stmt_if lineno cond then_body elsif_list else_body
PLpgSQL_if_elsif lineno cond stmts
PLpgSQL_stmt_case lineno t_expr t_varno case_when_list have_else else_stmts
PLpgSQL_case_when lineno expr stmts
PLpgSQL_stmt_loop lineno label body
PLpgSQL_stmt_while lineno label cond body
PLpgSQL_stmt_fori lineno label var lower upper step reverse body
PLpgSQL_stmt_fors lineno label var body query
PLpgSQL_stmt_forc lineno label var body curvar argquery
PLpgSQL_stmt_foreach_a lineno label varno slice expr body
PLpgSQL_stmt_dynfors lineno label var body query params
PLpgSQL_stmt_open lineno curvar cursor_options argquery query dynquery params
PLpgSQL_stmt_fetch lineno target curvar direction how_many expr is_move returns_multiple_rows
PLpgSQL_stmt_close lineno curvar
PLpgSQL_stmt_perform lineno expr
PLpgSQL_stmt_call lineno expr is_call target
PLpgSQL_stmt_commit lineno chain
PLpgSQL_stmt_rollback lineno chain
PLpgSQL_stmt_exit lineno is_exit label cond
PLpgSQL_stmt_return lineno expr
PLpgSQL_stmt_return_next lineno expr
PLpgSQL_stmt_return_query lineno query dynquery params
PLpgSQL_stmt_raise lineno elog_level condname message params options
PLpgSQL_raise_option opt_type expr
PLpgSQL_stmt_assert lineno cond message
PLpgSQL_stmt_execsql lineno sqlstmt into strict target
PLpgSQL_stmt_dynexecute lineno query into strict target params
PLpgSQL_stmt_getdiag lineno is_stacked diag_items
PLpgSQL_diag_item kind target
PLpgSQL_expr query parseMode
"""
_FIELDS = {line.split()[0]: frozenset(line.split()[1:]) for line in _SHAPES.replace("\n ", " ").strip().splitlines()}
_DYNAMIC = frozenset({"PLpgSQL_stmt_dynexecute", "PLpgSQL_stmt_dynfors"})
_SHOWN_ABOVE = frozenset({"var", "target", "fields"})
"""Variables, which are all among the `datums`: what they are set to counts once."""
_DEEPEST = 100
_SETS = frozenset({":=", "=", "=>", "DEFAULT"})
_TRIGGER_TEXT = "tg_name tg_when tg_level tg_op tg_relname tg_table_name tg_table_schema tg_event tg_tag"


@dataclass(frozen=True, slots=True)
class Heading:
    """What the code is given: names, which of them are results, and whether it is a trigger's."""

    names: tuple[str, ...] = ()
    results: tuple[bool, ...] = ()
    returns_set: bool = False
    trigger: bool = False


class Block:
    """One walk over one tree."""

    def __init__(self, context: Context, statement: Judge) -> None:
        self._context, self._statement = context, statement
        self._found: list[Finding] = []
        self._seen: Counter[str] = Counter()
        self._shown = 0
        self._depth = 0

    def findings(self, text: str, heading: Heading) -> list[Finding]:
        """What the code in `text` does."""
        tree = _tree(text, heading)
        if isinstance(tree, str):
            return [unknown(tree)]
        self._visit("PLpgSQL_function", tree)
        self._shown += sum("default_val" in datum.get("PLpgSQL_var", ()) for datum in tree["datums"])
        self._beside(text)
        return list(dict.fromkeys(self._found))

    def _doubt(self, reason: str) -> None:
        self._found.append(unknown(reason))

    def _visit(self, kind: str, node: dict[str, Any]) -> None:
        fields = _FIELDS.get(kind)
        strange = fields is None or set(node) - fields
        if strange:
            self._doubt(f"{kind.removeprefix('PLpgSQL_')} in code is not on the list")
        elif kind == "PLpgSQL_expr":
            self._expression(node["query"], node.get("parseMode", 0))
        elif kind in {"PLpgSQL_stmt_commit", "PLpgSQL_stmt_rollback"}:
            self._doubt("the code ends the transaction in which it runs")
        else:
            self._shown += kind in {"PLpgSQL_diag_item", "PLpgSQL_raise_option"}
            for field, value in node.items():
                if field not in _SHOWN_ABOVE:
                    self._child(kind, field, value)

    def _child(self, kind: str, field: str, value: Any) -> None:
        if field == "dynquery" or (field == "query" and kind in _DYNAMIC):
            self._dynamic(value["PLpgSQL_expr"]["query"])
        elif isinstance(value, dict):
            self._visit_all(value)
        elif isinstance(value, list):
            for item in value:
                self._visit_all(item)

    def _visit_all(self, nodes: dict[str, Any]) -> None:
        if self._depth > _DEEPEST:
            self._doubt("the code is nested too deeply")
            return
        self._depth += 1
        for kind, node in nodes.items():
            self._visit(kind, node)
        self._depth -= 1

    def _expression(self, text: str, mode: int) -> None:
        """Mode 0 is a whole statement, 2 an expression; the others set a variable to one."""
        self._seen.update(_words(text))
        if mode == 0:
            self._found += self._statement(text, self._context)
        elif mode == 2:  # noqa: PLR2004  RAW_PARSE_PLPGSQL_EXPR
            self._found += _quiet(self._statement(f"SELECT {text}", self._context))
        else:
            target, value = _assignment(text)
            for part in (target, value):
                self._found += _quiet(self._statement(f"SELECT {part}", self._context))

    def _dynamic(self, text: str) -> None:
        """A text that is run: decided where it is written out, else unknown."""
        self._seen.update(_words(text))
        made = parse(f"SELECT {text}")
        targets = [] if isinstance(made, str) else list(made.node.target_list)
        constant = targets[0].res_target.val.a_const if len(targets) == 1 else None
        if constant is not None and constant.HasField("sval") and "\\" not in text:
            self._found += self._statement(constant.sval.sval, self._context)
            return
        self._doubt("the code runs a text that it puts together")

    def _beside(self, text: str) -> None:
        """What stands in the text but in no expression of the tree: declarations, mostly."""
        if tokens(text) is None:
            self._doubt("the code is not made of words that are known")
        rest = _words(text) - self._seen
        if sum(count for word, count in rest.items() if word.upper() in _SETS) > self._shown:
            self._doubt("a part of the code is not in the tree that the PL/pgSQL parser makes")
        for word in rest:
            if any(place.startswith("domain ") for place in self._context.called(word)):
                self._doubt(f"a variable may be of the domain {word}, whose constraints are not looked into")


def _words(text: str) -> Counter[str]:
    return Counter(word[1:-1] if word.startswith('"') else word.lower() for word, _ in tokens(text) or ())


def _quiet(findings: list[Finding]) -> list[Finding]:
    """Without what says that no table is read."""
    return [finding for finding in findings if finding.objects or finding.rule.id != "read"]


def _assignment(text: str) -> tuple[str, str]:
    """The variable, which may hold an index that is computed, and what it is set to."""
    depth = 0
    for word, end in tokens(text) or ():
        depth += (word in {"[", "("}) - (word in {"]", ")"})
        if depth == 0 and word in {":=", "="}:
            return text[: end - len(word)], text[end:]
    return text, text


def _tree(text: str, heading: Heading) -> dict[str, Any] | str:
    """What is given to the code is taken for a value, and where that does not do, for a record with fields."""
    tree = parse_plpgsql(_written(text, heading, "text"))
    return parse_plpgsql(_written(text, heading, "record")) if isinstance(tree, str) else tree


def _written(text: str, heading: Heading, kind: str) -> str:
    """A function with that body."""
    given = [
        f"OUT {_quoted(name)} text" if result else f"{_quoted(name)} {kind}"
        for name, result in zip(heading.names, heading.results, strict=True)
        if name
    ]
    if heading.trigger:
        given = ["new record", "old record", "tg_argv text[]", "tg_relid oid", "tg_nargs integer"]
        given += [f"{name} text" for name in _TRIGGER_TEXT.split()]
    returned = "text" if sum(heading.results) == 1 else "record"
    body = text.replace("\\", "\\\\").replace("'", "''")
    heads = f"CREATE FUNCTION f({', '.join(given)}) RETURNS {'SETOF ' * heading.returns_set}{returned}"
    return f"{heads} LANGUAGE plpgsql AS E'{body}'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
