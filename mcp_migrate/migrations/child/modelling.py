"""What do the models say: which schema do they make, and which objects does `env.py` leave out of comparisons?

The metadata is created on the scratch database, where the parent reads it like any other schema. The project's
`include_object` and `include_name` are asked about each object of both sides, as Alembic asks them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from mcp_migrate.migrations.child.alembic_run import AlembicProject, make_schema
from mcp_migrate.migrations.child.failures import RefusedError

Left = list[str]
"""Kind, schema, table and name of something."""


def modelled(project: AlembicProject, live: Sequence[Mapping[str, Any]], schema: str | None) -> Mapping[str, Any]:
    """Create the metadata on the empty scratch database; what is left out, and which constraints have a name."""
    answer: dict[str, Any] = {}
    every: list[Any] = []

    def steps(_rows: Any, context: Any) -> Any:
        every.extend(_metadata(context))
        answer.update(_asked(context, every, live, schema))
        return ()

    project.run(steps, dont_mutate=True)
    _create(every)
    return answer


def _metadata(context: Any) -> list[Any]:
    found = context.opts.get("target_metadata")
    if found is None:
        raise RefusedError("neither env.py (`target_metadata`) nor the target's `models` says what to compare with")
    return list(found) if isinstance(found, (list, tuple)) else [found]


def _create(every: Iterable[Any]) -> None:
    """On an engine of our own: `env.py` may roll back what was done in its transaction."""
    import sqlalchemy

    try:
        with sqlalchemy.create_engine("scratch://").begin() as connection:
            _make(connection, every)
    except sqlalchemy.exc.SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).split("\n")[0]
        raise RefusedError(f"the models cannot be made on an empty database: {reason}") from error


def _make(connection: Any, every: Iterable[Any]) -> None:
    for metadata in every:
        schemas = {table.schema for table in metadata.tables.values()} | {s.schema for s in _sequences(metadata)}
        for schema in sorted(filter(None, {*schemas, metadata.schema})):
            if connection.dialect.name == "postgresql":
                make_schema(connection, schema)
        metadata.create_all(connection)


def _sequences(metadata: Any) -> Iterable[Any]:
    return tuple(metadata._sequences.values())  # noqa: SLF001  no public name


def _asked(
    context: Any, every: Sequence[Any], live: Sequence[Mapping[str, Any]], schema: str | None
) -> Mapping[str, Any]:
    from alembic.autogenerate.api import AutogenContext

    asking = _Asking(AutogenContext(context, metadata=every[0]), schema or context.dialect.default_schema_name or "")
    models = {asking.place(table): table for metadata in every for table in metadata.tables.values()}
    tables = {asking.place(table): table for table in map(asking.reflected, live)}
    left = [left for place in {**models, **tables} for left in asking.left_out(models.get(place), tables.get(place))]
    named = [[*asking.place(t), str(c.name)] for t in models.values() for c in t.constraints if c.name]
    return {"left_out": left, "named": named, "every_schema": bool(context.opts.get("include_schemas"))}


class _Asking:
    """Puts one object of the models, the database or both to the project's filters."""

    def __init__(self, autogen: Any, default_schema: str) -> None:
        self._autogen = autogen
        self._default_schema = default_schema

    def place(self, table: Any) -> tuple[str, str]:
        return (table.schema or self._default_schema, str(table.name))

    def reflected(self, facts: Mapping[str, Any]) -> Any:
        """A table as reflection would give it; types are known only by what they are called."""
        import sqlalchemy as sa

        schema = None if facts["schema"] == self._default_schema else facts["schema"]
        columns = [sa.Column(c["name"], self._type(c["type"]), nullable=c["nullable"]) for c in facts["columns"]]
        table = sa.Table(facts["name"], sa.MetaData(), *columns, schema=schema, comment=facts["comment"])
        for name, unique in facts["indexes"]:
            sa.Index(name, unique=unique, _table=table)
        for kind, name, on in facts["constraints"]:
            if kind == "unique":
                table.append_constraint(sa.UniqueConstraint(*on, name=name))
            elif kind == "foreign_key" and on:
                table.append_constraint(sa.ForeignKeyConstraint(on, [f"unknown.{c}" for c in on], name=name))
        return table

    def _type(self, text: str) -> Any:
        import sqlalchemy as sa

        known = self._autogen.dialect.ischema_names
        found = known.get(text.partition("(")[0]) or known.get(text.partition("(")[0].upper())
        try:
            return found() if found else sa.types.NullType()
        except TypeError:
            return sa.types.NullType()

    def left_out(self, model: Any, table: Any) -> Iterator[Left]:
        """The table, or what of it is left out."""
        schema, name = self.place(model if model is not None else table)
        if not self._keeps(model, table, name, "table", {"schema_name": None if table is None else table.schema}):
            yield ["table", schema, name, ""]
            return
        for kind, noun, parts in _KINDS:
            ours, theirs = (_by_name(parts, side) for side in (model, table))
            parents = {"schema_name": None if table is None else table.schema, "table_name": name}
            for part in {**ours, **theirs}:
                if not self._keeps(ours.get(part), theirs.get(part), part, noun, parents):
                    yield [kind, schema, name, part]

    def _keeps(self, model: Any, found: Any, name: str, noun: str, parents: Mapping[str, Any]) -> bool:
        if found is not None and not self._autogen.run_name_filters(name, noun, dict(parents)):
            return False
        if model is not None:
            return bool(self._autogen.run_object_filters(model, name, noun, False, found))  # noqa: FBT003  as Alembic
        return bool(self._autogen.run_object_filters(found, name, noun, True, None))  # noqa: FBT003  as Alembic


def _columns(table: Any) -> Iterable[Any]:
    return tuple(table.columns)


def _indexes(table: Any) -> Iterable[Any]:
    return tuple(table.indexes)


def _unique(table: Any) -> Iterable[Any]:
    from sqlalchemy import UniqueConstraint

    return [c for c in table.constraints if isinstance(c, UniqueConstraint)]


def _foreign(table: Any) -> Iterable[Any]:
    return tuple(table.foreign_key_constraints)


_KINDS = (
    ("column", "column", _columns),
    ("index", "index", _indexes),
    ("constraint", "unique_constraint", _unique),
    ("constraint", "foreign_key_constraint", _foreign),
)
"""Ours, Alembic's word, and where they are."""


def _by_name(parts: Any, table: Any) -> dict[str, Any]:
    return {} if table is None else {str(part.name): part for part in parts(table) if part.name}
