"""How does the child hear what to do, and answer, while revisions print what they like?

One JSON object a line: requests on standard input, answers on what was standard output. Both descriptors are
moved out of the way first; whatever the project prints goes to standard error, which the parent keeps and cuts.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Mapping
from typing import Any, TextIO

from mcp_migrate.migrations.cage.enter import enter
from mcp_migrate.migrations.child.clock import shift
from mcp_migrate.migrations.child.failures import failure, is_fatal
from mcp_migrate.migrations.child.witness import Witness
from mcp_migrate.migrations.output import MARK

_COLLECTED_AFTER = 100_000
"""Objects: most of a child's life is imports, which make many objects and no garbage."""


def main() -> None:
    """Shut ourselves in, then answer requests until the parent closes its end."""
    enter()
    gc.set_threshold(_COLLECTED_AFTER)
    witness = Witness(os.environ["HOME"])
    witness.watch()
    shift()
    requests, answers = _channel()
    from mcp_migrate.migrations.child.session import Session  # after the clock was set

    session = Session(witness)
    for line in requests:
        answer = _answer(session, json.loads(line))
        answers.write(json.dumps(answer, allow_nan=False) + "\n")
        answers.flush()
    answers.close()
    os._exit(0)  # the server kills what is left: taking a project's modules apart would only keep it waiting


def _channel() -> tuple[TextIO, TextIO]:
    """Keep standard input and output to ourselves: the project reads nothing and prints to standard error."""
    requests = os.fdopen(os.dup(0), "r", encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, answers


def _answer(session: Any, request: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        result = session.do(request["do"], request["arguments"])
    except BaseException as problem:  # a revision may raise anything at all, and the parent is told what
        if is_fatal(problem):
            raise
        return {"failure": failure(problem, session.where, session.folders)}
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
