"""Which metadata does a project mean, where its `env.py` names none?"""

from __future__ import annotations

import ast
import os
from collections.abc import Collection, Iterator
from pathlib import Path

_LEFT_OUT = frozenset({"tests", "test", "node_modules", "site-packages", "build", "dist", "docs"})
_MOST_FILES, _MOST_BYTES = 2_000, 200_000
_BASES = frozenset({"DeclarativeBase", "DeclarativeBaseNoMeta"})
_MAKERS = frozenset({"declarative_base", "automap_base"})


def named_by(env: Path) -> bool:
    """Whether `env.py` gives Alembic a metadata; one that cannot be read is for `doctor`, which runs it."""
    tree = _parsed(env)
    if tree is None:
        return True
    return any(not _says_nothing(value) for value in _values(tree))


def _values(tree: ast.Module) -> Iterator[ast.expr]:
    """What is assigned to `target_metadata`, or passed as it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
            yield from (node.value for target in _targets(node) if ast.unparse(target) == "target_metadata")
        elif isinstance(node, ast.keyword) and node.arg == "target_metadata":
            yield node.value


def _says_nothing(value: ast.expr) -> bool:
    """``None``, or the name whose own value is looked at."""
    return ast.unparse(value) in {"None", "target_metadata"}


def candidates(folder: Path, *, but: Path) -> tuple[str, ...]:
    """Each ``package.module:Base.metadata`` below `folder` in whose module tables are made, beside that of revisions.

    A base alone says nothing: whoever imports only that sees no table, and all of them as dropped.
    """
    modules = {_module(path, folder): tree for path in _sources(folder, but) if (tree := _parsed(path))}
    bases = {name for tree in modules.values() for name in _bases(tree)}
    return tuple(sorted({f"{module}:{name}" for module, tree in modules.items() for name in _tables(tree, bases)}))


def _bases(tree: ast.Module) -> Iterator[str]:
    """What a module makes for classes of tables to begin with."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and any(_last(base) in _BASES for base in node.bases):
            yield node.name
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and _last(node.value.func) in _MAKERS:
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def _tables(tree: ast.Module, bases: Collection[str]) -> Iterator[str]:
    """The metadata of each table that a module makes at its top, as that module knows it."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield from (f"{ast.unparse(base)}.metadata" for base in node.bases if _last(base) in bases)
        for call in ast.walk(node) if isinstance(node, ast.Assign) else ():
            if isinstance(call, ast.Call) and _last(call.func) == "Table" and len(call.args) > 1:
                yield ast.unparse(call.args[1])


def _last(node: ast.expr) -> str:
    return ast.unparse(node).rpartition(".")[2]


def _targets(node: ast.Assign | ast.AnnAssign) -> list[ast.expr]:
    return node.targets if isinstance(node, ast.Assign) else [node.target]


def _parsed(path: Path) -> ast.Module | None:
    try:
        return ast.parse(path.read_bytes()) if path.stat().st_size <= _MOST_BYTES else None
    except (OSError, SyntaxError, ValueError):
        return None


def _module(path: Path, folder: Path) -> str:
    parts = path.relative_to(folder).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def _sources(folder: Path, but: Path) -> Iterator[Path]:
    """Python files that can be imported from `folder`, so many and no more."""
    left = _MOST_FILES
    for where, folders, files in os.walk(folder):
        here = Path(where)
        folders[:] = sorted(name for name in folders if name.isidentifier() and _of_the_project(here / name, but))
        for name in sorted(files)[:left]:
            if name.endswith(".py") and name.removesuffix(".py").isidentifier():
                left -= 1
                yield here / name


def _of_the_project(folder: Path, but: Path) -> bool:
    return folder.name not in _LEFT_OUT and folder != but and not (folder / "pyvenv.cfg").exists()
