"""What does the folder of an Alembic project already say, so that nobody has to be asked?"""

from __future__ import annotations

import ast
import configparser
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mcp_migrate.errors import ConfigInvalidError

_TEMPLATE = re.compile(r"driver://user:pass@")
"""What Alembic writes into a new `alembic.ini`: it names no database."""
_NAMES_A_DATABASE = re.compile(r"(URL|URI|DSN)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Found:
    """One project. `url` is a reference; `guessed` says that nothing in the project named it.

    `reads` are the environment variables that `env.py` reads, in its order.
    """

    ini: Path
    url: str
    guessed: bool
    reads: tuple[str, ...]


def look(folder: Path) -> Found:
    """The project in `folder`.

    Raises:
        ConfigInvalidError: there is none, or its alembic.ini cannot be read.
    """
    ini = folder / "alembic.ini"
    if not ini.is_file():
        pyproject = folder / "pyproject.toml"
        known = pyproject.is_file() and "[tool.alembic]" in pyproject.read_text(encoding="utf-8", errors="replace")
        hint = "Beside [tool.alembic] an alembic.ini has to say where the database is." if known else ""
        raise ConfigInvalidError(
            f"There is no alembic.ini in {folder}.", hint=hint or "Start in the folder of an Alembic project."
        )
    section = _section(ini)
    reads = tuple(dict.fromkeys(_read_by(_env_py(ini, section))))
    written = section.get("sqlalchemy.url", "")
    if written and not _TEMPLATE.match(written):
        return Found(ini, "${ini:sqlalchemy.url}", guessed=False, reads=reads)
    named = next((name for name in reads if _NAMES_A_DATABASE.search(name)), None)
    return Found(ini, f"${{env:{named or 'DATABASE_URL'}}}", guessed=named is None, reads=reads)


def _section(ini: Path) -> dict[str, str]:
    parser = configparser.ConfigParser({"here": str(ini.parent)}, interpolation=None)
    try:
        parser.read_string(ini.read_text(encoding="utf-8"))
        return dict(parser["alembic"])
    except (OSError, UnicodeDecodeError, configparser.Error, KeyError) as error:
        raise ConfigInvalidError(
            f"{ini} cannot be read: {error}.", hint="Correct it; `alembic current` has to work there."
        ) from error


def _env_py(ini: Path, section: dict[str, str]) -> Path:
    place = section.get("script_location", "").replace("%(here)s", str(ini.parent))
    return ini.parent / place / "env.py"


def _read_by(env: Path) -> Iterator[str]:
    """The names in ``os.environ["NAME"]``, ``os.environ.get("NAME")`` and ``os.getenv("NAME")``."""
    try:
        tree = ast.parse(env.read_bytes())
    except (OSError, SyntaxError, ValueError):  # that is for `doctor`, which runs it
        return
    for node in ast.walk(tree):
        asked: ast.expr | None = None
        if isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("environ"):
            asked = node.slice
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("environ.get", "getenv")) and node.args:
            asked = node.args[0]
        if isinstance(asked, ast.Constant) and isinstance(asked.value, str):
            yield asked.value
