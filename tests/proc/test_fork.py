"""What a process of ours says when it ends by an error."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

import pytest

from penstock.proc.fork import fork_into


def failing(error: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


def status_of(error: Exception) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(fork_into(failing(error)), 0)[1])


def test_what_the_machine_lacks_is_told_without_a_traceback(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert status_of(BlockingIOError(errno.EAGAIN, "No process")) == 125
    assert capfd.readouterr().err == (
        "penstock: No process\n"
        "hint: end some processes, or raise `ulimit -u` or pids.max\n"
    )


def test_anything_else_is_told_with_its_traceback(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert status_of(ZeroDivisionError("no")) == 125
    assert capfd.readouterr().err.startswith("Traceback (most recent call last):")
