"""The databases we can change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcp_migrate.errors import ConfigInvalidError

if TYPE_CHECKING:
    from mcp_migrate.dialects.interface import Dialect


def dialect_for(url_or_name: str, *, maker: str | None = None) -> Dialect:
    """The dialect of a SQLAlchemy URL, or with this name. Scratch databases are made with `maker`, if it is given.

    Raises:
        ConfigInvalidError: it is none we can change.
    """
    name = url_or_name.partition("://")[0].partition("+")[0]
    if name == "sqlite":
        from mcp_migrate.dialects.sqlite import Sqlite

        return Sqlite()
    if name in {"postgresql", "postgres"}:
        from mcp_migrate.dialects.postgresql import PostgreSQL

        return PostgreSQL(maker)
    if name in {"mysql", "mariadb"}:
        from mcp_migrate.dialects.mysql import MySQL

        return MySQL(name, maker)
    raise ConfigInvalidError(
        f"Databases of kind {name[:40]!r} cannot be changed here.",
        hint="Known are sqlite, postgresql, mysql and mariadb.",
    )
