"""The desk of the tests on approvals: one change, those who sign, and a ledger."""

from tests.approvals.conftest import desk, keys

__all__ = ["desk", "keys"]
