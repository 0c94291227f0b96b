"""What does an admin of a PostgreSQL server run once, so that steps can have roles?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mcp_migrate.errors import ConfigInvalidError


def roles_sql(*, owner: str, reader: str, broker: str, database: str, mint: str | None = None) -> str:
    """The statements, for these names: a broker that makes roles, or may only have functions in `mint` make them.

    Raises:
        ConfigInvalidError: one of them is no name of a role.
    """
    names = {"owner": owner, "reader": reader, "broker": broker, "database": database}
    makes = _filled("making.sql", names) if mint is None else _filled("mint.sql", {**names, "mint": mint})
    return _filled("roles.sql", names) + makes


def sealed_sql(names: Mapping[str, str]) -> str:
    """The store of sealed plans, with these names. Raises: ConfigInvalidError: one of them is no name of a role."""
    return _filled("sealed.sql", names)


def _filled(file: str, names: Mapping[str, str]) -> str:
    found = Path(__file__).with_name(file).read_text(encoding="utf-8")
    for key, name in names.items():
        found = found.replace(f"{{{key}}}", _plain(name))
    return found


def _plain(name: str) -> str:
    """A name that needs no quotes anywhere, not even within a string."""
    if name.isascii() and name.replace("_", "a").isalnum() and name == name.lower() and not name[0].isdigit():
        return name
    raise ConfigInvalidError(
        f"{name[:80]!r} cannot stand in these statements as it is.",
        hint="Take lower-case letters, digits and underscores; or write the statements by hand: docs/credentials.md.",
    )
