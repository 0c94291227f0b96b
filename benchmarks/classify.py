"""How fast are statements judged, and does a long plan cost in proportion to its length?

The statements are those of the labelled corpus. Beside PostgreSQL's rate stands that of parsing alone, with the same
parser: what judging adds is the difference.
"""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # the corpus is the tests'

from wire import timed

from mcp_migrate.model import Statement
from mcp_migrate.rules import judge
from tests.rules.labelled import SCHEMAS, corpus

ROUNDS = 5
PER_SECOND, IMPORT_MS, LINEAR = 10_000, 100, 11
LOADED = "import mcp_migrate.model, mcp_migrate.schema"
IMPORTS = {
    "our rules and PostgreSQL's parser": "import mcp_migrate.rules.postgresql, postgast",
    "sqlglot alone": "import sqlglot",
}


def best(work: Callable[[], Any]) -> float:
    """Milliseconds of the fastest round."""
    return min(timed(work)[0] for _ in range(ROUNDS))


def plan(sql: Sequence[str]) -> list[Statement]:
    return [Statement(n, "r", text) for n, text in enumerate(sql, 1)]


def alone(statements: list[Statement], dialect: str) -> None:
    """Each statement in a plan of its own would pay for the schema each time; a refusal clears what is known anyway."""
    judge(statements, dialect=dialect, schema=SCHEMAS[dialect])


def rates() -> bool:
    held = True
    for dialect in sorted(SCHEMAS):
        statements = plan([sql for sql, _ in corpus(dialect)] * 10)
        rate = len(statements) / best(lambda statements=statements, dialect=dialect: alone(statements, dialect)) * 1000
        bound = PER_SECOND if dialect == "postgresql" else None
        held &= told(f"{dialect}: statements a second", rate, bound, at_least=True)
        if dialect == "postgresql":
            parsing = len(statements) / best(lambda statements=statements: parse(statements)) * 1000
            told("postgresql: parsed a second, without judging", parsing, None)
    return held


def parse(statements: list[Statement]) -> None:
    import postgast

    for statement in statements:
        try:
            postgast.parse(statement.sql)
        except (postgast.PgQueryError, ValueError):
            continue


def imports() -> bool:
    """Milliseconds of each import, in a process of its own, over what a server has loaded before it judges."""
    bare = best(lambda: run(LOADED))
    took = {label: best(lambda code=code: run(f"{LOADED}; {code}")) - bare for label, code in IMPORTS.items()}
    ours, other = took.values()
    told("ms to import sqlglot alone", other, None)
    return told("ms to import our rules and PostgreSQL's parser", ours, IMPORT_MS)


def run(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True)


def growth() -> bool:
    """A plan that makes, indexes, changes and fills tables, ten times as long."""
    short, long = (plan(list(history(count))) for count in (1_000, 10_000))
    times = [best(lambda p=p: alone(p, "postgresql")) for p in (short, long)]
    peaks = [peak(p) for p in (short, long)]
    return all(
        [
            told("time of 10,000 statements / 1,000", times[1] / times[0], LINEAR),
            told("peak memory of 10,000 statements / 1,000", peaks[1] / peaks[0], LINEAR),
        ]
    )


def history(count: int) -> Any:
    for n in range(count // 5):
        yield f"CREATE TABLE made_{n} (id bigint PRIMARY KEY, name varchar(50) NOT NULL)"
        yield f"CREATE INDEX made_{n}_name ON made_{n} (name)"
        yield f"ALTER TABLE made_{n} ADD COLUMN more integer DEFAULT 0"
        yield f"INSERT INTO made_{n} (id, name) VALUES (1, 'x')"  # noqa: S608  made up
        yield f"ALTER TABLE made_{n} RENAME COLUMN more TO other"


def peak(statements: list[Statement]) -> int:
    tracemalloc.start()
    alone(statements, "postgresql")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def told(label: str, value: float, bound: float | None, *, at_least: bool = False) -> bool:
    """Print one figure; whether it is within its bound."""
    held = bound is None or (value >= bound if at_least else value <= bound)
    limit = "" if bound is None else f" (bound {bound:,})"
    print(f"{label:<55} {value:>12,.1f}{limit}{'' if held else '  MISSED'}")
    return held


def main() -> int:
    return int(not all([rates(), imports(), growth()]))


if __name__ == "__main__":
    sys.exit(main())
