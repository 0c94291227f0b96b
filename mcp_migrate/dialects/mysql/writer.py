"""How is a MySQL or MariaDB database changed? Under a named lock, one frozen statement at a time.

DDL ends the transaction before it and stands when it succeeded. So statements on rows run in transactions, everything
else by itself between two of them, and after the first of those a failure leaves the target between two revisions. The
mark is brought up to date before and after each, so that a crash is told to the statement.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from mcp_migrate.dialects import values
from mcp_migrate.dialects.holders import Holder
from mcp_migrate.dialects.mysql.freeze import filled
from mcp_migrate.dialects.mysql.heads import leave_head
from mcp_migrate.dialects.mysql.marks import Place, insert_mark, update_mark
from mcp_migrate.dialects.mysql.reader import MysqlReader
from mcp_migrate.dialects.mysql.trouble import left_standing, refused, uncommitted, waited
from mcp_migrate.dialects.mysql.waiting import open_transactions
from mcp_migrate.dialects.mysql.words import controls_session, fails_whole, locks, stays_inside
from mcp_migrate.dialects.sequence import FrozenSequence, one_row, unread
from mcp_migrate.dialects.settlement import only_keeps
from mcp_migrate.drivers.mysql import KEEPING_MODE, SQL_MODE, code, driver, message, quote
from mcp_migrate.errors import MigrateError, PartiallyAppliedError, ValidationFailedError
from mcp_migrate.model import LeftHead, Statement

if TYPE_CHECKING:
    import pymysql

_OURS = frozenset({"preserve", "restore"})
_IN_TRANSACTION = 0x0001
"""SERVER_STATUS_IN_TRANS of the protocol."""
_NOT_ROLLED_BACK = 1196
"""ER_WARNING_NOT_COMPLETE_ROLLBACK: a table without transactions was changed."""
_ATOMIC_SINCE = {True: (10, 6), False: (8, 0)}
"""From which version of MariaDB, and of MySQL, a DDL statement that fails leaves nothing."""


class MysqlWriter(MysqlReader):
    """Runs frozen statements on one connection.

    `failed` is why no further statement runs. `committed` are the numbers of the statements that stand whatever comes,
    `uncertain` is the one that may.
    """

    def __init__(self, connection: pymysql.Connection[Any], url: str, statements: Sequence[Statement]) -> None:
        super().__init__(connection, url)
        self._sequence = FrozenSequence(statements)
        self._keeps = {statement.n for statement in statements if only_keeps(statement)}
        self._mode = SQL_MODE
        self._holding = False
        self._marked: tuple[Place, str] | None = None
        self.committed: list[int] = []
        self.uncertain: int | None = None
        self.failed: MigrateError | None = None

    @property
    def stands(self) -> bool:
        """Whether something may stay whatever comes. Places for undo data do no harm, and are found there again."""
        return not self._keeps.issuperset(self.committed) or self.uncertain is not None

    @property
    def lost(self) -> bool:
        """Whether the connection is gone."""
        return not self._connection.open

    def leave_mark(self, apply_id: str, plan: str) -> None:
        """A row that is brought up to date in each transaction, so it says what stands."""
        self._marked = (insert_mark(self, apply_id, plan), apply_id)

    def leave_head(self, head: LeftHead) -> None:
        """Beside the mark."""
        if self._marked is not None:
            leave_head(self, head, self._marked[0])

    def old_transactions(self, tables: Collection[str] | None, *, seconds: float) -> tuple[Holder, ...]:  # noqa: ARG002  the server does not say which tables
        """All that are old, in this database."""
        return open_transactions(self, older=seconds)

    def observing(self) -> None:
        """Its locks are seen only by who may read performance_schema, where that is on."""

    def look(self, sql: str, row: Sequence[Any]) -> str:
        """The digest of its rows, inside the transaction."""
        try:
            return values.rows_digest(self.ask(filled(sql, row, self._literal) if row else sql))
        except driver().Error as error:
            raise unread(message(error)) from error

    def run(self, statement: Statement) -> int:
        """Run the next frozen statement; the rows it touched. After a failure there is none."""
        if self.failed is not None:
            raise self.failed
        try:
            return self._run(statement)
        except MigrateError as error:
            self.failed = error
            raise

    def commit(self) -> None:
        """Commit what was done since the transaction began.

        Raises:
            StatementFailedError: it could not be committed.
            PartiallyAppliedError: the same after other statements stand, or when nobody can tell.
        """
        self._bring_mark_up_to_date(self._sequence.ran)
        self._commit()

    @contextmanager
    def follow(self, statements: Sequence[Statement]) -> Iterator[MysqlWriter]:
        """Another list of frozen statements on this session; its lock outlives transactions."""
        refuse_control(statements)
        self._begin_with(statements)
        self.begin()
        yield from until_committed(self)
        self._begin_with(())

    def finish(self) -> None:
        """Commit; nothing of what ran is at stake from then on."""
        self.commit()
        self._begin_with(())

    def _begin_with(self, statements: Sequence[Statement]) -> None:
        self._sequence, self._marked, self.committed, self.uncertain = FrozenSequence(statements), None, [], None

    def begin(self) -> None:
        """Begin a transaction. To say so would give locks on tables back: while they are held, it begins by itself."""
        if not self._holding:
            self.ask("START TRANSACTION")

    def roll_back(self) -> None:
        """Undo what is not committed. What cannot be undone, because of its table, may stand from then on."""
        with suppress(driver().Error):  # a session that is gone has been rolled back by the server
            self.ask("ROLLBACK")
            if any(row[1] == _NOT_ROLLED_BACK for row in self.ask("SHOW WARNINGS")):
                self.uncertain = next((n for n in self._sequence.ran if n not in self.committed), None)

    def _commit(self) -> None:
        try:
            self.ask("COMMIT")
        except driver().Error as error:
            raise uncommitted(self, message(error)) from error

    def _run(self, statement: Statement) -> int:
        frozen = self._sequence.take(statement)
        inside = frozen.transactional and stays_inside(frozen.sql)
        again = self.uncertain == frozen.n  # batches of it stand
        if not inside:
            self._stand_alone()
        try:
            touched = self._send(frozen)
            if not inside:
                self._stood(touched)
        except driver().Error as error:
            raise self._refused(frozen, error, again=again) from error
        ended = not self._holding and not self._connection.server_status & _IN_TRANSACTION
        if inside and ended:  # whatever it was, it was committed
            self.committed = self._sequence.ran
            self.begin()
        one_row(frozen, touched)
        return touched

    def _stand_alone(self) -> None:
        """End the transaction before a statement that would do so itself."""
        before = self._sequence.ran[:-1]
        self._bring_mark_up_to_date(before)
        self._commit()
        self.committed = before
        self.uncertain = self._sequence.ran[-1]

    def _stood(self, touched: int) -> None:
        self.committed = self._sequence.over(touched)
        self.uncertain = next(iter(self._sequence.ran[len(self.committed) :]), None)
        self.begin()
        self._bring_mark_up_to_date(self.committed)
        self._commit()
        self.begin()

    def _refused(self, frozen: Statement, error: Exception, *, again: bool) -> MigrateError:
        """What is to be told; a statement that is known to leave nothing behind is not uncertain."""
        atomic = self.version >= _ATOMIC_SINCE[self.mariadb]
        if self.uncertain == frozen.n and not self.lost and not again and atomic and fails_whole(frozen.sql):
            self.uncertain = None
        holders = open_transactions(self) if waited(code(error)) else ()
        return refused(self, frozen, code(error), message(error), holders=holders)

    def _bring_mark_up_to_date(self, ran: Sequence[int]) -> None:
        """What goes wrong here is told by the commit that follows."""
        if self._marked is not None:
            place, apply_id = self._marked
            with suppress(driver().Error):
                update_mark(self, place, apply_id, len(ran))

    def _send(self, frozen: Statement) -> int:
        """Send the text as it is; a value goes where its placeholder stands, as the driver writes it."""
        self._speak(KEEPING_MODE if frozen.kind in _OURS else SQL_MODE)
        if (takes := locks(frozen.sql)) is not None:
            return self._hold(frozen.sql) if takes else self._let_go(frozen.sql)
        if not frozen.parameters:
            return self._touched(frozen.sql)
        return sum(
            self._touched(filled(frozen.sql, row, self._literal) if row else frozen.sql) for row in frozen.parameters
        )

    def _speak(self, mode: str) -> None:
        if mode != self._mode:
            self.ask("SET SESSION sql_mode = %s", mode)
            self._mode = mode

    def _hold(self, sql: str) -> int:
        """Lock the tables that are named, and that of our own mark, which is written meanwhile."""
        mark = f", {quote(*self._marked[0])} WRITE" if self._marked else ""
        self.ask("SET SESSION autocommit = 0")
        self.ask(sql + mark)
        self._holding = True
        return 0

    def _let_go(self, sql: str) -> int:
        self.ask(sql)
        self.ask("SET SESSION autocommit = 1")
        self._holding = False
        return 0

    def _literal(self, value: Any) -> str:
        return str(self._connection.escape(value, self._connection.encoders))

    def _touched(self, sql: str) -> int:
        with self._connection.cursor() as cursor:
            touched = cursor.execute(sql)
            while cursor.nextset():
                pass
        return int(touched)


def until_committed(writer: MysqlWriter) -> Iterator[MysqlWriter]:
    """The writer; then commit, or roll back and say what stands."""
    try:
        yield writer
    except BaseException as error:
        writer.roll_back()
        if writer.stands and not isinstance(error, PartiallyAppliedError):
            raise left_standing(writer, error) from error
        raise
    if writer.failed is not None:  # whoever swallowed it: half a plan is no plan
        writer.roll_back()
        raise writer.failed
    writer.commit()


def refuse_control(statements: Sequence[Statement]) -> None:
    """Refuse what would take the session out of our hands. Raises: ValidationFailedError."""
    for statement in statements:
        ours = statement.kind == "preserve" and locks(statement.sql) is not None
        if controls_session(statement.sql) and not ours:
            raise ValidationFailedError(
                f"Statement {statement.n} of revision {statement.revision} controls the session it would run in.",
                hint="Nothing ran. Take it out of the revision: transactions, locks, the database and settings of the "
                "session are not its to change, but for foreign_key_checks and unique_checks.",
            )
