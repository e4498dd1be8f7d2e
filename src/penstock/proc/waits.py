"""What a process waits for at the pipes of a job: from proc(5), touching no pipe."""

from __future__ import annotations

import os
from contextlib import suppress

from penstock.typed import NamedTuple

READS, WRITES, OPENS, WAITS = "reads", "writes", "opens", "waits"


class Wait(NamedTuple):
    """What one thread is blocked in.

    Attributes:
        how: "reads", "writes", "opens" or "waits", for children.
        pipe: the inode of the pipe; 0 if there is none.
    """

    how: str
    pipe: int = 0


def waits_of(pid: int) -> tuple[Wait, ...] | None:
    """What each thread of a process waits for; None if one is not waiting, or gone."""
    waits = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            wait = _wait_of(f"/proc/{pid}/task/{task}")
            if wait is None:
                return None
            waits.append(wait)
    except OSError:  # gone, or not ours to look at
        return None
    return tuple(waits)


def place_of(pid: int) -> str:
    """The function of the kernel that the first thread of a process sleeps in."""
    try:
        with open(f"/proc/{pid}/wchan") as file:
            return file.read().partition(".")[0]  # the compiler adds ".isra.0", say
    except OSError:
        return "0"


def pipes_held_by(pid: int) -> list[int]:
    """The inodes of what a process has open, in order; empty if it is gone."""
    folder, found = f"/proc/{pid}/fd", list[int]()
    with suppress(OSError):
        found.extend(os.stat(f"{folder}/{n}").st_ino for n in os.listdir(folder))
    return found


def _wait_of(task: str) -> Wait | None:
    """What the thread in the directory `task` is blocked in; None if it is not.

    Raises:
        OSError: it is gone.
    """
    with open(f"{task}/wchan") as file:
        where = file.read()
    if where == "do_wait":
        return Wait(WAITS)
    if where == "wait_for_partner":
        return Wait(OPENS)
    if "pipe_read" not in where and "pipe_write" not in where:
        return None
    with open(f"{task}/syscall") as file:
        words = file.read().split()  # the number of the call, then its arguments
    if len(words) < 2:  # noqa: PLR2004 ("running", or nothing of one that is gone)
        return None
    seen = os.stat(f"{task}/fd/{int(words[1], 16)}")
    return Wait(READS if "read" in where else WRITES, seen.st_ino)
