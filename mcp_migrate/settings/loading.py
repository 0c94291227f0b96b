"""Where is the configuration, and does it hold? Everything that is wrong with a file is said at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from mcp_migrate.errors import ConfigInvalidError
from mcp_migrate.model import Effect
from mcp_migrate.settings.anchoring import placed_checkpoints, placed_url
from mcp_migrate.settings.checks import check
from mcp_migrate.settings.manifest import digest_of
from mcp_migrate.settings.model import Settings
from mcp_migrate.settings.problems import Key, Problem, invalid, nearest
from mcp_migrate.settings.target import Target
from mcp_migrate.settings.workflow import Workflow
from mcp_migrate.settings.yaml_file import read_yaml

FILE_NAME = "mcp-migrate.yaml"
VARIABLE = "MCP_MIGRATE_CONFIG"


def find(explicit: Path | None, environ: Mapping[str, str], folder: Path) -> Path | None:
    """The file that was named, the one of the environment, or the first from `folder` upwards.

    Raises:
        ConfigInvalidError: a file that was named is not there.
    """
    named = explicit or (Path(environ[VARIABLE]) if environ.get(VARIABLE) else None)
    if named is not None:
        if not named.is_file():
            raise ConfigInvalidError(f"There is no file {named}.", hint="Correct --config or MCP_MIGRATE_CONFIG.")
        return named.absolute()
    here = folder.absolute()
    return next((place / FILE_NAME for place in (here, *here.parents) if (place / FILE_NAME).is_file()), None)


def load(
    path: Path,
    *,
    known_tools: Callable[[Mapping[Path, str | None]], Collection[str]],
    known_rules: Callable[[], Mapping[str, frozenset[Effect]]] = dict,
) -> Settings:
    """Read and check one file. `known_tools` gives the names of all tools, those of more spec folders included.

    `known_rules` gives each rule's effects, and is asked only when the file says something about rules.

    Raises:
        ConfigInvalidError: it does not hold; `details["problems"]` lists each with file, line and column.
    """
    value, positions, data = read_yaml(path)
    try:
        settings = Settings.model_validate(value)
    except ValidationError as error:
        problems = [_problem(detail) for detail in error.errors(include_url=False, include_input=False)]
        raise invalid(path, problems, positions) from error
    placed = _placed(settings, path)
    placed._read_as = digest_of(data)  # noqa: SLF001  the one place that knows it
    if problems := list(check(placed, known_tools(placed.tool_folders), known_rules)):
        raise invalid(path, problems, positions)
    return placed


def said_in(path: Path) -> Settings:
    """What a file says, where its grammar holds; its paths are as they stand there.

    Raises:
        ConfigInvalidError: it is no configuration.
    """
    value, positions, _data = read_yaml(path)
    try:
        return Settings.model_validate(value)
    except ValidationError as error:
        raise invalid(path, [Problem((), "its grammar does not hold.")], positions) from error


def _placed(settings: Settings, path: Path) -> Settings:
    """The settings with each relative path made absolute, from the folder of the file."""
    folder = path.absolute().parent
    targets = {
        name: target.model_copy(update=_placed_target(target, folder)) for name, target in settings.targets.items()
    }
    ledger = placed_url(settings.ledger, folder)
    checkpoints = settings.checkpoints and placed_checkpoints(settings.checkpoints, folder)
    specs = tuple(folder / spec for spec in settings.tool_specs)
    freezes = tuple(each.model_copy(update={"file": each.file and folder / each.file}) for each in settings.freezes)
    workflows = {name: _placed_workflow(workflow, folder) for name, workflow in settings.workflows.items()}
    places = {
        "workflows": workflows,
        "freezes": freezes,
        "targets": targets,
        "ledger": ledger,
        "tool_specs": specs,
        "checkpoints": checkpoints,
    }
    placed = settings.model_copy(update=places)
    placed._path = path.absolute()  # noqa: SLF001  the one place that knows it
    return placed


def _placed_workflow(workflow: Workflow, folder: Path) -> Workflow:
    scopes = tuple(
        scope.model_copy(update={"while_": scope.while_.model_copy(update={"file": folder / scope.while_.file})})
        if scope.while_ and scope.while_.file
        else scope
        for scope in workflow.scopes
    )
    return workflow.model_copy(update={"scopes": scopes})


def _problem(detail: Any) -> Problem:
    """One of pydantic's errors in our words."""
    key: Key = tuple(part for part in detail["loc"] if part != "function-before")
    if detail["type"] == "extra_forbidden":
        return Problem(key, "this key is not known.", nearest(str(key[-1]), _keys_at(key[:-1])))
    if detail["type"] == "missing":
        return Problem(key, "this key is missing.", "Add it.")
    message = detail["msg"].removeprefix("Value error, ")
    return Problem(key, f"{message[0].lower()}{message[1:]}.")


def _keys_at(key: Key) -> list[str]:
    """The keys that are known where `key` is."""
    model: Any = Settings
    for part in key:
        if isinstance(part, int) or not isinstance(model, type) or not issubclass(model, BaseModel):
            continue
        names = {field.alias or name: field.annotation for name, field in model.model_fields.items()}
        if part in names:
            model = _model_in(names[part]) or model
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that an annotation like ``dict[str, Target]`` or ``tuple[Scope, ...] | None`` holds."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(inner) for inner in getattr(annotation, "__args__", ()))
    return next((model for model in found if model is not None), None)


def _placed_target(target: Target, folder: Path) -> Mapping[str, Any]:
    readable = tuple(folder / path for path in target.cage.readable)
    return {
        "alembic": folder / target.alembic,
        "python": folder / target.python if target.python else None,
        "cage": target.cage.model_copy(update={"readable": readable}),
    }
