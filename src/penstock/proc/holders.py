"""Who holds a pipe open."""

from __future__ import annotations

import os

from penstock.model.outcome import Process
from penstock.proc.descendants import describe

_MOST = 3


def holders_of(reader: int) -> tuple[Process, ...]:
    """The processes, other than this one, that have the pipe of `reader` open.

    As far as we may know: the descriptors of another user's process are not ours to
    see. Looks at each process of the machine (2 ms for a hundred of them).
    """
    try:
        name = os.readlink(f"/proc/self/fd/{reader}")
    except OSError:
        return ()
    others = (int(pid) for pid in os.listdir("/proc") if pid.isdigit())
    return tuple(
        describe(pid) for pid in others if pid != os.getpid() and _has_open(pid, name)
    )


def in_words(holders: tuple[Process, ...]) -> str:
    """Them by PID and command line, for a message."""
    if not holders:
        return "a process that we may not see"
    named = ", ".join(f"{pid} ({command})" for pid, command in holders[:_MOST])
    more = len(holders) - _MOST
    return f"{named} and {more} more" if more > 0 else named


def _has_open(pid: int, name: str) -> bool:
    try:
        numbers = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return False
    return any(_link(pid, number) == name for number in numbers)


def _link(pid: int, number: str) -> str | None:
    try:
        return os.readlink(f"/proc/{pid}/fd/{number}")
    except OSError:
        return None
