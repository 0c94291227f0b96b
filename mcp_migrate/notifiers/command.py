"""How is a program of the team's told? As JSON on its standard input, with an environment that holds no secret."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass

from mcp_migrate.errors import NotificationFailedError
from mcp_migrate.notifiers.interface import Notice
from mcp_migrate.settings.channels import CommandChannel

_KEPT = ("PATH", "HOME", "LANG", "SYSTEMROOT")


@dataclass(frozen=True, slots=True)
class CommandNotifier:
    """Runs the program; the exit code says whether it took the notice."""

    channel: CommandChannel

    def send(self, notice: Notice) -> None:
        """Run it without a shell, so that nothing in a notice can be a command."""
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        try:
            done = subprocess.run(  # noqa: S603  the admin's own program
                self.channel.run,
                input=json.dumps(notice.told()).encode(),
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=self.channel.within,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise _failed(self.channel, f"could not be run: {type(error).__name__}") from error
        if done.returncode:
            raise _failed(self.channel, f"ended with {done.returncode}")


def _failed(channel: CommandChannel, why: str) -> NotificationFailedError:
    return NotificationFailedError(
        f"{channel.run[0]} of the channel {channel.name} {why}.",
        hint="Run it by hand with a notice on its standard input; `mcp-migrate notify test` sends one.",
    )
