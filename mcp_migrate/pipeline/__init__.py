"""The one door: each tool call, built in or custom, passes `Pipeline.run`, and no other code calls a stage.

door      the way of a call through the stages; knows no tool, dialect or risk by name
steps     how an approved call runs to its outcome, and is taken back
upkeep    what is put in order before anything is said of a target
"""

from mcp_migrate.pipeline.door import Pipeline
from mcp_migrate.pipeline.steps import UNWATCHED, Watch

__all__ = ["UNWATCHED", "Pipeline", "Watch"]
