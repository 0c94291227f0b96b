"""Is the target where the plan said it would be? Asked before anything is committed."""

from __future__ import annotations

from mcp_migrate.dialects.interface import Writer
from mcp_migrate.errors import ValidationFailedError
from mcp_migrate.model import Executed, Plan, Validated
from mcp_migrate.schema import fingerprint, shape


def validate(executed: Executed, writer: Writer | None) -> Validated:
    """Compare revision and fingerprint with the plan's.

    Raises:
        ValidationFailedError: they differ; leaving the step with this error rolls everything back.
    """
    plan = executed.approved.prepared.plan
    if plan is None or writer is None:
        return Validated(executed, None, None)
    revisions = writer.revisions(plan.version_table)
    if revisions != tuple(filter(None, [plan.to_revision])):
        raise _elsewhere(f"its version table says {list(revisions)}, not {plan.to_revision}")
    schema = writer.schema(version_table=plan.version_table)
    found = shape(schema)
    if plan.expected_fingerprint not in {None, found}:
        raise _elsewhere("its schema is not the one that was rehearsed", expected=plan, found=found)
    return Validated(executed, plan.to_revision, fingerprint(schema))


def _elsewhere(what: str, *, expected: Plan | None = None, found: str | None = None) -> ValidationFailedError:
    return ValidationFailedError(
        f"After the last statement the target is not where the plan ends: {what}.",
        hint="Everything was rolled back. Make a new plan; if it happens again, a trigger or another session "
        "changes the schema as well.",
        expected_fingerprint=expected.expected_fingerprint if expected else None,
        fingerprint=found,
    )
