"""What does a statement do to PostgreSQL? Its own grammar decides, node by node.

An allow-list: a kind of statement, a subcommand, an expression or a function that is not listed makes the whole
statement `unknown`. Lock levels are those of https://www.postgresql.org/docs/current/explicit-locking.html.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from mcp_migrate.model import Effect, Statement
from mcp_migrate.rules.interface import Context, Found, found, unknown

_EXCLUSIVE = "ACCESS EXCLUSIVE"
_SHARE = "SHARE"

FUNCTIONS = frozenset(
    {"now", "transaction_timestamp", "statement_timestamp", "lower", "upper", "length", "char_length", "trim", "btrim"}
    | {"coalesce", "abs", "round", "md5", "concat", "substring", "substr", "replace", "date_trunc", "to_tsvector"}
    | {"jsonb_build_object", "json_build_object", "count", "min", "max", "sum", "timezone", "extract", "date_part"}
)
"""Built-in functions proven harmless: they neither write nor call anything a user wrote."""

_VOLATILE = frozenset({"gen_random_uuid", "random", "clock_timestamp", "nextval"})
_EXPRESSIONS = frozenset(
    {"a_const", "column_ref", "a_expr", "bool_expr", "null_test", "boolean_test", "type_cast", "param_ref", "a_star"}
    | {"coalesce_expr", "min_max_expr", "case_expr", "case_when", "sqlvalue_function", "a_array_expr", "row_expr"}
    | {"list", "string", "integer", "float", "boolean", "type_name", "func_call", "collate_clause", "index_elem"}
)
_SERIAL = frozenset({"serial", "bigserial", "smallserial", "serial4", "serial8", "serial2"})
_PLAIN_CONSTRAINTS = frozenset(
    {"CONSTR_NULL", "CONSTR_NOTNULL", "CONSTR_DEFAULT", "CONSTR_CHECK", "CONSTR_PRIMARY", "CONSTR_UNIQUE"}
    | {"CONSTR_FOREIGN", "CONSTR_IDENTITY", "CONSTR_ATTR_DEFERRABLE", "CONSTR_ATTR_NOT_DEFERRABLE"}
    | {"CONSTR_ATTR_DEFERRED", "CONSTR_ATTR_IMMEDIATE", "CONSTR_GENERATED"}
)
_DROPS = {
    "OBJECT_TABLE": "table",
    "OBJECT_SCHEMA": "schema",
    "OBJECT_TYPE": "type",
    "OBJECT_DOMAIN": "domain",
    "OBJECT_SEQUENCE": "sequence",
    "OBJECT_MATVIEW": "materialized view",
}
_BREAKING_DROPS = {"OBJECT_VIEW": "view", "OBJECT_INDEX": "index", "OBJECT_FUNCTION": "function"}


class PostgresJudge:
    """Judges the statements of one plan, in order."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._rules: Mapping[str, Callable[[Any], Found]] = {
            "create_stmt": self._create_table,
            "index_stmt": self._index,
            "create_enum_stmt": lambda node: _made("type", _names(node.type_name)),
            "create_seq_stmt": lambda node: _made("sequence", (_name(node.sequence),)),
            "create_schema_stmt": self._create_schema,
            "alter_enum_stmt": self._alter_enum,
            "alter_table_stmt": self._alter_table,
            "rename_stmt": self._rename,
            "drop_stmt": self._drop,
            "truncate_stmt": lambda node: _lost("truncate", "It removes every row of", map(_name_of, node.relations)),
            "comment_stmt": lambda _node: found("comment", "It describes an object.", Effect.ADDITIVE),
            "insert_stmt": self._insert,
            "update_stmt": self._update,
            "delete_stmt": lambda node: self._rows(node, "delete", Effect.DESTRUCTIVE),
            "select_stmt": self._select,
            "grant_stmt": lambda _node: _privilege("It changes who may do what."),
            "grant_role_stmt": lambda _node: _privilege("It changes who belongs to a role."),
            "create_role_stmt": lambda _node: _privilege("It creates a role."),
            "alter_role_stmt": lambda _node: _privilege("It changes a role."),
            "drop_role_stmt": lambda _node: _privilege("It drops a role."),
            "alter_owner_stmt": lambda _node: _privilege("It changes an owner."),
            "create_extension_stmt": lambda _node: _privilege("It installs code of others into the database."),
            "alter_system_stmt": lambda _node: _privilege("It changes the server's settings."),
            "copy_stmt": lambda _node: _privilege("COPY can reach files and programs of the server."),
            "load_stmt": lambda _node: _privilege("It loads a library into the server."),
        }

    def judge(self, statement: Statement) -> Found:
        """What `statement` does."""
        node = _parse(statement.sql)
        if node is None:
            return unknown("PostgreSQL's grammar does not read it as one statement.")
        kind = node.WhichOneof("node")
        moves = {"insert_stmt", "update_stmt", "delete_stmt", "create_stmt", "drop_stmt"}
        if statement.kind == "version" and kind in moves:
            return found("alembic-version", "Alembic moves its version table.")
        rule = self._rules.get(kind)
        return rule(getattr(node, kind)) if rule else unknown(f"No rule covers {kind.removesuffix('_stmt')}.")

    def _create_table(self, node: Any) -> Found:
        name = _name(node.relation)
        if node.inh_relations or node.HasField("partbound") or node.HasField("of_typename") or node.if_not_exists:
            return unknown("It creates a table that depends on what is there.", name)
        if strange := [why for element in node.table_elts for why in _strange(element)]:
            return unknown(f"It creates a table with {strange[0]}.", name)
        if node.relation.relpersistence != "p":
            return unknown("It creates a table that does not last, and may hide one that does.", name)
        self._context.made.add(name)
        others = [table for table in _referenced(node) if table not in self._context.made]
        effects = (Effect.ADDITIVE, Effect.BLOCKING) if others else (Effect.ADDITIVE,)
        blocks = f" It locks {', '.join(others)} for a moment." if others else ""
        lock = "SHARE ROW EXCLUSIVE" if others else None
        return found("create-table", f"It creates {name}.{blocks}", *effects, objects=(name,), lock=lock)

    def _create_schema(self, node: Any) -> Found:
        if node.schema_elts or node.HasField("authrole"):
            return unknown("It creates a schema with more in it.")
        return _made("schema", (node.schemaname,))

    def _alter_enum(self, node: Any) -> Found:
        name = _names(node.type_name)
        if node.old_val:
            return found("rename-enum-value", "It renames a value in use.", Effect.BREAKING, objects=name)
        return found("add-enum-value", "It adds a value; none is lost.", Effect.ADDITIVE, objects=name)

    def _index(self, node: Any) -> Found:
        table = _name(node.relation)
        if not _harmless([*node.index_params, node.where_clause, *node.index_including_params]):
            return unknown("Its expressions call what is not known to be harmless.", table)
        if table in self._context.made:
            return found(
                "create-index-new-table", "It indexes a table this plan made.", Effect.ADDITIVE, objects=(table,)
            )
        if node.concurrent and not node.unique:
            why = f"It indexes {table} without blocking writes."
            return found(
                "create-index-concurrently", why, Effect.ADDITIVE, objects=(table,), lock="SHARE UPDATE EXCLUSIVE"
            )
        if node.unique:
            why = f"A unique index on {table} fails on duplicates, and rejects what was accepted before."
            effects = (Effect.BREAKING,) if node.concurrent else (Effect.BREAKING, Effect.BLOCKING)
            return found(
                "create-unique-index", why, *effects, objects=(table,), lock=None if node.concurrent else _SHARE
            )
        why = f"It blocks writes to {table} while the index is built."
        return Found(
            "create-index",
            why,
            frozenset({Effect.ADDITIVE, Effect.BLOCKING}),
            (table,),
            _SHARE,
            safer="CREATE INDEX CONCURRENTLY, in a revision of its own, in an autocommit block",
        )

    def _alter_table(self, node: Any) -> Found:
        table = _name(node.relation)
        if _enum(node, "objtype") not in {"OBJECT_TABLE", "OBJECT_INDEX", "OBJECT_SEQUENCE", "OBJECT_VIEW"}:
            return unknown("This kind of ALTER is not judged yet.", table)
        parts = [self._subcommand(table, command.alter_table_cmd) for command in node.cmds]
        if len(parts) == 1:
            return parts[0]
        return Found(
            rule=parts[0].rule,
            why=" ".join(part.why for part in parts),
            effects=frozenset().union(*(part.effects for part in parts)),
            objects=tuple(dict.fromkeys(name for part in parts for name in part.objects)),
            lock=_EXCLUSIVE,
        )

    def _subcommand(self, table: str, command: Any) -> Found:
        kind = _enum(command, "subtype")
        column = f"{table}.{command.name}"
        own = table in self._context.made
        if kind == "AT_AddColumn":
            return self._add_column(table, command)
        if kind == "AT_DropColumn":
            why = f"It drops {column} with what is in it" + (
                ", and all that depends on it." if _cascades(command) else "."
            )
            return found("drop-column", why, Effect.DESTRUCTIVE, Effect.BREAKING, objects=(column,), lock=_EXCLUSIVE)
        if kind == "AT_AlterColumnType":
            why = f"Changing the type of {column} may lose or refuse values and may rewrite the table."
            return found(
                "alter-column-type", why, Effect.DESTRUCTIVE, Effect.BLOCKING, objects=(column,), lock=_EXCLUSIVE
            )
        if kind == "AT_AddConstraint":
            return self._add_constraint(table, getattr(command, "def").constraint, own=own)
        if kind == "AT_ColumnDefault":
            return _default(column, getattr(command, "def"))
        if kind == "AT_ValidateConstraint":
            why = f"It checks the rows of {table}; writes go on."
            return found("validate-constraint", why, Effect.ADDITIVE, objects=(table,), lock="SHARE UPDATE EXCLUSIVE")
        if kind in {"AT_SetNotNull", "AT_DropNotNull", "AT_DropConstraint"}:
            if own:
                return found(
                    "own-table", f"It changes {table}, which this plan made.", Effect.ADDITIVE, objects=(table,)
                )
            what = {"AT_SetNotNull": "rejects NULLs", "AT_DropNotNull": "lets NULLs in"}.get(kind, "drops a constraint")
            why = f"It {what} on {column if 'Null' in kind else table}: what relied on it breaks."
            return found(
                kind.removeprefix("AT_").lower(),
                why,
                Effect.BREAKING,
                Effect.BLOCKING,
                objects=(table,),
                lock=_EXCLUSIVE,
            )
        if kind == "AT_ChangeOwner":
            return _privilege(f"It changes the owner of {table}.")
        return unknown(f"{kind.removeprefix('AT_')} is not judged yet.", table)

    def _add_column(self, table: str, command: Any) -> Found:
        definition = getattr(command, "def").column_def
        column = f"{table}.{definition.colname}"
        if strange := list(_strange(getattr(command, "def"))):
            return unknown(f"It adds {column} with {strange[0]}.", column)
        self._context.made_columns.add(column)
        if table in self._context.made:
            return found(
                "own-table", f"It adds {column} to a table this plan made.", Effect.ADDITIVE, objects=(column,)
            )
        kinds = {_enum(c.constraint, "contype") for c in definition.constraints}
        rewrites = _type(definition.type_name) in _SERIAL or bool(kinds & {"CONSTR_IDENTITY", "CONSTR_GENERATED"})
        if rewrites or any(_volatile(c.constraint.raw_expr) for c in definition.constraints):
            why = f"It adds {column} and rewrites {table} under a lock that stops reads and writes."
            return found(
                "add-column-rewrite", why, Effect.ADDITIVE, Effect.BLOCKING, objects=(column,), lock=_EXCLUSIVE
            )
        if kinds & {"CONSTR_UNIQUE", "CONSTR_PRIMARY", "CONSTR_FOREIGN", "CONSTR_CHECK"}:
            why = f"It adds {column} with a constraint that is checked under a lock."
            return found(
                "add-column-constraint", why, Effect.ADDITIVE, Effect.BLOCKING, objects=(column,), lock=_EXCLUSIVE
            )
        if "CONSTR_NOTNULL" in kinds and "CONSTR_DEFAULT" not in kinds:
            why = f"It adds {column} NOT NULL without a default: that fails on rows that are there, and breaks inserts."
            return found("add-column-not-null", why, Effect.BREAKING, objects=(column,), lock=_EXCLUSIVE)
        return found(
            "add-column", f"It adds {column}; no row is rewritten.", Effect.ADDITIVE, objects=(column,), lock=_EXCLUSIVE
        )

    def _add_constraint(self, table: str, constraint: Any, *, own: bool) -> Found:
        kind = _enum(constraint, "contype")
        if kind not in _PLAIN_CONSTRAINTS or not _harmless([constraint.raw_expr]):
            return unknown("This constraint is not judged yet.", table)
        if own:
            others = [name for name in _referenced(constraint) if name not in self._context.made]
            effects = (Effect.ADDITIVE, Effect.BLOCKING) if others else (Effect.ADDITIVE,)
            return found("own-table", f"It constrains {table}, which this plan made.", *effects, objects=(table,))
        why = f"It makes {table} reject what it accepted before" + (
            "; rows that are there are not checked."
            if constraint.skip_validation
            else ", and checks every row under a lock."
        )
        lock = "SHARE ROW EXCLUSIVE" if kind == "CONSTR_FOREIGN" else _EXCLUSIVE
        return found("add-constraint", why, Effect.BREAKING, Effect.BLOCKING, objects=(table,), lock=lock)

    def _rename(self, node: Any) -> Found:
        if _enum(node, "rename_type") not in {"OBJECT_TABLE", "OBJECT_COLUMN", "OBJECT_INDEX", "OBJECT_TABCONSTRAINT"}:
            return unknown("This kind of rename is not judged yet.")
        table = _name(node.relation)
        self._context.made -= {table, f"{_schema(node.relation)}.{node.newname}"}
        what = f"{table}.{node.subname}" if node.subname else table
        why = f"It renames {what} to {node.newname}; what used the old name breaks."
        return found("rename", why, Effect.BREAKING, objects=(table,), lock=_EXCLUSIVE)

    def _drop(self, node: Any) -> Found:
        kind = _enum(node, "remove_type")
        names = tuple(_object_name(item) for item in node.objects)
        cascade = " and all that depends on it" if _cascades(node) else ""
        if kind == "OBJECT_TABLE" and set(names) <= self._context.made and not cascade:
            self._context.made -= set(names)
            return found("drop-own-table", "It drops a table this plan made.", Effect.ADDITIVE, objects=names)
        if kind in _DROPS:
            what = _DROPS[kind]
            why = f"It drops {what} {', '.join(names)}{cascade}, with what is in it."
            return found(
                f"drop-{what.replace(' ', '-')}",
                why,
                Effect.DESTRUCTIVE,
                Effect.BREAKING,
                objects=names,
                lock=_EXCLUSIVE,
            )
        if kind in _BREAKING_DROPS and not cascade:
            what = _BREAKING_DROPS[kind]
            why = f"It drops {what} {', '.join(names)}: no row is lost, but what used it breaks."
            return found(f"drop-{what}", why, Effect.BREAKING, objects=names, lock=_EXCLUSIVE)
        return found(
            "drop", f"It drops {', '.join(names)}{cascade}.", Effect.DESTRUCTIVE, Effect.UNKNOWN, objects=names
        )

    def _insert(self, node: Any) -> Found:
        if node.HasField("on_conflict_clause") or node.HasField("with_clause"):
            return unknown("It may do more than add rows.", _name(node.relation))
        return self._rows(node, "insert", Effect.DATA)

    def _update(self, node: Any) -> Found:
        table = _name(node.relation)
        columns = {f"{table}.{target.res_target.name}" for target in node.target_list}
        own = columns <= self._context.made_columns
        return self._rows(node, "update", *((Effect.DATA,) if own else (Effect.DATA, Effect.DESTRUCTIVE)))

    def _rows(self, node: Any, rule: str, *effects: Effect) -> Found:
        table = _name(node.relation)
        if self._context.triggered(table):
            return unknown("Triggers or rules of the table may do more than it says.", table)
        if not _harmless_query(node):
            return found(rule, "It calls what is not known to be harmless.", *effects, Effect.UNKNOWN, objects=(table,))
        if table in self._context.made:
            return found(
                "own-rows", f"It changes rows of {table}, which this plan made.", Effect.DATA, objects=(table,)
            )
        what = {"insert": "adds rows to", "update": "overwrites values in", "delete": "deletes rows of"}[rule]
        return found(rule, f"It {what} {table}.", *effects, objects=(table,))

    def _select(self, node: Any) -> Found:
        if node.HasField("into_clause") or not _harmless_query(node):
            changes = _changed(node)
            effects = (Effect.DESTRUCTIVE, Effect.UNKNOWN) if changes else (Effect.UNKNOWN,)
            return found("select-unknown", "It may do more than read.", *effects, objects=tuple(changes))
        return found("select", "It only reads.", Effect.READ)


