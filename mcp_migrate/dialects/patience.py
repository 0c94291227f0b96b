"""What is done while a lock is not free? Nothing waits in line for it: what others do would wait behind us."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TypeVar

from mcp_migrate.errors import LockTimeoutError

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0
"""Seconds between an attempt that got no lock and the next."""

Entered = TypeVar("Entered")


@contextmanager
def until_free(
    trial: Callable[[], AbstractContextManager[Entered]], attempts: int, tell: Callable[[str], None]
) -> Iterator[Entered]:
    """Enter a trial, and another one after a pause for as long as a lock is not free.

    Raises:
        LockTimeoutError: it was not free in the last of the `attempts` either.
    """
    with ExitStack() as session:
        for attempt in range(1, attempts + 1):
            try:
                entered = session.enter_context(trial())
            except LockTimeoutError as error:
                if attempt == attempts:
                    raise _never_free(error, attempts) from error
                tell(f"a lock was not free; attempt {attempt + 1} of {attempts} follows")
                time.sleep(_pause(attempt))
            else:
                break
        yield entered


def _pause(attempt: int) -> float:
    """Seconds: longer each time, and never the same for two that wait for one lock.

    A lock that is not free in time fails the whole transaction, so nothing queues behind us meanwhile.
    """
    longest = min(_FIRST_PAUSE * 2.0 ** (attempt - 1), _LONGEST_PAUSE)
    return random.uniform(longest / 2, longest)  # noqa: S311  no secret


def _never_free(error: LockTimeoutError, attempts: int) -> LockTimeoutError:
    if attempts == 1:
        return error
    sentence = f"{error.sentence.rstrip('.')}, in {attempts} attempts."
    return LockTimeoutError(sentence, hint=error.hint, **{**error.details, "attempts": attempts})
