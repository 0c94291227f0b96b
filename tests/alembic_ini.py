"""The `alembic.ini` of a history that is a public application's own: it logs nothing, wherever Alembic would."""

from __future__ import annotations

from pathlib import Path

_QUIET = """[loggers]
keys = root
[handlers]
keys =
[formatters]
keys =
[logger_root]
level = WARN
handlers =
"""


def alembic_ini(location: Path | str, url: str, *, more: str = "") -> str:
    """Its text, with `more` options of Alembic on lines of their own."""
    address = url.replace("%", "%%")
    return f"[alembic]\nscript_location = {location}\nsqlalchemy.url = {address}\n{more}\n{_QUIET}"
