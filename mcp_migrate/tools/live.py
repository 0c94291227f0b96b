"""What is on the target right now? One read-only session, closed before anything else happens."""

from __future__ import annotations

from dataclasses import dataclass

from mcp_migrate.errors import ValidationFailedError
from mcp_migrate.schema import Schema, fingerprint
from mcp_migrate.tools.interface import Database


@dataclass(frozen=True, slots=True)
class Live:
    """One reading of a target."""

    target: str
    revisions: tuple[str, ...]
    schema: Schema
    fingerprint: str

    @property
    def revision(self) -> str | None:
        """The revision the target is at; None is Alembic's ``base``.

        Raises:
            ValidationFailedError: the version table holds several rows.
        """
        if len(self.revisions) > 1:
            raise ValidationFailedError(
                f"The version table of {self.target} holds {len(self.revisions)} rows: {', '.join(self.revisions)}.",
                hint="One row is expected. Merge the branches, or have a person repair the version table.",
                revisions=list(self.revisions),
            )
        return self.revisions[0] if self.revisions else None


def read_live(database: Database) -> Live:
    """Read revision and schema of a target. Raises: TargetUnreachableError, RenderFailedError."""
    version_table = database.version_table
    with database.reader() as reader:
        revisions = reader.revisions(version_table)
        schema = reader.schema(version_table=version_table)
    return Live(database.name, revisions, schema, fingerprint(schema))
