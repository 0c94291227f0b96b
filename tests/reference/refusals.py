"""Which codes of refusals and failures are there, and what is the next step with each?"""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from mcp_migrate import errors
from mcp_migrate.errors import Action, MigrateError
from tests.reference.table import code, meanings, table

_HEAD = """# Codes and next steps

Whatever is refused or fails has a code that stays, and says in `next.action` whose it is to do something about, in
`next.hint` what. Here stands the step that mostly comes next with a code; an answer may name another where it knows
better. More on each code is on the page about [errors](../errors.md). Made from the code by
`python -m tests.reference.pages`.

"""


def every() -> Iterator[type[MigrateError]]:
    """By their codes."""
    kinds = (kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, MigrateError))
    yield from sorted((kind for kind in kinds if kind is not MigrateError), key=lambda kind: kind.code)


def page() -> str:
    """The whole page."""
    steps = meanings(Action)
    actions = table(("`next.action`", "what it asks for"), ((code(each.value), steps[each]) for each in Action))
    rows = (
        (f"[{code(kind.code)}](../errors.md#{kind.code})", inspect.getdoc(kind) or "", code(kind.action))
        for kind in every()
    )
    return f"{_HEAD}{actions}\n{table(('code', 'what it means', 'next'), rows)}"
