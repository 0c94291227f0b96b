"""How does a secret reach us without standing in the configuration? As a reference that is resolved late."""

from __future__ import annotations

import configparser
import os
import re
from functools import lru_cache
from pathlib import Path

from mcp_migrate.errors import CredentialFailedError

REFERENCE = re.compile(r"\$\{(env|file|ini):([^${}]+)\}")
AS_REFERENCE = "Write ${env:NAME} or ${file:PATH}."


def resolve(raw: str, *, ini: Path | None = None, section: str = "alembic") -> str:
    """Replace each reference in `raw` by what it names; ``${ini:…}`` is of that file and section, and none without.

    Raises:
        CredentialFailedError: one names nothing; says which, never a value.
    """
    return REFERENCE.sub(lambda match: _value(match[1], match[2], ini, section), raw)


def is_reference(text: str) -> bool:
    """Whether a secret is all of it, and lies outside of the configuration and of the project."""
    return REFERENCE.fullmatch(text) is not None and not text.startswith("${ini:")


def _value(kind: str, name: str, ini: Path | None, section: str) -> str:
    if kind == "env":
        if name not in os.environ:
            raise _nothing(f"${{env:{name}}}", "set that environment variable for the server")
        return os.environ[name]
    if kind == "file":
        try:
            return Path(name).read_text().removesuffix("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise _nothing(f"${{file:{name}}}", "make that file readable for the server") from error
    if ini is None:
        raise _nothing(f"${{ini:{name}}}", "write ${env:NAME} or ${file:PATH}: only a target's url has an alembic.ini")
    return _ini(name, ini, section)


def _ini(name: str, ini: Path, section: str) -> str:
    try:
        return _parsed(ini.read_text(), str(ini.parent)).get(section, name)
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        raise _nothing(f"${{ini:{name}}}", f"set {name} under [{section}] in {ini}") from error


@lru_cache(maxsize=16)
def _parsed(text: str, here: str) -> configparser.ConfigParser:
    """Read with each call, parsed when it is another text."""
    parser = configparser.ConfigParser({"here": here})
    parser.read_string(text)
    return parser


def _nothing(reference: str, hint: str) -> CredentialFailedError:
    return CredentialFailedError(f"The reference {reference} names nothing.", hint=f"Please {hint}.")
