"""What can the Python of a project reach while it is recorded? As little as this platform lets us leave it.

The walls are put up inside the child itself, by our own code, before a line of the project is read: `room` says what
stays reachable, `landlock`, `seccomp` and `limits` close the rest, and bubblewrap, where it is there, hides it.
"""

from mcp_migrate.migrations.cage.confinement import Confinement
from mcp_migrate.migrations.cage.tiers import Cage, cages, strongest

__all__ = ["Cage", "Confinement", "cages", "strongest"]
