"""How is `env.py` run, so that it configures what it likes and we decide what it runs on?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mcp_migrate.migrations.child.engines import scratch_url
from mcp_migrate.migrations.child.failures import RefusedError

Steps = Callable[[Any, Any], Any]
"""What Alembic calls with the rows of the version table and its context; gives the steps to run."""


class ConfiguredError(BaseException):
    """Leaves `env.py` once it has said how it configures Alembic; not for an ``except Exception`` in it."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__()
        self.options = options


class AlembicProject:
    """One loaded project. `options` are what `env.py` configured in the newest run.

    `section` is the one of its ini file; `database`, where it is written for several, the one that is meant.
    """

    def __init__(
        self,
        ini: Path,
        *,
        url: str,
        models: str | None = None,
        product: str | None = None,
        section: str | None = None,
        database: str | None = None,
    ) -> None:
        from alembic.script import ScriptDirectory

        self.url = url
        self.models = models
        self.config = _config(ini, section or "alembic")
        self._database = database
        text = f"{product}://" if product else scratch_url(url).render_as_string(hide_password=False)
        self.config.set_main_option("sqlalchemy.url", text.replace("%", "%%"))
        if database is not None:
            self._refuse_unknown(database)
            self.config.set_section_option(database, "sqlalchemy.url", text.replace("%", "%%"))
        self.script = ScriptDirectory.from_config(self.config)
        self.options: Mapping[str, Any] = {}

    @property
    def folders(self) -> tuple[Path, ...]:
        """Where `env.py` and the revisions are."""
        versions = self.script._version_locations  # noqa: SLF001  no public name
        return (Path(self.script.dir).absolute(), *(Path(folder).absolute() for folder in versions))

    def run(self, steps: Steps, *, as_sql: bool = False, only_configure: bool = False, **options: Any) -> None:
        """Run `env.py` and, in it, `steps`. Raises: RefusedError when it runs none, or several times."""
        from alembic.runtime.environment import EnvironmentContext

        counted = _Counted(steps)
        with (
            EnvironmentContext(self.config, self.script, fn=counted, as_sql=as_sql, **options),
            self._configuring(as_sql=as_sql, only_configure=only_configure, buffer=options.get("output_buffer")),
            self._only_database(),
        ):
            self.script.run_env()
        if counted.calls == 0:
            raise RefusedError("env.py ended without running the migrations")

    def _refuse_unknown(self, database: str) -> None:
        known = (self.config.get_main_option("databases") or "").replace(",", " ").split()
        if database not in known:
            raise RefusedError(
                f"`database` says {database!r}, and `databases` of the project: {', '.join(known) or 'none'}"
            )

    @contextmanager
    def _only_database(self) -> Iterator[None]:
        """While `env.py` runs it is told of one database; what is written for revisions is for all of them."""
        everyone = self.config.get_main_option("databases")
        if self._database is not None:
            self.config.set_main_option("databases", self._database)
        try:
            yield
        finally:
            if self._database is not None and everyone is not None:
                self.config.set_main_option("databases", everyone.replace("%", "%%"))

    @contextmanager
    def _configuring(self, *, as_sql: bool, only_configure: bool, buffer: Any) -> Iterator[None]:
        """Have `context.configure()` keep to the scratch database, and remember what it was told."""
        from alembic.runtime.environment import EnvironmentContext

        original = EnvironmentContext.configure

        def configure(context: EnvironmentContext, connection: Any = None, **told: Any) -> None:
            self.options = told
            if only_configure:
                raise ConfiguredError(told)
            if self.models:
                told["target_metadata"] = load(self.models)
            original(context, connection, **(self._offline(told, buffer) if as_sql else told))

        setattr(EnvironmentContext, "configure", configure)  # noqa: B010  a plain assignment does not type-check
        try:
            yield
        finally:
            setattr(EnvironmentContext, "configure", original)  # noqa: B010  as above

    def _offline(self, told: Mapping[str, Any], buffer: Any) -> dict[str, Any]:
        """Rendered text for our database product. Named parameters, because others double each percent sign."""
        dropped = {"url", "dialect_name", "dialect", "output_encoding"}
        kept = {name: value for name, value in told.items() if name not in dropped}
        dialect_options = {**(told.get("dialect_opts") or {}), "paramstyle": "named"}
        return {**kept, "url": scratch_url(self.url), "dialect_opts": dialect_options, "output_buffer": buffer}


def _config(ini: Path, section: str) -> Any:
    """What Alembic would read: the ini file, and a pyproject.toml beside it or in its place."""
    from alembic.config import Config

    knows_toml = hasattr(Config, "toml_alembic_config")  # since Alembic 1.16
    if ini.suffix == ".toml":
        if not knows_toml:
            raise RefusedError(f"the Alembic of this project reads no {ini.name}; give it an alembic.ini")
        return Config(None, toml_file=ini, ini_section=section)
    toml = ini.parent / "pyproject.toml"
    more: dict[str, Any] = {"toml_file": toml} if knows_toml and toml.is_file() else {}
    return Config(ini, ini_section=section, **more)


class _Counted:
    """Calls `steps`, once: a second run would be another database."""

    def __init__(self, steps: Steps) -> None:
        self.steps = steps
        self.calls = 0

    def __call__(self, rows: Any, context: Any, **_keywords: Any) -> Any:
        self.calls += 1
        if self.calls > 1:
            raise RefusedError(
                "env.py runs the migrations more than once; one target is one database, which `database` names"
            )
        return self.steps(rows, context)


def create_version_table(name: str | None) -> None:
    """Make an empty version table ``schema.table`` on the scratch database, without `env.py`; nothing for None."""
    if name is None:
        return
    import sqlalchemy
    from alembic.runtime.migration import MigrationContext

    schema, _, table = name.rpartition(".")
    with sqlalchemy.create_engine("scratch://").begin() as connection:
        if schema:
            make_schema(connection, schema)
        options = {"version_table": table, "version_table_schema": schema or None}
        MigrationContext.configure(connection, opts=options)._ensure_version_table()  # noqa: SLF001  as commands do


def make_schema(connection: Any, name: str) -> None:
    """Make a schema unless it is there. SQLAlchemy 1.4 has no construct for it."""
    import sqlalchemy

    quoted = connection.dialect.identifier_preparer.quote_schema(name)
    connection.execute(sqlalchemy.text(f"CREATE SCHEMA IF NOT EXISTS {quoted}"))


def load(reference: str) -> Any:
    """The object that ``package.module:name.attribute`` names. Raises: RefusedError."""
    import importlib

    module, _, path = reference.partition(":")
    value: Any = importlib.import_module(module)
    for name in filter(None, path.split(".")):
        if not hasattr(value, name):
            raise RefusedError(f"`models` says {reference!r}, and {module} has no {path!r}")
        value = getattr(value, name)
    return value
