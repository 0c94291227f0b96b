"""What is a project's first configuration? The strictest that lets an agent work, with what comes later in comments."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mcp_migrate.model import Tier
from mcp_migrate.settings.found import Found, Named


@dataclass(frozen=True, slots=True)
class Answers:
    """What only a person can say. `keys` are lines of the owner's own public keys."""

    name: str
    email: str
    reviewer: str
    principal: str
    keys: Sequence[str]


def text(found: Found, answers: Answers) -> str:
    """The file, which loads as it is. Where nobody can sign, production is left out."""
    targets = kept(found, answers)
    values = {
        "targets": "".join(_target(each, found) for each in targets),
        "name": _quoted(answers.name),
        "email": _quoted(answers.email),
        "principal": _quoted(answers.principal),
        "creating": _creating(targets),
        "applying": _applying(targets, answers),
        "people": _people(targets, answers) if answers.keys else _NOBODY,
    }
    return _TEXT.format(**values)


def kept(found: Found, answers: Answers) -> list[Named]:
    """The databases that become targets: on production nothing happens that nobody signs."""
    return [each for each in found.databases if answers.keys or each.tier is not Tier.PRODUCTION]


def _role_of(found: Found) -> str:
    """How the roles of the project's production database begin."""
    return re.sub(r"\W+", "_", found.ini.absolute().parent.name.lower()).strip("_") or "app"


def _target(named: Named, found: Found) -> str:
    production = named.tier is Tier.PRODUCTION
    values = {
        "key": _quoted(named.name),
        "tier": named.tier.value,
        "ini": found.ini.name,
        "section": "" if named.section == "alembic" else f"    section: {_quoted(named.section)}\n",
        "database": "" if named.database is None else f"    database: {_quoted(named.database)}\n",
        "url": named.url,
        "about": _BROKER_URL if production else _REFERENCE,
        "credentials": _credentials(found) if production else "",
        "models": _models(found),
        "environment": _environment(found),
    }
    return _TARGET.format(**values)


def _credentials(found: Found) -> str:
    return _ACCOUNTS if found.mysql else _ROLES.format(role=_role_of(found))


def _quoted(value: str) -> str:
    """As YAML reads it back, whatever is in it."""
    import yaml

    return yaml.safe_dump(value, default_style='"', allow_unicode=True, width=math.inf).removesuffix("\n")


def _listed(names: Iterable[str]) -> str:
    found = ", ".join(map(_quoted, names))
    return f"[{found}]" if found else ""


def _models(found: Found) -> str:
    if found.models is None:
        return ""
    if len(found.models) == 1:
        return f"    models: {_quoted(found.models[0])}   # env.py names no metadata; this is the one that was found\n"
    some = ", ".join(found.models[:3]) or "shop.models:Base.metadata"
    return f"    # models: {some}   # env.py names no metadata: say which, to compare with models\n"


def _environment(found: Found) -> str:
    if not found.reads:
        return "    # environment: {APP_SETTINGS: migrations}   # stand-in values for names that env.py reads\n"
    pairs = ", ".join(f'{_quoted(name)}: "stand-in"' for name in found.reads)
    why = "    # env.py reads these. It is run in a cage that sees no other value and no database of yours.\n"
    return f"{why}    environment: {{{pairs}}}\n"


def _creating(targets: Sequence[Named]) -> str:
    """Revisions of a project for several databases have a part for each: people write them."""
    fit = _listed(each.name for each in targets if each.tier is Tier.DEVELOPMENT and each.database is None)
    return f"      - {{tools: [revision_create], targets: {fit}, effects: [additive]}}\n" if fit else ""


def _applying(targets: Sequence[Named], answers: Answers) -> str:
    below = _listed(each.name for each in targets if each.tier is not Tier.PRODUCTION)
    production = _listed(each.name for each in targets if each.tier is Tier.PRODUCTION)
    first = (_ASKING if answers.keys else _ADDITIVE).format(targets=below) if below else ""
    return first + (_ON_PRODUCTION.format(targets=production) if production else "")


