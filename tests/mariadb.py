"""A real MariaDB server for tests: the system's program on a private folder, as another account when we are root."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

from mcp_migrate.drivers.mysql import connect
from mcp_migrate.errors import TargetUnreachableError
from tests.places import quick_folder
from tests.ports import free_port
from tests.waiting import until

_ACCOUNT = "mysql"
_FIRST = """CREATE DATABASE IF NOT EXISTS test;
CREATE USER IF NOT EXISTS tests@'%' IDENTIFIED BY 'tests';
GRANT ALL ON *.* TO tests@'%' WITH GRANT OPTION;
"""
_CARELESS = (
    *("--loose-innodb-flush-method=nosync", "--loose-innodb-doublewrite=0", "--innodb-flush-log-at-trx-commit=0"),
    *("--loose-debug-no-sync=1", "--loose-aria-sync-log-dir=NEVER", "--skip-log-bin"),
)
"""Wait for no disk: what a killed server wrote is still there, and nothing here outlives the machine."""
_PLACES = "/usr/sbin:/usr/local/sbin:/usr/libexec:/opt/homebrew/bin"


def missing() -> str | None:
    """Why there is no server to test with."""
    if _program("mariadbd") is None or _program("mariadb-install-db") is None:
        return "there is no MariaDB: apt-get install mariadb-server, dnf install mariadb-server, brew install mariadb"
    return None


@contextmanager
def running(*options: str) -> Iterator[str]:
    """A server that is stopped on the way out; the URL of its user `tests`, who may do everything."""
    with TemporaryDirectory(prefix="mcp-migrate-mariadb-", dir=quick_folder(), ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        data = Path(folder, "data")
        account = _account(folder)
        own = Path(folder, "scratch")  # servers in other containers call their files in a shared one alike
        own.mkdir()
        own.chmod(0o777)
        made = subprocess.run(
            [
                str(_program("mariadb-install-db")),
                "--no-defaults",
                *account,
                f"--datadir={data}",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
                *_CARELESS,
            ],
            check=False,
            capture_output=True,
            text=True,
            env={**os.environ, "TMPDIR": str(own)},
        )
        assert made.returncode == 0, made.stdout + made.stderr
        first = Path(folder, "first.sql")
        first.write_text(_FIRST)
        first.chmod(0o644)
        server = Server(folder, [*account, f"--init-file={first}", *options])
        with server:
            yield server.url


class Server:
    """One process, which can be killed and started again on the same folder."""

    def __init__(self, folder: str, options: list[str]) -> None:
        self.port = free_port()
        self.url = f"mariadb+pymysql://tests:tests@127.0.0.1:{self.port}/test"
        self.socket = f"{folder}/socket"
        self._command = [
            *(str(_program("mariadbd")), "--no-defaults", f"--datadir={folder}/data", f"--socket={self.socket}"),
            *(
                f"--port={self.port}",
                "--bind-address=127.0.0.1",
                f"--pid-file={folder}/pid",
                f"--log-error={folder}/log",
                f"--tmpdir={folder}/scratch",
            ),
            *(
                *_CARELESS,
                "--innodb-buffer-pool-size=32M",
                "--skip-name-resolve",
            ),
            *("--character-set-server=utf8mb4", "--collation-server=utf8mb4_unicode_ci"),
            *options,
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self._answers)
        return self

    def __exit__(self, *_error: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()

    def kill(self) -> None:
        """End it without a word."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None
        try:
            with connect(self.url):
                return True
        except TargetUnreachableError:
            return False


@contextmanager
def fresh_database(server: str, name: str | None = None) -> Iterator[str]:
    """A database as long as the block lasts."""
    name = name or f"t_{uuid.uuid4().hex}"
    ask(server, f"CREATE DATABASE {name}")
    yield server.removesuffix("/test") + f"/{name}"
    ask(server, f"DROP DATABASE {name}")


def ask(url: str, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """The rows of one statement, in a session of its own."""
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(sql, values or None)
        return list(cursor.fetchall())


def _account(folder: str) -> list[str]:
    if os.name != "posix" or os.getuid() != 0:
        return []
    shutil.chown(folder, _ACCOUNT)
    return [f"--user={_ACCOUNT}"]


def _program(name: str) -> str | None:
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), _PLACES]))


@contextmanager
def file_in_the_way(url: str, table: str) -> Iterator[None]:
    """What no schema shows: the file of a table that is not there."""
    folder = Path(ask(url, "SELECT @@datadir")[0][0], url.rpartition("/")[2])
    (folder / f"{table}.ibd").write_text("")
    yield
    (folder / f"{table}.ibd").unlink()


def run_script(url: str, text: str) -> None:
    """What the command-line client would do with a file that changes its delimiter: in one session, to an error."""
    with connect(url) as connection, connection.cursor() as cursor:
        for n, part in enumerate(re.split(r"^DELIMITER (?://|;)$", text, flags=re.MULTILINE)):
            for sql in part.split("//" if n % 2 else ";\n"):
                if re.sub(r"^--.*$", "", sql, flags=re.MULTILINE).strip():
                    cursor.execute(sql)
