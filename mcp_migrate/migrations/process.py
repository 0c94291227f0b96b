"""How does a child process with a project's Python in it live, answer, and die?

It gets the strongest cage of this machine, a scrubbed environment, a home of its own that is removed afterwards, and
a process group that is killed when it takes too long or fills the disk. What it prints is kept as a tail, for the
error that may need it.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import IO, Any

from mcp_migrate.errors import MigrateError
from mcp_migrate.migrations.answers import fits, parsed
from mcp_migrate.migrations.cage.confinement import Confinement, Database
from mcp_migrate.migrations.cage.interpreter import Interpreter, interpreter_of
from mcp_migrate.migrations.cage.room import room_for
from mcp_migrate.migrations.child.clock import VARIABLE as CLOCK
from mcp_migrate.migrations.failed import SLOW, failed
from mcp_migrate.migrations.output import Tail
from mcp_migrate.migrations.starting import Beginning, Running, begin

TIMEOUT = 120.0
"""Seconds for one answer."""
DISK = 2 * 2**30
"""Bytes that a child may leave in the folders it may write to."""
ANSWER = 256 * 2**20
"""Bytes of one answer."""

_STRANGE = "its answer is not one that our own code gives"
_GRACE = 2.0
_WAITING = 16
"""Lines that are read before somebody wants them."""
_LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Variant:
    """What differs between the recordings of one plan: the hash seed, and by how many seconds the clocks are off."""

    seed: int = 0
    clock: float = 0.0

    def environment(self) -> dict[str, str]:
        clock = {CLOCK: str(self.clock)} if self.clock else {}
        return {"PYTHONHASHSEED": str(self.seed), **clock}


Reads = Callable[[str], tuple[str, ...] | None]
"""As `Dialect.reads`."""
Questions = Mapping[str, Callable[[Any], Any]]
"""What a child may ask back, by kind, and who answers."""

FIRST = Variant()
SECOND = Variant(seed=1, clock=1_000_000.0)


class Child:
    """A running child; `ask` it. `since` is when it started, in nanoseconds; `questions` are what it may ask back.

    A line of it has at most so many bytes as `longest` says. `failing` says in an error what it did wrong.
    """

    def __init__(
        self,
        process: Running,
        *,
        questions: Questions,
        timeout: float,
        secrets: tuple[str, ...] = (),
        folders: Sequence[Path],
        longest: int,
        failing: Callable[[Mapping[str, Any], str], MigrateError] = failed,
    ) -> None:
        self.since = time.time_ns()
        self._process = process
        self._questions = questions
        self._timeout = timeout
        self._folders = folders
        self._longest = longest
        self._failing = failing
        self._answers: queue.Queue[bytes] = queue.Queue(_WAITING)
        self._asked = 0
        self._tail = Tail(secrets)
        self._threads = (
            _thread(self._listen, process.stdout),
            _thread(self._tail.drain, process.stderr),
        )

    def ask(self, do: str, **arguments: Any) -> Any:
        """Send one request and wait for its answer. What it asks back takes none of its time.

        Raises:
            RenderFailedError: the project failed; the revision, the reason and what was printed are in the details.
        """
        self._send({"do": do, "arguments": arguments})
        self._asked += 1
        end = time.monotonic() + self._timeout
        answer = self._told(end)
        while kind := next(iter(answer.keys() & self._questions.keys()), None):
            asked = time.monotonic()
            self._send(self._questions[kind](answer[kind]))
            end += time.monotonic() - asked
            answer = self._told(end)
        if "failure" in answer:
            raise self._failed(answer["failure"])
        if not fits(do, answer["result"]):
            raise self._failed({"reason": _STRANGE})
        return answer["result"]

    def _told(self, end: float) -> Mapping[str, Any]:
        """The next line: an answer, or a question."""
        line = self._line(end)
        if len(line) >= self._longest:
            self.kill()
            raise self._failed({"reason": f"its answer is larger than {self._longest // 2**20} MB"})
        if not line:
            raise self._failed({"reason": "the process ended by itself"})
        told = parsed(line)
        if told is None or not told.keys() <= {"result", "failure", *self._questions}:
            raise self._failed({"reason": _STRANGE})
        return told

    def _line(self, end: float) -> bytes:
        """The next line, unless it takes too long or the disk fills meanwhile."""
        while True:
            try:
                return self._answers.get(timeout=max(0.0, min(_LOOK_SECONDS, end - time.monotonic())))
            except queue.Empty:
                if time.monotonic() >= end:
                    self.kill()
                    raise self._failed({"reason": f"{SLOW} {self._timeout:g} seconds"}) from None
                if _size(self._folders) > DISK:
                    self.kill()
                    raise self._failed({"reason": f"it wrote more than {DISK // 2**30} GB"}) from None

    def close(self) -> None:
        """End the child, and whatever it started."""
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._threads[0].join(_GRACE)  # it ends with the child, which is not waited for while its group must live
        self.kill()
        while not self._answers.empty():  # it may wait to put one more
            self._answers.get_nowait()
        for thread in self._threads:
            thread.join(_GRACE)
        self._process.close()

    def kill(self) -> None:
        """Kill the process group."""
        leader = self._process.leader
        if os.name == "posix":
            _kill_group(leader.pid)
        else:
            leader.kill()
        leader.wait()

    def _send(self, request: object) -> None:
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._failed({"reason": "the process ended by itself"}) from None

    def _listen(self, stream: IO[bytes]) -> None:
        while line := stream.readline(self._longest):
            self._answers.put(line)
        self._answers.put(b"")

    def _failed(self, failure: Mapping[str, Any]) -> MigrateError:
        self._tail.wait(self._asked)
        return self._failing(failure, self._tail.text())


@contextmanager
def child(
    ini: Path,
    *,
    environment: Mapping[str, str],
    confined: Confinement,
    database: Database,
    reads: Reads,
    secrets: tuple[str, ...] = (),
    timeout: float = TIMEOUT,
    variant: Variant = FIRST,
) -> Iterator[Child]:
    """Start a child in the folder of `ini`. `secrets` never show in what it printed.

    Raises:
        RenderFailedError: the strongest cage of this machine is weaker than `confined` asks for, or there is no such
            interpreter.
    """
    cage = confined.cage()
    interpreter = interpreter_of(confined.python, ini.parent, confined.readable)
    with tempfile.TemporaryDirectory(prefix="mcp-migrate-", ignore_cleanup_errors=True) as home:
        writable = (Path(home), *database.folders)
        more = _more(confined, environment, interpreter)
        room = room_for(ini, write=writable, hidden=confined.hidden, more=more, port=database.port)
        given = Beginning(
            cage=cage,
            room=room,
            folder=str(ini.parent),
            product=database.url.partition(":")[0].partition("+")[0],
            home=home,
            configured=environment,
            variant=variant.environment(),
        )
        process = begin(given, interpreter.python)
        running = Child(
            process,
            questions={"reads": reads},
            timeout=timeout,
            secrets=secrets,
            folders=writable,
            longest=ANSWER,
        )
        try:
            yield running
        finally:
            running.close()


def _more(confined: Confinement, environment: Mapping[str, str], interpreter: Interpreter) -> list[Path]:
    """What the configuration says the project needs to read."""
    paths = environment.get("PYTHONPATH", "").split(os.pathsep)
    prefix = [interpreter.prefix] if interpreter.prefix else []
    return [*confined.readable, *(Path(path) for path in paths if path), *prefix]


def _size(folders: Sequence[Path]) -> int:
    """Bytes of all files in `folders`."""
    total = 0
    for folder in folders:
        for where, _names, files in os.walk(folder):
            for name in files:
                with suppress(OSError):  # it is gone again
                    total += os.lstat(os.path.join(where, name)).st_blocks * 512  # noqa: PTH118  many files
    return total


def _kill_group(leader: int) -> None:
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        return


def _thread(work: Any, stream: IO[bytes]) -> Thread:
    thread = Thread(target=work, args=(stream,), daemon=True)
    thread.start()
    return thread
