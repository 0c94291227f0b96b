"""Where a step credential comes from.

interface       what a broker is asked and what it answers
keys            the credentials of one call: issued when they are needed, on the record, revoked with it
unsafe_static   the configuration's own key, which does not die with the step
postgres_role   a role of PostgreSQL for each step
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mcp_migrate.brokers.interface import Broker
    from mcp_migrate.settings import Target


def broker_for(target: Target) -> Broker:
    """The broker that the configuration of a target names."""
    if target.credentials.broker == "postgres-role":
        from mcp_migrate.brokers.postgres_role import PostgresRole

        return PostgresRole(target)
    from mcp_migrate.brokers.unsafe_static import UnsafeStatic

    return UnsafeStatic(target)
