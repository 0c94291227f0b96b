"""How does the scratch database differ from the models, as Alembic sees it?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mcp_migrate.migrations.child.alembic_run import AlembicProject
from mcp_migrate.migrations.child.failures import RefusedError


def compared(project: AlembicProject, schema: str | None) -> Mapping[str, Any]:
    """The changes, and the bodies of the revision that makes them."""
    answer: dict[str, Any] = {}

    def steps(rows: Any, context: Any) -> Any:
        answer.update(_compare(rows, context, schema))
        return ()

    project.run(steps, dont_mutate=True)
    return answer


def _compare(rows: Any, context: Any, schema: str | None) -> Mapping[str, Any]:
    from alembic.autogenerate import produce_migrations

    metadata = context.opts.get("target_metadata")
    if metadata is None:
        raise RefusedError("neither env.py (`target_metadata`) nor the target's `models` says what to compare with")
    script: Any = produce_migrations(context, metadata)
    hook = context.opts.get("process_revision_directives")
    if hook:
        hook(context, rows, [script])
    changes = _Changes(schema or context.dialect.default_schema_name or "")
    return {**_rendered(script, context, metadata), "changes": list(changes.of(script.upgrade_ops.as_diffs()))}


def _rendered(script: Any, context: Any, metadata: Any) -> Mapping[str, str]:
    """The Python bodies of upgrade and downgrade, and the imports they need."""
    from alembic.autogenerate.api import AutogenContext
    from alembic.autogenerate.render import _render_python_into_templatevars

    rendered: dict[str, Any] = {}
    script.upgrade_ops.upgrade_token, script.downgrade_ops.downgrade_token = "upgrade", "downgrade"
    _render_python_into_templatevars(AutogenContext(context, metadata=metadata), script, rendered)
    return rendered


class _Changes:
    """Alembic's tuples in the shape of `schema.Change`: what, on which object, from what, to what."""

    def __init__(self, default_schema: str) -> None:
        self._default_schema = default_schema

    def of(self, diffs: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
        """One change for each tuple; Alembic puts the alterations of one column in a list."""
        for diff in diffs:
            for each in diff if isinstance(diff, list) else [diff]:
                yield self._change(*each)

    def _change(self, kind: str, *parts: Any) -> Mapping[str, Any]:
        if kind.startswith("modify_"):
            schema, table, column, _existing, before, after = parts
            aspect = kind.removeprefix("modify_")
            name = self._name(schema, table, column)
            return _shaped("alter_column", name, _aspect(aspect, before), _aspect(aspect, after))
        if kind in {"add_column", "remove_column"}:
            schema, table, column = parts
            return _present(kind, self._name(schema, table, column.name), f"{column.name} {column.type}")
        if kind.endswith("_table_comment"):
            return _shaped("alter_table", self._name(parts[0].schema, parts[0].name), None, kind)
        return self._whole(kind, parts[0])

    def _whole(self, kind: str, thing: Any) -> Mapping[str, Any]:
        """A table, an index or a constraint."""
        from sqlalchemy import Table

        if isinstance(thing, Table):
            columns = ", ".join(f"{column.name} {column.type}" for column in thing.columns)
            return _present(kind, self._name(thing.schema, thing.name), columns)
        columns = ", ".join(str(getattr(column, "name", column)) for column in getattr(thing, "columns", ()))
        name = self._name(thing.table.schema, thing.table.name, str(thing.name or columns))
        noun = "index" if kind.endswith("_index") else "constraint"
        return _present(f"{kind.partition('_')[0]}_{noun}", name, f"{type(thing).__name__}({columns})")

    def _name(self, schema: str | None, *names: str) -> str:
        return ".".join(filter(None, (schema or self._default_schema, *names)))


def _present(kind: str, name: str, definition: str) -> Mapping[str, Any]:
    verb, _, noun = kind.partition("_")
    if verb == "add":
        return _shaped(f"add_{noun}", name, None, definition)
    return _shaped(f"drop_{noun}", name, definition, None)


def _shaped(kind: str, name: str, before: str | None, after: str | None) -> Mapping[str, Any]:
    """The JSON form. Alembic compares types and defaults by rules of thumb, so that those are less certain."""
    verb = kind.partition("_")[0]
    effect = {"add": "additive", "drop": "destructive"}.get(verb, "unknown")
    certain = 0.8 if verb == "alter" else 1.0
    return {
        "kind": kind,
        "object": name,
        "before": before,
        "after": after,
        "effects": [effect],
        "confidence": certain,
    }


def _aspect(aspect: str, value: Any) -> str | None:
    """A type, a default (its SQL), a comment, or whether the column may be null."""
    if aspect == "nullable":
        return "NOT NULL" if value is False else "NULL"
    inner = getattr(value, "arg", value)
    return None if inner is None or inner is False else f"{aspect} {inner}"
