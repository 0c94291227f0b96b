"""Which tools are there?

Read from `tool_specs/*.yaml` and from the folders the configuration adds; no tool is declared anywhere else.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from mcp_migrate.errors import ConfigInvalidError, IntentMissingError, InvalidArgumentsError, UnknownToolError
from mcp_migrate.model import Effect, Granted, Prepared, digest
from mcp_migrate.settings.manifest import digest_of
from mcp_migrate.tools.interface import Handler, Workbench

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

INTENT = {"type": "string", "minLength": 8, "maxLength": 500, "description": "Why you make this call."}
TICKET = {"type": "string", "minLength": 1, "maxLength": 200}
TARGET = {"type": "string", "minLength": 1, "maxLength": 100}
EXPECTS = {
    "type": "object",
    "description": "What you believe will happen; more than this is refused.",
    "properties": {
        "effects": {"type": "array", "items": {"enum": [str(effect) for effect in Effect]}},
        "objects": {"type": "array", "items": {"type": "string"}, "description": "Globs on schema.table."},
        "max_rows": {"type": "integer", "minimum": 0},
    },
    "additionalProperties": False,
}


OUTCOME = {
    "type": "object",
    "properties": {"call_id": {"type": "string"}, "status": {"type": "string"}, "next": {"type": "object"}},
}
"""What a tool answers that does not say so."""


def _as_list(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Texts = Annotated[tuple[str, ...], BeforeValidator(_as_list)]
"""One statement, or several."""


class Annotations(BaseModel):
    """True hints for clients."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    read_only: bool
    destructive: bool
    idempotent: bool
    open_world: bool = False


