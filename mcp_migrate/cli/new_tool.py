"""What does a new tool begin as? A spec, and where it is in Python a handler and a test of it, all to be changed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from mcp_migrate.errors import ConfigInvalidError
from mcp_migrate.tools.specs import NAME, read_spec

_SPEC = """\
# A tool of your own: docs/own-tools.md. Try it with `mcp-migrate tools check {name}.yaml [--target NAME]`.
name: {name}
title: {title}
description: Says in one or two sentences what it does, for people and models.
effects: [data, destructive]   # its statements may have no others
parameters:
  type: object
  properties:
    email: {{type: string}}
  required: [email]
{work}examples:                      # what `tools check` tries
  - {{email: ada@example.com}}
"""

_SQL = """\
# Values are bound, names are quoted: {email}, {table:table}, {column:identifier}.
sql: UPDATE customers SET fax = NULL WHERE email = {email}
# check: SELECT 1 FROM customers WHERE email = ''   # returns no rows before and after, or nothing is done
rollback: []                   # what else takes it back; rows that it loses come back by themselves
"""

_PYTHON = """\
handler: {folder}.{name}:{kind}
# deadline: 60                 # seconds that the handler has for itself
"""

_HANDLER = '''\
"""{title}."""

from __future__ import annotations

from mcp_migrate.handlers import Answer, Arguments, Declaration, Executing, Handler, Preparing, Statement


class Given(Arguments):
    """As in `parameters` of the spec."""

    email: str


class {kind}(Handler[Given]):
    """It runs in a process of its own, and asks for everything through its context: docs/own-tools.md."""

    def prepare(self, context: Preparing, arguments: Given) -> Declaration | Answer:
        """Look, and declare what would be done."""
        values = {{"email": arguments.email}}
        found = context.read("SELECT id FROM customers WHERE email = {{email}} AND fax IS NOT NULL", values)
        if not found:
            return Answer(result={{"customers": 0}})
        forget = "UPDATE customers SET fax = NULL WHERE id = {{id}}"
        statements = tuple(Statement(sql=forget, values={{"id": row["id"]}}) for row in found)
        return Declaration(statements=statements, rollback=(), summary="forgets a fax number")

    def execute(self, context: Executing, arguments: Given) -> None:
        """Send what was declared; without this method it is sent as it stands."""
        for done, statement in enumerate(context.statements):
            context.progress(done, len(context.statements), "forgetting")
            context.execute(statement)
'''

_TEST = '''\
"""Does {name} declare what it should? Run with pytest in this folder; no database is needed."""

from __future__ import annotations

from {name} import Given, {kind}

from mcp_migrate.handlers import Answer, Declaration, Preparing


def said_about(*rows: dict[str, int]) -> Declaration | Answer:
    """What it says when its reads find these rows."""
    context = Preparing(lambda _what, **_about: list(rows), target="test", dialect="postgresql")
    return {kind}().prepare(context, Given(email="ada@example.com"))


def test_it_changes_the_rows_that_it_found() -> None:
    said = said_about({{"id": 7}})
    assert isinstance(said, Declaration)
    assert [statement.values for statement in said.statements] == [{{"id": 7}}]


def test_it_changes_nothing_where_there_is_nothing() -> None:
    assert isinstance(said_about(), Answer)
'''


def write(name: str, folder: Path, *, python: bool) -> Sequence[Path]:
    """The files that were written, the spec first.

    Raises:
        ConfigInvalidError: one is there already, or there can be no tool of this name here.
    """
    if not re.fullmatch(NAME, name):
        raise ConfigInvalidError(
            f"No tool can be named {name[:80]!r}.", hint="Small letters, digits and underscores, as forget_fax."
        )
    texts = _texts(name, folder, python=python)
    written: list[Path] = []
    try:
        for file, text in texts.items():
            with (folder / file).open("x", encoding="utf-8") as opened:
                written.append(folder / file)
                opened.write(text)
        read_spec(written[0])
    except FileExistsError as error:
        _take_back(written)
        raise ConfigInvalidError(f"{error.filename} is there already.", hint="Choose another name.") from error
    except ConfigInvalidError:
        _take_back(written)
        raise
    return written


def _texts(name: str, folder: Path, *, python: bool) -> dict[str, str]:
    title, kind = name.replace("_", " ").capitalize(), "".join(part.capitalize() for part in name.split("_"))
    if not python:
        return {f"{name}.yaml": _SPEC.format(name=name, title=title, work=_SQL)}
    work = _PYTHON.format(name=name, folder=folder.resolve().name, kind=kind)
    return {
        f"{name}.yaml": _SPEC.format(name=name, title=title, work=work),
        f"{name}.py": _HANDLER.format(title=title, kind=kind),
        f"test_{name}.py": _TEST.format(name=name, kind=kind),
    }


def _take_back(written: Sequence[Path]) -> None:
    for file in written:
        with suppress(OSError):
            file.unlink()
