"""Retry: whether a failed attempt is worth another, and after how long."""

from __future__ import annotations

from penstock.model.outcome import (
    NOT_EXECUTABLE,
    NOT_FOUND,
    Ending,
    Exited,
    Lost,
    Outcome,
    OutOfMemory,
    Signaled,
    TimedOut,
)
from penstock.model.policy import Retry

LONGEST_BACKOFF = 3600.0
"""Seconds; doubling stops here, unless the first backoff was longer."""

_MOST_DOUBLINGS = 60


def next_try(retry: Retry, outcome: Outcome, attempt: int) -> float | None:
    """Seconds to wait before another attempt; None if there is to be none.

    Not where the next attempt would meet what this one left alive, nor where penstock
    itself failed, nor for a command that is not there: 126 and 127 are what a shell
    says of those (POSIX XCU 2.8.2).

    Args:
        retry: as the job has it.
        outcome: of the attempt; not ok.
        attempt: its number, from 1.

    Example:
        >>> next_try(Retry(3, backoff=2.0), Outcome("a", Exited(1), False), 2)
        4.0
    """
    if attempt > retry.times or outcome.survivors or outcome.trouble is not None:
        return None
    if _cause(outcome.ending) not in retry.on:
        return None
    longest = max(LONGEST_BACKOFF, retry.backoff)
    return min(longest, retry.backoff * 2.0 ** min(attempt - 1, _MOST_DOUBLINGS))


def _cause(ending: Ending) -> str | None:
    """Which of `model.policy.CAUSES` it was; None for what no retry mends."""
    match ending:
        case Exited(code):
            return None if code in (NOT_EXECUTABLE, NOT_FOUND) else "exit"
        case Signaled() | OutOfMemory():
            return "signal"
        case TimedOut():
            return "timeout"
        case Lost():
            return "lost"
        case _:
            return None
