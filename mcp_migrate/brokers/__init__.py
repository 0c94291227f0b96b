"""Where a step credential comes from.

interface       what a broker is asked and what it answers
keys            the credentials of one call: issued when they are needed, on the record, revoked with it
unsafe_static   the configuration's own key, which does not die with the step
own             the session in which a broker of PostgreSQL does its own part
postgres_role   a role of PostgreSQL for each step
postgres_sealed a role for each step that runs only what people placed in the target; sealed.sql is the store of it
sealing         whether a plan can be sealed, and is
placing         how a person places a plan there
store           whether that store is as it was shipped
mysql_user      an account of MariaDB or MySQL for each step; mysql_user.sql is what makes and ends it in the server
command         what a program of the team's hands out
vault           what HashiCorp Vault or OpenBao hands out
aws_rds_iam     a token of AWS for each step
address         the URL of a target for the user of one step
roles           what makes the roles that postgres_role hands on, for an admin to run
ending          sessions are asked to end until there are none
bounded         what comes from elsewhere has an end in time, or is no credential
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mcp_migrate.brokers.interface import Broker
    from mcp_migrate.settings import Target


def broker_for(target: Target) -> Broker:
    """The broker that the configuration of a target names."""
    given = target.credentials
    if given.broker.startswith("postgres-"):
        return _roles(target)
    if given.broker == "mysql-user":
        from mcp_migrate.brokers.mysql_user import MysqlUser

        return MysqlUser(target)
    if given.command is not None:
        from mcp_migrate.brokers.command import Command

        return Command(given.command)
    if given.vault is not None:
        from mcp_migrate.brokers.vault import Vault

        return Vault(target, given.vault)
    if given.rds is not None:
        from mcp_migrate.brokers.aws_rds_iam import AwsRdsIam

        return AwsRdsIam(target, given.rds)
    from mcp_migrate.brokers.unsafe_static import UnsafeStatic

    return UnsafeStatic(target)


def _roles(target: Target) -> Broker:
    if target.credentials.broker == "postgres-sealed":
        from mcp_migrate.brokers.postgres_sealed import PostgresSealed

        return PostgresSealed(target)
    from mcp_migrate.brokers.postgres_role import PostgresRole

    return PostgresRole(target)
