from __future__ import annotations

from pathlib import Path

import pytest

from tests.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture(scope="session")
def first_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Made once: a plan takes longer than all that most tests do with it."""
    return World(tmp_path_factory.mktemp("first")).prepare(plan="b2")


@pytest.fixture(scope="session")
def further_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("further")).prepare("b2", plan="c3")


@pytest.fixture
def at_a1(first_world: World, tmp_path: Path) -> World:
    """The shop after an agent planned ``b2``."""
    return first_world.copied(tmp_path)


@pytest.fixture
def at_b2(further_world: World, tmp_path: Path) -> World:
    """The shop after an agent applied ``b2`` and planned ``c3``."""
    return further_world.copied(tmp_path)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