def _parse(sql: str) -> Any:
    """The node of the one statement in `sql`, or None."""
    import postgast
    from google.protobuf.message import DecodeError

    try:
        statements = postgast.parse(sql).stmts
    except (postgast.PgQueryError, DecodeError, ValueError, RecursionError):
        return None
    return statements[0].stmt if len(statements) == 1 else None


def _made(kind: str, names: tuple[str, ...]) -> Found:
    return found(f"create-{kind}", f"It creates {kind} {', '.join(names)}.", Effect.ADDITIVE, objects=names)


def _lost(rule: str, what: str, names: Iterable[str]) -> Found:
    named = tuple(names)
    return found(rule, f"{what} {', '.join(named)}.", Effect.DESTRUCTIVE, objects=named, lock=_EXCLUSIVE)


def _privilege(why: str) -> Found:
    return found("privilege", why, Effect.PRIVILEGE, Effect.UNKNOWN)


def _default(column: str, definition: Any) -> Found:
    if definition.WhichOneof("node") is None:
        return found(
            "drop-default", f"Inserts that relied on the default of {column} break.", Effect.BREAKING, objects=(column,)
        )
    if not _harmless([definition]):
        return unknown(f"The new default of {column} is not known to be harmless.", column)
    return found("set-default", f"New rows get another default in {column}.", Effect.ADDITIVE, objects=(column,))


