"""How does a child process with a project's Python in it live, answer, and die?

It gets a scrubbed environment, a home of its own that is removed afterwards, and a process group that is killed
when it takes too long. What it prints is kept as a tail, for the error that may need it.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import IO, Any

from mcp_migrate.errors import RenderFailedError
from mcp_migrate.migrations.output import Tail

TIMEOUT = 120.0
"""Seconds for one answer."""

_MODULE = "mcp_migrate.migrations.child"
_GRACE = 2.0


class Child:
    """A running child; `ask` it."""

    def __init__(self, process: subprocess.Popen[bytes], *, timeout: float, secrets: tuple[str, ...]) -> None:
        self._process = process
        self._timeout = timeout
        self._answers: queue.Queue[bytes] = queue.Queue()
        self._asked = 0
        self._tail = Tail(secrets)
        self._threads = (
            _thread(self._listen, process.stdout),
            _thread(self._tail.drain, process.stderr),
        )

    def ask(self, do: str, **arguments: Any) -> Any:
        """Send one request and wait for its answer.

        Raises:
            RenderFailedError: the project failed; the revision, the reason and what was printed are in the details.
        """
        self._send({"do": do, "arguments": arguments})
        self._asked += 1
        try:
            line = self._answers.get(timeout=self._timeout)
        except queue.Empty:
            self.kill()
            raise self._failed({"reason": f"no answer within {self._timeout:g} seconds"}) from None
        if not line:
            raise self._failed({"reason": "the process ended by itself"})
        answer = json.loads(line)
        if "failure" in answer:
            raise self._failed(answer["failure"])
        return answer["result"]

    def close(self) -> None:
        """End the child, and whatever it started."""
        if self._process.stdin:
            with suppress(BrokenPipeError):
                self._process.stdin.close()
        self._threads[0].join(_GRACE)  # it ends with the child, which is not waited for while its group must live
        self.kill()
        for thread in self._threads:
            thread.join(_GRACE)
        for stream in (self._process.stdout, self._process.stderr):
            if stream:
                stream.close()

    def kill(self) -> None:
        """Kill the process group."""
        if os.name == "posix":
            _kill_group(self._process.pid)
        else:
            self._process.kill()
        self._process.wait()

    def _send(self, request: Mapping[str, Any]) -> None:
        if self._process.stdin is None:
            raise RuntimeError("the child was started without standard input")
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._failed({"reason": "the process ended by itself"}) from None

    def _listen(self, stream: IO[bytes]) -> None:
        for line in stream:
            self._answers.put(line)
        self._answers.put(b"")

    def _failed(self, failure: Mapping[str, Any]) -> RenderFailedError:
        self._tail.wait(self._asked)
        return failed(failure, self._tail.text())


def failed(failure: Mapping[str, Any], output: str) -> RenderFailedError:
    """The error for what a child reported."""
    revision, file, reason = failure.get("revision"), failure.get("file"), str(failure["reason"])
    who = f"Revision {revision}" if revision else "The Alembic project"
    place = f" ({file})" if file else ""
    return RenderFailedError(
        f"{who} could not be turned into SQL{place}: {reason.rstrip('.')}.",
        hint=_hint(revision, reason),
        revision=revision,
        file=file,
        reason=reason,
        output=output,
    )


def _hint(revision: str | None, reason: str) -> str:
    if revision:
        return "Fix the revision and plan again."
    if reason.startswith("KeyError"):
        return "Variables that env.py needs go under `environment` of the target; nothing else reaches it."
    return "Fix env.py or the project, try `alembic upgrade head` on an empty database, and plan again."


@contextmanager
def child(
    ini: Path, *, environment: Mapping[str, str], secrets: tuple[str, ...] = (), timeout: float = TIMEOUT
) -> Iterator[Child]:
    """Start a child in the folder of `ini`. `secrets` never show in what it printed."""
    with tempfile.TemporaryDirectory(prefix="mcp-migrate-", ignore_cleanup_errors=True) as home:
        process = subprocess.Popen(  # noqa: S603  our own interpreter, a fixed module
            [sys.executable, "-P", "-m", _MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ini.parent,
            env=_environment(home, environment),
            start_new_session=True,
        )
        running = Child(process, timeout=timeout, secrets=secrets)
        try:
            yield running
        finally:
            running.close()


def _environment(home: str, configured: Mapping[str, str]) -> dict[str, str]:
    """All the child sees: no variable of ours but the search path for programs."""
    package = str(Path(__file__).parents[2])
    paths = [package, *filter(None, [configured.get("PYTHONPATH")])]
    return {
        "HOME": home,
        "TMPDIR": home,
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "PATH": os.pathsep.join(os.get_exec_path()),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        **({"SYSTEMROOT": os.environ["SYSTEMROOT"], "TEMP": home, "USERPROFILE": home} if os.name == "nt" else {}),
        **configured,
        "PYTHONPATH": os.pathsep.join(paths),
    }


def _kill_group(leader: int) -> None:
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        return


def _thread(work: Any, stream: IO[bytes] | None) -> Thread:
    thread = Thread(target=work, args=(stream,), daemon=True)
    thread.start()
    return thread
