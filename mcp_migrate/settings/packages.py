"""Where do the tools of an installed package lie? It says so in its entry points; nothing of it is imported."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from mcp_migrate.errors import ConfigInvalidError

GROUP = "mcp_migrate.tools"


@cache
def package_folder(name: str) -> Path:
    """The folder of the package that the entry point `name` names.

    Raises:
        ConfigInvalidError: there is no such entry point, there are two, or it names no package that is installed.
    """
    found = entry_points(group=GROUP, name=name)
    packages = sorted({entry.value for entry in found})
    if len(packages) != 1:
        others = ", ".join(sorted({entry.name for entry in entry_points(group=GROUP)})) or "none"
        known = f"two packages are called so: {', '.join(packages)}" if packages else f"installed are {others}"
        raise ConfigInvalidError(
            f"There is no one package of tools named {name[:80]!r}: {known}.",
            hint=f"Install it for this Python, with an entry point of the group {GROUP}, or correct tool_packages.",
        )
    package = packages[0]
    spec = find_spec(package) if package.isidentifier() else None  # to find a part of a package would import it
    if spec is None or not spec.submodule_search_locations:
        raise ConfigInvalidError(
            f"The tools named {name!r} are said to be in {package}, which is no package at the top of any.",
            hint=f'Let the entry point name the package alone: {name} = "{package.partition(".")[0]}".',
        )
    return Path(next(iter(spec.submodule_search_locations)))