def _strange(element: Any) -> Iterator[str]:
    """What in a column or constraint of a new table is not on the allow-list."""
    kind = element.WhichOneof("node")
    if kind == "constraint":
        constraints = [element.constraint]
    elif kind == "column_def":
        constraints = [c.constraint for c in element.column_def.constraints]
    else:
        yield f"a {kind}"
        return
    for constraint in constraints:
        if _enum(constraint, "contype") not in _PLAIN_CONSTRAINTS:
            yield f"a {_enum(constraint, 'contype').removeprefix('CONSTR_').lower()}"
        elif not _harmless([constraint.raw_expr]):
            yield "an expression that is not known to be harmless"


def _walk(message: Any) -> Iterator[tuple[str, Any]]:
    """Each (kind, node) under a protobuf message, itself included."""
    if message.DESCRIPTOR.name == "Node":
        kind = message.WhichOneof("node")
        if kind is not None:
            yield kind, getattr(message, kind)
            yield from _walk(getattr(message, kind))
        return
    for descriptor, value in message.ListFields():
        if descriptor.message_type is not None:
            for child in value if descriptor.is_repeated else [value]:
                yield from _walk(child)


def _harmless(nodes: Iterable[Any]) -> bool:
    """Whether expressions consist of nothing but listed nodes and functions."""
    found_nodes = [pair for node in nodes for pair in _walk(node)]
    return all(kind in _EXPRESSIONS for kind, _ in found_nodes) and _calls_harmless(found_nodes)


