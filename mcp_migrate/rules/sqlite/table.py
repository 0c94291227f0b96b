"""Which things can a SQLite statement do, and what is each of them called?"""

from __future__ import annotations

from mcp_migrate.rules.interface import rule

READ = rule("read", "Rows read", "read", "Only reads {object}.")
CREATE_TABLE = rule("create-table", "A new table", "additive", "Creates the table {object}; nothing uses it yet.")
CREATE_VIEW = rule("create-view", "A new view", "additive", "Makes the view {object}; nothing uses it yet.")
CREATE_INDEX = rule("create-index", "An index", "additive", "Indexes {object}; the file is locked until that is done.")
UNIQUE_INDEX = rule(
    "create-unique-index",
    "A unique index on a table in use",
    "breaking",
    "Allows each value in {object} once: it fails where there are duplicates and may reject what old code writes.",
)
COMPUTED_INDEX = rule(
    "create-computed-index",
    "An index on an expression or a part of a table in use",
    "breaking",
    "Each write to {object} computes it: a row for which that fails is rejected from then on.",
)
LOOKS = rule("looks-at-rows", "Rows looked at on the way", "", "Looks at {object}.")
ADD_COLUMN = rule(
    "add-column", "A new column", "additive", "Adds {object}; rows are not rewritten and old code may go on without it."
)
REQUIRED = rule(
    "add-required-column",
    "A new column that must be filled",
    "additive breaking",
    "Adds {object}, which must not be null and has no default: it fails where there are rows, and old code can no"
    " longer insert.",
)
RESTRICTED = rule(
    "add-constrained-column",
    "A new column with a constraint",
    "additive breaking",
    "Adds {object} with a constraint that is checked on each row and may reject what old code writes.",
)
DROP_TABLE = rule(
    "drop-table",
    "A table dropped",
    "destructive breaking",
    "Drops {object}, with every row; code that names it fails.",
)
DROP_VIEW = rule("drop-view", "A view dropped", "destructive breaking", "Drops the view {object}.")
DROP_COLUMN = rule(
    "drop-column",
    "A column dropped",
    "destructive breaking",
    "Drops {object} with everything in it; code that names it fails.",
)
DROP_INDEX = rule(
    "drop-index",
    "An index dropped",
    "breaking",
    "Drops the index {object}: if it was unique, duplicates are let in; queries may become slow.",
)
DROP_NEW = rule(
    "drop-new-object", "Something this plan made, dropped again", "additive", "Drops {object}, which this plan made."
)
DROP_TRIGGER = rule(
    "drop-code", "A trigger dropped", "breaking unknown", "Drops the trigger {object}; what it did is not known here."
)
RENAME = rule(
    "rename",
    "Another name for something in use",
    "breaking",
    "Renames {object} to {new}: code that uses the old name fails.",
)
RENAME_NEW = rule(
    "rename-new-object",
    "Another name in or for a table this plan made",
    "additive",
    "Renames {object}, which this plan made, to {new}.",
)
INSERT = rule("insert-rows", "New rows", "data", "Adds rows to {object}.")
REPLACE = rule(
    "overwrite-rows",
    "New rows that replace old ones",
    "data destructive",
    "Rows of {object} that stand in the way may be deleted: REPLACE is in play.",
)
UPDATE = rule(
    "update-rows", "Rows overwritten", "data destructive", "Overwrites values in {object}; the old ones are lost."
)
DELETE = rule("delete-rows", "Rows deleted", "destructive", "Deletes rows of {object}.")
FILL_NEW = rule(
    "change-new-rows", "Rows of a table this plan made", "data", "Changes rows of {object}, which this plan made."
)
OUTSIDE = rule("outside", "Out of the database", "privilege unknown", "{what} reaches out of this database file.")
VERSION = rule("alembic-version", "Alembic's own bookkeeping", "", "Moves Alembic's version table.")

FUNCTIONS = frozenset(
    "abs avg changes char coalesce concat concat_ws count current_date current_time current_timestamp date datetime"
    " dense_rank cume_dist first_value format glob group_concat hex ifnull iif instr json json_array"
    " json_array_length json_extract json_group_array json_group_object json_insert json_object json_patch json_quote"
    " json_remove json_replace json_set json_type json_valid jsonb jsonb_array jsonb_extract jsonb_object julianday lag"
    " last_insert_rowid last_value lead length like likelihood likely lower ltrim max min nth_value ntile nullif"
    " octet_length percent_rank printf quote random randomblob rank replace round row_number rtrim sign"
    " sqlite_version strftime string_agg substr substring sum time timediff total total_changes trim typeof unhex"
    " unicode unixepoch unlikely upper zeroblob -> ->> ceil ceiling floor mod pow power sqrt exp ln log log10 log2 pi"
    " trunc".split()
)
INTERNAL = frozenset(
    "sqlite_rename_table sqlite_rename_column sqlite_rename_test sqlite_rename_quotefix sqlite_drop_column"
    " sqlite_rename_parent".split()
)
"""What SQLite itself calls to alter a table."""
