"""What does a child do from its first moment to its last? It shuts itself in, then answers what it is asked."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Mapping
from typing import Any

import mcp_migrate.dialects.values  # noqa: F401  before the clock is set: it knows dates by their very type
from mcp_migrate.migrations.cage.enter import enter
from mcp_migrate.migrations.child.channel import Channel
from mcp_migrate.migrations.child.clock import shift
from mcp_migrate.migrations.child.failures import is_fatal
from mcp_migrate.migrations.child.witness import Witness
from mcp_migrate.migrations.output import MARK

COLLECTED_AFTER = 100_000
"""Objects: most of a child's life is imports, which make many objects and no garbage."""


def main() -> None:
    """Shut ourselves in, then answer requests until the parent closes its end."""
    enter()
    gc.set_threshold(COLLECTED_AFTER)
    witness = Witness()
    witness.at_home(os.environ["HOME"])
    witness.watch()
    shift()
    answer(witness)


def answer(witness: Witness) -> None:
    """Answer requests; this process ends with the last of them."""
    channel = Channel()
    session = None
    for request in channel.requests():
        session = session or _session(request["do"], witness, channel)
        channel.say(_answer(session, request))
    os._exit(0)  # the server kills what is left: taking a project's modules apart would only keep it waiting


def _session(do: str, witness: Witness, channel: Channel) -> Any:
    """What answers: it is known by the first request, and loaded after the clock was set."""
    if do.endswith("_call"):
        from mcp_migrate.migrations.child.handling import Handling

        return Handling(channel.ask)
    from mcp_migrate.migrations.child.session import Session

    return Session(witness, channel.reads)


def _answer(session: Any, request: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        result = session.do(request["do"], request["arguments"])
    except BaseException as problem:  # a revision may raise anything at all, and the parent is told what
        if is_fatal(problem):
            raise
        return {"failure": session.failure(problem)}
    finally:
        _mark()
    return {"result": result}


def _mark() -> None:
    """Tell where what was printed for this request ends."""
    for stream in (sys.stdout, sys.stderr):
        if stream and not stream.closed:
            stream.flush()
    os.write(2, MARK)


if __name__ == "__main__":
    main()