class ToolSpec(BaseModel):
    """One YAML file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{2,63}$")
    title: str = Field(max_length=80)
    description: str = Field(min_length=20, max_length=1000)
    scope: str = ""
    effects: tuple[Effect, ...] = (Effect.READ,)
    takes_target: bool = True
    takes_expects: bool = False
    waits: bool = False
    only_looks: bool = False
    parameters: dict[str, Any] = Field(default_factory=lambda: {"type": "object", "properties": {}})
    output: dict[str, Any] = OUTCOME
    annotations: Annotations = Annotations(read_only=False, destructive=True, idempotent=False)
    handler: str | None = Field(None, pattern=r"^[a-zA-Z_][\w.]*:[A-Za-z_]\w*$")
    sql: Texts = ()
    check: Texts = ()
    rollback: Texts | None = None
    dialects: tuple[Literal["postgresql", "sqlite", "mysql", "mariadb"], ...] = ()
    examples: tuple[dict[str, Any], ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _takes_expectations(cls, value: Any) -> Any:
        return {"takes_expects": True, **value} if isinstance(value, dict) and value.get("sql") else value

    @field_validator("title", "description")
    @classmethod
    def _can_be_seen(cls, text: str) -> str:
        if hidden := next((letter for letter in text if not letter.isprintable() and letter != "\n"), None):
            raise ValueError(f"it holds a character that nobody sees: {hidden!a}")
        return text

    @model_validator(mode="after")
    def _one_way_to_work(self) -> ToolSpec:
        if bool(self.sql) == bool(self.handler):
            raise ValueError("a tool has either `sql` or a `handler`")
        if self.sql:
            from mcp_migrate.tools.sql_spec import hold

            hold(self)
        elif self.check or self.rollback is not None or self.dialects:
            raise ValueError("`check`, `rollback` and `dialects` go with `sql`")
        return self

    @model_validator(mode="after")
    def _what_is_ours_stays_as_it_is(self) -> ToolSpec:
        ours = {"intent": True, "ticket": True, "target": self.takes_target, "expects": self.takes_expects}
        if taken := sorted(name for name in self.parameters.get("properties", {}) if ours.get(name)):
            raise ValueError(f"every tool has {', '.join(taken)} as the server says; name your parameter otherwise")
        return self

    @model_validator(mode="after")
    def _only_reading_only_looks(self) -> ToolSpec:
        if self.only_looks and (not self.annotations.read_only or {*self.effects} != {Effect.READ}):
            raise ValueError("`only_looks` is for a tool that is read_only and has no effect but `read`")
        return self

    @model_validator(mode="after")
    def _scope_is_the_name(self) -> ToolSpec:
        return self if self.scope else self.model_copy(update={"scope": self.name})

    @property
    def digest(self) -> str:
        """Over everything that the file says: an approval of a call is one of this tool and of no other."""
        return digest(self.model_dump(mode="json"))

    @cached_property
    def input_schema(self) -> dict[str, Any]:
        """The parameters with what every tool takes: intent, ticket and, where it touches one, target."""
        added: dict[str, Any] = {"intent": INTENT, "ticket": TICKET}
        required = ["intent", *self.parameters.get("required", [])]
        if self.takes_target:
            added["target"] = TARGET
            required.insert(1, "target")
        if self.takes_expects:
            added["expects"] = EXPECTS
        return {
            **self.parameters,
            "type": "object",
            "properties": {**added, **self.parameters.get("properties", {})},
            "required": required,
            "additionalProperties": False,
        }


class RegisteredTool:
    """A spec and its handler, which is imported when it is first called."""

    def __init__(self, spec: ToolSpec) -> None:
        self.spec = spec

    @property
    def scope(self) -> str:
        return self.spec.scope

    @property
    def only_looks(self) -> bool:
        return self.spec.only_looks

    @property
    def plans(self) -> bool:
        """Whoever can say what they expect of a call expects it of a plan."""
        return self.spec.takes_expects

    @cached_property
    def _handler(self) -> Handler:
        if self.spec.handler is None:
            from mcp_migrate.tools.sql_tool import SqlTool

            return SqlTool(self.spec)
        module, _, name = self.spec.handler.partition(":")
        handler: Handler = getattr(importlib.import_module(module), name)()
        return handler

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
        problems = list(self._validator.iter_errors(dict(arguments)))
        if not problems:
            return
        for problem in problems:
            if list(problem.path) == ["intent"] or "'intent' is a required" in problem.message:
                raise IntentMissingError(
                    f"{self.spec.name} needs an intent of 8 to 500 characters.",
                    hint="Say in `intent` why you make this call.",
                )
        first = problems[0]
        where = "/".join(map(str, first.path)) or "the arguments"
        raise InvalidArgumentsError(
            f"{self.spec.name} cannot take these arguments: {where}: {first.message[:300]}.",
            hint="Call it again with arguments that fit its input schema.",
            problems=[problem.message[:300] for problem in problems[:10]],
        )


class Registry:
    """The tools of one server, by name. `read` are the files that they were read from, each with its digest then."""

    def __init__(self, specs: Iterable[ToolSpec], read: Mapping[Path, str] | None = None) -> None:
        self._tools: dict[str, RegisteredTool] = {}
        self.read: Mapping[Path, str] = read or {}
        for spec in specs:
            if spec.name in self._tools:
                raise ConfigInvalidError(
                    f"Two tool specs are named {spec.name!r}.", hint="Rename one; built-in names are taken."
                )
            self._tools[spec.name] = RegisteredTool(spec)

    def __iter__(self) -> Iterator[RegisteredTool]:
        return iter(self._tools.values())

    def __contains__(self, name: str) -> bool:
        return name in self._tools

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


def load(folders: Iterable[Path]) -> Registry:
    """Read every spec of the built-in and the given folders.

    Raises:
        ConfigInvalidError: a folder is missing, or a spec does not hold; says which file and why.
    """
    specs: list[ToolSpec] = []
    read: dict[Path, str] = {}
    for folder in (builtin_folder(), *folders):
        if not folder.is_dir():
            raise ConfigInvalidError(
                f"The folder of tool specs {folder} does not exist.", hint="Create it or correct tool_specs."
            )
        specs += [read_spec(path, read) for path in sorted(folder.glob("*.yaml"))]
    return Registry(specs, read)


def read_spec(path: Path, read: dict[Path, str] | None = None) -> ToolSpec:
    """Read one spec; `read` is told the digest of what was read.

    Raises:
        ConfigInvalidError: it is no YAML, or not a tool spec we can govern.
    """
    import yaml

    try:
        data = path.read_bytes()
        if read is not None:
            read[path] = digest_of(data)
        value = yaml.load(data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  safe, in C where it is built
        return ToolSpec.model_validate(value)
    except (OSError, yaml.YAMLError) as error:
        raise ConfigInvalidError(f"The tool spec {path} cannot be read: {error}.", hint="Correct it.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise ConfigInvalidError(
            f"The tool spec {path} is not valid: {where}: {first['msg']}.",
            hint="See the tool specs section of docs/interface.md.",
        ) from error