def _people(targets: Sequence[Named], answers: Answers) -> str:
    keys = "".join(f"      - {_quoted(line)}\n" for line in answers.keys)
    who = {"reviewer": _quoted(answers.reviewer), "email": _quoted(answers.email), "keys": keys}
    production = any(each.tier is Tier.PRODUCTION for each in targets)
    return _REVIEWED.format(**who) + (_EACH_ON_PRODUCTION if production else "")


_REFERENCE = "a reference, resolved when a connection is opened; a password never stands here"
_BROKER_URL = "of the broker, for which `mcp-migrate credentials sql` prints what it needs"

_TARGET = """\
  {key}:
    tier: {tier}
    alembic: ./{ini}
{section}{database}    url: {url}   # {about}
{credentials}{models}{environment}    limits: {{lock_timeout: 3s, statement_timeout: 10m, undo_keep: 14d}}
"""

_ACCOUNTS = """\
    # Each step gets an account of its own, which the server ends with it: docs/credentials.md.
    credentials: {broker: mysql-user, mint: mcp_migrate_mint, ttl: 15m}
"""

_ROLES = """\
    # Each step gets a role of its own, which dies with it: docs/credentials.md.
    credentials: {{broker: postgres-role, owner_role: {role}_owner, reader_role: {role}_reader, ttl: 15m}}
"""

_ASKING = """\
      # What statements really do, whatever they are called. Effects that are left out are refused outright; the rule
      # at the end says which of these wait for a signature.
      - tools: [migration_apply, migration_rollback]
        targets: {targets}
        effects: [additive, data, blocking, destructive, breaking, unknown]
"""

_ADDITIVE = """\
      # What statements really do, whatever they are called. Nobody can sign yet, so nothing else is in scope.
      - {{tools: [migration_apply, migration_rollback], targets: {targets}, effects: [additive]}}
"""

_ON_PRODUCTION = """\
      # On production each of these waits for a signature, and what we do not understand is refused outright.
      - tools: [migration_apply, migration_rollback]
        targets: {targets}
        effects: [additive, data, blocking, destructive, breaking]
"""

_REVIEWED = """\
# Whose signature counts. A key that the agent's shell can read is no second pair of eyes: prefer a security key
# (ssh-keygen -t ed25519-sk), or let a colleague sign.
reviewers:
  {reviewer}:
    email: {email}
    ssh_keys:
{keys}
# Only what is provably additive goes without a person.
approvals:
  - when: {{effects: [data, blocking, destructive, breaking, privilege, unknown]}}
    require: {{expires: 4h, execute_within: 4h}}
"""

_EACH_ON_PRODUCTION = """\
  # On production nothing does. What destroys there needs a key that proves who signs: a passkey, or a security key
  # with its PIN.
  # With more reviewers: count: 2, and never: [requester, owner].
  - when: {tier: production}
    require: {expires: 4h, execute_within: 1h}
# Different people plan and apply, once several agents or people do: separation: {production: [plan, apply]}
"""

_NOBODY = """\
# Whose signature counts. Name somebody, and then more effects above: [additive, data, blocking, destructive, …].
# reviewers:
#   ada: {email: ada@example.com, ssh_keys: ["ssh-ed25519 AAAA… ada"]}
# approvals:
#   - {when: {effects: [data, blocking, destructive, breaking, privilege, unknown]}}
"""

_TEXT = """\
# mcp-migrate: what agents may do to this project's databases. Every option: docs/configuration.md.
# Keep this file where agents cannot write. `mcp-migrate config check` says what is wrong with it.
version: 1

# The record of every call.
ledger: sqlite:///.mcp-migrate/ledger.db

targets:
{targets}
workflows:
  schema-agent:
    owner: {{name: {name}, email: {email}}}   # who answers for it
    principals: [{principal}]
    scopes:   # nothing is allowed that no scope names
      - tools: ["schema_*", migration_plan, migration_status, migration_validate, approval_status, audit_read,
                access_explain]
        targets: ["*"]
{creating}{applying}
{people}"""
