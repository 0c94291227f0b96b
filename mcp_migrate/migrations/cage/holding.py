"""How is a sandbox kept open for a process that comes into it from outside?"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from mcp_migrate.migrations.cage.namespaces import namespaces_of
from mcp_migrate.migrations.cage.room import Room
from mcp_migrate.migrations.cage.tiers import Cage, command

_HOLDER = ("/bin/sh", "-c", "echo; exec cat")
"""Says that the sandbox is there, and lives for as long as its standard input is open."""
_MOST = 4096


@dataclass(frozen=True, slots=True)
class Held:
    """A sandbox and the process that holds it: all in it dies with that one. `namespaces` are open descriptors."""

    process: subprocess.Popen[bytes]
    namespaces: Sequence[int]

    def close_namespaces(self) -> None:
        """Close ours: who wants in has its own."""
        for each in self.namespaces:
            os.close(each)

    def end(self) -> None:
        """Let go of the sandbox before anybody is in it."""
        _end(self.process)


def hold(cage: Cage, room: Room, folder: str) -> Held | None:
    """A sandbox with nobody of ours in it; None where there is none, or none that can be entered."""
    told, telling = os.pipe()
    try:
        process = subprocess.Popen(  # noqa: S603  bubblewrap, with a fixed command
            command(cage, room, _HOLDER, folder, told=telling),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env={"PATH": os.pathsep.join(os.get_exec_path())},
            pass_fds=(telling,),
            start_new_session=True,
        )
        os.close(telling)
        telling = -1
        try:
            return Held(process, _namespaces(process, told))
        except (OSError, ValueError, KeyError):
            _end(process)
            return None
    finally:
        for each in (told, telling):
            if each >= 0:
                os.close(each)


def _namespaces(process: subprocess.Popen[bytes], told: int) -> Sequence[int]:
    if process.stdout is None or process.stdout.readline() != b"\n":
        raise OSError("the sandbox did not come up")
    text = b""
    while not text.rstrip().endswith(b"}"):  # it is written in parts
        part = os.read(told, _MOST)
        if not part:
            raise OSError("the sandbox did not say which process it is")
        text += part
    return namespaces_of(json.loads(text)["child-pid"])


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream:
            with suppress(BrokenPipeError):
                stream.close()
