"""What a process waits for at the pipes of a job: from proc(5), touching no pipe."""

from __future__ import annotations

import os
from contextlib import suppress

from penstock.typed import NamedTuple

READS, WRITES, OPENS, WAITS = "reads", "writes", "opens", "waits"
_LONGEST_PATH = 4096  # bytes (PATH_MAX)


class Wait(NamedTuple):
    """What one thread is blocked in.

    Attributes:
        how: "reads", "writes", "opens" or "waits", for children.
        pipe: the inode of the pipe that it reads or writes; 0 if there is none.
        path: of the FIFO, if it is one: of what it opens, as it says it; empty for a
            pipe without a name, or if it cannot be known.
    """

    how: str
    pipe: int = 0
    path: str = ""


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
    is_opening = where == "wait_for_partner"
    if not (is_opening or "pipe_read" in where or "pipe_write" in where):
        return None
    with open(f"{task}/syscall") as file:
        # The number of the call, then its arguments; "running", or nothing if gone.
        words = [int(word, 16) for word in file.read().split()[1:3]]
    if len(words) < 2:  # noqa: PLR2004 (a descriptor or a path is one of the first two)
        return None
    if is_opening:
        return Wait(OPENS, path=_path_at(task, words))
    descriptor = f"{task}/fd/{words[0]}"
    pipe, name = os.stat(descriptor).st_ino, os.readlink(descriptor)
    path = "" if name.startswith("pipe:") else name
    return Wait(READS if "read" in where else WRITES, pipe, path)


def _path_at(task: str, addresses: list[int]) -> str:
    """The path that a call to open something has been given (/proc/PID/mem).

    It is the first argument of open(2), the second of openat(2); which of them it is
    need not be known: before it stands a descriptor, and nothing is at such an address.

    Raises:
        OSError: it is gone.
    """
    memory = os.open(f"{task}/mem", os.O_RDONLY | os.O_CLOEXEC)
    try:
        for address in addresses:
            with suppress(OSError, OverflowError):
                found = os.pread(memory, _LONGEST_PATH, address)
                return os.fsdecode(found.partition(b"\0")[0])
    finally:
        os.close(memory)
    return ""
