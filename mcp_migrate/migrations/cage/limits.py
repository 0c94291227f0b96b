"""How much may a child use? The kernel's own limits, where there are any."""

from __future__ import annotations

import sys

MEMORY = 8 * 2**30
"""Bytes of address space: libraries for numbers reserve much and use little."""
FILE = 2**30
"""Bytes of one file."""
CPU = 600
"""Seconds of work."""
OPEN_FILES = 512


def restrict() -> None:
    """Limit this process; on a platform without such limits there is nothing to do."""
    if sys.platform == "win32":
        return
    import resource

    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: FILE,
        resource.RLIMIT_CPU: CPU,
        resource.RLIMIT_NOFILE: OPEN_FILES,
    }
    if sys.platform == "linux":
        wanted[resource.RLIMIT_AS] = MEMORY
    for limit, most in wanted.items():
        _soft, hard = resource.getrlimit(limit)
        value = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(limit, (value, value))
