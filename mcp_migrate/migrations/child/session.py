"""What can the parent ask for? Open a project, describe it, bring a scratch database to a revision, record.

The requests of one session run in one process: a project's imports cost more than all of its revisions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mcp_migrate.migrations.child.alembic_run import AlembicProject, create_version_table
from mcp_migrate.migrations.child.failures import RefusedError, failure
from mcp_migrate.migrations.child.recorder import Reads, Recorder
from mcp_migrate.migrations.child.witness import Witness


class Session:
    """One project on one scratch database. `where` is the revision under way."""

    def __init__(self, witness: Witness, reads: Reads) -> None:
        self._witness = witness
        self._reads = reads
        self.where: str | None = None
        self.folders: tuple[Path, ...] = ()
        self._dialect: Any = None
        self._project: AlembicProject | None = None

    def do(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """Answer one request; the answer is JSON."""
        jobs: Mapping[str, Callable[..., Any]] = {
            "open": self.open,
            "describe": self.describe,
            "prepare": self.prepare,
            "record": self.record,
            "offline": self.offline,
            "autogenerate": self.autogenerate,
            "model": self.model,
            "inputs": self._witness.answer,
        }
        self.where = None
        return jobs[name](**arguments)

    def failure(self, problem: BaseException) -> Mapping[str, str | None]:
        """What went wrong, in words that name the revision under way or the file."""
        return failure(problem, self.where, self.folders)

    @property
    def project(self) -> AlembicProject:
        if self._project is None:
            raise RefusedError("no project was opened")
        return self._project

    def open(self, ini: str, url: str, product: str | None = None, **chosen: str | None) -> None:
        """Load the project, and make every engine an engine of the scratch database at `url`.

        `product` is what `sqlalchemy.url` names, where that shall be another than the scratch database's. What else is
        `chosen` of the project is told to it as it is.
        """
        from mcp_migrate.dialects import dialect_for
        from mcp_migrate.migrations.child.engines import force_engines
        from mcp_migrate.migrations.child.installed import require_driver, required
        from mcp_migrate.migrations.child.steady import keep_order

        required()
        self.folders = (Path(ini).parent,)
        self._dialect = dialect_for(url)
        require_driver(product or self._dialect.name)
        force_engines(url)
        keep_order()
        self._project = AlembicProject(Path(ini), url=url, product=product, **chosen)
        self.folders = (Path(ini).parent, *self._project.folders)

    def describe(self) -> Mapping[str, Any]:
        """Heads, revisions and the version table."""
        from mcp_migrate.migrations.child.describing import described

        return described(self.project)

    def prepare(self, current: Sequence[str], version_table: str | None = None) -> None:
        """Bring an empty scratch database to `current`, off the record.

        At base there is nothing to run, and at most an empty `version_table` to make.
        """
        if not current:
            create_version_table(version_table)
            return

        def steps(rows: Any, _context: Any) -> Any:
            if set(rows) == set(current):
                return ()
            if rows:
                raise RefusedError(f"the scratch database is at {', '.join(rows)}, not at {', '.join(current)}")
            return self._named(self._steps(tuple(current), rows, upgrade=True))

        self.project.run(steps)

    def record(self, current: Sequence[str], to: str | None, upgrade: bool, most: int) -> Mapping[str, Any]:  # noqa: FBT001  JSON
        """Go from `current` to `to` on the scratch database, and answer with what was sent: at `most` so many bytes."""
        from mcp_migrate.migrations.child.describing import version_table

        recorder = Recorder(self._dialect, self._reads, most)

        def steps(rows: Any, _context: Any) -> Iterator[Any]:
            if set(rows) != set(current):
                raise RefusedError(f"the version table says {', '.join(rows) or 'base'} before the first step")
            for step in self._named(self._steps(to, rows, upgrade=upgrade)):
                recorder.revision = self.where
                yield step
            recorder.revision = None

        with recorder.listening():
            self.project.run(steps, destination_rev=to)
        recorder.settle()
        table = version_table(self.project.options)
        return {"statements": recorder.statements, "doubts": recorder.doubts, "version_table": table}

    def offline(self, current: Sequence[str], to: str | None, upgrade: bool) -> Mapping[str, Any]:  # noqa: FBT001  JSON
        """The texts each revision renders offline; revisions that cannot are left out."""
        from mcp_migrate.migrations.child.rendering import Rendering

        rendering = Rendering()

        def steps(_rows: Any, _context: Any) -> Iterator[Any]:
            for step in self._steps(to, tuple(current), upgrade=upgrade):
                rendering.enter(step)
                yield step

        self.project.run(
            steps,
            as_sql=True,
            starting_rev=current[0] if current else None,
            destination_rev=to,
            output_buffer=rendering,
        )
        return rendering.rendered()

    def autogenerate(self, schema: str | None = None) -> Mapping[str, Any]:
        """How the scratch database differs from the models, and the revision that would end that.

        `schema` is what the default schema is called, where the scratch database would say its own name.
        """
        from mcp_migrate.migrations.child.comparing import compared

        return compared(self.project, schema)

    def model(self, live: Sequence[Mapping[str, Any]], schema: str | None = None) -> Mapping[str, Any]:
        """Make the models on the empty scratch database; what their project leaves out of `live` and of them."""
        from mcp_migrate.migrations.child.modelling import modelled

        return modelled(self.project, live, schema)

    def _steps(self, to: Any, rows: Any, *, upgrade: bool) -> Any:
        """The same steps as Alembic's own commands."""
        script = self.project.script
        if upgrade:
            return script._upgrade_revs(to, rows)  # noqa: SLF001  as commands do
        return script._downgrade_revs(to or "base", rows)  # noqa: SLF001  as commands do

    def _named(self, steps: Any) -> Iterator[Any]:
        for step in steps:
            self.where = step.revision.revision
            yield step
        self.where = None
