"""Does `classify` say of files what the rules say, to people, machines and pipelines?"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mcp_migrate.cli.classify import Dialect, judge_texts
from mcp_migrate.model import Effect, Judgement
from mcp_migrate.rules.interface import Policy
from tests.world import World

FIELDS = (
    "n sql effects objects lock blocks rule why scans rewrites transactional reversible accepted safer".split()
)  # fmt: skip


def run(*words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mcp_migrate", "classify", *words]
    return subprocess.run(command, capture_output=True, text=True, input=stdin, check=False)


def said(dialect: str, stdin: str) -> list[dict[str, Any]]:
    done = run("--dialect", dialect, "--json", stdin=stdin)
    assert done.returncode == 0, done.stderr
    judged: list[dict[str, Any]] = json.loads(done.stdout)
    return judged


def judged(dialect: str, *texts: str) -> list[Judgement]:
    return [judgement for _, judgement in judge_texts(texts, dialect, None, Policy())]


def test_machines_get_one_object_for_each_statement() -> None:
    first, second = said("postgresql", "ALTER TABLE users ADD COLUMN a text; CREATE INDEX i ON users (a)")
    assert list(first) == list(second) == FIELDS
    assert second == {
        "n": 2,
        "sql": "CREATE INDEX i ON users (a)",
        "effects": ["additive", "blocking"],
        "objects": ["public.users"],
        "lock": "SHARE",
        "blocks": ["writes", "ddl"],
        "rule": "create-index",
        "why": second["why"],
        "scans": True,
        "rewrites": False,
        "transactional": True,
        "reversible": "yes",
        "accepted": {},
        "safer": "CREATE INDEX CONCURRENTLY i ON users USING btree (a);",
    }


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ((), 0),
        (("--fail-on", "destructive"), 1),
        (("--fail-on", " data , breaking"), 1),
        (("--fail-on", "blocking,privilege"), 0),
        (("--fail-on", "drastic"), 2),
        (("--schema-from", "nowhere"), 1),
        (("no-such-file.sql",), 2),
    ],
)
def test_pipelines_stop_where_they_are_told_to(tmp_path: Path, words: tuple[str, ...], status: int) -> None:
    file = tmp_path / "drop.sql"
    file.write_text("DROP TABLE users;")
    given = words if words and words[0].endswith(".sql") else (*words, str(file))
    done = run("--dialect", "postgresql", *given)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr


def test_what_nobody_could_judge_stops_a_pipeline_that_stops_for_anything() -> None:
    assert run("--dialect", "postgresql", "--fail-on", "data", stdin="frobnicate").returncode == 1
    assert run("--dialect", "postgresql", stdin="frobnicate").returncode == 0


def test_bytes_that_are_no_text_are_wrong_usage(tmp_path: Path) -> None:
    file = tmp_path / "a.sql"
    file.write_bytes(b"SELECT '\xff'")
    done = run("--dialect", "sqlite", str(file))
    assert done.returncode == 2
    assert "0xff" in done.stderr


def test_the_mark_that_editors_write_first_is_no_sql(tmp_path: Path) -> None:
    file = tmp_path / "a.sql"
    file.write_text("SELECT 1;", encoding="utf-8-sig")
    assert "1 statement: read (1)." in run("--dialect", "postgresql", str(file)).stdout


def test_a_dialect_is_needed_and_must_be_known() -> None:
    assert run(stdin="SELECT 1").returncode == 2
    assert run("--dialect", "oracle", stdin="SELECT 1").returncode == 2


def test_people_see_the_worst_and_the_safer_way(tmp_path: Path) -> None:
    file = tmp_path / "change.sql"
    file.write_text("CREATE INDEX i ON users (name);\nDROP TABLE orders;")
    text = run("--dialect", "postgresql", str(file)).stdout
    assert "[destructive, breaking]  drop-table" in text
    assert "safer: CREATE INDEX CONCURRENTLY i ON users" in text
    assert text.endswith("\n2 statements: destructive (2), breaking (2), blocking (1), additive (1).\n")
    assert max(map(len, text.splitlines())) <= 110


def test_the_documentation_shows_what_people_see() -> None:
    page = (Path(__file__).parents[2] / "docs" / "classify.md").read_text(encoding="utf-8")
    sql = "ALTER TABLE users ADD COLUMN phone text; CREATE INDEX by_total ON orders (total)"
    assert run("--dialect", "postgresql", stdin=sql).stdout in page


@pytest.mark.parametrize("dialect", ["postgresql", "sqlite"])
def test_several_files_are_one_plan(dialect: str) -> None:
    made, indexed = "CREATE TABLE t (a integer);", "CREATE UNIQUE INDEX i ON t (a);"
    together = judged(dialect, made, indexed)
    assert [j.effects for j in together] == [{Effect.ADDITIVE}, {Effect.ADDITIVE}]
    assert [j.n for j in together] == [1, 2]
    assert (
        Effect.BREAKING in judged(dialect, indexed)[0].effects or Effect.UNKNOWN in judged(dialect, indexed)[0].effects
    )


@pytest.mark.parametrize("dialect", Dialect)
def test_a_file_of_comments_holds_no_statement(dialect: str) -> None:
    assert judged(dialect, "-- nothing; here\n/* nor here */ ;\n", "") == []
    assert run("--dialect", dialect, stdin="-- nothing").stdout == "There is no statement.\n"


BROKEN = {
    "a string without an end": ("sqlite", "SELECT 1; SELECT 'a; DROP TABLE b;"),
    "a comment without an end": ("postgresql", "SELECT 1; /* DROP TABLE b;"),
    "two minus signs that MySQL runs": ("mysql", "SELECT 1 --1; DROP TABLE b\n;"),
    "another delimiter": ("mysql", "DELIMITER //\nDROP TABLE b//"),
    "a word that the client of MySQL obeys anywhere": ("mysql", "ALTER TABLE users ADD COLUMN delimiter int"),
    "a command of psql": ("postgresql", "\\i other.sql\n"),
    "a word alone": ("postgresql", "frobnicate"),
    "a NUL": ("postgresql", "SELECT 1;\0 DROP TABLE b"),
    "no text at all": ("mysql", "\ufffd\u202e"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_cannot_be_split_is_unknown(name: str) -> None:
    dialect, text = BROKEN[name]
    assert Effect.UNKNOWN in judged(dialect, text)[-1].effects


def test_a_setting_that_only_works_outside_of_a_transaction_is_told() -> None:
    assert judged("sqlite", "PRAGMA foreign_keys = OFF")[0].effects == {Effect.BREAKING}


@pytest.mark.parametrize("dialect", ["postgresql", "sqlite", "mysql"])
def test_how_alembic_moves_its_version_table_counts_for_nothing(dialect: str) -> None:
    table = "alembic_version"
    steps = (
        f"UPDATE {table} SET version_num='b2' WHERE {table}.version_num = 'a1';"  # noqa: S608  text
        f"INSERT INTO {table} (version_num) VALUES ('a1'); DELETE FROM {table} WHERE {table}.version_num = 'a1'"
    )
    assert [j.rule for j in judged(dialect, steps)] == ["alembic-version"] * 3
    other = judged(dialect, f"UPDATE {table} SET version_num='b2' WHERE {table}.version_num = 'a1' OR 1 = '1'")  # noqa: S608  text
    assert other[0].effects & {Effect.DESTRUCTIVE, Effect.UNKNOWN}


def test_a_target_gives_its_schema_and_its_policy(world: World) -> None:
    reason = "Both names are read since June"
    world.configure(lambda v: v.update(rules={"accept": [{"rule": "rename", "targets": ["shop"], "reason": reason}]}))
    file = world.folder / "rename.sql"
    file.write_text("ALTER TABLE orders RENAME TO purchases")
    done = world.command("classify", "--dialect", "sqlite", "--schema-from", "shop", "--json", str(file))
    [told] = json.loads(done.stdout)
    assert told["effects"] == ["additive"]
    assert told["accepted"] == {"rename": reason}
    wrong = world.command("classify", "--dialect", "postgresql", "--schema-from", "shop", str(file))
    assert wrong.returncode == 1
    assert "Say --dialect sqlite" in wrong.stderr
