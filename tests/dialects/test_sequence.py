"""Does a statement that runs in batches come to an end, whoever asks for the next one?"""

from __future__ import annotations

import pytest

from mcp_migrate.dialects.sequence import FrozenSequence, whole
from mcp_migrate.errors import ValidationFailedError
from mcp_migrate.model import Statement

BATCH = Statement(1, "tool:fill", "UPDATE t SET a = a", batches=True)


def test_a_statement_that_always_changes_rows_is_stopped_where_the_server_asks() -> None:
    with pytest.raises(ValidationFailedError, match="still changes rows after"):
        whole(BATCH, lambda _statement: 1)


@pytest.mark.proves("python-tools-batches")
def test_a_statement_that_always_changes_rows_is_stopped_where_a_handler_asks_for_it_itself() -> None:
    sequence = FrozenSequence([BATCH])

    def handler() -> None:
        while True:
            sequence.take(BATCH)

    with pytest.raises(ValidationFailedError, match="still changes rows after"):
        handler()
