"""What would stop this configuration from working, and which promise does this machine not keep?

command    runs all of it and prints what was found
finding    one thing that was looked at, and what to do about it
base       the configuration, the ledger, the cages and the server's own secrets
people     who can sign, whose keys are within an agent's reach, who could act alone, who is told
keeping    who outside knows the record, where it lies, and whether the clock can be believed
targets    each database: its project, the credentials of steps, what their roles could do
"""

from mcp_migrate.cli.doctor.command import doctor

__all__ = ["doctor"]
