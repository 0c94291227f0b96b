"""Which ways of working can a person hand to an agent? Words alone: nothing is called, read or allowed by them."""

from __future__ import annotations

from dataclasses import dataclass
from string import Template
from typing import Any

import mcp_types as types
from mcp.server.context import ServerRequestContext

from mcp_migrate.server.results import refused

_LONGEST = 2_000


@dataclass(frozen=True, slots=True)
class _Prompt:
    """`arguments` say of each what it is; all are required. Their places in `text` are ``$name``."""

    title: str
    description: str
    arguments: dict[str, str]
    text: str


PROMPTS = {
    "plan_a_change": _Prompt(
        "Plan a change",
        "From a wish to an applied migration, with people asked where they have to be.",
        {"target": "Which database.", "change": "What should be different afterwards."},
        "Change the schema of $target: $change\n\n"
        "1. schema_read and migration_status: see what is there, and whether anything is pending or has drifted.\n"
        "2. Write the revision: edit the models and revision_create with source models, or give its SQL both ways.\n"
        "3. migration_plan with `expects`: the effects and objects you believe in, and no more. If it is refused as "
        "intent_exceeded, the revision does more than you think: read the statements, do not widen `expects`.\n"
        "4. Read the plan's first line: what is lost, whether a rollback brings it back, who waits meanwhile. If a "
        "statement has a `safer` way, take it.\n"
        "5. migration_apply with the plan_id. approval_required is no failure: show the person the review_url, say in "
        "a sentence what they will see, and stop. You cannot approve it, and must not look for a way round.\n"
        "6. After it is applied: migration_validate, then tell the person the apply_id and until when it can be taken "
        "back with its data.",
    ),
    "explain_refusal": _Prompt(
        "Explain a refusal",
        "What was refused, by which rule, and what the next legitimate step is.",
        {"code": "The code or the call_id of the refusal."},
        "Explain to me the refusal $code.\n\n"
        "Look it up: audit_read for the call, access_explain for the tool and target, approval_status if a request is "
        "named. Then say in plain words: what was asked, which rule decided, what of it is about who asks and what "
        "about what would have happened, and the next legitimate step: narrow the plan, mend the revision, wait for "
        "people, or ask the workflow's owner by name. Do not propose a way around the rule, and do not try the call "
        "again with other words.",
    ),
    "incident_rollback": _Prompt(
        "Take a change back",
        "In an incident: find the apply, see what going back would lose, and go back.",
        {"target": "Which database.", "what": "What went wrong, and since when."},
        "Something is wrong on $target: $what\n\n"
        "1. migration_status: the last applies, and whether one stopped part way. audit_read for who asked for what.\n"
        "2. Name the apply that could be the cause, and why; if none fits the time, say so and change nothing.\n"
        "3. Tell the person what migration_rollback of it would do before you call it: which rows come back, which "
        "of those written since stay, and until when its undo data is kept.\n"
        "4. migration_rollback with the apply_id. It may be covered by the approval of the change; if it answers "
        "approval_required, show the review_url. After undo_conflict stop: a person decides about those rows.\n"
        "5. migration_validate, then write down what happened, with the call ids.",
    ),
}


async def list_prompts(
    _context: ServerRequestContext[Any], _params: types.PaginatedRequestParams | None
) -> types.ListPromptsResult:
    """All of them."""
    return types.ListPromptsResult(
        prompts=[
            types.Prompt(
                name=name,
                title=prompt.title,
                description=prompt.description,
                arguments=[
                    types.PromptArgument(name=argument, description=what, required=True)
                    for argument, what in prompt.arguments.items()
                ],
            )
            for name, prompt in PROMPTS.items()
        ]
    )


async def get_prompt(
    _context: ServerRequestContext[Any], params: types.GetPromptRequestParams
) -> types.GetPromptResult:
    """One of them, with the person's own words in it. Raises: MCPError."""
    prompt, given = PROMPTS.get(params.name), params.arguments or {}
    if prompt is None:
        known = ", ".join(PROMPTS)
        raise refused("unknown_prompt", f"There is no prompt {params.name[:80]!r}.", f"There are {known}.")
    wrong = sorted(set(prompt.arguments) ^ set(given)) or [k for k, v in given.items() if len(v) > _LONGEST]
    if wrong:
        takes = ", ".join(prompt.arguments)
        raise refused("invalid_arguments", f"{params.name} takes {takes}.", f"Look at {', '.join(wrong)[:80]}.")
    said = types.TextContent(text=Template(prompt.text).substitute(given))
    return types.GetPromptResult(
        description=prompt.description, messages=[types.PromptMessage(role="user", content=said)]
    )
