"""What does a YAML file say, and where does each key stand?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcp_migrate.errors import ConfigInvalidError
from mcp_migrate.settings.problems import Key, Position, Problem, invalid

if TYPE_CHECKING:
    import yaml


def read_yaml(path: Path) -> tuple[dict[str, Any], dict[Key, Position], bytes]:
    """The mapping in the file, the position of each key, and the bytes that say so.

    Raises:
        ConfigInvalidError: it cannot be read, is no YAML, no mapping, or has a key twice.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        data = path.read_bytes()
        text = data.decode("utf-8")
        node = yaml.compose(text, Loader=loader)
        value = yaml.load(text, Loader=loader)  # noqa: S506  both are safe loaders
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigInvalidError(f"{path} cannot be read: {error}.", hint="Correct the path or its rights.") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        at = Position(mark.line + 1, mark.column + 1) if mark else Position(1, 1)
        problem = Problem((), f"no YAML: {getattr(error, 'problem', error)}.")
        raise invalid(path, [problem], {(): at}) from error
    positions: dict[Key, Position] = {}
    twice: list[Problem] = []
    if node is not None:
        _walk(node, (), positions, twice)
    if not isinstance(value, dict):
        raise invalid(path, [Problem((), "a mapping of keys is expected.")], positions)
    if twice:
        raise invalid(path, twice, positions)
    return value, positions, data


def _walk(node: yaml.Node, key: Key, positions: dict[Key, Position], twice: list[Problem]) -> None:
    import yaml

    positions.setdefault(key, Position(node.start_mark.line + 1, node.start_mark.column + 1))
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for name, value in node.value:
            child = (*key, str(name.value))
            if name.value in seen:
                twice.append(Problem(child, "this key stands here twice.", "Remove one."))
            seen.add(name.value)
            positions[child] = Position(name.start_mark.line + 1, name.start_mark.column + 1)
            _walk(value, child, positions, twice)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _walk(item, (*key, index), positions, twice)
