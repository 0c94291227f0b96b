"""Do the pages of the reference say what the code says, and all of it?"""

from __future__ import annotations

import pytest
import typer.main

from mcp_migrate.cli.app import app
from mcp_migrate.errors import Action
from mcp_migrate.ledger import Kind
from mcp_migrate.settings import json_schema
from tests.reference import commands, options, refusals
from tests.reference.pages import FOLDER, PAGES
from tests.reference.table import meanings


@pytest.mark.proves("pages-complete")
@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_the_reference_is_what_the_code_says(name: str) -> None:
    assert (FOLDER / name).read_text() == PAGES[name](), "run `python -m tests.reference.pages`"


def test_each_option_of_the_configuration_says_what_it_means() -> None:
    schema = json_schema()
    silent = [
        f"{part}.{key}"
        for part, said in {"": schema, **schema["$defs"]}.items()
        for key, value in said.get("properties", {}).items()
        if key != "kind" and not options.meaning(value, schema)
    ]
    assert not silent


def test_each_command_and_each_of_its_options_says_what_it_means() -> None:
    found = commands.every(typer.main.get_command(app), "mcp-migrate")
    silent = [
        f"{name} {parameter.name}"
        for name, command in found
        for parameter in (command, *command.params)
        if not parameter.help
    ]
    assert not silent


def test_each_kind_of_entry_says_what_it_means() -> None:
    assert set(meanings(Kind)) == set(Kind)


def test_each_code_and_each_next_step_says_what_it_means() -> None:
    assert set(meanings(Action)) == set(Action)
    assert [kind.code for kind in refusals.every() if not kind.__dict__.get("__doc__")] == []
