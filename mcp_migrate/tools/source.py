"""What does the Python of a tool consist of? Every file of its folder, read with its spec: that is what runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mcp_migrate.errors import ConfigInvalidError
from mcp_migrate.model import digest
from mcp_migrate.settings.manifest import digest_of, tool_files

_MOST_FILES, _MOST_BYTES = 500, 4 * 2**20


@dataclass(frozen=True, slots=True)
class Source:
    """The files of a folder by their way from it, and one digest over all of them."""

    files: Mapping[str, bytes]
    digest: str

    @classmethod
    def read(cls, folder: Path) -> Source:
        """Raises: ConfigInvalidError: one cannot be read, is a link, or they are too much."""
        paths = tool_files(folder)
        try:
            if len(paths) > _MOST_FILES or sum(path.stat().st_size for path in paths) > _MOST_BYTES:
                raise ConfigInvalidError(
                    f"{folder} holds more than {_MOST_FILES} files or {_MOST_BYTES // 2**20} MB.",
                    hint="Keep the tool and what it imports in a folder of their own.",
                )
            files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
        except OSError as error:
            raise ConfigInvalidError(f"{folder} cannot be read: {error}.", hint="Correct its rights.") from error
        return cls(files, digest({path: digest_of(data) for path, data in files.items()}))