def _harmless_query(message: Any) -> bool:
    """Whether a query changes nothing beside its own table and calls nothing that is not listed."""
    nodes = list(_walk(message))
    query = _EXPRESSIONS | {
        "res_target",
        "select_stmt",
        "range_var",
        "join_expr",
        "range_subselect",
        "sub_link",
        "sort_by",
    }
    return all(kind in query for kind, _ in nodes) and _calls_harmless(nodes)


def _calls_harmless(nodes: Iterable[tuple[str, Any]]) -> bool:
    for kind, node in nodes:
        if kind == "func_call":
            path = [part.string.sval for part in node.funcname]
            if path[-1] not in FUNCTIONS | _VOLATILE or path[:-1] not in ([], ["pg_catalog"]):
                return False
        if kind == "a_expr" and len(node.name) > 1:  # OPERATOR(schema.+) may be anybody's
            return False
    return True


def _volatile(expression: Any) -> bool:
    return any(kind == "func_call" and node.funcname[-1].string.sval in _VOLATILE for kind, node in _walk(expression))


def _changed(message: Any) -> list[str]:
    """The tables that a query's common table expressions change."""
    changing = {"insert_stmt", "update_stmt", "delete_stmt", "merge_stmt"}
    return [_name(node.relation) for kind, node in _walk(message) if kind in changing]


