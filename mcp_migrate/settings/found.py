"""What does the folder of an Alembic project already say, so that nobody has to be asked?"""

from __future__ import annotations

import ast
import configparser
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mcp_migrate.errors import ConfigInvalidError
from mcp_migrate.model import Tier
from mcp_migrate.settings.found_models import candidates, named_by

_TEMPLATE = re.compile(r"driver://user:pass@")
"""What Alembic writes into a new `alembic.ini`: it names no database."""
_NAMES_A_DATABASE = re.compile(r"(URL|URI|DSN)$", re.IGNORECASE)
_TIERS = {"prod": Tier.PRODUCTION, "live": Tier.PRODUCTION, "stag": Tier.STAGING}
"""How names of databases begin that agents shall not reach as they reach a developer's."""
_MAIN = "alembic"


@dataclass(frozen=True, slots=True)
class Named:
    """One database of a project, which becomes a target. `url` is a reference; `guessed`: nothing there named it.

    `section` is the one of alembic.ini, `database` one of several that a project is written for.
    """

    name: str
    url: str
    guessed: bool
    tier: Tier = Tier.DEVELOPMENT
    section: str = _MAIN
    database: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """One project, by its alembic.ini or, where there is none, its pyproject.toml.

    `reads` are the environment variables that `env.py` reads, in its order. `models` are those that it could mean where
    it names no metadata; None where it names one. `mysql` says that a URL there is of MySQL or MariaDB.
    """

    ini: Path
    databases: tuple[Named, ...]
    reads: tuple[str, ...]
    models: tuple[str, ...] | None = None
    mysql: bool = False


def look(folder: Path) -> Found:
    """The project in `folder`.

    Raises:
        ConfigInvalidError: there is none, or its files cannot be read.
    """
    ini, toml = folder / "alembic.ini", folder / "pyproject.toml"
    sections = _sections(ini) if ini.is_file() else {}
    main = {**_of_toml(toml), **sections.get(_MAIN, {})}
    others = {name: said for name, said in sections.items() if name != _MAIN and said.get("script_location")}
    projects = ({_MAIN: main} if main.get("script_location") else {}) | others
    if not projects:
        raise ConfigInvalidError(
            f"Neither an alembic.ini nor a pyproject.toml in {folder} describes an Alembic project.",
            hint="Start in the folder of an Alembic project, where `alembic current` works.",
        )
    reads = {name: tuple(dict.fromkeys(_read_by(_env_py(folder, said)))) for name, said in projects.items()}
    databases = [each for name, said in projects.items() for each in _databases(name, said, sections, reads[name])]
    several = len(databases) > 1
    named = tuple(each if several else _renamed(each) for each in databases)
    every = tuple(dict.fromkeys(name for names in reads.values() for name in names))
    return Found(
        ini if ini.is_file() else toml, named, every, _models(folder, projects), _is_mysql({**sections, **projects})
    )


def _is_mysql(sections: Mapping[str, Mapping[str, str]]) -> bool:
    return any(said.get("sqlalchemy.url", "").startswith(("mysql", "mariadb")) for said in sections.values())


def _models(folder: Path, projects: Mapping[str, Mapping[str, str]]) -> tuple[str, ...] | None:
    """Of a project with one `env.py`: that of several names its own."""
    envs = {_env_py(folder, said) for said in projects.values()}
    silent = [env for env in envs if not named_by(env)]
    return candidates(folder, but=silent[0].parent) if len(envs) == len(silent) == 1 else None


def _databases(
    section: str, said: Mapping[str, str], sections: Mapping[str, Mapping[str, str]], reads: tuple[str, ...]
) -> Iterator[Named]:
    """Those of one section: itself, or each that its `databases` names, as Alembic's template for several has it."""
    several = re.split(r"[,\s]+", said.get("databases", "").strip()) if said.get("databases") else []
    for name in several:
        yield _named(name, sections.get(name, {}), reads, section, name)
    if not several:
        yield _named(section, said, reads, section, None)


def _named(name: str, said: Mapping[str, str], reads: tuple[str, ...], section: str, database: str | None) -> Named:
    tier = next((tier for start, tier in _TIERS.items() if name.lower().startswith(start)), Tier.DEVELOPMENT)
    # what opens production is the key of a broker and of nobody else: no file of the project has it
    url, guessed = _url({} if tier is Tier.PRODUCTION else said, reads, name)
    return Named(name, url, guessed, tier, section, database)


def _renamed(only: Named) -> Named:
    """The one database of a project is called by its tier."""
    return replace(only, name=only.tier.value)


def _url(said: Mapping[str, str], reads: tuple[str, ...], name: str) -> tuple[str, bool]:
    """A reference to what names the database, and whether that is only a guess."""
    written = said.get("sqlalchemy.url", "")
    if written and not _TEMPLATE.match(written):
        return "${ini:sqlalchemy.url}", False
    asked = [variable for variable in reads if _NAMES_A_DATABASE.search(variable)]
    if name == _MAIN:
        return f"${{env:{asked[0] if asked else 'DATABASE_URL'}}}", not asked
    own = next((variable for variable in asked if name.lower() in variable.lower()), None)
    return f"${{env:{own or _variable(name)}}}", own is None


def _variable(name: str) -> str:
    return re.sub(r"\W", "_", name).upper() + "_DATABASE_URL"


def _sections(ini: Path) -> dict[str, dict[str, str]]:
    """Each section that says something itself; what stands under [DEFAULT] is said in none of them."""
    parser = configparser.ConfigParser(interpolation=None, default_section="DEFAULT")
    try:
        parser.read_string(ini.read_text(encoding="utf-8"))
        inherited = parser.defaults()
        return {
            name: {key: value for key, value in parser[name].items() if inherited.get(key) != value or name == _MAIN}
            for name in parser.sections()
        }
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        raise ConfigInvalidError(
            f"{ini} cannot be read: {error}.", hint="Correct it; `alembic current` has to work there."
        ) from error


def _of_toml(toml: Path) -> dict[str, str]:
    """What [tool.alembic] says; a list is no value that is looked at here."""
    try:
        found: Any = tomllib.loads(toml.read_text(encoding="utf-8")) if toml.is_file() else {}
    except (OSError, ValueError) as error:
        raise ConfigInvalidError(f"{toml} cannot be read: {error}.", hint="Correct it.") from error
    said = found.get("tool", {}).get("alembic", {})
    return {key: value for key, value in said.items() if isinstance(value, str)}


def _env_py(folder: Path, said: Mapping[str, str]) -> Path:
    return folder / said.get("script_location", "").replace("%(here)s", str(folder)) / "env.py"


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
