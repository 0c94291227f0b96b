"""What takes a plan back where the project's downgrades do not: `pass`, an exception, or a part that was left out?

The inverse is derived from the schema that was read before the plan, and tried at once: it counts only if the schema
is then the one that was there. Each such statement says that we wrote it and not the project.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mcp_migrate.dialects.interface import Scratch
from mcp_migrate.dialects.inverting import Inverter
from mcp_migrate.errors import MigrateError
from mcp_migrate.migrations.planning import Recorded, Way
from mcp_migrate.migrations.rehearsal import run_on
from mcp_migrate.migrations.scratch import read_revisions
from mcp_migrate.migrations.versions import VersionTexts
from mcp_migrate.model import Effect, Plan, Reverse, Statement
from mcp_migrate.rules.interface import Finding
from mcp_migrate.schema import shape

_RENAMES = frozenset({"rename", "rename-new-object"})
_ADDS_ROWS = frozenset({"insert-rows", "overwrite-rows", "copy-in"})
_NO_WAY = frozenset(
    {"set-schema", "rename-enum-value", "set-sequence", "restart-sequence", "count-up", "move-partitions"}
)


class _UncertainError(Exception):
    """Nobody can say for certain what takes a statement back."""


def completed(recorded: Recorded, way: Way, scratch: Scratch) -> Recorded:
    """The plan with what its way back leaves undone derived; as it was where that is not certain.

    `scratch` is where the project's own way back has left it. If that could not run at all, it is where the way there
    ended, or nothing is derived.
    """
    reverse, inverter = recorded.plan.reverse, way.dialect.inverter()
    if reverse.restores_schema or inverter is None:
        return recorded
    if not (reverse.available or _stands_at_its_end(recorded, way, scratch)):
        return recorded
    try:
        added = tuple(_derived(recorded, way, scratch, inverter))
    except (_UncertainError, MigrateError):
        return recorded
    if shape(way.schema_of(scratch)) != recorded.before:
        return recorded
    statements = tuple(replace(s, n=n) for n, s in enumerate([*reverse.statements, *added], 1))
    back = Reverse(available=True, restores_schema=True, statements=statements)
    return replace(recorded, plan=replace(recorded.plan, reverse=back))


def _derived(recorded: Recorded, way: Way, scratch: Scratch, inverter: Inverter) -> Iterator[Statement]:
    """What is left to do, done on `scratch` as it is found."""
    plan = recorded.plan
    revision = plan.statements[-1].revision
    renames = [_ours(way, revision, sql) for sql in _renames(recorded, way, inverter)]
    moves = [] if plan.reverse.available else list(_moves(way, plan))
    _run(way, scratch, renames)
    here = way.schema_of(scratch)
    texts = inverter.statements(here, recorded.began)
    rest = [*(_ours(way, revision, sql) for sql in texts), *moves]
    _run(way, scratch, rest)
    yield from (*renames, *rest)


def _ours(way: Way, revision: str, sql: str) -> Statement:
    return Statement(0, revision, sql, transactional=not way.dialect.commits(sql), derived=True)


def _stands_at_its_end(recorded: Recorded, way: Way, scratch: Scratch) -> bool:
    """Whether nothing of a downgrade that failed is left."""
    rows = read_revisions(way.dialect, scratch.url, way.info.version_table)
    return shape(way.schema_of(scratch)) == recorded.after and rows == ((way.end,) if way.end else ())


def _changes(reverse: Reverse) -> bool:
    return any(statement.kind == "change" for statement in reverse.statements)


def _renames(recorded: Recorded, way: Way, inverter: Inverter) -> Iterator[str]:
    """What takes renamings back, the last first: nothing else tells them from a drop and something new."""
    from mcp_migrate.rules import findings  # parsers load with the first plan

    plan, began = recorded.plan, recorded.began
    found = findings(plan.statements, dialect=way.dialect.name, schema=began)
    known = {table.qualified for table in began.tables}
    alone = not _changes(plan.reverse)
    for statement, said in reversed(list(zip(plan.statements, found, strict=True))):
        if statement.kind != "change":
            continue
        if any(_hides(finding, known) for finding in said):
            raise _UncertainError
        if any(finding.rule.id in _RENAMES for finding in said):
            back = inverter.renamed_back(statement.sql) if alone else None
            if back is None:
                raise _UncertainError
            yield back


def _hides(finding: Finding, known: set[str]) -> bool:
    """Whether a schema does not tell what it did: code, rows that were added, names that moved."""
    adds = finding.rule.id in _ADDS_ROWS and bool(known & set(finding.objects))
    return adds or finding.rule.id in _NO_WAY or Effect.UNKNOWN in finding.rule.effects


def _moves(way: Way, plan: Plan) -> Iterator[Statement]:
    """How Alembic's version table goes back, where no downgrade ran that could be asked."""
    texts = VersionTexts(way.dialect.name, way.info)
    steps = dict.fromkeys(statement.revision for statement in plan.statements if statement.kind == "version")
    for revision in reversed(steps):
        sql = texts.back_over(revision)
        if sql is None:
            raise _UncertainError
        yield Statement(0, revision, sql, kind="version", derived=True)


def _run(way: Way, scratch: Scratch, statements: Sequence[Statement]) -> None:
    run_on(way.dialect, scratch, tuple(replace(statement, n=n) for n, statement in enumerate(statements, 1)))