def _referenced(message: Any) -> list[str]:
    """The tables that foreign keys under `message` point to."""
    own = [message] if message.DESCRIPTOR.name == "Constraint" else []
    constraints = own + [node for kind, node in _walk(message) if kind == "constraint"]
    return sorted({_name(c.pktable) for c in constraints if c.HasField("pktable")})


def _enum(message: Any, field: str) -> str:
    """The name of an enum field's value."""
    descriptor = message.DESCRIPTOR.fields_by_name[field]
    return str(descriptor.enum_type.values_by_number[getattr(message, field)].name)


def _cascades(message: Any) -> bool:
    return _enum(message, "behavior") == "DROP_CASCADE"


def _schema(relation: Any) -> str:
    return relation.schemaname or "public"


def _name(relation: Any) -> str:
    return f"{_schema(relation)}.{relation.relname}"


def _name_of(node: Any) -> str:
    return _name(node.range_var)


def _names(parts: Iterable[Any]) -> tuple[str, ...]:
    return (_dotted([part.string.sval for part in parts]),)


def _dotted(path: list[str]) -> str:
    return ".".join(path if len(path) > 1 else ["public", *path])


def _object_name(node: Any) -> str:
    kind = node.WhichOneof("node")
    if kind == "list":
        return _dotted([item.string.sval for item in node.list.items])
    if kind == "type_name":
        return _dotted([item.string.sval for item in node.type_name.names])
    if kind == "object_with_args":
        return _dotted([item.string.sval for item in node.object_with_args.objname])
    return str(node.string.sval)


def _type(type_name: Any) -> str:
    return str(type_name.names[-1].string.sval) if type_name.names else ""
