"""How does the scratch database differ from the models, as Alembic sees it?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from mcp_migrate.migrations.child.alembic_run import AlembicProject
from mcp_migrate.migrations.child.failures import RefusedError


def compared(project: AlembicProject) -> Mapping[str, Any]:
    """The changes, and the bodies of the revision that makes them."""
    answer: dict[str, Any] = {}

    def steps(rows: Any, context: Any) -> Any:
        answer.update(_compare(rows, context))
        return ()

    project.run(steps, dont_mutate=True)
    return answer


def _compare(rows: Any, context: Any) -> Mapping[str, Any]:
    from alembic.autogenerate import produce_migrations
    from alembic.autogenerate.api import AutogenContext
    from alembic.autogenerate.render import _render_python_into_templatevars

    metadata = context.opts.get("target_metadata")
    if metadata is None:
        raise RefusedError("neither env.py (`target_metadata`) nor the target's `models` says what to compare with")
    script = produce_migrations(context, metadata)
    hook = context.opts.get("process_revision_directives")
    if hook:
        hook(context, rows, [script])
    rendered: dict[str, Any] = {}
    script.upgrade_ops.upgrade_token, script.downgrade_ops.downgrade_token = "upgrade", "downgrade"
    _render_python_into_templatevars(AutogenContext(context, metadata=metadata), script, rendered)
    return {**rendered, "changes": list(_changes(script.upgrade_ops.as_diffs()))}


def _changes(diffs: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
    for diff in diffs:
        for each in diff if isinstance(diff, list) else [diff]:
            yield _change(each)


def _change(diff: Sequence[Any]) -> Mapping[str, Any]:
    """Alembic's tuples, as one shape: what, on which object, from what, to what."""
    kind = str(diff[0])
    if kind.startswith("modify_"):
        schema, table, column, _existing, before, after = diff[1:7]
        text = _nullable if kind == "modify_nullable" else _text
        return _shaped(kind, _dotted(schema, table, column), text(before), text(after))
    if kind in {"add_column", "remove_column"}:
        schema, table, column = diff[1:4]
        return _present(kind, _dotted(schema, table, column.name), f"{column.name} {column.type}")
    if kind.endswith("table_comment"):
        table, after = diff[1], diff[2] if kind.startswith("add") else None
        return _shaped(kind, str(table.fullname), None, _text(after))
    thing = diff[1]
    table = getattr(thing, "table", None)
    name = str(thing.fullname) if table is None else f"{table.fullname}.{thing.name or _columns(thing)}"
    return _present(kind, name, _definition(thing))


def _present(kind: str, name: str, definition: str) -> Mapping[str, Any]:
    added = kind.startswith("add_")
    return _shaped(kind, name, None if added else definition, definition if added else None)


def _shaped(kind: str, name: str, before: str | None, after: str | None) -> Mapping[str, Any]:
    return {"kind": kind, "object": name, "before": before, "after": after}


def _definition(thing: Any) -> str:
    """A table's columns, or an index's or constraint's."""
    from sqlalchemy import Table

    if isinstance(thing, Table):
        return ", ".join(f"{column.name} {column.type}" for column in thing.columns)
    return f"{type(thing).__name__}({_columns(thing)})"


def _columns(thing: Any) -> str:
    return ", ".join(str(getattr(column, "name", column)) for column in getattr(thing, "columns", ()))


def _text(value: Any) -> str | None:
    """The text of a type, a default (its SQL) or a flag."""
    inner = getattr(value, "arg", value)
    return None if inner is None or inner is False else str(inner)


def _nullable(value: Any) -> str:
    return "NOT NULL" if value is False else "NULL"


def _dotted(*names: str | None) -> str:
    return ".".join(name for name in names if name)
