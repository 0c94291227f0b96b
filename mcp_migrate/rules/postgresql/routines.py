"""What happens when a function is called that is not PostgreSQL's own?

Candidates are all of that name: those of the plan, and those of the schema, whose text is there to be read. What they
do is added up, whichever of them the call would find.
"""

from __future__ import annotations

from mcp_migrate.rules.context import Context, bounded
from mcp_migrate.rules.interface import Finding, unknown
from mcp_migrate.rules.postgresql import code
from mcp_migrate.rules.postgresql.builtins import HARMLESS_EXTENSIONS, OF_EXTENSIONS, may_be_risky
from mcp_migrate.rules.postgresql.parser import parse
from mcp_migrate.schema.model import Other


def called(name: str, arguments: int, context: Context) -> tuple[Finding, ...] | None:
    """What calling something of that name does; None where nothing of that name is known."""
    made, known = context.made.told(name), context.functions.get(name, ())
    if made is None and not known:
        forgotten = unknown(f"what the function {name} of this plan does is no longer certain")
        return (forgotten,) if context.made.named(name) else None
    findings = (*(made or ()), *_of_schema(name, known, context))
    if may_be_risky(name):
        findings = (*findings, unknown(f"PostgreSQL's own function {name} could take this call"))
    elif arguments and not _only_known(context):
        findings = (*findings, unknown(f"a function {name} of an extension could take this call"))
    return findings


def of_extension(name: str, context: Context) -> bool:
    """Whether it is a harmless function of a well-known extension that is there."""
    extension = OF_EXTENSIONS.get(name)
    there = extension in context.extensions or (extension and context.made.has("extension", ("", extension)))
    return bool(there) and name not in context.functions and context.made.told(name) is None


def _only_known(context: Context) -> bool:
    return context.schema is not None and context.extensions <= HARMLESS_EXTENSIONS


def _of_schema(name: str, overloads: tuple[Other, ...], context: Context) -> tuple[Finding, ...]:
    if not overloads:
        return ()
    if context.made.rewritten(name):
        return (unknown(f"{name} may have been changed by this plan"),)
    judged = context.made.judged
    if name not in judged:
        judged[name] = (unknown(f"{name} calls itself"),)
        judged[name] = bounded(f for other in overloads for f in _body(other, context))
    return judged[name]


def _body(other: Other, context: Context) -> list[Finding]:
    parsed = parse(other.definition) if other.kind in {"function", "procedure"} else "it is no plain function"
    if isinstance(parsed, str) or parsed.kind != "create_function_stmt":
        return [unknown(f"what the database's own {other.kind} {other.qualified} does cannot be read")]
    return code.of_routine(parsed.node, context, runs=False)
