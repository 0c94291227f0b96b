"""Which scratch databases are there, and what do they hold?"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mcp_migrate.dialects.interface import Dialect, Scratch
from mcp_migrate.schema import Schema

_USUAL = {"postgresql": "public", "sqlite": "main"}
"""The schema of a table that is named without one."""


@contextmanager
def empty_scratch(dialect: Dialect, url: str) -> Iterator[Scratch]:
    """A scratch database without anything in it: that of a target that is empty, where scratches are copies."""
    with dialect.open_scratch(url) as scratch:
        if not scratch.holds_schema:
            yield scratch
            return
    with tempfile.TemporaryDirectory(prefix="mcp-migrate-") as folder:
        yield Scratch(f"{dialect.name}:///{Path(folder, 'empty.db').as_posix()}", holds_schema=False)


def read_schema(dialect: Dialect, url: str, version_table: str) -> Schema:
    """The schema of a database."""
    with dialect.open_reader(url) as reader:
        return reader.schema(version_table=version_table)


def read_revisions(dialect: Dialect, url: str, version_table: str) -> tuple[str, ...]:
    """The rows of its version table."""
    with dialect.open_reader(url) as reader:
        return reader.revisions(version_table)


def server_of(dialect: Dialect, url: str) -> str:
    """The product and version of its server."""
    with dialect.open_reader(url) as reader:
        return reader.server()


def count_rows(dialect: Dialect, url: str, tables: Iterable[str]) -> int:
    """The rows of all of these tables together."""
    with dialect.open_reader(url) as reader:
        return sum(reader.count_rows(tables).values())


def has_version_table(dialect: Dialect, url: str, version_table: str) -> bool:
    """Whether a target has the table: at base it may, because a downgrade leaves it behind, empty."""
    usual = _USUAL.get(dialect.name)
    names = [version_table if "." in version_table or usual is None else f"{usual}.{version_table}"]
    with dialect.open_reader(url) as reader:
        return bool(reader.count_rows(names))


def secrets_of(url: str) -> tuple[str, ...]:
    """What of a scratch URL must not show in an error."""
    from sqlalchemy.engine import make_url

    password = make_url(url).password
    return (url, str(password)) if password else ()
