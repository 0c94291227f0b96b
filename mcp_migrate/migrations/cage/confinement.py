"""How is one child confined: by which cage at least, and with which database in reach?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mcp_migrate.errors import Action, RenderFailedError
from mcp_migrate.migrations.cage.relay import Address, relay
from mcp_migrate.migrations.cage.tiers import Cage, Name, cages, strength, strongest

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

_POSTGRESQL_PORT, _MYSQL_PORT = 5432, 3306


@dataclass(frozen=True, slots=True)
class Confinement:
    """What policy says of a target's children.

    `lowest` is the weakest cage they may be recorded in, `use` the one to take where it shall not be the strongest,
    `hidden` what they never read (the ledger, the target's own file), `readable` what the project needs besides its
    own folders. `python` is the project's own interpreter, where it has one.
    """

    lowest: Name = "none"
    use: Name | None = None
    hidden: tuple[Path, ...] = ()
    readable: tuple[Path, ...] = ()
    python: Path | None = None

    def cage(self) -> Cage:
        """The cage to take. Raises: RenderFailedError: it is weaker than the lowest allowed, or not to be had."""
        found = next(cage for cage in cages() if cage.name == self.use) if self.use else strongest()
        if found.missing or found.strength < strength(self.lowest):
            missing = "; ".join(f"{cage.name}: {cage.missing}" for cage in cages() if cage.missing)
            raise RenderFailedError(
                f"This target's revisions are recorded in the cage {self.lowest!r} or a stronger one, and here there is"
                f" only {found.name!r} ({missing or 'which was asked for'}).",
                hint="Install what is missing, or change `cage` of the target in the configuration.",
            ).then(Action.ASK_ADMIN)
        return found


@dataclass(frozen=True, slots=True)
class Database:
    """The scratch database as a child reaches it: its URL there, the folders it writes, and the port it may use."""

    url: str
    folders: tuple[Path, ...] = ()
    port: int | None = None


@contextmanager
def within_reach(url: str) -> Iterator[Database]:
    """A scratch database: a file in its folder, or a server behind one port on loopback."""
    from sqlalchemy.engine import make_url

    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        folders = (Path(parsed.database).parent,) if parsed.database and parsed.database != ":memory:" else ()
        yield Database(url, folders)
        return
    mysql = parsed.get_backend_name() in {"mysql", "mariadb"}
    with _near_mysql(parsed) if mysql else _near_postgresql(parsed) as database:
        yield database


@contextmanager
def _near_postgresql(parsed: URL) -> Iterator[Database]:
    host = parsed.host or str(parsed.query.get("host", "localhost"))
    port = parsed.port or int(str(parsed.query.get("port", _POSTGRESQL_PORT)))
    local = host.startswith("/")
    address: Address = f"{host}/.s.PGSQL.{port}" if local else (host, port)
    with relay(address) as near:
        plain = parsed.difference_update_query(["host", "port", "hostaddr"])
        # The name stays where there is one, because certificates are checked against it.
        query = {"sslmode": "disable"} if local else {"hostaddr": "127.0.0.1"}
        inner = plain.update_query_dict(query).set(host="127.0.0.1" if local else host, port=near)
        yield Database(inner.render_as_string(hide_password=False), port=near)


@contextmanager
def _near_mysql(parsed: URL) -> Iterator[Database]:
    """The driver has no address beside the name: where a certificate is checked, the child opens the socket itself."""
    host, unix = parsed.host or "localhost", parsed.query.get("unix_socket")
    address: Address = str(unix) if unix else (host, parsed.port or _MYSQL_PORT)
    checked = "ssl_ca" in parsed.query and not unix
    with relay(address) as near:
        plain = parsed.difference_update_query(["unix_socket"])
        inner = plain.set(host=host if checked else "127.0.0.1", port=near)
        yield Database(inner.render_as_string(hide_password=False), port=near)
