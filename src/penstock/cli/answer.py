"""What the worker of a recipe answers: a kind, and a number, a byte each."""

from __future__ import annotations

import os

EXITED, SIGNALED, CANCELLED = b"x", b"s", b"c"


def answer_for(status: int) -> bytes:
    """The answer for a wait status (wait(2))."""
    if os.WIFSIGNALED(status):
        return SIGNALED + bytes((os.WTERMSIG(status),))
    return EXITED + bytes((os.WEXITSTATUS(status),))
