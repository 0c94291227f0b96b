"""Is the ledger's schema as we made it, and what more than appending may this role do?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import psycopg

_MORE = """
SELECT rolsuper, pg_has_role(current_user, relowner, 'MEMBER'), has_schema_privilege(nspname, 'CREATE'),
       has_table_privilege(c.oid, 'UPDATE'), has_table_privilege(c.oid, 'DELETE'),
       has_table_privilege(c.oid, 'TRUNCATE'), has_table_privilege(c.oid, 'TRIGGER')
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = relnamespace, pg_catalog.pg_roles
WHERE nspname = %s AND relname = 'events' AND rolname = current_user
"""
NO_DISK = "the ledger's server has fsync = off: what it recorded need not outlive it"
_MAY = ("may add to its schema", "may UPDATE", "may DELETE", "may TRUNCATE", "may TRIGGER")
_WORDS = ("is a superuser", "owns it", *_MAY)


def changed(raw: psycopg.Connection[Any], schema: str) -> tuple[str, ...]:
    """What in the ledger's schema is missing, changed or added, by name."""
    found, expected = facts(raw, schema), _expected()
    return tuple(
        f"{name} is {'missing' if name not in found else 'changed' if name in expected else 'not ours'}"
        for name in sorted(expected.keys() | found.keys())
        if expected.get(name) != found.get(name)
    )


def facts(raw: psycopg.Connection[Any], schema: str) -> dict[str, str]:
    """What the catalogs say of each object, whatever the schema is called."""
    rows = raw.execute(_file("shape.sql").encode(), {"schema": schema}).fetchall()
    return {name.replace(f"{schema}.", ""): said.replace(f"{schema}.", "{schema}.") for name, said in rows}


def left_open(raw: psycopg.Connection[Any], schema: str) -> tuple[str, ...]:
    """What the role could do beyond reading and appending, and what the server may lose, in words."""
    (row,) = raw.execute(_MORE, [schema]).fetchall()
    more = [f"the ledger's role {word}" for word in _words(row)]
    return (*more, *((NO_DISK,) if waits_for_no_disk(raw) else ()))


def waits_for_no_disk(raw: psycopg.Connection[Any]) -> bool:
    """Whether the server is set to lose what it said was written; no client can ask for better."""
    rows = raw.execute("SELECT 1 FROM pg_catalog.pg_settings WHERE name = 'fsync' AND setting = 'off'")
    return rows.fetchone() is not None


def _words(row: tuple[bool, ...]) -> Iterator[str]:
    if row[0]:
        yield _WORDS[0]  # and so all the others
        return
    yield from (word for word, may in zip(_WORDS[1:], row[1:], strict=True) if may)


@cache
def _expected() -> Mapping[str, str]:
    return cast("Mapping[str, str]", json.loads(_file("shape.json")))


def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
