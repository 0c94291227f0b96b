"""What is said between the server and a nursery of children? One message names the product, one answers."""

from __future__ import annotations

NURSERY = "nursery"
"""The argument by which `start` begins one."""
READY = b"ready"
"""The child is there."""
STALE = b"stale"
"""What was loaded is not what is installed by now, and the nursery ends."""
GONE = b"gone"
"""There was no answer."""
MOST = 256
"""Bytes of a message."""
