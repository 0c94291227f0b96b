"""What does the grammar allow that we still refuse? What can never work."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import get_args

from mcp_migrate.model import Effect, Tier
from mcp_migrate.settings.anchoring_checks import anchoring_problems
from mcp_migrate.settings.channel_checks import channel_problems
from mcp_migrate.settings.credential_checks import credential_problems
from mcp_migrate.settings.globs import matches
from mcp_migrate.settings.http_checks import http_problems
from mcp_migrate.settings.list_checks import fit_nothing, named_twice, no_public_keys
from mcp_migrate.settings.model import Settings
from mcp_migrate.settings.people_checks import people_problems
from mcp_migrate.settings.policy import ApprovalRule, RulePolicy
from mcp_migrate.settings.problems import Key, Problem, nearest
from mcp_migrate.settings.references import AS_REFERENCE, is_reference
from mcp_migrate.settings.rule_checks import rule_problems
from mcp_migrate.settings.target import CageName, Target
from mcp_migrate.settings.telemetry import telemetry_problems
from mcp_migrate.settings.url_checks import ADDRESS, plain_secret
from mcp_migrate.settings.workflow import Scope

_PASSKEY = re.compile(r"passkey/(?:1|2 https://[\w.:-]+) ([\w-]+ [\w-]+) \d{1,10}(?: .*)?", re.ASCII)


def check(
    settings: Settings, known_tools: Collection[str], known_rules: Callable[[], Mapping[str, frozenset[Effect]]]
) -> Iterator[Problem]:
    """Every problem of a configuration whose grammar holds."""
    for name, target in settings.targets.items():
        yield from plain_secret(("targets", name, "url"), target.url)
        yield from credential_problems(name, target)
        yield from _cage(name, target, settings)
        yield from _python(name, target)
        yield from named_twice(("targets", name, "checks"), (check.name for check in target.checks), "check")
        if target.unsafe_software_keys and target.tier is not Tier.PRODUCTION:
            why = "only production asks for a verified person by itself."
            yield Problem(("targets", name, "unsafe_software_keys"), why, "Remove it.")
    yield from _ledger(settings.ledger)
    yield from _principals(settings)
    yield from people_problems(settings)
    for name, workflow in settings.workflows.items():
        for index, scope in enumerate(workflow.scopes):
            yield from _scope(("workflows", name, "scopes", index), scope, settings, known_tools)
    yield from _redaction(settings, known_tools)
    yield from _review(settings)
    yield from http_problems(settings, known_tools)
    yield from no_public_keys(("admins",), settings.admins)
    yield from _reviewers(settings)
    yield from _break_glass(settings)
    yield from channel_problems(settings)
    yield from anchoring_problems(settings)
    yield from telemetry_problems(settings)
    for index, rule in enumerate(settings.approvals):
        yield from _rule(index, rule, settings)
        yield from fit_nothing(("approvals", index, "when", "tools"), rule.when.tools or (), known_tools, "tool")
    for index, signal in enumerate(settings.freezes):
        yield from fit_nothing(("freezes", index, "targets"), signal.targets, settings.targets, "target")
    if settings.rules != RulePolicy():
        yield from rule_problems(settings, known_rules())


def _ledger(url: str) -> Iterator[Problem]:
    if "${ini:" in url:
        yield Problem(("ledger",), "the ledger belongs to no alembic.ini.", AS_REFERENCE)
        return
    yield from plain_secret(("ledger",), url)


def _cage(name: str, target: Target, settings: Settings) -> Iterator[Problem]:
    lowest, order = settings.cage_of(target.tier), get_args(CageName)
    if target.cage.use and order.index(target.cage.use) < order.index(lowest):
        why = f"{target.tier} targets are recorded in the cage {lowest} or a stronger one."
        yield Problem(("targets", name, "cage", "use"), why, "Choose a stronger one, or change `lowest_cage`.")


def _python(name: str, target: Target) -> Iterator[Problem]:
    """What is in it is asked behind the walls of the cage; here only whether it is there."""
    if target.python is None:
        return
    why = "there is no such file." if not target.python.is_file() else "it cannot be run."
    if not (target.python.is_file() and os.access(target.python, os.X_OK)):
        yield Problem(("targets", name, "python"), why, "Name an interpreter, as ./.venv/bin/python.")


def _principals(settings: Settings) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for name, workflow in settings.workflows.items():
        for index, principal in enumerate(workflow.members):
            if principal in seen:
                key = ("workflows", name, "principals", index)
                yield Problem(key, f"{principal} already belongs to workflow {seen[principal]}.", "Name it once.")
            seen.setdefault(principal, name)


def _scope(key: Key, scope: Scope, settings: Settings, known_tools: Collection[str]) -> Iterator[Problem]:
    yield from fit_nothing((*key, "tools"), scope.tools, known_tools, "tool")
    for index, tier in enumerate(scope.tiers or ()):
        covered = (target for name, target in settings.targets.items() if matches(name, scope.targets))
        if tier not in {target.tier for target in covered}:
            yield Problem((*key, "tiers", index), f"no target of this scope is {tier}.", "Remove it.")
    yield from fit_nothing((*key, "targets"), scope.targets, settings.targets, "target")


def _redaction(settings: Settings, known_tools: Collection[str]) -> Iterator[Problem]:
    for index, rule in enumerate(settings.redact):
        yield from fit_nothing(("redact", index, "tools"), rule.tools, known_tools, "tool")
    key = settings.redaction_key
    if key is None and not settings.ledger.startswith("sqlite:"):
        why = "what is redacted needs a key, and beside this ledger no file can lie."
        yield Problem(("ledger",), why, "Write `redaction_key: ${file:PATH}`, the same for all its servers.")
    if key is not None and not is_reference(key):
        yield Problem(("redaction_key",), "this is no reference to a secret.", AS_REFERENCE)


def _review(settings: Settings) -> Iterator[Problem]:
    if settings.review.url is not None and not ADDRESS.fullmatch(settings.review.url):
        why = "this is no address of pages, or what passes there can be read on the way."
        hint = "Write https://HOST or http://localhost:PORT, without a path."
        yield Problem(("review", "url"), why, hint)


def _reviewers(settings: Settings) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for name, reviewer in settings.reviewers.items():
        if not reviewer.ssh_keys and not reviewer.passkeys:
            why = "this reviewer has no key, so nothing they sign can count."
            yield Problem(("reviewers", name), why, "Add `ssh_keys` or `passkeys`.")
        for index, line in enumerate(reviewer.passkeys):
            found = _PASSKEY.fullmatch(line)
            if found is None:
                why = "Copy the whole line that `mcp-migrate reviewers enroll` shows."
                yield Problem(("reviewers", name, "passkeys", index), "this is no passkey.", why)
            elif seen.setdefault(found[1], name) != name:
                why = f"this is the passkey of {seen[found[1]]} too."
                yield Problem(("reviewers", name, "passkeys", index), why, "One key signs for one person.")
        for index, line in enumerate(reviewer.ssh_keys):
            key = ("reviewers", name, "ssh_keys", index)
            blob = " ".join(line.split()[:2])
            if " " not in blob:
                yield Problem(key, "this is no public key.", "Copy the line of a .pub file.")
            elif seen.setdefault(blob, name) != name:
                yield Problem(key, f"this is the key of {seen[blob]} too.", "One key signs for one person.")


def _break_glass(settings: Settings) -> Iterator[Problem]:
    if settings.break_glass is None:
        return
    for index, name in enumerate(settings.break_glass.people):
        if name not in settings.reviewers and not settings.admins:  # else an admin may let them in later
            hint = nearest(name, settings.reviewers)
            yield Problem(("break_glass", "people", index), f"{name!r} is no reviewer.", hint)
    if len(set(settings.break_glass.assurance)) == 1:
        why = "two keys of one level prove no more than one."
        yield Problem(("break_glass", "assurance"), why, "Name two levels, as [presence, verified].")


def _rule(index: int, rule: ApprovalRule, settings: Settings) -> Iterator[Problem]:
    key, asked = ("approvals", index), rule.require
    if not rule.when.model_fields_set:
        yield Problem((*key, "when"), "this rule says nothing about when it holds.", "Name effects, tier or targets.")
    members = [n for n, r in settings.reviewers.items() if asked.from_ == "*" or asked.from_ in r.groups]
    groups = {group for reviewer in settings.reviewers.values() for group in reviewer.groups}
    short = len(members) < asked.count and not settings.admins  # an admin may let more in, whom the ledger knows
    if short and not members:
        yield Problem((*key, "require", "from"), f"nobody is in {asked.from_!r}.", nearest(asked.from_, groups))
    elif short:
        why = f"{asked.count} signatures are asked of {len(members)} reviewer(s)."
        yield Problem((*key, "require", "count"), why, "Enroll more reviewers, or ask for fewer.")
    if "owner" in asked.never:
        for name in members:
            if settings.reviewers[name].email is None:
                why = f"reviewer {name} has no email, so nobody can tell whether they are the owner."
                yield Problem((*key, "require", "never"), why, f"Add an email to reviewer {name}.")
    yield from fit_nothing((*key, "when", "targets"), rule.when.targets or (), settings.targets, "target")
