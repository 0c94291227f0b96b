"""What does the file of a tool say, and does it hold?"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from mcp_migrate.errors import ConfigInvalidError
from mcp_migrate.model import Effect, digest
from mcp_migrate.settings.manifest import digest_of

NAME = "[a-z][a-z0-9_]{2,63}"
"""How a tool is named."""
OURS = "mcp_migrate."
"""How the handlers begin that are given the workbench: those of the server itself."""

INTENT = {"type": "string", "minLength": 8, "maxLength": 500, "description": "Why you make this call."}
TICKET = {"type": "string", "minLength": 1, "maxLength": 200}
TARGET = {"type": "string", "minLength": 1, "maxLength": 100}
EXPECTS = {
    "type": "object",
    "description": "What you believe will happen; more than this is refused.",
    "properties": {
        "effects": {"type": "array", "items": {"enum": [str(effect) for effect in Effect]}},
        "objects": {
            "type": "array",
            "items": {"type": "string", "maxLength": 300},
            "maxItems": 500,
            "description": "Globs on schema.table.",
        },
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

    name: str = Field(pattern=f"^{NAME}$")
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
    deadline: int = Field(60, ge=1, le=3_600)
    dialects: tuple[Literal["postgresql", "sqlite", "mysql", "mariadb"], ...] = ()
    examples: tuple[dict[str, Any], ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _of_a_team(cls, value: Any) -> Any:
        """What a team does not have to say: that its tool takes expectations, and changes nothing if it only reads."""
        if not isinstance(value, dict) or str(value.get("handler", "")).startswith(OURS):
            return value
        if value.get("effects", ["read"]) == ["read"]:
            return {"annotations": {"read_only": True, "destructive": False, "idempotent": True}, **value}
        return {"takes_expects": True, **value}

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
        elif self.check or self.rollback is not None:
            raise ValueError("`check` and `rollback` go with `sql`; a handler declares its own way back")
        elif self.is_python and not self.takes_target:
            raise ValueError("a tool in Python takes a target")
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
    def is_python(self) -> bool:
        """Whether it is a team's own, in Python."""
        return self.handler is not None and not self.handler.startswith(OURS)

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
