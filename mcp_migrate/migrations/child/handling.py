"""How does the handler of a tool run in its child? Its source came with the request; the parent answers the rest."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import MetaPathFinder, SourceLoader
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from mcp_migrate.dialects import values
from mcp_migrate.handlers import Answer, Declaration, Executing, Handler, Preparing, Statement

_HOME = "/tool/"
"""Where the files seem to lie. None does: what was read is what runs, whatever the folder holds by then."""


class Handling:
    """One call of one half of a handler."""

    def __init__(self, ask: Callable[..., Any]) -> None:
        self._ask_parent = ask

    def do(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """Answer one request; the answer is JSON."""
        halves: Mapping[str, Callable[..., Any]] = {
            "check_call": self.check,
            "prepare_call": self.prepare,
            "execute_call": self.execute,
        }
        return halves[name](**arguments)

    def failure(self, problem: BaseException) -> Mapping[str, str | None]:
        """The kind of an exception and the author's line it came from; its words may quote rows, and go to the log."""
        traceback.print_exception(problem)
        frames = traceback.extract_tb(problem.__traceback__)
        lines = (f"{frame.filename[len(_HOME) :]}, line {frame.lineno}" for frame in reversed(frames) if _ours(frame))
        return {"revision": None, "file": next(lines, None), "reason": f"it raised {type(problem).__name__}"}

    def check(self, handler: str, files: Mapping[str, str]) -> Mapping[str, Any]:
        """The names of what the handler takes, each with whether it has to be given."""
        fields = _made(handler, files).model.model_fields
        return {"fields": {name: field.is_required() for name, field in fields.items()}}

    def prepare(
        self, handler: str, files: Mapping[str, str], given: Mapping[str, Any], about: Mapping[str, str]
    ) -> Mapping[str, Any]:
        """What `prepare` of the handler says."""
        made = _made(handler, files)
        said = made.prepare(Preparing(self._ask, **about), made.model.model_validate(given))
        if isinstance(said, Answer):
            return {"kind": "answer", "said": said.model_dump(mode="json"), "executes": False}
        if not isinstance(said, Declaration):
            raise TypeError(f"prepare returned {type(said).__name__}, not a Declaration or an Answer")
        told = said.model_dump(mode="json", exclude={"statements", "rollback"})
        told["statements"] = _told(said.statements)
        told["rollback"] = None if said.rollback is None else _told(said.rollback)
        executes = type(made).execute is not Handler.execute
        return {"kind": "declaration", "said": told, "executes": executes}

    def execute(
        self,
        handler: str,
        files: Mapping[str, str],
        given: Mapping[str, Any],
        about: Mapping[str, str],
        declared: Mapping[str, Any],
    ) -> None:
        """Let `execute` of the handler run."""
        statements = [_thawed(each) for each in declared["statements"]]
        said = Declaration(statements=tuple(statements), notes=declared["notes"])
        made = _made(handler, files)
        made.execute(Executing(self._ask, **about, declared=said), made.model.model_validate(given))

    def _ask(self, what: str, **about: Any) -> Any:
        if "values" in about:
            about["values"] = {name: values.freeze(value) for name, value in about["values"].items()}
        answer = self._ask_parent(what, **about)
        if what != "read":
            return answer
        return [{name: values.thaw(value) for name, value in row.items()} for row in answer]


def _told(statements: Sequence[Statement]) -> list[Mapping[str, Any]]:
    frozen = [{name: values.freeze(value) for name, value in each.values.items()} for each in statements]
    return [{**each.model_dump(), "values": found} for each, found in zip(statements, frozen, strict=True)]


def _thawed(statement: Mapping[str, Any]) -> Statement:
    found = {name: values.thaw(value) for name, value in statement["values"].items()}
    return Statement.model_validate({**statement, "values": found})


def _made(handler: str, files: Mapping[str, str]) -> Handler[Any]:
    module, _, name = handler.partition(":")
    finder = _Sources(module.partition(".")[0], files)
    sys.meta_path.insert(0, finder)
    kind = getattr(importlib.import_module(module), name)
    if not (isinstance(kind, type) and issubclass(kind, Handler)):
        raise TypeError(f"{name} is no mcp_migrate.handlers.Handler")
    return kind()


def _ours(frame: traceback.FrameSummary) -> bool:
    return frame.filename.startswith(_HOME)


class _Sources(MetaPathFinder, SourceLoader):  # type: ignore[misc]  # the stubs' own two bases disagree
    """The modules of one package, from the files that came with the request."""

    def __init__(self, package: str, files: Mapping[str, str]) -> None:
        self._package = package
        self._files = {_HOME + path: b64decode(data) for path, data in files.items()}

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002  the protocol's
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """The file of a module; folders are packages whether or not they say so."""
        if fullname.partition(".")[0] != self._package:
            return None
        file, inside = self._file_of(fullname), self._inside(fullname)
        if file is not None:
            found = ModuleSpec(fullname, self, origin=file, is_package=file.endswith("/__init__.py"))
            found.has_location = True
            return found
        if any(each.startswith(inside + "/") for each in self._files):
            found = ModuleSpec(fullname, None, is_package=True)
            found.submodule_search_locations = [inside]
            return found
        return None

    def get_filename(self, fullname: str) -> str:
        """Where a module's source seems to lie."""
        file = self._file_of(fullname)
        if file is None:
            raise ImportError(f"there is no {fullname}")
        return file

    def get_data(self, path: str | os.PathLike[str]) -> bytes:
        """A file's content, for `pkgutil.get_data` as well."""
        name = os.fspath(path)
        if name not in self._files:
            raise OSError(f"there is no {name}")
        return self._files[name]

    def _inside(self, fullname: str) -> str:
        return "/".join([_HOME.rstrip("/"), *fullname.split(".")[1:]])

    def _file_of(self, fullname: str) -> str | None:
        inside = self._inside(fullname)
        return next((each for each in (f"{inside}/__init__.py", f"{inside}.py") if each in self._files), None)
