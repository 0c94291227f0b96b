"""Two public applications' own histories, their files unedited."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from mcp_migrate.dialects import dialect_for
from mcp_migrate.dialects.interface import Limits
from mcp_migrate.migrations import Project
from mcp_migrate.model import Plan
from mcp_migrate.schema import Schema, fingerprint
from tests.alembic_ini import alembic_ini


class Application:
    """A project whose revisions are a public application's, and an empty target."""

    def __init__(self, folder: Path, url: str, script_location: str, *, more: str = "") -> None:
        self.folder = folder
        self.url = url
        self.dialect = dialect_for(url)
        self._location, self._more = script_location, more
        self.project = Project(self.ini("driver://nowhere", "project.ini"), environment={}, models=None)
        self.info = self.project.describe(self.dialect.name)

    def ini(self, url: str, name: str) -> Path:
        path = self.folder / name
        path.write_text(alembic_ini(self._location, url, more=self._more))
        return path

    def live(self) -> tuple[tuple[str, ...], Schema]:
        with self.dialect.open_reader(self.url) as reader:
            return reader.revisions("alembic_version"), reader.schema(version_table="alembic_version")

    @classmethod
    def of(cls, name: str, folder: Path, url: str) -> Application:
        """An application by its name, with its own `env.py`."""
        place = {"optuna": "storages/_rdb/alembic", "mlflow": "store/db_migrations"}[name]
        return cls(folder, url, str(package(name) / place))

    def plan(self, to: str, *, rows: int = 0) -> Plan:
        """Plan; with at most so many `rows` copied, and then not rehearsed."""
        current, schema = self.live()
        return self.project.plan(
            "app",
            self.dialect,
            self.url,
            current=current,
            to=to,
            schema=schema,
            version_table="alembic_version",
            max_rows=rows,
            rehearse=not rows,
        )

    def run(self, to: str) -> Plan:
        """Plan, run the frozen statements alone, and hold the target against what was expected."""
        plan = self.plan(to)
        with self.dialect.open_writer(self.url, plan.statements, limits=Limits()) as writer:
            for statement in plan.statements:
                writer.run(statement)
        assert self.live()[0] == ((plan.to_revision,) if plan.to_revision else ())
        assert fingerprint(self.live()[1]) == plan.expected_fingerprint
        return plan


def package(name: str) -> Path:
    spec = find_spec(name)
    assert spec
    assert spec.origin
    return Path(spec.origin).parent
