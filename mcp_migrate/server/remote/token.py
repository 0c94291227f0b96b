"""Which token proves to a team's server who calls? It is read for each message, so that a new one counts at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mcp_migrate.errors import ConfigInvalidError
from mcp_migrate.settings.http import GRANT
from mcp_migrate.settings.private import read_private_line

VARIABLE = "MCP_MIGRATE_TOKEN"
"""Where it is looked for when nothing else is said."""

_LONGEST = 16_384
_GRANT = re.compile(r"[A-Za-z0-9._-]+")
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""What may stand behind `Bearer` (RFC 6750, 2.1): nothing that could end the header."""


@dataclass(frozen=True, slots=True)
class Token:
    """In a file of the user's alone, or under a name of the environment; never among the words of a command.

    `grants` are files of those that its holder acts by, in the order in which they were handed on.
    """

    file: Path | None
    variable: str = VARIABLE
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    grants: tuple[Path, ...] = ()

    @property
    def renewed(self) -> str:
        """What to do with a new one."""
        if self.file is not None:
            return f"Write a new one into {self.file}: the next call reads it."
        return f"Start anew with a new one in {self.variable}, or keep it in a file: --token-file."

    def read(self) -> str:
        """The token as it is now. Raises: ConfigInvalidError: there is none, or others can read it too."""
        if self.file is not None:
            text = read_private_line(self.file, "access token")
        else:
            text = self.environ.get(self.variable, "")
        token = text.strip()
        if len(token) > _LONGEST or not _TOKEN.fullmatch(token):
            where = self.file or f"the environment's {self.variable}"
            raise ConfigInvalidError(f"There is no access token in {where}.", hint=self.renewed)
        return token

    def headers(self) -> dict[str, str]:
        """How a request says who makes it, and by whose leave. Raises: ConfigInvalidError."""
        texts = [read_private_line(file, "grant").strip() for file in self.grants]
        if not all(_GRANT.fullmatch(text) for text in texts):
            raise ConfigInvalidError(
                "A file after --grant holds no grant.", hint="`mcp-migrate delegate` writes one; name its file."
            )
        return {"authorization": f"Bearer {self.read()}", **({GRANT: ", ".join(texts)} if texts else {})}
