"""Schemas that nobody thought of, part by part, each with what else could stand there and what a diff says then.

An alteration is the same schema with one part in another way: there, gone, or different.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from hypothesis import strategies as st

from mcp_migrate.dialects.postgresql.remake import literal

Said = tuple[str, ...]
"""``kind object`` of each change."""


@dataclass(frozen=True)
class Part:
    """A text, and others in its place, each with what may be said of it: a rename may be told as drop and add."""

    text: str
    others: tuple[tuple[str, tuple[Said, ...]], ...] = ()


@dataclass(frozen=True)
class Statement:
    """`head`, the parts that are not empty, `tail`; nothing at all where there are none."""

    parts: tuple[Part, ...]
    head: str = ""
    tail: str = ""

    def text(self, at: int = -1, other: str = "") -> str:
        found = [other if n == at else part.text for n, part in enumerate(self.parts)]
        inside = ", ".join(filter(None, found))
        return f"{self.head}{inside}{self.tail}" if inside else ""


@dataclass(frozen=True)
class Alteration:
    """The statements with one part in another way."""

    statements: tuple[str, ...]
    allowed: tuple[Said, ...]


@dataclass(frozen=True)
class Made:
    every: tuple[Statement, ...]

    @property
    def statements(self) -> tuple[str, ...]:
        return tuple(filter(None, (each.text() for each in self.every)))

    def alterations(self) -> Iterator[Alteration]:
        for n, statement in enumerate(self.every):
            for at, part in enumerate(statement.parts):
                for other, allowed in part.others:
                    texts = (s.text(at, other) if m == n else s.text() for m, s in enumerate(self.every))
                    yield Alteration(tuple(filter(None, texts)), allowed)


@dataclass(frozen=True)
class Kind:
    """A type with two defaults, two checks, an expression, and the type it may become; ``{}`` is the column."""

    type: str
    defaults: tuple[str, str]
    checks: tuple[str, str]
    expression: str
    other: str


@dataclass(frozen=True)
class Words:
    """How one product says it. `comment` gives the statement, or "" where it has none."""

    place: str
    quoted: Callable[[str], str]
    letters: str
    kinds: tuple[Kind, ...]
    keys: tuple[str, ...]
    """What an index may be over, after its table; ``{}`` is the column, ``{x}`` the expression."""
    generated: str
    """A column that is computed from ``{}``."""
    tails: tuple[str, ...] = ("",)
    """What a table may end with."""
    unique: str = "constraint"
    """What a diff calls a unique constraint."""
    comment: Callable[[str, str, str], str] = lambda _what, _name, _text: ""

    @property
    def key(self) -> Kind:
        """What `id` is, and whatever refers to it."""
        return self.kinds[0]


@dataclass(frozen=True)
class _Table:
    """One that is being drawn. `after` are the statements that come after its own."""

    name: str
    place: str
    columns: list[Part]
    constraints: list[Part]
    after: list[Statement]


class Maker:
    """Draws one schema."""

    def __init__(self, draw: st.DrawFn, words: Words) -> None:
        self.draw, self.words = draw, words
        self.every: list[Statement] = []
        self._numbers = iter(range(1, 1_000))
        self._tables: list[str] = []

    def name(self) -> str:
        """No two are alike: whatever the letters, the number at the end is another."""
        return self.draw(st.text(self.words.letters, min_size=1, max_size=4)) + str(next(self._numbers))

    def one(self, values: Iterable[str]) -> str:
        return self.draw(st.sampled_from(tuple(values)))

    def table(self, kinds: tuple[Kind, ...]) -> None:
        """A table, after those it refers to, with its indexes and comments after it."""
        name, quoted = self.name(), self.words.quoted
        columns = [Part(f"id {self.words.key.type} NOT NULL")]
        constraints = [Part(f"CONSTRAINT {quoted(self.name())} PRIMARY KEY (id)")]
        table = _Table(name, f"{self.words.place}.{name}", columns, constraints, [])
        for kind in self.draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=3)):
            self._column(table, kind)
        if self.draw(st.booleans()):
            self._computed(table)
        new, rule = self.name(), self.name()
        columns.append(there_or_not(f"{quoted(new)} {self.words.key.type}", f"add_column {table.place}.{new}"))
        check = f"CONSTRAINT {quoted(rule)} CHECK (id > 3)"
        constraints.append(there_or_not(check, f"add_constraint {table.place}.{rule}"))
        head, tail = f"CREATE TABLE {quoted(name)} (", f"){self.one(self.words.tails)}"
        comment = self._comment("TABLE", quoted(name), table.place)
        self.every += [Statement((*columns, *constraints), head, tail), *table.after, *comment]
        self._tables.append(name)

    def lone_table(self) -> None:
        """A table that nothing refers to, there, gone, or under another name."""
        name, other = self.name(), self.name()
        one, two = (f"CREATE TABLE {self.words.quoted(each)} (id {self.words.key.type})" for each in (name, other))
        place, more = self.words.place, self.name()
        gone = ("", ((f"drop_table {place}.{name}",),))
        self.every.append(Statement((Part(one, (gone, (two, renamed("table", f"{place}.", name, other)))),)))
        new = f"CREATE TABLE {self.words.quoted(more)} (id {self.words.key.type})"
        self.every.append(Statement((there_or_not(new, f"add_table {place}.{more}"),)))

    def whole(self, kind: str, text: str, other: str) -> None:
        """An object that nothing uses, there, gone, or in another way; ``{}`` is its name."""
        name = self.name()
        one, two = (each.replace("{}", self.words.quoted(name)) for each in (text, other))
        come, gone, changed = (f"{verb}_{kind} {self.words.place}.{name}" for verb in ("add", "drop", "alter"))
        stays = Part(one, (("", ((gone,),)), (two, ((changed,),))))
        self.every.append(Statement((self.draw(st.sampled_from([stays, there_or_not(one, come)])),)))

    def enum(self, name: str, labels: tuple[str, ...], more: str) -> None:
        """An enum, with a label more or without."""
        texts = (", ".join(map(literal, each)) for each in (labels, (*labels, more)))
        one, two = (f"CREATE TYPE {self.words.quoted(name)} AS ENUM ({text})" for text in texts)
        said = f"add_enum_value {self.words.place}.{name}.{more}"
        self.every.append(Statement((Part(one, ((two, ((said,),)),)),)))

    def _column(self, table: _Table, kind: Kind) -> None:
        name, required = self.name(), self.draw(st.booleans())
        default = self.draw(st.sampled_from([None, kind.defaults[0]]))
        thing = f"{table.place}.{name}"

        def text(
            called: str = name, of: str = kind.type, *, required: bool = required, value: str | None = default
        ) -> str:
            words = (self.words.quoted(called), of, f"DEFAULT {value}" if value else "", "NOT NULL" if required else "")
            return " ".join(filter(None, words))

        others: list[tuple[str, tuple[Said, ...]]] = [
            (text(required=not required), ((f"{'drop' if required else 'set'}_not_null {thing}",),)),
            (text(value=kind.defaults[1]), ((f"set_default {thing}",),)),
            *([(text(value=None), ((f"drop_default {thing}",),))] if default else []),
        ]
        called = f"{self.words.quoted(table.name)}.{self.words.quoted(name)}"
        if self._used(table, name, kind):
            table.after.extend(self._comment("COLUMN", called, thing))
        else:  # without a comment, which would go with it
            new = self.name()
            others += [(text(new), renamed("column", f"{table.place}.", name, new))]
            others += [("", ((f"drop_column {thing}",),))]
            types = tuple((f"{way}_type {thing}",) for way in ("change", "widen", "narrow"))
            others += [(text(of=kind.other), types)] if default is None else []
        table.columns.append(Part(text(), tuple(others)))

    def _used(self, table: _Table, column: str, kind: Kind) -> bool:
        """Whether something names the column, which is drawn here."""
        quoted = self.words.quoted(column)
        use = self.one(("", "", "check", "unique", "index", "index", "reference"))
        if use == "check":
            checks = (f"CHECK ({check.replace('{}', quoted)})" for check in kind.checks)
            self._constraint(table, *checks)
        elif use == "unique":
            self._constraint(table, f"UNIQUE ({quoted})", f"UNIQUE ({quoted}, id)", noun=self.words.unique)
        elif use == "index":
            self._index(table, quoted, kind)
        elif use == "reference" and self._tables and kind == self.words.key:
            text = f"FOREIGN KEY ({quoted}) REFERENCES {self.words.quoted(self.one(self._tables))} (id)"
            self._constraint(table, text, f"{text} ON DELETE CASCADE")
        else:
            return False
        return True

    def _computed(self, table: _Table) -> None:
        name = self.name()
        one, two = (
            f"{self.words.quoted(name)} {self.words.generated.replace('{}', each)}" for each in ("id * 2", "id * 3")
        )
        table.columns.append(Part(one, ((two, ((f"change_generated {table.place}.{name}",),)),)))

    def _constraint(self, table: _Table, text: str, other: str, *, noun: str = "constraint") -> None:
        name, new = self.name(), self.name()
        thing, start = f"{table.place}.{name}", f"CONSTRAINT {self.words.quoted(name)} "
        others = (
            ("", ((f"drop_{noun} {thing}",),)),
            (start + other, ((f"alter_{noun} {thing}",),)),
            (f"CONSTRAINT {self.words.quoted(new)} {text}", renamed(noun, f"{table.place}.", name, new)),
        )
        table.constraints.append(Part(start + text, others))

    def _index(self, table: _Table, column: str, kind: Kind) -> None:
        name, new, unique = self.name(), self.name(), self.one(("", "UNIQUE "))
        one, two = self.draw(st.lists(st.sampled_from(self.words.keys), min_size=2, max_size=2, unique=True))

        def text(called: str, key: str) -> str:
            over = key.replace("{x}", kind.expression).replace("{}", column)
            return f"CREATE {unique}INDEX {self.words.quoted(called)} ON {self.words.quoted(table.name)} {over}"

        thing = f"{table.place}.{name}"
        others = (
            ("", ((f"drop_index {thing}",),)),
            (text(name, two), ((f"alter_index {thing}",),)),
            (text(new, one), renamed("index", f"{table.place}.", name, new)),
        )
        table.after.append(Statement((Part(text(name, one), others),)))

    def _comment(self, what: str, name: str, place: str) -> Iterator[Statement]:
        said = ((f"change_comment {place}",),)
        one, two = (self.words.comment(what, name, text) for text in ('it\'s "first"', "é"))
        if one:
            none, some = Part("", ((one, said),)), Part(one, (("", said), (two, said)))
            yield Statement((self.draw(st.sampled_from([none, some])),))


def there_or_not(text: str, come: str) -> Part:
    """What is not there, and may come."""
    return Part("", ((text, ((come,),)),))


def renamed(kind: str, place: str, was: str, now: str) -> tuple[Said, ...]:
    """A rename is a guess: it may be told as one that goes and one that comes."""
    return (f"rename_{kind} {place}{was}",), (f"add_{kind} {place}{now}", f"drop_{kind} {place}{was}")
