"""What does a PRAGMA do? SQLite says which one it is and which value it sets; the manual says the rest."""

from __future__ import annotations

from mcp_migrate.rules.interface import Finding, found, unknown
from mcp_migrate.rules.sqlite import rows, upkeep
from mcp_migrate.rules.sqlite.clone import Action, Clone

READS = frozenset(
    "table_info table_xinfo table_list index_list index_info index_xinfo foreign_key_list foreign_key_check"
    " integrity_check quick_check collation_list compile_options database_list function_list module_list pragma_list"
    " data_version freelist_count page_count".split()
)
"""They only read, whatever stands in their parentheses."""

_ASKED = frozenset(
    "application_id auto_vacuum automatic_index busy_timeout cache_size cache_spill cell_size_check defer_foreign_keys"
    " encoding foreign_keys ignore_check_constraints journal_mode journal_size_limit legacy_alter_table locking_mode"
    " max_page_count mmap_size page_size query_only read_uncommitted recursive_triggers reverse_unordered_selects"
    " schema_version secure_delete synchronous temp_store threads trusted_schema user_version wal_autocheckpoint"
    " writable_schema".split()
)
"""They only read where they are given no value."""

_SWITCHES = frozenset({"legacy_alter_table", "defer_foreign_keys"})
_TUNING = frozenset({"busy_timeout", "cache_size", "automatic_index", "threads", "query_only"})
_STORED = frozenset({"user_version", "application_id"})
_GUARDS = frozenset(
    "writable_schema ignore_check_constraints trusted_schema recursive_triggers schema_version journal_mode"
    " synchronous locking_mode secure_delete cell_size_check encoding auto_vacuum page_size temp_store_directory"
    " data_store_directory case_sensitive_like read_uncommitted".split()
)
_ON = frozenset({"on", "yes", "true", "1"})
_OFF = frozenset({"off", "no", "false", "0"})


def findings(action: Action, clone: Clone, *, transactional: bool) -> list[Finding]:
    """What the pragma does that SQLite asked leave for: its name and value are SQLite's reading, not ours."""
    name, value = action.first.lower(), action.second.lower()
    if action.database not in {"", "main", "temp"}:
        return [unknown(f"the pragma {name} is one of another file")]
    if name in READS or (name in _ASKED and not value):
        return [found(rows.READ, object=f"the pragma {name}")]
    if name == "foreign_keys":
        return [found(upkeep.ENFORCE_IDLE if transactional else upkeep.ENFORCE)]
    if name in _SWITCHES and value in _ON | _OFF:
        clone.set(name, on=value in _ON)
        return [found(upkeep.SETTING, what=name)]
    return _set(name)


def _set(name: str) -> list[Finding]:
    if name in _TUNING:
        return [found(upkeep.SETTING, what=name)]
    if name in _STORED:
        return [found(upkeep.STORED, what=name)]
    if name in _GUARDS:
        return [found(upkeep.GUARD, what=name)]
    return [unknown(f"the pragma {name} is on no list")]


def is_table_of_harmless(table: str) -> bool:
    """Whether a table-valued pragma only reads."""
    return table.lower().removeprefix("pragma_") in READS
