"""Which tools are there?

Read from `tool_specs/*.yaml` and from the folders the configuration adds; no tool is declared anywhere else.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from mcp_migrate.errors import ConfigInvalidError, UnknownToolError
from mcp_migrate.model import Effect
from mcp_migrate.settings.manifest import digest_of
from mcp_migrate.tools.source import Source
from mcp_migrate.tools.specs import OURS, ToolSpec, read_spec

if TYPE_CHECKING:
    from typing import Any

    from jsonschema import Draft202012Validator

    from mcp_migrate.leave.alone import Changing
    from mcp_migrate.model import Granted, Prepared
    from mcp_migrate.tools.interface import Handler, Workbench


_PROBLEMS = 100
"""What is wrong with arguments, as far as it is looked for: of a million there would be a million errors in memory."""


@dataclass(frozen=True, slots=True)
class Found:
    """A spec, the file that it was read from, and whether it is the server's own; `source` is what a handler is of."""

    spec: ToolSpec
    file: Path
    ours: bool = False
    source: Source | None = None


class RegisteredTool:
    """A spec and what answers its calls: SQL, the Python of a team in a process of its own, or a handler of ours."""

    def __init__(self, found: Found) -> None:
        self.spec = found.spec
        self.found = found

    @property
    def scope(self) -> str:
        return self.spec.scope

    @property
    def ours(self) -> bool:
        """Whether it comes with the server."""
        return self.found.ours

    @property
    def only_looks(self) -> bool:
        return self.spec.only_looks

    @property
    def plans(self) -> bool:
        """Whoever can say what they expect of a call expects it of a plan."""
        return self.spec.takes_expects

    @property
    def by_people(self) -> bool:
        return False

    @cached_property
    def _handler(self) -> Handler:
        """Only what is the server's own is imported here, and given the workbench."""
        if self.found.ours:
            module, _, name = str(self.spec.handler).partition(":")
            handler: Handler = getattr(importlib.import_module(module), name)()
            return handler
        if self.found.source is not None:
            from mcp_migrate.tools.python_tool import PythonTool

            return PythonTool(self.spec, self.found.source)
        from mcp_migrate.tools.sql_tool import SqlTool

        return SqlTool(self.spec)

    def target_of(self, arguments: Mapping[str, Any], bench: Workbench) -> str | None:
        """The target this call is about: named by the caller, or found by the handler in the ledger."""
        if self.spec.takes_target:
            return str(arguments["target"])
        find = getattr(self._handler, "target_of", None)
        return None if find is None else str(find(arguments, bench))

    def prepare(self, granted: Granted, bench: Workbench) -> Prepared:
        """Ask the handler."""
        return self._handler.prepare(granted, bench)

    @cached_property
    def _validator(self) -> Draft202012Validator:
        from jsonschema import Draft202012Validator

        return Draft202012Validator(self.spec.input_schema)

    def check_arguments(self, arguments: Mapping[str, Any]) -> None:
        """Hold arguments against the input schema.

        Raises:
            IntentMissingError: there is no usable intent.
            InvalidArgumentsError: anything else does not fit; says where and what was expected.
        """
        if problems := list(islice(self._validator.iter_errors(dict(arguments)), _PROBLEMS)):
            from mcp_migrate.tools.misfits import misfit

            raise misfit(self.spec.name, self.spec.input_schema, problems)


class Registry:
    """The tools of one server, by name. `read` are the files that they were read from, each with its digest then."""

    def __init__(self, found: Iterable[Found], read: Mapping[Path, str] | None = None) -> None:
        self._tools: dict[str, RegisteredTool] = {}
        self.read: Mapping[Path, str] = read or {}
        files: dict[str, Path] = {}
        for each in found:
            name = each.spec.name
            if name in files:
                raise ConfigInvalidError(
                    f"Two tools are named {name!r}: in {files[name]} and in {each.file}.",
                    hint="Rename one; the names of built-in tools are taken.",
                )
            files[name] = each.file
            self._tools[name] = RegisteredTool(each)

    def __iter__(self) -> Iterator[RegisteredTool]:
        return iter(self._tools.values())

    def __contains__(self, name: str) -> bool:
        return name in self._tools

    @property
    def changing(self) -> tuple[Changing, ...]:
        """The tools of teams that may change a target, for whoever asks what one person could do alone."""
        from mcp_migrate.leave.alone import Changing  # a client that lists the tools does not wait for it

        own = (tool.spec for tool in self if not tool.ours and {*tool.spec.effects} - {Effect.READ})
        return tuple(Changing(s.scope, frozenset({s.scope, s.name}), frozenset(s.effects)) for s in own)

    def __getitem__(self, name: str) -> RegisteredTool:
        if name not in self._tools:
            near = difflib.get_close_matches(name, self._tools, n=1)
            raise UnknownToolError(
                f"There is no tool named {name[:80]!r}.",
                hint=f"Did you mean {near[0]}?" if near else "Call tools/list to see the tools.",
            )
        return self._tools[name]


def builtin_folder() -> Path:
    """Where our own specs lie: inside the wheel, or at the top of a source tree."""
    inside = Path(__file__).parents[1] / "_data" / "tool_specs"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "tool_specs"


def load(folders: Mapping[Path, str | None]) -> Registry:
    """Read every spec of the built-in and the given folders, each with how the names of its tools begin.

    Raises:
        ConfigInvalidError: a folder is missing, or a spec does not hold; says which file and why.
    """
    read: dict[Path, str] = {}
    found = [Found(spec, file, ours=True) for file, spec in _specs(builtin_folder(), read)]
    for folder, namespace in folders.items():
        found += [_own(own_spec(spec, file, namespace), file, read) for file, spec in _specs(folder, read)]
    return Registry(found, read)


def _own(spec: ToolSpec, file: Path, read: dict[Path, str]) -> Found:
    """A team's tool. Its Python is read with its spec: what somebody vouches for is what was read, and that runs."""
    if not spec.is_python:
        return Found(spec, file)
    source = Source.read(file.parent)
    for path, data in source.files.items():
        read.setdefault(file.parent / path, digest_of(data))
    return Found(spec, file, source=source)


def own_spec(spec: ToolSpec, file: Path, namespace: str | None = None) -> ToolSpec:
    """A team's spec. Raises: ConfigInvalidError: it, or its handler, is not where its name says."""
    handler, folder = spec.handler, file.parent.resolve().name
    if handler is not None and (handler.startswith(OURS) or not handler.startswith(f"{folder}.")):
        named = f"Name it from there, as {folder}.module:Class."
        raise ConfigInvalidError(
            f"The handler {handler} of {file} does not lie in the spec's own folder.",
            hint=named if folder.isidentifier() else f"Name the folder {folder} as a package of Python can be.",
        )
    if namespace is not None and not spec.name.startswith(f"{namespace}_"):
        raise ConfigInvalidError(
            f"The tool {spec.name} in {file} is of the package {namespace}, and its name does not say so.",
            hint=f"Name it {namespace}_{spec.name}.",
        )
    return spec


def _specs(folder: Path, read: dict[Path, str]) -> Iterator[tuple[Path, ToolSpec]]:
    if not folder.is_dir():
        raise ConfigInvalidError(
            f"The folder of tool specs {folder} does not exist.", hint="Create it or correct tool_specs."
        )
    for file in sorted(folder.glob("*.yaml")):
        yield file, read_spec(file, read)
