"""What does each statement of a file do? For people at a terminal, and for pipelines that must stop."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mcp_migrate.approvals.summary import effects_and_numbers, what_it_costs, worst_first
from mcp_migrate.cli.common import ConfigOption, JsonOption, one_line, print_json, safe, wire
from mcp_migrate.cli.request_text import safer_lines, wrapped
from mcp_migrate.errors import ConfigInvalidError
from mcp_migrate.model import Effect, Judgement, Statement

if TYPE_CHECKING:
    from mcp_migrate.rules.interface import Policy
    from mcp_migrate.schema.model import Schema


_INSERT = "INSERT INTO alembic_version (version_num) VALUES ("
_ALEMBIC = {
    ("UPDATE alembic_version SET version_num=", " WHERE alembic_version.version_num = ", ""),
    ("DELETE FROM alembic_version WHERE alembic_version.version_num = ", ""),
    (_INSERT, ")"),
    (_INSERT, ") RETURNING alembic_version.version_num"),
}
"""What Alembic writes around revisions to move its version table, letter for letter."""
_SHOWN_LINES = 12


class Dialect(StrEnum):
    POSTGRESQL = "postgresql"
    SQLITE = "sqlite"
    MYSQL = "mysql"
    MARIADB = "mariadb"


def classify(
    dialect: Annotated[Dialect, typer.Option("--dialect", help="Whose SQL it is.")],
    files: Annotated[list[Path] | None, typer.Argument(metavar="[FILE.sql …]", help="Standard input without.")] = None,
    target: Annotated[
        str | None, typer.Option("--schema-from", help="Judge against this target's schema, which is only read.")
    ] = None,
    fail_on: Annotated[
        str, typer.Option("--fail-on", help="Exit 1 when a statement has one of these, or is unknown.")
    ] = "",
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what each statement does, on what, who waits meanwhile, and the safer way where there is one."""
    stops = _effects(fail_on)
    texts = _texts(files or [])
    schema, policy = _known(target, dialect, config_file)
    judged = judge_texts(texts, dialect, schema, policy)
    if as_json:
        print_json([{"n": j.n, "sql": sql, **j.told()} for sql, j in judged])
    else:
        print(_render(judged))
    if any(j.effects & stops for _, j in judged):
        raise typer.Exit(1)


def judge_texts(
    texts: Sequence[str], dialect: str, schema: Schema | None, policy: Policy
) -> list[tuple[str, Judgement]]:
    """Each statement of all texts, in order, as one plan. What cannot be split is one unknown statement."""
    from mcp_migrate.rules import judge
    from mcp_migrate.rules.interface import judgement, unknown
    from mcp_migrate.rules.splitting import split

    cuts = [split(text, dialect) for text in texts]
    pieces = [(sql, whole) for cut in cuts for sql, whole in (*((s, True) for s in cut.statements), (cut.rest, False))]
    pieces = [(sql, whole) for sql, whole in pieces if sql]
    statements = [_statement(n, sql) for n, (sql, _) in enumerate(pieces, 1)]
    found = judge(statements, dialect=dialect, schema=schema, policy=policy)
    nobody = [unknown("nobody can tell where the next statement ends")]
    return [
        (sql, j if whole or Effect.UNKNOWN in j.effects else judgement(j.n, nobody, policy))
        for (sql, whole), j in zip(pieces, found, strict=True)
    ]


def _statement(n: int, sql: str) -> Statement:
    """Nobody knows whether whoever runs the file opens a transaction, so none is counted on."""
    first, *rest = sql.split("'")
    around, revisions = (first, *rest[1::2]), rest[::2]
    ours = around in _ALEMBIC and all(revision.replace("_", "").isalnum() for revision in revisions)
    return Statement(n, "", sql, transactional=False, kind="version" if ours else "change")


def _effects(words: str) -> frozenset[Effect]:
    named = [word.strip() for word in words.split(",") if word.strip()]
    wrong = sorted(set(named) - {effect.value for effect in Effect})
    if wrong:
        raise typer.BadParameter(f"{wrong[0]!r} is no effect; they are {', '.join(Effect)}.", param_hint="--fail-on")
    return frozenset(map(Effect, [*named, Effect.UNKNOWN])) if named else frozenset()  # unknown may be any of them


def _texts(files: Sequence[Path]) -> list[str]:
    texts = []
    for name, read in [(str(file), file.read_bytes) for file in files] or [("standard input", sys.stdin.buffer.read)]:
        try:
            texts.append(read().decode("utf-8-sig"))  # the mark that some editors write first is no part of the SQL
        except (OSError, UnicodeDecodeError) as error:
            raise typer.BadParameter(f"{name} cannot be read: {error}.") from error
    return texts


def _known(target: str | None, dialect: str, config_file: Path | None) -> tuple[Schema | None, Policy]:
    from mcp_migrate.rules.interface import Policy

    if target is None:
        return None, Policy()
    from mcp_migrate.rules.policy import policy_for
    from mcp_migrate.tools.live import read_live

    wiring = wire(config_file)
    schema = read_live(wiring.open_database(target)).schema
    if schema.dialect != dialect:
        raise ConfigInvalidError(
            f"{one_line(target)} is {schema.dialect}, not {dialect}.", hint=f"Say --dialect {schema.dialect}."
        )
    return schema, policy_for(target, wiring.settings)


def _render(judged: Sequence[tuple[str, Judgement]]) -> str:
    if not judged:
        return "There is no statement."
    blocks = [line for sql, judgement in judged for line in [*_one(sql, judgement), ""]]
    told = [judgement.told() for _, judgement in judged]
    union = effects_and_numbers({effect for judgement in told for effect in judgement["effects"]}, told)
    noun = "statement" if len(judged) == 1 else "statements"
    return safe("\n".join([*blocks, *wrapped(f"{len(judged)} {noun}: ", f"{union or 'nothing but bookkeeping'}.")]))


def _one(sql: str, judgement: Judgement) -> list[str]:
    told: dict[str, Any] = judgement.told()
    costs = [f"{text.rpartition(' (statement')[0]}" for _, text in what_it_costs([told])]
    return [
        f"{judgement.n:>4}  [{', '.join(worst_first(told['effects'])) or 'no effect'}]  {judgement.rule}",
        *(f"      {line}" for line in _shown(sql)),
        *wrapped("      ", one_line(judgement.why), indent=6),
        *(line for cost in costs for line in wrapped("      - ", cost, indent=8)),
        *safer_lines(judgement.safer, set()),
    ]


def _shown(sql: str) -> list[str]:
    lines = [one_line(line) for line in sql.strip().splitlines()]
    left = len(lines) - _SHOWN_LINES
    return lines if left <= 1 else [*lines[:_SHOWN_LINES], f"… ({left} more lines)"]
