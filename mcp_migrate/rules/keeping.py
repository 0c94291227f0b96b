"""What do we say of the statements that we ourselves put into a plan to keep what it loses, and to put it back?

The planner wrote them; here their shape is checked, so that nothing else can pass under their name.
"""

from __future__ import annotations

from mcp_migrate.rules.interface import rule

KEEP = rule(
    "keep-undo-data",
    "What is lost next is kept",
    "read",
    "Keeps what a later statement takes from {object}, so that a rollback can put it back.",
    scans=True,
    rationale="Of what is the user's it only reads: no scope and no `expects` has to allow for it. Nobody writes to "
    "the table between the copy and the loss.",
    source="https://www.postgresql.org/docs/current/sql-createtableas.html",
)
PUT_BACK = rule(
    "put-back-undo-data",
    "What was lost is put back",
    "data",
    "Puts what an apply kept of {object} back, where nobody wrote since.",
    undo="yes",
    rationale="Rows and values that were written since the apply stay as they are.",
    source="https://www.postgresql.org/docs/current/sql-update.html",
)
NOTED = rule(
    "note-undo-data",
    "Bookkeeping of undo data",
    "",
    "Opens, notes or removes undo data, or only looks at it.",
    of="",
    rationale="It changes nothing but what is ours, and removes only what was put back.",
    source="https://www.postgresql.org/docs/current/sql-droptable.html",
)
PARK = rule(
    "park-dropped",
    "What is dropped next is moved aside",
    "breaking",
    "Takes {object} out of the way instead of destroying it: its space is not free until its time is over.",
    undo="yes",
    rationale="Only what the next statement drops is moved, to where nobody but the role that applies can look.",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
)
FETCH = rule(
    "bring-back-parked",
    "What was moved aside comes back",
    "additive",
    "Brings {object} back to where it was, with all it held.",
    rationale="It is moved, not copied, so it takes a moment whatever its size.",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
)
