"""What is known inside code: a function that runs at some later time, or a block of which not every line need run?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from mcp_migrate.rules.context import Context, Made, Name
from mcp_migrate.rules.interface import Finding

DEEPEST = 16
"""How deep code may stand in code before it is no longer looked into."""


class Later(Made):
    """Nothing counts as made by the plan: what is new now may be in use when the code runs, or was never made.

    Code that runs now also takes away what was known outside it; code that is only written down does not.
    """

    def __init__(self, now: Made, *, runs: bool) -> None:
        super().__init__()
        self._now, self._runs = now, runs
        self.judged = now.judged
        self.depth: int = now.depth + 1 if isinstance(now, Later) else 1

    def add(self, kind: str, name: Name) -> None:
        if kind == "table":
            self.see(name[1])

    def see(self, bare: str) -> None:
        super().see(bare)
        if self._runs:
            self._now.see(bare)

    def saw(self, bare: str) -> bool:
        return super().saw(bare) or self._now.saw(bare)

    def has(self, kind: str, name: Name) -> bool:
        return kind == "extension" and self._now.has(kind, name)

    def forget(self, kind: str, bare: str) -> None:
        if self._runs:
            self._now.forget(kind, bare)

    def clear(self) -> None:
        if self._runs:
            self._now.clear()

    def change(self, bare: str, *, moved: bool = False) -> None:
        super().change(bare, moved=moved)
        if self._runs:
            self._now.change(bare, moved=moved)

    def changed(self, bare: str) -> bool:  # noqa: ARG002  by then anything may have changed
        return True

    def moved(self, bare: str) -> bool:
        return super().moved(bare) or self._now.moved(bare)

    def rewrite(self, routine: str) -> None:
        super().rewrite(routine)
        if self._runs:
            self._now.rewrite(routine)

    def rewritten(self, routine: str) -> bool:
        return super().rewritten(routine) or self._now.rewritten(routine)

    def tell(self, routine: str, findings: Iterable[Finding]) -> None:
        told = tuple(findings)
        super().tell(routine, told)
        if self._runs:
            self._now.tell(routine, told)

    def named(self, routine: str) -> bool:
        return super().named(routine) or self._now.named(routine)

    def told(self, routine: str) -> tuple[Finding, ...] | None:
        inner, outer = super().told(routine), self._now.told(routine)
        return None if inner is None and outer is None else (*(outer or ()), *(inner or ()))

    def act(self, bare: str, findings: Iterable[Finding]) -> None:
        happening = tuple(findings)
        super().act(bare, happening)
        if self._runs:
            self._now.act(bare, happening)

    @property
    def acting(self) -> bool:
        return super().acting or self._now.acting

    def acts_on(self, bare: str) -> bool:
        return super().acts_on(bare) or self._now.acts_on(bare)

    def acts(self, *tables: str) -> tuple[Finding, ...]:
        return (*self._now.acts(*tables), *super().acts(*tables))


def later(context: Context, *, runs: bool) -> Context:
    """The context in which code is judged that stands in a statement of this one."""
    return replace(context, made=Later(context.made, runs=runs))


def too_deep(context: Context) -> bool:
    return isinstance(context.made, Later) and context.made.depth > DEEPEST
