"""What does it mean for us when PostgreSQL, or the way to it, refuses?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from mcp_migrate.errors import AlreadyUsedError, LedgerUnavailableError
from mcp_migrate.ledger.postgresql.place import Place
from mcp_migrate.ledger.trouble import already_used

_HINTS = {
    "55P03": "Another server keeps it locked. Try again; find its session if it stays so.",
    "25006": "This is a standby, or the role may only read. Let `ledger` name the primary.",
    "42501": "Grant the role of `ledger` USAGE on the schema, and SELECT and INSERT on its table.",
    "53100": "The server's disk is full. Make room: nothing runs without a record.",
    "57014": "It took too long. Raise the role's statement_timeout, or see what keeps the server busy.",
    "28": "Check the user and password of `ledger`; a server takes one that was changed when it is started anew.",
    "3D": "Check the database that `ledger` names.",
}
_ANY_HINT = "Look at the server, the way to it and the role of `ledger`: nothing runs without a record."
_LONGEST = 300
_UNIQUE = "23505"


@contextmanager
def translated(place: Place, *, consumes: Sequence[str] = (), unsure: bool = False) -> Iterator[None]:
    """Raise our errors for those of the driver; `unsure` where a commit may have happened all the same."""
    import psycopg
    from sqlalchemy.exc import DBAPIError, ResourceClosedError

    try:
        yield
    except DBAPIError as error:
        raise _meaning(place, error.orig, consumes, unsure=unsure) from error
    except psycopg.Error as error:
        raise _meaning(place, error, consumes, unsure=unsure) from error
    except ResourceClosedError as error:
        raise unavailable(place, "it was closed") from error


def unavailable(
    place: Place, why: str, *, state: str = "", unsure: bool = False, hint: str = ""
) -> LedgerUnavailableError:
    """The error that stops everything; `state` is PostgreSQL's code for the reason."""
    hint = hint or _HINTS.get(state) or _HINTS.get(state[:2]) or _ANY_HINT
    what = "was lost while it was written, and nobody knows whether it was" if unsure else "cannot be used"
    return LedgerUnavailableError(f"The ledger {place} {what}: {why}.", hint=hint)


def _meaning(
    place: Place, error: BaseException | None, consumes: Sequence[str], *, unsure: bool
) -> AlreadyUsedError | LedgerUnavailableError:
    state = getattr(error, "sqlstate", None) or ""
    if state == _UNIQUE and consumes:
        return already_used(consumes)
    return unavailable(place, " ".join(str(error).split())[:_LONGEST].rstrip("."), state=state, unsure=unsure)
