"""How does the live schema differ from the models, or from what the revisions give?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mcp_migrate.errors import InvalidArgumentsError
from mcp_migrate.model import Granted, Prepared
from mcp_migrate.schema import Change, Schema, diff
from mcp_migrate.tools.interface import Database, Workbench, answer
from mcp_migrate.tools.live import Live, read_live

_SHOWN = 200


class SchemaDiff:
    """Against ``models`` Alembic's own comparison counts; against the others our schema model."""

    def prepare(self, granted: Granted, bench: Workbench) -> Prepared:
        """Compare, on scratch databases; the target is only read."""
        database = bench.database(granted)
        live = read_live(database)
        against = granted.call.arguments.get("against", "head")
        changes = self._changes(database, live, against, bench)
        return answer(
            granted,
            {
                "in_sync": not changes,
                "against": against,
                "changes": changes[:_SHOWN],
                "changes_total": len(changes),
                "summary": _summary(against, changes),
            },
        )

    def _changes(self, database: Database, live: Live, against: str, bench: Workbench) -> Sequence[Mapping[str, Any]]:
        kind, _, name = against.partition(":")
        if kind == "models":
            found = database.project.autogenerate(database.dialect, database.url, current=live.revisions)
            return list(found.changes)
        if kind == "target":
            return shown(diff(live.schema, _other(bench.open_database(name), database)))
        return shown(diff(live.schema, replayed(database, name or "head")))


def replayed(database: Database, to: str) -> Schema:
    """The schema that the revisions up to `to` give on an empty scratch database."""
    return database.project.replayed_schema(database.dialect, database.url, to=to, version_table=database.version_table)


def shown(changes: Sequence[Change]) -> list[Mapping[str, Any]]:
    """The JSON form of changes."""
    return [
        {
            "kind": change.kind,
            "object": change.object,
            "before": change.before,
            "after": change.after,
            "effects": sorted(change.effects),
            "confidence": change.confidence,
        }
        for change in changes
    ]


def _other(other: Database, database: Database) -> Schema:
    if other.dialect.name != database.dialect.name:
        raise InvalidArgumentsError(
            f"{database.name} is {database.dialect.name}, {other.name} is {other.dialect.name}.",
            hint="Compare targets of one database product.",
        )
    return read_live(other).schema


def _summary(against: str, changes: Sequence[Mapping[str, Any]]) -> str:
    if not changes:
        return f"The live schema equals {against}."
    first = ", ".join(f"{c['kind']} {c['object']}" for c in changes[:5])
    return f"{len(changes)} changes would make the live schema equal to {against}: {first}" + (
        " …" if len(changes) > 5 else "."  # noqa: PLR2004  five are shown in the line above
    )
