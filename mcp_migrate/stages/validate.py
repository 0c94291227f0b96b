"""Is the target where the plan said it would be, and does what held before still hold?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcp_migrate.dialects.checks import Found, look, worse
from mcp_migrate.dialects.interface import Writer
from mcp_migrate.errors import MigrateError, PartiallyAppliedError, ValidationFailedError
from mcp_migrate.model import Executed, Plan, Validated
from mcp_migrate.schema import fingerprint, shape, short_fingerprints
from mcp_migrate.settings import Target

Broken = tuple[Mapping[str, Any], ...]
"""The checks that do not hold any more, as `migration_validate` tells them."""
_SHOWN = 5


def validate(executed: Executed, writer: Writer | None) -> Validated:
    """Compare revision and fingerprint with the plan's.

    Raises:
        ValidationFailedError: they differ; leaving the step with this error rolls everything back.
    """
    prepared = executed.approved.prepared
    plan = prepared.plan
    if prepared.purpose == "reconcile":
        said = prepared.subject
        return Validated(executed, said["revision"], said["fingerprint"], short_fingerprints(prepared.schema))
    if plan is None or writer is None:
        return Validated(executed, None, None)
    revisions = writer.revisions(plan.version_table)
    if revisions != tuple(filter(None, [plan.to_revision])):
        raise _elsewhere(f"its version table says {list(revisions)}, not {plan.to_revision}")
    schema = writer.schema(version_table=plan.version_table)
    found = shape(schema)
    if plan.expected_fingerprint not in {None, found}:
        raise _elsewhere("its schema is not the one that was rehearsed", expected=plan, found=found)
    return Validated(executed, plan.to_revision, fingerprint(schema), short_fingerprints(schema))


def _elsewhere(what: str, *, expected: Plan | None = None, found: str | None = None) -> ValidationFailedError:
    return ValidationFailedError(
        f"After the last statement the target is not where the plan ends: {what}.",
        hint="Everything was rolled back. Make a new plan; if it happens again, a trigger or another session "
        "changes the schema as well.",
        expected_fingerprint=expected.expected_fingerprint if expected else None,
        fingerprint=found,
    )


class Health:
    """What the database and the project's own checks say, just before the first statement and just after the last.

    Only for a target with `limits.auto_rollback`; for no target nothing is asked.
    """

    def __init__(self, target: Target | None) -> None:
        self._checks = target.checks if target is not None and target.limits.auto_rollback else None
        self._before: Found | None = None

    @property
    def asked(self) -> bool:
        """Whether an apply whose checks fail is taken back by itself."""
        return self._checks is not None

    def before(self, writer: Writer) -> None:
        """Remember what does not hold already: that is not the doing of this apply."""
        self._before = look(writer, self._checks) if self._checks is not None else None

    def after(self, validated: Validated, writer: Writer) -> Broken:
        """What does not hold any more, of an apply of which something stands whatever comes.

        Raises:
            ValidationFailedError: the same of one that can be rolled back whole, which leaving the step does.
        """
        plan = validated.executed.approved.prepared.plan
        if self._before is None or plan is None:
            return ()
        now = look(writer, self._checks or ())
        broken = tuple(worse(self._before, now, kept=plan.expected_fingerprint is not None))
        if broken and not writer.stands:
            raise ValidationFailedError(
                f"After the last statement a check fails that did not fail before: {_named(broken)}.",
                hint="Everything was rolled back by itself, before anybody saw it. Mend the revision, or the rows the "
                "check is about, and plan again.",
                checks=list(broken),
            )
        return broken


def taken_back(validated: Validated, broken: Broken, back: Validated) -> ValidationFailedError:
    """For an apply that stood and that the server took back."""
    return ValidationFailedError(
        f"A check fails that did not fail before {validated.executed.apply_id}: {_named(broken)}. The server took it "
        f"back by itself, as {back.executed.apply_id}.",
        hint="The target is where it was. Mend the revision, or the rows the check is about, and plan again.",
        status="rolled_back",
        apply_id=validated.executed.apply_id,
        rollback={"apply_id": back.executed.apply_id, "automatic": True, "revision": back.revision},
        checks=list(broken),
    )


def not_taken_back(validated: Validated, broken: Broken, error: MigrateError) -> MigrateError:
    """For an apply that stands although its checks fail: whole, unless its way back stopped part way."""
    sentence = (
        f"A check fails that did not fail before {validated.executed.apply_id}: {_named(broken)}. The server could not "
        f"take it back: {error.sentence}"
    )
    told = {"apply_id": validated.executed.apply_id, "checks": list(broken)}
    if isinstance(error, PartiallyAppliedError):
        return PartiallyAppliedError(sentence, hint=error.hint, **{**error.details, **told})
    return ValidationFailedError(
        sentence,
        hint="All of the apply stands. Tell the person you work for; migration_rollback takes it back when that can be "
        "done.",
        **told,
        status="applied",
        code=error.code,
    )


def _named(broken: Broken) -> str:
    return "; ".join(f"{check['name']} ({check['detail']})" for check in broken[:_SHOWN])
