"""Has this interpreter what the recording needs, in versions that it was tried with?"""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from importlib.util import find_spec

from mcp_migrate.migrations.child.failures import RefusedError

_LOWEST = {"sqlalchemy": (1, 4, 24), "alembic": (1, 12)}
_HIGHEST = {"sqlalchemy": 2, "alembic": 1}
_NAMES = {"sqlalchemy": "SQLAlchemy", "alembic": "Alembic"}
_SINCE_PSYCOPG_3 = (2,)


def required() -> Mapping[str, str]:
    """The versions of SQLAlchemy and Alembic. Raises: RefusedError."""
    return {name: _required(name) for name in _LOWEST}


def psycopg_driver() -> str:
    """The SQLAlchemy driver that PostgreSQL is recorded through. Raises: RefusedError: there is none."""
    import sqlalchemy

    if find_spec("psycopg") and _numbers(sqlalchemy.__version__) >= _SINCE_PSYCOPG_3:
        return "postgresql+psycopg"
    if find_spec("psycopg2"):
        return "postgresql+psycopg2"
    raise RefusedError("the interpreter has neither psycopg nor psycopg2, through one of which PostgreSQL is recorded")


def require_driver(backend: str) -> None:
    """Raises: RefusedError: there is none that we record this database through."""
    if backend == "postgresql":
        psycopg_driver()
    elif backend in {"mysql", "mariadb"} and not find_spec("pymysql"):
        raise RefusedError("the interpreter has no pymysql, through which MySQL and MariaDB are recorded")


def _required(name: str) -> str:
    lowest, highest = ".".join(map(str, _LOWEST[name])), _HIGHEST[name]
    wanted = f"{_NAMES[name]} {lowest} or newer, below {highest + 1}, is needed"
    try:
        found = str(importlib.import_module(name).__version__)
    except ImportError as error:
        raise RefusedError(f"the interpreter has no {_NAMES[name]} ({error}); {wanted}") from error
    numbers = _numbers(found)
    if numbers < _LOWEST[name] or numbers[0] > highest:
        raise RefusedError(f"the interpreter has {_NAMES[name]} {found}; {wanted}")
    return found


def _numbers(version: str) -> tuple[int, ...]:
    """The numbers a version begins with; what comes before a release (``2.1.0b1``) counts as the release."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(map(int, found[0].split("."))) if found else ()
