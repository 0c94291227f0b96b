"""What does the project consist of: its revisions, its heads, and the version table that `env.py` configures?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mcp_migrate.migrations.child.alembic_run import AlembicProject, ConfiguredError


def described(project: AlembicProject) -> Mapping[str, Any]:
    """The JSON form of a project; revisions base first."""
    script = project.script
    options = _configured(project)
    revisions = [_revision(revision) for revision in script.walk_revisions()]
    return {
        "heads": sorted(script.get_heads()),
        "revisions": revisions[::-1],
        "version_table": version_table(options),
        "env": str(Path(script.dir, "env.py").absolute()),
        "folders": [str(folder) for folder in project.folders[1:]],
    }


def version_table(options: Mapping[str, Any]) -> str:
    """``schema.table`` or ``table``, as `env.py` configures it."""
    schema, name = options.get("version_table_schema"), options.get("version_table") or "alembic_version"
    return f"{schema}.{name}" if schema else str(name)


def _revision(script: Any) -> Mapping[str, Any]:
    down = script.down_revision
    return {
        "id": script.revision,
        "down": [down] if isinstance(down, str) else list(down or ()),
        "message": script.doc or "",
        "path": str(Path(script.path).absolute()),
    }


def _configured(project: AlembicProject) -> Mapping[str, Any]:
    """What `env.py` configures: online, because that is how revisions run; offline where that fails.

    It may fail here, because the database it connects to is in memory and may be of another product.
    """
    try:
        return _options(project, as_sql=False)
    except Exception as online:  # noqa: BLE001  env.py may raise anything
        try:
            return _options(project, as_sql=True)
        except Exception:  # noqa: BLE001  as above
            raise online from None


def _options(project: AlembicProject, *, as_sql: bool) -> Mapping[str, Any]:
    try:
        project.run(lambda _rows, _context: (), as_sql=as_sql, only_configure=True)
    except ConfiguredError as configured:
        return configured.options
    return {}
