"""Does a call that was made wrongly hear how it is made rightly?"""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest

from mcp_migrate.errors import InvalidArgumentsError
from mcp_migrate.tools.registry import load

ASKED = {"intent": "See what is said", "target": "shop"}


def refused(tool: str, arguments: dict[str, Any]) -> tuple[str, str]:
    """The sentence, and what to do next."""
    with pytest.raises(InvalidArgumentsError) as error:
        load({})[tool].check_arguments(arguments)
    return error.value.sentence, error.value.hint


def test_an_argument_that_is_none_is_answered_with_those_that_there_are() -> None:
    sentence, hint = refused("migration_plan", {**ASKED, "revision": "head"})
    assert "'revision' was unexpected" in sentence
    assert hint == "migration_plan needs intent, target; it also takes ticket, expects, to."


def test_one_that_is_missing_as_well() -> None:
    assert refused("migration_plan", {"intent": ASKED["intent"]})[1].startswith("migration_plan needs intent, target;")


def test_a_value_that_does_not_fit_is_answered_with_what_its_place_takes() -> None:
    sentence, hint = refused("schema_read", {**ASKED, "detail": "all"})
    assert sentence.startswith("schema_read cannot take detail: 'all' is not one of")
    assert '"outline"' in hint


def test_however_much_of_it_does_not_fit_little_is_held_of_that() -> None:
    tools, arguments = load({}), {**ASKED, "tables": [1] * 100_000}
    with pytest.raises(InvalidArgumentsError):
        tools["schema_read"].check_arguments({**ASKED, "tables": [1]})  # what is loaded with the first
    tracemalloc.start()
    with pytest.raises(InvalidArgumentsError, match="is not of type 'string'"):
        tools["schema_read"].check_arguments(arguments)
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2**20
