"""How is a ledger on a server made, opened and recognised?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from mcp_migrate.errors import LedgerCorruptError, LedgerUnavailableError
from mcp_migrate.ledger.postgresql.place import Place, schema_sql
from mcp_migrate.ledger.postgresql.shape import changed
from mcp_migrate.ledger.postgresql.trouble import translated, unavailable
from mcp_migrate.ledger.trouble import TAMPERED

if TYPE_CHECKING:
    import psycopg
    from sqlalchemy.engine import Connection

_LEDGER, FORMAT = "mcp-migrate ledger, format ", "1"
_MAKING = 0x6D636D67
"""Who makes a ledger keeps others from making it at once."""
_COMMENT = "SELECT obj_description(oid, 'pg_namespace') FROM pg_catalog.pg_namespace WHERE nspname = %s"


def connect(place: Place) -> Connection:
    """A connection to what is a ledger, and as we made it; each statement commits by itself unless ``BEGIN`` was sent.

    Raises:
        LedgerUnavailableError: it is not there, cannot be reached, or is not a ledger.
        LedgerCorruptError: its triggers or tables are not as we made them.
    """
    connection = reach(place)
    try:
        with translated(place):
            _check_shape(place, driver(connection))
    except BaseException:
        connection.close()
        raise
    return connection


def reach(place: Place) -> Connection:
    """A connection to what is a ledger, whatever was done to it. Raises: LedgerUnavailableError."""
    connection = dial(place)
    try:
        with translated(place):
            _recognise(place, driver(connection))
    except BaseException:
        connection.close()
        raise
    return connection


def create(place: Place) -> None:
    """Make an empty ledger unless its schema is there, as a whole or not at all."""
    connection = dial(place)
    try:
        with translated(place):
            raw = driver(connection)
            if raw.execute(_COMMENT, [place.schema]).fetchone() is None:
                with raw.transaction():
                    raw.execute("SELECT pg_catalog.pg_advisory_xact_lock(%s)", [_MAKING])
                    if raw.execute(_COMMENT, [place.schema]).fetchone() is None:
                        raw.execute(schema_sql(place.schema).encode())
    finally:
        connection.close()


def driver(connection: Connection) -> psycopg.Connection[Any]:
    """The driver's own connection, which begins and ends transactions at a fraction of the cost."""
    return cast("psycopg.Connection[Any]", connection.connection.driver_connection)


def dial(place: Place) -> Connection:
    """A connection to the database of a ledger, be there one or not. Raises: LedgerUnavailableError."""
    import psycopg
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    def call() -> Any:
        opened: Any = psycopg.connect(**dict(place.options), autocommit=True)  # type: ignore[arg-type]  # libpq's
        opened.execute("SET search_path = pg_catalog, pg_temp")  # nothing that somebody else made answers to a name
        return opened

    engine = create_engine(
        "postgresql+psycopg://",
        creator=call,
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        use_native_hstore=False,
        execution_options={"schema_translate_map": {None: place.schema}},
    )
    with translated(place):
        return engine.connect()


def _check_shape(place: Place, raw: psycopg.Connection[Any]) -> None:
    if found := changed(raw, place.schema):
        raise LedgerCorruptError(f"The ledger {place} was altered: {'; '.join(found)}.", hint=TAMPERED)


def _recognise(place: Place, raw: psycopg.Connection[Any]) -> None:
    row = raw.execute(_COMMENT, [place.schema]).fetchone()
    if row is None:
        raise LedgerUnavailableError(
            f"The ledger {place} is not there.",
            hint="Make it once: as a role that may create the schema, or with what `mcp-migrate ledger sql` prints.",
        )
    comment = str(row[0] or "")
    if not comment.startswith(_LEDGER):
        raise unavailable(place, "what is there is not a ledger")
    if comment != _LEDGER + FORMAT:
        raise LedgerUnavailableError(
            f"The ledger {place} has another format than {FORMAT}, which this version reads.",
            hint="Use the version of mcp-migrate that wrote it.",
        )
    if raw.info.parameter_status("server_encoding") != "UTF8":
        raise unavailable(place, "its database is not in UTF8, so it cannot hold every text")
