"""mcp-migrate: an MCP server through which AI agents change database schemas under governance.

pipeline/     the one door each tool call passes
stages/       authorise, prepare, classify, approve, execute, validate, record
tools/        what callers can ask for, built from tool_specs/*.yaml
migrations/   an Alembic project becomes frozen SQL
rules/        what a statement does
dialects/     the databases we can change
approvals/    what is asked of people, what stands, and what a no means
signers/      how a person signs
notices.py    who has to be told what; notifiers/: how they are reached
ledger/       the record nobody can quietly edit
settings/     the configuration
server/, cli/ MCP and the command line
"""

__version__ = "0.1.0"
