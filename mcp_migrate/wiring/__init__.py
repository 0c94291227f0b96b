"""How are the parts made from one configuration, and who is it that runs them?"""

from mcp_migrate.wiring.parts import Wiring
from mcp_migrate.wiring.whose import account, user

__all__ = ["Wiring", "account", "user"]
