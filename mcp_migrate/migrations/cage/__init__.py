"""What can the Python of a project reach while it is recorded? As little as this platform lets us leave it.

The walls are put up inside the child itself, by our own code, before a line of the project is read: `room` says what
stays reachable, `landlock`, `seccomp` and `limits` close the rest, and bubblewrap, where it is there, hides it.

Nothing is imported here, for the same reason as in the package above.
"""
