"""What of a call must not stand on the ledger, and what stands in its place?"""

from mcp_migrate.redaction.key import key_file, key_of
from mcp_migrate.redaction.redactor import Redactor

__all__ = ["Redactor", "key_file", "key_of"]
