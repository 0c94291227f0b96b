"""Which settings of a session are harmless, and with which values, also those that hold while code runs?"""

from __future__ import annotations

from collections.abc import Sequence

from mcp_migrate.rules.interface import Finding, found, rule, unknown
from mcp_migrate.rules.postgresql.allowed import word_set
from mcp_migrate.rules.postgresql.parser import Tree

SESSION = rule(
    "session-rights",
    "The session's rights",
    "privilege unknown",
    "Sets {what}: later statements run under other rules.",
    of="",
    rationale="Under another role, search path or replication role each later statement means or may do other things.",
    source="https://www.postgresql.org/docs/current/sql-set.html",
    flags=("SET ROLE postgres", "SET search_path = evil", "RESET ALL", "SET session_replication_role = replica"),
    passes=("SET lock_timeout = '5s'",),
)
PATH = rule(
    "function-search-path",
    "Names inside code are looked up elsewhere",
    "unknown",
    "Names in {object} that say no schema are looked up in {path}, not where they seem to be.",
    of="function",
    rationale="The code is judged as if such names were in public.",
    source="https://www.postgresql.org/docs/current/sql-createfunction.html",
    flags=("CREATE FUNCTION f() RETURNS integer LANGUAGE sql SET search_path = app AS 'SELECT 1'",),
    passes=("CREATE FUNCTION f() RETURNS integer LANGUAGE sql SET search_path = pg_catalog, public AS 'SELECT 1'",),
)
RIGHTS = word_set(
    "role session_authorization session_replication_role row_security search_path"
    " allow_system_table_mods local_preload_libraries session_preload_libraries dynamic_library_path"
    " zero_damaged_pages ignore_checksum_failure ignore_system_indexes transaction_read_only"
    " default_transaction_read_only"
)
"""Settings that change what the session may do, or find."""

_ANY = word_set(
    "application_name client_min_messages work_mem maintenance_work_mem max_parallel_workers_per_gather"
    " max_parallel_maintenance_workers max_parallel_workers temp_buffers effective_cache_size random_page_cost"
    " seq_page_cost effective_io_concurrency maintenance_io_concurrency enable_seqscan enable_indexscan"
    " enable_bitmapscan enable_hashjoin enable_mergejoin enable_nestloop jit log_min_duration_statement"
    " log_statement_stats tcp_keepalives_idle tcp_keepalives_interval tcp_keepalives_count check_function_bodies"
    " lock_timeout statement_timeout idle_in_transaction_session_timeout idle_session_timeout transaction_timeout"
)
_ONLY = {
    "standard_conforming_strings": "on true 1",
    "client_encoding": "utf8 utf-8 unicode",
    "xmloption": "content",
    "default_tablespace": "",
    "default_table_access_method": "heap",
    "default_with_oids": "false off 0",
    "escape_string_warning": "on off true false 1 0",
    "bytea_output": "hex",
}
HARMLESS: dict[str, frozenset[str]] = dict.fromkeys(_ANY, frozenset[str]()) | {
    name: word_set(values) or frozenset({""}) for name, values in _ONLY.items()
}
"""By setting: the values that are harmless; an empty set means any."""

_LIMITS = {"lock_timeout": 60_000, "statement_timeout": 86_400_000, "transaction_timeout": 86_400_000}
"""In milliseconds: who waits longer than this for a lock, or runs longer, has no limit worth the name."""
_UNITS = {"": 1, "us": 0, "ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
_HOME = frozenset({"", "pg_catalog", "public", "pg_temp", "$user"})


def lifts_limit(name: str, values: Sequence[Tree] | None) -> bool:
    """Whether a limit on waiting is taken away. None stands for a reset: to what the limit was before the session."""
    if name not in _LIMITS:
        return False
    length = _milliseconds(values[0]) if values is not None and len(values) == 1 else None
    return length is None or length == 0 or length > _LIMITS[name]


def _milliseconds(value: Tree) -> int | None:
    constant = value.a_const
    text = str(constant.ival.ival) if constant.HasField("ival") else constant.sval.sval.strip()
    digits = text.rstrip("usmindh ")
    unit = text[len(digits) :].strip()
    # A number of ours is plain: what PostgreSQL also reads as one, such as 0x0 or 1e9, counts as no limit.
    return int(digits) * _UNITS[unit] if digits.isascii() and digits.isdigit() and unit in _UNITS else None


def _path_of(node: Tree) -> list[str]:
    """The schemas of a search path in which a name that says none is not where it seems to be."""
    schemas = [value.a_const.sval.sval for value in node.args]
    return [schema for schema in schemas if schema not in _HOME] or ([] if node.args else ["what the caller chose"])


def set_in_code(node: Tree, where: str) -> list[Finding]:
    """A SET that belongs to a function: it holds while the function runs."""
    name = node.name.lower()
    if name == "search_path":
        odd = _path_of(node)
        return [found(PATH, where, path=", ".join(odd))] if odd else []
    if name in HARMLESS:
        return []
    if name in RIGHTS:
        return [found(SESSION, where, what=name)]
    return [unknown(f"the setting {name} may change what the code means", where)]
