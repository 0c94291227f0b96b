"""What is a project's first configuration? The strictest that lets an agent work, with what comes later in comments."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mcp_migrate.settings.found import Found


@dataclass(frozen=True, slots=True)
class Answers:
    """What only a person can say. `keys` are lines of the owner's own public keys."""

    name: str
    email: str
    reviewer: str
    principal: str
    keys: Sequence[str]


def text(found: Found, answers: Answers) -> str:
    """The file, which loads as it is."""
    values = {
        "url": found.url,
        "environment": _environment(found),
        "name": _quoted(answers.name),
        "email": _quoted(answers.email),
        "principal": _quoted(answers.principal),
        "applying": _ASKING if answers.keys else _ADDITIVE,
        "people": _people(answers) if answers.keys else _NOBODY,
    }
    return _TEXT.format(**values)


def _quoted(value: str) -> str:
    """As YAML reads it back, whatever is in it."""
    import yaml

    return yaml.safe_dump(value, default_style='"', allow_unicode=True, width=math.inf).removesuffix("\n")


def _environment(found: Found) -> str:
    if not found.reads:
        return "    # environment: {APP_SETTINGS: migrations}   # stand-in values for names that env.py reads\n"
    pairs = ", ".join(f'{_quoted(name)}: "stand-in"' for name in found.reads)
    why = "    # env.py reads these. It is run in a cage that sees no other value and no database of yours.\n"
    return f"{why}    environment: {{{pairs}}}\n"


def _people(answers: Answers) -> str:
    keys = "".join(f"      - {_quoted(line)}\n" for line in answers.keys)
    who = {"reviewer": _quoted(answers.reviewer), "email": _quoted(answers.email), "keys": keys}
    return _REVIEWED.format(**who)


_ASKING = """\
      # What statements really do, whatever they are called. Effects that are left out are refused outright; the rule
      # at the end says which of these wait for a signature.
      - tools: [migration_apply, migration_rollback]
        targets: [development]
        effects: [additive, data, blocking, destructive, breaking, unknown]
"""

_ADDITIVE = """\
      # What statements really do, whatever they are called. Nobody can sign yet, so nothing else is in scope.
      - {tools: [migration_apply, migration_rollback], targets: [development], effects: [additive]}
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
  development:
    tier: development
    alembic: ./alembic.ini
    url: {url}   # a reference, resolved when a connection is opened; a password never stands here
{environment}    limits: {{lock_timeout: 3s, statement_timeout: 10m, undo_keep: 14d}}

workflows:
  schema-agent:
    owner: {{name: {name}, email: {email}}}   # who answers for it
    principals: [{principal}]
    scopes:   # nothing is allowed that no scope names
      - tools: ["schema_*", migration_plan, migration_status, migration_validate, approval_status, audit_read,
                access_explain]
        targets: [development]
      - {{tools: [revision_create], targets: [development], effects: [additive]}}
{applying}
{people}"""
