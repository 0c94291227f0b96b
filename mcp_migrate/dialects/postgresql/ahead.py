"""How does the server work while we do? Queries are sent ahead of their answers, in libpq's pipeline mode.

It answers one after the other without waiting for us, and we read an answer while it works on the next. What psycopg
offers for that gives its first answer after its last, and a thread of its own waits for Python's lock more than for
the server. This is the loop that libpq's manual has for asynchronous commands (34.4 and 34.5).
"""

from __future__ import annotations

import select
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg
    from psycopg.pq.abc import PGresult

Row = tuple[Any, ...]
_AT_ONCE = 100


class Ahead:
    """Queries by name; the answer to each is given once. Nothing else may use the connection meanwhile."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._server = connection.pgconn
        self._asked: deque[str] = deque()
        self._answers: dict[str, PGresult] = {}

    def ask(self, name: str, sql: str, values: Sequence[Any] = ()) -> None:
        """Send a query. Raises: psycopg.Error."""
        from psycopg.adapt import PyFormat, Transformer

        as_sent = Transformer(self._connection).dump_sequence(values, [PyFormat.TEXT] * len(values))
        self._server.send_query_params(sql.encode(), as_sent)
        self._server.send_flush_request()
        self._asked.append(name)
        while self._server.flush():
            select.select([self._server.socket], [self._server.socket], [])
            self._server.consume_input()

    def rows(self, name: str) -> Iterator[Row]:
        """The answer to a query, waited for. Raises: psycopg.Error."""
        while name not in self._answers:
            which, answer = self._asked.popleft(), self._result()
            self._result()  # between two answers there is always nothing
            self._answers[which] = _whole(answer)
        return self._read(self._answers.pop(name))

    def _read(self, answer: PGresult) -> Iterator[Row]:
        """Some rows at a time: the server stops when nobody takes what it sends."""
        from psycopg.adapt import Transformer

        reading = Transformer(self._connection)
        reading.set_pgresult(answer)
        for first in range(0, answer.ntuples, _AT_ONCE):
            self._take()
            yield from reading.load_rows(first, min(first + _AT_ONCE, answer.ntuples), tuple)

    def _take(self) -> None:
        """Take what has come meanwhile."""
        if self._asked and select.select([self._server.socket], [], [], 0)[0]:
            self._server.consume_input()
            self._server.is_busy()  # has libpq read it, so that there is room for more

    def _result(self) -> PGresult | None:
        """What comes next, waited for without holding Python's lock."""
        while self._server.is_busy():
            select.select([self._server.socket], [], [])
            self._server.consume_input()
        return self._server.get_result()

    def end(self) -> None:
        """Take what still comes, so that the connection can be used again; a lost one gives nothing more."""
        from psycopg import OperationalError

        with suppress(OperationalError):
            self._server.pipeline_sync()
            self._skip_to_end()
            self._server.exit_pipeline_mode()

    def _skip_to_end(self) -> None:
        from psycopg.pq import ConnStatus, ExecStatus

        while (result := self._result()) is None or result.status != ExecStatus.PIPELINE_SYNC:
            if result is None and self._server.status != ConnStatus.OK:
                return


@contextmanager
def ahead(connection: psycopg.Connection[Any]) -> Iterator[Ahead]:
    """Ask ahead through a connection, and leave it as it was. Raises: psycopg.Error."""
    asking = Ahead(connection)
    connection.pgconn.enter_pipeline_mode()
    try:
        yield asking
    finally:
        asking.end()


def _whole(result: PGresult | None) -> PGresult:
    """The result, if it is one. Raises: psycopg.Error."""
    from psycopg import OperationalError
    from psycopg.errors import error_from_result
    from psycopg.pq import ExecStatus

    if result is None:
        raise OperationalError("the server ended the connection")
    if result.status != ExecStatus.TUPLES_OK:
        raise error_from_result(result)
    return result
