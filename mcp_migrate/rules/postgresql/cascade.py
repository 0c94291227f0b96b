"""What else goes by CASCADE? Views whose text shows it are named; the rest only the server knows."""

from __future__ import annotations

from mcp_migrate.rules.context import Context
from mcp_migrate.rules.postgresql.parser import parse
from mcp_migrate.rules.postgresql.reading import Reading

_VIEWS = frozenset({"view", "materialized view", "materialized_view"})


def readers(name: str, context: Context) -> tuple[str, ...]:
    """The views that read ``schema.table``, also by way of others, as far as the text of the schema shows it."""
    others = context.schema.others if context.schema else ()
    views = [other for other in others if other.kind in _VIEWS]
    reached: dict[str, None] = {}
    todo = [name]
    while todo:
        target = todo.pop()
        bare = target.rpartition(".")[2]
        for view in views:
            new = view.qualified not in {*reached, name}
            if new and bare in view.definition and target in _relations(view.definition, context):
                reached[view.qualified] = None
                todo.append(view.qualified)
    return tuple(reached)


def _relations(text: str, context: Context) -> list[str]:
    parsed = parse(text)
    return [] if isinstance(parsed, str) else Reading.of(parsed.node, context).relations


def words_of(dependants: tuple[str, ...]) -> str:
    """The end of a sentence: what goes too."""
    if not dependants:
        return ", and by CASCADE whatever depends on it"
    return f", and by CASCADE {', '.join(dependants)} and whatever else depends on it"
