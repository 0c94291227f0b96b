"""Whose process is this?"""

from __future__ import annotations

import os


def user() -> str:
    """As the environment says."""
    import getpass

    return getpass.getuser()


def account() -> str:
    """By the system's own account: the environment may say anything."""
    if os.name != "posix":
        return user()
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # an account without a name, as in a container
        return f"uid {os.geteuid()}"
