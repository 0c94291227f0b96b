"""What may tools know of each target, and how are its revisions shut in?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mcp_migrate.migrations.cage.confinement import Confinement
    from mcp_migrate.settings import Settings, Target
    from mcp_migrate.tools.interface import Database


@dataclass(slots=True)
class Databases:
    """The targets of one configuration. `key_of` opens one for a person's command; the pipeline has its own keys."""

    settings: Settings
    key_of: Callable[[str], Callable[[], str]]
    known: dict[str, tuple[str, Database]] = field(default_factory=dict)

    def open(self, name: str) -> Database:
        """What tools may know of a target; its project is described once and remembered while its url is the same."""
        target = self.settings.target(name)
        url, (before, database) = target.resolved_url(), self.known.get(name, (None, None))
        if database is None or before != url:  # a password was changed
            database = self._database(name, target, url)
            self.known[name] = url, database
        return replace(database)  # what one call saw of the project is not the next one's

    def _database(self, name: str, target: Target, url: str) -> Database:
        from mcp_migrate.brokers import broker_for
        from mcp_migrate.dialects import dialect_for
        from mcp_migrate.migrations import Project
        from mcp_migrate.migrations.undo import Keeping
        from mcp_migrate.tools.interface import Database

        broker = broker_for(target)
        project = Project(
            target.alembic,
            environment=target.environment,
            models=target.models,
            section=target.section,
            database=target.database,
            confined=self._confinement(target, url),
        )
        return Database(
            name,
            dialect_for(url, maker=broker.maker()),
            target.resolved_url if broker.standing else self.key_of(name),
            project,
            keeping=Keeping(
                target.limits.undo_rows,
                target.limits.undo_keep.total_seconds(),
                None if target.limits.undo_park == "never" else target.limits.undo_park,
            ),
            rehearse=target.rehearsal.on != "off",
            max_rows=target.rehearsal.max_rows if target.rehearsal.rows == "auto" else 0,
        )

    def _confinement(self, target: Target, url: str) -> Confinement:
        """How revisions of a target are shut in: they see neither the ledger nor the database nor the configuration."""
        from mcp_migrate.migrations.cage.confinement import Confinement
        from mcp_migrate.redaction import key_file

        closed = (_file_of(self.settings.ledger), _file_of(url), self.settings.path, key_file(self.settings))
        return Confinement(
            lowest=self.settings.cage_of(target.tier),
            use=target.cage.use,
            hidden=tuple(path for path in closed if path),
            readable=target.cage.readable,
            python=target.python,
        )


def _file_of(url: str) -> Path | None:
    """The file that a SQLite URL names."""
    scheme, _, path = url.partition(":///")
    return Path(path.partition("?")[0]) if scheme.startswith("sqlite") and path else None
