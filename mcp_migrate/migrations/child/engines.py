"""How is every engine of the project made to open the scratch database, whatever `env.py` says?

Three nets, one under the other: the functions that make engines get the scratch URL, whatever URL they were
given; an engine made another way is refused when it connects; and no credential of the target is in this process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcp_migrate.migrations.child.failures import RefusedError
from mcp_migrate.migrations.child.installed import psycopg_driver

_KEPT = frozenset(
    {
        "execution_options",
        "future",
        "insertmanyvalues_page_size",
        "isolation_level",
        "json_deserializer",
        "json_serializer",
        "use_insertmanyvalues",
    }
)
"""What an engine may keep of its keywords: those that say which SQL is sent, and how. Pools, drivers and
connect arguments belong to the database that `env.py` meant."""

_DRIVERS = {"mariadb": "mariadb+pymysql", "mysql": "mysql+pymysql", "sqlite": "sqlite"}
_ASYNC_DRIVERS = {"mariadb": "mariadb+aiomysql", "mysql": "mysql+aiomysql", "sqlite": "sqlite+aiosqlite"}
_LOOPBACK = "127.0.0.1"


def scratch_url(url: str, *, asynchronous: bool = False) -> Any:
    """The scratch URL with the one driver we record from."""
    from sqlalchemy.engine import make_url

    parsed = make_url(url)
    drivers = _ASYNC_DRIVERS if asynchronous else _DRIVERS
    name = parsed.get_backend_name()
    return parsed.set(drivername=psycopg_driver() if name == "postgresql" else drivers[name])


def force_engines(url: str) -> None:
    """Make every engine of this process, from now on, an engine of the database at `url`."""
    import sqlalchemy
    import sqlalchemy.engine.create
    import sqlalchemy.future.engine
    from sqlalchemy import event

    _force_async(url)  # first: it keeps its own reference to the original it builds on
    original = sqlalchemy.engine.create.create_engine
    create = _forced(original, scratch_url(url))
    future = (sqlalchemy.future, sqlalchemy.future.engine)
    for module in (sqlalchemy, sqlalchemy.engine, sqlalchemy.engine.create, *future):
        for name in ("create_engine", "_create_engine"):  # the second is SQLAlchemy 1.4's
            if getattr(module, name, None) is original:
                setattr(module, name, create)
    event.listen(sqlalchemy.engine.Engine, "do_connect", _only(url))
    if scratch_url(url).get_backend_name() == "sqlite":
        event.listen(sqlalchemy.engine.Engine, "connect", _not_waiting)


def _force_async(url: str) -> None:
    """The same for asyncio; SQLAlchemy offers it only where greenlet is installed."""
    try:
        import sqlalchemy.ext.asyncio.engine as asynchronous
    except ImportError:
        return
    import sqlalchemy.ext.asyncio

    create = _forced(asynchronous.create_async_engine, scratch_url(url, asynchronous=True))
    for module in (sqlalchemy.ext.asyncio, asynchronous):
        setattr(module, "create_async_engine", create)  # noqa: B010  a plain assignment does not type-check


def _forced(original: Callable[..., Any], url: Any) -> Callable[..., Any]:
    def create_engine(*_url: Any, **keywords: Any) -> Any:
        from sqlalchemy.pool import NullPool

        kept = {name: value for name, value in keywords.items() if name in _KEPT}
        return original(url, poolclass=NullPool, **kept)

    return create_engine


def _only(url: str) -> Callable[..., Any]:
    """Refuse a connection whose arguments are not those of the scratch database."""

    def do_connect(dialect: Any, _record: Any, arguments: list[Any], keywords: dict[str, Any]) -> Any:
        meant = scratch_url(url, asynchronous=dialect.is_async)
        wanted, options = dialect.create_connect_args(meant)
        if meant.get_backend_name() != dialect.name or list(wanted) != arguments or options != keywords:
            raise RefusedError("env.py opened a database in a way that could not be turned to the scratch database")
        if dialect.driver == "psycopg2":
            return _watchable(arguments, keywords)
        nearby = dialect.driver == "pymysql" and keywords["host"] != _LOOPBACK
        return _through_loopback(keywords) if nearby else None

    return do_connect


def _not_waiting(connection: Any, _record: Any) -> None:
    """Have nobody wait for the disk: the scratch database is thrown away."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous = OFF")
    cursor.close()


def _through_loopback(keywords: dict[str, Any]) -> Any:
    """A connection to the port on loopback that leads to the server, whose name its certificate is checked against."""
    import socket

    import pymysql

    connection = pymysql.connect(**keywords, defer_connect=True)
    connection.connect(socket.create_connection((_LOOPBACK, keywords["port"])))
    return connection


def _watchable(arguments: list[Any], keywords: dict[str, Any]) -> Any:
    """A connection of psycopg2 that takes attributes, so that `driver.watch` can see to its methods."""
    import psycopg2
    from psycopg2.extensions import connection, cursor

    opened = psycopg2.connect(*arguments, **keywords, connection_factory=type("Connection", (connection,), {}))
    opened.cursor_factory = cursor
    return opened
